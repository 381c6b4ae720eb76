// One random schedule of the curated zone, made from one number: files come, change and are retracted; two workers curate at
// the same time and crash at port calls, that is between any two statements; a reader looks. Then the dust settles, and entity
// tables and models are compared with what plain JavaScript makes of the clean rows (I1), and what the reader saw with the uploads
// that it could see (I2).
//
// In half of the schedules the lake publishes as Athena does: readers see a version when its statement commits, before the
// state says so, and a worker that dies in between leaves it to the next.

import { rm, utimes } from 'node:fs/promises'
import { join } from 'node:path'
import type { Plan } from '../../lib/contract/plan.ts'
import { tableStateKey, uploadId } from '../../lib/lake/keys.ts'
import { openLocalLake, ZONES } from '../../lib/lake/local/lake.ts'
import { pathOf } from '../../lib/lake/local/paths.ts'
import { openLocalQueries } from '../../lib/lake/local/query.ts'
import { openParquetTables } from '../../lib/lake/local/tables.ts'
import { filesBelow, type TableSource } from '../../lib/lake/local/tables-view.ts'
import type { Model } from '../../lib/lake/models/model.ts'
import type { CuratedTables, Lake, ObjectStore, TableVersion } from '../../lib/lake/ports.ts'
import { readTableState, TABLE_FORMAT, type TableState } from '../../lib/lake/table-state.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import type { CurateContext } from '../../lib/pipeline/curate/context.ts'
import { curate } from '../../lib/pipeline/curate/curate.ts'
import { curateTable } from '../../lib/pipeline/curate/run.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import {
  type KeyedRow,
  keyedCheck,
  keyedPlan,
  newestRows,
  rowsOf,
  sorted,
  textOf,
  type UploadedRow,
} from './curate-standin.ts'
import { modelsOf } from './curated.ts'
import { tempFolder } from './helpers.ts'
import { type AroundCall, surround } from './ports.ts'
import { headsOf } from './schedule.ts'
import { interleave, type Random, randomFrom, type Turn } from './turns.ts'

const DATASET = 'orders'
const MOST_TURNS = 20_000
/** Before the landing key in an event. */
const LATE = 'ingest '

/** A grouped model, one row for one row, and one that is made anew each time. */
const MODELS = {
  daily: `/*---
description: Rows per day.
materialized: incremental
uniqueKey: [day]
---*/
SELECT day, count(*) AS n, sum(amount) AS total FROM curated.orders GROUP BY day`,
  best: `/*---
description: The best amount of each key that has any above 3.
materialized: incremental
uniqueKey: [k]
---*/
SELECT k, max(amount) AS best FROM curated.orders WHERE amount > 3 GROUP BY k`,
  days: `/*---
description: How many days there are.
materialized: table
---*/
SELECT count(*) AS days, sum(n) AS n FROM curated.daily`,
}

export interface CurateScheduleResult {
  seed: number
  problems: string[]
  calls: number
  crashes: number
  runs: number
  /** Runs that took in only what had changed. */
  changes: number
  story: string[]
}

class Crash extends Error {
  override name = 'Crash'
}

interface World {
  folder: string
  random: Random
  lake: Lake
  plan: Plan
  models: Model[]
  /** True where publishing is seen before the state says so. */
  immediate: boolean
  keys: string[]
  /** Rows of every upload that could be in the lake. */
  uploads: Map<string, { key: string; rows: KeyedRow[] }>
  queue: string[]
  ended: boolean
  clock: number
  calls: number
  crashes: number
  runs: number
  changes: number
  problems: string[]
  story: string[]
}

/** Breaks the protocol, to see that the checks find it. */
export type CurateSabotage = (lake: Lake) => Lake

export async function runCurateSchedule(
  seed: number,
  sabotage: CurateSabotage = (lake) => lake,
): Promise<CurateScheduleResult> {
  const folder = await tempFolder()
  const random = randomFrom(seed)
  const immediate = random.chance(0.5)
  const opened = await openLocalLake(folder, { durable: false, log: () => {} })
  const lake = immediate ? await publishingAtOnce(folder, opened) : opened
  const mode = random.pick(['merge', 'merge', 'append'] as const)
  const plan = keyedPlan(DATASET, { mode }, { redrop: random.pick(['replace', 'replace', 'append']) })
  const world: World = {
    folder,
    random,
    lake,
    plan,
    models: await modelsOf(MODELS, [plan]),
    immediate,
    keys: ['a', 'b', 'c'].map((name) => `${DATASET}/${name}.csv`),
    uploads: new Map(),
    queue: [],
    ended: false,
    clock: Date.UTC(2026, 0, 1, 22),
    calls: 0,
    crashes: 0,
    runs: 0,
    changes: 0,
    problems: [],
    story: [`${mode}, redrop ${plan.settings.redrop}, ${immediate ? 'seen at once' : 'seen with the state'}`],
  }
  try {
    const crashShare = random.pick([0, 0.02, 0.05, 0.1])
    await interleave(
      random,
      [
        (turn) => users(world, turn),
        (turn) => reader(world, turn),
        ...[0, 1].map((index) => (turn: Turn) => worker(world, `w${index}`, turn, crashShare, sabotage)),
      ],
      MOST_TURNS,
    )
    const context = contextOf(world, sabotage(lake))
    const { faults } = await reconcile(context, { concurrency: 1 })
    for (const fault of faults) world.problems.push(`reconcile could not: ${JSON.stringify(fault)}`)
    const results = await curate(context, { retryFailed: true })
    for (const { table, outcome, run } of results)
      if (outcome === 'failed' || outcome === 'failed_tests' || outcome === 'waiting')
        world.problems.push(`${table} ended as ${outcome}: ${run?.reason?.message}`)
    await check(world)
    const again = await curate(context)
    for (const { table, outcome, why } of again)
      if (outcome !== 'nothing') world.problems.push(`a second curate finds ${table} ${outcome}: ${why}`)
  } catch (error) {
    world.problems.push(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await lake.close()
    await rm(folder, { recursive: true, force: true })
  }
  const { problems, calls, crashes, runs, changes, story } = world
  return { seed, problems, calls, crashes, runs, changes, story }
}

async function users(world: World, turn: Turn): Promise<void> {
  const { random } = world
  for (let action = 4 + random.below(6); action > 0; action--) {
    for (let pause = random.pick([0, 5, 30, 100]); pause > 0; pause--) await turn()
    const key = random.pick(world.keys)
    const context = contextOf(world, world.lake)
    if (random.chance(0.2)) {
      world.story.push(`users: retract ${key}`)
      await retract(context, key).catch(unknownIsFine)
    } else {
      const rows = Array.from({ length: 1 + random.below(4) }, () => ({
        k: random.pick(['x', 'y', 'z', 'w']),
        day: random.pick(['2026-01-01', '2026-01-02', '2026-01-03']),
        amount: random.below(8),
      }))
      // As the engine sees to it: a key comes once in a file.
      const once = rows.filter((row, index) => rows.findIndex(({ k }) => k === row.k) === index)
      const text = textOf(once)
      await world.lake.zones.landing.put(key, text)
      world.clock += 60_000 * (1 + random.below(90))
      const time = new Date(world.clock)
      await utimes(world.lake.locate('landing', key), time, time)
      const info = await world.lake.zones.landing.head(key)
      const upload = info && uploadId(key, info)
      if (upload === undefined) throw new Error(`${key} is not there although it was dropped`)
      world.uploads.set(upload, { key, rows: rowsOf(text) })
      world.story.push(`users: drop ${key} = ${JSON.stringify(text)} as ${upload}`)
      // Some are taken in late, after newer ones.
      if (random.chance(0.3)) world.queue.push(`${LATE}${key}`)
      else await ingest(context, key)
    }
    const events = random.pick([0, 1, 1, 2])
    for (let event = 0; event < events; event++)
      world.queue.push(random.pick([DATASET, DATASET, DATASET, 'daily', 'best', 'days', 'all']))
  }
  world.ended = true
}

function unknownIsFine(error: unknown): void {
  if (!(error instanceof Error && error.name === 'UnknownSource')) throw error
}

async function worker(
  world: World,
  name: string,
  turn: Turn,
  crashShare: number,
  sabotage: CurateSabotage,
): Promise<void> {
  const { random, queue } = world
  while (!world.ended || queue.length > 0) {
    await turn()
    if (queue.length === 0) continue
    const [event = ''] = queue.splice(random.below(queue.length), 1)
    // Late means late: others come first.
    if (event.startsWith(LATE) && !world.ended && random.chance(0.98)) {
      queue.push(event)
      continue
    }
    let dead = false
    const around: AroundCall = async (call, key, run) => {
      if (dead) throw new Crash('dead')
      await turn()
      world.calls++
      const die = (where: string): never => {
        dead = true
        world.crashes++
        world.story.push(`${name}: dies ${where}`)
        throw new Crash(where)
      }
      const fate = random.chance(crashShare) ? random.pick(['before', 'after']) : 'lives'
      if (fate === 'before') die(`before ${call} ${key}`)
      if (process.env.WEIR_STORY) world.story.push(`${name}:   ${call} ${key}`)
      const answer = await run()
      if (fate === 'after') die(`after ${call} ${key}`)
      return answer
    }
    const lake = sabotage(surroundedLake(world, world.lake, around))
    const context = contextOf(world, lake)
    world.story.push(`${name}: ${event}`)
    try {
      if (event.startsWith(LATE)) await ingest(contextOf(world, world.lake), event.slice(LATE.length))
      else if (event === 'all') await curate(context)
      else await curateTable(context, event)
    } catch (error) {
      if (!dead) throw error
      if (random.chance(0.5)) queue.push(event)
    }
  }
}

function contextOf(world: World, lake: Lake): Context & CurateContext {
  return {
    lake,
    plans: new Map([[DATASET, world.plan]]),
    models: world.models,
    keepVersions: 4,
    check: keyedCheck,
    now: () => new Date(world.clock),
    log: ({ event, ...fields }) => world.story.push(`  log ${event} ${JSON.stringify(fields)}`),
    onRun: (run) => {
      world.runs++
      if (run.scope === 'change' && run.outcome === 'published') world.changes++
    },
  }
}

/** I2: whole rows of uploads that are known, and never two versions of one source together. */
async function reader(world: World, turn: Turn): Promise<void> {
  while (!world.ended || world.queue.length > 0) {
    await turn()
    if (!world.random.chance(0.03)) continue
    const seen = await entityRows(world)
    if (seen) world.problems.push(...checkSeen(world, seen))
  }
}

async function entityRows({ lake }: World): Promise<UploadedRow[] | undefined> {
  if (!(await readTableState(lake.zones.ops, DATASET))?.state.version) return undefined
  const { rows } = await lake.queries.query(`SELECT k, day, amount, _upload FROM curated.${DATASET}`)
  return rows.map(([k, day, amount, _upload]) => ({
    k: String(k),
    day: String(day),
    amount: Number(amount),
    _upload: String(_upload),
  }))
}

function checkSeen(world: World, seen: UploadedRow[]): string[] {
  const problems: string[] = []
  const { redrop, curated } = world.plan.settings
  const shown = new Map<string, string>()
  const keys = new Set<string>()
  for (const { _upload, ...row } of seen) {
    const upload = world.uploads.get(_upload)
    if (!upload) {
      problems.push(`I2: a row of ${_upload}, which was never taken in`)
      continue
    }
    if (!upload.rows.some((one) => JSON.stringify(one) === JSON.stringify(row)))
      problems.push(`I2: ${_upload} has no row ${JSON.stringify(row)}`)
    const other = shown.get(upload.key)
    if (redrop === 'replace' && other !== undefined && other !== _upload)
      problems.push(`I2: ${upload.key} shows ${other} and ${_upload} together`)
    shown.set(upload.key, _upload)
    if (curated.mode === 'merge' && keys.has(row.k)) problems.push(`I1: the key ${row.k} is there twice`)
    keys.add(row.k)
  }
  if (curated.mode === 'append')
    for (const upload of new Set(seen.map(({ _upload }) => _upload)))
      if (seen.filter(({ _upload }) => _upload === upload).length !== world.uploads.get(upload)?.rows.length)
        problems.push(`I2: of ${upload} only some rows, or some twice`)
  return problems
}

/** I1: the tables are what a recomputation from the heads gives. */
async function check(world: World): Promise<void> {
  const { lake, problems } = world
  const clean: UploadedRow[] = []
  for (const { contributions } of await headsOf(lake))
    for (const { upload } of contributions)
      for (const row of world.uploads.get(upload)?.rows ?? []) clean.push({ ...row, _upload: upload })
  const entity = world.plan.settings.curated.mode === 'merge' ? newestRows(clean) : sorted(clean)
  const compare = (what: string, found: unknown[], expected: unknown[]) => {
    if (JSON.stringify(sorted(found)) !== JSON.stringify(sorted(expected)))
      problems.push(
        `I1: ${what} is ${JSON.stringify(sorted(found))}, and ought to be ${JSON.stringify(sorted(expected))}`,
      )
  }
  const seen = (await entityRows(world)) ?? []
  problems.push(...checkSeen(world, seen))
  compare('the entity table', seen, entity)
  const rows = async (sql: string) => (await lake.queries.query(sql)).rows.map((row) => row.map(String))
  const days = [...new Set(entity.map(({ day }) => day))]
  const daily = days.map((day) => {
    const mine = entity.filter((row) => row.day === day)
    return [day, String(mine.length), String(mine.reduce((sum, { amount }) => sum + amount, 0))]
  })
  compare('curated.daily', await rows('SELECT day, n, total FROM curated.daily'), daily)
  const high = entity.filter(({ amount }) => amount > 3)
  const best = [...new Set(high.map(({ k }) => k))].map((k) => [
    k,
    String(Math.max(...high.filter((row) => row.k === k).map(({ amount }) => amount))),
  ])
  compare('curated.best', await rows('SELECT k, best FROM curated.best'), best)
  compare('curated.days', await rows('SELECT days, coalesce(n, 0) FROM curated.days'), [
    [String(days.length), String(entity.length)],
  ])
}

/**
 * The same lake, whose tables publish as Iceberg does: a pointer of their own says which version readers see, and it moves when a job
 * is published. A job that was published is published, however often it is asked for.
 */
async function publishingAtOnce(folder: string, lake: Lake): Promise<Lake> {
  const pointers = new Map<
    string,
    { version: TableVersion; state: Pick<TableState, 'kind' | 'columns' | 'key' | 'query'> }
  >()
  const done = new Set<string>()
  /** The state as readers must find it: with the version that is published, whatever has been written. */
  const shown = (ops: ObjectStore): ObjectStore => ({
    ...ops,
    async get(key) {
      const object = await ops.get(key)
      const table = [...pointers.keys()].find((name) => tableStateKey(name) === key)
      const pointer = table === undefined ? undefined : pointers.get(table)
      if (table === undefined || !pointer || !object) return object
      const state = JSON.parse(object.body.toString()) as TableState
      const history =
        state.version && state.version.id !== pointer.version.id ? [state.version, ...state.history] : state.history
      const version = { ...pointer.version, change: null }
      const now = { ...state, ...pointer.state, format: TABLE_FORMAT, version, history }
      return { ...object, body: Buffer.from(JSON.stringify(now)) }
    },
  })
  const zones = { ...lake.zones, ops: shown(lake.zones.ops) }
  const { source, ...how } = enginesOf(folder, { ...lake, zones })
  const tables = openParquetTables({ source, ...how })
  const queries = openLocalQueries({ source, ...how, folders: ZONES.map((zone) => join(folder, zone)) })
  const atOnce: CuratedTables = {
    ...tables,
    resumes: true,
    async publish(staged, options) {
      const published = await tables.publish(staged, options)
      const name = staged.job.table.name.replace(/^curated\./, '')
      const { kind, key, change, table } = staged.job
      // As Athena knows a statement by its token.
      if (done.has(staged.job.run)) return published
      done.add(staged.job.run)
      const query = change.kind === 'view' ? change.query : null
      pointers.set(name, { version: published.version, state: { kind, key, columns: table.columns, query } })
      await options.journal.set('published', published.version.id)
      return published
    },
    // What was begun is never taken away: another worker may be about to publish it.
    discard: async () => {},
  }
  return { ...lake, tables: atOnce, queries }
}

/** What the embedded lake opens its tables with, over other ports. */
function enginesOf(folder: string, lake: Pick<Lake, 'zones' | 'catalog'>) {
  const source: TableSource = {
    zones: lake.zones,
    catalog: lake.catalog,
    pathOf: (zone, key) => pathOf(join(folder, zone), key),
    filesBelow: (zone, prefix, deep) => filesBelow(join(folder, zone, prefix), deep),
  }
  return { source, memoryBytes: 256 << 20, threads: 1, scratch: () => join(folder, '.weir', 'tmp') }
}

/** A worker's own view of the ports: a turn, and maybe a crash, before and after every call, those of its tables among them. */
function surroundedLake({ folder, immediate }: World, lake: Lake, around: AroundCall): Lake {
  const seen = surround(lake, around)
  const { tables } = seen
  const { stage, publish, discard } = immediate ? tables : openParquetTables(enginesOf(folder, seen))
  return {
    ...seen,
    tables: {
      ...tables,
      stage: (job, options) => around('tables.stage', job.table.name, () => stage(job, options)),
      publish: (staged, options) => around('tables.publish', staged.job.table.name, () => publish(staged, options)),
      discard: (staged) => around('tables.discard', staged.job.table.name, () => discard(staged)),
    },
  }
}
