// The publishing protocol under 200 random schedules, and the same schedules on protocols broken on purpose: the checks
// must find each of those, or they would not be worth much. `npm run test:faults` runs many more.

import { rm } from 'node:fs/promises'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { tempFolder } from './helpers.ts'
import { SABOTAGES } from './sabotage.ts'
import { runSchedule, type Sabotage, type ScheduleResult } from './schedule.ts'
import { interleave, randomFrom, type Turn } from './turns.ts'

const SCHEDULES = 200
const TIMEOUT = 10 * 60_000

async function runIn(seed: number, sabotage?: Sabotage): Promise<ScheduleResult> {
  const folder = await tempFolder()
  try {
    return await runSchedule(seed, folder, sabotage)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

describe('the publishing protocol', () => {
  it(
    `holds I1 to I4 in ${SCHEDULES} random schedules`,
    async () => {
      let calls = 0
      let crashes = 0
      let replays = 0
      const property = fc.asyncProperty(fc.nat(), async (seed) => {
        const result = await runIn(seed)
        calls += result.calls
        crashes += result.crashes
        replays += result.replays
        if (result.problems.length > 0)
          throw new Error(
            `Schedule ${seed} (again: node test/faults.ts --schedules 1 --seed ${seed})\n${result.problems.join('\n')}\n\n${result.story.join('\n')}`,
          )
      })
      // A seed has no smaller seed that fails for the same reason: report the first one.
      await fc.assert(property, { numRuns: SCHEDULES, endOnFailure: true })
      expect(calls).toBeGreaterThan(SCHEDULES * 50)
      expect(crashes).toBeGreaterThan(SCHEDULES)
      expect(replays).toBeGreaterThan(SCHEDULES / 10)
    },
    TIMEOUT,
  )

  it('runs the same schedule again from the same number', async () => {
    const [one, other] = [await runIn(57), await runIn(57)]
    // Upload ids hold the file system's numbers; everything else is the same.
    const plain = ({ story }: ScheduleResult) =>
      story.map((line) => line.replaceAll(/\d{8}T\d{9}Z-[0-9a-f]{12}/g, 'id'))
    expect(plain(one)).toEqual(plain(other))
    expect(one.calls).toBe(other.calls)
  })

  it('says so when a schedule does not end', async () => {
    const forEver = async (turn: Turn) => {
      for (;;) await turn()
    }
    const ended = interleave(randomFrom(1), [forEver, forEver, async (turn) => turn()], 1000)
    await expect(ended).rejects.toThrow('did not end within 1000 turns')
  })
})

/** Seeds from which the rare ones are soon found. */
const FIRST_SEEDS: Record<string, number> = { 'the catalog does not look whether the head has moved on': 905 }

describe('a broken protocol is found when', () => {
  it.each(Object.keys(SABOTAGES))(
    '%s',
    async (name) => {
      const problems: string[] = []
      const first = FIRST_SEEDS[name] ?? 40
      for (let seed = first; seed < first + 400 && problems.length === 0; seed++)
        problems.push(...(await runIn(seed, SABOTAGES[name])).problems)
      expect(problems).not.toEqual([])
      expect(problems.join('\n')).toMatch(/^I\d: /m)
    },
    TIMEOUT,
  )
})
