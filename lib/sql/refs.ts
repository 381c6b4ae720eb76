// The tables that a statement reads, with their places in its text, and the text with some of them replaced. Names of WITH are no
// tables.

import type { Alias, Query, Relation } from './ast.ts'
import { QueryError } from './errors.ts'
import { type Token, tokensOf } from './lex.ts'
import { isReserved, parseStatement } from './parse.ts'
import { name as quoted } from './quote.ts'

export interface TableRef {
  /** As the catalog has it: `clean.orders`, in small letters. */
  name: string
  /** As written, part by part. */
  names: string[]
  at: number
  /** Where the name ends, with its FOR … AS OF and before its alias. */
  end: number
  alias?: Alias
}

type TableRelation = Extract<Relation, { kind: 'table' }>

/** The name that a relation has in the catalog. */
export function tableNameOf(names: readonly string[]): string {
  const small = names.map((name) => name.toLowerCase())
  if (small.length === 3 && small[0] === 'awsdatacatalog') small.shift()
  return small.join('.')
}

/** A table of the catalog as SQL writes it: `curated.orders`, `curated."order"`. */
export const relationOf = (name: string): string =>
  name
    .split('.')
    .map((part) => (isReserved(part) ? quoted(part) : part))
    .join('.')

/** The query of a statement that is one, or explains one. */
export function queryOf(sql: string): Query {
  const statement = parseStatement(sql)
  if (statement.kind === 'query' || statement.kind === 'explain') return statement.query
  throw new QueryError('This is no query: it has to begin with SELECT, WITH or VALUES.')
}

/**
 * Every place where a query reads a table, in the order of the text. Throws QueryError for what cannot be read.
 *
 * @example
 * tablesOf('WITH big AS (SELECT * FROM clean.orders) SELECT * FROM big JOIN curated.shops s USING (shop)')
 * // [{ name: 'clean.orders', at: 27, … }, { name: 'curated.shops', at: 66, alias: { name: 's' }, … }]
 */
export function tablesOf(sql: string, query: Query = queryOf(sql)): TableRef[] {
  const found: TableRef[] = []
  walkTables(query, new Set(), ({ names, at, end, alias }) =>
    found.push({ name: tableNameOf(names), names, at, end, ...(alias ? { alias } : {}) }),
  )
  return found.sort((a, b) => a.at - b.at)
}

/** Visits tables in FROM, wherever a query stands; `named`: the names of WITH that hold there. */
function walkTables(node: unknown, named: ReadonlySet<string>, visit: (table: TableRelation) => void): void {
  if (Array.isArray(node)) {
    for (const one of node) walkTables(one, named, visit)
    return
  }
  if (typeof node !== 'object' || node === null) return
  if (isQuery(node)) {
    let inside = named
    for (const cte of node.ctes) {
      walkTables(cte.query, inside, visit)
      inside = new Set([...inside, cte.name.toLowerCase()])
    }
    const { ctes: _, ...rest } = node
    walkTables(Object.values(rest), inside, visit)
    return
  }
  if (isTable(node)) {
    if (node.names.length > 1 || !named.has(node.names[0]?.toLowerCase() ?? '')) visit(node)
    return
  }
  walkTables(Object.values(node), named, visit)
}

const isQuery = (node: object): node is Query => 'ctes' in node && 'body' in node
const isTable = (node: object): node is TableRelation => 'kind' in node && node.kind === 'table' && 'names' in node

/**
 * The statement with tables replaced by other relations, which keep the names that columns are called by: a table without an
 * alias gets its own name for one, and `curated.orders.id` becomes `orders.id`. `replace` gives undefined for what stays.
 *
 * @example
 * replaceTables('SELECT orders.id FROM curated.orders', () => '(SELECT 1 AS id)') // SELECT orders.id FROM (SELECT 1 AS id) AS "orders"
 */
export function replaceTables(sql: string, replace: (ref: TableRef) => string | undefined): string {
  const refs = tablesOf(sql)
  const edits: { at: number; end: number; text: string }[] = []
  const bare = new Set<string>()
  const statements = new Set(tableStatements(sql, refs))
  for (const ref of refs) {
    const relation = replace(ref)
    if (relation === undefined) continue
    const name = ref.name.slice(ref.name.lastIndexOf('.') + 1)
    if (!ref.alias) bare.add(ref.name)
    edits.push({
      at: ref.at,
      end: ref.end,
      text: ref.alias ? relation : `${relation} AS ${quoted(name)}`,
    })
  }
  for (const at of statements)
    if (edits.some((edit) => edit.at === at.table))
      edits.push({ at: at.word, end: at.word + 'TABLE'.length, text: 'SELECT * FROM' })
  const tables = new Set(refs.map((ref) => ref.at))
  for (const { at, end } of qualifiers(sql, bare, tables)) edits.push({ at, end, text: '' })
  let text = sql
  for (const edit of edits.sort((a, b) => b.at - a.at)) text = text.slice(0, edit.at) + edit.text + text.slice(edit.end)
  return text
}

/** `TABLE curated.orders`, which is SELECT * FROM it: places of the word and of the table. */
function tableStatements(sql: string, refs: TableRef[]): { word: number; table: number }[] {
  const tokens = tokensOf(sql)
  return refs.flatMap((ref) => {
    const before = tokens[tokens.findIndex((token) => token.at === ref.at) - 1]
    return before?.kind === 'word' && before.text === 'TABLE' ? [{ word: before.at, table: ref.at }] : []
  })
}

/** The zone before columns that are called by the whole name of a table: `curated.` of `curated.orders.id`. */
function qualifiers(
  sql: string,
  names: ReadonlySet<string>,
  tables: ReadonlySet<number>,
): { at: number; end: number }[] {
  const tokens = tokensOf(sql)
  const isName = (token: Token | undefined) => token?.kind === 'word' || token?.kind === 'quoted'
  const isDot = (token: Token | undefined) => token?.kind === 'sign' && token.text === '.'
  const nameOf = (token: Token | undefined) =>
    (token?.kind === 'quoted' ? token.text : (token?.raw ?? '')).toLowerCase()
  return tokens.flatMap((token, index) => {
    const [dot, table, second, last] = [1, 2, 3, 4].map((ahead) => tokens[index + ahead])
    if (!isName(token) || !table || tables.has(token.at) || isDot(tokens[index - 1])) return []
    if (!isDot(dot) || !isName(table) || !isDot(second) || !(isName(last) || last?.text === '*')) return []
    return names.has(`${nameOf(token)}.${nameOf(table)}`) ? [{ at: token.at, end: table.at }] : []
  })
}
