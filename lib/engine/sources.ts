// Makes each format readable for DuckDB as one relation with the columns c0, c1 …, and `_row` where row numbers are known.

import { join } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import { identifier, literal } from '../contract/sql.ts'
import type { Input, Source } from './bind.ts'
import type { Census } from './census.ts'
import { complete, knownNames, type Matched, matchHeader, matchPositions } from './columns.ts'
import { type FoundDialect, findDialect } from './dialect.ts'
import { type Session, SqlFault } from './duck.ts'
import { Refusal } from './errors.ts'
import { normalise } from './json.ts'
import type { Opened } from './open.ts'
import { readingOf } from './reading.ts'
import type { EngineSettings, Reading } from './result.ts'
import { runTask } from './tasks.ts'

/** A file that can be scanned. */
export interface Prepared {
  source: Source
  /** SQL names of the relation's columns, in order (without `_row`). */
  columns: string[]
  reading: Reading
  warnings: string[]
  /** Records that the relation must give, as counted outside DuckDB. Undefined for the optimistic scan, which is checked after it. */
  records?: number
  /** Records that could not be split, in a file that DuckDB can read. */
  problems?: { from: string; count: number }
  /** Positions of the link columns in a repair file. */
  repair?: { upload: string; row: string }
  /** FROM clause of the same relation that reads in small steps, for a look at the first rows. */
  sample?: string
  /** Set for CSV files, for reading them again. */
  csv?: { dialect: FoundDialect; matched: Matched }
}

/** Reads the dialect and the header of a CSV file. Throws a Refusal. */
export function readCsvHead(
  plan: Plan,
  opened: Opened,
  settings: EngineSettings,
): { dialect: FoundDialect; matched: Matched } {
  const format = opened.format === 'tsv' ? 'tsv' : 'csv'
  // A repair file is Weir's own, whatever the contract says of the dataset's files; spreadsheets change its delimiter.
  const file = opened.repair ? { nullValues: [''] } : plan.settings.file
  const known = opened.repair ? [...knownNames(plan), ['_upload'], ['_row']] : knownNames(plan)
  const dialect = findDialect(opened.path, format, { decimalSeparator: '.', ...file }, known, settings.maxRecordBytes)
  if (dialect.first.length === 0 || (dialect.first.length === 1 && dialect.first[0]?.trim() === '')) {
    throw new Refusal(
      'empty_file',
      'The file holds no rows, only blank lines.',
      'Export it again and check it before you drop it.',
    )
  }
  const matched = dialect.header ? matchHeader(plan, dialect.first, opened.repair) : matchPositions(plan, dialect.first)
  return { dialect, matched }
}

/** The file as it is: DuckDB splits it, in parallel, without row numbers. */
export function csvAsIs(plan: Plan, opened: Opened, head: NonNullable<Prepared['csv']>, link: string): Prepared {
  const { dialect } = head
  const columns = dialect.first.map((_, i) => `c${i}`)
  const options = { skip: dialect.header ? 1 : 0, nulls: plan.settings.file.nullValues }
  const from = readCsv(link, columns, dialect, options)
  const sample = readCsv(link, columns, dialect, { ...options, bufferBytes: SAMPLE_BUFFER })
  return { ...describeCsv(plan, opened, head, columns, { from }), sample }
}

/** The file with a number before each record, and apart from it what could not be split. */
export async function csvNumbered(
  plan: Plan,
  opened: Opened,
  head: NonNullable<Prepared['csv']>,
  census: Census,
  settings: EngineSettings,
  work: string,
  signal?: AbortSignal,
): Promise<Prepared> {
  const { dialect } = head
  const numberedPath = join(work, 'numbered.csv')
  const problemsPath = join(work, 'problems.csv')
  const { first, detected, header, ...plain } = dialect
  const numbered = await runTask(
    'numberCsv',
    {
      path: opened.path,
      dialect: plain,
      census: { nul: census.nul, validUtf8: census.validUtf8, cr: census.cr, crlf: census.crlf },
      maxRecordBytes: settings.maxRecordBytes,
      columns: first.length,
      header,
      numbered: numberedPath,
      problems: problemsPath,
    },
    opened.size,
    signal,
  )
  // Every line end of the file must be accounted for: by a record, a blank line, the header, or inside a quoted field.
  const lineEnds = dialect.newline === 10 ? census.lf : census.cr
  const lines = lineEnds + (census.endsWithNewline ? 0 : 1)
  const accounted = numbered.records + numbered.problems + numbered.blank + (header ? 1 : 0) + numbered.innerNewlines
  if (accounted !== lines) {
    throw new Refusal(
      'count_mismatch',
      `The file has ${lines.toLocaleString('en')} lines, and only ${accounted.toLocaleString('en')} could be accounted for. Nothing was published, so that no row is lost.`,
      'Look for quotes that are opened and never closed, and for mixed line ends.',
    )
  }
  const columns = first.map((_, i) => `c${i}`)
  const standard = { delimiter: ',', quote: '"', escape: '"' }
  const from = readCsv(numberedPath, ['_row', ...columns], standard, {
    skip: 0,
    nulls: plan.settings.file.nullValues,
    longest: numbered.longest,
    ownLines: true,
    types: { _row: 'BIGINT' },
  })
  const prepared = describeCsv(plan, opened, head, columns, { from, row: '_row' })
  prepared.records = numbered.records
  if (numbered.problems > 0) {
    prepared.problems = {
      from: readProblems(problemsPath, columns, numbered.longest),
      count: numbered.problems,
    }
  }
  return prepared
}

function readProblems(path: string, columns: string[], longest: number): string {
  const standard = { delimiter: ',', quote: '"', escape: '"' }
  return readCsv(path, ['_row', '_rule', '_message', '_raw', ...columns], standard, {
    skip: 0,
    quotedNulls: false,
    nulls: [''],
    longest: longest * 2 + 4096,
    ownLines: true,
    types: { _row: 'BIGINT' },
  })
}

interface CsvOptions {
  skip: number
  /** Texts that mean null; the reader itself handles the empty one. */
  nulls: string[]
  quotedNulls?: boolean
  longest?: number
  bufferBytes?: number
  types?: Record<string, string>
  /** Set for files that Weir wrote: without it, a line break inside quotes may be taken for the file's own kind. */
  ownLines?: boolean
}

const DEFAULT_LONGEST = 2_000_000
const BUFFER = 16 << 20
const SAMPLE_BUFFER = 4 << 20

function readCsv(
  path: string,
  columns: string[],
  dialect: { delimiter: string; quote: string; escape: string },
  options: CsvOptions,
): string {
  const types = columns.map((name) => `${literal(name)}: ${literal(options.types?.[name] ?? 'VARCHAR')}`)
  const longest = options.longest ?? 0
  const settings = [
    literal(path),
    `columns = {${types.join(', ')}}`,
    'auto_detect = false',
    'header = false',
    `skip = ${options.skip}`,
    `delim = ${literal(dialect.delimiter)}`,
    `quote = ${literal(dialect.quote)}`,
    `escape = ${literal(dialect.escape)}`,
    'strict_mode = true',
    // A text that no field holds, where the empty text is a value of its own.
    `nullstr = ${options.nulls.includes('') ? "''" : literal('\u0001weir: no null\u0001')}`,
    `allow_quoted_nulls = ${options.quotedNulls ?? true}`,
    ...(options.ownLines ? ["new_line = '\\n'"] : []),
    // A thread holds a few buffers; these keep memory low and all threads busy.
    `max_line_size = ${Math.max(DEFAULT_LONGEST, longest + 1024)}`,
    `buffer_size = ${Math.max(options.bufferBytes ?? BUFFER, (longest + 1024) * 2)}`,
  ]
  return `read_csv(${settings.join(', ')})`
}

function describeCsv(
  plan: Plan,
  opened: Opened,
  head: NonNullable<Prepared['csv']>,
  columns: string[],
  relation: { from: string; row?: string },
): Prepared {
  const { dialect, matched } = head
  const column = (position: number): string => (opened.repair ? withoutGuard(`c${position}`) : `c${position}`)
  const inputs = matched.positions.map((position): Input | undefined =>
    position === undefined ? undefined : { text: withNulls(column(position), plan.settings.file.nullValues, true) },
  )
  const own = new Set(
    matched.repair === undefined
      ? []
      : dialect.first.flatMap((n, i) => (/^_(upload|row|errors|raw)$/.test(normalise(n)) ? [i] : [])),
  )
  const nameOf = new Map<number, string>()
  matched.positions.forEach((position, i) => {
    if (position !== undefined) nameOf.set(position, plan.columns[i]?.name ?? '')
  })
  for (const { position, name } of matched.extra) nameOf.set(position, name)
  const source: Source = {
    ...relation,
    inputs,
    texts: columns.flatMap((_, i) =>
      own.has(i) ? [] : [{ name: nameOf.get(i) ?? `column ${i + 1}`, sql: column(i) }],
    ),
  }
  if (matched.extra.length > 0)
    source.extra = jsonObject(matched.extra.map((e) => ({ name: e.name, sql: column(e.position) })))
  return {
    source,
    columns,
    csv: head,
    warnings: extraWarning(
      plan,
      matched.extra.map((e) => e.name),
    ),
    reading: readingOf(opened, matched, dialect),
    ...(matched.repair === undefined
      ? {}
      : { repair: { upload: `c${matched.repair.upload}`, row: `c${matched.repair.row}` } }),
  }
}

function extraWarning(plan: Plan, extra: string[]): string[] {
  if (extra.length === 0 || plan.settings.extraColumns !== 'warn') return []
  const names = extra.slice(0, 20).map((name) => `"${name.slice(0, 60)}"`)
  return [
    `Not taken in, because the contract does not know ${extra.length === 1 ? 'it' : 'them'}: ${names.join(', ')}${extra.length > 20 ? ' …' : ''}.`,
  ]
}

/** SQL of a JSON object as text. */
export function jsonObject(fields: { name: string; sql: string }[]): string {
  return `CAST(json_object(${fields.map((f) => `${literal(f.name)}, ${f.sql}`).join(', ')}) AS VARCHAR)`
}

/** The text with the contract's null values as NULL. `emptyDone`: the reader gives NULL for the empty text already. */
function withNulls(sql: string, nullValues: string[], emptyDone: boolean): string {
  const others = nullValues.filter((text) => !(emptyDone && text === ''))
  return others.length === 0 ? sql : `CASE WHEN ${sql} IN (${others.map(literal).join(', ')}) THEN NULL ELSE ${sql} END`
}

/** A repair file's text without the apostrophe that keeps spreadsheets from running it as a formula. */
function withoutGuard(sql: string): string {
  return `CASE WHEN regexp_matches(${sql}, '^''+[=+\\-@\\t\\r]') THEN substr(${sql}, 2) ELSE ${sql} END`
}

/** JSON of any layout, as a numbered file. Throws a Refusal. */
export async function jsonNumbered(
  plan: Plan,
  opened: Opened,
  settings: EngineSettings,
  work: string,
  signal?: AbortSignal,
): Promise<Prepared> {
  const numberedPath = join(work, 'numbered.csv')
  const problemsPath = join(work, 'problems.csv')
  const numbered = await runTask(
    'numberJson',
    {
      path: opened.path,
      layout: opened.format === 'ndjson' ? 'lines' : 'stream',
      maxRecordBytes: settings.maxRecordBytes,
      columns: plan.columns.map((column) => ({
        names: [column.name, ...column.aliases, ...[column.name, ...column.aliases].map(normalise)],
        nested: column.nested,
        label: column.name,
      })),
      numbered: numberedPath,
      problems: problemsPath,
    },
    opened.size,
    signal,
  )
  const extra = numbered.extra.map((name, position) => ({ name, position }))
  const positions = plan.columns.map((_, i) => ((numbered.present[i] ?? 0) > 0 ? i : undefined))
  // Without one readable record nothing can be said of columns; the records themselves tell what is wrong.
  const matched =
    numbered.records === 0 ? { positions, extra, missing: [] } : complete(plan, positions, extra, numbered.extra)
  const columns = [...plan.columns.map((_, i) => `c${i}`), `c${plan.columns.length}`]
  const from = readCsv(
    numberedPath,
    ['_row', ...columns],
    { delimiter: ',', quote: '"', escape: '"' },
    {
      skip: 0,
      nulls: [''],
      quotedNulls: false,
      longest: numbered.longest * 2,
      ownLines: true,
      types: { _row: 'BIGINT' },
    },
  )
  const extraSql = `c${plan.columns.length}`
  return {
    source: {
      from,
      row: '_row',
      inputs: matched.positions.map((position, i) =>
        position === undefined
          ? undefined
          : {
              text: withNulls(`c${position}`, plan.settings.file.nullValues, false),
              written: NUMERIC.test(plan.columns[i]?.sqlType ?? ''),
            },
      ),
      extra: extraSql,
      texts: [
        ...plan.columns.map((column, i) => ({ name: column.name, sql: `c${i}` })),
        ...(extra.length > 0 ? [{ name: '_extra', sql: extraSql }] : []),
      ],
    },
    columns,
    records: numbered.records,
    ...(numbered.problems > 0
      ? { problems: { from: readProblems(problemsPath, columns, numbered.longest * 2), count: numbered.problems } }
      : {}),
    warnings: extraWarning(plan, numbered.extra),
    reading: readingOf(opened, { extra, missing: matched.missing }),
  }
}

/** Columns whose values JSON gives as numbers. */
const NUMERIC = /^(BIGINT|INTEGER|SMALLINT|DOUBLE|FLOAT|DECIMAL)/

/** DuckDB's types that hold other values. */
const NESTED = /^(STRUCT|MAP|UNION)|\[\d*\]$/

/** Types that DuckDB holds without loss in the type on the left. */
const WIDER: Record<string, RegExp> = {
  BIGINT: /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER)$/,
  INTEGER: /^(TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT)$/,
  SMALLINT: /^(TINYINT|SMALLINT|UTINYINT)$/,
  DOUBLE: /^(FLOAT|DOUBLE|TINYINT|SMALLINT|INTEGER|UTINYINT|USMALLINT|UINTEGER)$/,
  FLOAT: /^FLOAT$/,
  TIMESTAMP: /^(TIMESTAMP|TIMESTAMP_S|TIMESTAMP_MS)$/,
  DATE: /^DATE$/,
  BOOLEAN: /^BOOLEAN$/,
}

/** Parquet, by the columns' own types where they fit. Throws a Refusal. */
export async function parquet(plan: Plan, opened: Opened, session: Session, link: string): Promise<Prepared> {
  const path = literal(link)
  let described: [string, string][]
  let records: number
  try {
    described = await session.rows<[string, string]>(
      `SELECT column_name, column_type FROM (DESCRIBE SELECT * FROM read_parquet(${path}))`,
    )
    const counted = await session.rows<[string | number]>(`SELECT sum(num_rows) FROM parquet_file_metadata(${path})`)
    records = Number(counted[0]?.[0] ?? 0)
  } catch (error) {
    if (error instanceof SqlFault && error.kind === 'data') {
      throw new Refusal(
        'broken_parquet',
        `The Parquet file cannot be read: ${withoutPaths(error.message)}.`,
        'Write it again; a file that was cut off often looks like this.',
      )
    }
    throw error
  }
  const matched = matchHeader(
    plan,
    described.map(([name]) => name),
    false,
  )
  const columns = described.map((_, i) => `c${i}`)
  const list = described.map(([name], i) => `${identifier(name)} AS c${i}`)
  const text = (i: number): string => {
    const type = described[i]?.[1] ?? ''
    if (NESTED.test(type)) return `CAST(to_json(c${i}) AS VARCHAR)`
    return `CAST(c${i} AS VARCHAR)`
  }
  const inputs = matched.positions.map((position, i): Input | undefined => {
    const column = plan.columns[i]
    if (position === undefined || column === undefined) return undefined
    const type = described[position]?.[1] ?? ''
    const name = `c${position}`
    if (type === 'VARCHAR') return { text: withNulls(name, plan.settings.file.nullValues, false) }
    if (NESTED.test(type) !== column.nested) {
      throw new Refusal(
        'wrong_type',
        `The column ${column.name} is ${type} in the file, and the contract says ${column.typeInWords}.`,
        'Write the column as the contract says, or describe it as an object or array in the contract.',
      )
    }
    if (type === 'BLOB') {
      throw new Refusal(
        'wrong_type',
        `The column ${column.name} holds binary data, which no type of a contract stands for.`,
        'Write it as text.',
      )
    }
    if (type === column.sqlType || WIDER[column.sqlType]?.test(type))
      return { text: text(position), typed: `CAST(${name} AS ${column.sqlType})` }
    if (column.sqlType === 'TIMESTAMP' && type === 'TIMESTAMP WITH TIME ZONE')
      return { text: text(position), typed: `(${name} AT TIME ZONE 'UTC')` }
    if (column.sqlType === 'TIMESTAMP' && type === 'DATE')
      return { text: text(position), typed: `CAST(${name} AS TIMESTAMP)` }
    if (column.sqlType === 'DATE' && /^TIMESTAMP(_S|_MS)?$/.test(type)) {
      // A moment within the day would be lost: then the text is shown as what it is, not a date.
      return {
        text: `CASE WHEN CAST(CAST(${name} AS DATE) AS TIMESTAMP) = ${name} THEN CAST(CAST(${name} AS DATE) AS VARCHAR) ELSE ${text(position)} END`,
        written: true,
      }
    }
    return { text: text(position), written: true }
  })
  return {
    source: {
      from: `(SELECT file_row_number + 1 AS _row, ${list.join(', ')} FROM read_parquet(${path}, file_row_number = true))`,
      row: '_row',
      inputs,
      texts: described.map(([name], i) => ({
        name: plan.columns[matched.positions.indexOf(i)]?.name ?? name,
        sql: text(i),
      })),
      ...(matched.extra.length > 0
        ? { extra: jsonObject(matched.extra.map((e) => ({ name: e.name, sql: `to_json(c${e.position})` }))) }
        : {}),
    },
    columns,
    records,
    warnings: extraWarning(
      plan,
      matched.extra.map((e) => e.name),
    ),
    reading: readingOf(opened, matched),
  }
}

/** DuckDB names the file by the path of our temporary link, which tells the reader nothing and changes each time. */
function withoutPaths(message: string): string {
  return message.replace(/(?: (?:of|in|for))? file ['"][^'"]*['"]/g, '').replace(/^Invalid Input Error: /, '')
}
