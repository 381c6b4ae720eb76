// How the columns of a curated table may change while its rows stay: new columns that may be empty, and types that only
// become wider. Anything else needs a new major version of the contract, and the table is then made anew.

import { type Type, typeOfColumn } from '../sql/types.ts'
import type { TableColumn } from './ports.ts'

export interface Evolution {
  added: TableColumn[]
  /** With the type as it was. */
  widened: { column: TableColumn; from: string }[]
  /** Comments that differ; nothing of the rows. */
  described: TableColumn[]
  /** What cannot be done, in words. */
  refused: string[]
}

/**
 * What turns one list of columns into another.
 *
 * @example
 * evolution([{ name: 'n', type: 'INTEGER' }], [{ name: 'n', type: 'BIGINT' }], () => false).widened // [{ column: …, from: 'INTEGER' }]
 */
export function evolution(
  before: readonly TableColumn[],
  after: readonly TableColumn[],
  isRequired: (column: string) => boolean,
): Evolution {
  const found: Evolution = { added: [], widened: [], described: [], refused: [] }
  const old = new Map(before.map((column) => [column.name.toLowerCase(), column]))
  for (const column of after) {
    const was = old.get(column.name.toLowerCase())
    old.delete(column.name.toLowerCase())
    if (!was) {
      if (isRequired(column.name))
        found.refused.push(`the column ${column.name} is new and required, and the rows that are there have none`)
      else found.added.push(column)
    } else if (was.type !== column.type) {
      if (widens(typeOfColumn(was.type), typeOfColumn(column.type))) found.widened.push({ column, from: was.type })
      else found.refused.push(`the column ${column.name} becomes ${column.type}, and is ${was.type}`)
    } else if (was.comment !== column.comment) found.described.push(column)
  }
  for (const { name } of old.values()) found.refused.push(`the column ${name} goes away`)
  return found
}

/** Promotions of Iceberg: int to bigint, float to double, more digits before the point. */
function widens(from: Type, to: Type): boolean {
  if (from.of === 'integer') return to.of === 'bigint'
  if (from.of === 'real') return to.of === 'double'
  return from.of === 'decimal' && to.of === 'decimal' && from.scale === to.scale && to.precision >= from.precision
}
