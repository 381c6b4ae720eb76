// The moment of FOR TIMESTAMP AS OF, worked out from its expression before anything runs, in one place for every lake. Constants
// only, as in Athena, whose session is in UTC: a date is its midnight there, a timestamp without a zone is of there.

import type { Call, Expr, TypeName } from './ast.ts'
import { QueryError } from './errors.ts'
import { placeOf, placeText, unsupported } from './lex.ts'

/** `local`: without a zone, as if it were UTC. */
interface Time {
  of: 'date' | 'local' | 'instant'
  ms: number
  /** Of an instant: where its days begin. */
  zone: string
}

const DAY = 86_400_000
const UNITS: Readonly<Record<string, { ms: number } | { months: number }>> = {
  millisecond: { ms: 1 },
  second: { ms: 1000 },
  minute: { ms: 60_000 },
  hour: { ms: 3_600_000 },
  day: { ms: DAY },
  week: { ms: 7 * DAY },
  month: { months: 1 },
  quarter: { months: 3 },
  year: { months: 12 },
}
const KNOWN =
  "Write it with literals, current_timestamp, current_date, + and - INTERVAL, date_add, date_trunc, CAST, AT TIME ZONE: TIMESTAMP '2026-01-31 12:30:00 UTC'."

/**
 * The moment that an expression, which begins at `at`, says at `now`, to the millisecond. Throws QueryError for what is no constant or not in the past, and
 * UnsupportedSql for what Athena might take.
 *
 * @example
 * momentOf(sql, expr, at, new Date()) // current_timestamp - INTERVAL '1' DAY: 24 hours ago
 */
export function momentOf(sql: string, expr: Expr, at: number, now: Date): Date {
  const { ms } = new Moments(sql, now).time(expr)
  const moment = new Date(ms)
  const wrong = (why: string) => new QueryError(`${placeText(sql, at)}: ${why}`, { place: placeOf(sql, at) })
  if (Number.isNaN(moment.getTime())) throw wrong('FOR TIMESTAMP AS OF asks for a moment beyond all calendars.')
  if (ms >= now.getTime())
    throw wrong(
      `FOR TIMESTAMP AS OF takes a moment in the past, and this is ${moment.toISOString()}. Leave the clause out for the table as it is now.`,
    )
  return moment
}

class Moments {
  private readonly sql: string
  private readonly now: Date
  constructor(sql: string, now: Date) {
    this.sql = sql
    this.now = now
  }

  private wrong(at: number, why: string): QueryError {
    return new QueryError(`${placeText(this.sql, at)}: ${why}`, { place: placeOf(this.sql, at) })
  }
  private refuse(at: number, what: string): QueryError {
    return unsupported(this.sql, at, `${what} in FOR TIMESTAMP AS OF`, KNOWN)
  }

  time(expr: Expr): Time {
    const { at } = expr
    switch (expr.kind) {
      case 'literal':
        if (expr.of === 'date' || expr.of === 'timestamp') return this.read(expr.value, expr.of, at)
        throw this.wrong(
          at,
          `FOR TIMESTAMP AS OF takes a date or a timestamp, and this is ${expr.of === 'null' ? 'NULL' : expr.of === 'text' ? 'a text' : `the ${expr.of} ${expr.value}`}. Write TIMESTAMP '2026-01-31 12:30:00 UTC'.`,
        )
      case 'binary':
        return this.plus(expr)
      case 'cast':
        return this.cast(expr.of, expr.to, expr.at)
      case 'call':
        return this.call(expr)
      case 'name':
      case 'dot':
        throw this.wrong(
          at,
          `FOR TIMESTAMP AS OF takes a constant, and ${expr.name} is a column. Write the moment: TIMESTAMP '2026-01-31 12:30:00 UTC'.`,
        )
      case 'subquery':
        throw this.wrong(
          at,
          "FOR TIMESTAMP AS OF takes a constant, and no subquery. Ask that first, and write the moment: TIMESTAMP '2026-01-31 12:30:00 UTC'.",
        )
      default:
        throw this.refuse(at, 'This expression')
    }
  }

  private plus({ op, left, right, at }: Extract<Expr, { kind: 'binary' }>): Time {
    const [day, interval] = right.kind === 'interval' ? [left, right] : [right, left]
    if (interval.kind !== 'interval' || !(op === '-' ? interval === right : op === '+'))
      throw this.refuse(at, `This use of ${op}`)
    const to = this.time(day)
    const unit = interval.unit.toLowerCase()
    // The units that INTERVAL has. One of days is so many hours, whatever the clocks do.
    if (!['year', 'month', 'day', 'hour', 'minute', 'second'].includes(unit) || !/^-?\d{1,9}$/.test(interval.value))
      throw this.refuse(interval.at, `INTERVAL '${interval.value}' ${interval.unit}`)
    if (to.of === 'date' && ['hour', 'minute', 'second'].includes(unit))
      throw this.wrong(at, 'hours, minutes and seconds cannot be added to a date. Write CAST(x AS timestamp).')
    const sign = (op === '-' ? -1 : 1) * (interval.negative ? -1 : 1)
    return this.added(to, unit, sign * Number(interval.value), at)
  }

  private added(to: Time, unit: string, count: number, at: number): Time {
    const step = UNITS[unit]
    if (!step) throw this.refuse(at, `The unit ${unit}`)
    if ('ms' in step) return { ...to, ms: to.ms + count * step.ms }
    this.onlyUtc(to, at)
    const day = new Date(to.ms)
    const first = Date.UTC(day.getUTCFullYear(), day.getUTCMonth() + count * step.months, 1)
    const last = new Date(new Date(first).setUTCMonth(new Date(first).getUTCMonth() + 1, 0)).getUTCDate()
    // A month that is too short ends on its last day.
    const kept = Math.min(day.getUTCDate(), last) - 1
    return { ...to, ms: first + kept * DAY + (((to.ms % DAY) + DAY) % DAY) }
  }

  /** Days and months of another zone are of another length on some days. */
  private onlyUtc({ of, zone }: Time, at: number): void {
    if (of === 'instant' && !isUtc(zone)) throw this.refuse(at, `A step by the calendar of ${zone}`)
  }

  private cast(of: Expr, { name, numbers, args, at: typeAt }: TypeName, at: number): Time {
    const to = name === 'DATE' ? 'date' : name.startsWith('TIMESTAMP') ? 'timestamp' : undefined
    const zoned = name === 'TIMESTAMP WITH TIME ZONE'
    const [digits = 3] = numbers
    if (!to || args.length > 0 || (to === 'date' && numbers.length > 0) || digits < 3)
      throw this.refuse(typeAt, `A cast to ${[name, ...numbers].join(' ')}`)
    if (of.kind === 'literal' && of.of === 'text') {
      const read = this.read(of.value, to, at)
      if (!zoned && read.of === 'instant')
        throw this.wrong(of.at, `'${of.value}' has a time zone: write CAST(… AS timestamp with time zone).`)
      return zoned ? { ...read, of: 'instant' } : read
    }
    const found = this.time(of)
    if (zoned) return { ...found, of: 'instant' }
    const local = found.of === 'instant' ? found.ms + offsetAt(found.zone, found.ms) : found.ms
    return { of: to === 'date' ? 'date' : 'local', ms: to === 'date' ? startOf('day', local) : local, zone: 'UTC' }
  }

  private call({ name, args, at, distinct, star, filter, over }: Call): Time {
    const small = name.toLowerCase()
    const [first, second, third] = args
    const now = this.now.getTime()
    if (distinct || star || filter || over) throw this.refuse(at, `This use of ${small}`)
    if (args.length === 0) {
      if (small === 'current_timestamp' || small === 'now') return { of: 'instant', ms: now, zone: 'UTC' }
      if (small === 'localtimestamp') return { of: 'local', ms: now, zone: 'UTC' }
      if (small === 'current_date') return { of: 'date', ms: startOf('day', now), zone: 'UTC' }
    }
    const text = (expr: Expr | undefined): string => {
      if (expr?.kind === 'literal' && expr.of === 'text') return expr.value
      throw this.refuse(expr?.at ?? at, `A computed argument of ${small}`)
    }
    if (small === 'date_add' && second && third) {
      const unit = text(first).toLowerCase()
      const negative = second.kind === 'negative' ? second.of : second
      if (negative.kind !== 'literal' || negative.of !== 'integer')
        throw this.refuse(second.at, 'A computed number in date_add')
      const to = this.time(third)
      if (to.of === 'date' && ['millisecond', 'second', 'minute', 'hour'].includes(unit))
        throw this.wrong(at, `'${unit}' is no unit of a date. Write CAST(x AS timestamp).`)
      // Unlike INTERVAL '1' DAY it goes by the calendar of the zone.
      if (unit === 'day' || unit === 'week') this.onlyUtc(to, at)
      return this.added(to, unit, Number(negative.value) * (negative === second ? 1 : -1), at)
    }
    if (small === 'date_trunc' && second && args.length === 2) {
      const unit = text(first).toLowerCase()
      const of = this.time(second)
      if (!(unit in UNITS) || (of.of === 'date' && ['millisecond', 'second', 'minute', 'hour'].includes(unit)))
        throw this.wrong(at, `'${unit}' is no unit to cut a ${of.of === 'date' ? 'date' : 'timestamp'} to.`)
      this.onlyUtc(of, at)
      return { ...of, ms: startOf(unit, of.ms) }
    }
    if (small === 'at_timezone' && first && args.length === 2) {
      const of = this.time(first)
      const zone = zoneNamed(text(second))
      if (of.of === 'date') throw this.wrong(at, 'a date has no time zone. Write CAST(x AS timestamp).')
      if (zone === undefined) throw this.wrong(second?.at ?? at, `'${text(second)}' is no time zone.`)
      return { ...of, of: 'instant', zone }
    }
    if (small === 'date' && first && args.length === 1)
      return this.cast(first, { name: 'DATE', numbers: [], args: [], fields: [], at }, at)
    if (small === 'from_unixtime' && first?.kind === 'literal' && args.length === 1 && /^\d+$/.test(first.value))
      return { of: 'instant', ms: Number(first.value) * 1000, zone: 'UTC' }
    if (small === 'from_iso8601_timestamp' && args.length === 1) {
      const value = text(first)
      if (/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/.test(value))
        return { ...this.read(value.replace('T', ' '), 'timestamp', at), of: 'instant' }
    }
    throw this.refuse(at, `${small}(…)`)
  }

  /** A text as DATE or TIMESTAMP read it. */
  private read(value: string, of: 'date' | 'timestamp', at: number): Time {
    const [all, day = '', hours = '0', minutes = '0', seconds = '0', part = '', zoneText] =
      /^(\d{4}-\d\d-\d\d)(?: (\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?)?(?: ?([A-Za-z][A-Za-z0-9_/+-]*|[+-]\d\d:\d\d))?$/.exec(
        value.trim(),
      ) ?? []
    const zone = zoneText === undefined ? 'UTC' : zoneNamed(zoneText)
    const midnight = Date.parse(`${day}T00:00:00Z`)
    if (
      all === undefined ||
      zone === undefined ||
      (of === 'date' && value.trim() !== day) ||
      // 31 February would become a day of March.
      Number.isNaN(midnight) ||
      new Date(midnight).toISOString().slice(0, 10) !== day ||
      Number(hours) > 23 ||
      Number(minutes) > 59 ||
      Number(seconds) > 59
    )
      throw this.wrong(
        at,
        of === 'date'
          ? `'${value}' is no date. Write DATE '2026-01-31'.`
          : `'${value}' is no moment: write it as '2026-01-31 12:30:00 UTC', '2026-01-31 13:30:00 +01:00' or '2026-01-31 13:30:00 Europe/Berlin'.`,
      )
    const local =
      midnight +
      Number(hours) * 3_600_000 +
      Number(minutes) * 60_000 +
      Number(seconds) * 1000 +
      Number(part.padEnd(3, '0'))
    if (of === 'date') return { of: 'date', ms: local, zone: 'UTC' }
    return zoneText === undefined
      ? { of: 'local', ms: local, zone: 'UTC' }
      : { of: 'instant', ms: inZone(zone, local), zone }
  }
}

function startOf(unit: string, ms: number): number {
  const day = new Date(ms)
  const [year, month] = [day.getUTCFullYear(), day.getUTCMonth()]
  if (unit === 'year') return Date.UTC(year, 0, 1)
  if (unit === 'quarter') return Date.UTC(year, month - (month % 3), 1)
  if (unit === 'month') return Date.UTC(year, month, 1)
  // Weeks begin on Monday.
  if (unit === 'week') return startOf('day', ms) - ((day.getUTCDay() + 6) % 7) * DAY
  const step = UNITS[unit]
  return step && 'ms' in step ? Math.floor(ms / step.ms) * step.ms : ms
}

const isUtc = (zone: string): boolean => zone === 'UTC'

/** A zone as Intl knows it; undefined for what is none. Short names, as EST, mean different things to different engines. */
function zoneNamed(text: string): string | undefined {
  if (/^(utc|z|gmt|[+-]00:00)$/i.test(text)) return 'UTC'
  if (/^[+-](0\d|1[0-4]):[0-5]\d$/.test(text)) return text
  if (!/^[A-Za-z]+\/[A-Za-z0-9_/+-]+$/.test(text)) return undefined
  try {
    return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone
  } catch {
    return undefined
  }
}

/** How far a zone's clocks are ahead of UTC at a moment, in milliseconds. */
function offsetAt(zone: string, ms: number): number {
  if (isUtc(zone)) return 0
  if (/^[+-]/.test(zone))
    return (zone.startsWith('-') ? -1 : 1) * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4))) * 60_000
  const whole = Math.floor(ms / 1000) * 1000
  const parts = new Map(
    new Intl.DateTimeFormat('en', {
      timeZone: zone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
      .formatToParts(whole)
      .map(({ type, value }) => [type, Number(value)]),
  )
  const part = (type: Intl.DateTimeFormatPartTypes) => parts.get(type) ?? 0
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - whole
}

/**
 * The moment at which a zone's clocks show a time. Shown twice: the first of them. Never shown, as clocks were put forward: as much
 * later as they were.
 */
function inZone(zone: string, local: number): number {
  const [before, after] = [offsetAt(zone, local - DAY), offsetAt(zone, local + DAY)]
  for (const offset of [before, after]) if (offsetAt(zone, local - offset) === offset) return local - offset
  return local - before
}
