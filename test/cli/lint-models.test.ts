// `weir lint` of models: together with the contracts, every mistake with its place, one verdict.

import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { freshLake, weir, weirJson } from './weir.ts'

const PER_DAY = `/*---
description: Orders of each day.
materialized: incremental
uniqueKey: day
---*/
SELECT order_date AS day, count(*) AS orders, sum(quantity * unit_price) AS amount FROM curated.orders GROUP BY order_date
`

async function lakeWith(models: Record<string, string>): Promise<string> {
  const lake = await freshLake()
  await rm(join(lake, 'models'), { recursive: true, force: true })
  await mkdir(join(lake, 'models'))
  for (const [name, text] of Object.entries(models)) await writeFile(join(lake, 'models', name), text)
  return lake
}

test('models are counted, and listed in the order in which they are made', async () => {
  const lake = await lakeWith({
    'best_days.sql':
      '/*---\ndescription: Days with many orders.\n---*/ SELECT day FROM curated.per_day WHERE orders > 10',
    'per_day.sql': PER_DAY,
  })
  const { code, out } = await weir(lake, ['lint'])
  expect(out).toMatch(/✓ 1 dataset in 1 file of contracts, 2 models, no errors\n$/)
  expect(code).toBe(0)
  expect(await weirJson(lake, ['lint'])).toMatchObject({
    code: 0,
    document: {
      errors: [],
      datasets: ['orders'],
      models: [
        { name: 'per_day', file: 'per_day.sql', materialized: 'incremental', reads: ['curated.orders'] },
        { name: 'best_days', file: 'best_days.sql', materialized: 'table', reads: ['curated.per_day'] },
      ],
    },
  })
})

test('mistakes of models are errors with file, line and column, and end with 3', async () => {
  const lake = await lakeWith({
    'per_day.sql': PER_DAY.replace('(quantity', '(quantitee').replace('day\n---', 'dya\n---'),
    'other.sql': '/*---\nmaterialised: view\n---*/ SELECT * FROM curated.order',
    'plain.sql': 'SELECT 1 AS x',
  })
  const { code, out } = await weir(lake, ['lint'])
  expect(code).toBe(3)
  expect(out).toMatch(/^3 errors\n/)
  expect(out).toContain('  other.sql:2:1: There is no setting materialised; materialized is meant, perhaps.')
  expect(out).toContain('  other.sql:3:29: The SQL cannot be read: order is a word of the language')
  expect(out).toContain('  per_day.sql:6:51: There is no column quantitee.')
  expect(out).toContain('1 warning\n  plain.sql: The model has no description')
  expect(out).toMatch(/✗ 3 errors: 1 dataset in 1 file of contracts, 3 models\n$/)
  const { document } = await weirJson(lake, ['lint'])
  expect(document.errors[2]).toMatchObject({ file: 'per_day.sql', line: 6, column: 51 })
})

test('wrong contracts are told first, and do not make models wrong', async () => {
  const lake = await lakeWith({ 'per_day.sql': PER_DAY })
  await writeFile(join(lake, 'contracts', 'orders.yaml'), 'apiVersion: v3.1.0\nkind: DataContract\n')
  const { code, out } = await weir(lake, ['lint'])
  expect(code).toBe(3)
  expect(out).toContain('The SQL of 1 model is checked once the contracts have no errors.')
  expect(out).not.toContain('per_day.sql')
})

test('models lie where weir.yaml says', async () => {
  const lake = await lakeWith({})
  await writeFile(join(lake, 'weir.yaml'), 'models: sql\n')
  expect(await weir(lake, ['lint'])).toMatchObject({
    code: 3,
    out: expect.stringContaining('weir.yaml says that models lie in this folder, and it is not there.'),
  })
  await writeFile(join(lake, 'weir.yaml'), '')
  await mkdir(join(lake, 'sql'))
  await writeFile(join(lake, 'sql', 'per_day.sql'), PER_DAY)
  expect((await weir(lake, ['lint'])).out).not.toContain('model')
  await writeFile(join(lake, 'weir.yaml'), 'models: sql\n')
  expect((await weir(lake, ['lint'])).out).toContain(', 1 model, no errors')
})
