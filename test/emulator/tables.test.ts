// Tables, queries and notifications on the emulator, beyond what the conformance suites ask of every adapter.

import { AthenaClient } from '@aws-sdk/client-athena'
import {
  CreateEventBusCommand,
  EventBridgeClient,
  PutRuleCommand,
  PutTargetsCommand,
} from '@aws-sdk/client-eventbridge'
import { CreateTableCommand, DeleteTableCommand, GetTableCommand, UpdateTableCommand } from '@aws-sdk/client-glue'
import { CreateTopicCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns'
import {
  CreateQueueCommand,
  GetQueueAttributesCommand,
  type Message,
  ReceiveMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openAthena } from '../../lib/lake/aws/athena.ts'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import { topicName } from '../../lib/lake/aws/deployed.ts'
import { EVENT_TYPE, NotificationFailed, openSnsNotifier, uploadFinishedSchema } from '../../lib/lake/aws/notifier.ts'
import { glueTableInput } from '../../lib/lake/aws/types.ts'
import { QueryError, StorageError } from '../../lib/lake/errors.ts'
import { catalogMarkerKey, headKey } from '../../lib/lake/keys.ts'
import type { Catalog, Partition, TableDefinition } from '../../lib/lake/ports.ts'
import { ORDERS, receiptFor } from '../conformance/query.ts'
import { openTables, type TablesLake } from './glue.ts'
import { newNames } from './lake.ts'

async function partitionsOf(catalog: Catalog, table: string): Promise<Partition[]> {
  const found: Partition[] = []
  for await (const partition of catalog.listPartitions(table)) found.push(partition)
  return found
}

const second = () => new Promise((resolve) => setTimeout(resolve, 1100))

describe('tables in Glue', () => {
  let lake: TablesLake
  beforeAll(async () => {
    lake = await openTables()
  })
  afterAll(() => lake.close())

  const orders = (): { DatabaseName: string; Name: string } => ({
    DatabaseName: lake.names.databases.clean,
    Name: 'orders',
  })

  test('a table that a stack made from the same words is the table that the contract wants', async () => {
    const TableInput = glueTableInput(ORDERS, `s3://${lake.names.buckets.clean}/orders/`)
    await lake.glue.send(new CreateTableCommand({ DatabaseName: lake.names.databases.clean, TableInput }))
    expect(await lake.catalog.getTable('clean.orders')).toEqual(ORDERS)
  })

  test('columns that somebody changed by hand show, and are put right without losing partitions', async () => {
    const partition = { values: ['2026-03-01', 'a'], location: 'orders/a/' }
    await lake.catalog.putPartition('clean.orders', partition)
    const input = glueTableInput(ORDERS, 's3://elsewhere/')
    const Columns = [{ Name: 'order_id', Type: 'string' }]
    const TableInput = { ...input, StorageDescriptor: { ...input.StorageDescriptor, Columns } }
    await lake.glue.send(new UpdateTableCommand({ DatabaseName: lake.names.databases.clean, TableInput }))
    expect((await lake.catalog.getTable('clean.orders'))?.columns).toEqual([{ name: 'order_id', type: 'string' }])
    await lake.catalog.putTable(ORDERS)
    expect(await lake.catalog.getTable('clean.orders')).toEqual(ORDERS)
    expect(await partitionsOf(lake.catalog, 'clean.orders')).toEqual([partition])
    const { Table } = await lake.glue.send(new GetTableCommand(orders()))
    expect(Table?.StorageDescriptor?.Location).toBe(`s3://${lake.names.buckets.clean}/orders/`)
  })

  test('partitions whose files came with another type are told of, those that merely grew are not', async () => {
    const mistyped = async () => {
      const found = []
      for await (const one of lake.catalog.listMistyped('clean.retyped')) found.push(one)
      return found
    }
    const table = (type: string) => ({
      ...ORDERS,
      name: 'clean.retyped',
      columns: [...ORDERS.columns.filter(({ name }) => name !== 'amount'), { name: 'amount', type }],
    })
    await lake.catalog.putTable(table('DECIMAL(9,4)'))
    await lake.catalog.putPartition('clean.retyped', { values: ['2026-03-01', 'a'], location: 'retyped/a/' })
    await lake.catalog.putTable(table('DECIMAL(18,4)'))
    expect(await mistyped()).toEqual([])
    await lake.catalog.putTable(table('DECIMAL(8,2)'))
    await lake.catalog.putPartition('clean.retyped', { values: ['2026-03-01', 'b'], location: 'retyped/b/' })
    expect(await mistyped()).toEqual([
      { values: ['2026-03-01', 'a'], column: 'amount', type: 'decimal(9,4)', wanted: 'decimal(8,2)' },
    ])
    await lake.catalog.putPartition('clean.retyped', { values: ['2026-03-01', 'a'], location: 'retyped/a2/' })
    expect(await mistyped()).toEqual([])
  })

  test('names in mixed case are kept, and found whatever the case', async () => {
    const mixed: TableDefinition = {
      ...ORDERS,
      name: 'clean.MixedCase',
      columns: [{ name: 'orderId', type: 'BIGINT', comment: 'the id' }],
    }
    await lake.catalog.putTable(mixed)
    expect(await lake.catalog.getTable('clean.MixedCase')).toEqual(mixed)
    expect((await lake.catalog.listTables()).map((table) => table.name)).toContain('clean.MixedCase')
    const at = { values: ['2026-03-01', 'x'], location: 'MixedCase/x/' }
    await lake.catalog.putPartition('clean.MixedCase', at)
    expect(await lake.openCatalog().getPartition('clean.MixedCase', at.values)).toEqual(at)
  })

  test('many who put, move and delete one partition at the same time all end well', async () => {
    const values = ['2026-03-01', 'race']
    const others = Array.from({ length: 4 }, () => lake.openCatalog())
    await Promise.all(
      others.flatMap((catalog, n) => [
        catalog.putPartition('clean.orders', { values, location: `orders/race/${n}/` }),
        catalog.deletePartition('clean.orders', values),
        catalog.putPartition('clean.orders', { values, location: `orders/race/${n}/` }),
      ]),
    )
    await lake.catalog.putPartition('clean.orders', { values, location: 'orders/race/last/' })
    expect((await partitionsOf(lake.catalog, 'clean.orders')).filter((one) => one.values[1] === 'race')).toEqual([
      { values, location: 'orders/race/last/' },
    ])
  })

  test('what cannot be is refused by name', async () => {
    const partition = { values: ['2026-03-01', 'a'], location: 'x/' }
    await expect(lake.catalog.putPartition('clean.never', partition)).rejects.toThrow(
      /table clean\.never is not in Glue\. Deploy it/,
    )
    await expect(lake.catalog.putPartition('clean.orders', { values: [], location: 'x/' })).rejects.toThrow(
      StorageError,
    )
    await expect(lake.catalog.getTable('landing.orders')).rejects.toThrow(/only clean, curated and ops have tables/)
    expect(await partitionsOf(lake.catalog, 'clean.never')).toEqual([])
    await lake.catalog.deletePartition('clean.never', ['a', 'b'])
  })
})

describe('a catalog that lost partitions', () => {
  let lake: TablesLake
  beforeAll(async () => {
    lake = await openTables()
  })
  afterAll(() => lake.close())

  const putHead = (source: string) => lake.ops.put(headKey('orders', source), '{}')
  const remake = async () => {
    const { databases } = lake.names
    await lake.glue.send(new DeleteTableCommand({ DatabaseName: databases.clean, Name: 'orders' }))
    await second()
    await lake.catalog.putTable(ORDERS)
  }

  test('is known by the age of its tables, and complete again once its heads were followed', async () => {
    await lake.catalog.putTable(ORDERS)
    await putHead('orders/a.csv')
    const before = await lake.catalog.state()
    expect(before.complete).toBe(true)
    await second()
    await remake()
    const lost = await lake.openCatalog().state()
    expect(lost.complete).toBe(false)
    expect(lost.generation).not.toBe(before.generation)

    // Whoever followed the heads into the table before it says nothing of this one.
    await lake.catalog.markComplete(before.generation)
    expect((await lake.catalog.state()).complete).toBe(false)
    await lake.catalog.markComplete(lost.generation)
    expect(await lake.openCatalog().state()).toEqual({ ...lost, complete: true })

    await remake()
    expect((await lake.catalog.state()).complete).toBe(false)
    await lake.catalog.markComplete((await lake.catalog.state()).generation)
  })

  test('a table for a new dataset, and heads that come after it, change nothing', async () => {
    await lake.catalog.putTable({ ...ORDERS, name: 'clean.new_ones' })
    expect((await lake.catalog.state()).complete).toBe(true)
    await lake.ops.put(headKey('new_ones', 'new_ones/a.csv'), '{}')
    expect((await lake.catalog.state()).complete).toBe(true)
  })

  test('several may look and mark at once, and a marker that is damaged is made anew', async () => {
    const { generation } = await lake.catalog.state()
    await Promise.all(Array.from({ length: 5 }, () => lake.openCatalog().markComplete(generation)))
    await lake.ops.put(catalogMarkerKey(), 'damaged')
    expect((await lake.catalog.state()).complete).toBe(false)
    await lake.catalog.markComplete(generation)
    expect((await lake.catalog.state()).complete).toBe(true)
  })
})

describe('queries in Athena', () => {
  let lake: TablesLake
  let athena: AthenaClient
  beforeAll(async () => {
    lake = await openTables()
    athena = new AthenaClient(clientSettings({ region: lake.names.region }))
    await lake.catalog.putTable(ORDERS)
  })
  afterAll(async () => {
    athena.destroy()
    await lake.close()
  })

  const queries = (catalog: Pick<Catalog, 'state' | 'listTables'> = lake.catalog) =>
    openAthena({ athena, workgroup: lake.names.workgroups.analysts, databases: lake.names.databases, catalog })

  test('rows come with types, without the header, and with what they cost', async () => {
    const result = await queries().query(
      "SELECT 1 AS a, CAST(9007199254740993 AS bigint) AS b, true AS c, CAST(NULL AS varchar) AS d, DATE '2024-02-29' AS e, '' AS f",
    )
    expect(result.rows).toEqual([[1, '9007199254740993', true, null, '2024-02-29', '']])
    expect(result.columns.slice(0, 3)).toEqual([
      { name: 'a', type: 'INTEGER' },
      { name: 'b', type: 'BIGINT' },
      { name: 'c', type: 'BOOLEAN' },
    ])
    expect(result.stats?.cost).toBeCloseTo((10 / 1024 ** 2) * 5, 10)
    expect(result.stats?.bytesScanned).toBeGreaterThanOrEqual(0)
  })

  test('many rows come in pages, all of them once', async () => {
    const { rows } = await queries().query('SELECT n FROM (SELECT unnest(range(2500)) AS n) t ORDER BY n')
    expect(rows).toHaveLength(2500)
    expect(rows.map(([n]) => n)).toEqual(Array.from({ length: 2500 }, (_, n) => String(n)))
  })

  test('a table is asked for by its zone', async () => {
    expect((await queries().query('SELECT count(*) FROM clean.orders')).rows).toEqual([['0']])
  })

  test('a table that is not there is named, and so are those that are', async () => {
    await expect(queries().query('SELECT * FROM clean.nope')).rejects.toThrow(
      /There is no table clean\.nope\. The tables are: clean\.orders, ops\.receipts, ops\.rejects/,
    )
  })

  test('what fails in Athena is a QueryError with its reason', async () => {
    const error = await queries()
      .query('SELECT nope FROM clean.orders')
      .catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(QueryError)
    expect(String(error)).toMatch(/nope/)
  })

  test('a catalog that lost partitions answers nothing about clean, and still about ops', async () => {
    const incomplete = { ...lake.catalog, state: async () => ({ generation: 'x', complete: false }) }
    await expect(queries(incomplete).query('SELECT * FROM clean.orders')).rejects.toThrow(/Run "weir reconcile"/)
    expect((await queries(incomplete).query('SELECT 1')).rows).toEqual([[1]])
  })

  test('a query that nobody waits for any more is stopped', async () => {
    const controller = new AbortController()
    const endless = queries().query('SELECT sum(a.range * b.range) FROM range(30000) a, range(30000) b', {
      signal: controller.signal,
    })
    setTimeout(() => controller.abort(new Error('Enough.')), 300)
    await expect(endless).rejects.toThrow('Enough.')
    await expect(queries().query('SELECT 1', { signal: controller.signal })).rejects.toThrow('Enough.')
  })
})

describe('notifications', () => {
  const names = newNames()
  const settings = clientSettings({ region: names.region })
  const sns = new SNSClient(settings)
  const events = new EventBridgeClient(settings)
  const sqs = new SQSClient(settings)
  const s3 = openS3({ region: names.region })
  const queues: Record<string, string> = {}
  const UPLOAD = '20260301T080000Z-0123456789ab'

  async function makeQueue(name: string): Promise<{ url: string; arn: string }> {
    const { QueueUrl: url = '' } = await sqs.send(new CreateQueueCommand({ QueueName: `${names.environment}-${name}` }))
    const { Attributes } = await sqs.send(
      new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['QueueArn'] }),
    )
    queues[name] = url
    return { url, arn: Attributes?.QueueArn ?? '' }
  }

  async function heard(name: string): Promise<Message | undefined> {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl: queues[name], WaitTimeSeconds: 5, MaxNumberOfMessages: 10 }),
    )
    return Messages[0]
  }

  beforeAll(async () => {
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: topicName(names.environment, 'orders') }))
    const people = await makeQueue('people')
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: people.arn }))
    await events.send(new CreateEventBusCommand({ Name: names.eventBus }))
    const programs = await makeQueue('programs')
    const rule = { Name: `${names.environment}-rule`, EventBusName: names.eventBus }
    await events.send(new PutRuleCommand({ ...rule, EventPattern: JSON.stringify({ source: ['weir'] }) }))
    await events.send(
      new PutTargetsCommand({
        Rule: rule.Name,
        EventBusName: rule.EventBusName,
        Targets: [{ Id: '1', Arn: programs.arn }],
      }),
    )
  })
  afterAll(() => {
    for (const client of [sns, events, sqs, s3]) client.destroy()
  })

  test('an upload reaches people by the topic and programs by the bus', async () => {
    const notifier = openSnsNotifier({ sns, events, s3, deployed: names })
    await notifier.notify(receiptFor(UPLOAD), { dataset: 'orders', support: [] })
    const message = JSON.parse((await heard('people'))?.Body ?? '{}')
    expect(message.Subject).toBe('orders: accepted, with rejects (1 of 3 rows): monday.csv')
    expect(message.Message).toContain('2 rows are in, 1 row needs mending.')
    expect(message.Message).toContain(`pages%2Fdataset%3Dorders%2Fdate%3D2026-03-01%2F${UPLOAD}.html`)
    expect(message.MessageAttributes).toMatchObject({
      dataset: { Type: 'String', Value: 'orders' },
      outcome: { Type: 'String', Value: 'accepted_with_rejects' },
    })
    const event = JSON.parse((await heard('programs'))?.Body ?? '{}')
    expect(event).toMatchObject({ source: 'weir', 'detail-type': EVENT_TYPE })
    expect(uploadFinishedSchema.parse(event.detail)).toMatchObject({ upload: UPLOAD, outcome: 'accepted_with_rejects' })
  })

  test('a signed link opens the page without a login', async () => {
    const notifier = openSnsNotifier({ sns, events, s3, deployed: names, receiptLink: 'presigned' })
    await notifier.notify(receiptFor(UPLOAD), { dataset: 'orders', support: [] })
    const message = JSON.parse((await heard('people'))?.Body ?? '{}')
    expect(message.Message).toMatch(/The receipt: http\S+X-Amz-Signature=/)
    expect(await heard('programs')).toBeDefined()
  })

  test('a topic that is missing keeps no event back, and a bus that is missing no message', async () => {
    const noTopic = openSnsNotifier({ sns, events, s3, deployed: names, receiptLink: 'none' })
    const failed = noTopic.notify(receiptFor(UPLOAD, { dataset: 'airports' }), { dataset: 'airports', support: [] })
    await expect(failed).rejects.toThrow(NotificationFailed)
    await expect(failed).rejects.toThrow(/Could not tell the topic .*-airports: it does not exist\. Deploy the lake/)
    expect(JSON.parse((await heard('programs'))?.Body ?? '{}').detail.dataset).toBe('airports')

    const nowhere = new EventBridgeClient({ ...settings, endpoint: 'http://127.0.0.1:1', maxAttempts: 1 })
    const noBus = openSnsNotifier({ sns, events: nowhere, s3, deployed: names, receiptLink: 'none' })
    await expect(noBus.notify(receiptFor(UPLOAD), { dataset: 'orders', support: [] })).rejects.toThrow(
      /Could not tell the event bus .*-events: no connection to/,
    )
    expect(JSON.parse((await heard('people'))?.Body ?? '{}').Message).not.toContain('The receipt:')
    nowhere.destroy()
  })
})
