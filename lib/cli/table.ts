// Tables for people: drawn on a terminal, plain columns where the output is piped.

import Table from 'cli-table3'
import { shorten } from '../lake/render/format.ts'
import type { Run } from './run.ts'

export interface TableShape {
  head: string[]
  /** Columns to align right. */
  right?: number[]
  /** Most characters of a cell. */
  cell?: number
}

export function formatTable(run: Run, shape: TableShape, rows: string[][]): string {
  const aligns = shape.head.map((_, index) => (shape.right?.includes(index) ? 'right' : 'left'))
  const cells = rows.map((row) => row.map((cell) => shorten(cell, shape.cell ?? 80)))
  const head = shape.head.map((name) => shorten(name, shape.cell ?? 80))
  if (run.io.stdout.isTTY) {
    const table = new Table({
      head: head.map((name) => run.paint('bold', name)),
      colAligns: aligns,
      // The paint is ours: cli-table3's own would ignore NO_COLOR.
      style: { head: [], border: [], compact: true },
    })
    table.push(...cells)
    return table.toString()
  }
  const table = new Table({
    head,
    colAligns: aligns,
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0, compact: true },
    chars: Object.fromEntries(
      ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right', 'left']
        .concat(['left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
        .map((name) => [name, ''])
        .concat([['middle', '  ']]),
    ),
  })
  table.push(...cells)
  return table
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .filter((line, index) => line !== '' || index > 0)
    .join('\n')
}
