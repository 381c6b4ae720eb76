// Maintenance of a curated table: small files are put together, and what no version that is kept needs is removed.

import type { RanStatement } from '../../lake/ports.ts'
import { readTableState } from '../../lake/table-state.ts'
import { type CurateContext, curatedNamed } from './context.ts'

export interface Maintained {
  table: string
  /** What was done, in words; nothing where there was nothing to do. */
  did: string[]
  statements: RanStatement[]
}

/** Safe at any time, beside readers and runs. */
export async function maintainTable(context: CurateContext, name: string): Promise<Maintained> {
  const { name: table } = curatedNamed(context, name)
  const state = (await readTableState(context.lake.zones.ops, table))?.state
  // A run that has begun may still read what it began with.
  if (!state?.version || state.pending) return { table, did: [], statements: [] }
  return { table, ...(await context.lake.tables.maintain(table, [state.version, ...state.history])) }
}
