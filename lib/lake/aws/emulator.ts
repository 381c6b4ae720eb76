// The one place at run time that knows of an emulator, and only of MiniStack. Its Athena is DuckDB, and it reads whatever
// lies below a table's location: partitions mean nothing to it, so replaced and retracted uploads would be counted. Here a
// statement gets views before it that read what the partitions point at, as Athena itself does. On AWS, and on an emulator
// whose Athena knows partitions, nothing is rewritten.

import { receiptsView, rejectsView, tableView } from '../local/views.ts'
import type { Catalog, Lake, TableDefinition } from '../ports.ts'
import type { AthenaSettings } from './athena.ts'
import type { Deployed } from './deployed.ts'
import { qualifyTables } from './names.ts'

/** Databases that exist within one statement only: MiniStack would replace the names of those in Glue. */
const VIEWS = { clean: 'weir_clean_now', curated: 'weir_curated_now', ops: 'weir_ops_now' } as const

export interface EmulatorSettings {
  buckets: Deployed['buckets']
  catalog: Catalog
  zones: Pick<Lake['zones'], 'clean' | 'curated' | 'ops'>
}

/** What to give to openAthena: undefined, except on MiniStack. */
export async function emulatorRewrite(settings: EmulatorSettings): Promise<AthenaSettings['rewrite']> {
  if (!(await isMiniStack())) return undefined
  return async ({ written, tables }) => {
    const views: string[] = []
    for (const name of tables) views.push(...(await viewOf(name, settings)))
    const schemas = Object.values(VIEWS).map((name) => `CREATE SCHEMA ${name}`)
    return [...schemas, ...views, await qualifyTables(written, VIEWS)].join(';\n')
  }
}

/** True when AWS_ENDPOINT_URL points at MiniStack. */
async function isMiniStack(): Promise<boolean> {
  const endpoint = process.env.AWS_ENDPOINT_URL
  if (!endpoint) return false
  try {
    const answer = await fetch(new URL('/_ministack/health', endpoint), { signal: AbortSignal.timeout(5000) })
    return answer.ok
  } catch {
    return false
  }
}

/** The view of one table; none where there is no such table: then the query says so itself. */
async function viewOf(name: string, { catalog, buckets, zones }: EmulatorSettings): Promise<string[]> {
  const opsView = (await filesOf(name, buckets, zones)) ?? []
  if (name === 'ops.receipts') return [receiptsView(opsView, `${VIEWS.ops}.receipts`)]
  if (name === 'ops.rejects') return [rejectsView(opsView, `${VIEWS.ops}.rejects`)]
  const table = await catalog.getTable(name)
  const [zone = '', base = ''] = name.split('.')
  if (!table || !(zone === 'clean' || zone === 'curated')) return []
  const partitions = []
  for await (const partition of catalog.listPartitions(name)) {
    const files: string[] = []
    for await (const { key } of zones[zone].list(partition.location))
      if (key.endsWith('.parquet')) files.push(`s3://${buckets[zone]}/${key}`)
    partitions.push({ partition, files })
  }
  const files = table.partitionKeys.length === 0 ? await unpartitioned(table, buckets[zone], zones[zone]) : partitions
  return [tableView({ ...table, name: `${VIEWS[zone]}.${base}` }, files)]
}

/** A table without partition keys is whatever lies below its location, as in Athena. */
async function unpartitioned(table: TableDefinition, bucket: string, zone: Lake['zones']['clean']) {
  const location = `${table.name.slice(table.name.indexOf('.') + 1)}/`
  const files: string[] = []
  for await (const { key } of zone.list(location)) if (key.endsWith('.parquet')) files.push(`s3://${bucket}/${key}`)
  return [{ partition: { values: [], location }, files }]
}

async function filesOf(name: string, buckets: Deployed['buckets'], zones: EmulatorSettings['zones']) {
  const [zone, base] = name.split('.')
  if (zone !== 'ops') return undefined
  const ending = base === 'receipts' ? '.json' : '.parquet'
  const files: string[] = []
  for await (const { key } of zones.ops.list(`${base}/`))
    if (key.endsWith(ending)) files.push(`s3://${buckets.ops}/${key}`)
  return files
}
