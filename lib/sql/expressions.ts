// Expressions of Athena's SQL as DuckDB's. Every expression gets the type that it has in Athena, so that what Athena decides by
// type (division, casts, comparisons) is decided the same way here, and what Athena refuses is refused before anything runs.

import type { Call, Expr, Literal, Order, Query, TypeName, Window } from './ast.ts'
import { castTo } from './casts.ts'
import { QueryError } from './errors.ts'
import { functionNamed } from './functions.ts'
import { placeOf, placeText, unsupported } from './lex.ts'
import { name as ident, text } from './quote.ts'
import { resolve, type Scope } from './scope.ts'
import * as t from './types.ts'
import { athenaName, common, type Type } from './types.ts'

/** An expression in DuckDB's SQL, with its type in Athena. */
export interface Typed {
  sql: string
  type: Type
  /** What a literal text or whole number says. */
  literal?: string
  /** A text of a number that may not be written as in Athena, but is the same number. */
  asNumber?: string | undefined
  at: number
}

/** What an expression needs to know of the statement that it stands in. */
export interface Context {
  sql: string
  /** Names that nothing else in the statement has. */
  fresh(prefix: string): string
  query(query: Query, scope: Scope): { sql: string; columns: { name: string; type: Type }[] }
}

/** The most that one expression may become. */
const LONGEST = 100_000

/** What begins every message that a translated statement raises itself while it runs. */
export const RAISED = 'weir:'

/** An expression that stops the query with a message once it is evaluated. TRY(…) takes it for what it is, as it does not error(). */
export function raise(message: string, type: Type): string {
  const stop = `CAST(${text(`${RAISED}${message}`)} AS INTEGER)`
  if (t.isNumber(type) || type.of === 'unknown')
    return `CAST(${stop} AS ${type.of === 'unknown' ? 'INTEGER' : t.duckdbName(type)})`
  if (type.of === 'varchar') return `CAST(${stop} AS VARCHAR)`
  if (type.of === 'boolean') return `CAST(${stop} AS BOOLEAN)`
  return `CAST(CAST(${stop} AS VARCHAR) AS ${t.duckdbName(type)})`
}

/** Takes an expression for another type, where Athena does that unasked. */
export function as(typed: Typed, type: Type): string {
  return t.same(typed.type, type) || duckdbSame(typed.type, type)
    ? typed.sql
    : `CAST(${typed.sql} AS ${t.duckdbName(type)})`
}

const duckdbSame = (a: Type, b: Type): boolean => t.duckdbName(a) === t.duckdbName(b)

export class Expressions {
  readonly context: Context
  constructor(context: Context) {
    this.context = context
  }

  wrong(at: number, why: string): QueryError {
    const { sql } = this.context
    return new QueryError(`${placeText(sql, at)}: ${why}`, { place: placeOf(sql, at) })
  }
  refuse(at: number, construct: string, advice: string): QueryError {
    return unsupported(this.context.sql, at, construct, advice)
  }

  /** The common type of several, or an error as Athena's. */
  together(all: Typed[], what: string): Type {
    let type: Type = t.UNKNOWN
    for (const one of all) {
      const wider = common(type, one.type)
      if (!wider)
        throw this.wrong(
          one.at,
          `${what}: ${athenaName(type)} and ${athenaName(one.type)} have no type in common. Write CAST(x AS type).`,
        )
      type = wider
    }
    return type
  }

  expr(expr: Expr, scope: Scope): Typed {
    const typed = this.untested(expr, scope)
    // What is asked for twice in the translation is there twice, so that nested calls grow fast.
    if (typed.sql.length > LONGEST)
      throw this.wrong(expr.at, 'functions are nested too deeply here: take the inner ones into a WITH before.')
    return typed
  }

  private untested(expr: Expr, scope: Scope): Typed {
    const { at } = expr
    const done = (sql: string, type: Type): Typed => ({ sql, type, at })
    switch (expr.kind) {
      case 'literal':
        return this.literal(expr)
      case 'name':
      case 'dot':
        return this.reference(expr, scope)
      case 'index':
        return this.index(this.expr(expr.of, scope), this.expr(expr.index, scope), at)
      case 'call':
        return this.call(expr, scope)
      case 'lambda':
        throw this.wrong(at, 'a lambda (->) can only be the argument of a function that takes one.')
      case 'interval':
        return this.interval(expr)
      case 'binary':
        return this.binary(expr, scope)
      case 'not':
        return done(`(NOT ${this.condition(expr.of, scope)})`, t.BOOLEAN)
      case 'negative': {
        const of = this.expr(expr.of, scope)
        if (!t.isNumber(of.type)) throw this.wrong(at, `- cannot be put before ${athenaName(of.type)}.`)
        return done(`(-${of.sql})`, of.type)
      }
      case 'between': {
        const [of, low, high] = [this.expr(expr.of, scope), this.expr(expr.low, scope), this.expr(expr.high, scope)]
        const above = this.compare('>=', of, low, at)
        return done(`(${above} AND ${this.compare('<=', of, high, at)})`, t.BOOLEAN)
      }
      case 'in': {
        const of = this.expr(expr.of, scope)
        const list = expr.list.map((one) => this.expr(one, scope))
        const type = this.comparable([of, ...list], 'IN', at)
        return done(`(${as(of, type)} IN (${list.map((one) => as(one, type)).join(', ')}))`, t.BOOLEAN)
      }
      case 'inQuery':
      case 'quantified':
        return this.againstQuery(expr, scope)
      case 'like': {
        const parts = [expr.of, expr.pattern, ...(expr.escape ? [expr.escape] : [])].map((one) => this.expr(one, scope))
        for (const part of parts)
          if (!['varchar', 'unknown'].includes(part.type.of))
            throw this.wrong(part.at, `LIKE compares texts, and this is ${athenaName(part.type)}.`)
        const [of, pattern, escaping] = parts
        if (escaping && escaping.literal?.length !== 1) throw this.wrong(escaping.at, 'ESCAPE takes one character.')
        if (escaping?.literal && pattern) return done(this.escaped(of?.sql ?? '', pattern, escaping.literal), t.BOOLEAN)
        return done(`(${of?.sql} LIKE ${pattern?.sql}${escaping ? ` ESCAPE ${escaping.sql}` : ''})`, t.BOOLEAN)
      }
      case 'isNull':
        return done(`(${this.expr(expr.of, scope).sql} IS NULL)`, t.BOOLEAN)
      case 'distinctFrom': {
        const [left, right] = [this.expr(expr.left, scope), this.expr(expr.right, scope)]
        const type = this.comparable([left, right], 'IS DISTINCT FROM', at)
        return done(`(${as(left, type)} IS DISTINCT FROM ${as(right, type)})`, t.BOOLEAN)
      }
      case 'exists':
        return done(`EXISTS (${this.context.query(expr.query, scope).sql})`, t.BOOLEAN)
      case 'subquery': {
        const { sql, type } = this.oneColumn(expr.query, scope, at)
        return done(`(${sql})`, type)
      }
      case 'case':
        return this.caseOf(expr, scope)
      case 'cast':
        return this.cast(expr, scope)
      case 'array': {
        const items = expr.items.map((one) => this.expr(one, scope))
        const item = this.together(items, 'ARRAY[…]')
        const list = `[${items.map((one) => as(one, item)).join(', ')}]`
        return done(item.of === 'unknown' ? list : `CAST(${list} AS ${t.duckdbName(item)}[])`, { of: 'array', item })
      }
      case 'row':
        throw this.refuse(
          at,
          'A row without names',
          'Write CAST(ROW(…) AS ROW(name type, …)), or compare column by column.',
        )
    }
  }

  /** LIKE … ESCAPE, where the sign may only stand before %, _ and itself. */
  private escaped(of: string, pattern: Typed, sign: string): string {
    const like = `(${of} LIKE ${pattern.sql} ESCAPE ${text(sign)})`
    const why = `In a pattern of LIKE, the character ${sign} of ESCAPE stands before %, _ or itself.`
    if (pattern.literal !== undefined) {
      const rest = pattern.literal
        .replaceAll(sign + sign, '')
        .replaceAll(`${sign}%`, '')
        .replaceAll(`${sign}_`, '')
      if (rest.includes(sign)) throw this.wrong(pattern.at, why)
      return like
    }
    const rest = ['', '%', '_'].reduce((sql, one) => `replace(${sql}, ${text(sign + (one || sign))}, '')`, pattern.sql)
    return `(CASE WHEN strpos(${rest}, ${text(sign)}) > 0 THEN ${raise(why, t.BOOLEAN)} ELSE ${like} END)`
  }

  /** An expression that must be true or false. */
  condition(expr: Expr, scope: Scope): string {
    const { sql, type, at } = this.expr(expr, scope)
    if (type.of !== 'boolean' && type.of !== 'unknown')
      throw this.wrong(at, `a condition must be boolean, and this is ${athenaName(type)}.`)
    return sql
  }

  private literal({ of, value, at }: Literal): Typed {
    switch (of) {
      case 'null':
        return { sql: 'NULL', type: t.UNKNOWN, at }
      case 'boolean':
        return { sql: value, type: t.BOOLEAN, at }
      case 'integer': {
        const number = BigInt(value)
        const fits = (bits: bigint) => -(1n << (bits - 1n)) <= number && number < 1n << (bits - 1n)
        if (!fits(64n))
          throw this.wrong(at, `${value} is too large for a bigint: write CAST('${value}' AS decimal(38,0)).`)
        const type = fits(32n) ? t.INTEGER : t.BIGINT
        return { sql: `CAST(${value} AS ${t.duckdbName(type)})`, type, literal: value, at }
      }
      case 'decimal': {
        const [, sign = '', whole = '', part = ''] = /^(-?)(\d*)\.(\d*)$/.exec(value) ?? []
        const digits = `${whole.replace(/^0+/, '')}${part}`.length || 1
        if (digits > 38) throw this.wrong(at, `${value} has more than 38 digits.`)
        const type = t.decimal(digits, part.length)
        return {
          sql: `CAST('${sign}${whole || '0'}.${part || '0'}' AS ${t.duckdbName(type)})`,
          type,
          literal: value,
          at,
        }
      }
      case 'double':
        return { sql: `CAST(${text(value)} AS DOUBLE)`, type: t.DOUBLE, literal: value, at }
      case 'text':
        if (value.includes('\0')) throw this.wrong(at, 'a text cannot have the character 0.')
        return { sql: text(value), type: t.VARCHAR, literal: value, at }
      case 'date':
        if (!isDay(value)) throw this.wrong(at, `'${value}' is no date. Write DATE '2026-01-31'.`)
        return { sql: `DATE ${text(value)}`, type: t.DATE, at }
      case 'timestamp': {
        const [, day = '', rest = ''] = /^(\d{4}-\d\d-\d\d)(.*)$/.exec(value) ?? []
        if (/^ [\d:.]+ *[+A-Za-z-]/.test(rest))
          throw this.refuse(at, 'A TIMESTAMP with a time zone', 'Write it in UTC, without the zone.')
        if (!isDay(day) || !/^( ([01]\d|2[0-3]):[0-5]\d(:[0-5]\d(\.\d{1,3})?)?)?$/.test(rest))
          throw this.wrong(at, `'${value}' is no timestamp. Write TIMESTAMP '2026-01-31 12:30:00'.`)
        return {
          sql: `TIMESTAMP ${text(/^ \d\d:\d\d$/.test(rest) ? `${value}:00` : value)}`,
          type: { of: 'timestamp', digits: /\.(\d+)$/.exec(rest)?.[1]?.length ?? 0 },
          at,
        }
      }
    }
  }

  private interval({ negative, value, unit, at }: Extract<Expr, { kind: 'interval' }>): Typed {
    const months = ['YEAR', 'MONTH'].includes(unit)
    if (!months && !['DAY', 'HOUR', 'MINUTE', 'SECOND'].includes(unit))
      throw this.refuse(
        at,
        `INTERVAL … ${unit}`,
        'The units are YEAR, MONTH, DAY, HOUR, MINUTE and SECOND; a week is 7 days.',
      )
    if (!/^-?\d{1,9}$/.test(value)) throw this.refuse(at, `INTERVAL '${value}'`, 'Write a whole number.')
    const number = Number(value) * (negative ? -1 : 1)
    return {
      sql: `INTERVAL (${number}) ${unit}`,
      type: { of: months ? 'months' : 'span' },
      literal: unit,
      at,
    }
  }

  private reference(expr: Expr, scope: Scope): Typed {
    const names: string[] = []
    let base = expr
    while (base.kind === 'dot') {
      names.unshift(base.name)
      base = base.of
    }
    let found: Typed
    if (base.kind === 'name') {
      names.unshift(base.name)
      const { sql, type, used } = resolve(names, scope, (why) => this.wrong(base.at, why))
      found = { sql, type, at: expr.at }
      names.splice(0, used)
    } else found = this.expr(base, scope)
    for (const name of names) found = this.field(found, name)
    return found
  }

  private field(of: Typed, name: string): Typed {
    const fields = of.type.of === 'row' ? of.type.fields : undefined
    if (!fields) throw this.wrong(of.at, `.${name} asks for a field of a row, and this is ${athenaName(of.type)}.`)
    const field = fields.find((field) => field.name?.toLowerCase() === name.toLowerCase())
    if (field?.name === undefined) throw this.wrong(of.at, `there is no field ${name} in ${athenaName(of.type)}.`)
    return { sql: `struct_extract(${of.sql}, ${text(field.name)})`, type: field.type, at: of.at }
  }

  private index(of: Typed, index: Typed, at: number): Typed {
    if (of.type.of === 'array') {
      if (!t.isInteger(index.type))
        throw this.wrong(index.at, `the place in an array is a whole number, and this is ${athenaName(index.type)}.`)
      const stop = raise(
        'The place in an array is beyond its end, or below 1. Use element_at(array, place) to get NULL instead.',
        of.type.item,
      )
      return {
        sql: `(CASE WHEN ${index.sql} < 1 OR ${index.sql} > len(${of.sql}) THEN ${stop} ELSE ${of.sql}[${index.sql}] END)`,
        type: of.type.item,
        at,
      }
    }
    if (of.type.of === 'map') {
      const key = this.taken(index, of.type.key, 'the key of a map')
      const stop = raise('The key is not in the map. Use element_at(map, key) to get NULL instead.', of.type.value)
      return {
        sql: `(CASE WHEN NOT map_contains(${of.sql}, ${key}) THEN ${stop} ELSE map_extract_value(${of.sql}, ${key}) END)`,
        type: of.type.value,
        at,
      }
    }
    throw this.wrong(at, `[ ] takes a part of an array or a map, and this is ${athenaName(of.type)}.`)
  }

  /** An argument that must be of a type, or can be taken for it. */
  taken(typed: Typed, type: Type, what: string): string {
    const wider = common(typed.type, type)
    if (!wider || !t.same(wider, type))
      throw this.wrong(typed.at, `${what} must be ${athenaName(type)}, and this is ${athenaName(typed.type)}.`)
    return as(typed, type)
  }

  private comparable(all: Typed[], what: string, at: number): Type {
    const type = this.together(all, `${what} cannot compare these`)
    const ordered = ['<', '<=', '>', '>='].includes(what)
    if (['json', 'foreign', 'months', 'span', 'row'].includes(type.of) || (type.of === 'map' && ordered))
      throw this.refuse(at, `${what} between values of the type ${athenaName(type)}`, 'Compare their parts.')
    if (type.of === 'array' || type.of === 'map')
      throw this.refuse(
        at,
        `${what} between values of the type ${athenaName(type)}`,
        "Compare array_join(x, ','), or their parts.",
      )
    return type
  }

  compare(op: string, left: Typed, right: Typed, at: number): string {
    const type = this.comparable([left, right], op, at)
    return `(${as(left, type)} ${op} ${as(right, type)})`
  }

  private binary({ op, left: l, right: r, at }: Extract<Expr, { kind: 'binary' }>, scope: Scope): Typed {
    if (op === 'AND' || op === 'OR')
      return { sql: `(${this.condition(l, scope)} ${op} ${this.condition(r, scope)})`, type: t.BOOLEAN, at }
    const [left, right] = [this.expr(l, scope), this.expr(r, scope)]
    if (op === '||') return this.joined(left, right, at)
    if (['=', '<>', '<', '<=', '>', '>='].includes(op))
      return { sql: this.compare(op, left, right, at), type: t.BOOLEAN, at }
    return this.arithmetic(op, left, right, at)
  }

  private joined(left: Typed, right: Typed, at: number): Typed {
    const kinds = [left.type.of, right.type.of]
    // DuckDB would make it an integer.
    if (kinds.includes('unknown')) {
      const type = kinds.includes('array') ? this.together([left, right], '||') : t.VARCHAR
      if (type.of === 'array' || kinds.every((kind) => kind === 'varchar' || kind === 'unknown'))
        return { sql: `CAST(NULL AS ${t.duckdbName(type)})`, type, at }
    }
    if (kinds.every((kind) => kind === 'varchar'))
      return { sql: `(${as(left, t.VARCHAR)} || ${as(right, t.VARCHAR)})`, type: t.VARCHAR, at }
    if (kinds.every((kind) => kind === 'array')) {
      const type = this.together([left, right], '||')
      const [a, b] = [as(left, type), as(right, type)]
      return { sql: `(CASE WHEN ${a} IS NOT NULL AND ${b} IS NOT NULL THEN list_concat(${a}, ${b}) END)`, type, at }
    }
    throw this.wrong(
      at,
      `|| joins texts, or arrays, and these are ${athenaName(left.type)} and ${athenaName(right.type)}. Write CAST(x AS varchar).`,
    )
  }

  arithmetic(op: string, left: Typed, right: Typed, at: number): Typed {
    const dated = this.datePlus(op, left, right, at)
    if (dated) return dated
    const bad = () =>
      this.wrong(at, `${op} cannot be put between ${athenaName(left.type)} and ${athenaName(right.type)}.`)
    const type = common(left.type, right.type)
    if (!type) throw bad()
    if (type.of === 'unknown') return { sql: 'CAST(NULL AS INTEGER)', type: t.INTEGER, at }
    if (!t.isNumber(type)) throw bad()
    const divides = op === '/' || op === '%'
    const guarded = (zero: string, sql: string, result: Type): Typed => ({
      sql: `(CASE WHEN ${zero} = 0 THEN ${raise('Division by zero. Use x / nullif(y, 0) to get NULL instead.', result)} ELSE ${sql} END)`,
      type: result,
      at,
    })
    if (type.of === 'decimal') return this.decimals(op, left, right, guarded, at)
    const [a, b] = [as(left, type), as(right, type)]
    if (!t.isInteger(type) || !divides) {
      return { sql: `(${a} ${op} ${b})`, type, at }
    }
    return guarded(b, `(${a} ${op === '/' ? '//' : op} ${b})`, type)
  }

  private decimals(
    op: string,
    left: Typed,
    right: Typed,
    guarded: (zero: string, sql: string, result: Type) => Typed,
    at: number,
  ): Typed {
    const [p, q] = [left.type, right.type].map((type) =>
      type.of === 'unknown' ? { precision: 1, scale: 0 } : t.asDecimal(type),
    )
    if (!p || !q) throw this.wrong(at, `${op} needs two values.`)
    const [a, b] = [as(left, t.decimal(p.precision, p.scale)), as(right, t.decimal(q.precision, q.scale))]
    const scale = Math.max(p.scale, q.scale)
    const wholes = Math.max(p.precision - p.scale, q.precision - q.scale)
    if (op === '+' || op === '-') {
      const type = t.decimal(wholes + scale + 1, scale)
      // In the type of the result from the start: DuckDB's own type might be too narrow.
      return { sql: `CAST(${as(left, type)} ${op} ${as(right, type)} AS ${t.duckdbName(type)})`, type, at }
    }
    if (op === '*') {
      if (p.scale + q.scale > 38) throw this.wrong(at, 'the product would have more than 38 digits behind the point.')
      const type = t.decimal(p.precision + q.precision, p.scale + q.scale)
      return { sql: `CAST(${a} * ${b} AS ${t.duckdbName(type)})`, type, at }
    }
    if (op === '/') {
      const type = t.decimal(p.precision + q.scale + Math.max(q.scale - p.scale, 0), scale)
      return guarded(b, quotient(a, p.scale, b, q.scale, type), type)
    }
    const type = t.decimal(Math.min(p.precision - p.scale, q.precision - q.scale) + scale, scale)
    return guarded(b, `CAST(${a} % ${b} AS ${t.duckdbName(type)})`, type)
  }

  /** Dates and timestamps with intervals. */
  private datePlus(op: string, left: Typed, right: Typed, at: number): Typed | undefined {
    const isDay = (type: Type) => ['date', 'timestamp', 'instant'].includes(type.of)
    const isInterval = (type: Type) => type.of === 'months' || type.of === 'span'
    if (isDay(left.type) && isDay(right.type))
      throw op === '-'
        ? this.refuse(at, `${athenaName(left.type)} - ${athenaName(right.type)}`, "Write date_diff('day', from, to).")
        : this.wrong(at, `${op} cannot be put between ${athenaName(left.type)} and ${athenaName(right.type)}.`)
    if (!isInterval(left.type) && !isInterval(right.type)) return undefined
    const [day, interval] = isInterval(right.type) ? [left, right] : [right, left]
    if (!isDay(day.type) || !(op === '+' || (op === '-' && day === left))) {
      if (t.isNumber(day.type) || isInterval(day.type))
        throw this.refuse(at, `${op} with an interval and ${athenaName(day.type)}`, "Write date_add('day', n, x).")
      throw this.wrong(at, `${op} cannot be put between ${athenaName(left.type)} and ${athenaName(right.type)}.`)
    }
    if (day.type.of === 'date' && ['HOUR', 'MINUTE', 'SECOND'].includes(interval.literal ?? ''))
      throw this.wrong(at, 'hours, minutes and seconds cannot be added to a date. Write CAST(x AS timestamp).')
    // An interval of days has three digits of a second.
    const type = day.type.of === 'timestamp' && interval.type.of === 'span' ? t.TIMESTAMP : day.type
    return { sql: `CAST(${day.sql} ${op} ${interval.sql} AS ${t.duckdbName(type)})`, type, at }
  }

  private oneColumn(query: Query, scope: Scope, at: number): { sql: string; type: Type } {
    const { sql, columns } = this.context.query(query, scope)
    const [column] = columns
    if (!column || columns.length !== 1)
      throw this.wrong(at, `the subquery must give one column, and gives ${columns.length}.`)
    return { sql, type: column.type }
  }

  private againstQuery(expr: Extract<Expr, { kind: 'inQuery' | 'quantified' }>, scope: Scope): Typed {
    const { at } = expr
    const left = this.expr(expr.kind === 'inQuery' ? expr.of : expr.left, scope)
    const op = expr.kind === 'inQuery' ? 'IN' : expr.op
    const { sql, type: inner } = this.oneColumn(expr.query, scope, at)
    const right: Typed = { sql: '', type: inner, at }
    const type = this.comparable([left, right], op, at)
    const alias = this.context.fresh('q')
    const rows = duckdbSame(inner, type)
      ? sql
      : `SELECT CAST(${alias}.c0 AS ${t.duckdbName(type)}) FROM (${sql}) AS ${alias}(c0)`
    if (expr.kind === 'inQuery') return { sql: `(${as(left, type)} IN (${rows}))`, type: t.BOOLEAN, at }
    return { sql: `(${as(left, type)} ${op} ${expr.all ? 'ALL' : 'ANY'} (${rows}))`, type: t.BOOLEAN, at }
  }

  private caseOf(expr: Extract<Expr, { kind: 'case' }>, scope: Scope): Typed {
    const of = expr.of && this.expr(expr.of, scope)
    const results = expr.whens.map(({ result }) => this.expr(result, scope))
    const otherwise = expr.else ? [this.expr(expr.else, scope)] : []
    const type = this.together([...results, ...otherwise], 'CASE')
    const whens = expr.whens.map(({ when }, index) => {
      const condition = of ? this.compare('=', of, this.expr(when, scope), when.at) : this.condition(when, scope)
      const result = results[index]
      return `WHEN ${condition} THEN ${result ? as(result, type) : 'NULL'}`
    })
    const last = otherwise.map((one) => ` ELSE ${as(one, type)}`).join('')
    return { sql: `(CASE ${whens.join(' ')}${last} END)`, type, at: expr.at }
  }

  private cast({ of, to, attempt, at }: Extract<Expr, { kind: 'cast' }>, scope: Scope): Typed {
    const type = this.type(to)
    if (of.kind === 'row') {
      if (type.of !== 'row' || type.fields.length !== of.items.length)
        throw this.wrong(at, `a row of ${of.items.length} values cannot be cast to ${athenaName(type)}.`)
      const fields = of.items.map((item, index) => {
        const field = type.fields[index]
        if (field?.name === undefined)
          throw this.refuse(at, 'A row without names', 'Write CAST(ROW(…) AS ROW(name type, …)).')
        return `${ident(field.name)} := ${castTo(this.expr(item, scope), field.type, attempt, this, to)}`
      })
      return { sql: `struct_pack(${fields.join(', ')})`, type, at }
    }
    const value = this.expr(of, scope)
    const length = to.name === 'VARCHAR' ? to.numbers[0] : undefined
    if (length !== undefined && !['varchar', 'unknown'].includes(value.type.of))
      throw this.refuse(to.at, `A cast from ${athenaName(value.type)} to varchar(${length})`, 'Write varchar.')
    const sql = castTo(value, type, attempt, this, to)
    return { sql: length === undefined ? sql : `left(${sql}, ${length})`, type, at }
  }

  type({ name, numbers, args, fields, at }: TypeName): Type {
    const simple = CASTABLE[name]
    if (simple && (numbers.length === 0 || (name === 'VARCHAR' && numbers.length === 1)) && args.length === 0)
      return simple
    if (name === 'TIMESTAMP' && numbers.length === 1 && numbers[0] === 3) return t.TIMESTAMP
    if (name === 'DECIMAL' && numbers.length <= 2) {
      const [precision = 38, scale = 0] = numbers
      if (precision < 1 || precision > 38 || scale > precision)
        throw this.wrong(at, `there is no decimal(${numbers.join(',')}).`)
      return t.decimal(precision, scale)
    }
    const [first, second] = args
    if (name === 'ARRAY' && first && args.length === 1) return { of: 'array', item: this.type(first) }
    if (name === 'MAP' && first && second && args.length === 2)
      return { of: 'map', key: this.type(first), value: this.type(second) }
    if (name === 'ROW')
      return {
        of: 'row',
        fields: fields.map(({ name, type }) => ({ ...(name === undefined ? {} : { name }), type: this.type(type) })),
      }
    const shown = numbers.length > 0 ? `${name}(${numbers.join(',')})` : name
    throw this.refuse(
      at,
      `The type ${shown}`,
      TYPE_ADVICE[name] ??
        'The types are boolean, tinyint, smallint, integer, bigint, real, double, decimal(p,s), varchar, varbinary, date, timestamp, array, map and row.',
    )
  }

  private call(call: Call, scope: Scope): Typed {
    const name = call.name.toLowerCase()
    const made = functionNamed(name)
    if (!made.found) throw this.refuse(call.at, `The function ${name}`, made.advice)
    const { found } = made
    const aggregate = found.kind === 'aggregate'
    if (found.kind === 'window' && !call.over) throw this.wrong(call.at, `${name} needs OVER (…).`)
    if (found.kind === 'scalar') {
      if (call.over) throw this.wrong(call.at, `${name} is no window function: it cannot have OVER.`)
      if (call.distinct || call.filter || call.orderBy.length > 0 || call.star || call.nulls)
        throw this.wrong(
          call.at,
          `${name} is no aggregate: it takes neither *, DISTINCT, ORDER BY, FILTER nor IGNORE NULLS.`,
        )
    }
    if (call.star && name !== 'count') throw this.wrong(call.at, `${name}(*) says nothing: name a column.`)
    if (call.distinct && call.over) throw this.refuse(call.at, `${name}(DISTINCT …) OVER`, 'Count in a subquery.')
    if (!aggregate && call.filter) throw this.wrong(call.at, `${name} cannot have FILTER.`)
    if (call.filter && call.over)
      throw this.wrong(
        call.at,
        `${name} over a window cannot have FILTER in Athena: write ${name}(CASE WHEN … THEN x END).`,
      )
    if (call.distinct && !aggregate) throw this.wrong(call.at, `${name} cannot have DISTINCT.`)
    const ordered = ['array_agg', 'listagg'].includes(name)
    if (call.orderBy.length > 0 && !ordered)
      throw this.refuse(call.at, `ORDER BY inside ${name}`, 'Only array_agg and listagg have it.')
    if (call.nulls && !['first_value', 'last_value', 'nth_value', 'lag', 'lead'].includes(name))
      throw this.wrong(call.at, `${name} cannot have ${call.nulls} NULLS.`)
    const lambdas = found.lambdas ?? []
    const args = call.args.map((arg, index) => {
      if (!lambdas.includes(index)) return this.expr(arg, scope)
      if (arg.kind !== 'lambda') throw this.wrong(arg.at, `${name} takes a lambda here: x -> ….`)
      return { sql: '', type: t.UNKNOWN, at: arg.at }
    })
    const [least, most] = found.takes
    if (!call.star && (args.length < least || args.length > most))
      throw this.wrong(
        call.at,
        `${name} takes ${least === most ? least : most === Infinity ? `${least} or more` : `${least} to ${most}`} argument${most === 1 ? '' : 's'}, and has ${args.length}.`,
      )
    const filter = call.filter ? ` FILTER (WHERE ${this.condition(call.filter, scope)})` : ''
    const over = call.over ? ` OVER (${this.window(call.over, scope)})` : ''
    const orderBy = call.orderBy.length > 0 ? ` ORDER BY ${this.orders(call.orderBy, scope)}` : ''
    const nulls = call.nulls === 'IGNORE' ? ' IGNORE NULLS' : ''
    const wrap = (fn: string, ...sqls: string[]) =>
      `${fn}(${call.distinct ? 'DISTINCT ' : ''}${sqls.join(', ')}${orderBy}${nulls})${filter}${over}`
    const { sql, type, asNumber } = found.make({
      args,
      call,
      at: call.at,
      name,
      wrap,
      on: this,
      lambda: (index, types) => this.lambda(call.args[index], types, scope),
    })
    return { sql, type, asNumber, at: call.at }
  }

  /** A lambda as DuckDB's, with the type of what it gives. */
  private lambda(expr: Expr | undefined, types: Type[], scope: Scope): Typed {
    if (expr?.kind !== 'lambda') throw this.wrong(expr?.at ?? 0, 'a lambda is expected: x -> ….')
    if (expr.names.length !== types.length)
      throw this.wrong(
        expr.at,
        `the lambda must take ${types.length} value${types.length === 1 ? '' : 's'}, and takes ${expr.names.length}.`,
      )
    const names = expr.names.map(() => this.context.fresh('l'))
    const columns = expr.names.map((name, index) => ({
      name,
      type: types[index] ?? t.UNKNOWN,
      sql: names[index] ?? '',
    }))
    const body = this.expr(expr.body, { columns, outer: scope, inner: true })
    return { sql: `lambda ${names.join(', ')}: ${body.sql}`, type: body.type, at: expr.at }
  }

  private window({ partitionBy, orderBy, frame }: Window, scope: Scope): string {
    const parts: string[] = []
    if (partitionBy.length > 0)
      parts.push(`PARTITION BY ${partitionBy.map((one) => this.key(one, scope).sql).join(', ')}`)
    if (orderBy.length > 0) parts.push(`ORDER BY ${this.orders(orderBy, scope)}`)
    if (frame) {
      const bounds = [frame.start, ...(frame.end ? [frame.end] : [])].map((bound) => {
        if (bound.bound === 'current') return 'CURRENT ROW'
        if (bound.bound === 'unbounded' || !bound.value) return `UNBOUNDED ${bound.side}`
        if (frame.unit === 'RANGE')
          throw this.refuse(bound.at, 'RANGE with a distance', 'Write ROWS, or join the rows within that distance.')
        const value = this.expr(bound.value, scope)
        if (value.literal === undefined || !t.isInteger(value.type))
          throw this.refuse(bound.at, 'A computed distance in a window', 'Write a whole number.')
        return `${value.literal} ${bound.side}`
      })
      parts.push(`${frame.unit} ${bounds.length === 2 ? `BETWEEN ${bounds.join(' AND ')}` : bounds[0]}`)
    }
    return parts.join(' ')
  }

  orders(orders: Order[], scope: Scope): string {
    return orders.map((order) => `${this.key(order.by, scope).sql}${direction(order)}`).join(', ')
  }

  /** An expression to sort or group by. */
  key(expr: Expr, scope: Scope): Typed {
    const typed = this.expr(expr, scope)
    this.needOrder(typed)
    return typed
  }
  needOrder(typed: Typed): void {
    if (!t.isOrderable(typed.type))
      throw this.refuse(
        typed.at,
        `Sorting or grouping by values of the type ${athenaName(typed.type)}`,
        'Name one of their parts.',
      )
  }
}

/** NULL comes last in Athena, whichever the direction. */
export const direction = ({ descending, nullsFirst }: Pick<Order, 'descending' | 'nullsFirst'>): string =>
  `${descending ? ' DESC' : ' ASC'} NULLS ${nullsFirst ? 'FIRST' : 'LAST'}`

/**
 * a / b between decimals, rounded half up, in whole numbers: DuckDB would divide doubles. What is too large for 38 digits on the
 * way is an error.
 */
export function quotient(a: string, aScale: number, b: string, bScale: number, result: Type): string {
  const { scale } = t.asDecimal(result)
  const digits = (sql: string) => `CAST(replace(CAST(${sql} AS VARCHAR), '.', '') AS HUGEINT)`
  const up = scale - aScale + bScale
  const [n, d] = [up > 0 ? `(${digits(a)} * CAST('1${'0'.repeat(up)}' AS HUGEINT))` : digits(a), digits(b)]
  const rounded = `(${n} // ${d} + CASE WHEN 2 * abs(${n} % ${d}) >= abs(${d}) THEN sign(${a}) * sign(${b}) ELSE 0 END)`
  return fromDigits(rounded, scale, result)
}

/** A whole number of 10^-scale as a decimal. */
const fromDigits = (sql: string, scale: number, result: Type): string =>
  scale === 0
    ? `CAST(${sql} AS ${t.duckdbName(result)})`
    : `CAST(CAST(${sql} AS DECIMAL(38,0)) * CAST('0.${'0'.repeat(scale - 1)}1' AS DECIMAL(${scale},${scale})) AS ${t.duckdbName(result)})`

function isDay(value: string): boolean {
  if (!/^\d{4}-\d\d-\d\d$/.test(value)) return false
  const date = new Date(`${value}T00:00:00Z`)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(value)
}

const CASTABLE: Readonly<Record<string, Type>> = {
  BOOLEAN: t.BOOLEAN,
  TINYINT: { of: 'tinyint' },
  SMALLINT: { of: 'smallint' },
  INTEGER: t.INTEGER,
  INT: t.INTEGER,
  BIGINT: t.BIGINT,
  REAL: { of: 'real' },
  DOUBLE: t.DOUBLE,
  VARCHAR: t.VARCHAR,
  VARBINARY: t.VARBINARY,
  DATE: t.DATE,
  TIMESTAMP: t.TIMESTAMP,
  JSON: { of: 'json' },
}
const TYPE_ADVICE: Readonly<Record<string, string>> = {
  STRING: 'Write varchar.',
  TEXT: 'Write varchar.',
  FLOAT: 'Write real or double.',
  NUMERIC: 'Write decimal(p,s).',
  CHAR: 'Write varchar.',
  BLOB: 'Write varbinary.',
  HUGEINT: 'Write bigint, or decimal(38,0).',
  STRUCT: 'Write row(name type, …).',
  DATETIME: 'Write timestamp.',
  TIMESTAMP: 'Write timestamp, which counts milliseconds.',
  TIMESTAMPTZ: 'Write timestamp; it is UTC.',
  'TIMESTAMP WITH TIME ZONE': 'Write timestamp; it is UTC.',
  TIME: 'Write varchar: substr(CAST(x AS varchar), 12, 8).',
}
