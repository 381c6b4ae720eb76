// date, timestamp and time columns. The default is strict ISO 8601; a JDK format replaces it. Timestamps are stored in
// UTC microseconds; a time of day is stored as text, because Athena has no TIME in Parquet.

import type { DatasetReport } from '../errors.ts'
import { type DateFields, type DateFormat, DateFormatError, isRealDate, readDateFormat } from '../jdk-format.ts'
import type { ColumnCheck } from '../plan.ts'
import { literal } from '../sql.ts'
import { quickDate, quickTimestamp } from './quick.ts'
import { type ColumnType, check, type Place, type TypeOptions } from './type.ts'

const DAY = '[0-9]{4}-[0-9]{2}-[0-9]{2}'
const CLOCK = '(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\\.[0-9]{1,6})?)?'
const OFFSET = '(?:Z|[+-](?:0[0-9]|1[0-8]):[0-5][0-9])'

const matches = (text: string, re2: string): string => `regexp_full_match(${text}, ${literal(`\\s*(?:${re2})\\s*`)})`

type BoundName = 'minimum' | 'maximum' | 'exclusiveMinimum' | 'exclusiveMaximum'
const OPERATORS: Record<BoundName, [string, string]> = {
  minimum: ['>=', 'must not be before'],
  exclusiveMinimum: ['>', 'must be after'],
  maximum: ['<=', 'must not be after'],
  exclusiveMaximum: ['<', 'must be before'],
}

/** The format option, read; undefined when there is none or it cannot be used (which is reported). */
export const formatOf = (options: TypeOptions, at: Place, report: DatasetReport): DateFormat | undefined => {
  const pattern = options.format as string | undefined
  if (pattern === undefined) return undefined
  try {
    return readDateFormat(pattern)
  } catch (cause) {
    if (!(cause instanceof DateFormatError)) throw cause
    report.error([...at.options, 'format'], `The format cannot be used: ${cause.message}.`, { found: pattern })
    return undefined
  }
}

const ISO = /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(^|[T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,6}))?)?(Z|[+-]\d\d:\d\d)?)?$/
const readIso = (text: string): DateFields | undefined => {
  const m = ISO.exec(text.trim())
  if (!m || text.trim() === '' || (m[1] === undefined) !== (m[4] === '')) return undefined
  const number = (i: number): number => Number(m[i] ?? 0)
  const fields: DateFields = {
    year: m[1] === undefined ? 1900 : number(1),
    month: m[2] === undefined ? 1 : number(2),
    day: m[3] === undefined ? 1 : number(3),
    hour: number(5),
    minute: number(6),
    second: number(7),
    micros: Number((m[8] ?? '').padEnd(6, '0')),
  }
  const offset = m[9]
  if (offset === 'Z') fields.offset = 0
  else if (offset !== undefined)
    fields.offset = (offset.startsWith('-') ? -1 : 1) * (Number(offset.slice(1, 3)) * 60 + Number(offset.slice(4)))
  return isRealDate(fields) && fields.hour < 24 && fields.minute < 60 && fields.second < 60 ? fields : undefined
}

const pad = (n: number, width: number): string => String(n).padStart(width, '0')
const dateText = (f: DateFields): string => `${pad(f.year, 4)}-${pad(f.month, 2)}-${pad(f.day, 2)}`
const clockText = (f: DateFields): string =>
  `${pad(f.hour, 2)}:${pad(f.minute, 2)}:${pad(f.second, 2)}${f.micros === 0 ? '' : `.${pad(f.micros, 6).replace(/0+$/, '')}`}`
/** UTC text of the fields; an offset is taken off. */
const utcText = (f: DateFields): string => {
  const date = new Date(Date.UTC(f.year, f.month - 1, f.day, f.hour, f.minute - (f.offset ?? 0), f.second))
  date.setUTCFullYear(f.year < 100 ? f.year : date.getUTCFullYear())
  return `${date.toISOString().slice(0, 19).replace('T', ' ')}${f.micros === 0 ? '' : `.${pad(f.micros, 6)}`}`
}

type Kind = 'date' | 'timestamp' | 'time'
const WHAT: Record<Kind, string> = {
  date: 'a date such as 2026-01-31',
  timestamp: 'a date and time such as 2026-01-31T09:30:00Z',
  time: 'a time such as 09:30:00',
}

/** SQL constant and comparable text of a bound or an allowed value, in ISO or in the column's own format. */
const constantOf = (
  kind: Kind,
  value: unknown,
  format: DateFormat | undefined,
  zone: string,
): { sql: string; sort: string } | undefined => {
  if (typeof value !== 'string') return undefined
  const fields = readIso(value) ?? format?.read(value.trim())
  if (!fields) return undefined
  const isoTime = /^\s*\d\d:/.test(value)
  const hasClock = /\d\d:\d\d/.test(value) || (format?.hasTime ?? false)
  if (kind === 'date')
    return isoTime || fields.hour + fields.minute + fields.second > 0
      ? undefined
      : { sql: `DATE '${dateText(fields)}'`, sort: dateText(fields) }
  if (kind === 'time') {
    return (isoTime || (format !== undefined && !format.hasDate && hasClock)) && fields.offset === undefined
      ? { sql: literal(clockText(fields)), sort: clockText(fields) }
      : undefined
  }
  if (isoTime) return undefined
  const text = utcText(fields)
  if (fields.offset === undefined && zone !== 'UTC') {
    return { sql: `make_timestamp(epoch_us(TIMESTAMP '${text}' AT TIME ZONE ${literal(zone)}))`, sort: text }
  }
  return { sql: `TIMESTAMP '${text}'`, sort: text }
}

const boundChecks = (
  kind: Kind,
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  format: DateFormat | undefined,
  zone: string,
): ColumnCheck[] => {
  const checks: ColumnCheck[] = []
  const found: Partial<Record<BoundName, string>> = {}
  for (const name of ['minimum', 'exclusiveMinimum', 'maximum', 'exclusiveMaximum'] as const) {
    const value = options[name]
    if (value === undefined) continue
    const constant = constantOf(kind, value, format, zone)
    if (!constant) {
      report.error([...at.options, name], `This bound is not ${WHAT[kind]}.`, {
        found: value,
        allowed: `${WHAT[kind]}${format ? `, or in the format ${format.pattern}` : ''}`,
      })
      continue
    }
    found[name] = constant.sort
    const [operator, words] = OPERATORS[name]
    checks.push(check(name, `${words} ${String(value)}`, (v) => `${v} ${operator} ${constant.sql}`))
  }
  for (const low of ['minimum', 'exclusiveMinimum'] as const) {
    for (const high of ['maximum', 'exclusiveMaximum'] as const) {
      const [a, b] = [found[low], found[high]]
      if (a === undefined || b === undefined) continue
      if (a > b || (a === b && (low !== 'minimum' || high !== 'maximum'))) {
        report.error([...at.options, low], `${low} and ${high} leave no value between them.`, {
          found: options[low],
          allowed: `a value before ${String(options[high])}`,
        })
      }
    }
  }
  return checks
}

/** try_strptime over the text; only where that fails, once more without spaces and with Z as +00:00. */
const strptime = (format: DateFormat, formats: string[], text: string): string => {
  const list = formats.length === 1 ? literal(formats[0] ?? '') : `[${formats.map(literal).join(', ')}]`
  const clean = format.zulu ? `regexp_replace(trim(${text}), 'Z$', '+00:00')` : `trim(${text})`
  return `coalesce(try_strptime(${text}, ${list}), try_strptime(${clean}, ${list}))`
}

/** strptime reads 69 to 99 as 19xx; the JDK's yy counts from 2000. */
const century = (format: DateFormat, value: string): string =>
  format.twoDigitYear ? `CASE WHEN year(${value}) < 2000 THEN ${value} + INTERVAL 100 YEAR ELSE ${value} END` : value

const inYears = (value: string, literalOf: 'DATE' | 'TIMESTAMP'): string =>
  literalOf === 'DATE'
    ? `${value} BETWEEN DATE '0001-01-01' AND DATE '9999-12-31'`
    : `${value} BETWEEN TIMESTAMP '0001-01-01 00:00:00' AND TIMESTAMP '9999-12-31 23:59:59.999999'`

type MakeType = (options: TypeOptions, at: Place, report: DatasetReport, format: DateFormat | undefined) => ColumnType

export const dateType: MakeType = (options, at, report, format) => {
  const type = fullDateType(options, at, report, format)
  return format?.pattern === 'yyyy-MM-dd' ? quickDate(type) : type
}

/** Dates without the shortcut for the form that nearly all have. */
export const fullDateType: MakeType = (options, at, report, format) => {
  const iso = {
    fromText: (text: string) => `TRY_CAST(${text} AS DATE)`,
    textOk: (value: string, text: string) =>
      `(${inYears(value, 'DATE')} AND CASE WHEN CAST(${value} AS VARCHAR) = ${text} THEN true ELSE ${matches(text, DAY)} END)`,
  }
  // A timestamp of a typed file is a date when it is midnight, as pandas writes dates.
  const typed = {
    ...iso,
    textOk: (value: string, text: string) =>
      `(${inYears(value, 'DATE')} AND ${matches(text, `${DAY}(?:[T ]00:00:00(?:\\.0+)?)?`)})`,
  }
  const own = format && {
    fromText: (text: string) => `CAST(${century(format, strptime(format, format.withoutOffset, text))} AS DATE)`,
    textOk: (value: string, text: string) => `(${inYears(value, 'DATE')} AND ${matches(text, format.shape)})`,
  }
  return {
    sqlType: 'DATE',
    typeInWords: `date as ${format?.pattern ?? 'yyyy-MM-dd'}`,
    nested: false,
    ...(own ?? iso),
    typed,
    typeRule: {
      rule: 'type',
      message: `must be a date as ${format?.pattern ?? 'yyyy-MM-dd'} that exists in the calendar`,
    },
    checks: boundChecks('date', options, at, report, format, 'UTC'),
    constant: (value) => constantOf('date', value, format, 'UTC')?.sql,
    comparable: true,
  }
}

const zoneExists = (zone: string): boolean => {
  if (!/^[A-Za-z][A-Za-z0-9_+/-]*$/.test(zone)) return false
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
  } catch {
    return false
  }
}
const UTC_NAMES = new Set(['utc', 'etc/utc', 'gmt', 'etc/gmt', 'zulu', 'etc/zulu', 'z', 'uct', 'etc/uct', 'universal'])

export const timestampType: MakeType = (options, at, report, format) => {
  const type = fullTimestampType(options, at, report, format)
  // Of a format of its own the contract may expect a T or a space; the shortcut takes both.
  return format === undefined && zoneOf(options) === 'UTC' ? quickTimestamp(type) : type
}

/** The zone of texts without an offset. */
const zoneOf = ({ defaultTimezone, timezone }: TypeOptions): string => {
  const named = defaultTimezone as string | undefined
  if (named === undefined || timezone === false || UTC_NAMES.has(named.toLowerCase()) || !zoneExists(named))
    return 'UTC'
  return named
}

/** Timestamps without the shortcut for the form that nearly all have. */
export const fullTimestampType: MakeType = (options, at, report, format) => {
  const timezone = options.timezone as boolean | undefined
  const named = options.defaultTimezone as string | undefined
  const zone = zoneOf(options)
  if (named !== undefined && !UTC_NAMES.has(named.toLowerCase())) {
    if (!zoneExists(named)) {
      report.error([...at.options, 'defaultTimezone'], 'This is not a time zone of the IANA database.', {
        found: named,
        allowed: 'e.g. Europe/Berlin, America/New_York, Etc/UTC',
      })
    } else if (timezone === false) {
      report.warn(
        [...at.options, 'defaultTimezone'],
        'defaultTimezone has no effect where timezone is false: the texts are kept as wall-clock time.',
      )
    }
  }
  if (timezone === false && format && format.offset === 'yes') {
    report.error(
      [...at.options, 'timezone'],
      `timezone is false, but the format ${format.pattern} demands an offset.`,
      { found: false, allowed: 'true, or a format without X, x or Z' },
    )
  }
  const utc = (instant: string): string => `make_timestamp(epoch_us(${instant}))`
  // The conversion raises far outside of the calendar, hence TRY.
  const local = (wall: string): string => (zone === 'UTC' ? wall : utc(`TRY(${wall} AT TIME ZONE ${literal(zone)})`))
  // A wall-clock time that the zone skips (spring) would come back as another one: it names no instant, so it is no value.
  const exists = (value: string, wall: string): string =>
    zone === 'UTC'
      ? ''
      : ` AND coalesce(TRY((${value} AT TIME ZONE 'UTC') AT TIME ZONE ${literal(zone)}) = ${wall}, true)`

  // DuckDB reads +02:00 into a TIMESTAMP and drops it, so a text with an offset goes through TIMESTAMPTZ (never through the
  // session's zone). The sixth character from the end is the sign of ±hh:mm; in a text without offset it is not.
  // With white space at the end that sign is elsewhere: such texts go the slow way.
  const trailing = (text: string): string => `substr(${text}, -1, 1) < '0'`
  const hasOffset = (text: string): string => `substr(${text}, -6, 1) IN ('+', '-')`
  const wall = (text: string): string => `TRY_CAST(${text} AS TIMESTAMP)`
  // Each part of the text stands once in a branch: what stands twice, DuckDB evaluates up front for all rows.
  const read = (text: string): string =>
    timezone === false
      ? wall(text)
      : zone === 'UTC'
        ? `CASE WHEN ${trailing(text)} THEN NULL WHEN ${hasOffset(text)} THEN ${utc(`TRY_CAST(${text} AS TIMESTAMPTZ)`)} ELSE ${wall(text)} END`
        : `CASE WHEN ${trailing(text)} THEN NULL WHEN ${hasOffset(text)} THEN ${utc(`TRY_CAST(${text} AS TIMESTAMPTZ)`)} WHEN suffix(${text}, 'Z') THEN ${wall(text)} ELSE ${local(wall(text))} END`
  // Only where that fails: spaces around, and minutes without seconds before an offset, which no cast takes.
  const complete = (text: string): string =>
    `regexp_replace(regexp_replace(${text}, '^\\s+|\\s+$', '', 'g'), '([T ][0-9]{2}:[0-9]{2})(Z|[+-][0-9]{2}:[0-9]{2})$', '\\1:00\\2')`
  const again = (text: string): string =>
    timezone === false
      ? wall(`trim(${text})`)
      : `CASE WHEN regexp_matches(${text}, '${OFFSET}\\s*$') THEN ${utc(`TRY_CAST(${complete(text)} AS TIMESTAMPTZ)`)} ELSE ${local(wall(`trim(${text})`))} END`
  const isoShape = `${DAY}[T ]${CLOCK}${timezone === false ? '' : `${OFFSET}?`}`
  const iso = {
    fromText: (text: string) => `coalesce(${read(text)}, ${again(text)})`,
    textOk: (value: string, text: string) => {
      const wallOnly = `CASE WHEN regexp_matches(${text}, '${OFFSET}\\s*$') THEN NULL ELSE ${wall(`trim(${text})`)} END`
      // The value stands here as seldom as possible: a filter puts its whole expression in each place.
      return `(${inYears(value, 'TIMESTAMP')} AND ${matches(text, isoShape)}${exists(value, wallOnly)})`
    },
  }
  // Typed files: DATE, TIMESTAMP and TIMESTAMPTZ (+00, in the session's zone) as the cast to VARCHAR writes them.
  const typedText = (text: string): string => `regexp_replace(${text}, '([+-][0-9]{2})$', '\\1:00')`
  const typedInstant = (text: string): string =>
    `regexp_matches(${text}, ':[0-9]{2}(?:\\.[0-9]+)?[+-][0-9]{2}(?::[0-9]{2})?$')`
  const typed = {
    fromText: (text: string) =>
      `CASE WHEN ${typedInstant(text)} THEN ${utc(`TRY_CAST(${typedText(text)} AS TIMESTAMPTZ)`)} WHEN suffix(${text}, 'Z') THEN ${wall(text)} ELSE ${local(wall(text))} END`,
    textOk: (value: string, text: string) =>
      `(${inYears(value, 'TIMESTAMP')} AND ${matches(text, `${DAY}(?:[T ]${CLOCK}0{0,3}(?:Z|[+-][0-9]{2}(?::[0-9]{2})?)?)?`)})`,
  }
  const own = format && {
    fromText: (text: string) => {
      const without =
        format.withoutOffset.length > 0
          ? local(`CAST(${century(format, strptime(format, format.withoutOffset, text))} AS TIMESTAMP)`)
          : undefined
      const within =
        format.withOffset.length > 0 && timezone !== false
          ? century(format, utc(strptime(format, format.withOffset, text)))
          : undefined
      return within && without ? `coalesce(${within}, ${without})` : (within ?? without ?? 'CAST(NULL AS TIMESTAMP)')
    },
    textOk: (value: string, text: string) => {
      const wallOnly =
        format.withoutOffset.length > 0
          ? `CAST(${century(format, strptime(format, format.withoutOffset, text))} AS TIMESTAMP)`
          : 'NULL'
      return `(${inYears(value, 'TIMESTAMP')} AND ${matches(text, format.shape)}${exists(value, wallOnly)})`
    },
  }
  const like =
    format?.pattern ??
    `yyyy-MM-ddTHH:mm:ss${timezone === false ? '' : ', with or without an offset such as Z or +02:00'}`
  return {
    sqlType: 'TIMESTAMP',
    typeInWords: `date and time as ${like}`,
    nested: false,
    ...(own ?? iso),
    typed,
    typeRule: {
      rule: 'type',
      message: `must be a date and time as ${like}${timezone === false && !format ? ', without an offset' : ''}${zone === 'UTC' ? '' : `, a time that exists in ${zone}`}`,
    },
    checks: boundChecks('timestamp', options, at, report, format, zone),
    constant: (value) => constantOf('timestamp', value, format, zone)?.sql,
    comparable: true,
  }
}

export const timeType: MakeType = (options, at, report, format) => {
  for (const name of ['timezone', 'defaultTimezone'] as const) {
    if (options[name] !== undefined && options[name] !== false) {
      report.skip(
        [...at.options, name],
        `${name}: ${String(options[name])}`,
        'a time of day has no date, so it cannot be converted between zones; it is kept as written, and an offset is a violation',
      )
    }
  }
  if (format && (format.hasDate || format.offset !== 'no')) {
    report.error(
      [...at.options, 'format'],
      'The format of a time of day may hold hours, minutes, seconds and a fraction only.',
      { found: format.pattern, allowed: 'e.g. HH:mm:ss' },
    )
  }
  const normal = (time: string): string => `CAST(CAST(${time} AS TIME) AS VARCHAR)`
  const iso = {
    fromText: (text: string) =>
      `CASE WHEN ${matches(text, CLOCK)} THEN CAST(TRY_CAST(trim(${text}) AS TIME) AS VARCHAR) END`,
  }
  const own = format && {
    fromText: (text: string) =>
      `CASE WHEN ${matches(text, format.shape)} THEN ${normal(strptime(format, format.withoutOffset, text))} END`,
  }
  const like = format?.pattern ?? 'HH:mm:ss'
  return {
    sqlType: 'VARCHAR',
    typeInWords: `time of day as ${like}`,
    nested: false,
    ...(own ?? iso),
    ...(own ? { typed: iso } : {}),
    typeRule: { rule: 'type', message: `must be a time of day as ${like}, from 00:00 to 23:59:59` },
    checks: boundChecks('time', options, at, report, format, 'UTC'),
    constant: (value) => constantOf('time', value, format, 'UTC')?.sql,
    comparable: true,
  }
}
