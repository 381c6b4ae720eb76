// A lake in a temporary folder whose curated zone is tested: small files in, tables out.

import { mkdir, rm, utimes, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan } from '../../lib/contract/plan.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import { checkModels } from '../../lib/lake/models/check.ts'
import { tablesOfLake } from '../../lib/lake/models/known.ts'
import type { Model } from '../../lib/lake/models/model.ts'
import { readModels } from '../../lib/lake/models/read.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import type { Run } from '../../lib/lake/runs.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import type { CurateContext } from '../../lib/pipeline/curate/context.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { type KeyedRow, keyedCheck, textOf } from './curate-standin.ts'
import { tempFolder } from './helpers.ts'

export interface CuratedBench {
  lake: Lake
  context: Context & CurateContext
  runs: Run[]
  events: { event: string; [field: string]: unknown }[]
  /** Drops rows under a key and takes them in; each drop is a minute after the one before, unless it is said to be `late` by minutes. */
  drop(key: string, rows: KeyedRow[], late?: number): Promise<void>
  /** What a reader finds, each row as its JSON values. */
  rows(sql: string): Promise<unknown[][]>
  /** The same contracts and models, or others, on the same lake. */
  with(plans: Plan[], models?: Record<string, string>): Promise<Context & CurateContext>
  close(): Promise<void>
}

/** Models by name, checked against the tables of these contracts. Throws what lint would say. */
export async function modelsOf(texts: Record<string, string>, plans: Plan[]): Promise<Model[]> {
  const folder = await tempFolder()
  try {
    await mkdir(folder, { recursive: true })
    for (const [name, text] of Object.entries(texts)) await writeFile(join(folder, `${name}.sql`), text)
    const read = await readModels(folder)
    const { models, errors } = checkModels(read.models, tablesOfLake(plans))
    const all = [...read.errors, ...errors]
    if (all.length > 0) throw new Error(JSON.stringify(all, null, 2))
    return models
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

export async function openCurated(plans: Plan[], texts: Record<string, string> = {}): Promise<CuratedBench> {
  const folder = await tempFolder()
  const runs: Run[] = []
  const events: CuratedBench['events'] = []
  const lake = await openLocalLake(folder, { durable: false, log: (event) => events.push(event) })
  let clock = Date.UTC(2026, 0, 1, 22)
  const contextWith = async (plans: Plan[], texts: Record<string, string> = {}) => ({
    lake,
    plans: new Map(plans.map((plan) => [plan.dataset, plan])),
    models: await modelsOf(texts, plans),
    check: keyedCheck,
    now: () => new Date(clock),
    log: (event: { event: string }) => events.push(event),
    onRun: (run: Run) => runs.push(run),
  })
  const context = await contextWith(plans, texts)
  return {
    lake,
    context,
    runs,
    events,
    async drop(key, rows, late = 0) {
      await lake.zones.landing.put(key, textOf(rows))
      clock += 60_000
      const time = new Date(clock - late * 60_000)
      await utimes(lake.locate('landing', key), time, time)
      await ingest(context, key)
    },
    rows: async (sql) => (await lake.queries.query(sql)).rows,
    with: contextWith,
    async close() {
      await lake.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
