// Reads models from their files: front matter in a comment that begins with /*--- and ends with ---*/, then one SELECT. Other
// comments may stand before it. Nothing here knows which tables there are.
//
//   /*---
//   description: Flights and their delays, day by day.
//   materialized: table
//   ---*/
//   SELECT …

import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Document, isAlias, isMap, isNode, isScalar, parseDocument } from 'yaml'
import { z } from 'zod'
import { shown } from '../../contract/errors.ts'
import { exact } from '../../contract/exact.ts'
import { nearest } from '../../contract/names.ts'
import { PARTITION_FORMS, type PartitionField, parsePartitionField } from '../../contract/partition.ts'
import { placeOf } from '../../sql/lex.ts'
import { SCHEDULE } from '../config.ts'
import type { ModelIssue } from './issues.ts'
import type { AcceptedValue, ModelSettings, ModelSource, ModelTest, SettingPath } from './model.ts'

const END = '.sql'
const OPEN = '/*---'
const CLOSE = '---*/'
const NAME = /^[a-z][a-z0-9_]{0,127}$/

const text = z.string('must be a text').trim().min(1, 'must say something')
const oneOrMore = z
  .union([text, z.array(text).min(1, 'must name a column')], 'must be a column, or a list of columns')
  .transform((found) => (typeof found === 'string' ? [found] : found))
  .refine(
    (found) => !found.some((column) => column.includes(',')),
    'must be a list where it is several columns: [day, shop]',
  )
  .refine(
    (found) => new Set(found.map((column) => column.toLowerCase())).size === found.length,
    'must name each column once',
  )

const FIELDS = {
  description: text,
  materialized: z.enum(['view', 'table', 'incremental'], 'must be view, table or incremental'),
  uniqueKey: oneOrMore,
  partitionBy: z.array(
    z.string().transform((written, context): PartitionField => {
      const field = parsePartitionField(written)
      if (field) return field
      context.addIssue({ code: 'custom', message: `must be ${PARTITION_FORMS}` })
      return z.NEVER
    }),
    'must be a list, like [month(day)]',
  ),
  schedule: z
    .string('must be a text')
    .regex(SCHEDULE, 'must be like rate(1 hour), rate(2 days) or cron(0 6 * * ? *)')
    .refine(
      isCron,
      'must have six parts: minute, hour, day of the month, month, day of the week and year, one of the days ?',
    ),
  on: z.literal('change', 'must be change; for a time of the day write schedule: cron(0 6 * * ? *)'),
  columns: z.record(z.string(), text, 'must give each column its description, like {revenue: In euros}'),
  tests: z.array(z.unknown(), 'must be a list, like [not_null: day]'),
}

/** What EventBridge takes of a cron: which values there are is left to it. */
function isCron(schedule: string): boolean {
  if (!schedule.startsWith('cron(')) return true
  const parts = schedule.slice('cron('.length, -1).trim().split(/\s+/)
  const [, , ofMonth, , ofWeek] = parts
  return (
    parts.length === 6 && (ofMonth === '?') !== (ofWeek === '?') && parts.every((part) => /^[\w*?,/#-]+$/.test(part))
  )
}

const values = z
  .array(
    z.union([z.string(), z.number(), z.boolean()], 'must be a text, a number or true/false'),
    'must be a list of values',
  )
  .min(1, 'must have a value')

/** What the kinds of tests take. */
const TESTS = {
  not_null: oneOrMore,
  unique: oneOrMore,
  accepted_values: z.strictObject({ column: text, values }, 'must be {column: …, values: […]}'),
  relationships: z.strictObject(
    {
      column: text,
      to: text
        .regex(/^[\w]+\.[\w]+\.[^.]+$/, 'must be a column of a table, like curated.airports.iata')
        .transform((to) => {
          const [zone = '', table = '', column = ''] = to.split('.')
          return { table: `${zone}.${table}`, column }
        }),
    },
    'must be {column: …, to: curated.airports.iata}',
  ),
  sql: text,
}
const TEST_WORDS = { name: text, severity: z.enum(['error', 'warning'], 'must be error or warning') }

/**
 * Reads every model of a folder. One that is not there has no models. Throws nothing for what the files say.
 *
 * @example
 * const { models, errors } = await readModels('models')
 */
export async function readModels(folder: string): Promise<{ models: ModelSource[]; errors: ModelIssue[] }> {
  let names: string[]
  try {
    names = await readdir(folder, { recursive: true })
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    if (code === 'ENOENT') return { models: [], errors: [] }
    return { models: [], errors: [{ file: folder, message: `The folder of models cannot be read: ${message}.` }] }
  }
  const files: { name: string; text: string }[] = []
  const errors: ModelIssue[] = []
  for (const name of names.filter((one) => /\.sql$/i.test(one) && !/(^|[\\/])\./.test(one)).sort()) {
    if (/[\\/]/.test(name)) {
      errors.push({ file: name, message: 'Models lie in the folder itself: move it there.' })
      continue
    }
    if (!name.endsWith(END)) {
      const message = `The name of a model's file ends with ${END} in small letters: rename it ${renamed(name)}.`
      errors.push({ file: name, message })
      continue
    }
    try {
      const bytes = await readFile(join(folder, name))
      files.push({ name, text: new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes) })
    } catch (error) {
      const why =
        error instanceof TypeError
          ? 'The file is not UTF-8 text: save it as that.'
          : (error as NodeJS.ErrnoException).code === 'EISDIR'
            ? 'This is a folder, and a model is a file: give it another name.'
            : `The file cannot be read: ${(error as Error).message}.`
      errors.push({ file: name, message: why })
    }
  }
  const parsed = parseModels(files)
  return { models: parsed.models, errors: [...errors, ...parsed.errors] }
}

/** `Orders-2026.SQL` → `orders_2026.sql` */
function renamed(file: string): string {
  const small = file
    .slice(0, -END.length)
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '_')
  return `${/^[a-z]/.test(small) ? small : `m_${small}`.replaceAll(/_+/g, '_')}${END}`
}

/** Reads models from their texts, as a deployed lake has them. */
export function parseModels(files: readonly { name: string; text: string }[]): {
  models: ModelSource[]
  errors: ModelIssue[]
} {
  const parsed = files.map(({ name, text }) => parseModel(name, text))
  return { models: parsed.flatMap(({ model }) => model ?? []), errors: parsed.flatMap(({ errors }) => errors) }
}

/** Reads one model. What is wrong in its front matter leaves the rest to be looked at all the same. */
export function parseModel(file: string, written: string): { model?: ModelSource; errors: ModelIssue[] } {
  // A byte order mark is no part of the SQL; a blank in its place keeps the places.
  const text = written.replace(/^\ufeff/, ' ')
  const errors: ModelIssue[] = []
  const name = file.slice(0, -END.length)
  if (!NAME.test(name)) {
    const message = `The file's name is the table's, and ${name} cannot be one: small letters, digits and _, beginning with a letter, then .sql. Rename it ${renamed(file)}.`
    return { errors: [{ file, message }] }
  }
  const front = frontMatter(file, text, errors)
  const isBroken = !front && errors.length > 0
  const settings = front ? readSettings(front, errors) : defaults()
  return {
    model: { name, file, text, settings, isBroken, placeOf: (path) => front?.placeOf(path) ?? { line: 1, column: 1 } },
    errors,
  }
}

const defaults = (): ModelSettings => ({
  materialized: 'table',
  uniqueKey: [],
  partitionBy: [],
  columns: {},
  tests: [],
})

/** The YAML of a file, with the places of its parts in the file. */
interface FrontMatter {
  data: Record<string, unknown>
  placeOf(path: SettingPath): { line: number; column: number }
  /** A value as it is written: `1.10`. */
  writtenAt(path: SettingPath): string | undefined
  error(path: SettingPath, message: string): void
}

function frontMatter(file: string, text: string, errors: ModelIssue[]): FrontMatter | undefined {
  const error = (at: number, message: string): void => void errors.push({ file, ...placeOf(text, at), message })
  const begins = text.search(/\S/)
  if (begins >= 0 && /^---\s*(\r?\n|$)/.test(text.slice(begins))) {
    error(
      begins,
      `Front matter stands in a comment, so that the file stays SQL: begin it with ${OPEN} and end it with ${CLOSE}.`,
    )
    return undefined
  }
  const [begin, ...more] = frontMatters(text)
  for (const at of begin?.isFirst === false ? [begin.at] : more.map(({ at }) => at))
    error(
      at,
      begin?.isFirst === false
        ? `This looks like front matter, and nobody would read it here: it begins with ${OPEN}, without a blank, and stands before the SQL.`
        : 'There is front matter already, and nobody would read this one: put all settings into the first.',
    )
  if (!begin?.isFirst) return undefined
  const from = begin.at + OPEN.length
  const closed = text.indexOf('*/', from)
  if (closed < 0 || !text.startsWith(CLOSE, closed - 3)) {
    if (closed >= 0 && text.indexOf(CLOSE, closed) > 0)
      error(closed, 'The signs */ end the comment here. In a schedule write 0/5 for */5.')
    else error(begin.at, `The front matter is not closed: end it with ${CLOSE} on a line of its own.`)
    return undefined
  }
  const document = parseDocument(text.slice(from, closed - 3), { prettyErrors: false })
  for (const problem of document.errors.slice(0, 5))
    error(from + problem.pos[0], `The front matter is not YAML: ${YAML_ADVICE[problem.code] ?? `${problem.message}.`}`)
  if (document.errors.length > 0) return undefined
  const placeAt = (path: SettingPath) => placeOf(text, from + offsetOf(document, path))
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount: 100 }) ?? {}
  } catch (cause) {
    error(from, `The front matter cannot be read: ${(cause as Error).message}`)
    return undefined
  }
  if (!isMap(document.contents) && document.contents !== null) {
    error(from, 'The front matter must be settings with values, like materialized: table.')
    return undefined
  }
  return {
    data: data as Record<string, unknown>,
    placeOf: placeAt,
    writtenAt(path) {
      const node: unknown = document.getIn(path, true)
      const found = isAlias(node) ? node.resolve(document) : node
      return isScalar(found) ? found.source : undefined
    },
    error: (path, message) => void errors.push({ file, ...placeAt(path), message }),
  }
}

/** What the reader of YAML says in its own words. */
const YAML_ADVICE: Readonly<Record<string, string>> = {
  TAB_AS_INDENT: 'lines begin with blanks in it, and not with a tab.',
  DUPLICATE_KEY: 'this setting stands here twice. Leave one out.',
  BLOCK_AS_IMPLICIT_KEY: 'a text with a colon and a blank in it needs quotes.',
}

/** Where comments begin that are front matter, or are meant to be; `isFirst`: only comments stand before it. */
function frontMatters(text: string): { at: number; isFirst: boolean }[] {
  const found: { at: number; isFirst: boolean }[] = []
  let isFirst = true
  // Texts and names in quotes, comments, and everything else: a word or sign that SQL begins with.
  for (const { 0: part, index } of text.matchAll(
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\r\n]*|\/\*[\s\S]*?(?:\*\/|$)|\s+|[^\s]/g,
  )) {
    if (/^(--|\s)/.test(part)) continue
    if (!part.startsWith('/*')) isFirst = false
    else if (isFirst && found.length === 0 && /^\/\*---(?!-)/.test(part)) found.push({ at: index, isFirst })
    else if (/^\/\*[ \t]*---[ \t]*[\r\n]/.test(part)) found.push({ at: index, isFirst: false })
  }
  return found
}

/** Where a setting stands: its name, or its entry in a list; of what is not there, what it would be in. */
function offsetOf(document: Document, path: SettingPath): number {
  for (let length = path.length; length > 0; length--) {
    const parent: unknown = document.getIn(path.slice(0, length - 1), true)
    const last = path[length - 1]
    if (isMap(parent)) {
      const pair = parent.items.find(({ key }) => (isScalar(key) ? key.value : key) === last)
      if (pair && isNode(pair.key) && pair.key.range) return pair.key.range[0]
    } else {
      const node: unknown = document.getIn(path.slice(0, length), true)
      if (isNode(node) && node.range) return node.range[0]
    }
  }
  return document.contents?.range?.[0] ?? 0
}

function readSettings(front: FrontMatter, errors: ModelIssue[]): ModelSettings {
  const before = errors.length
  const found = fields(front, front.data, FIELDS, [])
  if (found.on !== undefined && found.schedule !== undefined)
    front.error(['on'], 'A model follows its tables (on: change) or a schedule, not both: leave one out.')
  const { tests, on: _, ...rest } = found
  const settings: ModelSettings = { ...defaults(), ...rest, tests: [] }
  settings.tests = (tests ?? []).flatMap((test, index) => readTest(front, test, ['tests', index]) ?? [])
  const { materialized, schedule, uniqueKey, partitionBy } = settings
  if (materialized === 'view') {
    const idle = { schedule, uniqueKey: uniqueKey[0], partitionBy: partitionBy[0] }
    for (const [key, value] of Object.entries(idle))
      if (value !== undefined)
        front.error([key], `A view has no ${key}: it holds no rows, and runs whenever somebody reads it.`)
  }
  if (materialized === 'incremental' && uniqueKey.length === 0 && errors.length === before)
    front.error(['materialized'], 'An incremental model needs uniqueKey: the columns that tell its rows apart.')
  return settings
}

type Shape = Record<string, z.ZodType>
type Found<S extends Shape> = { [K in keyof S]?: z.output<S[K]> }

/** Each setting read by itself, so that a wrong one hides no other. */
function fields<S extends Shape>(
  front: FrontMatter,
  data: Record<string, unknown>,
  shape: S,
  path: SettingPath,
): Found<S> {
  const found: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(data)) {
    const schema = Object.hasOwn(shape, key) ? shape[key] : undefined
    if (!schema) {
      const known = Object.keys(shape)
      const near = nearest(key, known)
      front.error(
        [...path, key],
        `There is no setting ${key}${near === undefined ? '' : `; ${near} is meant, perhaps`}. The settings are: ${known.join(', ')}.`,
      )
      continue
    }
    const parsed = schema.safeParse(value)
    if (parsed.success) found[key] = parsed.data
    else
      report(
        front,
        [...path, key],
        parsed.error.issues,
        value,
        schema instanceof z.ZodObject ? Object.keys(schema.shape) : [],
      )
  }
  return found as Found<S>
}

function report(
  front: FrontMatter,
  path: SettingPath,
  issues: z.core.$ZodIssue[],
  value: unknown,
  allowed: readonly string[],
): void {
  for (const issue of issues) {
    const at = [...path, ...(issue.path as (string | number)[])]
    const names = at.filter((part) => typeof part === 'string').join('.')
    if (issue.code === 'unrecognized_keys')
      for (const key of issue.keys) {
        const near = nearest(key, allowed)
        front.error(
          [...at, key],
          `${names} has no setting ${key}${near === undefined ? '' : `; ${near} is meant, perhaps`}. Its settings are: ${allowed.join(', ')}.`,
        )
      }
    else {
      const inside = issue.path.reduce<unknown>(
        (of, part) => (typeof of === 'object' && of !== null ? (of as Record<PropertyKey, unknown>)[part] : undefined),
        value,
      )
      front.error(at, `${names} ${issue.message}. Found ${shown(inside ?? undefined)}.`)
    }
  }
}

function readTest(front: FrontMatter, test: unknown, path: SettingPath): ModelTest | undefined {
  const known = Object.keys(TESTS).join(', ')
  if (typeof test !== 'object' || test === null || Array.isArray(test)) {
    front.error(
      path,
      `A test is one of ${known} and what it is about, like not_null: day. Found ${shown(test ?? undefined)}.`,
    )
    return undefined
  }
  const kinds = Object.keys(TESTS).filter((kind) => kind in test) as (keyof typeof TESTS)[]
  const [kind] = kinds
  if (kind === undefined || kinds.length > 1) {
    const found = Object.keys(test)
    const near = kind === undefined ? found.map((word) => nearest(word, Object.keys(TESTS))).find(Boolean) : undefined
    front.error(
      path,
      `A test is exactly one of ${known}. Found ${found.join(', ') || 'none'}${near === undefined ? '' : `; ${near} is meant, perhaps`}.`,
    )
    return undefined
  }
  const found = fields(
    front,
    test as Record<string, unknown>,
    { [kind]: TESTS[kind], ...TEST_WORDS } as Shape,
    path,
  ) as {
    name?: string
    severity?: 'error' | 'warning'
  } & Found<typeof TESTS>
  const shared = {
    ...(found.name === undefined ? {} : { name: found.name }),
    severity: found.severity ?? ('error' as const),
  }
  if (kind === 'sql') return found.sql === undefined ? undefined : { ...shared, kind, sql: found.sql }
  if (kind === 'accepted_values') {
    if (!found.accepted_values) return undefined
    const { column, values } = found.accepted_values
    const asWritten = (value: string | number | boolean, index: number): AcceptedValue =>
      typeof value === 'number' ? numberAt(front, [...path, kind, 'values', index], value) : value
    return { ...shared, kind, column, values: values.map(asWritten) }
  }
  if (kind === 'relationships') return found.relationships && { ...shared, kind, ...found.relationships }
  const columns = found[kind]
  return columns && { ...shared, kind, columns }
}

/** A number of the front matter with all its digits; what YAML counts in sixteens or eights, counted in tens. */
function numberAt(front: FrontMatter, path: SettingPath, value: number): { number: string } {
  const written = front.writtenAt(path) ?? String(value)
  return { number: exact(written) ? written : String(BigInt(written)) }
}
