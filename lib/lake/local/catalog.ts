// The catalog of a local lake: tables and partitions in one SQLite file, .weir/catalog.sqlite. It is a projection of the
// heads: when the file is missing or damaged it is started anew, which is logged, and `weir reconcile` fills it again.

import { mkdirSync, renameSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { StorageError } from '../errors.ts'
import type { Catalog, Partition, TableDefinition } from '../ports.ts'
import { codeOf, sqliteCodeOf, storageError } from './faults.ts'
import type { KeyLocks } from './locks.ts'
import { compareKeys } from './paths.ts'

const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = NORMAL;
  CREATE TABLE IF NOT EXISTS tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS partitions (
    table_name TEXT NOT NULL, partition_values TEXT NOT NULL, location TEXT NOT NULL,
    PRIMARY KEY (table_name, partition_values)
  ) WITHOUT ROWID;
`
const BUSY = 5
const DAMAGED = new Set([11, 26])
const GIVE_UP_MS = 60_000

export interface LocalCatalogSettings {
  file: string
  locks: KeyLocks
  /** Told when the catalog was missing or damaged and has been started anew. */
  onStartedAnew: (why: string) => void
  /** True when the lake already holds data, so that a missing catalog is worth telling. */
  expected: () => boolean
}

export interface LocalCatalog extends Catalog {
  close(): void
}

type Row = Record<string, unknown>

export function openLocalCatalog(settings: LocalCatalogSettings): LocalCatalog {
  const { file, locks } = settings
  let open: { db: DatabaseSync; ino: bigint } | undefined

  /** Runs an action on the open database; waits while another process writes, without blocking this one. */
  async function use<T>(doing: string, action: (db: DatabaseSync) => T): Promise<T> {
    const start = Date.now()
    let mended = false
    for (;;) {
      try {
        return action(await current())
      } catch (error) {
        const code = sqliteCodeOf(error)
        if (code === BUSY && Date.now() - start < GIVE_UP_MS) {
          await sleep(2 + Math.random() * 8)
        } else if (code !== undefined && DAMAGED.has(code) && !mended) {
          mended = true
          await setAside(error instanceof Error ? error.message : String(error))
        } else {
          throw code === BUSY
            ? new StorageError(`Could not ${doing}: another process keeps the catalog locked. End it and try again.`)
            : storageError(error, doing)
        }
      }
    }
  }

  async function current(): Promise<DatabaseSync> {
    // Somebody may have removed the file: what is written to a file without a name is lost for everybody else.
    const ino = statSync(file, { bigint: true, throwIfNoEntry: false })?.ino
    if (open && open.ino === ino) return open.db
    close()
    // A file damaged before it was ever opened shows on the first statements, inside start().
    let started: ReturnType<typeof start>
    try {
      started = await locks.hold('.weir/catalog', () => start(file))
    } catch (error) {
      if (ino === undefined || !isReadOnly(error)) throw error
      // Looked at anew each time, since nothing tells when somebody else changes the file.
      open = { db: openReadOnly(file), ino: -1n }
      return open.db
    }
    open = started
    if (started.made && settings.expected()) settings.onStartedAnew('The catalog file was missing.')
    return started.db
  }

  /** Moves a damaged catalog out of the way, unless another process has already done so. */
  async function setAside(why: string): Promise<void> {
    close()
    await locks.hold('.weir/catalog', () => {
      if (isSound(file)) return
      const aside = `${file}.damaged-${Date.now()}`
      for (const suffix of ['', '-wal', '-shm']) {
        try {
          renameSync(file + suffix, aside + suffix)
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') throw error
        }
      }
      settings.onStartedAnew(`The catalog file was damaged (${why}) and has been moved to ${aside}.`)
      start(file).db.close()
    })
  }

  function close(): void {
    open?.db.close()
    open = undefined
  }

  const run = (doing: string, sql: string, ...values: SQLInputValue[]): Promise<void> =>
    use(doing, (db) => void db.prepare(sql).run(...values))
  const all = (doing: string, sql: string, ...values: SQLInputValue[]): Promise<Row[]> =>
    use(doing, (db) => db.prepare(sql).all(...values))

  return {
    putTable: (table) =>
      run(
        `describe table ${table.name} in the catalog`,
        'INSERT INTO tables VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition',
        table.name,
        JSON.stringify(table),
      ),
    async getTable(name) {
      const [row] = await all('read the catalog', 'SELECT definition FROM tables WHERE name = ?', name)
      return row && tableOf(row)
    },
    async listTables() {
      return (await all('read the catalog', 'SELECT definition FROM tables ORDER BY name')).map(tableOf)
    },
    async getPartition(table, values) {
      const [row] = await all(
        'read the catalog',
        'SELECT partition_values, location FROM partitions WHERE table_name = ? AND partition_values = ?',
        table,
        JSON.stringify(values),
      )
      return row && partitionOf(row)
    },
    putPartition: (table, { values, location }) =>
      run(
        `point a partition of ${table} at ${location}`,
        `INSERT INTO partitions VALUES (?, ?, ?)
         ON CONFLICT (table_name, partition_values) DO UPDATE SET location = excluded.location`,
        table,
        JSON.stringify(values),
        location,
      ),
    deletePartition: (table, values) =>
      run(
        `remove a partition of ${table}`,
        'DELETE FROM partitions WHERE table_name = ? AND partition_values = ?',
        table,
        JSON.stringify(values),
      ),
    async *listPartitions(table) {
      const rows = await all(
        'read the catalog',
        'SELECT partition_values, location FROM partitions WHERE table_name = ?',
        table,
      )
      yield* rows.map(partitionOf).sort((a, b) => compareKeys(a.values.join('\0'), b.values.join('\0')))
    },
    close,
  }
}

/** Opens the file, making it if need be. Runs under the catalog's lock. */
function start(file: string): { db: DatabaseSync; ino: bigint; made: boolean } {
  mkdirSync(dirname(file), { recursive: true })
  const made = !statSync(file, { throwIfNoEntry: false })?.size
  const db = new DatabaseSync(file, { timeout: 20 })
  try {
    db.exec(SCHEMA)
    return { db, ino: statSync(file, { bigint: true }).ino, made }
  } catch (error) {
    db.close()
    throw error
  }
}

/** The user may read the lake and not write to it. */
function isReadOnly(error: unknown): boolean {
  return [8, 14].includes(sqliteCodeOf(error) ?? 0) || ['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')
}

function openReadOnly(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 20 })
  try {
    db.prepare('SELECT count(*) FROM tables').get()
    return db
  } catch {
    // A file in WAL mode cannot be shared without writing beside it: read it as it is, last checkpoint included.
    db.close()
    const url = pathToFileURL(file)
    url.searchParams.set('immutable', '1')
    return new DatabaseSync(url, { readOnly: true })
  }
}

function isSound(file: string): boolean {
  if (statSync(file, { throwIfNoEntry: false }) === undefined) return true
  const db = new DatabaseSync(file, { timeout: 1000 })
  try {
    return db.prepare('PRAGMA quick_check').get()?.quick_check === 'ok'
  } catch {
    return false
  } finally {
    db.close()
  }
}

const tableOf = (row: Row): TableDefinition => JSON.parse(String(row.definition))

const partitionOf = (row: Row): Partition => ({
  values: JSON.parse(String(row.partition_values)),
  location: String(row.location),
})
