// Curate: brings all curated tables that are concerned up to their inputs, in dependency order.

import { readTableState } from '../../lake/table-state.ts'
import {
  type CurateContext,
  curatedNamed,
  curatedTables,
  dependentsOf,
  inputsOf,
  tablesAfter,
  testedWith,
} from './context.ts'
import { hasOtherColumns } from './plan.ts'
import { type CurateOptions, type CurateResult, curateTable } from './run.ts'

export interface CurateAllOptions extends CurateOptions {
  /** Only these, and what follows them. */
  tables?: readonly string[]
  /** Only what follows the clean tables of these datasets. */
  datasets?: readonly string[]
  onBegin?: (table: string) => void
  onResult?: (result: CurateResult) => void
}

/**
 * Brings tables up to their inputs: those named and whatever follows them; without names all of them, scheduled models too. A table
 * that is read and not there yet is made first. What fails does not stop the others.
 *
 * @example
 * const results = await curate(context, { datasets: ['orders'] })
 */
export async function curate(context: CurateContext, options: CurateAllOptions = {}): Promise<CurateResult[]> {
  const { tables, datasets, onBegin, onResult, ...how } = options
  const all = curatedTables(context).map(({ name }) => name)
  const { wanted, asked } = await wantedTables(context, {
    ...(tables ? { tables } : {}),
    ...(datasets ? { datasets } : {}),
  })
  const results: CurateResult[] = []
  for (const name of all) {
    if (!wanted.has(name)) continue
    options.signal?.throwIfAborted()
    onBegin?.(name)
    // What merely follows is not made anew because of --full: its inputs have changed, and that is enough.
    const result = await curateTable(context, name, asked.has(name) ? how : { ...how, full: false })
    results.push(result)
    onResult?.(result)
    if (result.outcome === 'published') for (const next of dependentsOf(context, [`curated.${name}`])) wanted.add(next)
  }
  return results
}

/** Names of the tables to begin with; `asked`: those that were meant by name, or all of them. */
export async function wantedTables(
  context: CurateContext,
  { tables, datasets }: Pick<CurateAllOptions, 'tables' | 'datasets'>,
): Promise<{ wanted: Set<string>; asked: Set<string> }> {
  const all = curatedTables(context).map(({ name }) => name)
  const named = tables?.map((name) => curatedNamed(context, name).name)
  const wanted = new Set(named ?? (datasets ? tablesAfter(context, datasets) : all))
  for (const name of [...wanted]) await addMissing(context, name, wanted)
  return { wanted, asked: new Set(named ?? (datasets ? [] : all)) }
}

/** Tables that a table or its tests read and that nobody has made yet, and theirs. */
async function addMissing(context: CurateContext, name: string, wanted: Set<string>): Promise<void> {
  const curated = curatedNamed(context, name)
  for (const input of [...inputsOf(curated), ...testedWith(curated)]) {
    const [zone, table = ''] = input.split('.')
    if (zone !== 'curated' || wanted.has(table)) continue
    const state = (await readTableState(context.lake.zones.ops, table))?.state
    if (state?.version && !hasOtherColumns(context, state)) continue
    wanted.add(table)
    await addMissing(context, table, wanted)
  }
}
