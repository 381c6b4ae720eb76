// `weir rejects <dataset|upload>`: the rejected rows, original text and reasons. As CSV it is the repair file: mended and dropped
// again, its rows are taken in.

import { type Command, Option } from 'commander'
import { readHead } from '../../lake/heads.ts'
import { listReceipts, repairsOf } from '../../lake/ledger.ts'
import type { Lake } from '../../lake/ports.ts'
import type { Receipt } from '../../lake/receipt.ts'
import { formatCount, formatRows, shorten, visible } from '../../lake/render/format.ts'
import { commandFor, repairName } from '../../lake/render/words.ts'
import { parseCsv, toCsv } from '../csv.ts'
import { UsageError } from '../errors.ts'
import { writeOutput } from '../files.ts'
import { receiptByPrefix } from '../lookup.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

interface Options extends GlobalOptions {
  out?: string
  csv?: boolean
  all?: boolean
}

interface RepairRows {
  header: string[]
  rows: (string | null)[][]
}

export function rejectsCommand(cli: Cli): Command {
  return defineCommand('rejects', 'show the rejected rows; as CSV they are the repair file', [
    'weir rejects orders --out mend.csv',
    'weir rejects 20261122T080000123Z-0a1b2c3d4e5f',
  ])
    .argument('<dataset|upload>', 'a dataset (the rows still to mend of all its sources), or one upload')
    .addOption(new Option('--out <file>', 'write the repair file').conflicts('json'))
    .addOption(new Option('--csv', 'print the repair file on stdout').conflicts('json'))
    .option('--all', 'also rows that have been repaired since')
    .action(
      act<[string], Options>(cli, async (run, options, what) => {
        const lake = await run.session.lake()
        const receipts = await receiptsOf(lake, what, async () => (await run.session.contracts()).plans.has(what))
        const parts: RepairRows[] = []
        let repairedRows = 0
        for (const receipt of receipts) {
          run.signal.throwIfAborted()
          const part = await repairRows(lake, receipt)
          const repaired = new Set(options.all ? [] : (await repairsOf(lake, receipt)).rows.map(String))
          const row = part.header.indexOf('_row')
          const open = part.rows.filter((cells) => !repaired.has(cells[row] ?? ''))
          repairedRows += part.rows.length - open.length
          parts.push({ header: part.header, rows: open })
        }
        const { header, rows } = merge(parts)
        const csv = () => toCsv([header, ...rows])
        const json = {
          uploads: receipts.map((receipt) => receipt.upload),
          rows: rows.map((cells) => Object.fromEntries(header.map((name, index) => [name, cells[index] ?? null]))),
          repaired: repairedRows,
        }
        if (options.out !== undefined) {
          const path = await writeOutput(run.io, options.out, csv())
          run.note(`${formatRows(rows.length)} to mend in ${path}`)
        } else if (options.csv) run.write(csv())
        else if (rows.length === 0)
          run.say(repairedRows > 0 ? 'Nothing to mend: all rejected rows have been repaired.' : 'No rejected rows.')
        else run.say(listRows(run, receipts, { header, rows }))
        if (repairedRows > 0)
          run.note(
            `${formatCount(repairedRows)} more ${repairedRows === 1 ? 'has' : 'have'} been repaired since; --all shows them too.`,
          )
        const [first] = receipts
        if (rows.length > 0 && first && options.out === undefined && !options.csv) {
          run.note(
            `To mend them: ${commandFor(`weir rejects ${what} --out ${receipts.length === 1 ? repairName(first) : `${first.dataset}-repair.csv`}`, options)}, then drop that file.`,
          )
        }
        return { exit: 0, json }
      }),
    )
}

/** Of a dataset: the uploads with rejects that are what their source contributes now. A replaced version needs no mending. */
async function receiptsOf(lake: Lake, what: string, isDataset: () => Promise<boolean>): Promise<Receipt[]> {
  // No dataset's name begins with a digit.
  if (/^\d{6,8}[0-9A-Za-z-]*$/.test(what)) {
    const receipt = await receiptByPrefix(lake, what)
    return receipt.rejects ? [receipt] : []
  }
  const receipts: Receipt[] = []
  for await (const receipt of listReceipts(lake, { dataset: what, outcome: 'accepted_with_rejects' })) {
    const head = await readHead(lake.zones.ops, receipt.dataset, receipt.source)
    if (head?.head.contributions.some((one) => one.upload === receipt.upload)) receipts.push(receipt)
  }
  if (receipts.length > 0) return receipts
  if (await isDataset()) return []
  throw new UsageError(
    `${JSON.stringify(what)} is neither a dataset of this lake nor the id of an upload. To see both: weir receipts`,
  )
}

async function repairRows(lake: Lake, receipt: Receipt): Promise<RepairRows> {
  const stored = receipt.rejects && (await lake.zones.ops.get(receipt.rejects.csv))
  if (!stored)
    throw new Error(`The rejects of ${receipt.upload} are gone from ${receipt.rejects?.csv ?? 'the ops zone'}.`)
  const [header, ...rows] = parseCsv(stored.body.toString('utf8'))
  return { header: (header ?? []).map((name) => name ?? ''), rows }
}

/** For people: by file, each row with its reasons and its text. */
function listRows(run: Run, receipts: Receipt[], { header, rows }: RepairRows): string {
  const at = (name: string) => header.indexOf(name)
  const [upload, row, errors] = [at('_upload'), at('_row'), at('_errors')]
  const lines: string[] = []
  for (const receipt of receipts) {
    const own = rows.filter((cells) => cells[upload] === receipt.upload)
    if (own.length === 0) continue
    lines.push(`${run.paint('bold', visible(receipt.source))}  ${run.paint('dim', `upload ${receipt.upload}`)}`)
    for (const cells of own) {
      const values = cells.filter((_, index) => index !== upload && index !== row && index !== errors)
      lines.push(`  row ${(cells[row] ?? '').padEnd(6)} ${run.paint('bad', shorten(cells[errors] ?? '', 400))}`)
      lines.push(`             ${run.paint('dim', values.map((value) => shorten(value ?? '', 60)).join(' | '))}`)
    }
  }
  return lines.join('\n')
}

/** Several repair files as one: all columns that any of them has, `_raw` last. */
function merge(parts: RepairRows[]): RepairRows {
  const names = new Set(parts.flatMap((part) => part.header))
  const raw = names.delete('_raw')
  const header = [...names, ...(raw ? ['_raw'] : [])]
  const rows = parts.flatMap((part) =>
    part.rows.map((cells) =>
      header.map((name) => {
        const index = part.header.indexOf(name)
        return index < 0 ? null : (cells[index] ?? null)
      }),
    ),
  )
  return { header, rows }
}
