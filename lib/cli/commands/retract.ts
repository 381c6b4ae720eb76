// `weir retract <landing key>`: takes a source out of the lake, with a receipt.

import type { Command } from 'commander'
import { visible } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { renderLine } from '../../lake/render/text.ts'
import { retract } from '../../pipeline/retract.ts'
import { curateAfter } from '../curated.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

export function retractCommand(cli: Cli): Command {
  return defineCommand('retract', 'take a source out of the lake, with a receipt', ['weir retract orders/2026-10.csv'])
    .argument('<landing-key>', 'the source: its path below landing/')
    .action(
      act<[string], GlobalOptions>(cli, async (run, options, given) => {
        // Shells complete paths: landing/orders/x.csv means the same.
        const key = given.replace(/^(\.\/)?landing\//, '')
        const context = await run.session.context()
        const receipt = await retract(context, key, { signal: run.signal })
        if (!receipt) {
          run.say(`${visible(key)} contributes nothing to the lake, so there was nothing to take out.`)
          return { exit: 0, json: { receipt: null } }
        }
        await writeReceiptPage(context.lake, receipt)
        run.say(renderLine(receipt, run.paint, { lake: options.lake }))
        const { exit, ...after } = await curateAfter(run, { datasets: [receipt.dataset] }, options)
        return { exit, json: { receipt, ...after } }
      }),
    )
}
