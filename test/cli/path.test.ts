// The path that the README promises, command by command, on one lake.

import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parseCsv, toCsv } from '../../lib/cli/csv.ts'
import { receiptSchema } from '../../lib/lake/receipt.ts'
import { freshLake, put, tempFolder, weir, weirJson } from './weir.ts'

describe('a new lake', () => {
  test('has a sample whose two bad rows are rejected with their reasons, and nothing is published by check', async () => {
    const lake = await freshLake()
    expect(await weir(lake, ['lint'])).toMatchObject({ code: 0, out: expect.stringContaining('no errors') })

    const checked = await weir(lake, ['check', 'samples/orders.csv'])
    expect(checked.code).toBe(1)
    expect(checked.out).toContain('8 rows would be taken in, 2 rows need mending.')
    expect(checked.out).toContain('row 5: 0')
    expect((await weirJson(lake, ['receipts'])).document).toEqual({ receipts: [], total: 0 })

    const dropped = await weir(lake, ['drop', 'samples/orders.csv'])
    expect(dropped.code).toBe(1)
    expect(dropped.out).toMatch(/^! orders\/orders\.csv {2}accepted 8 of 10 rows, rejected 2/)
    expect(dropped.out).toContain('row 8: 5 October')
    expect(dropped.err).toBe('')
  })

  test('is refused where there is one already, or where a file would be overwritten', async () => {
    const lake = await freshLake()
    const before = await readFile(join(lake, 'weir.yaml'), 'utf8')
    const again = await weir(lake, ['init'])
    expect(again).toMatchObject({ code: 3, err: expect.stringContaining('is a lake already; nothing was changed') })
    expect(await readFile(join(lake, 'weir.yaml'), 'utf8')).toBe(before)

    const other = await tempFolder()
    await put(other, 'README.md', 'mine')
    const refused = await weir(other, ['init', '.'])
    expect(refused).toMatchObject({ code: 3, err: expect.stringContaining('already has README.md') })
    expect(await readFile(join(other, 'README.md'), 'utf8')).toBe('mine')
    await expect(stat(join(other, 'weir.yaml'))).rejects.toThrow('ENOENT')
  })
})

test('check tells what drop then does: same rows, same findings, same bytes', async () => {
  const lake = await freshLake()
  const { document: preview } = await weirJson(lake, ['check', 'samples/orders.csv'])
  const { document: dropped } = await weirJson(lake, ['drop', 'samples/orders.csv'])
  const receipt = receiptSchema.parse(dropped.receipts[0])
  expect(preview.preview).toBe(true)
  for (const field of [
    'outcome',
    'rows',
    'violations',
    'sha256',
    'size',
    'contract',
    'reading',
    'notEnforced',
  ] as const) {
    expect(preview.receipt[field]).toEqual(receipt[field])
  }
})

test('drop, mend, drop again: the first receipt shows the repair, and the table has every row once', async () => {
  const lake = await freshLake()
  const { document } = await weirJson(lake, ['drop', 'samples/orders.csv'])
  const [first] = document.receipts
  const [page] = document.pages

  const listed = await weir(lake, ['rejects', 'orders'])
  expect(listed.out).toContain('quantity must be at least 1')
  expect(listed.out).toContain('A-1007 | 5 October')

  expect((await weir(lake, ['rejects', first.upload, '--out', 'orders-repair.csv'])).code).toBe(0)
  const [header, ...rows] = parseCsv(await readFile(join(lake, 'orders-repair.csv'), 'utf8'))
  expect(header?.slice(0, 3)).toEqual(['_upload', '_row', '_errors'])
  const mend: Record<string, Record<string, string>> = { 5: { quantity: '1' }, 8: { order_date: '2026-10-05' } }
  const mended = rows.map((cells) => cells.map((cell, index) => mend[cells[1] ?? '']?.[header?.[index] ?? ''] ?? cell))
  await writeFile(join(lake, 'orders-repair.csv'), toCsv([header ?? [], ...mended]))

  // Row 8 still has a country that is not allowed.
  const repaired = await weirJson(lake, ['drop', 'orders-repair.csv', '--dataset', 'orders'])
  expect(repaired.code).toBe(1)
  expect(repaired.document.receipts[0]).toMatchObject({
    rows: { read: 2, accepted: 1, rejected: 1 },
    repairs: [{ upload: first.upload, rows: 1 }],
  })

  const shown = await weirJson(lake, ['receipt', first.upload])
  expect(shown.document.repaired.rows).toEqual([5])
  expect((await weir(lake, ['receipt', first.upload])).out).toContain('1 of 2 rejected rows so far')
  expect(await readFile(page, 'utf8')).toContain('1 of 2 rejected rows so far')

  const open = await weirJson(lake, ['rejects', first.upload])
  expect(open.document).toMatchObject({ repaired: 1, rows: [{ _row: '8', country: 'XX' }] })
  expect((await weirJson(lake, ['rejects', first.upload, '--all'])).document.rows).toHaveLength(2)

  const query = await weirJson(lake, [
    'query',
    'select count(*) as n, count(distinct order_id) as ids from clean.orders',
  ])
  expect(query.document).toMatchObject({ rows: [['9', '9']], rowCount: 1, truncated: false })
})

test('the same bytes again are a duplicate; another version replaces; retract takes out; reconcile finds nothing to mend', async () => {
  const lake = await freshLake()
  const header = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
  await put(lake, 'orders_a.csv', `${header}A-0001,2026-10-01,,DE,1,1.00\n`)
  expect(await weir(lake, ['drop', 'orders_a.csv'])).toMatchObject({ code: 0, out: expect.stringContaining('✓') })
  const again = await weirJson(lake, ['drop', 'orders_a.csv', '--name', 'orders_a.csv'])
  expect(again).toMatchObject({
    code: 0,
    document: { receipts: [{ outcome: 'duplicate', duplicateOf: { source: 'orders/orders_a.csv' } }] },
  })

  await put(lake, 'orders_a.csv', `${header}A-0001,2026-10-01,,DE,2,1.00\nA-0002,2026-10-01,,DE,3,1.00\n`)
  expect((await weir(lake, ['drop', 'orders_a.csv'])).code).toBe(0)
  const sum = async () =>
    (await weir(lake, ['query', 'select count(*) as n, coalesce(sum(quantity), 0) as q from clean.orders', '--csv']))
      .out
  expect(await sum()).toBe('n,q\n2,5\n')

  const retracted = await weir(lake, ['retract', 'landing/orders/orders_a.csv'])
  expect(retracted).toMatchObject({ code: 0, out: expect.stringContaining('retracted') })
  const nothing = await weirJson(lake, ['retract', 'orders/orders_a.csv'])
  expect(nothing).toEqual({ code: 0, document: { receipt: null } })
  expect(await weir(lake, ['retract', 'orders/orders_z.csv'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('Did you mean orders/orders_a.csv?'),
  })
  expect((await weir(lake, ['reconcile'])).code).toBe(0)
  const settled = await weirJson(lake, ['reconcile'])
  expect(settled).toMatchObject({ code: 0, document: { mended: [], faults: [] } })
})

test('of several files the worst counts, and each has its line', async () => {
  const lake = await freshLake()
  const header = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
  await put(lake, 'orders_good.csv', `${header}A-0001,2026-10-01,,DE,1,1.00\n`)
  await put(lake, 'orders_none.csv', '')
  const ran = await weir(lake, ['drop', 'orders_good.csv', 'samples/orders.csv', 'orders_none.csv'])
  expect(ran.code).toBe(2)
  expect(ran.out).toMatch(/^✓ orders\/orders_good\.csv/m)
  expect(ran.out).toMatch(/^! orders\/orders\.csv/m)
  expect(ran.out).toMatch(/^✗ orders\/orders_none\.csv {2}refused/m)
  expect(ran.out).toContain('3 files: 9 rows accepted, 2 rows rejected, 1 file refused')

  const refused = await weirJson(lake, ['receipts', '--outcome', 'refused'])
  expect(refused.document.receipts.map((receipt: { source: string }) => receipt.source)).toEqual([
    'orders/orders_none.csv',
  ])
  expect((await weirJson(lake, ['receipts', '--since', '1h'])).document.total).toBe(3)
  expect((await weirJson(lake, ['receipts', '--since', '2999-01-01'])).document.total).toBe(0)
  expect((await weirJson(lake, ['receipts', '--limit', '1'])).document).toMatchObject({ receipts: [{}], total: 3 })
})

test('a mistyped name among several leaves nothing half done', async () => {
  const lake = await freshLake()
  const ran = await weir(lake, ['drop', 'samples/orders.csv', 'nope.csv'])
  expect(ran).toMatchObject({ code: 3, err: expect.stringContaining('There is no file') })
  expect((await weirJson(lake, ['receipts'])).document.total).toBe(0)
})

test('a receipt is found by the beginning of its id, and a page can be written afresh', async () => {
  const lake = await freshLake()
  const { document } = await weirJson(lake, ['drop', 'samples/orders.csv'])
  const { upload } = document.receipts[0]
  expect((await weirJson(lake, ['receipt', upload.slice(0, 10)])).document.receipt.upload).toBe(upload)
  const page = await weir(lake, ['receipt', upload, '--html'])
  expect(page.out).toMatch(/^<!doctype html>/)
  expect((await weir(lake, ['receipt', upload, '--html', 'r.html'])).out).toBe('')
  expect(await readFile(join(lake, 'r.html'), 'utf8')).toBe(page.out)
  expect(await weir(lake, ['receipt', '1999'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('No receipt of an upload "1999"'),
  })
})

test('values of a column that is not public are on no receipt', async () => {
  const lake = await freshLake()
  const contract = join(lake, 'contracts/orders.yaml')
  const text = await readFile(contract, 'utf8')
  await writeFile(
    contract,
    text.replace(
      'classification: confidential',
      'logicalTypeOptions: { format: email }\n        classification: confidential',
    ),
  )
  await put(
    lake,
    'orders_x.csv',
    'order_id,order_date,customer_email,country,quantity,unit_price\nA-0001,2026-10-01,not-an-address,DE,1,1.00\n',
  )
  const { document, code } = await weirJson(lake, ['drop', 'orders_x.csv'])
  expect(code).toBe(1)
  expect(document.receipts[0].violations).toMatchObject([{ column: 'customer_email', rule: 'format', count: 1 }])
  expect(JSON.stringify(document.receipts)).not.toContain('not-an-address')
  expect(await readFile(document.pages[0], 'utf8')).not.toContain('not-an-address')
  expect((await weir(lake, ['rejects', 'orders', '--csv'])).out).toContain('not-an-address')
})

describe('query', () => {
  test('cuts a table on a terminal only, and says so', async () => {
    const lake = await freshLake()
    const sql = 'select i from unnest(sequence(0, 149)) as t(i)'
    const piped = await weir(lake, ['query', sql])
    expect(piped.out.trimEnd().split('\n')).toHaveLength(151)
    const screen = await weir(lake, ['query', sql], { tty: true })
    expect(screen.out).toContain(' 99 ')
    expect(screen.out).not.toContain(' 100 ')
    expect(screen.err).toContain('50 of 150 rows not shown')
    expect((await weirJson(lake, ['query', sql, '--limit', '2'])).document).toMatchObject({
      rowCount: 150,
      truncated: true,
    })
  })

  test('a mistake in the SQL is the user’s', async () => {
    const lake = await freshLake()
    expect((await weir(lake, ['query', 'selec 1'])).code).toBe(3)
    const { code, document } = await weirJson(lake, ['query', 'delete from clean.orders'])
    expect(code).toBe(3)
    expect(document.error.name).toBe('QueryError')
  })

  test('writes CSV to a file', async () => {
    const lake = await freshLake()
    const ran = await weir(lake, ['query', "select 1 as a, null as b, 'x,\"y' as c", '--out', 'q.csv'])
    expect(ran).toMatchObject({ code: 0, out: '', err: expect.stringContaining('1 row written to') })
    expect(await readFile(join(lake, 'q.csv'), 'utf8')).toBe('a,b,c\n1,,"x,""y"\n')
  })
})
