// The object store on a folder: every object is a plain file at its key. Safe with several processes and with kill -9 at
// any moment: bytes are written to a temporary file on the same file system and get their name in one atomic step.
// Every step that replaces or removes a name runs under the key's lock, so that compare-and-set is atomic.

import {
  type BigIntStats,
  createWriteStream,
  linkSync,
  lstatSync,
  renameSync,
  rmdirSync,
  rmSync,
  unlinkSync,
} from 'node:fs'
import { lstat, mkdir, open, readdir, rename, rm, rmdir, stat, utimes } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { InvalidKey, ObjectGone, PreconditionFailed, StorageError } from '../errors.ts'
import type { Fetched, ObjectInfo, ObjectStore, PutCondition, PutOptions } from '../ports.ts'
import { codeOf, guarded, notFolder, storageError } from './faults.ts'
import { listFolder } from './list.ts'
import type { KeyLocks } from './locks.ts'
import { pathOf } from './paths.ts'
import { HASHED_BYTES, innerInfo, isAbsent, landingInfo, lookSettled, lookSync, versionOf } from './stat.ts'
import { cloneFile, type Versions } from './versions.ts'

export interface FolderStoreSettings {
  /** The zone's name, so that keys of two zones have different locks. */
  zone: string
  folder: string
  locks: KeyLocks
  /** A folder on the same file system for unfinished files; made when first asked for. */
  tmp: () => string
  /** In landing people and other programs write too: versions come from the file's stat. */
  landing: boolean
  /** Keeps what is replaced, deleted or read in landing. */
  versions?: Versions
  /**
   * Flush a file's bytes to the disk before it gets its name (fsync), so that a power cut leaves the old or the new object,
   * never a torn one. A crash of the process alone needs no flush. The names of the last moment may still be lost in a
   * power cut; then the landing file is ingested again.
   */
  durable: boolean
  onUnreadable?: (path: string) => void
}

/** What becomes of a file that was put: moved away, copied and to be removed, or somebody else's. */
type Fate = 'moved' | 'remove' | 'keep'

/** How often a put begins again when folders or versions move under it. */
const ATTEMPTS = 50
/** How many of its own writes a store remembers. */
const OWN_VERSIONS = 1000

export function openFolderStore(settings: FolderStoreSettings): ObjectStore {
  const { folder, locks, landing, versions, zone } = settings
  const pathFor = (key: string) => pathOf(folder, key)
  const tmpFile = () => join(settings.tmp(), crypto.randomUUID())
  const hold = <T>(key: string, action: () => T) => locks.hold(`${zone}/${key}`, action)

  /** Versions that this store wrote lately: whole when they got their name, so nobody need wait whether they change. */
  const own = new Set<string>()
  const remember = (info: ObjectInfo): void => {
    own.add(info.version)
    const oldest = own.values().next()
    if (own.size > OWN_VERSIONS && !oldest.done) own.delete(oldest.value)
  }

  async function look(key: string): Promise<ObjectInfo | undefined> {
    const path = pathFor(key)
    if (!landing) return lookSync(path, key, false)
    const now = lookSync(path, key, true)
    return now && own.has(now.version) ? now : lookSettled(path, key)
  }

  async function lookAtVersion(key: string, version: string): Promise<ObjectInfo | undefined> {
    const now = await look(key)
    if (now?.version === version) return now
    const kept = await versions?.find(key, version)
    return kept && keptInfo(key, version, kept.stats)
  }

  /** Gives the finished temporary file its name, if the condition holds. */
  async function publish(key: string, tmp: string, condition: PutCondition): Promise<ObjectInfo> {
    const path = pathFor(key)
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const info = await infoOfTmp(key, tmp)
      await makeParent(key, path)
      try {
        const written =
          (condition.ifNoneMatch && (await linkNew(tmp, path))) || (await replace(key, path, tmp, condition))
        if (written) {
          if (landing) remember(info)
          return info
        }
      } catch (error) {
        if (!(await mendPath(key, path, error))) throw error
      }
    }
    throw new StorageError(`Could not write ${key}: its folder kept changing. Run the command again.`)
  }

  async function infoOfTmp(key: string, tmp: string): Promise<ObjectInfo> {
    const stats = await stat(tmp, { bigint: true })
    if (!landing) {
      const info = lookSync(tmp, key, false)
      return info ?? innerInfo(key, stats, undefined)
    }
    // File numbers are used again. Were a kept version to have the same name, this one takes a later time.
    if (!versions || !(await versions.find(key, versionOf(stats)))) return landingInfo(key, stats)
    const later = new Date(Number(stats.mtimeMs) + 2)
    await utimes(tmp, later, later)
    return infoOfTmp(key, tmp)
  }

  /** Atomic without a lock: link(2) fails when the name is taken. False when the file system has no links. */
  async function linkNew(tmp: string, path: string): Promise<boolean> {
    try {
      linkSync(tmp, path)
      return true
    } catch (error) {
      if (['EPERM', 'ENOTSUP', 'ENOSYS', 'EMLINK'].includes(codeOf(error) ?? '')) return false
      throw error
    }
  }

  /** Compare and rename under the key's lock. False when the object moved on while its old bytes were being kept. */
  async function replace(key: string, path: string, tmp: string, condition: PutCondition): Promise<boolean> {
    const kept = await keepOld(key, path)
    return hold(key, () => {
      const now = lookSync(path, key, landing)
      if (condition.ifNoneMatch && now) throw new PreconditionFailed(key)
      if (condition.ifMatch !== undefined && now?.etag !== condition.ifMatch) throw new PreconditionFailed(key)
      if (versions && now && now.version !== kept) return false
      renameSync(tmp, path)
      return true
    })
  }

  /** Keeps the version that is there now; gives its name once it is safe. */
  async function keepOld(key: string, path: string): Promise<string | undefined> {
    if (!versions) return undefined
    const now = lookSync(path, key, true)
    if (!now) return undefined
    await versions.preserve(key, now.version, path, tmpFile())
    return (await versions.find(key, now.version)) ? now.version : undefined
  }

  async function makeParent(key: string, path: string): Promise<void> {
    try {
      await mkdir(dirname(path), { recursive: true })
    } catch (error) {
      if (['ENOTDIR', 'EEXIST'].includes(codeOf(error) ?? '')) throw clash(key)
      throw error
    }
  }

  /** After a failed link or rename: true when the way is clear now and the put should begin again. */
  async function mendPath(key: string, path: string, error: unknown): Promise<boolean> {
    const code = codeOf(error) ?? ''
    if (code === 'ENOTDIR') throw clash(key)
    if (code === 'ENOENT') return true
    if (!['EEXIST', 'EISDIR', 'ENOTEMPTY', 'EPERM', 'EACCES'].includes(code)) return false
    const there = await lstat(path).catch(() => undefined)
    if (there?.isDirectory()) {
      // Folders that only deleted objects left behind are in nobody's way.
      if (!(await removeIfEmpty(path))) throw clash(key)
      return true
    }
    if (code === 'EEXIST') {
      if (there) throw new PreconditionFailed(key)
      return true
    }
    return false
  }

  const clash = (key: string) =>
    notFolder(folder) ??
    new InvalidKey(
      key,
      'on a folder one key cannot be both an object and the beginning of other keys ("a" and "a/b"). Rename one of them.',
    )

  /** Removes the folders that a deletion left empty, except in landing, where people made them. */
  function prune(path: string): void {
    if (landing) return
    for (let parent = dirname(path); parent.length > folder.length; parent = dirname(parent)) {
      try {
        rmdirSync(parent)
      } catch {
        return
      }
    }
  }

  async function writeTmp(tmp: string, body: Buffer | string | Readable, signal?: AbortSignal): Promise<void> {
    const flush = settings.durable
    if (typeof body === 'string' || Buffer.isBuffer(body)) {
      const file = await open(tmp, 'wx')
      try {
        await file.writeFile(body)
        if (flush) await file.sync()
      } finally {
        await file.close()
      }
    } else {
      await pipeline(body, createWriteStream(tmp, { flags: 'wx', flush }), { signal })
    }
  }

  /** Moves the file to `tmp` if it can be moved, otherwise copies it. Says what is to happen to the original. */
  async function takeFile(path: string, tmp: string): Promise<Fate> {
    const stats = await lstat(path)
    // A link to a file, or a file with other names, belongs to somebody else: leave it alone.
    let fate: Fate = stats.isSymbolicLink() || stats.nlink > 1 ? 'keep' : 'moved'
    if (fate === 'moved') {
      try {
        await rename(path, tmp)
      } catch (error) {
        if (codeOf(error) !== 'EXDEV') throw error
        fate = 'remove'
      }
    }
    if (fate !== 'moved') await cloneFile(path, tmp)
    // The object is as new as its put, as on S3, whatever the age of the file.
    const now = new Date()
    await utimes(tmp, now, now)
    if (settings.durable) {
      const file = await open(tmp, 'r')
      await file.sync().finally(() => file.close())
    }
    return fate
  }

  async function fetchLanding(key: string, version: string): Promise<Fetched> {
    const path = pathFor(key)
    const same = () => lookSync(path, key, true)?.version === version
    const kept = await versions?.find(key, version)
    // A put that did not come to pass leaves a link to the file that is still in landing: that is no copy of its own yet.
    if (kept && !(kept.stats.nlink > 1n && same())) {
      const info = keptInfo(key, version, kept.stats)
      const verify = async () => {
        if (!(await versions?.find(key, version))) throw new ObjectGone(key, version)
      }
      return { path: kept.path, info, verify, release: async () => {} }
    }
    const info = await look(key)
    if (info?.version !== version) throw new ObjectGone(key, version)
    if (!versions) {
      const verify = async () => {
        if (!same()) throw new ObjectGone(key, version)
      }
      return { path, info, verify, release: async () => {} }
    }
    // The copy runs while the caller reads; it becomes the kept version only if the file was still the same afterwards.
    const copy = tmpFile()
    let failure: unknown
    const copying = cloneFile(path, copy).catch((error) => {
      failure = error
    })
    let done: Promise<void> | undefined
    const finish = async () => {
      await copying
      if (!same()) throw new ObjectGone(key, version)
      if (failure) throw failure
      await versions.adopt(key, version, copy)
    }
    return {
      path,
      info,
      verify: () => {
        done ??= guarded(`keep version ${version} of ${key}`, finish)
        return done
      },
      release: async () => {
        await copying
        await done?.catch(() => undefined)
        await rm(copy, { force: true })
      },
    }
  }

  async function fetchInner(key: string, version: string): Promise<Fetched> {
    const path = pathFor(key)
    const info = await look(key)
    if (info?.version !== version) throw new ObjectGone(key, version)
    const verify = async () => {
      if (lookSync(path, key, false)?.version !== version) throw new ObjectGone(key, version)
    }
    return { path, info, verify, release: async () => {} }
  }

  async function read(key: string): Promise<{ info: ObjectInfo; body: Buffer } | undefined> {
    for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
      const file = await open(pathFor(key), 'r').catch((error) => {
        if (isAbsent(error)) return undefined
        throw error
      })
      if (!file) return undefined
      try {
        const stats = await file.stat({ bigint: true })
        if (!stats.isFile()) return undefined
        const body = await file.readFile()
        if (versionOf(await file.stat({ bigint: true })) !== versionOf(stats)) continue
        if (landing) return { info: landingInfo(key, stats), body }
        return { info: innerInfo(key, stats, stats.size > HASHED_BYTES ? undefined : body), body }
      } finally {
        await file.close()
      }
    }
    throw new StorageError(`Could not read ${key}: it is being written to all the time. Try again when it is complete.`)
  }

  /** Under the lock, so that no compare-and-set that saw the object can come after. False when the object moved on meanwhile. */
  async function removeOnce(key: string, path: string): Promise<boolean> {
    const kept = await keepOld(key, path)
    return hold(key, () => {
      const there = lstatSync(path, { throwIfNoEntry: false })
      if (!there || there.isDirectory()) return true
      if (versions) {
        const now = lookSync(path, key, true)
        if (now && now.version !== kept) return false
      }
      unlinkSync(path)
      prune(path)
      return true
    })
  }

  async function put(
    key: string,
    condition: PutCondition,
    { onProgress, signal }: PutOptions,
    fill: (tmp: string) => Promise<unknown>,
    undo: () => Promise<void> = async () => {},
  ): Promise<ObjectInfo> {
    pathFor(key)
    return guarded(`write ${zone}/${key}`, async () => {
      const tmp = tmpFile()
      try {
        signal?.throwIfAborted()
        await fill(tmp)
        signal?.throwIfAborted()
        const info = await publish(key, tmp, condition)
        onProgress?.(info.size)
        return info
      } catch (error) {
        await undo().catch(() => undefined)
        throw error
      } finally {
        rmSync(tmp, { force: true })
      }
    })
  }

  return {
    head: (key, version) =>
      guarded(`look at ${zone}/${key}`, () => (version === undefined ? look(key) : lookAtVersion(key, version))),
    get: (key) => guarded(`read ${zone}/${key}`, () => read(key)),
    fetch: (key, version) =>
      guarded(`read ${zone}/${key}`, () => (landing ? fetchLanding(key, version) : fetchInner(key, version))),
    put: (key, body, condition = {}, options = {}) =>
      put(key, condition, options, (tmp) => writeTmp(tmp, body, options.signal)),
    async putFile(key, path, condition = {}, options = {}) {
      const source = { tmp: '', fate: 'keep' as Fate }
      const fill = async (tmp: string) => {
        source.tmp = tmp
        source.fate = await takeFile(path, tmp)
      }
      // A file that could not be stored goes back to where it was: it may be the only copy.
      const undo = async () => {
        if (source.fate === 'moved') await rename(source.tmp, path)
      }
      const info = await put(key, condition, options, fill, undo)
      if (source.fate === 'remove') await rm(path, { force: true })
      return info
    },
    async *list(prefix, options = {}) {
      const onUnreadable = settings.onUnreadable ?? (() => {})
      try {
        yield* listFolder(folder, { landing, prefix, after: options.after ?? '', onUnreadable })
      } catch (error) {
        throw storageError(error, `list ${zone}/${prefix}`)
      }
    },
    delete: (key) =>
      guarded(`delete ${zone}/${key}`, async () => {
        const path = pathFor(key)
        for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
          try {
            if (await removeOnce(key, path)) return
          } catch (error) {
            if (isAbsent(error)) return
            throw error
          }
        }
        throw new StorageError(`Could not delete ${key}: it kept changing. Run the command again.`)
      }),
  }
}

/** A copy's own times are those of the copying; the version says when the dropped bytes were written. */
function keptInfo(key: string, version: string, stats: BigIntStats): ObjectInfo {
  const [mtimeNs = '0'] = version.split('-')
  return { key, size: Number(stats.size), etag: version, version, modified: dateOf(mtimeNs) }
}

const dateOf = (mtimeNs36: string): Date => {
  let ns = 0n
  for (const digit of mtimeNs36) ns = ns * 36n + BigInt(Number.parseInt(digit, 36))
  return new Date(Number(ns / 1_000_000n))
}

/** Removes a folder and the folders in it if there is no file in any of them. */
async function removeIfEmpty(path: string): Promise<boolean> {
  try {
    for (const entry of await readdir(path, { withFileTypes: true })) {
      if (!entry.isDirectory() || !(await removeIfEmpty(join(path, entry.name)))) return false
    }
    await rmdir(path)
    return true
  } catch (error) {
    return codeOf(error) === 'ENOENT'
  }
}
