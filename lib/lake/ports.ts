// The four ports that the pipeline knows, and the lake that bundles them. Adapters: lake/local now, lake/aws next.
// One conformance suite (test/conformance) holds every adapter to the words below.

import type { Readable } from 'node:stream'
import type { PartitionField } from '../contract/partition.ts'
import type { Plan } from '../contract/plan.ts'
import type { TableColumn, TableDefinition } from '../sql/tables.ts'
import type { Receipt } from './receipt.ts'

export type Zone = 'landing' | 'clean' | 'curated' | 'ops'

export interface ObjectInfo {
  key: string
  size: number
  /** Opaque; differs whenever the bytes were written anew. */
  etag: string
  /** Opaque name of exactly these bytes under this key. Only the landing zone keeps older versions. */
  version: string
  /** When it was stored. Exact in landing; elsewhere what a put gives may be a moment off. */
  modified: Date
}

export interface PutCondition {
  /** Write only if the object's etag is still this one. */
  ifMatch?: string
  /** Write only if there is no such object. */
  ifNoneMatch?: '*'
}

/** How a caller watches and stops a write. A store on the same machine may be done before it says anything. */
export interface PutOptions {
  /** Called with the bytes sent so far. */
  onProgress?: (bytes: number) => void
  /** Ends the write; nothing is stored then. */
  signal?: AbortSignal
}

/** A local copy of one version of an object. */
export interface Fetched {
  path: string
  info: ObjectInfo
  /** Rejects with ObjectGone if the bytes at `path` stopped being that version while they were read. Call after reading. */
  verify(): Promise<void>
  /** Frees what was needed for the copy. Safe to call twice. */
  release(): Promise<void>
}

/** Objects by key in one zone. Reads see every earlier write. A key is any UTF-8 text up to 1,024 bytes. */
export interface ObjectStore {
  /**
   * Undefined when there is no such object (or it was deleted). With `version`: of exactly that version, whether it is the
   * newest or not; undefined when it is not kept.
   */
  head(key: string, version?: string): Promise<ObjectInfo | undefined>
  /** Whole small objects (heads, receipts). */
  get(key: string): Promise<{ info: ObjectInfo; body: Buffer } | undefined>
  /** Local path with the bytes of exactly that version, for reading only. Throws ObjectGone. */
  fetch(key: string, version: string): Promise<Fetched>
  /** Throws PreconditionFailed when the condition does not hold: somebody else won. */
  put(
    key: string,
    body: Buffer | string | Readable,
    condition?: PutCondition,
    options?: PutOptions,
  ): Promise<ObjectInfo>
  /** Stores a local file. It may be moved: the caller must not use the path afterwards. */
  putFile(key: string, path: string, condition?: PutCondition, options?: PutOptions): Promise<ObjectInfo>
  /** In key order, everything below a prefix; `after` is exclusive. */
  list(prefix: string, options?: { after?: string }): AsyncIterable<ObjectInfo>
  /** Deleting what is not there is fine. In landing the older versions stay. */
  delete(key: string): Promise<void>
}

export type { PartitionField } from '../contract/partition.ts'
export type { TableColumn, TableDefinition } from '../sql/tables.ts'

/** Points one combination of partition values at the files of one location. */
export interface Partition {
  values: string[]
  /** Prefix in the clean zone that ends in "/"; all Parquet files directly below it are the partition. Empty contributions have no partition. */
  location: string
}

/** A column of one partition whose type is not the table's. */
export interface Mistyped {
  values: string[]
  column: string
  /** As the catalog writes them. */
  type: string
  wanted: string
}

/** Tables and partitions: a projection of the heads. Swapping a partition's location is atomic for readers. */
export interface Catalog {
  putTable(table: TableDefinition): Promise<void>
  getTable(name: string): Promise<TableDefinition | undefined>
  listTables(): Promise<TableDefinition[]>
  getPartition(table: string, values: string[]): Promise<Partition | undefined>
  putPartition(table: string, partition: Partition): Promise<void>
  deletePartition(table: string, values: string[]): Promise<void>
  listPartitions(table: string): AsyncIterable<Partition>
  /**
   * Columns whose files have another type than the table by now, and not one that merely grew: what came under an older
   * contract. Told only by catalogs whose readers would take such values for others (Glue); elsewhere reading them is the error.
   */
  listMistyped(table: string): AsyncIterable<Mistyped>
  /**
   * A catalog that was lost and made anew beside existing heads is not complete: partitions may be missing. `generation`
   * differs for every catalog that was made.
   */
  state(): Promise<{ generation: string; complete: boolean }>
  /** Says that every head was followed since this generation was made. Does nothing to a later one. */
  markComplete(generation: string): Promise<void>
}

export interface QueryResult {
  columns: { name: string; type: string }[]
  /**
   * Values as JavaScript has them; bigint, decimal, date and timestamp as text that loses nothing. Lists, structs and maps
   * as Athena writes them are text, since nobody can take that apart again.
   */
  rows: (string | number | boolean | null | object)[][]
  stats?: { bytesScanned?: number; cost?: number; milliseconds: number }
}

export interface QueryOptions {
  signal?: AbortSignal
  /** Curated tables as they were at this moment, or as this run left them. */
  asOf?: Date | { run: string }
  /**
   * For an engine that answers outside this process (Athena): nothing is waited for beyond this moment. StillRunning is thrown, and
   * the query goes on.
   */
  deadline?: Date | undefined
  /** … and where it notes what it has begun: whoever asks the same with that note waits for it instead of beginning again. */
  note?: { get(): string | undefined; set(value: string): Promise<void> }
}

export interface QueryEngine {
  /** Runs one read-only statement over `clean.<dataset>`, `curated.<table>` and `ops.*`. Throws QueryError. */
  query(sql: string, options?: QueryOptions): Promise<QueryResult>
}

/** One state of a curated table: immutable, and what readers see from its commit until the next one. */
export interface TableVersion {
  /** Opaque: the run on the embedded lake; on AWS a snapshot of Iceberg, or the name of a stored table. */
  id: string
  /** The run that made it. */
  run: string
  /** ISO 8601. */
  committedAt: string
  rows: number | null
}

/** What one run makes of a table. Its SQL is Athena's, over the lake's names (`clean.orders`). */
export interface TableJob {
  /** The same job under the same run is done once, however often it is asked for. */
  run: string
  kind: 'entity' | 'table' | 'incremental' | 'view'
  /** As it must be afterwards: `curated.orders`, without partition keys. */
  table: TableDefinition
  partitionBy: PartitionField[]
  /** Columns that tell rows apart; none for a table that only adds up. */
  key: string[]
  change: TableChange
  /** What it builds upon; undefined when there is no table yet. */
  base: TableVersion | undefined
  /** Columns of the table as it is now, where there is one. Differs from `table` by what lib/lake/evolve.ts allows. */
  baseColumns: TableColumn[] | undefined
}

export type TableChange =
  /** The rows of `query` are the table from now on. */
  | { kind: 'replace'; query: string }
  /**
   * `query` gives the columns of the table in their order, and `_gone`: at most one row for each key. A row takes the place
   * of the one with its key, or is new; where `_gone` is true the row with that key leaves, and a key that is not there stays
   * away. With `newest`, a row that is in the table and whose `_upload` is greater stays as it is, unless its `_upload` is
   * among those that left.
   */
  | { kind: 'merge'; query: string; newest?: { left: string[] } }
  /** Rows whose `_upload` is among `left` leave, then the rows of `query` come: one commit. */
  | { kind: 'append'; query: string; left: string[] }
  /** The table is this query, run whenever somebody reads it. */
  | { kind: 'view'; query: string }

export interface TableRunOptions {
  signal?: AbortSignal
  /** Nothing is waited for beyond this moment: StillRunning is thrown, and the same job asked for again goes on. */
  deadline?: Date
  /** Where an adapter notes what it has begun, so that whoever comes after it goes on instead of beginning again. */
  journal: { get(step: string): string | undefined; set(step: string, value: string): Promise<void> }
}

/** One statement that ran. */
export interface RanStatement {
  sql: string
  milliseconds: number
  bytesScanned?: number
  /** Dollars by the list. */
  cost?: number
  /** Of Athena. */
  executionId?: string
}

/** What a job has made, out of readers' sight. */
export interface StagedTable {
  job: TableJob
  /** A relation in Athena's SQL that shows the table as it would be: for audits. `curated.m FOR VERSION AS OF '…'`, `(SELECT …)`. */
  preview: string
  /** Rows that come or change, rows that leave, rows afterwards; null where nobody counted. */
  rows: { written: number | null; removed: number | null; total: number | null }
  statements: RanStatement[]
}

/** Writes the curated zone. One writer at a time for each table; readers see one version or the next, nothing between. */
export interface CuratedTables {
  /** True where a job goes on outside this process (Athena): what was begun is finished before another job begins. */
  readonly resumes: boolean
  /** Does the work of a job where no reader sees it. Throws QueryError for SQL that cannot run, StillRunning at the deadline. */
  stage(job: TableJob, options: TableRunOptions): Promise<StagedTable>
  /**
   * Makes it what readers see. Where the table's state (lib/lake/table-state.ts) names the version, as on the embedded lake, the
   * caller's write of the state does that, and this only gives the version. `anew`: the versions before it went with the table
   * that they were of.
   */
  publish(
    staged: StagedTable,
    options: TableRunOptions,
  ): Promise<{ version: TableVersion; statements: RanStatement[]; anew?: boolean }>
  /** Forgets what was staged: its tests failed. */
  discard(staged: StagedTable): Promise<void>
  /** Removes what no version that is kept needs, and puts small files together. Gives what it did, in words; safe at any time. */
  maintain(table: string, kept: TableVersion[]): Promise<{ statements: RanStatement[]; did: string[] }>
  /** Takes the whole table away, with all its versions. */
  drop(table: string): Promise<void>
}

export interface Notifier {
  /** Tells the uploader; called at most once for each upload. */
  notify(receipt: Receipt, dataset: Pick<Plan, 'dataset' | 'support'>): Promise<void>
}

export interface Lake {
  /** What `--lake` calls it, where that is the same for everybody: `aws:weir`. */
  name?: string
  zones: Record<Zone, ObjectStore>
  catalog: Catalog
  queries: QueryEngine
  tables: CuratedTables
  notifier: Notifier
  /** Where a person finds an object: a path on a local lake, an s3:// URI on AWS. */
  locate(zone: Zone, key: string): string
  /** A local folder for temporary files. */
  scratch: string
  close(): Promise<void>
}
