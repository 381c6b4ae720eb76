// `weir reconcile`: catalog and projections follow the heads; says what it mended.

import type { Command } from 'commander'
import { formatCount, formatRows, visible } from '../../lake/render/format.ts'
import { reconcile } from '../../pipeline/reconcile.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

export function reconcileCommand(cli: Cli): Command {
  return defineCommand('reconcile', 'make the catalog and the projections follow the heads; says what it mended', [
    'weir reconcile',
  ]).action(
    act<[], GlobalOptions>(cli, async (run) => {
      const report = await reconcile(await run.session.context(), { signal: run.signal })
      for (const { what, detail } of report.mended) {
        run.say(`${run.paint('mixed', 'mended')}  ${visible(what)}: ${visible(detail)}`)
      }
      const looked = Object.entries(report.checked).map(([what, n]) => `${formatCount(n)} ${what}`)
      const verdict =
        report.mended.length === 0 ? 'Nothing to mend' : `${formatRows(report.mended.length, 'thing')} mended`
      run.say(`${run.paint('good', '✓')} ${verdict}. Looked at ${looked.join(', ')}.`)
      return { exit: 0, json: report }
    }),
  )
}
