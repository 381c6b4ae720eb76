// Holds models against the tables that there are and against each other, before anything runs: which tables and columns they
// read, what they give, in which order they are made. Every problem has its place in the file.

import { nearest } from '../../contract/names.ts'
import { partitionProblems, partitionText } from '../../contract/partition.ts'
import type { Query, Select } from '../../sql/ast.ts'
import { QueryError } from '../../sql/errors.ts'
import { ungrouped } from '../../sql/grouping.ts'
import { offsetOf, placeOf, type Token, tokensOf } from '../../sql/lex.ts'
import { queryOf, relationOf, type TableRef, tablesOf } from '../../sql/refs.ts'
import { athenaName, duckdbName, type Type, typeOfColumn } from '../../sql/types.ts'
import { walk } from '../../sql/walk.ts'
import { hex } from '../keys.ts'
import { translate } from '../statement.ts'
import { driverOf, type Problem } from './driver.ts'
import { misfit, unstorable } from './fits.ts'
import { type ModelIssue, saidBy } from './issues.ts'
import type { KnownTable } from './known.ts'
import type { Model, ModelSource, SettingPath } from './model.ts'
import { testQueries } from './tests.ts'

export interface Checked {
  /** Those without errors, each after the models that it reads. */
  models: Model[]
  errors: ModelIssue[]
  warnings: ModelIssue[]
}

/** A model that is being looked at. */
interface Draft {
  source: ModelSource
  query?: Query
  refs: TableRef[]
  /** Models that it reads, and those that its tests read, with the places where. */
  needs: Map<string, { line: number; column: number }>
  reads: Set<string>
  /** Tables that its tests look at, besides itself. */
  tested: Set<string>
  failed: boolean
  /** Tests with mistakes: the rest of the model can be looked at without them. */
  wrongTests: Set<number>
  /** Something else has its name: it is looked at, and nobody means it. */
  clashes: boolean
}

/** Items of SELECT that are looked at one by one after a first mistake. */
const MOST_MISTAKES = 20

/**
 * Checks all models of a lake together. `tables`: what they can read besides each other (see tablesOfLake). Throws nothing for
 * what the models say.
 *
 * @example
 * const { models, errors } = checkModels((await readModels('models')).models, tablesOfLake(plans.values()))
 */
export function checkModels(sources: readonly ModelSource[], tables: readonly KnownTable[]): Checked {
  const check = new Check(sources, tables)
  return check.checked()
}

class Check {
  private readonly errors: ModelIssue[] = []
  private readonly warnings: ModelIssue[] = []
  private readonly known = new Map<string, KnownTable>()
  private readonly all: Draft[]
  /** By the name of the table that they make. */
  private readonly drafts = new Map<string, Draft>()
  private readonly made = new Map<string, Model>()

  constructor(sources: readonly ModelSource[], tables: readonly KnownTable[]) {
    for (const table of tables) this.known.set(table.name.toLowerCase(), table)
    this.all = sources.map((source) => ({
      source,
      refs: [],
      needs: new Map(),
      reads: new Set(),
      tested: new Set(),
      failed: false,
      wrongTests: new Set<number>(),
      clashes: false,
    }))
    for (const draft of this.all) {
      const { source } = draft
      const name = `curated.${source.name}`
      const entity = this.known.get(name)
      if (entity)
        this.clash(
          draft,
          `${entity.name} is the entity table of the dataset ${entity.name.slice('curated.'.length)} already: rename the model, or give the dataset curated: {mode: none}.`,
        )
      else if (this.drafts.has(name)) this.clash(draft, `There are two models ${source.name}: rename one.`)
      else this.drafts.set(name, draft)
    }
  }

  checked(): Checked {
    for (const draft of this.all) this.look(draft)
    const order = this.order()
    for (const draft of order) {
      const needs = [...draft.needs.keys()]
      // What stands behind a mistake would only be its echo: where the columns of a table cannot be told, who reads it waits.
      const model = draft.failed || !needs.every((name) => this.known.has(name)) ? undefined : this.model(draft)
      if (model && !draft.clashes) this.known.set(model.table.name, model.table)
      const isSound = !draft.failed && draft.wrongTests.size === 0 && !draft.clashes
      if (model && isSound && !needs.some((name) => this.drafts.get(name)?.failed))
        this.made.set(model.table.name, model)
      else draft.failed = true
    }
    const byPlace = (a: ModelIssue, b: ModelIssue) =>
      (a.file < b.file ? -1 : a.file > b.file ? 1 : 0) ||
      (a.line ?? 0) - (b.line ?? 0) ||
      (a.column ?? 0) - (b.column ?? 0)
    return { models: [...this.made.values()], errors: this.errors.sort(byPlace), warnings: this.warnings.sort(byPlace) }
  }

  // --- issues ---

  private fail(draft: Draft, place: { line: number; column: number } | number | undefined, message: string): void {
    draft.failed = true
    this.errors.push(this.issue(draft, place, message))
  }
  private clash(draft: Draft, message: string): void {
    draft.clashes = true
    this.errors.push(this.issue(draft, undefined, message))
  }
  private warn(draft: Draft, place: { line: number; column: number } | number | undefined, message: string): void {
    this.warnings.push(this.issue(draft, place, message))
  }
  private issue(
    { source }: Draft,
    place: { line: number; column: number } | number | undefined,
    message: string,
  ): ModelIssue {
    const at = typeof place === 'number' ? placeOf(source.text, place) : place
    return { file: source.file, ...at, message }
  }
  private setting(draft: Draft, path: SettingPath, message: string): void {
    const place = draft.source.placeOf(path)
    const [of, index] = path
    if (of === 'tests' && typeof index === 'number') {
      draft.wrongTests.add(index)
      this.errors.push(this.issue(draft, place, message))
    } else this.fail(draft, place, message)
  }

  // --- which tables ---

  private look(draft: Draft): void {
    const { source } = draft
    if (source.isBroken) {
      draft.failed = true
      return
    }
    let query: Query
    try {
      if (tokensOf(source.text).every(({ kind, text }) => kind === 'end' || text === ';')) {
        this.fail(draft, undefined, 'There is no SQL in the file: write one SELECT.')
        return
      }
      const wrong = notOneSelect(source.text)
      if (wrong) {
        this.fail(draft, wrong.at, wrong.message)
        return
      }
      query = queryOf(source.text)
    } catch (error) {
      this.said(draft, error)
      return
    }
    draft.query = query
    draft.refs = tablesOf(source.text, query)
    for (const ref of draft.refs) {
      const wrong = this.wrongRef(draft, ref)
      if (wrong !== undefined) this.fail(draft, ref.at, wrong)
      else {
        draft.reads.add(ref.name)
        if (this.drafts.has(ref.name)) draft.needs.set(ref.name, placeOf(source.text, ref.at))
      }
    }
    source.settings.tests.forEach((test, index) => {
      const path = ['tests', index, test.kind]
      const place = source.placeOf(path)
      const own = `curated.${source.name}`
      if (test.kind === 'relationships') this.needed(draft, test.to.table.toLowerCase(), own, path)
      if (test.kind !== 'sql') return
      try {
        const wrong = notOneSelect(test.sql)
        if (wrong) throw new QueryError(wrong.message)
        const refs = tablesOf(test.sql)
        for (const { name } of refs) this.needed(draft, name, own, path)
        if (!refs.some(({ name }) => name === own))
          this.warn(draft, place, `The test does not look at the model: name ${own} in its FROM.`)
      } catch (error) {
        if (!(error instanceof QueryError)) throw error
        this.setting(draft, path, `The SQL of the test: ${saidBy(error).message}`)
      }
    })
  }

  /** A table that a test looks at: made before, as far as it is a model. */
  private needed(draft: Draft, table: string, own: string, path: SettingPath): void {
    if (table === own) return
    draft.tested.add(table)
    if (this.drafts.has(table)) draft.needs.set(table, draft.needs.get(table) ?? draft.source.placeOf(path))
    else if (!this.known.has(table)) this.setting(draft, path, this.unknown(table))
  }

  private wrongRef({ source, clashes }: Draft, ref: TableRef): string | undefined {
    const { name, names, at, end } = ref
    if (name === `curated.${source.name}` && !clashes)
      return `The model reads itself. What it reads has to be there before it: take the rows from the tables that they come from.`
    if (!name.includes('.')) {
      const zones = ['clean', 'curated', 'ops'].map((zone) => `${zone}.${name}`).filter((one) => this.isThere(one))
      const meant = zones.length > 0 ? zones : [`clean.${name}`, `curated.${name}`]
      return `The table ${names[0]} needs its zone: write ${meant.join(' or ')}.`
    }
    if (name.startsWith('information_schema.'))
      return 'A model reads tables of the lake, and not what there is to read.'
    if (!this.isThere(name)) return this.unknown(names.join('.'))
    const words = tokensOf(source.text).filter((token) => token.at >= at && token.at < end)
    if (words.some(({ kind, text }) => kind === 'word' && text === 'FOR'))
      return 'A model reads tables as they are now: leave FOR … AS OF out, for older versions do not stay for ever.'
    return undefined
  }

  private isThere(name: string): boolean {
    return this.known.has(name) || this.drafts.has(name)
  }

  private unknown(written: string): string {
    // By their own names: a dataset may have capitals.
    const all = [...new Set([...this.known.keys(), ...this.drafts.keys()].map((name) => this.inCatalog(name)))].sort()
    const bare = written.slice(written.lastIndexOf('.') + 1).toLowerCase()
    const near = all.find((name) => name.toLowerCase().endsWith(`.${bare}`)) ?? nearest(written, all)
    const meant = near === undefined ? '' : ` ${near} is meant, perhaps.`
    const [zone = '', dataset = ''] = written.toLowerCase().split('.')
    if (zone === 'curated' && this.known.has(`clean.${dataset}`))
      return `There is no table ${written}: the contract of ${dataset} wants none. Give it curated: {mode: merge} or {mode: append}, or read clean.${dataset}.`
    return `There is no table ${written}.${meant} The tables are: ${all.join(', ')}.`
  }

  // --- in which order ---

  /** Each after what it needs; the models of a circle are told and left out. */
  private order(): Draft[] {
    const order: Draft[] = []
    const done = new Set<Draft>()
    const path: Draft[] = []
    const visit = (draft: Draft): void => {
      if (done.has(draft)) return
      path.push(draft)
      for (const [name, place] of draft.needs) {
        const next = this.drafts.get(name)
        if (!next) continue
        const from = path.indexOf(next)
        if (from >= 0) {
          const names = [...path.slice(from), next].map(({ source }) => source.name)
          this.fail(
            draft,
            place,
            `The models go round in a circle: ${names.join(' → ')}. One of them has to read something else.`,
          )
        } else visit(next)
      }
      path.pop()
      done.add(draft)
      order.push(draft)
    }
    for (const draft of this.all) visit(draft)
    return order
  }

  // --- one by one ---

  /** An error of the SQL, at its place in the file. */
  private said(draft: Draft, error: unknown): void {
    if (!(error instanceof QueryError)) throw error
    const { line, column = 1, message } = saidBy(error)
    const place = line === undefined ? undefined : { line, column }
    const at = place && offsetOf(draft.source.text, place)
    const isTemplate = at !== undefined && /^\{[{%]/.test(draft.source.text.slice(at, at + 2))
    this.fail(draft, place, isTemplate ? TEMPLATE : message)
  }

  private model(draft: Draft): Model | undefined {
    const { source, query, refs } = draft
    if (!query) return undefined
    const columns = this.columns(draft, query)
    if (!columns) return undefined
    const { settings } = source
    const { description, materialized, uniqueKey, partitionBy, schedule, tests } = settings
    this.checkColumns(draft, query, columns)
    for (const { at, name } of ungrouped(query))
      this.fail(
        draft,
        at,
        `The column ${name} is neither grouped nor in an aggregate: name it in GROUP BY, or write min(x) or arbitrary(x) of it.`,
      )
    if (draft.failed) return undefined
    const comments = new Map(Object.entries(settings.columns).map(([name, comment]) => [name.toLowerCase(), comment]))
    const table: Model['table'] = {
      name: `curated.${source.name}`,
      ...(description === undefined ? {} : { description }),
      columns: columns.map(({ name, type }) => {
        const comment = comments.get(name)
        return { name, type: duckdbName(type), ...(comment === undefined ? {} : { comment }) }
      }),
      partitionKeys: [],
    }
    this.checkSettings(draft, table)
    this.checkFollows(draft, query)
    const reads = this.withBehind(draft.reads)
    const small = (names: string[]) => names.map((name) => name.toLowerCase())
    const model: Model = {
      name: source.name,
      file: source.file,
      ...(description === undefined ? {} : { description }),
      materialized,
      uniqueKey: small(uniqueKey),
      partitionBy: partitionBy.map((field) => ({ ...field, column: field.column.toLowerCase() })),
      ...(schedule === undefined ? {} : { schedule }),
      sql: sqlOf(source.text),
      reads,
      testReads: this.withBehind(draft.tested).filter((name) => !reads.includes(name) && !name.startsWith('ops.')),
      table,
      tests,
      hash: '',
    }
    // Its file was told already that it needs one.
    if (materialized === 'incremental' && uniqueKey.length === 0) draft.failed = true
    if (materialized === 'incremental' && !draft.failed) {
      const found = driverOf({
        text: source.text,
        query,
        columns,
        uniqueKey,
        tables: new Map(refs.flatMap(({ name }) => [[name, this.known.get(name)] as const]).filter(isWhole)),
        behind: (name) => this.behind(name),
      })
      if ('problems' in found) for (const { at, message } of found.problems) this.fail(draft, at, message)
      else {
        model.incremental = found.incremental
        const driver = found.incremental.driver.toLowerCase()
        const clean = refs.find(({ name }) => name === driver.replace('curated.', 'clean.'))
        if (clean)
          this.warn(
            draft,
            clean.at,
            `${clean.name} changes whenever ${driver} does, so that every run makes all anew. Read ${driver} only, or make the model materialized: table.`,
          )
      }
    }
    this.checkTests(draft, model)
    model.hash = hashOf(model)
    return model
  }

  /** A dataset may have capitals, and whoever looks for a table's state or partitions needs them. */
  private inCatalog(name: string): string {
    return this.known.get(name)?.name ?? name
  }

  /** These tables as the catalog calls them, and what the views among them read. */
  private withBehind(names: ReadonlySet<string>): string[] {
    return [...new Set([...names].flatMap((name) => [this.inCatalog(name), ...this.behind(name)]))].sort()
  }

  /** What the tables of a view come from. */
  private behind(name: string): string[] {
    const model = this.made.get(name)
    return model?.materialized === 'view' ? model.reads : []
  }

  /** The columns that the query gives; mistakes in several items of SELECT are all told. */
  private columns(draft: Draft, query: Query): { name: string; type: Type }[] | undefined {
    let { text } = draft.source
    const tables = [...this.known.values()]
    for (let mistakes = 0; mistakes < MOST_MISTAKES; mistakes++) {
      try {
        const found = translate(text, tables)
        if (found.kind !== 'query') {
          this.fail(draft, query.at, 'A model is one SELECT.')
          return undefined
        }
        if (found.paths) this.fail(draft, query.at, 'A model cannot have "$path": the files of a table come and go.')
        return mistakes > 0 ? undefined : found.columns
      } catch (error) {
        if (!(error instanceof QueryError)) throw error
        const named = /^The column (.+) of the result /.exec(error.message)
        if (named) {
          const item = itemsOf(query.body).find((one) => one.name?.toLowerCase() === named[1]?.toLowerCase())
          const message = error.message
            .replace(' of the result', '')
            .replace('Weir cannot show it as Athena does', 'A table cannot hold it')
          this.fail(draft, item?.at ?? query.at, message)
          return undefined
        }
        this.said(draft, error)
        const place = saidBy(error)
        const item = itemsOf(query.body).find(({ at, end }) => {
          if (end === undefined) return false
          const [from, to] = [placeOf(text, at), placeOf(text, end)]
          return isFrom(place, from) && !isFrom(place, to)
        })
        if (!item || item.end === undefined) return undefined
        // The places of what comes after stay.
        const length = item.end - item.at
        const lines = text.slice(item.at, item.end).replaceAll(/[^\r\n]/g, ' ')
        const mask = length >= 4 ? 'NULL' : '0'
        if (/[\r\n]/.test(lines.slice(0, mask.length))) return undefined
        text = text.slice(0, item.at) + mask + lines.slice(mask.length) + text.slice(item.end)
      }
    }
    return undefined
  }

  private checkColumns(draft: Draft, query: Query, columns: { name: string; type: Type }[]): void {
    const seen = new Map<string, number>()
    const items = itemsOf(query.body)
    const hasStar = items.some((item) => item.star)
    columns.forEach(({ name, type }, index) => {
      const item = hasStar ? items.find((one) => one.name?.toLowerCase() === name.toLowerCase()) : items[index]
      const at = item?.at ?? items.find((one) => one.star)?.at ?? query.at
      if (/^_col\d+$/.test(name) && item?.name === undefined)
        this.fail(draft, at, `Column ${index + 1} has no name: write AS name after it.`)
      else if (['_gone', '_weir'].some((own) => name.toLowerCase().startsWith(own)))
        this.fail(draft, at, `Weir itself uses names that begin like ${name}: write AS name after it.`)
      else if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
        this.fail(
          draft,
          at,
          `The column ${name} needs a name of letters, digits and _, beginning with a letter: write AS name after it.`,
        )
      else if (name !== name.toLowerCase())
        this.fail(
          draft,
          at,
          `The column ${name} is ${name.toLowerCase()} on AWS, which knows small letters only: write AS ${name.toLowerCase()}.`,
        )
      else if (seen.has(name)) this.fail(draft, at, `Two columns have the name ${name}: give one another by AS.`)
      seen.set(name, index)
      const wrong = unstorable(type)
      if (wrong !== undefined) this.fail(draft, at, `The column ${name} is of the type ${athenaName(type)}. ${wrong}`)
    })
  }

  private checkSettings(draft: Draft, table: Model['table']): void {
    const { settings } = draft.source
    const names = table.columns.map(({ name }) => name)
    const missing = (name: string): string | undefined => {
      if (names.includes(name.toLowerCase())) return undefined
      const near = nearest(name, names)
      return `The model gives no column ${name}${near === undefined ? '' : `; ${near} is meant, perhaps`}. Its columns are: ${names.join(', ')}.`
    }
    const held = (name: string, path: SettingPath): void => {
      const wrong = missing(name)
      if (wrong !== undefined) this.setting(draft, path, wrong)
    }
    for (const [index, name] of settings.uniqueKey.entries()) held(name, ['uniqueKey', index])
    for (const name of Object.keys(settings.columns)) held(name, ['columns', name])
    for (const { index, message } of partitionProblems(settings.partitionBy, table.columns)) {
      const field = settings.partitionBy[index]
      const near = field && missing(field.column)
      this.setting(draft, ['partitionBy', index], near ?? `${field ? `${partitionText(field)}: ` : ''}${message}`)
    }
    settings.tests.forEach((test, index) => {
      const path = ['tests', index, test.kind]
      if (test.kind === 'not_null' || test.kind === 'unique') for (const name of test.columns) held(name, path)
      else if (test.kind === 'accepted_values' || test.kind === 'relationships') held(test.column, [...path, 'column'])
      if (test.kind === 'accepted_values') {
        const type = table.columns.find(({ name }) => name === test.column.toLowerCase())?.type
        for (const [at, value] of test.values.entries()) {
          const wrong = type === undefined ? undefined : misfit(value, typeOfColumn(type))
          if (wrong !== undefined)
            this.setting(draft, [...path, 'values', at], `The column ${test.column} is of the type ${wrong}.`)
        }
      }
      if (test.kind !== 'relationships') return
      const to = this.known.get(test.to.table.toLowerCase())
      const there = to ? [...to.columns, ...to.partitionKeys].map(({ name }) => name) : []
      if (to && !there.some((name) => name.toLowerCase() === test.to.column.toLowerCase()))
        this.setting(
          draft,
          [...path, 'to'],
          `${to.name} has no column ${test.to.column}. Its columns are: ${there.join(', ')}.`,
        )
    })
  }

  /** Whether a run comes whenever the answer may differ. */
  private checkFollows(draft: Draft, query: Query): void {
    const { description, materialized } = draft.source.settings
    if (description === undefined)
      this.warn(draft, undefined, 'The model has no description: say in a sentence what a row of it is.')
    if (query.orderBy.length > 0 && query.limit === undefined && query.offset === undefined)
      this.warn(
        draft,
        query.orderBy[0]?.at,
        'A table has no order: ORDER BY at the end costs time and changes nothing.',
      )
    if (materialized === 'view') return
    for (const ref of draft.refs)
      if ([ref.name, ...this.behind(ref.name)].some((name) => name.startsWith('ops.')))
        this.fail(
          draft,
          ref.at,
          `${ref.name} tells of operations and changes all the time, so that a table made from it would always be behind. Make the model materialized: view.`,
        )
    walk(query, (expr) => {
      if (
        expr.kind === 'call' &&
        /^(now|current_date|current_timestamp|localtimestamp)$/i.test(expr.name) &&
        materialized === 'table'
      )
        this.warn(
          draft,
          expr.at,
          `${expr.name} is that of the last run, and a table is made anew only when what it reads has changed. Make the model materialized: view, or take the moment from the data.`,
        )
    })
  }

  /** The queries of the tests, held against the columns that they look at. */
  private checkTests(draft: Draft, model: Model): void {
    const tables = [
      ...[...this.known.values()].filter(({ name }) => name.toLowerCase() !== model.table.name),
      model.table,
    ]
    model.tests.forEach((test, index) => {
      if (draft.wrongTests.has(index)) return
      const [query] = testQueries({ table: model.table, uniqueKey: [], tests: [test] }, relationOf(model.table.name))
      if (!query) return
      try {
        for (const sql of [query.sql, query.samples]) translate(sql, tables)
        const [loose] = test.kind === 'sql' ? ungrouped(queryOf(test.sql)) : []
        if (loose) throw new QueryError(`the column ${loose.name} is neither grouped nor in an aggregate.`)
      } catch (error) {
        if (!(error instanceof QueryError)) throw error
        const { message } = saidBy(error)
        this.setting(draft, ['tests', index, test.kind], `The test cannot run: ${message}`)
      }
    })
  }
}

const TEMPLATE =
  'There are no templates in a model: write the name of the table itself, like curated.orders, and settings into the front matter. In which order models are made follows from their SQL.'

/** A second statement, or one that changes something, with its place. */
function notOneSelect(sql: string): Problem | undefined {
  const words = tokensOf(sql)
  const isEnd = (word: Token | undefined): boolean => word?.kind === 'sign' && word.text === ';'
  const begin = words.findIndex((word) => !isEnd(word))
  const end = words.findIndex((word, index) => index > begin && isEnd(word))
  const second = end < 0 ? undefined : words.slice(end).find((word) => word.kind !== 'end' && !isEnd(word))
  if (second)
    return {
      at: second.at,
      message: 'A second statement begins here, and only one SELECT can stand here: leave it out.',
    }
  const first = words[begin]
  if (
    first?.kind !== 'word' ||
    !/^(CREATE|INSERT|UPDATE|DELETE|MERGE|DROP|ALTER|SHOW|DESCRIBE|EXPLAIN)$/.test(first.text)
  )
    return undefined
  return {
    at: first.at,
    message: `${first.text} cannot stand here: write the SELECT alone, and Weir makes the table of its rows.`,
  }
}

const isWhole = (entry: readonly [string, KnownTable | undefined]): entry is readonly [string, KnownTable] =>
  entry[1] !== undefined

function isFrom(place: { line?: number; column?: number }, from: { line: number; column: number }): boolean {
  const { line = 0, column = 0 } = place
  return line > from.line || (line === from.line && column >= from.column)
}

/** What the outermost SELECT gives, with places. Of a UNION: its first part, which gives the names. */
function itemsOf(body: Query['body']): { at: number; end?: number; name?: string; star: boolean }[] {
  if (body.kind === 'set') return itemsOf(body.left)
  if (body.kind === 'nested') return itemsOf(body.query.body)
  if (body.kind === 'values') return []
  return (body satisfies Select).items.map((item) => {
    if (item.star) return { at: item.at, star: true }
    const { expr, alias, at, end } = item
    const name = alias ?? (expr.kind === 'name' || expr.kind === 'dot' ? expr.name : undefined)
    return { at, end, star: false, ...(name === undefined ? {} : { name }) }
  })
}

/** The query alone, from its first word to its last. */
function sqlOf(text: string): string {
  const words = tokensOf(text).filter(({ kind, text }) => kind !== 'end' && text !== ';')
  const [first, last] = [words[0], words.at(-1)]
  return first && last ? text.slice(first.at, last.at + last.raw.length) : ''
}

/** Comments and line breaks do not decide about rows. */
function hashOf({ sql, materialized, uniqueKey, partitionBy, incremental }: Model): string {
  const words = tokensOf(sql).map(({ raw }) => raw)
  return hex(JSON.stringify([words, materialized, uniqueKey, partitionBy.map(partitionText), incremental ?? null]), 24)
}
