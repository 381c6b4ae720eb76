// The reconcile function on the embedded lake: what it tells, and that it goes through a lake that takes several runs.

import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { makeHandler } from '../../lambdas/reconcile/sweep.ts'
import { RECONCILE_CURSOR } from '../../lib/lake/keys.ts'
import { type Bench, openBench } from '../pipeline/helpers.ts'
import { catchLog, letLogGo, type Observed } from './observed.ts'

let bench: Bench
let observed: Observed
beforeEach(() => {
  observed = catchLog()
})
afterEach(async () => {
  letLogGo()
  await bench.close()
})

const sweep = (milliseconds = 900_000) =>
  makeHandler(async () => bench.context, observed.observer)(
    { source: 'aws.scheduler' },
    { getRemainingTimeInMillis: () => milliseconds, awsRequestId: 'request-1' },
  )

describe('the reconcile function', () => {
  it('takes in what no event told of, and tells what it mended', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await bench.land('nobody/b.csv', 'two\n')
    expect(await sweep()).toMatchObject({ mended: 2, faults: 1, finished: true, checked: { files: 2, heads: 1 } })
    expect(await bench.rows()).toEqual(['one'])
    expect(observed.logged('mended').map(({ detail }) => detail)).toContain('files/a.csv: accepted')
    expect(observed.logged('fault')).toMatchObject([{ what: 'unknown dataset' }])
    expect(observed.logged('upload')).toMatchObject([{ source: 'files/a.csv', outcome: 'accepted' }])
    expect(observed.metrics()).toContainEqual(
      expect.objectContaining({ service: 'weir-test', Mended: 2, ReconcileFaults: 1 }),
    )
    expect(await sweep()).toMatchObject({ mended: 0, finished: true })
  })

  it('has every curated table looked at, after what it mended; where it cannot, it fails and keeps its place', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const context = { getRemainingTimeInMillis: () => 900_000, awsRequestId: 'request-1' }
    const seen: string[][] = []
    const follow = async () => {
      seen.push(await bench.rows())
      return 3
    }
    const handler = makeHandler(async () => bench.context, observed.observer, { follow })
    expect(await handler({}, context)).toMatchObject({ mended: 2, curated: 3, finished: true })
    expect(seen).toEqual([['one']])
    const away = makeHandler(async () => bench.context, observed.observer, {
      follow: () => Promise.reject(new Error('the queue is away')),
    })
    await expect(away({}, context)).rejects.toThrow('the queue is away')
  })

  it('goes on in the next run where its time was over', async () => {
    bench = await openBench()
    const { ops } = bench.lake.zones
    for (const name of ['a', 'b', 'c']) await bench.land(`files/${name}.csv`, `${name}\n`)
    const first = await sweep(0)
    expect(first.finished).toBe(false)
    expect((await ops.get(RECONCILE_CURSOR))?.body.toString()).toContain('"phase"')
    let runs = 1
    while (!(await sweep(0)).finished) expect(++runs).toBeLessThan(50)
    expect((await ops.get(RECONCILE_CURSOR))?.body.toString()).toBe('')
    await sweep()
    expect(await bench.rows()).toEqual(['a', 'b', 'c'])
    expect(await sweep()).toMatchObject({ mended: 0, finished: true })
  })
})
