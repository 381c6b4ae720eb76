// Tables that nothing makes any more: their model was deleted, or their dataset has another name now or wants no table. They stay
// readable, as they were when they were last made, until somebody drops them. The ledger of their runs stays.

import { PreconditionFailed } from '../../lake/errors.ts'
import { tableStateKey, tableStatesPrefix } from '../../lake/keys.ts'
import { readTableState, type TableState, TableStateDamaged, writeTableState } from '../../lake/table-state.ts'
import { tablesOf } from '../../sql/refs.ts'
import { type CurateContext, type Curated, curatedTables, UnknownTable } from './context.ts'
import { namesTable } from './left-out.ts'
import { tell } from './run.ts'

export interface LeftOver {
  table: string
  /** Null where its state cannot be read. */
  kind: TableState['kind'] | null
  why: string
  /** What readers see; null where there is nothing to read: it never had a version, or was not dropped to the end. */
  version: { id: string; run: string; committedAt: string; rows: number | null } | null
}

/** A table cannot be dropped, or not now; the message says what to do instead. */
export class CannotDropTable extends Error {
  override name = 'CannotDropTable'
}

/** No statement of Athena's takes longer than this, whatever an account may: so a run that has begun before is at an end. */
const RUN_ENDS_MS = 4 * 60 * 60 * 1000

/** Every table with a state that no contract and no model makes, by name. Models with mistakes make theirs. */
export async function leftOver(context: CurateContext, signal?: AbortSignal): Promise<LeftOver[]> {
  const made = new Set([...curatedTables(context), ...(context.leftOut ?? []).map(nameOf)].map(({ name }) => name))
  const found: LeftOver[] = []
  const { ops } = context.lake.zones
  for await (const { key } of ops.list(tableStatesPrefix)) {
    signal?.throwIfAborted()
    const table = key.slice(tableStatesPrefix.length).replace(/\.json$/, '')
    if (made.has(table)) continue
    const state = await stateOf(context, table)
    if (state === undefined) continue
    if (context.modelsUnread && (state === 'damaged' || state.kind !== 'entity')) continue
    found.push({ table, ...describe(context, table, state) })
  }
  return found
}

const nameOf = ({ table }: { table: string }) => ({ name: table })

async function stateOf({ lake }: CurateContext, table: string): Promise<TableState | 'damaged' | undefined> {
  try {
    return (await readTableState(lake.zones.ops, table))?.state
  } catch (error) {
    if (!(error instanceof TableStateDamaged)) throw error
    return 'damaged'
  }
}

function describe({ plans }: CurateContext, table: string, state: TableState | 'damaged'): Omit<LeftOver, 'table'> {
  if (state === 'damaged')
    return { kind: null, why: 'no contract and no model makes it, and its state cannot be read', version: null }
  const plan = plans.get(table)
  const why =
    state.kind !== 'entity'
      ? 'its model is gone'
      : plan
        ? `its contract ${plan.contract.file} wants no curated table any more`
        : 'its dataset is gone'
  const { version } = state
  return {
    kind: state.kind,
    why,
    version: version && { id: version.id, run: version.run, committedAt: version.committedAt, rows: version.rows },
  }
}

/**
 * The tables that these names mean, views first, so that none is left without what it reads. Throws UnknownTable, and
 * CannotDropTable where one is still made or read.
 */
export async function tablesToDrop(context: CurateContext, names: readonly string[]): Promise<LeftOver[]> {
  const all = await leftOver(context)
  const wanted = new Map<string, LeftOver>()
  for (const given of names) {
    const name = given.replace(/^curated\./i, '')
    refuseMade(context, name)
    const small = all.filter(({ table }) => table.toLowerCase() === name.toLowerCase())
    const found = all.find(({ table }) => table === name) ?? (small.length === 1 ? small[0] : undefined)
    if (!found) throw unknown(context, name, all)
    wanted.set(found.table, found)
  }
  for (const { table } of wanted.values()) {
    const state = await stateOf(context, table)
    if (state && state !== 'damaged') refuseRunning(context, state)
  }
  await refuseRead(context, new Set(wanted.keys()))
  return [...wanted.values()].sort((a, b) => Number(b.kind === 'view') - Number(a.kind === 'view'))
}

function unknown(context: CurateContext, name: string, all: readonly LeftOver[]): Error {
  if (context.modelsUnread)
    return new CannotDropTable(
      `curated.${name} was not dropped: the models cannot be read, so it is not known whether one makes it.`,
    )
  return new UnknownTable(
    all.length === 0
      ? `There is no curated table ${name}, and none is left over: contracts or models make all that there are.`
      : `There is no curated table ${name}. Left over, and so to be dropped, are: ${all.map(({ table }) => table).join(', ')}.`,
  )
}

/** Throws where a contract or a model makes the table: dropped, it would only come again. */
function refuseMade(context: CurateContext, name: string): void {
  const refuse = (by: string, instead: string) => {
    throw new CannotDropTable(
      `curated.${name} was not dropped: ${by} makes it, so it would only come again. To be without it, ${instead}, and then drop it. To have it made anew: weir curate --table ${name} --full`,
    )
  }
  const made: Curated | undefined = curatedTables(context).find((one) => one.name === name)
  if (made?.kind === 'entity')
    refuse(`the contract ${made.plan.contract.file}`, 'delete the contract or give it curated: {mode: none}')
  const file = made && made.kind !== 'entity' ? made.model.file : undefined
  const leftOut = context.leftOut?.find(({ table }) => table === name)
  if (file !== undefined) refuse(`the model ${file}`, 'delete that file')
  if (leftOut) refuse(`the model ${leftOut.file}, which has mistakes now,`, 'delete that file')
}

/** Throws where somebody reads one of the tables who does not go with them. */
async function refuseRead(context: CurateContext, tables: ReadonlySet<string>): Promise<void> {
  for (const table of tables)
    for (const { file, text } of context.leftOut ?? [])
      if (namesTable(text, table))
        throw new CannotDropTable(
          `curated.${table} was not dropped: the model ${file} still names it. Have it read something else, or delete it, first.`,
        )
  for await (const { key } of context.lake.zones.ops.list(tableStatesPrefix)) {
    const reader = key.slice(tableStatesPrefix.length).replace(/\.json$/, '')
    if (tables.has(reader)) continue
    const state = await stateOf(context, reader)
    if (!state || state === 'damaged' || !state.version || state.query === null) continue
    const reads = new Set(tablesOf(state.query).map(({ name }) => name))
    const read = [...tables].find((table) => reads.has(`curated.${table.toLowerCase()}`))
    if (read === undefined) continue
    const isMade = curatedTables(context).some(({ name }) => name === reader)
    throw new CannotDropTable(
      `curated.${read} was not dropped: readers of the view curated.${reader} still read it. ${isMade ? `Bring the view up to date first: weir curate --table ${reader}` : `Drop both: weir curate --drop ${reader} --drop ${read}`}`,
    )
  }
}

/** Throws where a run goes on somewhere else: what it publishes would be there again. */
function refuseRunning({ lake, now }: CurateContext, { table, pending }: TableState): void {
  if (!pending || !lake.tables.resumes) return
  const over = Date.parse(pending.startedAt) + RUN_ENDS_MS
  if (now().getTime() < over)
    throw new CannotDropTable(
      `curated.${table} was not dropped: its run ${pending.run}, which began at ${pending.startedAt}, is not known to have ended. Try again when it has, or after ${new Date(over).toISOString()}: whatever becomes of it is over by then.`,
    )
}

/**
 * Takes a table away that nothing makes any more, with all its versions and its state. Readers are without it from the first
 * step on; after a crash it is still left over, and can be dropped again. Gives false where it is gone already. Throws
 * CannotDropTable.
 *
 * @example
 * for (const { table } of await tablesToDrop(context, ['old_report'])) await dropTable(context, table)
 */
export async function dropTable(context: CurateContext, table: string): Promise<boolean> {
  const { lake, log } = context
  const { ops } = lake.zones
  refuseMade(context, table)
  const marked = await takeFromReaders(context, table)
  if (marked === 'gone') return false
  // On AWS names have no capitals: there it is the same table, and belongs to the other one.
  const others = new Set<string>(curatedTables(context).map(({ name }) => name.toLowerCase()))
  if (!others.has(table.toLowerCase())) await lake.tables.drop(table)
  const now = await ops.head(tableStateKey(table))
  if (now && now.etag !== marked)
    throw new CannotDropTable(
      `Somebody made curated.${table} again while it was dropped. Let nobody make it any more, and drop it again.`,
    )
  await ops.delete(tableStateKey(table))
  log({ event: 'table_dropped', table })
  return true
}

/** Writes into the state that there is nothing to read, and gives the etag of that. */
async function takeFromReaders(context: CurateContext, table: string): Promise<string | 'gone'> {
  const { lake, now } = context
  const { ops } = lake.zones
  for (;;) {
    try {
      const stored = await readTableState(ops, table)
      if (!stored) return 'gone'
      const { state } = stored
      refuseRunning(context, state)
      // The record of its last run, should the worker have died before it wrote it.
      if (state.lastRun) await tell(context, state.lastRun)
      const nothing = { version: null, history: [], query: null, pending: null, suspects: [], failed: null }
      const known = { definition: '', major: null, key: [], partitionBy: [], inputs: {}, uploads: {} }
      return (await writeTableState(ops, stored, { ...state, ...nothing, ...known }, now())).etag
    } catch (error) {
      // Nobody can read it, or begin a run upon it: there is nothing to take away from anybody.
      if (error instanceof TableStateDamaged) return (await ops.head(tableStateKey(table)))?.etag ?? 'gone'
      // Somebody moved it meanwhile: look again.
      if (!(error instanceof PreconditionFailed)) throw error
    }
  }
}
