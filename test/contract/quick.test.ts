// The shortcuts for dates and timestamps against the full reading: for every text the same value and the same verdict.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { createReport, forDataset } from '../../lib/contract/errors.ts'
import { literal } from '../../lib/contract/sql.ts'
import { dateType, formatOf, fullDateType, fullTimestampType, timestampType } from '../../lib/contract/types/time.ts'
import { type ColumnType, place } from '../../lib/contract/types/type.ts'
import { query } from './duck.ts'

const report = forDataset(createReport('test.yaml', { lineOf: () => undefined, placeIn: () => undefined }))

async function judged(type: ColumnType, texts: string[]): Promise<unknown[][]> {
  const rows = texts.map((text, i) => `(${i}, ${literal(text)})`).join(', ')
  const ok = `v IS NOT NULL AND coalesce(${type.textOk?.('v', 't') ?? 'true'}, true)`
  // A value that is not meant is no value, so only that of a good text counts.
  return query(
    `SELECT t, ok, CASE WHEN ok THEN CAST(v AS VARCHAR) END FROM (SELECT i, t, v, ${ok} AS ok FROM (SELECT i, t, ${type.fromText('t')} AS v FROM (VALUES ${rows}) x(i, t))) ORDER BY i`,
  )
}

/** Texts near the narrow form: right ones, some with one or two characters changed, added or taken away. */
const near = (right: fc.Arbitrary<string>): fc.Arbitrary<string> =>
  fc
    .tuple(
      right,
      fc.array(fc.tuple(fc.nat(30), fc.nat(2), fc.constantFrom(...'0123456789-/:. TZ+_\t\u00a0eE,')), { maxLength: 2 }),
    )
    .map(([text, changes]) =>
      changes.reduce(
        (now, [at, how, char]) => now.slice(0, at) + (how === 0 ? '' : char) + now.slice(how === 1 ? at : at + 1),
        text,
      ),
    )

const digits = (length: number, max: number) => fc.nat(max).map((n) => String(n).padStart(length, '0'))
const day = fc
  .tuple(
    fc.oneof(digits(4, 9999), fc.constantFrom('0000', '0001', '0999', '1000', '2024')),
    digits(2, 13),
    digits(2, 32),
  )
  .map((parts) => parts.join('-'))
const clock = fc.tuple(digits(2, 25), digits(2, 60), digits(2, 60)).map((parts) => parts.join(':'))
const moment = fc
  .tuple(day, fc.constantFrom(' ', 'T', 't', '  '), clock, fc.constantFrom('', '', '', 'Z', '+02:00', '.5', ' ', '-05'))
  .map((parts) => parts.join(''))

const at = place(['schema', 0])
const isoFormat = formatOf({ format: 'yyyy-MM-dd' }, at, report)

describe('the shortcut reads as the full reading does', () => {
  it.each([
    ['dates', near(day), dateType({}, at, report, isoFormat), fullDateType({}, at, report, isoFormat)],
    [
      'timestamps',
      near(moment),
      timestampType({}, at, report, undefined),
      fullTimestampType({}, at, report, undefined),
    ],
    [
      'timestamps without a zone',
      near(moment),
      timestampType({ timezone: false }, at, report, undefined),
      fullTimestampType({ timezone: false }, at, report, undefined),
    ],
  ] as const)('%s', async (_what, text, quick, full) => {
    expect(quick.fromText('t')).not.toBe(full.fromText('t'))
    let good = 0
    const property = fc.asyncProperty(fc.array(text, { minLength: 400, maxLength: 400 }), async (texts) => {
      const found = await judged(quick, texts)
      expect(found).toEqual(await judged(full, texts))
      good += found.filter(([, ok]) => ok === true).length
    })
    await fc.assert(property, { numRuns: 20, endOnFailure: true })
    expect(good).toBeGreaterThan(400)
  })
})
