// `weir receipts`: the ledger, newest first.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { listReceipts } from '../../lake/ledger.ts'
import { OUTCOMES, type Outcome, type Receipt } from '../../lake/receipt.ts'
import { formatCount, formatMoment, formatRows } from '../../lake/render/format.ts'
import { OUTCOME_WORDS, verdict } from '../../lake/render/words.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'
import { parseSince } from '../since.ts'
import { formatTable } from '../table.ts'

/** Receipts on a terminal unless --limit says more. Piped output is never cut. */
const SCREENFUL = 50

interface Options extends GlobalOptions {
  dataset?: string
  outcome?: Outcome
  since?: Date
  limit?: number
}

export function receiptsCommand(cli: Cli): Command {
  return defineCommand('receipts', 'list the receipts, newest first', [
    'weir receipts --dataset orders --since 7d',
    'weir receipts --outcome refused',
  ])
    .option('--dataset <name>', 'only of this dataset')
    .addOption(new Option('--outcome <outcome>', 'only with this outcome').choices(OUTCOMES))
    .option('--since <when>', 'only dropped since: 2026-11-22, 2026-11-22T08:00Z, 2h, 3d', (text) => parseSince(text))
    .option('--limit <n>', `most receipts to print (default: all; ${SCREENFUL} on a terminal)`, wholeNumber)
    .action(
      act<[], Options>(cli, async (run, options) => {
        const lake = await run.session.lake()
        const { dataset, outcome, since } = options
        const all: Receipt[] = []
        for await (const receipt of listReceipts(lake, { dataset, outcome, since })) {
          run.signal.throwIfAborted()
          all.push(receipt)
        }
        all.sort((a, b) =>
          a.droppedAt === b.droppedAt ? (a.upload < b.upload ? 1 : -1) : a.droppedAt < b.droppedAt ? 1 : -1,
        )
        const limit = options.limit ?? (run.json || !run.io.stdout.isTTY ? Infinity : SCREENFUL)
        const receipts = all.slice(0, limit)
        if (all.length === 0) run.say('No receipts.')
        else {
          const rows = receipts.map((receipt) => [
            formatMoment(receipt.droppedAt),
            receipt.upload,
            receipt.source,
            `${verdict(receipt).mark} ${OUTCOME_WORDS[receipt.outcome]}`,
            formatCount(receipt.rows.accepted),
            formatCount(receipt.rows.rejected),
          ])
          const head = ['dropped', 'upload', 'source', 'outcome', 'accepted', 'rejected']
          run.say(formatTable(run, { head, right: [4, 5] }, rows))
        }
        if (receipts.length < all.length) {
          run.note(
            `${formatRows(all.length - receipts.length, 'older receipt')} not shown: --limit ${all.length} shows all.`,
          )
        }
        return { exit: 0, json: { receipts, total: all.length } }
      }),
    )
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}
