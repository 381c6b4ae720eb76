// What follows a head: the catalog's partitions, the receipt, and the word to the uploader. All of it may be done again
// at any time, by anybody, and changes nothing the second time.

import { isDeepStrictEqual } from 'node:util'
import type { Plan } from '../contract/plan.ts'
import { type Head, partitionValues, readHead, type StoredHead } from '../lake/heads.ts'
import { writeReceipt } from '../lake/ledger.ts'
import type { Catalog } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import { tableName, tableOf } from '../lake/tables.ts'
import type { Context } from './context.ts'

const known = new WeakMap<Catalog, Map<string, Plan>>()

/** Makes the dataset's table, once in each process and for each contract: so a file costs no extra call. */
export async function ensureTable({ lake }: Pick<Context, 'lake'>, plan: Plan): Promise<void> {
  const tables = known.get(lake.catalog) ?? new Map<string, Plan>()
  known.set(lake.catalog, tables)
  if (tables.get(plan.dataset) === plan) return
  await putTable(lake.catalog, plan)
  tables.set(plan.dataset, plan)
}

/** Makes or mends the dataset's table. True when it was not as the contract says. */
export async function putTable(catalog: Catalog, plan: Plan): Promise<boolean> {
  const wanted = tableOf(plan)
  if (isDeepStrictEqual(await catalog.getTable(wanted.name), wanted)) return false
  await catalog.putTable(wanted)
  return true
}

export interface Settled {
  /** The receipt of the head's decision. */
  receipt: Receipt | undefined
  /** True for the one caller that wrote it. */
  won: boolean
  /** Partitions that were not as the head says. */
  mended: string[]
}

/**
 * Makes everything follow a head: partitions first, so that whoever is told finds the rows; then the receipt; then the
 * word to the uploader. `base`: the head before it, when this caller has just moved it; then what differs is done unseen.
 */
export async function settle(context: Context, stored: StoredHead, base?: Head): Promise<Settled> {
  const mended = await follow(context, stored, base)
  const receipt = stored.head.decision ?? undefined
  const won = receipt ? await tell(context, receipt) : false
  return { receipt, won, mended }
}

/** Writes a receipt unless there is one. Who wins the write tells the uploader: so nobody is told twice. */
export async function tell(context: Context, receipt: Receipt): Promise<boolean> {
  const { lake, plans, log } = context
  if (!(await writeReceipt(lake.zones.ops, receipt))) return false
  log({ event: 'receipt', upload: receipt.upload, source: receipt.source, outcome: receipt.outcome, ...receipt.rows })
  if (context.pages) await storePage(context, receipt)
  const { dataset, support } = plans.get(receipt.dataset) ?? { dataset: receipt.dataset, support: [] }
  try {
    await lake.notifier.notify(receipt, { dataset, support })
  } catch (error) {
    // Not tried again: at most one notification. The receipt is there for whoever asks.
    log({ event: 'notification_failed', upload: receipt.upload, error: messageOf(error) })
  }
  context.onReceipt?.(receipt)
  return true
}

/** Before the word goes out, so that its link leads somewhere. The page can be made again; the upload must not wait for it. */
async function storePage({ lake, log }: Context, receipt: Receipt): Promise<void> {
  try {
    const { writeReceiptPage } = await import('../lake/render/page.ts')
    await writeReceiptPage(lake, receipt)
  } catch (error) {
    log({ event: 'page_failed', upload: receipt.upload, error: messageOf(error) })
  }
}

/** Points the partitions at the head's contributions, until the head did not change meanwhile. */
async function follow({ lake }: Context, stored: StoredHead, base?: Head): Promise<string[]> {
  const mended: string[] = []
  for (let current = stored; ; base = undefined) {
    mended.push(...(await point(lake.catalog, current.head, base)))
    const now = await readHead(lake.zones.ops, current.head.dataset, current.head.source)
    if (!now || now.head.sequence === current.head.sequence) return mended
    current = now
  }
}

async function point(catalog: Catalog, head: Head, base?: Head): Promise<string[]> {
  const table = tableName(head.dataset)
  const mended: string[] = []
  for (let index = 0; index < head.width; index++) {
    const values = partitionValues(head, index)
    const wanted = locationAt(head, index)
    // Where the head before gave something else, this must change. Where it gave the same, whoever moved the head to it
    // may have died before the catalog followed: so look.
    const changed = base !== undefined && locationAt(base, index) !== wanted
    if (!changed && (await catalog.getPartition(table, values))?.location === wanted) continue
    if (wanted === undefined) await catalog.deletePartition(table, values)
    else await catalog.putPartition(table, { values, location: wanted })
    if (!changed) mended.push(`${table} ${values.join('/')}`)
  }
  return mended
}

/** Where the n-th partition must point; undefined when there must be none, as for a contribution without rows. */
export function locationAt(head: Head, index: number): string | undefined {
  const contribution = head.contributions[index]
  return contribution && contribution.files.length > 0 ? contribution.location : undefined
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
