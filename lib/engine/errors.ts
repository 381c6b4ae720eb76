// The errors of the engine. A refusal is an answer about the file; a fault is ours.

import type { Reason } from './result.ts'

/** The whole file is refused: thrown inside the engine, turned into a result by `check`. */
export class Refusal extends Error {
  override name = 'Refusal'
  readonly reason: Reason
  constructor(code: string, message: string, advice?: string) {
    super(message)
    this.reason = advice === undefined ? { code, message } : { code, message, advice }
  }
}

/** The engine could not do its work (disk full, out of memory, a bug). Nothing was published; the same call may be made again. */
export class EngineFault extends Error {
  override name = 'EngineFault'
}

/** The caller stopped the work. */
export class Cancelled extends Error {
  override name = 'Cancelled'
  constructor() {
    super('Stopped before the file was checked; nothing was published.')
  }
}
