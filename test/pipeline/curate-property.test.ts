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

const withJobs = (lake: Lake, change: (job: TableJob) => TableJob): Lake => ({
  ...lake,
  tables: { ...lake.tables, stage: (job, options) => lake.tables.stage(change(job), options) },
})

const SABOTAGES: Record<string, CurateSabotage> = {
  'rows of uploads that left stay where they add up': (lake) =>
    withJobs(lake, (job) => (job.change.kind === 'append' ? { ...job, change: { ...job.change, left: [] } } : job)),
  'rows of uploads that left stay where newer ones count': (lake) =>
    withJobs(lake, (job) => {
      const { change } = job
      return change.kind === 'merge' && change.newest ? { ...job, change: { ...change, newest: { left: [] } } } : job
    }),
  'a version does not say what came and left with it': (lake) => ({
    ...lake,
    zones: { ...lake.zones, ops: { ...lake.zones.ops, get: (key) => withoutChange(lake.zones.ops, key) } },
  }),
}

/** A table's state, whose version says that it came from the one before by nothing. */
async function withoutChange(ops: ObjectStore, key: string): ReturnType<ObjectStore['get']> {
  const object = await ops.get(key)
  if (!object || !key.startsWith('tables/')) return object
  const state = JSON.parse(object.body.toString())
  if (state.version?.change) state.version.change = { came: [], left: [] }
  return { ...object, body: Buffer.from(JSON.stringify(state)) }
}

describe('a broken curated zone is found when', () => {
  it.each(Object.keys(SABOTAGES))(
    '%s',
    async (name) => {
      const problems: string[] = []
      for (let seed = 1; seed <= 200 && problems.length === 0; seed++)
        problems.push(...(await runCurateSchedule(seed, SABOTAGES[name])).problems)
      expect(problems.join('\n')).toMatch(/^I\d: /m)
    },
    TIMEOUT,
  )
})
