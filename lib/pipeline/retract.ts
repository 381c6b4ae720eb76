// Retract: takes a source out of the lake on request, with a receipt. Its file stays in landing, and its old Parquet
// stays where it is: nothing points at it any more.

import { readHeadAt } from '../lake/heads.ts'
import { headsPrefix } from '../lake/keys.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context, RunOptions } from './context.ts'
import { planFor } from './datasets.ts'
import { guarded, UnknownSource } from './errors.ts'
import { takeOut } from './ingest.ts'
import { ensureTable } from './project.ts'

/** Heads looked at for names near the one asked for. */
const LOOKED_AT = 1000
const SHOWN = 3

/**
 * Gives the receipt; undefined when the source contributes nothing (it was refused, or is retracted already).
 * Throws UnknownSource.
 *
 * @example
 * await retract(context, 'orders/monday.csv')
 */
export function retract(context: Context, key: string, options: RunOptions = {}): Promise<Receipt | undefined> {
  return guarded(key, options.signal, async () => {
    const plan = planFor(context.plans, key)
    await ensureTable(context, plan)
    const settled = await takeOut(context, plan, key, 'by hand', options)
    if (settled) return settled.won ? settled.receipt : undefined
    const near = await namesNear(context, plan.dataset, key)
    throw new UnknownSource(
      `The lake has never taken in landing/${key}. ${near.length > 0 ? `Did you mean ${near.join(' or ')}?` : 'See "weir receipts" for what it has.'}`,
    )
  })
}

/** Sources of the dataset that hold the same letters, or nearly: a hint, and only as far as it is cheap. */
async function namesNear({ lake }: Context, dataset: string, key: string): Promise<string[]> {
  const found: { source: string; distance: number }[] = []
  let looked = 0
  for await (const { key: headKey } of lake.zones.ops.list(headsPrefix(dataset))) {
    if (++looked > LOOKED_AT) break
    const stored = await readHeadAt(lake.zones.ops, headKey)
    if (!stored) continue
    const { source } = stored.head
    const distance = distanceOf(source.toLowerCase(), key.toLowerCase())
    if (distance <= Math.max(2, key.length / 5)) found.push({ source, distance })
  }
  found.sort((a, b) => a.distance - b.distance || (a.source < b.source ? -1 : 1))
  return found.slice(0, SHOWN).map(({ source }) => source)
}

/** Letters to add, drop or change (Levenshtein). */
function distanceOf(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1))
    }
    row = next
  }
  return row[b.length] ?? 0
}
