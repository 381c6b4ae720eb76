// The models of a lake, ready to be made: read and checked together, or refused with everything that is wrong.

import type { Plan } from '../../contract/plan.ts'
import { checkModels } from './check.ts'
import { ModelError } from './issues.ts'
import { tablesOfLake } from './known.ts'
import type { Model } from './model.ts'
import { parseModels, readModels } from './read.ts'

type Plans = Iterable<Plan>

/** Reads the models of a folder, in the order in which they are made. Throws one ModelError with all problems of all files. */
export const loadModels = async (folder: string, plans: Plans): Promise<Model[]> =>
  usable(await readModels(folder), plans)

/** Reads models from their texts, as a deployed lake hands them out. Throws as loadModels does. */
export const modelsOf = (files: readonly { name: string; text: string }[], plans: Plans): Model[] =>
  usable(parseModels(files), plans)

function usable(read: ReturnType<typeof parseModels>, plans: Plans): Model[] {
  const { models, errors } = checkModels(read.models, tablesOfLake(plans))
  const all = [...read.errors, ...errors]
  if (all.length > 0) throw new ModelError(all)
  return models
}
