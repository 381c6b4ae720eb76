// Finds the row numbers of records whose texts are known. DuckDB's parallel scan says what is wrong with a record but not
// where it stands; one pass over the lines finds the place again, far cheaper than numbering every row beforehand.

import { closeSync, openSync, readSync } from 'node:fs'
import { BLOCK, HEAD, headOf, type LineIndex } from './line-notes.ts'
import { type Dialect, splitLine } from './records.ts'

export interface LocateRequest {
  path: string
  /** Each record must be exactly one line: the caller has counted. */
  dialect: Dialect
  /** Only lines that begin in this range of bytes. */
  from: number
  to: number
  /** The records looked for, each as the JSON array of its field texts. */
  records: string[]
  /** What the census noted of all lines of the file: then only those are read that may be one of the records. */
  index?: LineIndex
}

export interface Located {
  /** Lines that begin in the range. */
  lines: number
  /** For each line found: the first of the equal records in the list, and its number among the lines, from 1. */
  hits: [record: number, line: number][]
}

const CHUNK = 1 << 20
const FILTER_BITS = 20

/** Finds the lines of one range; several ranges may be searched at the same time. */
export function locate(request: LocateRequest): Located {
  const { dialect, records } = request
  const first = firstPlaces(records)
  // Two small filters pass over nearly all lines without making a text of them.
  const whole = new Uint8Array(1 << FILTER_BITS)
  const heads = new Uint8Array(1 << FILTER_BITS)
  for (const cells of first.keys()) {
    const joined = Buffer.from((JSON.parse(cells) as string[]).join(dialect.delimiter))
    whole[slot(keyOf(joined, 0, joined.length))] = 1
    heads[slot(headOf(joined, 0, joined.length))] = 1
  }
  const hits: Located['hits'] = []
  const visit: Visit = (buffer, start, end, firstQuote, line) => {
    const passed =
      firstQuote < 0
        ? whole[slot(keyOf(buffer, start, end))] === 1
        : firstQuote - start < HEAD || heads[slot(headOf(buffer, start, end))] === 1
    if (!passed) return
    const fields = splitLine(buffer, start, end, dialect)
    const record = fields && first.get(JSON.stringify(fields))
    if (record !== undefined) hits.push([record, line])
  }
  const file = openSync(request.path, 'r')
  try {
    if (request.index === undefined) return { lines: eachLine(file, request, 0, visit), hits }
    const { fingerprints, offsets } = request.index
    for (const [from, to] of blocksToRead(fingerprints, (head) => heads[slot(head)] === 1)) {
      const range = { ...request, from: offsets[from] ?? 0, to: offsets[to] ?? request.to }
      eachLine(file, range, from * BLOCK, visit)
    }
    return { lines: fingerprints.length, hits }
  } finally {
    closeSync(file)
  }
}

/** The blocks, as ranges, that hold a line of which the fingerprint is sought or says nothing. */
function* blocksToRead(fingerprints: Uint32Array, isSought: (head: number) => boolean): Iterable<[number, number]> {
  const blocks = Math.ceil(fingerprints.length / BLOCK)
  let from: number | undefined
  for (let block = 0; block < blocks; block++) {
    const end = Math.min(fingerprints.length, (block + 1) * BLOCK)
    let wanted = false
    for (let line = block * BLOCK; line < end && !wanted; line++) {
      const head = fingerprints[line] as number
      wanted = head === 0 || isSought(head)
    }
    if (wanted) from ??= block
    else if (from !== undefined) {
      yield [from, block]
      from = undefined
    }
  }
  if (from !== undefined) yield [from, blocks]
}

/** The first place of each record in the list; an empty field and a null are the same text in a file. */
function firstPlaces(records: string[]): Map<string, number> {
  const first = new Map<string, number>()
  records.forEach((cells, place) => {
    const key = textOf(cells)
    if (!first.has(key)) first.set(key, place)
  })
  return first
}

function textOf(cells: string): string {
  // Nearly all records have no null, and are their own text.
  if (!cells.includes('null')) return cells
  return JSON.stringify((JSON.parse(cells) as (string | null)[]).map((text) => text ?? ''))
}

/**
 * Row numbers in the order of `records`, from the ranges of a file in their order; undefined when not every record was found
 * exactly as often as it was asked for (then the caller must number the file). Equal records are interchangeable, so their rows are too.
 */
export function rowsOf(records: string[], ranges: Located[]): number[] | undefined {
  const first = firstPlaces(records)
  const waiting = new Map<number, number[]>()
  records.forEach((cells, place) => {
    const at = first.get(textOf(cells)) ?? place
    const list = waiting.get(at)
    if (list) list.push(place)
    else waiting.set(at, [place])
  })
  const rows = new Array<number>(records.length).fill(0)
  let before = 0
  let found = 0
  for (const { lines, hits } of ranges) {
    for (const [record, line] of hits) {
      const place = waiting.get(record)?.shift()
      if (place === undefined) return undefined
      rows[place] = before + line
      found++
    }
    before += lines
  }
  return found === records.length ? rows : undefined
}

type Visit = (buffer: Buffer, start: number, end: number, firstQuote: number, line: number) => void

/** Visits the lines that begin in the range, without their line ends, counted from `before`; gives their number. */
function eachLine(
  file: number,
  { dialect, from, to }: Pick<LocateRequest, 'dialect' | 'from' | 'to'>,
  before: number,
  visit: Visit,
): number {
  const quote = dialect.quote.charCodeAt(0)
  let buffer = Buffer.allocUnsafe(Math.min(CHUNK, to - from + 1))
  // One byte earlier: a line begins at `from` when a line feed stands before it.
  let offset = Math.max(0, from - 1)
  let skipping = from > 0
  let filled = 0
  let lines = 0
  for (;;) {
    const read = readSync(file, buffer, filled, buffer.length - filled, offset + filled)
    const atEnd = read === 0
    filled += read
    let pos = 0
    let nextQuote = buffer.subarray(0, filled).indexOf(quote)
    while (pos < filled) {
      let end = buffer.indexOf(10, pos)
      if (end < 0 || end >= filled) {
        if (!atEnd) break
        end = filled
      }
      if (skipping) {
        skipping = false
        pos = end + 1
        continue
      }
      if (offset + pos >= to) return lines
      if (nextQuote >= 0 && nextQuote < pos) nextQuote = buffer.indexOf(quote, pos)
      const stop = end > pos && buffer[end - 1] === 13 ? end - 1 : end
      lines++
      visit(buffer, pos, stop, nextQuote >= 0 && nextQuote < stop ? nextQuote : -1, before + lines)
      pos = end + 1
    }
    if (atEnd) return lines
    const kept = Math.max(0, filled - pos)
    if (kept === buffer.length) {
      const larger = Buffer.allocUnsafe(buffer.length * 2)
      buffer.copy(larger, 0, pos, filled)
      buffer = larger
    } else if (kept > 0) {
      buffer.copy(buffer, 0, pos, filled)
    }
    offset += pos
    filled = kept
    if (filled === 0 && offset >= to) return lines
  }
}

/** Place of a fingerprint in a filter. */
function slot(key: number): number {
  return Math.imul(key, 0x9e3779b1) >>> (32 - FILTER_BITS)
}

/** A cheap fingerprint: length, first and last bytes. Whoever passes the filter is compared in full. */
function keyOf(buffer: Buffer, start: number, end: number): number {
  let key = headOf(buffer, start, end)
  for (let i = Math.max(start, end - 4); i < end; i++) key = (Math.imul(key, 31) + (buffer[i] as number)) | 0
  return Math.imul(key, 31) + (end - start)
}
