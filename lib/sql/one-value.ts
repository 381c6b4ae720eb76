// Whether a query gives one row at most, and whether it only counts the rows of a table: seen from its text, before it runs.

import type { Body, Query, Relation, Select } from './ast.ts'
import { isAggregate } from './grouping.ts'
import { walk } from './walk.ts'

/** True when no rows can make the query give more than one. False also where that cannot be seen from the text. */
export function givesOneRow(query: Query, named: ReadonlyMap<string, boolean> = new Map()): boolean {
  const inside = new Map(named)
  for (const { name, query: of } of query.ctes) inside.set(name.toLowerCase(), givesOneRow(of, inside))
  return (query.limit !== undefined && Number(query.limit) <= 1) || oneRow(query.body, inside)
}

function oneRow(body: Body, named: ReadonlyMap<string, boolean>): boolean {
  switch (body.kind) {
    case 'select':
      return body.groupBy === undefined
        ? hasAggregate([body.items, body.having ?? null]) || body.from === undefined || one(body.from, named)
        : body.groupBy.every((grouping) => grouping.kind === 'simple' && grouping.exprs.length === 0)
    case 'values':
      return body.rows.length === 1
    case 'nested':
      return givesOneRow(body.query, named)
    case 'set':
      if (body.op === 'UNION') return false
      return oneRow(body.left, named) || (body.op === 'INTERSECT' && oneRow(body.right, named))
  }
}

function one(relation: Relation, named: ReadonlyMap<string, boolean>): boolean {
  switch (relation.kind) {
    case 'table':
      return relation.names.length === 1 && named.get(relation.names[0]?.toLowerCase() ?? '') === true
    case 'query':
      return givesOneRow(relation.query, named)
    case 'unnest':
      return false
    case 'join':
      return one(relation.left, named) && one(relation.right, named)
  }
}

/** An aggregate of this query itself: not of a subquery, and not over a window. */
function hasAggregate(nodes: unknown): boolean {
  let found = false
  walk(
    nodes,
    (expr) => {
      found ||= isAggregate(expr)
    },
    false,
  )
  return found
}

/** True when the one value of a query can only be how many rows of a table there are, of which kind ever. */
export function onlyCounts(query: Query, tables: ReadonlySet<string>): boolean {
  const { body } = query
  if (query.ctes.length > 0 || body.kind !== 'select' || body.groupBy || body.items.length !== 1) return false
  const [item] = body.items
  if (!item || item.star || item.expr.kind !== 'call' || item.expr.over) return false
  const { from } = body satisfies Select
  return (
    ['count', 'count_if'].includes(item.expr.name.toLowerCase()) &&
    from?.kind === 'table' &&
    from.names.length === 1 &&
    tables.has(from.names[0]?.toLowerCase() ?? '')
  )
}
