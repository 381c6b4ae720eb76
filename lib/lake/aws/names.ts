// People write `clean.parts` on every lake; on AWS the table is `weir_clean.parts`. The SQL parser says where a statement
// names a table (and where such a name qualifies a column); exactly those places are replaced, and the rest of the
// statement stays as it was written. The parser also says whether a statement only reads.

import { QueryError } from '../errors.ts'

/** Glue databases by zone, as in deployed.ts. */
export type Databases = Readonly<Record<'clean' | 'curated' | 'ops', string>>

/** The Glue database of stored versions of table models, and of what waits for its tests: no reader names it. */
export const versionsDatabase = ({ curated }: Pick<Databases, 'curated'>): string => `${curated}_versions`

/** The version of a table of Iceberg that has no snapshot, since no row was ever put into it. */
export const NO_SNAPSHOT = '0'

/** A statement that was understood and found to read only. */
export interface Statement {
  /** As Athena must get it. */
  sql: string
  /** As the user wrote it. */
  written: string
  kind: 'select' | 'show' | 'describe' | 'explain'
  /** Zones that it names. A SHOW may be about any. */
  zones: ReadonlySet<string>
  /** Tables that it names, as `clean.parts`, in small letters. */
  tables: ReadonlySet<string>
  /** Where a place of `sql` is in what the user wrote; both count from 1. Undefined for what the user has not written. */
  origin(line: number, column: number): { line: number; column: number } | undefined
}

interface Word {
  text: string
  start: number
  end: number
}

interface Edit {
  start: number
  end: number
  text: string
}

/**
 * Puts the databases of a deployed lake in the place of its zones. Throws QueryError for what does not only read, or
 * names what is no zone.
 *
 * @example
 * await qualifyTables('SELECT count(*) FROM clean.parts', { clean: 'weir_clean', … }) // … FROM weir_clean.parts
 */
export async function qualifyTables(sql: string, databases: Databases): Promise<string> {
  return (await readStatement(sql, databases)).sql
}

/** As qualifyTables, with what else there is to know of the statement. */
export async function readStatement(sql: string, databases: Databases): Promise<Statement> {
  // 23 MB that only queries need.
  const { Dialect, parse, tokenize } = await import('@polyglot-sql/sdk')
  // Trino's: in the parser's words for Athena a backslash hides the quote after it, as it does only in Hive.
  const wordsOf = (text: string): Word[] =>
    (tokenize(text, Dialect.Trino).tokens ?? []).map(({ text, span: { start, end } }) => ({ text, start, end }))
  // The parser counts characters as people do; JavaScript counts some of them twice.
  const characters = Array.from(sql)
  const { text, show } = parsable(characters, wordsOf)
  const parsed = parse(text, Dialect.Trino)
  if (!parsed.success) throw new QueryError(`The SQL cannot be read: ${parsed.error ?? 'no reason given'}`)
  const statements: unknown[] = Array.isArray(parsed.ast) ? parsed.ast : []
  const [root] = statements
  if (!isNode(root)) throw new QueryError('There is no SQL statement. Try: SELECT * FROM ops.receipts')
  if (statements.length > 1)
    throw new QueryError(`There are ${statements.length} SQL statements; a query is one. Run them one by one.`)
  const kind = kindOf(root, show)

  const walk: Walk = {
    databases,
    versions: versionsDatabase(databases),
    words: () => wordsOf(text),
    edits: new Map(),
    zones: new Set(),
    tables: new Set(),
    text: ({ start, end }) => characters.slice(start, end).join(''),
    firstWord: (text) => wordsOf(text)[0],
    where: ({ start }) => placeOf(characters, start),
  }
  visit(root, { ctes: new Set(), tables: new Set(), names: new Set() }, walk)
  const edits = [...walk.edits.values()].sort((a, b) => a.start - b.start)
  return { written: sql, kind, zones: walk.zones, tables: walk.tables, ...spliced(characters, edits) }
}

/**
 * The statement in words that the parser knows, every character in its place: what it does not know and what changes no
 * name (options of EXPLAIN, the word after SHOW) is blanked.
 */
function parsable(characters: string[], wordsOf: (text: string) => Word[]): { text: string; show: boolean } {
  // For Athena a carriage return ends a line, and with it a comment. For the parser it must, or a comment would hide from
  // it what Athena runs.
  const shown = characters.map((character, at) =>
    character === '\r' && characters[at + 1] !== '\n' ? '\n' : character,
  )
  const blank = (from: number, to: number, text = '') => shown.splice(from, to - from, ...text.padEnd(to - from, ' '))
  const words = wordsOf(shown.join(''))
  const is = (index: number, word: string) => words[index]?.text.toUpperCase() === word
  const [first, second] = words
  if (first && second && is(0, 'SHOW')) {
    if (is(1, 'PARTITIONS') || is(1, 'TBLPROPERTIES')) blank(first.start, second.end, 'DESCRIBE')
    else if (is(1, 'STATS') && words[2] && is(2, 'FOR')) blank(first.start, words[2].end, 'DESCRIBE')
    return { text: shown.join(''), show: true }
  }
  if (second && is(0, 'EXPLAIN')) {
    const close = is(1, '(') ? words.findIndex((_, index) => is(index, ')')) : -1
    const end = words[close]?.end
    if (end !== undefined) blank(second.start, end)
    const verbose = words[2]
    if (is(1, 'ANALYZE') && verbose && is(2, 'VERBOSE')) blank(verbose.start, verbose.end)
  }
  return { text: shown.join(''), show: false }
}

const READING = ['select', 'union', 'intersect', 'except', 'values', 'subquery']
/** What no part of a statement that only reads can be. */
const WRITING =
  /^(insert|update|delete|merge|into|truncate|command|execute|copy|call|grant|revoke|use|set_statement|transaction|(create|drop|alter)_\w+)$/

function kindOf(root: Node, show: boolean): Statement['kind'] {
  const [name = ''] = Object.keys(root)
  const writing = writingPart(root)
  if (writing === undefined && show && ['show', 'describe'].includes(name)) return 'show'
  if (writing === undefined && READING.includes(name)) return 'select'
  if (writing === undefined && name === 'describe') {
    const target = asNode(asNode(root.describe).target)
    if ('table' in target) return 'describe'
    if (Object.keys(target).some((key) => READING.includes(key))) return 'explain'
  }
  const word = (writing ?? name).replace(/_.*/, '').toUpperCase()
  throw new QueryError(
    `${word === 'COMMAND' ? 'This statement' : word} is not allowed: a query only reads. Start it with SELECT, WITH, VALUES, SHOW, DESCRIBE or EXPLAIN.`,
  )
}

/** The first part of a syntax tree that would change something. */
function writingPart(value: unknown): string | undefined {
  if (Array.isArray(value)) return firstOf(value, writingPart)
  if (!isNode(value)) return undefined
  return firstOf(Object.entries(value), ([key, child]) =>
    WRITING.test(key) && isNode(child) ? key : writingPart(child),
  )
}

function firstOf<T>(values: T[], find: (value: T) => string | undefined): string | undefined {
  for (const value of values) {
    const found = find(value)
    if (found !== undefined) return found
  }
  return undefined
}

type Node = Record<string, unknown>

interface Span {
  start: number
  end: number
}

interface Identifier {
  name: string
  span: Span
}

const isNode = (value: unknown): value is Node => typeof value === 'object' && value !== null && !Array.isArray(value)
const asNode = (value: unknown): Node => (isNode(value) ? value : {})

function identifier(value: unknown): Identifier | undefined {
  if (!isNode(value) || typeof value.name !== 'string') return undefined
  const { start, end } = asNode(value.span)
  return typeof start === 'number' && typeof end === 'number' ? { name: value.name, span: { start, end } } : undefined
}

interface Walk {
  databases: Databases
  /** What a run has stored is looked at by its whole name, before readers see it. */
  versions: string
  words: () => Word[]
  /** By where they start: a part of the tree may be come upon twice. */
  edits: Map<number, Edit>
  zones: Set<string>
  tables: Set<string>
  text: (span: Span) => string
  firstWord: (text: string) => Word | undefined
  where: (span: Span) => string
}

/** What names mean at one place of a statement. */
interface Scope {
  /** Names given by WITH, in small letters. */
  ctes: ReadonlySet<string>
  /** `zone.table` in the FROM of this SELECT without another name: columns may be qualified by it. */
  tables: ReadonlySet<string>
  /** Other names in FROM. */
  names: ReadonlySet<string>
  outer?: Scope
}

function visit(value: unknown, scope: Scope, walk: Walk): void {
  if (Array.isArray(value)) {
    for (const one of value) visit(one, scope, walk)
    return
  }
  if (!isNode(value)) return
  const here = withCtes(value, scope)
  for (const [key, child] of Object.entries(value)) {
    if (!isNode(child) && !Array.isArray(child)) continue
    if (key === 'select' && isNode(child)) visit(child, scopeOf(child, withCtes(child, here)), walk)
    else if (key === 'table' && isTable(child)) table(child, here, walk)
    else if (key === 'show' && isNode(child)) shown(child, here, walk)
    else visit(child, here, walk)
    if (key === 'dot' && isNode(child)) qualifier(child, here, walk)
    if (key === 'star' && isNode(child)) starQualifier(child, here, walk)
    if (key === 'function' && isNode(child)) tableArgument(child, here, walk)
  }
}

const isTable = (value: unknown): value is Node => isNode(value) && isNode(value.name)

function withCtes(node: Node, scope: Scope): Scope {
  const { ctes } = asNode(node.with)
  if (!Array.isArray(ctes)) return scope
  const names = ctes.flatMap((cte) => identifier(asNode(cte).alias)?.name.toLowerCase() ?? [])
  return { ...scope, ctes: new Set([...scope.ctes, ...names]) }
}

/** The scope inside a SELECT: what its FROM names, before what the statements around it name. */
function scopeOf(select: Node, outer: Scope): Scope {
  const tables = new Set<string>()
  const names = new Set<string>()
  const collect = (value: unknown): void => {
    if (Array.isArray(value)) {
      for (const one of value) collect(one)
    } else if (isNode(value)) {
      for (const [key, child] of Object.entries(value)) {
        if (key === 'alias' && identifier(child)) names.add(identifier(child)?.name.toLowerCase() ?? '')
        else if (key === 'table' && isTable(child)) {
          const alias = identifier(child.alias)?.name
          const schema = identifier(child.schema)?.name
          const name = identifier(child.name)?.name
          if (alias !== undefined) names.add(alias.toLowerCase())
          else if (schema !== undefined && name !== undefined) tables.add(`${schema}.${name}`.toLowerCase())
          else if (name !== undefined) names.add(name.toLowerCase())
        } else if (!READING.includes(key) || key === 'subquery') {
          // A subquery gives its own name, and nothing of what is inside it.
          if (key === 'subquery') collect({ alias: asNode(child).alias })
          else if (key !== 'on') collect(child)
        }
      }
    }
  }
  collect([select.from, select.joins, select.lateral_views])
  return { ctes: outer.ctes, tables, names, outer }
}

function table(node: Node, scope: Scope, walk: Walk): void {
  const name = identifier(node.name)
  const schema = identifier(node.schema)
  const catalog = isNode(node.catalog) ? node.catalog.name : undefined
  visit({ ...node, name: undefined, schema: undefined }, scope, walk)
  if (!name) throw new QueryError('The SQL cannot be read: a table has no name.')
  if (typeof catalog === 'string' && catalog.toLowerCase() !== 'awsdatacatalog')
    throw new QueryError(`There is no catalog ${catalog} here. Write ${examples(name.name)}${walk.where(name.span)}.`)
  if (schema) {
    const found = zone(schema, walk)
    walk.tables.add(`${found}.${name.name.toLowerCase()}`)
    version(node, { schema, name, zone: found }, walk)
  }
  if (!schema && !scope.ctes.has(name.name.toLowerCase()))
    throw new QueryError(`The table ${name.name} needs its zone${walk.where(name.span)}: write ${examples(name.name)}.`)
}

const examples = (table: string): string => `clean.${table}, curated.${table} or ops.${table}`

/** Replaces a zone by its database, and gives the zone. A database may also be written as it is. */
function zone(schema: Identifier, walk: Walk): string {
  const name = schema.name.toLowerCase()
  const database = databaseOf(name, walk.databases)
  const [zone] = Object.entries(walk.databases).find(([zone, database]) => zone === name || database === name) ?? []
  if (zone === undefined && name !== 'information_schema' && name !== walk.versions)
    throw new QueryError(
      `There is no zone ${schema.name} that can be queried${walk.where(schema.span)}. The zones with tables are: ${Object.keys(walk.databases).join(', ')}.`,
    )
  if (zone !== undefined) walk.zones.add(zone)
  if (database !== undefined) replace(schema, database, walk)
  return zone ?? name
}

/**
 * `FOR VERSION AS OF '123'`: on every lake a version is a text, and to Athena it is the number of a snapshot. A table that
 * never had a row has no snapshot.
 */
function version(
  node: Node,
  { schema, name, zone }: { schema: Identifier; name: Identifier; zone: string },
  walk: Walk,
): void {
  const clause = asNode(node.version)
  const of = asNode(asNode(clause.this).identifier).name
  const literal = asNode(asNode(clause.expression).literal)
  if (of !== 'VERSION' || typeof literal.value !== 'string') return
  if (zone !== 'curated')
    throw new QueryError(
      `${schema.name}.${name.name} has no history${walk.where(name.span)}: FOR … AS OF is for curated tables.`,
    )
  const words = walk.words()
  const after = words.findIndex(({ start }) => start >= name.span.end)
  const last = words[after + 4]
  const written = words.slice(after, after + 4).map(({ text }) => text.toUpperCase())
  if (written.join(' ') !== 'FOR VERSION AS OF' || !last)
    throw new QueryError(`The SQL cannot be read: the version of ${name.name} was not found${walk.where(name.span)}.`)
  if (!/^\d+$/.test(literal.value))
    throw new QueryError(
      `'${literal.value}' is no version of ${schema.name}.${name.name}${walk.where(last)}: write the id of a snapshot, as in ops.runs.`,
    )
  if (literal.value === NO_SNAPSHOT) {
    const alias = identifier(node.alias) ? '' : ` AS ${name.name}`
    const table = `${databaseOf('curated', walk.databases)}.${walk.text(name.span)}`
    walk.edits.set(schema.span.start, {
      start: schema.span.start,
      end: last.end,
      text: `(SELECT * FROM ${table} WHERE false)${alias}`,
    })
  } else walk.edits.set(last.start, { start: last.start, end: last.end, text: literal.value })
}

function databaseOf(name: string, databases: Databases): string | undefined {
  return Object.hasOwn(databases, name) ? databases[name as keyof Databases] : undefined
}

function replace(found: Identifier, database: string, walk: Walk): void {
  const word = walk.firstWord(walk.text(found.span))
  // What stands there must be what the parser says: anything else would be replaced blindly.
  if (word?.text.toLowerCase() !== found.name.toLowerCase())
    throw new QueryError(
      `The SQL cannot be read: ${found.name} was not found where it should be${walk.where(found.span)}.`,
    )
  walk.edits.set(found.span.start, { ...found.span, text: database })
}

/** `clean.parts.id`: the first two name a table in FROM, unless `clean` is the name of something else there. */
function qualifier(dot: Node, scope: Scope, walk: Walk): void {
  const column = asNode(asNode(dot.this).column)
  const schema = identifier(column.table)
  const name = identifier(column.name)
  if (schema && name) qualify(schema, name.name, scope, walk)
}

/** `clean.parts.*`: the parser gives both names as one. */
function starQualifier(star: Node, scope: Scope, walk: Walk): void {
  const found = identifier(star.table)
  if (!found) return
  const first = walk.firstWord(walk.text(found.span))
  if (!first || !found.name.startsWith(`${first.text}.`)) return
  const span = { start: found.span.start, end: found.span.start + first.end }
  qualify({ name: first.text, span }, found.name.slice(first.text.length + 1), scope, walk)
}

function qualify(schema: Identifier, name: string, scope: Scope, walk: Walk): void {
  const database = databaseOf(schema.name.toLowerCase(), walk.databases)
  if (database === undefined) return
  const full = `${schema.name}.${name}`.toLowerCase()
  for (let at: Scope | undefined = scope; at; at = at.outer) {
    if (at.tables.has(full)) replace(schema, database, walk)
    if (at.tables.has(full) || at.names.has(schema.name.toLowerCase())) return
  }
}

/** TABLE(clean.parts), the argument of a table function: the parser takes it for a column. */
function tableArgument(call: Node, scope: Scope, walk: Walk): void {
  if (typeof call.name !== 'string' || call.name.toUpperCase() !== 'TABLE' || !Array.isArray(call.args)) return
  for (const argument of call.args) {
    const column = asNode(asNode(argument).column)
    if (identifier(column.name)) table({ ...column, schema: column.table, table: undefined }, scope, walk)
  }
}

/** SHOW TABLES IN clean: the zone stands where a table would. */
function shown(show: Node, scope: Scope, walk: Walk): void {
  const scoped = asNode(asNode(show.scope).table)
  const name = identifier(scoped.name)
  if (name && !scoped.schema) {
    zone(name, walk)
    visit({ ...show, scope: undefined }, scope, walk)
  } else visit(show, scope, walk)
}

/** ` (line 2, column 7)`, for messages. */
function placeOf(characters: string[], at: number): string {
  const before = characters.slice(0, at)
  const line = before.filter((character) => character === '\n').length + 1
  return ` (line ${line}, column ${at - before.lastIndexOf('\n')})`
}

/** The statement with its edits, and the way back from a place in it. */
function spliced(characters: string[], edits: Edit[]): Pick<Statement, 'sql' | 'origin'> {
  const parts: string[] = []
  /** For every character of the result, the one of the original. */
  const origins: number[] = []
  let at = 0
  const keep = (end: number) => {
    for (; at < end; at++) {
      parts.push(characters[at] ?? '')
      origins.push(at)
    }
  }
  for (const { start, end, text } of edits) {
    keep(start)
    for (const character of text) {
      parts.push(character)
      origins.push(start)
    }
    at = end
  }
  keep(characters.length)
  return {
    sql: parts.join(''),
    origin(line, column) {
      let start = 0
      for (let n = 1; n < line; n++) {
        const next = parts.indexOf('\n', start)
        if (next === -1) return { line, column }
        start = next + 1
      }
      const offset = origins[start + column - 1]
      if (offset === undefined) return { line, column }
      const [, atLine, atColumn] = /line (\d+), column (\d+)/.exec(placeOf(characters, offset)) ?? []
      return { line: Number(atLine), column: Number(atColumn) }
    },
  }
}
