// What is larger than the place can take is refused unread; and pages are stored beside receipts where somebody asks for it.

import { afterEach, describe, expect, it } from 'vitest'
import { parseLakeConfig } from '../../lib/lake/config.ts'
import { pageKeyOf } from '../../lib/lake/keys.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { replay } from '../../lib/pipeline/replay.ts'
import { type Bench, openBench } from './helpers.ts'

let bench: Bench
afterEach(() => bench.close())

describe('a file above maxObjectBytes', () => {
  it('is refused with the limit and what to do, and never read', async () => {
    bench = await openBench()
    await bench.land('files/big.csv', 'one\ntwo\n')
    const { lake } = bench
    const landing = { ...lake.zones.landing, fetch: () => Promise.reject(new Error('it was read')) }
    const context = {
      ...bench.context,
      lake: { ...lake, zones: { ...lake.zones, landing }, scratch: lake.scratch },
      limits: { maxObjectBytes: 7 },
    }
    const receipt = await ingest(context, 'files/big.csv')
    expect(receipt).toMatchObject({ outcome: 'refused', size: 8, rows: { read: 0, accepted: 0, rejected: 0 } })
    expect(receipt?.sha256).toBeUndefined()
    expect(receipt?.reason).toEqual({
      code: 'too_large',
      message:
        'files/big.csv has 8 bytes; this lake takes files of up to 7 bytes. It was not read, and stays in landing.',
      advice: expect.stringContaining('Compress it (gzip, zstd) or split it into several files'),
    })
    expect(await bench.rows()).toEqual([])
    expect(bench.notified).toHaveLength(1)
    // It came to its decision: nobody tries it again, until the limit is another and somebody replays it.
    expect(await ingest(context, 'files/big.csv')).toBeUndefined()
    expect((await reconcile(context)).faults).toEqual([])
    expect((await replay(context, { source: 'files/big.csv' })).unchanged).toBe(1)
    const raised = await replay({ ...bench.context, limits: { maxObjectBytes: 8 } }, { source: 'files/big.csv' })
    expect(raised.replayed).toMatchObject([{ result: 'checked_again', detail: 'accepted' }])
    expect(await bench.rows()).toEqual(['one', 'two'])
  })

  it('leaves the version before it in the lake', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const context = { ...bench.context, limits: { maxObjectBytes: 5 } }
    await ingest(context, 'files/a.csv')
    await bench.land('files/a.csv', 'one\ntwo\n')
    expect(await ingest(context, 'files/a.csv')).toMatchObject({ outcome: 'refused' })
    expect(await bench.rows()).toEqual(['one'])
  })
})

describe('the size of files in weir.yaml', () => {
  it('has no limit until somebody sets one', async () => {
    bench = await openBench()
    expect(parseLakeConfig('', 'weir.yaml').limits.maxObjectBytes).toBeUndefined()
    expect(parseLakeConfig('limits: { maxObjectBytes: 2KB }', 'weir.yaml').limits.maxObjectBytes).toBe(2048)
  })
})

describe('the page of a receipt', () => {
  it('is there when the uploader is told', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const { ops } = bench.lake.zones
    const seen: boolean[] = []
    const notifier = {
      notify: async ({ dataset, upload }: { dataset: string; upload: string }) => {
        seen.push((await ops.head(pageKeyOf(dataset, upload))) !== undefined)
      },
    }
    const lake = { ...bench.lake, scratch: bench.lake.scratch, notifier }
    const receipt = await ingest({ ...bench.context, lake, pages: true }, 'files/a.csv')
    expect(seen).toEqual([true])
    const page = await ops.get(pageKeyOf('files', receipt?.upload ?? ''))
    expect(page?.body.toString()).toContain('files/a.csv')
  })

  it('does not fail the upload when it cannot be stored', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const { lake } = bench
    const put: typeof lake.zones.ops.put = (key, body, condition) =>
      key.startsWith('pages/') ? Promise.reject(new Error('no room')) : lake.zones.ops.put(key, body, condition)
    const zones = { ...lake.zones, ops: { ...lake.zones.ops, put } }
    const context = { ...bench.context, lake: { ...lake, scratch: lake.scratch, zones }, pages: true }
    expect(await ingest(context, 'files/a.csv')).toMatchObject({ outcome: 'accepted' })
    expect(bench.events.find(({ event }) => event === 'page_failed')).toMatchObject({ error: 'no room' })
    expect(bench.notified).toHaveLength(1)
  })
})
