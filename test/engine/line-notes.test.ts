// The notes that the census takes of the lines of a CSV file, held against a plain reading of the same text.

import fc from 'fast-check'
import { expect, it } from 'vitest'
import { census } from '../../lib/engine/census.ts'
import { BLOCK } from '../../lib/engine/line-notes.ts'
import { locate } from '../../lib/engine/locate.ts'
import { file } from './helpers.ts'

const CSV = { delimiter: ',', quote: '"', header: true, index: true }
const DIALECT = { delimiter: ',', quote: '"', escape: '"', newline: 10 as const }

/** Lines around the census's chunk of 1 MiB: long ones, so that many ends fall on odd places. */
const PADDING = 'p'.repeat(1000)

const fileWith = (text: string): string => file('lines.csv', text)

it('notes where every block begins and which numbers come twice, also across chunks and with \\r\\n', () => {
  for (const newline of ['\n', '\r\n']) {
    const rows = Array.from({ length: 5000 }, (_, i) => `${i % 4990},${PADDING.slice(0, (i * 37) % 900)}`)
    const all = ['id,text', ...rows]
    const path = fileWith(all.join(newline) + newline)
    const { index, first } = census({ path, digest: false, csv: CSV })
    expect(first).toEqual({ repeated: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], others: [] })
    expect(index?.fingerprints.length).toBe(all.length)
    const starts = all.map((_, i) => all.slice(0, i).reduce((sum, line) => sum + line.length + newline.length, 0))
    expect(index?.offsets).toEqual(starts.filter((_, i) => i % BLOCK === 0))
  }
})

it('says which first fields are no plain whole numbers, and gives up where the text alone does not tell', () => {
  const first = (lines: string[]) =>
    census({ path: fileWith(['id,x', ...lines].join('\n')), digest: false, csv: CSV }).first
  expect(first(['1,a', '1.0,a', '007,a', '7,b', ',c', 'abc', '-1,d'])).toEqual({
    repeated: [7],
    others: ['1.0', 'abc', '-1'],
  })
  expect(first(['1,a', '"1",b'])).toBeUndefined()
  expect(first(['1,a', '1234567890123456,b'])).toEqual({ repeated: [], others: ['1234567890123456'] })
  expect(first(['9'.repeat(100)])).toBeUndefined()
  expect(first([`${'x'.repeat(80)},a`])).toBeUndefined()
  expect(first(Array.from({ length: 1001 }, (_, i) => `x${i},a`))).toBeUndefined()
  // One page for each: too far apart to remember.
  expect(first(Array.from({ length: 8200 }, (_, i) => `${i * 100_000},a`))).toBeUndefined()
})

it('gives no index for lines that begin with quotes: they must be looked at anyway', () => {
  const path = fileWith(['id,x', ...Array.from({ length: 100 }, (_, i) => `"${i}",x`)].join('\n'))
  expect(census({ path, digest: false, csv: CSV }).index).toBeUndefined()
})

it('makes no index where none is asked for, and knows the numbers all the same', () => {
  const path = fileWith('id,x\n1,a\n1,b\n')
  expect(census({ path, digest: false, csv: { ...CSV, index: false } })).toMatchObject({
    first: { repeated: [1], others: [] },
  })
  expect(census({ path, digest: false, csv: { ...CSV, index: false } }).index).toBeUndefined()
})

it('finds by the index what a search of the whole file finds', () => {
  const cell = fc.oneof(
    fc.constantFrom('', '1', '12', 'same', 'a "quoted" one', 'with, comma', 'ünï', '00000000', '12345678', '123456789'),
    fc.string({ unit: fc.constantFrom('a', 'b', '1', ' ', ',', '"', 'é'), maxLength: 12 }),
  )
  const property = fc.property(
    fc.array(fc.tuple(cell, cell), { minLength: 1, maxLength: 200 }),
    fc.constantFrom('\n', '\r\n'),
    fc.array(fc.nat(), { minLength: 1, maxLength: 8 }),
    (rows, newline, picks) => {
      const quoted = (text: string) => (/[",]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
      const lines = rows.map((row) => row.map(quoted).join(','))
      const path = fileWith(['id,text', ...lines].join(newline))
      const records = picks.map((pick) => JSON.stringify(rows[pick % rows.length]))
      const { index, lf } = census({ path, digest: false, csv: CSV })
      const request = { path, dialect: DIALECT, from: 0, to: 1e6, records }
      const plain = locate(request)
      expect(plain.lines).toBe(lf + 1)
      if (index !== undefined) expect(locate({ ...request, index })).toEqual(plain)
    },
  )
  fc.assert(property, { numRuns: 300 })
})
