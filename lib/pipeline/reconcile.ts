// Reconcile: goes through the whole lake and does what is missing. It knows no step of its own: it brings every landing
// key to its decision as an event would, and makes catalog and receipts follow every head. So it may run at any time,
// beside workers, and twice; and a lake that it has gone through has forgotten every crash.

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { deleteFault, type Fault, listFaults, writeFault } from '../lake/faults.ts'
import { partitionValues, readHeadAt, type StoredHead, slugOfPartition } from '../lake/heads.ts'
import { datasetOfKey, faultIdOf, headsPrefix, slugHeadKey } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import { tableName } from '../lake/tables.ts'
import { forEachBounded } from './bounded.ts'
import type { Context } from './context.ts'
import { guarded, PipelineFault, UnknownDataset } from './errors.ts'
import { isIgnored } from './ignored.ts'
import { ingest } from './ingest.ts'
import { locationAt, messageOf, putTable, settle } from './project.ts'

export interface ReconcileOptions {
  signal?: AbortSignal
  onProgress?: (done: { phase: 'landing' | 'heads' | 'catalog'; checked: number }) => void
  /** Sources worked on at the same time. Default 4. */
  concurrency?: number
  /** Nothing is begun after this moment. The report then says where to go on. Default: it goes through everything. */
  deadline?: Date
  /** What has begun is given up at this moment, and reported as a fault. */
  abandonAt?: Date
  /** `next` of the run before. */
  cursor?: string
}

export interface ReconcileReport {
  mended: { what: string; detail: string }[]
  /** What could not be mended, and why; `source` when it is a landing key that may be tried again. */
  faults: { what: string; detail: string; source?: string }[]
  checked: Record<string, number>
  /** Set when the time was over: give it to the next run, and it goes on from there. */
  next?: string
}

/** Where a run stopped. The catalog is complete once all heads were followed since it was made, in however many runs. */
const placeSchema = z.object({
  phase: z.enum(['landing', 'heads', 'catalog']),
  /** Exclusive: a key; for the catalog a table and how many of its partitions were looked at. */
  after: z.string(),
  generation: z.string(),
  unfollowed: z.int(),
})
type Place = z.infer<typeof placeSchema>

/** Folders of workers that ended without tidying up, in milliseconds since anything in them was made. */
const OLD_SCRATCH_MS = 24 * 60 * 60 * 1000

/**
 * Makes everything follow landing and the heads, and reports what it mended. Faults with one source do not stop it.
 *
 * @example
 * const { mended } = await reconcile(context)
 */
export async function reconcile(context: Context, options: ReconcileOptions = {}): Promise<ReconcileReport> {
  const report: ReconcileReport = {
    mended: [],
    faults: [],
    checked: { tables: 0, files: 0, heads: 0, partitions: 0 },
  }
  const log: Context['log'] = (event) => {
    // The one thing that is mended on the way to something else.
    if (event.event === 'duplicate_promoted')
      report.mended.push({
        what: 'promoted',
        detail: `${event.source} gives the rows that it shared with one that left`,
      })
    context.log(event)
  }
  const run: Run = {
    context: { ...context, log },
    options,
    concurrency: options.concurrency ?? 4,
    report,
    signal: signalOf(options),
    known: await knownFaults(context),
  }
  const { generation, complete } = await stateWithTables(run)
  const place = placeOf(options.cursor, generation, complete)
  const stop = (next: Place): ReconcileReport => ({ ...report, next: JSON.stringify(next) })

  if (place.phase === 'landing') {
    const stopped = await ingestLanding(run, place.after)
    if (stopped !== undefined) return stop({ ...place, after: stopped })
  }
  if (place.phase !== 'catalog') {
    const resumed = place.phase === 'heads'
    const heads = await followHeads(run, resumed ? place.after : '')
    const unfollowed = heads.unfollowed + (resumed ? place.unfollowed : 0)
    if (heads.stopped !== undefined)
      return stop({
        phase: 'heads',
        after: heads.stopped,
        generation: resumed ? place.generation : generation,
        unfollowed,
      })
    if (!complete) await completeCatalog(run, generation, unfollowed)
  }
  const stopped = await dropOrphans(run, place.phase === 'catalog' ? place.after : '')
  if (stopped !== undefined) return stop({ phase: 'catalog', after: stopped, generation, unfollowed: 0 })
  await sweepScratch(run)
  return report
}

interface Run {
  context: Context
  options: ReconcileOptions
  concurrency: number
  report: ReconcileReport
  /** The caller's wish, or the end of the time. */
  signal: AbortSignal | undefined
  /** Faults of earlier runs, by source. */
  known: ReadonlyMap<string, Fault>
}

function signalOf({ signal, abandonAt }: ReconcileOptions): AbortSignal | undefined {
  if (!abandonAt) return signal
  const over = AbortSignal.timeout(Math.max(1, abandonAt.getTime() - Date.now()))
  return signal ? AbortSignal.any([signal, over]) : over
}

function placeOf(cursor: string | undefined, generation: string, complete: boolean): Place {
  const start: Place = { phase: 'landing', after: '', generation, unfollowed: 0 }
  if (cursor === undefined) return start
  const parsed = placeSchema.safeParse(jsonOf(cursor))
  if (!parsed.success) return start
  // A catalog that was made anew meanwhile must see every head.
  const renewed = !complete && parsed.data.phase !== 'landing' && parsed.data.generation !== generation
  return renewed ? { ...start, phase: 'heads' } : parsed.data
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Does something for each item until the deadline. Gives the key of the last one that was begun, if that was not all. */
async function untilDeadline<T>(
  { options, concurrency }: Run,
  items: AsyncIterable<T>,
  keyOf: (item: T) => string,
  run: (item: T) => Promise<void>,
): Promise<string | undefined> {
  let last: string | undefined
  let stopped: string | undefined
  async function* inTime(): AsyncIterable<T> {
    for await (const item of items) {
      if (last !== undefined && options.deadline && Date.now() >= options.deadline.getTime()) {
        stopped = last
        return
      }
      last = keyOf(item)
      yield item
    }
  }
  await forEachBounded(inTime(), concurrency, run)
  return stopped
}

/**
 * The state of a catalog that has all tables. Where making a table makes the catalog another one, as in Glue, what was
 * read before says nothing of it, so it is read again.
 */
async function stateWithTables(run: Run): Promise<{ generation: string; complete: boolean }> {
  const { catalog } = run.context.lake
  for (let state = await catalog.state(); ; ) {
    const mended = await mendTables(run)
    const after = mended ? await catalog.state() : state
    if (after.generation === state.generation) return state
    state = after
  }
}

/** True when a table was not as its contract says. */
async function mendTables({ context, report }: Run): Promise<boolean> {
  report.checked.tables = 0
  let mended = false
  for (const plan of context.plans.values()) {
    count(report, 'tables')
    if (!(await putTable(context.lake.catalog, plan))) continue
    report.mended.push({ what: 'table', detail: `${tableName(plan.dataset)} described as its contract says` })
    mended = true
  }
  return mended
}

/** Every file in landing that has not been decided. */
async function ingestLanding(run: Run, after: string): Promise<string | undefined> {
  const { context, report, signal } = run
  const unknown = new Map<string, number>()
  const files = context.lake.zones.landing.list('', { after })
  const stopped = await untilDeadline(run, files, keyOf, ({ key }) =>
    each(
      run,
      key,
      async () => {
        progress(run, 'landing', count(report, 'files'))
        try {
          if (await isIgnored(context, key)) return
          const receipt = await ingest(context, key, { signal })
          if (receipt) report.mended.push({ what: 'ingested', detail: `${key}: ${receipt.outcome}` })
          await forget(run, key)
        } catch (error) {
          if (!(error instanceof UnknownDataset)) throw error
          const folder = datasetOfKey(key) ?? ''
          unknown.set(folder, (unknown.get(folder) ?? 0) + 1)
        }
      },
      key,
    ),
  )
  const known = [...context.plans.keys()].sort().join(', ')
  for (const [folder, files] of unknown)
    report.faults.push({
      what: 'unknown dataset',
      detail: `${files === 1 ? '1 file' : `${files} files`} in landing/${folder}${folder && '/'} ${files === 1 ? 'has' : 'have'} no contract. Known datasets: ${known || 'none'}.`,
    })
  return stopped
}

const keyOf = ({ key }: { key: string }): string => key

/**
 * Receipts, partitions, and deletions whose event was lost. What is in landing has already been seen to. Gives the number
 * of heads that the catalog does not follow.
 */
async function followHeads(run: Run, after: string): Promise<{ unfollowed: number; stopped: string | undefined }> {
  const { context, report, signal } = run
  const { landing, ops } = context.lake.zones
  let unfollowed = 0
  const stopped = await untilDeadline(run, ops.list(headsPrefix(), { after }), keyOf, ({ key: headKey }) =>
    each(run, headKey, async () => {
      progress(run, 'heads', count(report, 'heads'))
      unfollowed++
      const stored = await readHeadAt(ops, headKey)
      if (stored) await guarded(stored.head.source, signal, () => settleReporting(run, stored))
      unfollowed--
      if (!stored) return
      const { source, dataset } = stored.head
      if (!context.plans.has(dataset)) return
      // A file that was deleted, or one that waits for bytes whose holder has left meanwhile.
      if (stored.head.state !== 'duplicate' && (await landing.head(source))) return
      const receipt = await ingest(context, source, { signal })
      if (receipt) report.mended.push({ what: 'ingested', detail: `${source}: ${receipt.outcome}` })
      await forget(run, source)
    }),
  )
  return { unfollowed, stopped }
}

/** A catalog that was started anew may answer again once all heads are in it. */
async function completeCatalog({ context, report }: Run, generation: string, unfollowed: number): Promise<void> {
  if (unfollowed > 0) {
    report.faults.push({
      what: 'catalog',
      detail: `still incomplete: ${unfollowed === 1 ? '1 head' : `${unfollowed} heads`} could not be followed (see the other faults). Queries wait for them.`,
    })
    return
  }
  const { catalog } = context.lake
  await catalog.markComplete(generation)
  if ((await catalog.state()).complete)
    report.mended.push({ what: 'catalog', detail: 'filled again from the heads; queries answer from it' })
  else report.faults.push({ what: 'catalog', detail: 'lost again meanwhile. Run "weir reconcile" once more.' })
}

async function settleReporting({ context, report }: Run, stored: StoredHead): Promise<void> {
  const { decision, dataset } = stored.head
  if (decision && (await readReceipt(context.lake.zones.ops, dataset, decision.upload))) {
    const { mended } = await settle(context, { ...stored, head: { ...stored.head, decision: null } })
    for (const detail of mended) report.mended.push({ what: 'partition', detail })
    return
  }
  const { won, mended } = await settle(context, stored)
  for (const detail of mended) report.mended.push({ what: 'partition', detail })
  if (won && decision) report.mended.push({ what: 'receipt', detail: `${decision.source}: ${decision.upload}` })
}

/** Partitions of the clean tables that no head accounts for. */
async function dropOrphans(run: Run, after: string): Promise<string | undefined> {
  const { context, report } = run
  const { catalog } = context.lake
  const [table = '', skip = '0'] = after.split(' ')
  for (const { name } of (await catalog.listTables()).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (!name.startsWith('clean.') || name < table) continue
    const dataset = name.slice('clean.'.length)
    const skipped = name === table ? Number(skip) : 0
    let looked = skipped
    const partitions = skipping(catalog.listPartitions(name), skipped)
    const stopped = await untilDeadline(
      run,
      partitions,
      () => `${name} ${++looked}`,
      ({ values }) =>
        each(run, `${name} ${values.join('/')}`, async () => {
          progress(run, 'catalog', count(report, 'partitions'))
          if (await accountFor(context, dataset, values)) return
          await catalog.deletePartition(name, values)
          // A worker may have put it there for good between the look and the deletion: then it must come back.
          const stored = await accountFor(context, dataset, values)
          if (stored) await settle(context, stored)
          else
            report.mended.push({ what: 'partition', detail: `${name} ${values.join('/')} removed: no head knows it` })
        }),
    )
    if (stopped !== undefined) return stopped
  }
  return undefined
}

/** Those that were removed meanwhile make it skip as many too much: the next round sees them. */
async function* skipping<T>(items: AsyncIterable<T>, count: number): AsyncIterable<T> {
  let seen = 0
  for await (const item of items) if (++seen > count) yield item
}

/** The head that a partition follows, if there is one. */
async function accountFor({ lake }: Context, dataset: string, values: string[]): Promise<StoredHead | undefined> {
  const slug = slugOfPartition(values[1] ?? '')
  const stored = await readHeadAt(lake.zones.ops, slugHeadKey(dataset, slug))
  const { head } = stored ?? {}
  const found = head?.contributions.some(
    (_, index) => locationAt(head, index) !== undefined && partitionValues(head, index).join('/') === values.join('/'),
  )
  return found ? stored : undefined
}

async function sweepScratch({ context, report }: Run): Promise<void> {
  const names = await readdir(context.lake.scratch).catch(() => [])
  for (const name of names) {
    const path = join(context.lake.scratch, name)
    const found = await stat(path).catch(() => undefined)
    if (!found || !name.startsWith('upload-') || Date.now() - found.mtimeMs < OLD_SCRATCH_MS) continue
    await rm(path, { recursive: true, force: true })
    report.mended.push({ what: 'scratch', detail: `${name} left behind by a worker that ended` })
  }
}

/** A fault with one thing is reported; the others go on. Only the caller's own wish stops everything. */
async function each(run: Run, what: string, work: () => Promise<void>, key?: string): Promise<void> {
  const { context, options, report, signal } = run
  options.signal?.throwIfAborted()
  try {
    await work()
  } catch (error) {
    if (options.signal?.aborted) throw error
    const late = signal?.aborted === true
    const detail = late ? `not finished when the time was over: ${messageOf(error)}` : messageOf(error)
    const source = error instanceof PipelineFault ? error.source : late ? key : undefined
    report.faults.push({ what, detail, ...(source === undefined ? {} : { source }) })
    context.log({ event: 'reconcile_fault', what, error: detail })
    if (source !== undefined) await note(run, source, detail)
  }
}

/** Faults of sources, so that `weir status` and `weir replay` know them. They are a help, so no failure of theirs counts. */
async function knownFaults({ lake }: Context): Promise<Map<string, Fault>> {
  const known = new Map<string, Fault>()
  try {
    for await (const fault of listFaults(lake.zones.ops))
      if (fault.source !== undefined && fault.id === faultIdOf(fault.source)) known.set(fault.source, fault)
  } catch {
    return new Map()
  }
  return known
}

async function note({ context, known }: Run, source: string, reason: string): Promise<void> {
  await noteFault(context, source, reason, (known.get(source)?.attempts ?? 0) + 1)
}

/** Notes that a source could not be ingested, for a reason of ours. */
export async function noteFault(
  { lake, now, log }: Context,
  source: string,
  reason: string,
  attempts: number,
): Promise<void> {
  const fault = { id: faultIdOf(source), source, kind: 'fault' as const, reason, attempts, at: now().toISOString() }
  await writeFault(lake.zones.ops, fault).catch((error: unknown) =>
    log({ event: 'fault_not_noted', source, error: messageOf(error) }),
  )
}

async function forget({ context, known }: Run, source: string): Promise<void> {
  if (known.has(source)) await deleteFault(context.lake.zones.ops, faultIdOf(source)).catch(() => undefined)
}

function count(report: ReconcileReport, what: string): number {
  const next = (report.checked[what] ?? 0) + 1
  report.checked[what] = next
  return next
}

function progress({ options }: Run, phase: 'landing' | 'heads' | 'catalog', checked: number): void {
  options.onProgress?.({ phase, checked })
}
