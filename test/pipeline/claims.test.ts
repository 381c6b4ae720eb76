// The register of contents when a worker stands still at the worst moment: after it claimed a content, before its head.

import { afterEach, expect, it } from 'vitest'
import { uploadId } from '../../lib/lake/keys.ts'
import { readReceipt } from '../../lib/lake/ledger.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { type Bench, openBench } from './helpers.ts'
import { surround } from './ports.ts'
import { withoutBump } from './sabotage.ts'

let bench: Bench
afterEach(async () => {
  await bench.close()
})

/** A worker that stands still before its first write of a head, until told to go on. */
function holdBeforeHead(lake: Lake): { lake: Lake; held: Promise<void>; goOn: () => void } {
  const gate = Promise.withResolvers<void>()
  const held = Promise.withResolvers<void>()
  let first = true
  const slow = surround(lake, async (call, key, run) => {
    if (call === 'ops.put' && key.startsWith('heads/') && first) {
      first = false
      held.resolve()
      await gate.promise
    }
    return run()
  })
  return { lake: slow, held: held.promise, goOn: gate.resolve }
}

async function race(change: (lake: Lake) => Lake): Promise<{ heads: number; rows: string[] }> {
  const text = 'shared\n'
  const info = await bench.land('files/a.txt', text)
  const slow = holdBeforeHead(bench.lake)
  const first = ingest({ ...bench.context, lake: slow.lake }, 'files/a.txt')
  await slow.held
  // The first source moves on to a version that is refused, so that whatever it published before stays; and another
  // source comes with the bytes that it claimed.
  await bench.land('files/a.txt', 'refuse this\n')
  await bench.land('files/b.txt', text)
  await ingest({ ...bench.context, lake: change(bench.lake) }, 'files/b.txt')
  slow.goOn()
  await first
  await reconcile(bench.context)
  const receipt = await readReceipt(bench.lake.zones.ops, 'files', uploadId('files/a.txt', info))
  expect(receipt).toBeDefined()
  const rows = await bench.rows()
  return { heads: rows.length, rows }
}

it('a claim taken over makes the worker that still carries it look again', async () => {
  bench = await openBench()
  expect(await race((lake) => lake)).toEqual({ heads: 1, rows: ['shared'] })
})

it('without the bump both would give the same rows', async () => {
  bench = await openBench()
  expect(await race(withoutBump)).toEqual({ heads: 2, rows: ['shared', 'shared'] })
})

it('a source in flight is waited for, and a claim whose worker died is taken over when the file is gone', async () => {
  bench = await openBench()
  await bench.land('files/a.txt', 'shared\n')
  const dying = surround(bench.lake, async (call, key, run) => {
    if (call === 'ops.put' && key.startsWith('heads/')) throw new Error('killed')
    return run()
  })
  await expect(ingest({ ...bench.context, lake: dying }, 'files/a.txt')).rejects.toThrow('killed')
  await bench.land('files/b.txt', 'shared\n')
  expect(await ingest(bench.context, 'files/b.txt')).toMatchObject({
    outcome: 'duplicate',
    duplicateOf: { source: 'files/a.txt' },
  })
  expect(await bench.rows()).toEqual([])
  await bench.lake.zones.landing.delete('files/a.txt')
  const { mended } = await reconcile(bench.context)
  expect(mended).toContainEqual({ what: 'promoted', detail: expect.stringContaining('files/b.txt gives the rows') })
  expect(await bench.rows()).toEqual(['shared'])
})

it('many sources with the same bytes at once give them once', async () => {
  bench = await openBench()
  const keys = Array.from({ length: 8 }, (_, index) => `files/${index}.txt`)
  await Promise.all(keys.map((key) => bench.land(key, 'shared\nagain\n')))
  const receipts = await Promise.all(keys.map((key) => ingest(bench.context, key)))
  await reconcile(bench.context)
  expect(await bench.rows()).toEqual(['again', 'shared'])
  expect(receipts.map((receipt) => receipt?.outcome).sort()).toEqual(['accepted', ...Array(7).fill('duplicate')])
})
