// The words of a statement in Athena's SQL, each with its place. What is no word of that language is refused here.

import { type Place, QueryError, UnsupportedSql } from './errors.ts'

export interface Token {
  kind: 'word' | 'quoted' | 'string' | 'integer' | 'decimal' | 'double' | 'run' | 'sign' | 'end'
  /** Words in capitals, quoted names and texts without their quotes, the rest as written. */
  text: string
  /** As written. */
  raw: string
  at: number
}

const SIGNS = ['<>', '!=', '<=', '>=', '||', '->', '=>', ...'()[],.;+-*/%=<>?'].sort((a, b) => b.length - a.length)

/** What other dialects have and Athena has not, with what to write instead. */
const FOREIGN: readonly (readonly [RegExp, string, string])[] = [
  [/::/y, 'The cast ::', 'Write CAST(x AS type).'],
  [/==/y, 'The sign ==', 'Write =.'],
  [/`/y, 'A name in backquotes', 'Write "name".'],
  [/!?~~?\*?/y, 'The sign ~', 'Write regexp_like(text, pattern).'],
  [/->>/y, 'The sign ->>', 'Write json_extract_scalar(json, path).'],
  [/\/\//y, 'The sign //', 'Write / : between whole numbers it gives a whole number.'],
  [/\*\*|\^/y, 'The sign for powers', 'Write power(x, y).'],
  [/\$\$/y, 'A text in $$', "Write 'text'."],
  [/<<|>>|&|\|(?!\|)/y, 'An operator on bits', 'Athena has none.'],
  [/[eE]'/y, "A text that begins with E'", "Write 'text'; a backslash is a plain character, chr(10) is a new line."],
  [/[uU]&'/y, "A text that begins with U&'", 'Write the characters themselves.'],
  [/[xX]'/y, 'A text of bytes', "Write from_hex('…')."],
  [/[{}]/y, 'A brace', 'Write ROW(…) for a row and MAP(ARRAY[…], ARRAY[…]) for a map.'],
]

/** Line and column of a place, both from 1, as people count characters. */
export function placeOf(sql: string, at: number): Place {
  const before = sql.slice(0, at).split(/\r\n|\r|\n/)
  return { line: before.length, column: [...(before.at(-1) ?? '')].length + 1 }
}

/** The offset of a place: what `placeOf` began with. */
export function offsetOf(sql: string, { line, column }: Place): number {
  const lines = [...sql.matchAll(/([^\r\n]*)(?:\r\n|\r|\n|$)/g)]
  const found = lines[line - 1]
  return found ? found.index + [...(found[1] ?? '')].slice(0, column - 1).join('').length : sql.length
}

export const placeText = (sql: string, at: number): string => {
  const { line, column } = placeOf(sql, at)
  return `line ${line}:${column}`
}

export function unsupported(sql: string, at: number, construct: string, advice: string): UnsupportedSql {
  return new UnsupportedSql(construct, placeOf(sql, at), advice)
}

export const unreadable = (sql: string, at: number, why: string): QueryError =>
  new QueryError(`The SQL cannot be read: ${placeText(sql, at)}: ${why}`, { place: placeOf(sql, at) })

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(sql)?.[0]
  }
  const push = (kind: Token['kind'], raw: string, text: string) => {
    tokens.push({ kind, raw, text, at })
    at += raw.length
  }
  while (at < sql.length) {
    // A carriage return ends a comment too, in Athena.
    const space = match(/(?:\s|--[^\r\n]*|\/\*[\s\S]*?\*\/)+/y)
    if (space !== undefined) {
      at += space.length
      continue
    }
    for (const [pattern, construct, advice] of FOREIGN)
      if (match(pattern) !== undefined) throw unsupported(sql, at, construct, advice)
    // The name of a run, as FOR VERSION AS OF takes it: nothing else begins so.
    const run = match(/\d{8}T\d{9}Z-[0-9a-f]{12}\b/y)
    if (run !== undefined) {
      push('run', run, run)
      continue
    }
    const number = match(/(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y)
    if (number !== undefined) {
      if (/[\p{L}_]/u.test(sql[at + number.length] ?? ''))
        throw unreadable(sql, at, 'a name cannot begin with a digit: put it in double quotes.')
      push(/[eE]/.test(number) ? 'double' : number.includes('.') ? 'decimal' : 'integer', number, number)
      continue
    }
    const word = match(/[A-Za-z_][A-Za-z0-9_@]*/y)
    if (word !== undefined) {
      push('word', word, word.toUpperCase())
      continue
    }
    const quoted = match(/"(?:[^"]|"")*"/y)
    if (quoted !== undefined) {
      push('quoted', quoted, quoted.slice(1, -1).replaceAll('""', '"'))
      continue
    }
    const text = match(/'(?:[^']|'')*'/y)
    if (text !== undefined) {
      push('string', text, text.slice(1, -1).replaceAll("''", "'"))
      continue
    }
    // One that is closed was white space.
    const sign = sql.startsWith('/*', at) ? undefined : SIGNS.find((one) => sql.startsWith(one, at))
    if (sign === undefined) {
      const open = sql[at] === "'" || sql[at] === '"' || sql.startsWith('/*', at)
      const [character = ''] = sql.slice(at)
      throw unreadable(
        sql,
        at,
        open
          ? 'a quote or comment is not closed.'
          : `the character ${character} cannot stand here; a name with it needs double quotes.`,
      )
    }
    push('sign', sign, sign === '!=' ? '<>' : sign)
  }
  tokens.push({ kind: 'end', raw: '', text: '', at: sql.length })
  return tokens
}
