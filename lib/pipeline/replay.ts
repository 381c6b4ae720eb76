// Replay: brings sources through ingest again because somebody asks for it: one, those of a dataset, or those that met a
// fault. What is undecided is decided; what was decided under an older contract, or refused, is checked again
// (recheck.ts). A second replay of the same changes nothing.

import { deleteFault, type Fault, listFaults } from '../lake/faults.ts'
import { readHead } from '../lake/heads.ts'
import type { Receipt } from '../lake/receipt.ts'
import { forEachBounded } from './bounded.ts'
import type { Context } from './context.ts'
import { planFor } from './datasets.ts'
import { guarded } from './errors.ts'
import { isIgnored } from './ignored.ts'
import { ingest, ingestVersion } from './ingest.ts'
import { ensureTable, messageOf } from './project.ts'
import { recheck } from './recheck.ts'

export type ReplayWhat =
  | { source: string }
  /** Files of a dataset that were dropped at this moment or later. */
  | { dataset: string; since?: Date }
  /** What watch, reconcile or the ingest function could not finish; all, or those of these ids. */
  | { faults: true; ids?: string[] }

export interface ReplayOptions {
  signal?: AbortSignal
  /** Sources worked on at the same time. Default 4. */
  concurrency?: number
  /** Check again also what was decided under today's contract. */
  again?: boolean
  /** Called for each source, unchanged ones too, in the order in which they end. */
  onReplayed?: (one: Replayed) => void
}

export interface Replayed {
  source: string
  result: 'decided' | 'checked_again' | 'unchanged' | 'skipped' | 'failed'
  /** In words, one line. */
  detail: string
  /** The receipt that this call wrote. */
  receipt?: Receipt
}

export interface ReplayReport {
  looked: number
  /** All but the unchanged ones. */
  replayed: Replayed[]
  unchanged: number
}

/**
 * Replays, and reports what became of each source. A fault with one does not stop the others. Throws UnknownDataset.
 *
 * @example
 * await replay(context, { dataset: 'orders', since: new Date('2026-11-01') })
 */
export async function replay(context: Context, what: ReplayWhat, options: ReplayOptions = {}): Promise<ReplayReport> {
  const report: ReplayReport = { looked: 0, replayed: [], unchanged: 0 }
  const note = (one: Replayed): void => {
    report.looked++
    if (one.result === 'unchanged') report.unchanged++
    else report.replayed.push(one)
    options.onReplayed?.(one)
  }
  const attempt = async (source: string): Promise<Replayed> => {
    options.signal?.throwIfAborted()
    try {
      return await replayOne(context, source, options)
    } catch (error) {
      if (options.signal?.aborted) throw error
      return { source, result: 'failed', detail: messageOf(error) }
    }
  }

  const concurrency = options.concurrency ?? 4
  if ('faults' in what) {
    const { ops } = context.lake.zones
    await forEachBounded(await wantedFaults(context, what.ids), concurrency, async (fault) => {
      const { source, id, reason } = fault
      if (source === undefined) {
        note({ source: '', result: 'failed', detail: `The message ${id} names no file: ${reason}` })
        return
      }
      const one = await attempt(source)
      if (one.result !== 'failed') await deleteFault(ops, id)
      note(one)
    })
  } else if ('source' in what) {
    planFor(context.plans, what.source)
    note(await attempt(what.source))
  } else {
    await forEachBounded(replayKeys(context, what), concurrency, async (key) => note(await attempt(key)))
  }
  return report
}

/** The landing keys that a dataset and a time mean. Throws UnknownDataset. */
export async function* replayKeys(
  context: Pick<Context, 'lake' | 'plans' | 'log'>,
  { dataset, since }: { dataset: string; since?: Date },
): AsyncIterable<string> {
  planFor(context.plans, `${dataset}/`)
  for await (const { key, modified } of context.lake.zones.landing.list(`${dataset}/`)) {
    if (since && modified < since) continue
    if (await isIgnored(context, key)) continue
    yield key
  }
}

async function wantedFaults({ lake }: Context, ids: string[] | undefined): Promise<Fault[]> {
  const found: Fault[] = []
  for await (const fault of listFaults(lake.zones.ops))
    if (ids === undefined || ids.includes(fault.id)) found.push(fault)
  return found
}

/** Times that a file may change under us before it is left to its own events. */
const MOVES = 3

/** As replay of one source, but whatever fails is thrown: what the ingest function does with a replay message. */
export function replayOne(
  context: Context,
  source: string,
  options: Pick<ReplayOptions, 'signal' | 'again'> = {},
): Promise<Replayed> {
  return guarded(source, options.signal, async () => {
    const plan = planFor(context.plans, source)
    await ensureTable(context, plan)
    const { landing, ops } = context.lake.zones
    for (let moves = 0; moves < MOVES; moves++) {
      const info = await landing.head(source)
      if (!info) {
        const receipt = await ingest(context, source, options)
        return receipt
          ? { source, result: 'decided', detail: receipt.outcome, receipt }
          : { source, result: 'skipped', detail: 'It is not in landing, so there is nothing to read. Drop it again.' }
      }
      const answer = await recheck(context, plan, source, info, options)
      if (answer.kind === 'moved') continue
      if (answer.kind === 'checked again') {
        const { receipt } = answer
        const detail = receipt ? receipt.outcome : 'checked again by another worker at the same time'
        return { source, result: 'checked_again', detail, ...(receipt ? { receipt } : {}) }
      }
      if (answer.kind !== 'undecided') return { source, result: answer.kind, detail: answer.detail }
      const was = (await readHead(ops, plan.dataset, source))?.head.version === info.version
      const { won, receipt } = await ingestVersion(context, plan, source, info, options)
      // The same bytes again are taken for what they were taken for: whether today's contract agrees is still to be seen.
      if (receipt?.outcome === 'duplicate') {
        const checked = await recheck(context, plan, source, info, { ...options, again: false })
        if (checked.kind === 'checked again' && checked.receipt)
          return { source, result: 'checked_again', detail: checked.receipt.outcome, receipt: checked.receipt }
      }
      if (won && receipt) return { source, result: 'decided', detail: receipt.outcome, receipt }
      return { source, result: was ? 'unchanged' : 'decided', detail: receipt?.outcome ?? 'decided' }
    }
    return { source, result: 'skipped', detail: 'It changes faster than it can be read; its own events bring it in.' }
  })
}
