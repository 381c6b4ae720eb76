// `weir status`: how the lake is doing: what waits, what failed and why, the newest receipts, how fresh each dataset is, and
// whether the curated tables are up to date.

import type { Command } from 'commander'
import type { Deployed } from '../../lake/aws/deployed.ts'
import { modelIssueText } from '../../lake/models/issues.ts'
import type { Lake } from '../../lake/ports.ts'
import { formatCount, formatMoment, formatRows, visible } from '../../lake/render/format.ts'
import { commandFor, OUTCOME_WORDS, verdict } from '../../lake/render/words.ts'
import type { LeftOver } from '../../pipeline/curate/left-over.ts'
import type { CuratedStatus } from '../../pipeline/curate/status.ts'
import { type LakeStatus, statusOf } from '../../pipeline/status.ts'
import { WEIR_VERSION } from '../../version.ts'
import { type ExitCode, isDenied } from '../errors.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'
import { formatTable } from '../table.ts'

const FAULTS_SHOWN = 10
const RECEIPTS_SHOWN = 10

/** What waits in the queues of a deployed lake. */
interface QueueStatus {
  ingest: Depth
  deadLetters: Depth
  /** Of the queue of curated tables; null where there is none, and for who may not look at it. */
  curate: { messages: Depth; deadLetters: Depth } | null
  /** The dead letters themselves, as far as they can be looked at: why they are there. */
  letters: { id: string; source: string | null; reason: string; sentAt: string | null; poison: boolean }[]
}

interface Depth {
  waiting: number
  inFlight: number
  delayed: number
}

interface Status extends LakeStatus {
  lake: string
  /** Of the program, and of what is deployed (null for a lake in a folder). */
  version: { weir: string; deployed: string | null }
  /** Null for a lake in a folder, and for who may not look at the queues. */
  queues: QueueStatus | null
  curated: CuratedStatus[]
  /** Tables that nothing makes any more, and that are as they were. */
  leftOver: LeftOver[]
  /** What is wrong with the models, a line for each; `curated` lacks those. */
  models: { problems: string[] }
}

export function statusCommand(cli: Cli): Command {
  return defineCommand('status', 'show how the lake is doing: what waits, what failed, what is fresh', [
    'weir status',
    'weir status --lake aws:weir --json',
  ]).action(
    act<[], GlobalOptions>(cli, async (run, options) => {
      const deployed = await run.session.deployed()
      const lake = await run.session.lake()
      const { plans, version } = await run.session.contracts()
      const found = await statusOf(
        { lake, plans, now: () => new Date() },
        { signal: run.signal, receipts: RECEIPTS_SHOWN, landing: !deployed },
      )
      const { context, problem } = await run.session.curating()
      const { curatedStatus } = await import('../../pipeline/curate/status.ts')
      const { leftOver } = await import('../../pipeline/curate/left-over.ts')
      const status: Status = {
        lake: deployed ? `aws:${deployed.environment}` : await run.session.root(),
        version: { weir: WEIR_VERSION, deployed: version ?? null },
        queues: deployed ? await queuesOf(run, deployed, lake) : null,
        ...found,
        curated: found.catalog.complete ? await curatedStatus(context, run.signal) : [],
        leftOver: await leftOver(context, run.signal),
        models: { problems: problem ? problem.issues.map(modelIssueText) : [] },
      }
      run.say(textOf(run, status, options))
      return { exit: exitOf(status), json: status }
    }),
  )
}

/** 0 where nothing waits for a person: for faults 4, for models that cannot be read 3, for tests that failed 2. */
function exitOf({ queues, faults, catalog, curated, models }: Status): ExitCode {
  const given = (queues?.deadLetters.waiting ?? 0) + (queues?.curate?.deadLetters.waiting ?? 0)
  const damaged = curated.some((one) => one.damaged)
  if (!catalog.complete || faults.length > 0 || given > 0 || damaged) return 4
  if (models.problems.length > 0 || curated.some(({ failed }) => failed?.outcome === 'failed')) return 3
  return curated.some(({ failed }) => failed) ? 2 : 0
}

async function queuesOf(run: Run, deployed: Deployed, lake: Lake): Promise<QueueStatus | null> {
  const { openQueues } = await import('../../lake/aws/queues.ts')
  const queues = openQueues(deployed, lake.zones.ops)
  try {
    const { ingest, deadLetters } = await queues.depths()
    const letters = deadLetters.waiting === 0 ? [] : await queues.listDeadLetters({ signal: run.signal })
    const curate = await queues.curateDepths().catch((error: unknown) => {
      if (!isDenied(error)) throw error
      return undefined
    })
    return {
      ingest,
      deadLetters,
      curate: curate ?? null,
      letters: letters.map(({ id, source, reason, sentAt, poison }) => ({
        id,
        source: source ?? null,
        reason,
        sentAt: sentAt?.toISOString() ?? null,
        poison,
      })),
    }
  } catch (error) {
    if (!isDenied(error)) throw error
    run.note('You may not look at the queues of this lake, so what waits in them is left out.')
    return null
  } finally {
    queues.close()
  }
}

function textOf(run: Run, status: Status, options: GlobalOptions): string {
  const { version, queues, landing, catalog } = status
  const good = (text: string) => `${run.paint('good', '✓')} ${text}`
  const bad = (text: string) => `${run.paint('bad', '✗')} ${text}`
  const lines = [`${run.paint('bold', visible(status.lake))}  ${run.paint('dim', versionWords(version))}`]

  if (landing) {
    const { waiting, oldest, withoutContract } = landing
    const since = oldest ? `, the oldest, ${visible(oldest.source)}, for ${ago(status.at, oldest.droppedAt)}` : ''
    const how = commandFor('weir reconcile', options)
    lines.push(
      waiting === 0
        ? good('no file in landing/ waits')
        : `! ${formatRows(waiting, 'file')} in landing/ not taken in${since}: ${how}`,
    )
    if (withoutContract > 0)
      lines.push(
        `! ${formatRows(withoutContract, 'file')} in landing/ ${withoutContract === 1 ? 'has' : 'have'} no contract`,
      )
  }
  if (queues) {
    const { ingest, deadLetters } = queues
    const waiting = ingest.waiting + ingest.delayed
    const work = `${formatRows(waiting, 'upload')} ${waiting === 1 ? 'waits' : 'wait'}, ${formatCount(ingest.inFlight)} being worked on`
    lines.push(waiting + ingest.inFlight === 0 ? good('no upload waits') : `  ${work}`)
    lines.push(...curateLines(queues, options, good, bad))
    if (deadLetters.waiting === 0) lines.push(good('no dead letters'))
    else {
      lines.push(
        bad(
          `${formatRows(deadLetters.waiting, 'dead letter')}: when the cause is mended, ${commandFor('weir replay --dlq', options)}`,
        ),
      )
      for (const { source, reason, sentAt } of queues.letters.slice(0, FAULTS_SHOWN))
        lines.push(
          `    ${visible(source ?? 'no file')}${sentAt ? ` (${ago(status.at, sentAt)} old)` : ''}: ${firstLine(reason)}`,
        )
    }
  }
  lines.push(...faultLines(status, options, bad))
  lines.push(
    catalog.complete
      ? good('the catalog is complete')
      : bad(
          `the catalog was lost and is not filled again, so queries do not answer: ${commandFor('weir reconcile', options)}`,
        ),
  )
  lines.push(...curatedLines(status, options, bad))
  lines.push('', datasetTable(run, status))
  if (status.curated.length > 0) lines.push('', curatedTable(run, status))
  if (status.receipts.length > 0) lines.push('', receiptTable(run, status))
  return lines.join('\n')
}

/** What waits for the curate function, and what it gave up: those messages are hints, and the tables can be asked for again. */
function curateLines(
  { curate: queues }: QueueStatus,
  options: GlobalOptions,
  good: (text: string) => string,
  bad: (text: string) => string,
): string[] {
  if (!queues) return []
  const { messages, deadLetters } = queues
  const waiting = messages.waiting + messages.delayed
  return [
    waiting + messages.inFlight === 0
      ? good('no curated table waits')
      : `  ${formatRows(waiting, 'message')} about curated tables ${waiting === 1 ? 'waits' : 'wait'}, ${formatCount(messages.inFlight)} being worked on`,
    ...(deadLetters.waiting === 0
      ? []
      : [
          bad(
            `${formatRows(deadLetters.waiting, 'message')} about curated tables given up: ${commandFor('weir runs --failed', options)}, when the cause is mended, ${commandFor('weir replay --dlq', options)}`,
          ),
        ]),
  ]
}

function versionWords({ weir, deployed }: Status['version']): string {
  if (deployed === null || deployed === weir) return `weir ${weir}`
  return `weir ${weir} here, ${deployed} deployed`
}

/** Faults that no dead letter shows already. */
function faultLines({ at, faults, queues }: Status, options: GlobalOptions, bad: (text: string) => string): string[] {
  const shown = new Set(queues?.letters.map(({ id }) => id))
  const others = faults.filter(({ id }) => !shown.has(id))
  if (others.length === 0) return []
  const lines = [
    bad(
      `${formatRows(others.length, 'fault')} of ours: when the cause is mended, ${commandFor('weir replay --dlq', options)}`,
    ),
  ]
  for (const { source, attempts, reason, at: when } of others.slice(0, FAULTS_SHOWN))
    lines.push(
      `    ${visible(source ?? 'no file')} (${attempts === 1 ? 'tried once' : `tried ${formatCount(attempts)} times`}, ${ago(at, when)} ago): ${firstLine(reason)}`,
    )
  if (others.length > FAULTS_SHOWN)
    lines.push(`    and ${formatCount(others.length - FAULTS_SHOWN)} more: --json lists all`)
  return lines
}

function datasetTable(run: Run, { at, datasets }: Status): string {
  const head = ['dataset', 'rows as of', 'age', 'uploads, 24 h', 'newest upload', 'outcome']
  const rows = datasets.map(({ dataset, freshAt, newest, lastDay }) => [
    dataset,
    freshAt === null ? 'never' : formatMoment(freshAt),
    freshAt === null ? '' : ago(at, freshAt),
    formatCount(lastDay),
    newest?.upload ?? '',
    newest ? OUTCOME_WORDS[newest.outcome] : '',
  ])
  return formatTable(run, { head, right: [3] }, rows)
}

/** Tables that somebody has to look at: their tests failed, or their models cannot be read. */
function curatedLines(
  { curated, leftOver, models, at }: Status,
  options: GlobalOptions,
  bad: (text: string) => string,
): string[] {
  const lines = curated.flatMap(({ table, failed, damaged, why }) =>
    damaged
      ? [bad(firstLine(why)), `    ${visible(why.split('\n').at(-1) ?? '')}`]
      : failed
        ? [
            bad(`${firstLine(failed.reason)} (${ago(at, failed.at)} ago)`),
            `    ${commandFor(`weir runs --table ${table} --failed`, options)}`,
          ]
        : [],
  )
  for (const { table, why } of leftOver)
    lines.push(
      `! curated.${visible(table)} is left over, and nothing makes it any more: ${visible(why)}. To drop it: ${commandFor(`weir curate --drop ${table}`, options)}`,
    )
  if (models.problems.length > 0)
    lines.push(
      bad(`${formatRows(models.problems.length, 'problem')} in the models, so these are not made: weir lint`),
      ...models.problems.slice(0, FAULTS_SHOWN).map((problem) => `    ${firstLine(problem)}`),
    )
  return lines
}

function curatedTable(run: Run, { at, curated }: Status): string {
  const head = ['curated', 'kind', 'rows', 'age', 'newest version', 'state']
  const rows = curated.map((one) => [
    one.table,
    one.kind,
    one.version?.rows == null ? '' : formatCount(one.version.rows),
    one.version === null ? '' : ago(at, one.version.committedAt),
    one.version?.run ?? 'none',
    stateWords(one),
  ])
  return formatTable(run, { head, right: [2] }, rows)
}

function stateWords({ failed, behind, why, running, schedule, version, damaged }: CuratedStatus): string {
  if (damaged) return 'cannot be read'
  if (running) return `a run goes on: ${running.run}`
  if (failed) return failed.outcome === 'failed_tests' ? `tests failed: ${failed.tests.join(', ')}` : 'failed'
  if (!behind) return 'up to date'
  if (schedule !== null && version !== null) return `scheduled: ${schedule}`
  return `behind: ${firstLine(why)}`
}

function receiptTable(run: Run, { receipts }: Status): string {
  const head = ['last receipts', 'source', 'outcome', 'accepted', 'rejected']
  const rows = receipts.map((receipt) => [
    formatMoment(receipt.droppedAt),
    receipt.source,
    `${verdict(receipt).mark} ${OUTCOME_WORDS[receipt.outcome]}`,
    formatCount(receipt.rows.accepted),
    formatCount(receipt.rows.rejected),
  ])
  return formatTable(run, { head, right: [3, 4] }, rows)
}

/** A fault says on its first line what it is, and then how to go on: status says that itself. */
function firstLine(text: string): string {
  return visible(text.split('\n', 1)[0] ?? '')
}

/** How long ago, in one unit, or two below a day: "3 d", "2 h 10 min", "40 s". */
export function ago(now: string, then: string): string {
  const seconds = Math.max(0, Math.round((Date.parse(now) - Date.parse(then)) / 1000))
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
  return `${Math.floor(seconds / 86_400)} d`
}
