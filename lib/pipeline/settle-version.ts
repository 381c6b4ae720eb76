// Brings one version of a file to its receipt that landing may not show any more: another one took its place, or it was
// deleted, before anybody looked. Such a version was never read and is not read now: it ends as superseded. That is
// decided in the head like everything else, so two workers cannot decide differently about it.

import { uploadId } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context, RunOptions } from './context.ts'
import { planFor } from './datasets.ts'
import { guarded } from './errors.ts'
import { ingestVersion } from './ingest.ts'
import { ensureTable } from './project.ts'

/**
 * Gives the receipt that this call wrote; undefined when the version has one, or is not kept (a delete marker is no
 * version of a file). A version that landing shows after all is ingested.
 *
 * @example
 * await ingest(context, 'orders/monday.csv')
 * await settleVersion(context, 'orders/monday.csv', versionOfTheEvent)
 */
export function settleVersion(
  context: Context,
  key: string,
  version: string,
  options: RunOptions = {},
): Promise<Receipt | undefined> {
  return guarded(key, options.signal, async () => {
    const plan = planFor(context.plans, key)
    const { landing, ops } = context.lake.zones
    const info = await landing.head(key, version)
    if (!info || (await readReceipt(ops, plan.dataset, uploadId(key, info)))) return undefined
    await ensureTable(context, plan)
    const { receipt, won } = await ingestVersion(context, plan, key, info, { ...options, lookFirst: true })
    return won ? receipt : undefined
  })
}
