// A query in Athena's SQL as one in DuckDB's. Every table in FROM gets a name of its own (t1, t2, …) and every column of a
// subquery too (c0, c1, …), so that names mean what they mean in Athena, whatever DuckDB would make of them.

import type { Alias, AsOf, Body, Expr, Grouping, Order, Query, Relation, Select } from './ast.ts'
import { QueryError } from './errors.ts'
import { as, type Context, direction, Expressions, type Typed } from './expressions.ts'
import { placeOf, placeText, unsupported } from './lex.ts'
import { name as ident, text } from './quote.ts'
import type { Column, Cte, Scope } from './scope.ts'
import type { TableDefinition } from './tables.ts'
import * as t from './types.ts'
import { athenaName, common, type Type, typeOfColumn } from './types.ts'

/** What a statement may name. */
export interface Tables {
  /** Every table with its columns, `clean.orders`. */
  tables: readonly Pick<TableDefinition, 'name' | 'columns' | 'partitionKeys'>[]
  /** The SQL of a table of information_schema. */
  information(table: string): { sql: string; columns: { name: string; type: Type }[] } | undefined
  /**
   * The table that a name means, where that depends on the moment, `FOR … AS OF …`; undefined: the one among `tables`. Without
   * this nothing has a history.
   */
  at?(table: string, asOf: AsOf | undefined): Pick<TableDefinition, 'name' | 'columns' | 'partitionKeys'> | undefined
  /** Queries that have a name without a zone, as those of WITH: their columns are called c0, c1, …. By their names in small letters. */
  named?: ReadonlyMap<string, Cte>
  /** What is wrong with the name of a table that is not there, where the zones have nothing to do with it. */
  unknown?(names: string[]): string
}

export interface Translated {
  sql: string
  columns: { name: string; type: Type }[]
  /** Tables that it reads, as they are called in the catalog. */
  reads: Set<string>
  /** True when it asks for "$path". */
  paths: boolean
}

interface Result {
  sql: string
  columns: { name: string; type: Type }[]
}

/** `shown`: columns are named and written as people see them. Otherwise they are c0, c1, …, with the types that `columns` says. */
export function translateQuery(sql: string, query: Query, tables: Tables, shown = true): Translated {
  const translation = new Translation(sql, tables)
  const { sql: translated, columns } = translation.query(
    query,
    { columns: [], ...(tables.named ? { ctes: tables.named } : {}) },
    shown,
  )
  if (shown) for (const { name, type } of columns) translation.checkShown(name, type)
  return { sql: translated, columns, reads: translation.reads, paths: translation.paths }
}

class Translation implements Context {
  readonly sql: string
  readonly reads = new Set<string>()
  paths = false
  private readonly known: Tables
  private readonly on: Expressions
  private made = 0

  constructor(sql: string, known: Tables) {
    this.sql = sql
    this.known = known
    this.on = new Expressions(this)
  }

  fresh(prefix: string): string {
    return `${prefix}${++this.made}`
  }

  checkShown(name: string, type: Type): void {
    const at = (advice: string) =>
      new QueryError(`The column ${name} of the result is of the type ${athenaName(type)}. ${advice}`)
    const inner =
      type.of === 'array'
        ? [type.item]
        : type.of === 'map'
          ? [type.key, type.value]
          : type.of === 'row'
            ? type.fields.map((field) => field.type)
            : []
    for (const one of inner) this.checkInner(name, one)
    if (type.of === 'json')
      throw at('Weir cannot show it as Athena does: take a value out with json_extract_scalar(json, path).')
    if (type.of === 'months' || type.of === 'span') throw at('Weir cannot show it as Athena does: add it to a date.')
  }

  private checkInner(name: string, type: Type): void {
    if (type.of === 'instant')
      throw new QueryError(
        `The column ${name} of the result has timestamps with a time zone inside. Cast them to timestamp.`,
      )
    this.checkShown(name, type)
  }

  private wrong(at: number, why: string): QueryError {
    return new QueryError(`${placeText(this.sql, at)}: ${why}`, { place: placeOf(this.sql, at) })
  }

  /** The query with its columns named c0, c1, …; or, `shown`, named and written as people see them. */
  query(query: Query, outer: Scope, shown = false): Result {
    let scope = outer
    const withs: string[] = []
    for (const cte of query.ctes) {
      const made = this.query(cte.query, scope)
      const name = this.fresh('w')
      withs.push(`${name} AS (${made.sql})`)
      const columns = this.renamed(made.columns, cte.columns, cte.at)
      scope = {
        ...scope,
        ctes: new Map([...(scope.ctes ?? []), [cte.name.toLowerCase(), { sql: name, columns } satisfies Cte]]),
      }
    }
    const before = withs.length > 0 ? `WITH ${withs.join(', ')} ` : ''
    const after = `${query.limit === undefined ? '' : ` LIMIT ${query.limit}`}${query.offset === undefined ? '' : ` OFFSET ${query.offset}`}`
    if (query.body.kind === 'select') {
      const { sql, columns } = this.select(query.body, query.orderBy, scope, shown)
      return { sql: `${before}${sql}${after}`, columns }
    }
    const { sql, columns } = this.body(query.body, scope)
    if (query.orderBy.length === 0 && after === '' && !shown) return { sql: `${before}${sql}`, columns }
    const name = this.fresh('t')
    const list = columns.map((_, index) => `${name}.c${index}`)
    const inner: Scope = {
      columns: columns.map(({ name, type }, index) => ({ name, type, sql: list[index] ?? '' })),
      outer: scope,
    }
    const order = query.orderBy.map((one) => {
      const place = ordinal(one.by)
      if (place !== undefined) return `${this.place(place, columns.length, one.at)}${direction(one)}`
      return `${this.on.key(one.by, inner).sql}${direction(one)}`
    })
    const sorted = order.length > 0 ? ` ORDER BY ${order.join(', ')}` : ''
    return {
      sql: `${before}SELECT ${columns.map((column, index) => resultColumn(list[index] ?? '', column, index, shown)).join(', ')} FROM (${sql}) AS ${name}${sorted}${after}`,
      columns,
    }
  }

  private place(place: number, count: number, at: number): number {
    if (place < 1 || place > count) throw this.wrong(at, `there is no column ${place}: the query has ${count}.`)
    return place
  }

  private renamed<T extends { name: string }>(columns: T[], names: string[] | undefined, at: number): T[] {
    if (!names) return columns
    if (names.length !== columns.length)
      throw this.wrong(at, `${names.length} names are given to ${columns.length} columns.`)
    return columns.map((column, index) => ({ ...column, name: names[index] ?? column.name }))
  }

  private body(body: Body, scope: Scope): Result {
    switch (body.kind) {
      case 'select':
        return this.select(body, [], scope)
      case 'nested': {
        const { sql, columns } = this.query(body.query, scope)
        return { sql: `(${sql})`, columns }
      }
      case 'values': {
        const rows = body.rows.map((row) => row.map((one) => this.on.expr(one, scope)))
        const width = rows[0]?.length ?? 0
        const odd = body.rows.find((row) => row.length !== width)
        if (odd)
          throw this.wrong(odd[0]?.at ?? body.at, `the rows of VALUES differ in length: ${width} and ${odd.length}.`)
        const types = Array.from({ length: width }, (_, column) =>
          this.on.together(
            rows.flatMap((row) => row[column] ?? []),
            'VALUES',
          ),
        )
        const lines = rows.map((row) => `(${row.map((one, column) => as(one, types[column] ?? one.type)).join(', ')})`)
        const names = types.map((_, index) => `c${index}`)
        return {
          sql: `SELECT ${names.join(', ')} FROM (VALUES ${lines.join(', ')}) AS ${this.fresh('v')}(${names.join(', ')})`,
          columns: types.map((type, index) => ({ name: `_col${index}`, type })),
        }
      }
      case 'set': {
        const [left, right] = [this.body(body.left, scope), this.body(body.right, scope)]
        if (left.columns.length !== right.columns.length)
          throw this.wrong(
            body.at,
            `${body.op} needs the same number of columns: ${left.columns.length} and ${right.columns.length}.`,
          )
        const columns = left.columns.map(({ name, type }, index) => {
          const other = right.columns[index]?.type ?? type
          const wider = common(type, other)
          if (!wider)
            throw this.wrong(
              body.at,
              `column ${index + 1} of ${body.op} is ${athenaName(type)} here and ${athenaName(other)} there.`,
            )
          if (!body.all || body.op !== 'UNION') this.on.needOrder({ sql: '', type: wider, at: body.at })
          return { name, type: wider }
        })
        const sides = [left, right].map((side) => this.cast(side, columns))
        return { sql: `(${sides[0]}) ${body.op}${body.all ? ' ALL' : ''} (${sides[1]})`, columns }
      }
    }
  }

  /** A query whose columns are taken for wider types. */
  private cast({ sql, columns }: Result, to: { type: Type }[]): string {
    if (columns.every(({ type }, index) => t.same(type, to[index]?.type ?? type))) return sql
    const name = this.fresh('t')
    const list = columns.map(
      ({ type }, index) => `${as({ sql: `${name}.c${index}`, type, at: 0 }, to[index]?.type ?? type)} AS c${index}`,
    )
    return `SELECT ${list.join(', ')} FROM (${sql}) AS ${name}`
  }

  private select(select: Select, orderBy: Order[], outer: Scope, shown = false): Result {
    const from = select.from
      ? this.relation(select.from, { columns: [], outer, ...(outer.ctes ? { ctes: outer.ctes } : {}) })
      : undefined
    const scope: Scope = { columns: from?.columns ?? [], outer, ...(outer.ctes ? { ctes: outer.ctes } : {}) }
    const items: { name: string; typed: Typed; alias?: string }[] = []
    for (const item of select.items) {
      if (item.star) {
        const of = item.of?.join('.').toLowerCase()
        const found = scope.columns.filter(
          (column) => !column.hidden && (of === undefined || column.tables?.includes(of)),
        )
        if (found.length === 0)
          throw this.wrong(
            item.at,
            of === undefined ? 'SELECT * needs a FROM.' : `there is no table ${item.of?.join('.')} in FROM.`,
          )
        for (const { name, sql, type } of found) items.push({ name, typed: { sql, type, at: item.at } })
      } else {
        const typed = this.on.expr(item.expr, scope)
        const name = item.alias ?? nameOf(item.expr, scope) ?? `_col${items.length}`
        items.push({ name, typed, ...(item.alias === undefined ? {} : { alias: item.alias }) })
      }
    }
    const list = items.map(({ name, typed }, index) =>
      resultColumn(typed.sql, { name, type: typed.type }, index, shown),
    )
    let sql = `SELECT ${select.distinct ? 'DISTINCT ' : ''}${list.join(', ')}`
    if (select.distinct) for (const { typed } of items) this.on.needOrder(typed)
    if (from) sql += ` FROM ${from.sql}`
    if (select.where) sql += ` WHERE ${this.on.condition(select.where, scope)}`
    if (select.groupBy) sql += ` GROUP BY ${select.groupBy.map((one) => this.grouping(one, items, scope)).join(', ')}`
    if (select.having) sql += ` HAVING ${this.on.condition(select.having, scope)}`
    if (orderBy.length > 0) {
      const sorted = orderBy.map((one) => this.order(one, items, scope))
      if (select.distinct) this.onlyShown(orderBy, sorted, items)
      sql += ` ORDER BY ${sorted.join(', ')}`
    }
    return { sql, columns: items.map(({ name, typed }) => ({ name, type: typed.type })) }
  }

  /** Behind DISTINCT only what is shown can be sorted by: other columns have several values for one row. */
  private onlyShown(orderBy: Order[], sorted: string[], items: { typed: Typed }[]): void {
    for (const [index, order] of orderBy.entries()) {
      const sql = sorted[index]
      const isShown = /^\d+ /.test(sql ?? '') || items.some(({ typed }) => `${typed.sql}${direction(order)}` === sql)
      if (!isShown)
        throw this.wrong(order.at, 'with SELECT DISTINCT, ORDER BY takes columns that are shown: name it in SELECT.')
    }
  }

  private grouping(grouping: Grouping, items: { typed: Typed }[], scope: Scope): string {
    const key = (expr: Expr): string => {
      const place = ordinal(expr)
      if (place === undefined) return this.on.key(expr, scope).sql
      const item = items[this.place(place, items.length, expr.at) - 1]
      if (!item) throw this.wrong(expr.at, `there is no column ${place}.`)
      this.on.needOrder(item.typed)
      return item.typed.sql
    }
    const keys = (exprs: Expr[]): string => exprs.map(key).join(', ')
    if (grouping.kind !== 'simple')
      for (const expr of grouping.kind === 'SETS' ? grouping.sets.flat() : grouping.exprs)
        if (expr.kind !== 'name' && expr.kind !== 'dot')
          throw this.wrong(
            expr.at,
            `${grouping.kind === 'SETS' ? 'GROUPING SETS' : grouping.kind} takes columns in Athena: give the expression a name in a subquery.`,
          )
    if (grouping.kind === 'simple') return grouping.exprs.length === 0 ? '()' : keys(grouping.exprs)
    if (grouping.kind === 'SETS') return `GROUPING SETS (${grouping.sets.map((set) => `(${keys(set)})`).join(', ')})`
    return `${grouping.kind} (${keys(grouping.exprs)})`
  }

  /** ORDER BY sees the columns of the result first, then those of FROM. */
  private order(order: Order, items: { name: string; typed: Typed; alias?: string }[], scope: Scope): string {
    const place = ordinal(order.by)
    if (place !== undefined) {
      const item = items[this.place(place, items.length, order.at) - 1]
      if (item) this.on.needOrder(item.typed)
      return `${place}${direction(order)}`
    }
    const { by } = order
    const named = by.kind === 'name' ? items.filter(({ name }) => name.toLowerCase() === by.name.toLowerCase()) : []
    const [item] = named
    if (item && by.kind === 'name') {
      if (new Set(named.map(({ typed }) => typed.sql)).size > 1)
        throw this.wrong(order.at, `the name ${by.name} could mean several columns of the result.`)
      this.on.needOrder(item.typed)
      return `${items.indexOf(item) + 1}${direction(order)}`
    }
    const aliases = items.flatMap(({ alias, typed }) =>
      alias === undefined ? [] : [{ name: alias, type: typed.type, sql: typed.sql }],
    )
    const shadowed = scope.columns.filter(
      (column) => !aliases.some(({ name }) => name.toLowerCase() === column.name.toLowerCase()) || column.tables,
    )
    const seen: Scope =
      aliases.length > 0 ? { ...scope, columns: aliases, outer: { ...scope, columns: shadowed } } : scope
    return `${this.on.key(order.by, seen).sql}${direction(order)}`
  }

  // --- FROM ---

  private relation(relation: Relation, scope: Scope): { sql: string; columns: Column[] } {
    switch (relation.kind) {
      case 'table':
        return this.table(relation, scope)
      case 'query': {
        const { sql, columns } = this.query(relation.query, outside(scope))
        return this.aliased(`(${sql})`, columns, relation.alias, relation.at)
      }
      case 'unnest':
        return this.unnest(relation, scope)
      case 'join':
        return this.join(relation, scope)
    }
  }

  private aliased(
    sql: string,
    columns: { name: string; type: Type }[],
    alias: Alias | undefined,
    at: number,
    tables: string[] = [],
  ): { sql: string; columns: Column[] } {
    const name = this.fresh('t')
    const renamed = this.renamed(columns, alias?.columns, at)
    return {
      sql: `${sql} AS ${name}`,
      columns: renamed.map((column, index) => ({
        ...column,
        sql: `${name}.c${index}`,
        tables: alias ? [alias.name.toLowerCase()] : tables,
      })),
    }
  }

  private table(
    { names, asOf, alias, at }: Extract<Relation, { kind: 'table' }>,
    scope: Scope,
  ): { sql: string; columns: Column[] } {
    const parts = names.map((name) => name.toLowerCase())
    if (parts.length === 3 && parts[0] === 'awsdatacatalog') parts.shift()
    const [schema = '', table = ''] = parts
    if (parts.length === 1) {
      const cte = cteNamed(schema, scope)
      if (cte && asOf) throw this.wrong(asOf.at, `${names[0]} is a name of WITH and has no history.`)
      if (cte)
        return this.aliased(
          cte.sql.includes(' ') ? `(${cte.sql})` : `(SELECT * FROM ${cte.sql})`,
          cte.columns,
          alias,
          at,
          [schema],
        )
      if (this.known.unknown) throw this.wrong(at, this.known.unknown(names))
      throw new QueryError(
        `The table ${names[0]} needs its zone (${placeText(this.sql, at)}): write clean.${names[0]}, curated.${names[0]} or ops.${names[0]}.`,
      )
    }
    if (this.known.unknown) throw this.wrong(at, this.known.unknown(names))
    if (parts.length === 2 && schema === 'information_schema') {
      const found = this.known.information(table)
      if (found) return this.aliased(`(${found.sql})`, found.columns, alias, at, [table, `${schema}.${table}`])
      throw new QueryError(
        `There is no table ${names.join('.')}. There are information_schema.tables, columns and schemata.`,
      )
    }
    if (!['clean', 'curated', 'ops'].includes(schema) || parts.length !== 2) {
      throw new QueryError(
        `There is no zone ${names.slice(0, -1).join('.')} that can be queried (${placeText(this.sql, at)}). The zones with tables are: clean, curated, ops.`,
      )
    }
    if (asOf && schema !== 'curated')
      throw this.wrong(asOf.at, `${schema} has no history: FOR … AS OF is for curated tables.`)
    if (asOf && !this.known.at)
      throw unsupported(this.sql, asOf.at, 'FOR … AS OF', 'Here tables are read as they are now.')
    const found =
      this.known.at?.(`${schema}.${table}`, asOf) ??
      this.known.tables.find(({ name }) => name.toLowerCase() === `${schema}.${table}`)
    if (!found)
      throw new QueryError(
        `There is no table ${names.join('.')}. The tables are: ${this.known.tables.map(({ name }) => name).join(', ')}.`,
      )
    this.reads.add(found.name)
    const own = new Set(found.columns.map(({ name }) => name.toLowerCase()))
    const all = [...found.columns, ...found.partitionKeys.filter(({ name }) => !own.has(name.toLowerCase()))]
    const name = this.fresh('t')
    const dot = found.name.indexOf('.')
    const columns: Column[] = this.renamed(
      all.map((column) => ({
        name: column.name,
        type: typeOfColumn(column.type),
        sql: `${name}.${ident(column.name)}`,
        tables: alias ? [alias.name.toLowerCase()] : [table, `${schema}.${table}`],
      })),
      alias?.columns,
      at,
    )
    if (schema !== 'ops') {
      const translation = this
      columns.push({
        name: '$path',
        type: t.VARCHAR,
        hidden: true,
        tables: columns[0]?.tables ?? [],
        get sql() {
          translation.paths = true
          return `${name}."$path"`
        },
      })
    }
    return { sql: `${ident(found.name.slice(0, dot))}.${ident(found.name.slice(dot + 1))} AS ${name}`, columns }
  }

  private unnest(
    { of, ordinality, alias, at }: Extract<Relation, { kind: 'unnest' }>,
    scope: Scope,
  ): { sql: string; columns: Column[] } {
    const inner: string[] = []
    const outer: string[] = []
    const columns: { name: string; type: Type }[] = []
    const lists: string[] = []
    const add = (sql: string, type: Type) => {
      outer.push(`${sql} AS c${columns.length}`)
      columns.push({ name: `_col${columns.length}`, type })
    }
    for (const expr of of) {
      const { sql, type } = this.on.expr(expr, scope)
      if (type.of === 'map') {
        lists.push(`map_keys(${sql})`)
        for (const [fn, item] of [
          ['map_keys', type.key],
          ['map_values', type.value],
        ] as const) {
          add(`u${inner.length}`, item)
          inner.push(`unnest(${fn}(${sql})) AS u${inner.length}`)
        }
      } else if (type.of === 'array') {
        lists.push(sql)
        const at = inner.length
        inner.push(`unnest(${sql}) AS u${at}`)
        // An array of rows gives a column for each field.
        if (type.item.of === 'row')
          for (const field of type.item.fields) add(`struct_extract(u${at}, ${text(field.name ?? '')})`, field.type)
        else add(`u${at}`, type.item)
      } else throw this.wrong(expr.at, `UNNEST takes an array or a map, and this is ${athenaName(type)}.`)
    }
    if (ordinality) {
      const longest =
        lists.length === 1
          ? `len(${lists[0]})`
          : `greatest(${lists.map((list) => `coalesce(len(${list}), 0)`).join(', ')})`
      add(`u${inner.length}`, t.BIGINT)
      inner.push(`unnest(generate_series(1, ${longest})) AS u${inner.length}`)
    }
    return this.aliased(`(SELECT ${outer.join(', ')} FROM (SELECT ${inner.join(', ')}))`, columns, alias, at)
  }

  private join(join: Extract<Relation, { kind: 'join' }>, scope: Scope): { sql: string; columns: Column[] } {
    const left = this.relation(join.left, scope)
    const isUnnest = join.right.kind === 'unnest'
    // UNNEST sees what stands before it.
    const right = this.relation(
      join.right,
      isUnnest ? { ...scope, columns: [...scope.columns, ...left.columns] } : scope,
    )
    const columns = [...left.columns, ...right.columns]
    const lateral = isUnnest ? 'LATERAL ' : ''
    if (isUnnest && (join.using || (join.type !== 'CROSS' && join.type !== 'INNER' && join.type !== 'LEFT')))
      throw unsupported(
        this.sql,
        join.at,
        `${join.type} JOIN UNNEST`,
        'Write CROSS JOIN UNNEST(…) or LEFT JOIN UNNEST(…) ON TRUE.',
      )
    if (isUnnest && join.type !== 'CROSS' && !(join.on?.kind === 'literal' && join.on.value === 'true'))
      throw unsupported(
        this.sql,
        join.at,
        'A join with UNNEST on a condition',
        'Write ON TRUE, and the condition in WHERE.',
      )
    if (join.type === 'CROSS')
      return { sql: `${left.sql} CROSS JOIN ${lateral}${wrap(right.sql, join.right)}`, columns }
    const words = join.type === 'INNER' ? 'JOIN' : `${join.type} JOIN`
    if (join.on) {
      const on = this.on.condition(join.on, { ...scope, columns })
      return { sql: `${left.sql} ${words} ${lateral}${wrap(right.sql, join.right)} ON ${on}`, columns }
    }
    const shared: Column[] = []
    const conditions = (join.using ?? []).map((name) => {
      const pick = (side: Column[]): Column => {
        const found = side.filter((column) => column.name.toLowerCase() === name.toLowerCase() && !column.hidden)
        const [column] = found
        if (!column || found.length > 1)
          throw this.wrong(
            join.at,
            `USING (${name}): ${column ? 'several columns have' : 'one side has no column of'} that name.`,
          )
        return column
      }
      const [a, b] = [pick(left.columns), pick(right.columns)]
      const [l, r] = [
        { sql: a.sql, type: a.type, at: join.at },
        { sql: b.sql, type: b.type, at: join.at },
      ]
      const type = this.on.together([l, r], `USING (${name})`)
      const sql =
        join.type === 'FULL'
          ? `coalesce(${as(l, type)}, ${as(r, type)})`
          : join.type === 'RIGHT'
            ? as(r, type)
            : as(l, type)
      shared.push({ name: a.name, type, sql })
      return this.on.compare('=', l, r, join.at)
    })
    const used = new Set(shared.map(({ name }) => name.toLowerCase()))
    const rest = columns.filter((column) => column.hidden || !used.has(column.name.toLowerCase()))
    return {
      sql: `${left.sql} ${words} ${wrap(right.sql, join.right)} ON ${conditions.join(' AND ')}`,
      columns: [...shared, ...rest],
    }
  }
}

const wrap = (sql: string, relation: Relation): string => (relation.kind === 'join' ? `(${sql})` : sql)

/** A column of a result; people see it by its own name, and instants as Athena writes them. */
function resultColumn(
  sql: string,
  { name, type }: { name: string; type: Type },
  index: number,
  shown: boolean,
): string {
  if (!shown) return `${sql} AS c${index}`
  return `${type.of === 'instant' ? `strftime(${sql}, '%Y-%m-%d %H:%M:%S.%g UTC')` : sql} AS ${ident(name)}`
}

/** A subquery in FROM sees the names of WITH, and not its neighbours. */
const outside = (scope: Scope): Scope => ({
  columns: [],
  outer: scope.outer,
  ...(scope.ctes ? { ctes: scope.ctes } : {}),
})

function cteNamed(name: string, scope: Scope): Cte | undefined {
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    const found = at.ctes?.get(name)
    if (found) return found
  }
  return undefined
}

/** ORDER BY 1 and GROUP BY 1 mean the first column. */
const ordinal = (expr: Expr): number | undefined =>
  expr.kind === 'literal' && expr.of === 'integer' ? Number(expr.value) : undefined

/** The name that a column of the result gets without AS: a column's own, or a field's. */
function nameOf(expr: Expr, scope: Scope): string | undefined {
  if (expr.kind === 'dot') return expr.name
  if (expr.kind !== 'name') return undefined
  const small = expr.name.toLowerCase()
  return scope.columns.find((column) => column.name.toLowerCase() === small)?.name ?? expr.name
}
