// Finds out how a CSV file is written, from its first part and the columns that the contract expects. What two readings fit
// is refused, never guessed.

import { closeSync, openSync, readSync } from 'node:fs'
import type { FileSettings } from '../contract/plan.ts'
import { Refusal } from './errors.ts'
import { normalise } from './json.ts'
import { type Dialect, fieldsOf, scanRecords } from './records.ts'

export interface FoundDialect extends Dialect {
  header: boolean
  /** Texts of the first record: the header, or the first row. */
  first: string[]
  detected: string[]
}

const NAMES: Record<string, string> = { ',': 'comma', ';': 'semicolon', '\t': 'tab', '|': 'bar' }
const SAMPLE_BYTES = 1 << 18
const SAMPLE_RECORDS = 1000

/** The delimiters by which the file may be split, and how well each fits. */
interface Candidate {
  delimiter: string
  first: string[]
  /** Columns of the contract found in the first record. */
  matched: number
  /** Share of the sampled records with as many fields as the first one. */
  even: number
  records: number
}

/** `known`: all names and aliases of each column, normalised. Throws a Refusal. */
export function findDialect(
  path: string,
  format: 'csv' | 'tsv',
  settings: FileSettings,
  known: string[][],
  maxRecordBytes: number,
): FoundDialect {
  const detected: string[] = []
  const quote = settings.quote ?? '"'
  const escapeChar = settings.escape ?? quote
  const header = settings.header ?? true
  const newline = findNewline(path)
  const told = settings.delimiter ?? (format === 'tsv' ? '\t' : undefined)
  const base = { quote, escape: escapeChar, newline }
  const sample = (delimiter: string): Candidate => sampleWith(path, { ...base, delimiter }, known, maxRecordBytes)
  if (told !== undefined) return { ...base, delimiter: told, header, first: sample(told).first, detected }
  detected.push('delimiter')
  const candidates = Object.keys(NAMES).map(sample)
  const chosen = header ? byHeader(candidates, known.length) : byShape(candidates, known.length)
  return { ...base, delimiter: chosen.delimiter, header, first: chosen.first, detected }
}

function findNewline(path: string): 10 | 13 {
  const file = openSync(path, 'r')
  try {
    const buffer = Buffer.alloc(SAMPLE_BYTES)
    const read = readSync(file, buffer, 0, SAMPLE_BYTES, 0)
    const head = buffer.subarray(0, read)
    return head.includes(10) || !head.includes(13) ? 10 : 13
  } finally {
    closeSync(file)
  }
}

function sampleWith(path: string, dialect: Dialect, known: string[][], maxRecordBytes: number): Candidate {
  let first: string[] | undefined
  let records = 0
  let even = 0
  scanRecords(path, dialect, { nul: false, invalidUtf8: false, strayCr: false }, maxRecordBytes, (record) => {
    const fields = record.problem === undefined ? fieldsOf(record, dialect) : undefined
    if (first === undefined) {
      first = fields ?? []
      return records < SAMPLE_RECORDS
    }
    records++
    if (fields?.length === first.length) even++
    return records < SAMPLE_RECORDS && record.end < SAMPLE_BYTES
  })
  const names = new Set((first ?? []).map(normalise))
  const matched = known.filter((column) => column.some((name) => names.has(name))).length
  return {
    delimiter: dialect.delimiter,
    first: first ?? [],
    matched,
    even: records === 0 ? 1 : even / records,
    records,
  }
}

/** The header tells: the delimiter under which most columns of the contract are found. */
function byHeader(candidates: Candidate[], columns: number): Candidate {
  const most = Math.max(...candidates.map((c) => c.matched))
  const best = candidates.filter((c) => c.matched === most)
  if (best.length === 1 && best[0]) return best[0]
  return decide(best, columns)
}

function byShape(candidates: Candidate[], columns: number): Candidate {
  const fitting = candidates.filter((c) => c.first.length === columns && c.even > 0.9)
  if (fitting.length === 1 && fitting[0]) return fitting[0]
  if (fitting.length === 0) {
    const seen = candidates.filter((c) => c.first.length > 1).map((c) => `${c.first.length} by ${NAMES[c.delimiter]}`)
    throw new Refusal(
      'unknown_dialect',
      `The file has no header and its rows do not have ${columns} fields under any delimiter (${seen.join(', ') || 'one field each'}).`,
      'Give file.delimiter in the contract, or send the file with all columns in the order of the contract.',
    )
  }
  return decide(fitting, columns)
}

/** Several candidates found the same columns: the split that every row confirms wins, if there is just one. */
function decide(candidates: Candidate[], columns: number): Candidate {
  if (columns === 1 || candidates.every((c) => c.first.length <= 1)) {
    // One column: a delimiter that never splits a row. They all read the file alike, so the first one serves.
    const whole = candidates.find((c) => c.first.length === 1 && c.even === 1)
    if (whole) return whole
  }
  const splitting = candidates.filter((c) => c.first.length > 1 && c.even > 0.9)
  if (splitting.length === 1 && splitting[0]) return splitting[0]
  if (splitting.length > 1) {
    throw new Refusal(
      'ambiguous_dialect',
      `The file can be read in more than one way: ${splitting.map((c) => `${c.first.length} columns by ${NAMES[c.delimiter]}`).join(', ')}.`,
      'Give file.delimiter in the contract.',
    )
  }
  const widest = candidates.toSorted((a, b) => b.first.length - a.first.length)[0]
  if (widest === undefined)
    throw new Refusal('unknown_dialect', 'No delimiter fits the file.', 'Give file.delimiter in the contract.')
  return widest
}
