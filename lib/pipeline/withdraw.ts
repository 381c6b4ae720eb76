// Moves the head of a source to "contributes nothing", because its file was deleted or somebody asked for it.

import type { Plan } from '../contract/plan.ts'
import { PreconditionFailed } from '../lake/errors.ts'
import { type Head, readHead, writeHead } from '../lake/heads.ts'
import type { ObjectInfo } from '../lake/ports.ts'
import type { Context } from './context.ts'
import { type Settled, settle, tell } from './project.ts'
import { REASONS, retractionReceipt } from './receipts.ts'

export interface Withdrawn {
  settled?: Settled
  /** The head that this call moved, and what it moved it to. */
  before?: Head
  after: Head
  /** The file that came back while we looked: it is to be ingested instead. */
  back?: ObjectInfo
}

/**
 * Undefined when there is no such source. The head remembers the version: an event of the same version does not bring
 * the source back, a new version does.
 */
export async function withdraw(
  context: Context,
  plan: Plan,
  key: string,
  why: 'deleted' | 'by hand',
): Promise<Withdrawn | undefined> {
  const { landing, ops } = context.lake.zones
  for (;;) {
    const base = await readHead(ops, plan.dataset, key)
    if (!base) return undefined
    const { head } = base
    // By hand also from the queue of those who wait to give the same bytes as another source.
    const inLake = head.contributions.length > 0 || (why === 'by hand' && head.state === 'duplicate')
    if (!inLake) return { settled: await settle(context, base), after: head }
    if (why === 'deleted') {
      const back = await landing.head(key)
      if (back) return { back, after: head }
    }
    if (head.decision) await tell(context, head.decision)
    const reason = why === 'deleted' ? REASONS.deleted(key) : REASONS.retractedByHand(key)
    const decision = retractionReceipt(plan, head, context.now(), reason)
    try {
      const next: Head = { ...head, state: 'retracted', contributions: [], decision }
      const moved = await writeHead(ops, base, next, context.now())
      return { settled: await settle(context, moved, head), before: head, after: moved.head }
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error
    }
  }
}
