// The ledger: all receipts, one for each upload, and how many rejects were repaired since. Receipts are written once
// and never change; what changes (repairs) is worked out when somebody asks.

import { z } from 'zod'
import { PreconditionFailed } from './errors.ts'
import { readHead } from './heads.ts'
import { isUploadId, receiptKey, receiptsPrefix, repairKey, repairsPrefix } from './keys.ts'
import type { Lake, ObjectStore } from './ports.ts'
import { type Outcome, type Receipt, receiptSchema } from './receipt.ts'

/** Receipts read ahead while the caller works on one. */
const READ_AHEAD = 16

export class ReceiptDamaged extends Error {
  override name = 'ReceiptDamaged'
}

export interface ReceiptFilter {
  dataset?: string
  outcome?: Outcome
  /** Only uploads dropped (or taken out) at this moment or later. */
  since?: Date
}

/** Writes a receipt unless the upload has one. True for the one writer who won: he tells the uploader. */
export async function writeReceipt(ops: ObjectStore, receipt: Receipt): Promise<boolean> {
  try {
    // On one line: Athena reads a JSON table by lines.
    const body = `${JSON.stringify(receipt)}\n`
    await ops.put(receiptKey(receipt.dataset, receipt.upload), body, { ifNoneMatch: '*' })
    return true
  } catch (error) {
    if (error instanceof PreconditionFailed) return false
    throw error
  }
}

/** The receipt of an upload of a known dataset. */
export async function readReceipt(ops: ObjectStore, dataset: string, upload: string): Promise<Receipt | undefined> {
  return readReceiptAt(ops, receiptKey(dataset, upload))
}

/** The receipt of an upload, whatever its dataset; undefined when there is none (also for what is no upload id). */
export async function findReceipt(lake: Lake, upload: string): Promise<Receipt | undefined> {
  if (!isUploadId(upload)) return undefined
  const asked = new Set<string>()
  for await (const dataset of datasets(lake)) {
    if (asked.has(dataset)) continue
    asked.add(dataset)
    const receipt = await readReceipt(lake.zones.ops, dataset, upload)
    if (receipt) return receipt
  }
  return undefined
}

/** Receipts by dataset and time. Reads only the days asked for. */
export async function* listReceipts(lake: Lake, filter: ReceiptFilter = {}): AsyncIterable<Receipt> {
  const since = filter.since?.toISOString()
  const ops = lake.zones.ops
  const names = filter.dataset === undefined ? datasetsWithReceipts(ops) : [filter.dataset]
  for await (const dataset of names) {
    // "date=2026-01-02" sorts before every key of that day and after every key of the day before.
    const after = since && receiptsPrefix(dataset, since.slice(0, 10)).slice(0, -1)
    for await (const receipt of readAhead(ops, receiptsPrefix(dataset), after)) {
      if (filter.outcome && receipt.outcome !== filter.outcome) continue
      if (since && receipt.droppedAt < since) continue
      yield receipt
    }
  }
}

const repairSchema = z.object({
  dataset: z.string(),
  source: z.string(),
  upload: z.string(),
  repaired: z.string(),
  rows: z.array(z.int()),
})
export type Repair = z.infer<typeof repairSchema>

/** Notes which rows of an earlier upload a repair file repairs. It counts once that repair file is published. */
export async function writeRepair(ops: ObjectStore, repair: Repair): Promise<void> {
  await ops.put(repairKey(repair.repaired, repair.upload), `${JSON.stringify(repair)}\n`)
}

/**
 * Rows of an upload that have been repaired, each counted once, and the repair uploads that did it. Only repair files
 * whose rows are in the lake now count: one that was refused, replaced by another version or retracted repairs nothing.
 */
export async function repairsOf(
  lake: Lake,
  receipt: Pick<Receipt, 'upload'>,
): Promise<{ rows: number[]; uploads: string[] }> {
  const { ops } = lake.zones
  const rows = new Set<number>()
  const uploads: string[] = []
  for await (const { key } of ops.list(repairsPrefix(receipt.upload))) {
    const object = await ops.get(key)
    if (!object) continue
    const repair = repairSchema.parse(JSON.parse(object.body.toString()))
    const head = await readHead(ops, repair.dataset, repair.source)
    if (!head?.head.contributions.some((one) => one.upload === repair.upload)) continue
    uploads.push(repair.upload)
    for (const row of repair.rows) rows.add(row)
  }
  return { rows: [...rows].sort((a, b) => a - b), uploads }
}

/**
 * The upload that gives the rows of the same version of the same file in the place of this one: the file was replayed, or
 * its replay was refused. Undefined when there is none; then this upload's rejects are missing from the lake.
 */
export async function stoodInFor(ops: ObjectStore, dataset: string, upload: string): Promise<string | undefined> {
  const receipt = await readReceipt(ops, dataset, upload)
  const stored = receipt && (await readHead(ops, dataset, receipt.source))
  const given = stored?.head.contributions.filter(({ version }) => version === receipt?.version) ?? []
  return given.some((one) => one.upload === upload) ? undefined : given.at(-1)?.upload
}

/** Datasets that may have receipts: those in the catalog first (cheap and nearly always right), then those that do. */
async function* datasets(lake: Lake): AsyncIterable<string> {
  for (const { name } of await lake.catalog.listTables()) if (name.startsWith('clean.')) yield name.slice(6)
  yield* datasetsWithReceipts(lake.zones.ops)
}

/** One look per dataset: the first key beyond all keys of the dataset before. */
async function* datasetsWithReceipts(ops: ObjectStore): AsyncIterable<string> {
  let after = ''
  for (;;) {
    let dataset: string | undefined
    for await (const { key } of ops.list(receiptsPrefix(), { after })) {
      dataset = /^receipts\/dataset=([^/]+)\//.exec(key)?.[1]
      after = dataset === undefined ? key : `${receiptsPrefix(dataset)}\u{10ffff}`
      break
    }
    if (dataset === undefined) return
    yield dataset
  }
}

async function* readAhead(ops: ObjectStore, prefix: string, after: string | undefined): AsyncIterable<Receipt> {
  const queue: Promise<Receipt | undefined>[] = []
  const next = async () => await queue.shift()
  try {
    for await (const { key } of ops.list(prefix, { after })) {
      if (!key.endsWith('.json')) continue
      const reading = readReceiptAt(ops, key)
      // A failure is thrown when its turn comes, not before.
      reading.catch(() => undefined)
      queue.push(reading)
      if (queue.length < READ_AHEAD) continue
      const receipt = await next()
      if (receipt) yield receipt
    }
    while (queue.length > 0) {
      const receipt = await next()
      if (receipt) yield receipt
    }
  } finally {
    await Promise.allSettled(queue)
  }
}

async function readReceiptAt(ops: ObjectStore, key: string): Promise<Receipt | undefined> {
  const object = await ops.get(key)
  if (!object) return undefined
  try {
    return receiptSchema.parse(JSON.parse(object.body.toString()))
  } catch (cause) {
    throw new ReceiptDamaged(`The receipt ops/${key} cannot be read. Restore it from a backup.`, { cause })
  }
}
