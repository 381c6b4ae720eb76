// The census: what a file holds by a plain look at its bytes, independent of any parser. It is what the readers'
// counts are held against, and it makes the SHA-256 in the same pass.

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'

export interface Census {
  sha256: string
  size: number
  /** Line feeds. */
  lf: number
  /** Carriage returns, and how many of them stand right before a line feed. */
  cr: number
  crlf: number
  /** True when the last byte ends a line. */
  endsWithNewline: boolean
  nul: boolean
  validUtf8: boolean
}

const CHUNK = 1 << 20
const LF = 10
const CR = 13

/** Counts in one pass over the file; memory stays at one chunk. */
export function census(path: string): Census {
  const hash = createHash('sha256')
  const result: Census = {
    sha256: '',
    size: 0,
    lf: 0,
    cr: 0,
    crlf: 0,
    endsWithNewline: false,
    nul: false,
    validUtf8: true,
  }
  const buffer = Buffer.allocUnsafe(CHUNK + 4)
  const file = openSync(path, 'r')
  try {
    let carried = 0 // bytes of a UTF-8 character cut by the chunk's end
    let last = 0
    for (;;) {
      const read = readSync(file, buffer, carried, CHUNK, null)
      if (read === 0) break
      const fresh = buffer.subarray(carried, carried + read)
      hash.update(fresh)
      result.size += read
      if (fresh[0] === LF && last === CR) result.crlf++
      for (let at = fresh.indexOf(LF); at >= 0; at = fresh.indexOf(LF, at + 1)) {
        result.lf++
        if (at > 0 && fresh[at - 1] === CR) result.crlf++
      }
      for (let at = fresh.indexOf(CR); at >= 0; at = fresh.indexOf(CR, at + 1)) result.cr++
      if (!result.nul) result.nul = fresh.includes(0)
      last = fresh[read - 1] ?? 0
      if (result.validUtf8) {
        const filled = carried + read
        const whole = filled - cutCharacter(buffer, filled)
        result.validUtf8 = isUtf8(buffer.subarray(0, whole))
        buffer.copy(buffer, 0, whole, filled)
        carried = filled - whole
      } else {
        carried = 0
      }
    }
    if (carried > 0) result.validUtf8 = false
    result.endsWithNewline = last === LF || (last === CR && result.lf === 0)
    result.sha256 = hash.digest('hex')
    return result
  } finally {
    closeSync(file)
  }
}

/** How many bytes at the end belong to a UTF-8 character that is not complete yet (0 to 3). */
function cutCharacter(buffer: Buffer, end: number): number {
  for (let back = 1; back <= Math.min(3, end); back++) {
    const byte = buffer[end - back] ?? 0
    if ((byte & 0xc0) === 0x80) continue
    const length = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc0 ? 2 : 1
    return length > back ? back : 0
  }
  return 0
}
