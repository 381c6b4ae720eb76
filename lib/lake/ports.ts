// The four ports that the pipeline knows, and the lake that bundles them. Adapters: lake/local now, lake/aws next.
// One conformance suite (test/conformance) holds every adapter to the words below.

import type { Readable } from 'node:stream'
import type { Plan } from '../contract/plan.ts'
import type { TableDefinition } from '../sql/tables.ts'
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

export type { TableColumn, TableDefinition } from '../sql/tables.ts'

/** Points one combination of partition values at the files of one location. */
export interface Partition {
  values: string[]
  /** Prefix in the clean zone that ends in "/"; all Parquet files directly below it are the partition. Empty contributions have no partition. */
  location: string
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

export interface QueryEngine {
  /** Runs one read-only statement over `clean.<dataset>`, `curated.<table>` and `ops.*`. Throws QueryError. */
  query(sql: string, options?: { signal?: AbortSignal }): Promise<QueryResult>
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
  notifier: Notifier
  /** Where a person finds an object: a path on a local lake, an s3:// URI on AWS. */
  locate(zone: Zone, key: string): string
  /** A local folder for temporary files. */
  scratch: string
  close(): Promise<void>
}
