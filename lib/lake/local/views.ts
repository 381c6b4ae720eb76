// The SQL of the views that a query sees: a catalog table as a view over the Parquet files that it points at now, and the
// receipts and rejects of the ops zone. Only text is made here; nothing is run.

import { name as quoteName, text as quoteText } from '../../sql/quote.ts'
import type { Partition, TableColumn, TableDefinition } from '../ports.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS, RUN_COLUMNS } from '../tables.ts'
import type { DataFile } from './tables-manifest.ts'

/** One partition with the absolute paths of its files. */
export interface PartitionFiles {
  partition: Partition
  files: string[]
}

/** A path that DuckDB takes literally: it reads every path as a pattern. */
export const literalPath = (path: string): string => quoteText(path.replace(/[[*?]/g, '[$&]'))

const pathList = (paths: string[]): string => `[${paths.map(literalPath).join(', ')}]`

/** `clean.orders` as schema and table. */
export function splitName(name: string): { schema: string; table: string } {
  const dot = name.indexOf('.')
  return { schema: name.slice(0, dot), table: name.slice(dot + 1) }
}

/** Begins what the SQL here raises by itself; the rest is for whoever asked. */
export const STOPPED = 'weir: '

/** The column that says from which file a row is, as in Athena. */
const PATH = '$path'

/**
 * CREATE VIEW for one table. Its columns are those of the catalog, whatever the files have: absent ones are NULL. With
 * `paths` it has "$path" as well.
 */
export function tableView(table: TableDefinition, partitions: PartitionFiles[], { paths = false } = {}): string {
  const { schema, table: name } = splitName(table.name)
  const taken = new Set(table.columns.map((column) => column.name.toLowerCase()))
  const keys = table.partitionKeys.filter((key) => !taken.has(key.name.toLowerCase()))
  const columns = [...table.columns, ...keys]
  const casts = columns.map((column) => {
    const value = keys.includes(column)
      ? `CAST(${quoteName(column.name)} AS ${column.type})`
      : withoutLoss(table.name, column)
    return `${value} AS ${quoteName(column.name)}`
  })
  if (paths) casts.push(quoteName(PATH))
  // This relation without rows gives every column to a table without files, and to files that lack some.
  const empty = `SELECT ${columns.map(({ name, type }) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`).join(', ')}${paths ? `, CAST(NULL AS VARCHAR) AS ${quoteName(PATH)}` : ''} WHERE false`
  const files = partitions.flatMap((partition) => partition.files)
  const source = files.length === 0 ? '' : ` UNION ALL BY NAME ${reader(table, partitions, files, paths)}`
  return `CREATE VIEW ${quoteName(schema)}.${quoteName(name)} AS SELECT ${casts.join(', ')} FROM (${empty}${source})`
}

/** From here on not every whole number has a double, or a float, of its own. */
const EXACT = { DOUBLE: 2 ** 53, FLOAT: 2 ** 24 }

/**
 * A column as the catalog has it. Files that came under an older contract may have another type: their values are taken as far as
 * they stay what they are, and anything else is an error that says so. Where the types agree DuckDB folds this to the column.
 */
function withoutLoss(table: string, { name, type }: TableColumn): string {
  const value = quoteName(name)
  const about = quoteText(`${STOPPED}${table} has files of an older contract, in which ${name} has another type: `)
  const advice = quoteText(
    ` cannot be read as ${type} without changing it. Check the files again: weir replay --dataset ${splitName(table).table}`,
  )
  const same = `typeof(${value}) = typeof(CAST(NULL AS ${type}))`
  const stop = `error(${about} || CAST(${value} AS VARCHAR) || ${advice})`
  // Lists and structs of other shapes cannot be compared, and what a text means as a number is for the contract to say.
  const others = /^STRUCT|\]$/.test(type)
    ? ''
    : ` WHEN typeof(${value}) <> 'VARCHAR' AND TRY_CAST(${value} AS ${type}) = ${value}${exactly(value, type)} THEN TRY_CAST(${value} AS ${type})`
  return `CASE WHEN ${same} THEN CAST(${value} AS ${type}) WHEN ${value} IS NULL THEN NULL${others} ELSE ${stop} END`
}

/** Read together with files of doubles, all numbers are doubles: only where each has one of its own are they what they were. */
function exactly(value: string, type: string): string {
  const scale = /^DECIMAL\(\d+, ?(\d+)\)$/.exec(type)?.[1] ?? (/INT$|^INTEGER$/.test(type) ? '0' : undefined)
  if (scale === undefined) return ''
  const below = Object.entries(EXACT).map(
    ([of, most]) => `(typeof(${value}) <> '${of}' OR abs(TRY_CAST(${value} AS DOUBLE)) < ${most}e-${scale})`,
  )
  return ` AND ${below.join(' AND ')}`
}

function reader(table: TableDefinition, partitions: PartitionFiles[], files: string[], paths: boolean): string {
  if (table.partitionKeys.length === 0 || keysAreInPaths(table, partitions)) {
    const types = table.partitionKeys.map((key) => `${quoteText(key.name)}: 'VARCHAR'`).join(', ')
    const hive = types === '' ? 'hive_partitioning = false' : `hive_partitioning = true, hive_types = {${types}}`
    return `SELECT * FROM read_parquet(${pathList(files)}, union_by_name = true, ${hive}${paths ? `, filename = ${quoteText(PATH)}` : ''})`
  }
  // Locations that do not spell out their partition's values: the values come from the catalog, by file.
  const taken = new Set(table.columns.map((column) => column.name.toLowerCase()))
  const keys = table.partitionKeys
    .map((key, index) => ({ key, index }))
    .filter(({ key }) => !taken.has(key.name.toLowerCase()))
  const rows = partitions.flatMap(({ partition, files }) =>
    files.map(
      (file) => `(${[file, ...keys.map(({ index }) => partition.values[index] ?? '')].map(quoteText).join(', ')})`,
    ),
  )
  const names = ['_weir_at', ...keys.map(({ key }) => key.name)].map(quoteName).join(', ')
  return (
    `SELECT f.* EXCLUDE (_weir_file), p.* EXCLUDE (_weir_at)${paths ? `, f._weir_file AS ${quoteName(PATH)}` : ''} FROM read_parquet(${pathList(files)}, union_by_name = true, ` +
    `hive_partitioning = false, filename = '_weir_file') f JOIN (VALUES ${rows.join(', ')}) p(${names}) ON f._weir_file = p._weir_at`
  )
}

/** True when every location spells out its partition's values (`key=value/`), and no column of the files has such a name. */
function keysAreInPaths(table: TableDefinition, partitions: PartitionFiles[]): boolean {
  const columns = new Set(table.columns.map((column) => column.name.toLowerCase()))
  return partitions.every(({ partition }) => {
    const parts = partition.location.split('/').filter((part) => part.includes('='))
    const inPath = new Map(parts.map((part) => [part.slice(0, part.indexOf('=')), part.slice(part.indexOf('=') + 1)]))
    const spelled = table.partitionKeys.every(({ name }, index) => {
      const value = inPath.get(name)
      // Anything but plain characters might be taken for an escape by one reader and not by the other.
      return value !== undefined && value === partition.values[index] && /^[\w.-]+$/.test(value)
    })
    return spelled && [...inPath.keys()].every((name) => !columns.has(name.toLowerCase()))
  })
}

/**
 * SELECT of the rows of a curated table that are still there. `places` gives two columns more, for whoever has to name
 * a row: `file` and `pos`. `leaving`: a relation with the places of more rows that are not to be there.
 */
export async function liveRows(
  files: readonly DataFile[],
  columns: readonly TableColumn[],
  pathOf: (key: string) => string | Promise<string>,
  { paths = false, places = false, leaving }: { paths?: boolean; places?: boolean; leaving?: string } = {},
): Promise<string> {
  const shape = (has: (name: string) => boolean) =>
    columns.map(
      ({ name, type }) => `CAST(${has(name) ? `d.${quoteName(name)}` : 'NULL'} AS ${type}) AS ${quoteName(name)}`,
    )
  const selects: string[] = []
  const add = async (group: readonly DataFile[], without: string): Promise<void> => {
    const [first] = group
    if (!first) return
    const names = new Set(first.columns.map((name) => name.toLowerCase()))
    const list = shape((name) => names.has(name.toLowerCase()))
    if (paths) list.push(`d.${quoteName(PATH)}`)
    if (places) list.push(`CAST(${first.id} AS INTEGER) AS file`, 'CAST(d.file_row_number AS BIGINT) AS pos')
    const read = await Promise.all(group.map(({ key }) => pathOf(key)))
    const named = paths ? `, filename = ${quoteText(PATH)}` : ''
    selects.push(
      `SELECT ${list.join(', ')} FROM read_parquet(${pathList(read)}, union_by_name = true, hive_partitioning = false${named}) d${without}`,
    )
  }
  // Files that have the same columns are read together; one with deleted rows, or whose rows are to be placed, by itself.
  const together = new Map<string, DataFile[]>()
  for (const file of files) {
    const alone = file.deletes.length > 0 || places || leaving !== undefined
    const like = alone ? file.key : file.columns.join('\0')
    together.set(like, [...(together.get(like) ?? []), file])
  }
  for (const group of together.values()) {
    const [first] = group
    const gone: string[] = []
    if (first && first.deletes.length > 0)
      gone.push(`read_parquet(${pathList(await Promise.all(first.deletes.map(pathOf)))}, hive_partitioning = false)`)
    if (leaving !== undefined) gone.push(leaving)
    const positions = gone.map((from) => `SELECT pos FROM ${from} WHERE file = ${first?.id}`).join(' UNION ALL ')
    // A join on one number: NOT EXISTS, and a join on the file's name as well, take five times as long.
    await add(group, positions === '' ? '' : ` ANTI JOIN (${positions}) x ON x.pos = d.file_row_number`)
  }
  if (selects.length > 0) return selects.join(' UNION ALL ')
  const none = shape(() => false)
  if (paths) none.push(`CAST(NULL AS VARCHAR) AS ${quoteName(PATH)}`)
  if (places) none.push('CAST(NULL AS INTEGER) AS file', 'CAST(NULL AS BIGINT) AS pos')
  return `SELECT ${none.join(', ')} WHERE false`
}

const emptyRelation = (columns: Readonly<Record<string, string>>): string =>
  `SELECT ${Object.entries(columns)
    .map(([name, type]) => `CAST(NULL AS ${type}) AS ${quoteName(name)}`)
    .join(', ')} WHERE false`

const jsonView = (name: string, columns: Readonly<Record<string, string>>, files: string[]): string => {
  const shape = Object.entries(columns).map(([name, type]) => `${quoteText(name)}: ${quoteText(type)}`)
  const source =
    files.length === 0
      ? emptyRelation(columns)
      : `SELECT * FROM read_json(${pathList(files)}, columns = {${shape.join(', ')}}, hive_partitioning = false)`
  return `CREATE VIEW ${name} AS ${source}`
}

/** CREATE VIEW ops.receipts; one row per receipt. `files` only says which there are. */
export const receiptsView = (files: string[], name = 'ops.receipts'): string => jsonView(name, RECEIPT_COLUMNS, files)

/** CREATE VIEW ops.runs; one row per run of a curated table. */
export const runsView = (files: string[], name = 'ops.runs'): string => jsonView(name, RUN_COLUMNS, files)

/** CREATE VIEW ops.rejects; one row per rejected row, with its dataset. */
export function rejectsView(files: string[], name = 'ops.rejects'): string {
  const columns = { dataset: 'VARCHAR', ...REJECT_COLUMNS }
  const source =
    files.length === 0
      ? emptyRelation(columns)
      : `SELECT ${Object.keys(columns).map(quoteName).join(', ')} FROM read_parquet(${pathList(files)}, ` +
        "union_by_name = true, hive_partitioning = true, hive_types = {'dataset': 'VARCHAR', 'upload': 'VARCHAR'})"
  return `CREATE VIEW ${name} AS ${source}`
}
