// Changed rows into a big table: Weir's merge of a curated table, and plain DuckDB's MERGE INTO of the same rows in a database file.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { createLocalLake, openLocalLake } from '../lib/lake/local/lake.ts'
import type { Lake, TableChange, TableColumn, TableJob } from '../lib/lake/ports.ts'
import { runId } from '../lib/lake/runs.ts'
import { readTableState, writeTableState } from '../lib/lake/table-state.ts'

export interface MergeSizes {
  rows: number
  changed: number
  /** How many times other rows change. */
  times: number
}

const COLUMNS: TableColumn[] = [
  { name: 'order_id', type: 'BIGINT' },
  { name: 'customer', type: 'VARCHAR' },
  { name: 'order_date', type: 'DATE' },
  { name: 'amount', type: 'DECIMAL(18,2)' },
  { name: 'status', type: 'VARCHAR' },
  { name: 'pieces', type: 'INTEGER' },
  { name: 'note', type: 'VARCHAR' },
  { name: '_upload', type: 'VARCHAR' },
]
const NAMES = COLUMNS.map(({ name }) => name)
const TABLE = { name: 'curated.orders', columns: COLUMNS, partitionKeys: [] }

/** Orders whose numbers come from `ids`, a relation with a column i. */
const orders = (ids: string, time: number): string =>
  `SELECT i AS order_id, 'customer-' || (i * 7919 % 100000) AS customer, DATE '2024-01-01' + CAST(i * 700 // ${time + 1} % 700 AS INTEGER) AS order_date,
    CAST((i * 7919 % 1000000) / 100 + ${time} AS DECIMAL(18,2)) AS amount, ['new', 'paid', 'sent'][1 + (i + ${time}) % 3] AS status,
    CAST(i % 9 AS INTEGER) AS pieces, 'note ' || hash(i + ${time}) AS note, '2026010${time % 10}T000000000Z-${String(time).padStart(12, '0')}' AS _upload FROM (${ids})`

/** Nine in ten of them are there, all over the table; the others are new. */
const changedIds = ({ rows, changed }: MergeSizes, time: number): string =>
  `SELECT CASE WHEN r % 10 = 0 THEN ${rows} + ${time} * ${changed} + r ELSE r * ${Math.floor(rows / changed)} + (r * 31 + ${time} * 17) % ${Math.floor(rows / changed)} END AS i FROM range(${changed}) t(r)`

const lakeAt = (folder: string): string => join(folder, 'lake')
const databaseAt = (folder: string): string => join(folder, 'orders.duckdb')
const changesAt = (folder: string, time: number): string => join(folder, `changes-${time}.parquet`)
const location = (time: number): string => `orders/ingest_date=2026-01-01/source=s${time}/`

/** Makes the table in both places, and the rows that will change. */
export async function makeMergeBase(folder: string, sizes: MergeSizes): Promise<void> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await createLocalLake(lakeAt(folder))
  const lake = await openLocalLake(lakeAt(folder))
  const keys = ['ingest_date', 'source'].map((name) => ({ name, type: 'VARCHAR' }))
  await lake.catalog.putTable({ name: 'clean.orders', columns: COLUMNS, partitionKeys: keys })
  await withDatabase(databaseAt(folder), async (connection) => {
    const base = join(folder, 'base.parquet')
    await connection.run(
      `COPY (${orders(`SELECT i FROM range(${sizes.rows}) t(i)`, 0)}) TO '${base}' (FORMAT parquet, COMPRESSION zstd)`,
    )
    await connection.run(`CREATE TABLE orders AS FROM '${base}'`)
    await connection.run('CHECKPOINT')
    await lake.zones.clean.putFile(`${location(0)}part-0.parquet`, base)
    for (let time = 1; time <= sizes.times; time++) {
      const path = changesAt(folder, time)
      const copy = join(folder, 'changes.parquet')
      for (const to of [path, copy])
        await connection.run(
          `COPY (${orders(changedIds(sizes, time), time)}) TO '${to}' (FORMAT parquet, COMPRESSION zstd)`,
        )
      await lake.zones.clean.putFile(`${location(time)}part-0.parquet`, copy)
    }
  })
  for (let time = 0; time <= sizes.times; time++)
    await lake.catalog.putPartition('clean.orders', { values: ['2026-01-01', `s${time}`], location: location(time) })
  await change(lake, { kind: 'replace', query: `SELECT ${NAMES.join(', ')} FROM clean.orders WHERE source = 's0'` })
  await lake.close()
}

/** Weir: one merge, from opening the lake until readers see it. Gives the rows that came, and those of the table. */
export async function mergeByWeir(folder: string, time: number): Promise<{ written: number; total: number }> {
  const lake = await openLocalLake(lakeAt(folder))
  const query = `SELECT ${NAMES.join(', ')}, false AS _gone FROM clean.orders WHERE source = 's${time}'`
  const rows = await change(lake, { kind: 'merge', query, newest: { left: [] } })
  await lake.close()
  return rows
}

/** DuckDB: the same rows, from opening the database until they are in its file. */
export async function mergeByDuck(folder: string, time: number): Promise<{ written: number; total: number }> {
  let written = 0
  let total = 0
  await withDatabase(databaseAt(folder), async (connection) => {
    const set = NAMES.filter((name) => name !== 'order_id').map((name) => `${name} = c.${name}`)
    const merged = await connection.runAndReadAll(
      `MERGE INTO orders o USING (FROM '${changesAt(folder, time)}') c ON o.order_id = c.order_id
        WHEN MATCHED AND c._upload >= o._upload THEN UPDATE SET ${set.join(', ')} WHEN NOT MATCHED THEN INSERT`,
    )
    await connection.run('CHECKPOINT')
    written = Number(merged.getRowsJson()[0]?.[0] ?? 0)
    total = Number((await connection.runAndReadAll('SELECT count(*) FROM orders')).getRowsJson()[0]?.[0] ?? 0)
  })
  return { written, total }
}

/** Milliseconds of one aggregate over the table now, and over its first version, which has no deleted rows; the best of three. */
export async function readMerged(folder: string): Promise<{ merged: number; unmerged: number }> {
  const lake = await openLocalLake(lakeAt(folder))
  const first = (await readTableState(lake.zones.ops, 'orders'))?.state.history.at(-1)?.id
  const best = async (of: string) => {
    const each: number[] = []
    for (let time = 0; time < 3; time++) {
      const { stats } = await lake.queries.query(`SELECT status, sum(amount), max(customer) FROM ${of} GROUP BY status`)
      each.push(stats?.milliseconds ?? Number.NaN)
    }
    return Math.min(...each)
  }
  const found = {
    merged: await best('curated.orders'),
    unmerged: await best(`curated.orders FOR VERSION AS OF '${first}'`),
  }
  await lake.close()
  return found
}

/** Does a job and publishes it, as the pipeline does. */
async function change(lake: Lake, change: TableChange): Promise<{ written: number; total: number }> {
  const { ops } = lake.zones
  const stored = await readTableState(ops, 'orders')
  const version = stored?.state.version ?? undefined
  const job: TableJob = {
    run: runId('orders', new Date(), crypto.randomUUID()),
    kind: 'entity',
    table: TABLE,
    partitionBy: [],
    key: ['order_id'],
    change,
    base: version,
    baseColumns: version && COLUMNS,
  }
  const options = { journal: { get: () => undefined, set: async () => {} } }
  const staged = await lake.tables.stage(job, options)
  const published = await lake.tables.publish(staged, options)
  await writeTableState(
    ops,
    stored,
    {
      table: 'orders',
      kind: 'entity',
      columns: COLUMNS,
      key: job.key,
      partitionBy: [],
      definition: '',
      major: null,
      query: null,
      version: { ...published.version, change: null },
      history: stored?.state.version ? [stored.state.version, ...stored.state.history] : [],
      inputs: {},
      uploads: {},
      pending: null,
      suspects: [],
      failed: null,
      lastRun: null,
    },
    new Date(),
  )
  return { written: staged.rows.written ?? 0, total: staged.rows.total ?? 0 }
}

async function withDatabase(path: string, work: (connection: DuckDBConnection) => Promise<void>): Promise<void> {
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  try {
    await work(connection)
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
