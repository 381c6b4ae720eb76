// Curated tables on the command line: what a run did, in a line and in a few, and bringing the tables up to date after a
// command that changed what they are made from.

import type { Receipt } from '../lake/receipt.ts'
import { formatBytes, formatCount, formatDuration, formatRows, visible } from '../lake/render/format.ts'
import { commandFor } from '../lake/render/words.ts'
import type { Run as RunRecord } from '../lake/runs.ts'
import { type CurateContext, curatedTables } from '../pipeline/curate/context.ts'
import type { CurateResult } from '../pipeline/curate/run.ts'
import { dollars } from './commands/query.ts'
import { describeError, type ErrorDocument, type ExitCode, Interrupted } from './errors.ts'
import { startWork } from './progress.ts'
import type { GlobalOptions, Run } from './run.ts'

/** Of several tests that failed, and of the rows that break one: the record in the ledger has more. */
const TESTS_SHOWN = 5
const SAMPLES_SHOWN = 3

/** "12 rows written, 3 removed, 3,020 in all"; undefined where nobody counted. */
export function rowsInWords({ written, removed, total }: RunRecord['rows']): string | undefined {
  const parts = [
    written === null ? undefined : `${formatRows(written)} written`,
    removed === null || removed === 0 ? undefined : `${formatCount(removed)} removed`,
    total === null ? undefined : `${formatCount(total)} in all`,
  ].filter((part) => part !== undefined)
  return parts.length === 0 ? undefined : parts.join(', ')
}

/** "2 uploads came, 1 left"; undefined for what follows no uploads. */
function uploadsInWords({ came, left }: RunRecord['uploads']): string | undefined {
  if (came + left === 0) return undefined
  if (left === 0) return `${formatRows(came, 'upload')} came`
  return came === 0
    ? `${formatRows(left, 'upload')} left`
    : `${formatRows(came, 'upload')} came, ${formatCount(left)} left`
}

/** "3 tests passed"; with failures, how many of how many. */
function testsInWords(tests: RunRecord['tests']): string | undefined {
  if (tests.length === 0) return undefined
  const failed = tests.filter(({ passed }) => !passed).length
  return failed === 0
    ? `${formatRows(tests.length, 'test')} passed`
    : `${failed} of ${formatRows(tests.length, 'test')} failed`
}

export const millisecondsOf = ({ startedAt, finishedAt }: Pick<RunRecord, 'startedAt' | 'finishedAt'>): number =>
  Math.max(0, Date.parse(finishedAt) - Date.parse(startedAt))

/** "1.2 MB scanned, about $0.00005"; undefined where nothing is scanned for money. */
export function costInWords({ bytesScanned, cost }: Pick<RunRecord, 'bytesScanned' | 'cost'>): string | undefined {
  if (bytesScanned === null) return undefined
  return `${formatBytes(bytesScanned)} scanned${cost === null ? '' : `, about $${dollars(cost)}`}`
}

/** What a run did, on one line after the table's name; `why` is told where it says more than the uploads do. */
export function runInWords(run: RunRecord, why = ''): string {
  const how = run.kind === 'view' ? 'the view as it is now' : run.scope === 'full' ? 'made anew' : 'only what changed'
  const parts = [
    run.scope === 'change' || why === '' ? how : `${how}: ${why}`,
    rowsInWords(run.rows),
    uploadsInWords(run.uploads),
    testsInWords(run.tests),
    formatDuration(millisecondsOf(run)),
    costInWords(run),
  ]
  return parts.filter((part) => part !== undefined).join(' · ')
}

/** The tests that failed, each with its column, how many rows break it, and a few of them. */
export function failedTests({ paint }: Pick<Run, 'paint'>, run: RunRecord): string[] {
  const failed = run.tests.filter(({ passed }) => !passed)
  const lines = failed
    .slice(0, TESTS_SHOWN)
    .flatMap(({ test, column, severity, failures, samples }) => [
      `    ${paint(severity === 'error' ? 'bad' : 'mixed', severity === 'error' ? 'failed' : 'warning')}  ${visible(test)}${column === undefined ? '' : ` of ${visible(column)}`}: ${formatRows(failures)}`,
      ...samples.slice(0, SAMPLES_SHOWN).map((sample) => `      ${visible(sample)}`),
      ...(samples.length > 0 && failures > Math.min(samples.length, SAMPLES_SHOWN)
        ? [`      and ${formatCount(failures - Math.min(samples.length, SAMPLES_SHOWN))} more`]
        : []),
    ])
  if (failed.length > TESTS_SHOWN)
    lines.push(`    and ${formatRows(failed.length - TESTS_SHOWN, 'test')} more: --json lists all`)
  return lines
}

/** What became of one table: a line, and below it what somebody has to look at. */
export function resultLines({ paint }: Pick<Run, 'paint'>, { table, outcome, why, run }: CurateResult): string[] {
  const name = `curated.${visible(table)}`
  if (!run || outcome === 'waiting') {
    const mark = outcome === 'waiting' ? paint('mixed', '!') : paint('dim', '=')
    return [`${mark} ${name}  ${visible(why)}`]
  }
  if (outcome === 'published')
    return [`${paint('good', '✓')} ${name}  ${visible(runInWords(run, why))}`, ...failedTests({ paint }, run)]
  const said = run.reason ? [visible(run.reason.message), `    ${visible(run.reason.advice)}`] : [visible(why)]
  const [first = '', ...rest] = said
  const [line = '', ...more] = first.split('\n')
  return [
    `${paint('bad', '✗')} ${name}  ${outcome === 'nothing' ? `${visible(why)}. ` : ''}${line}`,
    ...more.map((text) => `    ${text}`),
    ...failedTests({ paint }, run),
    ...rest,
  ]
}

/**
 * 2 for tests that failed: the new version was refused. 3 for a model or contract that cannot be run as it is. 4 where the lake itself
 * is not ready: nothing else is waited for.
 */
export function exitOfResult({ outcome, run, dependents }: CurateResult): ExitCode {
  if (outcome === 'waiting' && dependents.length === 0) return 4
  const known = outcome === 'nothing' ? (run?.outcome ?? 'nothing') : outcome
  return known === 'failed_tests' ? 2 : known === 'failed' ? 3 : 0
}

/** What JSON says of a table after another command; `weir runs --json` has the whole record. */
export interface CuratedSummary {
  table: string
  outcome: CurateResult['outcome']
  run: string | null
  scope: RunRecord['scope'] | null
  rows: RunRecord['rows'] | null
  reason: RunRecord['reason']
}

export interface Curated {
  curated: CuratedSummary[]
  /** 4 for a fault of ours; what is wrong with a model or its rows does not change what the command itself did. */
  exit: ExitCode
  /** What kept the tables from being brought up to date at all. */
  curateError?: ErrorDocument['error']
}

const summaryOf = ({ table, outcome, run }: CurateResult): CuratedSummary => ({
  table,
  outcome,
  run: run?.run ?? null,
  scope: run?.scope ?? null,
  rows: run?.rows ?? null,
  reason: run?.reason ?? null,
})

/** Which tables a command has to do with: those that follow these datasets, or all that follow anything. */
export type Concerned = { datasets: readonly string[] } | 'all'

/**
 * Brings the curated tables up to date after a command that changed clean, unless `curate: manual` says not to. What the command
 * did is done and told already: nothing here takes that back, and nothing is thrown but Interrupted. A deployed lake does it by itself.
 */
export async function curateAfter(run: Run, concerned: Concerned, options: GlobalOptions): Promise<Curated> {
  const results: CurateResult[] = []
  try {
    if (concerned !== 'all' && concerned.datasets.length === 0) return { curated: [], exit: 0 }
    if (await run.session.deployed()) return await askAfter(run, concerned, options)
    if ((await run.session.config()).curate === 'manual') return { curated: [], exit: 0 }
    const { context, problem } = await run.session.curating()
    if (problem) {
      const files = [...new Set(problem.issues.map(({ file }) => file))].join(', ')
      run.note(
        `Not made, for there are mistakes in the models (${visible(files)}): ${commandFor('weir lint', options)}`,
      )
      run.session.log({ event: 'models_not_used', error: problem.message })
    }
    // Loaded with the first table: commands that make none start without it.
    const { curate } = await import('../pipeline/curate/curate.ts')
    const work = startWork(run)
    try {
      await curate(context, {
        ...(concerned === 'all' ? { tables: followers(context) } : { datasets: concerned.datasets }),
        signal: run.signal,
        onBegin: (table) => work.at(`curated.${table}`),
        onResult: (result) => {
          work.clear()
          results.push(result)
          for (const line of linesAfter(run, result, options)) run.say(line)
        },
      })
    } finally {
      work.stop()
    }
    return { curated: results.filter(isTold).map(summaryOf), exit: 0 }
  } catch (error) {
    if (run.signal.aborted)
      throw new Interrupted(
        'Stopped while curated tables were brought up to date. What was taken in is in the lake, and readers see whole versions only; "weir curate" goes on.',
      )
    const { error: document } = describeError(error, run.io.env)
    run.note(`weir: The curated tables could not be brought up to date: ${document.message}`)
    run.note(
      `What was said above of the files holds. ${document.advice ?? ''} Then: ${commandFor('weir curate', options)}`,
    )
    return {
      curated: results.filter(isTold).map(summaryOf),
      exit: document.exitCode === 4 ? 4 : 0,
      curateError: document,
    }
  }
}

/** Datasets whose rows may be others than before these receipts. */
export const datasetsOf = (receipts: readonly Pick<Receipt, 'dataset' | 'outcome'>[]): string[] => [
  ...new Set(
    receipts.filter(({ outcome }) => outcome !== 'refused' && outcome !== 'superseded').map(({ dataset }) => dataset),
  ),
]

/** All tables but those that wait for their time. */
const followers = (context: CurateContext): string[] =>
  curatedTables(context)
    .filter((one) => one.kind === 'entity' || one.model.schedule === undefined)
    .map(({ name }) => name)

/** A deployed lake has a function that does it; it need only be told. Its schedule tells it too, later. */
async function askAfter(run: Run, concerned: Concerned, options: GlobalOptions): Promise<Curated> {
  const deployed = await run.session.deployed()
  if (!deployed) return { curated: [], exit: 0 }
  const datasets = concerned === 'all' ? [...(await run.session.contracts()).plans.keys()] : concerned.datasets
  const { openCurateQueue } = await import('../lake/aws/curate-queue.ts')
  const queue = openCurateQueue(deployed)
  try {
    await queue.send(datasets.map((dataset) => ({ weir: 'curate', dataset, trigger: 'the command line' })))
    run.note(`Curated tables follow. What came of it: ${commandFor('weir runs', options)}`)
  } finally {
    queue.close()
  }
  return { curated: [], exit: 0 }
}

const isTold = ({ outcome }: CurateResult): boolean => outcome !== 'nothing'

/** One short line for each table that has a new version, or that should have one. */
function linesAfter(run: Run, result: CurateResult, options: GlobalOptions): string[] {
  const name = `curated.${visible(result.table)}`
  const { outcome, run: record } = result
  if (outcome === 'nothing' || outcome === 'waiting' || !record) return []
  // Warnings too: the run after this one may have none.
  if (outcome === 'published')
    return [`${run.paint('dim', '→')} ${name}: ${changedInWords(record, result.why)}`, ...failedTests(run, record)]
  const how = commandFor(`weir runs --table ${result.table} --failed`, options)
  return [`${run.paint('bad', '✗')} ${visible(record.reason?.message ?? `${name} failed.`)} More: ${how}`]
}

/** "12 rows changed (3,020 in all)"; of a view, which has no rows of its own, why it was made again. */
export function changedInWords({ kind, scope, rows }: RunRecord, why = ''): string {
  if (kind === 'view') return visible(why === '' ? 'the view as it is now' : `the view as it is now: ${why}`)
  const { written, removed, total } = rows
  if (written === null) return 'a new version'
  const changed = scope === 'full' ? written : written + (removed ?? 0)
  const all = total === null || (scope === 'full' && total === written) ? '' : ` (${formatCount(total)} in all)`
  return scope === 'full' ? `made anew, ${formatRows(changed)}${all}` : `${formatRows(changed)} changed${all}`
}
