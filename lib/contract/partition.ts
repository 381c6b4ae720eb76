// How rows of a curated table are laid out: `month(order_date)`, as contracts and models write it and as Iceberg has it.

import { common, isExact, typeOfColumn, VARCHAR } from '../sql/types.ts'

/** `year(order_date)`: how rows are laid out, which queries need not know. */
export type PartitionField =
  | { transform: 'identity' | 'year' | 'month' | 'day' | 'hour'; column: string }
  | { transform: 'bucket' | 'truncate'; column: string; n: number }

/** What may be written, for messages. */
export const PARTITION_FORMS = 'a column, or year/month/day/hour(column), bucket(n, column), truncate(n, column)'

const TIMES = ['year', 'month', 'day', 'hour'] as const
const COUNTED = ['bucket', 'truncate'] as const
const LARGEST = 2 ** 31 - 1

/**
 * Reads one entry of partitionBy; undefined when it is none of the forms. A column whose name has brackets, commas or quotes
 * is written in double quotes.
 *
 * @example
 * parsePartitionField('bucket(16, customer_id)') // { transform: 'bucket', n: 16, column: 'customer_id' }
 */
export function parsePartitionField(text: string): PartitionField | undefined {
  const [, word, inside] = /^\s*(\w+)\s*\((.*)\)\s*$/s.exec(text) ?? []
  if (word === undefined || inside === undefined) {
    const column = nameIn(text)
    return column === undefined ? undefined : { transform: 'identity', column }
  }
  const name = word.toLowerCase()
  const time = TIMES.find((one) => one === name)
  if (time) {
    const column = nameIn(inside)
    return column === undefined ? undefined : { transform: time, column }
  }
  const counted = COUNTED.find((one) => one === name)
  const [, digits, rest] = /^\s*(\d+)\s*,(.*)$/s.exec(inside) ?? []
  const column = rest === undefined ? undefined : nameIn(rest)
  const n = Number(digits)
  return counted === undefined || column === undefined || n < 1 || n > LARGEST
    ? undefined
    : { transform: counted, column, n }
}

function nameIn(text: string): string | undefined {
  const name = text.trim()
  if (/^"(?:[^"]|"")+"$/.test(name)) return name.slice(1, -1).replaceAll('""', '"')
  return name === '' || /[(),"]/.test(name) ? undefined : name
}

/** The field as it is written: what `parsePartitionField` reads. */
export function partitionText(field: PartitionField): string {
  const { column } = field
  const name = nameIn(column) === column ? column : `"${column.replaceAll('"', '""')}"`
  if (field.transform === 'identity') return name
  return 'n' in field ? `${field.transform}(${field.n}, ${name})` : `${field.transform}(${name})`
}

/** The field's name inside of Iceberg, which no column may have. */
function nameInIceberg({ transform, column }: PartitionField): string {
  return transform === 'identity' ? column : `${column}_${transform === 'truncate' ? 'trunc' : transform}`
}

/** What is wrong with a field of a column of that type, such as "month() needs a date or a timestamp"; undefined: nothing. */
function typeProblem({ transform }: PartitionField, sqlType: string): string | undefined {
  const type = typeOfColumn(sqlType)
  const { of } = type
  const isTime = of === 'timestamp' || of === 'instant'
  switch (transform) {
    case 'year':
    case 'month':
    case 'day':
      return of === 'date' || isTime ? undefined : `${transform}() needs a date or a timestamp`
    case 'hour':
      return isTime ? undefined : 'hour() needs a timestamp'
    case 'truncate':
      return isExact(type) || of === 'varchar' || of === 'varbinary'
        ? undefined
        : 'truncate() needs a whole number, a decimal or a text'
    case 'bucket':
      return isExact(type) || of === 'varchar' || of === 'varbinary' || of === 'date' || isTime
        ? undefined
        : 'bucket() needs a whole number, a decimal, a text, a date or a timestamp'
    case 'identity':
      return isExact(type) || common(type, VARCHAR) || of === 'boolean' || of === 'date' || isTime
        ? undefined
        : 'rows cannot be laid out by floating-point numbers, objects and lists'
  }
}

/**
 * What is wrong with the fields of one table, each with its place in the list. Held by every lake, so that what one takes
 * the others do not refuse.
 */
export function partitionProblems(
  fields: readonly PartitionField[],
  columns: readonly { name: string; type: string }[],
): { index: number; message: string }[] {
  const problems: { index: number; message: string }[] = []
  fields.forEach((field, index) => {
    const column = columns.find(({ name }) => name.toLowerCase() === field.column.toLowerCase())
    if (!column) {
      problems.push({ index, message: `There is no column ${field.column}.` })
      return
    }
    const wrong = typeProblem(field, column.type)
    if (wrong) problems.push({ index, message: `${column.name} is of the type ${column.type}, and ${wrong}.` })
    const before = fields.slice(0, index)
    const same = before.find(
      (other) => other.column.toLowerCase() === field.column.toLowerCase() && alike(other, field),
    )
    if (same)
      problems.push({
        index,
        message: `${partitionText(same)} lays out the rows by ${field.column} already; one of the two is enough.`,
      })
    const inner = nameInIceberg(field)
    if (field.transform !== 'identity' && columns.some(({ name }) => name.toLowerCase() === inner.toLowerCase()))
      problems.push({
        index,
        message: `Iceberg calls this ${inner}, and the table has a column of that name.`,
      })
  })
  return problems
}

/** Iceberg takes one transform of a kind for each column, and all times are of one kind. */
function alike(a: PartitionField, b: PartitionField): boolean {
  const kind = ({ transform }: PartitionField): string => (TIMES.some((one) => one === transform) ? 'time' : transform)
  return kind(a) === kind(b)
}
