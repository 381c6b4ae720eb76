// SQL over a local lake, by DuckDB in process. The statement is Athena's SQL, translated before anything runs (lib/sql).
// Each query gets an empty database of its own with views over the files that the catalog points at right now; before the
// statement runs, everything but the lake's own zones is shut off.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { RAISED } from '../../sql/expressions.ts'
import { shownName } from '../../sql/types.ts'
import { QueryError } from '../errors.ts'
import type { Catalog, QueryEngine, QueryResult, TableDefinition } from '../ports.ts'
import { type Runnable, translate } from '../statement.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS } from '../tables.ts'
import { isAbsent } from './stat.ts'
import {
  literalPath,
  type PartitionFiles,
  quoteText,
  receiptsView,
  rejectsView,
  splitName,
  tableView,
} from './views.ts'

export interface LocalQuerySettings {
  /** Folders of the zones that a query may read. */
  folders: { clean: string; curated: string; ops: string }
  catalog: Catalog
  memoryBytes: number
  threads: number
  /** Where a query may spill; made when first asked for. */
  scratch: () => string
}

const ATTEMPTS = 3

/** The tables that every lake has, besides those of the catalog. */
const BUILT_IN: readonly TableDefinition[] = [
  { name: 'ops.receipts', columns: columnsOf(RECEIPT_COLUMNS), partitionKeys: [] },
  { name: 'ops.rejects', columns: columnsOf({ dataset: 'VARCHAR', ...REJECT_COLUMNS }), partitionKeys: [] },
]
function columnsOf(types: Readonly<Record<string, string>>): TableDefinition['columns'] {
  return Object.entries(types).map(([name, type]) => ({ name, type }))
}

export function openLocalQueries(settings: LocalQuerySettings): QueryEngine & { close(): Promise<void> } {
  const running = new Set<Promise<unknown>>()

  async function query(sql: string, options: { signal?: AbortSignal } = {}): Promise<QueryResult> {
    const start = performance.now()
    for (let attempt = 1; ; attempt++) {
      options.signal?.throwIfAborted()
      try {
        return await runOnce(settings, sql, start, options.signal)
      } catch (error) {
        // A file that went away between looking and reading: its partition was swapped meanwhile, so look again.
        if (!(error instanceof StaleFiles) || attempt === ATTEMPTS) throw error
      }
    }
  }

  return {
    query(sql, options) {
      const result = query(sql, options)
      running.add(result)
      void result.catch(() => undefined).finally(() => running.delete(result))
      return result
    },
    async close() {
      await Promise.allSettled(running)
    },
  }
}

class StaleFiles extends QueryError {}

async function runOnce(
  settings: LocalQuerySettings,
  sql: string,
  start: number,
  signal: AbortSignal | undefined,
): Promise<QueryResult> {
  const { generation } = needsCatalog(sql) ? await completeCatalog(settings.catalog) : {}
  const tables = (await settings.catalog.listTables()).filter(({ name }) => /^(clean|curated)\./.test(name))
  const known = [...tables, ...BUILT_IN].sort((a, b) => (a.name < b.name ? -1 : 1))
  const statement = translate(sql, known)
  const took = () => ({ milliseconds: Math.round(performance.now() - start) })
  if (statement.kind === 'answer') return { columns: statement.columns, rows: statement.rows, stats: took() }
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(settings.memoryBytes / 1024)}KiB`,
    threads: String(settings.threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  // DuckDB forgets an interrupt that comes between two statements, so it is repeated until the query has ended.
  let interrupting: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    interrupting ??= setInterval(() => connection.interrupt(), 20)
  }
  signal?.addEventListener('abort', interrupt, { once: true })
  try {
    await prepareViews(connection, settings, tables, statement)
    // Once more: the partitions may have been read from a catalog that was lost and made anew in between.
    if (generation !== undefined && (await completeCatalog(settings.catalog)).generation !== generation)
      throw new StaleFiles('The catalog was replaced while the query began. Ask again.')
    await shutOff(connection, settings)
    signal?.throwIfAborted()
    const reader = await connection.runAndReadAll(await onlyReads(connection, statement))
    const rows = reader.getRowsJson() as QueryResult['rows']
    if (statement.kind === 'explain')
      return {
        columns: [{ name: 'Query Plan', type: 'VARCHAR' }],
        rows: rows.map((row) => row.slice(-1)),
        stats: took(),
      }
    return {
      columns: statement.columns.map(({ name, type }) => ({ name, type: shownName(type) })),
      rows,
      stats: took(),
    }
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw queryError(error, known)
  } finally {
    signal?.removeEventListener('abort', interrupt)
    clearInterval(interrupting)
    connection.closeSync()
    instance.closeSync()
  }
}

/**
 * The translated statement, once DuckDB has also found that it is one, and that it only reads. Nothing else can come out of
 * the translation; this holds should that be wrong.
 */
async function onlyReads(connection: DuckDBConnection, { kind, sql }: Runnable): Promise<string> {
  const statements = await connection.extractStatements(
    kind === 'explain' ? sql.replace(/^EXPLAIN (ANALYZE )?/, '') : sql,
  )
  if (statements.count === 1) {
    const statement = await statements.prepare(0)
    const type = statement.statementType
    statement.destroySync()
    if (type === StatementType.SELECT) return sql
  }
  throw new QueryError('This statement is not allowed: a query only reads.')
}

/** False when the statement can only be about the ops zone, which needs no catalog. */
const needsCatalog = (sql: string): boolean => /\b(clean|curated|information_schema|show|describe|desc)\b/i.test(sql)

/** A wrong answer is worse than none: a catalog from which partitions may be missing gives no answer. */
async function completeCatalog(catalog: Catalog): Promise<{ generation?: string }> {
  const state = await catalog.state()
  if (state.complete) return state
  throw new QueryError(
    'The catalog was lost and has been started anew, so rows may be missing from its tables. Run "weir reconcile" to fill it again, then ask again.',
  )
}

async function prepareViews(
  connection: DuckDBConnection,
  settings: LocalQuerySettings,
  tables: TableDefinition[],
  { reads, paths }: Runnable,
): Promise<void> {
  // Footers are read when a view is made, and again when it is queried: keep them.
  await connection.run(`
    SET TimeZone = 'UTC';
    SET parquet_metadata_cache = true;
    SET ieee_floating_point_ops = true;
    CREATE SCHEMA clean; CREATE SCHEMA curated; CREATE SCHEMA ops;
  `)
  for (const table of tables) {
    if (!reads.has(table.name)) continue
    const { schema } = splitName(table.name)
    if (schema !== 'clean' && schema !== 'curated') continue
    await connection.run(tableView(table, await filesOf(settings.catalog, table, settings.folders[schema]), { paths }))
  }
  const { ops } = settings.folders
  if (reads.has('ops.receipts')) await connection.run(receiptsView(await filesBelow(join(ops, 'receipts'), '.json')))
  if (reads.has('ops.rejects'))
    await connection.run(rejectsView(await filesBelow(join(ops, 'rejects'), 'rejects.parquet')))
}

async function filesBelow(folder: string, end: string): Promise<string[]> {
  const names = await readdir(folder, { recursive: true }).catch((error) => {
    if (isAbsent(error)) return []
    throw error
  })
  return names.filter((name) => name.endsWith(end)).map((name) => join(folder, name))
}

async function filesOf(catalog: Catalog, table: TableDefinition, folder: string): Promise<PartitionFiles[]> {
  const found: PartitionFiles[] = []
  for await (const partition of catalog.listPartitions(table.name)) {
    const at = join(folder, partition.location)
    const names = await readdir(at).catch((error) => {
      if (isAbsent(error)) return []
      throw error
    })
    const files = names.filter((name) => name.endsWith('.parquet')).sort()
    if (files.length === 0)
      throw new StaleFiles(
        `The catalog points ${table.name} at ${partition.location}, and there is no Parquet file. Run "weir reconcile".`,
      )
    found.push({ partition, files: files.map((name) => join(at, name)) })
  }
  return found
}

/** From here on the statement can read the zones and spill to the scratch folder, and nothing else, and cannot undo that. */
async function shutOff(connection: DuckDBConnection, settings: LocalQuerySettings): Promise<void> {
  // The views name their files as patterns, and DuckDB compares those with this list as they are written.
  const folders = Object.values(settings.folders).flatMap((folder) => [
    quoteText(`${folder}/`),
    literalPath(`${folder}/`),
  ])
  await connection.run(`
    SET temp_directory = ${quoteText(spillFolder(settings))};
    SET allowed_directories = [${folders.join(', ')}];
    SET enable_external_access = false;
    SET lock_configuration = true;
  `)
}

/** On a read-only lake there is nowhere to spill: queries then have their memory and no more. */
function spillFolder(settings: LocalQuerySettings): string {
  try {
    return join(settings.scratch(), 'query')
  } catch {
    return ''
  }
}

/** DuckDB's message in plain words, with what to do about it. What it shows of the translated SQL would only confuse. */
function queryError(error: unknown, known: readonly TableDefinition[]): unknown {
  if (error instanceof QueryError || !(error instanceof Error)) return error
  const cause = { cause: error }
  // DuckDB names its own step first: "Failed to extract statements: Parser Error: …".
  const said = error.message
    .trim()
    .replace(/^Failed to [a-z ]+: (?=[A-Z][A-Za-z ]* Error: )/, '')
    .replace(/\n\nLINE \d+:[\s\S]*$/, '')
  const [, raised] = new RegExp(`'${RAISED}([\\s\\S]*?)' (?:to INT32|when|could)`).exec(said) ?? []
  if (raised !== undefined) return new QueryError(raised, cause)
  const [, ungrouped] = /column "?([^"\n]+?)"? must appear in the GROUP BY clause/.exec(said) ?? []
  if (ungrouped !== undefined)
    return new QueryError(
      `${/^c\d+$/.test(ungrouped) ? 'A column' : `The column ${ungrouped}`} is neither grouped nor in an aggregate: name it in GROUP BY, or write min(x) or arbitrary(x) of it.`,
      cause,
    )
  const tables = `The tables are: ${known.map(({ name }) => name).join(', ')}.`
  if (
    /^Permission Error|file system operations are disabled|extensions is disabled|configuration has been locked/.test(
      said,
    )
  )
    return new QueryError(
      `A query may read the lake's own tables and nothing else: no other files, network, extensions or settings. ${tables} (${said})`,
      cause,
    )
  if (/^IO Error: (No files found|Cannot open file)/.test(said))
    return new StaleFiles(`A file of the lake is missing. Run "weir reconcile". (${said})`, cause)
  if (/^Out of Memory/.test(said))
    return new QueryError(
      `The query needs more memory than it may use. Select fewer rows or columns, or raise "memory" in weir.yaml. (${said})`,
      cause,
    )
  if (/^Out of Range Error|Overflow/.test(said))
    return new QueryError(
      `A number is too large for its type: write CAST(x AS bigint), decimal(38,0) or double. (${said})`,
      cause,
    )
  return new QueryError(said, cause)
}
