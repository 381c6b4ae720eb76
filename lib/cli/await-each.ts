// Waiting for each of several things that a deployed lake does by itself.

import { setTimeout as sleep } from 'node:timers/promises'

const LOOK_EVERY_MS = 1000

export interface AwaitEach {
  timeoutMs: number
  signal?: AbortSignal
  /** How often it looks, in milliseconds. Default: 1,000. */
  everyMs?: number
}

/** Looks at each name until it is `done`, one says `stop`, or the time is over. */
export async function awaitEach(
  names: Iterable<string>,
  { timeoutMs, signal, everyMs = LOOK_EVERY_MS }: AwaitEach,
  look: (name: string) => Promise<'open' | 'done' | 'stop'>,
): Promise<void> {
  const open = new Set(names)
  const until = Date.now() + timeoutMs
  for (;;) {
    for (const name of [...open]) {
      signal?.throwIfAborted()
      const found = await look(name)
      if (found === 'stop') return
      if (found === 'done') open.delete(name)
    }
    if (open.size === 0 || Date.now() >= until) return
    await sleep(Math.min(everyMs, Math.max(1, until - Date.now())), undefined, { signal })
  }
}
