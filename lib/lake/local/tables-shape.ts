// Whether the rows of a query fit a table, and how they are laid out in its files. Only text is made here.

import { name as quoteName } from '../../sql/quote.ts'
import { athenaName, common, same, type Type, typeOfColumn } from '../../sql/types.ts'
import { QueryError } from '../errors.ts'
import type { PartitionField, TableColumn, TableJob } from '../ports.ts'

/** The column of a merge that says that a row leaves. */
export const GONE = '_gone'
/** What DuckDB calls the place of a row in a file: no column may be called so. */
const PLACE = 'file_row_number'

/** Throws QueryError unless the query gives what the table takes, in its order, in types that lose nothing on the way. */
export function checkColumns(job: TableJob, given: readonly { name: string; type: Type }[]): void {
  const { name, columns } = job.table
  const wanted = [...columns, ...(job.change.kind === 'merge' ? [{ name: GONE, type: 'BOOLEAN' }] : [])]
  const wrong = (why: string) => new QueryError(`The query of ${name} does not fit the table: ${why}`)
  for (const column of columns) {
    const small = column.name.toLowerCase()
    if (small === PLACE || (small === GONE && job.change.kind === 'merge'))
      throw wrong(`a column cannot be called ${column.name}, which Weir uses itself. Give it another name.`)
  }
  const names = (list: readonly { name: string }[]) => list.map((column) => column.name).join(', ')
  if (
    given.length !== wanted.length ||
    given.some((column, index) => column.name.toLowerCase() !== wanted[index]?.name.toLowerCase())
  )
    throw wrong(`it gives the columns ${names(given)}, and the table takes ${names(wanted)}.`)
  for (const [index, column] of wanted.entries()) {
    const from = given[index]?.type
    const to = typeOfColumn(column.type)
    const taken = from && common(from, to)
    if (from && !(taken && same(taken, to)))
      throw wrong(
        `the column ${column.name} is ${athenaName(from)} in the query and ${athenaName(to)} in the table. Write CAST(${column.name} AS ${athenaName(to)}).`,
      )
  }
}

/** ORDER BY that puts rows of one partition side by side, so that readers skip the others; empty where there are none. */
export function layout(fields: readonly PartitionField[], columns: readonly TableColumn[]): string {
  const sorts = fields.map((field) => {
    const column = quoteName(field.column)
    switch (field.transform) {
      case 'identity':
        return column
      case 'bucket':
        return `hash(${column}) % ${field.n}`
      case 'truncate': {
        const found = columns.find(({ name }) => name.toLowerCase() === field.column.toLowerCase())
        const { of } = typeOfColumn(found?.type ?? 'VARCHAR')
        return of === 'varchar' ? `left(${column}, ${field.n})` : `${column} - (${column} % ${field.n})`
      }
      default:
        return `date_trunc('${field.transform}', ${column})`
    }
  })
  return sorts.length === 0 ? '' : ` ORDER BY ${sorts.join(', ')}`
}
