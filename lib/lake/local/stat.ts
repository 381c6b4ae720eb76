// What a file's stat says of an object: its version in landing, its etag elsewhere.

import { createHash } from 'node:crypto'
import { type BigIntStats, readFileSync, statSync } from 'node:fs'
import { stat } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import type { ObjectInfo } from '../ports.ts'
import { codeOf } from './faults.ts'

/** Objects up to this size have an etag made of their content, as on S3: the same bytes give the same etag. */
export const HASHED_BYTES = 1024 * 1024

/**
 * File systems stamp times by a clock that ticks every 1 to 10 ms. Two changes within one tick cannot be told apart, so
 * a file that changed less than this long ago is looked at again.
 */
const TICK_MS = 12
const LOOKS = 20

/** Modified time, file number and size: differs whenever a file was replaced or written to. */
export function versionOf(stats: BigIntStats): string {
  return `${stats.mtimeNs.toString(36)}-${stats.ino.toString(36)}-${stats.size.toString(36)}`
}

export function contentEtag(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, 32)
}

/** An object of the landing zone, where anybody may write: its stat is its version. */
export function landingInfo(key: string, stats: BigIntStats): ObjectInfo {
  const version = versionOf(stats)
  return { key, size: Number(stats.size), etag: version, version, modified: stats.mtime }
}

/** An object elsewhere, where only Weir writes, and files are replaced but never changed. */
export function innerInfo(key: string, stats: BigIntStats, bytes: Buffer | undefined): ObjectInfo {
  const etag = bytes ? contentEtag(bytes) : versionOf(stats)
  return { key, size: Number(stats.size), etag, version: etag, modified: stats.mtime }
}

/** The object at a path now, without waiting; undefined when no file is there. */
export function lookSync(path: string, key: string, landing: boolean): ObjectInfo | undefined {
  // A file replaced between stat and read shows as a size that differs: look again.
  for (;;) {
    const stats = statOrNothing(path)
    if (!stats?.isFile()) return undefined
    if (landing) return landingInfo(key, stats)
    if (stats.size > HASHED_BYTES) return innerInfo(key, stats, undefined)
    const bytes = readOrNothing(path)
    if (!bytes) return undefined
    if (bytes.length === Number(stats.size)) return innerInfo(key, stats, bytes)
  }
}

/** As lookSync for landing, but looks again until the clock has moved on from the file's last change, or gives up. */
export async function lookSettled(path: string, key: string): Promise<ObjectInfo | undefined> {
  for (let look = 1; ; look++) {
    const stats = await stat(path, { bigint: true }).catch((error) => {
      if (isAbsent(error)) return undefined
      throw error
    })
    if (!stats?.isFile()) return undefined
    const age = Date.now() - Number(stats.mtimeMs)
    // A file that is written to all the time is as good as it gets: fetch() and verify() find out if it moves on.
    if (age > TICK_MS || age < -TICK_MS || look === LOOKS) return landingInfo(key, stats)
    await sleep(TICK_MS - age + 1)
  }
}

/** True for the errors that mean that there is no such file. */
export function isAbsent(error: unknown): boolean {
  const code = codeOf(error)
  return code === 'ENOENT' || code === 'ENOTDIR'
}

function statOrNothing(path: string): BigIntStats | undefined {
  try {
    return statSync(path, { bigint: true, throwIfNoEntry: false })
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}

function readOrNothing(path: string): Buffer | undefined {
  try {
    return readFileSync(path)
  } catch (error) {
    if (isAbsent(error)) return undefined
    throw error
  }
}
