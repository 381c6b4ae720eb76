// A statement about the past names what each table was then: a snapshot, a stored table, or a view's query over what its tables were.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { AthenaClient } from '@aws-sdk/client-athena'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { openAthena } from '../../../lib/lake/aws/athena.ts'
import { QueryError } from '../../../lib/lake/errors.ts'
import { createLocalLake, openLocalLake } from '../../../lib/lake/local/lake.ts'
import type { Lake, ObjectStore, QueryOptions } from '../../../lib/lake/ports.ts'
import { type KeptVersion, type TableState, writeTableState } from '../../../lib/lake/table-state.ts'
import { type FakeAthena, startFakeAthena } from './tables-athena.ts'

let root: string
let lake: Lake
let fake: FakeAthena
let athena: AthenaClient

const runOf = (day: number, hex: string) => `2026010${day}T000000000Z-${hex.repeat(12)}`
const version = (day: number, id: string, hex: string): KeptVersion => ({
  id,
  run: runOf(day, hex),
  committedAt: `2026-01-0${day}T00:00:00.000Z`,
  rows: null,
  change: null,
})
const stored = (name: string, day: number, hex: string) => `${name}_2026010${day}t000000000z${hex.repeat(12)}`

beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'weir-as-of-'))
  await createLocalLake(root)
  lake = await openLocalLake(root, { durable: false })
  fake = await startFakeAthena()
  athena = new AthenaClient(fake.client)
  const write = (table: string, kind: TableState['kind'], versions: KeptVersion[], query: string | null = null) => {
    const [newest = null, ...history] = versions
    const state = { table, kind, columns: [], key: [], partitionBy: [], definition: '', major: null, query }
    const rest = { inputs: {}, uploads: {}, pending: null, suspects: [], failed: null, lastRun: null }
    return writeTableState(lake.zones.ops, undefined, { ...state, ...rest, version: newest, history }, new Date(0))
  }
  await write('orders', 'entity', [version(5, '55', 'a'), version(3, '33', 'b')])
  await write('per_day', 'table', [
    version(6, stored('per_day', 6, 'c'), 'c'),
    version(4, stored('per_day', 4, 'd'), 'd'),
  ])
  await write(
    'big',
    'view',
    [version(4, runOf(4, 'e'), 'e'), version(2, runOf(2, 'f'), 'f')],
    'SELECT * FROM curated.orders o WHERE o.n > 1',
  )
  await write('early', 'view', [version(1, runOf(1, '1'), '1')], 'SELECT count(*) AS n FROM clean.orders')
  await write(
    'twice',
    'view',
    [version(1, runOf(1, '2'), '2')],
    'SELECT * FROM curated.big JOIN curated.per_day USING (id)',
  )
  await write('was_view', 'entity', [version(5, '99', '3'), version(2, runOf(2, '4'), '4')])
  await write('was_entity', 'table', [version(5, stored('was_entity', 5, '5'), '5'), version(2, '22', '6')])
  await write('new', 'entity', [])
})
afterAll(async () => {
  athena.destroy()
  await fake.close()
  await lake.close()
  await rm(root, { recursive: true, force: true })
})
beforeEach(() => {
  fake.executions = []
})

const databases = { clean: 'w_clean', curated: 'w_curated', ops: 'w_ops' }
const catalog = { state: async () => ({ generation: 'x', complete: true }), listTables: async () => [] }
/** What goes out for a statement. */
async function sent(sql: string, asOf?: QueryOptions['asOf']): Promise<string | undefined> {
  const queries = openAthena({ athena, workgroup: 'w', databases, catalog, ops: lake.zones.ops })
  await queries.query(sql, asOf ? { asOf } : {})
  return fake.executions[0]?.sql
}
const at = (day: number) => new Date(`2026-01-0${day}T12:00:00Z`)
const ORDERS = (snapshot: number) =>
  `SELECT orders.id FROM w_curated."orders" FOR VERSION AS OF ${snapshot} AS "orders"`

describe('as of a moment', () => {
  test('a table is the version that readers saw then', async () => {
    expect(await sent('SELECT curated.orders.id FROM curated.orders', at(6))).toBe(ORDERS(55))
  })
  test('or an earlier one', async () => {
    expect(await sent('SELECT orders.id FROM curated.orders', at(4))).toBe(ORDERS(33))
  })
  test('or what Iceberg knows beyond the versions that our runs keep', async () => {
    expect(await sent('SELECT o.id FROM curated.orders o', at(2))).toBe(
      `SELECT o.id FROM w_curated."orders" FOR TIMESTAMP AS OF TIMESTAMP '2026-01-02 12:00:00.000 UTC' o`,
    )
  })
  test('a model is the table that was stored then', async () => {
    expect(await sent('SELECT * FROM curated.per_day AS p', at(5))).toBe(
      `SELECT * FROM "w_curated_versions"."${stored('per_day', 4, 'd')}" AS p`,
    )
    await expect(sent('SELECT * FROM curated.per_day', at(3))).rejects.toThrow(
      `curated.per_day has no version of 2026-01-03T12:00:00.000Z or before: the first that is kept is of 2026-01-04T00:00:00.000Z. The versions that are kept: ${runOf(6, 'c')} (2026-01-06T00:00:00.000Z), ${runOf(4, 'd')} (2026-01-04T00:00:00.000Z).`,
    )
  })
  test('a view is its query over what its tables were', async () => {
    expect(await sent('SELECT big.id FROM curated.big', at(4))).toBe(
      `SELECT big.id FROM (\nSELECT * FROM w_curated."orders" FOR VERSION AS OF 33 o WHERE o.n > 1\n) AS "big"`,
    )
    fake.executions = []
    expect(await sent('SELECT * FROM curated.twice t', at(5))).toBe(
      `SELECT * FROM (\nSELECT * FROM (\nSELECT * FROM w_curated."orders" FOR VERSION AS OF 55 o WHERE o.n > 1\n) AS "big" JOIN "w_curated_versions"."${stored('per_day', 4, 'd')}" AS "per_day" USING (id)\n) t`,
    )
    await expect(sent('SELECT * FROM curated.big', at(3))).rejects.toThrow(
      'curated.big is a view that was another one at 2026-01-03T12:00:00.000Z, and Athena keeps the newest only, of 2026-01-04T00:00:00.000Z. Ask the tables that it reads.',
    )
    await expect(sent('SELECT * FROM curated.early', at(3))).rejects.toThrow(
      'The view curated.early: clean has no history: clean.orders cannot be read as of 2026-01-03T12:00:00.000Z. Ask for curated tables only.',
    )
  })
  test('clean has no history, and names of WITH are no tables', async () => {
    await expect(sent('SELECT * FROM curated.orders JOIN clean.orders USING (id)', at(6))).rejects.toThrow(
      'clean has no history: clean.orders cannot be read as of 2026-01-06T12:00:00.000Z. Ask for curated tables only.',
    )
    expect(await sent('WITH clean AS (SELECT * FROM curated.orders o) SELECT * FROM clean, ops.runs', at(6))).toBe(
      `WITH clean AS (SELECT * FROM w_curated."orders" FOR VERSION AS OF 55 o) SELECT * FROM clean, w_ops.runs`,
    )
  })
  test('a table that became another one has lost what it was, unless that was stored', async () => {
    await expect(sent('SELECT * FROM curated.was_view', at(3))).rejects.toThrow(/is a view that was another one at/)
    await expect(sent('SELECT * FROM curated.was_entity', at(3))).rejects.toThrow(
      'curated.was_entity was another table before 2026-01-05T00:00:00.000Z, which is gone with its history.',
    )
    expect(await sent('SELECT * FROM curated.was_entity w', at(6))).toContain(stored('was_entity', 5, '5'))
  })
  test('what only asks about tables asks about now; what is not there is not there', async () => {
    expect(await sent('SHOW TABLES IN curated', at(6))).toBe('SHOW TABLES IN w_curated')
    fake.executions = []
    expect(await sent('SELECT * FROM curated.new, curated.nope', at(6))).toBe(
      'SELECT * FROM w_curated.new, w_curated.nope',
    )
  })
})

describe('as of a run', () => {
  test('its table is as it left it, and the others as they were then', async () => {
    expect(await sent('SELECT * FROM curated.orders o, curated.per_day p', { run: runOf(5, 'a') })).toBe(
      `SELECT * FROM w_curated."orders" FOR VERSION AS OF 55 o, "w_curated_versions"."${stored('per_day', 4, 'd')}" p`,
    )
  })
  test('that no table keeps is refused, with those that are kept', async () => {
    await expect(sent('SELECT * FROM curated.orders', { run: runOf(9, '0') })).rejects.toThrow(
      new RegExp(
        `^No curated table keeps a version of the run ${runOf(9, '0')}\\. The runs whose versions are kept: .*${runOf(3, 'b')}`,
      ),
    )
  })
})

describe('FOR … AS OF in the statement', () => {
  test.each([
    [
      `SELECT * FROM curated.orders FOR VERSION AS OF '${runOf(3, 'b')}' o`,
      'SELECT * FROM w_curated."orders" FOR VERSION AS OF 33 o',
    ],
    [
      "SELECT * FROM curated.orders FOR VERSION AS OF '55' o",
      'SELECT * FROM w_curated."orders" FOR VERSION AS OF 55 o',
    ],
    // A snapshot that no run of ours names.
    ["SELECT * FROM curated.orders FOR VERSION AS OF '44' o", 'SELECT * FROM w_curated.orders FOR VERSION AS OF 44 o'],
    [
      "SELECT * FROM curated.per_day FOR TIMESTAMP AS OF TIMESTAMP '2026-01-05 00:00:00 UTC' p, curated.per_day q",
      `SELECT * FROM "w_curated_versions"."${stored('per_day', 4, 'd')}" p, w_curated.per_day q`,
    ],
    [
      "SELECT * FROM curated.orders FOR TIMESTAMP AS OF (current_timestamp - INTERVAL '1' DAY) o",
      'SELECT * FROM w_curated."orders" FOR VERSION AS OF 55 o',
    ],
    [
      "SELECT * FROM curated.per_day FOR TIMESTAMP AS OF CAST('2026-01-05 00:00:00 Europe/Berlin' AS timestamp with time zone) p",
      `SELECT * FROM "w_curated_versions"."${stored('per_day', 4, 'd')}" p`,
    ],
    // What only Athena can work out, it does.
    [
      "SELECT * FROM curated.orders FOR TIMESTAMP AS OF date_parse('2026-01-05', '%Y-%m-%d') o",
      "SELECT * FROM w_curated.orders FOR TIMESTAMP AS OF date_parse('2026-01-05', '%Y-%m-%d') o",
    ],
  ])('%s', async (sql, expected) => {
    expect(await sent(sql)).toBe(expected)
  })
  test('goes before the moment of the whole statement', async () => {
    expect(await sent("SELECT * FROM curated.orders FOR VERSION AS OF '33' a, curated.orders b", at(6))).toBe(
      'SELECT * FROM w_curated."orders" FOR VERSION AS OF 33 a, w_curated."orders" FOR VERSION AS OF 55 b',
    )
  })
  test.each([
    [
      "SELECT * FROM curated.per_day FOR VERSION AS OF 'x'",
      /^curated\.per_day has no version x\. The versions that are kept/,
    ],
    ["SELECT * FROM clean.orders FOR TIMESTAMP AS OF TIMESTAMP '2026-01-05 00:00:00 UTC'", /^clean has no history/],
    ['SELECT * FROM curated.per_day FOR TIMESTAMP AS OF id', /^line 1:51: FOR TIMESTAMP AS OF takes a constant/],
    ["SELECT * FROM curated.per_day p FOR VERSION AS OF 'x'", /line 1:33: FOR … AS OF comes before the alias/],
    ["DELETE FROM curated.orders FOR VERSION AS OF '33'", /not allowed|cannot be read/],
  ])('%s is refused', async (sql, message) => {
    const error = await sent(sql).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(QueryError)
    expect((error as Error).message).toMatch(message)
    expect(fake.executions).toEqual([])
  })
})

test('places in a statement that was put together say nothing; only reading is allowed then too', async () => {
  fake.script = () => ({ state: 'FAILED', reason: "COLUMN_NOT_FOUND: line 1:8: Column 'x' in w_curated.orders" })
  await expect(sent('SELECT x FROM curated.orders', at(6))).rejects.toThrow(
    /^COLUMN_NOT_FOUND: Column 'x' in curated\.orders$/,
  )
  fake.executions = []
  await expect(sent('DROP TABLE curated.orders', at(6))).rejects.toThrow(/DROP is not allowed/)
  await expect(
    openAthena({ athena, workgroup: 'w', databases, catalog }).query('SELECT 1', { asOf: at(6) }),
  ).rejects.toThrow('Nothing is known here of what tables were, so none can be read as of another time.')
  expect(fake.executions).toEqual([])
})

test('a table that is not there: the others are named once, as their datasets are written', async () => {
  fake.script = () => ({ state: 'FAILED', reason: "TABLE_NOT_FOUND: line 1:15: Table 'w_curated.nope' does not exist" })
  const inGlue = ['clean.sales', 'curated.orders', 'curated.sales'].map((name) => ({
    name,
    columns: [],
    partitionKeys: [],
  }))
  const ops: ObjectStore = Object.create(lake.zones.ops, {
    list: {
      value: async function* () {
        yield { key: 'tables/Sales.json' }
      },
    },
    get: {
      value: async () => {
        const found = await lake.zones.ops.get('tables/orders.json')
        return found && { ...found, body: Buffer.from(found.body.toString().replace('"orders"', '"Sales"')) }
      },
    },
  })
  const queries = openAthena({
    athena,
    workgroup: 'w',
    databases,
    catalog: { ...catalog, listTables: async () => inGlue },
    ops,
  })
  await expect(queries.query('SELECT * FROM curated.nope')).rejects.toThrow(
    'There is no table curated.nope. The tables are: clean.sales, curated.Sales, curated.orders, ops.receipts, ops.rejects, ops.runs.',
  )
})

test('a table that is not there is told apart from models, which are views', async () => {
  fake.script = () => ({ state: 'FAILED', reason: "TABLE_NOT_FOUND: line 1:40: Table 'w_curated.nope' does not exist" })
  await expect(sent('SELECT * FROM curated.per_day JOIN curated.nope USING (id)')).rejects.toThrow(
    /^There is no table curated\.nope\. The tables are: curated\.big, curated\.early, curated\.orders, curated\.per_day, curated\.twice, .*ops\.runs\./,
  )
})
