// The statements by which Athena makes a curated table: pure texts, so that a dry run prints what a run would do. What Athena
// and Iceberg ask for, and Trino does not, is in here:
//
// - MERGE has no "not matched by source", so rows that leave are rows of the source too. One MERGE is one commit.
// - Names stand in backticks where a statement goes to Hive's parser (CREATE TABLE, ALTER, DROP TABLE), in double quotes where
//   it goes to Trino's, and bare in OPTIMIZE and VACUUM, which take no others.
// - Timestamps of Iceberg have six digits, and CREATE TABLE AS refuses the three that Athena gives them elsewhere. Iceberg has
//   no tinyint and no smallint.
// - Stored tables are Iceberg too: in a workgroup that says where results go, CREATE TABLE AS puts tables of Hive among the
//   results, where they are deleted after some days; and hidden partitions are Iceberg's alone.

import { partitionText } from '../../contract/partition.ts'
import { among, name, text } from '../../sql/quote.ts'
import { type Type, typeOfColumn } from '../../sql/types.ts'
import { QueryError } from '../errors.ts'
import { type Evolution, evolution } from '../evolve.ts'
import type { PartitionField, TableColumn, TableJob } from '../ports.ts'
import { type Databases, readStatement, type Statement, versionsDatabase } from './names.ts'
import { athenaType, glueName, shorten } from './types.ts'

/** Where tables of a deployed lake are. */
export interface AthenaNames {
  databases: Databases
  /** The s3:// URI of the curated zone, with "/" at its end. */
  location: string
}

/** For statements that are only shown: those of a lake called `weir`. */
export const SHOWN_NAMES: AthenaNames = {
  databases: { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' },
  location: 's3://weir-curated/',
}

/** What a run finds before it begins. It is looked at once: a worker that goes on must do what the first one decided. */
export interface Found {
  /** What stands under the public name. */
  there: 'nothing' | 'view' | 'table'
  /** Glue's types by column, of a table. */
  columns: Record<string, string>
  /** As its state says: differs, and the table is made anew. */
  key: string[]
  partitionBy: string[]
}

export interface Piece {
  /** Tells the statements of one job apart. */
  step: string
  sql: string
  /** What readers notice of it, or why it is there; for people who read a dry run. */
  note?: string
  /** Doing it twice would do it twice. */
  once?: boolean
  /** The query of the job in it, so that places in messages can be told as its author has them. */
  query?: Statement
}

/** Bytes of one statement. */
const LONGEST_STATEMENT = 262_144
const MOST_COMMENT = 255
export const DEFAULT_KEEP_DAYS = 30

/** A statement that is longer than Athena takes. */
export class StatementTooLong extends QueryError {
  override name = 'StatementTooLong'
}

const tick = (name: string): string => `\`${name.replaceAll('`', '``')}\``
/** A text as Hive's parser reads it. */
const hiveText = (value: string): string => `'${value.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
/** The parser of OPTIMIZE and VACUUM takes plain names, and others in backticks. */
const bare = (text: string): string => (/^[a-z][a-z0-9_]*$/.test(text) ? text : tick(text))

/** `orders` for `curated.orders`. */
export const publicName = ({ table }: Pick<TableJob, 'table'>): string =>
  glueName(table.name.slice(table.name.indexOf('.') + 1))

/** The stored table of a run: `orders_per_day_20260102t030405678z0123456789ab`; another try of it is another table. */
export function storedName(job: Pick<TableJob, 'table' | 'run'>, attempt = 1): string {
  return `${publicName(job)}_${job.run.replaceAll('-', '').toLowerCase()}${attempt === 1 ? '' : `_${attempt}`}`
}

/** The table and the run that a stored table is of; undefined for what is none. */
export function readStoredName(stored: string): { table: string; run: string } | undefined {
  const [, table, time, hex] = /^(.+)_(\d{8}t\d{6}(?:\d{3})?z)([0-9a-f]{12})(?:_\d+)?$/.exec(stored) ?? []
  return table && time && hex ? { table, run: `${time.toUpperCase()}-${hex}` } : undefined
}

/** Below the curated zone: where the files of stored tables lie. */
export const STORED_PREFIX = '_stored/'

/** The Glue type of a column of an Iceberg table. */
export const icebergType = (sqlType: string): string =>
  athenaType(sqlType).replaceAll(/\b(tinyint|smallint)(?=[,>]|$)/g, 'int')

/** The type in Trino's words, where it is another one in Iceberg. */
function recast(type: Type): string | undefined {
  const inIceberg = trinoIceberg(type)
  return inIceberg.changed ? inIceberg.name : undefined
}

function trinoIceberg(type: Type): { name: string; changed: boolean } {
  switch (type.of) {
    case 'timestamp':
      return { name: 'timestamp(6)', changed: true }
    case 'tinyint':
    case 'smallint':
      return { name: 'integer', changed: true }
    case 'decimal':
      return { name: `decimal(${type.precision}, ${type.scale})`, changed: false }
    case 'array': {
      const item = trinoIceberg(type.item)
      return { name: `array(${item.name})`, changed: item.changed }
    }
    case 'map': {
      const [key, value] = [trinoIceberg(type.key), trinoIceberg(type.value)]
      return { name: `map(${key.name}, ${value.name})`, changed: key.changed || value.changed }
    }
    case 'row': {
      const fields = type.fields.map((field) => ({ name: field.name ?? '', of: trinoIceberg(field.type) }))
      return {
        name: `row(${fields.map((field) => `${name(field.name.toLowerCase())} ${field.of.name}`).join(', ')})`,
        changed: fields.some((field) => field.of.changed),
      }
    }
    default:
      return { name: type.of, changed: false }
  }
}

/** A column of a source as Iceberg takes it. */
function value({ name: column, type }: TableColumn, of: string): string {
  const to = recast(typeOfColumn(type))
  return to === undefined ? `${of}.${name(column)}` : `CAST(${of}.${name(column)} AS ${to})`
}

const valuesOf = (columns: readonly TableColumn[], of: string): string =>
  columns.map((column) => `${value(column, of)} AS ${name(column.name)}`).join(', ')
const namesOf = (columns: readonly TableColumn[], of?: string): string =>
  columns.map((column) => `${of === undefined ? '' : `${of}.`}${name(column.name)}`).join(', ')

/** Rows that a statement takes in: a query of the job, or what was stored of it. */
interface Source {
  sql: string
  query?: Statement
}

/** As a relation whose columns have the names of the table: the place in the list decides, as the port says. */
const relation = ({ sql }: Source, columns: readonly TableColumn[], gone: boolean): string =>
  `(\n${sql}\n) AS q (${[namesOf(columns), ...(gone ? ['_gone'] : [])].join(', ')})`

/** No truth value, as Athena says of it in the message of its failure; behind it the upload. */
export const NO_KEY = 'a row without a key came with '

/**
 * Lets a statement fail at the first row without a key: nothing could find it again. Trino has no other way to refuse rows that its
 * documentation knows; the text is another one for each upload, so that no optimizer casts it beforehand. Rows of models have been tested.
 */
const keyed = ({ kind, key }: TableJob): string =>
  kind !== 'entity' || key.length === 0
    ? ''
    : `\nWHERE CASE WHEN ${key.map((column) => `q.${name(column)} IS NULL`).join(' OR ')} THEN CAST(${text(NO_KEY)} || q._upload AS boolean) ELSE true END`

const asRelation = (database: string, table: string): string => `${name(database)}.${name(table)}`

/** The public name, to Trino. */
const publicOf = (job: Pick<TableJob, 'table'>, { databases }: AthenaNames): string =>
  asRelation(databases.curated, publicName(job))
/** The public name, to Hive's parser. */
const hivePublicOf = (job: Pick<TableJob, 'table'>, { databases }: AthenaNames): string =>
  `${tick(databases.curated)}.${tick(publicName(job))}`

/** The job's query with its tables as Athena has them. */
async function sourceOf(query: string, { databases }: AthenaNames): Promise<Source> {
  const statement = await readStatement(query, databases)
  if (statement.kind !== 'select')
    throw new QueryError(`A curated table is made from a query, not from ${statement.kind}.`)
  return { sql: statement.sql, query: statement }
}

/** A version of a table of Iceberg, not the name of a stored one. */
export const isSnapshot = (id: string): boolean => /^\d+$/.test(id)

/** What `found` would be where nobody has looked: by the version that the job builds upon. */
export function presumed(job: TableJob): Found {
  const rest = { key: job.key, partitionBy: job.partitionBy.map(partitionText) }
  if (!job.base) return { there: 'nothing', columns: {}, ...rest }
  if (!isSnapshot(job.base.id)) return { there: 'view', columns: {}, ...rest }
  const columns = (job.baseColumns ?? []).map(({ name, type }) => [glueName(name), icebergType(type)])
  return { there: 'table', columns: Object.fromEntries(columns), ...rest }
}

/** What is done before readers can see anything; none where the publishing statement does it all. */
export async function stagePieces(job: TableJob, names: AthenaNames, attempt = 1): Promise<Piece[]> {
  const { change } = job
  if (job.kind === 'entity' || change.kind === 'view' || change.kind === 'append') return []
  const source = await sourceOf(change.query, names)
  const gone = change.kind === 'merge'
  const stored = storedName(job, attempt)
  const partitions =
    job.kind === 'table' && job.partitionBy.length > 0
      ? [`partitioning = ARRAY[${job.partitionBy.map((field) => text(trinoPartition(field))).join(', ')}]`]
      : []
  const properties = [
    "table_type = 'ICEBERG'",
    'is_external = false',
    "format = 'PARQUET'",
    "write_compression = 'ZSTD'",
    `location = ${text(`${names.location}${STORED_PREFIX}${stored}/`)}`,
    ...partitions,
  ]
  const sql =
    `CREATE TABLE ${asRelation(versionsDatabase(names.databases), stored)}\nWITH (${properties.join(', ')})\nAS SELECT ` +
    `${valuesOf(job.table.columns, 'q')}${gone ? ', q._gone' : ''}\nFROM ${relation(source, job.table.columns, gone)}`
  return [piece('store', fits(sql, job), source, { note: 'No reader sees it.' })]
}

/** How the table would look to readers, as a relation over the lake's names. `stored`: the table of stagePieces. */
export function previewOf(job: TableJob, { databases }: Pick<AthenaNames, 'databases'>, stored: string): string {
  const { change, table, key } = job
  if (change.kind === 'view') return `(\n${change.query}\n)`
  const current = `curated.${name(publicName(job))}`
  if (job.kind === 'entity' || change.kind === 'append') return current
  const staged = asRelation(versionsDatabase(databases), stored)
  if (change.kind === 'replace') return staged
  const same = key.map((column) => `s.${name(column)} = t.${name(column)}`).join(' AND ')
  return (
    `(SELECT ${namesOf(table.columns, 't')} FROM ${current} AS t WHERE NOT EXISTS (SELECT 1 FROM ${staged} AS s WHERE ${same})` +
    ` UNION ALL SELECT ${namesOf(table.columns, 's')} FROM ${staged} AS s WHERE NOT s._gone)`
  )
}

/**
 * What makes it what readers see, after stagePieces. Throws QueryError where only the rows that changed are given, and the
 * table is not one that they could go into.
 */
export async function publishPieces(
  job: TableJob,
  names: AthenaNames,
  { found = presumed(job), stored = storedName(job), keepDays = DEFAULT_KEEP_DAYS }: PublishOptions = {},
): Promise<Piece[]> {
  const { change, table } = job
  const view = publicOf(job, names)
  if (change.kind === 'view' || job.kind === 'table') {
    const source: Source =
      change.kind === 'view'
        ? await sourceOf(change.query, names)
        : { sql: `SELECT ${namesOf(table.columns)} FROM ${asRelation(versionsDatabase(names.databases), stored)}` }
    const sql = `CREATE OR REPLACE VIEW ${view} AS\n${source.sql}`
    return [
      ...(found.there === 'table'
        ? [dropTable(job, names, 'The name was that of a table: until the next statement there is nothing under it.')]
        : []),
      piece('view', fits(sql, job), source),
    ]
  }
  const source =
    job.kind === 'incremental'
      ? { sql: `SELECT * FROM ${asRelation(versionsDatabase(names.databases), stored)}` }
      : await sourceOf(change.query, names)
  const before = preparing(job, names, found, keepDays)
  const target: Target = { job, into: view, fresh: before.fresh }
  return [...before.pieces, filling(target, source)].map((piece) => ({ ...piece, sql: fits(piece.sql, job) }))
}

export interface PublishOptions {
  /** Default: what the version says that the job builds upon. */
  found?: Found
  /** The table of stagePieces, if its first try was not the one that succeeded. */
  stored?: string
  /** Snapshots older than this may go. */
  keepDays?: number
}

/**
 * Every statement of a job in its order, with notes as comments: what a dry run prints. They are made of names alone, and
 * nothing is asked of AWS.
 *
 * @example
 * for (const statement of await athenaStatements(step.job)) console.log(`${statement};`)
 */
export async function athenaStatements(
  job: TableJob,
  names: AthenaNames = SHOWN_NAMES,
  options: PublishOptions = {},
): Promise<string[]> {
  const pieces = [...(await stagePieces(job, names)), ...(await publishPieces(job, names, options))]
  return pieces.map(({ sql, note }) => (note === undefined ? sql : `-- ${note}\n${sql}`))
}

/** Brings the table into the shape that the job says; `fresh`: it has no rows then. */
function preparing(
  job: TableJob,
  names: AthenaNames,
  found: Found,
  keepDays: number,
): { pieces: Piece[]; fresh: boolean } {
  const { change, table, base } = job
  const create = createTable(job, names, keepDays)
  const partitionBy = job.partitionBy.map(partitionText)
  const evolves = evolution(base ? (job.baseColumns ?? []) : [], base ? table.columns : [], () => false)
  const refused = [...evolves.refused]
  if (base && found.key.join() !== job.key.join()) refused.push('its key becomes another one')
  if (base && found.partitionBy.join() !== partitionBy.join()) refused.push('it becomes partitioned otherwise')
  if (change.kind !== 'replace') {
    if (refused.length > 0)
      throw new QueryError(
        `${table.name} cannot become what is asked for: ${refused.join('; ')}. Make it anew: weir curate --table ${publicName(job)} --full`,
      )
    if (found.there !== 'table')
      throw new QueryError(
        `The table ${table.name} is not there any more, although a version of it was published. Make it anew: weir curate --table ${publicName(job)} --full`,
      )
    return { pieces: altering(job, names, found, evolves), fresh: false }
  }
  if (found.there === 'nothing') return { pieces: [create], fresh: true }
  if (found.there === 'view') {
    const drop: Piece = {
      step: 'drop',
      sql: `DROP VIEW IF EXISTS ${publicOf(job, names)}`,
      note: 'The name was that of a view: until the last statement readers find nothing, or no rows.',
    }
    return { pieces: [drop, create], fresh: true }
  }
  if (!base)
    return {
      pieces: [dropTable(job, names, 'It was never published: what is in it may be half of something.'), create],
      fresh: true,
    }
  if (refused.length === 0) return { pieces: altering(job, names, found, evolves), fresh: false }
  const why = `It cannot become this: ${refused.join('; ')}. Until the last statement readers find nothing, or no rows; its history ends here.`
  return { pieces: [dropTable(job, names, why), create], fresh: true }
}

const dropTable = (job: TableJob, names: AthenaNames, note: string): Piece => ({
  step: 'drop',
  sql: `DROP TABLE IF EXISTS ${hivePublicOf(job, names)}`,
  note,
})

function createTable(job: TableJob, names: AthenaNames, keepDays: number): Piece {
  const { table, partitionBy, run } = job
  const columns = table.columns.map(
    (column) => `  ${tick(glueName(column.name))} ${icebergType(column.type)}${comment(column, '')}`,
  )
  const partitioned = partitionBy.length === 0 ? [] : [`PARTITIONED BY (${partitionBy.map(hivePartition).join(', ')})`]
  const properties = {
    table_type: 'ICEBERG',
    format: 'parquet',
    write_compression: 'zstd',
    vacuum_max_snapshot_age_seconds: String(keepDays * 86_400),
  }
  const lines = [
    `CREATE TABLE IF NOT EXISTS ${hivePublicOf(job, names)} (`,
    columns.join(',\n'),
    ')',
    ...partitioned,
    // A place of its own for each table of that name, so that nothing of one before is in its way.
    `LOCATION ${hiveText(`${names.location}${publicName(job)}/${run}/`)}`,
    `TBLPROPERTIES (${Object.entries(properties)
      .map(([key, value]) => `${hiveText(key)} = ${hiveText(value)}`)
      .join(', ')})`,
  ]
  return { step: 'create', sql: lines.join('\n') }
}

function comment({ comment }: TableColumn, none: string): string {
  const line = comment?.replaceAll(/\s+/g, ' ').trim()
  return line ? ` COMMENT ${hiveText(shorten(line, MOST_COMMENT))}` : none
}

/** Columns that come, types that widen, words that differ. What a run before has done already is not done again. */
function altering(job: TableJob, names: AthenaNames, found: Found, evolves: Evolution): Piece[] {
  const alter = `ALTER TABLE ${hivePublicOf(job, names)}`
  const isThere = (column: TableColumn) => found.columns[glueName(column.name)]
  const added = evolves.added.filter((column) => isThere(column) === undefined)
  const widened = evolves.widened
    .map(({ column }) => column)
    .filter((column) => isThere(column) !== icebergType(column.type))
  const described = evolves.added.filter(({ comment }) => comment !== undefined)
  const columns = added.map((column) => `${tick(glueName(column.name))} ${icebergType(column.type)}`)
  return [
    ...(added.length > 0 ? [{ step: 'add', sql: `${alter} ADD COLUMNS (${columns.join(', ')})` }] : []),
    // ADD COLUMNS takes no comments.
    ...[...described, ...widened, ...evolves.described].map((column) => {
      const quoted = tick(glueName(column.name))
      return {
        step: `change ${glueName(column.name)}`,
        sql: `${alter} CHANGE COLUMN ${quoted} ${quoted} ${icebergType(column.type)}${comment(column, " COMMENT ''")}`,
      }
    }),
  ]
}

/** `bucket(16, id)`, as Hive's parser takes it. */
function hivePartition(field: PartitionField): string {
  const column = tick(glueName(field.column))
  if (field.transform === 'identity') return column
  return 'n' in field ? `${field.transform}(${field.n}, ${column})` : `${field.transform}(${column})`
}

/** `bucket(id, 16)`, as the property of CREATE TABLE AS takes it. */
function trinoPartition(field: PartitionField): string {
  const small = glueName(field.column)
  const column = /^[a-z_][a-z0-9_]*$/.test(small) ? small : name(small)
  if (field.transform === 'identity') return column
  return 'n' in field ? `${field.transform}(${column}, ${field.n})` : `${field.transform}(${column})`
}

interface Target {
  job: TableJob
  into: string
  fresh: boolean
}

/** The one statement that changes rows. */
function filling(target: Target, source: Source): Piece {
  const { job, fresh } = target
  const { change, key, table } = job
  switch (change.kind) {
    case 'view':
      throw new QueryError(`${table.name} is a view and has no rows of its own.`)
    case 'append':
      return change.left.length === 0 ? insert(target, source) : append(target, source, leftValues(change.left))
    case 'merge':
      return mergeChanges(target, source, change.newest?.left)
    case 'replace': {
      if (fresh) return insert(target, source)
      if (key.length > 0) return replaceByKey(target, source)
      if (!table.columns.some((column) => column.name === '_upload'))
        throw new QueryError(`${table.name} has neither a key nor _upload, so its rows cannot be replaced at once.`)
      return append(target, source, `SELECT DISTINCT _upload AS _left FROM ${target.into}`)
    }
  }
}

const piece = (step: string, sql: string, { query }: Source, rest: Partial<Piece> = {}): Piece => ({
  step,
  sql,
  ...(query ? { query } : {}),
  ...rest,
})

function insert({ job, into }: Target, source: Source): Piece {
  const { columns } = job.table
  const sql = `INSERT INTO ${into} (${namesOf(columns)})\nSELECT ${valuesOf(columns, 'q')}\nFROM ${relation(source, columns, false)}${keyed(job)}`
  return piece('insert', sql, source, { once: true })
}

const leftValues = (left: string[]): string =>
  `SELECT l._left FROM (VALUES ${left.map((upload) => `(${text(upload)})`).join(', ')}) AS l (_left)`

/** Rows whose upload left go, those of the query come, those of an upload that is stored anew among them. */
function append({ job, into }: Target, source: Source, left: string): Piece {
  const { columns } = job.table
  const nothing = columns.map(({ name: column }) => `NULL AS ${name(column)}`).join(', ')
  const sql =
    `MERGE INTO ${into} AS t\n` +
    `USING (\nSELECT ${valuesOf(columns, 'q')}, CAST(NULL AS varchar) AS _left\nFROM ${relation(source, columns, false)}\n` +
    `UNION ALL\nSELECT ${nothing}, w._left FROM (${left}) AS w\n) AS s\nON t._upload = s._left\n` +
    `WHEN MATCHED THEN DELETE\n${inserting(columns, 's._left IS NULL')}`
  return piece('merge', sql, source, { once: true })
}

const inserting = (columns: readonly TableColumn[], condition: string): string =>
  `WHEN NOT MATCHED AND ${condition} THEN INSERT (${namesOf(columns)}) VALUES (${namesOf(columns, 's')})`

const byKey = (key: string[], a: string, b: string): string =>
  key.map((column) => `${a}.${name(column)} = ${b}.${name(column)}`).join(' AND ')

/** Columns that are not the key: those that a row with the same key may differ in. */
const restOf = ({ key, table }: TableJob): TableColumn[] => {
  const keys = new Set(key.map((column) => column.toLowerCase()))
  return table.columns.filter((column) => !keys.has(column.name.toLowerCase()))
}

const updating = (columns: readonly TableColumn[], condition: string): string[] =>
  columns.length === 0
    ? []
    : [
        `WHEN MATCHED AND ${condition} THEN UPDATE SET ${columns.map((column) => `${name(column.name)} = s.${name(column.name)}`).join(', ')}`,
      ]

function mergeChanges({ job, into }: Target, source: Source, left: string[] | undefined): Piece {
  const { columns } = job.table
  const went = left && left.length > 0 ? ` OR ${among('t._upload', left)}` : ''
  // A tombstone has no upload of its own, so it takes a row only where that row's upload left.
  const newest = left === undefined ? '' : ` AND (s._upload >= t._upload${went})`
  const sql = [
    `MERGE INTO ${into} AS t`,
    `USING (\nSELECT ${valuesOf(columns, 'q')}, q._gone\nFROM ${relation(source, columns, true)}${keyed(job)}\n) AS s`,
    `ON ${byKey(job.key, 't', 's')}`,
    `WHEN MATCHED AND s._gone${newest} THEN DELETE`,
    ...updating(restOf(job), `NOT s._gone${newest}`),
    inserting(columns, 'NOT s._gone'),
  ].join('\n')
  return piece('merge', sql, source)
}

/** All rows at once: what the query does not give any more leaves, and what is the same stays as it is. */
function replaceByKey({ job, into }: Target, source: Source): Piece {
  const { key, table } = job
  const keys = new Set(key.map((column) => column.toLowerCase()))
  const columns = table.columns.map((column) =>
    keys.has(column.name.toLowerCase())
      ? `coalesce(n.${name(column.name)}, o.${name(column.name)}) AS ${name(column.name)}`
      : `n.${name(column.name)}`,
  )
  const rest = restOf(job)
  const differs = rest.map(({ name: column }) => `t.${name(column)} IS DISTINCT FROM s.${name(column)}`).join(' OR ')
  const sql = [
    `MERGE INTO ${into} AS t`,
    `USING (\nSELECT ${columns.join(', ')}, n._here IS NULL AS _gone`,
    `FROM (\nSELECT ${valuesOf(table.columns, 'q')}, true AS _here\nFROM ${relation(source, table.columns, false)}${keyed(job)}\n) AS n`,
    `FULL JOIN (SELECT ${key.map(name).join(', ')} FROM ${into}) AS o ON ${byKey(key, 'n', 'o')}\n) AS s`,
    `ON ${byKey(key, 't', 's')}`,
    'WHEN MATCHED AND s._gone THEN DELETE',
    ...updating(rest, `(${differs})`),
    inserting(table.columns, 'NOT s._gone'),
  ].join('\n')
  return piece('merge', sql, source)
}

/** Throws StatementTooLong for what Athena would not take. */
function fits(sql: string, job: TableJob): string {
  const bytes = Buffer.byteLength(sql)
  if (bytes <= LONGEST_STATEMENT) return sql
  throw new StatementTooLong(
    `A statement for ${job.table.name} is ${bytes} bytes long, and Athena takes ${LONGEST_STATEMENT}. ${
      job.kind === 'entity'
        ? `It names too many uploads: make the table anew, which names fewer: weir curate --table ${publicName(job)} --full`
        : 'Make the query of the model shorter: put long lists of values into a table.'
    }`,
  )
}

/** The newest state of a table of Iceberg, when it came, and its rows: Iceberg's own tables, and one count. */
export const newestVersion = (job: Pick<TableJob, 'table'>, names: AthenaNames): string =>
  `SELECT CAST(s.snapshot_id AS varchar) AS snapshot, to_iso8601(s.committed_at) AS committed, ` +
  `(SELECT count(*) FROM ${publicOf(job, names)}) AS n\n` +
  `FROM ${asRelation(names.databases.curated, `${publicName(job)}$snapshots`)} AS s ORDER BY s.committed_at DESC LIMIT 1`

/** Whether anybody has changed rows since a moment; putting files together (replace) changes none. */
export const changedSince = (job: Pick<TableJob, 'table'>, names: AthenaNames, since: Date): string =>
  `SELECT count(*) AS n FROM ${asRelation(names.databases.curated, `${publicName(job)}$snapshots`)} AS s ` +
  `WHERE s.operation <> 'replace' AND s.committed_at >= TIMESTAMP ${text(`${since.toISOString().replace('T', ' ').replace('Z', '')} UTC`)}`

export const countStored = ({ databases }: Pick<AthenaNames, 'databases'>, stored: string): string =>
  `SELECT count(*) AS n FROM ${asRelation(versionsDatabase(databases), stored)}`

/** VACUUM removes what is over age, except so many of the newest snapshots. */
const KEEP_SNAPSHOTS = 'vacuum_min_snapshots_to_keep'

/**
 * How many of the newest snapshots reach back to the oldest of some: those of OPTIMIZE lie between those of versions.
 * One that is not there any more counts nothing.
 */
export const snapshotsSince = ({ databases }: Pick<AthenaNames, 'databases'>, table: string, ids: string[]): string => {
  const snapshots = asRelation(databases.curated, `${glueName(table)}$snapshots`)
  const oldest = `SELECT min(o.committed_at) FROM ${snapshots} AS o WHERE ${among('CAST(o.snapshot_id AS varchar)', ids)}`
  return `SELECT count(*) AS n FROM ${snapshots} AS s WHERE s.committed_at >= (${oldest})`
}
export const showProperties = ({ databases }: Pick<AthenaNames, 'databases'>, table: string): string =>
  `SHOW TBLPROPERTIES ${tick(databases.curated)}.${tick(glueName(table))}`
/** How many snapshots are kept whatever their age, as Athena shows it. */
export const keptSnapshots = (shown: string): number | undefined => {
  const [, count] = new RegExp(`${KEEP_SNAPSHOTS}\\W+(\\d+)`).exec(shown) ?? []
  return count === undefined ? undefined : Number(count)
}
export const keepSnapshots = ({ databases }: Pick<AthenaNames, 'databases'>, table: string, count: number): string =>
  `ALTER TABLE ${tick(databases.curated)}.${tick(glueName(table))} SET TBLPROPERTIES (${hiveText(KEEP_SNAPSHOTS)} = ${hiveText(String(count))})`
export const optimizeTable = ({ databases }: Pick<AthenaNames, 'databases'>, table: string): string =>
  `OPTIMIZE ${databases.curated}.${bare(glueName(table))} REWRITE DATA USING BIN_PACK`
export const vacuumTable = ({ databases }: Pick<AthenaNames, 'databases'>, table: string): string =>
  `VACUUM ${databases.curated}.${bare(glueName(table))}`
export const dropStored = ({ databases }: Pick<AthenaNames, 'databases'>, stored: string): string =>
  `DROP TABLE IF EXISTS ${tick(versionsDatabase(databases))}.${tick(stored)}`
export const dropPublic = (
  { databases }: Pick<AthenaNames, 'databases'>,
  table: string,
  there: 'view' | 'table',
): string =>
  there === 'view'
    ? `DROP VIEW IF EXISTS ${asRelation(databases.curated, glueName(table))}`
    : `DROP TABLE IF EXISTS ${tick(databases.curated)}.${tick(glueName(table))}`
