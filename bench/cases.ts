// What is measured, against which bar. Each case returns one figure or several; nothing here prints.

import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { damagedRows, makeOrders, type OrdersFile } from './data.ts'
import { incrementalRuns } from './incremental.ts'
import { type Measured, measure, median, sum } from './measure.ts'

export interface Sizes {
  rows: number
  pairs: number
  lambdaPairs: number
  bigBytes: number
  warmDrops: number
  smallFiles: number
  receipts: number
  mergeRows: number
  mergeChanged: number
}

export const FULL: Sizes = {
  rows: 2_000_000,
  pairs: 7,
  lambdaPairs: 3,
  bigBytes: 5_000_000_000,
  warmDrops: 25,
  smallFiles: 1_000,
  receipts: 20_000,
  mergeRows: 5_000_000,
  mergeChanged: 10_000,
}

export const QUICK: Sizes = {
  rows: 20_000,
  pairs: 1,
  lambdaPairs: 1,
  bigBytes: 12_000_000,
  warmDrops: 3,
  smallFiles: 10,
  receipts: 50,
  mergeRows: 50_000,
  mergeChanged: 1_000,
}

export interface Figure {
  what: string
  /** At most or at least `bar`. */
  kind: 'max' | 'min'
  bar: number
  value: number
  unit: string
  /** How the figure came about, and the numbers behind it. */
  detail: string
}

export interface Bench {
  /** Folder for data and lakes. */
  folder: string
  sizes: Sizes
  say: (text: string) => void
}

const seconds = (milliseconds: number) => (milliseconds / 1000).toFixed(2)
const megabytes = (bytes: number) => Math.round(bytes / 1e6)

async function ordersFile(bench: Bench, damaged: number, rows = bench.sizes.rows, name?: string) {
  const file: OrdersFile = { rows, damaged }
  const path = join(bench.folder, name ?? `orders-${rows}${damaged > 0 ? '-rejects' : ''}.csv`)
  bench.say(`data: ${path}`)
  const bytes = await makeOrders(path, file)
  const rejected = damagedRows(file)
  return { path, bytes, damaged: damaged > 0, rows: { read: rows, accepted: rows - rejected, rejected } }
}
type Orders = Awaited<ReturnType<typeof ordersFile>>

/** A figure for a wrong answer would be worth nothing. */
function expectRows(found: Measured, expected: { read: number; accepted: number; rejected: number }): void {
  const { rows } = found
  if (rows?.read === expected.read && rows.accepted === expected.accepted && rows.rejected === expected.rejected) return
  throw new Error(`The benchmark expected ${JSON.stringify(expected)} rows and got ${JSON.stringify(rows)}.`)
}

async function ingestOnce(bench: Bench, orders: Orders, memoryBytes?: number): Promise<Measured> {
  const memory = memoryBytes === undefined ? {} : { memoryBytes }
  const done = await measure({ do: 'ingest', csv: orders.path, folder: join(bench.folder, 'lake'), ...memory })
  expectRows(done, orders.rows)
  return done
}

async function againstFloor(bench: Bench, damaged: number, bar: number, words: string): Promise<Figure[]> {
  const orders = await ordersFile(bench, damaged)
  const ratios: number[] = []
  const cpus: number[] = []
  const ours: number[] = []
  const floors: number[] = []
  const phases: Record<string, number>[] = []
  for (let pair = 0; pair < bench.sizes.pairs; pair++) {
    const weir = await ingestOnce(bench, orders)
    const floor = await measure({
      do: 'floor',
      csv: orders.path,
      folder: join(bench.folder, 'floor'),
      damaged: orders.damaged,
    })
    ratios.push(weir.milliseconds / floor.milliseconds)
    cpus.push((weir.cpu ?? Number.NaN) / (floor.cpu ?? Number.NaN))
    ours.push(weir.milliseconds)
    floors.push(floor.milliseconds)
    if (weir.timings) phases.push(weir.timings)
    bench.say(`weir ${seconds(weir.milliseconds)} s, floor ${seconds(floor.milliseconds)} s`)
  }
  const last = phases.at(-1) ?? {}
  const inPhases = Object.entries(last).map(([name, ms]) => `${name} ${Math.round(ms)}`)
  return [
    {
      what: `ingest of ${megabytes(orders.bytes)} MB, ${words}, against a plain typed COPY`,
      kind: 'max',
      bar,
      value: median(ratios),
      unit: '×',
      detail:
        `median ratio of ${ratios.length} interleaved pairs (${ratios.map((r) => r.toFixed(2)).join(', ')}), each run in a fresh process; ` +
        `of processor time ${median(cpus).toFixed(2)} ×; medians ${seconds(median(ours))} s and ${seconds(median(floors))} s; last run in ms: ${inPhases.join(', ')}`,
    },
  ]
}

async function againstLambda(bench: Bench): Promise<Figure[]> {
  const orders = await ordersFile(bench, 0.003)
  const ratios: number[] = []
  const ours: number[] = []
  const theirs: number[] = []
  for (let pair = 0; pair < bench.sizes.lambdaPairs; pair++) {
    const weir = await ingestOnce(bench, orders)
    const lambda = await measure({ do: 'lambda', csv: orders.path, folder: join(bench.folder, 'lambda') })
    // It has no key check, so it takes the rows whose only fault is their key.
    if (lambda.rows?.read !== orders.rows.read) throw new Error(`The baseline read ${lambda.rows?.read} rows.`)
    ratios.push(lambda.milliseconds / weir.milliseconds)
    ours.push(weir.milliseconds)
    theirs.push(lambda.milliseconds)
    bench.say(`weir ${seconds(weir.milliseconds)} s, hand-made Lambda ${seconds(lambda.milliseconds)} s`)
  }
  return [
    {
      what: 'times faster than a hand-made Node Lambda (csv-parse, zod, hyparquet-writer)',
      kind: 'min',
      bar: 10,
      value: median(ratios),
      unit: '×',
      detail:
        `median of ${ratios.length} interleaved pairs on the whole file with 0.3 % of damaged rows, each run in a fresh process; ` +
        `medians ${seconds(median(ours))} s and ${seconds(median(theirs))} s; the Lambda checks no key`,
    },
  ]
}

const HALF_GB = 512 * 1024 * 1024

async function bigFile(bench: Bench): Promise<Figure[]> {
  const small = await ordersFile(bench, 0)
  const rows = Math.ceil((bench.sizes.bigBytes / small.bytes) * small.rows.read)
  const name = 'orders-big.csv'
  try {
    const big = await ordersFile(bench, 0, rows, name)
    const smalls: Measured[] = []
    smalls.push(await ingestOnce(bench, small, HALF_GB))
    smalls.push(await ingestOnce(bench, small, HALF_GB))
    const done = await ingestOnce(bench, big, HALF_GB)
    smalls.push(await ingestOnce(bench, small, HALF_GB))
    const perByte = median(smalls.map((run) => run.milliseconds)) / small.bytes
    const peak = done.peak
    bench.say(
      `${megabytes(big.bytes)} MB in ${seconds(done.milliseconds)} s, peak ${peak === undefined ? '?' : megabytes(peak)} MB`,
    )
    const figures: Figure[] = [
      {
        what: `time per byte of ${(big.bytes / 1e9).toFixed(1)} GB against ${megabytes(small.bytes)} MB, memory setting 512 MB for both`,
        kind: 'max',
        bar: 1.2,
        value: done.milliseconds / big.bytes / perByte,
        unit: '×',
        detail: `${seconds(done.milliseconds)} s; small file: median of ${smalls.length} runs around it, ${seconds(perByte * small.bytes)} s`,
      },
    ]
    if (peak !== undefined) {
      figures.unshift({
        what: `peak memory with ${(big.bytes / 1e9).toFixed(1)} GB of CSV, memory setting 512 MB`,
        kind: 'max',
        bar: 1_000,
        value: peak / 1e6,
        unit: 'MB',
        detail: 'VmHWM of the whole process, read from outside',
      })
    }
    return figures
  } finally {
    await rm(join(bench.folder, name), { force: true })
  }
}

/** Files of about `bytes` each, all with orders of their own. */
async function smallFiles(bench: Bench, count: number, bytes: number, label: string): Promise<string[]> {
  const folder = join(bench.folder, label)
  await mkdir(folder, { recursive: true })
  const rows = Math.round(bytes / 148)
  const paths: string[] = []
  for (let i = 0; i < count; i++) {
    const path = join(folder, `orders-${String(i).padStart(5, '0')}.csv`)
    await makeOrders(path, { rows, damaged: 0, seed: 7_000 + i, firstId: 1 + i * rows })
    paths.push(path)
  }
  return paths
}

async function warmDrop(bench: Bench): Promise<Figure[]> {
  const warmUp = 3
  const files = await smallFiles(bench, bench.sizes.warmDrops + warmUp, 1_000_000, 'one-megabyte')
  const done = await measure({
    do: 'drops',
    folder: join(bench.folder, 'lake'),
    warmUp: files.slice(0, warmUp),
    files: files.slice(warmUp),
    receipts: 0,
  })
  const each = done.each ?? []
  return [
    {
      what: 'drop of a 1 MB file to its receipt, warm process',
      kind: 'max',
      bar: 250,
      value: median(each),
      unit: 'ms',
      detail: `median of ${each.length} different files, slowest ${Math.round(Math.max(...each))} ms`,
    },
  ]
}

async function manyFiles(bench: Bench, receipts: number): Promise<Figure[]> {
  const warmUp = 3
  const files = await smallFiles(bench, bench.sizes.smallFiles + warmUp, 100_000, 'hundred-kilobytes')
  const done = await measure({
    do: 'drops',
    folder: join(bench.folder, 'lake'),
    warmUp: files.slice(0, warmUp),
    files: files.slice(warmUp),
    receipts,
  })
  const each = done.each ?? []
  const tenth = Math.max(1, Math.floor(each.length / 10))
  const first = sum(each.slice(0, tenth))
  const last = sum(each.slice(-tenth))
  const where = receipts > 0 ? `on a lake with ${receipts.toLocaleString('en')} receipts` : 'on a new lake'
  return [
    {
      what: `${each.length.toLocaleString('en')} files of 100 KB ${where}`,
      kind: 'min',
      bar: 20,
      value: each.length / (done.milliseconds / 1000),
      unit: 'files/s',
      detail: `one after the other in one process, ${seconds(done.milliseconds)} s`,
    },
    {
      what: `the last ${tenth} of them against the first ${tenth}`,
      kind: 'max',
      bar: 1.2,
      value: last / first,
      unit: '×',
      detail: `${seconds(last)} s and ${seconds(first)} s`,
    },
  ]
}

async function mergeAgainstDuck(bench: Bench): Promise<Figure[]> {
  const folder = join(bench.folder, 'merge')
  const { mergeRows: rows, mergeChanged: changed, pairs } = bench.sizes
  try {
    const made = await measure({ do: 'merge-base', folder, sizes: { rows, changed, times: pairs } })
    bench.say(`a table of ${rows.toLocaleString('en')} rows in ${seconds(made.milliseconds)} s`)
    const ratios: number[] = []
    const ours: number[] = []
    const floors: number[] = []
    for (let time = 1; time <= pairs; time++) {
      const weir = await measure({ do: 'merge', folder, time })
      const floor = await measure({ do: 'merge-floor', folder, time })
      if (weir.merged?.written !== changed || weir.merged.total !== floor.merged?.total)
        throw new Error(`Weir merged ${JSON.stringify(weir.merged)}, DuckDB ${JSON.stringify(floor.merged)}.`)
      ratios.push(weir.milliseconds / floor.milliseconds)
      ours.push(weir.milliseconds)
      floors.push(floor.milliseconds)
      bench.say(`weir ${seconds(weir.milliseconds)} s, floor ${seconds(floor.milliseconds)} s`)
    }
    const { merged = Number.NaN, unmerged = Number.NaN } = (await measure({ do: 'merge-read', folder })).timings ?? {}
    return [
      {
        what: `merge of ${changed.toLocaleString('en')} changed rows into ${rows.toLocaleString('en')}, against MERGE INTO of plain DuckDB`,
        kind: 'max',
        bar: 1.5,
        value: median(ratios),
        unit: '×',
        detail:
          `median ratio of ${ratios.length} interleaved pairs (${ratios.map((r) => r.toFixed(2)).join(', ')}), other rows each time, each run in a fresh process, ` +
          `DuckDB with CHECKPOINT; medians ${seconds(median(ours))} s and ${seconds(median(floors))} s; ` +
          `an aggregate over the table then ${Math.round(merged)} ms, over its first version ${Math.round(unmerged)} ms`,
      },
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The same few changes in a table and in one five times as large. */
async function following(bench: Bench): Promise<Figure[]> {
  const folder = join(bench.folder, 'incremental')
  const { mergeRows: rows, mergeChanged: changed, pairs } = bench.sizes
  try {
    const runs = async (rows: number) => {
      const found = await incrementalRuns(folder, { rows, changed, times: pairs })
      bench.say(
        `${rows.toLocaleString('en')} rows: the table ${seconds(median(found.entity))} s, the model ${seconds(median(found.model))} s, made anew ${seconds(found.full)} s`,
      )
      return found
    }
    const small = await runs(rows / 5)
    const large = await runs(rows)
    const figure = (what: string, of: 'entity' | 'model', more: string): Figure => ({
      what: `${what} after ${changed.toLocaleString('en')} changed rows: a lake of ${rows.toLocaleString('en')} rows against one of a fifth`,
      kind: 'max',
      bar: 1.5,
      value: median(large[of]) / median(small[of]),
      unit: '×',
      detail: `medians of ${pairs} runs: ${seconds(median(large[of]))} s and ${seconds(median(small[of]))} s${more}`,
    })
    return [
      figure('an entity table', 'entity', ''),
      figure(
        'an incremental model per day',
        'model',
        `; made anew ${seconds(large.full)} s and ${seconds(small.full)} s, with the same rows`,
      ),
    ]
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

/** The cases by the name that `--only` takes, in the order in which they run. */
export const CASES: Record<string, (bench: Bench) => Promise<Figure[]>> = {
  good: (bench) => againstFloor(bench, 0, 1.3, 'all rows good'),
  rejects: (bench) => againstFloor(bench, 0.003, 1.9, '0.3 % of rows rejected'),
  lambda: againstLambda,
  warm: warmDrop,
  many: (bench) => manyFiles(bench, 0),
  ledger: (bench) => manyFiles(bench, bench.sizes.receipts),
  merge: mergeAgainstDuck,
  follow: following,
  big: bigFile,
}
