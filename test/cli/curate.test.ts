// Curated tables on the command line, on a lake in a folder: they follow what is dropped, and `weir curate`, `weir runs`,
// `weir status` and `weir query --as-of` say what became of them.

import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type Concerned, type CuratedSummary, changedInWords, runInWords } from '../../lib/cli/curated.ts'
import { awaitRuns } from '../../lib/cli/deployed-runs.ts'
import { Interrupted, NotCuratedYet } from '../../lib/cli/errors.ts'
import { startFollowing } from '../../lib/cli/following.ts'
import type { Run as CliRun } from '../../lib/cli/run.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { type Run, runSchema } from '../../lib/lake/runs.ts'
import { freshLake, put, tempFolder, weir, weirJson } from './weir.ts'

const HEADER = 'order_id,order_date,customer_email,country,quantity,unit_price\n'
const ORDER_1 = 'A-0001,2026-10-01,,DE,1,1.00\n'

async function dropOrders(lake: string, name: string, rows: string): ReturnType<typeof weir> {
  await put(lake, name, HEADER + rows)
  return weir(lake, ['drop', name])
}

async function rowsOf(lake: string, sql: string, ...more: string[]): Promise<unknown[][]> {
  const { document } = await weirJson(lake, ['query', sql, ...more])
  expect(document.error).toBeUndefined()
  return document.rows
}

const QUANTITIES = 'select order_id, quantity from curated.orders order by 1'

/** Every file of a lake with its bytes. */
async function filesOf(lake: string): Promise<Record<string, string>> {
  const found: Record<string, string> = {}
  for (const name of await readdir(lake, { recursive: true })) {
    const path = join(lake, name)
    if ((await stat(path)).isFile()) found[name] = (await readFile(path)).toString('base64')
  }
  return found
}

test('drop, correct, retract: curated tables follow, each with a line, and can be asked as they were', async () => {
  const lake = await freshLake()
  const first = await dropOrders(lake, 'orders_1.csv', `${ORDER_1}A-0002,2026-10-01,,FR,2,1.00\n`)
  expect(first).toMatchObject({ code: 0, err: '' })
  expect(first.out).toMatch(
    /^✓ orders\/orders_1\.csv .*\n→ curated\.orders: made anew, 2 rows\n→ curated\.orders_by_country: /,
  )
  const [run] = (await weirJson(lake, ['runs', '--table', 'orders'])).document.runs
  expect(runSchema.parse(run)).toMatchObject({ outcome: 'published', scope: 'full', rows: { total: 2 } })

  const second = await dropOrders(lake, 'orders_2.csv', 'A-0002,2026-10-01,,FR,9,1.00\nA-0003,2026-10-02,,IT,3,1.00\n')
  expect(second.out).toContain('→ curated.orders: 2 rows changed (3 in all)\n')
  const corrected = [
    ['A-0001', '1'],
    ['A-0002', '9'],
    ['A-0003', '3'],
  ]
  expect(await rowsOf(lake, QUANTITIES)).toEqual(corrected)
  expect(await rowsOf(lake, 'select country, pieces from curated.orders_by_country order by 1')).toEqual([
    ['DE', '1'],
    ['FR', '9'],
    ['IT', '3'],
  ])

  const before = [
    ['A-0001', '1'],
    ['A-0002', '2'],
  ]
  const { document } = await weirJson(lake, ['query', QUANTITIES, '--as-of', run.run])
  expect(document).toMatchObject({ rows: before, asOf: run.run })
  expect(await rowsOf(lake, QUANTITIES, '--as-of', run.run.slice(-12))).toEqual(before)
  expect(await rowsOf(lake, QUANTITIES, '--as-of', run.finishedAt)).toEqual(before)

  const retracted = await weirJson(lake, ['retract', 'orders/orders_2.csv'])
  expect(retracted).toMatchObject({
    code: 0,
    document: {
      receipt: { outcome: 'retracted' },
      curated: [
        { table: 'orders', outcome: 'published', scope: 'change', rows: { total: 2 }, reason: null },
        { table: 'orders_by_country', outcome: 'published' },
      ],
    },
  })
  expect(await rowsOf(lake, QUANTITIES)).toEqual(before)

  const listed = await weir(lake, ['runs', '--table', 'curated.orders'])
  expect(listed.out.trim().split('\n')).toHaveLength(4)
  expect(listed.out).toMatch(/^began +run +table +outcome +made +written +removed +in all +took\n/)
  expect((await weirJson(lake, ['runs', '--limit', '1'])).document).toMatchObject({
    total: 6,
    runs: [{ table: 'orders_by_country' }],
  })
  expect((await weirJson(lake, ['runs', '--since', '2999-01-01'])).document).toEqual({ runs: [], total: 0 })
  expect(await weir(lake, ['curate'])).toMatchObject({
    code: 0,
    out: expect.stringContaining('0 tables have a new version, 2 as before.'),
  })
})

test('several files are followed once, at the end; a duplicate and a refused file change nothing', async () => {
  const lake = await freshLake()
  await put(lake, 'orders_1.csv', HEADER + ORDER_1)
  await put(lake, 'orders_2.csv', `${HEADER}A-0002,2026-10-01,,DE,1,1.00\n`)
  await put(lake, 'orders_3.csv', '')
  const { code, document } = await weirJson(lake, ['drop', 'orders_1.csv', 'orders_2.csv', 'orders_3.csv'])
  expect(code).toBe(2)
  expect(document.receipts).toHaveLength(3)
  expect(document.curated).toMatchObject([
    { table: 'orders', outcome: 'published', rows: { total: 2 } },
    { table: 'orders_by_country', outcome: 'published' },
  ])
  expect((await weirJson(lake, ['drop', 'orders_1.csv'])).document.curated).toEqual([])
})

test('curate: manual leaves curated tables to weir curate, which says what it did', async () => {
  const lake = await freshLake()
  await writeFile(join(lake, 'weir.yaml'), 'curate: manual\n')
  const dropped = await dropOrders(lake, 'orders_1.csv', ORDER_1)
  expect(dropped).toMatchObject({ code: 0, out: expect.not.stringContaining('curated') })
  const status = await weirJson(lake, ['status'])
  expect(status).toMatchObject({
    code: 0,
    document: { curated: [{ table: 'orders', kind: 'entity', version: null, behind: true, failed: null }, {}] },
  })

  const curated = await weir(lake, ['curate', '--model', 'models/orders_by_country.sql'])
  expect(curated.code).toBe(0)
  expect(curated.out).toMatch(/^✓ curated\.orders {2}made anew: there is no table yet · 1 row written, 1 in all/)
  expect(curated.out).toMatch(/\n✓ curated\.orders_by_country {2}made anew.* · 2 tests passed · /)
  expect(curated.out).toContain('\n2 tables have a new version in ')
  const full = await weirJson(lake, ['curate', '--table', 'orders', '--full'])
  expect(full.document.tables).toMatchObject([
    { table: 'orders', outcome: 'published', run: { scope: 'full' } },
    { table: 'orders_by_country', outcome: 'published' },
  ])
  const shown = await weir(lake, ['status'])
  expect(shown.out).toMatch(/\norders +entity +1 +\d+ s +\S+ +up to date\n/)
})

test('reconcile and replay have the tables follow as well', async () => {
  const lake = await freshLake()
  await writeFile(join(lake, 'weir.yaml'), 'curate: manual\n')
  await dropOrders(lake, 'orders_1.csv', `${ORDER_1}A-0002,2026-10-01,,DE,50,1.00\n`)
  await writeFile(join(lake, 'weir.yaml'), '')
  expect((await weirJson(lake, ['reconcile'])).document).toMatchObject({
    mended: [],
    curated: [{ table: 'orders', rows: { total: 2 } }, { table: 'orders_by_country' }],
  })
  const contract = join(lake, 'contracts/orders.yaml')
  await writeFile(contract, (await readFile(contract, 'utf8')).replace('minimum: 1', 'minimum: 1, maximum: 9'))
  const { document } = await weirJson(lake, ['replay', '--dataset', 'orders'])
  expect(document).toMatchObject({
    replayed: [{ result: 'checked_again' }],
    curated: [{ table: 'orders', scope: 'change', rows: { total: 1 } }, { table: 'orders_by_country' }],
  })
  expect(await rowsOf(lake, QUANTITIES)).toEqual([['A-0001', '1']])
})

describe('a dry run', () => {
  test('prints why, what came, and the statements of the whole chain, and changes nothing', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    await writeFile(join(lake, 'weir.yaml'), 'curate: manual\n')
    await dropOrders(lake, 'orders_2.csv', 'A-0002,2026-10-01,,DE,4,1.00\n')
    const [newest] = (await weirJson(lake, ['receipts'])).document.receipts
    const before = await filesOf(lake)
    const { code, out, err } = await weir(lake, ['curate', '--dry-run'])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out).toContain('+ curated.orders  only what changed: 1 upload came, 0 uploads left\n')
    expect(out).toContain(`    came: ${newest.upload}\n`)
    expect(out).toContain('+ curated.orders_by_country  made anew: curated.orders has changed · after curated.orders\n')
    expect(out).toContain('row_number() OVER (PARTITION BY')
    expect(out).toContain('2 tables would be made. This was a dry run: nothing was changed.')
    expect(await filesOf(lake)).toEqual(before)

    const { document } = await weirJson(lake, ['curate', '--dry-run', '--table', 'orders'])
    expect(document).toMatchObject({
      dryRun: true,
      dialect: 'duckdb',
      tables: [
        { table: 'orders', todo: 'run', kind: 'entity', scope: 'change', came: [newest.upload], left: [], after: [] },
        { table: 'orders_by_country', todo: 'run', scope: 'full', after: ['curated.orders'] },
      ],
    })
    for (const { statements } of document.tables) expect(statements[0]).toContain('SELECT')
    expect(await rowsOf(lake, QUANTITIES)).toEqual([['A-0001', '1']])
  })

  test('for Athena, of a lake in a folder: statements with the names of its environment, and numbers for snapshots', async () => {
    const lake = await freshLake()
    const model = [
      '/*---',
      'materialized: incremental',
      'uniqueKey: order_id',
      '---*/',
      'SELECT o.order_id, o.quantity * o.unit_price AS revenue FROM curated.orders o',
    ]
    await put(lake, 'models/revenue.sql', model.join('\n'))
    await writeFile(join(lake, 'weir.yaml'), 'environment: shop-test\n')
    const created = await weirJson(lake, ['curate', '--dry-run', '--dialect', 'athena', '--table', 'orders'])
    const textOf = (table: string, { document } = created) =>
      document.tables.find((one: { table: string }) => one.table === table).statements.join('\n')
    expect(textOf('orders')).toContain('CREATE TABLE IF NOT EXISTS `shop_test_curated`.`orders`')
    expect(textOf('orders')).toContain("LOCATION 's3://shop-test-curated/orders/")

    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    await writeFile(join(lake, 'weir.yaml'), 'environment: shop-test\ncurate: manual\n')
    await dropOrders(lake, 'orders_2.csv', 'A-0002,2026-10-01,,DE,4,1.00\n')
    const before = await filesOf(lake)
    const changed = await weirJson(lake, ['curate', '--dry-run', '--dialect', 'athena'])
    expect(changed).toMatchObject({ code: 0, document: { dialect: 'athena' } })
    expect(textOf('orders', changed)).toMatch(
      /^MERGE INTO "shop_test_curated"\."orders" AS t\n[\s\S]*THEN INSERT [\s\S]*;$/,
    )
    expect(textOf('orders_by_country', changed)).toContain(
      'CREATE OR REPLACE VIEW "shop_test_curated"."orders_by_country"',
    )
    expect(textOf('revenue', changed)).toMatch(
      /^-- (\d{17}) stands for the snapshot that run \S+ makes on AWS\.[\s\S]*shop_test_curated\.orders FOR VERSION AS OF \1 /,
    )
    expect(await filesOf(lake)).toEqual(before)
  })

  test('of an up-to-date lake: nothing', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    expect((await weir(lake, ['curate', '--dry-run'])).out).toContain('\n0 tables would be made.')
  })
})

describe('a model whose tests fail', () => {
  async function failing(): Promise<string> {
    const lake = await freshLake()
    const model = join(lake, 'models/orders_by_country.sql')
    const text = await readFile(model, 'utf8')
    await writeFile(model, text.replace('revenue < 0', 'pieces > 100'))
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    return lake
  }

  test('keeps its version in front of readers; the drop is no failure, and curate ends with 2', async () => {
    const lake = await failing()
    const dropped = await dropOrders(lake, 'orders_2.csv', 'A-0002,2026-10-01,,FR,900,1.00\n')
    expect(dropped.code).toBe(0)
    expect(dropped.out).toContain(
      '→ curated.orders: 1 row changed (2 in all)\n✗ A test of curated.orders_by_country failed: ',
    )
    expect(dropped.out).toContain('Readers keep the version before.')
    expect(dropped.out).toContain('More: weir runs --table orders_by_country --failed\n')
    const sql = 'select country from curated.orders_by_country order by 1'
    expect(await rowsOf(lake, sql)).toEqual([['DE']])

    const again = await weir(lake, ['curate'])
    expect(again.code).toBe(2)
    expect(again.out).toMatch(/^= curated\.orders {2}nothing has changed/)
    expect(again.out).toMatch(/\n {4}failed {2}sql: 1 row\n {6}\{.*"country":"FR".*\}\n/)
    expect(again.out).toContain('1 as before, 1 failed')
    expect(await weirJson(lake, ['curate', '--model', 'orders_by_country'])).toMatchObject({
      code: 2,
      document: {
        tables: [{ outcome: 'failed_tests', run: { reason: { code: 'failed_tests' }, version: null } }],
      },
    })

    const status = await weir(lake, ['status'])
    expect(status.code).toBe(2)
    expect(status.out).toContain(
      '✗ A test of curated.orders_by_country failed: sql (1). Readers keep the version before.',
    )
    expect(status.out).toMatch(/\norders_by_country +table +1 .* tests failed: sql\n/)

    const failed = await weir(lake, ['runs', '--failed'])
    expect(failed.out).toMatch(/✗ tests failed/)
    expect(failed.out).toContain('mend the data or')
    const { document } = await weirJson(lake, ['runs', '--failed'])
    expect(document.total).toBe(3)

    expect((await weir(lake, ['retract', 'orders/orders_2.csv'])).code).toBe(0)
    expect((await weir(lake, ['status'])).code).toBe(0)
  })
})

describe('mistakes', () => {
  test('in a model: what is dropped is taken in all the same, and curate says where the mistake is', async () => {
    const lake = await freshLake()
    await put(lake, 'models/bad.sql', 'SELECT nope FROM curated.orders\n')
    const dropped = await dropOrders(lake, 'orders_1.csv', ORDER_1)
    expect(dropped).toMatchObject({
      code: 0,
      out: expect.stringContaining('→ curated.orders_by_country'),
      err: 'Not made, for there are mistakes in the models (bad.sql): weir lint\n',
    })
    const { code, document } = await weirJson(lake, ['curate', '--full'])
    expect(code).toBe(3)
    expect(document.error).toMatchObject({ name: 'ModelError', issues: [{ file: 'bad.sql', line: 1, column: 8 }] })
    expect(document.leftOut).toMatchObject([{ table: 'bad', file: 'bad.sql', issues: [{ line: 1 }], behind: [] }])
    expect(document.tables).toMatchObject([
      { table: 'orders', outcome: 'published' },
      { table: 'orders_by_country', outcome: 'published' },
    ])
    expect(await weirJson(lake, ['status'])).toMatchObject({
      code: 3,
      document: { models: { problems: [expect.stringMatching(/^bad\.sql:1:8: /)] } },
    })
  })

  test('in the front matter: neither that model nor what follows it is made, and all others are', async () => {
    const lake = await freshLake()
    await put(lake, 'models/wrong.sql', '/*---\nmaterialised: view\n---*/\nSELECT order_id FROM curated.orders\n')
    await put(lake, 'models/after.sql', 'SELECT order_id FROM curated.wrong\n')
    const test = '  - not_null: customer_email\n    severity: warning\n'
    await put(
      lake,
      'models/emails.sql',
      `/*---\nmaterialized: view\ntests:\n${test}---*/\nSELECT customer_email FROM curated.orders\n`,
    )
    await put(
      lake,
      'models/nightly.sql',
      '/*---\nschedule: rate(1 day)\n---*/\nSELECT count(*) AS n FROM curated.orders\n',
    )
    await put(lake, 'orders_1.csv', HEADER + ORDER_1)
    const dropped = await weirJson(lake, ['drop', 'orders_1.csv'])
    const names = (document: { curated: { table: string }[] }) => document.curated.map(({ table }) => table).sort()
    expect(names(dropped.document)).toEqual(['emails', 'orders', 'orders_by_country'])
    const status = await weirJson(lake, ['status'])
    expect(status.code).toBe(3)
    expect(status.document.models.problems).toEqual([
      expect.stringMatching(/^wrong\.sql:2:1: There is no setting materialised/),
    ])
    expect(names(status.document)).toEqual(['emails', 'nightly', 'orders', 'orders_by_country'])

    const others = await weir(lake, ['curate'])
    expect(others.code).toBe(3)
    expect(others.out).toMatch(
      /^✗ curated\.after {2}left out: after\.sql reads curated\.wrong, which is left out\.\n✗ curated\.wrong {2}left out: wrong\.sql:2:1: There is no setting materialised.*\n/,
    )
    expect(others.out).toContain('✓ curated.nightly  made anew')
    expect(others.out).toMatch(
      /\n1 problem in the models, so 2 are left out: mend the lines above, and run weir lint\.\n$/,
    )
    const dry = await weirJson(lake, ['curate', '--dry-run', '--full'])
    expect(dry).toMatchObject({ code: 3, document: { leftOut: [{ table: 'after', behind: ['wrong'] }, {}] } })
    expect(dry.document.tables.map(({ todo }: { todo: string }) => todo)).toEqual(['run', 'run', 'run', 'run'])
    for (const option of ['--table', '--model'])
      expect(await weir(lake, ['curate', option, 'after'])).toMatchObject({
        code: 3,
        out: '',
        err: expect.stringMatching(/ {2}after\.sql: reads curated\.wrong, which is left out\.\n {2}wrong\.sql:2:1: /),
      })

    await rm(join(lake, 'models/wrong.sql'))
    await rm(join(lake, 'models/after.sql'))
    const ran = await weir(lake, ['curate', '--full'])
    expect(ran.code).toBe(0)
    expect(ran.out).toMatch(
      /✓ curated\.emails {2}the view as it is now.* · 1 of 1 test failed · .*\n {4}warning {2}not_null of customer_email: 1 row\n/,
    )
    expect(ran.out).toContain('✓ curated.nightly  made anew')
  })

  test('in a contract that a table cannot follow: said, and nothing is touched', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    const contract = join(lake, 'contracts/orders.yaml')
    await writeFile(contract, (await readFile(contract, 'utf8')).replace('decimal(10,2)', 'decimal(8,2)'))
    const ran = await weir(lake, ['curate', '--table', 'orders'])
    expect(ran.code).toBe(3)
    expect(ran.out).toContain('✗ curated.orders  ')
    expect(ran.out).toContain('new major version')
    expect((await weir(lake, ['curate', '--dry-run', '--table', 'orders'])).code).toBe(3)
    expect(await rowsOf(lake, QUANTITIES)).toEqual([['A-0001', '1']])
  })

  test('a fault of ours after the receipts: they are told, the files are in, and the exit code is 4', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    const state = join(lake, 'ops/tables/orders.json')
    await rm(state)
    await writeFile(state, '{')
    const dropped = await dropOrders(lake, 'orders_2.csv', 'A-0002,2026-10-01,,DE,1,1.00\n')
    expect(dropped.code).toBe(4)
    expect(dropped.out).toMatch(/^✓ orders\/orders_2\.csv {2}accepted 1 of 1 row/)
    expect(dropped.err).toContain('The curated tables could not be brought up to date: The state of curated.orders')
    expect(dropped.err).toContain('What was said above of the files holds.')
    const { document } = await weirJson(lake, ['drop', 'orders_2.csv'])
    expect(document).toMatchObject({
      receipts: [{}],
      curated: [],
      curateError: { name: 'TableStateDamaged', exitCode: 4 },
    })
    expect(await rowsOf(lake, 'select count(*) from clean.orders')).toEqual([['2']])
    const status = await weir(lake, ['status'])
    expect(status.code).toBe(4)
    expect(status.out).toContain('✗ The state of curated.orders (ops/tables/orders.json) cannot be read')
    expect(status.out).toContain('run "weir curate --table orders --full"')
    expect(status.out).toMatch(/\norders +entity .* cannot be read\n/)
  })

  test('a catalog that was lost takes no rows away, and is forgotten once it is filled again', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    await rm(join(lake, '.weir/catalog.sqlite'))
    const ran = await weir(lake, ['curate', '--table', 'orders'])
    expect(ran).toMatchObject({ code: 4, out: expect.stringContaining('The catalog was lost') })
    expect(await rowsOf(lake, QUANTITIES)).toEqual([['A-0001', '1']])
    expect((await weir(lake, ['reconcile'])).code).toBe(0)
    expect(await weirJson(lake, ['status'])).toMatchObject({
      code: 0,
      document: { curated: [{ table: 'orders', behind: false, failed: null }, { behind: false }] },
    })
  })

  const WRONG: [string[], string][] = [
    [['curate', '--table', 'nope'], 'There is no curated table nope. The tables are: orders, orders_by_country.'],
    [['curate', '--model', 'orders'], 'There is no model orders. The models are: orders_by_country.'],
    [['curate', '--dialect', 'athena'], '--dialect goes with --dry-run'],
    [['curate', '--dry-run', '--dialect', 'mysql'], 'Allowed choices are athena, duckdb'],
    [['query', 'select 1', '--as-of', 'yesterday'], 'or the id of a run (weir runs lists them)'],
    [['query', 'select 1', '--as-of', '2999-01-01'], '2999-01-01T00:00:00.000Z has not come yet'],
    [
      ['query', 'select 1', '--as-of', '20260101'],
      'There is no run "20260101" of a curated table. To list them: weir runs',
    ],
    [['query', 'select * from clean.orders', '--as-of', '1h'], 'clean has no history'],
  ]
  test('wrong usage', async () => {
    const lake = await freshLake()
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    for (const [args, words] of WRONG)
      expect(await weir(lake, args)).toMatchObject({ code: 3, out: '', err: expect.stringContaining(words) })
  })

  test('without a lake, and without curated tables', async () => {
    expect((await weir(await tempFolder(), ['curate'])).code).toBe(3)
    const lake = await freshLake()
    await rm(join(lake, 'models'), { recursive: true })
    const contract = join(lake, 'contracts/orders.yaml')
    const text = await readFile(contract, 'utf8')
    await writeFile(contract, text.replace('        value:\n', '        value:\n          curated: { mode: none }\n'))
    expect(await weir(lake, ['curate'])).toMatchObject({
      code: 0,
      out: expect.stringContaining('There are no curated tables'),
    })
    expect(await weirJson(lake, ['curate', '--dry-run'])).toMatchObject({ code: 0, document: { tables: [] } })
  })
})

describe('a deployed lake is asked, and its ledger watched', () => {
  test('each run is told of as it comes, and one that made no version ends the waiting', async () => {
    const lake = await freshLake()
    await writeFile(join(lake, 'weir.yaml'), 'curate: manual\n')
    const opened = await openLocalLake(lake)
    onTestFinished(() => opened.close())
    const wait = async (before: [string, string | null][], timeoutMs = 20_000) => {
      const told: string[] = []
      const onRun = ({ table, outcome }: Run) => void told.push(`${table} ${outcome}`)
      await awaitRuns({ lake: opened }, new Map(before), { timeoutMs, everyMs: 20, onRun })
      return told
    }
    const waiting = wait([
      ['orders', null],
      ['orders_by_country', null],
    ])
    await dropOrders(lake, 'orders_1.csv', ORDER_1)
    await weir(lake, ['curate'])
    expect(await waiting).toEqual(['orders published', 'orders_by_country published'])

    const [newest] = (await weirJson(lake, ['runs', '--table', 'orders'])).document.runs
    expect(await wait([['orders', newest.run]], 50)).toEqual([])
    const model = join(lake, 'models/orders_by_country.sql')
    const text = await readFile(model, 'utf8')
    await writeFile(model, text.replace('revenue < 0', 'revenue > 0').replace('sum(quantity)', 'max(quantity)'))
    expect((await weir(lake, ['curate'])).code).toBe(2)
    expect(
      await wait([
        ['orders_by_country', null],
        ['never', null],
      ]),
    ).toEqual(['orders_by_country failed_tests'])
  })

  test('after the time is over, what to do next is said', () => {
    const { message, advice } = new NotCuratedYet(['orders', 'sums'], 60, 'aws:weir')
    expect(message).toBe('No run yet after 60 s of curated.orders, curated.sums.')
    expect(advice).toContain('What came of it: weir runs --lake aws:weir.')
  })
})

describe('while files come in', () => {
  const io = { signal: new AbortController().signal }
  const summary = (table: string): CuratedSummary => ({
    table,
    outcome: 'published',
    run: 'r',
    scope: 'change',
    rows: null,
    reason: null,
  })

  test('tables follow after a quiet moment, for all that came, and never twice at the same time', async () => {
    const seen: Concerned[] = []
    let atOnce = 0
    let release = () => {}
    const first = new Promise<void>((resolve) => {
      release = resolve
    })
    const following = startFollowing(io as CliRun, {}, async (concerned) => {
      seen.push(concerned)
      expect(++atOnce).toBe(1)
      if (seen.length === 1) await first
      atOnce--
      return { curated: [summary('orders')], exit: seen.length === 1 ? 4 : 0 }
    })
    following.touch('orders')
    following.touch('shops')
    await vi.waitFor(() => expect(seen).toHaveLength(1))
    following.touch('orders')
    following.touchAll()
    release()
    await vi.waitFor(() => expect(seen).toHaveLength(2))
    expect(seen).toEqual([{ datasets: ['orders', 'shops'] }, 'all'])
    expect(await following.end()).toEqual({ curated: [summary('orders')], faults: 1, left: false })
  })

  test('what Ctrl-C left undone is said', async () => {
    const following = startFollowing(io as CliRun, {}, () => Promise.reject(new Interrupted('Stopped.')))
    following.touch('orders')
    expect(await following.end()).toEqual({ curated: [], faults: 0, left: true })
  })
})

describe('what a run did, in words', () => {
  const run: Run = {
    format: 'weir.run/1',
    run: '20261122T080000000Z-0123456789ab',
    table: 'orders',
    kind: 'entity',
    outcome: 'published',
    scope: 'change',
    startedAt: '2026-11-22T08:00:00.000Z',
    finishedAt: '2026-11-22T08:00:04.200Z',
    version: '1',
    rows: { written: 12, removed: 3, total: 3020 },
    uploads: { came: 2, left: 1, names: [] },
    inputs: {},
    statements: [],
    bytesScanned: 12_000_000,
    cost: 0.00006,
    tests: [],
    reason: null,
    weir: '0.1.0',
  }

  test('with what it scanned, and what that costs', () => {
    expect(runInWords(run)).toBe(
      'only what changed · 12 rows written, 3 removed, 3,020 in all · 2 uploads came, 1 left · 4.2 s · 12 MB scanned, about $0.00006',
    )
    expect(changedInWords(run)).toBe('15 rows changed (3,020 in all)')
  })

  test('where nobody counted, nothing is made up', () => {
    const uncounted = { ...run, rows: { written: null, removed: null, total: null }, bytesScanned: null, cost: null }
    expect(runInWords({ ...uncounted, uploads: { came: 0, left: 0, names: [] } })).toBe('only what changed · 4.2 s')
    expect(changedInWords(uncounted)).toBe('a new version')
    expect(changedInWords({ ...run, kind: 'view' })).toBe('the view as it is now')
    expect(changedInWords({ ...run, kind: 'view' }, 'curated.orders has changed')).toBe(
      'the view as it is now: curated.orders has changed',
    )
  })
})
