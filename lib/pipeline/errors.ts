// The errors of lib/pipeline: what callers can test for. A fault of ours is always a PipelineFault, never an outcome.

/** A file that belongs to no dataset: no contract for its folder, or none (or several) whose `match` fits its name. */
export class UnknownDataset extends Error {
  override name = 'UnknownDataset'
  /** The datasets that there are. */
  readonly known: string[]
  constructor(message: string, known: string[]) {
    super(message)
    this.known = known
  }
}

/** `weir retract` of a landing key that the lake knows nothing of. */
export class UnknownSource extends Error {
  override name = 'UnknownSource'
}

/** What was to be dropped is not a file that can be read. */
export class CannotDrop extends Error {
  override name = 'CannotDrop'
}

/** Something of ours failed: storage, engine, a bug. The lake is as it was, or as it was meant to be; trying again is safe. */
export class PipelineFault extends Error {
  override name = 'PipelineFault'
  readonly source: string
  constructor(source: string, cause: unknown) {
    const why = cause instanceof Error ? cause.message : String(cause)
    super(
      `Could not finish ${source}: ${why}\nNothing half-done can be seen in the lake. When the cause is mended, run "weir reconcile" (or the same command again): it goes on from here.`,
      { cause },
    )
    this.source = source
  }
}

/** Errors that already say whose fault it is and what to do. */
const NAMED = new Set(['UnknownDataset', 'UnknownSource', 'CannotDrop', 'PipelineFault', 'AbortError', 'InvalidKey'])

/** Runs a use case; whatever fails in it that has no name of its own becomes a PipelineFault. */
export async function guarded<T>(source: string, signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    if (signal?.aborted || (error instanceof Error && NAMED.has(error.name))) throw error
    throw new PipelineFault(source, error)
  }
}
