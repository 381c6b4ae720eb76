// What a table of ours is in the Glue catalog, where Athena finds it: types, names, and the whole table input, which the
// stacks (at deployment) and the catalog port (at run time) both take from here, so that neither undoes the other's work.
//
// Names in Glue are in lower case; Athena ignores case everywhere, and finds a Parquet column by its name whatever its
// case. So `orderId` of a contract is `orderid` in Glue, can be asked for as either, and is read from the Parquet column
// `orderId`. What cannot work at all is named by athenaProblems, before anything is deployed.

import { isDeepStrictEqual } from 'node:util'
import type { Column, Table, TableInput } from '@aws-sdk/client-glue'
import { UnknownType } from '../errors.ts'
import type { TableColumn, TableDefinition } from '../ports.ts'

/** Glue's limits for texts, in characters. */
const MOST_COMMENT = 255
const MOST_DESCRIPTION = 2048
/** … and for one parameter of a table, in bytes. */
const MOST_PARAMETER = 512_000
/** Where a table's definition is kept word for word: Glue's own columns have neither our types nor the case of names. */
export const DEFINITION = 'weir.definition'

export const PARQUET = {
  InputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.parquet.MapredParquetOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.apache.hadoop.hive.ql.io.parquet.serde.ParquetHiveSerDe',
    Parameters: { 'serialization.format': '1' },
  },
} as const

/** Only what Parquet files written by DuckDB and Athena agree on. HUGEINT, for one, would be written as a double. */
const SIMPLE: Readonly<Record<string, string>> = {
  BOOLEAN: 'boolean',
  TINYINT: 'tinyint',
  SMALLINT: 'smallint',
  INTEGER: 'int',
  BIGINT: 'bigint',
  FLOAT: 'float',
  DOUBLE: 'double',
  VARCHAR: 'string',
  BLOB: 'binary',
  DATE: 'date',
  TIMESTAMP: 'timestamp',
}

/**
 * The Glue (Hive) type of a type that a plan has: `DECIMAL(10,2)` is `decimal(10,2)`, `STRUCT(a BIGINT)[]` is
 * `array<struct<a:bigint>>`. Throws UnknownType for what Athena cannot read.
 *
 * @example
 * athenaType('STRUCT(city VARCHAR, zip VARCHAR)') // 'struct<city:string,zip:string>'
 */
export function athenaType(sqlType: string): string {
  const reader = { text: sqlType, at: 0 }
  const type = readType(reader)
  skipSpace(reader)
  if (reader.at < sqlType.length) throw unknown(reader, `"${sqlType.slice(reader.at)}" is left over`)
  return type
}

interface Reader {
  text: string
  at: number
}

const unknown = ({ text }: Reader, why: string): UnknownType => new UnknownType(text, why)

function skipSpace(reader: Reader): void {
  while (reader.text[reader.at] === ' ') reader.at++
}

/** Takes what a pattern finds right here. */
function take(reader: Reader, pattern: RegExp): string | undefined {
  skipSpace(reader)
  const [found] = new RegExp(pattern.source, 'y').exec(reader.text.slice(reader.at)) ?? []
  reader.at += found?.length ?? 0
  return found
}

function expect(reader: Reader, pattern: RegExp, what: string): string {
  const found = take(reader, pattern)
  if (found === undefined) throw unknown(reader, `${what} is missing at "${reader.text.slice(reader.at)}"`)
  return found
}

function readType(reader: Reader): string {
  const word = expect(reader, /[A-Za-z_][A-Za-z_0-9]*/, 'a type').toUpperCase()
  let type: string
  if (word === 'STRUCT') type = readStruct(reader)
  else if (word === 'MAP') {
    expect(reader, /\(/, '"("')
    const key = readType(reader)
    expect(reader, /,/, '","')
    type = `map<${key},${readType(reader)}>`
    expect(reader, /\)/, '")"')
  } else if (word === 'DECIMAL') {
    const found = expect(reader, /\(\s*\d+\s*,\s*\d+\s*\)/, 'the digits of DECIMAL')
    type = `decimal${found.replaceAll(/\s/g, '')}`
  } else {
    const simple = SIMPLE[word]
    if (simple === undefined)
      throw unknown(
        reader,
        `${word} is none of ${[...Object.keys(SIMPLE), 'DECIMAL', 'STRUCT', 'MAP', 'T[]'].join(', ')}`,
      )
    type = simple
  }
  while (take(reader, /\[\]/) !== undefined) type = `array<${type}>`
  return type
}

function readStruct(reader: Reader): string {
  expect(reader, /\(/, '"("')
  const fields: string[] = []
  do {
    const quoted = take(reader, /"(?:[^"]|"")*"/)
    const name = quoted?.slice(1, -1).replaceAll('""', '"') ?? expect(reader, /[^\s"(),]+/, 'a name')
    if (!/^[\p{L}\p{N}_.]+$/u.test(name))
      throw unknown(
        reader,
        `the inner name ${JSON.stringify(name)} has characters other than letters, digits, _ and ., which Athena does not take inside objects`,
      )
    const field = name.toLowerCase()
    if (fields.some((other) => other.startsWith(`${field}:`)))
      throw unknown(reader, `the inner name ${JSON.stringify(name)} is there twice, and Athena ignores case`)
    fields.push(`${field}:${readType(reader)}`)
  } while (take(reader, /,/) !== undefined)
  expect(reader, /\)/, '")"')
  return `struct<${fields.join(',')}>`
}

/** The name of a table or a column in Glue. */
export const glueName = (name: string): string => name.toLowerCase()

/** `clean.Orders` as the zone and the name in Glue. */
export function splitTable(name: string): { zone: string; table: string } {
  const dot = name.indexOf('.')
  return { zone: name.slice(0, dot), table: glueName(name.slice(dot + 1)) }
}

/**
 * Whether Athena reads files of one type as another without changing any value: the same, or one that grew. Of types with parts only
 * their files can tell.
 */
export function readsAs(file: string, table: string): boolean {
  const whole = ['tinyint', 'smallint', 'int', 'bigint']
  if (file === table || (/[<]/.test(file) && /[<]/.test(table)) || (file === 'float' && table === 'double')) return true
  if (whole.includes(file) && whole.includes(table)) return whole.indexOf(file) < whole.indexOf(table)
  const [before, after] = [file, table].map((type) => /^decimal\((\d+),(\d+)\)$/.exec(type)?.slice(1).map(Number))
  return before?.[1] !== undefined && before[1] === after?.[1] && Number(before[0]) <= Number(after[0])
}

/** One thing of a table that Athena cannot have (`error`), or has with an inconvenience (`warning`). */
export interface AthenaProblem {
  severity: 'error' | 'warning'
  column?: string
  message: string
}

/**
 * What of a table would not work in Athena, by name; for lint and deployment.
 *
 * @example
 * athenaProblems(tableOf(plan)).filter((problem) => problem.severity === 'error')
 */
export function athenaProblems(table: TableDefinition): AthenaProblem[] {
  const problems: AthenaProblem[] = []
  const seen = new Map<string, string>()
  for (const { name, type } of [...table.columns, ...table.partitionKeys]) {
    const at = (severity: AthenaProblem['severity'], message: string) =>
      problems.push({ severity, column: name, message: `Column ${JSON.stringify(name)} of ${table.name}: ${message}` })
    const other = seen.get(glueName(name))
    if (other !== undefined)
      at('error', `differs from ${JSON.stringify(other)} in case only, and Athena ignores case. Rename one of them.`)
    seen.set(glueName(name), name)
    if (Buffer.byteLength(name) > 255) at('error', 'Glue takes names of at most 255 bytes.')
    if (!/^[\p{L}_][\p{L}\p{N}_]*$/u.test(name))
      at('warning', 'has characters that Athena takes in double quotes only, and not in every statement.')
    try {
      athenaType(type)
    } catch (error) {
      if (!(error instanceof UnknownType)) throw error
      at('error', error.message)
    }
  }
  const bytes = Buffer.byteLength(JSON.stringify(table))
  if (bytes > MOST_PARAMETER)
    problems.push({
      severity: 'error',
      message: `The columns of ${table.name} and their descriptions take ${bytes} bytes, and Glue keeps ${MOST_PARAMETER}. Shorten the descriptions.`,
    })
  return problems
}

export const shorten = (text: string, most: number): string =>
  [...text].length <= most ? text : `${[...text].slice(0, most - 1).join('')}…`

/** Glue's comments are one line of at most 255 characters; the whole text stays in the definition. */
function glueColumn({ name, type, comment }: TableColumn): Column {
  const line = comment?.replaceAll(/\s+/g, ' ').trim()
  return { Name: glueName(name), Type: athenaType(type), ...(line ? { Comment: shorten(line, MOST_COMMENT) } : {}) }
}

/**
 * A table over Parquet files as Glue takes it, in CreateTable and, with the same words, in CloudFormation.
 * `location`: the s3:// URI of the folder of all its files.
 */
export function glueTableInput(table: TableDefinition, location: string): TableInput & { StorageDescriptor: object } {
  return {
    Name: splitTable(table.name).table,
    ...(table.description === undefined ? {} : { Description: shorten(table.description, MOST_DESCRIPTION) }),
    TableType: 'EXTERNAL_TABLE',
    Parameters: { EXTERNAL: 'TRUE', classification: 'parquet', [DEFINITION]: JSON.stringify(table) },
    PartitionKeys: table.partitionKeys.map(glueColumn),
    StorageDescriptor: { ...PARQUET, Columns: table.columns.map(glueColumn), Location: location },
  }
}

/**
 * The definition of a table of Glue. When somebody else changed its columns, this is what they are now, so that it differs
 * from what the contract says and is put right.
 */
export function definitionOf(zone: string, table: Table): TableDefinition {
  const stored = table.Parameters?.[DEFINITION]
  if (stored !== undefined) {
    try {
      const definition: TableDefinition = JSON.parse(stored)
      const wanted = glueTableInput(definition, table.StorageDescriptor?.Location ?? '')
      const same =
        splitTable(definition.name).zone === zone &&
        wanted.Name === table.Name &&
        isDeepStrictEqual(wanted.PartitionKeys?.map(plain), (table.PartitionKeys ?? []).map(plain)) &&
        isDeepStrictEqual(wanted.StorageDescriptor.Columns?.map(plain), table.StorageDescriptor?.Columns?.map(plain))
      if (same) return definition
    } catch {
      // Not what we wrote: then Glue's own columns say what the table is.
    }
  }
  return {
    name: `${zone}.${table.Name}`,
    ...(table.Description ? { description: table.Description } : {}),
    columns: (table.StorageDescriptor?.Columns ?? []).map(foreignColumn),
    partitionKeys: (table.PartitionKeys ?? []).map(foreignColumn),
  }
}

const plain = ({ Name, Type, Comment }: Column): (string | undefined)[] => [Name, Type, Comment || undefined]

const foreignColumn = ({ Name, Type, Comment }: Column): TableColumn => ({
  name: Name ?? '',
  type: Type ?? '',
  ...(Comment ? { comment: Comment } : {}),
})
