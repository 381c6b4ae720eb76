// A statement in Athena's SQL, ready for the embedded lake: either SQL for DuckDB, or, for what only asks about the tables
// (SHOW, DESCRIBE), the answer itself.

import { parseStatement } from '../sql/parse.ts'
import { text } from '../sql/quote.ts'
import { type Tables, type Translated, translateQuery } from '../sql/translate.ts'
import * as t from '../sql/types.ts'
import { athenaName, type Type, typeOfColumn } from '../sql/types.ts'
import { athenaType } from './aws/types.ts'
import { QueryError, UnknownType } from './errors.ts'
import type { QueryResult, TableDefinition } from './ports.ts'

export type Table = Pick<TableDefinition, 'name' | 'columns' | 'partitionKeys'>

/** SQL for DuckDB, with what it needs. */
export interface Runnable {
  kind: 'query' | 'explain'
  sql: string
  columns: { name: string; type: Type }[]
  /** Tables that it reads. */
  reads: ReadonlySet<string>
  /** True when it asks for "$path". */
  paths: boolean
}

export interface Answer extends Pick<QueryResult, 'columns' | 'rows'> {
  kind: 'answer'
}

const ZONES = ['clean', 'curated', 'ops']
const CATALOG = 'awsdatacatalog'

/** The table that a name means at a moment: see Tables.at. */
export type History = NonNullable<Tables['at']>

/**
 * Translates one statement. Throws QueryError for what Athena would not take either, and UnsupportedSql for what is not known
 * to give the same answer here.
 *
 * @example
 * translate('SELECT 7 / 2', []) // { kind: 'query', sql: 'SELECT (CASE WHEN … ELSE CAST(7 AS INTEGER) // …', … }
 */
export function translate(sql: string, tables: readonly Table[], history?: History): Runnable | Answer {
  const statement = parseStatement(sql)
  switch (statement.kind) {
    case 'query':
    case 'explain': {
      const translated = translateQuery(sql, statement.query, knownOf(tables, history))
      const explain = statement.kind === 'explain' ? `EXPLAIN ${statement.analyze ? 'ANALYZE ' : ''}` : ''
      return { ...translated, kind: statement.kind, sql: `${explain}${translated.sql}` }
    }
    case 'schemas':
      return answer(
        ['database_name'],
        ZONES.map((zone) => [zone]),
      )
    case 'tables': {
      const zone = (statement.zone ?? 'clean').toLowerCase()
      if (!ZONES.includes(zone))
        throw new QueryError(
          `There is no zone ${statement.zone} that can be queried. The zones with tables are: ${ZONES.join(', ')}.`,
        )
      // In Athena the pattern of SHOW TABLES is a regular expression, with * for anything.
      const like = statement.like === undefined ? /^/ : matching(statement.like)
      const names = tables
        .filter(({ name }) => name.startsWith(`${zone}.`))
        .map(({ name }) => name.slice(zone.length + 1))
      return answer(
        ['tab_name'],
        names
          .filter((name) => like.test(name))
          .sort()
          .map((name) => [name]),
      )
    }
    case 'columns':
      return answer(
        ['field'],
        columnsOf(statement.names, tables).map(({ name }) => [name]),
      )
    case 'describe':
      return answer(
        ['col_name', 'data_type', 'comment'],
        columnsOf(statement.names, tables).map(({ name, type, comment }) => [name, hiveType(type), comment ?? '']),
      )
  }
}

/**
 * Translates a query whose rows go into a table: its columns are called c0, c1, …, and have the types that `columns` says. Throws as
 * translate.
 */
export function translateSelect(sql: string, tables: readonly Table[], history?: History): Translated {
  const statement = parseStatement(sql)
  if (statement.kind === 'query') return translateQuery(sql, statement.query, knownOf(tables, history), false)
  throw new QueryError('A table is made by a query: begin it with SELECT, WITH or VALUES.')
}

const knownOf = (tables: readonly Table[], history: History | undefined): Tables => ({
  tables,
  information: (table) => information(table, tables),
  ...(history ? { at: history } : {}),
})

function matching(pattern: string): RegExp {
  if (!/^[\w*|]*$/.test(pattern))
    throw new QueryError(
      `SHOW TABLES takes a pattern of letters, digits, _, * and |, as '*orders*', and not '${pattern}'.`,
    )
  return new RegExp(`^(${pattern.replaceAll('*', '.*')})$`, 'i')
}

function answer(names: string[], rows: string[][]): Answer {
  return { kind: 'answer', columns: names.map((name) => ({ name, type: 'VARCHAR' })), rows }
}

function columnsOf(names: string[], tables: readonly Table[]): Table['columns'] {
  const wanted = names.join('.').toLowerCase()
  const found = tables.find(({ name }) => name.toLowerCase() === wanted)
  if (found) return [...found.columns, ...found.partitionKeys]
  throw new QueryError(
    `There is no table ${names.join('.')}. The tables are: ${tables.map(({ name }) => name).join(', ')}.`,
  )
}

/** DESCRIBE speaks of types as Hive does. */
function hiveType(type: string): string {
  try {
    return athenaType(type)
  } catch (error) {
    if (error instanceof UnknownType) return type.toLowerCase()
    throw error
  }
}

/** A table of information_schema as SQL. On AWS its schemas have the names of the databases, weir_clean for clean. */
function information(table: string, tables: readonly Table[]): ReturnType<Tables['information']> {
  const texts = (...names: string[]) => names.map((name) => ({ name, type: t.VARCHAR }))
  const split = ({ name }: Table) => [name.slice(0, name.indexOf('.')), name.slice(name.indexOf('.') + 1)] as const
  if (table === 'schemata')
    return relation(
      texts('catalog_name', 'schema_name'),
      ZONES.map((zone) => [text(CATALOG), text(zone)]),
    )
  if (table === 'tables')
    return relation(
      texts('table_catalog', 'table_schema', 'table_name', 'table_type'),
      tables.map((one) => [text(CATALOG), ...split(one).map(text), "'BASE TABLE'"]),
    )
  if (table !== 'columns') return undefined
  return relation(
    [
      ...texts('table_catalog', 'table_schema', 'table_name', 'column_name'),
      { name: 'ordinal_position', type: t.BIGINT },
      ...texts('column_default', 'is_nullable', 'data_type'),
    ],
    tables.flatMap((one) =>
      [...one.columns, ...one.partitionKeys].map(({ name, type }, index) => [
        ...[CATALOG, ...split(one), name.toLowerCase()].map(text),
        String(index + 1),
        'NULL',
        "'YES'",
        text(athenaName(typeOfColumn(type))),
      ]),
    ),
  )
}

function relation(
  columns: { name: string; type: Type }[],
  rows: string[][],
): NonNullable<ReturnType<Tables['information']>> {
  const list = columns.map(({ type }, index) => `CAST(v.c${index} AS ${t.duckdbName(type)}) AS c${index}`)
  return {
    sql: `SELECT ${list.join(', ')} FROM (VALUES ${rows.map((row) => `(${row.join(', ')})`).join(', ')}) AS v(${columns.map((_, index) => `c${index}`).join(', ')})`,
    columns,
  }
}
