// Deliver: puts a file into landing and waits for the receipt that somebody else writes (the ingest function of a deployed
// lake). It needs no more than an uploader may: to put below landing/<dataset>/, and to list and read the dataset's receipts.

import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { receiptsPrefix, uploadId } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import type { Lake } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { RunOptions } from './context.ts'
import { assertFile, type Drop } from './drop.ts'

/** What is known of an upload before it has a receipt. */
export interface Delivered {
  dataset: string
  /** Landing key. */
  source: string
  version: string
  size: number
  /** The end of the upload's id: of key and version. Its beginning, the time, is the store's to say. */
  hash: string
  /** The earliest day and time at which its id may begin. */
  since: Date
}

/** The clocks of this machine and of the store may differ by this much; one look in several allows for a day. */
const CLOCKS_DIFFER_MS = 15 * 60_000
const DAY_MS = 86_400_000
const WIDE_LOOK_EVERY = 8
const FIRST_PAUSE_MS = 250
const LONGEST_PAUSE_MS = 5_000

/**
 * Puts one file into landing, as a stream.
 *
 * @example
 * const delivered = await deliver(lake, { dataset: 'orders', path: './monday.csv' })
 */
export async function deliver(
  { zones }: Pick<Lake, 'zones'>,
  what: Drop,
  options: RunOptions = {},
): Promise<Delivered> {
  await assertFile(what.path)
  const { size: total } = await stat(what.path)
  const source = `${what.dataset}/${what.name ?? basename(what.path)}`
  const since = new Date()
  const info = await zones.landing.put(
    source,
    createReadStream(what.path),
    {},
    {
      onProgress: (bytes) => options.onProgress?.({ bytes, total, phase: 'to landing' }),
      ...(options.signal ? { signal: options.signal } : {}),
    },
  )
  const { version } = info
  return { dataset: what.dataset, source, version, size: info.size, hash: uploadId(source, info).slice(-12), since }
}

export interface WaitOptions {
  /** Milliseconds to wait in all. */
  timeoutMs: number
  signal?: AbortSignal
  onReceipt?: (receipt: Receipt, delivered: Delivered) => void
}

/**
 * Waits until each upload has its receipt, or the time is over; gives those that still have none. One look lists the
 * new receipts of each dataset once, however many files wait.
 */
export async function awaitReceipts(
  lake: Pick<Lake, 'zones'>,
  delivered: readonly Delivered[],
  { timeoutMs, signal, onReceipt }: WaitOptions,
): Promise<Delivered[]> {
  let waiting = [...delivered]
  const end = performance.now() + timeoutMs
  for (let look = 1; ; look++) {
    signal?.throwIfAborted()
    const left = end - performance.now()
    const found = await lookOnce(lake, waiting, left <= 0 || look % WIDE_LOOK_EVERY === 0)
    waiting = waiting.filter((one) => !found.has(one))
    for (const [one, receipt] of found) onReceipt?.(receipt, one)
    if (waiting.length === 0 || left <= 0) return waiting
    const pause = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 1.5 ** (look - 1), left)
    await sleep(pause, undefined, signal ? { signal } : {})
  }
}

/** Receipts read in search of later versions. */
const READ_AT_MOST = 200

/**
 * For files that have no receipt: that of another version of the same source, dropped since. The lake looks at what landing
 * holds when it gets to it, so a version that was replaced before that may never have a receipt of its own.
 */
export async function replacedBy(
  { zones: { ops } }: Pick<Lake, 'zones'>,
  waiting: readonly Delivered[],
): Promise<Map<Delivered, Receipt>> {
  const found = new Map<Delivered, Receipt>()
  for (const [dataset, uploads] of Map.groupBy(waiting, (one) => one.dataset)) {
    const bySource = new Map(uploads.map((one) => [one.source, one]))
    const earliest = new Date(Math.min(...uploads.map((one) => one.since.getTime())) - CLOCKS_DIFFER_MS)
    let read = 0
    for await (const { key } of ops.list(receiptsPrefix(dataset), { after: beginning(dataset, earliest) })) {
      const upload = /\/([^/]+)\.json$/.exec(key)?.[1]
      if (upload === undefined || ++read > READ_AT_MOST) break
      const receipt = await readReceipt(ops, dataset, upload)
      const one = receipt && bySource.get(receipt.source)
      if (!one || receipt.version === one.version || receipt.outcome === 'retracted') continue
      if (Date.parse(receipt.droppedAt) >= Math.floor(one.since.getTime() / 1000) * 1000) found.set(one, receipt)
    }
  }
  return found
}

/** A key that sorts before those of all receipts of a moment or later. */
function beginning(dataset: string, moment: Date): string {
  const iso = moment.toISOString()
  return `${receiptsPrefix(dataset, iso.slice(0, 10))}${iso.slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

async function lookOnce(
  { zones: { ops } }: Pick<Lake, 'zones'>,
  waiting: readonly Delivered[],
  wide: boolean,
): Promise<Map<Delivered, Receipt>> {
  const found = new Map<Delivered, Receipt>()
  for (const [dataset, uploads] of Map.groupBy(waiting, (one) => one.dataset)) {
    const byHash = new Map(uploads.map((one) => [one.hash, one]))
    const earliest = Math.min(...uploads.map((one) => one.since.getTime()))
    const after = beginning(dataset, new Date(earliest - (wide ? DAY_MS : CLOCKS_DIFFER_MS)))
    for await (const { key } of ops.list(receiptsPrefix(dataset), { after })) {
      const [, upload, hash = ''] = /\/([^/]+-([0-9a-f]{12}))\.json$/.exec(key) ?? []
      const one = byHash.get(hash)
      if (upload === undefined || !one) continue
      const receipt = await readReceipt(ops, dataset, upload)
      if (receipt) found.set(one, receipt)
      if (found.size === waiting.length) return found
    }
  }
  return found
}
