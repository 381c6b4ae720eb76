// The queues of a deployed lake, against SQS: dead letters with their reasons, sending them back, asking for a replay; and
// the ingest function's own handler on the adapters of AWS.

import {
  ChangeMessageVisibilityCommand,
  CreateQueueCommand,
  DeleteMessageCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import type { SQSEvent } from 'aws-lambda'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { observe } from '../../lambdas/common/observe.ts'
import { makeHandler } from '../../lambdas/ingest/batch.ts'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import type { Deployed } from '../../lib/lake/aws/deployed.ts'
import { openQueues, type Queues } from '../../lib/lake/aws/queues.ts'
import { openBucketStore } from '../../lib/lake/aws/store.ts'
import { listFaults, writeFault } from '../../lib/lake/faults.ts'
import type { ObjectStore } from '../../lib/lake/ports.ts'
import { eventBridgeEvent } from '../lambdas/events.ts'
import { openBench } from '../pipeline/helpers.ts'
import { makeBuckets, newNames, temporary } from './lake.ts'

let deployed: Deployed
let ops: ObjectStore
let queues: Queues
const sqs = new SQSClient(clientSettings())
const closers: (() => Promise<void> | void)[] = [() => sqs.destroy()]

async function makeQueues(): Promise<void> {
  deployed = newNames()
  const dead = await sqs.send(new CreateQueueCommand({ QueueName: `${deployed.environment}-ingest-dlq` }))
  const found = await sqs.send(new GetQueueAttributesCommand({ QueueUrl: dead.QueueUrl, AttributeNames: ['QueueArn'] }))
  const redrive = { deadLetterTargetArn: found.Attributes?.QueueArn, maxReceiveCount: 2 }
  const ingest = await sqs.send(
    new CreateQueueCommand({
      QueueName: `${deployed.environment}-ingest`,
      Attributes: { VisibilityTimeout: '600', RedrivePolicy: JSON.stringify(redrive) },
    }),
  )
  deployed.queues = { ...deployed.queues, ingest: ingest.QueueUrl ?? '', deadLetters: dead.QueueUrl ?? '' }
}

beforeAll(async () => {
  const { folder, remove } = await temporary()
  closers.push(remove)
  await makeQueues()
  await makeBuckets(deployed)
  const s3 = openS3({ region: deployed.region })
  closers.push(() => s3.destroy())
  ops = openBucketStore({ bucket: deployed.buckets.ops, client: s3, versioned: false, scratch: folder })
})
beforeEach(async () => {
  const bucket = deployed.buckets.ops
  await makeQueues()
  deployed.buckets.ops = bucket
  queues?.close()
  queues = openQueues(deployed, ops)
})
afterAll(async () => {
  queues?.close()
  for (const close of closers) await close()
})

async function bury(body: string): Promise<string> {
  const sent = await sqs.send(new SendMessageCommand({ QueueUrl: deployed.queues.deadLetters, MessageBody: body }))
  return sent.MessageId ?? ''
}

async function take(): Promise<Message[]> {
  const { Messages = [] } = await sqs.send(
    new ReceiveMessageCommand({
      QueueUrl: deployed.queues.ingest,
      MaxNumberOfMessages: 10,
      WaitTimeSeconds: 1,
      MessageSystemAttributeNames: ['ApproximateReceiveCount'],
    }),
  )
  return Messages
}

describe('dead letters', () => {
  it('are listed with their reasons and stay where they are', async () => {
    const event = JSON.stringify(eventBridgeEvent('orders/a b.csv'))
    const known = await bury(event)
    const unknown = await bury(event)
    const poison = await bury('hello')
    const at = new Date().toISOString()
    await writeFault(ops, { id: known, source: 'orders/a b.csv', kind: 'fault', reason: 'no memory', attempts: 5, at })
    for (let look = 0; look < 2; look++) {
      const letters = await queues.listDeadLetters()
      expect(letters).toHaveLength(3)
      const byId = new Map(letters.map((one) => [one.id, one]))
      expect(byId.get(known)).toMatchObject({
        source: 'orders/a b.csv',
        reason: 'no memory',
        poison: false,
        attempts: 5,
      })
      expect(byId.get(unknown)).toMatchObject({ source: 'orders/a b.csv', poison: false })
      expect(byId.get(unknown)?.reason).toMatch(/^No reason was noted/)
      expect(byId.get(poison)).toMatchObject({ poison: true, body: 'hello' })
      expect(byId.get(poison)?.reason).toMatch(/^The message is not JSON/)
      expect(byId.get(poison)?.sentAt).toBeInstanceOf(Date)
    }
    expect(await queues.listDeadLetters({ most: 1 })).toHaveLength(1)
    expect((await queues.depths()).deadLetters.waiting).toBe(3)
  })

  it('go back as they were, those that were asked for, and their reasons with them', async () => {
    const one = await bury('{"n":1}')
    const two = await bury('{"n":2}')
    await writeFault(ops, { id: one, kind: 'poison', reason: 'x', attempts: 5, at: new Date().toISOString() })
    expect(await queues.redrive({ ids: [one, 'nobody'] })).toEqual({ moved: 1, missing: ['nobody'] })
    expect((await take()).map(({ Body }) => Body)).toEqual(['{"n":1}'])
    for await (const { id } of listFaults(ops)) expect(id).not.toBe(one)
    expect((await queues.listDeadLetters()).map(({ id }) => id)).toEqual([two])
    const moved: string[] = []
    expect(await queues.redrive({ onMoved: ({ id }) => moved.push(id) })).toEqual({ moved: 1, missing: [] })
    expect(moved).toEqual([two])
    expect((await take()).map(({ Body }) => Body)).toEqual(['{"n":2}'])
    expect(await queues.redrive()).toEqual({ moved: 0, missing: [] })
  })
})

describe('dead letters about curated tables', () => {
  it('go back to the group of their table, each once, whether they can be read or not', async () => {
    expect(await queues.redriveCurate()).toBeUndefined()
    const url = async (QueueName: string): Promise<string> => {
      const made = await sqs.send(new CreateQueueCommand({ QueueName, Attributes: { FifoQueue: 'true' } }))
      return made.QueueUrl ?? ''
    }
    const curate = await url(`${deployed.environment}-curate.fifo`)
    const curateDeadLetters = await url(`${deployed.environment}-curate-dlq.fifo`)
    deployed.queues = { ...deployed.queues, curate, curateDeadLetters }
    queues.close()
    queues = openQueues(deployed, ops)
    const wish = (n: number) => JSON.stringify({ weir: 'curate', table: 'orders', trigger: `upload ${n}` })
    const bodies = [wish(1), wish(2), 'hello', JSON.stringify({ weir: 'maintain' })]
    const ids: string[] = []
    for (const [index, MessageBody] of bodies.entries()) {
      const MessageGroupId = index < 3 ? 'orders' : '(lake)'
      const more = { MessageGroupId, MessageDeduplicationId: `${index}` }
      ids.push(
        (await sqs.send(new SendMessageCommand({ QueueUrl: curateDeadLetters, MessageBody, ...more }))).MessageId ?? '',
      )
    }
    const [id = ''] = ids
    await writeFault(ops, { id, kind: 'fault', reason: 'Athena was away', attempts: 8, at: new Date().toISOString() })
    const moved: object[] = []
    expect(await queues.redriveCurate({ onMoved: (one) => moved.push(one) })).toBe(4)
    expect(moved).toHaveLength(4)
    expect(moved).toEqual(
      expect.arrayContaining([{ table: 'orders', reason: 'Athena was away' }, { table: 'orders' }, {}, {}]),
    )
    for await (const fault of listFaults(ops)) expect(fault.id).not.toBe(id)
    const found: [string | undefined, string | undefined][] = []
    for (let look = 0; look < 20 && found.length < 4; look++) {
      const { Messages = [] } = await sqs.send(
        new ReceiveMessageCommand({
          QueueUrl: curate,
          MaxNumberOfMessages: 10,
          MessageSystemAttributeNames: ['MessageGroupId'],
        }),
      )
      for (const { Body, Attributes, ReceiptHandle } of Messages) {
        found.push([Body, Attributes?.MessageGroupId])
        await sqs.send(new DeleteMessageCommand({ QueueUrl: curate, ReceiptHandle }))
      }
    }
    expect(found.filter(([, group]) => group === 'orders').map(([body]) => body)).toEqual(bodies.slice(0, 3))
    expect(found.filter(([, group]) => group === '(lake)').map(([body]) => body)).toEqual(bodies.slice(3))
    expect(await queues.redriveCurate()).toBe(0)
  })
})

describe('a request to replay', () => {
  it('is sent for each key, in whatever number', async () => {
    const keys = Array.from({ length: 23 }, (_, n) => `orders/${n} +%🐟.csv`)
    expect(await queues.requestReplay(keys, { again: true })).toBe(23)
    const bodies: string[] = []
    for (let look = 0; look < 20 && bodies.length < 23; look++)
      for (const { Body = '' } of await take()) bodies.push(JSON.parse(Body).key)
    expect(bodies.sort()).toEqual([...keys].sort())
    expect((await queues.depths()).ingest.inFlight).toBe(23)
  })
})

describe('a message that fails in the function', () => {
  it('comes again as soon as it is told to, ends among the dead letters with its reason', async () => {
    const bench = await openBench()
    const handler = makeHandler(
      async () => ({
        ...bench.context,
        lake: { ...bench.lake, scratch: bench.lake.scratch, zones: { ...bench.lake.zones, ops } },
      }),
      observe('test'),
      {
        comeAgain: async ({ receiptHandle }) => {
          const { ingest: QueueUrl } = deployed.queues
          await sqs.send(
            new ChangeMessageVisibilityCommand({ QueueUrl, ReceiptHandle: receiptHandle, VisibilityTimeout: 0 }),
          )
        },
      },
    )
    const sent = await sqs.send(new SendMessageCommand({ QueueUrl: deployed.queues.ingest, MessageBody: 'poison' }))
    for (const attempt of [1, 2]) {
      const Records = (await take()).map(({ MessageId, Body, ReceiptHandle, Attributes }) => ({
        messageId: MessageId,
        body: Body,
        receiptHandle: ReceiptHandle,
        attributes: Attributes,
        eventSource: 'aws:sqs',
      }))
      expect(Records[0]?.attributes?.ApproximateReceiveCount).toBe(String(attempt))
      const answer = await handler({ Records } as SQSEvent, {
        getRemainingTimeInMillis: () => 900_000,
        awsRequestId: 'request',
      })
      expect(answer.batchItemFailures).toEqual([{ itemIdentifier: sent.MessageId }])
    }
    expect(await take()).toEqual([])
    const [letter] = await queues.listDeadLetters()
    expect(letter).toMatchObject({ id: sent.MessageId, poison: true, attempts: 2 })
    expect(letter?.reason).toMatch(/^The message is not JSON/)
    await bench.close()
  })
})
