// The tests of a model, run on what its run has made before readers see it.

import { hex } from '../../lake/keys.ts'
import { nullKeyQuery } from '../../lake/models/incremental.ts'
import type { Model } from '../../lake/models/model.ts'
import { testQueries } from '../../lake/models/tests.ts'
import type { QueryResult, StagedTable, TableRunOptions } from '../../lake/ports.ts'
import type { Run } from '../../lake/runs.ts'
import type { CurateContext, Curated } from './context.ts'

export interface Audit {
  tests: Run['tests']
  /** Tests that hold the version back. */
  failed: Run['tests']
}

export async function audit(
  { lake }: CurateContext,
  curated: Curated,
  staged: StagedTable,
  inputs: Readonly<Record<string, string>>,
  { signal, deadline, journal }: TableRunOptions,
): Promise<Audit> {
  // What takes longer than there is time goes on, and whoever comes after waits for it.
  const ask = async (sql: string): Promise<QueryResult> => {
    const step = `audit ${hex(sql, 12)}`
    const note = { get: () => journal.get(step), set: (value: string) => journal.set(step, value) }
    return await lake.queries.query(sql, { signal, deadline, note })
  }
  const found: Audit = { tests: [], failed: [] }
  if (curated.kind === 'entity') return found
  const { model } = curated
  const queries = testQueries(model, staged.preview)
  // A merge could not place a row without a key, so the model is asked for such rows itself.
  const nullKeys = staged.job.change.kind === 'merge' ? nullKeyQuery(model, pinned(model, inputs)) : undefined
  if (nullKeys) queries.push(nullKeys)
  for (const { test, column, severity, sql, samples } of queries) {
    const failures = Number((await ask(sql)).rows[0]?.[0] ?? 0)
    const shown = failures > 0 && samples ? await ask(samples) : undefined
    const result = {
      test,
      ...(column === undefined ? {} : { column }),
      severity,
      passed: failures === 0,
      failures,
      samples: (shown?.rows ?? []).map((row) =>
        JSON.stringify(Object.fromEntries(row.map((value, index) => [shown?.columns[index]?.name ?? '', value]))),
      ),
    }
    found.tests.push(result)
    if (failures > 0 && severity === 'error') found.failed.push(result)
  }
  return found
}

/** The version of its driver that a run was made from. */
function pinned({ incremental }: Model, inputs: Readonly<Record<string, string>>): { now?: string } {
  const now = incremental && inputs[incremental.driver]
  return now === undefined ? {} : { now }
}
