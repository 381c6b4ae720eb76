// `weir reconcile`: catalog, projections and curated tables follow the heads; says what it mended.

import type { Command } from 'commander'
import { formatCount, formatRows, visible } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { reconcile } from '../../pipeline/reconcile.ts'
import { curateAfter } from '../curated.ts'
import { worst } from '../outcomes.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

export function reconcileCommand(cli: Cli): Command {
  return defineCommand('reconcile', 'make the catalog and the projections follow the heads; says what it mended', [
    'weir reconcile',
  ]).action(
    act<[], GlobalOptions>(cli, async (run, options) => {
      const receipts: Parameters<typeof writeReceiptPage>[1][] = []
      run.session.onReceipt = (receipt) => receipts.push(receipt)
      const context = await run.session.context()
      const report = await reconcile(context, { signal: run.signal })
      for (const receipt of receipts) await writeReceiptPage(context.lake, receipt)
      for (const { what, detail } of report.mended) {
        run.say(`${run.paint('mixed', 'mended')}  ${visible(what)}: ${visible(detail)}`)
      }
      for (const { what, detail } of report.faults) {
        run.say(`${run.paint('bad', 'fault')}   ${visible(what)}: ${visible(detail)}`)
      }
      const looked = Object.entries(report.checked).map(([what, n]) => `${what} ${formatCount(n)}`)
      const mended =
        report.mended.length === 0 ? 'Nothing to mend' : `${formatRows(report.mended.length, 'thing')} mended`
      const faults = report.faults.length === 0 ? '' : `, ${formatRows(report.faults.length, 'fault')} left`
      const mark = report.faults.length === 0 ? run.paint('good', '✓') : run.paint('bad', '✗')
      run.say(`${mark} ${mended}${faults}. Looked at: ${looked.join(', ')}.`)
      // Files without a contract are the user's to place; all else is our fault.
      const ours = report.faults.some(({ what }) => what !== 'unknown dataset')
      const { exit, ...after } = await curateAfter(run, 'all', options)
      return { exit: worst([report.faults.length === 0 ? 0 : ours ? 4 : 3, exit]), json: { ...report, ...after } }
    }),
  )
}
