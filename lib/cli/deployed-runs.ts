// Curated tables of a deployed lake: asking its curate function by its queue, and waiting for what its ledger then says.

import { openCurateQueue } from '../lake/aws/curate-queue.ts'
import type { Deployed } from '../lake/aws/deployed.ts'
import type { Run as RunRecord } from '../lake/runs.ts'
import { readTableState } from '../lake/table-state.ts'
import type { CurateContext } from '../pipeline/curate/context.ts'
import { type AwaitEach, awaitEach } from './await-each.ts'

/** The newest run of each table before it was asked for; null where there was none. */
export type Before = ReadonlyMap<string, string | null>

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

export interface AwaitOptions extends AwaitEach {
  onRun: (run: RunRecord) => void
}

/** Waits until each table has a run that it did not have before, one did not make a version, or the time is over. */
export function awaitRuns(
  { lake }: Pick<CurateContext, 'lake'>,
  before: Before,
  { onRun, ...options }: AwaitOptions,
): Promise<void> {
  return awaitEach(before.keys(), options, async (table) => {
    const run = (await readTableState(lake.zones.ops, table))?.state.lastRun
    if (!run || run.run === before.get(table)) return 'open'
    onRun(run)
    // What follows it is made from the version that it has, which has not changed.
    return run.outcome === 'published' ? 'done' : 'stop'
  })
}
