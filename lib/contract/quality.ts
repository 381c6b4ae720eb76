// Quality rules: library metrics become checks per row where they say "none", and rules about the whole file where they
// set a threshold; SQL rules, in Athena's SQL, run on the accepted rows. Text and custom rules are named as not enforced.

import { athenaName, isNumber, type Type } from '../sql/types.ts'
import type { DatasetReport, Path } from './errors.ts'
import { compareExact, exact, plainText } from './exact.ts'
import { OPERATORS, type Property, type Quality, type SchemaObject } from './odcs.ts'
import type { ColumnCheck, FileRule, KeyRule, Severity } from './plan.ts'
import { type RuleRows, readRuleQuery, translateRule } from './rule-query.ts'
import { identifier, inList, literal } from './sql.ts'
import { patternSql } from './types/text.ts'
import { type ColumnType, check } from './types/type.ts'

export interface QualityRules {
  checks: ColumnCheck[]
  /** nullValues 0 with severity error: the same as `required: true`. */
  required: boolean
  keys: KeyRule[]
  fileRules: (FileRule | LateRule)[]
}

/** A rule of SQL, once the rows are known that it may read; undefined after an error. */
export type LateRule = (rows: RuleRows) => FileRule | undefined

const none = (): QualityRules => ({ checks: [], required: false, keys: [], fileRules: [] })

const SEVERITIES: Record<string, Severity> = {
  error: 'error',
  critical: 'error',
  high: 'error',
  blocker: 'error',
  fatal: 'error',
  major: 'error',
  warning: 'warning',
  warn: 'warning',
  medium: 'warning',
  minor: 'warning',
  info: 'info',
  information: 'info',
  low: 'info',
  trivial: 'info',
}

const severityOf = (rule: Quality, path: Path, report: DatasetReport): Severity => {
  if (rule.severity === undefined) return 'error'
  const word = rule.severity.trim().toLowerCase()
  const severity = Object.hasOwn(SEVERITIES, word) ? SEVERITIES[word] : undefined
  if (severity === undefined) {
    report.warn([...path, 'severity'], 'This severity is not known and counts as error.', {
      found: rule.severity,
      allowed: 'error, warning, info',
    })
    return 'error'
  }
  if (!['error', 'warning', 'info'].includes(rule.severity)) {
    report.warn([...path, 'severity'], `This severity counts as ${severity}.`, {
      found: rule.severity,
      allowed: 'error, warning, info',
    })
  }
  return severity
}

type Scalar = number | string | boolean | null
interface Condition {
  holds: (value: Scalar) => boolean
  /** Plain words: "must be at most 5". */
  words: string
  /** The operator says that the count is 0. */
  zero: boolean
}

const number = (value: unknown): string => {
  const read =
    typeof value === 'number' || typeof value === 'bigint' || typeof value === 'string' ? exact(value) : undefined
  return read ? plainText(read) : String(value)
}

/** −1, 0, 1, or undefined where the two cannot be compared as numbers. Exact: DuckDB gives large counts as text. */
const compare = (value: Scalar, bound: unknown): number | undefined => {
  if (value === null || typeof value === 'boolean') return undefined
  const a = exact(value)
  const b =
    typeof bound === 'number' || typeof bound === 'bigint' || typeof bound === 'string' ? exact(bound) : undefined
  if (a && b) return compareExact(a, b)
  // A double such as Infinity has no exact form.
  const [x, y] = [Number(value), Number(bound)]
  return Number.isNaN(x) || Number.isNaN(y) ? undefined : Math.sign(x - y)
}
const equal = (value: Scalar, bound: unknown): boolean => {
  if (value === null || bound === null) return value === bound
  if (typeof bound === 'boolean' || typeof value === 'boolean')
    return String(value).toLowerCase() === String(bound).toLowerCase()
  return compare(value, bound) === 0 || String(value) === String(bound)
}

/** The one operator of a rule, or undefined after reporting that there is none, or more than one. */
const conditionOf = (rule: Quality, path: Path, report: DatasetReport): Condition | undefined => {
  const used = OPERATORS.filter((name) => rule[name] !== undefined)
  const [name] = used
  if (name === undefined || used.length > 1) {
    report.error(
      path,
      name === undefined
        ? 'The rule has no operator, so nothing says when it holds.'
        : 'The rule has more than one operator.',
      {
        found: used.join(', ') || 'no operator',
        allowed: `exactly one of ${OPERATORS.join(', ')}`,
      },
    )
    return undefined
  }
  const bound = rule[name]
  const test = (words: string, holds: (order: number) => boolean): Condition => ({
    words: `must be ${words} ${number(bound)}`,
    zero: false,
    holds: (value) => {
      const order = compare(value, bound)
      return order !== undefined && holds(order)
    },
  })
  switch (name) {
    case 'mustBe':
      if (typeof bound === 'object' && bound !== null) {
        report.error([...path, name], 'The value to compare with must be a single one.', {
          found: bound,
          allowed: 'a number, a text, true, false or null',
        })
        return undefined
      }
      return { words: `must be ${number(bound)}`, zero: compare(0, bound) === 0, holds: (value) => equal(value, bound) }
    case 'mustNotBe':
      if (typeof bound === 'object' && bound !== null) {
        report.error([...path, name], 'The value to compare with must be a single one.', {
          found: bound,
          allowed: 'a number, a text, true, false or null',
        })
        return undefined
      }
      return { words: `must not be ${number(bound)}`, zero: false, holds: (value) => !equal(value, bound) }
    case 'mustBeGreaterThan':
      return test('more than', (o) => o > 0)
    case 'mustBeGreaterOrEqualTo':
      return test('at least', (o) => o >= 0)
    case 'mustBeLessThan':
      return test('less than', (o) => o < 0)
    case 'mustBeLessOrEqualTo':
      return { ...test('at most', (o) => o <= 0), zero: compare(0, bound) === 0 }
    case 'mustBeBetween':
    case 'mustNotBeBetween': {
      const [low, high] = bound as [number | bigint, number | bigint]
      if (low > high) {
        report.error([...path, name], 'The first number is larger than the second.', {
          found: bound,
          allowed: 'the smaller number first',
        })
        return undefined
      }
      const between = (value: Scalar): boolean | undefined => {
        const [a, b] = [compare(value, low), compare(value, high)]
        return a === undefined || b === undefined ? undefined : a > 0 && b < 0
      }
      return name === 'mustBeBetween'
        ? {
            words: `must be between ${number(low)} and ${number(high)} (both excluded)`,
            zero: false,
            holds: (v) => between(v) === true,
          }
        : {
            words: `must not be between ${number(low)} and ${number(high)} (both excluded)`,
            zero: false,
            holds: (v) => between(v) === false,
          }
    }
  }
}

type Unit = 'rows' | 'percent'
const unitOf = (rule: Quality, path: Path, report: DatasetReport): Unit | undefined => {
  const unit = (rule.unit ?? 'rows').trim().toLowerCase()
  if (unit === 'rows' || unit === 'row' || unit === 'count') return 'rows'
  if (unit === 'percent' || unit === '%' || unit === 'percentage') return 'percent'
  report.error([...path, 'unit'], 'This unit is not known.', { found: rule.unit, allowed: 'rows, percent' })
  return undefined
}

const METRICS: Record<string, { metric: Quality['metric']; zero: boolean }> = {
  nullcheck: { metric: 'nullValues', zero: true },
  nullvalues: { metric: 'nullValues', zero: false },
  nullcount: { metric: 'nullValues', zero: false },
  missingcount: { metric: 'missingValues', zero: false },
  missingvalues: { metric: 'missingValues', zero: false },
  uniquecheck: { metric: 'duplicateValues', zero: true },
  duplicatecount: { metric: 'duplicateValues', zero: false },
  duplicatevalues: { metric: 'duplicateValues', zero: false },
  rowcount: { metric: 'rowCount', zero: false },
  validvalues: { metric: 'invalidValues', zero: true },
  invalidcount: { metric: 'invalidValues', zero: false },
  invalidvalues: { metric: 'invalidValues', zero: false },
}

/** The older spelling `rule: …` as a metric; undefined (and named as not enforced) when nobody knows it. */
const modern = (rule: Quality, path: Path, report: DatasetReport): Quality | undefined => {
  if (rule.metric !== undefined) {
    if (rule.rule !== undefined)
      report.warn([...path, 'rule'], 'rule is the older spelling of metric; beside metric it is ignored.', {
        found: rule.rule,
      })
    return rule
  }
  if (rule.rule === undefined) {
    report.error(path, 'A library rule needs a metric.', {
      allowed: 'metric: nullValues, missingValues, invalidValues, duplicateValues or rowCount',
    })
    return undefined
  }
  const word = rule.rule.toLowerCase().replace(/[^a-z]/g, '')
  const known = Object.hasOwn(METRICS, word) ? METRICS[word] : undefined
  if (!known) {
    report.warn([...path, 'rule'], 'rule is the older spelling of metric, and this one is not known.', {
      found: rule.rule,
      allowed: 'metric: nullValues, missingValues, invalidValues, duplicateValues or rowCount',
    })
    report.skip(path, `quality rule ${rule.rule}`, 'Weir does not know this rule')
    return undefined
  }
  report.warn([...path, 'rule'], `rule is the older spelling; write metric: ${known.metric}.`, { found: rule.rule })
  const hasOperator = OPERATORS.some((name) => rule[name] !== undefined)
  const values =
    rule.validValues === undefined || rule.arguments !== undefined
      ? {}
      : { arguments: { validValues: rule.validValues } }
  return { ...rule, ...values, metric: known.metric, ...(known.zero && !hasOperator ? { mustBe: 0 } : {}) }
}

/** Handles the types that never become a check. True when nothing is left to do. */
const notChecked = (rule: Quality, path: Path, report: DatasetReport): boolean => {
  if (rule.schedule !== undefined || rule.scheduler !== undefined) {
    report.skip(
      [...path, rule.schedule === undefined ? 'scheduler' : 'schedule'],
      `schedule of ${nameOf(rule)}`,
      'rules are evaluated with every file, not by a schedule',
    )
  }
  const kind =
    rule.type ?? (rule.query === undefined ? (rule.implementation === undefined ? 'library' : 'custom') : 'sql')
  if (kind === 'text') {
    report.skip(
      path,
      `text rule${rule.name === undefined ? '' : ` ${rule.name}`}: ${rule.description ?? ''}`.trim(),
      'a text rule is for people',
    )
    return true
  }
  if (kind === 'custom') {
    if (rule.engine === undefined)
      report.error(path, 'A custom rule needs an engine.', { allowed: 'engine and implementation' })
    if (rule.implementation === undefined)
      report.error(path, 'A custom rule needs an implementation.', { allowed: 'engine and implementation' })
    report.skip(
      path,
      `custom rule ${nameOf(rule)}${rule.engine === undefined ? '' : ` (${rule.engine})`}`,
      'Weir does not run the engines of others',
    )
    return true
  }
  return false
}

const nameOf = (rule: Quality): string => rule.name ?? rule.id ?? rule.metric ?? rule.rule ?? rule.type ?? 'rule'
const isSql = (rule: Quality): boolean => rule.type === 'sql' || (rule.type === undefined && rule.query !== undefined)

/** A count of bad rows, as rows or as percent of all rows; 0 for an empty table. */
const counting = (bad: string, unit: Unit): string =>
  unit === 'rows'
    ? `SELECT count(*) FILTER (WHERE ${bad}) FROM {table}`
    : `SELECT coalesce(100.0 * count(*) FILTER (WHERE ${bad}) / nullif(count(*), 0), 0) FROM {table}`

const ARGUMENTS: Record<string, string[]> = {
  nullValues: [],
  missingValues: ['missingValues'],
  invalidValues: ['validValues', 'pattern'],
  duplicateValues: ['properties'],
  rowCount: [],
}
const argumentsOf = (rule: Quality, path: Path, report: DatasetReport): Record<string, unknown> => {
  const given = rule.arguments ?? {}
  const allowed = ARGUMENTS[rule.metric ?? ''] ?? []
  for (const key of Object.keys(given)) {
    if (allowed.includes(key)) continue
    report.warn([...path, 'arguments', key], `The metric ${rule.metric} has no such argument; it is not enforced.`, {
      found: given[key],
      allowed: allowed.join(', ') || 'no arguments',
    })
    report.skip(
      [...path, 'arguments', key],
      `argument ${key} of ${nameOf(rule)}`,
      `the metric ${rule.metric} has no such argument`,
    )
  }
  return given
}

const listed = (values: readonly unknown[]): string => {
  const texts = values.map((v) => (v === null ? 'empty' : typeof v === 'string' ? JSON.stringify(v) : String(v)))
  return texts.length <= 12 ? texts.join(', ') : `${texts.slice(0, 12).join(', ')} … (${texts.length} values)`
}

/** What breaks the metric, as SQL that is true for a bad value, and the check's name and words; undefined after an error. */
const badValue = (
  rule: Quality,
  type: ColumnType,
  path: Path,
  report: DatasetReport,
): { bad: (value: string) => string; check: string; words: string; nulls: boolean } | undefined => {
  const given = argumentsOf(rule, path, report)
  const at: Path = [...path, 'arguments']
  if (rule.metric === 'nullValues')
    return { bad: (v) => `${v} IS NULL`, check: 'nullValues', words: 'must not be empty', nulls: true }
  if (rule.metric === 'missingValues') {
    const list = given.missingValues ?? [null, '']
    if (!Array.isArray(list)) {
      report.error([...at, 'missingValues'], 'missingValues must be a list.', {
        found: list,
        allowed: 'e.g. [null, "", N/A]',
      })
      return undefined
    }
    const texts = list.filter((v) => v !== null).map((v) => literal(String(v)))
    const nulls = list.includes(null)
    const parts = (v: string): string[] =>
      [nulls ? `${v} IS NULL` : '', texts.length > 0 ? `CAST(${v} AS VARCHAR) IN ${inList(texts)}` : ''].filter(Boolean)
    return {
      bad: (v) => (parts(v).length === 0 ? 'false' : `coalesce(${parts(v).join(' OR ')}, false)`),
      check: 'missingValues',
      words: `must not be one of ${listed(list)}, which mean that the value is missing`,
      nulls,
    }
  }
  const { validValues, pattern } = given
  if ((validValues === undefined) === (pattern === undefined)) {
    report.error(at, 'invalidValues needs either validValues or a pattern.', {
      found: rule.arguments,
      allowed: 'arguments: {validValues: [...]} or arguments: {pattern: ^...$}',
    })
    return undefined
  }
  if (pattern !== undefined) {
    if (typeof pattern !== 'string') {
      report.error([...at, 'pattern'], 'The pattern must be a text.', {
        found: pattern,
        allowed: 'an ECMA-262 pattern',
      })
      return undefined
    }
    const matches = patternSql(pattern, [...at, 'pattern'], report)
    return (
      matches && {
        bad: (v) => `NOT ${matches(type.sqlType === 'VARCHAR' ? v : `CAST(${v} AS VARCHAR)`)}`,
        check: 'pattern',
        words: `must match the pattern ${pattern}`,
        nulls: false,
      }
    )
  }
  if (!Array.isArray(validValues) || validValues.length === 0) {
    report.error([...at, 'validValues'], 'validValues must be a list with at least one value.', {
      found: validValues,
      allowed: 'e.g. [red, green]',
    })
    return undefined
  }
  const constants: string[] = []
  validValues.forEach((value: unknown, i) => {
    // NULL is never compared: `required` says whether a value must be there.
    if (value === null) return
    const constant = type.constant(value)
    if (constant === undefined)
      report.error(
        [...at, 'validValues', i],
        `This value is no ${type.typeInWords}, so the column can never have it.`,
        { found: value, allowed: type.typeInWords },
      )
    else constants.push(constant)
  })
  if (constants.length === 0) return undefined
  return {
    bad: notAmong(type, constants),
    check: 'validValues',
    words: `must be one of ${listed(validValues)}`,
    nulls: false,
  }
}

/** Values of a list that is searched faster than joined: DuckDB makes a join of every IN. */
const SHORT_LIST = 20

/** SQL boolean: the value is none of these; NULL for NULL. */
const notAmong = (type: ColumnType, constants: string[]): ((value: string) => string) =>
  type.sqlType === 'VARCHAR' && constants.length <= SHORT_LIST
    ? (v) => `NOT list_contains([${constants.join(', ')}], ${v})`
    : (v) => `${v} NOT IN ${inList(constants)}`

/** The quality rules of one property. `inner`: below the top level, where only checks per row make sense. */
export const rowChecks = (
  property: Property,
  type: ColumnType,
  path: Path,
  report: DatasetReport,
  place: 'column' | 'inner',
): QualityRules => {
  const rules = none()
  const name = property.name ?? ''
  property.quality?.forEach((original, i) => {
    const at: Path = [...path, 'quality', i]
    if (notChecked(original, at, report)) return
    if (isSql(original)) {
      if (place === 'inner')
        report.skip(at, `sql rule ${nameOf(original)}`, 'SQL rules are enforced for whole columns only')
      else {
        const late = sqlRule(original, at, report, name)
        if (late) rules.fileRules.push(late)
      }
      return
    }
    const rule = modern(original, at, report)
    if (!rule) return
    if (rule.metric === 'rowCount') {
      report.error([...at, 'metric'], 'rowCount belongs on the schema object, not on a property.', {
        found: 'rowCount',
        allowed: 'move the rule to schema[].quality',
      })
      return
    }
    const severity = severityOf(rule, at, report)
    const condition = conditionOf(rule, at, report)
    const unit = unitOf(rule, at, report)
    if (!condition || !unit) return
    if (rule.metric === 'duplicateValues') {
      if (place === 'inner')
        report.skip(at, `quality rule ${nameOf(rule)}`, 'only whole columns are compared between rows')
      else if (!type.comparable)
        report.error(at, 'Objects and lists cannot be compared for duplicates.', {
          found: rule.metric,
          allowed: 'a property that is neither object nor array',
        })
      else if (rule.arguments?.properties !== undefined) {
        report.error(
          [...at, 'arguments', 'properties'],
          'On a property, duplicateValues means that property; a list belongs on the schema object.',
          { allowed: 'move the rule to schema[].quality' },
        )
      } else duplicates(rules, rule, [name], condition, unit, severity)
      return
    }
    const metric = badValue(rule, type, at, report)
    if (!metric) return
    const { bad } = metric
    if (condition.zero) {
      if (metric.nulls && severity === 'error') rules.required = true
      else if (metric.nulls && place === 'column') {
        rules.fileRules.push({
          rule: nameOf(rule),
          column: name,
          severity,
          message: `no ${name} may be empty`,
          sql: counting(`${identifier(name)} IS NULL`, 'rows'),
          foreign: false,
          holds: (v) => equal(v, 0),
        })
      } else if (metric.nulls)
        report.skip(
          at,
          `quality rule ${nameOf(rule)}`,
          'inside objects and lists, empty values are counted only with severity error',
        )
      if (rule.metric !== 'nullValues')
        rules.checks.push(
          check(rule.name ?? metric.check, metric.words, (v) => `(${v} IS NULL OR NOT (${bad(v)}))`, severity),
        )
      return
    }
    if (place === 'inner') {
      report.skip(at, `quality rule ${nameOf(rule)}`, 'inside objects and lists, only "must be 0" is enforced')
      return
    }
    rules.fileRules.push({
      rule: nameOf(rule),
      column: name,
      severity,
      message: `the ${unit === 'rows' ? 'number' : 'percentage'} of rows with ${METRIC_WORDS[rule.metric ?? 'invalidValues']} in ${name} ${condition.words}`,
      sql: counting(bad(identifier(name)), unit),
      foreign: false,
      holds: condition.holds,
    })
  })
  return rules
}

const METRIC_WORDS = {
  nullValues: 'no value',
  missingValues: 'a missing value',
  invalidValues: 'an invalid value',
  duplicateValues: 'a repeated value',
  rowCount: '',
}

const duplicates = (
  rules: QualityRules,
  rule: Quality,
  columns: string[],
  condition: Condition,
  unit: Unit,
  severity: Severity,
): void => {
  const words = columns.join(', ')
  if (condition.zero) {
    rules.keys.push({ rule: 'duplicateValues', columns, message: `${words} must be unique in a file`, severity })
    return
  }
  const names = columns.map(identifier).join(', ')
  const present = columns.map((c) => `${identifier(c)} IS NOT NULL`).join(' AND ')
  // Every row after the first with the same values counts, as for keys; NULL is not compared.
  const repeated = `(count(*) FILTER (WHERE ${present}) - (SELECT count(*) FROM (SELECT DISTINCT ${names} FROM {table} WHERE ${present})))`
  rules.fileRules.push({
    rule: nameOf(rule),
    ...(columns.length === 1 ? { column: columns[0] } : {}),
    severity,
    message: `the ${unit === 'rows' ? 'number' : 'percentage'} of rows that repeat the ${words} of an earlier row ${condition.words}`,
    sql:
      unit === 'rows'
        ? `SELECT ${repeated} FROM {table}`
        : `SELECT coalesce(100.0 * ${repeated} / nullif(count(*), 0), 0) FROM {table}`,
    foreign: false,
    holds: condition.holds,
  })
}

/** The quality rules of the schema object. */
export const tableRules = (
  object: SchemaObject,
  columns: ReadonlyMap<string, ColumnType>,
  path: Path,
  report: DatasetReport,
): QualityRules => {
  const rules = none()
  object.quality?.forEach((original, i) => {
    const at: Path = [...path, 'quality', i]
    if (notChecked(original, at, report)) return
    if (isSql(original)) {
      const late = sqlRule(original, at, report, undefined)
      if (late) rules.fileRules.push(late)
      return
    }
    const rule = modern(original, at, report)
    if (!rule) return
    const severity = severityOf(rule, at, report)
    const condition = conditionOf(rule, at, report)
    const unit = unitOf(rule, at, report)
    if (!condition || !unit) return
    if (rule.metric === 'rowCount') {
      argumentsOf(rule, at, report)
      if (unit === 'percent') {
        report.error([...at, 'unit'], 'A row count has no percentage.', { found: rule.unit, allowed: 'rows' })
        return
      }
      rules.fileRules.push({
        rule: nameOf(rule),
        severity,
        message: `the number of accepted rows ${condition.words}`,
        sql: 'SELECT count(*) FROM {table}',
        foreign: false,
        holds: condition.holds,
      })
      return
    }
    if (rule.metric !== 'duplicateValues') {
      report.error([...at, 'metric'], `${rule.metric} belongs on a property, not on the schema object.`, {
        found: rule.metric,
        allowed: 'move the rule to schema[].properties[].quality',
      })
      return
    }
    const given = argumentsOf(rule, at, report).properties
    if (!Array.isArray(given) || given.length === 0) {
      report.error([...at, 'arguments'], 'On the schema object, duplicateValues needs the properties to compare.', {
        found: rule.arguments,
        allowed: 'arguments: {properties: [a, b]}',
      })
      return
    }
    let known = true
    given.forEach((name: unknown, n) => {
      const type = typeof name === 'string' ? columns.get(name) : undefined
      if (type?.comparable) return
      known = false
      report.error(
        [...at, 'arguments', 'properties', n],
        type ? 'Objects and lists cannot be compared for duplicates.' : 'There is no such property.',
        {
          found: name,
          allowed: [...columns]
            .filter(([, t]) => t.comparable)
            .map(([c]) => c)
            .join(', '),
        },
      )
    })
    if (known) duplicates(rules, rule, given as string[], condition, unit, severity)
  })
  return rules
}

/** A rule of the contract's own SQL. What it may name is known once all columns are. */
const sqlRule = (
  rule: Quality,
  path: Path,
  report: DatasetReport,
  column: string | undefined,
): LateRule | undefined => {
  const severity = severityOf(rule, path, report)
  const condition = conditionOf(rule, path, report)
  if (rule.query === undefined) {
    report.error(path, 'An sql rule needs a query.', { allowed: 'query: SELECT … FROM {object} …' })
    return undefined
  }
  if (rule.unit !== undefined && !['rows', 'percent'].includes(rule.unit))
    report.warn([...path, 'unit'], 'The unit of an sql rule is only shown; the query decides what is counted.', {
      found: rule.unit,
    })
  const read = readRuleQuery(rule.query, column, [...path, 'query'], report)
  if (!read || !condition) return undefined
  return (rows) => {
    const translated = translateRule(read, rows, report)
    if (!translated) return undefined
    const problem = operatorProblem(rule, translated.type)
    if (problem) {
      report.error([...path, problem.operator], problem.message, {
        found: rule[problem.operator],
        allowed: problem.allowed,
      })
      return undefined
    }
    return {
      rule: nameOf(rule),
      ...(column === undefined ? {} : { column }),
      severity,
      message: `${rule.description ?? `the result of the query ${nameOf(rule)}`}${rule.description ? ': the result' : ''} ${condition.words}`,
      sql: translated.sql,
      foreign: true,
      ...(translated.onlyCounts ? { onlyCounts: true } : {}),
      holds: condition.holds,
    }
  }
}

/** An operator that no value of the query's type could ever fulfil. */
const operatorProblem = (
  rule: Quality,
  type: Type,
): { operator: (typeof OPERATORS)[number]; message: string; allowed: string } | undefined => {
  const operator = OPERATORS.find((name) => rule[name] !== undefined)
  if (operator === undefined || type.of === 'unknown' || isNumber(type)) {
    if (operator === undefined || typeof rule[operator] !== 'boolean' || !isNumber(type)) return undefined
    return {
      operator,
      message: `The query gives a number (${athenaName(type)}), which is neither true nor false.`,
      allowed: 'a number',
    }
  }
  const gives = `The query gives no number, but ${athenaName(type)}`
  if (operator !== 'mustBe' && operator !== 'mustNotBe')
    return {
      operator,
      message: `${gives}, and ${operator} compares numbers.`,
      allowed: 'a query that gives a number, such as count(*), or CAST(… AS bigint); or mustBe, mustNotBe',
    }
  if (['array', 'map', 'row', 'varbinary', 'foreign'].includes(type.of))
    return { operator, message: `${gives}, which nothing is compared with.`, allowed: 'a query that gives one value' }
  if (type.of === 'boolean' && !/^(true|false|null)$/i.test(String(rule[operator])))
    return { operator, message: `${gives}.`, allowed: 'true or false' }
  if (['date', 'timestamp', 'instant'].includes(type.of) && typeof rule[operator] === 'number')
    return { operator, message: `${gives}.`, allowed: 'a text such as "2026-01-31", or null' }
  return undefined
}
