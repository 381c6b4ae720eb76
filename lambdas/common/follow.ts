// Tells curated tables that what they are made from may have changed. A hint says which table, not what: so it may come twice,
// and a run that finds nothing new costs next to nothing. But it must not be lost: whoever could not send it fails.

import type { CurateQueue } from '../../lib/lake/aws/curate-queue.ts'
import { type CuratedIndex, followingTables, readCuratedIndex, tablesOf } from '../../lib/lake/aws/curated-index.ts'
import { deployedFromEnvironment, once, readConfig } from './deployed.ts'

export interface Follow {
  /** After uploads of these datasets were brought to their decisions. */
  datasets(names: Iterable<string>): Promise<void>
  /** Every table that follows others: for hints that were lost. Gives how many. */
  all(): Promise<number>
}

/** Hints by a queue, for the tables of an index. */
export function follower(index: CuratedIndex, queue: Pick<CurateQueue, 'send'>): Follow {
  const send = async (tables: string[], trigger: string): Promise<void> => {
    if (tables.length > 0) await queue.send(tables.map((table) => ({ weir: 'curate', table, trigger })))
  }
  return {
    async datasets(names) {
      for (const dataset of new Set(names)) await send(tablesOf(index, dataset), `clean.${dataset}`)
    },
    async all() {
      const tables = followingTables(index)
      await send(tables, 'reconcile')
      return tables.length
    },
  }
}

/** Of the lake that this function was deployed with; the queue's client is made with the first hint. */
export function openFollow(folder: string = import.meta.dirname): Follow {
  const open = once(async () => {
    const [index, config] = await Promise.all([readCuratedIndex(folder), readConfig(folder)])
    const { openCurateQueue } = await import('../../lib/lake/aws/curate-queue.ts')
    const { delaySeconds } = config.aws.curate
    return follower(index, openCurateQueue(deployedFromEnvironment(), { delaySeconds }))
  })
  return {
    datasets: async (names) => (await open()).datasets(names),
    all: async () => (await open()).all(),
  }
}
