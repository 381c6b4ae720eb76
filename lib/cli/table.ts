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
  return columns([head, ...cells], aligns)
}

/** Plain columns, two spaces apart. Fast also for many rows, for piped output is never cut. */
function columns(rows: string[][], aligns: string[]): string {
  const widths = aligns.map((_, index) => rows.reduce((most, row) => Math.max(most, width(row[index] ?? '')), 0))
  const line = (row: string[]) =>
    row
      .map((cell, index) => {
        const space = ' '.repeat((widths[index] ?? 0) - width(cell))
        return aligns[index] === 'right' ? space + cell : cell + space
      })
      .join('  ')
      .trimEnd()
  return rows.map(line).join('\n')
}

/** Characters as people count them, near enough for columns. */
function width(cell: string): number {
  return /^[\x20-\x7e]*$/.test(cell) ? cell.length : [...cell].length
}
