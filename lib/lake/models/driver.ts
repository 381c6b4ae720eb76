// Finds the table that an incremental model follows, its driver, and proves from the SQL that a row of the model depends on
// just those rows of the driver that have its key. What cannot be proved is refused, with its place.
//
// Why that is enough: the driver stands in FROM, and no join makes up rows without it. So every row before grouping has one
// row of the driver, and with it one value of each key expression. Grouping, windows and DISTINCT put only rows of one key
// together. Restricting the driver to some keys then gives exactly the model's rows of those keys.

import type { Expr, Query, Relation, Select } from '../../sql/ast.ts'
import { QueryError } from '../../sql/errors.ts'
import { functionNamed } from '../../sql/functions.ts'
import { tokensOf } from '../../sql/lex.ts'
import { name as quoted } from '../../sql/quote.ts'
import { relationOf, replaceTables, tableNameOf, tablesOf } from '../../sql/refs.ts'
import { athenaName, same, type Type } from '../../sql/types.ts'
import { shapeOf, walk } from '../../sql/walk.ts'
import { translate } from '../statement.ts'
import { saidBy } from './issues.ts'
import type { KnownTable } from './known.ts'
import type { Incremental } from './model.ts'

export interface Problem {
  at: number
  message: string
}

export interface Asked {
  /** The whole file. */
  text: string
  query: Query
  columns: readonly { name: string; type: Type }[]
  uniqueKey: readonly string[]
  /** The tables that the model names, with their columns. */
  tables: ReadonlyMap<string, KnownTable>
  /** What a table depends on besides itself: the tables that a view reads. */
  behind(table: string): readonly string[]
}

type TableRelation = Extract<Relation, { kind: 'table' }>
const OTHERWISE = 'Or make it materialized: table.'
/** What gives another answer another time. */
const MOMENTS = new Set(['now', 'current_date', 'current_timestamp', 'localtimestamp'])
/** Types whose values are equal when they look equal, NULL apart, on every engine. */
const KEY_TYPES = new Set(['boolean', 'integer', 'bigint', 'decimal', 'varchar', 'date', 'timestamp'])

/** Either how the model follows its driver, or everything that is in the way. */
export function driverOf(asked: Asked): { incremental: Incremental } | { problems: Problem[] } {
  const { query } = asked
  const select = query.body
  if (select.kind !== 'select' || !select.from) {
    const what = select.kind === 'set' ? select.op : select.kind === 'values' ? 'VALUES' : 'this'
    return refused(
      select.at,
      `An incremental model is one SELECT from the table that it follows, and not ${what}. ${OTHERWISE}`,
    )
  }
  const problems = [...ofTheWhole(asked), ...ofGroupingSets(select)]
  const places = placesIn(select.from)
  const candidates = places.filter(({ relation }) => asked.tables.get(tableNameOf(relation.names))?.entity)
  if (candidates.length === 0) {
    const entities = tablesOf(asked.text, query).filter(({ name }) => asked.tables.get(name)?.entity)
    const inside = entities[0]
    problems.push({
      at: inside?.at ?? select.from.at,
      message: inside
        ? `An incremental model follows a table that its outermost FROM names, and ${inside.name} is read inside of a subquery only. Join it outside. ${OTHERWISE}`
        : `An incremental model follows one entity table (curated.<dataset>, with curated: {mode: merge} or append in its contract), and FROM names none. ${OTHERWISE}`,
    })
    return { problems }
  }
  const tried = candidates.map((candidate) => ({ candidate, found: keysOver(asked, select, candidate, places) }))
  const able = tried.filter(({ found }) => found.problems.length === 0)
  // A column that USING made one of two has the value of the side that is always there.
  const sure = able.filter(({ candidate }) => !candidate.nullable)
  const fit = sure.length > 0 ? sure : able.slice(0, 1)
  if (fit.length > 1) {
    const names = fit.map(({ candidate }) => aliasOf(candidate.relation))
    problems.push({
      at: fit[1]?.candidate.relation.at ?? select.at,
      message: `The unique key could come from ${names.join(' or from ')}, and the model can follow only one: write ${names[0]}.column in SELECT. ${OTHERWISE}`,
    })
    return { problems }
  }
  const [only] = fit.length === 1 ? fit : tried.sort((a, b) => a.found.problems.length - b.found.problems.length)
  if (!only) return { problems }
  const { candidate, found } = only
  problems.push(...found.problems, ...ofTheDriver(asked, candidate))
  if (found.problems.length === 0) problems.push(...ofGrouping(select, found.keys, candidate))
  if (problems.length > 0) return { problems }
  const table = asked.tables.get(tableNameOf(candidate.relation.names))
  const filled = new Set(table?.entity?.filled.map((name) => name.toLowerCase()))
  return {
    incremental: {
      driver: table?.name ?? tableNameOf(candidate.relation.names),
      alias: aliasOf(candidate.relation),
      keyExpressions: found.keys.map(({ sql }) => sql),
      nullable: !found.keys.every(({ expr }) => isNeverNull(expr, filled, aliasOf(candidate.relation))),
    },
  }
}

const refused = (at: number, message: string): { problems: Problem[] } => ({ problems: [{ at, message }] })

const aliasOf = ({ alias, names }: TableRelation): string => alias?.name ?? names.at(-1) ?? ''

/** What stands in the outermost FROM; `nullable`: a join may make up a row without it. */
interface Place<R = TableRelation> {
  relation: R
  nullable: boolean
}

function placesIn(from: Relation): Place[] {
  return allIn(from).flatMap(({ relation, nullable }) => (relation.kind === 'table' ? { relation, nullable } : []))
}

function allIn(relation: Relation, nullable = false): Place<Exclude<Relation, { kind: 'join' }>>[] {
  if (relation.kind !== 'join') return [{ relation, nullable }]
  const { type, left, right } = relation
  return [
    ...allIn(left, nullable || type === 'RIGHT' || type === 'FULL'),
    ...allIn(right, nullable || type === 'LEFT' || type === 'FULL'),
  ]
}

/** What no part of the statement may have. */
function ofTheWhole({ text, query }: Asked): Problem[] {
  const problems: Problem[] = []
  if (query.limit !== undefined || query.offset !== undefined) {
    const word = tokensOf(text).findLast(
      ({ kind, text }) => kind === 'word' && ['LIMIT', 'OFFSET', 'FETCH'].includes(text),
    )
    problems.push({
      at: word?.at ?? query.at,
      message: `An incremental model has no ${word?.text ?? 'LIMIT'}: which rows it keeps would depend on rows of other keys. ${OTHERWISE}`,
    })
  }
  walk(query, (expr) => {
    if (expr.kind === 'call' && MOMENTS.has(expr.name.toLowerCase()))
      problems.push({
        at: expr.at,
        message: `${expr.name} gives another answer at another time, and an incremental model keeps the rows that did not change. ${OTHERWISE}`,
      })
  })
  return problems
}

function ofGroupingSets(select: Select): Problem[] {
  return (select.groupBy ?? [])
    .filter((one) => one.kind !== 'simple')
    .map((one) => ({
      at: (one.kind === 'SETS' ? one.sets.flat() : one.exprs)[0]?.at ?? select.at,
      message: `An incremental model groups by its unique key only, and not by ${one.kind === 'SETS' ? 'GROUPING SETS' : one.kind}. ${OTHERWISE}`,
    }))
}

function ofTheDriver({ text, query, behind }: Asked, { relation, nullable }: Place): Problem[] {
  const problems: Problem[] = []
  const name = tableNameOf(relation.names)
  if (nullable)
    problems.push({
      at: relation.at,
      message: `${name} stands on the side of an outer join that may be missing, so that rows of the model could come from no row of it. Put it on the other side. ${OTHERWISE}`,
    })
  if (relation.alias?.columns)
    problems.push({
      at: relation.at,
      message: `Give ${name}, which the model follows, an alias without names of columns.`,
    })
  const reads = tablesOf(text, query)
  for (const other of reads) {
    if (other.at === relation.at) continue
    if (other.name === name)
      problems.push({
        at: other.at,
        message: `An incremental model reads the table that it follows once, and ${name} is read here too: a row of the model would depend on rows of other keys. ${OTHERWISE}`,
      })
    else if (behind(other.name).some((one) => one.toLowerCase() === name))
      problems.push({
        at: other.at,
        message: `An incremental model reads the table that it follows once, and the view ${other.name} reads ${name} too. ${OTHERWISE}`,
      })
  }
  return problems
}

interface Key {
  expr: Expr
  sql: string
}

/** The expressions of the unique key, if all of them are made from columns of this table. */
function keysOver(
  asked: Asked,
  select: Select,
  { relation }: Place,
  places: Place[],
): { keys: Key[]; problems: Problem[] } {
  const { text, columns, uniqueKey, tables } = asked
  const keys: Key[] = []
  const problems: Problem[] = []
  const driver = tables.get(tableNameOf(relation.names))
  if (!driver)
    return { keys, problems: [{ at: relation.at, message: `There is no table ${relation.names.join('.')}.` }] }
  const alias = aliasOf(relation)
  const others = new Set(
    allIn(select.from ?? relation)
      .filter((place) => place.relation !== relation)
      .map(({ relation: one }) => (one.kind === 'table' ? aliasOf(one) : (one.alias?.name ?? '')).toLowerCase()),
  )
  for (const name of uniqueKey) {
    const type = columns.find((column) => column.name.toLowerCase() === name.toLowerCase())?.type
    const item = itemNamed(select, name, driver, alias, places.length === 1 && others.size === 0)
    if (!type || !item) {
      problems.push({
        at: select.at,
        message: `Where the column ${name} of the unique key comes from cannot be seen through *: name it in SELECT.`,
      })
      continue
    }
    const refuse = (message: string, at = item.at) => problems.push({ at, message: `${message} ${OTHERWISE}` })
    if (!KEY_TYPES.has(type.of)) {
      refuse(
        `The column ${name} of the unique key is of the type ${athenaName(type)}, whose values cannot be told apart for sure: cast it to decimal, varchar or bigint.`,
      )
      continue
    }
    const wrong = unfit(item.expr, others, name)
    if (wrong) {
      refuse(wrong.message, wrong.at)
      continue
    }
    const inFile = item.text ?? compact(text, item.at, item.end)
    const written = relation.alias ? inFile : withoutZone(inFile, relationOf(driver.name))
    const found = typeOver(written, driver, alias)
    if ('message' in found)
      refuse(
        `The unique key has to come from the table that the model follows, and ${name} is not made from columns of ${driver.name} alone (${found.message})`,
      )
    else
      keys.push({ expr: item.expr, sql: same(found.type, type) ? written : `CAST(${written} AS ${athenaName(type)})` })
  }
  return { keys, problems }
}

/** The item of SELECT that gives a column; through * only where that is plainly the driver's own. */
function itemNamed(
  select: Select,
  name: string,
  driver: KnownTable,
  alias: string,
  isAlone: boolean,
): { expr: Expr; at: number; end: number; text?: string } | undefined {
  const wanted = name.toLowerCase()
  for (const item of select.items) {
    if (item.star) continue
    const { expr, at, end } = item
    const own = item.alias ?? (expr.kind === 'name' || expr.kind === 'dot' ? expr.name : undefined)
    if (own?.toLowerCase() === wanted) return { expr, at, end }
  }
  const column = driver.columns.find((one) => one.name.toLowerCase() === wanted)
  const star = select.items.find(
    (item) => item.star && (item.of ? item.of.at(-1)?.toLowerCase() === alias.toLowerCase() : isAlone),
  )
  if (!column || !star) return undefined
  return {
    expr: { kind: 'name', name: column.name, at: star.at },
    at: star.at,
    end: star.at,
    text: quoted(column.name),
  }
}

/** What a key expression may not be. */
function unfit(expr: Expr, others: ReadonlySet<string>, name: string): Problem | undefined {
  let problem: Problem | undefined
  let columns = 0
  const say = (at: number, message: string) => {
    problem ??= { at, message }
  }
  walk(expr, (one) => {
    if (one.kind === 'name') {
      columns++
      if (others.has(one.name.toLowerCase()))
        say(
          one.at,
          `The column ${name} of the unique key comes from ${one.name}, and not from one table that the model could follow.`,
        )
    }
    if (['inQuery', 'exists', 'subquery', 'quantified'].includes(one.kind))
      say(one.at, `The column ${name} of the unique key has a subquery.`)
    if (one.kind !== 'call') return
    const { found } = functionNamed(one.name.toLowerCase())
    if (one.over) say(one.at, `The column ${name} of the unique key is the result of a window function.`)
    else if (found && (found.kind !== 'scalar' || one.name.toLowerCase() === 'grouping'))
      say(one.at, `The column ${name} of the unique key is made by ${one.name}, from several rows.`)
  })
  if (!problem && columns === 0)
    say(expr.at, `The column ${name} of the unique key is the same in every row: leave it out of uniqueKey.`)
  return problem
}

/** `curated.orders.day` as `orders.day`: a part of the query has the table under its own name. */
function withoutZone(written: string, table: string): string {
  const [before, after] = ['SELECT ', ` FROM ${table}`]
  const whole = replaceTables(`${before}${written}${after}`, () => table)
  return whole.slice(before.length, whole.lastIndexOf(after))
}

/** The type of an expression that knows just one table. */
function typeOver(written: string, table: KnownTable, alias: string): { type: Type } | { message: string } {
  try {
    const found = translate(`SELECT ${written} AS k FROM ${relationOf(table.name)} AS ${quoted(alias)}`, [table])
    const [column] = found.kind === 'query' ? found.columns : []
    return column && found.kind === 'query' ? { type: column.type } : { message: 'it cannot be read.' }
  } catch (error) {
    if (error instanceof QueryError) return { message: saidBy(error).message }
    throw error
  }
}

/** Grouping and windows must keep rows of different keys apart. */
function ofGrouping(select: Select, keys: Key[], { relation }: Place): Problem[] {
  const problems: Problem[] = []
  const alias = aliasOf(relation)
  const aliases = new Set([alias.toLowerCase()])
  const shapes = keys.map(({ expr }) => shapeOf(expr, aliases))
  const grouped = new Set<string>()
  for (const one of select.groupBy ?? [])
    if (one.kind === 'simple')
      for (const expr of one.exprs) {
        const item = expr.kind === 'literal' && expr.of === 'integer' ? select.items[Number(expr.value) - 1] : undefined
        grouped.add(shapeOf(item && !item.star ? item.expr : expr, aliases))
      }
  if (select.groupBy && shapes.some((shape) => !grouped.has(shape))) {
    const missing = keys.filter((_, index) => !grouped.has(shapes[index] ?? '')).map(({ sql }) => sql)
    problems.push({
      at: select.at,
      message: `An incremental model that groups has its whole unique key among GROUP BY, and ${missing.join(', ')} is not there. ${OTHERWISE}`,
    })
  }
  const outside = [select.items.flatMap((item) => (item.star ? [] : [item.expr])), select.having ?? []].flat()
  for (const top of outside)
    walk(
      top,
      (expr) => {
        if (expr.kind !== 'call') return
        const name = expr.name.toLowerCase()
        if (expr.over) {
          const by = new Set(expr.over.partitionBy.map((one) => shapeOf(one, aliases)))
          if (shapes.some((shape) => !by.has(shape)))
            problems.push({
              at: expr.at,
              message: `A window function of an incremental model has the whole unique key in PARTITION BY (${keys.map(({ sql }) => sql).join(', ')}): ${expr.name} would look at rows of other keys. ${OTHERWISE}`,
            })
        } else if (!select.groupBy && functionNamed(name).found?.kind === 'aggregate')
          problems.push({
            at: expr.at,
            message: `${expr.name} puts all rows together: an incremental model needs GROUP BY with its unique key. ${OTHERWISE}`,
          })
      },
      false,
    )
  return problems
}

/** Functions that give a value wherever they are given one. */
const KEEP_VALUES = new Set(
  (
    'date_trunc date year quarter month week week_of_year day day_of_month day_of_week dow day_of_year doy year_of_week yow hour minute ' +
    'second lower upper trim ltrim rtrim abs floor ceil ceiling round concat length reverse date_format last_day_of_month'
  ).split(' '),
)

function isNeverNull(expr: Expr, filled: ReadonlySet<string>, alias: string): boolean {
  const never = (one: Expr): boolean => isNeverNull(one, filled, alias)
  switch (expr.kind) {
    case 'literal':
      return expr.of !== 'null'
    case 'name':
      return filled.has(expr.name.toLowerCase())
    case 'dot':
      return (
        expr.of.kind === 'name' &&
        expr.of.name.toLowerCase() === alias.toLowerCase() &&
        filled.has(expr.name.toLowerCase())
      )
    case 'cast':
      return !expr.attempt && !['JSON'].includes(expr.to.name) && never(expr.of)
    case 'binary':
      return ['+', '-', '*', '||', '%', '/'].includes(expr.op) && never(expr.left) && never(expr.right)
    case 'call':
      if (expr.name.toLowerCase() === 'coalesce') return expr.args.some(never)
      return KEEP_VALUES.has(expr.name.toLowerCase()) && expr.args.every(never)
    default:
      return false
  }
}

/** A part of the text on one line, without comments. */
function compact(text: string, from: number, to: number): string {
  const words = tokensOf(text).filter((token) => token.kind !== 'end' && token.at >= from && token.at < to)
  let end = from
  let line = ''
  for (const { raw, at } of words) {
    line += at > end && line !== '' ? ` ${raw}` : raw
    end = at + raw.length
  }
  return line
}
