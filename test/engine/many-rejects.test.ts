// Files that are nearly all rejects, in the least memory that the engine takes: explained slice by slice, and in order.

import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { checkFile, contract, engineWith, rowsOf } from './helpers.ts'

const ROWS = 150_000

const plan =
  contract(`      - { name: id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1 }
      - { name: name, logicalType: string, required: true }
      - { name: amount, logicalType: number }`)

/** Every seventh row breaks two rules, every row from the fifth repeats a key, and some have a field too many. */
const lineOf = (i: number): string => {
  const name = i % 7 === 0 ? '' : `name ${i}`
  const amount = i % 7 === 0 ? `x${i}` : `${i}.5`
  return `${i % 5},${name},${amount}${i % 1000 === 1 ? ',more' : ''}`
}

function expected(): Map<number, string[]> {
  const why = new Map<number, string[]>()
  const first = new Map<number, number>()
  for (let i = 0; i < ROWS; i++) {
    if (i % 1000 === 1) why.set(i + 2, [':ragged'])
    else if (i % 7 === 0) why.set(i + 2, ['name:required', 'amount:type'])
    else if (first.has(i % 5)) why.set(i + 2, ['id:primaryKey'])
    else first.set(i % 5, i)
  }
  return why
}

describe('a file of which nearly all rows are set aside', () => {
  it.each([1, 2])('is explained row by row in the least memory, on %i thread(s)', async (threads) => {
    const engine = await engineWith({ memoryBytes: 64e6, threads })
    const lines = Array.from({ length: ROWS }, (_, i) => lineOf(i))
    const checked = await checkFile(engine, plan, 'many.csv', `id,name,amount\n${lines.join('\n')}\n`)
    const why = expected()
    expect(checked.rows).toEqual({ read: ROWS, accepted: ROWS - why.size, rejected: why.size })
    const found = await checked.rejectRows()
    expect(found).toHaveLength(why.size)
    expect(found.filter(({ row, rules }) => rules.join() !== why.get(row)?.join()).slice(0, 3)).toEqual([])

    // As the file has them, in both files, and each once.
    const { parquet = '', csv = '' } = checked.rejects ?? {}
    const [order] = await rowsOf(
      `SELECT count(*) FROM (SELECT _row, lag(_row) OVER (ORDER BY file_row_number) AS before FROM read_parquet('${parquet}', file_row_number = true)) WHERE _row <= before`,
    )
    expect(order).toEqual(['0'])
    const repair = (await readFile(csv, 'utf8')).trimEnd().split('\n')
    expect(repair[0]).toBe('\ufeff_upload,_row,_errors,id,name,amount,_raw')
    expect(repair.slice(1).map((line) => Number(line.split(',')[1]))).toEqual([...why.keys()])
    expect(repair[1]).toBe('u1,2,name must not be empty; amount must be a number,0,,x0,')

    const samples = checked.violations.map(({ rule, count, samples }) => [rule, count, samples.map(({ row }) => row)])
    const rowsWith = (rule: string) => [...why].filter(([, rules]) => rules.includes(rule)).map(([row]) => row)
    for (const [rule, column] of [
      ['primaryKey', 'id'],
      ['required', 'name'],
      ['type', 'amount'],
      ['ragged', ''],
    ]) {
      const rows = rowsWith(`${column}:${rule}`)
      expect(samples).toContainEqual([rule, rows.length, rows.slice(0, 10)])
    }
    expect(checked.violations.find(({ rule }) => rule === 'primaryKey')?.samples[0]?.message).toMatch(
      /^has the same id as row \d+$/,
    )
  })
})
