// One property of a contract → its type: logicalType and physicalType brought together, options checked, then compiled.

import type { DatasetReport, Path } from './errors.ts'
import { keyProblem } from './names.ts'
import type { LogicalType, Property } from './odcs.ts'
import { OPTION_NAMES, optionsOf } from './odcs.ts'
import type { Severity } from './plan.ts'
import { rowChecks } from './quality.ts'
import { arrayType, type Field, objectType } from './types/nested.ts'
import { decimalType, doubleType, integerOfDigits, integerType, physicalInteger } from './types/number.ts'
import { type Physical, readPhysical } from './types/physical.ts'
import { booleanType, stringType } from './types/text.ts'
import { dateType, formatOf, timestampType, timeType } from './types/time.ts'
import { type ColumnType, type NumberStyle, PLAIN_NUMBERS, place, type TypeOptions } from './types/type.ts'

const MAX_NESTING = 12

const LOGICAL: Record<Physical['kind'], LogicalType> = {
  text: 'string',
  integer: 'integer',
  decimal: 'number',
  double: 'number',
  float: 'number',
  boolean: 'boolean',
  date: 'date',
  timestamp: 'timestamp',
  time: 'time',
  object: 'object',
  array: 'array',
  json: 'string',
}

/** Which kinds of physicalType say something that fits the logicalType. Text holds anything: it is how the source keeps it. */
const FITS: Record<LogicalType, Physical['kind'][]> = {
  string: ['text', 'json'],
  integer: ['integer', 'decimal', 'text'],
  number: ['decimal', 'double', 'float', 'integer', 'text'],
  boolean: ['boolean', 'text', 'integer'],
  date: ['date', 'timestamp', 'text'],
  timestamp: ['timestamp', 'text'],
  time: ['time', 'text'],
  object: ['object', 'json', 'text'],
  array: ['array', 'json', 'text'],
}

const readOptions = (logical: LogicalType, raw: unknown, path: Path, report: DatasetReport): TypeOptions => {
  if (raw === undefined) return {}
  const result = optionsOf[logical].safeParse(raw)
  if (result.success) return result.data
  for (const issue of result.error.issues) {
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys) {
        report.error([...path, key], `The option ${key} does not belong to logicalType ${logical}.`, {
          allowed: OPTION_NAMES[logical].join(', ') || 'no options',
          found: (raw as Record<string, unknown>)[key],
        })
      }
      continue
    }
    const at = issue.path.filter((p) => typeof p !== 'symbol')
    report.error([...path, ...at], `This option is not valid: ${issue.message}.`, {
      found: (raw as Record<string, unknown>)[String(at[0])],
    })
  }
  // What is right still counts, so that one run reports everything.
  const wrong = new Set(
    result.error.issues.flatMap((i) => (i.code === 'unrecognized_keys' ? i.keys : [String(i.path[0])])),
  )
  return Object.fromEntries(Object.entries(raw as object).filter(([key]) => !wrong.has(key)))
}

/** Compiles the type of a property. `extra`: how bad properties are that the contract does not name. */
export const typeOf = (
  property: Property,
  path: Path,
  report: DatasetReport,
  style: NumberStyle,
  extra: Severity,
  depth = 0,
): ColumnType => {
  if (depth > MAX_NESTING) {
    report.error(path, `Objects and arrays are nested deeper than ${MAX_NESTING} levels.`)
    return stringType({}, place(path), report)
  }
  const at = place(path)
  let physical: Physical | undefined
  if (property.physicalType !== undefined) {
    const read = readPhysical(property.physicalType)
    physical = read.physical
    const typePath = [...path, 'physicalType']
    if (read.problem)
      report.error(typePath, `This physicalType is not possible: ${read.problem}.`, {
        found: property.physicalType,
        allowed: 'e.g. decimal(10,2), varchar(20)',
      })
    else if (!physical)
      report.skip(
        typePath,
        `physicalType: ${property.physicalType}`,
        'Weir does not know this type, so only the logicalType counts',
      )
  }
  let logical = property.logicalType
  if (logical === undefined) {
    if (property.logicalTypeOptions !== undefined) {
      report.error([...path, 'logicalTypeOptions'], 'logicalTypeOptions need a logicalType.', {
        allowed: 'add logicalType beside it',
      })
    }
    if (physical) logical = LOGICAL[physical.kind]
    else if (property.properties) logical = 'object'
    else if (property.items) logical = 'array'
    else {
      report.warn(
        path,
        'The property has neither a logicalType nor a physicalType that Weir knows; it is read as text.',
        { allowed: 'logicalType: string, integer, number, boolean, date, timestamp, time, object or array' },
      )
      logical = 'string'
    }
  }
  if (physical && !FITS[logical].includes(physical.kind)) {
    report.error(
      [...path, 'physicalType'],
      `physicalType and logicalType contradict each other: ${property.physicalType} is no ${logical}.`,
      {
        found: property.physicalType,
        allowed: `a physicalType for ${logical}, or logicalType: ${LOGICAL[physical.kind]}`,
      },
    )
    physical = undefined
  }
  if (property.properties && logical !== 'object')
    report.error([...path, 'properties'], `Only an object has properties; this is a ${logical}.`, {
      allowed: 'logicalType: object',
    })
  if (property.items && logical !== 'array')
    report.error([...path, 'items'], `Only an array has items; this is a ${logical}.`, {
      allowed: 'logicalType: array',
    })

  // Until v3.0 the standard had no timestamp and no time, and wrote them as dates.
  if (logical === 'date' && physical?.kind === 'timestamp') {
    logical = 'timestamp'
    report.note('A date with a physicalType of timestamp is read as a timestamp, as contracts of v3.0 mean it.')
  }
  const options = readOptions(logical, property.logicalTypeOptions, at.options, report)
  if (physical?.kind === 'text' && logical !== 'string') {
    report.skip(
      [...path, 'physicalType'],
      `physicalType: ${property.physicalType}`,
      `the clean table stores a ${logical} as such, not as text`,
    )
  }
  switch (logical) {
    case 'string': {
      if (physical?.kind === 'json')
        report.skip(
          [...path, 'physicalType'],
          `physicalType: ${property.physicalType}`,
          'the text is kept as it is and not checked to be JSON',
        )
      const uuid = physical?.kind === 'text' && physical.uuid && options.format === undefined
      return stringType(
        uuid ? { ...options, format: 'uuid' } : options,
        at,
        report,
        physical?.kind === 'text' ? physical.length : undefined,
      )
    }
    case 'boolean':
      return booleanType()
    case 'integer': {
      if (physical?.kind === 'decimal') {
        if ((physical.scale ?? 0) > 0) {
          report.error(
            [...path, 'physicalType'],
            `physicalType and logicalType contradict each other: ${property.physicalType} has fraction digits, an integer has none.`,
            {
              found: property.physicalType,
              allowed: 'decimal(p,0), or logicalType: number',
            },
          )
        } else if (physical.precision !== undefined)
          return integerType(options, at, report, style, integerOfDigits(physical.precision))
      }
      return integerType(
        options,
        at,
        report,
        style,
        physical?.kind === 'integer' ? physicalInteger(physical.bits) : undefined,
      )
    }
    case 'number': {
      if (physical?.kind === 'integer') {
        const { format: _format, ...rest } = options
        return integerType(rest, at, report, style, physicalInteger(physical.bits))
      }
      if (physical?.kind === 'decimal') {
        if (physical.precision !== undefined) {
          if (options.format !== undefined) {
            report.error(
              [...at.options, 'format'],
              `The format ${String(options.format)} contradicts physicalType ${property.physicalType}: a decimal is no floating-point number.`,
              { found: options.format, allowed: 'leave one of the two out' },
            )
          }
          return decimalType(options, at, report, style, physical.precision, physical.scale ?? 0)
        }
        report.warn(
          [...path, 'physicalType'],
          'A decimal without (precision,scale) cannot be stored exactly; it is read as a double.',
          { found: property.physicalType, allowed: 'e.g. decimal(10,2)' },
        )
        report.skip(
          [...path, 'physicalType'],
          `physicalType: ${property.physicalType}`,
          'without (precision,scale) the number is stored as a double',
        )
      } else {
        report.note(
          'A number without a decimal physicalType is stored as a double (about 15 digits): write physicalType: decimal(p,s) for money.',
        )
      }
      const single = options.format === 'f32' || (options.format === undefined && physical?.kind === 'float')
      return doubleType(options, at, report, style, single ? 'FLOAT' : 'DOUBLE')
    }
    case 'date': {
      const format = formatOf(options, at, report)
      if (format && !format.hasDate) {
        report.note('A date whose format has only a time of day is read as a time, as contracts of v3.0 mean it.')
        return timeType(options, at, report, format)
      }
      if (format?.hasTime) {
        report.note('A date whose format has a time of day is read as a timestamp, as contracts of v3.0 mean it.')
        return timestampType(options, at, report, format)
      }
      return dateType(options, at, report, format)
    }
    case 'timestamp': {
      const format = formatOf(options, at, report)
      if (format && !format.hasDate) {
        report.error([...at.options, 'format'], 'The format of a timestamp must have year, month and day.', {
          found: format.pattern,
          allowed: 'e.g. yyyy-MM-dd HH:mm:ss',
        })
      }
      return timestampType(options, at, report, format)
    }
    case 'time':
      return timeType(options, at, report, formatOf(options, at, report))
    case 'object': {
      if (physical?.kind === 'object' && physical.written)
        report.skip(
          [...path, 'physicalType'],
          `physicalType: ${property.physicalType}`,
          'the fields come from properties, not from the physicalType',
        )
      const fields = (property.properties ?? []).map((child, i) =>
        fieldOf(child, [...path, 'properties', i], report, extra, depth + 1),
      )
      const seen = new Map<string, number>()
      fields.forEach((field, i) => {
        const at2 = [...path, 'properties', i, 'name']
        const problem = keyProblem(field.name)
        if (problem) report.error(at2, problem.message, { found: field.name, allowed: problem.allowed })
        const first = seen.get(field.name.toLowerCase())
        if (first !== undefined)
          report.error(
            at2,
            `The object has this property twice (first as properties[${first}]; case does not count).`,
            { found: field.name },
          )
        seen.set(field.name.toLowerCase(), i)
      })
      const names = new Set(fields.map((f) => f.name))
      const mandatory = (options.required as string[] | undefined) ?? []
      mandatory.forEach((name, i) => {
        if (fields.length > 0 && !names.has(name)) {
          report.error([...at.options, 'required', i], 'The object has no such property.', {
            found: name,
            allowed: [...names].join(', '),
          })
        }
      })
      const { minProperties, maxProperties } = options as { minProperties?: number; maxProperties?: number }
      if (minProperties !== undefined && maxProperties !== undefined && minProperties > maxProperties) {
        report.error([...at.options, 'minProperties'], 'minProperties is larger than maxProperties.', {
          found: minProperties,
          allowed: `0 to ${maxProperties}`,
        })
      }
      return objectType(options, fields, extra)
    }
    case 'array': {
      if (physical?.kind === 'array' && physical.written)
        report.skip(
          [...path, 'physicalType'],
          `physicalType: ${property.physicalType}`,
          'the items come from items, not from the physicalType',
        )
      const { minItems, maxItems } = options as { minItems?: number; maxItems?: number }
      if (minItems !== undefined && maxItems !== undefined && minItems > maxItems) {
        report.error([...at.options, 'minItems'], 'minItems is larger than maxItems.', {
          found: minItems,
          allowed: `0 to ${maxItems}`,
        })
      }
      const item = property.items && fieldOf(property.items, [...path, 'items'], report, extra, depth + 1)
      return arrayType(options, item)
    }
  }
}

const fieldOf = (property: Property, path: Path, report: DatasetReport, extra: Severity, depth: number): Field => {
  const type = typeOf(property, path, report, PLAIN_NUMBERS, extra, depth)
  if (property.primaryKey)
    report.skip([...path, 'primaryKey'], 'primaryKey', 'a key must be a column, not a part of one')
  if (property.unique) report.skip([...path, 'unique'], 'unique', 'only whole columns are compared between rows')
  skipPromises(property, path, report)
  const found = rowChecks(property, type, path, report, 'inner')
  return {
    name: property.name ?? '',
    type,
    required: property.required === true || found.required,
    checks: found.checks,
  }
}

/** Names the clauses of a property that promise something Weir does not do. */
export const skipPromises = (property: Property, path: Path, report: DatasetReport): void => {
  const skip = (key: keyof Property, reason: string): void => {
    if (property[key] !== undefined) report.skip([...path, key], String(key), reason)
  }
  property.relationships?.forEach((relation, i) => {
    report.skip(
      [...path, 'relationships', i],
      `relationship to ${[relation.to].flat().join(', ')}`,
      'a file is taken in without reading other datasets',
    )
  })
  skip('encryptedName', 'Weir does not encrypt columns')
  skip('transformLogic', 'values are stored as they come; put transformations into a model')
  if (property.partitioned)
    report.skip(
      [...path, 'partitioned'],
      'partitioned',
      'clean tables are partitioned by day and source; curated ones by weir.curated.partitionBy',
    )
}
