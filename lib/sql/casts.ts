// CAST and TRY_CAST as in Athena. DuckDB's own casts accept more texts and round some: each text must look as Athena wants it.

import type { TypeName } from './ast.ts'
import { as, type Expressions, raise, type Typed, text } from './expressions.ts'
import * as t from './types.ts'
import { athenaName, type Type } from './types.ts'

const WHOLE = '[+-]?[0-9]+'
/** How a text must look to be cast, and an example of it. */
const TEXTS: Readonly<Partial<Record<Type['of'], readonly [string, string]>>> = {
  tinyint: [WHOLE, '12'],
  smallint: [WHOLE, '12'],
  integer: [WHOLE, '12'],
  bigint: [WHOLE, '12'],
  decimal: ['[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)', '12.50'],
  real: ['[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity', '12.5'],
  double: ['[+-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+-]?[0-9]+)?|NaN|[+-]?Infinity', '12.5'],
  boolean: ['(?i)t|true|1|f|false|0', 'true'],
  date: ['[0-9]{4}-[0-9]{2}-[0-9]{2}', '2026-01-31'],
  timestamp: ['[0-9]{4}-[0-9]{2}-[0-9]{2}( [0-9]{2}:[0-9]{2}(:[0-9]{2}(\\.[0-9]{1,3})?)?)?', '2026-01-31 12:30:00'],
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
  const [pattern, example] = found
  // Rounding an exponent of a decimal is the same in both; a whole number and a timestamp get their seconds.
  const sql =
    type.of === 'timestamp'
      ? `(CASE WHEN length(${value.sql}) = 16 THEN ${value.sql} || ':00' ELSE ${value.sql} END)`
      : value.sql
  const cast = `${attempt ? 'TRY_CAST' : 'CAST'}(${sql} AS ${t.duckdbName(type)})`
  const stop = attempt
    ? `CAST(NULL AS ${t.duckdbName(type)})`
    : raise(
        `A text cannot be cast to ${athenaName(type)}: it must look like '${example}'. Use try_cast(x AS ${athenaName(type)}) to get NULL instead.`,
        type,
      )
  return `(CASE WHEN NOT regexp_full_match(${value.sql}, ${text(pattern)}) THEN ${stop} ELSE ${cast} END)`
}

function toText(value: Typed, on: Expressions, to: TypeName): string {
  const { type, sql } = value
  if (t.isExact(type) || type.of === 'boolean' || type.of === 'date') return `CAST(${sql} AS VARCHAR)`
  // Athena always writes three digits of a second.
  if (type.of === 'timestamp') return `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%g')`
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
