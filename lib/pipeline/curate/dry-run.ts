// A dry run: what `curate` would do, and why, without doing any of it. A table that follows another one is planned upon what
// that one would be: the state that its run would write is put before the lake's own, for this look only.

import { tableStateKey } from '../../lake/keys.ts'
import type { ObjectStore, TableDefinition } from '../../lake/ports.ts'
import { readTableState, TABLE_FORMAT, type TableState } from '../../lake/table-state.ts'
import { type CurateContext, type Curated, curatedTables, dependentsOf } from './context.ts'
import { wantedTables } from './curate.ts'
import { type Planned, type PlanOptions, partitionsOf, planTable, type Step } from './plan.ts'

export interface DryRunOptions extends PlanOptions {
  /** Only these, and what follows them. */
  tables?: readonly string[]
  signal?: AbortSignal
}

export interface DryRun {
  table: string
  planned: Planned
  /** Tables, before it in the list, that its statements read as they would be then. */
  after: string[]
}

/**
 * What `curate` with the same options would do now, in its order. Writes nothing.
 *
 * @example
 * for (const { table, planned } of await dryRun(context)) console.log(table, planned.why)
 */
export async function dryRun(context: CurateContext, options: DryRunOptions = {}): Promise<DryRun[]> {
  const { tables, signal, ...how } = options
  const { wanted, asked } = await wantedTables(context, tables === undefined ? {} : { tables })
  const predicted = new Map<string, TableState>()
  const looking: CurateContext = { ...context, lake: lakeWith(context.lake, predicted) }
  const found: DryRun[] = []
  for (const curated of curatedTables(context)) {
    const { name } = curated
    if (!wanted.has(name)) continue
    signal?.throwIfAborted()
    const state = (await readTableState(context.lake.zones.ops, name))?.state
    const planned = await planTable(looking, curated, state, asked.has(name) ? how : { ...how, full: false })
    const after = curated.kind === 'entity' ? [] : curated.model.reads.filter((read) => predicted.has(nameOf(read)))
    found.push({ table: name, planned, after })
    if (planned.todo !== 'run') continue
    predicted.set(name, stateAfter(state, curated, planned.step))
    for (const next of dependentsOf(context, [`curated.${name}`])) wanted.add(next)
  }
  return found
}

/** `orders` of `curated.orders`; tables of other zones are no curated ones. */
const nameOf = (table: string): string => (table.startsWith('curated.') ? table.slice('curated.'.length) : '')

/** The lake, with these states in the place of those that it has. */
function lakeWith(lake: CurateContext['lake'], states: ReadonlyMap<string, TableState>): CurateContext['lake'] {
  const { ops } = lake.zones
  const get: ObjectStore['get'] = async (key) => {
    for (const [name, state] of states) {
      if (key !== tableStateKey(name)) continue
      const body = Buffer.from(JSON.stringify(state))
      const info = { key, size: body.length, etag: 'dry-run', version: 'dry-run', modified: new Date(state.updatedAt) }
      return { info, body }
    }
    return ops.get(key)
  }
  const looking = Object.create(ops, { get: { value: get } }) as ObjectStore
  return Object.create(lake, { zones: { value: { ...lake.zones, ops: looking } } }) as CurateContext['lake']
}

/** The part of a state that what follows the table looks at. */
function stateAfter(before: TableState | undefined, curated: Curated, { job, ...step }: Step): TableState {
  const history = before?.version ? [before.version, ...before.history] : []
  const at = new Date(0).toISOString()
  return {
    format: TABLE_FORMAT,
    table: curated.name,
    kind: job.kind,
    sequence: (before?.sequence ?? 0) + 1,
    columns: job.table.columns,
    key: job.key,
    partitionBy: partitionsOf(job.partitionBy),
    definition: step.definition,
    major: step.major,
    query: job.change.kind === 'view' ? job.change.query : null,
    version: { id: job.run, run: job.run, committedAt: at, rows: null, change: step.change },
    history,
    inputs: step.inputs,
    uploads: step.uploads,
    pending: null,
    suspects: [],
    failed: null,
    lastRun: null,
    updatedAt: at,
  }
}

/** Every curated table as it would be: what a statement of the dry run may read. */
export const definitionsOf = (context: CurateContext): TableDefinition[] =>
  curatedTables(context).map(({ table }) => table)
