// The real app, deployed onto an emulator and used as people use it: files by the S3 API, answers by the receipts, by
// Athena and by the command line. One deployment for all tests here, which build upon each other in their order.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3'
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import type { Deployed } from '../../lib/lake/aws/deployed.ts'
import { receiptsPrefix, uploadId } from '../../lib/lake/keys.ts'
import { type Receipt, receiptSchema } from '../../lib/lake/receipt.ts'
import { deployLocally } from '../../scripts/local-deploy.ts'
import { type Ran, weir } from '../cli/weir.ts'

const ENVIRONMENT = `e2e-${Date.now().toString(36)}`
const AT = `aws:${ENVIRONMENT}`
/** An emulator that runs everything in one process is slow when many things happen at once. */
const PATIENCE_MS = 120_000

const contract = (name: string, more = '') => `apiVersion: v3.1.0
kind: DataContract
id: ${name}
name: ${name}
version: "1.0.0"
status: active
schema:
  - name: ${name}
    logicalType: object
    properties:
      - { name: order_id, logicalType: integer, required: true, primaryKey: true }
      - { name: product, logicalType: string }
      - { name: amount, logicalType: number, physicalType: "decimal(10,2)", required: true }
      - { name: day, logicalType: date }
${more}`
const RETRACTS = `    customProperties:
      - property: weir
        value: { onDelete: retract }
`

let folder: string
let work: string
let deployed: Deployed
let s3: S3Client

const env = () =>
  Object.fromEntries(
    ['AWS_ENDPOINT_URL', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_DEFAULT_REGION'].flatMap(
      (name) => (process.env[name] === undefined ? [] : [[name, process.env[name] as string]]),
    ),
  )

async function deploy(): Promise<void> {
  const said: string[] = []
  try {
    deployed = await deployLocally({ lake: folder, env: env(), work, log: (text) => said.push(text) })
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${said.join('').slice(-4000)}`)
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-e2e-'))
  work = join(folder, 'deploy')
  await mkdir(join(folder, 'contracts'))
  await writeFile(join(folder, 'weir.yaml'), `environment: ${ENVIRONMENT}\ntarget: aws\n`)
  await writeFile(join(folder, 'contracts/orders.yaml'), contract('orders', RETRACTS))
  await deploy()
  s3 = openS3({ region: deployed.region })
})

afterAll(async () => {
  s3?.destroy()
  await rm(folder, { recursive: true, force: true })
})

/** Puts a file as any program would, and gives the upload that it makes. */
async function put(key: string, body: string): Promise<string> {
  const Bucket = deployed.buckets.landing
  const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: key, Body: body }))
  const { LastModified } = await s3.send(new HeadObjectCommand({ Bucket, Key: key, VersionId }))
  if (!VersionId || !LastModified) throw new Error('the landing bucket keeps no versions')
  return uploadId(key, { version: VersionId, modified: LastModified })
}

async function until<T>(what: string, look: () => Promise<T | undefined>): Promise<T> {
  for (const end = Date.now() + PATIENCE_MS; Date.now() < end; await sleep(250)) {
    const found = await look()
    if (found !== undefined) return found
  }
  throw new Error(`${what}: waited ${PATIENCE_MS / 1000} s in vain\n${(await cli('status')).out}`)
}

async function receiptKeys(dataset: string): Promise<string[]> {
  const Bucket = deployed.buckets.ops
  const keys: string[] = []
  for (let token: string | undefined; ; ) {
    const page = await s3.send(
      new ListObjectsV2Command({ Bucket, Prefix: receiptsPrefix(dataset), ContinuationToken: token }),
    )
    keys.push(...(page.Contents ?? []).map(({ Key = '' }) => Key))
    token = page.NextContinuationToken
    if (!token) return keys
  }
}

async function readOps(key: string): Promise<string> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: deployed.buckets.ops, Key: key }))
  return (await Body?.transformToString()) ?? ''
}

/** The receipt of an upload, once the function has written it. */
const receiptOf = (upload: string, dataset = 'orders'): Promise<Receipt> =>
  until(`the receipt of ${upload}`, async () => {
    const key = (await receiptKeys(dataset)).find((one) => one.endsWith(`/${upload}.json`))
    return key === undefined ? undefined : receiptSchema.parse(JSON.parse(await readOps(key)))
  })

const cli = (...args: string[]): Promise<Ran> => weir(folder, [...args, '--lake', AT])

// biome-ignore lint/suspicious/noExplicitAny: a document of any command; each test asserts on its shape
async function json(...args: string[]): Promise<any> {
  const ran = await cli(...args, '--json')
  return JSON.parse(ran.out)
}

const rowsOf = async (sql: string): Promise<unknown[][]> => {
  const answer = await json('query', sql)
  expect(answer.error).toBeUndefined()
  return answer.rows
}

const MONDAY = `order_id,product,amount,day
1,apple,1.50,2026-11-02
2,pear,0.80,2026-11-02
3,plum,x,2026-11-03
4,fig,,2026-11-03
`
const CORRECTED = MONDAY.replace('plum,x', 'plum,2.20').replace('fig,,', 'fig,3.10,')

it('takes a file in that was put by the S3 API, and tells what it set aside', async () => {
  const receipt = await receiptOf(await put('orders/monday.csv', MONDAY))
  expect(receipt).toMatchObject({
    outcome: 'accepted_with_rejects',
    source: 'orders/monday.csv',
    rows: { read: 4, accepted: 2, rejected: 2 },
  })
  expect(await rowsOf('select order_id, product, amount, day from clean.orders order by 1')).toEqual([
    ['1', 'apple', '1.50', '2026-11-02'],
    ['2', 'pear', '0.80', '2026-11-02'],
  ])
  const pageKey = `pages/dataset=orders/date=${dateOf(receipt)}/${receipt.upload}.html`
  expect(await readOps(pageKey)).toContain(`weir rejects ${receipt.upload} --out monday-repair.csv --lake ${AT}`)
  // A browser shows it, also by "Open" in the S3 console.
  const page = await s3.send(new HeadObjectCommand({ Bucket: deployed.buckets.ops, Key: pageKey }))
  expect(page.ContentType).toBe('text/html; charset=utf-8')

  const rejects = await cli('rejects', receipt.upload)
  expect(rejects.out).toContain('plum')
  expect(rejects.out).toContain('amount must not be empty')
  expect(await rowsOf(`select outcome, rows.rejected from ops.receipts where upload = '${receipt.upload}'`)).toEqual([
    ['accepted_with_rejects', expect.anything()],
  ])
})

const dateOf = ({ upload }: Receipt) => `${upload.slice(0, 4)}-${upload.slice(4, 6)}-${upload.slice(6, 8)}`

it('knows the same bytes again, and replaces a source once when it is corrected', async () => {
  const again = await receiptOf(await put('orders/monday-copy.csv', MONDAY))
  expect(again.outcome).toBe('duplicate')
  expect(await rowsOf('select count(*) from clean.orders')).toEqual([['2']])

  const corrected = await receiptOf(await put('orders/monday.csv', CORRECTED))
  expect(corrected).toMatchObject({ outcome: 'accepted', rows: { read: 4, accepted: 4, rejected: 0 } })
  // The copy now gives the rows that the corrected file has left: its bytes are in landing, and nobody else has them.
  await until('the corrected rows, once', async () => {
    const rows = await rowsOf(
      `select count(*), count(distinct "_upload") from clean.orders where "_upload" = '${corrected.upload}'`,
    )
    return JSON.stringify(rows) === '[["4","1"]]' ? true : undefined
  })
  const { upload } = again
  await s3.send(new DeleteObjectCommand({ Bucket: deployed.buckets.landing, Key: 'orders/monday-copy.csv' }))
  await until('the copy gone', async () => {
    const rows = await rowsOf(`select count(*) from clean.orders where "_upload" <> '${corrected.upload}'`)
    return rows[0]?.[0] === '0' ? true : undefined
  })
  expect(upload).not.toBe(corrected.upload)
  expect(await rowsOf('select count(*), sum(amount) from clean.orders')).toEqual([['4', '7.60']])
})

it('takes a source out when its file is deleted', async () => {
  await receiptOf(await put('orders/gone.csv', 'order_id,product,amount,day\n77,kiwi,9.99,2026-11-04\n'))
  expect(await rowsOf('select count(*) from clean.orders where order_id = 77')).toEqual([['1']])
  await s3.send(new DeleteObjectCommand({ Bucket: deployed.buckets.landing, Key: 'orders/gone.csv' }))
  await until('the retraction', async () => {
    const { receipts } = await json('receipts', '--outcome', 'retracted')
    return receipts.find(({ source }: Receipt) => source === 'orders/gone.csv')
  })
  expect(await rowsOf('select count(*) from clean.orders where order_id = 77')).toEqual([['0']])
})

it('reads keys of any kind', async () => {
  const keys = ['a b.csv', 'a+b.csv', 'a%20b.csv', '100%.csv', 'ümläut & 🎉.csv', "it's (1).csv", 'deep/er/x.csv']
  const uploads = []
  for (const [i, name] of keys.entries())
    uploads.push(await put(`orders/keys/${name}`, `order_id,product,amount,day\n${1000 + i},k,1.00,2026-11-05\n`))
  for (const [i, upload] of uploads.entries())
    expect(await receiptOf(upload)).toMatchObject({ outcome: 'accepted', source: `orders/keys/${keys[i]}` })
  expect(await rowsOf('select count(*) from clean.orders where order_id between 1000 and 1099')).toEqual([
    [String(keys.length)],
  ])
})

it('gives 200 files that come at once a receipt each, and their rows once', async () => {
  const before = new Set(await receiptKeys('orders'))
  const uploads = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      put(`orders/many/${i}.csv`, `order_id,product,amount,day\n${10_000 + i},m,1.00,2026-11-06\n`),
    ),
  )
  const fresh = await until('200 receipts', async () => {
    const keys = (await receiptKeys('orders')).filter((key) => !before.has(key))
    return keys.length >= 200 ? keys : undefined
  })
  expect(fresh.map((key) => key.replace(/^.*\/|\.json$/g, '')).sort()).toEqual([...uploads].sort())
  expect(
    await rowsOf(
      'select count(*), count(distinct order_id), min(order_id), max(order_id) from clean.orders where order_id >= 10000',
    ),
  ).toEqual([['200', '200', '10000', '10199']])
})

it('drops, waits and shows through the command line', async () => {
  const file = join(folder, 'tuesday.csv')
  await writeFile(file, 'order_id,product,amount,day\n501,date,4.00,2026-11-07\n502,lime,bad,2026-11-07\n')
  const dropped = await cli('drop', file, '--dataset', 'orders')
  expect(dropped.code).toBe(1)
  expect(dropped.out).toContain('accepted 1 of 2 rows, rejected 1')
  const checked = await cli('check', file, '--dataset', 'orders')
  expect(checked.code).toBe(1)
  const listed = await json('receipts', '--dataset', 'orders')
  expect(listed.receipts.filter(({ source }: Receipt) => source === 'orders/tuesday.csv')).toHaveLength(1)
  const retracted = await cli('retract', 'orders/tuesday.csv')
  expect(retracted.code).toBe(0)
  expect(await rowsOf('select count(*) from clean.orders where order_id = 501')).toEqual([['0']])
  const mended = await json('reconcile')
  expect(mended.mended).toEqual([])
})

it('keeps a poison message apart with its reason, and sends dead letters back', async () => {
  const sqs = new SQSClient(clientSettings({ region: deployed.region }))
  const send = (queue: string, body: string) => sqs.send(new SendMessageCommand({ QueueUrl: queue, MessageBody: body }))
  await send(deployed.queues.ingest, 'this is no event')
  const letters = await until('the dead letter', async () => {
    const { queues } = await json('status')
    return queues.letters.length > 0 ? queues.letters : undefined
  })
  expect(letters).toMatchObject([{ poison: true, reason: expect.stringContaining('not JSON') }])

  // An event that failed for another reason, and would be fine by now.
  const upload = await put('orders/late.csv', 'order_id,product,amount,day\n601,nut,5.00,2026-11-08\n')
  await receiptOf(upload)
  await send(deployed.queues.deadLetters, JSON.stringify({ weir: 'replay', key: 'orders/late.csv', again: true }))
  await sqs.send(
    new SendMessageCommand({
      QueueUrl: deployed.queues.curateDeadLetters,
      MessageBody: JSON.stringify({ weir: 'curate', dataset: 'orders', trigger: 'a test' }),
      MessageGroupId: '(lake)',
      MessageDeduplicationId: 'a test',
    }),
  )
  const replayed = await cli('replay', '--dlq')
  expect(replayed.code).toBe(0)
  expect(replayed.out).toContain('3 messages sent back, 1 of them about curated tables')
  await until('the replay', async () => {
    const { receipts } = await json('receipts', '--dataset', 'orders')
    return receipts.find(({ replayOf }: Receipt) => replayOf === upload)
  })
  expect(await rowsOf('select count(*) from clean.orders where order_id = 601')).toEqual([['1']])
  // Poison stays poison.
  await until('the dead letter again', async () => {
    const { queues } = await json('status')
    return queues.deadLetters.waiting === 1 ? true : undefined
  })
  sqs.destroy()
})

it('takes in a dataset that a later deployment adds, and leaves the others as they were', async () => {
  const before = await rowsOf('select count(*), sum(amount) from clean.orders')
  await writeFile(join(folder, 'contracts/returns.yaml'), contract('returns'))
  const { datasets } = await json('diff')
  expect(JSON.stringify(datasets)).toContain('returns')
  await deploy()
  const receipt = await receiptOf(
    await put('returns/first.csv', 'order_id,product,amount,day\n1,apple,1.50,2026-11-09\n'),
    'returns',
  )
  expect(receipt.outcome).toBe('accepted')
  expect(await rowsOf('select product from clean.returns')).toEqual([['apple']])
  expect(await rowsOf('select count(*), sum(amount) from clean.orders')).toEqual(before)
  expect((await json('status')).catalog.complete).toBe(true)
})
