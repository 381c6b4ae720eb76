// Short locks by key, between all processes on one lake. The kernel drops them when their holder is killed: they are
// SQLite's file locks on empty databases in .weir/locks, held only while one synchronous compare-and-rename runs.

import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { StorageError } from '../errors.ts'
import { sqliteCodeOf } from './faults.ts'
import { hashOf } from './paths.ts'

const SLOTS = 16
const GIVE_UP_MS = 60_000

export interface KeyLocks {
  /** Runs a synchronous action while no other process or task holds the lock of that key. */
  hold<T>(key: string, action: () => T): Promise<T>
  close(): void
}

export function openKeyLocks(folder: string): KeyLocks {
  const databases = new Map<number, DatabaseSync>()
  const queues = new Map<number, Promise<unknown>>()

  function database(slot: number): DatabaseSync {
    const known = databases.get(slot)
    if (known) return known
    mkdirSync(folder, { recursive: true })
    const opened = openLockFile(join(folder, `${slot.toString(16)}.sqlite`))
    databases.set(slot, opened)
    return opened
  }

  async function run<T>(slot: number, key: string, action: () => T): Promise<T> {
    const db = database(slot)
    const start = Date.now()
    while (!tryBegin(db)) {
      if (Date.now() - start > GIVE_UP_MS)
        throw new StorageError(
          `Could not change ${key}: another process has held its lock for ${GIVE_UP_MS / 1000} s. ` +
            'Is a weir process stopped or hanging? End it, and run the command again.',
        )
      await sleep(1 + Math.random() * 4)
    }
    try {
      return action()
    } finally {
      db.exec('ROLLBACK')
    }
  }

  return {
    hold(key, action) {
      const slot = Number.parseInt(hashOf(key).slice(0, 4), 16) % SLOTS
      // Tasks of this process queue up here, so that only processes compete for the file lock.
      const turn = (queues.get(slot) ?? Promise.resolve()).then(() => run(slot, key, action))
      queues.set(
        slot,
        turn.catch(() => undefined),
      )
      return turn
    },
    close() {
      for (const db of databases.values()) db.close()
      databases.clear()
    },
  }
}

/** An empty database that serves as a lock. Nothing is ever written to it, so its journal need not be a file. */
export function openLockFile(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: 0 })
  db.exec('PRAGMA journal_mode = MEMORY')
  return db
}

/** Takes the write lock of a database; false when somebody else has it. */
export function tryBegin(db: DatabaseSync): boolean {
  try {
    db.exec('BEGIN IMMEDIATE')
    return true
  } catch (error) {
    if (sqliteCodeOf(error) === 5) return false
    throw error
  }
}
