// Older versions of landing objects: .weir/versions/<hash of the key>/<version>, with the key itself in key.txt.
// What was dropped is never lost, however it is replaced or deleted through Weir, and however it changes once ingested.

import { type BigIntStats, constants, copyFile, statSync } from 'node:fs'
import { link, lstat, mkdir, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { codeOf } from './faults.ts'
import { hashOf } from './paths.ts'
import { isAbsent, versionOf } from './stat.ts'

/** Copies a file, sharing its blocks where the file system can (then it costs nothing). */
export const cloneFile = (from: string, to: string): Promise<void> =>
  promisify(copyFile)(from, to, constants.COPYFILE_FICLONE)

/** What versionOf in stat.ts makes. */
const VERSION = /^-?[0-9a-z]+-[0-9a-z]+-[0-9a-z]+$/

export interface Versions {
  /** Path of a kept version; undefined when it is not kept. */
  find(key: string, version: string): Promise<{ path: string; stats: BigIntStats } | undefined>
  /** Takes a finished copy of that version in. */
  adopt(key: string, version: string, copy: string): Promise<void>
  /** Keeps the file at `path`, if it still is that version. The caller must check again that it was. */
  preserve(key: string, version: string, path: string, copyTo: string): Promise<void>
}

export function openVersions(folder: string): Versions {
  const pathFor = (key: string, version: string) => join(folder, hashOf(key), version)

  async function makeFolder(key: string): Promise<void> {
    const made = await mkdir(join(folder, hashOf(key)), { recursive: true })
    if (made) await writeFile(join(folder, hashOf(key), 'key.txt'), key)
  }

  const versions: Versions = {
    async find(key, version) {
      // A name out of a message may be anything; only names that we give are files here.
      if (!VERSION.test(version)) return undefined
      const path = pathFor(key, version)
      let stats: BigIntStats
      try {
        stats = await stat(path, { bigint: true })
      } catch (error) {
        if (isAbsent(error)) return undefined
        throw error
      }
      // A link shares its bytes with the dropped file. If somebody wrote to that file through a handle still open, the
      // link is no longer the version that its name says. A copy has another file number, and nobody writes to it.
      const [, ino] = version.split('-')
      if (stats.ino.toString(36) === ino && versionOf(stats) !== version) {
        await rm(path, { force: true })
        return undefined
      }
      return { path, stats }
    },
    async adopt(key, version, copy) {
      await makeFolder(key)
      await rename(copy, pathFor(key, version))
    },
    async preserve(key, version, path, copyTo) {
      if (await versions.find(key, version)) return
      await makeFolder(key)
      try {
        // A link to a symbolic link would keep the name of the bytes and not the bytes.
        if ((await lstat(path)).isSymbolicLink()) await copyInstead(path, copyTo, version, pathFor(key, version))
        else await link(path, pathFor(key, version))
      } catch (error) {
        const code = codeOf(error)
        if (code === 'EEXIST' || isAbsent(error)) return
        if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EMLINK' && code !== 'EXDEV') throw error
        await copyInstead(path, copyTo, version, pathFor(key, version))
      }
    },
  }
  return versions
}

/** For file systems without hard links. */
async function copyInstead(path: string, copyTo: string, version: string, kept: string): Promise<void> {
  await cloneFile(path, copyTo)
  const stats = statSync(path, { bigint: true, throwIfNoEntry: false })
  if (stats && versionOf(stats) === version) await rename(copyTo, kept)
  else await rm(copyTo, { force: true })
}
