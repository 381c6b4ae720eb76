// A small bench for the engine: a contract, a file, a result. Real DuckDB, real files.

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll } from 'vitest'
import type { Plan } from '../../lib/contract/plan.ts'
import { parseContract } from '../../lib/contract/read.ts'
import { createEngine, type Engine } from '../../lib/engine/engine.ts'
import type { CheckResult, EngineSettings } from '../../lib/engine/result.ts'

const root = mkdtempSync(join(tmpdir(), 'weir-engine-'))
const engines: Engine[] = []
afterAll(async () => {
  for (const engine of engines) await engine.close()
  rmSync(root, { recursive: true, force: true })
})

export const scratchFolder = join(root, 'scratch')

export async function engineWith(options: Partial<EngineSettings> = {}): Promise<Engine> {
  const engine = await createEngine({ scratch: scratchFolder, memoryBytes: 500e6, threads: 2, ...options })
  engines.push(engine)
  return engine
}

/** A contract of one dataset from its properties (YAML, indented by six) and the `weir` value. */
export function contract(properties: string, weir = '{}', quality = ''): Plan {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: test
version: "1.0.0"
status: active
schema:
  - name: things
    properties:
${properties}
${quality}
    customProperties:
      - property: weir
        value: ${weir}
`
  const plan = parseContract(text, 'test.yaml').plans.get('things')
  if (plan === undefined) throw new Error('The test contract has no dataset.')
  return plan
}

let count = 0

/** A file in the test folder. */
export function file(name: string, content: string | Buffer): string {
  const folder = join(root, `f${count++}`)
  rmSync(folder, { recursive: true, force: true })
  const path = join(mkdtempSync(join(root, 'in-')), name)
  writeFileSync(path, content)
  return path
}

export interface Checked extends CheckResult {
  outDir: string
  /** All clean rows, as JSON values, in the order of their first column. */
  cleanRows(columns?: string): Promise<unknown[][]>
  /** `_row`, `_raw`, cells and violations of all rejects. */
  rejectRows(): Promise<{ row: number; raw: string | null; cells: Record<string, string | null>; rules: string[] }[]>
}

/** Checks a file by name and content. */
export async function checkFile(
  engine: Engine,
  plan: Plan,
  name: string,
  content: string | Buffer,
  upload = 'u1',
): Promise<Checked> {
  const outDir = join(root, `out${count++}`)
  const result = await engine.check({ path: file(name, content), fileName: name, plan, upload, outDir })
  return {
    ...result,
    outDir,
    cleanRows: (columns = '* EXCLUDE (_upload)') =>
      result.clean.length === 0
        ? Promise.resolve([])
        : rowsOf(`SELECT ${columns} FROM read_parquet([${result.clean.map((c) => `'${c.path}'`)}]) ORDER BY 1`),
    rejectRows: async () => {
      if (result.rejects === undefined) return []
      const rows = await rowsOf(`SELECT _row, _raw, cells, violations FROM '${result.rejects.parquet}' ORDER BY _row`)
      return rows.map(([row, raw, cells, violations]) => ({
        row: Number(row),
        raw: raw as string | null,
        cells: JSON.parse(cells as string),
        rules: (JSON.parse(violations as string) as { rule: string; column: string | null }[]).map(
          (v) => `${v.column ?? ''}:${v.rule}`,
        ),
      }))
    },
  }
}

export async function rowsOf(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
