// Which texts each type takes, held against the real DuckDB: its casts are more lenient than any contract.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { columnOf, judge, planOf, query } from './duck.ts'

/** A row of a table: the text, and the value in the clean table or the broken rules. */
type Row = [text: string, value: string | null, ...broken: string[]]

const holds = async (keys: string, rows: Row[], options: { file?: string; typed?: boolean } = {}): Promise<void> => {
  const extra = options.file ? `  customProperties: [{property: weir, value: {file: ${options.file}}}]\n` : ''
  const verdicts = await judge(
    columnOf(keys, extra),
    rows.map(([text]) => text),
    options.typed,
  )
  const got = verdicts.map((v, i) => [rows[i]?.[0], v.broken.length > 0 ? null : v.value, ...v.broken])
  expect(got).toEqual(rows.map(([text, value, ...broken]) => [text, broken.length > 0 ? null : value, ...broken]))
}
const bad = (...texts: string[]): Row[] => texts.map((text) => [text, null, 'type'])
const same = (...texts: string[]): Row[] => texts.map((text) => [text, text])

describe('string', () => {
  it('is kept exactly as it is', () =>
    holds('logicalType: string', same('007', ' a ', '', "it's", 'a\nb', '😀', 'NULL')))
  it('counts characters, not bytes', () =>
    holds('logicalType: string, logicalTypeOptions: {minLength: 2, maxLength: 3}', [
      ...same('ab', '😀é', 'abc'),
      ['a', null, 'minLength'],
      ['abcd', null, 'maxLength'],
    ]))
  it('takes its length from varchar(n)', () =>
    holds('physicalType: varchar(3)', [...same('abc'), ['abcd', null, 'maxLength']]))
  it('searches the pattern, as JSON Schema does', async () => {
    await holds('logicalType: string, logicalTypeOptions: {pattern: "[0-9]{2}"}', [
      ...same('a12b'),
      ['a1b', null, 'pattern'],
    ])
    await holds('logicalType: string, logicalTypeOptions: {pattern: "^[0-9]{2}$"}', [
      ...same('12'),
      ['a12b', null, 'pattern'],
      ['12\n', null, 'pattern'],
    ])
  })
  const formats: Record<string, [good: string[], wrong: string[]]> = {
    email: [
      ['a@b.org', 'first.last+tag@sub.example.co.uk', "o'neil@example.org", 'jürgen@example.org'],
      ['a@b', 'a b@c.org', '@b.org', 'a@', 'a..b@c.org', 'a@-b.org', 'a@b.org ', '.a@b.org'],
    ],
    uuid: [
      ['123e4567-e89b-12d3-a456-426614174000', '123E4567-E89B-12D3-A456-426614174000'],
      [
        '123e4567e89b12d3a456426614174000',
        '123e4567-e89b-12d3-a456-42661417400',
        '{123e4567-e89b-12d3-a456-426614174000}',
        'g23e4567-e89b-12d3-a456-426614174000',
      ],
    ],
    uri: [
      ['https://example.org/a?b=c#d', 'urn:isbn:0451450523', 'mailto:a@b.org', 'https://example.org/%20'],
      ['example.org', '/path', 'http://a b', 'http://a/%2', '1http://a', 'http:', 'http://a/<b>'],
    ],
    ipv4: [
      ['192.0.2.1', '0.0.0.0', '255.255.255.255'],
      ['256.0.0.1', '1.2.3', '1.2.3.4.5', '01.2.3.4', '1.2.3.4 '],
    ],
    ipv6: [
      ['2001:db8::1', '::', '::1', '1:2:3:4:5:6:7:8', '::ffff:192.0.2.1', 'fe80::', '1::8', '1:2:3:4:5:6:1.2.3.4'],
      ['1:2:3:4:5:6:7', '1::2::3', ':1:2:3:4:5:6:7', '12345::', 'g::', '1:2:3:4:5:6:7:8:9', '1.2.3.4', '::1.2.3.256'],
    ],
    hostname: [
      ['example.org', 'localhost', 'a-b.c', 'xn--bcher-kva.example', '1a.b'],
      ['-a.b', 'a-.b', 'a..b', 'a_b.c', '', `${'a'.repeat(64)}.org`, 'a.'],
    ],
    'date-time': [
      ['2026-01-31T09:30:00Z', '2026-01-31T09:30:00.123456789+02:00', '2024-02-29t23:59:59z'],
      [
        '2026-01-31',
        '2026-01-31 09:30:00Z',
        '2026-01-31T09:30:00',
        '2026-02-30T09:30:00Z',
        '2026-01-31T24:00:00Z',
        '2026-01-31T09:30Z',
        '2023-02-29T00:00:00Z',
      ],
    ],
  }
  for (const [format, [good, wrong]] of Object.entries(formats)) {
    it(`knows the format ${format}`, () =>
      holds(`logicalType: string, logicalTypeOptions: {format: ${format}}`, [
        ...same(...good),
        ...wrong.map((t): Row => [t, null, 'format']),
      ]))
  }
})

describe('integer', () => {
  const rounding = [
    '1.5',
    '1e3',
    '1_000',
    '0x1F',
    '0b1',
    '9223372036854775808',
    '',
    ' ',
    '1,5',
    'x',
    '٣',
    '--1',
    '1 2',
    '1.0000001',
    '.5',
  ]
  it('takes whole numbers only, where a cast would round', () =>
    holds('logicalType: integer', [
      ...same('7', '-7', '0', '9223372036854775807', '-9223372036854775808'),
      [' 7 ', '7'],
      ['+7', '7'],
      ['007', '7'],
      ['-0', '0'],
      ['7.0', '7'],
      ['7.', '7'],
      ...bad(...rounding),
    ]))
  it.each([
    ['i8', '-128', '127'],
    ['u8', '0', '255'],
    ['i16', '-32768', '32767'],
    ['u16', '0', '65535'],
    ['i32', '-2147483648', '2147483647'],
    ['u32', '0', '4294967295'],
    ['u64', '0', '18446744073709551615'],
  ])('%s runs from %s to %s', async (format, low, high) => {
    const below = String(BigInt(low) - 1n)
    const above = String(BigInt(high) + 1n)
    await holds(`logicalType: integer, logicalTypeOptions: {format: ${format}}`, [
      ...same(low, high),
      [below, null, 'format'],
      [above, null, 'format'],
    ])
  })
  it('stores what BIGINT cannot hold as a decimal', async () => {
    expect(columnOf('logicalType: integer, logicalTypeOptions: {format: u64}').sqlType).toBe('DECIMAL(20,0)')
    expect(columnOf('logicalType: integer, logicalTypeOptions: {format: i128}').sqlType).toBe('DECIMAL(38,0)')
    const most = '9'.repeat(38)
    await holds('logicalType: integer, logicalTypeOptions: {format: i128}', [
      ...same(most, `-${most}`),
      ...bad(`1${'0'.repeat(38)}`, '1.5'),
    ])
  })
  it('stores what the physicalType says', async () => {
    expect(columnOf('logicalType: integer').sqlType).toBe('BIGINT')
    expect(columnOf('logicalType: integer, physicalType: int').sqlType).toBe('INTEGER')
    expect(columnOf('physicalType: smallint').sqlType).toBe('SMALLINT')
    expect(columnOf('logicalType: integer, physicalType: "number(20,0)"').sqlType).toBe('DECIMAL(20,0)')
    await holds('physicalType: int', [...same('2147483647'), ...bad('2147483648')])
    await holds('physicalType: tinyint', [...same('127'), ['128', null, 'physicalType']])
    await holds('logicalType: integer, physicalType: decimal(3)', [...same('999'), ['1000', null, 'physicalType']])
  })
  it('compares with bounds exactly, fractions and 64 bits included', async () => {
    await holds('logicalType: integer, logicalTypeOptions: {minimum: 1.5, exclusiveMaximum: 4}', [
      ...same('2', '3'),
      ['1', null, 'minimum'],
      ['4', null, 'exclusiveMaximum'],
    ])
    await holds('logicalType: integer, logicalTypeOptions: {exclusiveMinimum: -1.5, maximum: 9007199254740993}', [
      ...same('-1', '9007199254740993'),
      ['-2', null, 'exclusiveMinimum'],
      ['9007199254740994', null, 'maximum'],
    ])
    await holds('logicalType: integer, logicalTypeOptions: {multipleOf: 2.5}', [
      ...same('5', '0', '-10'),
      ['2', null, 'multipleOf'],
    ])
  })
  it('reads thousands separators of the file, and only at thousands', () =>
    holds(
      'logicalType: integer',
      [
        ['1.234', '1234'],
        ['1234', '1234'],
        ['-1.234.567', '-1234567'],
        ...bad('1.23', '12.34', '.123', '1..234', '1,5'),
      ],
      {
        file: '{thousandsSeparator: ".", decimalSeparator: ","}',
      },
    ))
})

describe('number', () => {
  it('is a double, without nan, infinity and underscores', async () => {
    expect(columnOf('logicalType: number').sqlType).toBe('DOUBLE')
    expect(columnOf('logicalType: number, logicalTypeOptions: {format: f32}').sqlType).toBe('FLOAT')
    await holds('logicalType: number', [
      ['1.5', '1.5'],
      ['-.5', '-0.5'],
      ['5.', '5.0'],
      ['1e5', '100000.0'],
      [' 2 ', '2.0'],
      ['0', '0.0'],
      ['0e9', '0.0'],
      ...bad(
        'nan',
        'NaN',
        'inf',
        '-Infinity',
        '1_0',
        '1e999',
        '1e-999',
        '0x1',
        '',
        ' ',
        '1,5',
        '1.5.',
        'e5',
        '$5',
        '5%',
      ),
    ])
  })
  it('bounds and steps of doubles', () =>
    holds('logicalType: number, logicalTypeOptions: {minimum: 0.1, maximum: 0.3, multipleOf: 0.1}', [
      ['0.1', '0.1'],
      ['0.3', '0.3'],
      ['0.15', null, 'multipleOf'],
      ['0.31', null, 'maximum', 'multipleOf'],
      ['0', null, 'minimum'],
    ]))
  it('is exact with decimal(p,s): never rounded, never through a double', async () => {
    await holds('logicalType: number, physicalType: "decimal(10,2)"', [
      ['1.5', '1.50'],
      ['1.50', '1.50'],
      ['1.5000', '1.50'],
      [' +1.5 ', '1.50'],
      ['.05', '0.05'],
      ['-5.', '-5.00'],
      ['99999999.99', '99999999.99'],
      ...bad('1.239', '1.501', '100000000', '99999999.999', '1e2', '1_0.5', 'nan', '1,5', ''),
    ])
    await holds('physicalType: "numeric(38,10)"', [
      ['1234567890123456789012345678.0123456789', '1234567890123456789012345678.0123456789'],
    ])
  })
  it('bounds of decimals are decimals', () =>
    holds(
      'logicalType: number, physicalType: "decimal(10,2)", logicalTypeOptions: {minimum: 0.005, exclusiveMaximum: 100, multipleOf: 0.05}',
      [
        ['0.05', '0.05'],
        ['99.95', '99.95'],
        ['0.00', null, 'minimum'],
        ['0.06', null, 'multipleOf'],
        ['100', null, 'exclusiveMaximum'],
      ],
    ))
  it('a bound outside of the type is always or never met, and raises nothing', () =>
    holds('logicalType: number, physicalType: "decimal(38,2)", logicalTypeOptions: {minimum: -1e60, maximum: 1e60}', [
      ['1', '1.00'],
    ]))
  it('reads the decimal comma and thousands points of the file', async () => {
    const file = { file: '{thousandsSeparator: ".", decimalSeparator: ","}' }
    await holds(
      'logicalType: number',
      [
        ['1,5', '1.5'],
        ['1.234,5', '1234.5'],
        ['1234,5', '1234.5'],
        ['1.234', '1234.0'],
        ...bad('1.5', '1,234.5', '1.23,5', 'inf'),
      ],
      file,
    )
    await holds('physicalType: "decimal(10,2)"', [['1.234,50', '1234.50'], ...bad('1,239', '1.2')], file)
    await holds('physicalType: "decimal(10,2)"', [["1'234.5", '1234.50'], ...bad("1'23")], {
      file: '{thousandsSeparator: "\'"}',
    })
  })
  it('numbers that came typed are not read in the style of the file', () =>
    holds('physicalType: "decimal(10,3)"', [['1.234', '1.234']], {
      file: '{thousandsSeparator: ".", decimalSeparator: ","}',
      typed: true,
    }))
  it('decimal texts come back as they went in', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.bigInt(-(10n ** 30n) + 1n, 10n ** 30n - 1n), fc.nat(8)), { minLength: 1, maxLength: 50 }),
        async (numbers) => {
          const texts = numbers.map(([units, scale]) => {
            const digits = (units < 0n ? -units : units).toString().padStart(scale + 1, '0')
            return `${units < 0n ? '-' : ''}${scale === 0 ? digits : `${digits.slice(0, -scale)}.${digits.slice(-scale)}`}`
          })
          const verdicts = await judge(columnOf('physicalType: "decimal(38,8)"'), texts)
          verdicts.forEach((verdict, i) => {
            const [whole, fraction = ''] = (texts[i] ?? '').split('.')
            expect(verdict.broken).toEqual([])
            expect(verdict.value?.replace(/^-(0\.0*)$/, '$1')).toBe(
              `${whole}.${fraction.padEnd(8, '0')}`.replace(/^-(0\.0*)$/, '$1'),
            )
          })
        },
      ),
      { numRuns: 20 },
    ))
})

describe('boolean', () => {
  it('has ten spellings in any case', () =>
    holds('logicalType: boolean', [
      ...['true', 'TRUE', 't', 'Yes', 'y', '1', ' true '].map((t): Row => [t, 'true']),
      ...['false', 'F', 'no', 'N', '0'].map((t): Row => [t, 'false']),
      ...bad('on', 'off', '2', '', '1.0', 'tr', 'wahr', '-1'),
    ]))
})

describe('date', () => {
  it('is ISO 8601 and exists in the calendar', () =>
    holds('logicalType: date', [
      ...same('2020-01-05', '2024-02-29', '0001-01-01', '9999-12-31'),
      [' 2020-01-05 ', '2020-01-05'],
      ...bad(
        '2020-1-5',
        '2020/01/05',
        '20200105',
        '05.01.2020',
        'epoch',
        'infinity',
        '-infinity',
        '0044-03-15 (BC)',
        '2020-02-30',
        '2023-02-29',
        '10000-01-01',
        '0000-01-01',
        '2020-01-05 10:00:00',
        '2020-01-05T00:00:00',
        'today',
        '',
        '2020-13-01',
      ),
    ]))
  it('bounds', () =>
    holds('logicalType: date, logicalTypeOptions: {minimum: 2000-01-01, exclusiveMaximum: 2001-01-01}', [
      ...same('2000-01-01', '2000-12-31'),
      ['1999-12-31', null, 'minimum'],
      ['2001-01-01', null, 'exclusiveMaximum'],
    ]))
  it('typed files may hold midnight timestamps', () =>
    holds(
      'logicalType: date',
      [...same('2020-01-05'), ['2020-01-05 00:00:00', '2020-01-05'], ...bad('2020-01-05 00:00:01')],
      { typed: true },
    ))
  it.each<[format: string, rows: Row[]]>([
    [
      'dd/MM/yyyy',
      [
        ['05/01/2020', '2020-01-05'],
        [' 05/01/2020 ', '2020-01-05'],
        ...bad('5/1/2020', '05/01/20', '30/02/2020', '2020-01-05', '05-01-2020', '13/13/2020'),
      ],
    ],
    ['d.M.yyyy', [['5.1.2020', '2020-01-05'], ['05.01.2020', '2020-01-05'], ...bad('5.1.20', '5 1 2020')]],
    [
      'MM/dd/yy',
      [
        ['01/05/20', '2020-01-05'],
        ['12/31/99', '2099-12-31'],
        ['02/29/72', '2072-02-29'],
        ...bad('01/05/2020', '1/5/20'),
      ],
    ],
    ['yyyyMMdd', [['20200105', '2020-01-05'], ...bad('2020105', '202001055')]],
    [
      'dd-MMM-yyyy',
      [
        ['05-Jan-2020', '2020-01-05'],
        ['05-JAN-2020', '2020-01-05'],
        ...bad('05-Foo-2020', '05-01-2020', '05-January-2020'),
      ],
    ],
    ["d 'of' MMMM uuuu", [['5 of January 2020', '2020-01-05'], ...bad('5 January 2020', '5 of Jan 2020')]],
    ["yyyy'%'MM'%'dd", [['2020%01%05', '2020-01-05'], ...bad('2020-01-05')]],
  ])('reads %s strictly', (format, rows) =>
    holds(`logicalType: date, logicalTypeOptions: {format: ${JSON.stringify(format)}}`, rows),
  )
})

describe('timestamp', () => {
  it('is ISO 8601; offsets are converted to UTC, never dropped', () =>
    holds('logicalType: timestamp', [
      ['2020-01-05 10:00', '2020-01-05 10:00:00'],
      ['2020-01-05T10:00:00', '2020-01-05 10:00:00'],
      ['2020-01-05T10:00:00.5', '2020-01-05 10:00:00.5'],
      ['2020-01-05 10:00:00.123456', '2020-01-05 10:00:00.123456'],
      ['2020-01-05T10:00:00Z', '2020-01-05 10:00:00'],
      ['2020-01-05T10:00:00+02:00', '2020-01-05 08:00:00'],
      ['2020-01-05T10:00-00:30', '2020-01-05 10:30:00'],
      ['2020-01-05T10:00Z', '2020-01-05 10:00:00'],
      [' 2020-01-05T10:00:00+02:00 ', '2020-01-05 08:00:00'],
      [' 2020-01-05 10:00 ', '2020-01-05 10:00:00'],
      ...bad(
        '2020-01-05',
        '2020-01-05 10',
        '2020-01-05 24:00:00',
        '2020-01-05 23:59:60',
        '2020-01-05 10:00:00.1234567',
        '2020-02-30 10:00:00',
        '2020-01-05 10:00:00 Europe/Berlin',
        '2020-01-05 10:00:00 +02:00',
        '2020-01-05T10:00:00+02',
        '2020-01-05T10:00:00+25:00',
        '2020-1-5 10:00:00',
        'infinity',
        'epoch',
        'now',
        '',
        '1578218400',
        '2020-01-05 10:60:00',
      ),
    ]))
  it('reads a text without offset in defaultTimezone; an hour that the zone skips is no value', () =>
    holds('logicalType: timestamp, logicalTypeOptions: {timezone: true, defaultTimezone: Europe/Berlin}', [
      ['2020-01-05 10:00', '2020-01-05 09:00:00'],
      ['2020-07-05T10:00:00', '2020-07-05 08:00:00'],
      ['2020-07-05T10:00:00Z', '2020-07-05 10:00:00'],
      ['2020-07-05T10:00:00+05:00', '2020-07-05 05:00:00'],
      ...bad('2020-03-29 02:30:00', '2020-01-05'),
    ]))
  it('refuses an offset where timezone is false', () =>
    holds('logicalType: timestamp, logicalTypeOptions: {timezone: false}', [
      ['2020-01-05 10:00', '2020-01-05 10:00:00'],
      ...bad('2020-01-05T10:00:00Z', '2020-01-05T10:00:00+02:00'),
    ]))
  it('bounds are compared in UTC', () =>
    holds(
      'logicalType: timestamp, logicalTypeOptions: {minimum: "2020-01-01T00:00:00+01:00", maximum: "2020-01-01 12:00"}',
      [
        ['2019-12-31T23:00:00Z', '2019-12-31 23:00:00'],
        ['2019-12-31T22:59:59Z', null, 'minimum'],
        ['2020-01-01T12:00:01', null, 'maximum'],
      ],
    ))
  it.each<[format: string, rows: Row[]]>([
    [
      'dd.MM.yyyy HH:mm',
      [
        ['05.01.2020 10:00', '2020-01-05 10:00:00'],
        ...bad('05.01.2020', '05.01.2020 24:00', '5.1.2020 10:00', '05.01.2020 10:00:00'),
      ],
    ],
    [
      'MM/dd/yyyy hh:mm a',
      [
        ['01/05/2020 10:00 PM', '2020-01-05 22:00:00'],
        ['01/05/2020 12:00 am', '2020-01-05 00:00:00'],
        ...bad('01/05/2020 13:00 PM', '01/05/2020 10:00'),
      ],
    ],
    [
      "yyyy-MM-dd'T'HH:mm:ss.SSSXXX",
      [
        ['2020-01-05T10:00:00.123+02:00', '2020-01-05 08:00:00.123'],
        ['2020-01-05T10:00:00.123Z', '2020-01-05 10:00:00.123'],
        ...bad('2020-01-05T10:00:00.12Z', '2020-01-05T10:00:00.123', '2020-01-05T10:00:00.123+0200'),
      ],
    ],
    ['yyyyMMddHHmmss', [['20200105100001', '2020-01-05 10:00:01'], ...bad('2020010510000')]],
    [
      'yyyy-MM-dd HH:mm[:ss][Z]',
      [
        ['2020-01-05 10:00', '2020-01-05 10:00:00'],
        ['2020-01-05 10:00:01', '2020-01-05 10:00:01'],
        ['2020-01-05 10:00:01+0200', '2020-01-05 08:00:01'],
        ['2020-01-05 10:00-0500', '2020-01-05 15:00:00'],
        ...bad('2020-01-05 10:00Z'),
      ],
    ],
  ])('reads %s', (format, rows) =>
    holds(`logicalType: timestamp, logicalTypeOptions: {format: ${JSON.stringify(format)}}`, rows),
  )
  it('a format in a zone', () =>
    holds('logicalType: timestamp, logicalTypeOptions: {format: "dd.MM.yyyy HH:mm", defaultTimezone: Europe/Berlin}', [
      ['05.07.2020 10:00', '2020-07-05 08:00:00'],
      ...bad('29.03.2020 02:30'),
    ]))
  it('typed values are read as DuckDB writes them', () =>
    holds(
      'logicalType: timestamp, logicalTypeOptions: {format: dd.MM.yyyy HH:mm}',
      [
        ['2020-01-05', '2020-01-05 00:00:00'],
        ['2020-01-05 10:00:00', '2020-01-05 10:00:00'],
        ['2020-01-05 10:00:00-05', '2020-01-05 15:00:00'],
        ['2020-01-05 10:00:00.5+05:30', '2020-01-05 04:30:00.5'],
        ...bad('05.01.2020 10:00', 'infinity'),
      ],
      { typed: true },
    ))
  it('dates of v3.0 contracts that mean timestamps become timestamps', () => {
    expect(columnOf('logicalType: date, physicalType: timestamp').sqlType).toBe('TIMESTAMP')
    expect(columnOf('logicalType: date, logicalTypeOptions: {format: "yyyy-MM-dd HH:mm:ss"}').sqlType).toBe('TIMESTAMP')
  })
})

describe('time', () => {
  it('is a normalised text', () =>
    holds('logicalType: time', [
      ['10:00', '10:00:00'],
      [' 10:00:00.50 ', '10:00:00.5'],
      ['23:59:59.999999', '23:59:59.999999'],
      ...bad('24:00', '24:00:00', '23:59:60', '1:2', '10:00+02:00', '10', '', '10:00:00.1234567', '25:00'),
    ]))
  it('formats and bounds', () =>
    holds('logicalType: time, logicalTypeOptions: {format: h:mm a, minimum: "09:00", exclusiveMaximum: "17:00"}', [
      ['9:00 AM', '09:00:00'],
      ['4:59 pm', '16:59:00'],
      ['8:59 AM', null, 'minimum'],
      ['5:00 PM', null, 'exclusiveMaximum'],
      ...bad('17:00', '13:00 PM'),
    ]))
})

describe('object and array', () => {
  const order =
    'logicalType: object, logicalTypeOptions: {minProperties: 1, maxProperties: 3, required: [zip]}, properties: [{name: zip, logicalType: string, logicalTypeOptions: {pattern: "^[0-9]{5}$"}}, {name: "line s", logicalType: array, logicalTypeOptions: {minItems: 1, maxItems: 2}, items: {logicalType: object, properties: [{name: sku, logicalType: integer, required: true, logicalTypeOptions: {minimum: 5}}, {name: tags, logicalType: array, items: {logicalType: string, logicalTypeOptions: {maxLength: 2}}}]}}, {name: "it\'s", logicalType: number, physicalType: "decimal(20,2)"}]'
  it('becomes STRUCT and LIST', () => {
    expect(columnOf(order).sqlType).toBe(
      'STRUCT("zip" VARCHAR, "line s" STRUCT("sku" BIGINT, "tags" VARCHAR[])[], "it\'s" DECIMAL(20,2))',
    )
  })
  it.each<[text: string, broken: string[], message?: string]>([
    ['{"zip":"12345","line s":[{"sku":7,"tags":["a"]}],"it\'s":1.5}', []],
    ['{"zip":null}', []],
    ['{"zip":"1"}', ['pattern'], 'at .zip: must match the pattern ^[0-9]{5}$'],
    ['{}', ['minProperties', 'required'], 'at .zip: must be present'],
    ['{"zip":"12345","line s":[]}', ['minItems'], 'at .line s: must have at least 1 item'],
    ['{"zip":"12345","line s":[{"sku":7},{"sku":4}]}', ['minimum'], 'at .line s[].sku: must be at least 5'],
    ['{"zip":"12345","line s":[{"sku":null}]}', ['required'], 'at .line s[].sku: must not be empty'],
    ['{"zip":"12345","line s":[{"sku":"x"}]}', ['type'], 'at .line s[].sku: must be a whole number'],
    ['{"zip":"12345","line s":[5]}', ['type'], 'at .line s[]: must be an object (JSON in braces)'],
    ['{"zip":"12345","line s":{"sku":7}}', ['type'], 'at .line s: must be a list (JSON in square brackets)'],
    [
      '{"zip":"12345","line s":[{"sku":7,"tags":["ok","not"]}]}',
      ['maxLength'],
      'at .line s[].tags[]: must have at most 2 characters',
    ],
    [
      '{"zip":"12345","it\'s":1.234}',
      ['type'],
      "at .it's: must be a number with at most 18 digits before and 2 after the point",
    ],
    [
      '{"zip":"12345","it\'s":123456789012345678.25}',
      ['type'],
      "at .it's: must have at most 15 digits to be exact as a JSON number; write it as a text in quotes",
    ],
    ['{"zip":"12345","it\'s":"123456789012345678.25"}', []],
    [
      '{"zip":"12345","more":1}',
      ['extraProperties'],
      'has properties that the contract does not name, and they are left out',
    ],
    ['{"zip":"12345"', ['type'], 'must be an object (JSON in braces)'],
    ['[1]', ['type'], 'must be an object (JSON in braces)'],
    ['text', ['type']],
    ['null', ['type']],
    ['', ['type']],
  ])('%s breaks %j', async (text, broken, message) => {
    const [verdict] = await judge(columnOf(order), [text])
    expect(verdict?.broken).toEqual(broken)
    if (message) expect(verdict?.messages).toContain(message)
  })
  it('keeps values and types', async () => {
    const [verdict] = await judge(columnOf(order), [
      '{"line s":[{"sku":7,"tags":["a","b"]}],"zip":"01234","it\'s":"123456789012345678.25"}',
    ])
    expect(verdict?.value).toBe(
      `{'zip': 01234, 'line s': [{'sku': 7, 'tags': [a, b]}], 'it\\'s': 123456789012345678.25}`,
    )
  })
  it('formats apply inside, and decimals in lists are exact or refused', async () => {
    await holds('logicalType: array, items: {logicalType: date, logicalTypeOptions: {format: dd/MM/yyyy}}', [
      ['["05/01/2020"]', '[2020-01-05]'],
      ['["2020-01-05"]', null, 'type'],
    ])
    await holds('logicalType: array, items: {logicalType: number, physicalType: "decimal(20,2)"}', [
      ['["123456789012345678.25", 1.5, null]', '[123456789012345678.25, 1.50, NULL]'],
      ['[123456789012345.25]', null, 'type'],
    ])
  })
  it('uniqueItems compares values, nulls included', () =>
    holds('logicalType: array, logicalTypeOptions: {uniqueItems: true}, items: {logicalType: integer}', [
      ['[1,2,null]', '[1, 2, NULL]'],
      ['[]', '[]'],
      ['[1,1.0]', null, 'uniqueItems'],
      ['[null,null]', null, 'uniqueItems'],
    ]))
  it('an object without properties is kept as JSON text', () =>
    holds('logicalType: object', [['{"a":[1]}', '{"a":[1]}'], ...bad('[1]', 'x')]))
  it('the extra properties are an error where extraColumns says refuse', () => {
    const strict = planOf(
      '  - {name: c, logicalType: object, properties: [{name: a, logicalType: string}]}',
      '  customProperties: [{property: weir, value: {extraColumns: refuse}}]\n',
    )
    expect(strict.columns[0]?.checks.find((c) => c.rule === 'extraProperties')?.severity).toBe('error')
  })
})

describe('no text raises', () => {
  const columns = [
    'logicalType: integer, logicalTypeOptions: {format: u64, minimum: 1, multipleOf: 3}',
    'logicalType: number, physicalType: "decimal(38,10)", logicalTypeOptions: {multipleOf: 0.01}',
    'logicalType: number',
    'logicalType: boolean',
    'logicalType: date, logicalTypeOptions: {format: d/M/yy}',
    'logicalType: timestamp',
    'logicalType: timestamp, logicalTypeOptions: {defaultTimezone: America/New_York}',
    'logicalType: timestamp, logicalTypeOptions: {format: "yyyy-MM-dd HH:mm[:ss][XXX]"}',
    'logicalType: time',
    'logicalType: string, logicalTypeOptions: {format: uri, pattern: "^\\\\w+$"}',
    'logicalType: array, items: {logicalType: object, properties: [{name: a, logicalType: timestamp}]}',
    'logicalType: object, properties: [{name: a, logicalType: integer}]',
  ]
  const hard = [
    'infinity',
    '-infinity',
    'epoch',
    'nan',
    '1e400',
    '9'.repeat(400),
    '290000-12-31 00:00:00+00:00',
    '-290308-12-22 (BC)',
    '294247-01-10 04:00:54.775806',
    'infinity+00:00',
    '0000-00-00',
    '{"a":1e999}',
    '{"a":{"b":[]}}',
    '[{"a":"infinity"}]',
    '[[[[',
    '\0',
    '\u{1F600}',
    '{"a":1}{"a":2}',
    '["\\u0000"]',
  ]
  it.each(columns)('%s', async (keys) => {
    const column = columnOf(keys)
    const junk = fc.sample(
      fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.json(),
        fc.string({ unit: fc.constantFrom(...'0123456789-:+.T Z/eE,') }),
      ),
      { numRuns: 300, seed: 7 },
    )
    const texts = [...hard, ...junk]
    expect(await judge(column, texts)).toHaveLength(texts.length)
    expect(await judge(column, texts, true)).toHaveLength(texts.length)
  })
  it('and no value is lost on the way into the clean type', async () => {
    const [[type] = []] = await query(`SELECT typeof(${columnOf('physicalType: "decimal(10,2)"').fromText("'1.5'")})`)
    expect(type).toBe('DECIMAL(10,2)')
  })
})
