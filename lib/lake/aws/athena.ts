// SQL over a deployed lake: the query engine port on Athena. A statement is read first (names.ts), so that only one that
// reads goes out; then it is started once, waited for, and its rows are fetched page by page. Results are never reused
// from an earlier run: an answer says what the lake holds now.

import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AthenaClient,
  type ColumnInfo,
  GetQueryExecutionCommand,
  paginateGetQueryResults,
  type QueryExecution,
  type Row,
  StartQueryExecutionCommand,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { QueryError } from '../errors.ts'
import type { Catalog, QueryEngine, QueryResult } from '../ports.ts'
import { AccessDenied, awsError, codeOf, guarded, LakeNotDeployed } from './errors.ts'
import { type Databases, readStatement, type Statement } from './names.ts'

/** List price: dollars for each TB scanned, by the megabyte, and never less than ten of them. */
export const DOLLARS_PER_TB = 5
const TB = 1024 ** 4
const MB = 1024 ** 2
const LEAST_MB = 10

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000
const SLOWER = 1.5

export interface AthenaSettings {
  athena: AthenaClient
  workgroup: string
  databases: Databases
  catalog: Pick<Catalog, 'state' | 'listTables'>
  /** What goes to Athena for a statement. Default: its SQL. For an emulator that reads tables differently. */
  rewrite?: (statement: Statement) => Promise<string>
}

/** The workgroup's limit of bytes scanned was reached before the query had ended. */
export class ScanLimitReached extends QueryError {
  override name = 'ScanLimitReached'
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
  return { query: (sql, options) => query(settings, sql, options?.signal) }
}

async function query(settings: AthenaSettings, sql: string, signal?: AbortSignal): Promise<QueryResult> {
  const start = performance.now()
  const { athena, databases, rewrite } = settings
  const statement = await readStatement(sql, databases)
  signal?.throwIfAborted()
  await refuseIncomplete(settings, statement)
  const text = rewrite ? await rewrite(statement) : statement.sql
  signal?.throwIfAborted()
  const id = await begin(settings, statement, text)
  let done = false
  try {
    const execution = await ended(athena, id, signal)
    done = true
    if (execution.Status?.State !== 'SUCCEEDED') throw await failure(settings, statement, execution)
    const result = await fetchRows(athena, id, statement, signal)
    return {
      ...result,
      stats: { ...scanned(execution, statement), milliseconds: Math.round(performance.now() - start) },
    }
  } catch (error) {
    // Nobody waits for it any more: it must not go on scanning at our cost. That it cannot be stopped is no news then.
    if (!done) await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => undefined)
    if (signal?.aborted) throw signal.reason
    throw awsError(error, 'run the query in Athena')
  }
}

/** A wrong answer is worse than none: a catalog from which partitions may be missing gives no answer. */
async function refuseIncomplete({ catalog }: AthenaSettings, { kind, zones }: Statement): Promise<void> {
  if ((kind !== 'select' && kind !== 'explain') || !(zones.has('clean') || zones.has('curated'))) return
  if ((await catalog.state()).complete) return
  throw new QueryError(
    'A table of the catalog was made anew, so rows may be missing from it. Run "weir reconcile" to fill it again, then ask again.',
  )
}

async function begin(settings: AthenaSettings, statement: Statement, text: string): Promise<string> {
  const { athena, workgroup, databases } = settings
  try {
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: text,
        WorkGroup: workgroup,
        QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: databases.clean },
        // A start whose answer was lost is tried again: with the same token it is the same execution, not a second one.
        ClientRequestToken: randomUUID(),
      }),
    )
    if (QueryExecutionId === undefined)
      throw new QueryError('Athena started the query and did not say which. Ask again.')
    return QueryExecutionId
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) !== 'InvalidRequestException')
      throw awsError(error, 'start the query in Athena')
    const said = error.message
    const cause = { cause: error }
    if (/workgroup\b.*\bnot found/i.test(said))
      throw new LakeNotDeployed(
        `There is no Athena workgroup ${workgroup} in this account and region. Check AWS_REGION and AWS_PROFILE, or deploy it: npx cdk deploy --all`,
        cause,
      )
    if (/workgroup\b.*\bdisabled/i.test(said))
      throw new QueryError(`The Athena workgroup ${workgroup} is switched off. Ask whoever runs the lake.`, cause)
    if (/output location|output bucket/i.test(said))
      throw new QueryError(
        `Athena has nowhere to put the result: check the result location of the workgroup ${workgroup}. (${said})`,
        cause,
      )
    throw new QueryError(inOurWords(said, statement, databases), cause)
  }
}

/** Waits until the execution is over, looking often at first and then less so. */
async function ended(athena: AthenaClient, id: string, signal: AbortSignal | undefined): Promise<QueryExecution> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * SLOWER, LONGEST_WAIT_MS)) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), {
      abortSignal: signal,
    })
    const state = QueryExecution?.Status?.State
    if (QueryExecution && (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED')) return QueryExecution
    await sleep(wait, undefined, { signal })
  }
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

/**
 * Bytes scanned, and what they cost by the list. Statements about tables (SHOW, DESCRIBE) and plain EXPLAIN read nothing
 * and cost nothing. What we read out of the statement counts as well as what Athena calls it: on an emulator the SELECT is
 * the last of several statements, and goes by the name of the first.
 */
export function scanned(
  { Statistics, StatementType }: Pick<QueryExecution, 'Statistics' | 'StatementType'>,
  { kind }: Pick<Statement, 'kind'>,
): { bytesScanned?: number; cost?: number } {
  const bytes = Statistics?.DataScannedInBytes
  if (bytes === undefined) return {}
  const bills = kind === 'select' || StatementType === 'DML' || bytes > 0
  const billed = bills ? Math.max(Math.ceil(bytes / MB), LEAST_MB) * MB : 0
  return { bytesScanned: bytes, cost: (billed / TB) * DOLLARS_PER_TB }
}

async function failure(settings: AthenaSettings, statement: Statement, execution: QueryExecution): Promise<Error> {
  const { workgroup, databases, catalog } = settings
  const { State, StateChangeReason, AthenaError } = execution.Status ?? {}
  const said = StateChangeReason || AthenaError?.ErrorMessage || 'no reason given'
  if (/bytes scanned limit/i.test(said))
    return new ScanLimitReached(
      `The query was stopped: it scanned more than the workgroup ${workgroup} allows. Select fewer columns, or fewer days with WHERE ingest_date >= …, or ask whoever runs the lake to raise the limit. (${said})`,
    )
  if (/access ?denied|not authorized|insufficient permissions/i.test(said))
    return new AccessDenied(
      `Athena may not read what the query needs. Ask whoever runs the lake for a role that may. (${said})`,
    )
  if (State === 'CANCELLED') return new QueryError(`The query was cancelled: ${said}`)
  const message = inOurWords(said, statement, databases)
  if (!/not (exist|found)|does not exist/i.test(said)) return new QueryError(message)
  const known = await guarded('list the tables', () => catalog.listTables())
  const names = [...known.map((table) => table.name), 'ops.receipts', 'ops.rejects'].sort()
  const small = new Set(names.map((name) => name.toLowerCase()))
  const missing = [...statement.tables].find((name) => /^(clean|curated|ops)\./.test(name) && !small.has(name))
  if (missing === undefined) return new QueryError(message)
  return new QueryError(`There is no table ${missing}. The tables are: ${names.join(', ')}. (${message})`)
}

/** Athena's reason with places as in what the user wrote, and tables by their zones. */
export function inOurWords(said: string, { origin }: Pick<Statement, 'origin'>, databases: Databases): string {
  let text = said.replaceAll(/\bline (\d+):(\d+)/g, (_, line, column) => {
    const at = origin(Number(line), Number(column))
    return `line ${at.line}:${at.column}`
  })
  for (const [zone, database] of Object.entries(databases))
    text = text.replaceAll(new RegExp(`(?:\\bawsdatacatalog\\.)?\\b${database}\\.`, 'gi'), `${zone}.`)
  return text
}
