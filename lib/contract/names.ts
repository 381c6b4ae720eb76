// Which names can be those of datasets, columns and inner properties, on every engine that reads the lake.

export interface NameProblem {
  message: string
  allowed: string
}

/** Column names that Weir itself gives to clean tables, rejects and repair files. */
const RESERVED = new Set(['_upload', '_extra', '_row', '_errors', '_raw'])
/** Partition keys of every clean table: a table cannot have a column and a partition key of one name. */
const PARTITION_KEYS = new Set(['ingest_date', 'source'])

export const datasetProblem = (name: string): NameProblem | undefined =>
  /^[A-Za-z][A-Za-z0-9_]{0,127}$/.test(name)
    ? undefined
    : {
        message: 'This name cannot be the name of a table and of a folder.',
        allowed: 'letters, digits and _, beginning with a letter, up to 128 characters',
      }

const CHARACTERS =
  'up to 128 characters, among them no quotes ("), backslashes, commas, semicolons or control characters, and no space at the ends'

/** Names inside objects: they stand in JSON paths and in STRUCT types. */
export const keyProblem = (name: string): NameProblem | undefined =>
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  name === '' || name !== name.trim() || [...name].length > 128 || /["\\,;\u0000-\u001f\u007f]/.test(name)
    ? { message: 'This name cannot be the name of a column.', allowed: CHARACTERS }
    : undefined

export const columnProblem = (name: string): NameProblem | undefined => {
  if (RESERVED.has(name.toLowerCase())) {
    return {
      message: 'Weir itself writes a column of this name.',
      allowed: `any name but ${[...RESERVED].join(', ')}; the file's header may go to physicalName`,
    }
  }
  if (PARTITION_KEYS.has(name.toLowerCase())) {
    return {
      message: 'Every clean table is partitioned by a column of this name.',
      allowed: `any name but ${[...PARTITION_KEYS].join(', ')}; keep the name in the file's header as physicalName: ${name}`,
    }
  }
  return keyProblem(name)
}

/** The candidate nearest to a misspelt word, if one is near. */
export const nearest = (word: string, candidates: readonly string[]): string | undefined => {
  const distance = (a: string, b: string): number => {
    let row = Array.from({ length: b.length + 1 }, (_, i) => i)
    for (let i = 1; i <= a.length; i++) {
      const next = [i]
      for (let j = 1; j <= b.length; j++) {
        next.push(
          Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1)),
        )
      }
      row = next
    }
    return row[b.length] ?? 0
  }
  const small = word.toLowerCase()
  const best = candidates.map((c) => ({ c, d: distance(small, c.toLowerCase()) })).sort((x, y) => x.d - y.d)[0]
  const longer = word.length > 3 ? candidates.find((c) => c.toLowerCase().startsWith(small)) : undefined
  return longer ?? (best && best.d <= Math.max(1, Math.floor(word.length / 3)) ? best.c : undefined)
}
