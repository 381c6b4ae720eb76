// Which curated tables follow which datasets, worked out when a lake is deployed: a function that takes a file in must know
// whom to tell, and need not read all contracts and models for it.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'

const indexSchema = z.array(
  z.object({
    /** Below curated. */
    table: z.string(),
    kind: z.enum(['entity', 'table', 'incremental', 'view']),
    /** Datasets that it reads in clean. */
    datasets: z.array(z.string()),
    /** It waits for its time, whatever changes. */
    scheduled: z.boolean(),
  }),
)

/** One entry for each curated table of a deployment. */
export type CuratedIndex = z.infer<typeof indexSchema>

/** The file that holds it, beside the code. */
export const curatedIndex = (folder: string): string => join(folder, 'curated.json')

export const readCuratedIndex = async (folder: string): Promise<CuratedIndex> =>
  indexSchema.parse(JSON.parse(await readFile(curatedIndex(folder), 'utf8')))

/** Tables to be looked at when clean rows of a dataset may have changed. */
export const tablesOf = (index: CuratedIndex, dataset: string): string[] =>
  index.filter(({ datasets, scheduled }) => !scheduled && datasets.includes(dataset)).map(({ table }) => table)

/** Tables that follow whatever they are made from. */
export const followingTables = (index: CuratedIndex): string[] =>
  index.filter(({ scheduled }) => !scheduled).map(({ table }) => table)
