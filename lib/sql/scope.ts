// What names mean at one place of a statement.

import type { Type } from './types.ts'

export interface Column {
  name: string
  type: Type
  /** The column in DuckDB's SQL. */
  sql: string
  /** Names that may stand before it: `orders`, or `clean.orders`. In small letters. */
  tables?: string[]
  /** Not part of *. */
  hidden?: boolean
}

export interface Scope {
  columns: Column[]
  outer?: Scope | undefined
  /** The arguments of a lambda. */
  inner?: boolean
  /** Queries named by WITH. */
  ctes?: ReadonlyMap<string, Cte>
}

export interface Cte {
  sql: string
  columns: { name: string; type: Type }[]
}

/** Finds the column that a dotted name begins with; `used`: how many of its parts name the column. */
export function resolve(
  names: string[],
  scope: Scope,
  wrong: (why: string) => Error,
): { sql: string; type: Type; used: number } {
  const small = names.map((name) => name.toLowerCase())
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    for (const used of [3, 2, 1]) {
      if (small.length < used) continue
      const name = small[used - 1]
      const table = small.slice(0, used - 1).join('.')
      const found = at.columns.filter(
        (column) => column.name.toLowerCase() === name && (table === '' || column.tables?.includes(table)),
      )
      const [column] = found
      if (found.length > 1)
        throw wrong(`the name ${names.slice(0, used).join('.')} could mean several columns: put the table before it.`)
      if (column) return { sql: column.sql, type: column.type, used }
    }
  }
  const visible = scope.columns.filter(({ hidden }) => !hidden).map(({ name }) => name)
  const known = visible.length === 0 ? '' : ` The columns here are: ${[...new Set(visible)].slice(0, 50).join(', ')}.`
  throw wrong(`there is no column ${names.join('.')}.${known}`)
}
