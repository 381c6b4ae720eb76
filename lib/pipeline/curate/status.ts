// How the curated tables are: their versions, how old those are, whether what they are made from has changed since, and which
// tests keep a new version from readers. Looks, and changes nothing.

import type { Run } from '../../lake/runs.ts'
import { readTableState, TableStateDamaged } from '../../lake/table-state.ts'
import { type CurateContext, type Curated, curatedTables } from './context.ts'
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
  /** Its state, or that of a table that it reads, cannot be read: nothing is known of it, and no run can begin. */
  damaged: boolean
}

export async function curatedStatus(context: CurateContext, signal?: AbortSignal): Promise<CuratedStatus[]> {
  const now = context.now()
  const found: CuratedStatus[] = []
  for (const curated of curatedTables(context)) {
    signal?.throwIfAborted()
    try {
      found.push(await statusOf(context, curated, now))
    } catch (error) {
      if (!(error instanceof TableStateDamaged)) throw error
      found.push({ ...unknown(curated), behind: true, why: error.message, damaged: true })
    }
  }
  return found
}

const unknown = (curated: Curated): CuratedStatus => ({
  table: curated.name,
  kind: curated.kind,
  version: null,
  ageSeconds: null,
  behind: false,
  why: '',
  schedule: curated.kind === 'entity' ? null : (curated.model.schedule ?? null),
  failed: null,
  running: null,
  damaged: false,
})

async function statusOf(context: CurateContext, curated: Curated, now: Date): Promise<CuratedStatus> {
  const state = (await readTableState(context.lake.zones.ops, curated.name))?.state
  const planned = await planTable(context, curated, state, { look: true })
  const version = state?.version
  const behind = planned.todo !== 'nothing' || planned.failing === true
  // Once the table is up to date, nobody has to look at a run that failed on the way.
  const last = behind ? state?.lastRun : undefined
  return {
    ...unknown(curated),
    ...(version
      ? {
          version: { id: version.id, run: version.run, committedAt: version.committedAt, rows: version.rows },
          ageSeconds: Math.max(0, Math.round((now.getTime() - Date.parse(version.committedAt)) / 1000)),
        }
      : {}),
    behind,
    why: planned.why,
    failed: last && last.outcome !== 'published' ? failedOf(last) : null,
    running: state?.pending ? { run: state.pending.run, startedAt: state.pending.startedAt } : null,
  }
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
