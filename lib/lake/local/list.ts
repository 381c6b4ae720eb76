// Lists a zone's folder in the order in which S3 lists keys, folder by folder, without holding more than one folder's names.

import type { Dirent } from 'node:fs'
import { readdir, realpath, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { ObjectInfo } from '../ports.ts'
import { codeOf } from './faults.ts'
import { compareKeys, MORE, namesOf } from './paths.ts'
import { isAbsent, lookSync } from './stat.ts'

/** Files looked at in one go: a millisecond or two, so that other work of the process gets its turn. */
const CHUNK = 100

interface Listing {
  landing: boolean
  prefix: string
  after: string
  /** Told of a file whose name is not valid UTF-8, so that no key can name it. */
  onUnreadable: (path: string) => void
}

/** A file or folder by the segment that it stands for, whatever pieces its name is stored in. */
interface Entry {
  name: string
  path: string
  folder: boolean
}

export async function* listFolder(folder: string, listing: Listing): AsyncGenerator<ObjectInfo> {
  const segments = listing.prefix.split('/').slice(0, -1)
  // No key has such segments, so none is below that prefix; and the walk must not leave the zone.
  if (segments.some((segment) => ['', '.', '..'].includes(segment) || segment.includes('\0'))) return
  const start = join(folder, ...segments.flatMap(namesOf))
  yield* walk(start, segments.map((segment) => `${segment}/`).join(''), listing, [])
}

async function* walk(path: string, above: string, listing: Listing, parents: string[]): AsyncGenerator<ObjectInfo> {
  const entries = (await entriesOf(path, '', [], listing)).filter((entry) =>
    mayHold(above + sortName(entry), entry.folder, listing),
  )
  entries.sort((a, b) => compareKeys(sortName(a), sortName(b)))
  let looked = 0
  for (const entry of entries) {
    const key = above + entry.name
    if (entry.folder) {
      const inside = await stepInto(entry.path, parents)
      if (inside) yield* walk(entry.path, `${key}/`, listing, inside)
      continue
    }
    const info = lookSync(entry.path, key, listing.landing)
    if (info) yield info
    else if (entry.name.includes('\ufffd')) listing.onUnreadable(entry.path)
    if (++looked % CHUNK === 0) await nextTurn()
  }
}

/** Everything below a folder sorts as if its name ended in "/". */
const sortName = (entry: Entry): string => (entry.folder ? `${entry.name}/` : entry.name)

function mayHold(key: string, folder: boolean, { prefix, after }: Listing): boolean {
  if (!folder) return key.startsWith(prefix) && (after === '' || compareKeys(key, after) > 0)
  const within = key.startsWith(prefix) || prefix.startsWith(key)
  return within && (after === '' || after.startsWith(key) || compareKeys(key, after) > 0)
}

/** The files and folders of a folder; over-long names are put together from their pieces. A folder just deleted is empty. */
async function entriesOf(path: string, start: string, pieces: string[], listing: Listing): Promise<Entry[]> {
  let found: Dirent[]
  try {
    found = await readdir(path, { withFileTypes: true })
  } catch (error) {
    if (isAbsent(error)) return []
    throw error
  }
  const entries: Entry[] = []
  for (const entry of found) {
    const at = join(path, entry.name)
    const folder = await isFolder(entry, at)
    if (folder && entry.name.endsWith(MORE)) {
      const piece = entry.name.slice(0, -MORE.length)
      entries.push(...(await entriesOf(at, start + piece, [...pieces, entry.name], listing)))
      continue
    }
    const name = start + entry.name
    // Only paths that a key leads to: somebody may have made a folder that merely looks like a piece.
    const odd = pieces.length > 0 || entry.name.endsWith(MORE)
    if (!odd || namesOf(name).join('/') === [...pieces, entry.name].join('/')) entries.push({ name, path: at, folder })
    else listing.onUnreadable(at)
  }
  return entries
}

async function isFolder(entry: Dirent, path: string): Promise<boolean> {
  if (!entry.isSymbolicLink()) return entry.isDirectory()
  return (await stat(path).catch(nothingThere))?.isDirectory() ?? false
}

/** The real paths from the zone down to a folder; undefined when a symbolic link leads back up, in a circle. */
async function stepInto(path: string, parents: string[]): Promise<string[] | undefined> {
  const real = await realpath(path).catch(nothingThere)
  if (real === undefined || parents.includes(real)) return undefined
  return [...parents, real]
}

/** Deleted meanwhile, or a link that leads nowhere. Whatever else fails must not make a folder look empty. */
function nothingThere(error: unknown): undefined {
  if (!isAbsent(error) && codeOf(error) !== 'ELOOP') throw error
}
