// `weir receipt <upload>`: one receipt, as text, JSON or a page.

import { type Command, Option } from 'commander'
import { renderHtml } from '../../lake/render/html.ts'
import { receiptExtras } from '../../lake/render/page.ts'
import { renderText } from '../../lake/render/text.ts'
import { isDenied } from '../errors.ts'
import { writeOutput } from '../files.ts'
import { receiptByPrefix } from '../lookup.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

interface Options extends GlobalOptions {
  dataset?: string
  html?: string | true
}

export function receiptCommand(cli: Cli): Command {
  return defineCommand('receipt', 'show one receipt', [
    'weir receipt 20261122T080000123Z-0a1b2c3d4e5f',
    'weir receipt 20261122T08 --html receipt.html',
  ])
    .argument(
      '<upload>',
      'id of the upload; its beginning is enough where it is the only one, or its last 12 characters',
    )
    .option('--dataset <name>', 'look only at the receipts of this dataset')
    .addOption(new Option('--html [file]', 'as a page: written to the file, or to stdout').conflicts('json'))
    .action(
      act<[string], Options>(cli, async (run, options, id) => {
        const lake = await run.session.lake()
        const receipt = await receiptByPrefix(lake, id, options.dataset)
        // Whoever may read receipts and nothing else gets the receipt; what was repaired since is not in it.
        const extras = await receiptExtras(lake, receipt).catch((error: unknown) => {
          if (!isDenied(error)) throw error
          return {} as Awaited<ReturnType<typeof receiptExtras>>
        })
        if (options.html === true) run.write(renderHtml(receipt, extras))
        else if (options.html !== undefined) {
          run.note(`Page: ${await writeOutput(run.io, options.html, renderHtml(receipt, extras))}`)
        } else run.say(renderText(receipt, run.paint, { ...extras, lake: options.lake }))
        return { exit: 0, json: { receipt, repaired: extras.repaired ?? null } }
      }),
    )
}
