// Who may do what in a deployed lake, as the synthesised policies say. The rows are the promise; docs/deploy.md tells it.

import { globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { STORED_PREFIX } from '../../lib/lake/aws/tables-sql.ts'
import {
  catalogMarkerKey,
  contentKey,
  faultKey,
  headKey,
  headsPrefix,
  receiptKey,
  rejectsKeys,
  repairKey,
  runKey,
  tableStateKey,
  waitingKey,
} from '../../lib/lake/keys.ts'
import { pageKey } from '../../lib/lake/render/page.ts'
import { isAllowed, statementsOf } from './iam.ts'
import { ACCOUNT, deployed, ofType, REGION, ROOT, removeFolders, type Stacks, stacksOf } from './stacks.ts'

const UPLOAD = '20260301T080000Z-0123456789ab'
const SETTINGS = `
aws:
  uploaders:
    weather: [seattle_weather]
    cinema: { datasets: [movies], principals: ["222233334444"] }
  principals: { uploaders: ["arn:aws:iam::${ACCOUNT}:role/shop"], analysts: ["444455556666"] }
`

let stacks: Stacks
beforeAll(async () => {
  stacks = await stacksOf(SETTINGS)
})
afterAll(removeFolders)

const object = (zone: string, key: string) => `arn:aws:s3:::weir-${zone}-${ACCOUNT}-${REGION}/${key}`
const bucket = (zone: string) => `arn:aws:s3:::weir-${zone}-${ACCOUNT}-${REGION}`
const named = (service: string, resource: string) => `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`
const rejects = (dataset: string) => rejectsKeys(dataset, UPLOAD)
const page = (dataset: string) => pageKey({ dataset, upload: UPLOAD })
const listing = (prefix: string) => ({ 's3:prefix': prefix })

type Row = ['may' | 'may not', string, string, Record<string, string>?]
const seattle = 'seattle_weather'

/** birdstrikes has a column that is classified; the others have none. */
const ROWS: Record<string, Row[]> = {
  'weir-uploader': [
    ['may', 's3:PutObject', object('landing', `${seattle}/2026/a b+c%.csv`)],
    ['may', 's3:AbortMultipartUpload', object('landing', 'movies/a.json')],
    ['may', 's3:GetObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may', 'ssm:GetParameter', named('ssm', 'parameter/weir/weir/lake')],
    ['may not', 's3:PutObject', object('landing', 'unknown/a.csv')],
    ['may not', 's3:PutObject', object('landing', 'a.csv')],
    ['may not', 's3:GetObject', object('landing', 'movies/a.json')],
    ['may not', 's3:DeleteObject', object('landing', 'movies/a.json')],
    ['may not', 's3:GetObject', object('clean', 'movies/x.parquet')],
    ['may not', 's3:PutObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-analysts')],
  ],
  'weir-uploader-weather': [
    ['may', 's3:PutObject', object('landing', `${seattle}/x.csv`)],
    ['may', 's3:GetObject', object('ops', receiptKey(seattle, UPLOAD))],
    ['may', 's3:GetObject', object('ops', page(seattle))],
    ['may', 's3:GetObject', object('ops', rejects(seattle).csv)],
    ['may', 's3:ListBucket', bucket('ops'), listing(`receipts/dataset=${seattle}/date=2026-03-01/`)],
    ['may', 'lambda:InvokeFunction', named('lambda', 'function:weir-contracts')],
    ['may not', 's3:PutObject', object('landing', 'movies/x.csv')],
    ['may not', 's3:PutObject', object('landing', `${seattle}_2/x.csv`)],
    ['may not', 's3:GetObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 's3:GetObject', object('ops', receiptKey(`${seattle}_2`, UPLOAD))],
    ['may not', 's3:GetObject', object('ops', rejects('movies').csv)],
    ['may not', 's3:GetObject', object('ops', rejects(seattle).parquet)],
    ['may not', 's3:GetObject', object('ops', headKey(seattle, `${seattle}/x.csv`))],
    ['may not', 's3:ListBucket', bucket('ops'), listing('receipts/dataset=movies/')],
    ['may not', 's3:ListBucket', bucket('ops'), listing('')],
    ['may not', 's3:ListBucket', bucket('ops')],
    ['may not', 's3:ListBucket', bucket('landing'), listing(`${seattle}/`)],
    ['may not', 'lambda:InvokeFunction', named('lambda', 'function:weir-ingest')],
    ['may not', 'glue:GetTable', named('glue', 'table/weir_clean/movies')],
    ['may not', 'sns:Publish', named('sns', `weir-${seattle}`)],
  ],
  'weir-uploader-cinema': [
    ['may', 's3:PutObject', object('landing', 'movies/a.json')],
    ['may not', 's3:PutObject', object('landing', `${seattle}/x.csv`)],
    ['may not', 's3:GetObject', object('ops', receiptKey(seattle, UPLOAD))],
  ],
  'weir-analyst': [
    ['may', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-analysts')],
    ['may', 'athena:GetQueryResults', named('athena', 'workgroup/weir-analysts')],
    ['may', 's3:GetObject', object('clean', 'flights/ingest_date=2026-03-01/source=x/upload=y/z/part-1.parquet')],
    ['may', 's3:ListBucket', bucket('clean'), listing('flights/')],
    ['may', 's3:GetObject', object('curated', 'flights/data/x.parquet')],
    ['may', 'glue:GetTable', named('glue', 'table/weir_curated/flights')],
    ['may', 'glue:GetTable', named('glue', 'table/weir_curated_versions/model_1')],
    ['may', 's3:GetObject', object('ops', runKey('flights', UPLOAD))],
    ['may', 's3:ListBucket', bucket('ops'), listing('runs/table=flights/')],
    ['may', 'glue:GetTable', named('glue', 'table/weir_ops/runs')],
    ['may', 's3:GetObject', object('ops', tableStateKey('flights'))],
    ['may not', 's3:PutObject', object('ops', tableStateKey('flights'))],
    ['may not', 's3:PutObject', object('curated', 'flights/data/x.parquet')],
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_curated/flights')],
    ['may not', 'sqs:SendMessage', named('sqs', 'weir-curate.fifo')],
    ['may', 's3:GetObject', object('ops', receiptKey('flights', UPLOAD))],
    ['may', 's3:GetObject', object('ops', rejects('movies').parquet)],
    ['may', 's3:ListBucket', bucket('ops'), listing('rejects/dataset=movies/')],
    ['may', 's3:GetObject', object('ops', catalogMarkerKey())],
    ['may', 's3:ListBucket', bucket('ops'), listing('heads/movies/')],
    ['may', 's3:GetObject', object('ops', catalogMarkerKey())],
    ['may', 's3:ListBucket', bucket('ops'), listing(headsPrefix('movies'))],
    ['may not', 's3:PutObject', object('ops', catalogMarkerKey())],
    ['may', 's3:PutObject', object('ops', 'athena-results/weir-analysts/1.csv')],
    ['may', 's3:GetObject', object('ops', 'athena-results/weir-analysts/1.csv')],
    ['may', 'glue:GetTable', named('glue', 'table/weir_clean/flights')],
    ['may', 'glue:GetPartitions', named('glue', 'table/weir_ops/receipts')],
    // Athena asks for these with a query, or its console does.
    ['may', 'glue:GetDatabase', named('glue', 'database/default')],
    ['may', 'glue:GetDatabases', named('glue', 'catalog')],
    ['may', 's3:GetBucketLocation', bucket('clean')],
    ['may', 's3:GetBucketLocation', bucket('ops')],
    ['may', 's3:AbortMultipartUpload', object('ops', 'athena-results/weir-analysts/1.csv')],
    ['may', 's3:ListBucketMultipartUploads', bucket('ops')],
    ['may', 'athena:ListWorkGroups', '*'],
    ['may', 'athena:GetTableMetadata', named('athena', 'datacatalog/AwsDataCatalog')],
    ['may not', 'glue:GetTables', named('glue', 'database/default')],
    ['may not', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-pipeline')],
    ['may not', 's3:GetObject', object('ops', 'athena-results/weir-pipeline/1.csv')],
    ['may not', 's3:GetObject', object('landing', 'movies/a.json')],
    ['may not', 's3:GetObjectVersion', object('landing', 'movies/a.json')],
    ['may not', 's3:ListBucket', bucket('landing')],
    ['may not', 's3:PutObject', object('landing', 'movies/a.json')],
    ['may not', 's3:GetObject', object('ops', rejects('birdstrikes').parquet)],
    ['may not', 's3:GetObject', object('ops', rejects('birdstrikes').csv)],
    ['may not', 's3:GetObject', object('ops', headKey('movies', 'movies/a.json'))],
    ['may not', 's3:PutObject', object('clean', 'flights/x.parquet')],
    ['may not', 's3:DeleteObject', object('ops', 'athena-results/weir-analysts/1.csv')],
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_clean/flights')],
    ['may not', 'glue:GetTable', named('glue', 'table/other_clean/flights')],
    ['may not', 'lambda:InvokeFunction', named('lambda', 'function:weir-ingest')],
  ],
  'weir-engineer': [
    ['may', 's3:PutObject', object('landing', 'movies/a.json')],
    ['may', 's3:GetObjectVersion', object('landing', 'movies/a.json')],
    ['may', 's3:PutObject', object('ops', headKey('movies', 'movies/a.json'))],
    ['may', 's3:GetObject', object('ops', rejects('birdstrikes').parquet)],
    ['may', 'glue:DeletePartition', named('glue', 'table/weir_clean/movies')],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-ingest')],
    ['may', 'sqs:ReceiveMessage', named('sqs', 'weir-ingest-dlq')],
    ['may', 'sqs:DeleteMessage', named('sqs', 'weir-ingest-dlq')],
    ['may', 'lambda:InvokeFunction', named('lambda', 'function:weir-reconcile')],
    ['may', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-pipeline')],
    ['may', 'sns:Publish', named('sns', 'weir-movies')],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-curate.fifo')],
    ['may', 'sqs:ReceiveMessage', named('sqs', 'weir-curate-dlq.fifo')],
    ['may', 's3:GetObject', object('ops', tableStateKey('movies'))],
    ['may', 's3:GetObject', object('curated', 'movies/data/x.parquet')],
    // One writer for each table: who wants it done asks the queue.
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_curated/movies')],
    ['may not', 's3:PutObject', object('curated', 'movies/data/x.parquet')],
    ['may not', 's3:PutObject', object('ops', tableStateKey('movies'))],
    ['may', 'cloudwatch:GetDashboard', `arn:aws:cloudwatch::${ACCOUNT}:dashboard/weir-lake`],
    ['may not', 's3:DeleteObject', object('landing', 'movies/a.json')],
    ['may not', 's3:DeleteObjectVersion', object('landing', 'movies/a.json')],
    ['may not', 's3:DeleteObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 's3:DeleteBucket', bucket('landing')],
    ['may not', 's3:PutBucketPolicy', bucket('landing')],
    ['may not', 'sqs:PurgeQueue', named('sqs', 'weir-ingest')],
    ['may not', 'lambda:UpdateFunctionCode', named('lambda', 'function:weir-ingest')],
    ['may not', 'glue:DeleteTable', named('glue', 'table/weir_clean/movies')],
    ['may not', 'iam:PassRole', `arn:aws:iam::${ACCOUNT}:role/weir-ingest-function`],
  ],
  'weir-ingest-function': [
    ['may', 's3:GetObjectVersion', object('landing', 'movies/a.json')],
    ['may', 's3:PutObject', object('clean', 'movies/x.parquet')],
    ['may', 's3:PutObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may', 'glue:CreatePartition', named('glue', 'table/weir_clean/movies')],
    ['may', 'sns:Publish', named('sns', 'weir-movies')],
    ['may', 'events:PutEvents', named('events', 'event-bus/weir-events')],
    ['may', 'sqs:DeleteMessage', named('sqs', 'weir-ingest')],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-curate.fifo')],
    ['may not', 'sqs:ReceiveMessage', named('sqs', 'weir-curate.fifo')],
    ['may not', 's3:PutObject', object('curated', 'movies/data/x.parquet')],
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_curated/movies')],
    ['may not', 's3:PutObject', object('ops', tableStateKey('movies'))],
    ['may', 'logs:PutLogEvents', named('logs', 'log-group:/aws/lambda/weir-ingest:log-stream:x')],
    ['may not', 's3:PutObject', object('landing', 'movies/a.json')],
    ['may not', 's3:DeleteObject', object('landing', 'movies/a.json')],
    ['may not', 's3:DeleteObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 's3:GetObject', object('ops', 'athena-results/weir-analysts/1.csv')],
    ['may not', 's3:GetObject', 'arn:aws:s3:::somebody-elses/x'],
    ['may not', 'sns:Publish', named('sns', 'somebody-elses')],
    ['may not', 'logs:PutLogEvents', named('logs', 'log-group:/aws/lambda/weir-contracts:log-stream:x')],
    ['may not', 'lambda:InvokeFunction', named('lambda', 'function:weir-contracts')],
  ],
  'weir-reconcile-function': [
    ['may', 's3:ListBucket', bucket('landing')],
    ['may', 's3:PutObject', object('ops', headKey('movies', 'movies/a.json'))],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-ingest')],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-curate.fifo')],
    ['may not', 'sqs:ReceiveMessage', named('sqs', 'weir-ingest')],
    ['may not', 's3:PutObject', object('landing', 'movies/a.json')],
  ],
  'weir-curate-function': [
    ['may', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-pipeline')],
    ['may', 's3:GetObject', object('ops', 'athena-results/weir-pipeline/1.csv')],
    ['may', 's3:GetObject', object('clean', 'movies/x.parquet')],
    ['may', 's3:PutObject', object('curated', 'movies/data/x.parquet')],
    ['may', 's3:DeleteObject', object('curated', 'movies/data/x.parquet')],
    ['may', 's3:PutObject', object('curated', `${STORED_PREFIX}model_1/x.parquet`)],
    // Of tables that no contract makes any more.
    ['may', 's3:DeleteObject', object('curated', 'left_over/data/x.parquet')],
    ['may', 's3:DeleteObject', object('ops', tableStateKey('left_over'))],
    ['may', 'glue:DeleteTable', named('glue', 'table/weir_curated/left_over')],
    ['may', 'glue:CreateTable', named('glue', 'table/weir_curated/movies')],
    ['may', 'glue:UpdateTable', named('glue', 'table/weir_curated/movies')],
    ['may', 'glue:DeleteTable', named('glue', 'table/weir_curated_versions/model_1')],
    ['may', 'glue:GetPartitions', named('glue', 'table/weir_clean/movies')],
    ['may', 's3:GetObject', object('ops', tableStateKey('movies'))],
    ['may', 's3:PutObject', object('ops', tableStateKey('movies'))],
    ['may', 's3:PutObject', object('ops', runKey('movies', UPLOAD))],
    ['may', 's3:PutObject', object('ops', faultKey('1'))],
    ['may', 's3:DeleteObject', object('ops', faultKey('1'))],
    ['may', 's3:ListBucket', bucket('ops'), listing(headsPrefix('movies'))],
    ['may', 'sqs:DeleteMessage', named('sqs', 'weir-curate.fifo')],
    ['may', 'sqs:ChangeMessageVisibility', named('sqs', 'weir-curate.fifo')],
    ['may', 'sqs:SendMessage', named('sqs', 'weir-curate.fifo')],
    ['may', 'sns:Publish', named('sns', 'weir-alarms-of-weir')],
    ['may', 'events:PutEvents', named('events', 'event-bus/weir-events')],
    ['may not', 'athena:StartQueryExecution', named('athena', 'workgroup/weir-analysts')],
    ['may not', 's3:GetObject', object('landing', 'movies/a.json')],
    ['may not', 's3:PutObject', object('clean', 'movies/x.parquet')],
    ['may not', 's3:PutObject', object('curated', 'somebody-elses/x.parquet')],
    ['may not', 's3:DeleteObject', object('clean', 'movies/x.parquet')],
    ['may not', 's3:DeleteObject', object('ops', runKey('movies', UPLOAD))],
    ['may not', 's3:PutObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 's3:GetObject', object('ops', headKey('movies', 'movies/a.json'))],
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_clean/movies')],
    ['may not', 'glue:UpdateTable', named('glue', 'table/weir_ops/runs')],
    ['may not', 'glue:DeleteDatabase', named('glue', 'database/weir_curated')],
    ['may not', 'sqs:SendMessage', named('sqs', 'weir-ingest')],
    ['may not', 'sns:Publish', named('sns', 'weir-movies')],
  ],
  'weir-contracts-function': [
    ['may', 'logs:CreateLogStream', named('logs', 'log-group:/aws/lambda/weir-contracts:log-stream:x')],
    ['may not', 's3:GetObject', object('clean', 'movies/x.parquet')],
    ['may not', 's3:GetObject', object('ops', receiptKey('movies', UPLOAD))],
    ['may not', 'ssm:GetParameter', named('ssm', 'parameter/weir/weir/lake')],
  ],
}

describe.each(Object.entries(ROWS))('%s', (role, rows) => {
  test.each(rows)('%s %s on %s', (answer, action, resource, context) => {
    const statements = statementsOf(stacks.pipeline, role)
    expect(isAllowed(statements, { action, resource, ...(context ? { context } : {}) })).toBe(answer === 'may')
  })
})

test('the functions may write every key that an upload leaves in ops', () => {
  const content = { size: 1, sha256: 'a'.repeat(64) }
  const keys = [
    headKey('movies', 'movies/a.json'),
    receiptKey('movies', UPLOAD),
    page('movies'),
    ...Object.values(rejects('movies')),
    repairKey(UPLOAD, UPLOAD),
    contentKey('movies', content),
    waitingKey('movies', content, 'movies/a.json'),
    faultKey('1'),
  ]
  for (const role of ['weir-ingest-function', 'weir-reconcile-function', 'weir-engineer']) {
    const statements = statementsOf(stacks.pipeline, role)
    for (const key of keys)
      for (const action of ['s3:GetObject', 's3:PutObject'])
        expect(isAllowed(statements, { action, resource: object('ops', key) }), `${role} ${action} ${key}`).toBe(true)
  }
})

/** The right that each call of the SDK needs, and on what. */
const RIGHTS: Record<string, [string, string]> = {
  BatchUpdatePartition: ['glue:BatchUpdatePartition', named('glue', 'table/weir_clean/movies')],
  CreatePartition: ['glue:CreatePartition', named('glue', 'table/weir_clean/movies')],
  CreateTable: ['glue:CreateTable', named('glue', 'table/weir_clean/movies')],
  DeletePartition: ['glue:DeletePartition', named('glue', 'table/weir_clean/movies')],
  GetPartition: ['glue:GetPartition', named('glue', 'table/weir_clean/movies')],
  GetPartitions: ['glue:GetPartitions', named('glue', 'table/weir_clean/movies')],
  GetTable: ['glue:GetTable', named('glue', 'table/weir_clean/movies')],
  GetTables: ['glue:GetTables', named('glue', 'database/weir_curated')],
  UpdateTable: ['glue:UpdateTable', named('glue', 'catalog')],
  ChangeMessageVisibility: ['sqs:ChangeMessageVisibility', named('sqs', 'weir-ingest-dlq')],
  ChangeMessageVisibilityBatch: ['sqs:ChangeMessageVisibility', named('sqs', 'weir-ingest-dlq')],
  DeleteMessage: ['sqs:DeleteMessage', named('sqs', 'weir-ingest-dlq')],
  GetQueueAttributes: ['sqs:GetQueueAttributes', named('sqs', 'weir-ingest')],
  ReceiveMessage: ['sqs:ReceiveMessage', named('sqs', 'weir-ingest-dlq')],
  SendMessage: ['sqs:SendMessage', named('sqs', 'weir-ingest')],
  SendMessageBatch: ['sqs:SendMessage', named('sqs', 'weir-ingest')],
  DeleteObject: ['s3:DeleteObject', object('ops', faultKey('1'))],
  GetObject: ['s3:GetObject', object('clean', 'movies/x.parquet')],
  HeadBucket: ['s3:ListBucket', bucket('landing')],
  HeadObject: ['s3:GetObjectVersion', object('landing', 'movies/a.json')],
  ListObjectVersions: ['s3:ListBucketVersions', bucket('landing')],
  ListObjectsV2: ['s3:ListBucket', bucket('ops')],
  PutObject: ['s3:PutObject', object('landing', 'movies/a.json')],
  GetParameter: ['ssm:GetParameter', named('ssm', 'parameter/weir/weir/lake')],
  GetQueryExecution: ['athena:GetQueryExecution', named('athena', 'workgroup/weir-analysts')],
  GetQueryResults: ['athena:GetQueryResults', named('athena', 'workgroup/weir-analysts')],
  StartQueryExecution: ['athena:StartQueryExecution', named('athena', 'workgroup/weir-analysts')],
  StopQueryExecution: ['athena:StopQueryExecution', named('athena', 'workgroup/weir-analysts')],
  Invoke: ['lambda:InvokeFunction', named('lambda', 'function:weir-contracts')],
  Publish: ['sns:Publish', named('sns', 'weir-movies')],
  PutEvents: ['events:PutEvents', named('events', 'event-bus/weir-events')],
}

test('the engineer may make every call that the code makes: no command fails for a right that nobody has', () => {
  const calls = new Set<string>()
  for (const file of globSync('{lib/lake/aws,lib/cli,lambdas}/**/*.ts', { cwd: ROOT }))
    for (const [, made, paged] of readFileSync(join(ROOT, file), 'utf8').matchAll(
      /\bnew ([A-Z]\w+)Command\(|\bpaginate([A-Z]\w+)\(/g,
    ))
      calls.add(made ?? paged ?? '')
  expect(calls.size).toBeGreaterThan(20)
  const statements = statementsOf(stacks.pipeline, 'weir-engineer')
  const refused = [...calls].filter((call) => {
    const [action = '', resource = ''] = RIGHTS[call] ?? []
    return !isAllowed(statements, { action, resource })
  })
  // A call that is missing here: name its right above, and give it to the roles that need it.
  expect(refused).toEqual([])
})

test('every role is in the table, and no role has an action with a wildcard, NotAction or a policy of AWS', () => {
  const roles = ofType(stacks.pipeline, 'AWS::IAM::Role').map(({ Properties }) => String(Properties.RoleName))
  expect(roles.sort()).toEqual(Object.keys(ROWS).sort())
  expect(ofType(stacks.data, 'AWS::IAM::Role')).toEqual([])
  for (const role of roles)
    for (const { Effect, Action, Resource } of statementsOf(stacks.pipeline, role)) {
      expect(Action.filter((action) => action.includes('*'))).toEqual([])
      if (Effect === 'Allow' && Resource.includes('*'))
        expect(Action.filter((action) => !/^(xray:|cloudwatch:|logs:|athena:List)/.test(action))).toEqual([])
    }
})

test('roles can be taken on by whom weir.yaml names, or else by the account, whose policies decide', () => {
  const trust = (role: string) =>
    deployed(
      ofType(stacks.pipeline, 'AWS::IAM::Role').find(({ Properties }) => Properties.RoleName === role)?.Properties
        .AssumeRolePolicyDocument.Statement[0].Principal,
    )
  expect(trust('weir-uploader-weather')).toEqual({ AWS: `arn:aws:iam::${ACCOUNT}:role/shop` })
  // A partner's own role is for nobody but the partner.
  expect(trust('weir-uploader-cinema')).toEqual({ AWS: 'arn:aws:iam::222233334444:root' })
  expect(trust('weir-analyst')).toEqual({ AWS: 'arn:aws:iam::444455556666:root' })
  expect(trust('weir-engineer')).toEqual({ AWS: `arn:aws:iam::${ACCOUNT}:root` })
  expect(trust('weir-ingest-function')).toEqual({ Service: 'lambda.amazonaws.com' })
})

describe('the evaluator', () => {
  const allow = { Effect: 'Allow' as const, Action: ['s3:Get*'], Resource: ['arn:aws:s3:::a/*'] }
  const ask = { action: 's3:GetObject', resource: 'arn:aws:s3:::a/b/c' }
  test('allows by wildcard, ignores the case of actions, and lets a Deny win', () => {
    expect(isAllowed([allow], ask)).toBe(true)
    expect(isAllowed([allow], { ...ask, action: 'S3:getobject' })).toBe(true)
    expect(isAllowed([allow], { ...ask, resource: 'arn:aws:s3:::ab/c' })).toBe(false)
    expect(isAllowed([allow, { ...allow, Effect: 'Deny', Action: ['s3:GetObject'] }], ask)).toBe(false)
    expect(isAllowed([], ask)).toBe(false)
  })
  test('holds conditions, and does not pass what it does not know', () => {
    const like = { ...allow, Condition: { StringLike: { 's3:prefix': ['x/*'] } } }
    expect(isAllowed([like], { ...ask, context: { 's3:prefix': 'x/y' } })).toBe(true)
    expect(isAllowed([like], { ...ask, context: { 's3:prefix': 'y' } })).toBe(false)
    expect(isAllowed([like], ask)).toBe(false)
    expect(() =>
      isAllowed([{ ...allow, Condition: { Bool: { a: 'true' } } }], { ...ask, context: { a: 'true' } }),
    ).toThrow(/do not know the condition Bool/)
  })
})
