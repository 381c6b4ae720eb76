// Looks through the expressions of a statement.

import type { Expr } from './ast.ts'

const KINDS = new Set([
  ...[
    'literal',
    'call',
    'interval',
    'name',
    'dot',
    'index',
    'lambda',
    'binary',
    'not',
    'negative',
    'between',
    'in',
    'inQuery',
  ],
  ...['like', 'isNull', 'distinctFrom', 'quantified', 'exists', 'subquery', 'case', 'cast', 'array', 'row'],
])

/** Visits every expression, those of subqueries too unless told otherwise. */
export function walk(node: unknown, visit: (expr: Expr) => void, deep = true): void {
  if (Array.isArray(node)) {
    for (const one of node) walk(one, visit, deep)
    return
  }
  if (typeof node !== 'object' || node === null) return
  if (!deep && 'ctes' in node) return
  if ('kind' in node && typeof node.kind === 'string' && KINDS.has(node.kind)) visit(node as Expr)
  walk(Object.values(node), visit, deep)
}

/**
 * An expression without places, and without the names of tables before columns: equal ones mean the same, as far as no two of
 * those tables have a column of one name.
 */
export function shapeOf(expr: Expr, aliases: ReadonlySet<string>): string {
  return JSON.stringify(expr, (key, value: unknown) => {
    if (key === 'at' || key === 'end') return undefined
    if (typeof value !== 'object' || value === null || !('kind' in value)) return value
    const one = value as Expr
    if (one.kind === 'name') return { kind: 'name', column: one.name.toLowerCase() }
    if (one.kind === 'call') return { ...one, name: one.name.toLowerCase() }
    if (one.kind !== 'dot') return value
    if (isTable(one.of, aliases)) return { kind: 'name', column: one.name.toLowerCase() }
    return { ...one, name: one.name.toLowerCase() }
  })
}

/** `orders`, or `curated.orders`, before a column. */
export function isTable(expr: Expr, aliases: ReadonlySet<string>): boolean {
  if (expr.kind === 'name') return aliases.has(expr.name.toLowerCase())
  if (expr.kind !== 'dot' || expr.of.kind !== 'name') return false
  return ['clean', 'curated', 'ops'].includes(expr.of.name.toLowerCase()) && aliases.has(expr.name.toLowerCase())
}
