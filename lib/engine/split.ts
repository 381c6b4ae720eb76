// The streaming pass: good rows straight to Parquet, the others set aside in the table `rej`. Keys are looked at beforehand
// only as far as it pays: a sample first, the whole file when the sample has duplicates, the clean rows afterwards.

import { rename, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { KeyRule, Plan } from '../contract/plan.ts'
import { identifier, literal } from '../contract/sql.ts'
import { type Binding, bind, countBroken } from './bind.ts'
import type { Census } from './census.ts'
import { CAPTURE, type Session, SqlFault } from './duck.ts'
import { EngineFault, Refusal } from './errors.ts'
import type { FirstFields, LineIndex } from './line-notes.ts'
import { rowsOf } from './locate.ts'
import type { Prepared } from './sources.ts'
import { runTask } from './tasks.ts'

/** What a pass leaves: part-0 with the good rows, and the table `rej` with the others. */
export interface Split {
  binding: Binding
  /** Rows in part-0. */
  good: number
  /** Rows in `rej`. */
  aside: number
}

/** Gives the census of the file; `hurry` when it is waited for. The file is counted once. */
export type CountLines = (hurry: boolean) => Promise<Census>

export interface PassContext {
  plan: Plan
  session: Session
  upload: string
  outDir: string
  signal?: AbortSignal
}

/** Rows looked at for duplicate keys before the pass, when the file is too large to look at all of them. */
const KEY_SAMPLE = 20_000
/** Files up to this size have all their keys looked at first: cheaper than a pass too many. */
const SMALL_BYTES = 16 << 20
/** Files above this size are searched in two halves. */
const PARALLEL_BYTES = 32 << 20
/** More rows than this are not carried through JavaScript. */
const MAX_CAPTURED_ROWS = 30_000
const MAX_CAPTURED_BYTES = 48 << 20

const errorKeys = (plan: Plan): KeyRule[] => plan.keys.filter((key) => key.severity === 'error')

/** SQL of a key's value over a relation with the given column expressions; NULL when a part of it is. */
export function keySql(key: KeyRule, value: (column: string) => string): string {
  const parts = key.columns.map(value)
  if (parts.length === 1) return parts[0] ?? 'NULL'
  return `CASE WHEN ${parts.map((p) => `${p} IS NULL`).join(' OR ')} THEN NULL ELSE {${parts.map((p, i) => `'k${i}': ${p}`).join(', ')}} END`
}

/** Tables dup0 … hold the key values that come more than once; `exact` when every row was looked at. */
interface Duplicates {
  counts: number[]
  exact: boolean
}

/**
 * The keys that come more than once: all of them in a small file; in a large one all or, when a sample has none, nothing yet. All
 * keys are looked at or none: a row set aside for one key may be let in again and then meets the others.
 */
async function findDuplicates(
  context: PassContext,
  prepared: Prepared,
  binding: Binding,
  size: number,
  noted: Noted,
): Promise<Duplicates> {
  context.session.stage = [0, 0.25]
  if (size > SMALL_BYTES) {
    const from = prepared.sample ?? prepared.source.from
    const { select } = bind(context.plan, { ...prepared.source, from }, context.upload)
    const counts: number[] = []
    for (const [k, key] of errorKeys(context.plan).entries()) {
      const rows = `SELECT ${keySql(key, binding.value)} AS k FROM (${select}) LIMIT ${KEY_SAMPLE}`
      counts.push(await makeDuplicates(context, k, rows))
    }
    if (counts.every((count) => count === 0)) return { counts, exact: false }
  }
  return findAllDuplicates(context, binding, size, noted)
}

async function findAllDuplicates(
  context: PassContext,
  binding: Binding,
  size: number,
  noted: Noted,
): Promise<Duplicates> {
  const found = await noted()
  if (found !== undefined) return { counts: [await storeSuspects(context, found)], exact: true }
  const counts: number[] = []
  for (const [k, key] of errorKeys(context.plan).entries()) {
    const rows = `SELECT ${keySql(key, binding.value)} AS k FROM (${binding.select})`
    // DuckDB groups a table of numbers in a tenth of the time that a stream of them takes.
    const whole = size > SMALL_BYTES && isWholeNumber(context.plan, key)
    if (whole) await context.session.run(`CREATE OR REPLACE TEMP TABLE keys AS ${rows}`)
    counts.push(await makeDuplicates(context, k, whole ? 'SELECT k FROM keys' : rows, size > SMALL_BYTES))
    if (whole) await context.session.run('DROP TABLE keys')
  }
  return { counts, exact: true }
}

async function makeDuplicates(context: PassContext, k: number, rows: string, large = true): Promise<number> {
  const { session } = context
  // Whole numbers that lie within four million of each other need no hash table then; it costs at most 64 MB a thread.
  if (large) await session.run('SET perfect_ht_threshold = 22')
  await session.run(
    `CREATE OR REPLACE TEMP TABLE dup${k} AS SELECT k FROM (${rows}) WHERE k IS NOT NULL GROUP BY k HAVING count(*) > 1`,
  )
  if (large) await session.run('RESET perfect_ht_threshold')
  const [found] = await session.rows<[string]>(`SELECT count(*) FROM dup${k}`)
  return Number(found?.[0] ?? 0)
}

/** What the census noted of the fields that are the only key; undefined when it is of no use here. */
type Noted = () => Promise<FirstFields | undefined>

function notedKeys(plan: Plan, prepared: Prepared, census: CountLines): Noted {
  const [key, ...others] = errorKeys(plan)
  if (key === undefined || others.length > 0 || !isWholeNumber(plan, key)) return async () => undefined
  const column = plan.columns.findIndex(({ name }) => name === key.columns[0])
  if (prepared.csv?.matched.positions[column] !== 0) return async () => undefined
  return async () => (await census(true)).first
}

/**
 * Fills dup0 with the keys that may come more than once: numbers that do, and whatever other texts mean. A row that is
 * set aside without need is let in again.
 */
async function storeSuspects(context: PassContext, { repeated, others }: FirstFields): Promise<number> {
  if (repeated.length + others.length === 0) return 0
  const { plan, session } = context
  const column = plan.columns.find(({ name }) => name === errorKeys(plan)[0]?.columns[0])
  if (column === undefined) throw new EngineFault('The key is no column of the contract.')
  await session.run(`CREATE OR REPLACE TEMP TABLE dup0 (k ${column.sqlType})`)
  if (repeated.length > 0) await session.run(`INSERT INTO dup0 SELECT unnest([${repeated.join(', ')}])`)
  if (others.length > 0) {
    const texts = `(SELECT unnest([${others.map(literal).join(', ')}]) AS t)`
    await session.run(
      `INSERT INTO dup0 SELECT DISTINCT k FROM (SELECT ${column.fromText('t')} AS k FROM ${texts}) WHERE k IS NOT NULL`,
    )
  }
  const [stored] = await session.rows<[string]>('SELECT count(*) FROM dup0')
  return Number(stored?.[0] ?? 0)
}

/** Whether grouping by a key can use its range: whole numbers, of which tables and Parquet know the least and the greatest. */
function isWholeNumber(plan: Plan, key: KeyRule): boolean {
  const column = plan.columns.find((c) => c.name === key.columns[0])
  return key.columns.length === 1 && /^(BIGINT|INTEGER|SMALLINT)$/.test(column?.sqlType ?? '')
}

/** Whether the clean rows hold a key twice, when only a sample was looked at before. */
async function hasLateDuplicates(context: PassContext, part: string, noted: Noted): Promise<boolean> {
  const found = await noted()
  if (found !== undefined) return (await storeSuspects(context, found)) > 0
  for (const [k, key] of errorKeys(context.plan).entries()) {
    const rows = `SELECT ${keySql(key, identifier)} AS k FROM read_parquet(${literal(part)})`
    if ((await makeDuplicates(context, k, rows)) > 0) return true
  }
  return false
}

/** SQL integer over `binding.select`: 0 for a row that may be written. */
function brokenSql(context: PassContext, binding: Binding, duplicates: Duplicates): string {
  const conditions = binding.rules.map((rule) => rule.quick)
  errorKeys(context.plan).forEach((key, k) => {
    if ((duplicates.counts[k] ?? 0) > 0) conditions.push(`${keySql(key, binding.value)} IN (SELECT k FROM dup${k})`)
  })
  return countBroken(conditions)
}

function copySql(binding: Binding, from: string, where: string, part: string): string {
  // zstd as Athena reads it. Level 1 takes a sixth less time than the default and its files were even a little smaller;
  // a dictionary of over a thousand values costs more time than it saves space.
  return `COPY (SELECT ${binding.clean} FROM ${from} WHERE ${where}) TO ${literal(part)} (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, DICTIONARY_SIZE_LIMIT 1000)`
}

export const partPath = (outDir: string, n: number): string => join(outDir, `part-${n}.parquet`)

/** Columns of `rej`: row number, what was wrong with the record as such, its text, and the relation's own columns. */
async function createRejectTable(context: PassContext, prepared: Prepared, rows: string): Promise<number> {
  const { session } = context
  session.stage = [0.9, 1]
  await session.run(
    `CREATE OR REPLACE TEMP TABLE rej AS SELECT CAST(_row AS BIGINT) AS _row, CAST(NULL AS VARCHAR) AS _rule, CAST(NULL AS VARCHAR) AS _message, CAST(NULL AS VARCHAR) AS _raw, ${prepared.columns.join(', ')} FROM (${rows})`,
  )
  if (prepared.problems !== undefined) {
    await session.run(
      `INSERT INTO rej SELECT _row, _rule, _message, _raw, ${prepared.columns.join(', ')} FROM ${prepared.problems.from}`,
    )
  }
  const [count] = await session.rows<[string]>('SELECT count(*) FROM rej')
  return Number(count?.[0] ?? 0)
}

/** A relation with row numbers: two scans at most, the second only when rows are set aside. */
export async function splitNumbered(context: PassContext, prepared: Prepared, size: number): Promise<Split> {
  const { plan, session, upload, outDir } = context
  const binding = bind(plan, prepared.source, upload)
  const part = partPath(outDir, 0)
  const noted: Noted = async () => undefined
  let duplicates = await findDuplicates(context, prepared, binding, size, noted)
  for (;;) {
    session.stage = [0.25, 0.85]
    const broken = brokenSql(context, binding, duplicates)
    const scan = `(SELECT *, ${broken} AS _broken FROM (${binding.select}))`
    const good = await session.run(copySql(binding, scan, '_broken = 0', part))
    if (!duplicates.exact && (await hasLateDuplicates(context, part, noted))) {
      duplicates = await findAllDuplicates(context, binding, size, noted)
      continue
    }
    const records = prepared.records ?? 0
    const bad =
      good === records ? `SELECT * FROM ${prepared.source.from} LIMIT 0` : `SELECT * FROM ${scan} WHERE _broken <> 0`
    const aside = await createRejectTable(context, prepared, bad)
    const problems = prepared.problems?.count ?? 0
    if (good + aside !== records + problems) {
      throw new Refusal(
        'count_mismatch',
        `The file holds ${(records + problems).toLocaleString('en')} records and ${(good + aside).toLocaleString('en')} were read. Nothing was published, so that no row is lost.`,
        'Please report this file: its records could not be read reliably.',
      )
    }
    return { binding, good, aside }
  }
}

/**
 * A clean CSV file as it is: one scan, in parallel; the few rows that break a rule come out beside it, and their row numbers
 * are found afterwards. Undefined when the file turns out not to be that simple: then it must be numbered.
 */
export async function splitAsIs(
  context: PassContext,
  prepared: Prepared,
  path: string,
  size: number,
  census: CountLines,
): Promise<Split | undefined> {
  const { plan, session, upload, outDir, signal } = context
  const { dialect } = prepared.csv ?? {}
  if (dialect === undefined) throw new EngineFault('Only CSV files are read as they are.')
  const binding = bind(plan, prepared.source, upload)
  const part = partPath(outDir, 0)
  try {
    const noted = notedKeys(plan, prepared, census)
    let duplicates = await findDuplicates(context, prepared, binding, size, noted)
    // Beside the scan, if it was not needed before it.
    const counting = census(false)
    for (;;) {
      session.stage = [0.25, 0.9]
      const broken = brokenSql(context, binding, duplicates)
      const capture = session.capture(MAX_CAPTURED_ROWS, MAX_CAPTURED_BYTES)
      const cells = `CAST(to_json([${prepared.columns.join(', ')}]) AS VARCHAR)`
      const keep =
        broken === '0' ? 'true' : `CASE WHEN _broken = 0 THEN true ELSE ${CAPTURE}(${capture.slot}, ${cells}) END`
      const scan = `(SELECT *, ${broken} AS _broken FROM (${binding.select}))`
      let good: number
      try {
        good = await session.run(copySql(binding, scan, keep, part))
      } catch (error) {
        if (capture.overflow) return undefined
        throw error
      }
      if (capture.overflow) return undefined
      const counted = await counting
      const lines = counted.lf + (counted.endsWithNewline ? 0 : 1)
      const simple =
        !counted.nul &&
        counted.validUtf8 &&
        (counted.cr === 0 || (counted.cr === counted.lf && counted.crlf === counted.lf))
      const records = lines - (dialect.header ? 1 : 0)
      if (!simple || good + capture.rows.length !== records) return undefined
      if (!duplicates.exact && (await hasLateDuplicates(context, part, noted))) {
        duplicates = await findAllDuplicates(context, binding, size, noted)
        continue
      }
      const aside = await placeCaptured(context, prepared, path, size, capture.rows, counted.index, signal)
      return aside === undefined ? undefined : { binding, good, aside }
    }
  } catch (error) {
    // What DuckDB cannot read as it is, the numbered way explains row by row.
    if (error instanceof SqlFault && error.kind === 'data') return undefined
    throw error
  }
}

async function placeCaptured(
  context: PassContext,
  prepared: Prepared,
  path: string,
  size: number,
  records: string[],
  index: LineIndex | undefined,
  signal?: AbortSignal,
): Promise<number | undefined> {
  const { session } = context
  if (records.length === 0) return 0
  await session.run('CREATE OR REPLACE TEMP TABLE captured (_row BIGINT, cells VARCHAR)')
  const { dialect } = prepared.csv ?? {}
  if (dialect === undefined) return undefined
  const { first: _first, detected: _detected, header: _header, ...plain } = dialect
  // Both cores are free now: without an index each searches its part of the file.
  const cuts = index === undefined && size > PARALLEL_BYTES ? [0, Math.floor(size / 2), size] : [0, size]
  const request = { path, dialect: plain, records, ...(index && { index }) }
  const ranges = await Promise.all(
    cuts.slice(1).map((to, i) => runTask('locate', { ...request, from: cuts[i] ?? 0, to }, size, signal)),
  )
  const rows = rowsOf(records, ranges)
  // The header is a line of the file, and never one of the records.
  if (rows === undefined) return undefined
  const appender = await session.connection.createAppender('captured')
  records.forEach((cells, i) => {
    appender.appendBigInt(BigInt(rows[i] ?? 0))
    appender.appendVarchar(cells)
    appender.endRow()
  })
  appender.closeSync()
  const cells = prepared.columns.map((name, i) => `cells ->> ${i} AS ${name}`)
  return createRejectTable(context, prepared, `SELECT _row, ${cells.join(', ')} FROM captured`)
}

/** Writes rows of `rej` that turned out to be good (the first of their key) as a part of their own. */
export async function writeReadmitted(
  context: PassContext,
  binding: Binding,
  where: string,
  n: number,
): Promise<number> {
  return context.session.run(copySql(binding, `(${binding.select})`, where, partPath(context.outDir, n)))
}

/** The parts that hold rows, renumbered from 0. */
export async function keepParts(
  outDir: string,
  counts: number[],
): Promise<{ path: string; rows: number; bytes: number }[]> {
  const parts: { path: string; rows: number; bytes: number }[] = []
  for (const [n, rows] of counts.entries()) {
    if (rows === 0) continue
    const path = partPath(outDir, parts.length)
    if (parts.length !== n) await rename(partPath(outDir, n), path)
    parts.push({ path, rows, bytes: (await stat(path)).size })
  }
  return parts
}
