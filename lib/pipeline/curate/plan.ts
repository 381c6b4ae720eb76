// Decides what a run has to do for one table: nothing, only what changed, or everything. Nothing is written here, so a dry
// run asks the same question.

import { randomUUID } from 'node:crypto'
import { partitionText } from '../../contract/partition.ts'
import { QueryError, SchemaChangeRefused } from '../../lake/errors.ts'
import { evolution } from '../../lake/evolve.ts'
import { hex } from '../../lake/keys.ts'
import { type DriverChange, incrementalQuery, pinnedQuery } from '../../lake/models/incremental.ts'
import type { PartitionField, TableJob } from '../../lake/ports.ts'
import { runId } from '../../lake/runs.ts'
import type { KeptVersion, TableState } from '../../lake/table-state.ts'
import { type CurateContext, type Curated, curatedTables, inputsOf, testedWith } from './context.ts'
import { changeOf, fullChange, keylessQuery, LEFT_PLACES, NAMED_UPLOADS, withoutKeyQuery } from './entity.ts'
import {
  checkTypes,
  cleanUploads,
  digestOf,
  type Inputs,
  lookAtInputs,
  sourceOf,
  type Uploads,
  uploadOf,
} from './inputs.ts'

export interface PlanOptions {
  /** Make it anew, whatever is there. */
  full?: boolean
  /** Try again what failed its tests on the same inputs. */
  retryFailed?: boolean
  /** Only tell: the rows are not asked whether they can take what the contract says now. */
  look?: boolean
}

/** What a run does, and what is known of the table once it is done. Plain data: a worker that dies leaves it to the next. */
export interface Step {
  job: TableJob
  scope: 'full' | 'change'
  definition: string
  major: number | null
  inputs: Record<string, string>
  /** Of tables that only its tests look at. */
  tested?: Record<string, string>
  uploads: Uploads
  /** Uploads whose rows come and leave, of entity tables. */
  came: string[]
  left: string[]
  /** What the version says of how it came from the one before; null: anything may have changed. */
  change: KeptVersion['change']
}

export type Planned =
  | { todo: 'nothing'; why: string; failing?: boolean }
  /** Tables that it reads have no version yet, or not the columns that they are to have. */
  | { todo: 'wait'; why: string; missing: string[] }
  /** The table cannot become what its contract says. */
  | { todo: 'refuse'; why: string; error: SchemaChangeRefused; definition: string; inputs: Record<string, string> }
  | { todo: 'run'; why: string; step: Step }

/** Looks at a table's inputs and says what is to be done. */
export async function planTable(
  context: CurateContext,
  curated: Curated,
  state: TableState | undefined,
  options: PlanOptions = {},
): Promise<Planned> {
  const definition = definitionOf(curated)
  const reads = inputsOf(curated)
  // From a catalog with holes all rows that it lacks would look as if they had left.
  if (
    [...reads, ...testedWith(curated)].some((table) => table.startsWith('clean.')) &&
    !(await context.lake.catalog.state()).complete
  )
    return {
      todo: 'wait',
      why: 'The catalog was lost and has been started anew, so rows may be missing from it. Run "weir reconcile" to fill it again',
      missing: [],
    }
  const known = curated.kind === 'entity' ? await entityInputs(context, curated.name) : undefined
  const inputs = known?.inputs ?? (await lookAtInputs(context.lake, reads))
  const waiting = waitFor(context, inputs)
  if (waiting) return waiting
  const suspects = state?.suspects.length ?? 0
  if (
    !options.full &&
    suspects === 0 &&
    state?.version &&
    state.definition === definition &&
    sameInputs(state.inputs, inputs.ids)
  )
    return { todo: 'nothing', why: 'nothing has changed since its newest version' }
  const tested = await lookAtInputs(context.lake, testedWith(curated))
  const waitingForTests = waitFor(context, tested)
  if (waitingForTests) return waitingForTests
  const { failed } = state ?? {}
  if (
    failed &&
    !options.full &&
    !options.retryFailed &&
    failed.definition === withTests(curated, definition) &&
    sameInputs(failed.inputs, { ...inputs.ids, ...tested.ids })
  )
    return { todo: 'nothing', why: `its run ${failed.run} failed, and nothing has changed since`, failing: true }
  const facts: Facts = { context, definition, state, inputs, tested: tested.ids, full: options.full ?? false }
  try {
    const planned =
      curated.kind === 'entity' ? planEntity(facts, curated, known?.uploads ?? {}) : planModel(facts, curated)
    if (options.look) return planned
    // What changes a table reads what came since, and what was looked at when the table was made.
    if (planned.todo === 'run' && planned.step.scope === 'full') await checkTypes(context.lake, reads)
    if (curated.kind === 'entity' && Object.keys(known?.uploads ?? {}).length > 0) await checkNewKey(facts, curated)
    return planned
  } catch (error) {
    if (!(error instanceof SchemaChangeRefused)) throw error
    return {
      todo: 'refuse',
      why: error.message,
      error,
      definition: withTests(curated, definition),
      inputs: { ...inputs.ids, ...tested.ids },
    }
  }
}

/** What a table waits for, if anything: tables that are not there, or not as they are to be. */
function waitFor(context: CurateContext, { missing, states }: Inputs): Planned | undefined {
  if (missing.length > 0)
    return {
      todo: 'wait',
      why: `${tablesInWords(missing)} ${missing.length === 1 ? 'is' : 'are'} not there yet`,
      missing,
    }
  // What was checked against the columns to come cannot be asked of those that are there.
  const outgrown = [...states.values()].filter((state) => hasOtherColumns(context, state)).map(({ table }) => table)
  if (outgrown.length === 0) return undefined
  const have = outgrown.length === 1 ? 'has' : 'have'
  return {
    todo: 'wait',
    why: `${tablesInWords(outgrown)} ${have} not got the columns of today's contracts and models yet`,
    missing: outgrown,
  }
}

const tablesInWords = (names: string[]): string => names.map((name) => `curated.${name}`).join(', ')

/** Whether a table has not become yet what its contract or model says. */
export function hasOtherColumns(context: CurateContext, state: TableState): boolean {
  const now = curatedTables(context).find(({ name }) => name === state.table)
  const shape = (columns: TableState['columns']) => JSON.stringify(columns.map(({ name, type }) => [name, type]))
  return now !== undefined && shape(now.table.columns) !== shape(state.columns)
}

interface Facts {
  context: CurateContext
  definition: string
  state: TableState | undefined
  inputs: Inputs
  tested: Record<string, string>
  full: boolean
}

/** What decides about the rows; words about them do not. */
export function definitionOf(curated: Curated): string {
  const columns = curated.table.columns.map(({ name, type }) => [name, type])
  const rest =
    curated.kind === 'entity'
      ? [curated.plan.settings.curated.mode, keyOf(curated), curated.plan.settings.curated.partitionBy]
      : [curated.kind, curated.model.hash]
  return hex(JSON.stringify([columns, ...rest]), 24)
}

const keyOf = (curated: Curated & { kind: 'entity' }): string[] =>
  curated.plan.settings.curated.mode === 'merge' ? curated.plan.primaryKey : []

/** Of an entity table, by its key: only a table that adds up has none. */
const modeOf = (key: readonly string[]): string => (key.length > 0 ? 'merge' : 'append')

/** … and about whether readers see them: a test that was mended lets a run try again. */
export const withTests = (curated: Curated, definition: string): string =>
  curated.kind === 'entity' ? definition : `${definition} ${hex(JSON.stringify(curated.model.tests), 24)}`

export function sameInputs(a: Record<string, string>, b: Record<string, string>): boolean {
  const names = Object.keys(a)
  return names.length === Object.keys(b).length && names.every((name) => a[name] === b[name])
}

async function entityInputs(context: CurateContext, dataset: string): Promise<{ inputs: Inputs; uploads: Uploads }> {
  const uploads = await cleanUploads(context.lake, dataset)
  return { inputs: { ids: { [`clean.${dataset}`]: digestOf(uploads) }, states: new Map(), missing: [] }, uploads }
}

function planEntity(facts: Facts, curated: Curated & { kind: 'entity' }, uploads: Uploads): Planned {
  const { definition, state, inputs } = facts
  const { plan, table, name: dataset } = curated
  const key = keyOf(curated)
  const major = Number.parseInt(plan.contract.version, 10) || 0
  const evolves = state?.version ? canFollow(curated, state, key, major) : false
  const now = new Set(Object.values(uploads).map(uploadOf))
  const known = state?.uploads ?? {}
  const partitions = Object.keys(uploads).filter((partition) => uploads[partition] !== known[partition])
  const came = partitions.map((partition) => uploadOf(uploads[partition] ?? '')).sort()
  const mayBeThere = new Set([...Object.values(known).map(uploadOf), ...(state?.suspects ?? [])])
  // What comes and may be there already leaves first: rows that only add up must not come twice, and an upload that was stored
  // anew under another contract may have other keys than before.
  const left = [...mayBeThere].filter((upload) => !now.has(upload))
  const leaving = [...new Set([...left, ...came.filter((upload) => mayBeThere.has(upload))])].sort()
  const full = facts.full || !evolves || came.length + LEFT_PLACES * leaving.length > NAMED_UPLOADS
  const all = [...now].sort()
  const base = state?.version ?? undefined
  const shared = { definition, major, inputs: inputs.ids, uploads, came, left: leaving }
  if (full) {
    const change = fullChange({ dataset, table, key, all })
    const step = stepOf(facts, curated, key, change, { ...shared, scope: 'full', change: null })
    return { todo: 'run', why: whyFull(facts, base !== undefined, evolves, came.length), step }
  }
  const change = changeOf({
    dataset,
    table,
    key,
    baseColumns: state?.columns ?? [],
    came,
    sources: partitions.map(sourceOf),
    left: leaving,
    all,
  })
  // A type that became wider may show in rows that stay: whatever follows the table is made anew.
  const widened = table.columns.some(({ name, type }) => {
    const was = state?.columns.find((column) => column.name.toLowerCase() === name.toLowerCase())
    return was !== undefined && was.type !== type
  })
  const followed = widened ? null : { came, left: leaving }
  const step = stepOf(facts, curated, key, change, { ...shared, scope: 'change', change: followed })
  return { todo: 'run', why: `${uploadsInWords(came.length)} came, ${uploadsInWords(leaving.length)} left`, step }
}

/** Under another key than before, rows of clean may have none: of them a merge would lose some, and have others twice. */
async function checkNewKey({ context, state }: Facts, curated: Curated & { kind: 'entity' }): Promise<void> {
  const key = keyOf(curated)
  if (key.length === 0 || (state?.version && key.join() === state.key.join())) return
  // Where there is no table yet there was perhaps no key either. Twice in one file shows when the table is made.
  const ask = state?.version ? withoutKeyQuery : keylessQuery
  const found = await context.lake.queries.query(ask(curated.name, key)).catch((error) => {
    if (!(error instanceof QueryError)) throw error
    throw new SchemaChangeRefused(
      `curated.${curated.name} cannot have the key ${key.join(', ')} yet, as its rows cannot be looked at: ${error.message} Nothing was touched.`,
      `Bring the files through the contract again: weir replay --dataset ${curated.name}`,
    )
  })
  const without = Number(found.rows[0]?.[0] ?? 0)
  if (without === 0) return
  throw new SchemaChangeRefused(
    `curated.${curated.name} cannot have the key ${key.join(', ')} yet: rows that came under an older contract have no value there, or the same as others of their file (${without} ${without === 1 ? 'case' : 'cases'}). Nothing was touched.`,
    `Bring the files through the contract again, which sets such rows aside: weir replay --dataset ${curated.name}`,
  )
}

const uploadsInWords = (n: number): string => (n === 1 ? '1 upload' : `${n} uploads`)

/** True when the rows that are there can stay. Throws where they cannot, and the contract's major version does not say so. */
function canFollow(curated: Curated & { kind: 'entity' }, state: TableState, key: string[], major: number): boolean {
  const { plan, name } = curated
  const required = new Set(plan.columns.filter((column) => column.required).map((column) => column.name))
  const { refused } = evolution(state.columns, curated.table.columns, (column) => required.has(column))
  const layout = partitionsOf(partitionFields(curated))
  if (key.join() !== state.key.join()) {
    const modes = [modeOf(key), modeOf(state.key)]
    const mode = modes[0] === modes[1] ? '' : `its mode becomes ${modes[0]}, and is ${modes[1]}: `
    refused.push(`${mode}its key becomes ${key.join(', ') || 'none'}, and is ${state.key.join(', ') || 'none'}`)
  }
  if (layout.join() !== state.partitionBy.join())
    refused.push(
      `it becomes partitioned by ${layout.join(', ') || 'nothing'}, and is by ${state.partitionBy.join(', ') || 'nothing'}`,
    )
  if (state.kind !== 'entity') refused.push('it was made by a model')
  if (refused.length === 0) return true
  if (major > (state.major ?? 0)) return false
  throw new SchemaChangeRefused(
    `curated.${name} cannot follow its contract ${plan.contract.file}: ${refused.join('; ')}. Nothing was touched. Give the contract a new major version (${major + 1}.0.0), and the table is made anew; or take the change back.`,
  )
}

function whyFull({ full }: Facts, isThere: boolean, evolves: boolean, came: number): string {
  if (full) return 'as asked'
  if (!isThere) return 'there is no table yet'
  if (!evolves) return 'its contract has a new major version'
  return `${uploadsInWords(came)} came: more than one statement can name`
}

function planModel(facts: Facts, curated: Curated & { kind: 'table' | 'incremental' | 'view' }): Planned {
  const { definition, inputs, tested } = facts
  const { model } = curated
  const step = (query: TableJob['change'], scope: Step['scope']) =>
    stepOf(facts, curated, model.uniqueKey, query, {
      scope,
      definition,
      major: null,
      inputs: inputs.ids,
      tested,
      uploads: {},
      came: [],
      left: [],
      change: null,
    })
  if (curated.kind === 'view')
    return { todo: 'run', why: whyModel(facts, curated), step: step({ kind: 'view', query: model.sql }, 'full') }
  if (curated.kind === 'table' || !model.incremental)
    return { todo: 'run', why: whyModel(facts, curated), step: step({ kind: 'replace', query: model.sql }, 'full') }
  const followed = followDriver(facts, model.incremental.driver)
  if (!followed) {
    const query = pinnedQuery(model, inputs.ids[model.incremental.driver] ?? '')
    return { todo: 'run', why: whyModel(facts, curated), step: step({ kind: 'replace', query }, 'full') }
  }
  const query = incrementalQuery(model, followed)
  return {
    todo: 'run',
    why: `${uploadsInWords(followed.came.length)} came to ${model.incremental.driver}, ${uploadsInWords(followed.left.length)} left`,
    step: step({ kind: 'merge', query }, 'change'),
  }
}

/** How the one table that an incremental model follows came from the version that the model holds; undefined: make it anew. */
function followDriver({ definition, state, inputs, full }: Facts, driver: string): DriverChange | undefined {
  const now = inputs.states.get(driver)
  const before = state?.inputs[driver]
  if (full || !state?.version || state.definition !== definition || !now?.version || before === undefined)
    return undefined
  const others = Object.entries(inputs.ids).filter(([table]) => table !== driver)
  if (others.some(([table, id]) => state.inputs[table] !== id)) return undefined
  const came = new Set<string>()
  const left = new Set<string>()
  for (const version of [now.version, ...now.history]) {
    if (version.id === before) {
      const change = { came: [...came].sort(), left: [...left].sort() }
      const versions = { before, now: now.version.id }
      return came.size + left.size > NAMED_UPLOADS ? undefined : { driverKey: now.key, ...versions, ...change }
    }
    if (!version.change) return undefined
    for (const upload of version.change.came) came.add(upload)
    for (const upload of version.change.left) left.add(upload)
  }
  return undefined
}

function whyModel({ definition, state, inputs, full }: Facts, curated: Curated): string {
  if (full) return 'as asked'
  if (!state?.version) return `there is no ${curated.kind === 'view' ? 'view' : 'table'} yet`
  if (state.definition !== definition) {
    // What it reads may have other columns now, and so it has, although nobody touched it.
    const then = { ...curated, table: { ...curated.table, columns: state.columns } }
    return definitionOf(then) === state.definition
      ? 'the columns of what it reads have changed'
      : 'the model has changed'
  }
  const changed = Object.entries(inputs.ids).filter(([table, id]) => state.inputs[table] !== id)
  return `${changed.map(([table]) => table).join(', ')} ${changed.length === 1 ? 'has' : 'have'} changed`
}

/** `year(day)` and the like. */
export const partitionsOf = (fields: PartitionField[]): string[] => fields.map(partitionText)
const partitionFields = (curated: Curated): PartitionField[] =>
  curated.kind === 'entity' ? curated.plan.settings.curated.partitionBy : curated.model.partitionBy

function stepOf(
  { context, state }: Facts,
  curated: Curated,
  key: string[],
  change: TableJob['change'],
  rest: Omit<Step, 'job'>,
): Step {
  const run = runId(curated.name, context.now(), randomUUID())
  const base = state?.version ?? undefined
  return {
    job: {
      run,
      kind: curated.kind,
      table: curated.table,
      partitionBy: partitionFields(curated),
      key,
      change,
      base: base && { id: base.id, run: base.run, committedAt: base.committedAt, rows: base.rows },
      baseColumns: base && state?.columns,
    },
    ...rest,
  }
}
