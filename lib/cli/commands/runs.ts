// `weir runs`: the ledger of curated tables, newest first.

import { type Command, InvalidArgumentError } from 'commander'
import { formatCount, formatDuration, formatMoment, formatRows, visible } from '../../lake/render/format.ts'
import { listRuns, type Run as RunRecord } from '../../lake/runs.ts'
import { costInWords, failedTests, millisecondsOf } from '../curated.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'
import { parseSince } from '../since.ts'
import { formatTable } from '../table.ts'

/** Runs on a terminal unless --limit says more. Piped output is never cut. */
const SCREENFUL = 50

interface Options extends GlobalOptions {
  table?: string
  failed?: boolean
  since?: Date
  limit?: number
}

const OUTCOME_WORDS: Record<RunRecord['outcome'], string> = {
  published: '✓ published',
  failed_tests: '✗ tests failed',
  failed: '✗ failed',
}

export function runsCommand(cli: Cli): Command {
  return defineCommand('runs', 'list the runs of curated tables, newest first', [
    'weir runs --table orders --since 7d',
    'weir runs --failed',
  ])
    .option('--table <name>', 'only of this table')
    .option('--failed', 'only those that made no new version, each with its reason')
    .option('--since <when>', 'only begun since: 2026-11-22, 2026-11-22T08:00Z, 2h, 3d', (text) => parseSince(text))
    .option('--limit <n>', `most runs to print (default: all; ${SCREENFUL} on a terminal)`, wholeNumber)
    .action(
      act<[], Options>(cli, async (run, options) => {
        const lake = await run.session.lake()
        const { since } = options
        const table = options.table?.replace(/^curated\./, '')
        const all: RunRecord[] = []
        for await (const one of listRuns(lake.zones.ops, {
          ...(table === undefined ? {} : { table }),
          ...(since ? { since } : {}),
        })) {
          run.signal.throwIfAborted()
          if (!options.failed || one.outcome !== 'published') all.push(one)
        }
        all.sort((a, b) => (a.run < b.run ? 1 : -1))
        const limit = options.limit ?? (run.json || !run.io.stdout.isTTY ? Infinity : SCREENFUL)
        const runs = all.slice(0, limit)
        if (all.length === 0) run.say('No runs.')
        else {
          const head = ['began', 'run', 'table', 'outcome', 'made', 'written', 'removed', 'in all', 'took']
          const scans = runs.some(({ bytesScanned }) => bytesScanned !== null)
          run.say(
            formatTable(
              run,
              { head: scans ? [...head, 'cost'] : head, right: [5, 6, 7, 8] },
              runs.map((one) => cellsOf(one, scans)),
            ),
          )
        }
        if (options.failed) for (const one of runs) for (const line of reasonLines(run, one)) run.say(line)
        if (runs.length < all.length)
          run.note(`${formatRows(all.length - runs.length, 'older run')} not shown: --limit ${all.length} shows all.`)
        return { exit: 0, json: { runs, total: all.length } }
      }),
    )
}

function cellsOf(run: RunRecord, scans: boolean): string[] {
  const { written, removed, total } = run.rows
  const count = (n: number | null) => (n === null ? '' : formatCount(n))
  return [
    formatMoment(run.startedAt),
    run.run,
    run.table,
    OUTCOME_WORDS[run.outcome],
    run.kind === 'view' ? 'view' : run.scope,
    count(written),
    count(removed),
    count(total),
    formatDuration(millisecondsOf(run)),
    ...(scans ? [costInWords(run) ?? ''] : []),
  ]
}

function reasonLines(run: Parameters<typeof failedTests>[0], one: RunRecord): string[] {
  const { reason } = one
  const words = reason ? [...reason.message.split('\n'), reason.advice] : []
  return ['', `${one.run}  ${one.table}`, ...words.map((line) => `    ${visible(line)}`), ...failedTests(run, one)]
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}
