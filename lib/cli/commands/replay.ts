// `weir replay`: brings files through the lake once more: those that met a fault of ours, one, or those of a dataset since
// some time. A lake in a folder does it here; a deployed lake is asked to, and its ingest function does it.

import type { Command } from 'commander'
import type { Deployed } from '../../lake/aws/deployed.ts'
import type { Queues } from '../../lake/aws/queues.ts'
import type { Receipt } from '../../lake/receipt.ts'
import { formatCount, formatRows, visible } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { commandFor } from '../../lake/render/words.ts'
import { planFor } from '../../pipeline/datasets.ts'
import { type Replayed, type ReplayWhat, replay, replayKeys } from '../../pipeline/replay.ts'
import { curateAfter, datasetsOf } from '../curated.ts'
import { isDenied, UsageError } from '../errors.ts'
import { worst } from '../outcomes.ts'
import { type Answer, act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'
import { parseSince } from '../since.ts'

interface Options extends GlobalOptions {
  dlq?: boolean
  source?: string
  dataset?: string
  since?: Date
  force?: boolean
}

export function replayCommand(cli: Cli): Command {
  return defineCommand('replay', 'bring files through the lake once more', [
    'weir replay --dlq',
    'weir replay --source orders/2026-10.csv',
    'weir replay --dataset orders --since 2d',
  ])
    .option('--dlq', 'what met a fault of ours and waits (on AWS: the dead-letter queues)')
    .option('--source <key>', 'one source: its path below landing/')
    .option('--dataset <name>', 'all files of a dataset')
    .option('--since <when>', 'with --dataset: only files dropped since: 2026-11-22, 2h, 3d', (text) =>
      parseSince(text),
    )
    .option('--force', 'also what was decided under the contract that holds now')
    .action(
      act<[], Options>(cli, async (run, options) => {
        const what = whatOf(options)
        const deployed = await run.session.deployed()
        return deployed ? ask(run, options, deployed, what) : replayHere(run, options, what)
      }),
    )
}

function whatOf({ dlq, source, dataset, since }: Options): ReplayWhat {
  const chosen = [dlq, source, dataset].filter((one) => one !== undefined).length
  if (chosen !== 1) {
    throw new UsageError(
      chosen === 0
        ? 'Say what to replay: --dlq (what failed), --source <key>, or --dataset <name>.'
        : 'Give only one of --dlq, --source and --dataset.',
    )
  }
  if (since !== undefined && dataset === undefined) throw new UsageError('--since goes with --dataset.')
  // Shells complete paths: landing/orders/x.csv means the same.
  if (source !== undefined) return { source: source.replace(/^(\.\/)?landing\//, '') }
  if (dataset !== undefined) return { dataset, ...(since === undefined ? {} : { since }) }
  return { faults: true }
}

async function replayHere(run: Run, options: Options, what: ReplayWhat): Promise<Answer> {
  const receipts: Receipt[] = []
  run.session.onReceipt = (receipt) => receipts.push(receipt)
  const context = await run.session.context()
  const report = await replay(context, what, {
    signal: run.signal,
    again: options.force === true,
    onReplayed: (one) => {
      if (one.result !== 'unchanged') run.say(line(run, one))
    },
  })
  for (const receipt of receipts) await writeReceiptPage(context.lake, receipt)
  const failed = report.replayed.filter(({ result }) => result === 'failed').length
  if (report.looked === 0) run.say('Nothing to replay.')
  else {
    const unchanged = report.unchanged === 0 ? '' : `, ${formatCount(report.unchanged)} as before`
    const faults = failed === 0 ? '' : `, ${formatCount(failed)} failed`
    run.say(`${formatRows(report.looked, 'file')} looked at${unchanged}${faults}.`)
  }
  const { exit, ...after } = await curateAfter(run, { datasets: datasetsOf(receipts) }, options)
  return { exit: worst([failed > 0 ? 4 : 0, exit]), json: { ...report, ...after } }
}

/** Those about curated tables: hints, and the tables look for themselves what is new. Gives how many. */
async function redriveCurate(run: Run, queues: Queues): Promise<number> {
  try {
    const moved = await queues.redriveCurate({
      signal: run.signal,
      onMoved: ({ table, reason }) =>
        run.say(
          `${run.paint('good', 'sent')}  ${table === undefined ? 'a message about curated tables' : `curated.${visible(table)}`}${reason === undefined ? '' : `: ${visible(reason.split('\n', 1)[0] ?? '')}`}`,
        ),
    })
    return moved ?? 0
  } catch (error) {
    // What was sent back is; whoever may not take these is told so.
    if (!isDenied(error)) throw error
    run.note('You may not take the dead letters about curated tables, so they stay where they are.')
    return 0
  }
}

const WORDS: Record<Replayed['result'], string> = {
  decided: 'decided',
  checked_again: 'checked again',
  unchanged: 'as before',
  skipped: 'skipped',
  failed: 'failed',
}

function line(run: Run, { source, result, detail }: Replayed): string {
  const ink = result === 'failed' ? 'bad' : result === 'skipped' ? 'mixed' : 'good'
  return `${run.paint(ink, WORDS[result].padEnd(13))}  ${visible(source)}: ${visible(detail.split('\n', 1)[0] ?? '')}`
}

/** A deployed lake is sent messages; what came of them is in its receipts. */
async function ask(run: Run, options: Options, deployed: Deployed, what: ReplayWhat): Promise<Answer> {
  const { openQueues } = await import('../../lake/aws/queues.ts')
  const lake = await run.session.lake()
  const queues = openQueues(deployed, lake.zones.ops)
  const later = `What came of it: ${commandFor('weir status', options)}`
  try {
    if ('faults' in what) {
      const { moved, missing } = await queues.redrive({
        signal: run.signal,
        onMoved: ({ source, reason }) =>
          run.say(
            `${run.paint('good', 'sent')}  ${visible(source ?? 'a message')}: ${visible(reason.split('\n', 1)[0] ?? '')}`,
          ),
      })
      const curated = await redriveCurate(run, queues)
      const about = curated > 0 ? `, ${formatCount(curated)} of them about curated tables` : ''
      const sent = moved + curated
      run.say(
        sent === 0 ? 'The dead-letter queues are empty.' : `${formatRows(sent, 'message')} sent back${about}. ${later}`,
      )
      return { exit: 0, json: { sent, missing, curated } }
    }
    const { plans } = await run.session.contracts()
    if ('source' in what) planFor(plans, what.source)
    const keys = 'source' in what ? [what.source] : replayKeys({ lake, plans, log: run.session.log }, what)
    const sent = await queues.requestReplay(keys, { signal: run.signal, again: options.force === true })
    run.say(sent === 0 ? 'Nothing to replay.' : `${formatRows(sent, 'file')} sent to be looked at again. ${later}`)
    return { exit: 0, json: { sent, missing: [] } }
  } finally {
    queues.close()
  }
}
