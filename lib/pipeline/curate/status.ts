// How the curated tables are: their versions, how old those are, whether what they are made from has changed since, and which
// tests keep a new version from readers. Looks, and changes nothing.

import type { Run } from '../../lake/runs.ts'
import { readTableState } from '../../lake/table-state.ts'
import { type CurateContext, curatedTables } from './context.ts'
import { planTable } from './plan.ts'

export interface CuratedStatus {
  table: string
  kind: 'entity' | 'table' | 'incremental' | 'view'
  /** What readers see; null before the first. */
  version: { id: string; run: string; committedAt: string; rows: number | null } | null
  ageSeconds: number | null
  /** What it is made from has changed since, or its definition has; `why` says what. A scheduled model is made at its time. */
  behind: boolean
  why: string
  schedule: string | null
  /** The run after that version, where it made none: tests failed, or it could not run. */
  failed: { run: string; outcome: Run['outcome']; at: string; reason: string; tests: string[] } | null
  /** A run is on its way (AWS). */
  running: { run: string; startedAt: string } | null
}

export async function curatedStatus(context: CurateContext, signal?: AbortSignal): Promise<CuratedStatus[]> {
  const now = context.now()
  const found: CuratedStatus[] = []
  for (const curated of curatedTables(context)) {
    signal?.throwIfAborted()
    const state = (await readTableState(context.lake.zones.ops, curated.name))?.state
    const planned = await planTable(context, curated, state)
    const version = state?.version ?? null
    const last = state?.lastRun
    found.push({
      table: curated.name,
      kind: curated.kind,
      version: version && {
        id: version.id,
        run: version.run,
        committedAt: version.committedAt,
        rows: version.rows,
      },
      ageSeconds: version && Math.max(0, Math.round((now.getTime() - Date.parse(version.committedAt)) / 1000)),
      behind: planned.todo !== 'nothing' || planned.failing === true,
      why: planned.why,
      schedule: curated.kind === 'entity' ? null : (curated.model.schedule ?? null),
      failed: last && last.outcome !== 'published' ? failedOf(last) : null,
      running: state?.pending ? { run: state.pending.run, startedAt: state.pending.startedAt } : null,
    })
  }
  return found
}

function failedOf({ run, outcome, finishedAt, reason, tests }: Run): NonNullable<CuratedStatus['failed']> {
  return {
    run,
    outcome,
    at: finishedAt,
    reason: reason?.message ?? outcome,
    tests: tests
      .filter(({ passed, severity }) => !passed && severity === 'error')
      .map(({ test, column }) => (column === undefined ? test : `${test} of ${column}`)),
  }
}
