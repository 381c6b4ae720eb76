// Matches a file's columns with the contract's: by name without regard to order, case and surrounding space, or by position.

import type { Plan } from '../contract/plan.ts'
import { Refusal } from './errors.ts'
import { normalise } from './json.ts'

export interface Matched {
  /** By the plan's columns: the position in the file, or undefined. */
  positions: (number | undefined)[]
  /** Positions of the file's columns that the contract does not know, with their names. */
  extra: { position: number; name: string }[]
  missing: string[]
  /** In a repair file: positions of Weir's own columns. */
  repair?: { upload: number; row: number }
}

const OWN = new Set(['_upload', '_row', '_errors', '_raw'])

/** All names by which a column of the plan is known in files, normalised. */
export function knownNames(plan: Plan): string[][] {
  return plan.columns.map((column) => [column.name, ...column.aliases].map(normalise))
}

/** Throws a Refusal when a required column is missing, or one is there twice, or unknown ones are not allowed. */
export function matchHeader(plan: Plan, header: string[], repair: boolean): Matched {
  const names = knownNames(plan)
  const found = header.map(normalise)
  const own = new Map<string, number>()
  const extra: Matched['extra'] = []
  const positions: (number | undefined)[] = plan.columns.map(() => undefined)
  found.forEach((name, position) => {
    if (repair && OWN.has(name)) {
      own.set(name, position)
      return
    }
    const at = names.findIndex((known) => known.includes(name))
    if (at < 0) {
      extra.push({ position, name: (header[position] ?? '').trim() || `column ${position + 1}` })
      return
    }
    const earlier = positions[at]
    if (earlier !== undefined) {
      throw new Refusal(
        'duplicate_column',
        `The column ${plan.columns[at]?.name} is in the file twice: as column ${earlier + 1} ("${header[earlier]?.trim()}") and column ${position + 1} ("${header[position]?.trim()}").`,
        'Remove or rename one of them.',
      )
    }
    positions[at] = position
  })
  const matched = complete(plan, positions, extra, header)
  const upload = own.get('_upload')
  const row = own.get('_row')
  return upload === undefined || row === undefined ? matched : { ...matched, repair: { upload, row } }
}

/** Files without a header: the contract's order, every column. */
export function matchPositions(plan: Plan, first: string[]): Matched {
  if (first.length !== plan.columns.length) {
    throw new Refusal(
      'wrong_column_count',
      `The file has no header and ${first.length} columns, and the contract has ${plan.columns.length}.`,
      'Send all columns in the order of the contract, or a file with a header.',
    )
  }
  return { positions: plan.columns.map((_, i) => i), extra: [], missing: [] }
}

/** What holds for every format once positions are known. `present`: all the file's own column names, for the message. */
export function complete(
  plan: Plan,
  positions: (number | undefined)[],
  extra: Matched['extra'],
  present: string[],
): Matched {
  const absent = plan.columns.filter((_, i) => positions[i] === undefined)
  const required = absent.filter((column) => column.required)
  if (positions.every((position) => position === undefined)) {
    // Also where no column is required: rows of nothing but nulls would hide that this is another file.
    // The first line may be data: it is not shown where values are not public.
    const first =
      present.length === 0 || plan.columns.some((column) => column.sensitive)
        ? ''
        : `, which begins with: ${shorten(present.join(', '), 200)}`
    const line = /^sep=.?$/i.exec((present[0] ?? '').trim())?.[0]
    throw new Refusal(
      'missing_column',
      line === undefined
        ? `None of the contract's columns is in the file${first}.`
        : `The file begins with the line "${line}", which only Excel understands; the header comes after it.`,
      line === undefined
        ? `Check that the file belongs to this dataset, and that its columns are named (${shorten(plan.columns.map((column) => column.name).join(', '), 200)}).`
        : 'Remove that line, so that the header is the first line, and drop the file again.',
    )
  }
  if (required.length > 0) {
    const names = required.map((column) => column.name).join(', ')
    const others = extra
      .map((e) => `"${shorten(e.name)}"`)
      .slice(0, 20)
      .join(', ')
    throw new Refusal(
      'missing_column',
      `The file has no column ${names}.${others ? ` Columns that the contract does not know: ${others}.` : ''}`,
      `Add ${required.length === 1 ? 'the column' : 'the columns'} (${names}), or check that the file belongs to this dataset.`,
    )
  }
  if (extra.length > 0 && plan.settings.extraColumns === 'refuse') {
    throw new Refusal(
      'extra_column',
      `The file has columns that the contract does not know: ${extra.map((e) => `"${shorten(e.name)}"`).join(', ')}.`,
      'Remove them, or add them to the contract.',
    )
  }
  return { positions, extra, missing: absent.map((column) => column.name) }
}

function shorten(text: string, length = 60): string {
  return text.length > length ? `${text.slice(0, length)}…` : text
}
