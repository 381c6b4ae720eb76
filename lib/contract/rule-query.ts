// The SQL of a contract's own rules: Athena's, over the accepted rows of one file. It is held against the contract's columns
// when the contract is read, and translated for DuckDB, which runs it at ingest. It can name nothing else of the lake.

import type { Query } from '../sql/ast.ts'
import { QueryError, withoutPlace } from '../sql/errors.ts'
import { ungrouped } from '../sql/grouping.ts'
import { offsetOf, placeOf, tokensOf } from '../sql/lex.ts'
import { givesOneRow, onlyCounts } from '../sql/one-value.ts'
import { parseStatement } from '../sql/parse.ts'
import type { Cte } from '../sql/scope.ts'
import type { TableColumn } from '../sql/tables.ts'
import { translateQuery } from '../sql/translate.ts'
import { type Type, typeOfColumn } from '../sql/types.ts'
import type { DatasetReport, Path } from './errors.ts'
import { identifier } from './sql.ts'

/** The rows that a rule may read: those of its own dataset that were accepted. */
export interface RuleRows {
  /** What else than {object} they are called: the dataset's name, and its physical one. */
  names: string[]
  columns: TableColumn[]
}

/** A rule's query as it was read: one SELECT, placeholders filled in. */
export interface RuleQuery {
  /** As the contract has it. */
  written: string
  /** Without placeholders. */
  sql: string
  query: Query
  /** Offset in `written` of an offset in `sql`. */
  offset(at: number): number
  path: Path
}

export interface TranslatedRule {
  /** DuckDB's SQL; `{table}` stands for the accepted rows. */
  sql: string
  type: Type
  onlyCounts: boolean
}

const OBJECT = '{object}'
const OBJECTS = ['object', 'table', 'schema', 'model']
const PROPERTIES = ['property', 'column', 'field']
const ALLOWED = "one SELECT in Athena's SQL that gives one value, such as SELECT count(*) FROM {object} WHERE …"

/** Whatever it is, no rule can be made of it. */
class NoSingleValue extends QueryError {
  override name = 'NoSingleValue'
}

/** Reads the query; undefined after reporting what is wrong with it. `column`: that of the rule's property. */
export function readRuleQuery(
  written: string,
  column: string | undefined,
  path: Path,
  report: DatasetReport,
): RuleQuery | undefined {
  const filled = fillIn(written, column, path, report)
  if (!filled) return undefined
  const { sql, offset } = filled
  try {
    const tokens = tokensOf(sql)
    const extra = tokens.find(
      (token, i) => i > 0 && token.kind !== 'end' && token.text !== ';' && isSemicolon(tokens[i - 1]),
    )
    if (extra) throw new NoSingleValue('The query holds more than one statement.', { place: placeOf(sql, extra.at) })
    const isEmpty = tokens.every(({ kind, text }) => kind === 'end' || text === ';')
    const statement = isEmpty ? undefined : parseStatement(sql)
    if (statement?.kind !== 'query') throw new NoSingleValue('The query is not a SELECT.')
    const { query } = statement
    return { written, sql, query, offset, path }
  } catch (error) {
    complain(error, { written, sql, offset, path }, report)
    return undefined
  }
}

const isSemicolon = (token: { kind: string; text: string } | undefined): boolean =>
  token?.kind === 'sign' && token.text === ';'

/** Translates a query over these rows; undefined after reporting what is wrong with it. */
export function translateRule(read: RuleQuery, rows: RuleRows, report: DatasetReport): TranslatedRule | undefined {
  const { sql, query, written, path } = read
  const list = rows.columns.map(({ name }, i) => `${identifier(name)} AS c${i}`)
  const accepted: Cte = {
    sql: `SELECT ${list.join(', ')} FROM {table}`,
    columns: rows.columns.map(({ name, type }) => ({ name, type: typeOfColumn(type) })),
  }
  const named = new Map([OBJECT, ...rows.names].map((name) => [name.toLowerCase(), accepted]))
  try {
    const translated = translateQuery(sql, query, {
      tables: [],
      information: () => undefined,
      named,
      unknown: (names) =>
        `there is no table ${names.join('.')}: a rule reads the accepted rows of its own file, and nothing else. Write FROM {object}.`,
    })
    const [value, second] = translated.columns
    if (!value || second)
      throw new NoSingleValue(`The query gives ${translated.columns.length} columns, and a rule is about one value.`, {
        place: placeOf(sql, query.at),
      })
    const [loose] = ungrouped(query)
    if (loose)
      throw new QueryError(
        `The column ${loose.name} is neither grouped nor in an aggregate: write min(x) or arbitrary(x) of it.`,
        { place: placeOf(sql, loose.at) },
      )
    if (!givesOneRow(query))
      throw new NoSingleValue(
        'The query may give more than one row, and a rule is about one value: take count(*), max(x) or another aggregate without GROUP BY, or add LIMIT 1.',
        { place: placeOf(sql, query.at) },
      )
    if (!translated.sql.includes('{table}'))
      report.warn(path, 'The query does not read the rows of the file.', { found: written, allowed: 'FROM {object}' })
    return { sql: translated.sql, type: value.type, onlyCounts: onlyCounts(query, new Set(named.keys())) }
  } catch (error) {
    complain(error, read, report)
    return undefined
  }
}

/** Reports an error of the SQL at its place in the contract; where the YAML does not tell that, at its place in the query. */
function complain(
  error: unknown,
  { written, sql, offset, path }: Omit<RuleQuery, 'query'>,
  report: DatasetReport,
): void {
  if (!(error instanceof QueryError)) throw error
  const details = { found: written, ...(error instanceof NoSingleValue ? { allowed: ALLOWED } : {}) }
  if (!error.place) {
    report.error(path, error.message, details)
    return
  }
  const at = offset(offsetOf(sql, error.place))
  const place = report.placeIn(path, at)
  const { line, column } = placeOf(written, at)
  if (place) report.error(path, withoutPlace(error), { ...details, place })
  else report.error(path, `Line ${line}:${column} of the query: ${withoutPlace(error)}`, details)
}

/** Placeholders outside of texts and comments become names: `{object}` itself, and the column's. */
function fillIn(
  written: string,
  column: string | undefined,
  path: Path,
  report: DatasetReport,
): { sql: string; offset: (at: number) => number } | undefined {
  const parts: { to: number; from: number; filled: boolean }[] = [{ to: 0, from: 0, filled: false }]
  let sql = ''
  let end = 0
  let usable = true
  const fail = (at: number, message: string, allowed: string): void => {
    usable = false
    const place = report.placeIn(path, at)
    report.error(path, message, { found: written, allowed, ...(place ? { place } : {}) })
  }
  const words = /'(?:[^']|'')*'|--[^\r\n]*|\/\*[\s\S]*?\*\/|"(?:[^"]|"")*"|\$?\{\s*([A-Za-z_]+)\s*\}/g
  for (const { 0: found, 1: bare, index } of written.matchAll(words)) {
    const word = (bare ?? /^"\$?\{\s*([A-Za-z_]+)\s*\}"$/.exec(found)?.[1])?.toLowerCase()
    if (word === undefined) {
      const inside = found.startsWith("'") ? /\$?\{\s*([A-Za-z_]+)\s*\}/.exec(found) : undefined
      if (inside && [...OBJECTS, ...PROPERTIES].includes(inside[1]?.toLowerCase() ?? ''))
        fail(
          index + inside.index,
          `${inside[0]} stands inside of a text, where it means nothing but itself.`,
          'the text without it, or the placeholder outside of quotes',
        )
      continue
    }
    let name: string
    if (OBJECTS.includes(word)) name = identifier(OBJECT)
    else if (PROPERTIES.includes(word) && column !== undefined) name = identifier(column)
    else {
      if (PROPERTIES.includes(word))
        fail(
          index,
          `${found} stands for the property of the rule, but the rule is on the schema object.`,
          'the column by its name, or move the rule to the property',
        )
      else
        fail(
          index,
          `The placeholder ${found} is not known.`,
          '{object} or {table} for the accepted rows, {property} or {column} for the column',
        )
      continue
    }
    sql += written.slice(end, index)
    parts.push({ to: sql.length, from: index, filled: true })
    sql += name
    end = index + found.length
    parts.push({ to: sql.length, from: end, filled: false })
  }
  if (!usable) return undefined
  sql += written.slice(end)
  const offset = (at: number): number => {
    const part = parts.findLast(({ to }) => to <= at)
    return part ? part.from + (part.filled ? 0 : at - part.to) : at
  }
  return { sql, offset }
}
