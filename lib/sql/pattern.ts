// Patterns of regexp_like and its kin. Athena reads them as Java's, DuckDB as RE2's: what both read alike is let through.

type Refuse = (construct: string, advice: string) => Error

/** The pattern for DuckDB, or a refusal. */
export function checkedPattern(pattern: string, refuse: Refuse): string {
  let read = ''
  let taken = 0
  const no = (what: string, advice: string) => refuse(`${what} in a pattern`, advice)
  let inClass = false
  for (let at = 0; at < pattern.length; at++) {
    const rest = pattern.slice(at)
    const character = pattern[at] ?? ''
    if (character === '\\') {
      const escaped = pattern[++at] ?? ''
      if (/[bB]/.test(escaped))
        throw no(
          `\\${escaped}`,
          'The engines differ on letters with accents. Write what stands there: (^|[^A-Za-z0-9_]).',
        )
      if (/[A-Za-z0-9]/.test(escaped) && !/[dDsSwWntrfA]/.test(escaped))
        throw no(`\\${escaped}`, 'The engines differ on it.')
      if (escaped === '') throw no('A backslash at the end', 'Double it.')
      // White space has one character more in Athena.
      if (escaped === 'S' && inClass) throw no('\\S inside [ ]', 'Write (\\S|…).')
      if (/[sS]/.test(escaped)) {
        const spaces = '\\t\\n\\x0b\\f\\r '
        read += `${pattern.slice(taken, at - 1)}${inClass ? spaces : `[${escaped === 'S' ? '^' : ''}${spaces}]`}`
        taken = at + 1
      }
    } else if (inClass) {
      if (character === '[') throw no('[ inside [ ]', 'Write \\[ for the character.')
      if (rest.startsWith('&&')) throw no('&&', 'Write \\& for the character.')
      if (character === ']') inClass = false
    } else if (character === '[') {
      inClass = true
      if (/^\[\^?\]/.test(rest)) throw no('An empty [ ]', 'Write \\] for the character.')
      if (pattern[at + 1] === '^') at++
    } else if (/^\(\?(?![:i])/.test(rest))
      throw no(rest.slice(0, 3), 'There are groups ( ) and (?: ), and (?i) at the start.')
    else if (/^\(\?i/.test(rest) && (at > 0 || !rest.startsWith('(?i)'))) throw no('(?i)', 'Put (?i) at the start.')
    else if (/^([*+?]|\{[\d,]+\})\+/.test(rest)) throw no('A possessive quantifier', 'Leave the second + out.')
  }
  try {
    // Only to find what no engine reads. Not with flag u, which is stricter than either.
    new RegExp(pattern.replace(/^\(\?i\)/, ''))
  } catch {
    throw no(pattern, 'It cannot be read: check its brackets.')
  }
  return read + pattern.slice(taken)
}

/** The replacement of regexp_replace: groups are $1 in Athena and \1 in DuckDB. */
export function checkedReplacement(replacement: string, refuse: Refuse): string {
  return replacement.replaceAll(/\\(.?)|\$(\{|\d+)?|[\s\S]/g, (found, escaped, group) => {
    if (found.startsWith('\\')) {
      if (escaped === '$') return '$'
      if (escaped === '\\') return '\\\\'
      throw refuse(`${found} in a replacement`, 'Write \\$ for the sign $, and \\\\ for a backslash.')
    }
    if (!found.startsWith('$')) return found
    if (group === undefined || group === '{' || group.length > 1)
      throw refuse(`${found} in a replacement`, 'Write $1 to $9, or \\$ for the sign.')
    return `\\${group}`
  })
}
