// Columns that a query shows without grouping by them, found before any engine is asked.

import type { Body, Expr, Query, Relation, Select } from './ast.ts'
import { functionNamed } from './functions.ts'
import { isTable, shapeOf, walk } from './walk.ts'

/** The columns of a query, of its WITH and of its subqueries in FROM that are neither grouped nor in an aggregate. */
export function ungrouped(query: Query): { at: number; name: string }[] {
  return [...query.ctes.flatMap((cte) => ungrouped(cte.query)), ...ofBody(query.body)]
}

function ofBody(body: Body): { at: number; name: string }[] {
  if (body.kind === 'set') return [...ofBody(body.left), ...ofBody(body.right)]
  if (body.kind === 'nested') return ungrouped(body.query)
  if (body.kind === 'values') return []
  const inside = relations(body.from).flatMap((one) => (one.kind === 'query' ? ungrouped(one.query) : []))
  return [...inside, ...ofSelect(body)]
}

function relations(from: Relation | undefined): Relation[] {
  if (!from) return []
  return from.kind === 'join' ? [...relations(from.left), ...relations(from.right)] : [from]
}

/** An aggregate over the rows of its query, and not over a window. */
export const isAggregate = (expr: Expr): boolean =>
  expr.kind === 'call' && !expr.over && functionNamed(expr.name.toLowerCase()).found?.kind === 'aggregate'

function ofSelect(select: Select): { at: number; name: string }[] {
  const shown = select.items.flatMap((item) => (item.star ? [] : [item.expr]))
  if (select.having) shown.push(select.having)
  let groups = select.groupBy !== undefined
  for (const one of shown)
    walk(
      one,
      (expr) => {
        groups ||= isAggregate(expr)
      },
      false,
    )
  if (!groups) return []
  const aliases = new Set(
    relations(select.from).map((one) =>
      (one.kind === 'table'
        ? (one.alias?.name ?? one.names.at(-1) ?? '')
        : one.kind === 'join'
          ? ''
          : (one.alias?.name ?? '')
      ).toLowerCase(),
    ),
  )
  const isPlace = (expr: Expr): boolean => expr.kind === 'literal' && expr.of === 'integer'
  // Behind a * it cannot be seen here which column a number means.
  if (
    select.items.some((item) => item.star) &&
    select.groupBy?.some((one) => one.kind === 'simple' && one.exprs.some(isPlace))
  )
    return []
  const keys = new Set<string>()
  for (const grouping of select.groupBy ?? [])
    for (const expr of grouping.kind === 'SETS' ? grouping.sets.flat() : grouping.exprs) {
      const item = isPlace(expr) && 'value' in expr ? select.items[Number(expr.value) - 1] : undefined
      keys.add(shapeOf(item && !item.star ? item.expr : expr, aliases))
    }
  const found: { at: number; name: string }[] = []
  const look = (node: unknown, bound: ReadonlySet<string>): void => {
    if (Array.isArray(node)) for (const one of node) look(one, bound)
    if (typeof node !== 'object' || node === null || Array.isArray(node)) return
    // What a subquery sees of the rows outside is left to the engine.
    if ('ctes' in node) return
    if ('kind' in node) {
      const expr = node as Expr
      if (isAggregate(expr) || (expr.kind === 'call' && expr.name.toLowerCase() === 'grouping')) return
      if (keys.has(shapeOf(expr, aliases))) return
      if (expr.kind === 'lambda') {
        look(expr.body, new Set([...bound, ...expr.names.map((name) => name.toLowerCase())]))
        return
      }
      if (expr.kind === 'name' && !bound.has(expr.name.toLowerCase())) found.push({ at: expr.at, name: expr.name })
      if (expr.kind === 'dot' && isTable(expr.of, aliases)) {
        found.push({ at: expr.of.kind === 'name' ? expr.of.at : expr.at, name: expr.name })
        return
      }
    }
    look(Object.values(node), bound)
  }
  look(shown, new Set())
  return found
}
