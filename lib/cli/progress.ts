// A progress bar on stderr: only on a terminal, and only once the work has taken over a second.

import { Presets, SingleBar } from 'cli-progress'
import { formatBytes } from '../lake/render/format.ts'
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
