// npm run test:faults [-- --schedules n --seed s --processes p]: many random schedules of the publishing protocol, with
// crashes at any port call. Prints what it ran, and the seed of each schedule that broke an invariant; then exits with 1.

import { fork } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { tempFolder } from './pipeline/helpers.ts'
import { runSchedule, type ScheduleResult } from './pipeline/schedule.ts'

const { values } = parseArgs({
  options: {
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

interface Tally {
  schedules: number
  calls: number
  crashes: number
  uploads: number
  replays: number
  failed: ScheduleResult[]
}

if (values.help) {
  console.log('node test/faults.ts [--schedules 20000] [--seed n] [--processes 2]')
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

/** One process's share: every step-th schedule, each reported as it ends. */
async function runSome(first: number, end: number, step: number): Promise<void> {
  for (let seed = first; seed < end; seed += step) {
    const folder = await tempFolder()
    const result = await runSchedule(seed, folder)
    await rm(folder, { recursive: true, force: true })
    process.send?.({ ...result, story: result.problems.length > 0 ? result.story : [] })
  }
}

async function runAll(seed: number, schedules: number, processes: number): Promise<number> {
  const start = performance.now()
  const tally: Tally = { schedules: 0, calls: 0, crashes: 0, uploads: 0, replays: 0, failed: [] }
  console.log(`${schedules} schedules from seed ${seed}, in ${processes} process(es)`)
  const children = Array.from({ length: processes }, (_, index) => {
    const share = ['--seed', `${seed + index}`, '--schedules', `${seed + schedules}`, '--step', `${processes}`]
    return fork(fileURLToPath(import.meta.url), share)
  })
  const ends = children.map(
    (child) =>
      new Promise<number | null>((resolve) => {
        child.on('message', (result: ScheduleResult) => {
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
  console.log(
    `${tally.schedules} schedules, ${tally.uploads} uploads, ${tally.replays} replays, ${tally.calls} port calls, ${tally.crashes} crashes in ${seconds.toFixed(0)} s: ${
      tally.failed.length === 0 ? 'I1 to I4 hold in all of them' : `${tally.failed.length} broke an invariant`
    }.`,
  )
  const complete = tally.schedules === schedules && codes.every((code) => code === 0)
  if (!complete && tally.failed.length === 0) console.log('A process ended before its share was done.')
  return complete && tally.failed.length === 0 ? 0 : 1
}

function add(tally: Tally, result: ScheduleResult): void {
  tally.schedules++
  tally.calls += result.calls
  tally.crashes += result.crashes
  tally.uploads += result.uploads
  tally.replays += result.replays
  if (result.problems.length === 0) return
  tally.failed.push(result)
}

function showProgress({ schedules }: Tally, all: number, start: number): void {
  const rate = schedules / ((performance.now() - start) / 1000)
  const line = `${schedules} of ${all} (${rate.toFixed(1)} a second)`
  if (process.stdout.isTTY) process.stdout.write(`\r${line} `)
  else if (schedules % 500 === 0) console.log(line)
}
