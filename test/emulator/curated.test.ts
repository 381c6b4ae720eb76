// Curated tables of the real app, deployed onto an emulator: files come by the S3 API, and tables and models follow by the queue,
// as readers find them. The emulator has no Iceberg: see lib/lake/aws/emulator.ts. One deployment for all tests here, which
// build upon each other in their order.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge'
import { DeleteObjectCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3'
import { SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import { openCurateQueue } from '../../lib/lake/aws/curate-queue.ts'
import { ALARMS, type Deployed, topicArn } from '../../lib/lake/aws/deployed.ts'
import { openAwsLake } from '../../lib/lake/aws/lake.ts'
import { EVENT_SOURCE } from '../../lib/lake/aws/notifier.ts'
import { RUN_EVENT_TYPE, type RunFinished, runFinishedSchema } from '../../lib/lake/aws/run-notifier.ts'
import { listFaults } from '../../lib/lake/faults.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { deployLocally } from '../../scripts/local-deploy.ts'
import { weir, weirJson } from '../cli/weir.ts'
import { collect } from '../pipeline/helpers.ts'
import { logLines } from './differences.ts'

const ENVIRONMENT = `cur-${Date.now().toString(36)}`
/** An emulator that runs everything in one process is slow when many things happen at once. */
const PATIENCE_MS = 60_000
const POLL = { timeout: PATIENCE_MS, interval: 400 }

const CONTRACT = `apiVersion: v3.1.0
kind: DataContract
id: orders
name: orders
version: "1.0.0"
status: active
schema:
  - name: orders
    logicalType: object
    properties:
      - { name: order_id, logicalType: integer, required: true, primaryKey: true }
      - { name: product, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(10,2)", required: true }
      - { name: day, logicalType: date, required: true }
    customProperties:
      - property: weir
        value: { onDelete: retract, curated: { mode: merge, partitionBy: [month(day)] } }
`
const DAILY = `/*---
description: Orders of each day.
tests: [{ not_null: day }, { unique: day }]
---*/
SELECT day, count(*) AS orders, sum(amount) AS total FROM curated.orders GROUP BY day
`
const BEST = `/*---
description: The best day.
tests:
  - sql: SELECT day FROM curated.best_day WHERE total > 1000
    name: plausible
---*/
SELECT day, total FROM curated.daily ORDER BY total DESC, day LIMIT 1
`

let folder: string
let deployed: Deployed
let lake: Lake
let s3: S3Client
let sqs: SQSClient
let alarms: string
let events: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-curated-'))
  for (const name of ['contracts', 'models']) await mkdir(join(folder, name))
  await writeFile(join(folder, 'weir.yaml'), `environment: ${ENVIRONMENT}\ntarget: aws\n`)
  await writeFile(join(folder, 'contracts/orders.yaml'), CONTRACT)
  await writeFile(join(folder, 'models/daily.sql'), DAILY)
  await writeFile(join(folder, 'models/best_day.sql'), BEST)
  await deploy()
  lake = await openAwsLake(deployed, { scratch: join(folder, 'scratch') })
  s3 = openS3({ region: deployed.region })
  sqs = new SQSClient(clientSettings({ region: deployed.region }))
  await listen()
})

async function deploy(): Promise<void> {
  const env = Object.fromEntries(
    ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_DEFAULT_REGION'].flatMap(
      (name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]]),
    ),
  )
  deployed = await deployLocally({ lake: folder, env, work: join(folder, 'deploy'), log: () => undefined })
}

afterAll(async () => {
  await lake?.close()
  s3?.destroy()
  sqs?.destroy()
  await rm(folder, { recursive: true, force: true })
})

/** Queues behind the alarm topic and behind the lake's bus. */
async function listen(): Promise<void> {
  const settings = clientSettings({ region: deployed.region })
  const makeQueue = async (name: string) => {
    const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${ENVIRONMENT}-${name}` }))
    const wanted = new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] })
    return { url, arn: (await sqs.send(wanted)).Attributes?.QueueArn ?? '' }
  }
  const heard = await makeQueue('heard-alarms')
  const sns = new SNSClient(settings)
  await sns.send(new SubscribeCommand({ TopicArn: topicArn(deployed, ALARMS), Protocol: 'sqs', Endpoint: heard.arn }))
  sns.destroy()
  alarms = heard.url
  const seen = await makeQueue('heard-runs')
  const bridge = new EventBridgeClient(settings)
  const EventBusName = deployed.eventBus
  const EventPattern = JSON.stringify({ source: [EVENT_SOURCE], 'detail-type': [RUN_EVENT_TYPE] })
  await bridge.send(new PutRuleCommand({ Name: 'runs', EventBusName, EventPattern }))
  await bridge.send(new PutTargetsCommand({ Rule: 'runs', EventBusName, Targets: [{ Id: 'queue', Arn: seen.arn }] }))
  bridge.destroy()
  events = seen.url
}

/** Whatever a queue has by now. */
async function received(QueueUrl: string): Promise<string[]> {
  const bodies: string[] = []
  for (;;) {
    const { Messages = [] } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10 }))
    if (Messages.length === 0) return bodies
    for (const { Body = '', ReceiptHandle } of Messages) {
      bodies.push(Body)
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }))
    }
  }
}

const put = (key: string, rows: string) =>
  s3.send(
    new PutObjectCommand({
      Bucket: deployed.buckets.landing,
      Key: key,
      Body: `order_id,product,amount,day\n${rows}`,
    }),
  )

const rowsOf = async (sql: string): Promise<unknown[][]> => (await lake.queries.query(sql)).rows

/** Waits until readers find these rows. */
async function shows(sql: string, rows: unknown[][]): Promise<void> {
  let found: unknown
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(400)) {
    found = await rowsOf(sql).catch((error: Error) => error.message)
    if (JSON.stringify(found) === JSON.stringify(rows)) return
  }
  const faults = await collect(listFaults(lake.zones.ops))
  const lines = await logLines(`/aws/lambda/${deployed.functions.curate}`)
  expect({ sql, found, faults, lines: lines.slice(-20) }).toMatchObject({ found: rows })
}

const ORDERS = 'SELECT order_id, product, amount FROM curated.orders ORDER BY order_id'
const BEST_DAY = 'SELECT CAST(day AS varchar), total FROM curated.best_day'

it('brings the newest row of each key to readers, and the models after it', async () => {
  await put('orders/a.csv', '1,apple,10.00,2026-11-02\n2,pear,20.00,2026-11-03\n')
  await shows(ORDERS, [
    ['1', 'apple', '10.00'],
    ['2', 'pear', '20.00'],
  ])
  await put('orders/b.csv', '2,quince,25.00,2026-11-03\n3,plum,30.00,2026-11-04\n')
  await shows(ORDERS, [
    ['1', 'apple', '10.00'],
    ['2', 'quince', '25.00'],
    ['3', 'plum', '30.00'],
  ])
  await shows('SELECT CAST(day AS varchar), orders, total FROM curated.daily ORDER BY day', [
    ['2026-11-02', '1', '10.00'],
    ['2026-11-03', '1', '25.00'],
    ['2026-11-04', '1', '30.00'],
  ])
  await shows(BEST_DAY, [['2026-11-04', '30.00']])
})

it('lets a correction flow through, and takes a source out that is deleted', async () => {
  await put('orders/b.csv', '2,quince,45.00,2026-11-03\n')
  await shows(BEST_DAY, [['2026-11-03', '45.00']])
  await shows(ORDERS, [
    ['1', 'apple', '10.00'],
    ['2', 'quince', '45.00'],
  ])
  await s3.send(new DeleteObjectCommand({ Bucket: deployed.buckets.landing, Key: 'orders/b.csv' }))
  // The key falls back to the older source, which has it still.
  await shows(ORDERS, [
    ['1', 'apple', '10.00'],
    ['2', 'pear', '20.00'],
  ])
  await shows(BEST_DAY, [['2026-11-03', '20.00']])
})

it('keeps the last good version of a model whose tests fail, and says so to whoever looks after the lake', async () => {
  await received(alarms)
  await received(events)
  await put('orders/c.csv', '4,truffle,5000.00,2026-11-05\n')
  await shows('SELECT total FROM curated.daily ORDER BY total DESC LIMIT 1', [['5000.00']])
  const FAILED = `SELECT count(*) FROM ops.runs WHERE "table" = 'best_day' AND outcome = 'failed_tests'`
  await shows(FAILED, [['1']])
  expect(await rowsOf(BEST_DAY)).toEqual([['2026-11-03', '20.00']])

  const heard: string[] = []
  await expect.poll(async () => heard.push(...(await received(alarms))), POLL).toBe(1)
  const { Subject, Message } = JSON.parse(heard[0] ?? '{}') as { Subject: string; Message: string }
  expect(Subject).toBe(`[${ENVIRONMENT}] curated.best_day: 1 test failed, readers keep the last good version`)
  expect(Message).toContain('plausible: 1 row breaks it')
  expect(Message).toContain(`weir curate --table best_day --lake aws:${ENVIRONMENT}`)
  // The last of the upload before may be told of late: what counts begins with the last run of orders.
  const told: RunFinished[] = []
  const ofThis = () => told.slice(told.findLastIndex(({ table }) => table === 'orders'))
  const hear = async () => {
    told.push(...(await received(events)).map((body) => runFinishedSchema.parse(JSON.parse(body).detail)))
    return ofThis().map(({ table, outcome }) => `${table} ${outcome}`)
  }
  await expect.poll(hear, POLL).toEqual(['orders published', 'daily published', 'best_day failed_tests'])
  expect(ofThis().at(-1)).toMatchObject({ failedTests: ['plausible'], reason: 'failed_tests', version: null })
  const counted = async () =>
    (await logLines(`/aws/lambda/${deployed.functions.curate}`)).filter((line) => /"ModelTestsFailed":1\b/.test(line))
  await expect.poll(counted, POLL).toHaveLength(1)

  await put('orders/c.csv', '4,truffle,50.00,2026-11-05\n')
  await shows(BEST_DAY, [['2026-11-05', '50.00']])
})

it('merges what comes at once in a few runs, one after the other for each table', async () => {
  const before = Number((await rowsOf(`SELECT count(*) FROM ops.runs WHERE "table" = 'orders'`))[0]?.[0])
  await Promise.all(
    Array.from({ length: 40 }, (_, n) =>
      put(`orders/many/${n}.csv`, `${1000 + n},m,1.00,2026-12-01\n${n},o,1.00,2026-12-01\n`),
    ),
  )
  await shows(
    "SELECT count(*), count(DISTINCT order_id), sum(amount) FROM curated.orders WHERE product IN ('m', 'o')",
    [['80', '80', '80.00']],
  )
  await shows("SELECT orders, total FROM curated.daily WHERE day = DATE '2026-12-01'", [['80', '80.00']])
  await shows(BEST_DAY, [['2026-12-01', '80.00']])
  const runs = await rowsOf(
    'SELECT "table", outcome, to_unixtime(startedat), to_unixtime(finishedat), uploads.came FROM ops.runs ORDER BY 3',
  )
  const merges = runs.filter(([table]) => table === 'orders').length - before
  expect(merges).toBeGreaterThan(0)
  expect(merges).toBeLessThan(20)
  for (const table of ['orders', 'daily', 'best_day']) {
    const own = runs.filter(([name]) => name === table)
    for (const [index, [, , , finished]] of own.slice(0, -1).entries())
      expect(Number(own[index + 1]?.[2]), `${table}: one writer at a time`).toBeGreaterThanOrEqual(Number(finished))
  }
  expect(await collect(listFaults(lake.zones.ops))).toEqual([])
})

it('goes back in time, and makes a table anew when it is asked to', async () => {
  const asOfRun = async (table: string, back: number, sql: string) => {
    const [[run] = []] = await rowsOf(
      `SELECT run FROM ops.runs WHERE "table" = '${table}' AND outcome = 'published' ORDER BY startedat DESC OFFSET ${back} LIMIT 1`,
    )
    return (await lake.queries.query(sql, { asOf: { run: String(run) } })).rows
  }
  // The record of a run is written once readers have its version, so the newest may come a moment after it.
  await expect.poll(() => asOfRun('best_day', 0, BEST_DAY), POLL).toEqual(await rowsOf(BEST_DAY))
  const COUNT = 'SELECT count(*) FROM curated.orders'
  expect(await asOfRun('orders', 0, COUNT)).toEqual([['80']])
  expect(Number((await asOfRun('orders', 1, COUNT))[0]?.[0])).toBeLessThan(80)
  const queue = openCurateQueue(deployed)
  await queue.send([{ weir: 'curate', table: 'orders', trigger: 'test', full: true }, { weir: 'maintain' }])
  queue.close()
  await shows(`SELECT count(*) FROM ops.runs WHERE "table" = 'orders' AND scope = 'full'`, [['2']])
  // Anew, and the same.
  await shows('SELECT count(*) FROM curated.orders', [['80']])
  const maintained = async () =>
    (await logLines(`/aws/lambda/${deployed.functions.curate}`)).filter((line) => line.includes('"maintained"'))
  await expect.poll(maintained, POLL).toHaveLength(3)
  expect(await rowsOf(BEST_DAY)).toHaveLength(1)
})

it('is asked by the command line, which waits for the runs and tells of them', async () => {
  const dry = await weirJson(folder, ['curate', '--table', 'orders', '--full', '--dry-run'])
  expect(dry).toMatchObject({
    code: 0,
    document: {
      dialect: 'athena',
      tables: [{ table: 'orders', todo: 'run' }, { table: 'daily' }, { table: 'best_day' }],
    },
  })
  expect(dry.document.tables[0].statements.join('\n')).toContain(`"${deployed.databases.curated}"."orders"`)

  const { code, document } = await weirJson(folder, ['curate', '--table', 'orders', '--full', '--wait', '120'])
  // In the order in which the runs were seen: a hint from before may have made one of them meanwhile.
  const made = new Map<string, { outcome: string; run: { run: string; scope: string } }>(
    document.tables.map((table: { table: string }) => [table.table, table]),
  )
  expect([...made.keys()].sort()).toEqual(['best_day', 'daily', 'orders'])
  for (const { outcome } of made.values()) expect(outcome).toBe('published')
  expect(made.get('orders')?.run.scope).toBe('full')
  expect(document.pending).toEqual([])
  expect(code).toBe(0)
  await expect
    .poll(async () => (await weir(folder, ['curate', '--wait', '60'])).out, { timeout: 60_000 })
    .toContain('Nothing has changed, so there is nothing to ask for.')

  const [newest] = (await weirJson(folder, ['runs', '--table', 'orders', '--limit', '1'])).document.runs
  expect(newest.run).toBe(made.get('orders')?.run.run)
  const status = (await weirJson(folder, ['status'])).document
  expect(status).toMatchObject({ queues: { curate: { deadLetters: { waiting: 0 } } }, models: { problems: [] } })
  for (const table of status.curated) expect(table).toMatchObject({ behind: false, failed: null, damaged: false })
  const last = made.get('best_day')?.run.run ?? ''
  expect((await weir(folder, ['query', BEST_DAY, '--as-of', last, '--csv'])).code).toBe(0)
})

it('names a table whose model a later deployment has no more, and drops it when it is asked to', async () => {
  await rm(join(folder, 'models/best_day.sql'))
  await deploy()
  const leftOver = async () => (await weirJson(folder, ['status'])).document.leftOver
  expect(await leftOver()).toMatchObject([{ table: 'best_day', kind: 'table', why: 'its model is gone' }])
  expect(await rowsOf(BEST_DAY)).toHaveLength(1)
  const refused = await weirJson(folder, ['curate', '--drop', 'best_day', '--drop', 'daily'])
  expect(refused).toMatchObject({ code: 3, document: { error: { name: 'CannotDropTable' } } })
  const { code, document } = await weirJson(folder, ['curate', '--drop', 'best_day', '--wait', '240'])
  expect(document).toMatchObject({ dropped: [{ table: 'best_day' }], pending: [] })
  expect(code).toBe(0)
  expect(await leftOver()).toEqual([])
  await expect(rowsOf(BEST_DAY)).rejects.toThrow('There is no table curated.best_day')
  expect(await collect(lake.zones.curated.list('best_day/'))).toEqual([])
  expect((await weirJson(folder, ['runs', '--table', 'best_day'])).document.total).toBeGreaterThan(0)
})
