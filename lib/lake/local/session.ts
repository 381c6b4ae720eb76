// The temporary folder of one open lake: .weir/tmp/<id>. Its owner holds a lock on .weir/tmp/<id>.lock as long as it
// lives, so whoever opens the lake next knows which leftovers belong to the dead, and removes them. No guess by age.

import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { openLockFile, tryBegin } from './locks.ts'

export interface Session {
  /** Unfinished puts and copies. */
  tmp: string
  /** For the engine. */
  scratch: string
  close(): void
}

/** Makes this process's temporary folder, and removes those whose owners are gone. */
export function openSession(folder: string): Session {
  mkdirSync(folder, { recursive: true })
  sweep(folder)
  for (;;) {
    const id = crypto.randomUUID().slice(0, 13)
    const lockFile = join(folder, `${id}.lock`)
    const lock = openLockFile(lockFile)
    // A sweeper may have come between making the file and locking it: then it is gone, and we take another name.
    if (!tryBegin(lock) || !existsSync(lockFile)) {
      lock.close()
      continue
    }
    const root = join(folder, id)
    const session = { tmp: join(root, 'puts'), scratch: join(root, 'scratch') }
    mkdirSync(session.tmp, { recursive: true })
    mkdirSync(session.scratch, { recursive: true })
    return {
      ...session,
      close() {
        rmSync(root, { recursive: true, force: true })
        rmSync(lockFile, { force: true })
        lock.close()
      },
    }
  }
}

/** Removes the folders of owners that died. */
export function sweep(folder: string): void {
  for (const name of readdirSync(folder)) {
    if (!name.endsWith('.lock')) continue
    const lockFile = join(folder, name)
    try {
      // Another sweeper may have been here first: do not bring the file back by opening it.
      if (!existsSync(lockFile)) continue
      const lock = openLockFile(lockFile)
      try {
        if (!tryBegin(lock)) continue
        rmSync(lockFile.slice(0, -'.lock'.length), { recursive: true, force: true })
        rmSync(lockFile, { force: true })
      } finally {
        lock.close()
      }
    } catch {
      // Removing leftovers is a courtesy: whoever opens the lake next tries again.
    }
  }
}
