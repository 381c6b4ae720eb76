// The census: what a file holds by a plain look at its bytes, independent of any parser. It is what the readers'
// counts are held against. Beside it the digest, the file's SHA-256.

import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { closeSync, openSync, readSync } from 'node:fs'
import { type LineNotes, NOTED_BYTES, takeNotes } from './line-notes.ts'

export interface Census extends LineNotes {
  /** Where it was asked for. */
  sha256?: string
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

export interface CensusRequest {
  path: string
  /** Make the SHA-256 in the same pass. */
  digest: boolean
  /** Set to take notes of the lines as well, as those of a CSV file. */
  csv?: { delimiter: string; quote: string; header: boolean; index: boolean }
}

/** SHA-256 of a file, in hex. */
export function digest(path: string): string {
  const hash = createHash('sha256')
  const buffer = Buffer.allocUnsafe(CHUNK)
  const file = openSync(path, 'r')
  try {
    for (;;) {
      const read = readSync(file, buffer, 0, CHUNK, null)
      if (read === 0) return hash.digest('hex')
      hash.update(buffer.subarray(0, read))
    }
  } finally {
    closeSync(file)
  }
}

/** Counts in one pass over the file; memory stays at one chunk, and the notes of the lines. */
export function census({ path, digest, csv }: CensusRequest): Census {
  const hash = digest ? createHash('sha256') : undefined
  const result: Census = {
    lf: 0,
    cr: 0,
    crlf: 0,
    endsWithNewline: false,
    nul: false,
    validUtf8: true,
  }
  const buffer = Buffer.allocUnsafe(CHUNK + 4)
  const lines = csv && takeNotes(csv)
  // The start of a line that a chunk's end has cut.
  const cut = Buffer.allocUnsafe(2 * NOTED_BYTES)
  let cutBytes = 0
  let lineOffset = 0
  let chunkOffset = 0
  const file = openSync(path, 'r')
  try {
    let carried = 0 // bytes of a UTF-8 character cut by the chunk's end
    let last = 0
    for (;;) {
      const read = readSync(file, buffer, carried, CHUNK, null)
      if (read === 0) break
      const fresh = buffer.subarray(carried, carried + read)
      hash?.update(fresh)
      if (fresh[0] === LF && last === CR) result.crlf++
      let start = 0
      for (let at = fresh.indexOf(LF); at >= 0; at = fresh.indexOf(LF, at + 1)) {
        result.lf++
        const end = at > 0 && fresh[at - 1] === CR ? at - 1 : at
        if (end < at) result.crlf++
        if (lines === undefined) continue
        if (start === 0 && cutBytes > 0) {
          cutBytes += fresh.copy(cut, cutBytes, 0, Math.min(at, NOTED_BYTES))
          const cr = cutBytes <= NOTED_BYTES && cut[cutBytes - 1] === CR ? 1 : 0
          lines.line(cut, 0, Math.min(cutBytes - cr, NOTED_BYTES), lineOffset)
        } else {
          lines.line(fresh, start, Math.min(end, start + NOTED_BYTES), lineOffset)
        }
        cutBytes = 0
        start = at + 1
        lineOffset = chunkOffset + start
      }
      if (cutBytes < NOTED_BYTES) {
        cutBytes += fresh.copy(cut, cutBytes, start, Math.min(read, start + NOTED_BYTES - cutBytes))
      }
      chunkOffset += read
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
    if (cutBytes > 0) lines?.line(cut, 0, cutBytes, lineOffset)
    return { ...result, ...lines?.notes(), ...(hash && { sha256: hash.digest('hex') }) }
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
