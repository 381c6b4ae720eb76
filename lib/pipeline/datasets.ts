// Which dataset a file belongs to: by its landing key, by the caller's word, or by the one contract whose `match` fits.

import { posix } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import { datasetOfKey, pathInDataset } from '../lake/keys.ts'
import { UnknownDataset } from './errors.ts'

/** The plan for a landing key, which always names its dataset as its first folder. Throws UnknownDataset. */
export function planFor(plans: ReadonlyMap<string, Plan>, landingKey: string): Plan {
  const dataset = datasetOfKey(landingKey)
  const known = [...plans.keys()].sort()
  if (dataset === undefined)
    throw new UnknownDataset(
      `landing/${landingKey} lies in no dataset's folder. Move it to landing/<dataset>/. ${listOf(known)}`,
      known,
    )
  const plan = plans.get(dataset)
  if (plan) return plan
  throw new UnknownDataset(
    `There is no contract for the dataset ${JSON.stringify(dataset)} (of landing/${landingKey}). ${listOf(known)} Move the file, or add a contract; the file stays where it is.`,
    known,
  )
}

/** Whether a landing key fits the plan's `match`. A pattern without "/" is held against the file's name in any folder. */
export function fitsMatch(plan: Plan, landingKey: string): boolean {
  return fits(plan, pathInDataset(landingKey))
}

/**
 * The plan for a file that is to be dropped. With `dataset`: that one. For a landing key: its first folder's. Otherwise
 * the one plan whose `match` fits the name; a plan without `match` takes only what it is given by name, unless it is the
 * only one. Throws UnknownDataset.
 */
export function datasetFor(plans: ReadonlyMap<string, Plan>, file: string, dataset?: string): Plan {
  const known = [...plans.keys()].sort()
  if (dataset !== undefined) {
    const plan = plans.get(dataset)
    if (plan) return plan
    throw new UnknownDataset(`There is no contract for the dataset ${JSON.stringify(dataset)}. ${listOf(known)}`, known)
  }
  const first = datasetOfKey(file)
  const named = first === undefined ? undefined : plans.get(first)
  if (named) return named

  const name = posix.basename(file)
  const all = [...plans.values()]
  const fitting = all.filter((plan) => plan.settings.match !== undefined && fits(plan, name))
  const [only, second] = fitting
  if (only && !second) return only
  if (only && second)
    throw new UnknownDataset(
      `The name ${JSON.stringify(name)} fits the contracts of ${fitting.map((plan) => plan.dataset).join(' and ')}. Say which: --dataset <name>.`,
      known,
    )
  const [single] = all
  if (single && all.length === 1 && single.settings.match === undefined) return single
  throw new UnknownDataset(
    `No contract's match fits the name ${JSON.stringify(name)}. ${listOf(known)} Say which: --dataset <name>.`,
    known,
  )
}

function fits(plan: Plan, path: string): boolean {
  const { match } = plan.settings
  if (match === undefined) return true
  return posix.matchesGlob(match.includes('/') ? path : posix.basename(path), match)
}

function listOf(known: string[]): string {
  return known.length === 0
    ? 'There are no contracts yet: add one to contracts/.'
    : `Known datasets: ${known.join(', ')}.`
}
