// Works out why rows were set aside, lets the first row of each key back in, and writes the rejects: Parquet to query, CSV to repair.

import { createReadStream, createWriteStream } from 'node:fs'
import { rm } from 'node:fs/promises'
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
    await session.run(
      `INSERT INTO viol SELECT _row, ${idx}, shown, ${what} || first FROM (
        SELECT _row, ${shown} AS shown, row_number() OVER same AS n, first_value(_row) OVER same AS first
        FROM (SELECT * FROM (${binding.select}) WHERE _row NOT IN (SELECT _row FROM viol)) WHERE ${sql} IS NOT NULL
        WINDOW same AS (PARTITION BY ${sql} ORDER BY _row)) WHERE n > 1`,
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
  await writeParquet(context, prepared, files.parquet)
  await writeRepair(context, prepared, files.csv, delimiter)
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
  const samples = await session.rows<[number, string, string | null, string | null]>(
    `SELECT idx, _row, value, message FROM (
      SELECT *, row_number() OVER (PARTITION BY idx ORDER BY _row) AS n FROM viol) WHERE n <= ${SAMPLES} ORDER BY idx, _row`,
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

async function writeParquet(context: PassContext, prepared: Prepared, path: string): Promise<void> {
  const cells = jsonObject(prepared.source.texts)
  await context.session.run(
    `COPY (SELECT r._row, ${literal(context.upload)} AS _upload, r._raw, ${cells} AS cells, v.violations FROM rej r JOIN (
      SELECT _row, CAST(to_json(list({'rule': rule, 'column': col, 'value': CASE WHEN sensitive THEN NULL ELSE value END, 'message': coalesce(viol.message, meta.message)} ORDER BY idx)) AS VARCHAR) AS violations
      FROM viol JOIN meta USING (idx) GROUP BY _row) v ON r._row = v._row ORDER BY r._row) TO ${literal(path)} (FORMAT parquet, COMPRESSION zstd)`,
  )
}

/** A cell that a spreadsheet might run as a formula gets an apostrophe; plain numbers are left alone. */
function guarded(sql: string): string {
  return `CASE WHEN regexp_matches(${sql}, '^''*[=+\\-@\\t\\r]') AND NOT regexp_full_match(${sql}, '[+-]?[0-9]+([.,][0-9]+)*([eE][+-]?[0-9]+)?') THEN '''' || ${sql} ELSE ${sql} END`
}

async function writeRepair(context: PassContext, prepared: Prepared, path: string, delimiter: string): Promise<void> {
  const { session, upload } = context
  const [raw] = await session.rows<[boolean]>('SELECT count(_raw) > 0 FROM rej')
  const columns = [
    { name: '_upload', sql: literal(upload) },
    { name: '_row', sql: 'CAST(r._row AS VARCHAR)' },
    { name: '_errors', sql: guarded('v.errors') },
    ...prepared.source.texts.map(({ name, sql }) => ({ name, sql: guarded(sql) })),
    ...(raw?.[0] ? [{ name: '_raw', sql: guarded('r._raw') }] : []),
  ]
  const list = columns.map((column, i) => `${column.sql} AS x${i}`)
  const body = `${path}.body`
  await session.run(
    `COPY (SELECT ${list.join(', ')} FROM rej r JOIN (
      SELECT _row, string_agg(CASE WHEN col IS NULL THEN '' ELSE col || ' ' END || coalesce(viol.message, meta.message), '; ' ORDER BY idx) AS errors
      FROM viol JOIN meta USING (idx) GROUP BY _row) v ON r._row = v._row ORDER BY r._row) TO ${literal(body)} (FORMAT csv, HEADER false, DELIMITER ${literal(delimiter)}, QUOTE '"', ESCAPE '"')`,
  )
  const field = (name: string): string => (/[",;\t\r\n|]/.test(name) ? `"${name.replaceAll('"', '""')}"` : name)
  const header = columns.map((column) => field(column.name)).join(delimiter)
  // The mark at the start tells spreadsheets that this is UTF-8.
  const out = createWriteStream(path)
  out.write(`\ufeff${header}\n`)
  await pipeline(createReadStream(body), out)
  await rm(body, { force: true })
}
