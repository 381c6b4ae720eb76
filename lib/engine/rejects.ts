// Works out why rows were set aside, lets the first row of each key back in, and writes the rejects: Parquet to query, CSV to repair.
// A file may be nearly all rejects, so whatever gathers texts (a list or a string for each row) does so slice by slice.

import { createReadStream, createWriteStream } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { literal } from '../contract/sql.ts'
import { type Binding, bind, type Rule } from './bind.ts'
import { EngineFault } from './errors.ts'
import type { ViolationGroup } from './result.ts'
import type { Prepared } from './sources.ts'
import { jsonObject } from './sources.ts'
import { keySql, type PassContext, type Split, writeReadmitted } from './split.ts'

export interface Explained {
  /** Rows let back in, in part-1. */
  readmitted: number
  rejected: number
  violations: ViolationGroup[]
  files?: { parquet: string; csv: string; rows: number }
}

/** A rule as the tables here know it: its number, and what is said of it. */
type Entry = Pick<Rule, 'rule' | 'column' | 'message' | 'sensitive' | 'severity'>

const STRUCTURAL: Entry[] = [
  {
    rule: 'ragged',
    message: 'has another number of fields than the file has columns',
    sensitive: true,
    severity: 'error',
  },
  { rule: 'unparsable', message: 'cannot be read as a record', sensitive: true, severity: 'error' },
  { rule: 'encoding', message: 'is not in the encoding of the file', sensitive: true, severity: 'error' },
]

const SAMPLES = 10
/** Violations that are gathered in one go: some tens of MB. */
const SLICE = 50_000
/** Rows that are never put into different slices. */
const BUCKET = 5_000
const SHOWN = 200

/** Explains the rows of `rej`. `delimiter` is that of the repair file. */
export async function explain(
  context: PassContext,
  prepared: Prepared,
  split: Split,
  delimiter: string,
): Promise<Explained> {
  if (split.aside === 0) return { readmitted: 0, rejected: 0, violations: [] }
  const { plan, session, upload, outDir } = context
  const binding = bind(plan, { ...prepared.source, from: 'rej', row: '_row' }, upload)
  const keys = plan.keys.filter((key) => key.severity === 'error')
  const entries: Entry[] = [
    ...binding.rules,
    ...STRUCTURAL,
    ...keys.map((key) => ({
      rule: key.rule,
      column: key.columns.join(', '),
      message: key.message,
      severity: key.severity,
      sensitive: plan.columns.some((column) => column.sensitive && key.columns.includes(column.name)),
    })),
  ]
  await session.run('CREATE OR REPLACE TEMP TABLE viol (_row BIGINT, idx INTEGER, value VARCHAR, message VARCHAR)')
  await findBroken(context, binding)
  const structural = STRUCTURAL.map((entry, i) => `WHEN ${literal(entry.rule)} THEN ${binding.rules.length + i}`)
  await session.run(
    `INSERT INTO viol SELECT _row, CASE _rule ${structural.join(' ')} ELSE ${binding.rules.length + 1} END, NULL, _message FROM rej WHERE _rule IS NOT NULL`,
  )
  for (const [k, key] of keys.entries()) {
    const idx = binding.rules.length + STRUCTURAL.length + k
    const sql = keySql(key, binding.value)
    const shown = key.columns.map((name) => `CAST(${binding.value(name)} AS VARCHAR)`).join(` || ', ' || `)
    const what = literal(`has the same ${key.columns.join(' and ')} as row `)
    const keyed = `SELECT _row, ${sql} AS k, ${shown} AS shown FROM (${binding.select}) WHERE _row NOT IN (SELECT _row FROM viol)`
    await session.run(
      `CREATE OR REPLACE TEMP TABLE firsts AS SELECT k, min(_row) AS first FROM (${keyed}) WHERE k IS NOT NULL GROUP BY k`,
    )
    await session.run(
      `INSERT INTO viol SELECT _row, ${idx}, shown, ${what} || first FROM (${keyed}) JOIN firsts USING (k) WHERE _row > first`,
    )
  }
  const [counted] = await session.rows<[string]>('SELECT count(DISTINCT _row) FROM viol')
  const rejected = Number(counted?.[0] ?? 0)
  let readmitted = 0
  if (rejected < split.aside) {
    if (keys.length === 0) throw new EngineFault('Rows were set aside and no rule says why. Please report this file.')
    readmitted = await writeReadmitted(context, binding, '_row NOT IN (SELECT _row FROM viol)', 1)
  }
  if (readmitted + rejected !== split.aside)
    throw new EngineFault('Rows set aside were not all accounted for. Please report this file.')
  if (rejected === 0) return { readmitted, rejected, violations: [] }
  await session.run(
    `CREATE OR REPLACE TEMP TABLE meta AS SELECT * FROM (VALUES ${entries
      .map(
        (e, i) =>
          `(${i}, ${literal(e.rule)}, ${e.column === undefined ? 'NULL' : literal(e.column)}, ${literal(e.message)}, ${e.sensitive})`,
      )
      .join(', ')}) AS m(idx, rule, col, message, sensitive)`,
  )
  const violations = await groups(context, entries)
  const files = {
    parquet: join(outDir, 'rejects.parquet'),
    csv: join(outDir, 'repair.csv'),
    rows: rejected,
  }
  await writeRejects(context, prepared, files, delimiter)
  return { readmitted, rejected, violations, files }
}

async function findBroken(context: PassContext, binding: Binding): Promise<void> {
  if (binding.rules.length === 0) return
  const list = binding.rules.map((rule, i) => `CASE WHEN ${rule.bad} THEN {'idx': ${i}, 'value': ${rule.text}} END`)
  await context.session.run(
    `INSERT INTO viol SELECT _row, one.idx, one.value, NULL FROM (
      SELECT _row, unnest([${list.join(', ')}]) AS one FROM (${binding.select}) WHERE _rule IS NULL) WHERE one IS NOT NULL`,
  )
}

async function groups(context: PassContext, entries: Entry[]): Promise<ViolationGroup[]> {
  const { session } = context
  const counts = await session.rows<[number, string]>(
    'SELECT idx, count(*) FROM viol GROUP BY idx ORDER BY count(*) DESC, idx',
  )
  const samples: [number, string, string | null, string | null][] = []
  for (const [idx] of counts)
    samples.push(
      ...(await session.rows<[number, string, string | null, string | null]>(
        `SELECT idx, _row, value, message FROM viol WHERE idx = ${idx} ORDER BY _row LIMIT ${SAMPLES}`,
      )),
    )
  return counts.map(([idx, count]) => {
    const entry = entries[idx]
    if (entry === undefined) throw new EngineFault('A violation has no rule.')
    return {
      rule: entry.rule,
      ...(entry.column === undefined ? {} : { column: entry.column }),
      severity: entry.severity,
      message: entry.message,
      count: Number(count),
      samples: samples
        .filter(([at]) => at === idx)
        .map(([, row, value, message]) => ({
          row: Number(row),
          ...(entry.sensitive || value === null
            ? {}
            : { value: value.length > SHOWN ? `${value.slice(0, SHOWN)}…` : value }),
          ...(message === null ? {} : { message }),
        })),
    }
  })
}

/** Ranges of row numbers, both ends included, with about so many violations that they can be gathered in memory. */
async function slicesOf({ session }: PassContext): Promise<{ from: number; to: number }[]> {
  const buckets = await session.rows<[string, string]>(
    `SELECT _row // ${BUCKET}, count(*) FROM viol GROUP BY 1 ORDER BY 1`,
  )
  const slices: { from: number; to: number; size: number }[] = []
  for (const [bucket, count] of buckets) {
    const from = Number(bucket) * BUCKET
    const to = from + BUCKET - 1
    const last = slices.at(-1)
    if (last && last.size + Number(count) <= SLICE) {
      last.to = to
      last.size += Number(count)
    } else slices.push({ from, to, size: Number(count) })
  }
  return slices
}

/** What is wrong with each row of a slice, in one text for the table and one for the repair file. */
function whySql(within: string): string {
  const json = `{'rule': rule, 'column': col, 'value': CASE WHEN sensitive THEN NULL ELSE value END, 'message': coalesce(v.message, meta.message)}`
  const said = `CASE WHEN col IS NULL THEN '' ELSE col || ' ' END || coalesce(v.message, meta.message)`
  const slice = `(SELECT * FROM viol ${within})`
  // Nearly all rows break one rule; ordering a list for each of them would take ten times as long.
  return `SELECT _row, CAST(to_json([${json}]) AS VARCHAR) AS violations, ${said} AS errors
    FROM (SELECT _row, any_value(idx) AS idx, any_value(value) AS value, any_value(message) AS message FROM ${slice} GROUP BY _row HAVING count(*) = 1) v JOIN meta USING (idx)
    UNION ALL SELECT _row, CAST(to_json(list(${json} ORDER BY idx)) AS VARCHAR), string_agg(${said}, '; ' ORDER BY idx)
    FROM (SELECT * FROM ${slice} WHERE _row IN (SELECT _row FROM ${slice} GROUP BY _row HAVING count(*) > 1)) v JOIN meta USING (idx) GROUP BY _row`
}

async function writeRejects(
  context: PassContext,
  prepared: Prepared,
  files: { parquet: string; csv: string },
  delimiter: string,
): Promise<void> {
  const { session } = context
  const [raw] = await session.rows<[boolean]>('SELECT count(_raw) > 0 FROM rej')
  const repair = repairColumns(context, prepared, raw?.[0] ?? false)
  const field = (name: string): string => (/[",;\t\r\n|]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)
  // The mark at the start tells spreadsheets that this is UTF-8.
  await writeFile(files.csv, `\ufeff${repair.map((column) => field(column.name)).join(delimiter)}\n`)
  const slices = await slicesOf(context)
  const parts = slices.map((_, n) => (slices.length === 1 ? files.parquet : `${files.parquet}.${n}`))
  const body = `${files.csv}.body`
  for (const [n, { from, to }] of slices.entries()) {
    const within = `WHERE _row BETWEEN ${from} AND ${to}`
    await session.run(`CREATE OR REPLACE TEMP TABLE why AS ${whySql(within)}`)
    await session.run(
      `CREATE OR REPLACE TEMP TABLE slice AS SELECT r.*, why.violations, why.errors FROM (SELECT * FROM rej ${within}) r JOIN why ON r._row = why._row`,
    )
    const cells = jsonObject(prepared.source.texts)
    await session.run(
      `COPY (SELECT _row, ${literal(context.upload)} AS _upload, _raw, ${cells} AS cells, violations FROM slice ORDER BY _row) TO ${literal(parts[n] ?? '')} (FORMAT parquet, COMPRESSION zstd)`,
    )
    const list = repair.map(({ sql }, i) => `${sql} AS x${i}`)
    await session.run(
      `COPY (SELECT ${list.join(', ')} FROM slice ORDER BY _row) TO ${literal(body)} (FORMAT csv, HEADER false, DELIMITER ${literal(delimiter)}, QUOTE '"', ESCAPE '"')`,
    )
    await pipeline(createReadStream(body), createWriteStream(files.csv, { flags: 'a' }))
  }
  await rm(body, { force: true })
  await session.run('DROP TABLE slice; DROP TABLE why')
  if (parts.length === 1) return
  // As they are, one behind the other: sorting all of them again takes memory that no limit counts.
  await session.run(
    `COPY (SELECT * FROM read_parquet([${parts.map(literal).join(', ')}])) TO ${literal(files.parquet)} (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 20480, PRESERVE_ORDER true)`,
  )
  for (const part of parts) await rm(part, { force: true })
}

/** A cell that a spreadsheet might run as a formula gets an apostrophe; plain numbers are left alone. */
function guarded(sql: string): string {
  return `CASE WHEN regexp_matches(${sql}, '^''*[=+\\-@\\t\\r]') AND NOT regexp_full_match(${sql}, '[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?') THEN '''' || ${sql} ELSE ${sql} END`
}

function repairColumns({ upload }: PassContext, prepared: Prepared, raw: boolean): { name: string; sql: string }[] {
  return [
    { name: '_upload', sql: literal(upload) },
    { name: '_row', sql: 'CAST(_row AS VARCHAR)' },
    { name: '_errors', sql: guarded('errors') },
    ...prepared.source.texts.map(({ name, sql }) => ({ name, sql: guarded(sql) })),
    ...(raw ? [{ name: '_raw', sql: guarded('_raw') }] : []),
  ]
}
