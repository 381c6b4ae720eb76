// Status: how a lake is doing, from what lies in it: what waits, what failed and why, the newest receipts, how fresh each
// dataset is, whether the catalog is complete. Looks, and changes nothing. Large lakes are listed, not read.

import { type Fault, listFaults } from '../lake/faults.ts'
import { readHead } from '../lake/heads.ts'
import { datasetOfKey, isUploadId, receiptsPrefix } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import type { Lake, ObjectStore } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import { forEachBounded } from './bounded.ts'
import type { Context } from './context.ts'
import { isIgnored } from './ignored.ts'

export interface DatasetStatus {
  dataset: string
  /** The newest upload, whatever came of it. */
  newest: Pick<Receipt, 'upload' | 'source' | 'outcome' | 'droppedAt'> | null
  /** When the newest upload was dropped whose rows were taken in, and how long ago that is: the freshness. */
  freshAt: string | null
  ageSeconds: number | null
  /** Uploads of the last 24 hours that have a receipt. */
  lastDay: number
}

export interface LandingStatus {
  /** Files that have not been decided, and the oldest of them. */
  waiting: number
  oldest: { source: string; droppedAt: string } | null
  /** Files that no contract describes. */
  withoutContract: number
}

export interface LakeStatus {
  at: string
  datasets: DatasetStatus[]
  /** The newest receipts of all datasets. */
  receipts: Receipt[]
  /** What could not be ingested for a reason of ours, newest first. */
  faults: Fault[]
  catalog: { complete: boolean }
  /** Only where it was asked for: it looks at every file. */
  landing?: LandingStatus
}

export interface StatusOptions {
  signal?: AbortSignal
  /** Receipts to show. Default 10. */
  receipts?: number
  /** Look at every landing file for those that wait. A deployed lake has a queue that knows. */
  landing?: boolean
}

const DAY_MS = 86_400_000
/** Receipts read on the way back to one whose rows were taken in. */
const READ_AT_MOST = 200
const READ_AT_ONCE = 16

/**
 * Looks at a lake.
 *
 * @example
 * const { datasets, faults } = await statusOf(context, { landing: true })
 */
export async function statusOf(
  context: Pick<Context, 'lake' | 'plans' | 'now'>,
  options: StatusOptions = {},
): Promise<LakeStatus> {
  const { lake, plans } = context
  const { ops } = lake.zones
  const now = context.now()
  const most = options.receipts ?? 10
  const datasets: DatasetStatus[] = []
  const receipts: Receipt[] = []
  for (const dataset of [...plans.keys()].sort()) {
    options.signal?.throwIfAborted()
    const { status, read } = await datasetStatus(ops, dataset, now, most)
    datasets.push(status)
    receipts.push(...read)
  }
  receipts.sort(newestFirst)
  const faults: Fault[] = []
  for await (const fault of listFaults(ops)) faults.push(fault)
  faults.sort((a, b) => (a.at < b.at ? 1 : -1))
  const { complete } = await lake.catalog.state()
  return {
    at: now.toISOString(),
    datasets,
    receipts: receipts.slice(0, most),
    faults,
    catalog: { complete },
    ...(options.landing ? { landing: await landingStatus(context, options.signal) } : {}),
  }
}

/** Days looked back at first, and further where that shows nothing: a listing of names for each. */
const LOOK_BACK_DAYS = [1, 8, 100, undefined]

/** Ids of the uploads of a dataset that have receipts, newest first; of the last days, or all. */
async function uploadsOf(ops: ObjectStore, dataset: string, now: Date, days: number | undefined): Promise<string[]> {
  const since = days === undefined ? undefined : new Date(now.getTime() - days * DAY_MS).toISOString().slice(0, 10)
  // "date=2026-01-02" sorts before every key of that day.
  const after = since === undefined ? undefined : receiptsPrefix(dataset, since).slice(0, -1)
  const uploads: string[] = []
  for await (const { key } of ops.list(receiptsPrefix(dataset), after === undefined ? {} : { after })) {
    const upload = /\/([^/]+)\.json$/.exec(key)?.[1]
    if (upload !== undefined && isUploadId(upload)) uploads.push(upload)
  }
  return uploads.reverse()
}

async function datasetStatus(
  ops: ObjectStore,
  dataset: string,
  now: Date,
  most: number,
): Promise<{ status: DatasetStatus; read: Receipt[] }> {
  let uploads: string[] = []
  let read: Receipt[] = []
  let fresh: Receipt | undefined
  for (const days of LOOK_BACK_DAYS) {
    uploads = await uploadsOf(ops, dataset, now, days)
    read = await readBack(ops, dataset, uploads, most)
    fresh = read.find(tookRowsIn)
    if (fresh) break
  }
  const [newest] = read
  const dayAgo = stampOf(new Date(now.getTime() - DAY_MS))
  const status = {
    dataset,
    newest: newest
      ? { upload: newest.upload, source: newest.source, outcome: newest.outcome, droppedAt: newest.droppedAt }
      : null,
    freshAt: fresh?.droppedAt ?? null,
    ageSeconds: fresh ? Math.max(0, Math.round((now.getTime() - Date.parse(fresh.droppedAt)) / 1000)) : null,
    lastDay: uploads.filter((upload) => upload >= dayAgo).length,
  }
  return { status, read: read.slice(0, most) }
}

/** Receipts from the newest back, until there are `most` and one of them took rows in. */
async function readBack(ops: ObjectStore, dataset: string, uploads: string[], most: number): Promise<Receipt[]> {
  const read: Receipt[] = []
  for (let at = 0; at < Math.min(uploads.length, READ_AT_MOST); at += READ_AT_ONCE) {
    if (read.length >= most && read.some(tookRowsIn)) break
    const some = uploads.slice(at, at + READ_AT_ONCE)
    for (const receipt of await Promise.all(some.map((upload) => readReceipt(ops, dataset, upload))))
      if (receipt) read.push(receipt)
  }
  return read.sort(newestFirst)
}

/** Ids know whole seconds only: of one second, the receipts say which came later. */
function newestFirst(a: Receipt, b: Receipt): number {
  return compare(b.droppedAt, a.droppedAt) || compare(b.finishedAt, a.finishedAt)
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

const tookRowsIn = ({ outcome }: Receipt): boolean => outcome === 'accepted' || outcome === 'accepted_with_rejects'

/** A moment as upload ids begin. */
const stampOf = (time: Date): string => `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`

async function landingStatus(
  { lake, plans }: Pick<Context, 'lake' | 'plans'>,
  signal: AbortSignal | undefined,
): Promise<LandingStatus> {
  const found: LandingStatus = { waiting: 0, oldest: null, withoutContract: 0 }
  // Ignored files are told of by watch and reconcile, which pass them by.
  const quiet = { lake, plans, log: () => {} }
  await forEachBounded(lake.zones.landing.list(''), 8, async ({ key, version, modified }) => {
    signal?.throwIfAborted()
    const plan = plans.get(datasetOfKey(key) ?? '')
    if (!plan) {
      if (!(await isIgnored(quiet, key))) found.withoutContract++
      return
    }
    const stored = await readHead(lake.zones.ops, plan.dataset, key)
    if (stored?.head.version === version || (await isIgnored(quiet, key))) return
    found.waiting++
    const droppedAt = modified.toISOString()
    if (!found.oldest || droppedAt < found.oldest.droppedAt) found.oldest = { source: key, droppedAt }
  })
  return found
}

/** The newest receipt of a dataset, for whoever needs to know what it was last checked by. */
export async function newestReceipt(
  { zones: { ops } }: Pick<Lake, 'zones'>,
  dataset: string,
  now: Date,
): Promise<Receipt | undefined> {
  for (const days of LOOK_BACK_DAYS) {
    const [receipt] = await readBack(ops, dataset, (await uploadsOf(ops, dataset, now, days)).slice(0, READ_AT_ONCE), 1)
    if (receipt) return receipt
  }
  return undefined
}
