// A receipt as text: one line for a drop, or the whole of it for `weir receipt`. Knows receipts only, neither lake nor terminal.

import type { Receipt } from '../receipt.ts'
import {
  formatBytes,
  formatCount,
  formatDuration,
  formatFigure,
  formatMoment,
  formatRows,
  formatShare,
  shorten,
  visible,
} from './format.ts'
import { type Ink, type Paint, plain } from './paint.ts'
import { commandFor, nextSteps, OUTCOME_WORDS, type ReceiptExtras, verdict } from './words.ts'

type Group = Receipt['violations'][number]

/** `✓ orders/2026-10.csv  accepted 1,204 of 1,204 rows  (0.3 s)`, and what to know of it in indented lines below. */
export function renderLine(receipt: Receipt, paint: Paint = plain, extras: ReceiptExtras = {}): string {
  const { tone, mark } = verdict(receipt, extras)
  const source = paint('bold', visible(receipt.source))
  const lines = [`${paint(tone, mark)} ${source}  ${summary(receipt)}${took(receipt, paint)}`]
  if (receipt.reason && receipt.outcome !== 'accepted_with_rejects') {
    lines.push(`    ${shorten(formatFigure(receipt.reason.message), 600)}`)
    if (receipt.reason.advice) lines.push(`    ${shorten(receipt.reason.advice, 600)}`)
  }
  lines.push(...groupLines(receipt, paint, 3).map((line) => `    ${line}`))
  if (receipt.repairs.length > 0) {
    const repaired = receipt.repairs.map((repair) => `${formatRows(repair.rows)} of ${repair.upload}`)
    lines.push(`    repairs ${repaired.join(', ')}`)
  }
  lines.push(...receipt.warnings.map((warning) => `    ${paint('mixed', 'note')}  ${shorten(warning, 300)}`))
  if (receipt.rejects && !extras.preview)
    lines.push(paint('dim', `    to see them: ${commandFor(`weir receipt ${receipt.upload}`, extras)}`))
  return lines.join('\n')
}

/** The whole receipt, for a person. */
export function renderText(receipt: Receipt, paint: Paint = plain, extras: ReceiptExtras = {}): string {
  const said = verdict(receipt, extras)
  const lines = [`${paint(said.tone, said.mark)} ${paint('bold', said.headline)}`]
  if (said.detail) lines.push(`  ${shorten(said.detail, 600)}`)
  lines.push('')
  lines.push(...facts(receipt, extras, paint))

  const groups = groupLines(receipt, paint, 10)
  if (groups.length > 0) lines.push('', paint('bold', 'What was found'), ...groups.map((line) => `  ${line}`))

  if (receipt.warnings.length > 0) {
    lines.push('', paint('bold', 'Worth knowing'))
    lines.push(...receipt.warnings.map((warning) => `  - ${shorten(warning, 300)}`))
  }
  if (receipt.notEnforced.length > 0) {
    lines.push('', paint('bold', 'Clauses of the contract that were not enforced'))
    for (const clause of receipt.notEnforced) {
      lines.push(`  - ${visible(clause.path)}: ${visible(clause.reason)}`)
    }
  }

  lines.push('', paint('bold', 'What to do next'))
  nextSteps(receipt, extras).forEach((step, index) => {
    lines.push(`  ${index + 1}. ${shorten(step.text, 600)}`)
    if (step.command) lines.push(`     ${paint('neutral', visible(step.command))}`)
  })
  return lines.join('\n')
}

function summary({ outcome, rows }: Receipt): string {
  switch (outcome) {
    case 'accepted':
      return `accepted ${formatCount(rows.accepted)} of ${formatRows(rows.read)}`
    case 'accepted_with_rejects':
      return `accepted ${formatCount(rows.accepted)} of ${formatRows(rows.read)}, rejected ${formatCount(rows.rejected)}`
    default:
      return OUTCOME_WORDS[outcome]
  }
}

function took(receipt: Receipt, paint: Paint): string {
  const total = totalTime(receipt)
  return total === undefined ? '' : paint('dim', `  (${formatDuration(total)})`)
}

/** The pipeline's own total where it gives one, else the sum of the phases. */
export function totalTime({ timings }: Receipt): number | undefined {
  if (timings.total !== undefined) return timings.total
  const phases = Object.values(timings)
  return phases.length === 0 ? undefined : phases.reduce((sum, phase) => sum + phase, 0)
}

function facts(receipt: Receipt, extras: ReceiptExtras, paint: Paint): string[] {
  const { rows } = receipt
  const pairs: [string, string | undefined][] = [
    ['file', visible(receipt.source)],
    ['dataset', visible(receipt.dataset)],
    ['upload', extras.preview ? undefined : receipt.upload],
    ['outcome', OUTCOME_WORDS[receipt.outcome]],
    [
      'rows',
      receipt.reading || rows.read > 0
        ? `${formatCount(rows.read)} read = ${formatCount(rows.accepted)} accepted + ${formatCount(rows.rejected)} rejected (${formatShare(rows.accepted, rows.read)} accepted)`
        : undefined,
    ],
    ['repaired', repairedWords(receipt, extras)],
    [
      'repairs',
      receipt.repairs.length > 0
        ? receipt.repairs.map((repair) => `${formatRows(repair.rows)} of ${repair.upload}`).join(', ')
        : undefined,
    ],
    ['size', formatBytes(receipt.size)],
    ['sha256', receipt.sha256],
    ['read as', readingWords(receipt)],
    ['contract', `${visible(receipt.contract.id)}, version ${visible(receipt.contract.version)}`],
    ['dropped', extras.preview ? undefined : formatMoment(receipt.droppedAt)],
    ['finished', extras.preview ? undefined : formatMoment(receipt.finishedAt)],
    ['time', totalTime(receipt) === undefined ? undefined : formatDuration(totalTime(receipt) ?? 0)],
    ['repair file', extras.preview ? undefined : extras.repairFile && visible(extras.repairFile)],
    ['weir', receipt.weir],
  ]
  return pairs.flatMap(([name, value]) => (value ? [`  ${paint('dim', name.padEnd(12))}${value}`] : []))
}

/** "3 of 4 rejected rows so far"; undefined where nothing was set aside to be repaired. */
export function repairedWords(receipt: Receipt, extras: ReceiptExtras): string | undefined {
  if (extras.preview || receipt.outcome !== 'accepted_with_rejects' || !extras.repaired) return undefined
  return `${formatCount(extras.repaired.rows.length)} of ${formatRows(receipt.rows.rejected, 'rejected row')} so far`
}

const DELIMITERS: Record<string, string> = { '\t': 'tab', ';': 'semicolon', ',': 'comma', '|': 'pipe', ' ': 'space' }

/** How the file was read: "csv, utf-8, comma-separated, with a header; found out: delimiter, encoding". */
export function readingWords({ reading }: Receipt): string | undefined {
  if (!reading) return undefined
  const parts: string[] = [reading.format]
  if (reading.compression !== 'none') parts.push(reading.compression)
  if (reading.encoding) parts.push(reading.encoding)
  if (reading.delimiter !== undefined) {
    const delimiter = DELIMITERS[reading.delimiter] ?? JSON.stringify(visible(reading.delimiter))
    parts.push(`separated by ${delimiter}`)
  }
  if (reading.quote) parts.push(`quoted by ${visible(reading.quote)}`)
  if (reading.header !== undefined) parts.push(reading.header ? 'with a header' : 'without a header')
  const found = reading.detected.length > 0 ? `; found out by looking: ${reading.detected.join(', ')}` : ''
  return parts.join(', ') + found
}

const INKS: Record<Group['severity'], Ink> = { error: 'bad', warning: 'mixed', info: 'neutral' }
const SEVERITY_WORDS: Record<Group['severity'], string> = { error: '', warning: 'warning: ', info: 'info: ' }

function groupLines(receipt: Receipt, paint: Paint, samples: number): string[] {
  return receipt.violations.flatMap((group) => {
    const where = group.column === undefined ? '' : ` in ${paint('bold', visible(group.column))}`
    const lines = [
      `${paint(INKS[group.severity], formatCount(group.count).padStart(6))} × ${SEVERITY_WORDS[group.severity]}${visible(group.rule)}${where}: ${shorten(group.message, 300)}`,
    ]
    for (const sample of group.samples.slice(0, samples))
      lines.push(paint('dim', `         ${sampleWords(sample, group)}`))
    const more = group.count - Math.min(group.samples.length, samples)
    if (more > 0 && group.samples.length > 0) lines.push(paint('dim', `         and ${formatCount(more)} more`))
    return lines
  })
}

function sampleWords(sample: Group['samples'][number], group: Group): string {
  const parts: string[] = []
  if (sample.row !== undefined) parts.push(`row ${formatCount(sample.row)}`)
  if (sample.value !== undefined) parts.push(sample.value === '' ? '(empty)' : shorten(sample.value, 80))
  if (sample.message !== undefined && sample.message !== group.message)
    parts.push(shorten(formatFigure(sample.message, group.message), 200))
  return parts.join(': ')
}
