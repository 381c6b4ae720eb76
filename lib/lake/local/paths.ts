// Keys as file names: which keys a folder can hold, where they lie, and the order in which S3 would list them.
// A key lies at its own path, so that a person finds it. Only a segment too long for a file name (over 255 bytes) is cut
// into pieces: every piece but the last is a folder whose name ends in `~weir+`. A segment that itself ends in `~weir+`
// is cut before its last character, so that every key has exactly one path and every path at most one key.

import { createHash } from 'node:crypto'
import { join } from 'node:path'
import { InvalidKey } from '../errors.ts'
import { checkKey as checkAnyKey } from '../valid-key.ts'

export { compareKeys } from '../valid-key.ts'

export const MORE = '~weir+'
const MAX_NAME_BYTES = 255
const PIECE_BYTES = 240

const WINDOWS_CHARACTERS = /[<>:"|?*\\]|\p{Cc}/u
const WINDOWS_NAMES = /^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i

/** Throws InvalidKey, saying why, when no zone of a local lake can hold the key. Gives its segments. */
export function checkKey(key: string, platform: NodeJS.Platform = process.platform): string[] {
  const segments = checkAnyKey(key)
  if (platform === 'win32') for (const segment of segments) checkWindowsName(key, segment)
  return segments
}

function checkWindowsName(key: string, segment: string): void {
  const shown = JSON.stringify(segment)
  if (WINDOWS_CHARACTERS.test(segment))
    throw new InvalidKey(
      key,
      `Windows cannot store the name ${shown}: leave out < > : " | ? * \\ and control characters.`,
    )
  if (/[. ]$/.test(segment))
    throw new InvalidKey(key, `Windows cannot store the name ${shown}: it ends in a dot or space.`)
  if (WINDOWS_NAMES.test(segment)) throw new InvalidKey(key, `Windows reserves the name ${shown}.`)
}

/** The file names of one segment: itself, or its pieces when it is too long for one name. */
export function namesOf(segment: string): string[] {
  if (Buffer.byteLength(segment) <= MAX_NAME_BYTES && !segment.endsWith(MORE)) return [segment]
  const pieces: string[][] = [[]]
  let size = 0
  for (const character of segment) {
    const bytes = Buffer.byteLength(character)
    if (size + bytes > PIECE_BYTES) {
      pieces.push([])
      size = 0
    }
    pieces.at(-1)?.push(character)
    size += bytes
  }
  // The last piece is a file name of its own: it may be neither "." nor "..", nor look like a piece that goes on.
  let last = pieces.pop() ?? []
  while (['.', '..'].includes(last.join(''))) last = [...(pieces.at(-1)?.splice(-1) ?? []), ...last]
  if (last.join('').endsWith(MORE)) {
    pieces.push(last.slice(0, -1))
    last = last.slice(-1)
  }
  return [...pieces.map((piece) => piece.join('') + MORE), last.join('')]
}

/** Path of a key below the folder of its zone. Throws InvalidKey. */
export function pathOf(folder: string, key: string): string {
  return join(folder, ...checkKey(key).flatMap(namesOf))
}

/** A short name for a key, for folders and locks. */
export function hashOf(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32)
}
