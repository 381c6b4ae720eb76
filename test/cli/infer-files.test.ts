// What infer drafts for a real file, lint and check accept: every row, with the types that the draft says.

import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { DuckDBInstance } from '@duckdb/node-api'
import { expect, test } from 'vitest'
import { parseContract } from '../../lib/contract/read.ts'
import { put, tempFolder, weir, weirJson } from './weir.ts'

const data = fileURLToPath(new URL('../../node_modules/vega-datasets/data/', import.meta.url))

test.each([
  'airports.csv',
  'birdstrikes.csv',
  'co2-concentration.csv',
  'disasters.csv',
  'flights-airport.csv',
  'gapminder-health-income.csv',
  'github.csv',
  'global-temp.csv',
  'iowa-electricity.csv',
  'la-riots.csv',
  'lookup_groups.csv',
  'lookup_people.csv',
  'population_engineers_hurricanes.csv',
  'seattle-weather.csv',
  'seattle-weather-hourly-normals.csv',
  'sp500.csv',
  'sp500-2000.csv',
  'species.csv',
  'stocks.csv',
  'unemployment.tsv',
  'us-employment.csv',
  'weather.csv',
  'windvectors.csv',
  'zipcodes.csv',
  'cars.json',
  'countries.json',
  'movies.json',
  'flights-2k.json',
  'us-state-capitals.json',
])('%s', async (name) => {
  const folder = await tempFolder()
  const drafted = await weir(folder, ['infer', join(data, name)])
  expect(drafted.code, drafted.err).toBe(0)
  const { plans, warnings } = parseContract(drafted.out)
  expect(plans.size).toBe(1)
  expect(warnings).toEqual([])

  await writeFile(join(folder, 'draft.yaml'), drafted.out)
  const { code, document } = await weirJson(folder, ['check', join(data, name), '--contract', 'draft.yaml'])
  expect(document.receipt?.violations ?? document).toEqual([])
  expect(document.receipt.reason).toBeUndefined()
  expect(document.receipt.warnings).toEqual([])
  expect(code).toBe(0)
})

test('zip codes keep their leading zeros, and the evidence is in the draft', async () => {
  const { out } = await weir(await tempFolder(), ['infer', join(data, 'zipcodes.csv'), '--dataset', 'zips'])
  expect(out).toMatch(
    /# leading zeros \(00\d+\) would be lost in a number, so a string\n(.*\n)*? +- name: zip_code\n +logicalType: string/,
  )
  expect(out).toContain('id: zips')
})

test('a semicolon file with decimal commas', async () => {
  const folder = await tempFolder()
  const file = await put(folder, 'messwerte.csv', 'ort;tag;wert\nKöln;31.10.2026;1,5\nBonn;01.11.2026;12,25\n')
  const { document } = await weirJson(folder, ['infer', file])
  expect(
    document.columns.map((one: { logicalType: string; format?: string }) => [one.logicalType, one.format]),
  ).toEqual([
    ['string', undefined],
    ['date', 'dd.MM.yyyy'],
    ['number', undefined],
  ])
  await writeFile(join(folder, 'draft.yaml'), document.yaml)
  expect((await weir(folder, ['check', file, '--contract', 'draft.yaml'])).code).toBe(0)
})

test('a dataset name that cannot be one, and a file that is none', async () => {
  const folder = await tempFolder()
  const file = await put(folder, 'a.csv', 'x\n1\n')
  expect(await weir(folder, ['infer', file, '--dataset', 'my orders'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('letters, digits and _'),
  })
  expect(await weir(folder, ['infer', 'nope.csv'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('There is no file'),
  })
})

test('columns of a Parquet file keep their types', async () => {
  const folder = await tempFolder()
  const file = join(folder, 'typed.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT 1::INTEGER AS a, '12' AS b, 1.50::DECIMAL(6,2) AS c, 2::DOUBLE AS d, DATE '2026-10-01' AS e,
       TIMESTAMP '2026-10-01 08:00:00' AS f, true AS g FROM range(3)) TO '${file}' (FORMAT parquet)`,
  )
  connection.closeSync()
  instance.closeSync()
  const { document } = await weirJson(folder, ['infer', file])
  expect(
    document.columns.map((one: { logicalType: string; physicalType?: string }) => one.physicalType ?? one.logicalType),
  ).toEqual([...['integer', 'string', 'decimal(6,2)', 'number', 'date', 'timestamp', 'boolean']])
  await writeFile(join(folder, 'draft.yaml'), document.yaml)
  const checked = await weirJson(folder, ['check', file, '--contract', 'draft.yaml'])
  expect(checked.document.receipt.violations).toEqual([])
  expect(checked.document.receipt.rows).toEqual({ read: 3, accepted: 3, rejected: 0 })
})

test('a file that cannot be read at all is refused with the reason and what to do', async () => {
  const folder = await tempFolder()
  const file = await put(folder, 'book.csv', Buffer.from('504b0304140006000800', 'hex'))
  const { code, document } = await weirJson(folder, ['infer', file])
  expect(code).toBe(2)
  expect(document.error).toMatchObject({ name: 'Refusal', exitCode: 2, advice: expect.stringContaining('CSV') })
})
