// SQL over a local lake, by DuckDB in process. The statement is Athena's SQL, translated before anything runs (lib/sql).
// Each query gets an empty database of its own with views over the files that the catalog and the states of curated tables point
// at right now; before the statement runs, everything but the lake's own zones is shut off.

import { join } from 'node:path'
import { type DuckDBConnection, StatementType } from '@duckdb/node-api'
import { text as quoteText } from '../../sql/quote.ts'
import { shownName } from '../../sql/types.ts'
import { QueryError } from '../errors.ts'
import type { QueryEngine, QueryOptions, QueryResult } from '../ports.ts'
import type { Runnable } from '../statement.ts'
import { queryError, retryStale, withDuck } from './duckdb.ts'
import { withShortReals } from './rows.ts'
import { type TableSource, viewLake } from './tables-view.ts'
import { literalPath } from './views.ts'

export interface LocalQuerySettings {
  source: TableSource
  /** Folders that a query may read. */
  folders: readonly string[]
  memoryBytes: number
  threads: number
  /** Where a query may spill; made when first asked for. */
  scratch: () => string
}

export function openLocalQueries(settings: LocalQuerySettings): QueryEngine & { close(): Promise<void> } {
  const running = new Set<Promise<unknown>>()

  return {
    query(sql, options = {}) {
      const start = performance.now()
      // A file that went away between looking and reading: its partition was swapped meanwhile, so look again.
      const result = retryStale(options.signal, () => runOnce(settings, sql, start, options))
      running.add(result)
      void result.catch(() => undefined).finally(() => running.delete(result))
      return result
    },
    async close() {
      await Promise.allSettled(running)
    },
  }
}

async function runOnce(
  settings: LocalQuerySettings,
  sql: string,
  start: number,
  { signal, asOf }: QueryOptions,
): Promise<QueryResult> {
  const view = await viewLake(settings.source, sql, { asOf })
  const statement = await view.translate(sql)
  const took = () => ({ milliseconds: Math.round(performance.now() - start) })
  if (statement.kind === 'answer') return { columns: statement.columns, rows: statement.rows, stats: took() }
  try {
    return await withDuck(settings, signal, async (connection) => {
      await view.define(connection, statement)
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
        rows: withShortReals(rows, statement.columns),
        stats: took(),
      }
    })
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw queryError(error, view.tables)
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

/** From here on the statement can read the zones and spill to the scratch folder, and nothing else, and cannot undo that. */
async function shutOff(connection: DuckDBConnection, settings: LocalQuerySettings): Promise<void> {
  // The views name their files as patterns, and DuckDB compares those with this list as they are written.
  const folders = settings.folders.flatMap((folder) => [quoteText(`${folder}/`), literalPath(`${folder}/`)])
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
