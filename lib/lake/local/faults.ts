// What the operating system says, in words that tell the reader what to do next.

import { statSync } from 'node:fs'
import { StorageError } from '../errors.ts'

const ADVICE: Record<string, string> = {
  ENOSPC: 'The disk is full. Free some space and run the command again.',
  EDQUOT: 'The disk quota is used up. Free some space and run the command again.',
  EFBIG: 'The file is larger than the file system or the process limit (ulimit -f) allows.',
  EROFS: 'The lake is read-only for this user. Make it writable, or copy it to where it can be written.',
  EACCES: 'Permission is missing. Give this user the right to read and write the lake folder.',
  EPERM: 'The operation is not permitted. Check the owner and flags of the lake folder.',
  EMFILE: 'This process has too many files open. Raise the limit (ulimit -n) or run fewer things at once.',
  ENFILE: 'The machine has too many files open. Close other programs and run the command again.',
  EXDEV: 'The zones and .weir must be on one file system. Do not mount or link a zone from elsewhere.',
  EIO: 'The disk reported an error. Check it before going on.',
  ESTALE: 'The network drive lost the file. Check the connection and run the command again.',
  ENOTDIR: 'A file is where a folder should be.',
}

/** SQLite result codes, where they mean the same as a system error. */
const SQLITE: Record<number, string> = { 8: 'EROFS', 10: 'EIO', 13: 'ENOSPC', 14: 'EACCES', 23: 'EACCES' }

interface SystemFault extends Error {
  code?: string
  errcode?: number
}

/** The system error code of an error (`ENOENT` …), if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error ? (error as SystemFault).code : undefined
}

/** The SQLite result code of an error (5: busy, 11: corrupt …), if it has one. */
export function sqliteCodeOf(error: unknown): number | undefined {
  const errcode = codeOf(error) === 'ERR_SQLITE_ERROR' ? (error as SystemFault).errcode : undefined
  return errcode === undefined ? undefined : errcode & 0xff
}

/** A StorageError for what the system or SQLite reported; anything else comes back as it is. */
export function storageError(error: unknown, doing: string): unknown {
  const sqlite = sqliteCodeOf(error)
  const code = sqlite === undefined ? codeOf(error) : (SQLITE[sqlite] ?? `SQLite ${sqlite}`)
  if (code === undefined || !/^(E[A-Z0-9]+|SQLite \d+)$/.test(code) || !(error instanceof Error)) return error
  const advice = ADVICE[code] ?? error.message
  return new StorageError(`Could not ${doing}: ${advice} (${code}) Nothing was changed.`, { cause: error })
}

/** Runs an action; system errors come out as StorageError. */
export async function guarded<T>(doing: string, action: () => Promise<T>): Promise<T> {
  try {
    return await action()
  } catch (error) {
    throw storageError(error, doing)
  }
}

/** A StorageError when something that is no folder stands where a folder of the lake should be. */
export function notFolder(path: string): StorageError | undefined {
  const found = statSync(path, { throwIfNoEntry: false })
  if (!found || found.isDirectory()) return undefined
  return new StorageError(
    `${path} should be a folder of the lake, and a file stands in its place. Move that file away, restore the folder if it was lost, and run the command again.`,
  )
}
