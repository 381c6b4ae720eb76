// Finds the row numbers of records whose texts are known. DuckDB's parallel scan says what is wrong with a record but not
// where it stands; one pass over the bytes finds the place again, far cheaper than numbering every row beforehand.

import { type Dialect, fieldsOf, scanRecords } from './records.ts'

export interface LocateRequest {
  path: string
  dialect: Dialect
  maxRecordBytes: number
  header: boolean
  /** The records looked for, each as the JSON array of its field texts. */
  records: string[]
}

interface Wanted {
  /** Field texts joined by the delimiter: the record's bytes when nothing in it was quoted. */
  joined: Buffer
  fields: (string | null)[]
  /** Places in `records` that wait for a row, in the order of the list. */
  waiting: number[]
}

/**
 * Row numbers in the order of `records`; undefined when not every record was found exactly as often as it was asked for
 * (then the caller must number the file instead). Equal records are interchangeable, so their rows are too.
 */
export function locate(request: LocateRequest): number[] | undefined {
  const { dialect, records } = request
  const byKey = new Map<number, Wanted[]>()
  for (let i = 0; i < records.length; i++) {
    const fields = JSON.parse(records[i] ?? '[]') as (string | null)[]
    const joined = Buffer.from(fields.map((f) => f ?? '').join(dialect.delimiter))
    const key = keyOf(joined, 0, joined.length)
    const sameKey = byKey.get(key) ?? []
    const known = sameKey.find((w) => w.joined.equals(joined) && sameFields(w.fields, fields))
    if (known) known.waiting.push(i)
    else byKey.set(key, [...sameKey, { joined, fields, waiting: [i] }])
  }
  const rows = new Array<number>(records.length).fill(0)
  const taken = new Map<Wanted, number>()
  let found = 0
  let tooMany = false
  scanRecords(
    request.path,
    dialect,
    { nul: false, invalidUtf8: false, strayCr: false },
    request.maxRecordBytes,
    (record) => {
      if (request.header && record.row === 1) return
      let { buffer, start, end } = record
      if (record.fields !== undefined) {
        buffer = Buffer.from(record.fields.join(dialect.delimiter))
        start = 0
        end = buffer.length
      }
      const candidates = byKey.get(keyOf(buffer, start, end))
      if (candidates === undefined) return
      for (const wanted of candidates) {
        if (wanted.joined.compare(buffer, start, end) !== 0) continue
        if (!sameFields(wanted.fields, fieldsOf(record, dialect))) continue
        const n = taken.get(wanted) ?? 0
        const place = wanted.waiting[n]
        if (place === undefined) {
          tooMany = true
          return false
        }
        taken.set(wanted, n + 1)
        rows[place] = record.row
        found++
        return
      }
      return
    },
  )
  return !tooMany && found === records.length ? rows : undefined
}

/** A cheap fingerprint: length, first and last bytes. Whoever matches is compared in full. */
function keyOf(buffer: Buffer, start: number, end: number): number {
  const length = end - start
  if (length < 8) {
    let key = length
    for (let i = start; i < end; i++) key = (key * 31 + (buffer[i] ?? 0)) | 0
    return key
  }
  const head =
    ((buffer[start] ?? 0) |
      ((buffer[start + 1] ?? 0) << 8) |
      ((buffer[start + 2] ?? 0) << 16) |
      ((buffer[start + 3] ?? 0) << 24)) ^
    ((buffer[start + 4] ?? 0) << 5) ^
    ((buffer[start + 5] ?? 0) << 13) ^
    ((buffer[start + 6] ?? 0) << 21)
  const tail =
    (buffer[end - 1] ?? 0) |
    ((buffer[end - 2] ?? 0) << 8) |
    ((buffer[end - 3] ?? 0) << 16) |
    ((buffer[end - 4] ?? 0) << 24)
  return (Math.imul(head, 31) ^ Math.imul(tail, 17) ^ length) | 0
}

/** An empty field and a null are the same text in a file. */
function sameFields(a: (string | null)[], b: (string | null)[]): boolean {
  return a.length === b.length && a.every((text, i) => (text ?? '') === (b[i] ?? ''))
}
