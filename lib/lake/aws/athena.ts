// SQL over a deployed lake: the query engine port on Athena. A statement is read first (names.ts), so that only one that
// reads goes out; then it is started once, waited for, and its rows are fetched page by page. Results are never reused
// from an earlier run: an answer says what the lake holds now.

import { randomUUID } from 'node:crypto'
import {
  type AthenaClient,
  type ColumnInfo,
  paginateGetQueryResults,
  type QueryExecution,
  type Row,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { QueryError, StillRunning, UnsupportedSql } from '../errors.ts'
import type { Catalog, ObjectStore, QueryEngine, QueryOptions, QueryResult } from '../ports.ts'
import { listTableStates } from '../table-state.ts'
import { namesThePast, statementOfThePast } from './athena-as-of.ts'
import {
  commonFailure,
  ended,
  inOurWords,
  saidOf,
  scanned,
  startExecution,
  type Workgroup,
  wasStopped,
} from './athena-run.ts'
import { AccessDenied, awsError, guarded } from './errors.ts'
import { readStatement, type Statement } from './names.ts'

export interface AthenaSettings extends Workgroup {
  catalog: Pick<Catalog, 'state' | 'listTables'>
  /** What goes to Athena for a statement. Default: its SQL. For an emulator that reads tables differently. */
  rewrite?: (statement: Statement) => Promise<string>
  /** The ops zone, where the states of curated tables say what they were. Without it there is no past. */
  ops?: ObjectStore
}

/**
 * The query engine port on Athena.
 *
 * Types are spelled as on every lake (`BIGINT`, `DECIMAL(18,4)`). Athena gives lists, rows and maps as one text, in which
 * `[a, b]` may have been two values or one, so they stay text; `json_format(CAST(x AS JSON))` gives one that can be read.
 *
 * @example
 * const { rows, stats } = await openAthena({ athena, workgroup, databases, catalog }).query('SELECT count(*) FROM clean.parts')
 */
export function openAthena(settings: AthenaSettings): QueryEngine {
  return { query: (sql, options) => query(settings, sql, options) }
}

async function query(settings: AthenaSettings, sql: string, options: QueryOptions = {}): Promise<QueryResult> {
  const { signal, asOf, deadline, note } = options
  const start = performance.now()
  const { athena, rewrite } = settings
  const statement = await understood(settings, sql, asOf)
  signal?.throwIfAborted()
  await refuseIncomplete(settings, statement)
  const text = rewrite ? await rewrite(statement) : statement.sql
  signal?.throwIfAborted()
  // A start whose answer was lost is tried again: with the same token it is the same execution, not a second one.
  const begin = async (): Promise<string> => {
    const id = await startExecution(settings, text, randomUUID(), (said) =>
      inOurWords(said, statement, settings.databases),
    )
    await note?.set(id)
    return id
  }
  const noted = note?.get()
  let id = noted ?? (await begin())
  let done = false
  try {
    let execution = await ended(athena, id, { signal, deadline })
    // Stopped by somebody who gave up: it is asked again.
    if (id === noted && wasStopped(execution)) {
      id = await begin()
      execution = await ended(athena, id, { signal, deadline })
    }
    done = true
    if (execution.Status?.State !== 'SUCCEEDED') throw await failure(settings, statement, execution)
    const result = await fetchRows(athena, id, statement, signal)
    return {
      ...result,
      stats: { ...scanned(execution, statement), milliseconds: Math.round(performance.now() - start) },
    }
  } catch (error) {
    if (error instanceof StillRunning) throw error
    // Nobody waits for it any more: it must not go on scanning at our cost. That it cannot be stopped is no news then.
    if (!done) await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => undefined)
    if (signal?.aborted) throw signal.reason
    throw awsError(error, 'run the query in Athena')
  }
}

/** The statement as it goes out. One about the past is put together from what the tables were then. */
async function understood(settings: AthenaSettings, sql: string, asOf: QueryOptions['asOf']): Promise<Statement> {
  const { databases, ops } = settings
  const past = namesThePast(sql)
  if (asOf === undefined && !(past && ops)) return await readStatement(sql, databases)
  if (!ops) throw new QueryError('Nothing is known here of what tables were, so none can be read as of another time.')
  // What does not only read is refused first; a version may have a name there that only its table's state knows.
  if (!past) await readStatement(sql, databases)
  let then: string
  try {
    then = await statementOfThePast(sql, { databases, ops }, asOf)
  } catch (error) {
    // Tables of Iceberg take more than every lake does: FOR TIMESTAMP AS OF date_parse('2026-01-31', '%Y-%m-%d').
    if (asOf === undefined && error instanceof UnsupportedSql) return await readStatement(sql, databases)
    throw error
  }
  const statement = await readStatement(then, databases)
  // Places in what was put together say nothing to whoever wrote the statement.
  return then === sql ? statement : { ...statement, origin: () => undefined }
}

/** A wrong answer is worse than none: a catalog from which partitions may be missing gives no answer. */
async function refuseIncomplete({ catalog }: AthenaSettings, { kind, zones }: Statement): Promise<void> {
  if ((kind !== 'select' && kind !== 'explain') || !(zones.has('clean') || zones.has('curated'))) return
  if ((await catalog.state()).complete) return
  throw new QueryError(
    'A table of the catalog was made anew, so rows may be missing from it. Run "weir reconcile" to fill it again, then ask again.',
  )
}

async function fetchRows(
  athena: AthenaClient,
  id: string,
  statement: Statement,
  signal: AbortSignal | undefined,
): Promise<Pick<QueryResult, 'columns' | 'rows'>> {
  const rows: QueryResult['rows'] = []
  let columns: ColumnInfo[] | undefined
  const pages = paginateGetQueryResults({ client: athena, pageSize: 1000 }, { QueryExecutionId: id })
  for await (const { ResultSet } of pages) {
    signal?.throwIfAborted()
    let found = ResultSet?.Rows ?? []
    if (columns === undefined) {
      columns = ResultSet?.ResultSetMetadata?.ColumnInfo ?? []
      if (isHeader(found[0], columns, statement)) found = found.slice(1)
    }
    for (const row of found) rows.push(valuesOf(row, columns))
  }
  return { columns: (columns ?? []).map((column) => ({ name: column.Name ?? '', type: typeOf(column) })), rows }
}

/** The first row of a SELECT is its header; SHOW and DESCRIBE have none. */
export function isHeader(row: Row | undefined, columns: ColumnInfo[], { kind }: Pick<Statement, 'kind'>): boolean {
  if (!row || kind === 'show' || kind === 'describe') return false
  return columns.length > 0 && columns.every((column, index) => (row.Data?.[index]?.VarCharValue ?? '') === column.Name)
}

/** The type as every lake spells it. Of lists, rows and maps Athena does not say what is inside. */
export function typeOf({ Type = '', Precision, Scale }: ColumnInfo): string {
  switch (Type) {
    case 'varchar':
    case 'char':
    case 'string':
      return 'VARCHAR'
    case 'int':
      return 'INTEGER'
    case 'real':
      return 'FLOAT'
    case 'varbinary':
      return 'BLOB'
    case 'decimal':
      return `DECIMAL(${Precision},${Scale})`
    default:
      return Type.toUpperCase()
  }
}

/** A row as the port's words say. DESCRIBE and SHOW give their columns in one text, with tabs. */
export function valuesOf({ Data = [] }: Row, columns: ColumnInfo[]): (string | number | boolean | null)[] {
  const [only] = Data
  const texts =
    Data.length === 1 && columns.length > 1 && only?.VarCharValue?.includes('\t')
      ? only.VarCharValue.split('\t').map((text) => text.trim())
      : Data.map((datum) => datum.VarCharValue)
  return columns.map(({ Type = '' }, index) => jsValue(Type, texts[index]))
}

function jsValue(type: string, text: string | undefined): string | number | boolean | null {
  if (text === undefined) return null
  switch (type) {
    case 'boolean':
      return text === 'true'
    case 'tinyint':
    case 'smallint':
    case 'integer':
    case 'int':
      return Number(text)
    case 'real':
    case 'float':
    case 'double':
      // NaN and Infinity are no numbers in JSON.
      return Number.isFinite(Number(text)) ? Number(text) : text
    case 'timestamp':
    case 'timestamp with time zone':
      // Athena always writes three digits behind the point; elsewhere only those that say something are written.
      return text.replace(/(:\d\d)\.(\d*?)0+(?!\d)/, (_, seconds, rest) =>
        rest === '' ? seconds : `${seconds}.${rest}`,
      )
    default:
      return text
  }
}

async function failure(settings: AthenaSettings, statement: Statement, execution: QueryExecution): Promise<Error> {
  const { workgroup, databases, catalog } = settings
  const common = commonFailure(execution, workgroup)
  if (common) return common
  const said = saidOf(execution)
  const message = inOurWords(said, statement, databases)
  if (/No version history|snapshot ID does not exist/i.test(said))
    return new QueryError(
      `A table that the query reads has no version of then: it was made later, or made anew by a new major version of its contract, or so old a version is not kept. (${message})`,
    )
  if (!/not (exist|found)|does not exist/i.test(said)) return new QueryError(message)
  const known = await guarded('list the tables', () => catalog.listTables())
  const curated = settings.ops ? await curatedNames(settings.ops) : []
  const all = [...known.map((table) => table.name), ...curated, 'ops.receipts', 'ops.rejects', 'ops.runs']
  // Glue knows small letters only; the state of a curated table says how its dataset is written.
  const small = new Map(all.map((name) => [name.toLowerCase(), name]))
  const names = [...small.values()].sort()
  const missing = [...statement.tables].find((name) => /^(clean|curated|ops)\./.test(name) && !small.has(name))
  if (missing === undefined) return new QueryError(message)
  return new QueryError(`There is no table ${missing}. The tables are: ${names.join(', ')}. (${message})`)
}

/** Models that are views are no tables to the catalog: it cannot tell them from views that people make for themselves. */
async function curatedNames(ops: ObjectStore): Promise<string[]> {
  const names: string[] = []
  try {
    for await (const { state } of listTableStates(ops)) if (state.version) names.push(`curated.${state.table}`)
  } catch (error) {
    // Who may not look gets the other names; what is wrong with the query is what matters here.
    if (!(error instanceof AccessDenied)) throw error
  }
  return names
}
