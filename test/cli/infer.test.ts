import { describe, expect, test } from 'vitest'
import { parseContract } from '../../lib/contract/read.ts'
import { datasetName, inferContract } from '../../lib/pipeline/infer.ts'
import { inferColumn, inferDecimalSeparator } from '../../lib/pipeline/infer-types.ts'

const whole = { complete: true, decimalSeparator: '.' as const }
const column = (...texts: (string | null)[]) => inferColumn('value', texts, whole)

describe('a type is guessed only where nothing is lost', () => {
  test('whole numbers', () => {
    expect(column('1', '42', '-7')).toMatchObject({
      logicalType: 'integer',
      required: true,
      evidence: '3 values, none empty: all whole numbers between -7 and 42',
    })
  })

  test.each([
    ['leading zeros', ['007', '12']],
    ['a code by its name only', ['x1', '12']],
    ['too long for 64 bits', ['99999999999999999999']],
    ['mixed', ['1', 'two', '3']],
    ['a plus sign', ['+1', '2']],
    ['thousands separators', ['1,234', '5']],
    ['an unknown word for nothing', ['1', 'NA', '3']],
    ['hexadecimal', ['0x10', '2']],
    ['infinite', ['Infinity', '1']],
    ['beyond a double', ['1e999', '1.5']],
    ['yes and no', ['yes', 'no']],
    ['a two-digit year', ['01.02.26', '02.02.26']],
    ['a date that does not exist', ['2026-02-30', '2026-02-01']],
    ['month names', ['Jan 1 2000', 'Feb 1 2000']],
    ['dates in two formats', ['2026-02-01', '01.02.2026']],
    ['an hour beyond 23', ['25:00', '10:00']],
    ['broken JSON', ['{"a":1', '{"a":2}']],
  ])('%s stays a string', (_, texts) => expect(column(...texts).logicalType).toBe('string'))

  test('names of codes keep whole numbers strings', () => {
    expect(inferColumn('zip', ['12345', '54321'], whole)).toMatchObject({ logicalType: 'string' })
    expect(inferColumn('phone number', ['12345'], whole).logicalType).toBe('string')
    expect(inferColumn('zippers', ['12345'], whole).logicalType).toBe('integer')
  })

  test('decimals are exact only where all have the same number of decimals', () => {
    expect(column('19.90', '5.00', '1249.00')).toMatchObject({ logicalType: 'number', physicalType: 'decimal(18,2)' })
    expect(column('19.9', '5.00').physicalType).toBeUndefined()
    expect(column('19', '5.00').physicalType).toBeUndefined()
    expect(column('1e5', '2.5')).toMatchObject({ logicalType: 'number' })
  })

  test('true and false', () => expect(column('true', 'FALSE').logicalType).toBe('boolean'))

  test('dates, when one format fits all and no other does', () => {
    const iso = column('2026-10-01', '2026-10-31')
    expect(iso.logicalType).toBe('date')
    expect(iso.format).toBeUndefined()
    expect(column('31/10/2026', '01/10/2026')).toMatchObject({ logicalType: 'date', format: 'dd/MM/yyyy' })
    expect(column('10/31/2026', '10/01/2026')).toMatchObject({ logicalType: 'date', format: 'MM/dd/yyyy' })
    expect(column('01.10.2026')).toMatchObject({ logicalType: 'date', format: 'dd.MM.yyyy' })
    const undecided = column('01/10/2026', '02/10/2026')
    expect(undecided.logicalType).toBe('string')
    expect(undecided.hints.join()).toContain('dd/MM/yyyy and MM/dd/yyyy')
  })

  test('timestamps and times', () => {
    expect(column('2026-10-01T08:00:00', '2026-10-01 09:00:00').logicalType).toBe('timestamp')
    expect(column('2026-10-01T08:00:00Z').logicalType).toBe('timestamp')
    expect(column('2015/01/01 01:00:00')).toMatchObject({ logicalType: 'timestamp', format: 'yyyy/MM/dd HH:mm:ss' })
    expect(column('08:30:00', '23:59:59').logicalType).toBe('time')
  })

  test('required only where no value was empty and all rows were seen', () => {
    expect(column('1', null).required).toBe(false)
    expect(column('1', ' ').required).toBe(false)
    expect(inferColumn('value', ['1'], { ...whole, complete: false }).required).toBe(false)
    expect(column(null, null)).toMatchObject({ logicalType: 'string', required: false })
  })

  test('a key is suggested, never set; so is a classification', () => {
    expect(column('a', 'b').hints.join()).toContain('primaryKey: true')
    expect(column('ada@example.com', 'ada@example.com').hints.join()).toContain('classification')
    expect(column('ada', 'ada').hints).toEqual([])
  })
})

test('a decimal comma is seen only where it cannot be a thousand', () => {
  const separator = (...texts: string[]) =>
    inferDecimalSeparator(
      ['a'],
      texts.map((text) => [text]),
    )
  expect(separator('1,5', '2,25')).toBe(',')
  expect(separator('1,234', '2,345')).toBe('.')
  expect(separator('0,234')).toBe(',')
  expect(inferDecimalSeparator(['a', 'b'], [['1,5', '1.5']])).toBe('.')
})

test('names of datasets', () => {
  expect(datasetName('exports/Orders 2026-10.csv.gz')).toBe('orders_2026_10')
  expect(datasetName('2026.csv')).toBe('d_2026')
  expect(datasetName('Café.json')).toBe('cafe')
  expect(datasetName('東京.csv')).toBe('dataset')
})

test('the draft is a contract that lint accepts, whatever the names and values are', () => {
  const { yaml } = inferContract(
    {
      reading: {
        format: 'csv',
        compression: 'none',
        encoding: 'utf-8',
        delimiter: ';',
        quote: "'",
        header: true,
        detected: ['delimiter'],
        extraColumns: [],
        missingColumns: [],
      },
      columns: ['Order ID', 'source', 'Größe: "x"', '#', '', 'order_id', '_upload', '東京'],
      rows: [['1', '# no: comment', 'a\nb', '- x', "it's", 'yes', '\u202e', null]],
      complete: true,
    },
    'or\nders #1.csv',
  )
  const { plans } = parseContract(yaml)
  const [plan] = plans.values()
  expect(plan?.dataset).toBe('or_ders_1')
  expect(plan?.columns.map((one) => one.name)).toEqual([
    'order_id_2',
    'source_column',
    'gro_e_x',
    'column_4',
    'column_5',
    'order_id',
    'upload',
    'column_8',
  ])
  expect(plan?.settings.file).toMatchObject({ delimiter: ';', quote: "'" })
})

test('objects and arrays are drafted inside by the same rules', () => {
  const { yaml } = inferContract(
    {
      reading: { format: 'json', compression: 'none', detected: [], extraColumns: [], missingColumns: [] },
      columns: ['place', 'tags'],
      rows: [
        ['{"zip":"007","lat":1.5}', '["a","b"]'],
        ['{"zip":"12","lat":2.25,"n":3}', '[]'],
      ],
      complete: true,
    },
    'places.json',
  )
  const [plan] = parseContract(yaml).plans.values()
  expect(plan?.columns.map((one) => one.sqlType)).toEqual([
    'STRUCT("zip" VARCHAR, "lat" DOUBLE, "n" BIGINT)',
    'VARCHAR[]',
  ])
})

test('columns that a header cannot tell apart are an error, not a guess', () => {
  const reading = {
    format: 'csv' as const,
    compression: 'none' as const,
    detected: [],
    extraColumns: [],
    missingColumns: [],
  }
  const sample = { reading, columns: ['Id', ' id'], rows: [], complete: true }
  expect(() => inferContract(sample, 'a.csv')).toThrow('two columns "id". Rename one of them.')
})
