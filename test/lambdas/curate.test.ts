// The curate function on the embedded lake: what becomes of each message of a batch, who is told, and what is sent on.

import type { SQSBatchResponse, SQSEvent, SQSRecord } from 'aws-lambda'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { follower } from '../../lambdas/common/follow.ts'
import { makeHandler } from '../../lambdas/curate/batch.ts'
import {
  type CurateWish,
  deduplicationId,
  groupOf,
  openCurateQueue,
  readWish,
} from '../../lib/lake/aws/curate-queue.ts'
import type { CuratedIndex } from '../../lib/lake/aws/curated-index.ts'
import { PoisonMessage } from '../../lib/lake/aws/messages.ts'
import { openRunNotifier, runFinished, runFinishedSchema, runMessage } from '../../lib/lake/aws/run-notifier.ts'
import { QueryError, StillRunning } from '../../lib/lake/errors.ts'
import { listFaults } from '../../lib/lake/faults.ts'
import type { CuratedTables } from '../../lib/lake/ports.ts'
import type { Run } from '../../lib/lake/runs.ts'
import { readTableState } from '../../lib/lake/table-state.ts'
import type { CurateContext } from '../../lib/pipeline/curate/context.ts'
import { keyedPlan } from '../pipeline/curate-standin.ts'
import { type CuratedBench, openCurated } from '../pipeline/curated.ts'
import { collect } from '../pipeline/helpers.ts'
import { catchLog, letLogGo, type Observed } from './observed.ts'

const DAILY = 'SELECT day, sum(amount) AS total FROM curated.orders GROUP BY day'
const TESTED = `/*---
tests:
  - sql: SELECT day FROM curated.best WHERE total < 0
    name: no_losses
---*/
SELECT day, total FROM curated.daily ORDER BY total DESC, day LIMIT 1`

let bench: CuratedBench
let observed: Observed
let sent: CurateWish[]
let told: Run[]
let pauses: [string, number][]

beforeEach(() => {
  observed = catchLog()
  sent = []
  told = []
  pauses = []
})
afterEach(async () => {
  letLogGo()
  await bench?.close()
})

const open = async (models: Record<string, string> = {}) => {
  bench = await openCurated([keyedPlan('orders', { mode: 'merge' })], models)
  return bench
}
const row = (k: string, amount: number, day = '2026-01-01') => ({ k, day, amount })
const wish = (table: string, more: object = {}): CurateWish => ({ weir: 'curate', table, trigger: 'test', ...more })

/** A batch as SQS gives it: `m1` and so on, each in the group of its table. */
const batch = (wishes: (CurateWish | string)[], attempts = 1): SQSEvent => ({
  Records: wishes.map(
    (one, index): SQSRecord => ({
      messageId: `m${index + 1}`,
      receiptHandle: `handle-${index + 1}`,
      body: typeof one === 'string' ? one : JSON.stringify(one),
      attributes: {
        ApproximateReceiveCount: String(attempts),
        SentTimestamp: '1763078400000',
        SenderId: 'AIDAIENQZJOLO23YVJ4VO',
        ApproximateFirstReceiveTimestamp: '1763078400001',
        MessageGroupId: typeof one === 'string' ? 'orders' : groupOf(one),
        MessageDeduplicationId: String(index),
        SequenceNumber: String(index),
      },
      messageAttributes: {},
      md5OfBody: '',
      eventSource: 'aws:sqs',
      eventSourceARN: 'arn:aws:sqs:eu-central-1:111122223333:weir-curate.fifo',
      awsRegion: 'eu-central-1',
    }),
  ),
})

const run = (
  wishes: (CurateWish | string)[],
  how: { attempts?: number; tables?: Partial<CuratedTables>; milliseconds?: number; send?: () => Promise<void> } = {},
): Promise<SQSBatchResponse> => {
  const { context } = bench
  const lake = how.tables ? { ...context.lake, tables: { ...context.lake.tables, ...how.tables } } : context.lake
  const opened: CurateContext = { ...context, lake }
  const handler = makeHandler(async () => opened, observed.observer, {
    send: how.send ?? (async (wishes) => void sent.push(...wishes)),
    tell: async (run) => void told.push(run),
    comeAgain: async ({ messageId }, seconds) => void pauses.push([messageId, seconds]),
  })
  const { milliseconds = 900_000 } = how
  return handler(batch(wishes, how.attempts), {
    getRemainingTimeInMillis: () => milliseconds,
    awsRequestId: 'request-1',
  })
}
const failures = (...ids: string[]) => ({ batchItemFailures: ids.map((itemIdentifier) => ({ itemIdentifier })) })
const total = async (table = 'orders') => (await bench.rows(`SELECT count(*) FROM curated.${table}`))[0]?.[0]

describe('a batch', () => {
  it('does a table once, however many of its messages there are, and sends messages for what is made from it', async () => {
    const { drop } = await open({ daily: DAILY })
    await drop('orders/a.csv', [row('x', 1), row('y', 2)])
    expect(await run([wish('orders'), wish('orders'), wish('orders')])).toEqual(failures())
    expect(await total()).toBe('2')
    expect(told.map(({ table, outcome }) => `${table} ${outcome}`)).toEqual(['orders published'])
    expect(sent).toEqual([wish('daily', { trigger: 'curated.orders' })])
    expect(observed.logged('curated')).toMatchObject([{ table: 'orders', outcome: 'published', messageId: 'm1' }])
    expect(observed.metrics()).toEqual([
      expect.objectContaining({ service: 'weir-test', CurateRuns: 1, ModelTestsFailed: 0, CurateFailed: 0 }),
    ])
    expect(await run(sent.splice(0))).toEqual(failures())
    expect(await bench.rows('SELECT * FROM curated.daily')).toEqual([['2026-01-01', '3']])
    expect(sent).toEqual([])
  })

  it('drops a table that nothing makes any more, and lets one that is made be', async () => {
    const { context, drop, with: using } = await open({ daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    await run([wish('orders'), wish('daily')])
    await run([wish('daily')])
    const asked: CurateWish[] = [
      { weir: 'drop', table: 'daily' },
      { weir: 'drop', table: 'orders' },
    ]
    expect(asked.map((one) => readWish(JSON.stringify(one)))).toEqual(asked)
    expect(asked.map(groupOf)).toEqual(['daily', 'orders'])
    bench.context = { ...context, ...(await using([keyedPlan('orders', { mode: 'merge' })])) }
    expect(await run(asked)).toEqual(failures())
    expect(observed.logged('table_dropped')).toMatchObject([{ table: 'daily' }])
    expect(observed.logged('not_dropped')).toMatchObject([
      { table: 'orders', reason: expect.stringContaining('makes it, so it would only come again') },
    ])
    await expect(total('daily')).rejects.toThrow('There is no table curated.daily')
    expect(await total()).toBe('1')
  })

  it('does nothing where nothing has changed, and tells nobody', async () => {
    const { drop } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    await run([wish('orders')])
    told.length = 0
    expect(await run([wish('orders')])).toEqual(failures())
    expect(told).toEqual([])
    expect(observed.logged('curated_nothing')).toMatchObject([{ table: 'orders', outcome: 'nothing' }])
  })

  it('sends on what it may have missed to send, when a message comes again', async () => {
    const { drop } = await open({ daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    // Published, and then the queue did not take the message for what follows.
    const send = () => Promise.reject(new Error('the queue is away'))
    expect(await run([wish('orders')], { send })).toEqual(failures('m1'))
    expect(await total()).toBe('1')
    expect(await run([wish('orders')], { attempts: 2 })).toEqual(failures())
    expect(sent).toEqual([wish('daily', { trigger: 'curated.orders' })])
  })

  it('asks first for the table that a table waits for', async () => {
    const { drop } = await open({ daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    expect(await run([wish('daily')])).toEqual(failures())
    expect(observed.logged('curated_nothing')).toMatchObject([{ table: 'daily', outcome: 'waiting' }])
    expect(sent).toEqual([wish('orders', { trigger: 'curated.daily' })])
  })

  it('tells the tables of a dataset, and tidies every table, by messages of their own', async () => {
    const { drop } = await open({ daily: DAILY })
    await drop('orders/a.csv', [row('x', 1)])
    expect(await run([{ weir: 'curate', dataset: 'orders', trigger: 'weir retract' }, { weir: 'maintain' }])).toEqual(
      failures(),
    )
    expect(sent).toEqual([
      wish('orders', { trigger: 'weir retract' }),
      { weir: 'maintain', table: 'orders' },
      { weir: 'maintain', table: 'daily' },
    ])
    await run([wish('orders')])
    expect(await run([{ weir: 'maintain', table: 'orders' }])).toEqual(failures())
    expect(observed.logged('maintained')).toMatchObject([{ table: 'orders' }])
  })

  it('makes a table anew when it is asked to', async () => {
    const { drop } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    await run([wish('orders')])
    await run([wish('orders'), wish('orders', { full: true })])
    expect(told.map(({ scope }) => scope)).toEqual(['full', 'full'])
    expect(told).toHaveLength(2)
  })

  it('passes by a table that a later deployment has taken away', async () => {
    await open()
    expect(await run([wish('gone')])).toEqual(failures())
    expect(observed.logged('no_such_table')).toMatchObject([{ table: 'gone' }])
  })
})

describe('tests of a model that fail', () => {
  it('keep the table in front of readers, ring the alarm, tell once, and are no failure of the message', async () => {
    const { drop } = await open({ daily: DAILY, best: TESTED })
    await drop('orders/a.csv', [row('x', 1)])
    for (const table of ['orders', 'daily', 'best']) await run([wish(table)])
    await drop('orders/b.csv', [row('x', -5)])
    for (const table of ['orders', 'daily']) await run([wish(table)])
    told.length = 0
    expect(await run([wish('best')])).toEqual(failures())
    expect(await bench.rows('SELECT * FROM curated.best')).toEqual([['2026-01-01', '1']])
    expect(observed.metrics().at(-1)).toMatchObject({ CurateRuns: 1, ModelTestsFailed: 1, CurateFailed: 0 })
    const [failed] = told
    expect(told).toHaveLength(1)
    if (!failed) throw new Error('nobody was told')
    expect(runMessage(failed, 'weir')).toEqual({
      subject: '[weir] curated.best: 1 test failed, readers keep the last good version',
      text: expect.stringContaining('  no_losses: 1 row breaks it\n'),
    })
    expect(runMessage(failed, 'weir')?.text).toContain('Readers keep the last good version of the table')
    // The rows themselves are for whoever may read the ledger.
    expect(runMessage(failed, 'weir')?.text).not.toContain('2026-01-01"')
    const names = { environment: 'weir', buckets: { landing: 'l', clean: 'c', curated: 'u', ops: 'o' } }
    expect(runFinishedSchema.parse(runFinished(failed, names))).toMatchObject({
      outcome: 'failed_tests',
      failedTests: ['no_losses'],
      reason: 'failed_tests',
      record: { bucket: 'o', key: expect.stringContaining(`runs/table=best/`) },
    })
    // The same again: nothing new to try, and nothing to tell.
    expect(await run([wish('best')])).toEqual(failures())
    expect(told).toHaveLength(1)
    expect(pauses).toEqual([])
  })
})

describe('whoever is told', () => {
  const failed: Run = {
    format: 'weir.run/1',
    run: '20260301T080000000Z-0123456789ab',
    table: 'best',
    kind: 'table',
    outcome: 'failed_tests',
    scope: 'full',
    startedAt: '2026-03-01T08:00:00.000Z',
    finishedAt: '2026-03-01T08:00:01.000Z',
    version: null,
    rows: { written: 3, removed: null, total: 3 },
    uploads: { came: 0, left: 0, names: [] },
    inputs: {},
    statements: [],
    bytesScanned: null,
    cost: null,
    tests: [
      { test: 'unique', column: 'day', severity: 'error', passed: false, failures: 3, samples: ['{"day":"secret"}'] },
      { test: 'plausible', severity: 'warning', passed: false, failures: 9, samples: [] },
    ],
    reason: { code: 'failed_tests', message: 'A test failed.', advice: 'Mend it.' },
    weir: '0.1.0',
  }
  const deployed = {
    partition: 'aws',
    region: 'eu-central-1',
    account: '111122223333',
    environment: 'weir',
    buckets: { landing: 'l', clean: 'c', curated: 'u', ops: 'o' },
    eventBus: 'weir-events',
  }
  /** A client that notes what it is sent. */
  const client = (answer: () => Promise<object>) => {
    const inputs: Record<string, unknown>[] = []
    const send = async ({ input }: { input: Record<string, unknown> }) => {
      inputs.push(input)
      return answer()
    }
    return { inputs, send }
  }

  it('hears which tests failed, what a reader has, and no value of a row', async () => {
    const [sns, events] = [client(async () => ({})), client(async () => ({}))]
    await openRunNotifier({ sns: sns as never, events: events as never, deployed }).tell(failed)
    expect(sns.inputs).toMatchObject([
      {
        TopicArn: 'arn:aws:sns:eu-central-1:111122223333:weir-alarms-of-weir',
        Subject: '[weir] curated.best: 1 test failed, readers keep the last good version',
        Message: expect.stringContaining('  unique(day): 3 rows break it\n'),
      },
    ])
    expect(JSON.stringify([sns.inputs, events.inputs])).not.toContain('secret')
    // A warning holds nothing back.
    expect(String(sns.inputs[0]?.Message)).not.toContain('plausible')
    await openRunNotifier({ sns: sns as never, events: events as never, deployed }).tell({
      ...failed,
      outcome: 'published',
      reason: null,
    })
    expect([sns.inputs.length, events.inputs.length]).toEqual([1, 2])
  })

  it('is told by one way also when the other is closed, and the error names that', async () => {
    const sns = client(async () => ({}))
    const events = client(async () => ({ FailedEntryCount: 1, Entries: [{ ErrorMessage: 'the bus is gone' }] }))
    const { tell } = openRunNotifier({ sns: sns as never, events: events as never, deployed })
    await expect(tell(failed)).rejects.toThrow('Could not tell the event bus weir-events: the bus is gone')
    expect(sns.inputs).toHaveLength(1)
    const both = openRunNotifier({
      sns: client(() => Promise.reject(new Error('no such topic'))) as never,
      events: events as never,
      deployed,
    })
    await expect(both.tell(failed)).rejects.toThrow(/the bus is gone And: .*weir-alarms-of-weir: no such topic/)
  })
})

describe('a run that does not come to its end', () => {
  it('comes again after a minute while its statement still runs, and is no fault', async () => {
    const { drop, lake } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    const deadlines: number[] = []
    const stage: CuratedTables['stage'] = async (_job, { deadline }) => {
      deadlines.push((deadline?.getTime() ?? 0) - Date.now())
      throw new StillRunning('Athena still works on it.')
    }
    expect(await run([wish('orders'), wish('orders')], { tables: { stage } })).toEqual(failures('m1', 'm2'))
    // Half a minute is kept, to say so.
    expect(deadlines[0]).toBeLessThanOrEqual(870_000)
    expect(deadlines[0]).toBeGreaterThan(800_000)
    expect(pauses).toEqual([
      ['m1', 60],
      ['m2', 60],
    ])
    expect(observed.logged('still_running')).toMatchObject([{ messages: 2 }])
    expect(await collect(listFaults(lake.zones.ops))).toEqual([])
    expect(await run([wish('orders')], { attempts: 2 })).toEqual(failures())
    expect(await total()).toBe('1')
  })

  it('is noted as a fault, comes again later and later, and is forgotten when it is mended', async () => {
    const { drop, lake } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    const stage = () => Promise.reject(new Error('the disk is full'))
    expect(await run([wish('orders'), wish('orders')], { tables: { stage } })).toEqual(failures('m1', 'm2'))
    expect(await collect(listFaults(lake.zones.ops))).toMatchObject([
      { id: 'm1', kind: 'fault', reason: 'the disk is full', attempts: 1 },
      { id: 'm2' },
    ])
    for (const attempts of [2, 3, 4, 7]) await run([wish('orders')], { tables: { stage }, attempts })
    expect(pauses.map(([, seconds]) => seconds)).toEqual([15, 15, 60, 240, 600, 600])
    expect(await run([wish('orders'), wish('orders')], { attempts: 8 })).toEqual(failures())
    expect(await collect(listFaults(lake.zones.ops))).toEqual([])
  })

  it('is tried again when its statement could not run, and told of once', async () => {
    const { drop } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    const stage = () => Promise.reject(new QueryError('INTERNAL_ERROR'))
    expect(await run([wish('orders')], { tables: { stage } })).toEqual(failures('m1'))
    expect(told).toMatchObject([{ outcome: 'failed', reason: { code: 'query_failed' } }])
    expect(runMessage(told[0] as Run, 'weir')?.subject).toBe(
      '[weir] curated.orders: could not be brought up to date, readers keep the last good version',
    )
    // Not as somebody asked: as the inputs are the same, only a further try of the same message tries it again.
    expect(await run([wish('orders')], { tables: { stage } })).toEqual(failures())
    expect(await run([wish('orders')], { tables: { stage }, attempts: 2 })).toEqual(failures('m1'))
    expect(told).toHaveLength(1)
    expect(observed.metrics().map(({ CurateFailed }) => CurateFailed)).toEqual([1, 1])
    expect(await run([wish('orders')], { attempts: 3 })).toEqual(failures())
    expect(await total()).toBe('1')
  })

  it('does not try again what only a person can decide: a contract that the table cannot follow', async () => {
    const { drop } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    await run([wish('orders')])
    const context = await bench.with([keyedPlan('orders', { mode: 'append' })])
    bench.context.plans = context.plans
    expect(await run([wish('orders')])).toEqual(failures())
    expect(told.at(-1)).toMatchObject({ outcome: 'failed', reason: { code: 'schema_change' } })
    expect(pauses).toEqual([])
  })

  it('is not begun without the time for it, and tidying never keeps a table waiting', async () => {
    const { drop } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    expect(await run([wish('orders')], { milliseconds: 40_000 })).toEqual(failures('m1'))
    expect(pauses).toEqual([['m1', 0]])
    expect(observed.logged('no_time_left')).toHaveLength(1)
    await run([wish('orders')])
    let begun = 0
    const maintain = () => {
      begun++
      return new Promise<never>(() => {})
    }
    expect(await run([{ weir: 'maintain', table: 'orders' }], { tables: { maintain }, milliseconds: 30_300 })).toEqual(
      failures(),
    )
    expect(begun).toBe(1)
    expect(observed.logged('maintained')).toMatchObject([{ did: [expect.stringContaining('the next maintenance')] }])
  })

  it('holds up its own table only', async () => {
    const { drop } = await open({ days: 'SELECT DISTINCT day FROM clean.orders' })
    await drop('orders/a.csv', [row('x', 1)])
    const { stage } = bench.context.lake.tables
    const tables: Partial<CuratedTables> = {
      stage: (job, options) =>
        job.table.name === 'curated.orders' ? Promise.reject(new Error('no')) : stage(job, options),
    }
    expect(await run([wish('orders'), wish('days'), wish('orders')], { tables })).toEqual(failures('m1', 'm3'))
    expect(await total('days')).toBe('1')
    expect((await readTableState(bench.lake.zones.ops, 'orders'))?.state.version ?? null).toBeNull()
  })

  it('is no reason to hold up others: a message that nobody can read fails alone', async () => {
    const { drop, lake } = await open()
    await drop('orders/a.csv', [row('x', 1)])
    expect(await run(['nonsense', wish('orders'), '{"weir":"replay"}'])).toEqual(failures('m1', 'm3'))
    expect(await total()).toBe('1')
    expect(pauses).toEqual([
      ['m1', 0],
      ['m3', 0],
    ])
    expect(await collect(listFaults(lake.zones.ops))).toMatchObject([{ kind: 'poison' }, { kind: 'poison' }])
  })
})

describe('messages of the queue', () => {
  it('are read as they are written, a schedule’s too', () => {
    for (const one of [wish('orders'), wish('orders', { full: true }), { weir: 'maintain' as const }])
      expect(readWish(JSON.stringify(one))).toEqual(one)
    expect(readWish('{"weir":"maintain","at":"2026-01-01T00:00:00Z"}')).toEqual({ weir: 'maintain' })
    expect(() => readWish('{"weir":"curate"}')).toThrow(PoisonMessage)
    expect(() => readWish('[')).toThrow(/not JSON/)
  })

  it('of one table have one group, whose name SQS takes', () => {
    expect(groupOf(wish('orders'))).toBe('orders')
    expect(groupOf({ weir: 'maintain', table: 'orders' })).toBe('orders')
    expect(groupOf({ weir: 'maintain' })).toBe('(lake)')
    const long = groupOf(wish('x'.repeat(200)))
    expect(long.length).toBeLessThanOrEqual(128)
    expect(long).not.toBe(groupOf(wish(`${'x'.repeat(199)}y`)))
  })

  it('that ask for the same within half the delay are one: its run begins after all of them were sent', () => {
    const at = (seconds: number, table = 'orders') =>
      deduplicationId(wish(table), new Date(1_700_000_000_000 - (1_700_000_000_000 % 15_000) + seconds * 1000), 30)
    expect(at(0)).toBe(at(14.999))
    expect(at(0)).not.toBe(at(15))
    expect(at(0)).not.toBe(at(0, 'parts'))
    // What is not only a hint, or has no delay to wait in, is always one of its own.
    const now = new Date()
    expect(deduplicationId(wish('orders'), now, 0)).not.toBe(deduplicationId(wish('orders'), now, 0))
    const full = wish('orders', { full: true })
    expect(deduplicationId(full, now, 30)).not.toBe(deduplicationId(full, now, 30))
    expect(deduplicationId(wish('x'.repeat(300)), now, 30).length).toBeLessThanOrEqual(128)
  })

  it('that the queue does not take are an error, for whoever must send them again', async () => {
    const calls: object[][] = []
    const client = {
      send: async ({ input }: { input: { Entries: object[] } }) => {
        calls.push(input.Entries)
        return calls.length === 2 ? { Failed: [{ Id: '0', Code: 'Throttled', Message: 'slow down' }] } : {}
      },
    }
    const queues = {
      ingest: 'i',
      deadLetters: 'd',
      curate: 'https://example.com/weir-curate.fifo',
      curateDeadLetters: 'x',
    }
    // biome-ignore lint/suspicious/noExplicitAny: the one call of the client that is made
    const queue = openCurateQueue({ region: 'eu-central-1', queues }, { client: client as any })
    const wishes = Array.from({ length: 12 }, (_, n) => wish(`t${n}`))
    await expect(queue.send(wishes)).rejects.toThrow(/1 of 2 messages could not be put .*weir-curate\.fifo: slow down/)
    expect(calls.map((entries) => entries.length)).toEqual([10, 2])
    expect(calls[0]?.[0]).toEqual({
      Id: '0',
      MessageBody: JSON.stringify(wish('t0')),
      MessageGroupId: 't0',
      MessageDeduplicationId: expect.any(String),
    })
  })
})

describe('who follows a dataset', () => {
  const index: CuratedIndex = [
    { table: 'orders', kind: 'entity', datasets: ['orders'], scheduled: false },
    { table: 'both', kind: 'table', datasets: ['orders', 'parts'], scheduled: false },
    { table: 'nightly', kind: 'table', datasets: ['orders'], scheduled: true },
    { table: 'later', kind: 'view', datasets: [], scheduled: false },
  ]
  it('is told once for each upload; scheduled models wait for their time, also when everybody is told', async () => {
    const follow = follower(index, { send: async (wishes) => void sent.push(...wishes) })
    await follow.datasets(['orders', 'orders'])
    expect(sent.splice(0)).toEqual(['orders', 'both'].map((table) => wish(table, { trigger: 'clean.orders' })))
    await follow.datasets(['parts'])
    expect(sent.splice(0)).toEqual([wish('both', { trigger: 'clean.parts' })])
    await follow.datasets(['nobody'])
    expect(sent).toEqual([])
    expect(await follow.all()).toBe(3)
    expect(sent.map((one) => 'table' in one && one.table)).toEqual(['orders', 'both', 'later'])
  })
})
