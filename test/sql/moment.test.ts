// FOR TIMESTAMP AS OF: what its expressions mean, by Trino's rules in a session of UTC, and what it does not take.

import { describe, expect, it } from 'vitest'
import { QueryError, UnsupportedSql } from '../../lib/sql/errors.ts'
import { momentOf } from '../../lib/sql/moment.ts'
import { parseStatement } from '../../lib/sql/parse.ts'

const NOW = new Date('2026-11-22T21:10:25.226Z')

/** An expression is read as one of a SELECT. */
function moment(text: string): string {
  const statement = parseStatement(`SELECT ${text}`)
  if (statement.kind !== 'query' || statement.query.body.kind !== 'select') throw new Error(text)
  const [item] = statement.query.body.items
  if (!item || item.star) throw new Error(text)
  return momentOf(`SELECT ${text}`, item.expr, 7, NOW).toISOString()
}
/** The same behind FOR TIMESTAMP AS OF, for what only stands there; with the clock of the machine. */
function clause(text: string): string {
  const statement = parseStatement(`SELECT * FROM curated.t FOR TIMESTAMP AS OF ${text} AS x`)
  if (statement.kind !== 'query' || statement.query.body.kind !== 'select') throw new Error(text)
  const { from } = statement.query.body
  if (from?.kind !== 'table' || from.asOf?.of !== 'time' || from.alias?.name !== 'x') throw new Error(text)
  return from.asOf.time.toISOString()
}

describe('a moment', () => {
  it.each([
    ["(current_timestamp - interval '1' day)", '2026-11-21T21:10:25.226Z'],
    ["now() - INTERVAL '2' HOUR - INTERVAL '10' MINUTE", '2026-11-22T19:00:25.226Z'],
    ["localtimestamp - INTERVAL '1' YEAR", '2025-11-22T21:10:25.226Z'],
    // A date is its midnight.
    ['current_date', '2026-11-22T00:00:00.000Z'],
    ["current_date - INTERVAL '1' DAY", '2026-11-21T00:00:00.000Z'],
    ["DATE '2026-11-01'", '2026-11-01T00:00:00.000Z'],
    ["CAST('2026-11-01' AS date)", '2026-11-01T00:00:00.000Z'],
    ['date(current_timestamp)', '2026-11-22T00:00:00.000Z'],
    // Without a zone a timestamp is in UTC.
    ["TIMESTAMP '2026-11-01'", '2026-11-01T00:00:00.000Z'],
    ["TIMESTAMP '2026-11-01 12:30'", '2026-11-01T12:30:00.000Z'],
    ["CAST('2026-11-01 12:30:15.5' AS timestamp)", '2026-11-01T12:30:15.500Z'],
    ["CAST('2026-11-01 12:30:15' AS timestamp(3) with time zone)", '2026-11-01T12:30:15.000Z'],
    ["TIMESTAMP '2026-11-01 00:00:00 UTC'", '2026-11-01T00:00:00.000Z'],
    ["TIMESTAMP '2026-11-01 13:30 +01:00'", '2026-11-01T12:30:00.000Z'],
    ["CAST('2026-11-01 00:00:00 -05:30' AS timestamp with time zone)", '2026-11-01T05:30:00.000Z'],
    ["from_iso8601_timestamp('2026-11-01T00:00:00+01:00')", '2026-10-31T23:00:00.000Z'],
    ['from_unixtime(1788220800)', '2026-09-01T00:00:00.000Z'],
    // Summer, winter, a time that the clocks show twice (the first), and one that they never show (an hour later).
    ["TIMESTAMP '2026-07-01 00:00:00 Europe/Berlin'", '2026-06-30T22:00:00.000Z'],
    ["TIMESTAMP '2026-11-01 00:00:00 Europe/Berlin'", '2026-10-31T23:00:00.000Z'],
    ["TIMESTAMP '2026-10-25 02:30:00 Europe/Berlin'", '2026-10-25T00:30:00.000Z'],
    ["TIMESTAMP '2026-03-29 02:30:00 Europe/Berlin'", '2026-03-29T01:30:00.000Z'],
    // An interval of a day is 24 hours, also where a day had 25: 12:00 in winter is 11:00 UTC.
    ["TIMESTAMP '2026-10-25 12:00 Europe/Berlin' - INTERVAL '1' DAY", '2026-10-24T11:00:00.000Z'],
    ["CAST(TIMESTAMP '2026-11-01 00:30 Europe/Berlin' AS date)", '2026-11-01T00:00:00.000Z'],
    ["date_add('day', -1, current_timestamp)", '2026-11-21T21:10:25.226Z'],
    ["date_add('month', -1, TIMESTAMP '2026-03-31 10:00')", '2026-02-28T10:00:00.000Z'],
    ["INTERVAL '1' MONTH + DATE '2026-01-31'", '2026-02-28T00:00:00.000Z'],
    ["DATE '2024-02-29' - INTERVAL '1' YEAR", '2023-02-28T00:00:00.000Z'],
    ["TIMESTAMP '1969-12-31 23:00' - INTERVAL '1' MONTH", '1969-11-30T23:00:00.000Z'],
    // Weeks begin on Monday.
    ["date_trunc('week', current_timestamp)", '2026-11-16T00:00:00.000Z'],
    ["date_trunc('quarter', current_date)", '2026-10-01T00:00:00.000Z'],
    ["date_trunc('hour', now())", '2026-11-22T21:00:00.000Z'],
  ])('%s is %s', (text, iso) => {
    expect(moment(text)).toBe(iso)
  })

  it.each([
    ["TIMESTAMP '2026-01-01 10:00' AT TIME ZONE 'America/New_York'", '2026-01-01T10:00:00.000Z'],
    // New York is five hours behind, and so still has the day before.
    ["CAST(TIMESTAMP '2026-01-01 03:00 UTC' AT TIME ZONE 'America/New_York' AS date)", '2025-12-31T00:00:00.000Z'],
    ["(DATE '2026-01-01')", '2026-01-01T00:00:00.000Z'],
  ])('%s behind the clause is %s', (text, iso) => {
    expect(clause(text)).toBe(iso)
  })

  it.each([
    [
      'current_timestamp',
      'line 1:8: FOR TIMESTAMP AS OF takes a moment in the past, and this is 2026-11-22T21:10:25.226Z',
    ],
    ["current_date + INTERVAL '1' DAY", 'takes a moment in the past, and this is 2026-11-23'],
    ['id', 'line 1:8: FOR TIMESTAMP AS OF takes a constant, and id is a column'],
    ["t.day - INTERVAL '1' DAY", 'takes a constant, and day is a column'],
    ['(SELECT max(day) FROM clean.t)', 'line 1:8: FOR TIMESTAMP AS OF takes a constant, and no subquery'],
    ["'2026-11-01'", 'takes a date or a timestamp, and this is a text'],
    ['NULL', 'and this is NULL'],
    ['20261101', 'and this is the integer 20261101'],
    ["DATE '2026-02-30'", "line 1:8: '2026-02-30' is no date"],
    ["TIMESTAMP '2026-02-30 10:00'", "'2026-02-30 10:00' is no moment"],
    ["TIMESTAMP '2026-02-01 10:00 Europe/Nowhere'", 'is no moment: write it as'],
    ["TIMESTAMP '2026-02-01 10:00 EST'", 'is no moment: write it as'],
    ["CAST('2026-11-01 00:00:00 UTC' AS timestamp)", 'line 1:13: '],
    ["current_date - INTERVAL '1' HOUR", 'hours, minutes and seconds cannot be added to a date'],
    ["date_trunc('hour', current_date)", "'hour' is no unit"],
  ])('%s is wrong', (text, message) => {
    expect(() => moment(text)).toThrow(QueryError)
    expect(() => moment(text)).toThrow(message)
  })

  it.each([
    ["date_parse('2026-11-01', '%Y-%m-%d')", 'date_parse(…) in FOR TIMESTAMP AS OF at line 1:8 is not supported.'],
    ['current_date - 1', 'This use of -'],
    ['CASE WHEN true THEN current_date END', 'This expression'],
    ["date_add('day', -1, TIMESTAMP '2026-11-01 00:00 Europe/Berlin')", 'A step by the calendar of Europe/Berlin'],
    ["CAST('2026-11-01 00:00' AS timestamp(0))", 'A cast to TIMESTAMP 0'],
  ])('%s is refused', (text, message) => {
    expect(() => moment(text)).toThrow(UnsupportedSql)
    expect(() => moment(text)).toThrow(message)
  })
})
