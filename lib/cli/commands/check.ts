// `weir check <file>`: the engine on a file, nothing published; shows what the receipt would be.

import { basename } from 'node:path'
import type { Command } from 'commander'
import type { Plan } from '../../contract/plan.ts'
import { readContractFile } from '../../contract/read.ts'
import { renderHtml } from '../../lake/render/html.ts'
import { renderText } from '../../lake/render/text.ts'
import { checkFile } from '../../pipeline/check.ts'
import { datasetFor, fitsMatch } from '../../pipeline/datasets.ts'
import { datasetToDrop, isRepairOf } from '../../pipeline/repair-file.ts'
import { UsageError } from '../errors.ts'
import { existingFile, writeOutput } from '../files.ts'
import { receiptAmong } from '../lookup.ts'
import { exitOf } from '../outcomes.ts'
import { startProgress } from '../progress.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

interface Options extends GlobalOptions {
  dataset?: string
  contract?: string
  html?: string
}

export function checkCommand(cli: Cli): Command {
  return defineCommand('check', 'check a file against its contract; nothing is published', [
    'weir check orders.csv',
    'weir check orders.csv --contract draft.yaml',
  ])
    .argument('<file>', 'the file to check')
    .option('--dataset <name>', 'the dataset to check it against (default: the one whose contract matches the name)')
    .option('--contract <file>', 'a contract file to check it against; needs no lake')
    .option('--html <file>', 'write the preview of the receipt as a page')
    .action(
      act<[string], Options>(cli, async (run, options, file) => {
        const path = await existingFile(run.io, file)
        const { plan, ...at } = await choosePlan(run, options, path)
        const engine = await run.session.engine(options.contract === undefined ? 'preview' : 'apart')
        const progress = startProgress(run, basename(path))
        try {
          const receipt = await checkFile(
            { check: (request) => engine.check(request), now: () => new Date() },
            { path, shownAs: file, plan, ...at },
            { signal: run.signal, onProgress: progress.onProgress },
          )
          progress.stop()
          run.say(renderText(receipt, run.paint, { preview: true, lake: options.lake }))
          if (options.html !== undefined) {
            run.note(`Page: ${await writeOutput(run.io, options.html, renderHtml(receipt, { preview: true }))}`)
          }
          return { exit: exitOf(receipt), json: { preview: true, receipt } }
        } finally {
          progress.stop()
        }
      }),
    )
}

/** The plan and, where there is a lake, what decides whether it would take the file by its name. */
async function choosePlan(
  run: Run,
  options: Options,
  path: string,
): Promise<{ plan: Plan; key?: string; isRepair?: boolean }> {
  const name = basename(path)
  if (options.contract === undefined) {
    const { plans } = await run.session.contracts()
    const receiptOf = (upload: string) => receiptAmong(run.session, plans, upload)
    const plan = await datasetToDrop(plans, { path, name, dataset: options.dataset }, receiptOf)
    const key = `${plan.dataset}/${name}`
    return { plan, key, isRepair: !fitsMatch(plan, key) && (await isRepairOf(plan.dataset, path, receiptOf)) }
  }
  const { plans } = await readContractFile(await existingFile(run.io, options.contract))
  const [only] = plans.values()
  if (plans.size === 0)
    throw new UsageError(`${options.contract} has no schema object, so there is nothing to check against.`)
  const isOnly = plans.size === 1 && only && (options.dataset === undefined || options.dataset === only.dataset)
  const plan = isOnly ? only : datasetFor(plans, name, options.dataset)
  // A contract that is being tried is tried on any file; what a lake would say to the name is only told.
  if (!fitsMatch(plan, `${plan.dataset}/${name}`))
    run.note(`Its name does not fit match: ${plan.settings.match}; a lake with this contract would refuse it.`)
  return { plan }
}
