// Reads Athena's SQL (Trino's grammar), the part of it that reads data. What Athena knows and Weir's embedded lake does not, and
// what only other databases know, is refused by name: nothing is skipped.

import type {
  Alias,
  AsOf,
  Body,
  Bound,
  Call,
  Expr,
  Grouping,
  Item,
  Order,
  Query,
  Relation,
  Select,
  Statement,
  TypeName,
  Window,
} from './ast.ts'
import { QueryError } from './errors.ts'
import { type Token, tokensOf, unreadable, unsupported } from './lex.ts'
import { momentOf } from './moment.ts'

/** Words that cannot be names without quotes in Athena. */
const RESERVED = new Set(
  (
    'ALTER AND AS BETWEEN BY CASE CAST CONSTRAINT CREATE CROSS CUBE CURRENT_CATALOG CURRENT_DATE CURRENT_PATH CURRENT_ROLE ' +
    'CURRENT_SCHEMA CURRENT_TIME CURRENT_TIMESTAMP CURRENT_USER DEALLOCATE DELETE DESCRIBE DISTINCT DROP ELSE END ESCAPE EXCEPT ' +
    'EXECUTE EXISTS EXTRACT FALSE FOR FROM FULL GROUP GROUPING HAVING IN INNER INSERT INTERSECT INTO IS JOIN LEFT LIKE LISTAGG ' +
    'LOCALTIME LOCALTIMESTAMP NATURAL NORMALIZE NOT NULL ON OR ORDER OUTER PREPARE RECURSIVE RIGHT ROLLUP SELECT SKIP TABLE THEN ' +
    'TRIM TRUE UESCAPE UNION UNNEST USING VALUES WHEN WHERE WITH'
  ).split(' '),
)

/** Whether a word has to be quoted to be a name. */
export const isReserved = (word: string): boolean => RESERVED.has(word.toUpperCase())
/** Words that end a table or a column, so that they are no alias of it. */
const ENDS = new Set(
  'OFFSET LIMIT FETCH WINDOW TABLESAMPLE MATCH_RECOGNIZE QUALIFY PIVOT UNPIVOT ASOF SEMI ANTI POSITIONAL'.split(' '),
)
const NO_PARENS = ['CURRENT_DATE', 'CURRENT_TIMESTAMP', 'LOCALTIMESTAMP']
const READING = 'Start it with SELECT, WITH, VALUES, SHOW, DESCRIBE or EXPLAIN.'
const DEEPEST = 200

/** Clauses that are refused wherever they stand, with what to write instead. */
const REFUSED: Readonly<Record<string, string>> = {
  QUALIFY: 'Athena has no QUALIFY: number the rows in a subquery and filter on that.',
  PIVOT: 'Athena has no PIVOT: write sum(x) FILTER (WHERE …) for each column.',
  UNPIVOT: 'Athena has no UNPIVOT: write CROSS JOIN UNNEST(ARRAY[…]).',
  TABLESAMPLE: 'A sample differs each time. Use WHERE or LIMIT.',
  WINDOW: 'Write the window at each function: OVER (…).',
  MATCH_RECOGNIZE: 'Use window functions.',
  EXCLUDE: 'Athena has no EXCLUDE: name the columns.',
  REPLACE: 'Athena has no * REPLACE: name the columns.',
  ILIKE: 'Write lower(x) LIKE lower(pattern).',
  GLOB: 'Write LIKE or regexp_like(text, pattern).',
  SIMILAR: 'Write regexp_like(text, pattern).',
  ASOF: 'Athena has no ASOF JOIN: join and take the last row by max_by.',
  SEMI: 'Write WHERE x IN (SELECT …).',
  ANTI: 'Write WHERE NOT EXISTS (SELECT …).',
  POSITIONAL: 'Athena has no POSITIONAL JOIN.',
}

export function parseStatement(sql: string): Statement {
  const tokens = tokensOf(sql)
  if (tokens.every((token) => token.kind === 'end' || token.text === ';'))
    throw new QueryError('There is no SQL statement. Try: SELECT * FROM ops.receipts')
  return new Parser(sql, tokens).statement()
}

class Parser {
  private next = 0
  private depth = 0
  private readonly sql: string
  private readonly tokens: Token[]
  /** What current_timestamp is in FOR TIMESTAMP AS OF. */
  private readonly now = new Date()
  private inMoment = false

  constructor(sql: string, tokens: Token[]) {
    this.sql = sql
    this.tokens = tokens
  }

  // --- words ---

  private peek(ahead = 0): Token {
    const token = this.tokens[Math.min(this.next + ahead, this.tokens.length - 1)]
    if (!token) throw new QueryError('There is no SQL statement. Try: SELECT * FROM ops.receipts')
    return token
  }
  private take(): Token {
    const token = this.peek()
    this.next++
    return token
  }
  private is(text: string, ahead = 0): boolean {
    const token = this.peek(ahead)
    return (token.kind === 'word' || token.kind === 'sign') && token.text === text
  }
  private are(...texts: string[]): boolean {
    return texts.every((text, ahead) => this.is(text, ahead))
  }
  private accept(...texts: string[]): boolean {
    if (!this.are(...texts)) return false
    this.next += texts.length
    return true
  }
  private expect(text: string): Token {
    if (!this.is(text)) throw this.unexpected(text)
    return this.take()
  }
  private unexpected(wanted: string): Error {
    const token = this.peek()
    const advice = token.kind === 'word' ? REFUSED[token.text] : undefined
    if (advice !== undefined) return unsupported(this.sql, token.at, token.text, advice)
    const found = token.kind === 'end' ? 'the statement ends' : `there is ${token.raw}`
    return unreadable(this.sql, token.at, `${found} where ${wanted} is expected.`)
  }
  private refuse(construct: string, advice: string, at = this.peek().at): Error {
    return unsupported(this.sql, at, construct, advice)
  }
  private isName(ahead = 0): boolean {
    const token = this.peek(ahead)
    return token.kind === 'quoted' || (token.kind === 'word' && !RESERVED.has(token.text))
  }
  private name(what = 'a name'): string {
    if (!this.isName()) {
      const token = this.peek()
      if (token.kind === 'word' && RESERVED.has(token.text))
        throw unreadable(
          this.sql,
          token.at,
          `${token.raw} is a word of the language: as a name it needs double quotes.`,
        )
      throw this.unexpected(what)
    }
    const token = this.take()
    return token.kind === 'quoted' ? token.text : token.raw
  }
  private names(): string[] {
    const names = [this.name()]
    while (this.accept('.')) names.push(this.name())
    return names
  }
  /** Where the last word that was taken ends. */
  private ended(): number {
    const token = this.tokens[this.next - 1]
    return token ? token.at + token.raw.length : 0
  }
  private list<T>(one: () => T): T[] {
    const found = [one()]
    while (this.accept(',')) found.push(one())
    return found
  }
  private nested<T>(read: () => T): T {
    if (++this.depth > DEEPEST) throw unreadable(this.sql, this.peek().at, 'it is nested too deeply.')
    try {
      return read()
    } finally {
      this.depth--
    }
  }

  // --- statements ---

  statement(): Statement {
    const several = this.count()
    if (several > 1) throw new QueryError(`There are ${several} SQL statements; a query is one. Run them one by one.`)
    const statement = this.one()
    while (this.accept(';'));
    if (this.peek().kind !== 'end') throw this.unexpected('its end')
    return statement
  }
  private count(): number {
    return this.tokens.filter(
      (token, index) => token.kind !== 'end' && token.text !== ';' && (index === 0 || this.isEnd(index - 1)),
    ).length
  }
  private isEnd(index: number): boolean {
    const token = this.tokens[index]
    return token?.kind === 'sign' && token.text === ';'
  }
  private one(): Statement {
    const first = this.peek()
    if (this.accept('EXPLAIN')) {
      const analyze = this.accept('ANALYZE')
      if (this.is('(') && !this.are('(', 'SELECT') && !this.are('(', 'WITH'))
        throw this.refuse('An option of EXPLAIN', 'Write EXPLAIN or EXPLAIN ANALYZE and the query.')
      if (this.is('VERBOSE')) throw this.refuse('EXPLAIN ANALYZE VERBOSE', 'Write EXPLAIN ANALYZE.')
      this.onlyReads()
      return { kind: 'explain', query: this.query(), analyze }
    }
    if (this.is('SHOW')) return this.show()
    if (this.accept('DESCRIBE') || this.accept('DESC')) {
      const at = this.peek().at
      return { kind: 'describe', names: this.names(), at }
    }
    this.onlyReads()
    if (first.kind === 'word' && first.text === 'FROM')
      throw this.refuse('A query that begins with FROM', 'Write SELECT … FROM ….')
    return { kind: 'query', query: this.query() }
  }
  private onlyReads(): void {
    const token = this.peek()
    if (['SELECT', 'WITH', 'VALUES', 'TABLE', 'FROM', '('].includes(token.text)) return
    if (token.kind === 'word' && ['PIVOT', 'UNPIVOT', 'SUMMARIZE'].includes(token.text))
      throw this.refuse(token.text, REFUSED[token.text] ?? 'Athena has no SUMMARIZE: SELECT count(x), min(x), max(x).')
    if (token.kind === 'word' && WRITES.has(token.text))
      throw new QueryError(`${token.text} is not allowed: a query only reads. ${READING}`)
    throw unreadable(this.sql, token.at, `a syntax error: a query cannot begin with ${token.raw}. ${READING}`)
  }
  private show(): Statement {
    const { at } = this.take()
    if (this.accept('TABLES')) {
      const zone = this.accept('IN') || this.accept('FROM') ? this.name('a zone') : undefined
      const like = this.accept('LIKE') ? this.text() : undefined
      return { kind: 'tables', at, ...(zone === undefined ? {} : { zone }), ...(like === undefined ? {} : { like }) }
    }
    if (this.accept('COLUMNS')) {
      if (!this.accept('FROM') && !this.accept('IN')) throw this.unexpected('FROM')
      const names = this.names()
      if ((this.accept('FROM') || this.accept('IN')) && names.length === 1) names.unshift(this.name('a zone'))
      return { kind: 'columns', names, at }
    }
    if (this.accept('SCHEMAS') || this.accept('DATABASES')) return { kind: 'schemas' }
    throw this.refuse(
      `SHOW ${this.peek().raw.toUpperCase()}`,
      'There are SHOW TABLES, SHOW COLUMNS FROM a table, and SHOW SCHEMAS.',
      at,
    )
  }
  private text(): string {
    if (this.peek().kind !== 'string') throw this.unexpected('a text in single quotes')
    return this.take().text
  }

  // --- queries ---

  private query(): Query {
    return this.nested(() => {
      const at = this.peek().at
      const ctes: Query['ctes'] = []
      if (this.accept('WITH')) {
        if (this.is('RECURSIVE')) throw this.refuse('WITH RECURSIVE', 'Write the steps out, or use sequence().')
        ctes.push(
          ...this.list(() => {
            const at = this.peek().at
            const name = this.name()
            const columns = this.is('(') ? this.columnNames() : undefined
            this.expect('AS')
            if (this.is('MATERIALIZED') || this.is('NOT')) throw this.refuse('AS MATERIALIZED', 'Write AS (…).')
            this.expect('(')
            const query = this.query()
            this.expect(')')
            return { at, name, query, ...(columns ? { columns } : {}) }
          }),
        )
        if (this.peek().kind === 'word' && WRITES.has(this.peek().text))
          throw new QueryError(`${this.peek().text} is not allowed: a query only reads. ${READING}`)
      }
      const body = this.body(0)
      const orderBy = this.accept('ORDER', 'BY') ? this.orders() : []
      const query: Query = { at, ctes, body, orderBy }
      if (this.accept('OFFSET')) {
        query.offset = this.wholeNumber()
        if (!this.accept('ROWS')) this.accept('ROW')
      }
      if (this.accept('LIMIT')) {
        if (!this.accept('ALL')) query.limit = this.wholeNumber()
      } else if (this.accept('FETCH')) {
        if (!this.accept('FIRST')) this.expect('NEXT')
        query.limit = this.peek().kind === 'integer' ? this.wholeNumber() : '1'
        if (!this.accept('ROWS')) this.expect('ROW')
        if (this.is('WITH')) throw this.refuse('FETCH … WITH TIES', 'Filter on rank() in a subquery.')
        this.expect('ONLY')
      }
      if (query.limit !== undefined && this.is('OFFSET'))
        throw this.refuse('LIMIT before OFFSET', 'In Athena OFFSET comes first: OFFSET n LIMIT m.')
      return query
    })
  }
  private wholeNumber(): string {
    if (this.peek().kind !== 'integer') throw this.unexpected('a whole number')
    return this.take().text
  }
  private columnNames(): string[] {
    this.expect('(')
    const names = this.list(() => this.name())
    this.expect(')')
    return names
  }
  private body(least: number): Body {
    let left = this.part()
    for (;;) {
      const { text, at } = this.peek()
      const strength = this.is('INTERSECT') ? 2 : this.is('UNION') || this.is('EXCEPT') ? 1 : 0
      if (strength === 0 || strength <= least) return left
      this.take()
      const all = this.accept('ALL')
      if (!all) this.accept('DISTINCT')
      if (this.is('BY'))
        throw this.refuse(`${text} BY NAME`, 'Athena matches columns by their place: name them in one order.')
      left = { kind: 'set', op: text as 'UNION', all, left, right: this.body(strength), at }
    }
  }
  private part(): Body {
    const { at } = this.peek()
    if (this.accept('VALUES')) {
      const rows = this.list(() => {
        const row = this.expr()
        return row.kind === 'row' ? row.items : [row]
      })
      return { kind: 'values', rows, at }
    }
    if (this.accept('TABLE')) {
      const from = { kind: 'table' as const, at: this.peek().at, names: this.names(), end: this.ended() }
      return { kind: 'select', distinct: false, items: [{ star: true, at }], from, at }
    }
    if (this.accept('(')) {
      const query = this.query()
      this.expect(')')
      return { kind: 'nested', query, at }
    }
    if (this.is('FROM')) throw this.refuse('A query that begins with FROM', 'Write SELECT … FROM ….')
    return this.select()
  }
  private select(): Select {
    const { at } = this.expect('SELECT')
    const distinct = this.accept('DISTINCT')
    if (!distinct) this.accept('ALL')
    if (distinct && this.is('ON'))
      throw this.refuse('DISTINCT ON', 'Number the rows with row_number() in a subquery and keep the first.')
    const select: Select = { kind: 'select', distinct, items: this.list(() => this.item()), at }
    if (this.accept('FROM')) {
      let from = this.relation()
      while (this.is(',')) {
        const { at } = this.take()
        from = { kind: 'join', type: 'CROSS', left: from, right: this.relation(), at }
      }
      select.from = from
    }
    if (this.accept('WHERE')) select.where = this.expr()
    if (this.accept('GROUP', 'BY')) {
      if (this.is('ALL')) throw this.refuse('GROUP BY ALL', 'Name the columns, or their numbers: GROUP BY 1, 2.')
      if (this.accept('DISTINCT')) throw this.refuse('GROUP BY DISTINCT', 'Write GROUP BY.')
      select.groupBy = this.list(() => this.grouping())
    }
    if (this.accept('HAVING')) select.having = this.expr()
    for (const word of ['QUALIFY', 'WINDOW', 'TABLESAMPLE'])
      if (this.is(word)) throw this.refuse(word, REFUSED[word] ?? '')
    return select
  }
  private item(): Item {
    const { at } = this.peek()
    const starred = (of?: string[]): Item => {
      if (this.is('EXCLUDE') || this.is('REPLACE') || this.is('RENAME') || this.are('EXCEPT', '(')) {
        const word = this.peek().text
        throw this.refuse(`* ${word}`, `Athena has no * ${word}: name the columns.`)
      }
      if (this.accept('AS')) throw this.refuse('.* AS (…)', 'Name the columns.')
      return { star: true, at, ...(of ? { of } : {}) }
    }
    if (this.accept('*')) return starred()
    for (const length of [1, 2])
      if (
        this.isName() &&
        (length === 1 || (this.is('.', 1) && this.isName(2))) &&
        this.is('.', 2 * length - 1) &&
        this.is('*', 2 * length)
      ) {
        const of = this.names2(length)
        this.expect('*')
        return starred(of)
      }
    const expr = this.expr()
    const end = this.ended()
    const alias = this.accept('AS') ? this.name() : this.isAlias() ? this.name() : undefined
    return { star: false, expr, end, at, ...(alias === undefined ? {} : { alias }) }
  }
  private names2(length: number): string[] {
    const names: string[] = []
    for (let index = 0; index < length; index++) {
      names.push(this.name())
      this.expect('.')
    }
    return names
  }
  private isAlias(): boolean {
    const token = this.peek()
    return this.isName() && !(token.kind === 'word' && ENDS.has(token.text))
  }
  private grouping(): Grouping {
    for (const kind of ['ROLLUP', 'CUBE'] as const)
      if (this.accept(kind)) {
        this.expect('(')
        const exprs = this.list(() => this.expr())
        this.expect(')')
        return { kind, exprs }
      }
    if (this.accept('GROUPING', 'SETS')) {
      this.expect('(')
      const sets = this.list(() => {
        if (!this.accept('(')) return [this.expr()]
        if (this.accept(')')) return []
        const exprs = this.list(() => this.expr())
        this.expect(')')
        return exprs
      })
      this.expect(')')
      return { kind: 'SETS', sets }
    }
    const expr = this.expr()
    return { kind: 'simple', exprs: expr.kind === 'row' ? expr.items : [expr] }
  }
  private orders(): Order[] {
    return this.list(() => {
      const { at } = this.peek()
      if (this.is('ALL')) throw this.refuse('ORDER BY ALL', 'Name the columns, or their numbers: ORDER BY 1, 2.')
      const by = this.expr()
      const descending = this.accept('DESC')
      if (!descending) this.accept('ASC')
      let nullsFirst = false
      if (this.accept('NULLS')) {
        nullsFirst = this.accept('FIRST')
        if (!nullsFirst) this.expect('LAST')
      }
      return { by, descending, nullsFirst, at }
    })
  }
  private relation(): Relation {
    let left = this.source()
    for (;;) {
      const { at } = this.peek()
      if (this.is('NATURAL')) throw this.refuse('NATURAL JOIN', 'Write JOIN … USING (column).')
      if (this.accept('CROSS', 'JOIN')) {
        left = { kind: 'join', type: 'CROSS', left, right: this.source(), at }
        continue
      }
      const type = this.joinType()
      if (type === undefined) {
        for (const word of ['ASOF', 'SEMI', 'ANTI', 'POSITIONAL', 'TABLESAMPLE', 'PIVOT', 'UNPIVOT', 'MATCH_RECOGNIZE'])
          if (this.is(word)) throw this.refuse(word, REFUSED[word] ?? '')
        return left
      }
      const right = this.relation2()
      if (this.accept('ON')) left = { kind: 'join', type, left, right, on: this.expr(), at }
      else if (this.accept('USING')) left = { kind: 'join', type, left, right, using: this.columnNames(), at }
      else throw this.unexpected('ON or USING')
    }
  }
  private relation2(): Relation {
    return this.source()
  }
  private joinType(): 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | undefined {
    if (this.accept('JOIN') || this.accept('INNER', 'JOIN')) return 'INNER'
    for (const type of ['LEFT', 'RIGHT', 'FULL'] as const)
      if (this.accept(type, 'JOIN') || this.accept(type, 'OUTER', 'JOIN')) return type
    return undefined
  }
  private source(): Relation {
    return this.nested(() => {
      const { at } = this.peek()
      if (this.accept('UNNEST')) {
        this.expect('(')
        const of = this.list(() => this.expr())
        this.expect(')')
        const ordinality = this.accept('WITH', 'ORDINALITY')
        return { kind: 'unnest', of, ordinality, at, ...this.alias() }
      }
      if (this.are('LATERAL')) throw this.refuse('LATERAL', 'Use CROSS JOIN UNNEST, or a subquery in SELECT.')
      if (this.are('TABLE', '(')) throw this.refuse('TABLE(…), a table function', 'Name a table.')
      if (this.is('(')) {
        // A query in parentheses, or a join in parentheses.
        let ahead = 0
        while (this.is('(', ahead)) ahead++
        if (['SELECT', 'WITH', 'VALUES', 'TABLE', 'FROM'].some((word) => this.is(word, ahead))) {
          this.take()
          const query = this.query()
          this.expect(')')
          return { kind: 'query', query, at, ...this.alias() }
        }
        this.take()
        const relation = this.relation()
        this.expect(')')
        return relation
      }
      if (this.peek().kind === 'string')
        throw this.refuse('A file as a table', 'A query reads the tables of the lake: clean.<dataset>.')
      const names = this.names()
      if (this.is('('))
        throw this.refuse(
          `The table function ${names.join('.')}`,
          'A query reads the tables of the lake and nothing else.',
          at,
        )
      const asOf = this.is('FOR') ? this.asOf() : undefined
      const table = { kind: 'table' as const, names, at, ...(asOf ? { asOf } : {}), end: this.ended(), ...this.alias() }
      if (table.alias && this.is('FOR'))
        throw unreadable(
          this.sql,
          this.peek().at,
          `FOR … AS OF comes before the alias: write FROM ${names.join('.')} FOR … AS OF … AS ${table.alias.name}.`,
        )
      return table
    })
  }
  private asOf(): AsOf {
    const { at } = this.take()
    if (this.accept('VERSION')) {
      this.expect('AS')
      this.expect('OF')
      if (!['string', 'integer', 'run'].includes(this.peek().kind)) throw this.unexpected('the name of a version')
      return { of: 'version', version: this.take().text, at }
    }
    if (!this.accept('TIMESTAMP'))
      throw this.refuse(`FOR ${this.peek().raw}`, 'There are FOR TIMESTAMP AS OF and FOR VERSION AS OF.', at)
    this.expect('AS')
    this.expect('OF')
    const start = this.peek().at
    this.inMoment = true
    const moment = this.sum()
    this.inMoment = false
    return { of: 'time', time: momentOf(this.sql, moment, start, this.now), at }
  }
  private alias(): { alias?: Alias } {
    if (!this.accept('AS') && !this.isAlias()) return {}
    const name = this.name()
    return { alias: { name, ...(this.is('(') ? { columns: this.columnNames() } : {}) } }
  }

  // --- expressions, the weakest binding first ---

  expr(): Expr {
    return this.nested(() => this.or())
  }
  private or(): Expr {
    let left = this.and()
    while (this.is('OR')) {
      const { at } = this.take()
      left = { kind: 'binary', op: 'OR', left, right: this.and(), at }
    }
    return left
  }
  private and(): Expr {
    let left = this.not()
    while (this.is('AND')) {
      const { at } = this.take()
      left = { kind: 'binary', op: 'AND', left, right: this.not(), at }
    }
    return left
  }
  private not(): Expr {
    if (!this.is('NOT')) return this.predicate()
    const { at } = this.take()
    return { kind: 'not', of: this.nested(() => this.not()), at }
  }
  // One comparison at most: Athena does not read 1 < 2 = true.
  private predicate(): Expr {
    const left = this.sum()
    const { at, text } = this.peek()
    if (['=', '<>', '<', '<=', '>', '>='].some((op) => this.is(op))) {
      this.take()
      const quantifier = ['ALL', 'ANY', 'SOME'].find((word) => this.are(word, '('))
      if (quantifier === undefined) return { kind: 'binary', op: text, left, right: this.sum(), at }
      this.next += 2
      if (!this.is('SELECT') && !this.is('WITH') && !this.is('VALUES'))
        throw this.refuse(`${text} ${quantifier} without a query`, 'Write IN (…) or contains(array, x).')
      const query = this.query()
      this.expect(')')
      return { kind: 'quantified', op: text, all: quantifier === 'ALL', left, query, at }
    }
    if (this.accept('IS')) {
      const not = this.accept('NOT')
      const wrap = (of: Expr): Expr => (not ? { kind: 'not', of, at } : of)
      if (this.accept('NULL')) return wrap({ kind: 'isNull', of: left, at })
      if (this.accept('DISTINCT', 'FROM')) return wrap({ kind: 'distinctFrom', left, right: this.sum(), at })
      throw this.refuse(`IS ${this.peek().raw}`, 'Write IS NULL, IS NOT NULL or IS DISTINCT FROM.', at)
    }
    const not = this.is('NOT') && ['BETWEEN', 'IN', 'LIKE', 'ILIKE', 'SIMILAR', 'GLOB'].some((word) => this.is(word, 1))
    if (not) this.take()
    const found = this.membership(left, at)
    if (found === undefined) return left
    return not ? { kind: 'not', of: found, at } : found
  }
  private membership(left: Expr, at: number): Expr | undefined {
    if (this.accept('BETWEEN')) {
      const low = this.sum()
      this.expect('AND')
      return { kind: 'between', of: left, low, high: this.sum(), at }
    }
    if (this.accept('IN')) {
      this.expect('(')
      if (this.is('SELECT') || this.is('WITH') || this.is('VALUES')) {
        const query = this.query()
        this.expect(')')
        return { kind: 'inQuery', of: left, query, at }
      }
      const list = this.list(() => this.expr())
      this.expect(')')
      return { kind: 'in', of: left, list, at }
    }
    if (this.accept('LIKE')) {
      const pattern = this.sum()
      const escaping = this.accept('ESCAPE') ? this.sum() : undefined
      return { kind: 'like', of: left, pattern, at, ...(escaping ? { escape: escaping } : {}) }
    }
    for (const word of ['ILIKE', 'SIMILAR', 'GLOB']) if (this.is(word)) throw this.refuse(word, REFUSED[word] ?? '')
    return undefined
  }
  // In Trino || stands beside + and -, not above them.
  private sum(): Expr {
    let left = this.product()
    while (this.is('+') || this.is('-') || this.is('||')) {
      const { text, at } = this.take()
      left = { kind: 'binary', op: text, left, right: this.product(), at }
    }
    return left
  }
  private product(): Expr {
    let left = this.sign()
    while (this.is('*') || this.is('/') || this.is('%')) {
      const { text, at } = this.take()
      left = { kind: 'binary', op: text, left, right: this.sign(), at }
    }
    return left
  }
  private sign(): Expr {
    const { at } = this.peek()
    // -2147483648 is an integer, though 2147483648 is none.
    if (this.is('-') && ['integer', 'decimal', 'double'].includes(this.peek(1).kind)) {
      this.take()
      const { kind, text } = this.take()
      return { kind: 'literal', of: kind as 'integer', value: `-${text}`, at }
    }
    if (this.accept('-')) return { kind: 'negative', of: this.nested(() => this.sign()), at }
    if (this.accept('+')) return this.nested(() => this.sign())
    const of = this.postfix()
    if (this.inMoment && this.accept('AT', 'TIME', 'ZONE')) {
      const zone: Expr = { kind: 'literal', of: 'text', at: this.peek().at, value: this.text() }
      return this.plainCall('at_timezone', [of, zone], at)
    }
    if (this.is('AT'))
      throw this.refuse('AT TIME ZONE', "Timestamps of the lake are UTC; add the difference: x + INTERVAL '1' HOUR.")
    if (this.is('COLLATE')) throw this.refuse('COLLATE', 'Athena has none.')
    return of
  }
  private postfix(): Expr {
    let of = this.primary()
    for (;;) {
      const { at } = this.peek()
      if (this.accept('[')) {
        const index = this.expr()
        if (this.is(':') || this.is(',')) throw this.unexpected(']')
        this.expect(']')
        of = { kind: 'index', of, index, at }
      } else if (this.is('.') && this.isName(1)) {
        this.take()
        of = { kind: 'dot', of, name: this.name(), at }
      } else return of
    }
  }
  private primary(): Expr {
    const token = this.peek()
    const { at, text } = token
    if (['integer', 'decimal', 'double'].includes(token.kind))
      return { kind: 'literal', of: this.take().kind as 'integer', value: text, at }
    if (token.kind === 'string') return { kind: 'literal', of: 'text', value: this.take().text, at }
    if (this.is('?')) throw this.refuse('A parameter (?)', 'Write the value.')
    if (this.is('(')) return this.parenthesis()
    if (this.is('[')) throw this.refuse('A list in brackets', 'Write ARRAY[…].')
    if (this.is('*')) throw this.unexpected('a value')
    if (token.kind === 'word') {
      const found = this.worded(token)
      if (found) return found
    }
    if (this.isName() && this.is('->', 1)) {
      const name = this.name()
      this.take()
      return { kind: 'lambda', names: [name], body: this.expr(), at }
    }
    if (
      (this.isName() || (token.kind === 'word' && ['LISTAGG', 'GROUPING', 'LEFT', 'RIGHT'].includes(text))) &&
      this.is('(', 1)
    )
      return this.call()
    return { kind: 'name', name: this.name('a value'), at }
  }
  private parenthesis(): Expr {
    const { at } = this.peek()
    // (a, b) -> …
    let ahead = 1
    while (this.isName(ahead) && this.is(',', ahead + 1)) ahead += 2
    if ((this.isName(ahead) && this.are2(ahead + 1, ')', '->')) || this.are('(', ')', '->')) {
      const names = this.accept('(', ')') ? [] : this.columnNames()
      this.expect('->')
      return { kind: 'lambda', names, body: this.expr(), at }
    }
    this.take()
    if (this.is('SELECT') || this.is('WITH') || this.is('VALUES')) {
      const query = this.query()
      this.expect(')')
      return { kind: 'subquery', query, at }
    }
    const items = this.list(() => this.expr())
    this.expect(')')
    const [only] = items
    return items.length === 1 && only ? only : { kind: 'row', items, at }
  }
  private are2(from: number, ...texts: string[]): boolean {
    return texts.every((text, index) => this.is(text, from + index))
  }
  private worded({ text, at }: Token): Expr | undefined {
    switch (text) {
      case 'NULL':
        this.take()
        return { kind: 'literal', of: 'null', value: 'NULL', at }
      case 'TRUE':
      case 'FALSE':
        this.take()
        return { kind: 'literal', of: 'boolean', value: text.toLowerCase(), at }
      case 'CASE':
        return this.caseOf()
      case 'EXISTS': {
        this.take()
        this.expect('(')
        const query = this.query()
        this.expect(')')
        return { kind: 'exists', query, at }
      }
      case 'CAST':
      case 'TRY_CAST': {
        if (!this.is('(', 1)) return undefined
        this.next += 2
        const of = this.expr()
        this.expect('AS')
        const to = this.type()
        this.expect(')')
        return { kind: 'cast', of, to, attempt: text === 'TRY_CAST', at }
      }
      case 'EXTRACT': {
        this.take()
        this.expect('(')
        const field = this.take()
        this.expect('FROM')
        const of = this.expr()
        this.expect(')')
        return this.plainCall(EXTRACTED[field.text] ?? `extract(${field.raw} from …)`, [of], at)
      }
      case 'POSITION': {
        if (!this.is('(', 1)) return undefined
        this.next += 2
        const part = this.sum()
        this.expect('IN')
        const whole = this.sum()
        this.expect(')')
        return this.plainCall('position', [whole, part], at)
      }
      case 'TRIM': {
        this.take()
        this.expect('(')
        const side = ['BOTH', 'LEADING', 'TRAILING'].find((word) => this.accept(word))
        if (side !== undefined && this.accept('FROM'))
          throw this.refuse(`trim(${side} FROM …)`, 'Write trim, ltrim or rtrim.', at)
        const of = this.expr()
        if (side !== undefined || this.is('FROM') || this.is(','))
          throw this.refuse('trim with characters', 'Write regexp_replace(text, pattern).', at)
        this.expect(')')
        return this.plainCall('trim', [of], at)
      }
      case 'ARRAY': {
        if (!this.is('[', 1)) return undefined
        this.next += 2
        const items = this.is(']') ? [] : this.list(() => this.expr())
        this.expect(']')
        return { kind: 'array', items, at }
      }
      case 'ROW': {
        if (!this.is('(', 1)) return undefined
        this.next += 2
        const items = this.list(() => this.expr())
        this.expect(')')
        return { kind: 'row', items, at }
      }
      case 'INTERVAL':
        return this.interval()
      case 'DATE':
      case 'TIMESTAMP':
        if (this.peek(1).kind !== 'string') return undefined
        this.take()
        return { kind: 'literal', of: text === 'DATE' ? 'date' : 'timestamp', value: this.take().text, at }
      case 'TIME':
      case 'DECIMAL':
      case 'DOUBLE':
      case 'BIGINT':
      case 'JSON':
      case 'CHAR':
      case 'VARCHAR':
        if (this.peek(1).kind !== 'string') return undefined
        throw this.refuse(`${text} '…'`, `Write CAST('…' AS ${text}).`)
      case 'COLUMNS':
        if (this.is('(', 1)) throw this.refuse('COLUMNS(…)', 'Name the columns.')
        return undefined
      default:
        if (NO_PARENS.includes(text)) {
          this.take()
          if (this.is('(')) throw this.refuse(`${text}(…)`, `Write ${text}.`, at)
          return this.plainCall(text.toLowerCase(), [], at)
        }
        return undefined
    }
  }
  private plainCall(name: string, args: Expr[], at: number): Call {
    return { kind: 'call', name, args, star: false, distinct: false, orderBy: [], at }
  }
  private interval(): Expr | undefined {
    const { at } = this.peek()
    const signed = this.is('-', 1) || this.is('+', 1) ? 1 : 0
    if (this.peek(1 + signed).kind !== 'string') {
      if (this.peek(1).kind === 'integer') throw this.refuse('INTERVAL without quotes', "Write INTERVAL '1' DAY.")
      return undefined
    }
    this.take()
    const negative = this.accept('-')
    if (!negative) this.accept('+')
    const value = this.text()
    const unit = this.take().text
    if (this.is('TO')) throw this.refuse(`INTERVAL … ${unit} TO …`, "Add them one by one: INTERVAL '1' DAY.")
    return { kind: 'interval', negative, value, unit, at }
  }
  private caseOf(): Expr {
    const { at } = this.take()
    const of = this.is('WHEN') ? undefined : this.expr()
    const whens: { when: Expr; result: Expr }[] = []
    while (this.accept('WHEN')) {
      const when = this.expr()
      this.expect('THEN')
      whens.push({ when, result: this.expr() })
    }
    if (whens.length === 0) throw this.unexpected('WHEN')
    const otherwise = this.accept('ELSE') ? this.expr() : undefined
    this.expect('END')
    return { kind: 'case', whens, at, ...(of ? { of } : {}), ...(otherwise ? { else: otherwise } : {}) }
  }
  private call(): Expr {
    const token = this.take()
    const { at } = token
    const call = this.plainCall(token.kind === 'quoted' ? token.text : token.raw, [], at)
    this.expect('(')
    if (this.accept('*')) call.star = true
    else if (!this.is(')')) {
      call.distinct = this.accept('DISTINCT')
      if (!call.distinct) this.accept('ALL')
      call.args = this.list(() => this.expr())
      if (this.is('=>')) throw this.refuse('An argument with a name', 'Give the arguments in their order.')
      if (this.is('ON')) throw this.refuse('ON OVERFLOW', 'Leave it out.')
      if (this.accept('ORDER', 'BY')) call.orderBy = this.orders()
      if (this.are('IGNORE', 'NULLS'))
        throw this.refuse(
          'IGNORE NULLS inside the parentheses',
          'Write it after them: first_value(x) IGNORE NULLS OVER (…).',
        )
    }
    this.expect(')')
    if (this.accept('WITHIN', 'GROUP')) {
      this.expect('(')
      this.expect('ORDER')
      this.expect('BY')
      if (call.name.toLowerCase() !== 'listagg')
        throw this.refuse(`${call.name} WITHIN GROUP`, 'Only listagg has it.', at)
      call.orderBy = this.orders()
      this.expect(')')
    }
    if (this.accept('FILTER')) {
      this.expect('(')
      this.expect('WHERE')
      call.filter = this.expr()
      this.expect(')')
    }
    for (const word of ['IGNORE', 'RESPECT'] as const) if (this.accept(word, 'NULLS')) call.nulls = word
    if (this.is('OVER')) call.over = this.window()
    return call
  }
  private window(): Window {
    const { at } = this.take()
    if (!this.is('(')) throw this.refuse('A window with a name', 'Write OVER (…).')
    this.take()
    const window: Window = { partitionBy: [], orderBy: [], at }
    if (this.accept('PARTITION', 'BY')) window.partitionBy = this.list(() => this.expr())
    if (this.accept('ORDER', 'BY')) window.orderBy = this.orders()
    const unit = ['ROWS', 'RANGE', 'GROUPS'].find((word) => this.accept(word))
    if (unit !== undefined) {
      if (this.accept('BETWEEN')) {
        const start = this.bound()
        this.expect('AND')
        window.frame = { unit, start, end: this.bound() }
      } else window.frame = { unit, start: this.bound() }
      if (this.is('EXCLUDE')) throw this.refuse('EXCLUDE in a window', 'Athena has none.')
    }
    this.expect(')')
    return window
  }
  private bound(): Bound {
    const { at } = this.peek()
    if (this.accept('CURRENT', 'ROW')) return { bound: 'current', at }
    const value = this.accept('UNBOUNDED') ? undefined : this.sum()
    const side = this.accept('PRECEDING') ? 'PRECEDING' : 'FOLLOWING'
    if (side === 'FOLLOWING') this.expect(side)
    return value ? { bound: 'value', side, value, at } : { bound: 'unbounded', side, at }
  }
  private type(): TypeName {
    const { at } = this.peek()
    let name = this.name('a type').toUpperCase()
    const type: TypeName = { name, numbers: [], args: [], fields: [], at }
    if (name === 'DOUBLE') this.accept('PRECISION')
    if (name === 'ROW') {
      this.expect('(')
      type.fields = this.list(() => {
        const named = this.isName(1)
        return { ...(named ? { name: this.name() } : {}), type: this.type() }
      })
      this.expect(')')
    } else if (this.accept('(')) {
      if (this.peek().kind === 'integer') type.numbers = this.list(() => Number(this.wholeNumber()))
      else type.args = this.list(() => this.type())
      this.expect(')')
    }
    if (['TIMESTAMP', 'TIME'].includes(name)) {
      if (this.accept('WITH', 'TIME', 'ZONE')) name += ' WITH TIME ZONE'
      else if (this.accept('WITHOUT', 'TIME', 'ZONE')) name += ''
      type.name = name
    }
    if (this.is('[')) throw this.refuse('A type with []', 'Write ARRAY(type).')
    if (this.is('ARRAY')) throw this.refuse('The type … ARRAY', 'Write ARRAY(type).')
    return type
  }
}

/** EXTRACT(field FROM x) is the function of the field. */
const EXTRACTED: Readonly<Record<string, string>> = {
  YEAR: 'year',
  QUARTER: 'quarter',
  MONTH: 'month',
  WEEK: 'week',
  DAY: 'day',
  DAY_OF_MONTH: 'day',
  DAY_OF_WEEK: 'day_of_week',
  DOW: 'day_of_week',
  DAY_OF_YEAR: 'day_of_year',
  DOY: 'day_of_year',
  YEAR_OF_WEEK: 'year_of_week',
  YOW: 'year_of_week',
  HOUR: 'hour',
  MINUTE: 'minute',
  SECOND: 'second',
}

/** How statements begin that do something else than read. */
const WRITES = new Set(
  (
    'INSERT UPDATE DELETE MERGE CREATE DROP ALTER TRUNCATE COPY ATTACH DETACH INSTALL LOAD SET RESET PRAGMA CALL USE GRANT REVOKE ' +
    'VACUUM OPTIMIZE UNLOAD EXPORT IMPORT CHECKPOINT BEGIN START COMMIT ROLLBACK PREPARE EXECUTE DEALLOCATE MSCK ANALYZE COMMENT ' +
    'REFRESH FORCE REPLACE'
  ).split(' '),
)
