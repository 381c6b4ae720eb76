// A DuckDB of its own for one statement or one job on the tables of a lake, in bounded memory, and its errors in plain words.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { RAISED } from '../../sql/expressions.ts'
import { QueryError, StorageError } from '../errors.ts'
import type { TableDefinition } from '../ports.ts'
import { STOPPED } from './views.ts'

export interface DuckSettings {
  memoryBytes: number
  threads: number
}

/** Files went away between looking and reading: somebody published meanwhile, so it is worth looking again. */
export class StaleFiles extends QueryError {}

/** How often a reader looks again. */
export const ATTEMPTS = 3

/** Opens a database, does the work and closes it. An abort ends the work with the signal's reason. */
export async function withDuck<T>(
  { memoryBytes, threads }: DuckSettings,
  signal: AbortSignal | undefined,
  work: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted()
  const instance = await DuckDBInstance.create(':memory:', {
    memory_limit: `${Math.floor(memoryBytes / 1024)}KiB`,
    threads: String(threads),
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  // DuckDB forgets an interrupt that comes between two statements, so it is repeated until the work has ended.
  let interrupting: NodeJS.Timeout | undefined
  const interrupt = () => {
    connection.interrupt()
    interrupting ??= setInterval(() => connection.interrupt(), 20)
  }
  signal?.addEventListener('abort', interrupt, { once: true })
  try {
    // Footers are read when a view is made, and again when it is queried: keep them.
    await connection.run(`
      SET TimeZone = 'UTC';
      SET parquet_metadata_cache = true;
      SET ieee_floating_point_ops = true;
    `)
    signal?.throwIfAborted()
    return await work(connection)
  } catch (error) {
    if (signal?.aborted) throw signal.reason
    throw error
  } finally {
    signal?.removeEventListener('abort', interrupt)
    clearInterval(interrupting)
    connection.closeSync()
    instance.closeSync()
  }
}

/** Does it again while files go away under it. */
export async function retryStale<T>(signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    signal?.throwIfAborted()
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof StaleFiles) || attempt === ATTEMPTS) throw error
    }
  }
}

/** DuckDB's message in plain words, with what to do about it. What it shows of the translated SQL would only confuse. */
export function queryError(error: unknown, known: readonly Pick<TableDefinition, 'name'>[]): unknown {
  // A folder that may not be written to, a full disk: no fault of the query.
  if (error instanceof QueryError || error instanceof StorageError || !(error instanceof Error)) return error
  const cause = { cause: error }
  // DuckDB names its own step first: "Failed to extract statements: Parser Error: …".
  const said = error.message
    .trim()
    .replace(/^Failed to [a-z ]+: (?=[A-Z][A-Za-z ]* Error: )/, '')
    .replace(/\n\nLINE \d+:[\s\S]*$/, '')
  const [, raised] = new RegExp(`'${RAISED}([\\s\\S]*?)' (?:to INT32|when|could)`).exec(said) ?? []
  if (raised !== undefined) return new QueryError(raised, cause)
  const stopped = said.split(`Invalid Input Error: ${STOPPED}`)[1]
  if (stopped !== undefined) return new QueryError(stopped, cause)
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
  const file = /[\\/](clean|curated)[\\/]([^\\/]+)[\\/][^"']*\.parquet/.exec(said)
  const [, zone = '', table = ''] = file ?? []
  const whose = file ? `${zone}.${table}` : 'the lake'
  const again =
    zone === 'clean'
      ? ` To read its source again: weir replay --dataset ${table} --force.`
      : zone === 'curated'
        ? ` To make the table anew: weir curate --table ${table} --full.`
        : ''
  if (/^IO Error: (No files found|Cannot open file)/.test(said))
    return new StaleFiles(`A file of ${whose} is missing.${again} (${said})`, cause)
  if (file || /^Invalid Error|TProtocolException/.test(said))
    return new QueryError(`A file of ${whose} is damaged.${again} (${said})`, cause)
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
