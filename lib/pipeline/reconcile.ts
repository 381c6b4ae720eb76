// Reconcile: goes through the whole lake and does what is missing. It knows no step of its own: it brings every landing
// key to its decision as an event would, and makes catalog and receipts follow every head. So it may run at any time,
// beside workers, and twice; and a lake that it has gone through has forgotten every crash.

import { readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { partitionValues, readHeadAt, type StoredHead, slugOfPartition } from '../lake/heads.ts'
import { datasetOfKey, headsPrefix, slugHeadKey } from '../lake/keys.ts'
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
}

export interface ReconcileReport {
  mended: { what: string; detail: string }[]
  /** What could not be mended, and why; `source` when it is a landing key that may be tried again. */
  faults: { what: string; detail: string; source?: string }[]
  checked: Record<string, number>
}

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
  const run: Run = { context: { ...context, log }, options, concurrency: options.concurrency ?? 4, report }
  const { generation, complete } = await stateWithTables(run)
  await ingestLanding(run)
  const unfollowed = await followHeads(run)
  if (!complete) await completeCatalog(run, generation, unfollowed)
  await dropOrphans(run)
  await sweepScratch(run)
  return run.report
}

interface Run {
  context: Context
  options: ReconcileOptions
  concurrency: number
  report: ReconcileReport
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
async function ingestLanding(run: Run): Promise<void> {
  const { context, report, options } = run
  const unknown = new Map<string, number>()
  await forEachBounded(context.lake.zones.landing.list(''), run.concurrency, ({ key }) =>
    each(run, key, async () => {
      progress(run, 'landing', count(report, 'files'))
      try {
        if (await isIgnored(context, key)) return
        const receipt = await ingest(context, key, { signal: options.signal })
        if (receipt) report.mended.push({ what: 'ingested', detail: `${key}: ${receipt.outcome}` })
      } catch (error) {
        if (!(error instanceof UnknownDataset)) throw error
        const folder = datasetOfKey(key) ?? ''
        unknown.set(folder, (unknown.get(folder) ?? 0) + 1)
      }
    }),
  )
  const known = [...context.plans.keys()].sort().join(', ')
  for (const [folder, files] of unknown)
    report.faults.push({
      what: 'unknown dataset',
      detail: `${files} file(s) in landing/${folder}${folder && '/'} have no contract. Known datasets: ${known || 'none'}.`,
    })
}

/**
 * Receipts, partitions, and deletions whose event was lost. What is in landing has already been seen to. Gives the number
 * of heads that the catalog does not follow.
 */
async function followHeads(run: Run): Promise<number> {
  const { context, report, options } = run
  const { landing, ops } = context.lake.zones
  let unfollowed = 0
  await forEachBounded(ops.list(headsPrefix()), run.concurrency, ({ key: headKey }) =>
    each(run, headKey, async () => {
      progress(run, 'heads', count(report, 'heads'))
      unfollowed++
      const stored = await readHeadAt(ops, headKey)
      if (stored) await guarded(stored.head.source, options.signal, () => settleReporting(run, stored))
      unfollowed--
      if (!stored) return
      const { source, dataset } = stored.head
      if (!context.plans.has(dataset)) return
      // A file that was deleted, or one that waits for bytes whose holder has left meanwhile.
      if (stored.head.state !== 'duplicate' && (await landing.head(source))) return
      const receipt = await ingest(context, source, { signal: options.signal })
      if (receipt) report.mended.push({ what: 'ingested', detail: `${source}: ${receipt.outcome}` })
    }),
  )
  return unfollowed
}

/** A catalog that was started anew may answer again once all heads are in it. */
async function completeCatalog({ context, report }: Run, generation: string, unfollowed: number): Promise<void> {
  if (unfollowed > 0) {
    report.faults.push({
      what: 'catalog',
      detail: `still incomplete: ${unfollowed} head(s) could not be followed (see the other faults). Queries wait for them.`,
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
async function dropOrphans(run: Run): Promise<void> {
  const { context, report } = run
  const { catalog } = context.lake
  for (const { name } of await catalog.listTables()) {
    if (!name.startsWith('clean.')) continue
    const dataset = name.slice('clean.'.length)
    await forEachBounded(catalog.listPartitions(name), run.concurrency, ({ values }) =>
      each(run, `${name} ${values.join('/')}`, async () => {
        progress(run, 'catalog', count(report, 'partitions'))
        if (await accountFor(context, dataset, values)) return
        await catalog.deletePartition(name, values)
        // A worker may have put it there for good between the look and the deletion: then it must come back.
        const stored = await accountFor(context, dataset, values)
        if (stored) await settle(context, stored)
        else report.mended.push({ what: 'partition', detail: `${name} ${values.join('/')} removed: no head knows it` })
      }),
    )
  }
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
async function each({ context, options, report }: Run, what: string, run: () => Promise<void>): Promise<void> {
  options.signal?.throwIfAborted()
  try {
    await run()
  } catch (error) {
    if (options.signal?.aborted) throw error
    report.faults.push({
      what,
      detail: messageOf(error),
      ...(error instanceof PipelineFault ? { source: error.source } : {}),
    })
    context.log({ event: 'reconcile_fault', what, error: messageOf(error) })
  }
}

function count(report: ReconcileReport, what: string): number {
  const next = (report.checked[what] ?? 0) + 1
  report.checked[what] = next
  return next
}

function progress({ options }: Run, phase: 'landing' | 'heads' | 'catalog', checked: number): void {
  options.onProgress?.({ phase, checked })
}
