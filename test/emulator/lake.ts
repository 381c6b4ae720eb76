// A lake for one test on the emulator, without a deployment: its buckets, databases and workgroups made through the SDK.
// What a test makes has names of its own, so that tests run side by side and on an emulator that somebody else uses too.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { CreateBucketCommand, PutBucketVersioningCommand } from '@aws-sdk/client-s3'
import { openS3 } from '../../lib/lake/aws/clients.ts'
import { type Deployed, databaseName } from '../../lib/lake/aws/deployed.ts'
import type { Zone } from '../../lib/lake/ports.ts'

export const ZONES: readonly Zone[] = ['landing', 'clean', 'curated', 'ops']

let made = 0

/** Names of a new lake that nobody else has. */
export function newNames(): Deployed {
  const environment = `t${process.pid.toString(36)}-${Date.now().toString(36).slice(-5)}-${(made++).toString(36)}`
  const region = process.env.AWS_REGION ?? 'us-east-1'
  const account = '000000000000'
  const bucket = (zone: string) => `${environment}-${zone}-${account}-${region}`
  const queue = (name: string) => `${process.env.AWS_ENDPOINT_URL}/${account}/${environment}-${name}`
  return {
    format: 'weir.deployed/1',
    environment,
    partition: 'aws',
    region,
    account,
    buckets: { landing: bucket('landing'), clean: bucket('clean'), curated: bucket('curated'), ops: bucket('ops') },
    databases: {
      clean: databaseName(environment, 'clean'),
      curated: databaseName(environment, 'curated'),
      ops: databaseName(environment, 'ops'),
    },
    workgroups: { analysts: `${environment}-analysts`, pipeline: `${environment}-pipeline` },
    queues: {
      ingest: queue('ingest'),
      deadLetters: queue('ingest-dlq'),
      curate: queue('curate.fifo'),
      curateDeadLetters: queue('curate-dlq.fifo'),
    },
    functions: {
      ingest: `${environment}-ingest`,
      reconcile: `${environment}-reconcile`,
      contracts: `${environment}-contracts`,
      curate: `${environment}-curate`,
    },
    eventBus: `${environment}-events`,
    maxObjectBytes: 1024 ** 3,
  }
}

/** The buckets of a lake, as its data stack makes them as far as the object store can tell. */
export async function makeBuckets({ buckets, region }: Deployed): Promise<void> {
  const s3 = openS3({ region })
  for (const zone of ZONES) await s3.send(new CreateBucketCommand({ Bucket: buckets[zone] }))
  const VersioningConfiguration = { Status: 'Enabled' as const }
  await s3.send(new PutBucketVersioningCommand({ Bucket: buckets.landing, VersioningConfiguration }))
  s3.destroy()
}

/** A folder for the test's files; `remove` when done. */
export async function temporary(): Promise<{ folder: string; remove: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-emulator-'))
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}
