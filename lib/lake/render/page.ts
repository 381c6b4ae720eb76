// Writes the page of a receipt: a projection, which may be written again whenever something it shows changed.

import { pageKeyOf } from '../keys.ts'
import { findReceipt, repairsOf } from '../ledger.ts'
import type { Lake } from '../ports.ts'
import type { Receipt } from '../receipt.ts'
import { renderHtml } from './html.ts'
import type { ReceiptExtras } from './words.ts'

/** Key of the page in the ops zone. */
export const pageKey = (receipt: Pick<Receipt, 'dataset' | 'upload'>): string =>
  pageKeyOf(receipt.dataset, receipt.upload)

/** What a renderer shows besides the receipt: how much has been repaired since, where the repair file is, and which lake. */
export async function receiptExtras(lake: Lake, receipt: Receipt): Promise<ReceiptExtras> {
  const named = lake.name === undefined ? {} : { lake: lake.name }
  if (!receipt.rejects) return named
  return {
    ...named,
    repaired: await repairsOf(lake, receipt),
    repairFile: lake.locate('ops', receipt.rejects.csv),
  }
}

/**
 * Writes `pages/…/<upload>.html`, and anew the pages of the uploads that this one repairs, which now show more rows
 * as repaired. Returns where the page is.
 */
export async function writeReceiptPage(lake: Lake, receipt: Receipt): Promise<string> {
  for (const { upload } of receipt.repairs) {
    const repaired = await findReceipt(lake, upload)
    if (repaired) await writeOne(lake, repaired)
  }
  return writeOne(lake, receipt)
}

async function writeOne(lake: Lake, receipt: Receipt): Promise<string> {
  const key = pageKey(receipt)
  await lake.zones.ops.put(key, renderHtml(receipt, await receiptExtras(lake, receipt)))
  return lake.locate('ops', key)
}
