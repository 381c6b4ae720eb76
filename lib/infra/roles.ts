// Roles for people and programs: uploader, analyst, engineer. test/infra/access.test.ts says who may do what, and proves it.

import {
  AccountPrincipal,
  AccountRootPrincipal,
  ArnPrincipal,
  CompositePrincipal,
  type IPrincipal,
  Role,
} from 'aws-cdk-lib/aws-iam'
import { Construct } from 'constructs'
import type { Plan } from '../contract/plan.ts'
import type { AwsSettings } from '../lake/config.ts'
import {
  headsPrefix,
  receiptsPrefix,
  rejectsPrefix,
  repairFilesPrefix,
  runsPrefix,
  tableStatesPrefix,
} from '../lake/keys.ts'
import { datasetsOf, isClassified } from './lake.ts'
import { arn, bucketArn, type Names } from './names.ts'
import {
  consume,
  findLake,
  followCurated,
  give,
  ingest,
  listObjects,
  type Permission,
  query,
  readCatalog,
  readObjects,
  send,
  writeObjects,
} from './permissions.ts'

export interface RolesProps {
  names: Names
  aws: AwsSettings
  plans: Plan[]
}

export class Roles extends Construct {
  constructor(scope: Construct, id: string, { names, aws, plans }: RolesProps) {
    super(scope, id)
    const role = (name: string, who: string[], description: string, permissions: Permission[]) => {
      const made = new Role(this, name, {
        roleName: `${names.environment}-${name}`,
        description,
        assumedBy: principalsOf(who),
      })
      give(made, permissions)
    }
    const datasets = plans.map(({ dataset }) => dataset)
    const { principals, uploaders } = aws
    // Every dataset's receipts are all receipts: a role has room for some hundred names only.
    const all = [receiptsPrefix(), 'pages/', 'repair-files/']
    role('uploader', principals.uploaders, 'Drops files into every dataset', uploader(names, datasets, all))
    for (const [name, entry] of Object.entries(uploaders)) {
      const theirs = datasetsOf(entry)
      role(
        `uploader-${name}`,
        Array.isArray(entry) ? principals.uploaders : entry.principals,
        `Drops files into ${theirs.join(', ')}`.slice(0, 1000),
        uploader(names, theirs, theirs.flatMap(receiptsOf)),
      )
    }
    role('analyst', principals.analysts, 'Queries the lake', analyst(names, plans))
    role('engineer', principals.engineers, 'Looks after the lake', engineer(names, datasets))
  }
}

/** By default the account: then its own IAM policies say who may take on a role. */
function principalsOf(who: string[]): IPrincipal {
  if (who.length === 0) return new AccountRootPrincipal()
  return new CompositePrincipal(
    ...who.map((one) => (/^\d{12}$/.test(one) ? new AccountPrincipal(one) : new ArnPrincipal(one))),
  )
}

/** Receipts of a dataset: the JSON, its page, and the file of rejected rows to repair. */
const receiptsOf = (dataset: string): string[] => [
  receiptsPrefix(dataset),
  `pages/dataset=${dataset}/`,
  repairFilesPrefix(dataset),
]

function uploader(names: Names, datasets: string[], receipts: string[]): Permission[] {
  const why = 'Files below the landing prefixes of its datasets have any names.'
  const reading = 'The receipts of its datasets; one is added with each upload.'
  return [
    writeObjects(
      names,
      'landing',
      why,
      datasets.map((dataset) => `${dataset}/`),
    ),
    readObjects(names, 'ops', reading, receipts),
    listObjects(names, 'ops', reading, receipts),
    ...findLake(names),
  ]
}

function analyst(names: Names, plans: Plan[]): Permission[] {
  const open = plans.filter((plan) => !isClassified(plan)).map(({ dataset }) => dataset)
  const classified = plans.filter(isClassified).map(({ dataset }) => dataset)
  const tables = 'Tables are folders of files; which, the catalog says.'
  const prefixes = [
    receiptsPrefix(),
    'pages/',
    runsPrefix(),
    // Which versions of a table there are, and which run made each.
    tableStatesPrefix,
    ...open.flatMap((dataset) => [rejectsPrefix(dataset), repairFilesPrefix(dataset)]),
  ]
  const hidden = classified.flatMap((dataset) => [rejectsPrefix(dataset), repairFilesPrefix(dataset)])
  return [
    ...query(names, names.workgroups.analysts, 'The results of its own workgroup.'),
    ...readCatalog(names, 'Tables come with contracts, and Glue names their partitions by the table.'),
    readObjects(names, 'clean', tables),
    listObjects(names, 'clean', tables),
    readObjects(names, 'curated', tables),
    listObjects(names, 'curated', tables),
    readObjects(names, 'ops', tables, prefixes),
    listObjects(names, 'ops', tables, [...prefixes, `athena-results/${names.workgroups.analysts}/`]),
    // "weir query" gives no answer from a catalog from which rows may be missing: it looks whether there are older heads.
    readObjects(names, 'ops', 'Says which tables hold all their rows.', ['catalog/']),
    listObjects(names, 'ops', 'Whether a dataset has older heads than its table; what is in them stays closed.', [
      'catalog/',
      headsPrefix(),
    ]),
    ...findLake(names),
    // Not left to what other policies may add: originals and rejects have the values that the contract hides.
    {
      why: 'Originals are not for analysts.',
      effect: 'Deny',
      actions: ['s3:GetObject', 's3:GetObjectVersion', 's3:ListBucket', 's3:PutObject', 's3:DeleteObject'],
      resources: [bucketArn(names.environment, 'landing'), bucketArn(names.environment, 'landing', '*')],
    },
    ...(hidden.length === 0
      ? []
      : [
          {
            why: 'Rejected rows of classified columns are not for analysts.',
            effect: 'Deny' as const,
            actions: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
            resources: hidden.map((prefix) => bucketArn(names.environment, 'ops', `${prefix}*`)),
          },
        ]),
  ]
}

function engineer(names: Names, datasets: string[]): Permission[] {
  const { functions, queues, workgroups, environment } = names
  const ours = Object.values(functions).map((name) => arn('lambda', `function:${name}`))
  return [
    ...ingest(names, datasets),
    ...followCurated(names),
    readObjects(names, 'curated', 'Tables are folders of files; which, the catalog says.'),
    listObjects(names, 'curated', 'Tables are folders of files; which, the catalog says.'),
    ...readCatalog(names, 'Tables come with contracts, and Glue names their partitions by the table.'),
    ...query(names, workgroups.pipeline, 'The results of a workgroup.'),
    writeObjects(names, 'landing', 'Drops files for others, into any dataset.'),
    ...query(names, workgroups.analysts, 'The results of a workgroup.'),
    ...findLake(names),
    {
      why: 'Starts and looks at the functions.',
      actions: ['lambda:InvokeFunction', 'lambda:GetFunctionConfiguration'],
      resources: ours,
    },
    send(queues.ingest, 'Sends events again.'),
    send(queues.curate, 'Has curated tables brought up to date: only the function writes them.'),
    consume(queues.deadLetters, 'Takes dead letters, to send them again.'),
    consume(queues.curateDeadLetters, 'Takes dead letters, to send them again.'),
    {
      why: 'Reads what the functions logged; a log group is named with its streams.',
      actions: ['logs:FilterLogEvents', 'logs:GetLogEvents', 'logs:DescribeLogStreams', 'logs:StartQuery'],
      resources: Object.values(functions).map((name) => arn('logs', `log-group:/aws/lambda/${name}:*`)),
    },
    {
      why: 'Metrics, alarms and query results have no names to give: these actions know no other resource than *.',
      actions: ['cloudwatch:GetMetricData', 'cloudwatch:DescribeAlarms', 'logs:GetQueryResults'],
      resources: ['*'],
    },
    {
      why: 'Reads the dashboard.',
      actions: ['cloudwatch:GetDashboard'],
      resources: [
        `arn:${arn('cloudwatch', '').split(':')[1]}:cloudwatch::${arn('', '').split(':')[4]}:dashboard/${environment}-lake`,
      ],
    },
  ]
}
