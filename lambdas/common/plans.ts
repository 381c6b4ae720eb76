// The contracts of a deployment, each compiled when somebody first asks for it: a function that starts for one file need not
// wait for the contracts of all datasets. Which file holds which dataset was found out when the bundle was made.

import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { Plan } from '../../lib/contract/plan.ts'
import { contractsIndex, parseContract, readContracts } from '../../lib/contract/read.ts'

/** The file of each dataset, below the folder of contracts. */
const indexSchema = z.record(z.string(), z.string())

/** The plans by dataset; all at once where the folder has no index. */
export async function openPlans(folder: string): Promise<ReadonlyMap<string, Plan>> {
  const text = await readFile(contractsIndex(folder), 'utf8').catch(() => undefined)
  if (text === undefined) return (await readContracts(folder)).plans
  return lazyPlans(folder, new Map(Object.entries(indexSchema.parse(JSON.parse(text)))))
}

function lazyPlans(folder: string, files: ReadonlyMap<string, string>): ReadonlyMap<string, Plan> {
  const compiled = new Map<string, Plan>()
  const get = (dataset: string): Plan | undefined => {
    const file = files.get(dataset)
    if (file === undefined || compiled.has(dataset)) return compiled.get(dataset)
    // At once, as a map answers: it is one small file beside the code.
    const { plans } = parseContract(readFileSync(join(folder, file), 'utf8'), file)
    for (const [name, plan] of plans) compiled.set(name, plan)
    return compiled.get(dataset)
  }
  const all = (): ReadonlyMap<string, Plan> => {
    for (const dataset of files.keys()) get(dataset)
    return compiled
  }
  return {
    get,
    has: (dataset) => files.has(dataset),
    get size() {
      return files.size
    },
    keys: () => files.keys() as MapIterator<string>,
    values: () => all().values() as MapIterator<Plan>,
    entries: () => all().entries() as MapIterator<[string, Plan]>,
    forEach: (callback, self) => all().forEach(callback, self),
    [Symbol.iterator]: () => all().entries() as MapIterator<[string, Plan]>,
  }
}
