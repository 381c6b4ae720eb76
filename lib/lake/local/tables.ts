// Curated tables on plain files, written by DuckDB in process: Parquet, places of deleted rows, and a manifest for each version
// (tables-manifest.ts). A version becomes what readers see when the table's state names it. Everything goes through the object
// store, so that the same serves wherever objects can be had as local files.

import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import { name as quoteName, text as quoteText } from '../../sql/quote.ts'
import { relationOf } from '../../sql/refs.ts'
import type { Translated } from '../../sql/translate.ts'
import { QueryError, StorageError } from '../errors.ts'
import { curatedPrefix, tableFileKey, tableFilesPrefix, versionKey, versionsPrefix } from '../keys.ts'
import type { CuratedTables, ObjectStore, RanStatement, StagedTable, TableJob } from '../ports.ts'
import { readTableState } from '../table-state.ts'
import { queryError, retryStale, withDuck } from './duckdb.ts'
import { COMPACT, type CompactSettings, filesToRewrite } from './tables-compact.ts'
import {
  type DataFile,
  MANIFEST_FORMAT,
  type Manifest,
  objectsOf,
  readManifest,
  writeManifest,
} from './tables-manifest.ts'
import { checkColumns, GONE, layout } from './tables-shape.ts'
import { type LakeView, type TableSource, viewLake } from './tables-view.ts'
import { literalPath, liveRows } from './views.ts'

export interface ParquetTablesSettings {
  source: TableSource
  memoryBytes: number
  threads: number
  /** A local folder for unfinished files; made when first asked for. */
  scratch: () => string
  compact?: Partial<CompactSettings>
  /** Default: the clock. */
  now?: () => Date
}

/** How long what was written and is in no version that is kept stays, as somebody may be about to publish it. */
const UNPUBLISHED_MS = 24 * 60 * 60 * 1000

/** Curated tables as files of Parquet in the curated zone. */
export function openParquetTables(settings: ParquetTablesSettings): CuratedTables {
  const { curated, ops } = settings.source.zones
  const now = settings.now ?? (() => new Date())

  return {
    resumes: false,

    async stage(job, { signal }) {
      const table = nameOf(job)
      const done = await readManifest(curated, table, job.run)
      if (done) return stagedOf(job, done, [])
      return await retryStale(signal, async () => {
        const base = await baseOf(curated, job)
        const sql = job.change.query
        const view = await viewLake(settings.source, sql, { own: { table, base } })
        const query = await view.select(sql)
        checkColumns(job, query.columns)
        const statements: RanStatement[] = []
        const manifest =
          job.change.kind === 'view'
            ? viewManifest(job, table)
            : await runJob(settings, { job, table, base, view, query, statements }, signal)
        signal?.throwIfAborted()
        const written = await writeManifest(curated, manifest)
        // Somebody did the same job meanwhile: theirs counts.
        if (written !== manifest) await remove(curated, ownObjects(manifest, written))
        return stagedOf(job, written, statements)
      })
    },

    async publish({ job, rows }) {
      // After the version before, whatever the clock says: moments tell versions apart.
      const after = job.base ? Date.parse(job.base.committedAt) + 1 : 0
      const committedAt = new Date(Math.max(now().getTime(), after)).toISOString()
      return { version: { id: job.run, run: job.run, committedAt, rows: rows.total }, statements: [] }
    },

    async discard({ job }) {
      const table = nameOf(job)
      const state = (await readTableState(ops, table))?.state
      if ([state?.version, ...(state?.history ?? [])].some((version) => version?.id === job.run))
        throw new Error(`The version ${job.run} of curated.${table} is published and cannot be discarded.`)
      await curated.delete(versionKey(table, job.run))
      for (const what of KINDS)
        for await (const { key } of curated.list(tableFilesPrefix(table, what, job.run))) await curated.delete(key)
    },

    async maintain(table, kept) {
      const state = (await readTableState(ops, table))?.state
      const keep = new Set(kept.map(({ id }) => id))
      if (state?.version) keep.add(state.version.id)
      if (state?.pending) keep.add(state.pending.run)
      const oldest = [...keep].sort()[0] ?? ''
      // What is older than all that is kept was published once, or never will be.
      const inUse = (run: string, modified: Date): boolean =>
        keep.has(run) || (run > oldest && now().getTime() - modified.getTime() < UNPUBLISHED_MS)
      const needed = new Set<string>()
      const whole = new Set<string>()
      const versions: string[] = []
      for await (const { key, modified } of curated.list(versionsPrefix(table))) {
        const run = key.slice(versionsPrefix(table).length).replace(/\.json$/, '')
        if (!inUse(run, modified)) {
          versions.push(key)
          continue
        }
        whole.add(run)
        const manifest = await readManifest(curated, table, run)
        for (const object of manifest ? objectsOf(manifest) : []) needed.add(object)
      }
      const files: string[] = []
      for (const what of KINDS)
        for await (const { key, modified } of curated.list(tableFilesPrefix(table, what))) {
          const run = key.slice(tableFilesPrefix(table, what).length).replace(/-[0-9a-f]+\.parquet$/, '')
          if (!needed.has(key) && (whole.has(run) || !inUse(run, modified))) files.push(key)
        }
      // Versions first: a reader that finds one finds its files, or looks again.
      await remove(curated, [...versions, ...files])
      const did: string[] = []
      if (versions.length > 0) did.push(`removed ${counted(versions.length, 'version')} that readers no longer see`)
      if (files.length > 0) did.push(`removed ${counted(files.length, 'file')} that no version needs`)
      return { statements: [], did }
    },

    async drop(table) {
      for (const prefix of [versionsPrefix(table), curatedPrefix(table)])
        for await (const { key } of curated.list(prefix)) await curated.delete(key)
    },
  }
}

const nameOf = ({ table }: TableJob): string => table.name.slice(table.name.indexOf('.') + 1)

const KINDS = ['data', 'deletes'] as const

const counted = (count: number, what: string): string => `${count} ${what}${count === 1 ? '' : 's'}`

async function remove(store: ObjectStore, keys: string[]): Promise<void> {
  for (const key of keys) await store.delete(key)
}

function ownObjects(mine: Manifest, theirs: Manifest): string[] {
  const used = new Set(objectsOf(theirs))
  const own = KINDS.map((what) => tableFilesPrefix(mine.table, what, mine.run))
  return objectsOf(mine).filter((key) => !used.has(key) && own.some((prefix) => key.startsWith(prefix)))
}

/** The version that a job builds upon. What makes a table anew does so even where that cannot be read. */
async function baseOf(curated: ObjectStore, job: TableJob): Promise<Manifest | undefined> {
  if (!job.base) return undefined
  const table = nameOf(job)
  const anew = job.change.kind === 'replace' || job.change.kind === 'view'
  const manifest = await readManifest(curated, table, job.base.id).catch((error) => {
    if (anew && error instanceof StorageError) return undefined
    throw error
  })
  if (manifest || anew) return manifest
  throw new StorageError(
    `The version ${job.base.id} of curated.${table} is missing from the curated zone (${versionKey(table, job.base.id)}). Restore it from a backup, or run "weir curate --table ${table} --full".`,
  )
}

function stagedOf(job: TableJob, { rows }: Manifest, statements: RanStatement[]): StagedTable {
  return { job, preview: `${relationOf(job.table.name)} FOR VERSION AS OF '${job.run}'`, rows, statements }
}

function blank(job: TableJob, table: string): Manifest {
  return {
    format: MANIFEST_FORMAT,
    table,
    run: job.run,
    parent: job.base?.id ?? null,
    kind: job.kind,
    columns: job.table.columns,
    query: null,
    rows: { written: null, removed: null, total: null },
    files: [],
    next: 1,
  }
}

const viewManifest = (job: TableJob, table: string): Manifest => ({ ...blank(job, table), query: job.change.query })

interface Work {
  job: TableJob
  table: string
  base: Manifest | undefined
  view: LakeView
  query: Translated
  statements: RanStatement[]
}

/** Runs the query of a job and writes the files of its version. */
async function runJob(settings: ParquetTablesSettings, work: Work, signal: AbortSignal | undefined): Promise<Manifest> {
  const scratch = settings.scratch()
  await mkdir(scratch, { recursive: true })
  const folder = await mkdtemp(join(scratch, 'curate-'))
  const writer = new Writer(settings, work, folder, signal)
  try {
    return await withDuck(settings, signal, (connection) => writer.run(connection))
  } catch (error) {
    await remove(settings.source.zones.curated, writer.put)
    if (signal?.aborted) throw signal.reason
    throw queryError(error, work.view.tables)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The rows of the query, and the places of rows that leave: temporary tables of DuckDB. */
const COMING = 'temp.main.weir_coming'
const LEAVING = 'temp.main.weir_leaving'

class Writer {
  /** Keys that were written. */
  readonly put: string[] = []
  private readonly settings: ParquetTablesSettings
  private readonly work: Work
  private readonly folder: string
  private readonly signal: AbortSignal | undefined
  private duck: DuckDBConnection | undefined

  constructor(settings: ParquetTablesSettings, work: Work, folder: string, signal: AbortSignal | undefined) {
    this.settings = settings
    this.work = work
    this.folder = folder
    this.signal = signal
  }

  async run(duck: DuckDBConnection): Promise<Manifest> {
    this.duck = duck
    const { view, query, job, base } = this.work
    await this.sql(`SET temp_directory = ${quoteText(join(this.folder, 'spill'))}`)
    // Rows that nobody sorts may come in any order: keeping it takes memory that has no bound.
    await this.sql('SET preserve_insertion_order = false')
    await view.define(duck, query)
    const manifest = blank(job, this.work.table)
    manifest.next = base?.next ?? 1
    if (job.change.kind === 'replace') return await this.replace(manifest)
    return await this.change(manifest, base?.files ?? [], base?.rows.total ?? 0)
  }

  /** The rows of the query are the table. */
  private async replace(manifest: Manifest): Promise<Manifest> {
    const { job } = this.work
    const path = join(this.folder, 'rows.parquet')
    const rows = await this.timed(() =>
      this.copy(`SELECT * FROM (${this.typed()})${layout(job.partitionBy, job.table.columns)}`, path),
    )
    await this.checkKeys(`read_parquet(${literalPath(path)}, hive_partitioning = false)`)
    const file = await this.store(manifest, path, rows)
    const removed = job.base ? null : 0
    return { ...manifest, rows: { written: rows, removed, total: rows }, files: file ? [file] : [] }
  }

  /** Rows come and leave. */
  private async change(manifest: Manifest, files: DataFile[], total: number): Promise<Manifest> {
    const { job } = this.work
    const { change } = job
    const merges = change.kind === 'merge'
    await this.timed(() => this.sql(`CREATE TEMP TABLE weir_coming AS ${this.typed()}`))
    if (merges) await this.checkKeys(COMING)
    await this.findLeaving(files)
    const [counts] = await this.rows(
      `SELECT (SELECT count(*) FROM ${COMING} c${this.insertable()}), ` +
        (merges
          ? `(SELECT count(*) FROM ${LEAVING} l JOIN ${COMING} c ON c.rowid = l.coming WHERE NOT l.stays AND c.${GONE})`
          : `(SELECT count(*) FROM ${LEAVING})`) +
        `, (SELECT count(*) FROM ${LEAVING} WHERE NOT stays)`,
    )
    const [inserted = 0, removed = 0, deleted = 0] = (counts ?? []).map(Number)
    const left = await this.markDeleted(files)
    const settings = { ...COMPACT, ...this.settings.compact }
    const rewrite = filesToRewrite(left, inserted, settings)
    const kept = left.filter(({ id }) => !rewrite.has(id))
    const old = left.filter(({ id }) => rewrite.has(id))
    const files2 = await this.writeDeletes(manifest, files, kept, settings)
    const added = await this.writeRows(manifest, inserted, files, old, settings)
    return {
      ...manifest,
      rows: { written: inserted, removed, total: total + inserted - deleted },
      files: [...files2, ...(added ? [added] : [])],
    }
  }

  /** The query's rows in the types of the table. */
  private typed(): string {
    const { job, query } = this.work
    const list = job.table.columns.map(({ name, type }, index) => `CAST(q.c${index} AS ${type}) AS ${quoteName(name)}`)
    if (job.change.kind === 'merge') list.push(`coalesce(q.c${list.length}, false) AS ${GONE}`)
    return `SELECT ${list.join(', ')} FROM (${query.sql}) AS q`
  }

  /** Finds the rows of the table that the change is about. */
  private async findLeaving(files: readonly DataFile[]): Promise<void> {
    const { job } = this.work
    const { change } = job
    const create = 'CREATE TEMP TABLE weir_leaving AS'
    const nothing = `${create} SELECT 0 AS file, 0::BIGINT AS pos, 0::BIGINT AS coming, false AS stays WHERE false`
    const left = change.kind === 'append' ? change.left : change.kind === 'merge' ? (change.newest?.left ?? []) : []
    const among = left.length === 0 ? 'false' : `coalesce(b."_upload" IN (${left.map(quoteText).join(', ')}), false)`
    if (files.length === 0) return void (await this.sql(nothing))
    if (change.kind === 'append') {
      if (left.length === 0) return void (await this.sql(nothing))
      const base = await this.placed(files, ['_upload'])
      await this.sql(
        `${create} SELECT b.file, b.pos, -1::BIGINT AS coming, false AS stays FROM (${base}) b WHERE ${among}`,
      )
      return
    }
    const newest = change.kind === 'merge' && change.newest !== undefined
    const base = await this.placed(files, [...job.key, ...(newest ? ['_upload'] : [])])
    const on = job.key.map((column) => `b.${quoteName(column)} = c.${quoteName(column)}`).join(' AND ')
    const stays = newest ? `coalesce(b."_upload" > c."_upload", false) AND NOT ${among}` : 'false'
    await this.sql(
      `${create} SELECT b.file, b.pos, c.rowid AS coming, ${stays} AS stays FROM (${base}) b JOIN ${COMING} c ON ${on}`,
    )
  }

  /** Some columns of the table's rows, with the place of each. */
  private placed(files: readonly DataFile[], names: readonly string[]): Promise<string> {
    const wanted = new Set(names.map((name) => name.toLowerCase()))
    const columns = this.work.job.table.columns.filter(({ name }) => wanted.has(name.toLowerCase()))
    const missing = names.find((name) => !columns.some((column) => column.name.toLowerCase() === name.toLowerCase()))
    if (missing !== undefined)
      throw new QueryError(`The table ${this.work.job.table.name} has no column ${missing}, which its change needs.`)
    return this.live(files, columns, { places: true })
  }

  private live(
    files: readonly DataFile[],
    columns: TableJob['table']['columns'],
    options: { places?: boolean; leaving?: string },
  ): Promise<string> {
    return liveRows(files, columns, (key) => this.settings.source.pathOf('curated', key), options)
  }

  /** Rows of the query that come into the table. */
  private insertable(): string {
    return this.work.job.change.kind === 'merge'
      ? ` ANTI JOIN (SELECT coming FROM ${LEAVING} WHERE stays) l ON l.coming = c.rowid WHERE NOT c.${GONE}`
      : ''
  }

  /** The files, with how many of their rows are deleted now; without those that have no rows left. */
  private async markDeleted(files: readonly DataFile[]): Promise<DataFile[]> {
    const counts = await this.rows(`SELECT file, count(*) FROM ${LEAVING} WHERE NOT stays GROUP BY file`)
    const more = new Map(counts.map(([file, count]) => [Number(file), Number(count)]))
    return files
      .map((file) => ({ ...file, deleted: file.deleted + (more.get(file.id) ?? 0) }))
      .filter(({ rows, deleted }) => deleted < rows)
  }

  /** Writes the places of deleted rows of the files that stay; puts them together where a file has them in many. */
  private async writeDeletes(
    manifest: Manifest,
    before: readonly DataFile[],
    files: readonly DataFile[],
    settings: CompactSettings,
  ): Promise<DataFile[]> {
    const were = new Map(before.map((file) => [file.id, file.deleted]))
    const changed = files.filter(({ id, deleted }) => deleted !== were.get(id))
    if (changed.length === 0) return [...files]
    const ids = changed.map(({ id }) => id).join(', ')
    const selects = [`SELECT file, pos FROM ${LEAVING} WHERE NOT stays AND file IN (${ids})`]
    const many = new Set<number>()
    for (const { id, deletes } of changed) {
      if (deletes.length + 1 <= settings.deletes) continue
      many.add(id)
      const paths = await Promise.all(deletes.map((key) => this.settings.source.pathOf('curated', key)))
      selects.push(
        `SELECT file, pos FROM read_parquet([${paths.map(literalPath).join(', ')}], hive_partitioning = false) WHERE file = ${id}`,
      )
    }
    const path = join(this.folder, 'deletes.parquet')
    await this.copy(
      `SELECT CAST(file AS INTEGER) AS file, CAST(pos AS BIGINT) AS pos FROM (${selects.join(' UNION ALL ')}) ORDER BY file, pos`,
      path,
      ', PARQUET_VERSION v2',
    )
    const key = await this.putFile(tableFileKey(manifest.table, 'deletes', manifest.run, salt()), path)
    const touched = new Set(changed.map(({ id }) => id))
    return files.map((file) =>
      touched.has(file.id) ? { ...file, deletes: many.has(file.id) ? [key] : [...file.deletes, key] } : file,
    )
  }

  /** Writes the rows that come, and those of old files that are written anew. */
  private async writeRows(
    manifest: Manifest,
    inserted: number,
    before: readonly DataFile[],
    old: readonly DataFile[],
    settings: CompactSettings,
  ): Promise<DataFile | undefined> {
    const { columns } = this.work.job.table
    const list = columns.map(({ name }) => quoteName(name)).join(', ')
    const selects: string[] = []
    if (inserted > 0) selects.push(`SELECT ${list} FROM ${COMING} c${this.insertable()}`)
    if (old.length > 0) {
      const ids = new Set(old.map(({ id }) => id))
      const files = before.filter(({ id }) => ids.has(id))
      const leaving = `(SELECT file, pos FROM ${LEAVING} WHERE NOT stays)`
      selects.push(`SELECT ${list} FROM (${await this.live(files, columns, { leaving })})`)
    }
    if (selects.length === 0) return undefined
    const path = join(this.folder, 'rows.parquet')
    const sorted = layout(this.work.job.partitionBy, columns)
    let from = `(${selects.join(' UNION ALL ')})`
    const size = old.reduce((sum, { rows, deleted }) => sum + rows - deleted, inserted)
    if (sorted !== '' && size > settings.sorted) {
      // Joining and sorting together could take more memory than there is.
      const unsorted = join(this.folder, 'unsorted.parquet')
      await this.copy(`SELECT * FROM ${from}`, unsorted)
      for (const table of ['weir_coming', 'weir_leaving']) await this.sql(`DROP TABLE ${table}`)
      from = `read_parquet(${literalPath(unsorted)}, hive_partitioning = false)`
    }
    const rows = await this.copy(`SELECT * FROM ${from}${sorted}`, path)
    return await this.store(manifest, path, rows)
  }

  /** Makes a written file part of the version. */
  private async store(manifest: Manifest, path: string, rows: number): Promise<DataFile | undefined> {
    if (rows === 0) return undefined
    const bytes = (await stat(path)).size
    const key = await this.putFile(tableFileKey(manifest.table, 'data', manifest.run, salt()), path)
    const columns = manifest.columns.map(({ name }) => name)
    return { id: manifest.next++, key, rows, bytes, columns, deleted: 0, deletes: [] }
  }

  private async putFile(key: string, path: string): Promise<string> {
    this.signal?.throwIfAborted()
    await this.settings.source.zones.curated.putFile(key, path, { ifNoneMatch: '*' })
    this.put.push(key)
    return key
  }

  /** A key tells one row: otherwise nothing is published. */
  private async checkKeys(relation: string): Promise<void> {
    const { job } = this.work
    if (job.key.length === 0) {
      if (job.change.kind !== 'merge') return
      throw new QueryError(`The table ${job.table.name} has no key, so rows cannot be merged into it.`)
    }
    const names = job.key.map(quoteName)
    const key = job.key.join(', ')
    const [nulls] = await this.rows(
      `SELECT count(*) FROM ${relation} WHERE ${names.map((name) => `${name} IS NULL`).join(' OR ')}`,
    )
    const empty = Number(nulls?.[0] ?? 0)
    if (empty > 0)
      throw new QueryError(
        `The query of ${job.table.name} gives ${counted(empty, 'row')} without a key: ${key} ${job.key.length === 1 ? 'is' : 'are'} NULL. Leave such rows out: WHERE ${job.key[0]} IS NOT NULL.`,
      )
    const twice = await this.rows(
      `SELECT ${names.map((name) => `CAST(${name} AS VARCHAR)`).join(', ')}, count(*) AS n FROM ${relation} ` +
        `GROUP BY ${names.join(', ')} HAVING count(*) > 1 ORDER BY n DESC, 1 LIMIT 3`,
    )
    if (twice.length === 0) return
    const examples = twice.map((row) => `${row.slice(0, -1).join(', ')} (${row.at(-1)} times)`)
    throw new QueryError(
      `The query of ${job.table.name} gives several rows for one key (${key}), such as ${examples.join('; ')}. Keep one row for each key, by row_number() or GROUP BY.`,
    )
  }

  private async timed<T>(action: () => Promise<T>): Promise<T> {
    const began = performance.now()
    const value = await action()
    const milliseconds = Math.round(performance.now() - began)
    this.work.statements.push({ sql: this.work.job.change.query, milliseconds })
    return value
  }

  private async sql(sql: string): Promise<unknown> {
    this.signal?.throwIfAborted()
    return await this.connection.run(sql)
  }

  private async rows(sql: string): Promise<unknown[][]> {
    this.signal?.throwIfAborted()
    return (await this.connection.runAndReadAll(sql)).getRowsJson() as unknown[][]
  }

  /** Gives the number of rows. */
  private async copy(select: string, path: string, options = ''): Promise<number> {
    const [count] = await this.rows(
      `COPY (${select}) TO ${quoteText(path)} (FORMAT parquet, COMPRESSION zstd${options})`,
    )
    return Number(count?.[0] ?? 0)
  }

  private get connection(): DuckDBConnection {
    if (!this.duck) throw new Error('The database is not open.')
    return this.duck
  }
}

const salt = (): string => randomBytes(4).toString('hex')
