// What the use cases of the curated zone get, and the tables that they make: an entity table for each dataset that wants
// one, and one table or view for each model.

import type { Plan } from '../../contract/plan.ts'
import type { Model } from '../../lake/models/model.ts'
import type { TableDefinition } from '../../lake/ports.ts'
import type { Run } from '../../lake/runs.ts'
import { curatedTableOf } from '../../lake/tables.ts'
import type { Context } from '../context.ts'
import type { LeftOut } from './left-out.ts'

export interface CurateContext extends Pick<Context, 'lake' | 'plans' | 'now' | 'log'> {
  /** In dependency order, as checkModels gives them. */
  models: readonly Model[]
  /** Models that are not among those, because of mistakes. */
  leftOut?: readonly LeftOut[]
  /** The folder of models could not be read: which there are is not known. */
  modelsUnread?: boolean
  /** Versions of a table that stay readable, besides the newest. Default: KEPT_VERSIONS. */
  keepVersions?: number
  /** Called for each run that this process wrote into the ledger, once. It must not throw. */
  onRun?: (run: Run) => void
}

export const KEPT_VERSIONS = 10

/** One table of the curated zone, as the contracts and models have it now. */
export type Curated =
  | { kind: 'entity'; name: string; table: TableDefinition; plan: Plan }
  | { kind: 'table' | 'incremental' | 'view'; name: string; table: TableDefinition; model: Model }

export class UnknownTable extends Error {
  override name = 'UnknownTable'
}

/** All of them in dependency order: entity tables first, then the models. */
export function curatedTables({ plans, models }: Pick<CurateContext, 'plans' | 'models'>): Curated[] {
  const found: Curated[] = []
  for (const plan of plans.values()) {
    const table = curatedTableOf(plan)
    if (table) found.push({ kind: 'entity', name: plan.dataset, table, plan })
  }
  for (const model of models) found.push({ kind: model.materialized, name: model.name, table: model.table, model })
  return found
}

/** `orders` or `curated.orders`. Throws UnknownTable. */
export function curatedNamed(context: CurateContext, name: string): Curated {
  const tables = curatedTables(context)
  const wanted = name.replace(/^curated\./, '')
  const found = tables.find((one) => one.name === wanted)
  if (found) return found
  const names = tables.map((one) => one.name)
  throw new UnknownTable(
    names.length === 0
      ? `There is no curated table ${wanted}: no contract has a mode in weir.curated, and there are no models.`
      : `There is no curated table ${wanted}. The tables are: ${names.join(', ')}.`,
  )
}

/** Tables of the lake that a table is made from: `clean.orders`, `curated.airports`. */
export const inputsOf = (curated: Curated): readonly string[] =>
  curated.kind === 'entity' ? [`clean.${curated.name}`] : curated.model.reads

/** Tables besides those that its tests look at. */
export const testedWith = (curated: Curated): readonly string[] =>
  curated.kind === 'entity' ? [] : curated.model.testReads

/**
 * Curated tables that these tables concern directly, in order: what is made from them, and what is tested with them and may be
 * waiting for that. Scheduled models wait for their time.
 */
export function dependentsOf(context: CurateContext, inputs: readonly string[]): string[] {
  return curatedTables(context)
    .filter((one) => one.kind === 'entity' || one.model.schedule === undefined)
    .filter((one) => [...inputsOf(one), ...testedWith(one)].some((input) => inputs.includes(input)))
    .map((one) => one.name)
}

/** Curated tables concerned when the clean rows of these datasets have changed. */
export const tablesAfter = (context: CurateContext, datasets: readonly string[]): string[] =>
  dependentsOf(
    context,
    datasets.map((dataset) => `clean.${dataset}`),
  )
