// integer and number columns: which texts are numbers, and exact bounds. DuckDB's casts round 1.5 to a BIGINT and take
// 1_000, 1e3, 0x1F and nan, so a cast alone never decides; see textOk.

import type { DatasetReport } from '../errors.ts'
import { compareExact, type Exact, exact, gcd, plainText, roundUnits } from '../exact.ts'
import type { ColumnCheck } from '../plan.ts'
import { literal } from '../sql.ts'
import { type ColumnType, check, type NumberStyle, PLAIN_NUMBERS, type Place, type TypeOptions } from './type.ts'

type Numeric = number | bigint
type BoundName = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'
const BOUNDS: readonly BoundName[] = ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum']
const WORDS: Record<BoundName, string> = {
  minimum: 'must be at least',
  exclusiveMinimum: 'must be more than',
  maximum: 'must be at most',
  exclusiveMaximum: 'must be less than',
}

const toRegExp = (text: string): string =>
  text.replace(/[^A-Za-z0-9]/gu, (c) => `\\x{${(c.codePointAt(0) ?? 0).toString(16)}}`)

/** Text of the file as the casts want it, and the shapes of whole and fraction parts, in the file's own style. */
const styled = (
  style: NumberStyle,
): { plain: (text: string) => string; digits: string; point: string; special: boolean } => {
  const { decimalSeparator, thousandsSeparator } = style
  const groups = thousandsSeparator === undefined ? '' : `[0-9]{1,3}(?:${toRegExp(thousandsSeparator)}[0-9]{3})+|`
  return {
    plain: (text) => {
      const ungrouped = thousandsSeparator === undefined ? text : `replace(${text}, ${literal(thousandsSeparator)}, '')`
      return decimalSeparator === '.' ? ungrouped : `replace(${ungrouped}, ${literal(decimalSeparator)}, '.')`
    },
    digits: groups === '' ? '[0-9]' : groups,
    point: toRegExp(decimalSeparator),
    special: decimalSeparator !== '.' || thousandsSeparator !== undefined,
  }
}

const sign = '\\s*[+-]?'

/** Shape of a number with at most `scale` fraction digits that are not zero; undefined scale: any, and an exponent. */
const shape = (style: NumberStyle, scale: number | undefined): string => {
  const { digits, point, special } = styled(style)
  const whole = special && style.thousandsSeparator !== undefined ? `(?:${digits}[0-9]+)` : '[0-9]+'
  const fraction = scale === undefined ? '[0-9]*' : scale === 0 ? '0*' : `[0-9]{0,${scale}}0*`
  const some = scale === undefined ? '[0-9]+' : scale === 0 ? undefined : `[0-9]{1,${scale}}0*`
  const bare = some === undefined ? '' : `|${point}${some}`
  return `${sign}(?:${whole}(?:${point}${fraction})?${bare})${scale === undefined ? '(?:[eE][+-]?[0-9]+)?' : ''}\\s*`
}

const matches = (text: string, re2: string): string => `regexp_full_match(${text}, ${literal(re2)})`

/** textOk of exact numbers: the round trip settles nearly all rows, the shape the rest. */
const exactText = (style: NumberStyle, scale: number): ((value: string, text: string) => string) => {
  const re2 = shape(style, scale)
  if (styled(style).special) return (_value, text) => matches(text, re2)
  return (value, text) => `CASE WHEN CAST(${value} AS VARCHAR) = ${text} THEN true ELSE ${matches(text, re2)} END`
}

const boundsInOrder = (options: TypeOptions, at: Place, report: DatasetReport): Partial<Record<BoundName, Exact>> => {
  const bounds: Partial<Record<BoundName, Exact>> = {}
  for (const name of BOUNDS) {
    const value = options[name] as Numeric | undefined
    if (value === undefined) continue
    const bound = exact(value)
    if (bound === undefined)
      report.error([...at.options, name], 'This bound is not a finite number.', { found: value, allowed: 'a number' })
    else bounds[name] = bound
  }
  for (const low of ['minimum', 'exclusiveMinimum'] as const) {
    for (const high of ['maximum', 'exclusiveMaximum'] as const) {
      const [a, b] = [bounds[low], bounds[high]]
      if (!a || !b) continue
      const order = compareExact(a, b)
      if (order > 0 || (order === 0 && (low !== 'minimum' || high !== 'maximum'))) {
        report.error([...at.options, low], `${low} and ${high} leave no value between them.`, {
          found: options[low],
          allowed: `a number below ${plainText(b)}`,
        })
      }
    }
  }
  return bounds
}

/** Checks of a type that holds `precision` digits, `scale` of them behind the point. */
const exactChecks = (
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  sqlType: string,
  range: { low: bigint; high: bigint; scale: number },
): ColumnCheck[] => {
  const { low, high, scale } = range
  const constant = (units: bigint): string =>
    !sqlType.startsWith('DECIMAL') ? units.toString() : `CAST('${plainText({ units, scale })}' AS ${sqlType})`
  const checks: ColumnCheck[] = []
  const bounds = boundsInOrder(options, at, report)
  for (const name of BOUNDS) {
    const bound = bounds[name]
    if (!bound) continue
    const message = `${WORDS[name]} ${plainText(bound)}`
    const isMin = name === 'minimum' || name === 'exclusiveMinimum'
    // A bound between two values of the type becomes the next value inside it, so that nothing is compared as a double.
    const { units, same } = roundUnits(bound, scale, isMin)
    const strict = same && name.startsWith('exclusive')
    if (units < low || units > high) {
      const always = isMin ? units < low : units > high
      if (always) continue
      report.warn(
        [...at.options, name],
        'No value of this column can satisfy this bound: it lies outside of what the type holds.',
        { found: plainText(bound) },
      )
      checks.push(check(name, message, (v) => `${v} IS NULL`))
      continue
    }
    const operator = `${isMin ? '>' : '<'}${strict ? '' : '='}`
    checks.push(check(name, message, (v) => `${v} ${operator} ${constant(units)}`))
  }
  const step = options.multipleOf === undefined ? undefined : exact(options.multipleOf as Numeric)
  if (step && step.units > 0n) {
    // V / 10^scale is a multiple of P / 10^k  ⇔  V is a multiple of P·10^scale / gcd(P·10^scale, 10^k).
    const product = step.units * 10n ** BigInt(scale)
    const modulus = product / gcd(product, 10n ** BigInt(step.scale))
    const message = `must be a multiple of ${plainText(step)}`
    if (modulus > high) checks.push(check('multipleOf', message, (v) => `${v} = ${constant(0n)}`))
    else if (modulus > 1n)
      checks.push(check('multipleOf', message, (v) => `${v} % ${constant(modulus)} = ${constant(0n)}`))
  }
  return checks
}

const exactConstant =
  (sqlType: string, range: { low: bigint; high: bigint; scale: number }) =>
  (value: unknown): string | undefined => {
    if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') return undefined
    const number = exact(value)
    if (!number) return undefined
    const { units, same } = roundUnits(number, range.scale, false)
    if (!same || units < range.low || units > range.high) return undefined
    return `CAST('${plainText({ units, scale: range.scale })}' AS ${sqlType})`
  }

const FORMATS: Record<string, { low: bigint; high: bigint }> = Object.fromEntries(
  [8, 16, 32, 64, 128].flatMap((bits) => [
    [`i${bits}`, { low: -(2n ** BigInt(bits - 1)), high: 2n ** BigInt(bits - 1) - 1n }],
    [`u${bits}`, { low: 0n, high: 2n ** BigInt(bits) - 1n }],
  ]),
)

export interface PhysicalInteger {
  /** BIGINT, INTEGER, SMALLINT or DECIMAL(p,0). */
  sqlType: string
  low: bigint
  high: bigint
}

export const physicalInteger = (bits: 8 | 16 | 32 | 64): PhysicalInteger => ({
  sqlType: bits === 64 ? 'BIGINT' : bits === 32 ? 'INTEGER' : 'SMALLINT',
  low: -(2n ** BigInt(bits - 1)),
  high: 2n ** BigInt(bits - 1) - 1n,
})

export const integerOfDigits = (digits: number): PhysicalInteger => ({
  sqlType: digits <= 18 ? 'BIGINT' : `DECIMAL(${digits},0)`,
  low: -(10n ** BigInt(digits)) + 1n,
  high: 10n ** BigInt(digits) - 1n,
})

const STORED: Record<string, { low: bigint; high: bigint }> = {
  SMALLINT: { low: -(2n ** 15n), high: 2n ** 15n - 1n },
  INTEGER: { low: -(2n ** 31n), high: 2n ** 31n - 1n },
  BIGINT: { low: -(2n ** 63n), high: 2n ** 63n - 1n },
}

export const integerType = (
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  style: NumberStyle,
  physical?: PhysicalInteger,
): ColumnType => {
  const format = options.format as string | undefined
  const wanted = format === undefined ? undefined : FORMATS[format]
  let sqlType = physical?.sqlType ?? 'BIGINT'
  if (!physical && wanted && (wanted.high > 2n ** 63n - 1n || wanted.low < -(2n ** 63n))) {
    sqlType = format === 'u64' ? 'DECIMAL(20,0)' : 'DECIMAL(38,0)'
    if (sqlType === 'DECIMAL(38,0)') {
      report.note(
        `${format} is stored as DECIMAL(38,0), the widest whole number that Parquet and Athena share: values of more than 38 digits are rejected.`,
      )
    }
  }
  const digits = /^DECIMAL\((\d+),0\)$/.exec(sqlType)?.[1]
  const stored = STORED[sqlType] ?? { low: -(10n ** BigInt(digits ?? 38)) + 1n, high: 10n ** BigInt(digits ?? 38) - 1n }
  const range = { ...stored, scale: 0 }
  const checks: ColumnCheck[] = []
  const limit = (rule: string, wantedRange: { low: bigint; high: bigint }): void => {
    const low = wantedRange.low > stored.low ? wantedRange.low : undefined
    const high = wantedRange.high < stored.high ? wantedRange.high : undefined
    if (low === undefined && high === undefined) return
    const number = (units: bigint): string =>
      sqlType.startsWith('DECIMAL') ? `CAST('${units}' AS ${sqlType})` : units.toString()
    checks.push(
      check(rule, `must be between ${wantedRange.low} and ${wantedRange.high}`, (v) =>
        [low === undefined ? '' : `${v} >= ${number(low)}`, high === undefined ? '' : `${v} <= ${number(high)}`]
          .filter(Boolean)
          .join(' AND '),
      ),
    )
  }
  if (wanted) limit('format', wanted)
  if (physical) limit('physicalType', physical)
  checks.push(...exactChecks(options, at, report, sqlType, range))
  const { plain, special } = styled(style)
  const normal = { fromText: (text: string) => `TRY_CAST(${text} AS ${sqlType})`, textOk: exactText(PLAIN_NUMBERS, 0) }
  return {
    sqlType,
    typeInWords: 'whole number',
    nested: false,
    fromText: (text) => `TRY_CAST(${plain(text)} AS ${sqlType})`,
    textOk: exactText(style, 0),
    ...(special ? { typed: normal } : {}),
    typeRule: {
      rule: 'type',
      message: `must be a whole number${style.thousandsSeparator === undefined ? '' : ` (thousands may be separated by ${JSON.stringify(style.thousandsSeparator)})`}${
        sqlType === 'BIGINT' ? '' : ` from ${stored.low} to ${stored.high}`
      }`,
    },
    checks,
    constant: exactConstant(sqlType, range),
    comparable: true,
  }
}

export const decimalType = (
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  style: NumberStyle,
  precision: number,
  scale: number,
): ColumnType => {
  const sqlType = `DECIMAL(${precision},${scale})`
  const high = 10n ** BigInt(precision) - 1n
  const range = { low: -high, high, scale }
  const { plain, special } = styled(style)
  const normal = {
    fromText: (text: string) => `TRY_CAST(${text} AS ${sqlType})`,
    textOk: exactText(PLAIN_NUMBERS, scale),
  }
  const before = precision - scale
  return {
    sqlType,
    typeInWords:
      scale === 0
        ? `whole number of up to ${precision} digits`
        : `decimal number, up to ${before} digits before and ${scale} after the point`,
    nested: false,
    fromText: (text) => `TRY_CAST(${plain(text)} AS ${sqlType})`,
    textOk: exactText(style, scale),
    ...(special ? { typed: normal } : {}),
    typeRule: {
      rule: 'type',
      message: `must be a number with at most ${before} digit${before === 1 ? '' : 's'} before and ${scale} after the ${style.decimalSeparator === ',' ? 'comma' : 'point'}`,
    },
    checks: exactChecks(options, at, report, sqlType, range),
    constant: exactConstant(sqlType, range),
    comparable: true,
  }
}

export const doubleType = (
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  style: NumberStyle,
  sqlType: 'DOUBLE' | 'FLOAT',
): ColumnType => {
  const bounds = boundsInOrder(options, at, report)
  const constant = (bound: Exact): string => `CAST('${plainText(bound)}' AS ${sqlType})`
  const checks: ColumnCheck[] = []
  for (const name of BOUNDS) {
    const bound = bounds[name]
    if (!bound) continue
    const operator = { minimum: '>=', exclusiveMinimum: '>', maximum: '<=', exclusiveMaximum: '<' }[name]
    checks.push(check(name, `${WORDS[name]} ${plainText(bound)}`, (v) => `${v} ${operator} ${constant(bound)}`))
  }
  const step = options.multipleOf === undefined ? undefined : exact(options.multipleOf as Numeric)
  if (step && step.units > 0n) {
    // 0.3 is no exact multiple of 0.1 among doubles, so the quotient may miss a whole number by a few last digits.
    checks.push(
      check(
        'multipleOf',
        `must be a multiple of ${plainText(step)}`,
        (v) =>
          `abs(${v} / ${constant(step)} - round(${v} / ${constant(step)})) <= 1e-9 * greatest(1, abs(${v} / ${constant(step)}))`,
      ),
    )
  }
  const { plain, special } = styled(style)
  const normalOk = (value: string, text: string): string =>
    // What the cast takes beyond numbers: nan, inf, 1_000, and 1e-999 as zero.
    `(isfinite(${value}) AND NOT contains(${text}, '_') AND CASE WHEN ${value} <> 0 OR ${text} = '0' THEN true ELSE ${matches(text, `${sign}[0.]+(?:[eE][+-]?[0-9]+)?\\s*`)} END)`
  const re2 = shape(style, undefined)
  const fromText = (text: string): string => `TRY_CAST(${plain(text)} AS ${sqlType})`
  return {
    sqlType,
    typeInWords: 'number',
    nested: false,
    fromText,
    textOk: special ? (value, text) => `(isfinite(${value}) AND ${matches(text, re2)})` : normalOk,
    ...(special ? { typed: { fromText: (text: string) => `TRY_CAST(${text} AS ${sqlType})`, textOk: normalOk } } : {}),
    typeRule: {
      rule: 'type',
      message: `must be a number${style.decimalSeparator === ',' ? ' with a decimal comma' : ''}`,
    },
    checks,
    constant: (value) => {
      if (typeof value !== 'number' && typeof value !== 'bigint' && typeof value !== 'string') return undefined
      const number = exact(value)
      return number && constant(number)
    },
    comparable: true,
  }
}
