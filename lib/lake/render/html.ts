// A receipt as one self-contained HTML page for the person who dropped the file. No script, nothing from elsewhere: the page's
// own policy forbids both. Everything that comes from a file passes through `esc`, which escapes and makes controls visible.

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
} from './format.ts'
import { STYLE } from './style.ts'
import { readingWords, repairedWords, totalTime } from './text.ts'
import { fileName, nextSteps, OUTCOME_WORDS, type ReceiptExtras, type Verdict, verdict } from './words.ts'

type Group = Receipt['violations'][number]

/** Most rows that the page shows; the repair file has them all. */
const MOST_ROWS = 60

/** The page. Same receipt and extras, same bytes. */
export function renderHtml(receipt: Receipt, extras: ReceiptExtras = {}): string {
  const said = verdict(receipt, extras)
  const errors = receipt.violations.filter((group) => group.severity === 'error')
  const others = receipt.violations.filter((group) => group.severity !== 'error')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; img-src data:">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>${esc(`${fileName(receipt)}: ${OUTCOME_WORDS[receipt.outcome]}`)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${[
  masthead(receipt, extras),
  hero(receipt, said, extras),
  todo(receipt, extras),
  chart(receipt, errors),
  rowsToMend(receipt, errors),
  notes(receipt, others),
  details(receipt, extras),
]
  .filter(Boolean)
  .join('\n')}
<footer>Weir ${esc(receipt.weir)}${extras.preview ? '' : ` · upload <span class="mono">${esc(receipt.upload)}</span>`}</footer>
</main>
</body>
</html>
`
}

/** For text from anywhere: controls and bidi made visible, shortened, and safe in element text and quoted attributes. */
function esc(text: string, most = 600): string {
  return shorten(text, most)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;')
}

const WAVE =
  '<svg class="logo" viewBox="0 0 24 24" aria-hidden="true"><path d="M2 8c3-4 6-4 10 0s7 4 10 0M2 14c3-4 6-4 10 0s7 4 10 0M4 20h16"/></svg>'

function masthead(receipt: Receipt, extras: ReceiptExtras): string {
  const when = extras.preview ? 'Preview: nothing was published' : `Dropped ${esc(formatMoment(receipt.droppedAt))}`
  return `<header>${WAVE}<span>Receipt for <strong>${esc(receipt.dataset)}</strong></span><span class="when">${when}</span></header>`
}

function hero(receipt: Receipt, said: Verdict, extras: ReceiptExtras): string {
  const detail = said.detail ? `<p class="detail">${esc(said.detail)}</p>` : ''
  return `<section class="hero ${said.tone}">
<p class="file">${esc(fileName(receipt), 160)}</p>
<h1><span class="mark" aria-hidden="true">${said.mark}</span><span>${esc(said.headline)}</span></h1>
${detail}${numbers(receipt)}${repaired(receipt, extras)}</section>`
}

function numbers({ rows, outcome }: Receipt): string {
  if (rows.read === 0 || outcome === 'duplicate' || outcome === 'superseded' || outcome === 'retracted') return ''
  // A reject must be seen, however many rows are good: at least a hair's breadth of the bar.
  const bad = rows.rejected === 0 ? 0 : Math.max(0.6, (rows.rejected / rows.read) * 100)
  const good = rows.accepted === 0 ? 0 : Math.max(0.6, 100 - bad)
  const title = `${formatCount(rows.accepted)} accepted, ${formatCount(rows.rejected)} rejected`
  return `<svg class="split" viewBox="0 0 100 4" preserveAspectRatio="none" role="img" aria-label="${esc(title)}"><title>${esc(title)}</title><rect class="good" x="0" width="${round(good)}" height="4"/><rect class="bad" x="${round(100 - bad)}" width="${round(bad)}" height="4"/></svg>
<dl class="tiles">
<div><dt>Rows read</dt><dd>${formatCount(rows.read)}</dd></div>
<div class="${rows.accepted > 0 ? 'good' : ''}"><dt>Accepted</dt><dd>${formatCount(rows.accepted)}</dd></div>
<div class="${rows.rejected > 0 ? 'bad' : ''}"><dt>Rejected</dt><dd>${formatCount(rows.rejected)}</dd></div>
<div><dt>Share accepted</dt><dd>${esc(formatShare(rows.accepted, rows.read))}</dd></div>
</dl>`
}

function repaired(receipt: Receipt, extras: ReceiptExtras): string {
  const words = repairedWords(receipt, extras)
  if (words === undefined || receipt.rows.rejected === 0) return ''
  const done = extras.repaired?.rows.length ?? 0
  const share = Math.min(100, (done / receipt.rows.rejected) * 100)
  return `<div class="repaired"><span>Repaired: ${esc(words)}</span><svg class="split" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="4"/><rect class="good" width="${round(share)}" height="4"/></svg></div>`
}

function todo(receipt: Receipt, extras: ReceiptExtras): string {
  const steps = nextSteps(receipt, extras).map(
    (step) =>
      `<li>${esc(step.text)}${step.command ? `<code class="command">${esc(step.command, 2000)}</code>` : ''}</li>`,
  )
  const file =
    extras.repairFile && !extras.preview
      ? `<p class="quiet">The rejected rows are kept, as they came, in <span class="mono">${esc(extras.repairFile, 2000)}</span></p>`
      : ''
  const list = steps.length === 1 ? 'ul' : 'ol'
  return `<section><h2>What to do next</h2><${list} class="steps">${steps.join('')}</${list}>${file}</section>`
}

function chart(receipt: Receipt, errors: Group[]): string {
  if (errors.length === 0) return ''
  const sorted = [...errors].sort((a, b) => b.count - a.count)
  const most = Math.max(1, ...sorted.map((group) => group.count))
  const bars = sorted.map((group) => {
    const width = Math.max(0.8, (group.count / most) * 100)
    const name = group.column === undefined ? '<em>whole file</em>' : `<strong>${esc(group.column, 80)}</strong>`
    return `<li><div class="label"><span>${name} <span class="rule">${esc(group.rule, 80)}</span></span><span class="count">${formatCount(group.count)}</span></div>
<svg class="bar" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true"><rect class="rest" width="100" height="4"/><rect class="bad" width="${round(width)}" height="4"/></svg>
<p>${esc(group.message, 300)}</p></li>`
  })
  const total = errors.reduce((sum, group) => sum + group.count, 0)
  const overlap =
    receipt.rows.rejected > 0 && total > receipt.rows.rejected
      ? `<p class="quiet">A row can break several rules: ${formatCount(total)} findings in ${formatRows(receipt.rows.rejected)}.</p>`
      : ''
  const title = receipt.outcome === 'refused' ? 'What is wrong' : 'Why rows were set aside'
  return `<section><h2>${title}</h2><ul class="bars">${bars.join('\n')}</ul>${overlap}</section>`
}

interface Finding {
  row: number
  column: string | undefined
  value: string | undefined
  message: string
}

function rowsToMend(receipt: Receipt, errors: Group[]): string {
  const findings: Finding[] = errors
    .flatMap((group) =>
      group.samples.flatMap((sample) =>
        sample.row === undefined
          ? []
          : [
              {
                row: sample.row,
                column: group.column,
                value: shownValue(sample, group),
                message: sample.message ?? group.message,
              },
            ],
      ),
    )
    .sort((a, b) => a.row - b.row)
  if (findings.length === 0) return ''
  const shown = findings.slice(0, MOST_ROWS)
  let last: number | undefined
  const lines = shown.map((finding) => {
    const again = finding.row === last
    last = finding.row
    return `<tr${again ? ' class="again"' : ''}><td class="row">${again ? `<span class="same">${formatCount(finding.row)}</span>` : formatCount(finding.row)}</td><td>${finding.column === undefined ? '' : esc(finding.column, 80)}</td><td class="value">${cell(finding.value)}</td><td>${esc(finding.message, 300)}</td></tr>`
  })
  const rows = new Set(shown.map((finding) => finding.row)).size
  const all = receipt.rows.rejected
  const note =
    all > rows
      ? `<p class="quiet">These are ${formatCount(rows)} of ${formatRows(all)}. All of them are in the repair file.</p>`
      : ''
  return `<section><h2>${receipt.outcome === 'refused' ? 'Rows to look at' : 'Rows to mend'}</h2>
<p class="quiet">${rowWords(receipt)}</p>
<div class="scroll"><table><thead><tr><th class="row">Row</th><th>Column</th><th>Value</th><th>What is wrong</th></tr></thead>
<tbody>${lines.join('\n')}</tbody></table></div>${note}</section>`
}

function rowWords({ reading }: Receipt): string {
  if (reading && reading.format !== 'csv' && reading.format !== 'tsv') return 'Row 1 is the first record of the file.'
  if (reading?.header === false) return 'Row numbers are those that a spreadsheet shows: the first line is row 1.'
  return 'Row numbers are those that a spreadsheet shows: the header is row 1.'
}

/** A missing value is known to be empty where that is the finding; elsewhere it was kept back. */
function shownValue(sample: Group['samples'][number], group: Group): string | undefined {
  return sample.value ?? (group.rule === 'required' ? '' : undefined)
}

function cell(value: string | undefined): string {
  if (value === undefined) return '<span class="none">not shown</span>'
  if (value === '') return '<span class="none">empty</span>'
  return esc(value, 120)
}

function notes(receipt: Receipt, others: Group[]): string {
  const parts: string[] = []
  const remarks = [
    ...receipt.warnings.map((warning) => esc(warning)),
    ...others.map((group) => {
      const rows = group.samples.flatMap((sample) => (sample.row === undefined ? [] : [formatCount(sample.row)]))
      const said = group.samples.find((sample) => sample.row === undefined)?.message
      const where =
        rows.length > 0
          ? `row${rows.length === 1 ? '' : 's'} ${rows.join(', ')}${group.count > rows.length ? ' …' : ''}`
          : esc(formatFigure(said ?? '', group.message), 200)
      const times = group.count === 1 ? '' : `, ${formatCount(group.count)} times`
      const column = group.column === undefined ? '' : `<strong>${esc(group.column, 80)}</strong>: `
      return `${column}${esc(group.message)}${times}${where ? ` <span class="quiet">(${where})</span>` : ''}`
    }),
  ]
  if (remarks.length > 0) {
    parts.push(
      `<details><summary>Worth knowing <span class="count">${formatCount(remarks.length)}</span></summary><ul>${remarks.map((remark) => `<li>${remark}</li>`).join('')}</ul></details>`,
    )
  }
  if (receipt.notEnforced.length > 0) {
    const items = receipt.notEnforced.map(
      (clause) => `<li><span class="mono">${esc(clause.path)}</span>: ${esc(clause.reason)}</li>`,
    )
    parts.push(
      `<details><summary>Clauses of the contract that were not enforced <span class="count">${formatCount(items.length)}</span></summary><ul>${items.join('')}</ul></details>`,
    )
  }
  return parts.join('\n')
}

function details(receipt: Receipt, extras: ReceiptExtras): string {
  const total = totalTime(receipt)
  const pairs: [string, string | undefined, boolean?][] = [
    ['File', receipt.source],
    ['Size', formatBytes(receipt.size)],
    ['SHA-256', receipt.sha256, true],
    ['Read as', readingWords(receipt)],
    ['Columns not in the contract', receipt.reading?.extraColumns.join(', ') || undefined],
    ['Columns not in the file', receipt.reading?.missingColumns.join(', ') || undefined],
    ['Contract', `${receipt.contract.id}, version ${receipt.contract.version}`],
    ['Outcome', OUTCOME_WORDS[receipt.outcome]],
    ['Reason', receipt.reason?.code, true],
    [
      'Repairs',
      receipt.repairs.map((repair) => `${formatRows(repair.rows)} of ${repair.upload}`).join(', ') || undefined,
    ],
    ['Repaired by', extras.repaired?.uploads.join(', ') || undefined, true],
    ['Dropped', extras.preview ? undefined : formatMoment(receipt.droppedAt)],
    ['Finished', extras.preview ? undefined : formatMoment(receipt.finishedAt)],
    ['Time taken', total === undefined ? undefined : formatDuration(total)],
  ]
  const items = pairs.flatMap(([name, value, mono]) =>
    value === undefined
      ? []
      : [`<div><dt>${name}</dt><dd${mono ? ' class="mono"' : ''}>${esc(value, 2000)}</dd></div>`],
  )
  return `<details><summary>About the file</summary><dl class="facts">${items.join('')}</dl></details>`
}

function round(n: number): string {
  return String(Math.round(n * 100) / 100)
}
