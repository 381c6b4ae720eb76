// How the engine looks at a file's bytes: its SHA-256 and its census. In one pass where nobody waits for the census; in
// two passes at the same time where the keys that it notes are needed before the file can be read.

import type { Census, CensusRequest } from './census.ts'
import { runTask } from './tasks.ts'

export interface Look {
  /** SHA-256 of the file as dropped, in hex. */
  sha256(): Promise<string>
  /** Census of a file: of the one as dropped, or of what was made of it. `hurry`: it is waited for. */
  census(path: string, csv: CensusRequest['csv'], size: number, hurry: boolean): Promise<Census>
}

/** A look at a file of `size` bytes. Whatever was started is taken up by nobody, should nobody ask. */
export function lookAt(file: string, size: number, signal?: AbortSignal): Look {
  let hash: Promise<string> | undefined
  const counts = new Map<string, Promise<Census>>()
  const quiet = <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {})
    return work
  }
  const look: Look = {
    sha256() {
      hash ??= quiet(runTask('digest', file, size, signal))
      return hash
    },
    census(path, csv, bytes, hurry) {
      const known = counts.get(path)
      if (known) return known
      const together = path === file && hash === undefined && !hurry
      if (path === file && !together) look.sha256()
      const counting = quiet(runTask('census', { path, digest: together, ...(csv && { csv }) }, bytes, signal))
      if (together) hash = quiet(counting.then(({ sha256 = '' }) => sha256))
      counts.set(path, counting)
      return counting
    },
  }
  return look
}
