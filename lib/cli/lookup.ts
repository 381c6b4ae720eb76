// Finds an upload by its id or the beginning of it.

import { isUploadId, receiptsPrefix } from '../lake/keys.ts'
import { findReceipt } from '../lake/ledger.ts'
import type { Lake } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import { UsageError } from './errors.ts'

const MOST_SHOWN = 5

/** The one receipt whose upload id is or begins with `id`; a UsageError that helps where there is none, or several. */
export async function receiptByPrefix(lake: Lake, id: string): Promise<Receipt> {
  if (isUploadId(id)) {
    const receipt = await findReceipt(lake, id)
    if (receipt) return receipt
    throw none(id)
  }
  const uploads: string[] = []
  if (/^[0-9A-Za-z-]+$/.test(id)) {
    for await (const { key } of lake.zones.ops.list(receiptsPrefix())) {
      const upload = /\/([^/]+)\.json$/.exec(key)?.[1]
      if (upload?.startsWith(id)) uploads.push(upload)
    }
  }
  const [only] = uploads
  if (only === undefined) throw none(id)
  if (uploads.length > 1) {
    const shown = uploads.slice(0, MOST_SHOWN).join(', ')
    const more = uploads.length > MOST_SHOWN ? `, and ${uploads.length - MOST_SHOWN} more` : ''
    throw new UsageError(`${uploads.length} uploads begin with ${id}: ${shown}${more}. Give more of the id.`)
  }
  const receipt = await findReceipt(lake, only)
  if (!receipt) throw none(only)
  return receipt
}

function none(id: string): UsageError {
  return new UsageError(`No receipt of an upload ${JSON.stringify(id)}. To list them: weir receipts`)
}
