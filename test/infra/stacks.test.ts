// What the stacks deploy: one synthesis of the defaults, and one for each setting that changes something.

import { mkdir, readFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { App, Stack, Validations } from 'aws-cdk-lib'
import { Bucket } from 'aws-cdk-lib/aws-s3'
import { AwsSolutionsChecks } from 'cdk-nag'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ContractError, readContracts } from '../../lib/contract/read.ts'
import { CannotDeploy } from '../../lib/infra/errors.ts'
import { readLakeToDeploy } from '../../lib/infra/lake.ts'
import { subscriptionsOf } from '../../lib/infra/topics.ts'
import { readWish } from '../../lib/lake/aws/curate-queue.ts'
import { deployedParameter, deployedSchema, topicArn } from '../../lib/lake/aws/deployed.ts'
import { DIMENSIONS, METRIC_NAMESPACE, METRICS } from '../../lib/lake/aws/metrics.ts'
import { versionsDatabase } from '../../lib/lake/aws/names.ts'
import { definitionOf } from '../../lib/lake/aws/types.ts'
import { ConfigError } from '../../lib/lake/errors.ts'
import { receiptKey, rejectsKeys, runKey } from '../../lib/lake/keys.ts'
import { ModelError } from '../../lib/lake/models/issues.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS, RUN_COLUMNS, tableOf } from '../../lib/lake/tables.ts'
import {
  ACCOUNT,
  deployed,
  lakeFolder,
  ofType,
  REGION,
  ROOT,
  removeFolders,
  type Stacks,
  stacksOf,
  type Template,
} from './stacks.ts'

const EVERYTHING = `
environment: shop-1
aws:
  region: eu-west-3
  removalPolicy: destroy
  deleteData: shop-1
  encryption: kms
  accessLogs: true
  alarmEmail: ops@example.com
  maxObjectSize: 500MB
  scanLimit: 1GB
  notifications: { receiptLink: none }
  reconcile: cron(0 6 * * ? *)
  curate: { delaySeconds: 5, memoryMB: 2048, maximumConcurrency: 3, maintenance: rate(7 days) }
  lambda: { architecture: x64, memoryMB: 1769, timeoutSeconds: 60, ephemeralStorageMB: 2048, maximumConcurrency: 7, batchSize: 3 }
  retention: { athenaResultsDays: 5, logDays: 30, tierLandingDays: 40, archiveLandingDays: 100 }
`
const MORE = {
  'tickets.odcs.yaml': `
apiVersion: v3.1.0
kind: DataContract
id: tickets
version: "1.0.0"
status: active
support:
  - { channel: desk, url: "mailto:desk@example.com,night%2Bdesk@example.com?subject=Tickets" }
  - { channel: hook, url: "https://example.com/hook" }
  - { channel: room, url: "slack://rooms/1" }
  - { channel: board, tool: ticket, url: "https://example.com/tickets" }
  - { channel: corridor }
schema:
  - name: tickets
    logicalType: object
    properties:
      - { name: ticketId, logicalType: integer, description: Number on the ticket. }
      - { name: address, logicalType: object, properties: [{ name: city, logicalType: string }] }
`,
}

const MODELS = {
  'cities.sql': `/*---
description: Tickets by city.
schedule: cron(0 6 * * ? *)
---*/
SELECT address.city AS city, count(*) AS tickets FROM clean.tickets GROUP BY 1
`,
  'big_cities.sql': `/*---
materialized: view
---*/
SELECT city FROM curated.cities WHERE tickets > 100
`,
}

/** Names that are as long as a model's may be, and begin alike. */
const LONG = ['a', 'b'].map((end) => `${'long_'.repeat(20)}${end}`)
for (const name of LONG)
  (MODELS as Record<string, string>)[`${name}.sql`] = '/*---\nschedule: rate(1 day)\n---*/\nSELECT 1 AS one\n'

let plain: Stacks
let everything: Stacks
beforeAll(async () => {
  plain = await stacksOf()
  everything = await stacksOf(EVERYTHING, MORE, MODELS)
})
afterAll(removeFolders)

const one = (template: Template, type: string, name: string, value: string) => {
  const found = ofType(template, type).filter(({ Properties }) => deployed(Properties[name]) === value)
  expect(found, `${type} with ${name} ${value}`).toHaveLength(1)
  return found[0] as NonNullable<(typeof found)[0]>
}
const bucketNamed = (template: Template, name: string) => one(template, 'AWS::S3::Bucket', 'BucketName', name)

describe('buckets', () => {
  const zones = ['landing', 'clean', 'curated', 'ops']

  test.each(zones)('%s: encrypted, closed to the public, TLS only, kept', (zone) => {
    const bucket = bucketNamed(plain.data, `weir-${zone}-${ACCOUNT}-${REGION}`)
    expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate')
    expect(bucket.Properties.PublicAccessBlockConfiguration).toEqual({
      BlockPublicAcls: true,
      BlockPublicPolicy: true,
      IgnorePublicAcls: true,
      RestrictPublicBuckets: true,
    })
    expect(JSON.stringify(bucket.Properties.BucketEncryption)).toContain('AES256')
    expect(JSON.stringify(bucket.Properties.LifecycleConfiguration)).toContain('"DaysAfterInitiation":7')
    expect(bucket.Properties.VersioningConfiguration).toEqual(zone === 'landing' ? { Status: 'Enabled' } : undefined)
    const [id] = Object.entries(plain.data.Resources).find(([, it]) => it === bucket) ?? []
    const policy = ofType(plain.data, 'AWS::S3::BucketPolicy').find(({ Properties }) => Properties.Bucket.Ref === id)
    const denials = policy?.Properties.PolicyDocument.Statement.filter((it: { Effect: string }) => it.Effect === 'Deny')
    expect(JSON.stringify(denials)).toContain('"aws:SecureTransport":"false"')
  })

  test('landing tells EventBridge, and moves what is old to cheaper storage, older versions too', () => {
    const { Properties } = bucketNamed(plain.data, `weir-landing-${ACCOUNT}-${REGION}`)
    expect(Properties.NotificationConfiguration).toEqual({ EventBridgeConfiguration: { EventBridgeEnabled: true } })
    const tier = Properties.LifecycleConfiguration.Rules.find((rule: { Id: string }) => rule.Id.startsWith('tier'))
    const steps = [
      { StorageClass: 'STANDARD_IA', TransitionInDays: 90 },
      { StorageClass: 'GLACIER_IR', TransitionInDays: 365 },
    ]
    expect(tier.Transitions).toEqual(steps)
    expect(tier.NoncurrentVersionTransitions).toEqual(steps)
    expect(JSON.stringify(Properties)).not.toContain('Expiration')
    expect(ofType(plain.data, 'Custom::S3BucketNotifications')).toEqual([])
  })

  test('of ops only the results of queries expire', () => {
    const { Properties } = bucketNamed(plain.data, `weir-ops-${ACCOUNT}-${REGION}`)
    const expiring = Properties.LifecycleConfiguration.Rules.filter((rule: object) => 'ExpirationInDays' in rule)
    expect(expiring).toEqual([
      { Id: 'expire-query-results', Prefix: 'athena-results/', ExpirationInDays: 30, Status: 'Enabled' },
    ])
  })

  test('access logs, where they are wanted, have a bucket of their own', () => {
    expect(ofType(plain.data, 'AWS::S3::Bucket')).toHaveLength(4)
    expect(ofType(everything.data, 'AWS::S3::Bucket')).toHaveLength(5)
    const { Properties } = bucketNamed(everything.data, `shop-1-clean-${ACCOUNT}-${REGION}`)
    expect(Properties.LoggingConfiguration.LogFilePrefix).toBe('clean/')
  })
})

describe('deleting data', () => {
  test('takes two keys: one alone changes nothing', async () => {
    expect(plain.protected).toBe(true)
    const half = await stacksOf('aws: {removalPolicy: destroy}')
    expect(half.protected).toBe(true)
    for (const bucket of ofType(half.data, 'AWS::S3::Bucket'))
      expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate')
    const other = await stacksOf('aws: {deleteData: weir}')
    for (const bucket of ofType(other.data, 'AWS::S3::Bucket'))
      expect(bucket.DeletionPolicy).toBe('RetainExceptOnCreate')
  })

  test('is possible with both', () => {
    expect(everything.protected).toBe(false)
    for (const bucket of ofType(everything.data, 'AWS::S3::Bucket')) expect(bucket.DeletionPolicy).toBe('Delete')
  })

  test('a second key for another lake is a mistake', async () => {
    await expect(stacksOf('aws: {removalPolicy: destroy, deleteData: wier}')).rejects.toThrow(
      /aws\.deleteData must be the environment's name, weir/,
    )
  })
})

describe('a key of its own', () => {
  test('is rotated, and works through S3 and SNS of this account only', () => {
    const [key] = ofType(everything.data, 'AWS::KMS::Key')
    expect(key?.Properties.EnableKeyRotation).toBe(true)
    const [, through] = deployed(key?.Properties.KeyPolicy.Statement) as { Condition: object; Principal: object }[]
    expect(through).toMatchObject({
      Principal: { AWS: '*' },
      Condition: {
        StringEquals: {
          'kms:CallerAccount': ACCOUNT,
          'kms:ViaService': [`s3.${REGION}.amazonaws.com`, `sns.${REGION}.amazonaws.com`],
        },
      },
    })
    const zone = bucketNamed(everything.data, `shop-1-landing-${ACCOUNT}-${REGION}`)
    expect(JSON.stringify(zone.Properties.BucketEncryption)).toMatch(
      /"BucketKeyEnabled":true.*"SSEAlgorithm":"aws:kms"/,
    )
    const [workgroup] = ofType(everything.pipeline, 'AWS::Athena::WorkGroup')
    expect(workgroup?.Properties.WorkGroupConfiguration.ResultConfiguration.EncryptionConfiguration).toEqual({
      EncryptionOption: 'SSE_KMS',
      KmsKey: '{{resolve:ssm:/weir/shop-1/key}}',
    })
    one(everything.data, 'AWS::SSM::Parameter', 'Name', '/weir/shop-1/key')
  })

  test('does not lock EventBridge out of the queue', () => {
    for (const queue of ofType(everything.pipeline, 'AWS::SQS::Queue')) {
      expect(queue.Properties.SqsManagedSseEnabled).toBe(true)
      expect(queue.Properties.KmsMasterKeyId).toBeUndefined()
    }
  })
})

/** What feeds a function. */
const mappingOf = ({ pipeline }: Stacks, functionName: string) => {
  const mappings = ofType(pipeline, 'AWS::Lambda::EventSourceMapping')
  const idOf = (name: string) =>
    Object.entries(pipeline.Resources).find(([, { Properties }]) => Properties.FunctionName === name)?.[0]
  return mappings.find(({ Properties }) => Properties.FunctionName.Ref === idOf(functionName))?.Properties
}

describe('from landing to the function', () => {
  test('objects that come and go are events in the queue, and dead letters wait 14 days', () => {
    const { pipeline } = plain
    const rule = one(pipeline, 'AWS::Events::Rule', 'Name', 'weir-landing')
    expect(deployed(rule.Properties.EventPattern)).toEqual({
      source: ['aws.s3'],
      'detail-type': ['Object Created', 'Object Deleted'],
      detail: { bucket: { name: [`weir-landing-${ACCOUNT}-${REGION}`] } },
    })
    const queue = one(pipeline, 'AWS::SQS::Queue', 'QueueName', 'weir-ingest')
    const dead = one(pipeline, 'AWS::SQS::Queue', 'QueueName', 'weir-ingest-dlq')
    expect(queue.Properties).toMatchObject({ VisibilityTimeout: 5400, RedrivePolicy: { maxReceiveCount: 5 } })
    expect(dead.Properties.MessageRetentionPeriod).toBe(14 * 24 * 3600)
    const policies = ofType(pipeline, 'AWS::SQS::QueuePolicy')
    expect(policies).toHaveLength(4)
    for (const policy of policies) expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"')
  })

  test('the function takes single failures back, and its concurrency is capped at the queue, never reserved', () => {
    expect(mappingOf(plain, 'weir-ingest')).toMatchObject({
      BatchSize: 1,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 6 },
    })
    expect(mappingOf(everything, 'shop-1-ingest')).toMatchObject({
      BatchSize: 3,
      ScalingConfig: { MaximumConcurrency: 7 },
    })
    for (const worker of ofType(plain.pipeline, 'AWS::Lambda::Function'))
      expect(worker.Properties.ReservedConcurrentExecutions).toBeUndefined()
  })

  test('functions have the settings of weir.yaml', () => {
    const ingest = (stacks: Stacks, name: string) =>
      one(stacks.pipeline, 'AWS::Lambda::Function', 'FunctionName', name).Properties
    expect(ingest(plain, 'weir-ingest')).toMatchObject({
      Runtime: 'nodejs24.x',
      Architectures: ['arm64'],
      MemorySize: 3008,
      Timeout: 900,
      EphemeralStorage: { Size: 10240 },
      TracingConfig: { Mode: 'Active' },
      Environment: { Variables: { POWERTOOLS_SERVICE_NAME: 'weir', POWERTOOLS_METRICS_NAMESPACE: 'Weir' } },
    })
    expect(ingest(everything, 'shop-1-ingest')).toMatchObject({
      Architectures: ['x86_64'],
      MemorySize: 1769,
      Timeout: 60,
      EphemeralStorage: { Size: 2048 },
    })
    const logs = one(everything.pipeline, 'AWS::Logs::LogGroup', 'LogGroupName', '/aws/lambda/shop-1-ingest')
    expect(logs.Properties.RetentionInDays).toBe(30)
    const schedule = one(everything.pipeline, 'AWS::Events::Rule', 'Name', 'shop-1-reconcile')
    expect(schedule.Properties.ScheduleExpression).toBe('cron(0 6 * * ? *)')
    // … and by a deployment that is through, which may have brought models: it starts what nobody waits for.
    expect(schedule.Properties.EventPattern).toEqual({
      source: ['aws.cloudformation'],
      'detail-type': ['CloudFormation Stack Status Change'],
      detail: {
        'stack-id': [{ Ref: 'AWS::StackId' }],
        'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] },
      },
    })
  })
})

describe('from what changed to curated tables', () => {
  test('a table is a group of a FIFO queue, which waits for more to come, and whose dead letters are FIFO too', () => {
    const queue = one(plain.pipeline, 'AWS::SQS::Queue', 'QueueName', 'weir-curate.fifo')
    const dead = one(plain.pipeline, 'AWS::SQS::Queue', 'QueueName', 'weir-curate-dlq.fifo')
    expect(queue.Properties).toMatchObject({
      FifoQueue: true,
      DelaySeconds: 30,
      VisibilityTimeout: 1200,
      RedrivePolicy: { maxReceiveCount: 8 },
      SqsManagedSseEnabled: true,
    })
    expect(dead.Properties).toMatchObject({ FifoQueue: true, MessageRetentionPeriod: 14 * 24 * 3600 })
    const [id] = Object.entries(plain.pipeline.Resources).find(([, it]) => it === dead) ?? []
    expect(queue.Properties.RedrivePolicy.deadLetterTargetArn['Fn::GetAtt'][0]).toBe(id)
    const other = one(everything.pipeline, 'AWS::SQS::Queue', 'QueueName', 'shop-1-curate.fifo')
    expect(other.Properties.DelaySeconds).toBe(5)
  })

  test('the function takes ten messages, says which failed, and may wait as long as Lambda lets it', () => {
    const curate = one(plain.pipeline, 'AWS::Lambda::Function', 'FunctionName', 'weir-curate').Properties
    expect(curate).toMatchObject({ MemorySize: 1024, Timeout: 900, Handler: 'curate.handler' })
    // Messages do not come again while the function works on them, nor long after it was killed.
    const queue = one(plain.pipeline, 'AWS::SQS::Queue', 'QueueName', 'weir-curate.fifo').Properties
    expect(queue.VisibilityTimeout).toBe(curate.Timeout + 300)
    expect(mappingOf(plain, 'weir-curate')).toMatchObject({
      BatchSize: 10,
      FunctionResponseTypes: ['ReportBatchItemFailures'],
      ScalingConfig: { MaximumConcurrency: 2 },
    })
    expect(mappingOf(everything, 'shop-1-curate')).toMatchObject({ ScalingConfig: { MaximumConcurrency: 3 } })
    expect(one(everything.pipeline, 'AWS::Lambda::Function', 'FunctionName', 'shop-1-curate').Properties).toMatchObject(
      {
        MemorySize: 2048,
      },
    )
  })

  test('clocks: maintenance, and a message for each model with a schedule, in the group of its table', () => {
    const targetOf = (stacks: Stacks, name: string) => {
      const rule = one(stacks.pipeline, 'AWS::Events::Rule', 'Name', name)
      const [target] = rule.Properties.Targets
      const { InputTemplate, InputPathsMap } = target.InputTransformer
      expect(InputPathsMap).toEqual({ time: '$.time' })
      // The time makes each message another one: the queue drops what it had in the last five minutes.
      const wish = readWish(InputTemplate.replace('<time>', '"2026-11-22T00:00:00Z"'))
      return { when: rule.Properties.ScheduleExpression, wish, group: target.SqsParameters.MessageGroupId }
    }
    expect(targetOf(plain, 'weir-maintenance')).toEqual({
      when: 'rate(1 day)',
      wish: { weir: 'maintain' },
      group: '(lake)',
    })
    expect(targetOf(everything, 'shop-1-maintenance').when).toBe('rate(7 days)')
    expect(targetOf(everything, 'shop-1-model-cities')).toEqual({
      when: 'cron(0 6 * * ? *)',
      wish: { weir: 'curate', table: 'cities', trigger: 'schedule' },
      group: 'cities',
    })
    const names = ofType(everything.pipeline, 'AWS::Events::Rule').map(({ Properties }) => String(Properties.Name))
    const long = names.filter((name) => name.includes('long_'))
    expect(new Set(long).size).toBe(2)
    for (const name of long) expect(name.length).toBeLessThanOrEqual(64)
    // Those that follow what they are made from need no clock.
    expect(JSON.stringify(everything.pipeline)).not.toContain('shop-1-model-big_cities')
    const queue = one(everything.pipeline, 'AWS::SQS::Queue', 'QueueName', 'shop-1-curate.fifo')
    expect(queue.Properties.ContentBasedDeduplication).toBe(true)
  })

  test('tables of models have a database of their own behind the views', () => {
    expect(ofType(plain.data, 'AWS::Glue::Database').map(({ Properties }) => Properties.DatabaseInput.Name)).toEqual([
      'weir_clean',
      'weir_curated',
      'weir_ops',
      versionsDatabase({ curated: 'weir_curated' }),
    ])
    // Runs make the tables themselves: CloudFormation would make tables that are no Iceberg tables.
    for (const { Properties } of ofType(everything.data, 'AWS::Glue::Table'))
      expect(String(Properties.DatabaseName)).not.toContain('curated')
  })
})

describe('the names of the lake', () => {
  test('are the same JSON in the parameter and in every function, and the lake’s own schema reads it', () => {
    const { pipeline } = everything
    const parameter = one(pipeline, 'AWS::SSM::Parameter', 'Name', deployedParameter('shop-1'))
    const text = deployed(parameter.Properties.Value) as string
    const names = deployedSchema.parse(JSON.parse(text))
    expect(names).toMatchObject({
      environment: 'shop-1',
      account: ACCOUNT,
      region: REGION,
      buckets: { landing: `shop-1-landing-${ACCOUNT}-${REGION}`, ops: `shop-1-ops-${ACCOUNT}-${REGION}` },
      databases: { clean: 'shop_1_clean', curated: 'shop_1_curated', ops: 'shop_1_ops' },
      workgroups: { analysts: 'shop-1-analysts', pipeline: 'shop-1-pipeline' },
      functions: {
        ingest: 'shop-1-ingest',
        reconcile: 'shop-1-reconcile',
        contracts: 'shop-1-contracts',
        curate: 'shop-1-curate',
      },
      maxObjectBytes: 500 * 1024 ** 2,
      receiptLink: 'none',
    })
    for (const { Properties } of ofType(pipeline, 'AWS::Lambda::Function'))
      expect(deployed(Properties.Environment.Variables.WEIR_DEPLOYED)).toBe(text)
    for (const { Properties } of ofType(everything.data, 'AWS::SNS::Topic')) {
      const dataset = String(Properties.TopicName).slice('shop-1-'.length)
      expect(topicArn(names, dataset)).toBe(`arn:aws:sns:${REGION}:${ACCOUNT}:${Properties.TopicName}`)
    }
  })

  test('fit any account, and hand nothing from stack to stack', () => {
    for (const { data, pipeline } of [plain, everything]) {
      expect(JSON.stringify([data, pipeline])).not.toContain('Fn::ImportValue')
      expect(data.Outputs).toBeUndefined()
    }
    for (const template of [plain.data, plain.pipeline]) expect(JSON.stringify(template)).not.toContain(ROOT)
  })
})

describe('tables', () => {
  test('a dataset’s table is what the catalog makes at run time, so neither undoes the other’s', async () => {
    const { plans } = await readContracts(`${ROOT}/contracts`)
    expect(plans.size).toBeGreaterThan(5)
    for (const plan of plans.values()) {
      const table = ofType(plain.data, 'AWS::Glue::Table').find(
        ({ Properties }) =>
          Properties.DatabaseName === 'weir_clean' && Properties.TableInput.Name === plan.dataset.toLowerCase(),
      )
      const input = deployed(table?.Properties.TableInput) as Parameters<typeof definitionOf>[1]
      expect(definitionOf('clean', input)).toEqual(tableOf(plan))
      expect(input.StorageDescriptor?.Location).toBe(`s3://weir-clean-${ACCOUNT}-${REGION}/${plan.dataset}/`)
    }
  })

  test('types, comments and partition keys come from the contract', () => {
    const table = ofType(everything.data, 'AWS::Glue::Table').find(
      ({ Properties }) => Properties.TableInput.Name === 'tickets',
    )
    expect(table?.Properties.TableInput).toMatchObject({
      TableType: 'EXTERNAL_TABLE',
      PartitionKeys: [
        { Name: 'ingest_date', Type: 'string' },
        { Name: 'source', Type: 'string' },
      ],
    })
    expect(table?.Properties.TableInput.StorageDescriptor.Columns).toEqual([
      { Name: 'ticketid', Type: 'bigint', Comment: 'Number on the ticket.' },
      { Name: 'address', Type: 'struct<city:string>' },
      { Name: '_upload', Type: 'string', Comment: expect.any(String) },
    ])
  })

  const upload = '20260301T080000Z-0123456789ab'
  const ops = (name: string) => {
    const table = ofType(plain.data, 'AWS::Glue::Table').find(
      ({ Properties }) => Properties.DatabaseName === 'weir_ops' && Properties.TableInput.Name === name,
    )
    return deployed(table?.Properties.TableInput) as {
      Parameters: Record<string, string>
      PartitionKeys: { Name: string }[]
      StorageDescriptor: { Location: string; Columns: { Name: string }[]; SerdeInfo: { SerializationLibrary: string } }
    }
  }
  /** Where Athena looks for a partition. */
  const folder = (template: string, values: Record<string, string>) =>
    template.replaceAll(/\$\{(\w+)\}/g, (_, name: string) => values[name] ?? '?')

  test('receipts are a table over the keys that receipts have, without partitions to add', async () => {
    const { plans } = await readContracts(`${ROOT}/contracts`)
    const { Parameters, PartitionKeys, StorageDescriptor } = ops('receipts')
    const key = receiptKey('movies', upload)
    expect(folder(Parameters['storage.location.template'] ?? '', { dataset: 'movies', date: '2026-03-01' })).toBe(
      `s3://weir-ops-${ACCOUNT}-${REGION}/${key.slice(0, key.lastIndexOf('/') + 1)}`,
    )
    expect(Parameters).toMatchObject({
      'projection.enabled': 'true',
      'projection.dataset.values': [...plans.keys()].sort().join(','),
      'projection.date.type': 'date',
    })
    expect(PartitionKeys.map(({ Name }) => Name)).toEqual(['dataset', 'date'])
    // A column that is also a partition key would be a table that Athena refuses.
    const columns = StorageDescriptor.Columns.map(({ Name }) => Name)
    expect(columns).toEqual(
      Object.keys(RECEIPT_COLUMNS)
        .filter((name) => name !== 'dataset')
        .map((name) => name.toLowerCase()),
    )
    expect(StorageDescriptor.SerdeInfo.SerializationLibrary).toBe('org.openx.data.jsonserde.JsonSerDe')
  })

  test('runs are a table over the keys that runs have, of every curated table', () => {
    const { Parameters, PartitionKeys, StorageDescriptor } = ops('runs')
    const key = runKey('movies', upload)
    expect(folder(Parameters['storage.location.template'] ?? '', { table: 'movies', date: '2026-03-01' })).toBe(
      `s3://weir-ops-${ACCOUNT}-${REGION}/${key.slice(0, key.lastIndexOf('/') + 1)}`,
    )
    expect(Parameters['projection.table.values']?.split(',')).toContain('movies')
    expect(PartitionKeys.map(({ Name }) => Name)).toEqual(['table', 'date'])
    expect(StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(
      Object.keys(RUN_COLUMNS)
        .filter((name) => name !== 'table')
        .map((name) => name.toLowerCase()),
    )
    const more = ofType(everything.data, 'AWS::Glue::Table').find(
      ({ Properties }) => Properties.TableInput.Name === 'runs',
    )
    expect(more?.Properties.TableInput.Parameters['projection.table.values']).toMatch(/,cities\b/)
  })

  test('rejects are a table over Parquet alone: pages and repair files lie elsewhere', () => {
    const { Parameters, StorageDescriptor } = ops('rejects')
    const { parquet, csv } = rejectsKeys('movies', upload)
    const at = folder(Parameters['storage.location.template'] ?? '', { dataset: 'movies' })
    expect(`s3://weir-ops-${ACCOUNT}-${REGION}/${parquet}`.startsWith(at)).toBe(true)
    expect(`s3://weir-ops-${ACCOUNT}-${REGION}/${csv}`.startsWith(StorageDescriptor.Location)).toBe(false)
    expect(StorageDescriptor.Columns.map(({ Name }) => Name)).toEqual(Object.keys(REJECT_COLUMNS))
  })
})

describe('a lake of a hundred datasets', () => {
  let large: Stacks
  beforeAll(async () => {
    const contract = (name: string) =>
      `apiVersion: v3.1.0\nkind: DataContract\nid: ${name}\nversion: "1.0.0"\nstatus: active\nschema:\n` +
      `  - name: ${name}\n    logicalType: object\n    properties:\n` +
      `      - { name: id, logicalType: integer${name.endsWith('7') ? ', classification: confidential' : ''} }\n`
    const names = Array.from({ length: 100 }, (_, n) => `deliveries_of_warehouse_${n}`)
    large = await stacksOf(undefined, Object.fromEntries(names.map((name) => [`${name}.odcs.yaml`, contract(name)])))
  })

  test('has policies that IAM takes: 10,240 characters inline, 6,144 in each other one, ten of these to a role', () => {
    const attached = new Map<string, number>()
    for (const { Type, Properties } of Object.values(large.pipeline.Resources)) {
      if (Type !== 'AWS::IAM::Policy' && Type !== 'AWS::IAM::ManagedPolicy') continue
      const size = JSON.stringify(deployed(Properties.PolicyDocument)).length
      const [{ Ref: role }] = Properties.Roles
      expect(size, `${Type} of ${role}`).toBeLessThanOrEqual(Type === 'AWS::IAM::Policy' ? 10_240 : 6144)
      if (Type === 'AWS::IAM::ManagedPolicy') attached.set(role, (attached.get(role) ?? 0) + 1)
    }
    expect([...attached].filter(([, policies]) => policies > 10)).toEqual([])
    expect(large.findings).toEqual([])
  })

  test('has functions that start with all their rights, also those in a second policy', () => {
    for (const { Properties, DependsOn } of Object.values(large.pipeline.Resources).filter(
      ({ Type }) => Type === 'AWS::Lambda::Function',
    )) {
      const role = Properties.Role['Fn::GetAtt'][0]
      const policies = Object.entries(large.pipeline.Resources)
        .filter(
          ([, it]) =>
            it.Type.endsWith('Policy') && it.Properties.Roles?.some((one: { Ref: string }) => one.Ref === role),
        )
        .map(([id]) => id)
      expect(policies.length).toBeGreaterThan(0)
      expect(DependsOn).toEqual(expect.arrayContaining(policies))
    }
  })

  test('fits into templates: 500 resources and a megabyte each', () => {
    for (const template of [large.data, large.pipeline]) {
      expect(Object.keys(template.Resources).length).toBeLessThanOrEqual(500)
      expect(JSON.stringify(template).length).toBeLessThan(1024 ** 2)
    }
  })
})

describe('adding a dataset is adding a file', () => {
  test('and brings its table, its topic and the subscriptions of its support channels', () => {
    const count = (stacks: Stacks, type: string) => ofType(stacks.data, type).length
    expect(count(everything, 'AWS::SNS::Topic') - count(plain, 'AWS::SNS::Topic')).toBe(1)
    expect(count(everything, 'AWS::Glue::Table') - count(plain, 'AWS::Glue::Table')).toBe(1)
    expect(count(everything, 'AWS::SNS::Subscription') - count(plain, 'AWS::SNS::Subscription')).toBe(3)
    for (const policy of ofType(plain.data, 'AWS::SNS::TopicPolicy'))
      expect(JSON.stringify(policy)).toContain('"aws:SecureTransport":"false"')
  })

  test('mailto: and https are subscribed; other channels are for people', () => {
    const support = [
      { channel: 'a', url: 'mailto:a@example.com,b%2Bc@example.com?subject=x' },
      { channel: 'b', url: 'https://example.com/hook' },
      { channel: 'c', url: 'http://example.com/hook' },
      { channel: 'd', url: 'mailto:a@example.com' },
      { channel: 'e' },
      { channel: 'f', tool: 'Teams', url: 'https://example.com/teams/our-room' },
      { channel: 'g', tool: 'ticket', url: 'https://example.com/tickets' },
      { channel: 'h', tool: 'incidents', url: 'https://example.com/other-hook' },
    ]
    expect(subscriptionsOf({ support })).toEqual([
      { protocol: 'email', endpoint: 'a@example.com' },
      { protocol: 'email', endpoint: 'b+c@example.com' },
      { protocol: 'https', endpoint: 'https://example.com/hook' },
      { protocol: 'https', endpoint: 'https://example.com/other-hook' },
    ])
  })
})

describe('Athena', () => {
  test('workgroups cannot be left: encrypted results, a scan limit, engine 3; not on an emulator', () => {
    const group = one(everything.pipeline, 'AWS::Athena::WorkGroup', 'Name', 'shop-1-analysts')
    expect(group.Condition).toBe('OnAws')
    expect(group.Properties.WorkGroupConfiguration).toMatchObject({
      EnforceWorkGroupConfiguration: true,
      PublishCloudWatchMetricsEnabled: true,
      BytesScannedCutoffPerQuery: 1024 ** 3,
      EngineVersion: { SelectedEngineVersion: 'Athena engine version 3' },
    })
    expect(deployed(group.Properties.WorkGroupConfiguration.ResultConfiguration.OutputLocation)).toBe(
      `s3://shop-1-ops-${ACCOUNT}-${REGION}/athena-results/shop-1-analysts/`,
    )
    expect(everything.pipeline.Parameters?.Emulator).toMatchObject({ Default: 'false' })
    for (const query of ofType(everything.pipeline, 'AWS::Athena::NamedQuery')) expect(query.Condition).toBe('OnAws')
  })

  test('named queries ask tables and columns that there are', () => {
    const queries = ofType(plain.pipeline, 'AWS::Athena::NamedQuery').map(({ Properties }) => Properties)
    expect(queries.length).toBeGreaterThan(5)
    const tables = ofType(plain.data, 'AWS::Glue::Table').map(({ Properties }) => ({
      name: `${Properties.DatabaseName}.${Properties.TableInput.Name}`,
      columns: [...Properties.TableInput.StorageDescriptor.Columns, ...Properties.TableInput.PartitionKeys].map(
        ({ Name }: { Name: string }) => Name,
      ),
    }))
    for (const { QueryString } of queries) {
      const [, found] = /FROM (\w+\.\S+)/.exec(QueryString) ?? []
      const table = tables.find(({ name }) => name === found?.replaceAll('"', ''))
      expect(table, QueryString).toBeDefined()
      for (const column of [
        'droppedat',
        'finishedat',
        'startedat',
        'bytesscanned',
        'scope',
        'dataset',
        'outcome',
        'ingest_date',
        '_upload',
        'cells',
      ])
        if (new RegExp(`(?<![.\\w])${column}\\b`).test(QueryString))
          expect(table?.columns, QueryString).toContain(column)
    }
  })
})

describe('alarms and dashboard', () => {
  test('CloudWatch may publish to the alarm topic: a policy of its own replaces the one that would let it', () => {
    const id = Object.entries(plain.pipeline.Resources).find(
      ([, { Properties }]) => Properties.TopicName === 'weir-alarms-of-weir',
    )?.[0]
    const policies = ofType(plain.pipeline, 'AWS::SNS::TopicPolicy').filter(
      ({ Properties }) => Properties.Topics[0].Ref === id,
    )
    expect(policies).toHaveLength(1)
    expect(deployed(policies[0]?.Properties.PolicyDocument.Statement)).toContainEqual(
      expect.objectContaining({
        Effect: 'Allow',
        Principal: { Service: 'cloudwatch.amazonaws.com' },
        Action: 'sns:Publish',
        Resource: `<${id}>`,
        Condition: {
          ArnLike: { 'aws:SourceArn': `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:weir-*` },
          StringEquals: { 'aws:SourceAccount': ACCOUNT },
        },
      }),
    )
  })

  test('every alarm says what to do, and tells the alarm topic, which tells the e-mail address', () => {
    const alarms = ofType(everything.pipeline, 'AWS::CloudWatch::Alarm')
    expect(alarms.map(({ Properties }) => Properties.AlarmName).sort()).toEqual([
      'shop-1-contracts-errors',
      'shop-1-curate-dead-letters',
      'shop-1-curate-errors',
      'shop-1-curate-queue-age',
      'shop-1-dead-letters',
      'shop-1-ingest-errors',
      'shop-1-model-tests',
      'shop-1-queue-age',
      'shop-1-reconcile-errors',
      'shop-1-refused-uploads',
    ])
    for (const { Properties } of alarms) {
      expect(Properties.AlarmActions).toHaveLength(1)
      expect(Properties.AlarmDescription.length).toBeGreaterThan(40)
      expect(Properties.TreatMissingData).toBe('notBreaching')
    }
    const [subscription] = ofType(everything.pipeline, 'AWS::SNS::Subscription')
    expect(subscription?.Properties).toMatchObject({ Protocol: 'email', Endpoint: 'ops@example.com' })
    expect(ofType(plain.pipeline, 'AWS::SNS::Subscription')).toEqual([])
  })

  test('failed tests of a model ring an alarm that looks at what the curate function counts', () => {
    const { Properties } = one(plain.pipeline, 'AWS::CloudWatch::Alarm', 'AlarmName', 'weir-model-tests')
    expect(Properties).toMatchObject({
      Namespace: METRIC_NAMESPACE,
      MetricName: METRICS.modelTestsFailed,
      Dimensions: [{ Name: DIMENSIONS.environment, Value: 'weir' }],
      Statistic: 'Sum',
      Threshold: 0,
      ComparisonOperator: 'GreaterThanThreshold',
    })
  })

  test('docs/operate.md says of every alarm what it means and what to do', async () => {
    const page = await readFile(join(ROOT, 'docs/operate.md'), 'utf8')
    for (const { Properties } of ofType(plain.pipeline, 'AWS::CloudWatch::Alarm'))
      expect(page).toContain(`| \`<environment>-${String(Properties.AlarmName).slice('weir-'.length)}\` |`)
  })

  test('the dashboard shows every dataset', () => {
    const [dashboard] = ofType(plain.pipeline, 'AWS::CloudWatch::Dashboard')
    const body = JSON.parse(deployed(dashboard?.Properties.DashboardBody) as string) as { widgets: object[] }
    expect(body.widgets.length).toBeGreaterThan(10)
    for (const metric of ['Uploads', 'RowsAccepted', 'RowsRejected', 'Refused'])
      expect(JSON.stringify(body)).toContain(`["Weir","${metric}","dataset","movies","service","weir"`)
    expect(JSON.stringify(body)).toContain('ProcessedBytes')
    for (const metric of ['CurateRuns', 'ModelTestsFailed', 'CurateFailed', 'CurateBytesScanned'])
      expect(JSON.stringify(body)).toContain(`["Weir","${metric}","service","weir"`)
  })
})

describe('cdk-nag', () => {
  const findings = (app: App) => {
    const { violations } = new AwsSolutionsChecks(app).validateScope(app)
    return violations.flatMap(({ ruleName, violatingResources }) =>
      violatingResources.map((resource) => `${ruleName} ${resource.constructPath}`),
    )
  }

  test('finds nothing that is not fixed, or acknowledged with its reason', () => {
    expect(findings(plain.app)).toEqual([])
    expect(findings(everything.app)).toEqual([])
    expect([...plain.findings, ...everything.findings]).toEqual([])
    const reasons = [plain, everything].flatMap(({ app }) =>
      app.node
        .findAll()
        .flatMap(({ node }) =>
          node.metadata
            .filter(({ type }) => type === Validations.ACKNOWLEDGED_RULES_METADATA_KEY)
            .flatMap(({ data }) => Object.entries(data as Record<string, string | string[]>)),
        ),
    )
    expect(reasons.length).toBeGreaterThan(20)
    for (const [id, reason] of reasons) {
      expect(id).toMatch(/AwsSolutions-(S1$|IAM5\[Resource::)/)
      expect(String(reason).length, id).toBeGreaterThan(20)
    }
  })

  test('would find something', () => {
    const app = new App({ analyticsReporting: false })
    new Bucket(new Stack(app, 'stack'), 'bucket')
    expect(findings(app).some((finding) => finding.startsWith('AwsSolutions-S10 '))).toBe(true)
  })
})

describe('a lake that cannot be deployed', () => {
  test('without any contract: most likely it is the wrong folder', async () => {
    const folder = await lakeFolder()
    await rm(join(folder, 'contracts'), { recursive: true })
    await mkdir(join(folder, 'contracts'))
    await expect(readLakeToDeploy(folder)).rejects.toThrow(
      /^There is no contract in .*contracts, so there is no dataset to deploy\./,
    )
  })

  test.each([
    ['an unknown setting', 'aws: {bucket: x}', {}, ConfigError, /bucket: aws has no such setting/],
    ['a broken contract', '', { 'broken.yaml': 'kind: DataContract\n' }, ContractError, /broken\.yaml/],
    [
      'an uploader of no dataset',
      'aws: {uploaders: {shop: [order]}}',
      {},
      CannotDeploy,
      /aws\.uploaders\.shop names order, and no contract describes that dataset\. There are: airports, /,
    ],
    [
      'columns that Athena cannot tell apart',
      '',
      {
        'twins.yaml': MORE['tickets.odcs.yaml']
          .replaceAll('tickets', 'twins')
          .replace('{ name: address', '{ name: ticketid, logicalType: string }\n      - { name: address'),
      },
      Error,
      /twins\.yaml.*ticketid/,
    ],
    [
      'a model that reads no such column',
      '',
      {},
      ModelError,
      /days\.sql:2:8: .*dayy/,
      { 'days.sql': '-- A comment.\nSELECT dayy FROM clean.movies\n' },
    ],
    [
      'a model with the name of an entity table',
      '',
      {},
      ModelError,
      /movies\.sql.*movies/,
      { 'movies.sql': 'SELECT 1 AS one\n' },
    ],
  ])('%s stops the synthesis with its message', async (_what, settings, contracts, kind, message, models?: object) => {
    const run = stacksOf(settings, contracts as Record<string, string>, models as Record<string, string>)
    await expect(run).rejects.toThrow(kind)
    await expect(run).rejects.toThrow(message)
  })
})
