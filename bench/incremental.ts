// What following costs when little has changed in a big lake: uploads of changed rows come to an entity table, and an incremental
// model per day follows it. The use cases run as they do after a drop.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { DuckDBInstance } from '@duckdb/node-api'
import { parseContract } from '../lib/contract/read.ts'
import { createLocalLake, openLocalLake } from '../lib/lake/local/lake.ts'
import { checkModels } from '../lib/lake/models/check.ts'
import { tablesOfLake } from '../lib/lake/models/known.ts'
import { parseModels } from '../lib/lake/models/read.ts'
import type { Lake } from '../lib/lake/ports.ts'
import { tableOf } from '../lib/lake/tables.ts'
import type { CurateContext } from '../lib/pipeline/curate/context.ts'
import { type CurateResult, curateTable } from '../lib/pipeline/curate/run.ts'

export interface IncrementalSizes {
  rows: number
  changed: number
  times: number
}

export interface IncrementalTimes {
  /** Milliseconds of each run that took in one upload. */
  entity: number[]
  model: number[]
  /** … and of a model that is made anew. */
  full: number
  /** Rows that the model's runs wrote. */
  written: number[]
}

const CONTRACT = `
apiVersion: v3.1.0
kind: DataContract
id: sales
version: 1.0.0
status: active
schema:
  - name: sales
    logicalType: object
    properties:
      - { name: sale_id, logicalType: integer, required: true, primaryKey: true, primaryKeyPosition: 1 }
      - { name: sale_day, logicalType: date, required: true }
      - { name: shop, logicalType: string, required: true }
      - { name: amount, logicalType: number, physicalType: "decimal(18,2)", required: true }
    customProperties:
      - property: weir
        value: { curated: { mode: merge, partitionBy: [month(sale_day)] } }
`
const MODEL = `/*---
description: Sales of each day.
materialized: incremental
uniqueKey: [sale_day]
---*/
SELECT sale_day, count(*) AS sales, sum(amount) AS amount FROM curated.sales GROUP BY sale_day
`
/** Days that the rows are spread over. */
const DAYS = 1000

/** Runs everything in an empty folder, and checks that following gave what making anew gives. */
export async function incrementalRuns(
  folder: string,
  { rows, changed, times }: IncrementalSizes,
): Promise<IncrementalTimes> {
  await rm(folder, { recursive: true, force: true })
  await mkdir(folder, { recursive: true })
  await createLocalLake(folder)
  const lake = await openLocalLake(folder)
  try {
    const context = contextOf(lake)
    for (const plan of context.plans.values()) await lake.catalog.putTable(tableOf(plan))
    await publish(lake, folder, 0, `SELECT i AS n, i * ${DAYS} // ${rows} AS day FROM range(${rows}) t(i)`)
    for (const table of ['sales', 'per_day']) await run(context, table, 'full')
    const found: IncrementalTimes = { entity: [], model: [], full: 0, written: [] }
    for (let time = 1; time <= times; time++) {
      // Corrections of one day's sales, as far as it has so many, and new ones of the last day.
      const day = (time * 37) % DAYS
      const first = Math.ceil((day * rows) / DAYS)
      const old = Math.min(changed / 2, Math.floor(rows / DAYS))
      await publish(
        lake,
        folder,
        time,
        `SELECT ${first} + i AS n, ${day} AS day FROM range(${old}) t(i) UNION ALL SELECT ${rows + time * changed} + i, ${DAYS} FROM range(${changed - old}) t(i)`,
      )
      found.entity.push((await run(context, 'sales', 'change')).milliseconds)
      const { milliseconds, result } = await run(context, 'per_day', 'change')
      found.model.push(milliseconds)
      found.written.push(result.run?.rows.written ?? Number.NaN)
    }
    const followed = await answer(lake)
    found.full = (await run(context, 'per_day', 'full', true)).milliseconds
    if ((await answer(lake)) !== followed) throw new Error('The model that followed is not the one that is made anew.')
    return found
  } finally {
    await lake.close()
  }
}

const answer = async (lake: Lake): Promise<string> =>
  JSON.stringify((await lake.queries.query('SELECT * FROM curated.per_day ORDER BY sale_day')).rows)

async function run(
  context: CurateContext,
  table: string,
  scope: 'full' | 'change',
  full = false,
): Promise<{ milliseconds: number; result: CurateResult }> {
  const start = performance.now()
  const result = await curateTable(context, table, { full })
  const milliseconds = performance.now() - start
  if (result.outcome !== 'published' || result.run?.scope !== scope)
    throw new Error(`curated.${table}: expected a run of ${scope}, got ${JSON.stringify(result)}`)
  return { milliseconds, result }
}

function contextOf(lake: Lake): CurateContext {
  const { plans } = parseContract(CONTRACT, 'sales.odcs.yaml')
  const { models, errors } = parseModels([{ name: 'per_day.sql', text: MODEL }])
  const checked = checkModels(models, tablesOfLake(plans.values()))
  const wrong = [...errors, ...checked.errors]
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong))
  return { lake, plans, models: checked.models, now: () => new Date(), log: () => {} }
}

/** Puts an upload's rows into the clean table, as ingest does. `numbers`: a relation with columns n and day. */
async function publish(lake: Lake, folder: string, time: number, numbers: string): Promise<void> {
  const upload = `20260101T${String(time).padStart(9, '0')}Z-${String(time).padStart(12, '0')}`
  const source = `s${time}.csv-000000000000`
  const location = `sales/ingest_date=2026-01-01/source=${source}/upload=${upload}/00000000/`
  const path = join(folder, '.weir', 'part.parquet')
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  await connection.run(
    `COPY (SELECT CAST(n AS BIGINT) AS sale_id, DATE '2024-01-01' + CAST(day AS INTEGER) AS sale_day, 'shop ' || n % 50 AS shop,
      CAST(n % 10000 / 100 + ${time} AS DECIMAL(18,2)) AS amount, '${upload}' AS _upload FROM (${numbers})) TO '${path}' (FORMAT parquet, COMPRESSION zstd)`,
  )
  connection.closeSync()
  instance.closeSync()
  await lake.zones.clean.putFile(`${location}part-0.parquet`, path)
  await lake.catalog.putPartition('clean.sales', { values: ['2026-01-01', source], location })
}
