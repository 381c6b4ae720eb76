// CAST and TRY_CAST as in Athena. DuckDB's own casts accept more texts and round some: each text must look as Athena wants it.

import type { TypeName } from './ast.ts'
import { as, type Expressions, raise, type Typed } from './expressions.ts'
import { text } from './quote.ts'
import * as t from './types.ts'
import { athenaName, type Type } from './types.ts'

const WHOLE = '[+-]?[0-9]+'
const NUMBER = '([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?'
/** What the reader of doubles takes for white space, and that of dates. */
const CONTROLS = String.fromCodePoint(...Array.from({ length: 32 }, (_, code) => code + 1))
const EDGES = '[\\x01-\\x20]*'
const DAY = '-[0-9]{1,2}-[0-9]{1,2}'
const TIME = '([01]?[0-9]|2[0-3]):[0-5]?[0-9](:[0-5]?[0-9](\\.[0-9]+)?)?'

/** How a text is read. */
interface Reading {
  /** How it must look. */
  pattern: string
  example: string
  /** The text as DuckDB reads it. */
  plain?(sql: string): string
  /** What Athena reads otherwise, or may read: this is an error for TRY_CAST too, which would else answer NULL. */
  odd?: string
}
const DOUBLE: Reading = {
  pattern: `${EDGES}[+-]?(${NUMBER}[dDfF]?|NaN|Infinity)${EDGES}`,
  example: '12.5',
  plain: (sql) => `regexp_replace(trim(${sql}, ${text(CONTROLS)}), '[dDfF]$', '')`,
  odd: `${EDGES}[+-]?0[xX].*`,
}
const TEXTS: Readonly<Partial<Record<Type['of'], Reading>>> = {
  tinyint: { pattern: WHOLE, example: '12' },
  smallint: { pattern: WHOLE, example: '12' },
  integer: { pattern: WHOLE, example: '12' },
  bigint: { pattern: WHOLE, example: '12' },
  decimal: { pattern: `[+-]?${NUMBER}`, example: '12.50' },
  real: DOUBLE,
  double: DOUBLE,
  boolean: { pattern: '(?i)t|true|1|f|false|0', example: 'true' },
  date: {
    pattern: `${EDGES}[+]?[0-9]{1,5}${DAY}${EDGES}`,
    example: '2026-01-31',
    plain: (sql) => `ltrim(trim(${sql}, ${text(CONTROLS)}), '+')`,
    odd: `${EDGES}[+-]?[0-9]+${DAY}${EDGES}`,
  },
  timestamp: {
    pattern: `${EDGES}[0-9]{4}${DAY}( ${TIME})?${EDGES}`,
    example: '2026-01-31 12:30:00',
    // A time gets its seconds. Four digits of them are enough to round to the millisecond.
    plain: (sql) =>
      `regexp_replace(regexp_replace(trim(${sql}, ${text(CONTROLS)}), '^([0-9-]+ [0-9]+:[0-9]+)$', '\\1:00'), '(\\.[0-9]{4})[0-9]+$', '\\1')`,
    odd: `${EDGES}[+-]?[0-9]{4,}${DAY}(( ${TIME})?${EDGES}|( ${TIME} *| +)[A-Za-z+-].*)`,
  },
}

/** The cast as DuckDB's SQL; refuses what is not known to come out as in Athena. */
export function castTo(value: Typed, type: Type, attempt: boolean, on: Expressions, to: TypeName): string {
  const from = value.type
  const cast = (sql: string) => `${attempt ? 'TRY_CAST' : 'CAST'}(${sql} AS ${t.duckdbName(type)})`
  if (t.same(from, type)) return value.sql
  if (from.of === 'unknown') return `CAST(NULL AS ${t.duckdbName(type)})`
  // The digits that a double keeps.
  const fewDigits = type.of === 'double' || type.of === 'real' || (type.of === 'decimal' && type.precision <= 15)
  if (from.of === 'varchar')
    return fromText(fewDigits && value.asNumber ? { ...value, sql: value.asNumber } : value, type, attempt, on, to)
  if (type.of === 'varchar') return toText(value, on, to)
  if (from.of === 'boolean' && t.isNumber(type) && type.of !== 'decimal') return cast(value.sql)
  if (t.isNumber(from) && type.of === 'boolean') return cast(value.sql)
  if (t.isNumber(from) && t.isNumber(type)) {
    // Half away from zero; doubles by what they are shown as: 1.005 is 1.01 as decimal(3,2).
    if (t.isExact(from)) return cast(value.sql)
    if (t.isInteger(type)) return cast(`round(${value.sql})`)
    if (type.of === 'decimal') return cast(`CAST(${value.sql} AS VARCHAR)`)
    return cast(value.sql)
  }
  const days = ['date', 'timestamp', 'instant']
  if (days.includes(from.of) && days.includes(type.of)) return cast(value.sql)
  if (type.of === 'json' && from.of === 'array' && jsonable(from.item)) return `to_json(${value.sql})`
  if (type.of === 'json' && jsonable(from)) return `to_json(${value.sql})`
  if (from.of === 'array' && type.of === 'array' && t.isExact(from.item) && t.isExact(type.item)) return cast(value.sql)
  if (t.common(from, type) && t.same(t.common(from, type) ?? from, type)) return as(value, type)
  throw on.refuse(to.at, `A cast from ${athenaName(from)} to ${athenaName(type)}`, CAST_ADVICE(from, type))
}

const jsonable = (type: Type): boolean => t.isInteger(type) || ['varchar', 'boolean'].includes(type.of)

function CAST_ADVICE(from: Type, type: Type): string {
  if (from.of === 'json') return 'Write json_extract_scalar(json, path), and cast the text.'
  if (type.of === 'varbinary') return 'Write to_utf8(text).'
  if (from.of === 'varbinary') return 'Write from_utf8(bytes) or to_hex(bytes).'
  return 'Take the value apart and cast its parts.'
}

function fromText(value: Typed, type: Type, attempt: boolean, on: Expressions, to: TypeName): string {
  const found = TEXTS[type.of]
  if (!found)
    throw on.refuse(
      to.at,
      `A cast from varchar to ${athenaName(type)}`,
      type.of === 'varbinary'
        ? 'Write to_utf8(text).'
        : type.of === 'json'
          ? 'Write json_parse(text).'
          : "Cast the parts of split(text, ',').",
    )
  const { pattern, example, plain, odd } = found
  const name = t.duckdbName(type)
  const read = `${attempt ? 'TRY_CAST' : 'CAST'}(${plain?.(value.sql) ?? value.sql} AS ${name})`
  const cast = type.of === 'timestamp' ? `date_trunc('millisecond', ${read} + to_microseconds(500))` : read
  const wrong = `A text cannot be cast to ${athenaName(type)}: it must look like '${example}'.`
  const stop = attempt
    ? `CAST(NULL AS ${name})`
    : raise(`${wrong} Use try_cast(x AS ${athenaName(type)}) to get NULL instead.`, type)
  const unknown =
    attempt && odd
      ? ` WHEN regexp_full_match(${value.sql}, ${text(odd)}) THEN ${raise(`${wrong} One of the texts is read by Athena, in its own way: change it first, with regexp_replace or substr.`, type)}`
      : ''
  // NULL has the form of nothing, and is cast.
  return `(CASE WHEN coalesce(regexp_full_match(${value.sql}, ${text(pattern)}), true) THEN ${cast}${unknown} ELSE ${stop} END)`
}

/** A whole number or a decimal as a text: 0.50, where DuckDB writes .50 when there are no digits before the point. */
export const exactText = (sql: string, type: Type): string =>
  type.of === 'decimal' && type.precision === type.scale
    ? `regexp_replace(CAST(${sql} AS VARCHAR), '^(-?)\\.', '\\10.')`
    : `CAST(${sql} AS VARCHAR)`

function toText(value: Typed, on: Expressions, to: TypeName): string {
  const { type, sql } = value
  if (t.isExact(type)) return exactText(sql, type)
  if (type.of === 'boolean' || type.of === 'date') return `CAST(${sql} AS VARCHAR)`
  // Athena writes as many digits of a second as the type has: three, but for literals with fewer.
  if (type.of === 'timestamp') {
    const digits = type.digits ?? 3
    const full = `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%g')`
    return digits === 3 ? full : `left(${full}, ${digits === 0 ? 19 : 20 + digits})`
  }
  if (type.of === 'instant') return `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%g UTC')`
  if (type.of === 'double' || type.of === 'real')
    throw on.refuse(
      to.at,
      `A cast from ${athenaName(type)} to varchar`,
      'Athena writes 1.5E0. Cast to decimal(18,2) first, and that to varchar.',
    )
  throw on.refuse(
    to.at,
    `A cast from ${athenaName(type)} to varchar`,
    type.of === 'json'
      ? "Write json_extract_scalar(json, '$')."
      : type.of === 'array'
        ? "Write array_join(array, ', ')."
        : 'Write out its parts.',
  )
}
