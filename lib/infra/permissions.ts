// What a role may do, in the words of the lake: each right with the reason why it is needed. The functions' roles and those
// that people assume are put together from these.

import { Effect, PolicyStatement, type Role } from 'aws-cdk-lib/aws-iam'
import { ALARMS, deployedParameter } from '../lake/aws/deployed.ts'
import { versionsDatabase } from '../lake/aws/names.ts'
import { STORED_PREFIX } from '../lake/aws/tables-sql.ts'
import { glueName } from '../lake/aws/types.ts'
import { faultsPrefix, headsPrefix, receiptsPrefix, runsPrefix, tableStatesPrefix } from '../lake/keys.ts'
import type { Zone } from '../lake/ports.ts'
import { acknowledge, wildcard } from './acknowledge.ts'
import { arn, bucketArn, type Names, RESULTS_PREFIX, TABLE_ZONES, topicArns } from './names.ts'

export interface Permission {
  /** Why the role needs it, and why no narrower resource would do where there is a wildcard. */
  why: string
  effect?: 'Allow' | 'Deny'
  actions: string[]
  resources: string[]
  conditions?: Record<string, Record<string, string | string[]>>
}

/** Gives a role its rights; every wildcard is acknowledged on that role alone, with the reason. */
export function give(role: Role, permissions: Permission[]): void {
  for (const { why, effect, actions, resources, conditions } of permissions.flatMap(inPieces)) {
    role.addToPolicy(
      new PolicyStatement({
        effect: effect === 'Deny' ? Effect.DENY : Effect.ALLOW,
        actions,
        resources,
        ...(conditions ? { conditions } : {}),
      }),
    )
    if (effect === 'Deny') continue
    for (const resource of resources) if (resource.includes('*')) acknowledge(role, why, wildcard(role, resource))
  }
}

/** Resources, or values of a condition, that one statement names at most. */
const MOST_NAMED = 25

/**
 * The same right in several statements, where it names much: one per dataset, say. IAM takes policies of some 6,000
 * characters; the CDK shares out statements among several policies, but never divides one.
 */
function inPieces(permission: Permission): Permission[] {
  const { resources, conditions = {} } = permission
  if (resources.length > MOST_NAMED)
    return chunks(resources).flatMap((some) => inPieces({ ...permission, resources: some }))
  for (const [operator, keys] of Object.entries(conditions))
    for (const [key, values] of Object.entries(keys))
      if (Array.isArray(values) && values.length > MOST_NAMED)
        return chunks(values).flatMap((some) =>
          inPieces({ ...permission, conditions: { ...conditions, [operator]: { ...keys, [key]: some } } }),
        )
  return [permission]
}

function chunks<T>(all: T[]): T[][] {
  const found: T[][] = []
  for (let start = 0; start < all.length; start += MOST_NAMED) found.push(all.slice(start, start + MOST_NAMED))
  return found
}

/** Objects below prefixes of a zone; '' is all of it. */
const below = (environment: string, zone: Zone, prefixes: string[]): string[] =>
  prefixes.map((prefix) => bucketArn(environment, zone, `${prefix}*`))

export function readObjects({ environment }: Names, zone: Zone, why: string, prefixes = ['']): Permission {
  return { why, actions: ['s3:GetObject'], resources: below(environment, zone, prefixes) }
}

/** Version by version: landing is read as it was when the event came. */
export function readVersions({ environment }: Names, why: string): Permission {
  return { why, actions: ['s3:GetObject', 's3:GetObjectVersion'], resources: below(environment, 'landing', ['']) }
}

/** Writing, with what multipart uploads need. */
export function writeObjects({ environment }: Names, zone: Zone, why: string, prefixes = ['']): Permission {
  return {
    why,
    actions: ['s3:PutObject', 's3:AbortMultipartUpload', 's3:ListMultipartUploadParts'],
    resources: below(environment, zone, prefixes),
  }
}

export function deleteObjects({ environment }: Names, zone: Zone, why: string, prefixes: string[]): Permission {
  return { why, actions: ['s3:DeleteObject'], resources: below(environment, zone, prefixes) }
}

/** Older versions too, as landing keeps them. */
export function listVersions({ environment }: Names, why: string): Permission {
  return {
    why,
    actions: ['s3:ListBucketVersions', 's3:GetBucketVersioning'],
    resources: [bucketArn(environment, 'landing')],
  }
}

/** Listing a zone, or some prefixes of it. Without it S3 answers "forbidden" for what is only not there. */
export function listObjects({ environment }: Names, zone: Zone, why: string, prefixes?: string[]): Permission {
  return {
    why,
    actions: ['s3:ListBucket'],
    resources: [bucketArn(environment, zone)],
    ...(prefixes ? { conditions: { StringLike: { 's3:prefix': prefixes.map((prefix) => `${prefix}*`) } } } : {}),
  }
}

/** Databases with their tables; Glue asks for the catalog too. */
const catalogOf = (databases: readonly string[]): string[] => [
  arn('glue', 'catalog'),
  ...databases.map((name) => arn('glue', `database/${name}`)),
  ...databases.map((name) => arn('glue', `table/${name}/*`)),
]

/** Those of the zones, and that of the tables behind the views of models. */
const allDatabases = ({ databases }: Names): string[] => [
  ...TABLE_ZONES.map((zone) => databases[zone]),
  versionsDatabase(databases),
]

/** Athena asks for the database `default` too, with any query, and lists the databases for whoever chooses among them. */
export function readCatalog(names: Names, why: string): Permission[] {
  const databases = ['default', ...allDatabases(names)].map((name) => arn('glue', `database/${name}`))
  return [
    { why, actions: READ_TABLES, resources: catalogOf(allDatabases(names)) },
    { why, actions: ['glue:GetDatabase', 'glue:GetDatabases'], resources: [arn('glue', 'catalog'), ...databases] },
  ]
}

const READ_TABLES = [
  'glue:GetDatabase',
  'glue:GetTable',
  'glue:GetTables',
  'glue:GetPartition',
  'glue:GetPartitions',
  'glue:BatchGetPartition',
]

/** The catalog of clean follows the heads: tables as contracts say, partitions as heads say. */
export function followHeads({ databases }: Names, why: string): Permission[] {
  return [
    {
      why,
      actions: [
        'glue:GetDatabase',
        'glue:GetTable',
        'glue:GetTables',
        'glue:CreateTable',
        'glue:UpdateTable',
        'glue:GetPartition',
        'glue:GetPartitions',
        'glue:CreatePartition',
        'glue:UpdatePartition',
        'glue:DeletePartition',
        'glue:BatchUpdatePartition',
      ],
      resources: catalogOf([databases.clean]),
    },
    { why, actions: READ_TABLES, resources: catalogOf([databases.curated]) },
  ]
}

/** Athena makes, commits to and drops tables in the name of whoever runs its statements. */
function writeTables({ databases }: Names, why: string): Permission {
  return {
    why,
    actions: ['glue:CreateTable', 'glue:UpdateTable', 'glue:DeleteTable', 'glue:BatchDeleteTable'],
    resources: catalogOf([databases.curated, versionsDatabase(databases)]),
  }
}

/** Running queries in a workgroup, and reading its results. */
export function query(names: Names, workgroup: string, why: string): Permission[] {
  const results = `${RESULTS_PREFIX}${workgroup}/`
  return [
    {
      why,
      actions: [
        'athena:GetWorkGroup',
        'athena:StartQueryExecution',
        'athena:StopQueryExecution',
        'athena:GetQueryExecution',
        'athena:BatchGetQueryExecution',
        'athena:GetQueryResults',
        'athena:ListQueryExecutions',
        'athena:ListNamedQueries',
        'athena:GetNamedQuery',
        'athena:BatchGetNamedQuery',
      ],
      resources: [arn('athena', `workgroup/${workgroup}`)],
    },
    readObjects(names, 'ops', why, [results]),
    writeObjects(names, 'ops', why, [results]),
    {
      why,
      actions: ['s3:GetBucketLocation'],
      resources: (['clean', 'curated', 'ops'] as const).map((zone) => bucketArn(names.environment, zone)),
    },
    { why, actions: ['s3:ListBucketMultipartUploads'], resources: [bucketArn(names.environment, 'ops')] },
    {
      why,
      actions: [
        'athena:GetDataCatalog',
        'athena:GetDatabase',
        'athena:GetTableMetadata',
        'athena:ListDatabases',
        'athena:ListTableMetadata',
      ],
      resources: [arn('athena', 'datacatalog/AwsDataCatalog')],
    },
    {
      why: "Athena's console and drivers list workgroups, catalogs and engines: these actions know no other resource than *.",
      actions: ['athena:ListDataCatalogs', 'athena:ListEngineVersions', 'athena:ListWorkGroups'],
      resources: ['*'],
    },
  ]
}

/** How the command line finds a deployed lake, and its contracts. */
export function findLake({ environment, functions }: Names): Permission[] {
  return [
    {
      why: 'The names of the lake.',
      actions: ['ssm:GetParameter'],
      resources: [arn('ssm', `parameter${deployedParameter(environment)}`)],
    },
    {
      why: 'The contracts as they are deployed.',
      actions: ['lambda:InvokeFunction'],
      resources: [arn('lambda', `function:${functions.contracts}`)],
    },
  ]
}

/** What Weir keeps in ops, by prefix; Athena's results are not among it. */
const KEPT_IN_OPS = [
  'heads/',
  'receipts/',
  'pages/',
  'rejects/',
  'repair-files/',
  'repairs/',
  'content/',
  'faults/',
  'reconcile/',
  'catalog/',
]

/** What bringing an upload to its end takes: the ingest use case, whoever runs it. */
export function ingest(names: Names, datasets: string[]): Permission[] {
  return [
    readVersions(names, 'Landing is read whole: datasets are folders in it, and their files have any names.'),
    listObjects(names, 'landing', 'To tell "not there" from "forbidden".'),
    listVersions(names, 'What landing had before.'),
    readObjects(names, 'clean', 'Files are found again after a crash by their keys, which only uploads know.'),
    writeObjects(names, 'clean', 'Accepted rows: one file and more for each upload, of any dataset.'),
    listObjects(names, 'clean', 'To tell "not there" from "forbidden".'),
    readObjects(names, 'ops', 'Heads, receipts and the like: one key per source or upload.', KEPT_IN_OPS),
    writeObjects(names, 'ops', 'Heads, receipts and the like: one key per source or upload.', KEPT_IN_OPS),
    deleteObjects(names, 'ops', 'A fault that has been mended is forgotten.', ['faults/']),
    listObjects(names, 'ops', 'Receipts are found by their prefixes.'),
    ...followHeads(
      names,
      'Partitions come with uploads; Glue names tables of a database only all together where tables are still to be made.',
    ),
    {
      why: 'Whoever waits for a dataset is told.',
      actions: ['sns:Publish'],
      resources: topicArns(names.environment, datasets),
    },
    {
      why: 'Whoever builds on the lake is told.',
      actions: ['events:PutEvents'],
      resources: [arn('events', `event-bus/${names.eventBus}`)],
    },
  ]
}

/** What Weir keeps in ops of curated tables: their states, and the ledger of their runs. */
const KEPT_OF_TABLES = [tableStatesPrefix, runsPrefix()]

/** Seeing what curated tables are, and what their runs did. */
export function followCurated(names: Names): Permission[] {
  const why = 'One state for each table, one record for each run.'
  return [readObjects(names, 'ops', why, KEPT_OF_TABLES), listObjects(names, 'ops', why, KEPT_OF_TABLES)]
}

/** What bringing curated tables up to date takes: Athena acts in the name of the caller. */
export function curate(names: Names, tables: string[]): Permission[] {
  const { environment, workgroups, queues, eventBus } = names
  const files = 'Files of a table have names that the engine gives them.'
  // As they are called on AWS; models' tables lie in a folder of their own.
  const prefixes = [...tables.map((table) => `${glueName(table)}/`), STORED_PREFIX]
  return [
    ...query(names, workgroups.pipeline, 'The results of its own workgroup.'),
    ...readCatalog(names, 'Tables come with contracts and models; Glue names their partitions by the table.'),
    writeTables(
      names,
      'Tables of models are made anew under new names, and an Iceberg commit is an update of its table.',
    ),
    readObjects(names, 'clean', 'Any dataset may be an input.'),
    listObjects(names, 'clean', 'Tables are folders of files; which, the catalog says.'),
    readObjects(names, 'curated', 'Models read other curated tables.'),
    listObjects(names, 'curated', 'Tables are folders of files; which, the catalog says.'),
    writeObjects(names, 'curated', files, prefixes),
    deleteObjects(names, 'curated', 'What no version needs is removed, and tables that nothing makes any more.', ['']),
    readObjects(names, 'ops', 'One state for each table, one record for each run, and the faults of messages.', [
      ...KEPT_OF_TABLES,
      faultsPrefix,
      'catalog/',
    ]),
    writeObjects(names, 'ops', 'One state for each table, one record for each run, and the faults of messages.', [
      ...KEPT_OF_TABLES,
      faultsPrefix,
    ]),
    deleteObjects(
      names,
      'ops',
      'A fault that has been mended is forgotten, and the state of a table that was dropped.',
      [faultsPrefix, tableStatesPrefix],
    ),
    listObjects(
      names,
      'ops',
      'States and runs are found by their prefixes, and heads tell whether the catalog is whole.',
      [
        ...KEPT_OF_TABLES,
        faultsPrefix,
        'catalog/',
        headsPrefix(),
        // Models may read the tables of ops; receipts and rejects are folders too.
        receiptsPrefix(),
        'rejects/',
        RESULTS_PREFIX,
      ],
    ),
    readObjects(names, 'ops', 'Models may read ops.receipts and ops.rejects.', [receiptsPrefix(), 'rejects/']),
    send(queues.curate, 'Tables that are made from a table follow it.'),
    {
      why: 'Whoever looks after the lake is told what keeps a table back.',
      actions: ['sns:Publish'],
      resources: topicArns(environment, [ALARMS]),
    },
    {
      why: 'Whoever builds on the lake is told.',
      actions: ['events:PutEvents'],
      resources: [arn('events', `event-bus/${eventBus}`)],
    },
  ]
}

/** Taking from a queue. */
export const consume = (queue: string, why: string): Permission => ({
  why,
  actions: [
    'sqs:ReceiveMessage',
    'sqs:DeleteMessage',
    'sqs:ChangeMessageVisibility',
    'sqs:GetQueueAttributes',
    'sqs:GetQueueUrl',
  ],
  resources: [arn('sqs', queue)],
})

export const send = (queue: string, why: string): Permission => ({
  why,
  actions: ['sqs:SendMessage', 'sqs:GetQueueAttributes', 'sqs:GetQueueUrl'],
  resources: [arn('sqs', queue)],
})

/** X-Ray has no resources to name. */
export const trace: Permission = {
  why: 'X-Ray takes traces for no resource in particular: its actions know no other resource than *.',
  actions: ['xray:PutTraceSegments', 'xray:PutTelemetryRecords'],
  resources: ['*'],
}
