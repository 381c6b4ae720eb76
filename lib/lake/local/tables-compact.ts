// Which files of a table a run writes anew beside its own rows, so that a table never has many files or many holes. What is
// rewritten at least doubles in size, or has lost a third of its rows: so the work stays in proportion to what changes.

import type { DataFile } from './tables-manifest.ts'

export interface CompactSettings {
  /** Files beyond which small ones are put together. */
  files: number
  /** The part of a file's rows that may be deleted. */
  deleted: number
  /** Files with places of deleted rows, of one data file. */
  deletes: number
  /** Rows that are joined and sorted in one go, when files are written anew. */
  sorted: number
}

export const COMPACT: CompactSettings = { files: 32, deleted: 0.3, deletes: 16, sorted: 500_000 }

/** Ids of the files to be rewritten. `coming`: rows that the run writes anyway. */
export function filesToRewrite(files: readonly DataFile[], coming: number, settings: CompactSettings): Set<number> {
  const holey = files.filter(({ rows, deleted }) => deleted > rows * settings.deleted)
  const chosen = new Set(holey.map(({ id }) => id))
  const whole = files.filter(({ id }) => !chosen.has(id))
  const written = coming > 0 || holey.length > 0 ? 1 : 0
  if (whole.length + written <= settings.files) return chosen
  const bySize = whole.map(({ id, rows, deleted }) => ({ id, rows: rows - deleted })).sort((a, b) => a.rows - b.rows)
  // All small files, up to the largest that is no larger than those before it together: the rest double from one to the next.
  let sum = coming
  let take = 1
  for (const [index, { rows }] of bySize.entries()) {
    if (rows <= sum) take = index + 1
    sum += rows
  }
  for (const { id } of bySize.slice(0, Math.max(take, 2))) chosen.add(id)
  return chosen
}
