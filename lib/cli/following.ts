// Curated tables while `weir watch` takes files in: they follow after each quiet moment, beside the intake, and never twice at
// the same time.

import { type Concerned, type Curated, type CuratedSummary, curateAfter } from './curated.ts'
import { Interrupted } from './errors.ts'
import type { GlobalOptions, Run } from './run.ts'

/** No upload for this long is a quiet moment. */
const QUIET_MS = 500
/** … and where there is none, tables follow after this long. */
const LATEST_MS = 15_000

export interface Following {
  /** Rows of this dataset may have changed. */
  touch(dataset: string): void
  /** Anything may have changed. */
  touchAll(): void
  /** Waits for what has begun; begins no more. Gives the newest result of each table, and the faults. */
  end(): Promise<{ curated: CuratedSummary[]; faults: number; left: boolean }>
}

export function startFollowing(
  run: Run,
  options: GlobalOptions,
  work: (concerned: Concerned) => Promise<Curated> = (concerned) => curateAfter(run, concerned, options),
): Following {
  const newest = new Map<string, CuratedSummary>()
  const datasets = new Set<string>()
  let all = false
  let ended = false
  let faults = 0
  let timer: NodeJS.Timeout | undefined
  let since: number | undefined
  let running: Promise<void> | undefined

  const isOpen = () => all || datasets.size > 0
  const plan = () => {
    if (ended || running || run.signal.aborted) return
    since ??= Date.now()
    clearTimeout(timer)
    timer = setTimeout(begin, Math.max(0, Math.min(QUIET_MS, since + LATEST_MS - Date.now())))
  }
  const begin = () => {
    since = undefined
    running = follow().finally(() => {
      running = undefined
      if (isOpen()) plan()
    })
  }
  async function follow(): Promise<void> {
    const concerned: Concerned = all ? 'all' : { datasets: [...datasets] }
    all = false
    datasets.clear()
    try {
      const { curated, exit } = await work(concerned)
      for (const one of curated) newest.set(one.table, one)
      if (exit === 4) faults += 1
    } catch (error) {
      all = true
      // Ctrl-C is how a watch ends.
      if (error instanceof Interrupted) return
      faults += 1
      run.note(`weir: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  return {
    touch(dataset) {
      datasets.add(dataset)
      plan()
    },
    touchAll() {
      all = true
      plan()
    },
    async end() {
      ended = true
      clearTimeout(timer)
      await running
      return { curated: [...newest.values()], faults, left: isOpen() }
    },
  }
}
