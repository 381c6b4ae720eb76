// A receipt as a short message: a subject and a few plain lines, for mail. It has figures, rules and row numbers, and no
// values of the file: a message leaves the lake, and nobody can take it back.

import type { Receipt } from '../receipt.ts'
import { formatCount, formatMoment, formatRows, shorten, visible } from './format.ts'
import { fileName, nextSteps, OUTCOME_WORDS, type ReceiptExtras, verdict } from './words.ts'

/** SNS takes subjects below 100 characters, and mail programs are best with plain ones. */
const MOST_SUBJECT = 99
const MOST_GROUPS = 5

export interface Message {
  subject: string
  text: string
}

/** `link`: where the whole receipt can be seen. */
export function renderMessage(receipt: Receipt, extras: ReceiptExtras = {}, link?: string): Message {
  return { subject: subjectOf(receipt), text: textOf(receipt, extras, link) }
}

/** "orders: refused: monday.csv", in ASCII, cut where it gets too long. */
function subjectOf(receipt: Receipt): string {
  const { rows, outcome } = receipt
  const figures =
    outcome === 'accepted_with_rejects' ? ` (${formatCount(rows.rejected)} of ${formatRows(rows.read)})` : ''
  const subject = `${receipt.dataset}: ${OUTCOME_WORDS[outcome]}${figures}: ${fileName(receipt)}`
  const plain = subject
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^ -~]/gu, '?')
  return plain.length <= MOST_SUBJECT ? plain : `${plain.slice(0, MOST_SUBJECT - 3)}...`
}

function textOf(receipt: Receipt, extras: ReceiptExtras, link: string | undefined): string {
  const said = verdict(receipt, extras)
  const { rows } = receipt
  const lines = [said.headline]
  if (said.detail) lines.push(shorten(said.detail, 600))
  lines.push('')
  lines.push(`File:     ${shorten(receipt.source, 300)}`)
  lines.push(`Dataset:  ${receipt.dataset}`)
  if (receipt.reading || rows.read > 0)
    lines.push(
      `Rows:     ${formatCount(rows.read)} read = ${formatCount(rows.accepted)} accepted + ${formatCount(rows.rejected)} rejected`,
    )
  lines.push(`Dropped:  ${formatMoment(receipt.droppedAt)}`)
  lines.push(`Upload:   ${receipt.upload}`)

  const groups = receipt.violations.slice(0, MOST_GROUPS)
  if (groups.length > 0) {
    lines.push('', 'What was found:')
    for (const group of groups) lines.push(`- ${groupWords(group)}`)
    const more = receipt.violations.length - groups.length
    if (more > 0) lines.push(`- and ${formatCount(more)} more kinds, on the receipt`)
  }
  lines.push('', 'What to do next:')
  for (const { text, command } of nextSteps(receipt, extras)) {
    lines.push(`- ${shorten(text, 600)}`)
    if (command) lines.push(`  ${shorten(command, 2000)}`)
  }
  if (link !== undefined) lines.push('', `The receipt: ${link}`)
  return `${lines.join('\n')}\n`
}

function groupWords({ count, rule, column, severity, message, samples }: Receipt['violations'][number]): string {
  const first = samples.find((sample) => sample.row !== undefined)?.row
  const where = column === undefined ? '' : ` in ${visible(column)}`
  const mild = severity === 'error' ? '' : `${severity}: `
  const row = first === undefined ? '' : ` (first in row ${formatCount(first)})`
  return `${formatCount(count)} × ${mild}${visible(rule)}${where}: ${shorten(message, 300)}${row}`
}
