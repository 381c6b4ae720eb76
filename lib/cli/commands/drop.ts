// `weir drop <file…>`: puts files into landing and ingests them, one after the other; one line per upload.

import { basename } from 'node:path'
import { type Command, Option } from 'commander'
import { findReceipt } from '../../lake/ledger.ts'
import type { Receipt } from '../../lake/receipt.ts'
import { formatRows } from '../../lake/render/format.ts'
import { writeReceiptPage } from '../../lake/render/page.ts'
import { renderLine } from '../../lake/render/text.ts'
import { drop } from '../../pipeline/drop.ts'
import { datasetToDrop } from '../../pipeline/repair-file.ts'
import { describeError, exitCodeOf, UsageError } from '../errors.ts'
import { existingFile } from '../files.ts'
import { exitOf, worst } from '../outcomes.ts'
import { startProgress } from '../progress.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

interface Options extends GlobalOptions {
  dataset?: string
  name?: string
}

export function dropCommand(cli: Cli): Command {
  return defineCommand('drop', 'put files into landing and take them in; one line per upload', [
    'weir drop orders_2026-10.csv',
    'weir drop exports/*.csv --dataset orders',
  ])
    .argument('<file...>', 'the files')
    .option('--dataset <name>', 'the dataset (default: the one whose contract matches the file)')
    .addOption(new Option('--name <path>', "path below landing/<dataset>/, for one file (default: the file's name)"))
    .action(
      act<[string[]], Options>(cli, async (run, options, files) => {
        if (options.name !== undefined && files.length > 1) {
          throw new UsageError('--name is for one file, and here are several.')
        }
        // All usage is checked before the first file moves: a mistyped name leaves nothing half done.
        const paths: string[] = []
        for (const file of files) paths.push(await existingFile(run.io, file))
        const { plans } = await run.session.contracts()
        const receiptOf = async (upload: string) => findReceipt(await run.session.lake(), upload)
        const uploads: { path: string; name: string; dataset: string }[] = []
        for (const path of paths) {
          const name = options.name ?? basename(path)
          const file = { path, name: basename(name), dataset: options.dataset }
          uploads.push({ path, name, dataset: (await datasetToDrop(plans, file, receiptOf)).dataset })
        }

        const receipts: Receipt[] = []
        const pages: (string | null)[] = []
        try {
          for (const upload of uploads) {
            run.signal.throwIfAborted()
            const { receipt, page } = await dropOne(run, upload, options.lake)
            receipts.push(receipt)
            pages.push(page)
          }
        } catch (error) {
          if (run.signal.aborted || receipts.length === 0) throw error
          // What was done stays on the record, also where a later file failed.
          const { error: told } = describeError(error, run.io.env)
          run.note(`weir: ${told.message}`)
          run.note(`${formatRows(receipts.length, 'file')} of ${uploads.length} done. ${told.advice ?? ''}`)
          return { exit: worst([...receipts.map(exitOf), exitCodeOf(error)]), json: { receipts, pages, error: told } }
        }
        if (receipts.length > 1) run.say(total(receipts))
        return { exit: worst(receipts.map(exitOf)), json: { receipts, pages } }
      }),
    )
}

async function dropOne(
  run: Run,
  upload: { path: string; name: string; dataset: string },
  lake: string | undefined,
): Promise<{ receipt: Receipt; page: string | null }> {
  const context = await run.session.context()
  const progress = startProgress(run, upload.name)
  try {
    const receipt = await drop(context, upload, { signal: run.signal, onProgress: progress.onProgress })
    progress.stop()
    // The upload is decided; its page is a projection, and no reason to call that a failure.
    const page = await writeReceiptPage(context.lake, receipt).catch((error: unknown) => {
      run.note(
        `The page of ${receipt.upload} could not be written: ${error instanceof Error ? error.message : String(error)}`,
      )
      return null
    })
    run.say(renderLine(receipt, run.paint, { lake }))
    if (exitOf(receipt) > 0 && page !== null) run.say(run.paint('dim', `    as a page:   ${page}`))
    return { receipt, page }
  } finally {
    progress.stop()
  }
}

function total(receipts: Receipt[]): string {
  const sum = (pick: (receipt: Receipt) => number) => receipts.reduce((all, receipt) => all + pick(receipt), 0)
  const refused = receipts.filter((receipt) => receipt.outcome === 'refused').length
  const accepted = sum((receipt) => (receipt.outcome === 'duplicate' ? 0 : receipt.rows.accepted))
  const rejected = sum((receipt) => (receipt.outcome === 'accepted_with_rejects' ? receipt.rows.rejected : 0))
  return [
    `${formatRows(receipts.length, 'file')}: ${formatRows(accepted)} accepted, ${formatRows(rejected)} rejected`,
    ...(refused > 0 ? [`${formatRows(refused, 'file')} refused`] : []),
  ].join(', ')
}
