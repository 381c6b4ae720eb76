// What a deployed lake is made of: the names that everything else derives from. The stacks write it into one SSM
// parameter, which the command line reads, and into the environment of every function.

import { z } from 'zod'

/** Name of an environment, the prefix of whatever a deployment names: `weir`, `weir-dev`. S3 keeps some prefixes for itself. */
export const ENVIRONMENT = /^(?!xn--|sthree-|amzn-)[a-z][a-z0-9-]{0,18}[a-z0-9]$/

const storedSchema = z.object({
  format: z.literal('weir.deployed/1'),
  environment: z.string().regex(ENVIRONMENT),
  /** `aws`, `aws-cn`, `aws-us-gov`. */
  partition: z.string(),
  region: z.string(),
  account: z.string(),
  buckets: z.object({ landing: z.string(), clean: z.string(), curated: z.string(), ops: z.string() }),
  /** Glue databases, one for each zone that has tables. */
  databases: z.object({ clean: z.string(), curated: z.string(), ops: z.string() }),
  workgroups: z.object({ analysts: z.string(), pipeline: z.string() }),
  /** Queue URLs. */
  queues: z.object({
    ingest: z.string(),
    deadLetters: z.string(),
    curate: z.string().optional(),
    curateDeadLetters: z.string().optional(),
  }),
  functions: z.object({
    ingest: z.string(),
    reconcile: z.string(),
    contracts: z.string(),
    curate: z.string().optional(),
  }),
  eventBus: z.string(),
  /** Largest object that the ingest function takes, in bytes. */
  maxObjectBytes: z.int().positive(),
  /** The link in notifications: see notifier.ts. */
  receiptLink: z.enum(['console', 'presigned', 'none']).optional(),
})

/** Deployments of a version without curated tables do not name what these need: it gets the names that it would have. */
export const deployedSchema = storedSchema.transform(({ queues, functions, ...rest }) => {
  const { environment } = rest
  const beside = (name: string) => queues.ingest.replace(/[^/]*$/, name)
  const names = curateQueues(environment)
  return {
    ...rest,
    queues: {
      ...queues,
      curate: queues.curate ?? beside(names.curate),
      curateDeadLetters: queues.curateDeadLetters ?? beside(names.deadLetters),
    },
    functions: { ...functions, curate: functions.curate ?? `${environment}-curate` },
  }
})

/** The names of a deployed lake. */
export type Deployed = z.infer<typeof deployedSchema>

/** Names of the queue of curated tables, and of its dead letters: a FIFO queue's name says so. */
export const curateQueues = (environment: string): { curate: string; deadLetters: string } => ({
  curate: `${environment}-curate.fifo`,
  deadLetters: `${environment}-curate-dlq.fifo`,
})

/** The SSM parameter that holds them. */
export const deployedParameter = (environment: string): string => `/weir/${environment}/lake`

/** Glue and Athena take no dashes without quotes. */
export const databaseName = (environment: string, zone: 'clean' | 'curated' | 'ops'): string =>
  `${environment.replaceAll('-', '_')}_${zone}`

/** One SNS topic per dataset. */
export const topicName = (environment: string, dataset: string): string => `${environment}-${dataset}`

/** The topic that every alarm goes to; no dataset has a dot in its name. */
export const ALARMS = 'alarms-of-weir'

export const topicArn = (
  lake: Pick<Deployed, 'partition' | 'region' | 'account' | 'environment'>,
  dataset: string,
): string => `arn:${lake.partition}:sns:${lake.region}:${lake.account}:${topicName(lake.environment, dataset)}`
