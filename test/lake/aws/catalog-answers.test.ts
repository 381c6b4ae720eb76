// Answers that Glue gives and no emulator does: pages, races, and what is not there.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GlueClient } from '@aws-sdk/client-glue'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { openGlueCatalog } from '../../../lib/lake/aws/catalog.ts'
import { AccessDenied, LakeNotDeployed } from '../../../lib/lake/aws/errors.ts'
import { glueTableInput } from '../../../lib/lake/aws/types.ts'
import { StorageError } from '../../../lib/lake/errors.ts'
import { catalogMarkerKey, headKey } from '../../../lib/lake/keys.ts'
import { createLocalLake, openLocalLake } from '../../../lib/lake/local/lake.ts'
import type { Lake, ObjectStore, Partition } from '../../../lib/lake/ports.ts'
import { ORDERS } from '../../conformance/query.ts'
import { type AnswerServer, refusal, startAnswers } from './answers.ts'

const databases = { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' }
const buckets = { clean: 'weir-clean', curated: 'weir-curated', ops: 'weir-ops' }
const ok = { body: {} }
const missing = refusal('Entity Not Found', 'EntityNotFoundException')
const taken = refusal('Partition already exists.', 'AlreadyExistsException')
const table = (CreateTime: number, more = {}) => ({
  ...glueTableInput(ORDERS, 's3://weir-clean/orders/'),
  CreateTime,
  ...more,
})
const PARTITION = { values: ['2026-03-01', 'a'], location: 'orders/a/' }

let server: AnswerServer
let glue: GlueClient
let root: string
let local: Lake

beforeEach(async () => {
  server = await startAnswers()
  glue = new GlueClient(server.client)
  root = await mkdtemp(join(tmpdir(), 'weir-answers-'))
  await createLocalLake(root)
  local = await openLocalLake(root)
  server.answers.GetTable = [{ body: { Table: table(1) } }]
})
afterEach(async () => {
  glue.destroy()
  await server.close()
  await local.close()
  await rm(root, { recursive: true })
})

const open = (ops: ObjectStore = local.zones.ops) => openGlueCatalog({ glue, databases, buckets, ops })
const actions = () => server.asked.map(({ action }) => action)

describe('partitions', () => {
  test('have the files and the columns of their table', async () => {
    server.answers.CreatePartition = [ok]
    await open().putPartition('clean.orders', PARTITION)
    expect(server.asked.at(-1)?.body).toMatchObject({
      DatabaseName: 'weir_clean',
      TableName: 'orders',
      PartitionInput: {
        Values: ['2026-03-01', 'a'],
        StorageDescriptor: {
          Location: 's3://weir-clean/orders/a/',
          SerdeInfo: { SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe' },
          Columns: expect.arrayContaining([{ Name: 'amount', Type: 'decimal(18,4)' }]),
        },
      },
    })
  })

  test('are moved where they exist, and made again where somebody deleted them in between', async () => {
    server.answers.CreatePartition = [taken, ok]
    const gone = { PartitionValueList: PARTITION.values, ErrorDetail: { ErrorCode: 'EntityNotFoundException' } }
    server.answers.BatchUpdatePartition = [{ body: { Errors: [gone] } }]
    await open().putPartition('clean.orders', PARTITION)
    expect(actions()).toEqual(['GetTable', 'CreatePartition', 'BatchUpdatePartition', 'CreatePartition'])
  })

  test('that others move without end are a fault, and so is what Glue does not take', async () => {
    server.answers.CreatePartition = [taken]
    const error = (ErrorCode: string) => ({
      body: { Errors: [{ ErrorDetail: { ErrorCode, ErrorMessage: 'Too long.' } }] },
    })
    server.answers.BatchUpdatePartition = [error('ConcurrentModificationException')]
    await expect(open().putPartition('clean.orders', PARTITION)).rejects.toThrow(/others changed it 10 times meanwhile/)
    server.answers.BatchUpdatePartition = [error('InvalidInputException')]
    await expect(open().putPartition('clean.orders', PARTITION)).rejects.toThrow(
      /did not move the partition 2026-03-01\/a of clean\.orders: InvalidInputException: Too long\./,
    )
    server.answers.CreatePartition = [missing]
    await expect(open().putPartition('clean.orders', PARTITION)).rejects.toThrow(StorageError)
  })

  test('come in pages, without columns, and are listed in order', async () => {
    const partition = (source: string) => ({
      Values: ['2026-03-01', source],
      StorageDescriptor: { Location: `s3://weir-clean/orders/${source}/` },
    })
    server.answers.GetPartitions = [
      { body: { Partitions: [partition('c'), partition('a')], NextToken: 'more' } },
      { body: { Partitions: [partition('b')] } },
    ]
    const found: Partition[] = []
    for await (const one of open().listPartitions('clean.orders')) found.push(one)
    expect(found.map(({ location }) => location)).toEqual(['orders/a/', 'orders/b/', 'orders/c/'])
    expect(server.asked[0]?.body).toMatchObject({ ExcludeColumnSchema: true })
    expect(server.asked[1]?.body).toMatchObject({ ExcludeColumnSchema: true, NextToken: 'more' })
  })

  test('of a table that is not there are none, and deleting them is fine', async () => {
    server.answers = {
      GetPartitions: [missing],
      GetPartition: [missing],
      DeletePartition: [missing],
      GetTable: [missing],
    }
    const catalog = open()
    for await (const one of catalog.listPartitions('clean.orders')) expect(one).toBeUndefined()
    expect(await catalog.getPartition('clean.orders', PARTITION.values)).toBeUndefined()
    await catalog.deletePartition('clean.orders', PARTITION.values)
    await expect(catalog.putPartition('clean.orders', PARTITION)).rejects.toThrow(/is not in Glue\. Deploy it/)
  })

  test('that point elsewhere show where', async () => {
    const Partition = { Values: PARTITION.values, StorageDescriptor: { Location: 's3://other/orders/a/' } }
    server.answers.GetPartition = [{ body: { Partition } }]
    expect(await open().getPartition('clean.orders', PARTITION.values)).toEqual({
      values: PARTITION.values,
      location: 's3://other/orders/a/',
    })
  })
})

describe('tables', () => {
  test('are changed where they exist, made where not, and whoever comes second changes what the first made', async () => {
    const busy = refusal('Update table failed due to concurrent modifications.', 'ConcurrentModificationException')
    server.answers.UpdateTable = [busy, missing, ok]
    server.answers.CreateTable = [refusal('Table already exists.', 'AlreadyExistsException')]
    await open().putTable(ORDERS)
    expect(actions()).toEqual(['UpdateTable', 'UpdateTable', 'CreateTable', 'UpdateTable'])
    expect(server.asked[0]?.body).toMatchObject({ SkipArchive: true })
  })

  test('without a database are a lake that is not deployed', async () => {
    server.answers = { UpdateTable: [missing], CreateTable: [missing], GetTables: [missing] }
    await expect(open().putTable(ORDERS)).rejects.toThrow(LakeNotDeployed)
    await expect(open().listTables()).rejects.toThrow(/There is no Glue database weir_clean in this account and region/)
  })

  test('are listed from all pages, without the views that people made', async () => {
    const view = { Name: 'mine', TableType: 'VIRTUAL_VIEW' }
    const other = { Name: 'zebras', TableType: 'EXTERNAL_TABLE', StorageDescriptor: { Columns: [] } }
    server.answers.GetTables = [
      { body: { TableList: [other, view], NextToken: 'more' } },
      { body: { TableList: [table(1)] } },
      { body: { TableList: [] } },
    ]
    expect((await open().listTables()).map(({ name }) => name)).toEqual(['clean.orders', 'clean.zebras'])
  })

  test('that may not be read say so', async () => {
    server.answers.GetTable = [refusal('User: u is not authorized to perform: glue:GetTable', 'AccessDeniedException')]
    await expect(open().getTable('clean.orders')).rejects.toThrow(AccessDenied)
  })
})

describe('whether the catalog is complete', () => {
  const now = () => Math.floor(Date.now() / 1000)
  const tables = (made: number) => {
    server.answers.GetTables = [{ body: { TableList: [table(made)] } }]
  }

  test('is told by heads that are older than their table, until they were followed into it', async () => {
    await local.zones.ops.put(headKey('orders', 'orders/a.csv'), '{}')
    tables(now() - 100)
    expect((await open().state()).complete).toBe(true)
    tables(now() + 100)
    const { generation, complete } = await open().state()
    expect(complete).toBe(false)
    await open().markComplete(generation)
    expect(await open().state()).toEqual({ generation, complete: true })
    tables(now() + 200)
    await open().markComplete(generation)
    expect((await open().state()).complete).toBe(false)
  })

  test('can be asked by who may only read, and by who may not even read what is known', async () => {
    await local.zones.ops.put(headKey('orders', 'orders/a.csv'), '{}')
    const denied = async (): Promise<never> => {
      throw new AccessDenied('no')
    }
    const readOnly = { ...local.zones.ops, put: denied }
    const less = { ...readOnly, get: denied }
    for (const ops of [readOnly, less]) {
      tables(now() - 100)
      expect((await open(ops).state()).complete).toBe(true)
      tables(now() + 100)
      expect((await open(ops).state()).complete).toBe(false)
    }
    expect(await local.zones.ops.head(catalogMarkerKey())).toBeUndefined()
    await expect(open(readOnly).markComplete((await open().state()).generation)).rejects.toThrow(AccessDenied)
  })
})
