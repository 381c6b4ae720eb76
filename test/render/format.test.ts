import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  formatMoment,
  formatRows,
  formatShare,
  shellWord,
  shorten,
  visible,
} from '../../lib/lake/render/format.ts'

describe('numbers for people', () => {
  test('have thousands separators and a noun that agrees', () => {
    expect(formatCount(1_234_567)).toBe('1,234,567')
    expect(formatRows(1)).toBe('1 row')
    expect(formatRows(0)).toBe('0 rows')
    expect(formatRows(1204)).toBe('1,204 rows')
  })

  test('shares never round something to nothing, or nearly all to all', () => {
    expect(formatShare(1200, 1204)).toBe('99.7 %')
    expect(formatShare(1, 1_000_000)).toBe('under 0.1 %')
    expect(formatShare(999_999, 1_000_000)).toBe('over 99.9 %')
    expect(formatShare(5, 5)).toBe('100 %')
    expect(formatShare(0, 5)).toBe('0 %')
    expect(formatShare(0, 0)).toBe('–')
  })

  test('sizes are those that file managers show', () => {
    expect(formatBytes(0)).toBe('0 bytes')
    expect(formatBytes(1)).toBe('1 byte')
    expect(formatBytes(999)).toBe('999 bytes')
    expect(formatBytes(48_213)).toBe('48.2 kB')
    expect(formatBytes(288_000_000)).toBe('288 MB')
    expect(formatBytes(999_999)).toBe('1 MB')
    expect(formatBytes(5_000_000_000)).toBe('5 GB')
  })

  test('durations', () => {
    expect(formatDuration(4)).toBe('4 ms')
    expect(formatDuration(300)).toBe('0.3 s')
    expect(formatDuration(59_999)).toBe('1 min 0 s')
    expect(formatDuration(125_000)).toBe('2 min 5 s')
    expect(formatDuration(3_840_000)).toBe('1 h 4 min')
  })

  test('moments say that they are UTC', () => {
    expect(formatMoment('2026-11-22T12:01:02.000Z')).toBe('22 Nov 2026, 12:01 UTC')
  })
})

describe('strange characters', () => {
  test('controls, bidi and invisible characters are shown', () => {
    expect(visible('a\u0000b\tc\r\n\u001b[31md\u007f')).toBe('a␀b␉c␍␊␛[31md␡')
    expect(visible('31/02/2026\u202e')).toBe('31/02/2026⟨right-to-left override⟩')
    expect(visible('12\u00a0345')).toBe('12⟨no-break space⟩345')
    expect(visible('DE\u200b')).toBe('DE⟨zero-width space⟩')
    expect(visible('AB\u200dC')).toBe('AB⟨U+200D⟩C')
    expect(visible('x\ud800y')).toBe('x⟨U+D800⟩y')
    expect(visible('\u2066\u2029')).toBe('⟨U+2066⟩⟨U+2029⟩')
  })

  test('ordinary text of any script stays as it is', () => {
    for (const text of ['Grüße, 東京', 'नमस्ते', 'क्‍ष', '👩‍👩‍👧 👍🏽', 'می‌خواهم', 'שלום']) expect(visible(text)).toBe(text)
  })

  test('whatever comes in, no control character comes out', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => {
        expect(visible(text)).not.toMatch(/[\p{Cc}\u202a-\u202e\u2066-\u2069\u200e\u200f]/u)
      }),
    )
  })

  test('long values are shortened, and say how long they were', () => {
    const long = `${'x'.repeat(5000)}END`
    expect(shorten(long)).toMatch(/^x{100} … x{7}END \(5,003 characters\)$/)
    expect(shorten('x'.repeat(120))).toBe('x'.repeat(120))
    expect(shorten('👍'.repeat(500))).not.toContain('U+D')
  })
})

test('words of a command are quoted only where the shell needs it', () => {
  expect(shellWord('orders_2026-10.csv')).toBe('orders_2026-10.csv')
  expect(shellWord("it's $(rm).csv")).toBe(`'it'\\''s $(rm).csv'`)
  expect(shellWord('-rf')).toBe("'-rf'")
  expect(shellWord('')).toBe("''")
})

describe('the figure that a rule found', () => {
  test.each([
    ['must be at most 80', 'found 82.24181360201511', 'found 82.2418'],
    ['must be at most 80', 'found 80.00000012345', 'found 80.0000001'],
    ['must be less than 0.5', 'found 0.5000000000000001', 'found 0.5000000000000001'],
    ['must be at least 90', 'found 89.99999999', 'found 89.99999999'],
    ['must be at most 0', 'found 0.00001234567891', 'found 0.0000123457'],
    ['must be at most 10', 'found 1234567.891234', 'found 1234567.9'],
    ['must be at most 10', 'found 12', 'found 12'],
    // It is above 5, and no number of JavaScript's is between: nothing is rounded away.
    ['must be at most 5', 'found 5.0000000000000000001', 'found 5.0000000000000000001'],
    ['says nothing of numbers', 'found 82.24181360201511', 'found 82.24181360201511'],
  ])('%s: %s', (rule, exact, shown) => {
    expect(formatFigure(exact, rule)).toBe(shown)
  })

  test('in a whole sentence', () => {
    expect(formatFigure('The rule mean does not hold: price must be at most 80 (found 82.24181360201511).')).toBe(
      'The rule mean does not hold: price must be at most 80 (found 82.2418).',
    )
  })

  test('is never shown on another side of the bound than it is on', () => {
    const bound = fc.integer({ min: -100, max: 100 })
    fc.assert(
      fc.property(bound, fc.double({ min: -1e-3, max: 1e-3, noNaN: true }), (limit, off) => {
        const exact = limit + off
        const [, shown] = formatFigure(`found ${exact}`, `must be at most ${limit}`).split(' ')
        expect(Math.sign(Number(shown) - limit)).toBe(Math.sign(exact - limit))
      }),
    )
  })
})
