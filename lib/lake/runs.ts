// The ledger of curated tables: one object for each run that did something, or failed to. Written once; ops.runs shows them.

import { z } from 'zod'
import { PreconditionFailed } from './errors.ts'
import { hex, runKey } from './keys.ts'
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
