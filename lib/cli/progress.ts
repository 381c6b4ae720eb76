// A progress bar, or a line that says what is worked on, on stderr: only on a terminal, and only once the work has taken over a
// second.

import { Presets, SingleBar } from 'cli-progress'
import { formatBytes, formatDuration } from '../lake/render/format.ts'
import type { RunOptions } from '../pipeline/context.ts'
import type { Run } from './run.ts'

const PATIENCE = 1000

export interface Progress {
  onProgress: RunOptions['onProgress']
  /** Removes the bar, so that the next line can be printed. */
  stop(): void
}

export function startProgress(run: Pick<Run, 'json' | 'io'>, label: string, clock = () => performance.now()): Progress {
  if (run.json || !run.io.stderr.isTTY) return { onProgress: undefined, stop() {} }
  const started = clock()
  let bar: SingleBar | undefined
  return {
    onProgress({ bytes, total, phase }) {
      if (clock() - started < PATIENCE) return
      if (!bar) {
        bar = new SingleBar(
          {
            format: `{label}  {bar} {percentage} %  {done} of {all}  {phase}`,
            stream: run.io.stderr as NodeJS.WriteStream,
            clearOnComplete: true,
            hideCursor: true,
            // Ctrl-C is for weir to handle.
            gracefulExit: false,
          },
          Presets.shades_classic,
        )
        bar.start(total, bytes, { label, phase, done: formatBytes(bytes), all: formatBytes(total) })
      }
      bar.setTotal(total)
      bar.update(bytes, { label, phase, done: formatBytes(bytes), all: formatBytes(total) })
    },
    stop() {
      bar?.stop()
      bar = undefined
    },
  }
}

/** A line for work that nobody can measure: what it is, and for how long. */
export interface Work {
  at(label: string): void
  /** Removes the line, so that another one can be printed; the work goes on. */
  clear(): void
  stop(): void
}

const NO_WORK: Work = { at() {}, clear() {}, stop() {} }

export function startWork(run: Pick<Run, 'json' | 'io'>, clock = () => performance.now()): Work {
  const { stderr } = run.io
  if (run.json || !stderr.isTTY) return NO_WORK
  let label = ''
  let started = clock()
  let shown = false
  const clear = () => {
    if (shown) stderr.write('\r\u001b[2K')
    shown = false
  }
  const timer = setInterval(() => {
    const passed = clock() - started
    if (label === '' || passed < PATIENCE) return
    clear()
    stderr.write(`${label} … ${formatDuration(Math.floor(passed / 1000) * 1000)}`)
    shown = true
  }, PATIENCE)
  return {
    at(next) {
      clear()
      label = next
      started = clock()
    },
    clear,
    stop() {
      clearInterval(timer)
      clear()
    },
  }
}
