// Splits CSV bytes into records, exactly and in bounded memory. DuckDB reads clean files; this reads what must be counted,
// numbered or explained. A record that breaks the quoting rules is its first line, and reading goes on at the next one.

import { isUtf8 } from 'node:buffer'
import { closeSync, openSync, readSync } from 'node:fs'
import { Refusal } from './errors.ts'

export interface Dialect {
  delimiter: string
  quote: string
  escape: string
  /** Byte that ends a line: line feed (a carriage return before it belongs to it), or carriage return in files without line feeds. */
  newline: 10 | 13
}

/** What the census says must be looked for in each record; all false for a clean file. */
export interface Suspicions {
  nul: boolean
  invalidUtf8: boolean
  /** Carriage returns that do not belong to a line end. */
  strayCr: boolean
}

/** One record as the visitor sees it. The object is reused: copy what must last. */
export interface RecordView {
  /** As a spreadsheet counts: the first line is row 1, blank lines count, a quoted line break does not. */
  row: number
  buffer: Buffer
  start: number
  /** Exclusive; the line end is not part of the record. */
  end: number
  /** Texts of the fields, when the record holds a quote; simple records are left to the visitor. */
  fields: string[] | undefined
  /** Set when the record cannot be split: then [start, end) is its first line. */
  problem: { rule: string; message: string } | undefined
}

export interface ScanTotals {
  rows: number
  blank: number
  /** Line ends inside quoted fields. */
  innerNewlines: number
}

const FIRST_CHUNK = 1 << 20
/** A quoted field that runs on for longer than this was never meant to be one. */
const LONGEST_QUOTED = 1 << 20

/** Visits every record but blank lines. Throws a Refusal for a record longer than `maxRecordBytes`. */
export function scanRecords(
  path: string,
  dialect: Dialect,
  suspicions: Suspicions,
  maxRecordBytes: number,
  visit: (record: RecordView) => boolean | undefined,
): ScanTotals {
  const quote = dialect.quote.charCodeAt(0)
  const newline = dialect.newline
  const totals: ScanTotals = { rows: 0, blank: 0, innerNewlines: 0 }
  const view: RecordView = {
    row: 0,
    buffer: Buffer.allocUnsafe(FIRST_CHUNK),
    start: 0,
    end: 0,
    fields: undefined,
    problem: undefined,
  }
  const file = openSync(path, 'r')
  try {
    let filled = 0
    let atEnd = false
    let pos = 0
    let first = true
    const fill = (): void => {
      const kept = filled - pos
      if (kept > maxRecordBytes) {
        throw new Refusal(
          'record_too_long',
          `Row ${totals.rows + 1} is longer than ${maxRecordBytes.toLocaleString('en')} bytes, the longest record that is read.`,
          'Check that the file has line breaks and that every quote is closed.',
        )
      }
      if (kept * 2 > view.buffer.length) {
        const larger = Buffer.allocUnsafe(view.buffer.length * 2)
        view.buffer.copy(larger, 0, pos, filled)
        view.buffer = larger
      } else {
        view.buffer.copy(view.buffer, 0, pos, filled)
      }
      filled = kept
      pos = 0
      const read = readSync(file, view.buffer, filled, view.buffer.length - filled, null)
      if (read === 0) atEnd = true
      filled += read
    }
    fill()
    let nextQuote = -2 // position of the next quote at or after pos; -2: not looked for since the last fill
    for (;;) {
      if (first && (filled >= 3 || atEnd)) {
        first = false
        if (view.buffer[0] === 0xef && view.buffer[1] === 0xbb && view.buffer[2] === 0xbf) pos = 3
      }
      if (pos >= filled) {
        if (atEnd) break
        fill()
        nextQuote = -2
        continue
      }
      const buffer = view.buffer
      let end = buffer.indexOf(newline, pos)
      if (end < 0 || end >= filled) {
        if (!atEnd) {
          fill()
          nextQuote = -2
          continue
        }
        end = filled
      }
      if (nextQuote !== -1 && nextQuote < pos) {
        nextQuote = buffer.indexOf(quote, pos)
        if (nextQuote >= filled) nextQuote = -1
      }
      view.row = totals.rows + 1
      view.start = pos
      view.fields = undefined
      view.problem = undefined
      let next = end + 1
      let stop = newline === 10 && end > pos && buffer[end - 1] === 13 ? end - 1 : end
      if (nextQuote >= 0 && nextQuote < end) {
        const parsed = parseQuoted(buffer, pos, filled, atEnd, dialect)
        if (parsed.state === 'more' && !atEnd && filled - pos < LONGEST_QUOTED) {
          fill()
          nextQuote = -2
          continue
        }
        if (parsed.state === 'ok') {
          next = parsed.end + 1
          stop = parsed.stop
          view.fields = parsed.fields
          totals.innerNewlines += parsed.innerNewlines
        } else {
          view.problem = {
            rule: 'unparsable',
            message:
              parsed.state === 'more'
                ? 'A quote is opened and never closed.'
                : 'Text stands after a closing quote; quotes inside a quoted field must be doubled.',
          }
        }
      }
      pos = next
      totals.rows++
      if (stop === view.start && view.problem === undefined) {
        totals.blank++
        continue
      }
      view.end = stop
      if (view.problem === undefined) view.problem = findProblem(buffer, view.start, stop, suspicions, view.fields)
      if (visit(view) === false) break
    }
    return totals
  } finally {
    closeSync(file)
  }
}

function findProblem(
  buffer: Buffer,
  start: number,
  end: number,
  suspicions: Suspicions,
  fields: string[] | undefined,
): RecordView['problem'] {
  if (!suspicions.nul && !suspicions.invalidUtf8 && !suspicions.strayCr) return undefined
  const bytes = buffer.subarray(start, end)
  if (suspicions.invalidUtf8 && !isUtf8(bytes)) {
    return {
      rule: 'encoding',
      message:
        'Holds bytes that are not UTF-8. If the file is in another encoding, the contract can say so (file.encoding).',
    }
  }
  if (suspicions.nul && bytes.includes(0)) return { rule: 'unparsable', message: 'Holds a NUL character.' }
  if (suspicions.strayCr && fields === undefined && bytes.includes(13)) {
    return { rule: 'unparsable', message: 'Holds a carriage return that does not end a line.' }
  }
  return undefined
}

type Parsed =
  | { state: 'ok'; end: number; stop: number; fields: string[]; innerNewlines: number }
  | { state: 'more' }
  | { state: 'bad' }

/** Reads one record that holds a quote. A quote inside an unquoted field is text; spaces after a closing quote are dropped. */
function parseQuoted(buffer: Buffer, start: number, filled: number, atEnd: boolean, dialect: Dialect): Parsed {
  const quote = dialect.quote.charCodeAt(0)
  const escaping = dialect.escape.charCodeAt(0)
  const delimiter = dialect.delimiter.charCodeAt(0)
  const { newline } = dialect
  const fields: string[] = []
  let innerNewlines = 0
  let pos = start
  for (;;) {
    if (buffer[pos] === quote && pos < filled) {
      let text = ''
      let from = pos + 1
      pos = from
      for (;;) {
        if (pos >= filled) return { state: 'more' }
        const byte = buffer[pos]
        if (byte === escaping && escaping !== quote) {
          if (pos + 1 >= filled) return { state: 'more' }
          text += buffer.toString('utf8', from, pos)
          from = pos + 1
          pos += 2
        } else if (byte === quote) {
          // At the end of what was read so far only the next byte tells whether the quote is doubled.
          if (pos + 1 >= filled && !atEnd) return { state: 'more' }
          if (escaping === quote && buffer[pos + 1] === quote && pos + 1 < filled) {
            text += buffer.toString('utf8', from, pos + 1)
            pos += 2
            from = pos
          } else {
            break
          }
        } else {
          if (byte === newline) innerNewlines++
          pos++
        }
      }
      text += buffer.toString('utf8', from, pos)
      fields.push(text)
      pos++
      while (pos < filled && buffer[pos] === 32) pos++
    } else {
      let end = pos
      while (end < filled && buffer[end] !== delimiter && buffer[end] !== newline) end++
      const stop = newline === 10 && buffer[end] === newline && end > pos && buffer[end - 1] === 13 ? end - 1 : end
      fields.push(buffer.toString('utf8', pos, stop))
      pos = end
    }
    if (pos >= filled || (pos + 1 >= filled && buffer[pos] === 13)) {
      if (!atEnd) return { state: 'more' }
      if (pos >= filled) return { state: 'ok', end: filled, stop: filled, fields, innerNewlines }
    }
    const byte = buffer[pos]
    if (byte === delimiter) {
      pos++
    } else if (byte === newline) {
      return { state: 'ok', end: pos, stop: pos, fields, innerNewlines }
    } else if (byte === 13 && newline === 10 && buffer[pos + 1] === newline && pos + 1 < filled) {
      return { state: 'ok', end: pos + 1, stop: pos, fields, innerNewlines }
    } else {
      return { state: 'bad' }
    }
  }
}

/** The fields of a record without quotes. */
export function splitSimple(buffer: Buffer, start: number, end: number, delimiter: number): string[] {
  const fields: string[] = []
  let from = start
  for (;;) {
    const at = buffer.indexOf(delimiter, from)
    if (at < 0 || at >= end) break
    fields.push(buffer.toString('utf8', from, at))
    from = at + 1
  }
  fields.push(buffer.toString('utf8', from, end))
  return fields
}

/** The fields of any record that could be split. */
export function fieldsOf(record: RecordView, dialect: Dialect): string[] {
  return record.fields ?? splitSimple(record.buffer, record.start, record.end, dialect.delimiter.charCodeAt(0))
}

/** The fields of one line that is one record; undefined when its quotes are not in order. */
export function splitLine(buffer: Buffer, start: number, end: number, dialect: Dialect): string[] | undefined {
  const quote = buffer.indexOf(dialect.quote.charCodeAt(0), start)
  if (quote < 0 || quote >= end) return splitSimple(buffer, start, end, dialect.delimiter.charCodeAt(0))
  const parsed = parseQuoted(buffer.subarray(start, end), 0, end - start, true, dialect)
  return parsed.state === 'ok' ? parsed.fields : undefined
}
