// A reconcile that has little time goes through the lake in several runs, and ends where one long run would.

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { listFaults } from '../../lib/lake/faults.ts'
import { faultIdOf } from '../../lib/lake/keys.ts'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { type ReconcileReport, reconcile } from '../../lib/pipeline/reconcile.ts'
import { replay } from '../../lib/pipeline/replay.ts'
import { watchLanding } from '../../lib/pipeline/watch.ts'
import { type Bench, collect, openBench } from './helpers.ts'
import { standInCheck } from './standin.ts'

let bench: Bench
afterEach(() => bench.close())

const PAST = new Date(0)

async function inParts(context: Bench['context']): Promise<ReconcileReport[]> {
  const reports: ReconcileReport[] = []
  for (let cursor: string | undefined; ; ) {
    const report = await reconcile(context, { deadline: PAST, ...(cursor ? { cursor } : {}) })
    reports.push(report)
    expect(reports.length).toBeLessThan(100)
    if (report.next === undefined) return reports
    expect(report.next).not.toBe(cursor)
    cursor = report.next
  }
}

describe('reconcile with a deadline', () => {
  it('goes on where it stopped, until it has seen everything', async () => {
    bench = await openBench()
    for (const name of ['a', 'b', 'c', 'd']) await bench.land(`files/${name}.csv`, `${name}\n`)
    await ingest(bench.context, 'files/b.csv')
    // A partition that was lost, and one that no head knows.
    const [known] = await collect(bench.lake.catalog.listPartitions('clean.files'))
    if (known) await bench.lake.catalog.deletePartition('clean.files', known.values)
    const stray = { values: ['2020-01-01', 'stray-000000000000'], location: 'files/stray/' }
    await bench.lake.catalog.putPartition('clean.files', stray)

    const reports = await inParts(bench.context)
    expect(reports.length).toBeGreaterThan(4)
    expect(await bench.rows()).toEqual(['a', 'b', 'c', 'd'])
    expect(await collect(listReceipts(bench.lake))).toHaveLength(4)
    expect(await bench.lake.catalog.getPartition('clean.files', stray.values)).toBeUndefined()
    expect(reports.flatMap(({ faults }) => faults)).toEqual([])
    expect((await reconcile(bench.context)).mended).toEqual([])
  })

  it('begins again with a cursor that it does not know', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'a\n')
    const report = await reconcile(bench.context, { cursor: 'of another version' })
    expect(report.mended).toContainEqual({ what: 'ingested', detail: 'files/a.csv: accepted' })
    expect(report.next).toBeUndefined()
  })

  it('gives up on a file that does not finish, and goes on after it', async () => {
    bench = await openBench()
    await bench.land('files/endless.csv', 'one\n')
    await bench.land('files/fine.csv', 'two\n')
    const check: typeof standInCheck = (request) =>
      request.fileName === 'endless.csv'
        ? new Promise((_, reject) => request.signal?.addEventListener('abort', () => reject(request.signal?.reason)))
        : standInCheck(request)
    const context = { ...bench.context, check }
    const first = await reconcile(context, { deadline: PAST, abandonAt: new Date(Date.now() + 100) })
    expect(first.faults).toMatchObject([{ what: 'files/endless.csv', source: 'files/endless.csv' }])
    expect(first.faults[0]?.detail).toContain('not finished when the time was over')
    const second = await reconcile(context, { deadline: PAST, cursor: first.next ?? '' })
    expect(second.mended).toContainEqual({ what: 'ingested', detail: 'files/fine.csv: accepted' })
  })
})

describe('faults of sources', () => {
  it('are noted by reconcile with how often it tried, and forgotten when they are mended', async () => {
    bench = await openBench()
    const { ops } = bench.lake.zones
    await bench.land('files/a.csv', 'one\n')
    const broken = { ...bench.context, check: () => Promise.reject(new Error('the disk is full')) }
    await reconcile(broken)
    await reconcile(broken)
    expect(await collect(listFaults(ops))).toMatchObject([
      { id: faultIdOf('files/a.csv'), source: 'files/a.csv', kind: 'fault', attempts: 2 },
    ])
    await reconcile(bench.context)
    expect(await collect(listFaults(ops))).toEqual([])
    expect(await bench.rows()).toEqual(['one'])
  })

  it('are noted by watch where it gives up, and can be replayed', async () => {
    bench = await openBench()
    const { ops } = bench.lake.zones
    const broken = { ...bench.context, check: () => Promise.reject(new Error('the disk is full')) }
    async function* events(): AsyncIterable<string> {
      await bench.land('files/a.csv', 'one\n')
      yield 'files/a.csv'
      await sleep(1)
    }
    await watchLanding(broken, events(), { retries: 1, retryDelayMs: 1 })
    const [fault] = await collect(listFaults(ops))
    expect(fault).toMatchObject({ source: 'files/a.csv', reason: expect.stringContaining('the disk is full') })
    const report = await replay(bench.context, { faults: true })
    expect(report.replayed).toMatchObject([{ source: 'files/a.csv', result: 'decided' }])
    expect(await collect(listFaults(ops))).toEqual([])
  })
})
