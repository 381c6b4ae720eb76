// npm run test:faults [-- --what publish|curate --schedules n --seed s --processes p]: many random schedules of the publishing
// protocol, or of the curated zone, with crashes at any port call. Prints what it ran, and the seed of each schedule that broke an
// invariant; then exits with 1.

import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runCurateSchedule } from './pipeline/curate-schedule.ts'
import { tempFolder } from './pipeline/helpers.ts'
import { runSchedule } from './pipeline/schedule.ts'

const { values } = parseArgs({
  options: {
    what: { type: 'string', default: 'publish' },
    schedules: { type: 'string', default: '20000' },
    seed: { type: 'string' },
    processes: { type: 'string', default: '2' },
    /** For the processes that this one starts. */
    step: { type: 'string' },
    help: { type: 'boolean', short: 'h' },
  },
})

/** Failing schedules after which there is nothing more to learn. */
const MOST_FAILURES = 5

/** What one schedule gives: figures to add up, what is wrong, and its story. */
interface Result {
  seed: number
  problems: string[]
  story: string[]
  counts: Record<string, number>
}

interface Tally {
  schedules: number
  counts: Record<string, number>
  failed: Result[]
}

const SCHEDULES: Record<string, { holds: string; run: (seed: number) => Promise<Result> }> = {
  publish: {
    holds: 'I1 to I4 hold',
    async run(seed) {
      const folder = await tempFolder()
      const { problems, story, uploads, replays, calls, crashes } = await runSchedule(seed, folder)
      await rm(folder, { recursive: true, force: true })
      return { seed, problems, story, counts: { uploads, replays, 'port calls': calls, crashes } }
    },
  },
  curate: {
    holds: 'I1 and I2 hold',
    async run(seed) {
      const { problems, story, runs, changes, calls, crashes } = await runCurateSchedule(seed)
      return { seed, problems, story, counts: { runs, 'runs of what changed': changes, 'port calls': calls, crashes } }
    },
  },
}

if (values.help) {
  console.log('node test/faults.ts [--what publish|curate] [--schedules 20000] [--seed n] [--processes 2]')
} else {
  const schedules = wholeNumber('schedules', values.schedules)
  const seed = values.seed === undefined ? Date.now() % 1_000_000_000 : wholeNumber('seed', values.seed)
  if (values.step) await runSome(seed, schedules, wholeNumber('step', values.step))
  else process.exitCode = await runAll(seed, schedules, Math.min(wholeNumber('processes', values.processes), schedules))
}

function wholeNumber(name: string, text: string): number {
  const number = Number(text)
  if (Number.isSafeInteger(number) && number >= 0) return number
  throw new RangeError(`--${name} must be a whole number from 0, not ${text}.`)
}

function chosen(): (typeof SCHEDULES)[string] {
  const found = SCHEDULES[values.what]
  if (found) return found
  throw new RangeError(`--what must be one of ${Object.keys(SCHEDULES).join(', ')}, not ${values.what}.`)
}

/** One process's share: every step-th schedule, each reported as it ends. */
async function runSome(first: number, end: number, step: number): Promise<void> {
  for (let seed = first; seed < end; seed += step) {
    const result = await chosen().run(seed)
    process.send?.({ ...result, story: result.problems.length > 0 ? result.story : [] })
  }
}

async function runAll(seed: number, schedules: number, processes: number): Promise<number> {
  const start = performance.now()
  const { holds } = chosen()
  const tally: Tally = { schedules: 0, counts: {}, failed: [] }
  console.log(`${schedules} schedules from seed ${seed}, in ${processes} process(es)`)
  const children = Array.from({ length: processes }, (_, index) => {
    const share = [
      '--what',
      values.what,
      '--seed',
      `${seed + index}`,
      '--schedules',
      `${seed + schedules}`,
      '--step',
      `${processes}`,
    ]
    return fork(fileURLToPath(import.meta.url), share)
  })
  const ends = children.map(
    (child) =>
      new Promise<number | null>((resolve) => {
        child.on('message', (result: Result) => {
          add(tally, result)
          if (tally.failed.length >= MOST_FAILURES) for (const one of children) one.kill()
          else showProgress(tally, schedules, start)
        })
        child.on('exit', resolve)
      }),
  )
  const codes = await Promise.all(ends)
  const seconds = (performance.now() - start) / 1000
  if (process.stdout.isTTY) console.log()
  for (const { seed: failing, problems, story } of tally.failed)
    console.log(`\nSEED ${failing}\n  ${problems.join('\n  ')}\n${story.map((line) => `    ${line}`).join('\n')}`)
  const counts = Object.entries(tally.counts).map(([what, n]) => `${n} ${what}`)
  console.log(
    `${tally.schedules} schedules, ${counts.join(', ')} in ${seconds.toFixed(0)} s: ${
      tally.failed.length === 0 ? `${holds} in all of them` : `${tally.failed.length} broke an invariant`
    }.`,
  )
  const complete = tally.schedules === schedules && codes.every((code) => code === 0)
  if (!complete && tally.failed.length === 0) console.log('A process ended before its share was done.')
  return complete && tally.failed.length === 0 ? 0 : 1
}

function add(tally: Tally, result: Result): void {
  tally.schedules++
  for (const [what, n] of Object.entries(result.counts)) tally.counts[what] = (tally.counts[what] ?? 0) + n
  if (result.problems.length === 0) return
  tally.failed.push(result)
}

function showProgress({ schedules }: Tally, all: number, start: number): void {
  const rate = schedules / ((performance.now() - start) / 1000)
  const line = `${schedules} of ${all} (${rate.toFixed(1)} a second)`
  if (process.stdout.isTTY) process.stdout.write(`\r${line} `)
  else if (schedules % 500 === 0) console.log(line)
}
