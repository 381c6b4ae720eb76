// The two ways of reading a CSV file must agree to the last row: as it is, and numbered. A blank line at the end changes nothing
// of the content but sends the file the second way, so every random file is checked both ways, and against csv-parse.

import { parse } from 'csv-parse/sync'
import fc from 'fast-check'
import { beforeAll, expect, it } from 'vitest'
import type { Engine } from '../../lib/engine/engine.ts'
import { checkFile, contract, engineWith } from './helpers.ts'

let engine: Engine
beforeAll(async () => {
  engine = await engineWith()
})

const plan = contract(`
      - { name: id, logicalType: integer, required: true, primaryKey: true, logicalTypeOptions: { maximum: 20 } }
      - { name: note, logicalType: string, logicalTypeOptions: { maxLength: 5 } }
      - { name: day, logicalType: date }`)

const id = fc.oneof(fc.integer({ min: 1, max: 24 }).map(String), fc.constantFrom('', 'x', '1.5', '07', ' 3'))
const note = fc.oneof(
  fc.string({ maxLength: 6 }),
  fc.constantFrom('', 'a,b', 'say "x"', 'two\nlines', 'Müller', '=1', '"', '\r\nx', '😀'),
)
const day = fc.constantFrom('', '2024-02-29', '2023-02-29', '2024-1-1', 'soon')
const damage = fc.constantFrom('', '', '', '', '', 'short', 'long', 'quote')

const field = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const record = fc.tuple(id, note, day, damage, fc.boolean()).map(([a, b, c, how, quoted]) => {
  if (how === 'short') return `${field(a)}`
  if (how === 'long') return `${field(a)},x,,y`
  if (how === 'quote') return `${field(a)},"x"y,`
  return quoted ? `"${a}","${b.replaceAll('"', '""')}",${c}` : `${field(a)},${field(b)},${c}`
})

const comparable = async (result: Awaited<ReturnType<typeof checkFile>>) => ({
  outcome: result.outcome,
  reason: result.reason?.code,
  rows: result.rows,
  violations: result.violations,
  clean: await result.cleanRows('id, note, day'),
  rejects: await result.rejectRows(),
})

it('reads a file as it is and numbered alike', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(record, { minLength: 1, maxLength: 12 }),
      fc.constantFrom('\n', '\r\n'),
      async (records, newline) => {
        const text = `id,note,day${newline}${records.join(newline)}${newline}`
        const plain = await comparable(await checkFile(engine, plan, 'a.csv', text))
        const numbered = await comparable(await checkFile(engine, plan, 'a.csv', text + newline))
        expect(numbered).toEqual(plain)
        expect(plain.rows.read).toBe(plain.rows.accepted + plain.rows.rejected)
      },
    ),
    { numRuns: 60 },
  )
})

it('accepts exactly the records that an independent parser finds good, in value and number', async () => {
  const good = fc.tuple(id, note, day).map((cells) => cells.map(field).join(','))
  await fc.assert(
    fc.asyncProperty(fc.array(good, { minLength: 1, maxLength: 15 }), async (records) => {
      const text = `id,note,day\n${records.join('\n')}\n`
      const result = await checkFile(engine, plan, 'a.csv', text)
      const parsed = parse(text, { from_line: 2, relax_column_count: true }) as string[][]
      const seen = new Set<number>()
      const expected = parsed.filter(([a = '', b = '', c = '']) => {
        const number = /^\s*\d+\s*$/.test(a) ? Number(a) : Number.NaN
        const length = [...b].length
        const fits = number <= 20 && length <= 5 && ['', '2024-02-29'].includes(c)
        if (!fits || seen.has(number)) return false
        seen.add(number)
        return true
      })
      expect(result.rows).toEqual({
        read: parsed.length,
        accepted: expected.length,
        rejected: parsed.length - expected.length,
      })
      const clean = await result.cleanRows('id, note')
      expect(new Map(clean as [string, string | null][])).toEqual(
        new Map(expected.map(([a, b]) => [String(Number(a)), b === '' ? null : (b ?? null)])),
      )
    }),
    { numRuns: 60 },
  )
})
