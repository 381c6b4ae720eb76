// A draft contract from a sample file, with the evidence beside each column. It is a start for a person to read, not a truth:
// what the sample cannot decide stays a string, and a comment says why.

import { Document, isMap, isSeq, type YAMLMap } from 'yaml'
import { columnProblem } from '../contract/names.ts'
import type { Reading } from '../engine/result.ts'
import { type InferredColumn, inferColumn, inferColumns, inferDecimalSeparator } from './infer-types.ts'

/** What was read of the sample: `sniffFile` gives it. */
export interface Sample {
  reading: Reading
  columns: string[]
  /** Texts as the file has them; null where there was no value. */
  rows: (string | null)[][]
  /** Whether the rows are all of the file. */
  complete: boolean
  /** Parquet: each column's own type, as DuckDB names it. */
  types?: string[]
}

export interface Draft {
  dataset: string
  yaml: string
  /** `name` is the contract's, `header` the file's. */
  columns: (InferredColumn & { header: string })[]
  rows: number
  complete: boolean
}

/** An ODCS property, as far as a draft has it. */
interface Property {
  name?: string
  physicalName?: string
  logicalType: string
  physicalType?: string
  required?: boolean
  logicalTypeOptions?: Record<string, string>
  properties?: Property[]
  items?: Property
}

/** The draft for one sample; `dataset` defaults to the file's name. */
export function inferContract(sample: Sample, fileName: string, dataset = datasetName(fileName)): Draft {
  const { reading, complete } = sample
  const text = reading.format === 'csv' || reading.format === 'tsv'
  const decimalSeparator = text ? inferDecimalSeparator(sample.columns, sample.rows) : '.'
  const columns = inferColumns(sample.columns, sample.rows, { complete, decimalSeparator }).map((column, index) =>
    asTyped(column, sample.types?.[index]),
  )
  const names = columnNames(sample.columns)
  const properties = columns.map((column, index) => {
    const texts = sample.rows.map((row) => row[index] ?? null)
    const { name: _, ...property } = toProperty(column, texts, { complete, decimalSeparator })
    const name = names[index] ?? column.name
    return { name, ...(name === column.name ? {} : { physicalName: column.name }), ...property }
  })
  const document = new Document({
    apiVersion: 'v3.1.0',
    kind: 'DataContract',
    id: dataset,
    name: dataset,
    version: '0.1.0',
    status: 'draft',
    schema: [
      {
        name: dataset,
        logicalType: 'object',
        physicalType: 'table',
        customProperties: [{ property: 'weir', value: { file: fileSettings(reading, decimalSeparator) } }],
        properties,
      },
    ],
  })
  document.commentBefore = headComment(sample, fileName, dataset)
  annotate(document, columns)
  return {
    dataset,
    yaml: document.toString({ lineWidth: 0 }),
    columns: columns.map((column, index) => ({ ...column, name: names[index] ?? column.name, header: column.name })),
    rows: sample.rows.length,
    complete,
  }
}

/** The sample cannot be described by a contract; the message says what to change in it. */
export class CannotInfer extends Error {
  override name = 'CannotInfer'
}

const asMatched = (header: string): string => header.trim().toLowerCase()

/** Names that SQL needs no quotes for, lower case as Athena has them; the file's own stays beside it as physicalName. */
function columnNames(headers: string[]): string[] {
  // Headers are matched without case and surrounding space: a name may not lead to another column's header.
  const taken = new Set<string>()
  for (const header of headers) {
    const key = asMatched(header)
    if (taken.has(key))
      throw new CannotInfer(`The file has two columns ${JSON.stringify(header.trim())}. Rename one of them.`)
    taken.add(key)
  }
  return headers.map((header, index) => {
    const own = asMatched(header)
    const bare = plainName(header).slice(0, 100) || `column_${index + 1}`
    // The contract has no room for some names, such as those of partition keys.
    const plain = columnProblem(bare) ? `${bare}_column` : bare
    let name = plain
    for (let n = 2; name !== own && taken.has(name); n += 1) name = `${plain}_${n}`
    taken.add(name)
    return name
  })
}

/** `Orders 2026-10.csv.gz` → `orders_2026_10`: lower case, as Athena has it, and never starting with a digit. */
export function datasetName(fileName: string): string {
  const stem = (fileName.split(/[\\/]/).at(-1) ?? '').replace(
    /(\.(csv|tsv|tab|txt|json|ndjson|jsonl|parquet|gz|gzip|zst))+$/i,
    '',
  )
  const name = plainName(stem).slice(0, 100)
  if (name === '') return 'dataset'
  return name.startsWith('_') ? `d${name}` : name
}

function plainName(text: string): string {
  const name = text
    .normalize('NFKD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '_')
    .replace(/^_+|_+$/g, '')
  return /^[0-9]/.test(name) ? `_${name}` : name
}

/** A column that has a type in the file keeps it: that is knowledge, not a guess. Nested ones are drafted from their values. */
function asTyped(column: InferredColumn, type: string | undefined): InferredColumn {
  const known = type === undefined ? undefined : logicalTypeOf(type)
  if (!known) return column
  const { format: _, physicalType: __, ...rest } = column
  const hints = column.hints.filter((hint) => column.logicalType === known.logicalType && !hint.includes('so a string'))
  return { ...rest, ...known, hints, evidence: `${column.evidence.split(':')[0]}: ${type} in the file` }
}

function logicalTypeOf(type: string): Pick<InferredColumn, 'logicalType' | 'physicalType'> | undefined {
  if (/^U?(TINY|SMALL|BIG|HUGE)?INT(EGER)?$/.test(type)) return { logicalType: 'integer' }
  if (/^(FLOAT|DOUBLE)$/.test(type)) return { logicalType: 'number' }
  if (/^DECIMAL\(\d+,\s*\d+\)$/.test(type)) return { logicalType: 'number', physicalType: type.toLowerCase() }
  if (type.startsWith('TIMESTAMP')) return { logicalType: 'timestamp' }
  if (type === 'BOOLEAN' || type === 'DATE' || type === 'TIME') return { logicalType: type.toLowerCase() as 'date' }
  if (type === 'VARCHAR' || type === 'UUID' || type.startsWith('ENUM')) return { logicalType: 'string' }
  return undefined
}

function fileSettings(reading: Reading, decimalSeparator: '.' | ','): Record<string, unknown> {
  const { format, encoding, delimiter, quote, header } = reading
  const text = format === 'csv' || format === 'tsv'
  return {
    format,
    ...(text && delimiter !== undefined ? { delimiter } : {}),
    ...(text && quote !== undefined && quote !== '' && quote !== '"' ? { quote } : {}),
    ...(text && reading.escape && reading.escape !== (quote || '"') ? { escape: reading.escape } : {}),
    ...(encoding !== undefined && format !== 'parquet' ? { encoding } : {}),
    ...(text && header !== undefined ? { header } : {}),
    ...(decimalSeparator === ',' ? { decimalSeparator } : {}),
  }
}

function toProperty(
  column: InferredColumn,
  texts: (string | null)[],
  settings: { complete: boolean; decimalSeparator: '.' | ',' },
): Property {
  return {
    name: column.name,
    logicalType: column.logicalType,
    ...(column.physicalType ? { physicalType: column.physicalType } : {}),
    ...(column.required ? { required: true } : {}),
    ...(column.format ? { logicalTypeOptions: { format: column.format } } : {}),
    ...inside(column, texts, settings),
  }
}

/** Properties of objects and items of arrays, by the same rules; strings where the values do not agree. */
function inside(
  column: InferredColumn,
  texts: (string | null)[],
  settings: { complete: boolean; decimalSeparator: '.' | ',' },
): Pick<Property, 'properties' | 'items'> {
  if (column.logicalType !== 'object' && column.logicalType !== 'array') return {}
  const values = texts.flatMap((text) => (text === null || text.trim() === '' ? [] : [JSON.parse(text) as unknown]))
  if (column.logicalType === 'array') {
    const items = values.flat().map(asText)
    const { name: _, required: __, ...item } = toProperty(inferColumn('', items, settings), items, settings)
    return { items: item }
  }
  const objects = values as Record<string, unknown>[]
  const names = new Set(objects.flatMap((object) => Object.keys(object)))
  return {
    properties: [...names].map((name) => {
      const inner = objects.map((object) => asText(object[name]))
      return toProperty(inferColumn(name, inner, settings), inner, settings)
    }),
  }
}

function asText(value: unknown): string | null {
  if (value === null || value === undefined) return null
  return typeof value === 'string' ? value : JSON.stringify(value)
}

function headComment({ rows, complete, reading }: Sample, fileName: string, dataset: string): string {
  const count = new Intl.NumberFormat('en-US').format(rows.length)
  const name = fileName.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
  const lines = [
    ` Draft contract, inferred from ${complete ? `all ${count} rows` : `the first ${count} rows`} of ${name}.`,
    ' Read it before you trust it: types are guesses from a sample, and what the sample could not decide is a string.',
    ` Save it in contracts/, then: weir lint, weir check ${name} --dataset ${dataset}, and weir drop the same way.`,
  ]
  if (!complete)
    lines.push(' Nothing is marked required, because not all rows were read: add required: true where you know it.')
  if (reading.detected.length > 0) {
    lines.push(` Found out by looking at the file: ${reading.detected.join(', ')}.`)
  }
  return lines.join('\n')
}

function annotate(document: Document, columns: InferredColumn[]): void {
  const properties = document.getIn(['schema', 0, 'properties'])
  if (!isSeq(properties)) return
  properties.items.forEach((item, index) => {
    const column = columns[index]
    if (!column || !isMap(item)) return
    comment(item, [column.evidence, ...column.hints])
  })
}

function comment(item: YAMLMap, lines: string[]): void {
  item.commentBefore = lines.map((line) => ` ${line}`).join('\n')
}
