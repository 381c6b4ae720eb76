// Names of landing keys that changed, as a stream: what `weir watch` feeds to the pipeline. A name is only a hint.

import { relative, sep } from 'node:path'
import { watch } from 'chokidar'

/** How long a file must keep its size before it counts as written. */
const SETTLED_MS = 400

export interface LandingEvents {
  /** Ends when the watcher is closed. */
  keys: AsyncIterable<string>
  close(): Promise<void>
}

/** Watches a folder; resolves when every later change will be seen. What is there already is not named. */
export async function watchFolder(folder: string): Promise<LandingEvents> {
  const queue: string[] = []
  let failure: Error | undefined
  let closed = false
  let wake = () => {}

  const watcher = watch(folder, {
    ignoreInitial: true,
    followSymlinks: false,
    awaitWriteFinish: { stabilityThreshold: SETTLED_MS, pollInterval: 100 },
  })
  const changed = (path: string) => {
    queue.push(keyOf(folder, path))
    wake()
  }
  watcher.on('add', changed).on('change', changed).on('unlink', changed)
  await new Promise<void>((resolve, reject) => {
    watcher.once('ready', resolve)
    watcher.once('error', reject)
  })
  watcher.on('error', (error) => {
    failure = error instanceof Error ? error : new Error(String(error))
    wake()
  })

  async function* keys(): AsyncGenerator<string> {
    for (;;) {
      const key = queue.shift()
      if (key !== undefined) yield key
      else if (failure) throw failure
      else if (closed) return
      else {
        await new Promise<void>((resolve) => {
          wake = resolve
        })
      }
    }
  }

  return {
    keys: keys(),
    async close() {
      closed = true
      wake()
      await watcher.close()
    },
  }
}

/** The landing key of a path. Names too long for one file lie in folders whose names end in `~weir+`. */
export function keyOf(folder: string, path: string): string {
  return relative(folder, path).split(sep).join('/').replaceAll('~weir+/', '')
}
