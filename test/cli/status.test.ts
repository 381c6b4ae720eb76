// `weir status`, `weir replay` and `weir diff` on a lake in a folder.

import { copyFile, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { ago } from '../../lib/cli/commands/status.ts'
import { writeFault } from '../../lib/lake/faults.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { freshLake, weir, weirJson } from './weir.ts'

const HEADER = 'order_id,order_date,customer_email,country,quantity,unit_price\n'

async function edit(lake: string, from: string | RegExp, to: string): Promise<void> {
  const path = join(lake, 'contracts/orders.yaml')
  const text = await readFile(path, 'utf8')
  const next = text.replace(from, to)
  expect(next).not.toBe(text)
  await writeFile(path, next)
}

async function landFile(lake: string, key: string, content: string): Promise<void> {
  await mkdir(join(lake, 'landing', key, '..'), { recursive: true })
  await writeFile(join(lake, 'landing', key), content)
}

describe('status', () => {
  test('a new lake is well and empty', async () => {
    const { code, document } = await weirJson(await freshLake(), ['status'])
    expect(code).toBe(0)
    expect(document).toMatchObject({
      queues: null,
      version: { deployed: null },
      catalog: { complete: true },
      landing: { waiting: 0, oldest: null, withoutContract: 0 },
      faults: [],
      receipts: [],
      datasets: [{ dataset: 'orders', newest: null, freshAt: null, ageSeconds: null, lastDay: 0 }],
    })
  })

  test('what waits in landing, what has no contract, the newest upload, and the freshness of what was taken in', async () => {
    const lake = await freshLake()
    await weir(lake, ['drop', 'samples/orders.csv'])
    const { document: dropped } = await weirJson(lake, ['receipts'])
    // Refused: newer, and no fresher.
    await writeFile(join(lake, 'orders_bad.csv'), 'a,b\n1,2\n')
    expect((await weir(lake, ['drop', 'orders_bad.csv'])).code).toBe(2)
    await landFile(lake, 'orders/orders_new.csv', `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n`)
    await landFile(lake, 'strange/x.csv', 'a\n1\n')
    const { code, document } = await weirJson(lake, ['status'])
    expect(code).toBe(0)
    expect(document.landing).toMatchObject({
      waiting: 1,
      oldest: { source: 'orders/orders_new.csv' },
      withoutContract: 1,
    })
    expect(document.datasets[0]).toMatchObject({
      newest: { source: 'orders/orders_bad.csv', outcome: 'refused' },
      freshAt: dropped.receipts[0].droppedAt,
      lastDay: 2,
    })
    expect(document.receipts.map((one: { source: string }) => one.source).sort()).toEqual([
      'orders/orders.csv',
      'orders/orders_bad.csv',
    ])
    const text = (await weir(lake, ['status'])).out
    expect(text).toContain('! 1 file in landing/ not taken in, the oldest, orders/orders_new.csv')
    expect(text).toContain('1 file in landing/ has no contract')
    expect(text).toMatch(/orders .* refused$/m)
  })

  test('faults are shown with their reason, and end with 4, until replay has mended them', async () => {
    const lake = await freshLake()
    await landFile(lake, 'orders/orders_1.csv', `${HEADER}A-0001,2026-10-01,,DE,1,1.00\n`)
    const opened = await openLocalLake(lake)
    const at = new Date().toISOString()
    await writeFault(opened.zones.ops, {
      id: 'f1',
      source: 'orders/orders_1.csv',
      kind: 'fault',
      reason: 'the disk was full',
      attempts: 3,
      at,
    })
    await opened.close()
    const shown = await weir(lake, ['status'])
    expect(shown.code).toBe(4)
    expect(shown.out).toContain('1 fault of ours: when the cause is mended, weir replay --dlq')
    expect(shown.out).toContain('orders/orders_1.csv (tried 3 times, ')
    expect(shown.out).toContain('the disk was full')

    const replayed = await weir(lake, ['replay', '--dlq'])
    expect(replayed).toMatchObject({
      code: 0,
      err: '',
      out: expect.stringContaining('decided        orders/orders_1.csv: accepted'),
    })
    expect((await weirJson(lake, ['status'])).document).toMatchObject({ faults: [], landing: { waiting: 0 } })
    expect((await weir(lake, ['replay', '--dlq'])).out).toBe('Nothing to replay.\n')
  })

  test.each([
    [0, '0 s'],
    [59, '59 s'],
    [60, '1 min'],
    [7260, '2 h 1 min'],
    [200_000, '2 d'],
  ])('%i s ago is said as %s', (seconds, words) => {
    expect(ago(new Date(seconds * 1000).toISOString(), new Date(0).toISOString())).toBe(words)
  })
})

describe('replay', () => {
  test.each([
    [[], 'Say what to replay'],
    [['--dlq', '--source', 'orders/x.csv'], 'only one of'],
    [['--dlq', '--since', '2d'], '--since goes with --dataset'],
    [['--source', 'nowhere/x.csv'], 'There is no contract for the dataset "nowhere"'],
  ])('%j is wrong usage', async (args, words) => {
    expect(await weir(await freshLake(), ['replay', ...args])).toMatchObject({
      code: 3,
      err: expect.stringContaining(words),
    })
  })

  test('a changed contract decides anew, once, and the page of the new receipt is there', async () => {
    const lake = await freshLake()
    await weir(lake, ['drop', 'samples/orders.csv'])
    expect((await weir(lake, ['replay', '--source', 'landing/orders/orders.csv'])).out).toBe(
      '1 file looked at, 1 as before.\n',
    )
    await edit(lake, 'minimum: 1', 'minimum: 0')
    const { code, document } = await weirJson(lake, ['replay', '--dataset', 'orders', '--since', '1h'])
    expect(code).toBe(0)
    expect(document).toMatchObject({
      looked: 1,
      unchanged: 0,
      replayed: [
        { source: 'orders/orders.csv', result: 'checked_again', receipt: { rows: { accepted: 9, rejected: 1 } } },
      ],
    })
    const { document: count } = await weirJson(lake, ['query', 'select count(*) from clean.orders'])
    expect(count.rows).toEqual([['9']])
    expect((await weirJson(lake, ['replay', '--dataset', 'orders'])).document).toMatchObject({
      looked: 1,
      unchanged: 1,
    })
  })
})

describe('diff', () => {
  test('a lake without tables: all is new', async () => {
    expect(await weir(await freshLake(), ['diff'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('a new table clean.orders with 6 columns'),
    })
  })

  test('compatible, breaking, and breaking with a new major version', async () => {
    const lake = await freshLake()
    await weir(lake, ['drop', 'samples/orders.csv'])
    expect((await weir(lake, ['diff'])).out).toBe('✓ The tables are what the contracts say.\n')

    await edit(lake, 'minimum: 1', 'minimum: 2')
    const rules = await weir(lake, ['diff'])
    expect(rules).toMatchObject({
      code: 0,
      out: expect.stringContaining('not those that the newest upload was checked by'),
    })

    await edit(lake, 'decimal(10,2)', 'decimal(14,2)')
    expect((await weir(lake, ['diff'])).out).toContain(
      'compatible  unit_price grows from DECIMAL(10,2) to DECIMAL(14,2)',
    )

    await edit(lake, 'name: customer_email', 'name: email')
    const broken = await weirJson(lake, ['diff'])
    expect(broken).toMatchObject({
      code: 3,
      document: {
        ok: false,
        datasets: [
          { dataset: 'orders', state: 'changed', breaking: true, version: { deployed: '1.0.0', local: '1.0.0' } },
        ],
      },
    })
    expect((await weir(lake, ['diff'])).out).toContain('✗ A breaking change needs a new major version of the contract')

    await edit(lake, 'version: 1.0.0', 'version: 2.0.0')
    expect(await weir(lake, ['diff'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('nothing keeps it from being deployed'),
    })
  })

  test('other contracts, a dataset that goes, and a folder that is not there', async () => {
    const lake = await freshLake()
    await weir(lake, ['drop', 'samples/orders.csv'])
    await mkdir(join(lake, 'next'))
    await copyFile(join(lake, 'contracts/orders.yaml'), join(lake, 'next/orders.yaml'))
    const path = join(lake, 'next/orders.yaml')
    await writeFile(
      path,
      (await readFile(path, 'utf8')).replace('id: orders', 'id: sales').replace('- name: orders', '- name: sales'),
    )
    const gone = await weir(lake, ['diff', '--contracts', 'next'])
    expect(gone).toMatchObject({ code: 3, out: expect.stringContaining('say so: --dropped orders') })
    expect((await weir(lake, ['diff', '--contracts', 'next', '--dropped', 'orders'])).code).toBe(0)
    expect(await weir(lake, ['diff', '--contracts', 'nowhere'])).toMatchObject({
      code: 3,
      err: expect.stringContaining('The folder of contracts is not there.'),
    })
  })
})
