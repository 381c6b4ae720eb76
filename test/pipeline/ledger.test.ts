// The ledger: receipts by dataset, outcome and time, and one by its upload alone.

import { afterEach, expect, it } from 'vitest'
import { receiptKey } from '../../lib/lake/keys.ts'
import { findReceipt, listReceipts, writeReceipt } from '../../lib/lake/ledger.ts'
import type { Receipt } from '../../lib/lake/receipt.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { type Bench, collect, openBench } from './helpers.ts'
import { standInPlan } from './standin.ts'

let bench: Bench
afterEach(async () => {
  await bench.close()
})

/** Receipts as if the same upload had come on other days and to other datasets. */
async function fill(): Promise<Receipt> {
  bench = await openBench({}, [standInPlan('orders')])
  await bench.land('files/a.txt', 'one\n')
  const receipt = await ingest(bench.context, 'files/a.txt')
  if (!receipt) throw new Error('no receipt')
  const days = ['20260101', '20260102', '20260103']
  for (const dataset of ['files', 'orders', 'unlisted'])
    for (const day of days)
      await writeReceipt(bench.lake.zones.ops, {
        ...receipt,
        dataset,
        upload: `${day}T120000Z-0123456789${{ files: 'aa', orders: 'bb', unlisted: 'cc' }[dataset]}`,
        droppedAt: `${day.slice(0, 4)}-${day.slice(4, 6)}-${day.slice(6)}T12:00:00.000Z`,
        outcome: day === '20260102' ? 'refused' : 'accepted',
      })
  return receipt
}

it('lists all, or by dataset, outcome and time', async () => {
  const receipt = await fill()
  const uploads = async (filter: Parameters<typeof listReceipts>[1]) =>
    (await collect(listReceipts(bench.lake, filter))).map(({ dataset, upload }) => `${dataset} ${upload.slice(0, 8)}`)
  const today = receipt.upload.slice(0, 8)
  expect(await uploads({})).toHaveLength(10)
  expect(await uploads({ dataset: 'files' })).toEqual([
    'files 20260101',
    'files 20260102',
    'files 20260103',
    `files ${today}`,
  ])
  expect(await uploads({ outcome: 'refused' })).toEqual(['files 20260102', 'orders 20260102', 'unlisted 20260102'])
  expect(await uploads({ dataset: 'orders', since: new Date('2026-01-02T12:00:00Z') })).toEqual([
    'orders 20260102',
    'orders 20260103',
  ])
  expect(await uploads({ dataset: 'orders', since: new Date('2026-01-02T12:00:01Z') })).toEqual(['orders 20260103'])
  expect(await uploads({ dataset: 'nobody' })).toEqual([])
})

it('finds a receipt by its upload, also of a dataset that the catalog does not know', async () => {
  const receipt = await fill()
  expect(await findReceipt(bench.lake, receipt.upload)).toEqual(receipt)
  expect((await findReceipt(bench.lake, '20260102T120000Z-0123456789cc'))?.dataset).toBe('unlisted')
  expect(await findReceipt(bench.lake, '20260102T120000Z-0123456789dd')).toBeUndefined()
  expect(await findReceipt(bench.lake, '../../etc/passwd')).toBeUndefined()
})

it('never writes over a receipt, and says which one is damaged', async () => {
  const receipt = await fill()
  expect(await writeReceipt(bench.lake.zones.ops, { ...receipt, outcome: 'refused' })).toBe(false)
  expect((await findReceipt(bench.lake, receipt.upload))?.outcome).toBe('accepted')
  await bench.lake.zones.ops.put(receiptKey('files', receipt.upload), '{')
  await expect(findReceipt(bench.lake, receipt.upload)).rejects.toThrow(
    `The receipt ops/${receiptKey('files', receipt.upload)} cannot be read. Restore it from a backup.`,
  )
})
