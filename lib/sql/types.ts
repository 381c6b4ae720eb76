// The types of Athena's SQL: how they are called there and in DuckDB, and which of them stand in for each other unasked.

import { name as quoted } from './quote.ts'

export type Type =
  | { of: 'boolean' | 'tinyint' | 'smallint' | 'integer' | 'bigint' | 'real' | 'double' | 'varchar' | 'varbinary' }
  /** `digits` of a second; 3 where it says none. Literals may have fewer. */
  | { of: 'timestamp'; digits?: number }
  | { of: 'date' | 'instant' | 'json' | 'unknown' | 'months' | 'span' }
  | { of: 'decimal'; precision: number; scale: number }
  | { of: 'array'; item: Type }
  | { of: 'map'; key: Type; value: Type }
  | { of: 'row'; fields: { name?: string; type: Type }[] }
  /** A type of DuckDB that Athena has not. */
  | { of: 'foreign'; name: string }

export type Kind = Type['of']

export const BOOLEAN: Type = { of: 'boolean' }
export const INTEGER: Type = { of: 'integer' }
export const BIGINT: Type = { of: 'bigint' }
export const DOUBLE: Type = { of: 'double' }
export const VARCHAR: Type = { of: 'varchar' }
export const VARBINARY: Type = { of: 'varbinary' }
export const DATE: Type = { of: 'date' }
export const TIMESTAMP: Type = { of: 'timestamp' }
export const UNKNOWN: Type = { of: 'unknown' }
export const decimal = (precision: number, scale: number): Type => ({
  of: 'decimal',
  precision: Math.min(38, precision),
  scale,
})

/** Digits that a whole number of a type can have. */
export const INTEGERS: Readonly<Partial<Record<Kind, number>>> = { tinyint: 3, smallint: 5, integer: 10, bigint: 19 }
const NUMBERS: Kind[] = ['tinyint', 'smallint', 'integer', 'bigint', 'decimal', 'real', 'double']

export const isInteger = (type: Type): boolean => INTEGERS[type.of] !== undefined
export const isNumber = (type: Type): boolean => NUMBERS.includes(type.of)
export const isExact = (type: Type): boolean => isInteger(type) || type.of === 'decimal'

const DUCKDB: Readonly<Partial<Record<Kind, string>>> = {
  real: 'FLOAT',
  varbinary: 'BLOB',
  instant: 'TIMESTAMP',
  unknown: '"NULL"',
  months: 'INTERVAL',
  span: 'INTERVAL',
}
const ATHENA: Readonly<Partial<Record<Kind, string>>> = {
  instant: 'timestamp(3) with time zone',
  timestamp: 'timestamp(3)',
  months: 'interval year to month',
  span: 'interval day to second',
}

/** The type as DuckDB calls it. */
export function duckdbName(type: Type): string {
  switch (type.of) {
    case 'decimal':
      return `DECIMAL(${type.precision},${type.scale})`
    case 'array':
      return `${duckdbName(type.item)}[]`
    case 'map':
      return `MAP(${duckdbName(type.key)}, ${duckdbName(type.value)})`
    case 'row':
      return `STRUCT(${type.fields.map(({ name, type }, at) => `${quoted(name ?? `field${at}`)} ${duckdbName(type)}`).join(', ')})`
    case 'foreign':
      return type.name
    default:
      return DUCKDB[type.of] ?? type.of.toUpperCase()
  }
}

/** The type as Athena calls it in its messages and in information_schema. */
export function athenaName(type: Type): string {
  switch (type.of) {
    case 'decimal':
      return `decimal(${type.precision},${type.scale})`
    case 'array':
      return `array(${athenaName(type.item)})`
    case 'map':
      return `map(${athenaName(type.key)}, ${athenaName(type.value)})`
    case 'row':
      return `row(${type.fields.map(({ name, type }) => `${name === undefined ? '' : `${name} `}${athenaName(type)}`).join(', ')})`
    case 'foreign':
      return type.name.toLowerCase()
    default:
      return ATHENA[type.of] ?? type.of
  }
}

/** The type as every lake shows it above a result. */
export function shownName(type: Type): string {
  switch (type.of) {
    case 'real':
      return 'FLOAT'
    case 'varbinary':
      return 'BLOB'
    case 'instant':
      return 'TIMESTAMP WITH TIME ZONE'
    case 'timestamp':
      return 'TIMESTAMP'
    case 'array':
      return `ARRAY(${shownName(type.item)})`
    case 'map':
      return `MAP(${shownName(type.key)}, ${shownName(type.value)})`
    case 'row':
      return `ROW(${type.fields.map(({ name, type }) => `${name === undefined ? '' : `${name} `}${shownName(type)}`).join(', ')})`
    default:
      return athenaName(type).toUpperCase()
  }
}

const SIMPLE: Readonly<Record<string, Type>> = {
  BOOLEAN: BOOLEAN,
  TINYINT: { of: 'tinyint' },
  SMALLINT: { of: 'smallint' },
  INTEGER,
  BIGINT,
  FLOAT: { of: 'real' },
  DOUBLE,
  VARCHAR,
  BLOB: VARBINARY,
  DATE,
  TIMESTAMP,
}

/** Reads the type of a column of the catalog: `STRUCT(a BIGINT, "b c" VARCHAR[])`. */
export function typeOfColumn(text: string): Type {
  const words = text.match(/"(?:[^"]|"")*"|[^\s"(),[\]]+|[(),]|\[\s*\]/g) ?? []
  let next = 0
  const read = (): Type => {
    const word = words[next++]?.toUpperCase() ?? ''
    let type: Type = SIMPLE[word] ?? { of: 'foreign', name: text }
    if (words[next] === '(') {
      next++
      if (word === 'DECIMAL') {
        type = decimal(Number(words[next]), Number(words[next + 2]))
        next += 3
      } else if (word === 'MAP') {
        const key = read()
        next++
        type = { of: 'map', key, value: read() }
      } else {
        const fields: { name: string; type: Type }[] = []
        do {
          const name = words[next++] ?? ''
          fields.push({ name: name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name, type: read() })
        } while (words[next] === ',' && next++ < words.length)
        if (word === 'STRUCT') type = { of: 'row', fields }
      }
      next++
    }
    while (words[next]?.startsWith('[')) {
      next++
      type = { of: 'array', item: type }
    }
    return type
  }
  const type = read()
  return next === words.length ? type : { of: 'foreign', name: text }
}

export const same = (a: Type, b: Type): boolean => a.of === b.of && duckdbName(a) === duckdbName(b)

/** The type that both can be taken for without a cast, by Trino's rules; undefined when there is none. */
export function common(a: Type, b: Type): Type | undefined {
  if (a.of === 'timestamp' && b.of === 'timestamp') return (a.digits ?? 3) >= (b.digits ?? 3) ? a : b
  if (same(a, b)) return a
  if (a.of === 'unknown') return b
  if (b.of === 'unknown') return a
  if (isNumber(a) && isNumber(b)) {
    for (const kind of ['double', 'real'] as const) if (a.of === kind || b.of === kind) return { of: kind }
    if (isInteger(a) && isInteger(b)) return NUMBERS.indexOf(a.of) > NUMBERS.indexOf(b.of) ? a : b
    const [p, q] = [asDecimal(a), asDecimal(b)]
    const scale = Math.max(p.scale, q.scale)
    return decimal(scale + Math.max(p.precision - p.scale, q.precision - q.scale), scale)
  }
  const order: Kind[] = ['date', 'timestamp', 'instant']
  if (order.includes(a.of) && order.includes(b.of)) return order.indexOf(a.of) > order.indexOf(b.of) ? a : b
  if (a.of === 'array' && b.of === 'array') {
    const item = common(a.item, b.item)
    return item && { of: 'array', item }
  }
  if (a.of === 'map' && b.of === 'map') {
    const key = common(a.key, b.key)
    const value = common(a.value, b.value)
    return key && value && { of: 'map', key, value }
  }
  return undefined
}

/** A whole number's or a decimal's digits. */
export function asDecimal(type: Type): { precision: number; scale: number } {
  if (type.of === 'decimal') return type
  return { precision: INTEGERS[type.of] ?? 38, scale: 0 }
}

/** True when values of a type can be told equal and put in order as DuckDB does it. */
export const isOrderable = (type: Type): boolean =>
  type.of === 'array' ? isOrderable(type.item) : !['map', 'json', 'foreign', 'months', 'span', 'row'].includes(type.of)
