// `weir drop <file…>`: puts files into landing and takes them in; one line per upload. A lake in a folder is worked on here, one
// file after the other, and then its curated tables follow; a deployed lake works by itself, and this waits for its receipts.

import { basename } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import { datasetProblem } from '../../contract/names.ts'
import type { Plan } from '../../contract/plan.ts'
import type { Receipt } from '../../lake/receipt.ts'
import { formatRows, visible } from '../../lake/render/format.ts'
import { pageKey, writeReceiptPage } from '../../lake/render/page.ts'
import { renderLine } from '../../lake/render/text.ts'
import { commandFor } from '../../lake/render/words.ts'
import { awaitReceipts, type Delivered, deliver, replacedBy } from '../../pipeline/deliver.ts'
import { drop } from '../../pipeline/drop.ts'
import { datasetToDrop } from '../../pipeline/repair-file.ts'
import { curateAfter, datasetsOf } from '../curated.ts'
import { describeError, type ErrorDocument, exitCodeOf, Interrupted, NoReceiptYet, UsageError } from '../errors.ts'
import { existingFile } from '../files.ts'
import { receiptAmong } from '../lookup.ts'
import { exitOf, worst } from '../outcomes.ts'
import { startProgress } from '../progress.ts'
import { type Answer, act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

/** Seconds to wait for receipts of a deployed lake, unless --wait says otherwise. */
const PATIENCE = 300
/** Milliseconds after which people are told what is waited for. */
const SAY_SO_AFTER = 4000

interface Options extends GlobalOptions {
  dataset?: string
  name?: string
  /** Seconds, or false for --no-wait. */
  wait: number | boolean
}

interface File {
  path: string
  name: string
  dataset: string
}

export function dropCommand(cli: Cli): Command {
  return defineCommand('drop', 'put files into landing and take them in; one line per upload', [
    'weir drop orders_2026-10.csv',
    'weir drop exports/*.csv --dataset orders',
    'weir drop orders.csv --dataset orders --lake aws:weir --wait 60',
  ])
    .argument('<file...>', 'the files')
    .option('--dataset <name>', 'the dataset (default: the one whose contract matches the file)')
    .addOption(new Option('--name <path>', "path below landing/<dataset>/, for one file (default: the file's name)"))
    .addOption(
      new Option('--wait <seconds>', 'how long to wait for the receipts of a deployed lake')
        .argParser(seconds)
        .default(PATIENCE),
    )
    .option('--no-wait', 'only put the files into the landing zone of a deployed lake; their receipts come later')
    .action(
      act<[string[]], Options>(cli, async (run, options, files) => {
        if (options.name !== undefined && files.length > 1) {
          throw new UsageError('--name is for one file, and here are several.')
        }
        // All usage is checked before the first file moves: a mistyped name leaves nothing half done.
        const paths: string[] = []
        for (const file of files) paths.push(await existingFile(run.io, file))
        if (await run.session.deployed()) {
          const uploads = await chooseDatasets(await plansToDropBy(run, options), run, options, paths)
          return dropDeployed(run, options, uploads)
        }
        const { plans } = await run.session.contracts()
        return dropHere(run, options, await chooseDatasets(plans, run, options, paths))
      }),
    )
}

async function chooseDatasets(
  plans: ReadonlyMap<string, Plan> | undefined,
  run: Run,
  options: Options,
  paths: string[],
): Promise<File[]> {
  const files: File[] = []
  for (const path of paths) {
    const name = options.name ?? basename(path)
    const file = { path, name: basename(name), dataset: options.dataset }
    const receiptOf = (upload: string) => receiptAmong(run.session, plans ?? new Map(), upload)
    const dataset = plans ? (await datasetToDrop(plans, file, receiptOf)).dataset : options.dataset
    if (dataset !== undefined) files.push({ path, name, dataset })
  }
  return files
}

/**
 * The contracts of a deployed lake. An uploader who names the dataset need not be allowed to read them: then undefined,
 * and the landing zone decides whether he may drop there.
 */
async function plansToDropBy(run: Run, { dataset }: Options): Promise<ReadonlyMap<string, Plan> | undefined> {
  if (dataset === undefined) return (await run.session.contracts()).plans
  const problem = datasetProblem(dataset)
  if (problem) throw new UsageError(`--dataset ${dataset}: ${problem.message} Allowed: ${problem.allowed}.`)
  try {
    return (await run.session.contracts()).plans
  } catch (error) {
    run.session.log({ event: 'contracts_not_read', error: error instanceof Error ? error.message : String(error) })
    return undefined
  }
}

async function dropHere(run: Run, options: Options, uploads: File[]): Promise<Answer> {
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
    const told = tellOfRest(run, error, receipts.length, uploads.length)
    const { exit, ...after } = await curateAfter(run, { datasets: datasetsOf(receipts) }, options)
    return {
      exit: worst([...receipts.map(exitOf), exitCodeOf(error), exit]),
      json: { receipts, pages, ...after, error: told },
    }
  }
  if (receipts.length > 1) run.say(total(receipts))
  const { exit, ...after } = await curateAfter(run, { datasets: datasetsOf(receipts) }, options)
  return { exit: worst([...receipts.map(exitOf), exit]), json: { receipts, pages, ...after } }
}

function tellOfRest(run: Run, error: unknown, done: number, all: number): ErrorDocument['error'] {
  const { error: told } = describeError(error, run.io.env)
  run.note(`weir: ${told.message}`)
  run.note(`${formatRows(done, 'file')} of ${all} done. ${told.advice ?? ''}`)
  return told
}

/** Puts all files first: so the lake works on them at the same time, and none waits for the receipt of another. */
async function dropDeployed(run: Run, options: Options, files: File[]): Promise<Answer> {
  const lake = await run.session.lake()
  const delivered: Delivered[] = []
  let failure: unknown
  for (const file of files) {
    const progress = startProgress(run, file.name)
    try {
      run.signal.throwIfAborted()
      delivered.push(await deliver(lake, file, { signal: run.signal, onProgress: progress.onProgress }))
    } catch (error) {
      if (delivered.length === 0) throw error
      failure = error
      break
    } finally {
      progress.stop()
    }
  }
  if (run.signal.aborted) throw stoppedWaiting(delivered)

  const receipts = new Map<Delivered, Receipt>()
  if (options.wait !== false) await waitForReceipts(run, options, delivered, receipts)
  const done = delivered.flatMap((one) => receipts.get(one) ?? [])
  const pages = done.map((receipt) => lake.locate('ops', pageKey(receipt)))
  const pending = delivered.filter((one) => !receipts.has(one))
  const json = {
    receipts: done,
    pages,
    pending: pending.map(({ since: _, ...one }) => ({ ...one, location: lake.locate('landing', one.source) })),
  }
  if (done.length > 1) run.say(total(done))
  if (options.wait === false) for (const one of pending) run.say(putLine(run, options, one))
  const exits = done.map(exitOf)
  if (failure !== undefined) {
    const told = tellOfRest(run, failure, delivered.length, files.length)
    return { exit: worst([...exits, exitCodeOf(failure)]), json: { ...json, error: told } }
  }
  if (pending.length === 0 || options.wait === false) return { exit: worst(exits), json }
  const replaced = await replacedBy(lake, pending)
  const late = new NoReceiptYet(
    pending.map((one) => ({ ...one, replacedBy: replaced.get(one)?.upload })),
    Number(options.wait),
    options.lake,
  )
  if (done.length === 0 && !run.json) throw late
  const { error } = describeError(late, run.io.env)
  run.note(`weir: ${error.message}`)
  if (error.advice) run.note(error.advice)
  return { exit: worst([...exits, exitCodeOf(late)]), json: { ...json, error } }
}

async function waitForReceipts(
  run: Run,
  options: Options,
  delivered: Delivered[],
  receipts: Map<Delivered, Receipt>,
): Promise<void> {
  const lake = await run.session.lake()
  const sayso = setTimeout(() => {
    const open = delivered.length - receipts.size
    if (run.io.stderr.isTTY)
      run.note(
        `Waiting for ${open === 1 ? 'the receipt of one file' : `the receipts of ${formatRows(open, 'file')}`}. Ctrl-C ends the waiting, not the work.`,
      )
  }, SAY_SO_AFTER)
  try {
    await awaitReceipts(lake, delivered, {
      timeoutMs: Number(options.wait) * 1000,
      signal: run.signal,
      onReceipt: (receipt, one) => {
        receipts.set(one, receipt)
        run.say(renderLine(receipt, run.paint, { lake: options.lake }))
        if (exitOf(receipt) > 0) run.say(run.paint('dim', `    as a page:   ${lake.locate('ops', pageKey(receipt))}`))
      },
    })
  } catch (error) {
    if (run.signal.aborted) throw stoppedWaiting(delivered.filter((one) => !receipts.has(one)))
    throw error
  } finally {
    clearTimeout(sayso)
  }
}

function stoppedWaiting(open: Delivered[]): Interrupted {
  const what = open.length === 1 ? `${open[0]?.source} is` : `${formatRows(open.length, 'file')} are`
  return new Interrupted(
    `Stopped. ${what} safely in landing, and the lake takes in what is there, whoever waits. To see what came of it: weir receipts`,
  )
}

function putLine(run: Run, options: Options, one: Delivered): string {
  return `${run.paint('good', '✓')} ${visible(one.source)} is in landing. Its receipt: ${commandFor(`weir receipt ${one.hash} --dataset ${one.dataset}`, options)}`
}

function seconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number of seconds.')
  return Number(text)
}

async function dropOne(
  run: Run,
  upload: File,
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
