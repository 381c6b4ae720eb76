// Curated tables of a deployed lake: asking its curate function by its queue, and waiting for what its ledger then says.

import { setTimeout as sleep } from 'node:timers/promises'
import { openCurateQueue } from '../lake/aws/curate-queue.ts'
import type { Deployed } from '../lake/aws/deployed.ts'
import type { Run as RunRecord } from '../lake/runs.ts'
import { readTableState } from '../lake/table-state.ts'
import type { CurateContext } from '../pipeline/curate/context.ts'

/** The newest run of each table before it was asked for; null where there was none. */
export type Before = ReadonlyMap<string, string | null>

const LOOK_EVERY_MS = 1000

/**
 * Sends a message for each of the `asked` tables; the others follow them. Gives what `awaitRuns` compares with.
 */
export async function askToCurate(
  deployed: Deployed,
  { lake }: Pick<CurateContext, 'lake'>,
  tables: readonly string[],
  { full, asked }: { full: boolean; asked: ReadonlySet<string> },
): Promise<Before> {
  const before = new Map<string, string | null>()
  for (const table of tables)
    before.set(table, (await readTableState(lake.zones.ops, table))?.state.lastRun?.run ?? null)
  const queue = openCurateQueue(deployed)
  try {
    const wishes = tables.filter((table) => asked.has(table))
    await queue.send(
      wishes.map((table) => ({ weir: 'curate', table, trigger: 'weir curate', ...(full ? { full } : {}) })),
    )
  } finally {
    queue.close()
  }
  return before
}

export interface AwaitOptions {
  timeoutMs: number
  signal?: AbortSignal
  onRun: (run: RunRecord) => void
  /** How often it looks, in milliseconds. Default: 1,000. */
  everyMs?: number
}

/** Waits until each table has a run that it did not have before, one did not make a version, or the time is over. */
export async function awaitRuns(
  { lake }: Pick<CurateContext, 'lake'>,
  before: Before,
  { timeoutMs, signal, onRun, everyMs = LOOK_EVERY_MS }: AwaitOptions,
): Promise<void> {
  const open = new Map(before)
  const until = Date.now() + timeoutMs
  for (;;) {
    for (const [table, last] of [...open]) {
      signal?.throwIfAborted()
      const run = (await readTableState(lake.zones.ops, table))?.state.lastRun
      if (!run || run.run === last) continue
      open.delete(table)
      onRun(run)
      // What follows it is made from the version that it has, which has not changed.
      if (run.outcome !== 'published') return
    }
    if (open.size === 0 || Date.now() >= until) return
    await sleep(Math.min(everyMs, Math.max(1, until - Date.now())), undefined, { signal })
  }
}
