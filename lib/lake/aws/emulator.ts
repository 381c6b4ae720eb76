// The one place at run time that knows of an emulator, and only of MiniStack. Its Athena is DuckDB, and it reads whatever
// lies below a table's location: partitions mean nothing to it, so replaced and retracted uploads would be counted. Here a
// statement gets views before it that read what the partitions point at, as Athena itself does. It has no Iceberg, no MERGE and
// no views either: curated tables are written there as on a lake in a folder, into the same buckets, and statements that read
// them are answered in process. On AWS, and on an emulator whose Athena knows all this, nothing is done here.

import { createHash } from 'node:crypto'
import { copyFile, mkdir, rename, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { dirname, join } from 'node:path'
import type { TableSource } from '../local/tables-view.ts'
import { receiptsView, rejectsView, tableView } from '../local/views.ts'
import type { Catalog, CuratedTables, Lake, QueryEngine, TableDefinition, Zone } from '../ports.ts'
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

export interface MirrorSettings {
  catalog: Catalog
  zones: Lake['zones']
  /** A local folder for copies of objects, and for unfinished files. */
  scratch: string
}

/** What DuckDB may use here: the functions of an emulator share one machine. */
const ENGINE = { memoryBytes: 512 * 1024 ** 2, threads: Math.min(2, availableParallelism()) }

/** Curated tables where there is no Iceberg: undefined, except on MiniStack. */
export async function emulatorTables(settings: MirrorSettings): Promise<CuratedTables | undefined> {
  if (!(await isMiniStack())) return undefined
  const { openParquetTables } = await import('../local/tables.ts')
  const { scratch } = settings
  return openParquetTables({ ...ENGINE, source: mirror(settings), scratch: () => scratch })
}

/** Answers what reads curated tables, runs or the past; leaves everything else to Athena. Athena's, except on MiniStack. */
export async function emulatorQueries(athena: QueryEngine, settings: MirrorSettings): Promise<QueryEngine> {
  if (!(await isMiniStack())) return athena
  const { openLocalQueries } = await import('../local/query.ts')
  const { scratch } = settings
  const here = openLocalQueries({
    ...ENGINE,
    source: mirror(settings),
    folders: [mirrorFolder(scratch)],
    scratch: () => scratch,
  })
  return {
    query: (sql, options = {}) =>
      options.asOf || /\bcurated\b|\bops\s*\.\s*"?runs\b/i.test(sql)
        ? here.query(sql, options)
        : athena.query(sql, options),
  }
}

const mirrorFolder = (scratch: string): string => join(scratch, 'emulator')

/** The lake for DuckDB, which reads local files: each object is copied once, under its own key. */
function mirror({ catalog, zones, scratch }: MirrorSettings): TableSource {
  const pathOf = async (zone: Zone, key: string, version?: string): Promise<string> => {
    const known = version ?? (await zones[zone].head(key))?.version
    // What was replaced lies beside what took its place.
    const folder = createHash('sha256').update(`${zone} ${known}`).digest('hex').slice(0, 16)
    const path = join(mirrorFolder(scratch), folder, key)
    if (known === undefined || (await stat(path).catch(() => undefined))) return path
    const fetched = await zones[zone].fetch(key, known)
    try {
      await mkdir(dirname(path), { recursive: true })
      const unfinished = `${path}.${process.pid}-${copies++}`
      await copyFile(fetched.path, unfinished)
      await rename(unfinished, path)
    } finally {
      await fetched.release()
    }
    return path
  }
  return {
    zones,
    catalog,
    pathOf,
    async filesBelow(zone, prefix, deep) {
      const found: string[] = []
      for await (const { key, version } of zones[zone].list(prefix))
        if (deep || !key.slice(prefix.length).includes('/')) found.push(await pathOf(zone, key, version))
      return found
    },
  }
}

let copies = 0

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
