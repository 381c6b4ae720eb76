// A contract's schema objects → plans. The only module that knows how the parts fit together.

import { createHash } from 'node:crypto'
import type { z } from 'zod'
import { type DatasetReport, forDataset, type Path, type Report } from './errors.ts'
import { columnProblem, datasetProblem, nearest } from './names.ts'
import type { Contract, Property, SchemaObject } from './odcs.ts'
import { PARTITION_FORMS, type PartitionField, parsePartitionField, partitionProblems } from './partition.ts'
import type { KeyRule, NotEnforced, Plan, PlanColumn, WeirSettings } from './plan.ts'
import { skipPromises, typeOf } from './property.ts'
import { type QualityRules, rowChecks, tableRules } from './quality.ts'
import type { RuleRows } from './rule-query.ts'
import { columnSettings, weirSettings } from './settings.ts'
import type { ColumnType } from './types/type.ts'

/** What one schema object compiles to; the plan is missing when there were errors. */
export interface Compiled {
  dataset: string
  path: Path
  plan?: Plan
  notEnforced: NotEnforced[]
  notes: string[]
}

type CustomProperties = { property: string; value?: unknown }[] | undefined

/** The typed value of the `weir` custom property, or its defaults. */
const readWeir = <T>(list: CustomProperties, schema: z.ZodType<T>, keys: string[], path: Path, report: Report): T => {
  const indices = (list ?? []).flatMap((entry, i) => (entry.property === 'weir' ? [i] : []))
  const [index] = indices
  if (indices.length > 1)
    report.error([...path, 'customProperties', indices[1] ?? 0], 'The custom property weir is there twice.', {
      allowed: 'one entry',
    })
  const value = index === undefined ? {} : list?.[index]?.value
  const result = schema.safeParse(value)
  if (result.success) return result.data
  const base: Path = [...path, 'customProperties', index ?? 0, 'value']
  for (const issue of result.error.issues) {
    const at = issue.path.filter((p) => typeof p !== 'symbol')
    const found = at.reduce<unknown>(
      (v, key) => (typeof v === 'object' && v !== null ? (v as Record<string | number, unknown>)[key] : undefined),
      value,
    )
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        const near = nearest(key, keys)
        report.error(
          [...base, ...at, key],
          `weir has no setting ${at.length > 0 ? `${at.join('.')}.` : ''}${key}${near ? `; did you mean ${near}?` : '.'}`,
          { allowed: keys.join(', ') },
        )
      }
    } else {
      report.error([...base, ...at], `This setting is not valid: ${issue.message}.`, {
        found,
        ...('values' in issue ? { allowed: issue.values.map(String).join(', ') } : {}),
      })
    }
  }
  return schema.parse({})
}

const DATASET_KEYS =
  'file, match, redrop, onDelete, maxRejected, extraColumns, curated, format, delimiter, quote, escape, encoding, header, nullValues, decimalSeparator, thousandsSeparator, mode, partitionBy'.split(
    ', ',
  )

const settingsOf = (
  object: SchemaObject,
  path: Path,
  report: DatasetReport,
  primaryKey: string[],
): { settings: WeirSettings; layout: { entries: string[]; path: Path } } => {
  const read = readWeir(object.customProperties, weirSettings, DATASET_KEYS, path, report)
  const at: Path = [
    ...path,
    'customProperties',
    (object.customProperties ?? []).findIndex((p) => p.property === 'weir'),
    'value',
  ]
  const { file } = read
  if (file.thousandsSeparator === file.decimalSeparator) {
    report.error(
      [...at, 'file', 'thousandsSeparator'],
      'thousandsSeparator and decimalSeparator are the same character.',
      { found: file.thousandsSeparator, allowed: 'two different characters' },
    )
  }
  if (file.quote !== undefined && file.quote !== '' && file.quote === file.delimiter)
    report.error([...at, 'file', 'quote'], 'quote and delimiter are the same character.', {
      found: file.quote,
      allowed: 'two different characters',
    })
  if (file.delimiter !== undefined && file.delimiter === file.decimalSeparator) {
    report.warn(
      [...at, 'file', 'decimalSeparator'],
      'The decimal separator is also the delimiter: every number with a fraction must be quoted in the file.',
    )
  }
  if (file.format !== undefined && file.format !== 'csv' && file.format !== 'tsv') {
    for (const key of ['delimiter', 'quote', 'escape', 'header'] as const) {
      if (file[key] !== undefined)
        report.error([...at, 'file', key], `A ${file.format} file has no ${key}.`, {
          found: file[key],
          allowed: 'leave it out, or format: csv',
        })
    }
  }
  const mode = read.curated.mode ?? (primaryKey.length > 0 ? 'merge' : 'append')
  if (read.curated.mode === 'merge' && primaryKey.length === 0) {
    report.error([...at, 'curated', 'mode'], 'Curated tables are merged by primary key, and there is none.', {
      found: 'merge',
      allowed: 'append or none, or primaryKey: true on a property',
    })
  }
  if (mode === 'none' && read.curated.partitionBy.length > 0)
    report.warn(
      [...at, 'curated', 'partitionBy'],
      'With mode: none there is no curated table, so nothing is laid out.',
      { allowed: 'mode: merge or append, or leave partitionBy out' },
    )
  const layout = { entries: read.curated.partitionBy, path: [...at, 'curated', 'partitionBy'] }
  return { settings: { ...read, curated: { mode, partitionBy: [] } }, layout }
}

/** The fields by which the curated table is laid out. */
const partitionsOf = (
  { entries, path }: { entries: string[]; path: Path },
  columns: PlanColumn[],
  report: DatasetReport,
): PartitionField[] => {
  const names = columns.map(({ name }) => name)
  const fields = entries.flatMap((entry, i) => {
    const field: PartitionField | undefined = names.includes(entry)
      ? { transform: 'identity', column: entry }
      : parsePartitionField(entry)
    if (field && names.includes(field.column)) return [field]
    report.error(
      [...path, i],
      field ? 'This does not name a column.' : 'Rows of a curated table cannot be laid out by this.',
      { found: entry, allowed: `${PARTITION_FORMS}; columns: ${names.join(', ')}` },
    )
    return []
  })
  if (fields.length === entries.length) {
    const typed = columns.map(({ name, sqlType }) => ({ name, type: sqlType }))
    for (const { index, message } of partitionProblems(fields, typed))
      report.error([...path, index], message, { found: entries[index], allowed: PARTITION_FORMS })
  }
  return fields
}

/** A column is as sensitive as the most sensitive part of it. */
const isSensitive = ({ classification, properties, items }: Property): boolean =>
  (classification !== undefined && classification.trim().toLowerCase() !== 'public') ||
  (properties?.some(isSensitive) ?? false) ||
  (items !== undefined && isSensitive(items))

const compileColumn = (
  property: Property & { name: string },
  path: Path,
  report: DatasetReport,
  settings: WeirSettings,
): { column: PlanColumn; type: ColumnType; keys: KeyRule[]; fileRules: QualityRules['fileRules'] } => {
  const { decimalSeparator, thousandsSeparator } = settings.file
  const style = { decimalSeparator, ...(thousandsSeparator === undefined ? {} : { thousandsSeparator }) }
  const type = typeOf(property, path, report, style, settings.extraColumns === 'refuse' ? 'error' : 'warning')
  const quality = rowChecks(property, type, path, report, 'column')
  skipPromises(property, path, report)
  const own = readWeir(property.customProperties, columnSettings, ['aliases'], path, report)
  const aliases = [property.physicalName, ...own.aliases].filter(
    (a): a is string => a !== undefined && a !== property.name,
  )
  const { classification } = property
  const keys = [...quality.keys]
  if (property.unique) {
    if (type.comparable)
      keys.unshift({
        rule: 'unique',
        columns: [property.name],
        message: `${property.name} must be unique in a file`,
        severity: 'error',
      })
    else
      report.error([...path, 'unique'], 'Objects and lists cannot be compared for uniqueness.', {
        found: true,
        allowed: 'unique on a property that is neither object nor array',
      })
  }
  return {
    type,
    keys,
    fileRules: quality.fileRules,
    column: {
      name: property.name,
      aliases: [...new Set(aliases)],
      sqlType: type.sqlType,
      typeInWords: type.typeInWords,
      nested: type.nested,
      required: property.required === true || property.primaryKey === true || quality.required,
      ...(property.description === undefined ? {} : { description: property.description }),
      sensitive: isSensitive(property),
      ...(classification === undefined ? {} : { classification }),
      fromText: type.fromText,
      ...(type.textOk ? { textOk: type.textOk } : {}),
      ...(type.typed ? { typed: type.typed } : {}),
      typeRule: type.typeRule,
      checks: [...type.checks, ...quality.checks],
    },
  }
}

const primaryKeyOf = (
  properties: (Property & { name: string })[],
  types: ReadonlyMap<string, ColumnType>,
  path: Path,
  report: DatasetReport,
): string[] => {
  const parts = properties.flatMap((p, i) =>
    p.primaryKey ? [{ name: p.name, i, position: p.primaryKeyPosition ?? -1 }] : [],
  )
  const positions = parts.map((p) => p.position).filter((p) => p > 0)
  if (parts.length > 1 && new Set(positions).size !== positions.length) {
    report.error(
      [...path, 'properties', parts[0]?.i ?? 0, 'primaryKeyPosition'],
      'Two parts of the primary key have the same position.',
      { found: positions, allowed: '1, 2, 3 …, each once' },
    )
  }
  for (const part of parts) {
    if (types.get(part.name)?.comparable === false) {
      report.error(
        [...path, 'properties', part.i, 'primaryKey'],
        'Objects and lists cannot be part of a primary key.',
        { found: true, allowed: 'primaryKey on a property that is neither object nor array' },
      )
    }
  }
  // Parts without a position follow in the order of the contract.
  return parts
    .sort(
      (a, b) =>
        (a.position > 0 ? a.position : Number.MAX_SAFE_INTEGER) -
          (b.position > 0 ? b.position : Number.MAX_SAFE_INTEGER) || a.i - b.i,
    )
    .map((p) => p.name)
}

/** Header names must lead to one column: compared as the engine matches them, without case and outer spaces. */
const checkHeaderNames = (
  properties: (Property & { name: string })[],
  columns: PlanColumn[],
  path: Path,
  report: DatasetReport,
): void => {
  const owner = new Map<string, number>()
  const key = (name: string): string => name.trim().toLowerCase()
  properties.forEach((property, i) => {
    const at: Path = [...path, 'properties', i, 'name']
    const problem = columnProblem(property.name)
    if (problem) report.error(at, problem.message, { found: property.name, allowed: problem.allowed })
    const first = owner.get(key(property.name))
    if (first !== undefined)
      report.error(at, `The column is there twice (first as properties[${first}]; case does not count).`, {
        found: property.name,
        allowed: 'names that differ in more than case',
      })
    else owner.set(key(property.name), i)
  })
  columns.forEach((column, i) => {
    for (const alias of column.aliases) {
      const other = owner.get(key(alias))
      if (other !== undefined && other !== i) {
        report.error(
          [...path, 'properties', i, alias === properties[i]?.physicalName ? 'physicalName' : 'customProperties'],
          `The header name ${JSON.stringify(alias)} already leads to the column ${JSON.stringify(columns[other]?.name)}.`,
          { found: alias, allowed: 'header names that no other column has' },
        )
      } else owner.set(key(alias), i)
    }
  })
}

/** What rules of SQL may read: the rows of a file as the engine has accepted them. */
const ruleRows = (object: SchemaObject, columns: PlanColumn[], { extraColumns }: WeirSettings): RuleRows => ({
  names: [object.name, ...(object.physicalName ? [object.physicalName] : [])],
  columns: [
    ...columns.map(({ name, sqlType }) => ({ name, type: sqlType })),
    { name: '_upload', type: 'VARCHAR' },
    ...(extraColumns === 'keep' ? [{ name: '_extra', type: 'VARCHAR' }] : []),
  ],
})

/** Canonical JSON: keys sorted, bigint as text. */
const canonical = (value: unknown): string =>
  JSON.stringify(value, (_key, v: unknown) =>
    typeof v === 'bigint'
      ? `${v}n`
      : typeof v === 'object' && v !== null && !Array.isArray(v)
        ? Object.fromEntries(Object.entries(v).sort(([a], [b]) => (a < b ? -1 : 1)))
        : v,
  )

const hashOf = (plan: Omit<Plan, 'hash'>): string => {
  // Functions count by the SQL that they give.
  const columns = plan.columns.map((c) => ({
    name: c.name,
    aliases: c.aliases,
    sqlType: c.sqlType,
    required: c.required,
    sensitive: c.sensitive,
    from: c.fromText('t'),
    ok: c.textOk?.('v', 't'),
    typed: c.typed && [c.typed.fromText('t'), c.typed.textOk?.('v', 't')],
    typeRule: c.typeRule,
    checks: c.checks.map((k) => [k.rule, k.severity, k.message, k.ok('v', 't')]),
  }))
  const { file, maxRejected, extraColumns } = plan.settings
  const rows = {
    dataset: plan.dataset,
    columns,
    keys: plan.keys,
    fileRules: plan.fileRules.map((r) => [r.rule, r.column, r.severity, r.message, r.sql]),
    file,
    maxRejected,
    extraColumns,
  }
  return createHash('sha256').update(canonical(rows)).digest('hex')
}

/** Compiles one schema object. Reports to `report`; the plan is there only when this object had no error. */
export const compileObject = (contract: Contract, object: SchemaObject, index: number, report: Report): Compiled => {
  const path: Path = ['schema', index]
  const dataset = forDataset(report)
  const before = report.errors.length
  const problem = datasetProblem(object.name)
  if (problem) report.error([...path, 'name'], problem.message, { found: object.name, allowed: problem.allowed })
  const properties = object.properties ?? []
  if (properties.length === 0) {
    report.error(
      [...path, 'properties'],
      'The schema object has no properties, so there is nothing to check a file against.',
      { allowed: 'a list with at least one property' },
    )
  }
  const { settings: read, layout } = settingsOf(
    object,
    path,
    dataset,
    properties.filter((p) => p.primaryKey).map((p) => p.name),
  )
  const compiled = properties.map((property, i) => compileColumn(property, [...path, 'properties', i], dataset, read))
  const columns = compiled.map((c) => c.column)
  const columnErrors = report.errors.length - before
  const types = new Map(compiled.map((c) => [c.column.name, c.type]))
  checkHeaderNames(properties, columns, path, dataset)
  const primaryKey = primaryKeyOf(properties, types, path, dataset)
  const partitionBy = partitionsOf(layout, columns, dataset)
  const settings: WeirSettings = { ...read, curated: { ...read.curated, partitionBy } }
  const table = tableRules(object, types, path, dataset)

  const keys: KeyRule[] = []
  const addKey = (key: KeyRule): void => {
    const same = (a: KeyRule): boolean =>
      a.severity === key.severity && [...a.columns].sort().join('\0') === [...key.columns].sort().join('\0')
    if (!keys.some(same)) keys.push(key)
  }
  if (primaryKey.length > 0)
    addKey({
      rule: 'primaryKey',
      columns: primaryKey,
      message: `${primaryKey.join(', ')} must be unique in a file`,
      severity: 'error',
    })
  for (const key of [...compiled.flatMap((c) => c.keys), ...table.keys]) addKey(key)
  if (keys.length > 0) {
    dataset.note(
      'Primary key and unique hold within one file: the first row with a key is accepted, later ones are rejects. Across files the curated merge decides by key.',
    )
  }
  skipContract(contract, object, path, dataset)
  const fileRules = [...compiled.flatMap((c) => c.fileRules), ...table.fileRules].flatMap((rule) => {
    if (typeof rule !== 'function') return [rule]
    // What columns with errors are like is not known, and to complain of their use would mislead.
    const made = columnErrors === 0 ? rule(ruleRows(object, columns, settings)) : undefined
    return made ? [made] : []
  })

  const compiledObject = { dataset: object.name, path, notEnforced: dataset.notEnforced, notes: dataset.notes }
  if (report.errors.length > before) return compiledObject
  const plan: Omit<Plan, 'hash'> = {
    dataset: object.name,
    ...(object.description === undefined ? {} : { description: object.description }),
    contract: {
      id: contract.id,
      version: contract.version,
      file: report.file,
      ...(contract.name === undefined ? {} : { name: contract.name }),
    },
    columns,
    primaryKey,
    keys,
    fileRules,
    settings,
    notEnforced: dataset.notEnforced,
    support: (contract.support ?? []).map(({ channel, url, tool }) => ({
      channel,
      ...(url === undefined ? {} : { url }),
      ...(tool === undefined ? {} : { tool }),
    })),
  }
  return { ...compiledObject, plan: { ...plan, hash: hashOf(plan) } }
}

/** Clauses of the contract as a whole, and of the object, that promise what Weir does not do. */
const skipContract = (contract: Contract, object: SchemaObject, path: Path, report: DatasetReport): void => {
  object.relationships?.forEach((relation, i) => {
    report.skip(
      [...path, 'relationships', i],
      `relationship to ${[relation.to].flat().join(', ')}`,
      'a file is taken in without reading other datasets',
    )
  })
  contract.slaProperties?.forEach((sla, i) => {
    const element = sla.element === undefined ? '' : ` of ${sla.element}`
    report.skip(['slaProperties', i], `${sla.property}${element}`, 'service levels are not measured')
  })
  if (contract.servers?.length)
    report.skip(
      ['servers'],
      `servers: ${contract.servers.map((s) => s.server).join(', ')}`,
      'Weir reads what is dropped into its own landing zone',
    )
  if (contract.roles?.length)
    report.skip(
      ['roles'],
      `roles: ${contract.roles.map((r) => r.role).join(', ')}`,
      'access is granted by the storage, not by the contract',
    )
}

/** Compiles every schema object of a contract. */
export const compileContract = (contract: Contract, report: Report): Compiled[] => {
  for (const [i, entry] of (contract.customProperties ?? []).entries()) {
    if (entry.property === 'weir')
      report.error(
        ['customProperties', i],
        'The custom property weir belongs on the schema object, because each dataset has its own.',
        { allowed: 'schema[].customProperties' },
      )
  }
  if (!contract.schema || contract.schema.length === 0) {
    report.error(['schema'], 'The contract has no schema, so it describes no dataset.', {
      allowed: 'a list with at least one object {name, properties}',
    })
  }
  return (contract.schema ?? []).map((object, i) => compileObject(contract, object, i, report))
}
