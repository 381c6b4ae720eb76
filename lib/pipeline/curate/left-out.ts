// Models that have mistakes, or read one that has: nothing is made of them, and all other tables go on. What they said when they
// were sound is still before readers, so nobody may take them for gone.

import type { ModelIssue } from '../../lake/models/issues.ts'
import type { Model, ModelSource } from '../../lake/models/model.ts'

export interface LeftOut {
  /** Below curated. */
  table: string
  /** Name in the folder of models. */
  file: string
  /** What is wrong with it; nothing where only what it reads is wrong. */
  issues: ModelIssue[]
  /** Models left out that it names: their tables, below curated. */
  behind: string[]
  /** The whole file, as far as it could be read. */
  text: string
}

/** Those of the models that are not among the `made`, each with what is wrong with it. */
export function leftOutOf(
  sources: readonly ModelSource[],
  made: readonly Pick<Model, 'name'>[],
  issues: readonly ModelIssue[],
): LeftOut[] {
  const sound = new Set(made.map(({ name }) => name))
  const texts = new Map(sources.filter(({ name }) => !sound.has(name)).map(({ file, text }) => [file, text]))
  // A file that could not be read, or whose name is none, has no source; the folder itself is no model.
  for (const { file } of issues)
    if (/\.sql$/i.test(file) && !texts.has(file) && !sound.has(tableOf(file))) texts.set(file, '')
  const found = [...texts].map(([file, text]) => ({ table: tableOf(file), file, text }))
  return found
    .map((one) => ({
      ...one,
      issues: issues.filter(({ file }) => file === one.file),
      behind: found.filter(({ table }) => table !== one.table && namesTable(one.text, table)).map(({ table }) => table),
    }))
    .sort((a, b) => (a.file < b.file ? -1 : 1))
}

const tableOf = (file: string): string => file.replace(/^.*[\\/]/, '').replace(/\.sql$/i, '')

/** Whether a text names a curated table: its SQL may be what is wrong, so it is not taken apart. */
export const namesTable = (text: string, table: string): boolean =>
  new RegExp(`\\bcurated"?\\s*\\.\\s*"?${table.replace(/[^A-Za-z0-9_]/g, '\\$&')}(?![A-Za-z0-9_])`, 'i').test(text)
