// A first look at a file that no contract describes yet: how it is written, its columns, and sample rows as text.

import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { identifier, literal } from '../contract/sql.ts'
import { findDialect } from './dialect.ts'
import { ENGINE_DEFAULTS } from './engine.ts'
import { Refusal } from './errors.ts'
import { type Opened, openSource } from './open.ts'
import { readingOf } from './reading.ts'
import { fieldsOf, scanRecords } from './records.ts'
import type { Reading } from './result.ts'
import { runTask } from './tasks.ts'

export interface Sniffed {
  reading: Reading
  columns: string[]
  /** Sample rows, in the order of the file; null where the file has nothing. */
  rows: (string | null)[][]
  /** True when the sample is the whole file. */
  complete: boolean
  /** Parquet: each column's own type. */
  types?: string[]
}

const SAMPLE_ROWS = 10_000
const NO_SETTINGS = { nullValues: [''], decimalSeparator: '.' as const }

/** Reads up to `sampleRows` rows. Throws a Refusal for a file that cannot be read at all. */
export async function sniffFile(
  path: string,
  fileName: string,
  { sampleRows = SAMPLE_ROWS, scratch = tmpdir() }: { sampleRows?: number; scratch?: string } = {},
): Promise<Sniffed> {
  await mkdir(scratch, { recursive: true })
  const work = await mkdtemp(join(scratch, 'weir-sniff-'))
  try {
    const opened = await openSource(path, fileName, NO_SETTINGS, ENGINE_DEFAULTS, work)
    if (opened.format === 'parquet') return await sniffParquet(opened, sampleRows)
    if (opened.format === 'json' || opened.format === 'ndjson') return await sniffJson(opened, sampleRows, work)
    return sniffCsv(opened, sampleRows)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function sniffCsv(opened: Opened, sampleRows: number): Sniffed {
  const format = opened.format === 'tsv' ? 'tsv' : 'csv'
  const { maxRecordBytes } = ENGINE_DEFAULTS
  const dialect = findDialect(opened.path, format, NO_SETTINGS, [], maxRecordBytes)
  const rows: (string | null)[][] = []
  let complete = true
  scanRecords(opened.path, dialect, { nul: false, invalidUtf8: true, strayCr: false }, maxRecordBytes, (record) => {
    if (record.row === 1 || record.problem !== undefined) return true
    const fields = fieldsOf(record, dialect)
    // Ragged records say nothing about columns; checking the file will name them.
    if (fields.length !== dialect.first.length) return true
    if (rows.length === sampleRows) {
      complete = false
      return false
    }
    rows.push(fields.map((text) => (text === '' ? null : text)))
    return true
  })
  return {
    columns: dialect.first.map((name) => name.trim()),
    rows,
    complete,
    reading: readingOf(opened, undefined, dialect),
  }
}

async function sniffJson(opened: Opened, sampleRows: number, work: string): Promise<Sniffed> {
  const numbered = join(work, 'numbered.csv')
  const request = {
    path: opened.path,
    layout: opened.format === 'ndjson' ? ('lines' as const) : ('stream' as const),
    maxRecordBytes: ENGINE_DEFAULTS.maxRecordBytes,
    numbered,
    problems: join(work, 'problems.csv'),
  }
  // The first pass learns the keys, the second one lays the values out under them.
  const keys = await runTask('numberJson', { ...request, columns: [] }, opened.size)
  const columns = keys.extra
  await runTask(
    'numberJson',
    { ...request, columns: columns.map((label) => ({ names: [label], nested: true, label })) },
    opened.size,
  )
  const dialect = { delimiter: ',', quote: '"', escape: '"', newline: 10 as const }
  const rows: (string | null)[][] = []
  let complete = true
  scanRecords(numbered, dialect, { nul: false, invalidUtf8: false, strayCr: false }, 1 << 30, (record) => {
    if (rows.length === sampleRows) {
      complete = false
      return false
    }
    // With every column nested, texts stand in JSON's quotes; everything else is as written.
    rows.push(
      fieldsOf(record, dialect)
        .slice(1, columns.length + 1)
        .map((text) => (text === '' ? null : text.startsWith('"') ? (JSON.parse(text) as string) : text)),
    )
    return true
  })
  return {
    columns,
    rows,
    complete,
    reading: readingOf(opened),
  }
}

async function sniffParquet(opened: Opened, sampleRows: number): Promise<Sniffed> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const path = literal(opened.path.replaceAll(/[*?[\]]/g, (c) => `[${c}]`))
    const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM read_parquet(${path})`)).getRowsJson()
    const list = described.map(([name]) => `CAST(${identifier(String(name))} AS VARCHAR)`)
    const reader = await connection.runAndReadAll(
      `SELECT ${list.join(', ')} FROM read_parquet(${path}) LIMIT ${sampleRows + 1}`,
    )
    const rows = reader.getRowsJson() as (string | null)[][]
    return {
      columns: described.map(([name]) => String(name)),
      types: described.map(([, type]) => String(type)),
      rows: rows.slice(0, sampleRows),
      complete: rows.length <= sampleRows,
      reading: readingOf(opened),
    }
  } catch (error) {
    throw new Refusal(
      'broken_parquet',
      `The Parquet file cannot be read: ${(error as Error).message.split('\n')[0]}`,
      'Write it again.',
    )
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
