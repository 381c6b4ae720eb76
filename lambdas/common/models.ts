// The models of a deployment, held against its contracts again: whoever deployed them has done so, with the same answer.

import type { Plan } from '../../lib/contract/plan.ts'
import { checkModels } from '../../lib/lake/models/check.ts'
import { ModelError } from '../../lib/lake/models/issues.ts'
import { tablesOfLake } from '../../lib/lake/models/known.ts'
import type { Model } from '../../lib/lake/models/model.ts'
import { readModels } from '../../lib/lake/models/read.ts'

/** The models of a folder, in dependency order. Throws ModelError. */
export async function openModels(folder: string, plans: ReadonlyMap<string, Plan>): Promise<readonly Model[]> {
  const read = await readModels(folder)
  const { models, errors } = checkModels(read.models, tablesOfLake(plans.values()))
  const all = [...read.errors, ...errors]
  if (all.length > 0) throw new ModelError(all)
  return models
}
