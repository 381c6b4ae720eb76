// Turns JSON (an array of objects, objects one after another, or one object a line) into the numbered file that DuckDB reads.
// Numbers keep every digit that they were written with; nested values stay JSON.

import { closeSync, openSync, readSync } from 'node:fs'
import { Refusal } from './errors.ts'
import { csvField, FileWriter, type Numbered, rawText } from './number.ts'

export interface JsonRequest {
  path: string
  /** `lines`: one object a line, a bad line costs only itself. `stream`: an array, or objects one after another. */
  layout: 'lines' | 'stream'
  maxRecordBytes: number
  /** Columns of the contract: names under which their values may stand, and whether they may be nested. */
  columns: { names: string[]; nested: boolean; label: string }[]
  /** Keys that no column has go into one more column, as a JSON object. */
  numbered: string
  problems: string
}

export interface NumberedJson extends Numbered {
  /** Keys that no column has, in the order of their coming; at most 1,000 are remembered. */
  extra: string[]
  /** For each column, in how many records its key was there at all. */
  present: number[]
}

/** Numbers a JSON file; record n is row n, in a file of lines the line n. Throws a Refusal when the file as a whole cannot be read. */
export function numberJson(request: JsonRequest): NumberedJson {
  const numbered = new FileWriter(request.numbered)
  const problems = new FileWriter(request.problems)
  const result: NumberedJson = {
    records: 0,
    problems: 0,
    blank: 0,
    innerNewlines: 0,
    rows: 0,
    longest: 0,
    extra: [],
    present: request.columns.map(() => 0),
  }
  const place = new Map<string, number>()
  request.columns.forEach((column, i) => {
    for (const name of column.names) place.set(name, i)
  })
  const extras = new Set<string>()
  const cells = new Array<string | null>(request.columns.length)
  const reject = (row: number, rule: string, message: string, raw: string): void => {
    result.problems++
    const fields = request.columns.map((_, i) => csvField(cells[i] ?? null))
    problems.text(
      `${[csvField(String(row)), csvField(rule), csvField(message), csvField(raw), ...fields, ''].join(',')}\n`,
    )
  }
  const take = (row: number, bytes: Buffer): void => {
    const text = bytes.toString('utf8')
    if (bytes.length > result.longest) result.longest = bytes.length
    cells.fill(null)
    if (text.includes('\ufffd') && !isReplacementMeant(bytes, text)) {
      reject(row, 'encoding', 'Holds bytes that are not UTF-8.', rawText(bytes))
      return
    }
    let value: unknown
    try {
      value = parseExact(text)
    } catch (error) {
      reject(row, 'unparsable', `Is not valid JSON: ${syntaxInWords(error as Error)}.`, rawText(bytes))
      return
    }
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      reject(row, 'unparsable', 'Is not a JSON object.', rawText(bytes))
      return
    }
    if (writtenMembers(bytes) !== members(value)) {
      reject(
        row,
        'unparsable',
        'Gives the same key twice in one object, and one of the values would be lost.',
        rawText(bytes),
      )
      return
    }
    let rest: Record<string, unknown> | undefined
    let problem: string | undefined
    const seen = new Set<number>()
    for (const [key, item] of Object.entries(value)) {
      const at = place.get(key) ?? place.get(normalise(key))
      if (at === undefined) {
        if (extras.size < 1000) extras.add(key)
        rest ??= {}
        rest[key] = item
        continue
      }
      if (seen.has(at)) {
        problem = `Gives the column ${request.columns[at]?.label} twice.`
        continue
      }
      seen.add(at)
      result.present[at] = (result.present[at] ?? 0) + 1
      const nested = typeof item === 'object' && item !== null && !(item instanceof ExactNumber)
      cells[at] = item === null ? null : nested || request.columns[at]?.nested ? stringifyExact(item) : scalarText(item)
      if (nested && !request.columns[at]?.nested) {
        problem = `Holds ${Array.isArray(item) ? 'a list' : 'an object'} in ${request.columns[at]?.label}, where one value is expected.`
      }
    }
    if (problem !== undefined) {
      reject(row, 'unparsable', problem, rawText(bytes))
      return
    }
    if (cells.some((cell) => cell?.includes('\0'))) {
      reject(row, 'unparsable', 'Holds a NUL character.', rawText(bytes))
      return
    }
    result.records++
    numbered.text(`${row}`)
    for (const cell of cells) numbered.text(`,${csvField(cell)}`)
    numbered.text(`,${rest === undefined ? '' : csvField(stringifyExact(rest))}\n`)
  }
  try {
    if (request.layout === 'lines') eachLine(request, result, take)
    else eachValue(request, result, take)
    result.extra = [...extras]
    return result
  } finally {
    numbered.close()
    problems.close()
  }
}

/** Members of all objects in a JSON text that parses: the colons outside its strings. */
function writtenMembers(bytes: Buffer): number {
  let count = 0
  let inString = false
  for (let i = 0; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === 0x22) inString = !inString
    else if (inString && byte === 0x5c) i++
    else if (!inString && byte === 0x3a) count++
  }
  return count
}

/** Members of a value and of all objects in it; fewer than were written when a key came twice. */
function members(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof ExactNumber) return 0
  let count = Array.isArray(value) ? 0 : Object.keys(value).length
  for (const item of Object.values(value)) count += members(item)
  return count
}

/** Header and key texts are compared without case and surrounding space. */
export function normalise(name: string): string {
  return name.trim().normalize('NFC').toLowerCase()
}

function isReplacementMeant(bytes: Buffer, text: string): boolean {
  return Buffer.from(text, 'utf8').equals(bytes)
}

/** A number as it was written, where a double would lose digits. */
class ExactNumber {
  readonly source: string
  constructor(source: string) {
    this.source = source
  }
}

const LONG_NUMBER = /[0-9.]{16}/

/** Numbers with more digits than a double holds keep their text. */
function parseExact(text: string): unknown {
  if (!LONG_NUMBER.test(text)) return JSON.parse(text)
  // TypeScript's library does not know the reviver's third parameter yet (ES2026, in Node since 21).
  const reviver = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    if (typeof value !== 'number' || context?.source === undefined) return value
    const digits = context.source
      .replace(/[eE].*$/, '')
      .replace(/\D/g, '')
      .replace(/^0+/, '')
    return digits.length > 15 ? new ExactNumber(context.source) : value
  }
  return JSON.parse(text, reviver as (key: string, value: unknown) => unknown)
}

function scalarText(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof ExactNumber) return value.source
  return String(value)
}

/** JSON text in which exact numbers are strings: every reader of nested values reads numbers from text anyway. */
function stringifyExact(value: unknown): string {
  return JSON.stringify(value, (_key, item) => (item instanceof ExactNumber ? item.source : item))
}

class Chunks {
  buffer = Buffer.allocUnsafe(1 << 20)
  filled = 0
  pos = 0
  atEnd = false
  #file: number
  #max: number
  constructor(path: string, max: number) {
    this.#file = openSync(path, 'r')
    this.#max = max
    this.fill()
    if (this.buffer.subarray(0, 3).equals(Buffer.from([0xef, 0xbb, 0xbf]))) this.pos = 3
  }
  /** Keeps what is at and after `pos` and reads on. */
  fill(row = 0): void {
    const kept = this.filled - this.pos
    if (kept > this.#max) {
      throw new Refusal(
        'record_too_long',
        `Record ${row} is longer than ${this.#max.toLocaleString('en')} bytes, the longest record that is read.`,
        'Check that the file holds a list of objects, or one object a line.',
      )
    }
    if (kept * 2 > this.buffer.length) {
      const larger = Buffer.allocUnsafe(this.buffer.length * 2)
      this.buffer.copy(larger, 0, this.pos, this.filled)
      this.buffer = larger
    } else {
      this.buffer.copy(this.buffer, 0, this.pos, this.filled)
    }
    this.filled = kept
    this.pos = 0
    const read = readSync(this.#file, this.buffer, this.filled, this.buffer.length - this.filled, null)
    this.atEnd = read === 0
    this.filled += read
  }
  close(): void {
    closeSync(this.#file)
  }
}

function eachLine(request: JsonRequest, result: NumberedJson, take: (row: number, bytes: Buffer) => void): void {
  const chunks = new Chunks(request.path, request.maxRecordBytes)
  try {
    for (;;) {
      if (chunks.pos >= chunks.filled) {
        if (chunks.atEnd) return
        chunks.fill(result.rows + 1)
        continue
      }
      let end = chunks.buffer.indexOf(10, chunks.pos)
      if (end < 0 || end >= chunks.filled) {
        if (!chunks.atEnd) {
          chunks.fill(result.rows + 1)
          continue
        }
        end = chunks.filled
      }
      const line = chunks.buffer.subarray(chunks.pos, end)
      chunks.pos = end + 1
      result.rows++
      if (isBlank(line)) result.blank++
      else take(result.rows, line)
    }
  } finally {
    chunks.close()
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (byte !== 32 && byte !== 9 && byte !== 13) return false
  return true
}

/** What JSON.parse found. Its own words quote what stands around the place, which may be a value that must not be shown. */
function syntaxInWords({ message }: Error): string {
  const [, place] = /at position (\d+)/.exec(message) ?? []
  const what = message
    .replace(/^Unexpected token .*$/s, 'Something stands where a value, a name or a closing bracket is expected')
    .replace(/^Unexpected end of JSON input$/, 'It ends too early')
    .replace(/ after JSON at position .*$/s, ' after its end')
    .replace(/(?: in JSON)? at position .*$/s, '')
  return place === undefined ? what : `${what}, at character ${Number(place) + 1}`
}

/** Splits at the outermost objects; what stands between them must be white space, and commas inside a list. */
function eachValue(request: JsonRequest, result: NumberedJson, take: (row: number, bytes: Buffer) => void): void {
  const chunks = new Chunks(request.path, request.maxRecordBytes)
  const broken = (what: string): Refusal =>
    new Refusal(
      'broken_json',
      `The file is not valid JSON: ${what} after record ${result.rows}.`,
      'Export the file again; a file that was cut off while it was written often looks like this.',
    )
  try {
    let inList = false
    let closed = false
    /** What may come next: a value, or a comma (or the end). */
    let needComma = false
    let afterComma = false
    for (;;) {
      while (chunks.pos < chunks.filled && isSpace(chunks.buffer[chunks.pos])) chunks.pos++
      if (chunks.pos >= chunks.filled) {
        if (!chunks.atEnd) {
          chunks.fill(result.rows + 1)
          continue
        }
        if (inList && !closed) throw broken('the list is not closed')
        return
      }
      const byte = chunks.buffer[chunks.pos]
      if (closed) throw broken('something follows the end of the list')
      if (!inList && result.rows === 0 && byte === 0x5b) {
        inList = true
        chunks.pos++
        continue
      }
      if (inList && byte === 0x5d) {
        if (afterComma) throw broken('a comma is followed by nothing')
        closed = true
        chunks.pos++
        continue
      }
      if (inList && byte === 0x2c) {
        if (!needComma) throw broken('a comma stands where a record should')
        needComma = false
        afterComma = true
        chunks.pos++
        continue
      }
      if (inList && needComma) throw broken('a comma is missing')
      const end = valueEnd(chunks.buffer, chunks.pos, chunks.filled)
      if (end < 0 && !chunks.atEnd) {
        chunks.fill(result.rows + 1)
        continue
      }
      if (end < 0) {
        // A number or word may end with the file; an object or a text may not.
        if (inList || byte === 0x7b || byte === 0x5b || byte === 0x22) throw broken('the file ends inside a record')
      }
      const stop = end < 0 ? chunks.filled : end
      if (stop === chunks.pos) throw broken(`"${String.fromCharCode(byte ?? 0)}" stands where a record should`)
      result.rows++
      take(result.rows, chunks.buffer.subarray(chunks.pos, stop))
      chunks.pos = stop
      needComma = inList
      afterComma = false
    }
  } finally {
    chunks.close()
  }
}

function isSpace(byte: number | undefined): boolean {
  return byte === 32 || byte === 10 || byte === 13 || byte === 9
}

/** Where the value that starts at `start` ends (exclusive); -1 when it goes on beyond what was read. */
function valueEnd(buffer: Buffer, start: number, filled: number): number {
  let depth = 0
  let pos = start
  while (pos < filled) {
    const byte = buffer[pos]
    if (byte === 0x22) {
      pos++
      for (;;) {
        const quote = buffer.indexOf(0x22, pos)
        if (quote < 0 || quote >= filled) return -1
        let slashes = 0
        while (buffer[quote - 1 - slashes] === 0x5c && quote - 1 - slashes >= pos) slashes++
        pos = quote + 1
        if (slashes % 2 === 0) break
      }
      if (depth === 0) return pos
      continue
    }
    if (byte === 0x7b || byte === 0x5b) depth++
    else if (byte === 0x7d || byte === 0x5d) {
      if (depth === 0) return pos
      depth--
      if (depth === 0) return pos + 1
    } else if (depth === 0 && (byte === 0x2c || isSpace(byte))) return pos
    pos++
  }
  return -1
}
