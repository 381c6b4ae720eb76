// Physical names, all derived from the environment: what deployed.ts has no function for. Account and region are tokens, so
// that a template fits every account.

import { Aws } from 'aws-cdk-lib'
import { ALARMS, curateQueues, type Deployed, databaseName, topicName } from '../lake/aws/deployed.ts'
import type { Zone } from '../lake/ports.ts'

export const ZONES = ['landing', 'clean', 'curated', 'ops'] as const satisfies readonly Zone[]
export const TABLE_ZONES = ['clean', 'curated', 'ops'] as const

/** Where Athena puts the results of a workgroup, in the ops bucket. */
export const RESULTS_PREFIX = 'athena-results/'

/** An ARN in this account and region, in the partition of the deployment. */
export const arn = (service: string, resource: string): string =>
  `arn:${Aws.PARTITION}:${service}:${Aws.REGION}:${Aws.ACCOUNT_ID}:${resource}`

/** The SSM parameter by which the data stack tells the ARN of the lake's own key, where there is one. */
export const keyParameter = (environment: string): string => `/weir/${environment}/key`

export const bucketName = (environment: string, what: Zone | 'logs'): string =>
  `${environment}-${what}-${Aws.ACCOUNT_ID}-${Aws.REGION}`

export const bucketArn = (environment: string, zone: Zone, key = ''): string =>
  `arn:${Aws.PARTITION}:s3:::${bucketName(environment, zone)}${key === '' ? '' : `/${key}`}`

export interface Names {
  environment: string
  functions: Deployed['functions']
  queues: Deployed['queues']
  workgroups: Deployed['workgroups']
  databases: Deployed['databases']
  eventBus: string
  alarms: string
}

/** The names of what a deployment is made of, besides its buckets. */
export const namesOf = (environment: string): Names => ({
  environment,
  functions: {
    ingest: `${environment}-ingest`,
    reconcile: `${environment}-reconcile`,
    contracts: `${environment}-contracts`,
    curate: `${environment}-curate`,
  },
  queues: {
    ingest: `${environment}-ingest`,
    deadLetters: `${environment}-ingest-dlq`,
    curate: curateQueues(environment).curate,
    curateDeadLetters: curateQueues(environment).deadLetters,
  },
  workgroups: { analysts: `${environment}-analysts`, pipeline: `${environment}-pipeline` },
  databases: {
    clean: databaseName(environment, 'clean'),
    curated: databaseName(environment, 'curated'),
    ops: databaseName(environment, 'ops'),
  },
  eventBus: `${environment}-events`,
  alarms: topicName(environment, ALARMS),
})

/** Topics that one publisher may write to. */
export const topicArns = (environment: string, datasets: string[]): string[] =>
  datasets.map((dataset) => arn('sns', topicName(environment, dataset)))
