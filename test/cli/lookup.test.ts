import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { receiptAmong } from '../../lib/cli/lookup.ts'
import type { Plan } from '../../lib/contract/plan.ts'
import { AccessDenied } from '../../lib/lake/aws/errors.ts'
import { writeReceipt } from '../../lib/lake/ledger.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { receiptFor } from '../conformance/query.ts'

const folder = await mkdtemp(join(tmpdir(), 'weir-lookup-'))
const lake = await openLocalLake(folder)
afterAll(async () => {
  await lake.close()
  await rm(folder, { recursive: true, force: true })
})

const UPLOAD = '20260301T080000Z-0123456789ab'
const plans = new Map(['airports', 'movies'].map((dataset) => [dataset, { dataset } as Plan]))

/** The lake as the role of one dataset sees it. */
const closed = (error: Error): Lake => {
  const get: Lake['zones']['ops']['get'] = async (key) => {
    if (key.includes('dataset=airports/')) throw error
    return lake.zones.ops.get(key)
  }
  const zones = { ...lake.zones, ops: { ...lake.zones.ops, get } }
  return Object.create(lake, { zones: { value: zones } }) as Lake
}

test('an uploader of some datasets finds the receipt of a repair file among those, and trips over no other', async () => {
  const denied = closed(new AccessDenied('Could not read: access denied.'))
  const session = { lake: async () => denied }
  expect(await receiptAmong(session, plans, UPLOAD)).toBeUndefined()
  await writeReceipt(lake.zones.ops, receiptFor(UPLOAD, { dataset: 'movies' }))
  expect(await receiptAmong(session, plans, UPLOAD)).toMatchObject({ upload: UPLOAD, dataset: 'movies' })
})

test('what is broken stays an error', async () => {
  const broken = closed(new Error('The connection broke.'))
  await expect(receiptAmong({ lake: async () => broken }, plans, UPLOAD)).rejects.toThrow('The connection broke.')
})
