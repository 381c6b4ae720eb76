// What a curated table is and what is in it: one object for each table in the ops zone, moved by compare-and-set as heads are.
// It says which inputs the newest version holds, so that a run knows what is new, and which versions can still be read. On the
// embedded lake it also is what publishes a version: readers look here.

import { z } from 'zod'
import { tableStateKey, tableStatesPrefix } from './keys.ts'
import type { ObjectStore } from './ports.ts'
import { runSchema } from './runs.ts'
import { readJson } from './stored-json.ts'

export const TABLE_FORMAT = 'weir.table/1'

const columnSchema = z.object({ name: z.string(), type: z.string(), comment: z.string().optional() })

const versionSchema = z.object({
  id: z.string(),
  run: z.string(),
  committedAt: z.iso.datetime(),
  rows: z.int().nullable(),
})

/** A version, and how it came from the one before: an incremental model follows its table by that. */
const keptSchema = versionSchema.extend({
  /** Uploads that came and left with it. Null: everything may have changed. */
  change: z.object({ came: z.array(z.string()), left: z.array(z.string()) }).nullable(),
})

export const tableStateSchema = z.object({
  format: z.literal(TABLE_FORMAT),
  /** Below curated: `orders`. */
  table: z.string(),
  kind: z.enum(['entity', 'table', 'incremental', 'view']),
  sequence: z.int().positive(),
  description: z.string().optional(),
  columns: z.array(columnSchema),
  key: z.array(z.string()),
  partitionBy: z.array(z.string()),
  /** Hash of what decides about the rows: differs, and the table is made anew. */
  definition: z.string(),
  /** Major version of the contract, of entity tables. */
  major: z.int().nullable(),
  /** The query, of a view. */
  query: z.string().nullable(),
  /** What readers see; null before the first. */
  version: keptSchema.nullable(),
  /** Versions before it that can still be read, newest first. */
  history: z.array(keptSchema),
  /** What the version was made from: a version id of a curated table, a digest of a clean one. */
  inputs: z.record(z.string(), z.string()),
  /** Of entity tables: the upload in each partition of the clean table ("2026-01-02/monday.csv-0123…" → "<upload>/<run>"). */
  uploads: z.record(z.string(), z.string()),
  /** A run that has begun and is not known to have ended. What it took in may be in the table, or not. */
  pending: z
    .object({
      run: z.string(),
      startedAt: z.iso.datetime(),
      /** What was decided to be done, so that whoever comes after does the same. */
      step: z.unknown(),
      journal: z.record(z.string(), z.string()),
    })
    .nullable(),
  /**
   * Uploads that may be in the table although `uploads` does not say so: of a run that failed, or that clean showed for a while
   * when a statement ran that could not name all.
   */
  suspects: z.array(z.string()),
  /**
   * The run that failed, and everything that it looked at, the tables that only tests look at among them: until one of these differs
   * it is not tried again.
   */
  failed: z.object({ run: z.string(), definition: z.string(), inputs: z.record(z.string(), z.string()) }).nullable(),
  /** The newest run. It is written out right after the state, and at the latest before the next one replaces it. */
  lastRun: runSchema.nullable(),
  updatedAt: z.iso.datetime(),
})

export type TableState = z.infer<typeof tableStateSchema>
export type KeptVersion = z.infer<typeof keptSchema>

export interface StoredTableState {
  state: TableState
  etag: string
}

/** A table's state that cannot be read: nothing may be decided on it. */
export class TableStateDamaged extends Error {
  override name = 'TableStateDamaged'
}

/** `orders` for `curated.orders`. */
export async function readTableState(ops: ObjectStore, table: string): Promise<StoredTableState | undefined> {
  const key = tableStateKey(table)
  const object = await ops.get(key)
  if (!object) return undefined
  const read = readJson(tableStateSchema, object.body.toString())
  if ('problem' in read)
    throw new TableStateDamaged(
      `The state of curated.${table} (ops/${key}) cannot be read: ${read.problem}\nRestore it from a backup, or delete it and run "weir curate --table ${table} --full".`,
    )
  return { state: read.value, etag: object.info.etag }
}

/** Moves a table's state from what was read to its successor. Throws PreconditionFailed when somebody else moved it first. */
export async function writeTableState(
  ops: ObjectStore,
  base: StoredTableState | undefined,
  next: Omit<TableState, 'sequence' | 'updatedAt' | 'format'>,
  at: Date,
): Promise<StoredTableState> {
  const state: TableState = {
    ...next,
    format: TABLE_FORMAT,
    sequence: (base?.state.sequence ?? 0) + 1,
    updatedAt: at.toISOString(),
  }
  const condition = base ? { ifMatch: base.etag } : { ifNoneMatch: '*' as const }
  const info = await ops.put(tableStateKey(state.table), `${JSON.stringify(state)}\n`, condition)
  return { state, etag: info.etag }
}

/** The states of all curated tables, by name. */
export async function* listTableStates(ops: ObjectStore): AsyncIterable<StoredTableState> {
  for await (const { key } of ops.list(tableStatesPrefix)) {
    const table = key.slice(tableStatesPrefix.length).replace(/\.json$/, '')
    const stored = await readTableState(ops, table)
    if (stored) yield stored
  }
}
