// A dataset of rows "key,day,amount" for tests of the curated zone: a stand-in engine that writes real Parquet, and what must
// become of the rows, worked out in plain JavaScript.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Plan, PlanColumn } from '../../lib/contract/plan.ts'
import type { CheckRequest, CheckResult } from '../../lib/engine/result.ts'
import { standInPlan } from './standin.ts'

export interface KeyedRow {
  k: string
  day: string
  amount: number
}

export interface UploadedRow extends KeyedRow {
  _upload: string
}

/** Rows of a file; lines that are none are rejected. An empty day is NULL. */
export function rowsOf(text: string): KeyedRow[] {
  return text.split('\n').flatMap((line) => {
    const [, k, day, amount] = /^(\w+),(\d{4}-\d\d-\d\d|),(-?\d+)$/.exec(line) ?? []
    return k === undefined || day === undefined ? [] : [{ k, day, amount: Number(amount) }]
  })
}

export const textOf = (rows: KeyedRow[]): string => rows.map(({ k, day, amount }) => `${k},${day},${amount}\n`).join('')

/** The row of each key that came with the newest upload. */
export function newestRows(rows: UploadedRow[]): UploadedRow[] {
  const byKey = new Map<string, UploadedRow>()
  for (const row of rows) if ((byKey.get(row.k)?._upload ?? '') <= row._upload) byKey.set(row.k, row)
  return sorted([...byKey.values()])
}

export const sorted = <T>(rows: T[]): T[] => [...rows].sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))

let duckdb: Promise<DuckDBConnection> | undefined

/** Checks a file as the engine does, as far as the curated zone sees it. */
export async function keyedCheck(request: CheckRequest): Promise<CheckResult> {
  duckdb ??= DuckDBInstance.create(':memory:').then((instance) => instance.connect())
  const connection = await duckdb
  const bytes = await readFile(request.path)
  const lines = bytes
    .toString()
    .split('\n')
    .filter((line) => line !== '')
  const accepted = rowsOf(bytes.toString())
  const clean: CheckResult['clean'] = []
  if (accepted.length > 0) {
    const path = join(request.outDir, 'part-0.parquet')
    const extra = request.plan.columns.slice(3).map(({ name, sqlType }) => `, CAST(NULL AS ${sqlType}) AS "${name}"`)
    const values = accepted
      .map(({ k, day, amount }) => `('${k}', ${day === '' ? 'NULL::DATE' : `DATE '${day}'`}, ${amount})`)
      .join(', ')
    await connection.run(
      `COPY (SELECT k, day, CAST(amount AS ${request.plan.columns[2]?.sqlType}) AS amount${extra.join('')}, '${request.upload}' AS _upload FROM (VALUES ${values}) v(k, day, amount)) TO '${path}' (FORMAT parquet)`,
    )
    clean.push({ path, rows: accepted.length, bytes: (await stat(path)).size })
  }
  return {
    outcome: accepted.length < lines.length ? 'accepted_with_rejects' : 'accepted',
    rows: { read: lines.length, accepted: accepted.length, rejected: lines.length - accepted.length },
    violations: [],
    notEnforced: [],
    warnings: [],
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    clean,
    repairs: [],
    timings: {},
  }
}

/** The contract of such a dataset. */
export function keyedPlan(
  dataset: string,
  curated: { mode: 'merge' | 'append'; partitionBy?: Plan['settings']['curated']['partitionBy'] },
  more: {
    types?: Record<string, string>
    required?: string[]
    version?: string
    redrop?: 'replace' | 'append'
    onDelete?: 'keep' | 'retract'
  } = {},
): Plan {
  const { redrop = 'replace', onDelete = 'keep' } = more
  const plan = standInPlan(dataset, { curated: { partitionBy: [], ...curated }, redrop, onDelete })
  const [column] = plan.columns
  if (!column) throw new Error('the stand-in has no column')
  const types = { k: 'VARCHAR', day: 'DATE', amount: 'BIGINT', ...more.types }
  const columns = Object.entries(types).map(
    ([name, sqlType]): PlanColumn => ({
      ...column,
      name,
      sqlType,
      required: name === 'k' || (more.required ?? []).includes(name),
    }),
  )
  return {
    ...plan,
    contract: { ...plan.contract, version: more.version ?? '1.0.0' },
    columns,
    primaryKey: curated.mode === 'merge' ? ['k'] : [],
  }
}
