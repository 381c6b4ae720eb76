// Translated patterns must say what JavaScript's RegExp says, on any text; what RE2 lacks is refused by name.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { PatternError, readPattern } from '../../lib/contract/pattern.ts'
import { literal } from '../../lib/contract/sql.ts'
import { query } from './duck.ts'

const inDuck = async (source: string, texts: string[]): Promise<boolean[]> => {
  const { re2 } = readPattern(source)
  const rows = texts.map((t, i) => `(${i}, ${literal(t)})`).join(', ')
  return (await query(`SELECT regexp_matches(t, ${literal(re2)}) FROM (VALUES ${rows}) x(i, t) ORDER BY i`)).map(
    ([m]) => m as boolean,
  )
}
const agree = async (source: string, texts: string[], flags = 'u'): Promise<void> => {
  const regexp = new RegExp(source, flags)
  expect(await inDuck(source, texts)).toEqual(texts.map((t) => regexp.test(t)))
}

const TEXTS = [
  '',
  'a',
  'abc',
  'ABC',
  'a\nb',
  'a\n',
  '\n',
  'x\u2028y',
  ' \t',
  '\u00a0',
  '\u3000',
  '\ufeff',
  '٣',
  '7',
  '_',
  'é',
  '😀',
  '😀x',
  '-',
  ']',
  '\\',
  '^',
  '$',
  '.',
  'a.b',
  '\0',
  '{2}',
  '00123',
  'Straße',
  'ſ',
  'K',
  '/',
  '#',
  "it's",
  'aaaa',
  '12-34',
  'foo bar',
  '\u0085',
  '\u180e',
]

describe('translated patterns', () => {
  it.each([
    '^abc$',
    'a.b',
    '.',
    '^.$',
    '^.{2}$',
    '\\s',
    '\\S',
    '^\\s+$',
    '^\\S*$',
    '\\d',
    '\\D',
    '^\\w+$',
    '\\W',
    '[\\s\\d]',
    '[^\\s]',
    '[^\\w]',
    '[^\\W]',
    '[\\S]',
    '[]',
    '[^]',
    '[^\\D]',
    'a$',
    '^a',
    '(a|b)c?',
    '(?:ab)+',
    '(?<year>\\d{2})-(?<m>\\d{2})',
    'a+?',
    'a*?b??',
    'a{2}',
    'a{2,}',
    'a{1,3}',
    '\\bfoo\\b',
    '\\Ba',
    '\\u00e9',
    '\\u{1F600}',
    '[\\u{1F600}-\\u{1F64F}]',
    '\\x61',
    '\\0',
    '\\cJ',
    '\\n',
    '[\\b]',
    '[a-z]',
    '[^a-z]',
    '[-a]',
    '[\\-\\]\\\\^]',
    '\\.',
    '\\/',
    '\\$',
    '\\{2\\}',
    '\\p{L}',
    '^\\p{Lu}',
    '\\P{L}',
    '\\p{Script=Greek}',
    '\\p{Decimal_Number}',
    '^(?:a|)$',
    '',
    '|',
    '(?i:abc)',
    '#',
    ' ',
    "'",
    '^$',
    '(^a|b$)',
    '[a-zA-Z_][\\w.]*$',
    '(a*)*',
    '\\ufeff',
  ])('%s', (source) => agree(source, TEXTS))

  it.each(['a$b', 'a^b', '$ab', 'ab^', '$\\u{1F600}^', '(?:$)a', '^^a', 'a$$'])('%s keeps its anchors', (source) =>
    agree(source, ['ab', 'a', 'xab', 'abx', '😀', '']),
  )

  it('takes escapes that only the older grammar allows', async () => {
    expect(await inDuck('^\\_\\-\\a$', ['_-a', '_-b'])).toEqual([true, false])
    expect(await inDuck('^[\\w-]+\\@$', ['a-b@', '@'])).toEqual([true, false])
  })

  it('agrees with RegExp on random patterns and texts', async () => {
    const atom = fc.oneof(
      fc.constantFrom(
        'a',
        'b',
        '\\d',
        '\\D',
        '\\w',
        '\\W',
        '\\s',
        '\\S',
        '.',
        '[ab]',
        '[^a]',
        '[a-c\\d]',
        '[^\\s-]',
        'é',
        '\\u{1F600}',
        '\\.',
        '\\n',
        '\\b',
        '^',
        '$',
      ),
    )
    const pattern = fc.letrec<{ p: string }>((tie) => ({
      p: fc.oneof(
        { maxDepth: 3 },
        atom,
        fc.tuple(tie('p'), tie('p')).map(([a, b]) => a + b),
        fc.tuple(tie('p'), tie('p')).map(([a, b]) => `(?:${a}|${b})`),
        fc.tuple(tie('p'), fc.constantFrom('*', '+', '?', '{2}', '{0,2}', '*?', '{1,}')).map(([a, q]) => `(${a})${q}`),
      ),
    })).p
    const text = fc.string({
      unit: fc.constantFrom('a', 'b', 'c', '1', ' ', '\n', 'é', '😀', '.', '-', '\u2028', '_'),
      maxLength: 8,
    })
    await fc.assert(
      fc.asyncProperty(pattern, fc.array(text, { minLength: 20, maxLength: 40 }), (source, texts) =>
        agree(source, texts),
      ),
      { numRuns: 150 },
    )
  })

  it.each<[source: string, message: RegExp]>([
    ['(?=a)b', /lookahead "\(\?=a\)" is not supported.*split the condition/],
    ['(?!a)b', /lookahead/],
    ['(?<=a)b', /lookbehind/],
    ['(a)\\1', /back-reference "\\\\1" is not supported.*write the alternatives out/],
    ['(?<x>a)\\k<x>', /back-reference/],
    ['a{1001}', /"\{1001\}" repeats more than 1000 times; use minLength and maxLength/],
    ['(?:a{100}){100}', /repeats nested parts more than 1000 times/],
    ['(?:[^a]{999}|[^b]{999}){1}\\p{L}{1000}', /too large once its repetitions are written out/],
    ['(', /not a valid ECMA-262 pattern/],
    ['(?i)abc', /inline flag such as \(\?i\) is not ECMA-262, write \(\?i:…\)/],
    ['(?s:.)', /modifiers .* are not supported/],
    ['\\p{Emoji}', /property \\p\{Emoji\} is not supported; use a general category/],
    ['\\uD83D', /half of a surrogate pair/],
    ['[b-a]', /not a valid ECMA-262 pattern/],
    ['a'.repeat(10_001), /longer than 10,000/],
  ])('%s is refused', (source, message) => {
    expect(() => readPattern(source)).toThrow(PatternError)
    expect(() => readPattern(source)).toThrow(message)
  })

  it('what is called absurd stays fast: nothing backtracks', async () => {
    expect(await inDuck('^(a+)+$', [`${'a'.repeat(50_000)}b`])).toEqual([false])
    expect(() => readPattern(`${'('.repeat(4000)}a${')'.repeat(4000)}`)).toThrow(PatternError)
  })

  it('knows when a pattern is anchored', () => {
    const anchored = (source: string): boolean => readPattern(source).anchored
    expect(['^a$', '^a$|^b$', '^(a|b)$', '(^a$)'].map(anchored)).toEqual([true, true, true, true])
    expect(['a', '^a', 'a$', '^a|b$', ''].map(anchored)).toEqual([false, false, false, false, false])
  })

  it('the largest patterns that are let through compile', async () => {
    for (const source of ['^[^a]{1000}$', '^\\S{1000}$', '\\p{L}{60}', '(?:\\w{10}é){90}'])
      expect(await inDuck(source, ['x'])).toEqual([false])
  })
})
