// The catalog of a local lake: tables and partitions in one SQLite file, .weir/catalog.sqlite. It is a projection of the
// heads: when the file is missing or damaged it is started anew, which is logged. Beside heads it then counts as incomplete
// until `weir reconcile` has gone through all of them, and queries refuse to answer from it.

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
  CREATE TABLE IF NOT EXISTS tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
  CREATE TABLE IF NOT EXISTS partitions (
    table_name TEXT NOT NULL, partition_values TEXT NOT NULL, location TEXT NOT NULL,
    PRIMARY KEY (table_name, partition_values)
  ) WITHOUT ROWID;
  CREATE TABLE state (generation TEXT NOT NULL, complete INTEGER NOT NULL);
`
const BUSY = 5
const DAMAGED = new Set([11, 26])
const GIVE_UP_MS = 60_000

export interface LocalCatalogSettings {
  file: string
  locks: KeyLocks
  /** Told when the catalog was missing or damaged and has been started anew. */
  onStartedAnew: (why: string) => void
  /** True when the lake already has heads: a catalog made now lacks their partitions, and must say so. */
  hasHeads: () => boolean
  /** Flush every change to the disk: heads are flushed, and after a power cut the catalog must not be older than they are. */
  durable: boolean
}

export interface LocalCatalog extends Catalog {
  close(): void
}

type Row = Record<string, unknown>

interface Opened {
  db: DatabaseSync
  /** The number of the file that is open. */
  ino?: bigint
  readOnly?: boolean
}

export function openLocalCatalog(settings: LocalCatalogSettings): LocalCatalog {
  const { file, locks } = settings
  let open: Opened | undefined
  /** Tasks of this process queue up to open the file, so that it is open once. */
  let opening: Promise<unknown> = Promise.resolve()

  /**
   * Runs an action on the open database; waits while another process writes, without blocking this one. An action may be
   * run again, when the file was replaced meanwhile: every one of them gives the same the second time.
   */
  async function use<T>(doing: string, action: (db: DatabaseSync) => T): Promise<T> {
    const start = Date.now()
    let mended = false
    for (;;) {
      let at: Opened | undefined
      try {
        at = await current()
        const result = action(at.db)
        // What is written to a file that has lost its name is lost for everybody else: then do it in the new one.
        if (isCurrent(at)) return result
      } catch (error) {
        if (at && !isCurrent(at)) continue
        const code = sqliteCodeOf(error)
        if (code === BUSY && Date.now() - start < GIVE_UP_MS) {
          await sleep(2 + Math.random() * 8)
        } else if (code !== undefined && DAMAGED.has(code) && !mended) {
          mended = await setAside(error instanceof Error ? error.message : String(error))
        } else {
          throw code === BUSY
            ? new StorageError(`Could not ${doing}: another process keeps the catalog locked. End it and try again.`)
            : storageError(error, doing)
        }
      } finally {
        if (at?.readOnly) at.db.close()
      }
    }
  }

  async function current(): Promise<Opened> {
    if (open && isCurrent(open)) return open
    const turn = opening.then(reopen)
    opening = turn.catch(() => undefined)
    return turn
  }

  async function reopen(): Promise<Opened> {
    if (open && isCurrent(open)) return open
    close()
    const wasThere = inodeOf(file) !== undefined
    try {
      // A file damaged before it was ever opened shows on the first statements, inside start().
      const { made, ...started } = await locks.hold('.weir/catalog', () => start(settings))
      if (made === 'beside heads') settings.onStartedAnew('The catalog file was missing.')
      open = started
      return started
    } catch (error) {
      if (!wasThere || !isReadOnly(error)) throw error
      // Opened for one use: nothing tells when somebody else changes the file.
      return { db: openReadOnly(file), readOnly: true }
    }
  }

  /** False once the database was closed, or its file was moved or removed, by whomever. */
  function isCurrent({ db, ino, readOnly }: Opened): boolean {
    return db.isOpen && (readOnly || inodeOf(file) === ino)
  }

  /** Moves a damaged catalog out of the way, unless another process has already done so. False when it is busy now. */
  async function setAside(why: string): Promise<boolean> {
    close()
    return locks.hold('.weir/catalog', () => {
      const sound = isSound(file)
      if (sound === 'busy') return false
      if (sound) return true
      const aside = `${file}.damaged-${Date.now()}`
      for (const suffix of ['', '-wal', '-shm']) {
        try {
          renameSync(file + suffix, aside + suffix)
        } catch (error) {
          if (codeOf(error) !== 'ENOENT') throw error
        }
      }
      settings.onStartedAnew(`The catalog file was damaged (${why}) and has been moved to ${aside}.`)
      start(settings).db.close()
      return true
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
    // Readers look at each value: see withoutLoss in views.ts.
    async *listMistyped() {},
    async state() {
      const [row] = await all('read the catalog', 'SELECT generation, complete FROM state')
      return { generation: String(row?.generation), complete: row?.complete === 1 }
    },
    markComplete: (generation) =>
      run('mark the catalog as complete', 'UPDATE state SET complete = 1 WHERE generation = ?', generation),
    close,
  }
}

/** Opens the file, making it if need be. Runs under the catalog's lock. */
function start({ file, hasHeads, durable }: LocalCatalogSettings): Opened & { made?: 'empty' | 'beside heads' } {
  mkdirSync(dirname(file), { recursive: true })
  const db = new DatabaseSync(file, { timeout: 20 })
  try {
    db.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = ${durable ? 'FULL' : 'NORMAL'}`)
    const made = hasSchema(db) ? undefined : fill(db, hasHeads)
    return { db, ino: statSync(file, { bigint: true }).ino, made }
  } catch (error) {
    db.close()
    throw error
  }
}

/** Everything in one transaction: a catalog that was begun and not finished is none. */
function fill(db: DatabaseSync, hasHeads: () => boolean): 'empty' | 'beside heads' | undefined {
  db.exec('BEGIN IMMEDIATE')
  try {
    const made = hasHeads() ? 'beside heads' : 'empty'
    db.exec(SCHEMA)
    db.prepare('INSERT INTO state VALUES (?, ?)').run(crypto.randomUUID(), made === 'empty' ? 1 : 0)
    db.exec('COMMIT')
    return made
  } catch (error) {
    // Some errors (a full disk) have rolled back already.
    if (db.isTransaction) db.exec('ROLLBACK')
    throw error
  }
}

const hasSchema = (db: DatabaseSync): boolean =>
  db.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'state'").get() !== undefined

/** The user may read the lake and not write to it. */
function isReadOnly(error: unknown): boolean {
  return [8, 14].includes(sqliteCodeOf(error) ?? 0) || ['EROFS', 'EACCES', 'EPERM'].includes(codeOf(error) ?? '')
}

function openReadOnly(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { readOnly: true, timeout: 20 })
  try {
    db.prepare('SELECT count(*) FROM tables').get()
    return db
  } catch (error) {
    db.close()
    if (!isReadOnly(error)) throw error
    // A file in WAL mode cannot be shared without writing beside it. Read it as it is, if all of it is in the one file:
    // changes that still wait in the other would be missing without a word.
    if (statSync(`${file}-wal`, { throwIfNoEntry: false })?.size)
      throw new StorageError(
        'Could not read the catalog: it has changes that only a user who may write to the lake can read. ' +
          'Let such a user run "weir receipts" (or wait until the running weir process ends), and try again.',
        { cause: error },
      )
    const url = pathToFileURL(file)
    url.searchParams.set('immutable', '1')
    return new DatabaseSync(url, { readOnly: true })
  }
}

/** Only what SQLite calls damage is damage: a file that is locked, or cannot be opened just now, is not. */
function isSound(file: string): boolean | 'busy' {
  if (inodeOf(file) === undefined) return true
  let db: DatabaseSync | undefined
  try {
    db = new DatabaseSync(file, { timeout: 1000 })
    return db.prepare('PRAGMA quick_check').get()?.quick_check === 'ok'
  } catch (error) {
    const code = sqliteCodeOf(error)
    if (code === BUSY) return 'busy'
    if (code !== undefined && DAMAGED.has(code)) return false
    throw error
  } finally {
    db?.close()
  }
}

const inodeOf = (file: string): bigint | undefined => statSync(file, { bigint: true, throwIfNoEntry: false })?.ino

const tableOf = (row: Row): TableDefinition => JSON.parse(String(row.definition))

const partitionOf = (row: Row): Partition => ({
  values: JSON.parse(String(row.partition_values)),
  location: String(row.location),
})
