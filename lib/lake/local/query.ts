// SQL over a local lake, by DuckDB in process. Each query gets an empty database of its own with views over the files that the
// catalog points at right now; before the user's statement runs, everything but the lake's own zones is shut off.

import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance, StatementType } from '@duckdb/node-api'
import { QueryError } from '../errors.ts'
import type { Catalog, QueryEngine, QueryResult, TableDefinition } from '../ports.ts'
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

const BUILT_IN = ['ops.receipts', 'ops.rejects']
/** Statements that see all tables at once, or name tables inside texts. */
const SEES_ALL = /\b(query|query_table|show|describe|desc|summarize|information_schema|duckdb_\w+|pragma\w*)\b/i
const ATTEMPTS = 3
/** How a statement that only reads begins. Says early and plainly what the statement's type, known later, decides. */
const ALLOWED_WORDS = [
  ...['SELECT', 'WITH', 'FROM', 'VALUES', 'TABLE', 'PIVOT', 'UNPIVOT'],
  ...['DESCRIBE', 'DESC', 'SHOW', 'SUMMARIZE', 'EXPLAIN'],
]

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
  const tables = await settings.catalog.listTables()
  const known = [...new Set([...tables.map((table) => table.name), ...BUILT_IN])].sort()
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
    await refuseSeveral(connection, sql)
    await prepareViews(connection, settings, tables, wantedTables(sql, known))
    // Once more: the partitions may have been read from a catalog that was lost and made anew in between.
    if (generation !== undefined && (await completeCatalog(settings.catalog)).generation !== generation)
      throw new StaleFiles('The catalog was replaced while the query began. Ask again.')
    await shutOff(connection, settings)
    signal?.throwIfAborted()
    await refuseWriting(connection, sql)
    const reader = await connection.runAndReadAll(sql)
    const names = reader.columnNames()
    const types = reader.columnTypes()
    return {
      columns: names.map((name, index) => ({ name, type: String(types[index]) })),
      rows: reader.getRowsJson() as QueryResult['rows'],
      stats: { milliseconds: Math.round(performance.now() - start) },
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

async function refuseSeveral(connection: DuckDBConnection, sql: string): Promise<void> {
  if (/^(\s|;|--[^\n]*(\n|$)|\/\*.*?\*\/)*$/s.test(sql))
    throw new QueryError('There is no SQL statement. Try: SELECT * FROM ops.receipts')
  const { count } = await connection.extractStatements(sql)
  const { word } = firstWord(sql)
  if (count !== 1) {
    if (/\bpivot\b/i.test(sql) && !sql.trim().slice(0, -1).includes(';'))
      throw new QueryError('PIVOT must name its values here: PIVOT t ON column IN (value, …) USING …')
    throw new QueryError(`There are ${count} SQL statements; a query is one. Run them one by one.`)
  }
  const begins = word === 'EXPLAIN' ? firstWord(explainedIn(sql)).word : word
  if (!ALLOWED_WORDS.includes(begins)) throw notAllowed(begins)
}

/** Only reading statements may run. EXPLAIN ANALYZE runs what it explains, so that is looked at too. */
async function refuseWriting(connection: DuckDBConnection, sql: string): Promise<void> {
  const type = await typeOf(connection, sql)
  if (type === StatementType.SELECT) return
  if (type !== StatementType.EXPLAIN) throw notAllowed(StatementType[type] ?? firstWord(sql).word)
  const explained = firstWord(sql)
    .rest.replace(/^\s*analyze\b/i, '')
    .replace(/^\s*\([^)]*\)/, '')
  if ((await typeOf(connection, explained)) !== StatementType.SELECT) throw notAllowed(firstWord(explained).word)
}

/** The first word of a statement in capitals, and what follows it. */
function firstWord(sql: string): { word: string; rest: string } {
  const [, word = '', rest = ''] = /^(?:\s|\(|--[^\n]*\n|\/\*.*?\*\/)*([a-z_]*)(.*)$/is.exec(sql) ?? []
  return { word: word.toUpperCase(), rest }
}

const explainedIn = (sql: string): string =>
  firstWord(sql)
    .rest.replace(/^\s*analyze\b/i, '')
    .replace(/^\s*\((analyze|format)\b[^)]*\)/i, '')

const notAllowed = (word: string): QueryError =>
  new QueryError(
    `${word} is not allowed: a query only reads. Start it with SELECT, WITH, FROM, VALUES, DESCRIBE or EXPLAIN.`,
  )

async function typeOf(connection: DuckDBConnection, sql: string): Promise<StatementType> {
  const statements = await connection.extractStatements(sql)
  if (statements.count !== 1) return StatementType.INVALID
  const statement = await statements.prepare(0)
  const type = statement.statementType
  statement.destroySync()
  return type
}

/** The tables whose files must be looked up: those whose name occurs in the text, or all when that cannot be told. */
function wantedTables(sql: string, known: string[]): Set<string> {
  if (SEES_ALL.test(sql)) return new Set(known)
  const words = new Set(sql.toLowerCase().split(/[^\p{L}\p{N}_$]+/u))
  const occurs = (table: string) => table.split(/[^\p{L}\p{N}_$]+/u).every((word) => words.has(word))
  return new Set(known.filter((name) => occurs(splitName(name).table.toLowerCase())))
}

/** False when the statement can only be about the ops zone, which needs no catalog. */
const needsCatalog = (sql: string): boolean => SEES_ALL.test(sql) || /\b(clean|curated)\b/i.test(sql)

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
  wanted: Set<string>,
): Promise<void> {
  // Footers are read when a view is made, and again when it is queried: keep them.
  await connection.run(`
    SET TimeZone = 'UTC';
    SET parquet_metadata_cache = true;
    CREATE SCHEMA clean; CREATE SCHEMA curated; CREATE SCHEMA ops;
  `)
  for (const table of tables) {
    if (!wanted.has(table.name) || BUILT_IN.includes(table.name)) continue
    const { schema } = splitName(table.name)
    if (schema !== 'clean' && schema !== 'curated') continue
    await connection.run(tableView(table, await filesOf(settings.catalog, table, settings.folders[schema])))
  }
  const { ops } = settings.folders
  if (wanted.has('ops.receipts')) await connection.run(receiptsView(await filesBelow(join(ops, 'receipts'), '.json')))
  if (wanted.has('ops.rejects'))
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

/** DuckDB's message, with what to do about it. */
function queryError(error: unknown, known: string[]): unknown {
  if (error instanceof QueryError || !(error instanceof Error)) return error
  // DuckDB names its own step first: "Failed to extract statements: Parser Error: …".
  const said = error.message.trim().replace(/^Failed to [a-z ]+: (?=[A-Z][A-Za-z ]* Error: )/, '')
  const tables = `The tables are: ${known.join(', ')}.`
  if (
    /^Permission Error|file system operations are disabled|extensions is disabled|configuration has been locked/.test(
      said,
    )
  )
    return new QueryError(
      `A query may read the lake's own tables and nothing else: no other files, network, extensions or settings. ${tables} (${said})`,
      { cause: error },
    )
  const [, missing] = /^Catalog Error: Table with name "?([^\n]+?)"? does not exist/.exec(said) ?? []
  if (missing !== undefined) return new QueryError(`There is no table ${missing}. ${tables}`, { cause: error })
  if (/^IO Error: (No files found|Cannot open file)/.test(said))
    return new StaleFiles(`A file of the lake is missing. Run "weir reconcile". (${said})`, { cause: error })
  if (/^Out of Memory/.test(said))
    return new QueryError(
      `The query needs more memory than it may use. Select fewer rows or columns, or raise "memory" in weir.yaml. (${said})`,
      { cause: error },
    )
  return new QueryError(said.replace(/^Parser Error: /, 'The SQL cannot be read: '), { cause: error })
}
