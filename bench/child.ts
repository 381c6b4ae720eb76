// One measured task in a process of its own: `node child.ts '<task as JSON>'`. The clock runs from after the modules are loaded
// until the task is done; starting Node is nobody's work. Sends one message and waits for the parent, which reads the peak
// memory of this process from outside before it lets it go.

import { link, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { drop } from '../lib/pipeline/drop.ts'
import { ingest } from '../lib/pipeline/ingest.ts'
import { floor } from './floor.ts'
import { freshFolder, openBenchLake } from './lake.ts'
import { handMadeLambda } from './lambda.ts'
import { type MergeSizes, makeMergeBase, mergeByDuck, mergeByWeir, readMerged } from './merge.ts'
import { seedReceipts } from './seed.ts'

export type Task =
  | { do: 'ingest'; csv: string; folder: string; memoryBytes?: number }
  | { do: 'floor'; csv: string; folder: string; damaged: boolean }
  | { do: 'lambda'; csv: string; folder: string }
  | { do: 'merge-base'; folder: string; sizes: MergeSizes }
  | { do: 'merge' | 'merge-floor'; folder: string; time: number }
  | { do: 'merge-read'; folder: string }
  | { do: 'drops'; files: string[]; folder: string; warmUp: string[]; receipts: number }

export interface Done {
  milliseconds: number
  /** Processor time of all threads in that time: steadier than the clock on a machine that others use. */
  cpu?: number
  rows?: { read: number; accepted: number; rejected: number }
  /** Rows that a merge wrote, and those of its table then. */
  merged?: { written: number; total: number }
  /** Weir's own phases, from the receipt. */
  timings?: Record<string, number>
  /** Milliseconds of each drop. */
  each?: number[]
}

async function clocked<T>(work: () => Promise<T>): Promise<{ milliseconds: number; cpu: number; value: T }> {
  const used = process.cpuUsage()
  const began = performance.now()
  const value = await work()
  const milliseconds = performance.now() - began
  const { user, system } = process.cpuUsage(used)
  return { milliseconds, cpu: (user + system) / 1000, value }
}

/** Several tasks work in one folder, and whoever started them removes it. */
const shares = (task: Task): boolean => task.do.startsWith('merge')

async function run(task: Task): Promise<Done> {
  if (!shares(task)) await freshFolder(task.folder)
  switch (task.do) {
    case 'floor': {
      const { milliseconds, cpu } = await clocked(() => floor(task.csv, join(task.folder, 'out.parquet'), task.damaged))
      return { milliseconds, cpu }
    }
    case 'lambda': {
      const paths = [join(task.folder, 'out.parquet'), join(task.folder, 'rejects.ndjson')] as const
      const { milliseconds, value } = await clocked(() => handMadeLambda(task.csv, ...paths))
      return { milliseconds, rows: { read: value.accepted + value.rejected, ...value } }
    }
    case 'ingest': {
      // The file lies in landing already, as an uploader would have left it; a link, so that no copy warms or cools anything.
      await mkdir(join(task.folder, 'landing', 'orders'), { recursive: true })
      await link(task.csv, join(task.folder, 'landing', 'orders', 'orders.csv'))
      const { milliseconds, cpu, value } = await clocked(async () => {
        const settings = task.memoryBytes === undefined ? {} : { memoryBytes: task.memoryBytes }
        const lake = await openBenchLake(task.folder, settings)
        const receipt = await ingest(lake.context, 'orders/orders.csv')
        await lake.close()
        return receipt
      })
      if (value === undefined) throw new Error('There was nothing new to ingest.')
      return { milliseconds, cpu, rows: value.rows, timings: value.timings }
    }
    case 'merge-base': {
      const { milliseconds } = await clocked(() => makeMergeBase(task.folder, task.sizes))
      return { milliseconds }
    }
    case 'merge':
    case 'merge-floor': {
      const merge = task.do === 'merge' ? mergeByWeir : mergeByDuck
      const { milliseconds, cpu, value } = await clocked(() => merge(task.folder, task.time))
      return { milliseconds, cpu, merged: value }
    }
    case 'merge-read': {
      const { milliseconds, value } = await clocked(() => readMerged(task.folder))
      return { milliseconds, timings: value }
    }
    case 'drops': {
      const lake = await openBenchLake(task.folder)
      if (task.receipts > 0) await seedReceipts(lake.context, task.receipts)
      for (const path of task.warmUp) await drop(lake.context, { dataset: 'orders', path })
      const each: number[] = []
      const rows = { read: 0, accepted: 0, rejected: 0 }
      const began = performance.now()
      for (const path of task.files) {
        const { milliseconds, value } = await clocked(() => drop(lake.context, { dataset: 'orders', path }))
        each.push(milliseconds)
        rows.read += value.rows.read
        rows.accepted += value.rows.accepted
        rows.rejected += value.rows.rejected
      }
      const milliseconds = performance.now() - began
      await lake.close()
      return { milliseconds, rows, each }
    }
  }
}

const task = JSON.parse(process.argv[2] ?? '') as Task
const done = await run(task)
process.once('message', async () => {
  if (!shares(task)) await rm(task.folder, { recursive: true, force: true })
  process.disconnect()
})
process.send?.(done)
