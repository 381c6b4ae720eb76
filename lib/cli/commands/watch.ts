// `weir watch`: takes files in as they appear, change or go in landing/, however they got there, and has the curated tables
// follow; until Ctrl-C.

import { join } from 'node:path'
import type { Command } from 'commander'
import type { Receipt } from '../../lake/receipt.ts'
import { formatCount, formatRows, visible } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { renderLine } from '../../lake/render/text.ts'
import { commandFor, OUTCOME_WORDS } from '../../lake/render/words.ts'
import { watchLanding } from '../../pipeline/watch.ts'
import { UsageError } from '../errors.ts'
import { startFollowing } from '../following.ts'
import { watchFolder } from '../landing-events.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

export function watchCommand(cli: Cli): Command {
  return defineCommand('watch', 'take files in as they appear, change or go in landing/; until Ctrl-C', [
    'weir watch',
    'weir watch --lake my-lake --json 2>> weir.log',
  ]).action(
    act<[], GlobalOptions>(cli, async (run, options) => {
      const deployed = await run.session.deployed()
      if (deployed) {
        throw new UsageError(
          `A deployed lake watches by itself: what comes to s3://${deployed.buckets.landing}/<dataset>/ is taken in as it comes. To see what it is doing: ${commandFor('weir status', options)}`,
        )
      }
      const landing = join(await run.session.root(), 'landing')
      const outcomes: Partial<Record<Receipt['outcome'], number>> = {}
      const pages = new Set<Promise<unknown>>()
      let uploads = 0
      let faults = 0

      const following = startFollowing(run, options)
      // Every receipt of this process, those of the sweep at the start too.
      run.session.onReceipt = (receipt) => {
        uploads += 1
        outcomes[receipt.outcome] = (outcomes[receipt.outcome] ?? 0) + 1
        run.say(renderLine(receipt, run.paint, { lake: options.lake }))
        run.session.log({
          event: 'upload',
          upload: receipt.upload,
          source: receipt.source,
          outcome: receipt.outcome,
          rows: receipt.rows,
        })
        following.touch(receipt.dataset)
        const page = run.session
          .lake()
          .then((lake) => writeReceiptPage(lake, receipt))
          // The page can be made again at any time: weir receipt --html.
          .catch((error: unknown) => run.note(`The page of ${receipt.upload} could not be written: ${String(error)}`))
          .finally(() => pages.delete(page))
        pages.add(page)
      }

      const context = await run.session.context()
      const events = await watchFolder(landing)
      const stop = () => void events.close()
      run.signal.addEventListener('abort', stop)
      try {
        await watchLanding(context, events.keys, {
          signal: run.signal,
          onSwept: (report) => {
            for (const { what, detail } of report.faults) run.note(`${visible(what)}: ${visible(detail)}`)
            faults += report.faults.length
            // Whatever a command before this one left undone.
            following.touchAll()
            run.session.log({ event: 'watching', folder: landing })
            run.note(`Watching ${landing}. Ctrl-C ends it.`)
          },
          onFault: (key, error) => {
            faults += 1
            run.note(`${visible(key)}: ${visible(error instanceof Error ? error.message : String(error))}`)
          },
        })
      } finally {
        run.signal.removeEventListener('abort', stop)
        await events.close()
        await Promise.all(pages)
      }
      const { curated, left, faults: notCurated } = await following.end()
      faults += notCurated
      if (left) run.note('Curated tables that are behind follow with the next "weir watch" or "weir curate".')
      const counts = Object.entries(outcomes).map(
        ([outcome, n]) => `${formatCount(n)} ${OUTCOME_WORDS[outcome as Receipt['outcome']]}`,
      )
      run.say(`${formatRows(uploads, 'upload')}${counts.length > 0 ? `: ${counts.join(', ')}` : ''}.`)
      return { exit: 0, json: { uploads, outcomes, faults, curated } }
    }),
  )
}
