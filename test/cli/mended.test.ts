// Small promises of the command line that were once broken.

import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { WEIR_VERSION } from '../../lib/version.ts'
import { freshLake, put, tempFolder, weir, weirJson } from './weir.ts'

test('an option that lacks its value does not swallow the next one', async () => {
  const lake = await freshLake()
  const { code, document } = await weirJson(lake, ['drop', 'samples/orders.csv', '--name'])
  expect(code).toBe(3)
  expect(document.error.message).toContain('It needs a value, and --json is an option.')
  expect((await weirJson(lake, ['receipts', '--since', '--limit'])).document.error.exitCode).toBe(3)
  expect((await weirJson(lake, ['receipts'])).document).toEqual({ receipts: [], total: 0 })
})

test('--json gives one document, also for help and the version', async () => {
  const folder = await tempFolder()
  expect((await weirJson(folder, ['--version'])).document).toEqual({ version: WEIR_VERSION })
  for (const args of [['help', 'drop'], ['drop', '--help'], ['--help']]) {
    const { code, document } = await weirJson(folder, args)
    expect(code).toBe(0)
    expect(document.help).toContain('Usage: weir')
  }
})

test('SQL that cannot be read is told of plainly', async () => {
  const ran = await weir(await freshLake(), ['query', 'select 1 from from x'])
  expect(ran.code).toBe(3)
  expect(ran.err).toMatch(/^weir: The SQL cannot be read: line 1:15: from is a word of the language/)
})

test.each([
  [['a.csv'], '1 file in landing/other/ has no contract'],
  [['a.csv', 'b.csv'], '2 files in landing/other/ have no contract'],
])('reconcile counts %j in proper words', async (names, words) => {
  const lake = await freshLake()
  await mkdir(join(lake, 'landing/other'))
  for (const name of names) await put(lake, `landing/other/${name}`, 'a\n1\n')
  expect(await weir(lake, ['reconcile'])).toMatchObject({ code: 3, out: expect.stringContaining(words) })
})

describe('a decimal comma', () => {
  const prices = (values: string[]) =>
    `order_id;order_date;customer_email;country;quantity;unit_price\n${values.map((value, n) => `A-000${n};2026-10-01;;DE;1;${value}\n`).join('')}`

  async function semicolons(): Promise<string> {
    const lake = await freshLake()
    const path = join(lake, 'contracts/orders.yaml')
    await writeFile(path, (await readFile(path, 'utf8')).replace('delimiter: ","', 'delimiter: ";"'))
    return lake
  }

  test('in a file that is separated by semicolons: the receipt says which setting it takes', async () => {
    const lake = await semicolons()
    await put(lake, 'orders.csv', prices(['12,50', '1,25']))
    const { document } = await weirJson(lake, ['check', 'orders.csv'])
    expect(document.receipt.warnings.join()).toContain(
      'Numbers such as 12,50 (in unit_price) have a decimal comma. If they are meant so, let the contract say it, in its weir property: file: { decimalSeparator: "," }',
    )
    await put(lake, 'orders.csv', prices(['1.212,50']))
    expect((await weirJson(lake, ['check', 'orders.csv'])).document.receipt.warnings.join()).toContain(
      'decimalSeparator: ",", thousandsSeparator: "."',
    )
  })

  test('is not seen where there is none', async () => {
    const lake = await semicolons()
    await put(lake, 'orders.csv', prices(['twelve', '1,000', '9.90']))
    const { document } = await weirJson(lake, ['check', 'orders.csv'])
    expect(document.receipt.rows.rejected).toBe(2)
    expect(document.receipt.warnings.join()).not.toContain('decimal comma')
  })
})

describe('check says what drop would', () => {
  test('of a name that does not fit', async () => {
    const lake = await freshLake()
    await put(lake, 'x.csv', await readFile(join(lake, 'samples/orders.csv')))
    const checked = await weirJson(lake, ['check', 'x.csv', '--dataset', 'orders'])
    const dropped = await weirJson(lake, ['drop', 'x.csv', '--dataset', 'orders'])
    expect(checked.code).toBe(2)
    expect(checked.document.receipt.reason).toMatchObject({ code: 'no_match' })
    expect(dropped.document.receipts[0].reason).toEqual(checked.document.receipt.reason)
    // A contract that is being tried takes any name, and says so.
    const tried = await weir(lake, ['check', 'x.csv', '--contract', 'contracts/orders.yaml'])
    expect(tried).toMatchObject({ code: 1, err: expect.stringContaining('a lake with this contract would refuse it') })
  })

  test('of a repair file, which finds its dataset by what is in it', async () => {
    const lake = await freshLake()
    // A second dataset: so the name alone does not decide.
    const contract = await readFile(join(lake, 'contracts/orders.yaml'), 'utf8')
    await put(
      lake,
      'contracts/other.yaml',
      contract
        .replace('id: orders', 'id: other')
        .replace('- name: orders', '- name: other')
        .replace('*orders*', '*other*'),
    )
    await weir(lake, ['drop', 'samples/orders.csv'])
    await weir(lake, ['rejects', 'orders', '--out', 'mend.csv'])
    const checked = await weirJson(lake, ['check', 'mend.csv'])
    expect(checked.document.receipt).toMatchObject({
      dataset: 'orders',
      outcome: 'accepted_with_rejects',
      rows: { read: 2, rejected: 2 },
    })
  })
})

test('a receipt is found by the end of its id, and within its dataset', async () => {
  const lake = await freshLake()
  const { document } = await weirJson(lake, ['drop', 'samples/orders.csv'])
  const { upload } = document.receipts[0]
  for (const id of [upload.slice(-12), upload.slice(0, 12), upload])
    expect((await weirJson(lake, ['receipt', id, '--dataset', 'orders'])).document.receipt.upload).toBe(upload)
  expect((await weirJson(lake, ['receipt', upload.slice(-12), '--dataset', 'other'])).code).toBe(3)
})

describe('what clean has from an older contract', () => {
  const contract = (version: string, type: string) => `apiVersion: v3.1.0
kind: DataContract
id: fees
version: "${version}"
status: active
schema:
  - name: fees
    logicalType: object
    properties:
      - { name: id, logicalType: integer, primaryKey: true }
      - { name: fee, ${type} }
    customProperties: [{ property: weir, value: { match: "fees*.csv" } }]
`
  const decimal = (type: string) => `logicalType: number, physicalType: "decimal(${type})"`
  async function lakeWithFees(): Promise<string> {
    const lake = await freshLake()
    await put(lake, 'contracts/fees.yaml', contract('1.0.0', decimal('9,4')))
    await put(lake, 'fees.csv', 'id,fee\n1,1.2358\n2,2.5000\n')
    expect((await weir(lake, ['drop', 'fees.csv'])).code).toBe(0)
    return lake
  }
  const rows = async (lake: string, sql: string) => (await weirJson(lake, ['query', sql])).document.rows

  test('is never rounded to a narrower type: it is an error until the files are checked again', async () => {
    const lake = await lakeWithFees()
    await put(lake, 'contracts/fees.yaml', contract('2.0.0', decimal('8,2')))
    const wrong =
      'clean.fees has files of an older contract, in which fee has another type: 1.2358 cannot be read as DECIMAL(8,2) without changing it. Check the files again: weir replay --dataset fees'
    expect(await weir(lake, ['curate'])).toMatchObject({ code: 3, out: expect.stringContaining(wrong) })
    expect(await weir(lake, ['query', 'SELECT fee FROM clean.fees'])).toMatchObject({
      code: 3,
      err: `weir: ${wrong}\n`,
    })
    expect(await rows(lake, 'SELECT count(*) FROM clean.fees')).toEqual([['2']])
    expect(await rows(lake, 'SELECT fee FROM curated.fees ORDER BY id')).toEqual([['1.2358'], ['2.5000']])

    await weir(lake, ['replay', '--dataset', 'fees'])
    for (const zone of ['clean', 'curated'])
      expect(await rows(lake, `SELECT id, fee FROM ${zone}.fees`)).toEqual([['2', '2.50']])
  })

  test('stays readable where a type only grows, and a text is not taken for a number by guess', async () => {
    const lake = await lakeWithFees()
    await put(lake, 'contracts/fees.yaml', contract('2.0.0', decimal('12,4')))
    await weir(lake, ['curate'])
    expect(await rows(lake, 'SELECT fee FROM clean.fees ORDER BY id')).toEqual([['1.2358'], ['2.5000']])
    await put(lake, 'contracts/fees.yaml', contract('3.0.0', 'logicalType: string'))
    await weir(lake, ['replay', '--dataset', 'fees'])
    await put(lake, 'contracts/fees.yaml', contract('4.0.0', 'logicalType: integer'))
    expect((await weir(lake, ['curate'])).out).toContain(
      'has files of an older contract, in which fee has another type: ',
    )
    expect((await weir(lake, ['query', 'SELECT fee FROM clean.fees WHERE id = 2'])).err).toContain(
      'has files of an older contract, in which fee has another type: ',
    )
  })

  test('is not taken for its neighbour where doubles and whole numbers are read together', async () => {
    const lake = await freshLake()
    const numbers = (version: string, type: string) =>
      contract(version, 'logicalType: string')
        .replaceAll('fees', 'ids')
        .replace('logicalType: integer', `logicalType: ${type}`)
    await put(lake, 'contracts/ids.yaml', numbers('1.0.0', 'number'))
    await put(lake, 'ids_old.csv', 'id,fee\n1,a\n')
    await put(lake, 'ids_x.csv', 'id,fee\n9007199254740993,x\n')
    await put(lake, 'ids_y.csv', 'id,fee\n9007199254740992,y\n')
    await weir(lake, ['drop', 'ids_old.csv'])
    await put(lake, 'contracts/ids.yaml', numbers('2.0.0', 'integer'))
    await weir(lake, ['drop', 'ids_x.csv', 'ids_y.csv'])
    expect((await weir(lake, ['query', 'SELECT id FROM clean.ids'])).err).toContain('weir replay --dataset ids')
    await weir(lake, ['replay', '--dataset', 'ids'])
    expect(await rows(lake, 'SELECT id FROM curated.ids ORDER BY id')).toEqual([
      ['1'],
      ['9007199254740992'],
      ['9007199254740993'],
    ])
  })

  test('lets models wait while the table that they read cannot follow its contract', async () => {
    const lake = await lakeWithFees()
    await put(lake, 'models/all_fees.sql', 'SELECT id, fee FROM curated.fees\n')
    expect((await weir(lake, ['curate'])).code).toBe(0)
    await put(lake, 'contracts/fees.yaml', contract('1.1.0', decimal('8,2')))
    const { code, document } = await weirJson(lake, ['curate'])
    expect(code).toBe(3)
    const outcomes = document.tables.filter(({ table }: { table: string }) => /fees/.test(table))
    expect(outcomes).toMatchObject([
      { table: 'fees', outcome: 'failed' },
      { table: 'all_fees', outcome: 'waiting', why: expect.stringContaining('curated.fees has not got the columns') },
    ])
    expect(await rows(lake, 'SELECT fee FROM curated.all_fees ORDER BY id')).toEqual([['1.2358'], ['2.5000']])
  })
})

test.each([
  ['{', 'it is no JSON'],
  ['', 'it is empty'],
])('a state that is %j is told of, and what to do is said once', async (text, problem) => {
  const lake = await freshLake()
  await mkdir(join(lake, 'ops/tables'), { recursive: true })
  await put(lake, 'ops/tables/orders.json', text)
  const ran = await weir(lake, ['query', 'SELECT count(*) FROM curated.orders'])
  expect(ran.code).toBe(4)
  expect(ran.err).toContain(
    `The state of curated.orders (ops/tables/orders.json) cannot be read: ${problem}\nRestore it from a backup, or delete it and run "weir curate --table orders --full".`,
  )
  expect(ran.err).not.toContain('The state is safe')
})

test('a file of the lake that is damaged or missing is told of with its table, and what makes it again does so', async () => {
  const lake = await freshLake()
  await put(
    lake,
    'orders_1.csv',
    'order_id,order_date,customer_email,country,quantity,unit_price\nA-0001,2026-10-01,,DE,1,1.00\n',
  )
  expect((await weir(lake, ['drop', 'orders_1.csv'])).code).toBe(0)
  const fileOf = async (zone: string) =>
    (await readdir(join(lake, zone, 'orders'), { recursive: true, withFileTypes: true }))
      .filter(({ name }) => name.endsWith('.parquet'))
      .map(({ parentPath, name }) => join(parentPath, name))
  for (const [zone, again] of [
    ['curated', ['curate', '--table', 'orders', '--full']],
    ['clean', ['replay', '--dataset', 'orders', '--force']],
  ] as const)
    for (const spoil of ['damaged', 'missing']) {
      for (const path of await fileOf(zone)) {
        const { length } = await readFile(path)
        if (spoil === 'damaged') await writeFile(path, Buffer.alloc(length))
        else await rm(path)
      }
      const sql = `SELECT order_id FROM ${zone}.orders`
      const ran = await weir(lake, ['query', sql])
      expect(ran.code).toBe(3)
      expect(ran.err).toContain(`${zone}.orders`)
      expect(ran.err).toContain(`weir ${again.join(' ')}`)
      await weir(lake, [...again])
      expect((await weirJson(lake, ['query', sql])).document.rows).toEqual([['A-0001']])
    }
})

test('a warning of a model is told by the drop that made it', async () => {
  const lake = await freshLake()
  await put(
    lake,
    'models/few.sql',
    '/*---\ntests:\n  - { name: none, severity: warning, sql: "SELECT n FROM curated.few WHERE n > 0" }\n---*/\nSELECT count(*) AS n FROM curated.orders\n',
  )
  const { out } = await weir(lake, ['drop', 'samples/orders.csv'])
  expect(out).toContain('→ curated.few: made anew, 1 row\n    warning  none: 1 row\n      {"n":"8"}\n')
})
