// Files named on the command line.

import { stat, writeFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'

/** The absolute path of a file that is there and is a file; a UsageError otherwise, before anything was done. */
export async function existingFile(io: Io, name: string): Promise<string> {
  const path = resolve(io.cwd, name)
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => error)
  if (found instanceof Error) {
    if (found.code === 'ENOENT') throw new UsageError(`There is no file ${path}.`)
    throw new UsageError(`${path} cannot be read: ${found.message}`)
  }
  if (found.isDirectory())
    throw new UsageError(`${path} is a folder. Name the files in it: ${name.replace(/\/*$/, '')}/*`)
  if (!found.isFile()) throw new UsageError(`${path} is not a regular file.`)
  return path
}

/** Writes a file that the user asked for; what keeps it from being written is the user's to mend. */
export async function writeOutput(io: Io, name: string, content: string | Buffer): Promise<string> {
  const path = resolve(io.cwd, name)
  try {
    await writeFile(path, content)
  } catch (error) {
    throw new UsageError(`${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`)
  }
  return path
}
