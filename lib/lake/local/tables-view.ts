// What the names in one statement mean: clean tables as the catalog points now, curated ones as their states say now or said at
// some moment, ops tables as the files lie there; and DuckDB's views of them, for those that the statement reads.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { DuckDBConnection } from '@duckdb/node-api'
import type { AsOf } from '../../sql/ast.ts'
import { parseStatement } from '../../sql/parse.ts'
import { name as quoteName } from '../../sql/quote.ts'
import type { Translated } from '../../sql/translate.ts'
import { QueryError, StorageError } from '../errors.ts'
import { isUploadId } from '../keys.ts'
import type { Catalog, ObjectStore, QueryOptions, TableColumn, TableDefinition } from '../ports.ts'
import { type Answer, type Runnable, type Table, translate, translateSelect } from '../statement.ts'
import { type KeptVersion, listTableStates, type TableState } from '../table-state.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS, RUN_COLUMNS } from '../tables.ts'
import { StaleFiles } from './duckdb.ts'
import { isAbsent } from './stat.ts'
import { type Manifest, readManifest } from './tables-manifest.ts'
import { liveRows, type PartitionFiles, receiptsView, rejectsView, runsView, splitName, tableView } from './views.ts'

/** The lake as far as SQL reads it. */
export interface TableSource {
  zones: Record<'curated' | 'ops', ObjectStore>
  catalog: Catalog
  /** The path of a file with the bytes of an object, for reading. */
  pathOf(zone: 'clean' | 'curated' | 'ops', key: string): string | Promise<string>
  /** Paths of the objects below a prefix that ends in "/", in any order; unless `deep`, only of those directly below it. */
  filesBelow(zone: 'clean' | 'ops', prefix: string, deep: boolean): Promise<string[]>
}

export interface ViewOptions {
  asOf?: QueryOptions['asOf'] | undefined
  /** A table that is being written: its name means this version, whatever its state says by now. */
  own?: { table: string; base: Manifest | undefined }
}

export interface LakeView {
  /** Every table, by name. */
  tables: readonly TableDefinition[]
  /** Throws QueryError. */
  translate(sql: string): Promise<Runnable | Answer>
  /** A query whose columns are c0, c1, …. */
  select(sql: string): Promise<Translated>
  /** Makes the views that a translated statement reads. */
  define(connection: DuckDBConnection, statement: Pick<Runnable, 'reads' | 'paths'>): Promise<void>
}

/** The tables that every lake has, besides those of contracts and models. */
const BUILT_IN: readonly TableDefinition[] = [
  { name: 'ops.receipts', columns: columnsOf(RECEIPT_COLUMNS), partitionKeys: [] },
  { name: 'ops.rejects', columns: columnsOf({ dataset: 'VARCHAR', ...REJECT_COLUMNS }), partitionKeys: [] },
  { name: 'ops.runs', columns: columnsOf(RUN_COLUMNS), partitionKeys: [] },
]
function columnsOf(types: Readonly<Record<string, string>>): TableColumn[] {
  return Object.entries(types).map(([name, type]) => ({ name, type }))
}

/** Which zones a statement is about; what asks about tables is about all of them. */
function about(sql: string): { clean: boolean; curated: boolean } {
  const statement = parseStatement(sql)
  if (statement.kind !== 'query' && statement.kind !== 'explain') return { clean: true, curated: true }
  const names = namedTables(sql)
  const has = (zone: string) =>
    names.some(({ name }) => name.startsWith(`${zone}.`) || name.startsWith('information_schema.'))
  return { clean: has('clean'), curated: has('curated') }
}

/** What a curated name stands for at one moment. */
interface Curated {
  /** `curated.orders`, or `curated.orders@<version>`. */
  table: Table
  relation: { manifest: Manifest } | { query: string; at: Moment }
}

/** When names are looked at: now, or at a time that was. */
type Moment = Date | undefined

/** Looks at the lake. Throws QueryError when the catalog is needed and not complete. */
export async function viewLake(source: TableSource, sql: string, options: ViewOptions = {}): Promise<LakeView> {
  const states = new Map<string, TableState>()
  const zones = about(sql)
  if (zones.curated || options.asOf)
    for await (const { state } of listTableStates(source.zones.ops)) states.set(state.table.toLowerCase(), state)
  const generation = zones.clean ? await completeCatalog(source.catalog) : undefined
  const clean = (await source.catalog.listTables()).filter(({ name }) => name.startsWith('clean.'))
  const curated = [...states.values()].flatMap((state) => (state.version ? [definitionOf(state)] : []))
  const tables = [...clean, ...curated, ...BUILT_IN].sort((a, b) => (a.name < b.name ? -1 : 1))
  const { moment, pinned } = momentOf(options.asOf, states)

  /** Everything that was found out about curated names, by the name that the translation gives them. */
  const meant = new Map<string, Curated>()

  async function translated<T>(
    sql: string,
    at: Moment,
    how: (sql: string, tables: readonly Table[], history: (table: string, asOf?: AsOf) => Table | undefined) => T,
  ): Promise<T> {
    const found = new Map<string, Table>()
    for (const { name, written, asOf } of namedTables(sql)) {
      if (at && name.startsWith('clean.'))
        throw new QueryError(
          `clean has no history: ${name} cannot be read as of ${at.toISOString()}. Ask for curated tables only.`,
        )
      if (!name.startsWith('curated.')) continue
      const one = await meaning(written, asOf, at)
      if (!one) continue
      meant.set(one.table.name, one)
      found.set(placeKey(name, asOf), one.table)
    }
    return how(sql, tables, (table, asOf) => found.get(placeKey(table, asOf)))
  }

  /** Undefined when there is no such table. */
  async function meaning(written: string, asOf: AsOf | undefined, at: Moment): Promise<Curated | undefined> {
    const table = written.toLowerCase()
    const own = options.own?.table.toLowerCase() === table ? options.own : undefined
    if (own && !asOf) return own.base && shownBy(own.base, `curated.${own.base.table}`, undefined)
    const state = states.get(table)
    const when = asOf?.of === 'time' ? asOf.time : asOf ? undefined : at
    if (when) {
      if (!state?.version) return undefined
      return await kept(state, asOf || pinned?.state !== state ? versionAt(state, when) : pinned.version, when)
    }
    if (asOf?.of === 'version') {
      const id = asOf.version
      const version = state && keptVersions(state).find((one) => one.id === id)
      if (state && version) return await kept(state, version, new Date(version.committedAt))
      // Not published, or no longer kept: what is newer than readers know may be looked at by whoever knows its name.
      // Not by comparing ids: a clock may have been set back since.
      const name = state?.table ?? written
      const staged =
        isUploadId(id) && /^[\w-]+$/.test(name) ? await readManifest(source.zones.curated, name, id) : undefined
      if (staged) return shownBy(staged, `curated.${staged.table}@${id}`, undefined)
      if (!state?.version) return undefined
      throw new QueryError(`curated.${state.table} has no version ${id}. ${versionsInWords(state)}`)
    }
    if (!state?.version) return undefined
    const definition = definitionOf(state)
    if (state.kind === 'view') return { table: definition, relation: { query: queryOf(state), at: undefined } }
    return { table: definition, relation: { manifest: await manifestOf(state, state.version) } }
  }

  async function kept(state: TableState, version: KeptVersion, at: Date): Promise<Curated> {
    return shownBy(await manifestOf(state, version), `curated.${state.table}@${version.id}@${at.getTime()}`, at)
  }

  function shownBy(manifest: Manifest, name: string, at: Moment): Curated {
    const table = { name, columns: manifest.columns, partitionKeys: [] }
    return { table, relation: manifest.query === null ? { manifest } : { query: manifest.query, at } }
  }

  async function manifestOf(state: TableState, version: KeptVersion): Promise<Manifest> {
    const manifest = await readManifest(source.zones.curated, state.table, version.id)
    if (manifest) return manifest
    throw new StaleFiles(
      `The version ${version.id} of curated.${state.table} is missing. Run "weir curate --table ${state.table} --full".`,
    )
  }

  async function define(
    connection: DuckDBConnection,
    { reads, paths }: Pick<Runnable, 'reads' | 'paths'>,
    made = new Set<string>(),
    within: readonly string[] = [],
  ): Promise<void> {
    if (made.size === 0) await connection.run('CREATE SCHEMA clean; CREATE SCHEMA curated; CREATE SCHEMA ops')
    made.add('')
    for (const name of reads) {
      if (within.includes(name)) throw new QueryError(`${name} is a view that reads itself: ${within.join(', ')}.`)
      if (made.has(name)) continue
      const sql = await viewSql(name)
      if (sql !== undefined) await connection.run(sql)
      made.add(name)
    }

    async function viewSql(name: string): Promise<string | undefined> {
      const one = meant.get(name)
      if (one && 'manifest' in one.relation)
        return `CREATE VIEW ${viewName(name)} AS ${await rowsOf(one.relation.manifest, one.table.columns, paths)}`
      if (one && 'query' in one.relation) {
        const { query, at } = one.relation
        if (about(query).clean) await completeCatalog(source.catalog)
        const inner = await inView(name, () => translated(query, at, translateSelect))
        await define(connection, { reads: inner.reads, paths }, made, [...within, name])
        const columns = one.table.columns.map(
          ({ name, type }, index) => `CAST(v.c${index} AS ${type}) AS ${quoteName(name)}`,
        )
        return `CREATE VIEW ${viewName(name)} AS SELECT ${columns.join(', ')} FROM (${inner.sql}) AS v`
      }
      if (name === 'ops.receipts') return receiptsView(await pathsBelow('receipts/', '.json'))
      if (name === 'ops.rejects') return rejectsView(await pathsBelow('rejects/', 'rejects.parquet'))
      if (name === 'ops.runs') return runsView(await pathsBelow('runs/', '.json'))
      const table = clean.find((one) => one.name === name)
      return table && tableView(table, await filesOf(table), { paths })
    }
  }

  async function pathsBelow(prefix: string, end: string): Promise<string[]> {
    return (await source.filesBelow('ops', prefix, true)).filter((path) => path.endsWith(end))
  }

  async function filesOf(table: TableDefinition): Promise<PartitionFiles[]> {
    const found: PartitionFiles[] = []
    for await (const partition of source.catalog.listPartitions(table.name)) {
      const paths = await source.filesBelow('clean', partition.location, false)
      const files = paths.filter((path) => path.endsWith('.parquet')).sort()
      if (files.length === 0)
        throw new StaleFiles(
          `The catalog points ${table.name} at ${partition.location}, and there is no Parquet file. Run "weir reconcile"; if that mends nothing: weir replay --dataset ${table.name.slice('clean.'.length)} --force.`,
        )
      found.push({ partition, files })
    }
    return found
  }

  async function rowsOf(manifest: Manifest, columns: readonly TableColumn[], paths: boolean): Promise<string> {
    const path = (key: string) => source.pathOf('curated', key)
    return await liveRows(manifest.files, columns, path, { paths })
  }

  return {
    tables,
    translate: (sql) => translated(sql, moment, translate),
    select: (sql) => translated(sql, moment, translateSelect),
    async define(connection, statement) {
      await define(connection, statement)
      // Once more: the partitions may have been read from a catalog that was lost and made anew in between.
      if (generation !== undefined && (await completeCatalog(source.catalog)) !== generation)
        throw new StaleFiles('The catalog was replaced while the query began. Ask again.')
    },
  }
}

/** Paths of the files in a folder; none where there is no folder. */
export async function filesBelow(folder: string, deep: boolean): Promise<string[]> {
  const entries = await readdir(folder, { recursive: deep, withFileTypes: true }).catch((error) => {
    if (isAbsent(error)) return []
    throw error
  })
  return entries.filter((entry) => !entry.isDirectory()).map((entry) => join(entry.parentPath, entry.name))
}

interface Named {
  /** In small letters. */
  name: string
  /** Without its zone, as it was written. */
  written: string
  asOf: AsOf | undefined
}

/** Every table that a statement names, `curated.orders`, with its FOR … AS OF. */
function namedTables(sql: string): Named[] {
  const found: Named[] = []
  const visit = (node: unknown): void => {
    if (Array.isArray(node)) for (const one of node) visit(one)
    else if (typeof node === 'object' && node !== null && !(node instanceof Date)) {
      if ('kind' in node && node.kind === 'table' && 'names' in node) {
        const { names, asOf } = node as { names: string[]; asOf?: AsOf }
        const parts = names.map((name) => name.toLowerCase())
        if (parts.length === 3 && parts[0] === 'awsdatacatalog') parts.shift()
        found.push({ name: parts.join('.'), written: names.at(-1) ?? '', asOf })
      }
      for (const one of Object.values(node)) visit(one)
    }
  }
  const statement = parseStatement(sql)
  if (statement.kind === 'query' || statement.kind === 'explain') visit(statement.query)
  return found
}

/** By the place of the clause: current_timestamp is another moment whenever the statement is read. */
const placeKey = (table: string, asOf: AsOf | undefined): string => `${table} ${asOf?.at ?? ''}`

const viewName = (name: string): string => {
  const { schema, table } = splitName(name)
  return `${quoteName(schema)}.${quoteName(table)}`
}

/** What is wrong with a view is wrong where nobody who asks has written anything: so the view is named. */
async function inView<T>(name: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof StaleFiles || !(error instanceof QueryError)) throw error
    throw new QueryError(`The view ${name.replace(/@.*$/, '')}: ${error.message}`, { cause: error })
  }
}

const definitionOf = ({ table, description, columns }: TableState): TableDefinition => ({
  name: `curated.${table}`,
  ...(description === undefined ? {} : { description }),
  columns,
  partitionKeys: [],
})

function queryOf({ table, query }: TableState): string {
  if (query !== null) return query
  throw new StorageError(
    `The state of curated.${table} says that it is a view, and has no query. Run "weir curate --table ${table} --full".`,
  )
}

const keptVersions = ({ version, history }: TableState): KeptVersion[] => [...(version ? [version] : []), ...history]

function versionAt(state: TableState, when: Date): KeptVersion {
  const versions = keptVersions(state)
  const found = versions.find(({ committedAt }) => Date.parse(committedAt) <= when.getTime())
  if (found) return found
  throw new QueryError(
    `curated.${state.table} has no version of ${when.toISOString()} or before: the first that is kept is of ${versions.at(-1)?.committedAt}. ${versionsInWords(state)}`,
  )
}

function versionsInWords(state: TableState): string {
  const versions = keptVersions(state).map(({ id, committedAt }) => `${id} (${committedAt})`)
  return `The versions that are kept: ${versions.join(', ')}.`
}

/** The moment that is asked for. That of a run is when its version was published; of its own table it is that version. */
function momentOf(
  asOf: QueryOptions['asOf'],
  states: ReadonlyMap<string, TableState>,
): { moment?: Date; pinned?: { state: TableState; version: KeptVersion } } {
  if (asOf === undefined) return {}
  if (asOf instanceof Date) return { moment: asOf }
  const all = [...states.values()].flatMap((state) => keptVersions(state).map((version) => ({ state, version })))
  const pinned = all.find(({ version }) => version.run === asOf.run || version.id === asOf.run)
  if (pinned) return { moment: new Date(pinned.version.committedAt), pinned }
  const known = all.map(({ version: { run, committedAt } }) => `${run} (${committedAt})`).sort()
  throw new QueryError(
    known.length === 0
      ? `There is no run ${asOf.run}: no curated table has a version yet.`
      : `No curated table keeps a version of the run ${asOf.run}. The runs whose versions are kept: ${known.join(', ')}.`,
  )
}

/** A wrong answer is worse than none: a catalog from which partitions may be missing gives no answer. */
async function completeCatalog(catalog: Catalog): Promise<string> {
  const { generation, complete } = await catalog.state()
  if (complete) return generation
  throw new QueryError(
    'The catalog was lost and has been started anew, so rows may be missing from its tables. Run "weir reconcile" to fill it again, then ask again.',
  )
}
