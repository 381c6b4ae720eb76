// What a receipt says in plain words: the verdict, and what to do next. The text and the HTML receipt say the same.

import type { Outcome, Receipt } from '../receipt.ts'
import { formatFigure, formatRows, shellWord } from './format.ts'

export type Tone = 'good' | 'mixed' | 'bad' | 'neutral'

export interface Verdict {
  tone: Tone
  mark: string
  headline: string
  detail?: string
}

/** What a renderer may know besides the receipt itself. */
export interface ReceiptExtras {
  /** Rejected rows of this receipt that later uploads have repaired. */
  repaired?: { rows: number[]; uploads: string[] }
  /** Where a person finds the repair file (a path, or an s3:// URI). */
  repairFile?: string
  /** Nothing was published: this is what the receipt would be. */
  preview?: boolean
  /** The lake's folder as the reader named it, where the printed commands need it. */
  lake?: string
}

export interface Step {
  text: string
  /** A command to copy, as it is. */
  command?: string
}

export const OUTCOME_WORDS: Record<Outcome, string> = {
  accepted: 'accepted',
  accepted_with_rejects: 'accepted, with rejects',
  refused: 'refused',
  duplicate: 'duplicate',
  superseded: 'superseded',
  retracted: 'retracted',
}

const MARKS: Record<Outcome, { tone: Tone; mark: string }> = {
  accepted: { tone: 'good', mark: '✓' },
  accepted_with_rejects: { tone: 'mixed', mark: '!' },
  refused: { tone: 'bad', mark: '✗' },
  duplicate: { tone: 'neutral', mark: '=' },
  superseded: { tone: 'neutral', mark: '»' },
  retracted: { tone: 'neutral', mark: '−' },
}

const need = (n: number): string => (n === 1 ? 'needs' : 'need')

/** The verdict in one sentence that says whether the reader has something to do. */
export function verdict(receipt: Receipt, extras: ReceiptExtras = {}): Verdict {
  const { rows } = receipt
  const repairs = receipt.repairs.reduce((sum, repair) => sum + repair.rows, 0)
  const reason = receipt.reason && formatFigure(receipt.reason.message)
  const base = MARKS[receipt.outcome]
  const are = extras.preview ? 'would be taken in' : rows.accepted === 1 ? 'is in' : 'are in'
  switch (receipt.outcome) {
    case 'accepted':
      return {
        ...base,
        headline:
          rows.read === 0
            ? 'The file is fine, and holds no rows.'
            : rows.read === 1
              ? `The one row ${are}.`
              : `All ${formatRows(rows.read)} ${are}.`,
        detail: reason ?? (repairs > 0 ? `They repair ${formatRows(repairs)} set aside before.` : undefined),
      }
    case 'accepted_with_rejects':
      return {
        ...base,
        headline: `${formatRows(rows.accepted)} ${are}, ${formatRows(rows.rejected)} ${need(rows.rejected)} mending.`,
        // The usual reason only repeats these numbers.
        detail: receipt.reason?.code === 'rows_rejected' ? undefined : reason,
      }
    case 'refused':
      return {
        ...base,
        headline: extras.preview ? 'The file would be refused.' : 'The file was refused: none of it is in.',
        detail: reason,
      }
    case 'duplicate':
      return {
        ...base,
        headline: 'Nothing to do: the same file is already in the lake.',
        detail: reason,
      }
    case 'superseded':
      return {
        ...base,
        headline: 'Set aside: a newer version of this file came first.',
        detail: reason,
      }
    case 'retracted':
      return { ...base, headline: 'This source was taken out of the lake.', detail: reason }
  }
}

/** The last part of a landing key: the file's name as dropped. */
export function fileName(receipt: Receipt): string {
  return receipt.source.split('/').at(-1) || receipt.source
}

/** A file name for the mended rows that says what it repairs and keeps to plain characters. */
export function repairName(receipt: Receipt): string {
  const stem = fileName(receipt)
    .replace(/(\.(csv|tsv|txt|json|ndjson|jsonl|parquet|gz|zst))+$/i, '')
    .replace(/[^A-Za-z0-9_-]+/g, '-')
    .replace(/^-+|-+$/g, '')
  return `${stem || receipt.dataset}-repair.csv`
}

/** A command for this reader: with the lake, where it is not the one around the working folder. */
export function commandFor(command: string, extras: ReceiptExtras): string {
  return extras.lake === undefined ? command : `${command} --lake ${shellWord(extras.lake)}`
}

/** What the reader does next, by outcome; with exact commands. */
export function nextSteps(receipt: Receipt, extras: ReceiptExtras = {}): Step[] {
  return stepsOf(receipt, extras).map((step) =>
    step.command === undefined ? step : { ...step, command: commandFor(step.command, extras) },
  )
}

function stepsOf(receipt: Receipt, extras: ReceiptExtras): Step[] {
  const dataset = shellWord(receipt.dataset)
  if (extras.preview) return previewSteps(receipt)
  switch (receipt.outcome) {
    case 'accepted':
      return [
        {
          text: 'Nothing to mend. The rows can be queried:',
          command: `weir query ${shellWord(countSql(receipt.dataset))}`,
        },
      ]
    case 'accepted_with_rejects': {
      const open = receipt.rows.rejected - (extras.repaired?.rows.length ?? 0)
      if (open <= 0) return [{ text: 'Nothing: all rejected rows have been repaired since.' }]
      return mendSteps(receipt)
    }
    case 'refused': {
      const advice = receipt.reason?.advice
      const steps: Step[] = advice ? [{ text: advice }] : []
      steps.push({
        text: `${advice ? 'Then drop it' : 'Correct the file and drop it'} again under the same name. Nothing of it was published, so nothing needs undoing.`,
        command: dropAgain(receipt),
      })
      if (receipt.rejects) {
        steps.push({
          text: 'The rows, with what is wrong in each, are also kept as a file to read in a spreadsheet.',
          command: `weir rejects ${receipt.upload} --out ${shellWord(repairName(receipt))}`,
        })
      }
      return steps
    }
    case 'duplicate':
      return [
        receipt.duplicateOf
          ? {
              text: `The same bytes came before as ${receipt.duplicateOf.source}. Its receipt says what became of them.`,
              command: `weir receipt ${receipt.duplicateOf.upload}`,
            }
          : { text: 'Drop another file if this was not the one that you meant.' },
      ]
    case 'superseded':
      return [
        {
          text: 'The newer version has a receipt of its own.',
          command: `weir receipts --dataset ${dataset}`,
        },
      ]
    case 'retracted':
      return [{ text: 'To bring it back, drop the file again under the same name:', command: dropAgain(receipt) }]
  }
}

function mendSteps(receipt: Receipt): Step[] {
  const name = repairName(receipt)
  return [
    {
      text: 'Save the rejected rows as a file:',
      command: `weir rejects ${receipt.upload} --out ${shellWord(name)}`,
    },
    {
      text: 'Open it in a spreadsheet and mend the cells; the column _errors says what is wrong. Leave _upload and _row as they are.',
    },
    {
      text: 'Drop the mended file. Only these rows are added; the rest of the first file stays as it is.',
      command: `weir drop ${shellWord(name)} --dataset ${shellWord(receipt.dataset)}`,
    },
  ]
}

/** The command that drops a file to the same landing key. */
function dropAgain(receipt: Receipt): string {
  const name = fileName(receipt)
  const below = receipt.source.slice(receipt.source.indexOf('/') + 1)
  const path = below === name ? '' : ` --name ${shellWord(below)}`
  return `weir drop ${shellWord(name)} --dataset ${shellWord(receipt.dataset)}${path}`
}

function previewSteps(receipt: Receipt): Step[] {
  if (receipt.outcome === 'accepted') {
    return [
      {
        text: 'Drop it:',
        command: `weir drop ${shellWord(receipt.source)} --dataset ${shellWord(receipt.dataset)}`,
      },
    ]
  }
  const steps: Step[] = receipt.reason?.advice ? [{ text: receipt.reason.advice }] : []
  steps.push({
    text:
      receipt.outcome === 'refused'
        ? 'Correct the file, and check it again.'
        : 'Correct the rows, or drop the file as it is: the good rows are taken in and the others are kept to be repaired.',
  })
  return steps
}

function countSql(dataset: string): string {
  // Names that are not plain are quoted, so that the printed command runs.
  const name = /^[a-z_][a-z0-9_]*$/.test(dataset) ? dataset : `"${dataset.replaceAll('"', '""')}"`
  return `select count(*) from clean.${name}`
}
