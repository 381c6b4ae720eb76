// Formats of the JDK: what is written in a format is read back, in TypeScript and in DuckDB alike.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { DateFormatError, readDateFormat } from '../../lib/contract/jdk-format.ts'
import { columnOf, judge } from './duck.ts'

const pad = (n: number, width = 2): string => String(n).padStart(width, '0')
const MONTHS = 'January February March April May June July August September October November December'.split(' ')

const write = (d: Date, field: string): string => {
  const hour = d.getUTCHours()
  const written: Record<string, string> = {
    yyyy: pad(d.getUTCFullYear(), 4),
    uuuu: pad(d.getUTCFullYear(), 4),
    yy: pad(d.getUTCFullYear() % 100),
    MM: pad(d.getUTCMonth() + 1),
    M: String(d.getUTCMonth() + 1),
    MMM: (MONTHS[d.getUTCMonth()] ?? '').slice(0, 3),
    MMMM: MONTHS[d.getUTCMonth()] ?? '',
    dd: pad(d.getUTCDate()),
    d: String(d.getUTCDate()),
    HH: pad(hour),
    H: String(hour),
    mm: pad(d.getUTCMinutes()),
    ss: pad(d.getUTCSeconds()),
    s: String(d.getUTCSeconds()),
    hh: pad(hour % 12 === 0 ? 12 : hour % 12),
    a: hour < 12 ? 'AM' : 'pm',
    SSS: pad(d.getUTCMilliseconds(), 3),
    SSSSSS: `${pad(d.getUTCMilliseconds(), 3)}000`,
  }
  return written[field] ?? field
}

describe('JDK formats', () => {
  it('round trip: any instant, any order of fields and separators', () => {
    const separator = fc.constantFrom('-', '/', '.', ' ', '%', ', ', "' of '", "'T'")
    const date = fc.tuple(
      fc.shuffledSubarray(['y', 'm', 'd'], { minLength: 3 }),
      fc.constantFrom('yyyy', 'uuuu', 'yy'),
      fc.constantFrom('MM', 'M', 'MMM', 'MMMM'),
      fc.constantFrom('dd', 'd'),
      separator,
    )
    const clock = fc.constantFrom(
      ['HH', ':', 'mm'],
      ['HH', ':', 'mm', ':', 'ss'],
      ['HH', 'mm', 'ss'],
      ['H', ':', 'mm', ':', 's'],
      ['hh', ':', 'mm', ':', 'ss', ' ', 'a'],
      ['HH', ':', 'mm', ':', 'ss', '.', 'SSS'],
      ['HH', ':', 'mm', ':', 'ss', ',', 'SSSSSS'],
    )
    const instant = fc.date({ min: new Date('2000-01-01'), max: new Date('2099-12-31'), noInvalidDate: true })
    return fc.assert(
      fc.asyncProperty(
        date,
        clock,
        fc.array(instant, { minLength: 5, maxLength: 10 }),
        async ([order, year, month, day, between], time, instants) => {
          const fields = order.map((o) => ({ y: year, m: month, d: day })[o] ?? '')
          const parts = [...fields.flatMap((f, i) => (i === 0 ? [f] : [between, f])), ' ', ...time]
          const format = parts.join('')
          const texts = instants.map((at) =>
            parts.map((p) => write(at, p.startsWith("'") ? p.slice(1, -1) : p)).join(''),
          )
          const verdicts = await judge(
            columnOf(`logicalType: timestamp, logicalTypeOptions: {format: ${JSON.stringify(format)}}`),
            texts,
          )
          instants.forEach((at, i) => {
            const precise =
              parts.includes('SSS') || parts.includes('SSSSSS')
                ? 23
                : parts.includes('ss') || parts.includes('s')
                  ? 19
                  : 16
            const wanted = at.toISOString().slice(0, precise).replace('T', ' ')
            expect({ format, text: texts[i], value: verdicts[i]?.value }).toEqual({
              format,
              text: texts[i],
              value:
                precise === 16
                  ? `${wanted}:00`
                  : wanted.replace(/\.?0+$/, (z) => (precise === 23 ? '' : z)).replace(/^(.{16})$/, '$1:00'),
            })
            expect(readDateFormat(format).read(texts[i] ?? '')).toMatchObject({
              year: at.getUTCFullYear(),
              month: at.getUTCMonth() + 1,
              day: at.getUTCDate(),
              hour: at.getUTCHours(),
              minute: at.getUTCMinutes(),
            })
          })
        },
      ),
      { numRuns: 60 },
    )
  })

  it.each<[format: string, message: RegExp]>([
    ['yyyy-MM-dd EEE', /letters "EEE" .* are not supported; allowed: yyyy, yy, MM/],
    ['YYYY-MM-dd', /letters "YYYY"/],
    ['yyyy-DDD', /letters "DDD"/],
    ['yyyy-MM-dd VV', /letters "VV"/],
    ['SSSSSSS', /letters "SSSSSSS"/],
    ['yyyy-MM', /must have year, month and day together/],
    ['dMyyyy', /two numbers next to each other/],
    ['hh:mm', /has hh without a/],
    ['HH:mm a', /has a \(AM\/PM\) without hh/],
    ['HH:ss', /has seconds without minutes/],
    ['yyyy-MM-dd yyyy', /has the year twice/],
    ["yyyy-MM-dd'T", /a quote that is not closed/],
    ['yyyy-MM-dd[ HH:mm', /not closed/],
    ['yyyy-MM-dd]', /never opened/],
    ['[yyyy-MM-dd ]HH:mm', /date in an optional section/],
    ['XXX yyyy-MM-dd HH:mm', /must have the offset at its end/],
    ['', /has no field at all/],
    ['ISO_LOCAL_DATE', /is not a pattern; leave it out for ISO 8601/],
    ['yyyy{MM}dd', /reserved/],
    ['[[[[[y]]]]]', /letters "y"/],
    ['[a][a][a][a][a]HH', /too many optional sections/],
  ])('%s is refused', (format, message) => {
    expect(() => readDateFormat(format)).toThrow(DateFormatError)
    expect(() => readDateFormat(format)).toThrow(message)
  })

  it('does not take days that do not exist', () => {
    expect(readDateFormat('dd/MM/yyyy').read('30/02/2020')).toBeUndefined()
    expect(readDateFormat('dd/MM/yyyy').read('29/02/2020')).toMatchObject({ day: 29 })
  })
})
