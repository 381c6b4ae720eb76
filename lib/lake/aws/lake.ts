// A deployed lake: the ports on S3, Glue, Athena and SNS. What only queries and curated tables need is loaded with the first of
// them, for a function that ingests runs none and should start fast.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EventBridgeClient } from '@aws-sdk/client-eventbridge'
import { GlueClient } from '@aws-sdk/client-glue'
import { SNSClient } from '@aws-sdk/client-sns'
import type { CuratedTables, Lake, ObjectStore, QueryEngine, Zone } from '../ports.ts'
import { openGlueCatalog } from './catalog.ts'
import { clientSettings, openS3 } from './clients.ts'
import type { Deployed } from './deployed.ts'
import type { MirrorSettings } from './emulator.ts'
import { openSnsNotifier, type SnsNotifierSettings } from './notifier.ts'
import { openBucketStore } from './store.ts'

export interface AwsLakeOptions {
  /** Who pays for queries, and whose limits hold. Default: the analysts' workgroup. */
  workgroup?: keyof Deployed['workgroups']
  /** A folder for temporary files. Default: one in the system's, which close() removes. */
  scratch?: string
  /** The link in notifications: see notifier.ts. Default: as deployed. */
  receiptLink?: SnsNotifierSettings['receiptLink']
  /** One line per event worth an operator's eye. Default: JSON on stderr. */
  log?: (event: { event: string; [field: string]: unknown }) => void
}

/**
 * Opens a deployed lake. Nothing is asked of AWS until a port is used.
 *
 * @example
 * const lake = await openAwsLake(await readDeployed('weir'))
 * await lake.zones.landing.put('orders/monday.csv', 'order_id,amount\n1,9.90\n')
 * await lake.close()
 */
export async function openAwsLake(deployed: Deployed, options: AwsLakeOptions = {}): Promise<Lake> {
  const { region, buckets, databases } = deployed
  const settings = clientSettings({ region })
  const log = options.log ?? ((event) => process.stderr.write(`${JSON.stringify(event)}\n`))
  const scratch = options.scratch ?? (await mkdtemp(join(tmpdir(), 'weir-')))
  await mkdir(scratch, { recursive: true })

  const s3 = openS3({ region })
  const glue = new GlueClient(settings)
  const sns = new SNSClient(settings)
  const events = new EventBridgeClient(settings)
  const closers = [() => s3.destroy(), () => glue.destroy(), () => sns.destroy(), () => events.destroy()]

  const openZone = (zone: Zone): ObjectStore =>
    openBucketStore({
      bucket: buckets[zone],
      client: s3,
      versioned: zone === 'landing',
      scratch,
      onIgnored: (uri, reason) => log({ event: 'object_ignored', uri, reason, advice: 'Store it under another key.' }),
    })
  const zones = {
    landing: openZone('landing'),
    clean: openZone('clean'),
    curated: openZone('curated'),
    ops: openZone('ops'),
  }
  const catalog = openGlueCatalog({ glue, databases, buckets, ops: zones.ops })
  const athenaClient = once(async () => {
    const { AthenaClient } = await import('@aws-sdk/client-athena')
    const athena = new AthenaClient(settings)
    closers.push(() => athena.destroy())
    return athena
  })
  const queries = once(async () =>
    openQueries(await athenaClient(), deployed, options.workgroup ?? 'analysts', { catalog, zones, scratch }),
  )
  const tables = once(async () => {
    const { emulatorTables } = await import('./emulator.ts')
    const emulated = await emulatorTables({ catalog, zones, scratch })
    if (emulated) return emulated
    const [athena, { openAthenaTables }] = await Promise.all([athenaClient(), import('./tables.ts')])
    const { pipeline: workgroup } = deployed.workgroups
    return openAthenaTables({ athena, glue, workgroup, databases, catalog, zones, bucket: buckets.curated })
  })

  return {
    name: `aws:${deployed.environment}`,
    zones,
    catalog,
    tables: whenUsed(tables),
    queries: { query: async (sql, how) => (await queries()).query(sql, how) },
    notifier: openSnsNotifier({ sns, events, s3, deployed, receiptLink: options.receiptLink ?? deployed.receiptLink }),
    locate: (zone, key) => `s3://${buckets[zone]}/${key}`,
    scratch,
    async close() {
      for (const close of closers.splice(0)) close()
      if (options.scratch === undefined) await rm(scratch, { recursive: true, force: true })
    },
  }
}

async function openQueries(
  athena: import('@aws-sdk/client-athena').AthenaClient,
  { databases, workgroups, buckets }: Deployed,
  workgroup: keyof Deployed['workgroups'],
  here: MirrorSettings,
): Promise<QueryEngine> {
  const [{ openAthena }, { emulatorQueries, emulatorRewrite }] = await Promise.all([
    import('./athena.ts'),
    import('./emulator.ts'),
  ])
  const { catalog, zones } = here
  const rewrite = await emulatorRewrite({ ...here, buckets })
  const queries = openAthena({ athena, workgroup: workgroups[workgroup], databases, catalog, rewrite, ops: zones.ops })
  return emulatorQueries(queries, here)
}

/** Tables that are opened with the first job: what only ingests needs none. Their jobs go on outside this process. */
function whenUsed(open: () => Promise<CuratedTables>): CuratedTables {
  return {
    resumes: true,
    stage: async (job, options) => (await open()).stage(job, options),
    publish: async (staged, options) => (await open()).publish(staged, options),
    discard: async (staged) => (await open()).discard(staged),
    maintain: async (table, kept) => (await open()).maintain(table, kept),
    drop: async (table) => (await open()).drop(table),
  }
}

/** Made when first asked for; tried again when that failed. */
function once<T>(make: () => Promise<T>): () => Promise<T> {
  let made: Promise<T> | undefined
  return () => {
    made ??= make().catch((error: unknown) => {
      made = undefined
      throw error
    })
    return made
  }
}
