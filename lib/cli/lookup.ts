// Finds an upload, or a run of a curated table, by its id, the beginning of it, or its end.

import type { Plan } from '../contract/plan.ts'
import { AccessDenied } from '../lake/aws/errors.ts'
import { isUploadId, receiptsPrefix } from '../lake/keys.ts'
import { findReceipt, readReceipt } from '../lake/ledger.ts'
import type { Lake, ObjectStore } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import { listRunKeys } from '../lake/runs.ts'
import { UsageError } from './errors.ts'
import type { Session } from './session.ts'

const MOST_SHOWN = 5

/**
 * The one receipt whose upload id is or begins with `id`, or ends in it (the 12 characters that a drop knows before there is
 * a receipt); a UsageError that helps where there is none, or several. With `dataset` nothing but its receipts is looked at.
 */
export async function receiptByPrefix(lake: Lake, id: string, dataset?: string): Promise<Receipt> {
  const read = (upload: string) =>
    dataset === undefined ? findReceipt(lake, upload) : readReceipt(lake.zones.ops, dataset, upload)
  if (isUploadId(id)) {
    const receipt = await read(id)
    if (receipt) return receipt
    throw none(id)
  }
  const uploads: string[] = []
  if (/^[0-9A-Za-z-]+$/.test(id)) {
    const isEnd = /^[0-9a-f]{12}$/.test(id)
    for await (const { key } of lake.zones.ops.list(receiptsPrefix(dataset))) {
      const upload = /\/([^/]+)\.json$/.exec(key)?.[1]
      if (upload?.startsWith(id) || (isEnd && upload?.endsWith(`-${id}`))) uploads.push(upload)
    }
  }
  const [only] = uploads
  if (only === undefined) throw none(id)
  if (uploads.length > 1) throw new UsageError(several('uploads', id, uploads))
  const receipt = await read(only)
  if (!receipt) throw none(only)
  return receipt
}

/**
 * The receipt of an upload, if it is one of these datasets': nothing but receipts is looked at. Those of datasets that are
 * closed to the caller (an uploader's role is for its own) cannot be what is meant.
 */
export async function receiptAmong(
  session: Pick<Session, 'lake'>,
  plans: ReadonlyMap<string, Plan>,
  upload: string,
): Promise<Receipt | undefined> {
  const { ops } = (await session.lake()).zones
  for (const dataset of plans.keys()) {
    const receipt = await readReceipt(ops, dataset, upload).catch((error: unknown) => {
      if (error instanceof AccessDenied) return undefined
      throw error
    })
    if (receipt) return receipt
  }
  return undefined
}

/** The one run of the ledger whose id begins with `id`, or ends in it; a UsageError that helps where there is none, or several. */
export async function runByPrefix(ops: ObjectStore, id: string): Promise<string> {
  const isEnd = /^[0-9a-f]{12}$/.test(id)
  const runs: string[] = []
  for await (const { run } of listRunKeys(ops))
    if (run.startsWith(id) || (isEnd && run.endsWith(`-${id}`))) runs.push(run)
  const [only] = runs
  if (only === undefined)
    throw new UsageError(`There is no run ${JSON.stringify(id)} of a curated table. To list them: weir runs`)
  if (runs.length > 1) throw new UsageError(several('runs', id, runs))
  return only
}

function several(what: string, id: string, ids: string[]): string {
  const shown = ids.slice(0, MOST_SHOWN).join(', ')
  const more = ids.length > MOST_SHOWN ? `, and ${ids.length - MOST_SHOWN} more` : ''
  return `${ids.length} ${what} begin with ${id}: ${shown}${more}. Give more of the id.`
}

function none(id: string): UsageError {
  return new UsageError(`No receipt of an upload ${JSON.stringify(id)}. To list them: weir receipts`)
}
