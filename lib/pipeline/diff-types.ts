// Which change of a column's type still reads the Parquet that is there: by name, on Athena as on DuckDB.

const INTEGERS = ['TINYINT', 'SMALLINT', 'INTEGER', 'BIGINT']

/** Whether files that hold `from` can be read as `to` without loss. */
export function widens(from: string, to: string): boolean {
  if (from === to) return true
  const [low, high] = [INTEGERS.indexOf(from), INTEGERS.indexOf(to)]
  if (low >= 0 && high >= 0) return low < high
  if (from === 'FLOAT' && to === 'DOUBLE') return true
  const [a, b] = [decimalOf(from), decimalOf(to)]
  // Another scale would have to compute every value anew.
  if (a && b) return a.scale === b.scale && a.precision <= b.precision
  if (from.endsWith('[]') && to.endsWith('[]')) return widens(from.slice(0, -2), to.slice(0, -2))
  const [fields, wider] = [fieldsOf(from), fieldsOf(to)]
  if (!fields || !wider) return false
  // New fields read as null where they are missing.
  return [...fields].every(([name, type]) => {
    const now = wider.get(name)
    return now !== undefined && widens(type, now)
  })
}

function decimalOf(type: string): { precision: number; scale: number } | undefined {
  const [, precision, scale] = /^DECIMAL\((\d+),\s*(\d+)\)$/.exec(type) ?? []
  return precision === undefined ? undefined : { precision: Number(precision), scale: Number(scale) }
}

/** Fields of a STRUCT(…) by name; undefined for any other type. */
function fieldsOf(type: string): Map<string, string> | undefined {
  const [, inside] = /^STRUCT\((.*)\)$/s.exec(type) ?? []
  if (inside === undefined) return undefined
  const fields = new Map<string, string>()
  for (const part of splitOutside(inside)) {
    const [, quoted, plain, of] = /^\s*(?:"((?:[^"]|"")*)"|(\S+))\s+(.*?)\s*$/s.exec(part) ?? []
    const name = quoted?.replaceAll('""', '"') ?? plain
    if (name === undefined || of === undefined) return undefined
    fields.set(name, of)
  }
  return fields
}

/** At commas that are in no brackets and no quotes. */
function splitOutside(text: string): string[] {
  const parts: string[] = []
  let depth = 0
  let quoted = false
  let start = 0
  for (let at = 0; at < text.length; at++) {
    const char = text[at]
    if (char === '"') quoted = !quoted
    if (quoted) continue
    if (char === '(') depth++
    if (char === ')') depth--
    if (char === ',' && depth === 0) {
      parts.push(text.slice(start, at))
      start = at + 1
    }
  }
  parts.push(text.slice(start))
  return parts
}
