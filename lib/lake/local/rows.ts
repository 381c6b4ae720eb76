// Rows of a result as people and machines read them.

import type { Type } from '../../sql/types.ts'
import type { QueryResult } from '../ports.ts'

type Cell = QueryResult['rows'][number][number]

/** The rows with each real as short as it can be told apart by: 0.1, and not the double 0.10000000149011612 that it is. */
export function withShortReals(rows: QueryResult['rows'], columns: readonly { type: Type }[]): QueryResult['rows'] {
  if (!columns.some(({ type }) => hasReals(type))) return rows
  return rows.map((row) => row.map((cell, index) => shorter(cell, columns[index]?.type) as Cell))
}

function hasReals(type: Type): boolean {
  if (type.of === 'array') return hasReals(type.item)
  if (type.of === 'map') return hasReals(type.key) || hasReals(type.value)
  if (type.of === 'row') return type.fields.some((field) => hasReals(field.type))
  return type.of === 'real'
}

function shorter(value: unknown, type: Type | undefined): unknown {
  if (!type || value === null || value === undefined) return value
  if (type.of === 'real') return typeof value === 'number' ? shortReal(value) : value
  if (type.of === 'array') return Array.isArray(value) ? value.map((one) => shorter(one, type.item)) : value
  if (type.of === 'map')
    return Array.isArray(value)
      ? value.map(({ key, value }) => ({ key: shorter(key, type.key), value: shorter(value, type.value) }))
      : value
  if (type.of === 'row' && typeof value === 'object')
    return Object.fromEntries(
      Object.entries(value).map(([name, one], index) => [name, shorter(one, type.fields[index]?.type)]),
    )
  return value
}

function shortReal(value: number): number {
  for (let digits = 1; digits < 9; digits++) {
    const short = Number(value.toPrecision(digits))
    if (Math.fround(short) === value) return short
  }
  return value
}
