// Files above the size at which reader threads take over: found by row as exactly as the small ones.

import { expect, it } from 'vitest'
import { locate, rowsOf } from '../../lib/engine/locate.ts'
import { checkFile, contract, engineWith, file } from './helpers.ts'

const plan = contract(`
      - { name: id, logicalType: integer, required: true, primaryKey: true }
      - { name: note, logicalType: string }
      - { name: size, logicalType: integer, logicalTypeOptions: { minimum: 0 } }`)

/** Rows of about 50 bytes, some quoted; the rows given are damaged. */
function lines(count: number, damaged: Map<number, string>): string {
  const out = ['id,note,size']
  for (let row = 2; row <= count + 1; row++) {
    const note = row % 3 === 0 ? `"with, comma and ""quotes"" ${row}"` : `plain note number ${row}`
    out.push(damaged.get(row) ?? `${row},${note},${row % 7}`)
  }
  return `${out.join('\n')}\n`
}

it('names the rows of a file of several megabytes, twice on the same threads', async () => {
  const engine = await engineWith()
  const damaged = new Map([
    [2, '2,first,-1'],
    [5_000, 'x,"quoted, bad",1'],
    [77_777, '9,the key of row 9,1'],
    [120_000, '120000,"same",-5'],
    [120_001, '120001,"same",-5'],
    [150_001, ',last,0'],
  ])
  const text = lines(150_000, damaged)
  expect(text.length).toBeGreaterThan(5e6)
  for (let round = 0; round < 2; round++) {
    const result = await checkFile(engine, plan, 'large.csv', text)
    expect(result.rows).toEqual({ read: 150_000, accepted: 149_994, rejected: 6 })
    expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
      [2, ['size:minimum']],
      [5_000, ['id:type']],
      [77_777, ['id:primaryKey']],
      [120_000, ['size:minimum']],
      [120_001, ['size:minimum']],
      [150_001, ['id:required']],
    ])
  }
})

it('finds the same lines however the file is cut into ranges', () => {
  const text = lines(300, new Map([[301, '301,"end",1']]))
  const path = file('cut.csv', text.trimEnd())
  const dialect = { delimiter: ',', quote: '"', escape: '"', newline: 10 as const }
  const records = [
    ['301', 'end', '1'],
    ['2', 'plain note number 2', '2'],
    ['150', 'with, comma and "quotes" 150', '3'],
  ].map((fields) => JSON.stringify(fields))
  const size = Buffer.byteLength(text.trimEnd())
  for (let cut = 0; cut <= size; cut += 97) {
    const ranges = [
      [0, cut],
      [cut, size],
    ].map(([from = 0, to = 0]) => locate({ path, dialect, from, to, records }))
    expect(rowsOf(records, ranges)).toEqual([301, 2, 150])
  }
  expect(
    rowsOf([...records, JSON.stringify(['not', 'there', ''])], [locate({ path, dialect, from: 0, to: size, records })]),
  ).toBeUndefined()
})

it('finds late duplicates of one key beside early ones of another', async () => {
  const two = contract(`
      - { name: id, logicalType: integer, required: true, primaryKey: true }
      - { name: code, logicalType: string, unique: true }
      - { name: note, logicalType: string }`)
  const engine = await engineWith()
  const count = 330_000
  const note = 'x'.repeat(40)
  const rows = Array.from({ length: count }, (_, i) => `${i + 1},c${i + 1},${note}`)
  // Two rows share a code among the first; far behind, a key that is there twice, once in a row of that first pair.
  rows[10] = `11,c5,${note}`
  rows[count - 1] = `11,c${count},${note}`
  rows[count - 2] = `7,c${count - 1},${note}`
  const text = `id,code,note\n${rows.join('\n')}\n`
  expect(text.length).toBeGreaterThan(17e6)
  const result = await checkFile(engine, two, 'late.csv', text)
  // Row 330,000 repeats id 7; the last row repeats id 11, whose first bearer (row 12) falls for its code, after the keys: it goes too.
  expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
    [12, ['code:unique']],
    [count, ['id:primaryKey']],
    [count + 1, ['id:primaryKey']],
  ])
  const late = rows.with(10, `11,c11,${note}`)
  const clean = await checkFile(engine, two, 'late.csv', `id,code,note\n${late.join('\n')}\n`)
  expect((await clean.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
    [count, ['id:primaryKey']],
    [count + 1, ['id:primaryKey']],
  ])
})

it('finds duplicates of a key that is written in several ways, early and late', async () => {
  const engine = await engineWith()
  const count = 350_000
  const note = 'y'.repeat(40)
  const rows = Array.from({ length: count }, (_, i) => `${i + 1},${note},1`)
  rows[count - 1] = `0000020,${note},1`
  rows[count - 2] = `33,${note},1`
  rows[count - 3] = `-5,${note},1`
  rows[count - 4] = `abc,${note},1`
  const check = async (lines: string[]) => {
    const text = `id,note,size\n${lines.join('\n')}\n`
    expect(text.length).toBeGreaterThan(17e6)
    const result = await checkFile(engine, plan, 'ways.csv', text)
    expect(result.rows.read).toBe(count)
    return (await result.rejectRows()).map((r) => [r.row, r.rules])
  }
  const late = [
    [count - 2, ['id:type']],
    [count, ['id:primaryKey']],
    [count + 1, ['id:primaryKey']],
  ]
  expect(await check(rows)).toEqual(late)
  rows[100] = `7,${note},1`
  expect(await check(rows)).toEqual([[102, ['id:primaryKey']], ...late])
})
