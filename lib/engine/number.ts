// Writes a copy of a file in which each record carries its row number, so that DuckDB can read it in parallel and still
// say which row is which. What cannot be split into the file's columns goes to a second file, with its original text.

import { closeSync, openSync, writeSync } from 'node:fs'
import type { Census } from './census.ts'
import { Refusal } from './errors.ts'
import { type Dialect, fieldsOf, type RecordView, scanRecords } from './records.ts'

export interface NumberRequest {
  path: string
  dialect: Dialect
  census: Pick<Census, 'nul' | 'validUtf8' | 'cr' | 'crlf'>
  maxRecordBytes: number
  /** Number of columns that each record must have. */
  columns: number
  header: boolean
  /** Output: row number and fields, comma separated, double quotes, line feeds. */
  numbered: string
  /** Output: row number, rule, message, original text, fields; same dialect. Not null: every field is quoted. */
  problems: string
}

export interface Numbered {
  /** Records written to `numbered` and to `problems`. */
  records: number
  problems: number
  /** Lines of the file by what they were; together they are all line ends of the file. */
  blank: number
  innerNewlines: number
  rows: number
  /** Bytes of the longest record written. */
  longest: number
}

/** Above this the file as a whole is not what it should be, and nobody mends it row by row. */
const MOST_PROBLEMS = 1_000_000

const COMMA = 0x2c

/** Appends bytes and texts to a file through one fixed buffer. */
export class FileWriter {
  #file: number
  #buffer = Buffer.allocUnsafe(1 << 20)
  #filled = 0
  constructor(path: string) {
    this.#file = openSync(path, 'w')
  }
  bytes(source: Buffer, start: number, end: number): void {
    if (end - start > this.#buffer.length - this.#filled) this.flush()
    if (end - start > this.#buffer.length) {
      writeSync(this.#file, source, start, end - start)
      return
    }
    source.copy(this.#buffer, this.#filled, start, end)
    this.#filled += end - start
  }
  text(text: string): void {
    if (text.length * 3 > this.#buffer.length - this.#filled) this.flush()
    if (text.length * 3 > this.#buffer.length) {
      writeSync(this.#file, text)
      return
    }
    this.#filled += this.#buffer.write(text, this.#filled, 'utf8')
  }
  flush(): void {
    if (this.#filled > 0) writeSync(this.#file, this.#buffer, 0, this.#filled)
    this.#filled = 0
  }
  close(): void {
    try {
      this.flush()
    } finally {
      closeSync(this.#file)
    }
  }
}

/** One field of the numbered file: null is nothing at all, every other text is quoted. */
export function csvField(text: string | null): string {
  return text === null ? '' : text.includes('"') ? `"${text.replaceAll('"', '""')}"` : `"${text}"`
}

/** Numbers a CSV file. Throws a Refusal for a record that is too long. */
export function numberCsv(request: NumberRequest): Numbered {
  const { dialect, census } = request
  const delimiter = dialect.delimiter.charCodeAt(0)
  const numbered = new FileWriter(request.numbered)
  const problems = new FileWriter(request.problems)
  const result: Numbered = { records: 0, problems: 0, blank: 0, innerNewlines: 0, rows: 0, longest: 0 }
  // Raw bytes may be copied only where they mean the same in the output's dialect.
  const copyable = delimiter === COMMA && dialect.quote === '"'
  try {
    const totals = scanRecords(
      request.path,
      dialect,
      { nul: census.nul, invalidUtf8: !census.validUtf8, strayCr: census.cr !== census.crlf && dialect.newline === 10 },
      request.maxRecordBytes,
      (record) => {
        if (request.header && record.row === 1) return
        if (record.end - record.start > result.longest) result.longest = record.end - record.start
        let problem = record.problem
        if (problem === undefined) {
          const simple = record.fields === undefined
          const count = simple ? countFields(record, delimiter) : (record.fields?.length ?? 0)
          if (count === request.columns) {
            result.records++
            numbered.text(`${record.row}`)
            if (simple && copyable) {
              numbered.text(',')
              numbered.bytes(record.buffer, record.start, record.end)
            } else {
              for (const field of fieldsOf(record, dialect)) numbered.text(field === '' ? ',' : `,${csvField(field)}`)
            }
            numbered.text('\n')
            return
          }
          problem = {
            rule: 'ragged',
            message: `Has ${count} ${count === 1 ? 'field' : 'fields'} where the file has ${request.columns} columns.`,
          }
        }
        if (++result.problems > MOST_PROBLEMS) {
          throw new Refusal(
            'too_many_problems',
            `More than ${MOST_PROBLEMS.toLocaleString('en')} records cannot be split into the file's ${request.columns} columns; at row ${record.row}: ${problem.message}`,
            'Look at the delimiter and at quotes that are never closed. The file stays in landing as it was dropped.',
          )
        }
        const fields = problem.rule === 'ragged' ? fieldsOf(record, dialect) : []
        const raw = rawText(record.buffer.subarray(record.start, record.end))
        const cells = Array.from({ length: request.columns }, (_, i) => csvField(fields[i] ?? null))
        problems.text(
          `${[csvField(String(record.row)), csvField(problem.rule), csvField(problem.message), csvField(raw), ...cells].join(',')}\n`,
        )
        return
      },
    )
    result.blank = totals.blank
    result.innerNewlines = totals.innerNewlines
    result.rows = totals.rows
    return result
  } finally {
    numbered.close()
    problems.close()
  }
}

function countFields(record: RecordView, delimiter: number): number {
  const { buffer, end } = record
  let count = 1
  for (let i = record.start; i < end; i++) if (buffer[i] === delimiter) count++
  return count
}

/** Original text of a record that could not be read: as UTF-8, or byte by byte where it is not; NUL made visible. */
export function rawText(bytes: Buffer): string {
  const text = bytes.toString('utf8')
  return (text.includes('\ufffd') ? bytes.toString('latin1') : text).replaceAll('\0', '\u2400')
}
