// The curated zone under random schedules, and the same schedules on protocols broken on purpose: the checks must find each of
// those. `npm run test:faults -- --what curate` runs many more.

import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Lake, ObjectStore, TableJob } from '../../lib/lake/ports.ts'
import { type CurateSabotage, runCurateSchedule } from './curate-schedule.ts'

const SCHEDULES = 12
const TIMEOUT = 10 * 60_000

describe('the curated zone', () => {
  it(
    `holds I1 and I2 in ${SCHEDULES} random schedules`,
    async () => {
      let crashes = 0
      let runs = 0
      let changes = 0
      const property = fc.asyncProperty(fc.nat(), async (seed) => {
        const result = await runCurateSchedule(seed)
        crashes += result.crashes
        runs += result.runs
        changes += result.changes
        if (result.problems.length > 0)
          throw new Error(
            `Schedule ${seed} (again: node test/faults.ts --what curate --schedules 1 --seed ${seed})\n${result.problems.join('\n')}\n\n${result.story.join('\n')}`,
          )
      })
      await fc.assert(property, { numRuns: SCHEDULES, endOnFailure: true })
      expect(crashes).toBeGreaterThan(SCHEDULES / 4)
      expect(runs).toBeGreaterThan(SCHEDULES * 3)
      expect(changes).toBeGreaterThan(SCHEDULES / 2)
    },
    TIMEOUT,
  )
})

const withOps = (lake: Lake, ops: Partial<ObjectStore>): Lake => ({
  ...lake,
  zones: { ...lake.zones, ops: { ...lake.zones.ops, ...ops } },
})

const withJobs = (lake: Lake, change: (job: TableJob) => TableJob): Lake => ({
  ...lake,
  tables: { ...lake.tables, stage: (job, options) => lake.tables.stage(change(job), options) },
})

const SABOTAGES: Record<string, CurateSabotage> = {
  'rows of uploads that left stay': (lake) =>
    withJobs(lake, (job) => (job.change.kind === 'append' ? { ...job, change: { ...job.change, left: [] } } : job)),
  'nobody remembers what was begun': (lake) =>
    withOps(lake, {
      async get(key) {
        const object = await lake.zones.ops.get(key)
        if (!object || !key.startsWith('tables/')) return object
        const state = { ...JSON.parse(object.body.toString()), pending: null }
        return { ...object, body: Buffer.from(JSON.stringify(state)) }
      },
    }),
}

/** Seeds from which they are soon found. */
const FIRST_SEEDS: Record<string, number> = {
  'rows of uploads that left stay': 8,
  'nobody remembers what was begun': 23,
}

describe('a broken curated zone is found when', () => {
  it.each(Object.keys(SABOTAGES))(
    '%s',
    async (name) => {
      const problems: string[] = []
      const first = FIRST_SEEDS[name] ?? 1
      for (let seed = first; seed < first + 200 && problems.length === 0; seed++)
        problems.push(...(await runCurateSchedule(seed, SABOTAGES[name])).problems)
      expect(problems.join('\n')).toMatch(/^I\d: /m)
    },
    TIMEOUT,
  )
})
