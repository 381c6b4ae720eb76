// A lake in a temporary folder with the stand-in engine, and short ways to drop files and to read the table.

import { existsSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Plan, WeirSettings } from '../../lib/contract/plan.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake, ObjectInfo } from '../../lib/lake/ports.ts'
import type { Receipt } from '../../lib/lake/receipt.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import { standInCheck, standInPlan } from './standin.ts'

/** In memory where the system has that: these tests write many small files. */
export async function tempFolder(): Promise<string> {
  return mkdtemp(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'weir-pipeline-'))
}

export interface Bench {
  lake: Lake
  context: Context
  plan: Plan
  notified: Receipt[]
  events: { event: string; [field: string]: unknown }[]
  /** Puts text into landing, as a user does. */
  land(key: string, text: string): Promise<ObjectInfo>
  /** Rows of the clean table by source, as the catalog shows them. */
  rows(dataset?: string): Promise<string[]>
  close(): Promise<void>
}

export async function openBench(settings: Partial<WeirSettings> = {}, more: Plan[] = []): Promise<Bench> {
  const folder = await tempFolder()
  const notified: Receipt[] = []
  const events: Bench['events'] = []
  const lake = await openLocalLake(folder, {
    durable: false,
    log: (event) => events.push(event),
    onNotify: (receipt) => {
      notified.push(receipt)
    },
  })
  const plan = standInPlan('files', settings)
  const context: Context = {
    lake,
    plans: new Map([plan, ...more].map((one) => [one.dataset, one])),
    check: standInCheck,
    now: () => new Date(),
    log: (event) => events.push(event),
  }
  return {
    lake,
    context,
    plan,
    notified,
    events,
    land: (key, text) => lake.zones.landing.put(key, text),
    rows: (dataset = 'files') => rowsOf(lake, dataset),
    async close() {
      await lake.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}

async function rowsOf(lake: Lake, dataset: string): Promise<string[]> {
  const rows: string[] = []
  for await (const { location } of lake.catalog.listPartitions(`clean.${dataset}`))
    for await (const { key } of lake.zones.clean.list(location))
      for (const line of ((await lake.zones.clean.get(key))?.body.toString() ?? '').split('\n'))
        if (line) rows.push(JSON.parse(line).text)
  return rows.sort()
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const item of items) all.push(item)
  return all
}
