// The ledger of curated tables: one object for each run that did something, or failed to. Written once; ops.runs shows them.

import { z } from 'zod'
import { PreconditionFailed } from './errors.ts'
import { hex, isUploadId, runKey, runsPrefix } from './keys.ts'
import type { ObjectStore } from './ports.ts'

export const RUN_FORMAT = 'weir.run/1'

export const runSchema = z.object({
  format: z.literal(RUN_FORMAT),
  run: z.string(),
  /** Below curated: `orders`. */
  table: z.string(),
  kind: z.enum(['entity', 'table', 'incremental', 'view']),
  /** `published`; `failed_tests`: readers keep the version before; `failed`: it could not run. */
  outcome: z.enum(['published', 'failed_tests', 'failed']),
  /** `full`: all was made anew. `change`: only what changed. */
  scope: z.enum(['full', 'change']),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  /** Version that it made, as readers name it. */
  version: z.string().nullable(),
  rows: z.object({ written: z.int().nullable(), removed: z.int().nullable(), total: z.int().nullable() }),
  /** Uploads that came and left (entity tables); counted, and named as far as there are few. */
  uploads: z.object({ came: z.int(), left: z.int(), names: z.array(z.string()) }),
  inputs: z.record(z.string(), z.string()),
  statements: z.array(
    z.object({
      sql: z.string(),
      milliseconds: z.number(),
      bytesScanned: z.number().optional(),
      cost: z.number().optional(),
      executionId: z.string().optional(),
    }),
  ),
  bytesScanned: z.number().nullable(),
  cost: z.number().nullable(),
  tests: z.array(
    z.object({
      test: z.string(),
      column: z.string().optional(),
      /** A warning does not hold the version back. */
      severity: z.enum(['error', 'warning']),
      passed: z.boolean(),
      /** Rows that break it. */
      failures: z.int(),
      /** A few of them, as JSON. */
      samples: z.array(z.string()),
    }),
  ),
  /** Why it failed, in words. */
  reason: z.object({ code: z.string(), message: z.string(), advice: z.string() }).nullable(),
  weir: z.string(),
})

export type Run = z.infer<typeof runSchema>

/** `<UTC to the millisecond>-<12 hex>`, as upload ids are. */
export const runId = (table: string, at: Date, salt: string): string =>
  `${at.toISOString().replaceAll(/[-:.]/g, '')}-${hex(`${table}\0${salt}`, 12)}`

/** Writes a run's record unless it is there. True for whoever wrote it: who tells of it. */
export async function writeRun(ops: ObjectStore, run: Run): Promise<boolean> {
  try {
    await ops.put(runKey(run.table, run.run), `${JSON.stringify(run)}\n`, { ifNoneMatch: '*' })
    return true
  } catch (error) {
    if (error instanceof PreconditionFailed) return false
    throw error
  }
}

/** A run's record that cannot be read. */
export class RunDamaged extends Error {
  override name = 'RunDamaged'
}

export interface RunFilter {
  /** Below curated: `orders`. */
  table?: string
  /** Only runs that began at this moment or later. */
  since?: Date
}

/** Records read at the same time. */
const READ_AT_ONCE = 16

/** Runs by table and time. Reads only the days asked for. */
export async function* listRuns(ops: ObjectStore, filter: RunFilter = {}): AsyncIterable<Run> {
  const since = filter.since?.toISOString()
  let keys: string[] = []
  async function* read(): AsyncIterable<Run> {
    for (const run of await Promise.all(keys.map((key) => readRunAt(ops, key))))
      if (run && (since === undefined || run.startedAt >= since)) yield run
    keys = []
  }
  for await (const { key } of listRunKeys(ops, filter)) {
    keys.push(key)
    if (keys.length === READ_AT_ONCE) yield* read()
  }
  yield* read()
}

/** Names of the runs, by table and time, from the day of `since` on; nothing is read. */
export async function* listRunKeys(
  ops: ObjectStore,
  { table, since }: RunFilter = {},
): AsyncIterable<{ key: string; run: string }> {
  for await (const one of table === undefined ? tablesWithRuns(ops) : [table]) {
    // "date=2026-01-02" sorts before every key of that day and after every key of the day before.
    const day = since?.toISOString().slice(0, 10)
    const after = day === undefined ? undefined : `${runsPrefix(one)}date=${day}`
    for await (const { key } of ops.list(runsPrefix(one), after === undefined ? {} : { after })) {
      const run = /\/([^/]+)\.json$/.exec(key)?.[1]
      if (run !== undefined && isUploadId(run)) yield { key, run }
    }
  }
}

/** One look per table: the first key beyond all keys of the table before. */
async function* tablesWithRuns(ops: ObjectStore): AsyncIterable<string> {
  let after = ''
  for (;;) {
    let table: string | undefined
    for await (const { key } of ops.list(runsPrefix(), { after })) {
      table = /^runs\/table=([^/]+)\//.exec(key)?.[1]
      if (table === undefined) return
      after = `${runsPrefix(table)}\u{10ffff}`
      break
    }
    if (table === undefined) return
    yield table
  }
}

async function readRunAt(ops: ObjectStore, key: string): Promise<Run | undefined> {
  const object = await ops.get(key)
  if (!object) return undefined
  try {
    return runSchema.parse(JSON.parse(object.body.toString()))
  } catch (cause) {
    throw new RunDamaged(`The record of a run, ops/${key}, cannot be read. Restore it from a backup.`, { cause })
  }
}
