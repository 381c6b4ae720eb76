// ECMA-262 patterns as RE2 patterns. RE2 never backtracks, so no pattern of a contract can make a file slow; what it
// cannot express is refused here, by name, with a way out. Written from the syntax tree, so that nothing depends on
// options: `.`, `^`, `$`, `\s`, `\d`, `\w` mean what JavaScript means (flag u, without i, m and s).

import { type AST, RegExpParser } from '@eslint-community/regexpp'

/** A pattern that cannot be used, and why; `readPattern` throws it. */
export class PatternError extends Error {
  override name = 'PatternError'
}

export interface TranslatedPattern {
  /** For DuckDB's regexp_matches: searches, as JSON Schema does. */
  re2: string
  /** Every alternative starts with ^ and ends with $. */
  anchored: boolean
}

const MAX_REPEAT = 1000
// Estimated RE2 instructions. RE2 itself gives up at about ten times this.
const MAX_SIZE = 20_000

const SPACE =
  '\\t\\n\\x{b}\\x{c}\\r\\x{20}\\x{a0}\\x{1680}\\x{2000}-\\x{200a}\\x{2028}\\x{2029}\\x{202f}\\x{205f}\\x{3000}\\x{feff}'
// The complement is written out: RE2 has no class inside a class except the predefined ones.
const NOT_SPACE =
  '\\x{0}-\\x{8}\\x{e}-\\x{1f}\\x{21}-\\x{9f}\\x{a1}-\\x{167f}\\x{1681}-\\x{1fff}\\x{200b}-\\x{2027}\\x{202a}-\\x{202e}\\x{2030}-\\x{205e}\\x{2060}-\\x{2fff}\\x{3001}-\\x{fefe}\\x{ff00}-\\x{10ffff}'
const SETS = {
  digit: ['0-9', '\\x{0}-\\x{2f}\\x{3a}-\\x{10ffff}'],
  word: ['0-9A-Z_a-z', '\\x{0}-\\x{2f}\\x{3a}-\\x{40}\\x{5b}-\\x{5e}\\x{60}\\x{7b}-\\x{10ffff}'],
  space: [SPACE, NOT_SPACE],
} as const

const CATEGORIES: Record<string, string> = {
  Letter: 'L',
  Uppercase_Letter: 'Lu',
  Lowercase_Letter: 'Ll',
  Titlecase_Letter: 'Lt',
  Modifier_Letter: 'Lm',
  Other_Letter: 'Lo',
  Mark: 'M',
  Nonspacing_Mark: 'Mn',
  Spacing_Mark: 'Mc',
  Enclosing_Mark: 'Me',
  Number: 'N',
  Decimal_Number: 'Nd',
  Letter_Number: 'Nl',
  Other_Number: 'No',
  Punctuation: 'P',
  Connector_Punctuation: 'Pc',
  Dash_Punctuation: 'Pd',
  Open_Punctuation: 'Ps',
  Close_Punctuation: 'Pe',
  Initial_Punctuation: 'Pi',
  Final_Punctuation: 'Pf',
  Other_Punctuation: 'Po',
  Symbol: 'S',
  Math_Symbol: 'Sm',
  Currency_Symbol: 'Sc',
  Modifier_Symbol: 'Sk',
  Other_Symbol: 'So',
  Separator: 'Z',
  Space_Separator: 'Zs',
  Line_Separator: 'Zl',
  Paragraph_Separator: 'Zp',
}
const SHORT = new Set(Object.values(CATEGORIES))
const SCRIPTS = new Set(
  'Latin Greek Cyrillic Armenian Hebrew Arabic Devanagari Bengali Thai Georgian Hangul Hiragana Katakana Han'.split(
    ' ',
  ),
)

const character = (code: number): string => {
  if (code >= 0xd800 && code <= 0xdfff) {
    throw new PatternError(
      'half of a surrogate pair cannot be matched on its own; write the whole character, e.g. \\u{1F600}',
    )
  }
  const plain = String.fromCodePoint(code)
  return /[A-Za-z0-9_]/.test(plain) ? plain : `\\x{${code.toString(16)}}`
}

const property = (node: { key: string; value: string | null; negate: boolean }): string => {
  const letter = node.negate ? 'P' : 'p'
  const name = node.value ?? node.key
  const general = node.value === null || node.key === 'General_Category' || node.key === 'gc'
  if (general) {
    const short = SHORT.has(name) ? name : CATEGORIES[name]
    if (short !== undefined) return `\\${letter}{${short}}`
  } else if ((node.key === 'Script' || node.key === 'sc') && SCRIPTS.has(name)) {
    return `\\${letter}{${name}}`
  }
  throw new PatternError(
    `the property \\${letter}{${node.value === null ? name : `${node.key}=${name}`}} is not supported; use a general category such as \\p{L}, \\p{Lu} or \\p{Nd}, a script such as \\p{Script=Greek}, or list the characters`,
  )
}

const classElement = (element: AST.CharacterClassElement): string => {
  switch (element.type) {
    case 'Character':
      return character(element.value)
    case 'CharacterClassRange':
      return `${character(element.min.value)}-${character(element.max.value)}`
    case 'CharacterSet':
      if (element.kind === 'property')
        return property(element as { key: string; value: string | null; negate: boolean })
      return SETS[element.kind][element.negate ? 1 : 0]
    default:
      throw new PatternError('set notation of the v flag is not supported; write one plain class such as [a-z0-9]')
  }
}

const utf8Length = (code: number): number => (code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4)

interface Piece {
  text: string
  /** Estimated instructions. */
  size: number
  /** Largest product of nested repetitions inside. */
  repeat: number
}

const alternatives = (list: readonly AST.Alternative[]): Piece => {
  const pieces = list.map((alternative) => alternative.elements.map(element))
  return {
    text: pieces.map((parts) => parts.map((p) => p.text).join('')).join('|'),
    size: pieces.flat().reduce((sum, p) => sum + p.size, pieces.length),
    repeat: Math.max(1, ...pieces.flat().map((p) => p.repeat)),
  }
}

const element = (node: AST.Element): Piece => {
  switch (node.type) {
    case 'Character':
      return { text: character(node.value), size: utf8Length(node.value), repeat: 1 }
    case 'CharacterSet':
      if (node.kind === 'any') return { text: '[^\\n\\r\\x{2028}\\x{2029}]', size: 14, repeat: 1 }
      if (node.kind === 'property') {
        return { text: property(node as { key: string; value: string | null; negate: boolean }), size: 300, repeat: 1 }
      }
      return {
        text: `[${SETS[node.kind][node.negate ? 1 : 0]}]`,
        size: node.negate || node.kind === 'space' ? 16 : 2,
        repeat: 1,
      }
    case 'CharacterClass': {
      const inner = node.elements.map(classElement).join('')
      const wide = node.negate || /[^\0-\x7f]|\\[xpP]/.test(inner)
      const size = (inner.includes('\\p') || inner.includes('\\P') ? 300 : 0) + node.elements.length + (wide ? 14 : 0)
      if (inner === '')
        return { text: node.negate ? '[\\x{0}-\\x{10ffff}]' : '[^\\x{0}-\\x{10ffff}]', size: 14, repeat: 1 }
      return { text: `[${node.negate ? '^' : ''}${inner}]`, size, repeat: 1 }
    }
    case 'Group': {
      const flags = node.modifiers
      if (flags) {
        const { add, remove } = flags
        if (remove !== null || add.multiline || add.dotAll) {
          throw new PatternError(
            `the modifiers in ${JSON.stringify(flags.raw)} are not supported, only (?i:…) is; write the classes out`,
          )
        }
        const inner = alternatives(node.alternatives)
        return { ...inner, text: `(?i:${inner.text})`, size: inner.size * 2 }
      }
      const inner = alternatives(node.alternatives)
      return { ...inner, text: `(?:${inner.text})` }
    }
    case 'CapturingGroup': {
      const inner = alternatives(node.alternatives)
      return { ...inner, text: `(?:${inner.text})` }
    }
    case 'Quantifier': {
      const inner = element(node.element)
      const most = node.max === Number.POSITIVE_INFINITY ? Math.max(1, node.min) : node.max
      const repeat = inner.repeat * Math.max(1, most)
      if (repeat > MAX_REPEAT) {
        throw new PatternError(
          `the repetition ${JSON.stringify(node.raw.slice(node.element.raw.length))} repeats ${inner.repeat > 1 ? 'nested parts ' : ''}more than ${MAX_REPEAT} times; use minLength and maxLength for long texts, and * or + here`,
        )
      }
      const times =
        node.min === 0 && node.max === Number.POSITIVE_INFINITY
          ? '*'
          : node.min === 1 && node.max === Number.POSITIVE_INFINITY
            ? '+'
            : node.min === 0 && node.max === 1
              ? '?'
              : node.max === Number.POSITIVE_INFINITY
                ? `{${node.min},}`
                : node.min === node.max
                  ? `{${node.min}}`
                  : `{${node.min},${node.max}}`
      // The group keeps `\x{20}{2}` and the like unambiguous. Greed does not change whether a text matches.
      return { text: `(?:${inner.text})${times}`, size: (inner.size + 1) * Math.max(1, most), repeat }
    }
    case 'Assertion':
      if (node.kind === 'start') return { text: '\\A', size: 1, repeat: 1 }
      if (node.kind === 'end') return { text: '\\z', size: 1, repeat: 1 }
      if (node.kind === 'word') return { text: node.negate ? '\\B' : '\\b', size: 1, repeat: 1 }
      throw new PatternError(
        `${node.kind} ${JSON.stringify(node.raw)} is not supported, because it cannot be matched in one pass; split the condition: one pattern here, and a second one as a quality rule invalidValues with arguments.pattern`,
      )
    case 'Backreference':
      throw new PatternError(
        `the back-reference ${JSON.stringify(node.raw)} is not supported, because it cannot be matched in one pass; write the alternatives out, or use an sql quality rule`,
      )
    case 'ExpressionCharacterClass':
      throw new PatternError('set notation of the v flag is not supported; write one plain class such as [a-z0-9]')
  }
}

const isAnchored = (pattern: AST.Pattern | AST.Group | AST.CapturingGroup): boolean =>
  pattern.alternatives.every((alternative) => {
    const { elements } = alternative
    const first = elements.at(0)
    const last = elements.at(-1)
    if (elements.length === 1 && first && (first.type === 'Group' || first.type === 'CapturingGroup'))
      return isAnchored(first)
    return first?.type === 'Assertion' && first.kind === 'start' && last?.type === 'Assertion' && last.kind === 'end'
  })

const parse = (source: string): AST.Pattern => {
  const parser = new RegExpParser({ ecmaVersion: 2025 })
  try {
    return parser.parsePattern(source, 0, source.length, { unicode: true })
  } catch (cause) {
    try {
      // Old patterns escape more than flag u allows (`\-`, `\_`); they mean the character itself.
      return parser.parsePattern(source, 0, source.length, { unicode: false })
    } catch {
      const reason = cause instanceof Error ? cause.message.replace(/^Invalid regular expression: /, '') : String(cause)
      const hint = /\(\?[a-zA-Z]+\)/.test(source) ? '; an inline flag such as (?i) is not ECMA-262, write (?i:…)' : ''
      throw new PatternError(`it is not a valid ECMA-262 pattern: ${reason}${hint}`)
    }
  }
}

/** Translates an ECMA-262 pattern. Throws a PatternError that names what is not possible and how to rewrite it. */
export const readPattern = (source: string): TranslatedPattern => {
  if (source.length > 10_000) throw new PatternError('it is longer than 10,000 characters')
  const pattern = parse(source)
  let piece: Piece
  try {
    piece = alternatives(pattern.alternatives)
  } catch (cause) {
    if (cause instanceof RangeError) throw new PatternError('it is nested too deeply')
    throw cause
  }
  if (piece.size > MAX_SIZE) {
    throw new PatternError(
      'it is too large once its repetitions are written out; repeat less, or use maxLength for the length',
    )
  }
  // DuckDB turns a plain sequence into a search for its letters and overlooks ^ and $ inside of it: `a$b` would be found in
  // "ab". The empty part in front keeps it from that.
  const inner = piece.text.lastIndexOf('\\A') > 0 || /\\z(?!$)/.test(piece.text)
  return { re2: inner ? `(?s:.{0})${piece.text}` : piece.text, anchored: isAnchored(pattern) }
}
