// Curated tables of a deployed lake: Iceberg, by Athena. The statements are in tables-sql.ts; here they are run, so that a worker
// may die at any moment: what was started is in the journal of the run, and whoever comes after waits for it instead of starting
// it again. A start whose note was lost has the same token the second time, and is the same execution.
//
// Nothing that a run has stored is dropped by it, whether its tests fail or it is published: another worker may be at the same run
// and read it. maintain() drops it a day later.

import { createHash, randomUUID } from 'node:crypto'
import {
  type AthenaClient,
  GetQueryResultsCommand,
  type QueryExecution,
  StopQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { GetTableCommand, type GlueClient, paginateGetTables } from '@aws-sdk/client-glue'
import { QueryError, StillRunning, StorageError, TableLost } from '../errors.ts'
import type {
  Catalog,
  CuratedTables,
  ObjectStore,
  RanStatement,
  StagedTable,
  TableJob,
  TableRunOptions,
  TableVersion,
} from '../ports.ts'
import { readTableState } from '../table-state.ts'
import {
  commonFailure,
  ended,
  inOurWords,
  pause,
  saidOf,
  scanned,
  startExecution,
  type Workgroup,
  wasStopped,
} from './athena-run.ts'
import { codeOf, guarded, Throttled } from './errors.ts'
import { NO_SNAPSHOT, readStatement, type Statement, versionsDatabase } from './names.ts'
import {
  type AthenaNames,
  changedSince,
  countStored,
  DEFAULT_KEEP_DAYS,
  dropPublic,
  dropStored,
  type Found,
  isSnapshot,
  keepSnapshots,
  keptSnapshots,
  NO_KEY,
  newestVersion,
  optimizeTable,
  type Piece,
  previewOf,
  publicName,
  publishPieces,
  readStoredName,
  STORED_PREFIX,
  showProperties,
  snapshotsSince,
  stagePieces,
  storedName,
  vacuumTable,
} from './tables-sql.ts'
import { glueName } from './types.ts'

export interface AthenaTablesSettings extends Workgroup {
  glue: GlueClient
  catalog: Pick<Catalog, 'state'>
  zones: Record<'curated' | 'ops', ObjectStore>
  /** Of the curated zone. */
  bucket: string
  /** Snapshots older than this may go. Default: 30. */
  keepDays?: number
  patience?: Patience
}

/** How often what may pass is tried again, and how long is waited in between. */
export interface Patience {
  attempts: number
  firstMilliseconds: number
  longestMilliseconds: number
}

const PATIENCE: Patience = { attempts: 4, firstMilliseconds: 2_000, longestMilliseconds: 60_000 }
/** Rounds of OPTIMIZE and VACUUM in one maintenance: each goes through a part of a large table. */
const ROUNDS = 20
/** What a run has stored is left alone for so long, whoever may still be at it. */
const LEFT_ALONE_MS = 24 * 60 * 60 * 1000

/** A statement would write into more partitions than Athena keeps open. */
export class TooManyPartitions extends QueryError {
  override name = 'TooManyPartitions'
}

interface Staged extends StagedTable {
  /** The table of its rows, in the database of versions. */
  stored?: string
}

type Waiting = Pick<TableRunOptions, 'signal' | 'deadline'>

/**
 * The port of curated tables on Athena.
 *
 * @example
 * const tables = openAthenaTables({ athena, glue, workgroup, databases, catalog, zones, bucket: 'weir-curated' })
 */
export function openAthenaTables(settings: AthenaTablesSettings): CuratedTables {
  return {
    resumes: true,
    stage: (job, options) => stage(settings, job, options),
    publish: (staged, options) => publish(settings, staged, options),
    async discard() {},
    maintain: (table, kept) => maintain(settings, table, kept),
    drop: (table) => drop(settings, table),
  }
}

const namesOf = ({ databases, bucket }: AthenaTablesSettings): AthenaNames => ({
  databases,
  location: `s3://${bucket}/`,
})

async function stage(settings: AthenaTablesSettings, job: TableJob, options: TableRunOptions): Promise<StagedTable> {
  const names = namesOf(settings)
  const statements: RanStatement[] = []
  await refuseIncomplete(settings, job)
  const found = await foundBy(settings, job, options)
  const pieces = await publishPieces(job, names, { found, ...keepDaysOf(settings) })
  // A table is made anew by dropping it: not before it is known that its query can run.
  if (job.kind === 'entity' && pieces.some(({ step }) => step === 'drop') && options.journal.get('drop') === undefined)
    statements.push(
      (await read(settings, `EXPLAIN ${(await readStatement(job.change.query, names.databases)).sql}`, options)).ran,
    )
  const [first] = await stagePieces(job, names)
  const uncounted = { written: null, removed: null, total: null }
  if (!first) return { job, preview: previewOf(job, names, storedName(job)), rows: uncounted, statements }
  const { ran, attempt } = await runPiece(settings, job, options, async (attempt) => {
    const [piece] = await stagePieces(job, names, attempt)
    return piece ?? first
  })
  statements.push(ran)
  const stored = storedName(job, attempt)
  const staged: Staged = { job, preview: previewOf(job, names, stored), rows: uncounted, statements, stored }
  if (job.change.kind !== 'replace') return staged
  const count = await read(settings, countStored(names, stored), options)
  statements.push(count.ran)
  const total = Number(count.rows[0]?.[0])
  return { ...staged, rows: { written: total, removed: null, total } }
}

async function publish(
  settings: AthenaTablesSettings,
  staged: StagedTable,
  options: TableRunOptions,
): ReturnType<CuratedTables['publish']> {
  const { job } = staged
  const names = namesOf(settings)
  const { stored = storedName(job) }: Staged = staged
  const found = await foundBy(settings, job, options)
  const statements: RanStatement[] = []
  let committed = new Date()
  let dropped = false
  for (const piece of await publishPieces(job, names, { found, stored, ...keepDaysOf(settings) })) {
    const { ran, execution } = await runPiece(settings, job, options, async () => piece).catch((error) => {
      throw dropped && error instanceof QueryError ? new TableLost(error.message, { cause: error }) : error
    })
    dropped ||= piece.step === 'drop'
    statements.push(ran)
    committed = execution.Status?.CompletionDateTime ?? committed
  }
  const version = { run: job.run, committedAt: committed.toISOString() }
  // With a table of Iceberg its snapshots go.
  const rest = { statements, anew: dropped && found.there === 'table' }
  if (job.change.kind === 'view') return { version: { ...version, id: job.run, rows: null }, ...rest }
  if (job.kind === 'table') return { version: { ...version, id: stored, rows: staged.rows.total }, ...rest }
  const newest = await read(settings, newestVersion(job, names), options)
  statements.push(newest.ran)
  const [snapshot, at, rows] = newest.rows[0] ?? []
  // A table into which nothing was ever put.
  if (!snapshot || !at) return { version: { ...version, id: NO_SNAPSHOT, rows: 0 }, ...rest }
  return {
    version: { run: job.run, id: snapshot, committedAt: new Date(at).toISOString(), rows: Number(rows) },
    ...rest,
  }
}

const keepDaysOf = ({ keepDays = DEFAULT_KEEP_DAYS }: AthenaTablesSettings) => ({ keepDays })

/** Rows that are missing from a clean table would be missing from the curated one, as if they had left. */
async function refuseIncomplete(
  { catalog, databases }: AthenaTablesSettings,
  { change, table }: TableJob,
): Promise<void> {
  const { zones } = await readStatement(change.query, databases)
  if (!zones.has('clean') || (await catalog.state()).complete) return
  throw new StorageError(
    `${table.name} was not made: a clean table of the catalog was made anew, so rows may be missing from it. Run "weir reconcile" to fill it again.`,
  )
}

/** What the run found when it began, by its journal; looked at now, when it begins now. */
async function foundBy(settings: AthenaTablesSettings, job: TableJob, { journal }: TableRunOptions): Promise<Found> {
  const noted = journal.get('found')
  if (noted !== undefined) return JSON.parse(noted) as Found
  const [{ there, columns }, stored] = await Promise.all([
    look(settings, publicName(job)),
    readTableState(settings.zones.ops, job.table.name.slice(job.table.name.indexOf('.') + 1)),
  ])
  const { key = [], partitionBy = [] } = stored?.state ?? {}
  const found: Found = { there, columns, key, partitionBy }
  await journal.set('found', JSON.stringify(found))
  return found
}

/** What has the public name, in Glue. */
async function look(
  { glue, databases }: AthenaTablesSettings,
  table: string,
): Promise<Pick<Found, 'there' | 'columns'> & { iceberg: boolean }> {
  return await guarded(`read table curated.${table} from Glue`, async () => {
    try {
      const { Table } = await glue.send(new GetTableCommand({ DatabaseName: databases.curated, Name: glueName(table) }))
      const columns = (Table?.StorageDescriptor?.Columns ?? []).filter(
        // Iceberg's columns that are gone stay in Glue, for readers of older snapshots.
        ({ Parameters }) => Parameters?.['iceberg.field.current'] !== 'false',
      )
      return {
        there: Table?.TableType === 'VIRTUAL_VIEW' ? 'view' : 'table',
        columns: Object.fromEntries(columns.map(({ Name = '', Type = '' }) => [Name, Type])),
        iceberg: Table?.Parameters?.table_type?.toUpperCase() === 'ICEBERG',
      }
    } catch (error) {
      if (codeOf(error) !== 'EntityNotFoundException') throw error
      return { there: 'nothing', columns: {}, iceberg: false }
    }
  })
}

interface Ran {
  ran: RanStatement
  execution: QueryExecution
  attempt: number
}

/** Runs a statement of a job once: what its journal says was started is waited for, and only what may pass is tried again. */
async function runPiece(
  settings: AthenaTablesSettings,
  job: TableJob,
  options: TableRunOptions,
  make: (attempt: number) => Promise<Piece>,
): Promise<Ran> {
  const { athena } = settings
  const { attempts } = settings.patience ?? PATIENCE
  const { journal } = options
  for (let attempt = 1; ; attempt++) {
    const piece = await make(attempt)
    const step = attempt === 1 ? piece.step : `${piece.step}#${attempt}`
    const noted = journal.get(step)
    const id = noted ?? (await begin(settings, job, piece, attempt, options))
    if (noted === undefined) await journal.set(step, id)
    const execution = await waitFor(athena, id, options)
    const done = { ran: ranStatement(piece.sql, execution), execution, attempt }
    if (execution.Status?.State === 'SUCCEEDED') return done
    // Stopped by a worker that gave up: this one goes on.
    const again = (noted !== undefined && wasStopped(execution)) || mayPass(execution)
    // Athena may have committed before it failed: then the rows are there, and must not come twice.
    if (again && piece.once && (await wasCommitted(settings, job, execution, options))) return done
    if (!again || attempt >= attempts) throw failure(settings, job, piece, execution)
    if (journal.get(`${piece.step}#${attempt + 1}`) === undefined)
      await pause(waitOf(settings, attempt), options, `Athena could not do it now: ${saidOf(execution)}.`)
  }
}

/** Starts one try of a statement. Where Athena is too busy to start anything, it is asked again. */
async function begin(
  settings: AthenaTablesSettings,
  job: TableJob,
  { sql, step, query }: Piece,
  attempt: number,
  options: Waiting,
): Promise<string> {
  const token = createHash('sha256').update([job.run, step, attempt, sql].join('\0')).digest('hex')
  const { attempts } = settings.patience ?? PATIENCE
  for (let round = 1; ; round++) {
    options.signal?.throwIfAborted()
    if (options.deadline && Date.now() >= options.deadline.getTime())
      throw new StillRunning(
        `The time was over before a statement for ${job.table.name} began. Whoever asks for the same again goes on from there.`,
      )
    try {
      return await startExecution(settings, sql, token, (said) => inWords(settings, said, sql, query))
    } catch (error) {
      if (!(error instanceof Throttled) || round >= attempts) throw error
      await pause(waitOf(settings, round), options, error.message)
    }
  }
}

/** Between half of it and all of it, so that those who wait together do not come together. */
function waitOf({ patience = PATIENCE }: AthenaTablesSettings, attempt: number): number {
  const most = Math.min(patience.firstMilliseconds * 2 ** (attempt - 1), patience.longestMilliseconds)
  return most * (0.5 + Math.random() / 2)
}

async function waitFor(athena: AthenaClient, id: string, options: Waiting): Promise<QueryExecution> {
  try {
    return await guarded('wait for a statement in Athena', () => ended(athena, id, options))
  } catch (error) {
    if (!options.signal?.aborted) throw error
    // That it cannot be stopped, or is over, is no news to whoever has given up.
    await athena.send(new StopQueryExecutionCommand({ QueryExecutionId: id })).catch(() => undefined)
    throw options.signal.reason
  }
}

/** Failures that have nothing to do with the statement: others wrote, or Athena was out of breath. */
const mayPass = ({ Status }: QueryExecution): boolean =>
  Status?.State === 'FAILED' &&
  !/MORE_RUNS_NEEDED/.test(saidOf({ Status })) &&
  (Status.AthenaError?.Retryable === true ||
    /ICEBERG_COMMIT_ERROR|INTERNAL_ERROR|TooManyRequests|Throttl|SlowDown|Rate exceeded|exhausted resources|ServiceUnavailable/i.test(
      saidOf({ Status }),
    ))

async function wasCommitted(
  settings: AthenaTablesSettings,
  job: TableJob,
  { Status }: QueryExecution,
  options: Waiting,
): Promise<boolean> {
  if (!Status?.SubmissionDateTime)
    throw new StorageError(
      `A statement for ${job.table.name} failed in Athena, which does not say when it began: whether its rows are there cannot be known. (${saidOf({ Status })})`,
    )
  const { rows } = await read(settings, changedSince(job, namesOf(settings), Status.SubmissionDateTime), options)
  return Number(rows[0]?.[0]) > 0
}

const ranStatement = (sql: string, execution: QueryExecution): RanStatement => ({
  sql,
  milliseconds: execution.Statistics?.TotalExecutionTimeInMillis ?? 0,
  ...scanned(execution, { kind: 'show' }),
  ...(execution.QueryExecutionId === undefined ? {} : { executionId: execution.QueryExecutionId }),
})

/** A small question of our own; its rows are texts. */
async function read(
  settings: AthenaTablesSettings,
  sql: string,
  options: Waiting,
): Promise<{ rows: (string | undefined)[][]; ran: RanStatement }> {
  const { rows, ran } = await answerTo(settings, sql, options)
  // The first row of a SELECT has the names of its columns.
  return { rows: rows.slice(1), ran }
}

async function answerTo(
  settings: AthenaTablesSettings,
  sql: string,
  options: Waiting,
): Promise<{ rows: (string | undefined)[][]; ran: RanStatement }> {
  const ran = await succeeded(settings, sql, options)
  const { ResultSet } = await guarded('read an answer of Athena', () =>
    settings.athena.send(new GetQueryResultsCommand({ QueryExecutionId: ran.executionId })),
  )
  const rows = ResultSet?.Rows ?? []
  return { rows: rows.map(({ Data = [] }) => Data.map(({ VarCharValue }) => VarCharValue)), ran }
}

/** A statement that may be done twice, and must succeed. */
async function succeeded(settings: AthenaTablesSettings, sql: string, options: Waiting = {}): Promise<RanStatement> {
  const { execution, ran } = await runLoose(settings, sql, options)
  if (execution.Status?.State !== 'SUCCEEDED') throw failure(settings, undefined, { sql }, execution)
  return ran
}

/** A statement that may be done twice. */
async function runLoose(
  settings: AthenaTablesSettings,
  sql: string,
  options: Waiting,
): Promise<{ execution: QueryExecution; ran: RanStatement }> {
  const { attempts } = settings.patience ?? PATIENCE
  for (let attempt = 1; ; attempt++) {
    const id = await startExecution(settings, sql, randomUUID(), (said) => inWords(settings, said, sql, undefined))
    const execution = await waitFor(settings.athena, id, options)
    if (!mayPass(execution) || attempt >= attempts)
      return { execution, ran: { ...ranStatement(sql, execution), executionId: id } }
    await pause(waitOf(settings, attempt), options, `Athena could not do it now: ${saidOf(execution)}.`)
  }
}

/** What Athena says, with places as in the query of the job; places in what was put around it say nothing to anybody. */
function inWords({ databases }: Workgroup, said: string, sql: string, query: Statement | undefined): string {
  const at = query ? sql.indexOf(`\n${query.sql}`) : -1
  const before = at === -1 ? 0 : sql.slice(0, at + 1).split('\n').length - 1
  const lines = query?.sql.split('\n').length ?? 0
  const origin = (line: number, column: number) =>
    query && at !== -1 && line > before && line <= before + lines ? query.origin(line - before, column) : undefined
  return inOurWords(said, { origin }, databases)
}

function failure(
  settings: AthenaTablesSettings,
  job: TableJob | undefined,
  { sql, query }: Pick<Piece, 'sql' | 'query'>,
  execution: QueryExecution,
): Error {
  const common = commonFailure(execution, settings.workgroup)
  if (common) return common
  const said = inWords(settings, saidOf(execution), sql, query)
  const table = job?.table.name ?? 'The table'
  const anew = job ? `weir curate --table ${publicName(job)} --full` : 'weir curate --full'
  if (/TOO_MANY_OPEN_PARTITIONS/.test(said))
    return new TooManyPartitions(
      `${table} would write into more than 100 partitions in one statement, which is all that Athena does. Lay it out by larger parts (month instead of day, a bucket instead of a column), or not at all: partitions pay from some 100 MB each. (${said})`,
    )
  if (/MERGE_TARGET_ROW_MULTIPLE_MATCHES|more than one source row/i.test(said))
    return new QueryError(
      `The query gives several rows for one key of ${table}, so none of them can be taken. (${said})`,
    )
  const [, keyless] = said.split(NO_KEY)
  if (job && keyless !== undefined) {
    const { key } = job
    return new QueryError(
      `The query of ${table} gives rows without a key, such as of upload ${keyless.split(/[\s.]/)[0]}: ${key.join(', ')} ${key.length === 1 ? 'is' : 'are'} NULL.`,
    )
  }
  if (/INVALID_SNAPSHOT|snapshot.*(not found|does not exist|cannot find)|No version history/i.test(said))
    return new QueryError(
      `An earlier version that ${table} is made from is not kept any more. Make it anew: ${anew} (${said})`,
    )
  return new QueryError(said)
}

async function maintain(
  settings: AthenaTablesSettings,
  table: string,
  kept: TableVersion[],
): Promise<{ statements: RanStatement[]; did: string[] }> {
  const names = namesOf(settings)
  const statements: RanStatement[] = []
  const did: string[] = []
  const rounds = async (sql: string, more: RegExp, done: string): Promise<void> => {
    for (let round = 1; round <= ROUNDS; round++) {
      const { execution, ran } = await runLoose(settings, sql, {})
      statements.push(ran)
      if (execution.Status?.State === 'SUCCEEDED') {
        did.push(done)
        return
      }
      if (!more.test(saidOf(execution))) throw failure(settings, undefined, { sql }, execution)
    }
    did.push(`${done}, in part: the next maintenance goes on`)
  }
  if ((await look(settings, table)).iceberg) {
    await rounds(optimizeTable(names, table), /OPTIMIZE_MORE_RUNS_NEEDED/, 'put small files together')
    statements.push(...(await keepVersions(settings, table, kept)))
    await rounds(vacuumTable(names, table), /VACUUM_MORE_RUNS_NEEDED/, 'removed snapshots and files that nobody needs')
  }
  const wanted = await wantedBy(settings, table, kept)
  const stored = await storedTables(settings, table)
  for (const name of [...stored].sort()) {
    if (wanted(name)) continue
    statements.push(await dropStoredTable(settings, name))
    did.push(`dropped the stored table ${name}`)
  }
  return { statements, did }
}

/** Tells Iceberg to keep the snapshots of the versions that are kept, and no more than those, however old they are. */
async function keepVersions(
  settings: AthenaTablesSettings,
  table: string,
  kept: TableVersion[],
): Promise<RanStatement[]> {
  const names = namesOf(settings)
  const ids = kept.map(({ id }) => id).filter(isSnapshot)
  const reach = await read(settings, snapshotsSince(names, table, ids), {})
  const wanted = Math.max(1, Number(reach.rows[0]?.[0]))
  const shown = await answerTo(settings, showProperties(names, table), {})
  const statements = [reach.ran, shown.ran]
  if (keptSnapshots(shown.rows.flat().join(' ')) === wanted) return statements
  return [...statements, await succeeded(settings, keepSnapshots(names, table, wanted))]
}

/** Stored tables that may be looked at: of versions that are kept, of the run that is under way, and those of the last day. */
async function wantedBy(
  { zones }: AthenaTablesSettings,
  table: string,
  kept: TableVersion[],
): Promise<(stored: string) => boolean> {
  const state = (await readTableState(zones.ops, table))?.state
  const ids = new Set(
    [...kept, ...(state?.version ? [state.version] : []), ...(state?.history ?? [])].map(({ id }) => id),
  )
  return (stored) => {
    const run = readStoredName(stored)?.run
    if (run === undefined || ids.has(stored) || run === state?.pending?.run) return true
    return Date.now() - startOf(run) < LEFT_ALONE_MS
  }
}

/** When a run began, by its id. */
function startOf(run: string): number {
  const [, year, month, day, hour, minute, second, ms = '000'] =
    /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)(\d{3})?Z/.exec(run) ?? []
  return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${ms}Z`)
}

/** Stored tables of a table, in Glue or left behind in the zone by a statement that failed. */
async function storedTables({ glue, databases, zones }: AthenaTablesSettings, table: string): Promise<Set<string>> {
  const name = glueName(table)
  const found = new Set<string>()
  const request = { DatabaseName: versionsDatabase(databases) }
  await guarded('list stored tables in Glue', async () => {
    for await (const { TableList = [] } of paginateGetTables({ client: glue }, request))
      for (const { Name = '' } of TableList) found.add(Name)
  })
  for await (const { key } of zones.curated.list(`${STORED_PREFIX}${name}_`)) {
    const stored = key.slice(STORED_PREFIX.length).split('/')[0]
    if (stored) found.add(stored)
  }
  return new Set([...found].filter((stored) => readStoredName(stored)?.table === name))
}

async function dropStoredTable(settings: AthenaTablesSettings, stored: string): Promise<RanStatement> {
  const ran = await succeeded(settings, dropStored(settings, stored))
  await empty(settings, `${STORED_PREFIX}${stored}/`)
  return ran
}

/** Athena removes the files of a table that it drops; those of statements that failed belong to none. */
async function empty({ zones }: AthenaTablesSettings, prefix: string): Promise<void> {
  for await (const { key } of zones.curated.list(prefix)) await zones.curated.delete(key)
}

async function drop(settings: AthenaTablesSettings, table: string): Promise<void> {
  const { there } = await look(settings, table)
  if (there !== 'nothing') {
    await succeeded(settings, dropPublic(settings, table, there))
  }
  for (const stored of await storedTables(settings, table)) await dropStoredTable(settings, stored)
  await empty(settings, `${glueName(table)}/`)
}
