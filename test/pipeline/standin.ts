// A stand-in for the engine, so that tests of the protocol are about the protocol: each line of a file is a row, a line
// that starts with "bad" is rejected, a file that starts with "refuse" is refused. Its part files hold two rows each as
// JSON lines, so that half an upload can be told from a whole one.

import { createHash } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan, WeirSettings } from '../../lib/contract/plan.ts'
import type { CheckRequest, CheckResult } from '../../lib/engine/result.ts'

export const ROWS_PER_PART = 2

export interface StandInRow {
  _upload: string
  text: string
}

/** What must become of a file's lines. */
export function judge(text: string): {
  refused: boolean
  accepted: string[]
  rejected: { row: number; text: string }[]
} {
  const lines = text.split('\n').filter((line) => line !== '')
  const refused = text.startsWith('refuse')
  const rejected = lines.flatMap((line, index) =>
    refused || line.startsWith('bad') ? [{ row: index + 1, text: line }] : [],
  )
  return { refused, accepted: refused ? [] : lines.filter((line) => !line.startsWith('bad')), rejected }
}

export async function standInCheck(request: CheckRequest): Promise<CheckResult> {
  const bytes = await readFile(request.path)
  const text = bytes.toString()
  const { refused, accepted, rejected } = judge(text)
  const clean: CheckResult['clean'] = []
  for (let start = 0; start < accepted.length; start += ROWS_PER_PART) {
    const rows = accepted.slice(start, start + ROWS_PER_PART)
    const body = rows.map((row) => `${JSON.stringify({ _upload: request.upload, text: row })}\n`).join('')
    const path = join(request.outDir, `part-${clean.length}.parquet`)
    await writeFile(path, body)
    clean.push({ path, rows: rows.length, bytes: Buffer.byteLength(body) })
  }
  const result: CheckResult = {
    outcome: refused ? 'refused' : rejected.length > 0 ? 'accepted_with_rejects' : 'accepted',
    rows: { read: accepted.length + rejected.length, accepted: accepted.length, rejected: rejected.length },
    violations: [],
    notEnforced: [],
    warnings: [],
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    clean,
    repairs: repairsIn(accepted),
    timings: {},
  }
  if (refused) result.reason = { code: 'stand_in', message: 'The file says so.' }
  if (rejected.length > 0) {
    const parquet = join(request.outDir, 'rejects.parquet')
    const csv = join(request.outDir, 'repair.csv')
    await writeFile(parquet, JSON.stringify(rejected))
    await writeFile(csv, rejected.map(({ row, text: line }) => `${request.upload},${row},${line}\n`).join(''))
    result.rejects = { parquet, csv, rows: rejected.length }
  }
  return result
}

/** A line "repair <upload> <row> …" repairs that row. */
function repairsIn(lines: string[]): CheckResult['repairs'] {
  const found = new Map<string, number[]>()
  for (const line of lines) {
    const [word, upload, row] = line.split(' ')
    if (word === 'repair' && upload) found.set(upload, [...(found.get(upload) ?? []), Number(row)])
  }
  return [...found].map(([upload, rows]) => ({ upload, rows }))
}

export function standInPlan(dataset: string, settings: Partial<WeirSettings> = {}, hash = 'hash-1'): Plan {
  return {
    dataset,
    contract: { id: `contract-of-${dataset}`, version: '1.0.0', file: `${dataset}.yaml` },
    columns: [
      {
        name: 'text',
        aliases: [],
        sqlType: 'VARCHAR',
        typeInWords: 'text',
        nested: false,
        required: true,
        description: 'The line.',
        sensitive: false,
        fromText: (text) => text,
        checks: [],
        typeRule: { rule: 'type', message: 'must be text' },
      },
    ],
    primaryKey: [],
    keys: [],
    fileRules: [],
    settings: {
      file: { nullValues: [''], decimalSeparator: '.' },
      redrop: 'replace',
      onDelete: 'keep',
      extraColumns: 'warn',
      curated: { mode: 'none', partitionBy: [] },
      ...settings,
    },
    notEnforced: [],
    support: [],
    hash,
  }
}
