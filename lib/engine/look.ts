// How the engine looks at a file's bytes: its SHA-256 and its census. In one pass where nobody waits for the census; in
// two, the census first, where the keys that it notes are needed before the file can be read.

import type { Census, CensusRequest } from './census.ts'
import { readyThread, runTask } from './tasks.ts'

type Csv = Omit<NonNullable<CensusRequest['csv']>, 'index'>

export interface Look {
  /** SHA-256 of the file as dropped, in hex. */
  sha256(): Promise<string>
  /** Census of a CSV file: of the one as dropped, or of what was made of it. `hurry`: it is waited for, and rejects are likely. */
  census(path: string, csv: Csv, size: number, hurry: boolean): Promise<Census>
}

/** A look at a file of `size` bytes. Whatever was started is taken up by nobody, should nobody ask. */
export function lookAt(file: string, size: number, signal?: AbortSignal): Look {
  let hash: Promise<string> | undefined
  const counts = new Map<string, Promise<Census>>()
  const quiet = <T>(work: Promise<T>): Promise<T> => {
    work.catch(() => {})
    return work
  }
  // It starts while the file's first bytes are looked at.
  readyThread(size)
  const look: Look = {
    sha256() {
      hash ??= quiet(runTask('digest', file, size, signal))
      return hash
    },
    census(path, csv, bytes, hurry) {
      const known = counts.get(path)
      if (known) return known
      const together = path === file && hash === undefined && !hurry
      const request = { path, digest: together, csv: { ...csv, index: hurry } }
      const counting = quiet(runTask('census', request, bytes, signal))
      if (together) hash = quiet(counting.then(({ sha256 = '' }) => sha256))
      // Afterwards, beside whatever waited for the census.
      else hash ??= quiet(counting.then(() => runTask('digest', file, size, signal)))
      counts.set(path, counting)
      return counting
    },
  }
  return look
}
