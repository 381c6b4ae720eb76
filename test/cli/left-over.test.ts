// Curated tables that nothing makes any more: named by `weir status`, readable until `weir curate --drop` takes them away.

import { readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { awaitGone } from '../../lib/cli/left-over.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { freshLake, put, weir, weirJson } from './weir.ts'

const HEADER = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
const DAILY = 'SELECT order_date AS day, count(*) AS n FROM curated.orders GROUP BY order_date\n'
const VIEW = '/*---\nmaterialized: view\n---*/\nSELECT n FROM curated.daily\n'

/** A lake with rows, a table `daily` and a view `busy` of it, besides those of `weir init`. */
async function filledLake(): Promise<string> {
  const lake = await freshLake()
  await put(lake, 'models/daily.sql', DAILY)
  await put(lake, 'models/busy.sql', VIEW)
  await put(lake, 'orders_1.csv', `${HEADER}A-0001,2026-10-01,,DE,1,1.00\nA-0002,2026-10-02,,DE,1,1.00\n`)
  expect((await weir(lake, ['drop', 'orders_1.csv'])).code).toBe(0)
  return lake
}

async function edit(lake: string, file: string, from: string, to: string): Promise<void> {
  const text = await readFile(join(lake, file), 'utf8')
  expect(text).toContain(from)
  await writeFile(join(lake, file), text.replace(from, to))
}

const shown = async (lake: string): Promise<string[]> =>
  (await weirJson(lake, ['query', 'SHOW TABLES IN curated'])).document.rows.map(([name]: string[]) => name)

test('a table whose model was deleted is named, still read, and dropped with its versions and its state; its runs stay', async () => {
  const lake = await filledLake()
  expect((await weirJson(lake, ['status'])).document.leftOver).toEqual([])
  await rm(join(lake, 'models/daily.sql'))
  await rm(join(lake, 'models/busy.sql'))
  const status = await weir(lake, ['status'])
  expect(status.code).toBe(0)
  expect(status.out).toContain(
    '! curated.daily is left over, and nothing makes it any more: its model is gone. To drop it: weir curate --drop daily\n',
  )
  const { document } = await weirJson(lake, ['status'])
  expect(document.leftOver).toMatchObject([
    { table: 'busy', kind: 'view', why: 'its model is gone' },
    { table: 'daily', kind: 'table', version: { rows: 2 } },
  ])
  expect((await weir(lake, ['curate'])).code).toBe(0)
  expect((await weirJson(lake, ['query', 'SELECT n FROM curated.busy'])).document.rows).toHaveLength(2)

  // A view that stays would have nothing to read.
  expect(await weir(lake, ['curate', '--drop', 'daily'])).toMatchObject({
    code: 3,
    out: '',
    err: expect.stringContaining('Drop both: weir curate --drop busy --drop daily'),
  })
  const planned = await weirJson(lake, ['curate', '--drop', 'daily', '--drop', 'curated.busy', '--dry-run'])
  expect(planned).toMatchObject({
    code: 0,
    document: { dryRun: true, dropped: [], toDrop: [{ table: 'busy' }, { table: 'daily' }] },
  })
  expect(await shown(lake)).toEqual(expect.arrayContaining(['busy', 'daily']))

  const runs = (await weirJson(lake, ['runs', '--table', 'daily'])).document.total
  const ran = await weir(lake, ['curate', '--drop', 'daily', '--drop', 'curated.busy'])
  expect(ran.code).toBe(0)
  expect(ran.out).toMatch(
    /^✓ dropped curated\.busy: .*; its model is gone\n✓ dropped curated\.daily: 2 rows of .*; its model is gone\n$/,
  )
  expect(await shown(lake)).toEqual(expect.not.arrayContaining(['busy', 'daily']))
  expect((await readdir(join(lake, 'ops/tables'))).sort()).toEqual(['orders.json', 'orders_by_country.json'])
  expect(await readdir(join(lake, 'curated/daily')).catch(() => [])).toEqual([])
  expect(await weir(lake, ['query', 'SELECT * FROM curated.daily'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('There is no table curated.daily'),
  })
  expect((await weirJson(lake, ['runs', '--table', 'daily'])).document.total).toBe(runs)
  expect(runs).toBeGreaterThan(0)

  // Its name can be used again.
  await put(lake, 'models/daily.sql', DAILY)
  expect((await weir(lake, ['curate'])).code).toBe(0)
  expect((await weirJson(lake, ['query', 'SELECT * FROM curated.daily'])).document.rows).toHaveLength(2)
})

test('an entity table whose contract wants none, or whose dataset has another name', async () => {
  const lake = await filledLake()
  for (const file of await readdir(join(lake, 'models'))) await rm(join(lake, 'models', file))
  await edit(lake, 'contracts/orders.yaml', '        value:\n', '        value:\n          curated: { mode: none }\n')
  expect((await weirJson(lake, ['status'])).document.leftOver).toContainEqual(
    expect.objectContaining({
      table: 'orders',
      kind: 'entity',
      why: 'its contract orders.yaml wants no curated table any more',
    }),
  )
  await edit(lake, 'contracts/orders.yaml', '  - name: orders', '  - name: sales')
  expect((await weirJson(lake, ['status'])).document.leftOver).toContainEqual(
    expect.objectContaining({ table: 'orders', why: 'its dataset is gone' }),
  )
  expect((await weir(lake, ['query', 'SELECT count(*) FROM curated.orders'])).code).toBe(0)
  expect((await weir(lake, ['curate', '--drop', 'orders'])).code).toBe(0)
  expect(await shown(lake)).not.toContain('orders')
})

test('what a contract or a model makes, or a model with mistakes still names, is not dropped', async () => {
  const lake = await filledLake()
  const refused = async (names: string[], words: string): Promise<void> => {
    const { code, document } = await weirJson(lake, ['curate', ...names.flatMap((name) => ['--drop', name])])
    expect(code).toBe(3)
    expect(document.error).toMatchObject({ name: 'CannotDropTable', message: expect.stringContaining(words) })
  }
  await refused(['orders'], 'the contract orders.yaml makes it')
  await refused(['orders'], 'To have it made anew: weir curate --table orders --full')
  await refused(['daily'], 'the model daily.sql makes it')
  await put(lake, 'models/daily.sql', 'SELEC\n')
  expect((await weirJson(lake, ['status'])).document.leftOver).toEqual([])
  await refused(['daily'], 'the model daily.sql, which has mistakes now, makes it')
  await rm(join(lake, 'models/daily.sql'))
  // The view cannot be made any more, but its model is there, and it reads the table.
  await refused(['busy'], 'the model busy.sql, which has mistakes now, makes it')
  await refused(['daily'], 'the model busy.sql still names it')
  const wrong = await weir(lake, ['curate', '--drop', 'daily', '--full'])
  expect(wrong).toMatchObject({ code: 3, err: expect.stringContaining('cannot be used with') })
  await put(lake, 'models/busy.sql', '/*---\nmaterialized: view\n---*/\nSELECT quantity AS n FROM curated.orders\n')
  await refused(['daily'], 'Bring the view up to date first: weir curate --table busy')
  expect((await weir(lake, ['curate', '--table', 'busy'])).code).toBe(0)
  expect(await weir(lake, ['curate', '--drop', 'nope'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('There is no curated table nope. Left over, and so to be dropped, are: daily.'),
  })
  expect((await weir(lake, ['curate', '--drop', 'daily'])).code).toBe(0)
  expect(await weir(lake, ['curate', '--drop', 'daily'])).toMatchObject({
    code: 3,
    err: expect.stringContaining('There is no curated table daily, and none is left over'),
  })
})

test('a table whose state cannot be read, which keeps every table from readers, can be dropped', async () => {
  const lake = await filledLake()
  await rm(join(lake, 'models/busy.sql'))
  await rm(join(lake, 'models/daily.sql'))
  expect((await weir(lake, ['curate', '--drop', 'busy'])).code).toBe(0)
  await rm(join(lake, 'ops/tables/daily.json'))
  await writeFile(join(lake, 'ops/tables/daily.json'), '{')
  expect((await weirJson(lake, ['status'])).document.leftOver).toMatchObject([
    { table: 'daily', kind: null, version: null, why: expect.stringContaining('its state cannot be read') },
  ])
  expect((await weir(lake, ['query', 'SELECT 1 FROM curated.orders'])).code).toBe(4)
  expect((await weir(lake, ['curate', '--drop', 'daily'])).code).toBe(0)
  expect((await weir(lake, ['query', 'SELECT 1 FROM curated.orders'])).code).toBe(0)
})

test('a deployed lake is waited for until the tables are gone, or the time is over', async () => {
  const folder = await filledLake()
  const lake = await openLocalLake(folder, { durable: false })
  const gone: string[] = []
  await awaitGone({ lake }, ['nope', 'daily'], { timeoutMs: 0, onGone: (table) => gone.push(table) })
  expect(gone).toEqual(['nope'])
  const waiting = awaitGone({ lake }, ['daily'], { timeoutMs: 60_000, everyMs: 1, onGone: (table) => gone.push(table) })
  await lake.zones.ops.delete('tables/daily.json')
  await waiting
  expect(gone).toEqual(['nope', 'daily'])
  await lake.close()
})
