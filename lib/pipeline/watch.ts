// Watch: turns a stream of "this key changed" into decisions. It starts with a reconcile, because whatever happened while
// nobody watched has no event; after that each event is a hint, as everywhere.

import { setTimeout as sleep } from 'node:timers/promises'
import type { Receipt } from '../lake/receipt.ts'
import type { Context } from './context.ts'
import { UnknownDataset } from './errors.ts'
import { isIgnored } from './ignored.ts'
import { ingest } from './ingest.ts'
import { messageOf } from './project.ts'
import { noteFault, type ReconcileOptions, type ReconcileReport, reconcile } from './reconcile.ts'

export interface WatchOptions {
  signal?: AbortSignal
  /** Keys worked on at the same time. Default 2. */
  concurrency?: number
  /** How often a fault of ours is tried again before it waits for reconcile. Default 3. */
  retries?: number
  /** Pause before the first retry; doubled each time. Default 1,000 ms. */
  retryDelayMs?: number
  onReceipt?: (receipt: Receipt) => void
  /** After the sweep at the start. */
  onSwept?: (report: ReconcileReport) => void
  onProgress?: ReconcileOptions['onProgress']
  /** Called for a key that could not be ingested: the last retry failed, or it belongs to no dataset. */
  onFault?: (key: string, error: unknown) => void
}

/**
 * Ingests landing keys as they are named. Never works on one key twice at the same time: an event that comes while its
 * key is worked on makes it be looked at once more afterwards. Ends when the events end or the signal aborts, after
 * what had begun has ended.
 *
 * @example
 * await watchLanding(context, changedKeys(), { signal, onReceipt: print })
 */
export async function watchLanding(
  context: Context,
  events: AsyncIterable<string>,
  options: WatchOptions = {},
): Promise<void> {
  const { signal, concurrency = 2 } = options
  /** Keys waiting, in the order of their first event; and those worked on. */
  const waiting = new Set<string>()
  const running = new Map<string, Promise<void>>()
  let refilled: string | undefined
  let ended = false
  let wake = () => {}
  const changed = () => wake()

  const reading = (async () => {
    try {
      for await (const key of events) {
        waiting.add(key)
        changed()
        if (signal?.aborted) return
      }
    } finally {
      ended = true
      changed()
    }
  })()
  reading.catch(() => undefined)
  signal?.addEventListener('abort', changed)

  /** A catalog that was lost under us is filled again at once, not when somebody asks it in vain. Once for each loss. */
  async function refill(): Promise<void> {
    try {
      const { generation, complete } = await context.lake.catalog.state()
      if (complete || refilled === generation || signal?.aborted) return
      refilled = generation
      const { faults } = await reconcile(context, { signal, concurrency })
      for (const { source } of faults) if (source !== undefined) waiting.add(source)
    } catch (error) {
      if (!signal?.aborted)
        context.log({ event: 'catalog_not_filled', error: messageOf(error), advice: 'Run "weir reconcile".' })
    }
  }

  try {
    const { onProgress } = options
    const swept = await reconcile(context, { signal, concurrency, onProgress })
    for (const { source } of swept.faults) if (source !== undefined) waiting.add(source)
    options.onSwept?.(swept)
    while (!signal?.aborted) {
      const woken = new Promise<void>((resolve) => {
        wake = resolve
      })
      const key = running.size < concurrency ? firstOf(waiting, running) : undefined
      if (key !== undefined) {
        waiting.delete(key)
        running.set(
          key,
          ingestPatiently(context, key, options)
            .then(refill)
            .finally(() => {
              running.delete(key)
              changed()
            }),
        )
        continue
      }
      if (ended && waiting.size === 0 && running.size === 0) break
      await woken
    }
  } catch (error) {
    if (!signal?.aborted) throw error
  } finally {
    signal?.removeEventListener('abort', changed)
    await Promise.all(running.values())
  }
  // An event source that failed is a reason to stop, and the caller's to know.
  if (ended) await reading
}

/** The key that has waited longest and that nobody works on. */
function firstOf(waiting: Set<string>, running: Map<string, unknown>): string | undefined {
  for (const key of waiting) if (!running.has(key)) return key
  return undefined
}

async function ingestPatiently(context: Context, key: string, options: WatchOptions): Promise<void> {
  const { signal, retries = 3, retryDelayMs = 1000 } = options
  for (let attempt = 0; ; attempt++) {
    try {
      if (await isIgnored(context, key)) return
      const receipt = await ingest(context, key, { signal })
      if (receipt) options.onReceipt?.(receipt)
      return
    } catch (error) {
      if (signal?.aborted) return
      const hopeless = error instanceof UnknownDataset || (error instanceof Error && error.name === 'InvalidKey')
      if (hopeless || attempt >= retries) {
        context.log({
          event: hopeless ? 'not_ingested' : 'gave_up',
          source: key,
          error: messageOf(error),
          advice: hopeless ? 'The file stays where it is.' : 'Mend the cause, then run "weir reconcile".',
        })
        if (!hopeless) await noteFault(context, key, messageOf(error), attempt + 1)
        options.onFault?.(key, error)
        return
      }
      context.log({ event: 'retry', source: key, attempt: attempt + 1, error: messageOf(error) })
      await sleep(retryDelayMs * 2 ** attempt, undefined, { signal }).catch(() => undefined)
    }
  }
}
