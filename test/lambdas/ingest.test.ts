// The ingest function on the embedded lake: what becomes of each message of a batch.

import type { SQSBatchResponse, SQSEvent } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { makeHandler } from '../../lambdas/ingest/batch.ts'
import { replayMessage } from '../../lib/lake/aws/messages.ts'
import { listFaults } from '../../lib/lake/faults.ts'
import { faultKey } from '../../lib/lake/keys.ts'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { type Bench, collect, openBench } from '../pipeline/helpers.ts'
import { standInCheck } from '../pipeline/standin.ts'
import { batch, eventBridgeEvent, notification, S3_TEST_EVENT } from './events.ts'
import { catchLog, letLogGo, type Observed } from './observed.ts'

let bench: Bench
let observer: Observed['observer']
let logged: Observed['logged']
let observed: Observed

beforeEach(() => {
  observed = catchLog()
  observer = observed.observer
  logged = observed.logged
})
afterEach(async () => {
  letLogGo()
  await bench.close()
})

const lambda = (milliseconds = 900_000) => ({ getRemainingTimeInMillis: () => milliseconds, awsRequestId: 'request-1' })

function run(
  event: SQSEvent,
  context: Partial<Bench['context']> = {},
  milliseconds?: number,
): Promise<SQSBatchResponse> {
  const handler = makeHandler(async () => ({ ...bench.context, ...context }), observer)
  return handler(event, lambda(milliseconds))
}

const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })
const outcomes = async () =>
  (await collect(listReceipts(bench.lake))).map((one) => `${one.source} ${one.outcome}`).sort()

describe('a batch', () => {
  it('brings every key to its decision, in whatever shape it came', async () => {
    bench = await openBench()
    await bench.land('files/a b+c%41.csv', 'one\n')
    await bench.land('files/größe 🐟.csv', 'two\nbad\n')
    await bench.land('files/third.csv', 'three\n')
    const answer = await run(
      batch([
        eventBridgeEvent('files/a b+c%41.csv'),
        notification('files/größe 🐟.csv'),
        replayMessage('files/third.csv'),
        S3_TEST_EVENT,
      ]),
    )
    expect(answer).toEqual(failures())
    expect(await outcomes()).toEqual([
      'files/a b+c%41.csv accepted',
      'files/größe 🐟.csv accepted_with_rejects',
      'files/third.csv accepted',
    ])
    expect(await bench.rows()).toEqual(['one', 'three', 'two'])
  })

  it('tells what follows a dataset whenever it was looked at, and fails where nobody could be told', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await bench.land('nobody/b.csv', 'two\n')
    const told: string[][] = []
    let reachable = false
    const follow = async (datasets: Iterable<string>) => {
      if (!reachable) throw new Error('the queue is away')
      told.push([...datasets])
    }
    const handler = makeHandler(async () => bench.context, observer, { follow })
    const event = batch([eventBridgeEvent('files/a.csv')])
    // The rows are published; who follows them must hear of it all the same.
    expect(await handler(event, lambda())).toEqual(failures('message-1'))
    expect(await bench.rows()).toEqual(['one'])
    expect(await collect(listFaults(bench.lake.zones.ops))).toMatchObject([{ reason: 'the queue is away' }])
    reachable = true
    expect(await handler(batch([eventBridgeEvent('files/a.csv')], 2), lambda())).toEqual(failures())
    expect(told).toEqual([['files']])
    // What belongs to no dataset concerns nobody.
    expect(await handler(batch([eventBridgeEvent('nobody/b.csv')]), lambda())).toEqual(failures())
    expect(told).toEqual([['files'], []])
  })

  it('looks at a key once, however many of its messages name it', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    let checks = 0
    const check: typeof standInCheck = (request) => {
      checks++
      return standInCheck(request)
    }
    const event = batch([
      eventBridgeEvent('files/a.csv'),
      notification('files/a.csv', 'files/a.csv'),
      eventBridgeEvent('files/a.csv'),
    ])
    expect(await run(event, { check })).toEqual(failures())
    expect(checks).toBe(1)
    expect(logged('upload')).toHaveLength(1)
  })

  it('gives every version that an event names its receipt, also one that was replaced before the look', async () => {
    bench = await openBench()
    const versions: string[] = []
    for (const text of ['one\n', 'two\n', 'three\n']) versions.push((await bench.land('files/a.csv', text)).version)
    const created = versions.map((version) => eventBridgeEvent('files/a.csv', 'Object Created', version))
    let checks = 0
    const check: typeof standInCheck = (request) => {
      checks++
      return standInCheck(request)
    }
    // Together, as a batch holds them, and each of them a second time.
    expect(await run(batch([...created, ...created.toReversed()]), { check })).toEqual(failures())
    expect(await run(batch(created, 2), { check })).toEqual(failures())
    const receipts = await collect(listReceipts(bench.lake))
    expect(receipts.map(({ version, outcome }) => `${versions.indexOf(version)} ${outcome}`).sort()).toEqual([
      '0 superseded',
      '1 superseded',
      '2 accepted',
    ])
    expect(checks).toBe(1)
    expect(bench.notified).toHaveLength(3)
    expect(logged('upload')).toHaveLength(3)
    expect(await bench.rows()).toEqual(['three'])
  })

  it('gives a version that was deleted before the look its receipt, and a delete marker none', async () => {
    bench = await openBench()
    const { version } = await bench.land('files/a.csv', 'one\n')
    await bench.lake.zones.landing.delete('files/a.csv')
    const created = eventBridgeEvent('files/a.csv', 'Object Created', version)
    expect(await run(batch([created, eventBridgeEvent('files/a.csv', 'Object Deleted')]))).toEqual(failures())
    expect(await outcomes()).toEqual(['files/a.csv superseded'])
    expect(logged('upload')).toMatchObject([{ reason: 'gone' }])
    // It comes back as another version, and that one counts.
    const back = await bench.land('files/a.csv', 'one\n')
    const again = eventBridgeEvent('files/a.csv', 'Object Created', back.version)
    expect(await run(batch([created, again]))).toEqual(failures())
    expect(await outcomes()).toEqual(['files/a.csv accepted', 'files/a.csv superseded'])
    expect(await bench.rows()).toEqual(['one'])
  })

  it('has a message come again whose version could not be settled', async () => {
    bench = await openBench()
    const { version } = await bench.land('files/a.csv', 'one\n')
    await bench.land('files/a.csv', 'two\n')
    const { lake } = bench
    const head: typeof lake.zones.landing.head = (key, which) =>
      which === undefined ? lake.zones.landing.head(key) : Promise.reject(new Error('throttled'))
    const zones = { ...lake.zones, landing: { ...lake.zones.landing, head } }
    const event = batch([eventBridgeEvent('files/a.csv', 'Object Created', version)])
    expect(await run(event, { lake: { ...lake, zones } })).toEqual(failures('message-1'))
    expect(await outcomes()).toEqual(['files/a.csv accepted'])
    expect(await run(event)).toEqual(failures())
    expect(await outcomes()).toEqual(['files/a.csv accepted', 'files/a.csv superseded'])
  })

  it('works on a few keys at a time', async () => {
    bench = await openBench()
    const keys = Array.from({ length: 8 }, (_, n) => `files/${n}.csv`)
    for (const key of keys) await bench.land(key, `${key}\n`)
    let running = 0
    let most = 0
    const check: typeof standInCheck = async (request) => {
      most = Math.max(most, ++running)
      try {
        return await standInCheck(request)
      } finally {
        running--
      }
    }
    expect(await run(batch(keys.map((key) => eventBridgeEvent(key))), { check })).toEqual(failures())
    expect(most).toBeLessThanOrEqual(2)
    expect(await outcomes()).toHaveLength(8)
  })

  it('follows a deletion where the contract says so', async () => {
    bench = await openBench({ onDelete: 'retract' })
    await bench.land('files/a.csv', 'one\n')
    await run(batch([eventBridgeEvent('files/a.csv')]))
    await bench.lake.zones.landing.delete('files/a.csv')
    expect(await run(batch([eventBridgeEvent('files/a.csv', 'Object Deleted')]))).toEqual(failures())
    expect(await bench.rows()).toEqual([])
    expect(await outcomes()).toEqual(['files/a.csv accepted', 'files/a.csv retracted'])
  })

  it('replays only what may be replayed', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await run(batch([eventBridgeEvent('files/a.csv')]))
    await retract(bench.context, 'files/a.csv')
    expect(await run(batch([replayMessage('files/a.csv', true)]))).toEqual(failures())
    expect(logged('replayed')).toMatchObject([{ source: 'files/a.csv', result: 'skipped' }])
    expect(await bench.rows()).toEqual([])
  })
})

describe('a message that fails', () => {
  it('comes again alone; its reason lies in the ops zone until it succeeds', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    await bench.land('files/b.csv', 'two\n')
    const event = batch([eventBridgeEvent('files/a.csv'), eventBridgeEvent('files/b.csv')])
    const check: typeof standInCheck = async (request) => {
      if (request.fileName === 'b.csv') throw new Error('no memory left')
      return standInCheck(request)
    }
    expect(await run(event, { check })).toEqual(failures('message-2'))
    expect(await bench.rows()).toEqual(['one'])
    expect(await collect(listFaults(bench.lake.zones.ops))).toMatchObject([
      {
        id: 'message-2',
        source: 'files/b.csv',
        kind: 'fault',
        attempts: 1,
        reason: expect.stringContaining('no memory left'),
      },
    ])
    expect(logged('message_failed')).toMatchObject([{ messageId: 'message-2', source: 'files/b.csv', kind: 'fault' }])

    expect(await run(batch([eventBridgeEvent('files/a.csv'), eventBridgeEvent('files/b.csv')], 2))).toEqual(failures())
    expect(await bench.rows()).toEqual(['one', 'two'])
    expect(await collect(listFaults(bench.lake.zones.ops))).toEqual([])
  })

  it('is poison when nobody can read it, and says so with its body, each time', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    for (const attempt of [1, 5])
      expect(await run(batch(['{"hello":', eventBridgeEvent('files/a.csv')], attempt))).toEqual(failures('message-1'))
    expect(await collect(listFaults(bench.lake.zones.ops))).toMatchObject([
      {
        id: 'message-1',
        kind: 'poison',
        body: '{"hello":',
        attempts: 5,
        reason: expect.stringMatching(/^The message is not JSON/),
      },
    ])
    expect(logged('message_failed').at(-1)).toMatchObject({
      level: 'ERROR',
      kind: 'poison',
      body: '{"hello":',
      attempts: 5,
    })
    expect(await bench.rows()).toEqual(['one'])
  })

  it('comes again later each time, and poison at once', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const check: typeof standInCheck = () => Promise.reject(new Error('no'))
    const pauses: number[] = []
    const comeAgain = async (_: unknown, seconds: number): Promise<void> => {
      pauses.push(seconds)
      if (seconds === 0) throw new Error('not allowed')
    }
    const handler = makeHandler(async () => ({ ...bench.context, check }), observer, { comeAgain })
    for (const attempt of [1, 2, 3, 4, 5])
      expect(await handler(batch([eventBridgeEvent('files/a.csv')], attempt), lambda())).toEqual(failures('message-1'))
    expect(await handler(batch(['poison']), lambda())).toEqual(failures('message-1'))
    expect(pauses).toEqual([15, 60, 240, 900, 900, 0])
    expect(logged('pause_not_set')).toHaveLength(1)
  })

  it('fails also where all of a batch fail, and where the reason cannot be noted', async () => {
    bench = await openBench()
    const { lake } = bench
    const put: typeof lake.zones.ops.put = (key, body, condition) =>
      key === faultKey('message-1') ? Promise.reject(new Error('throttled')) : lake.zones.ops.put(key, body, condition)
    const zones = { ...lake.zones, ops: { ...lake.zones.ops, put } }
    const context = { lake: { ...lake, scratch: lake.scratch, zones } }
    expect(await run(batch(['no', 'neither']), context)).toEqual(failures('message-1', 'message-2'))
    expect(logged('fault_not_noted')).toMatchObject([{ messageId: 'message-1' }])
    expect((await collect(listFaults(lake.zones.ops))).map(({ id }) => id)).toEqual(['message-2'])
  })

  it('does not begin what there is no time for', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    expect(await run(batch([eventBridgeEvent('files/a.csv')]), {}, 10_000)).toEqual(failures('message-1'))
    expect(await outcomes()).toEqual([])
    expect(logged('message_failed')).toMatchObject([
      { reason: 'There was no time left to begin with files/a.csv in this run.' },
    ])
    expect(await run(batch([eventBridgeEvent('files/a.csv')], 2))).toEqual(failures())
    expect(await outcomes()).toEqual(['files/a.csv accepted'])
  })

  it('stops what does not finish, and leaves nothing half done', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\n')
    const check: typeof standInCheck = ({ signal }) =>
      new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason)))
    const stop = new AbortController()
    vi.spyOn(AbortSignal, 'timeout').mockReturnValue(stop.signal)
    const running = run(batch([eventBridgeEvent('files/a.csv')]), { check })
    setTimeout(() => stop.abort(new DOMException('over', 'TimeoutError')), 50)
    expect(await running).toEqual(failures('message-1'))
    expect(logged('message_failed')[0]?.reason).toContain('files/a.csv could not be finished before the function')
    expect(await outcomes()).toEqual([])
    expect(await bench.rows()).toEqual([])
  })

  it('does not go to the dead letters for a file that belongs to no dataset', async () => {
    bench = await openBench()
    await bench.land('readme.txt', 'hello\n')
    await bench.land('nobody/a.csv', 'one\n')
    await bench.land('files/.DS_Store', 'x')
    const keys = ['readme.txt', 'nobody/a.csv', 'files/.DS_Store', 'files/', 'nobody/']
    expect(await run(batch(keys.map((key) => eventBridgeEvent(key))))).toEqual(failures())
    expect(await outcomes()).toEqual([])
    expect(logged('not_ingested').every((line) => line.level === 'WARN')).toBe(true)
    expect(logged('not_ingested').map((line) => line.source)).toEqual(['readme.txt', 'nobody/a.csv'])
    expect(logged('file_ignored').map((line) => line.source)).toEqual(['files/.DS_Store'])
  })
})

describe('what operators see', () => {
  it('is one structured line for each upload, and its figures for its dataset and for the lake', async () => {
    bench = await openBench()
    await bench.land('files/a.csv', 'one\nbad\n')
    await run(batch([eventBridgeEvent('files/a.csv')]))
    const [receipt] = await collect(listReceipts(bench.lake))
    expect(logged('upload')).toMatchObject([
      {
        level: 'INFO',
        service: 'weir-test',
        upload: receipt?.upload,
        dataset: 'files',
        source: 'files/a.csv',
        outcome: 'accepted_with_rejects',
        reason: 'rows_rejected',
        rows: { read: 2, accepted: 1, rejected: 1 },
        bytes: 8,
        timings: { total: expect.any(Number) },
        messageId: 'message-1',
        requestId: 'request-1',
      },
    ])
    expect(logged('receipt')).toEqual([])
    const metrics = observed.metrics()
    expect(metrics).toMatchObject([
      {
        service: 'weir-test',
        dataset: 'files',
        Uploads: 1,
        RowsRead: 2,
        RowsAccepted: 1,
        RowsRejected: 1,
        Refused: 0,
        BytesIn: 8,
      },
      {
        service: 'weir-test',
        dataset: '(all)',
        Uploads: 1,
        RowsRead: 2,
        RowsAccepted: 1,
        RowsRejected: 1,
        Refused: 0,
        BytesIn: 8,
      },
    ])
    expect(metrics[0]?._aws).toMatchObject({
      CloudWatchMetrics: [{ Namespace: 'Weir', Dimensions: [['service', 'dataset']] }],
    })
  })
})
