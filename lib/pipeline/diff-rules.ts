// What two plans of one dataset say differently of the rows to come: which files that pass today may be rejected.

import { isDeepStrictEqual } from 'node:util'
import type { Plan, PlanColumn, Severity } from '../contract/plan.ts'
import type { Change } from './diff.ts'

/** One thing that rows or files must fulfil, as far as two of them can be compared. */
interface Rule {
  column?: string
  rule: string
  severity: Severity
  message: string
  /** The condition itself: what the words leave out. */
  sql: string
}

/** Changes of rules, of the reading of files, and of settings. None of them touches what is in the tables. */
export function ruleChanges(before: Plan, after: Plan): Change[] {
  return [
    ...comparedRules(rulesOf(before, after), rulesOf(after, before)),
    ...readingChanges(before, after),
    ...settingChanges(before, after),
  ]
}

/** Rules by a name that both sides share. Those of columns that only one side has come and go with the column. */
function rulesOf(plan: Plan, other: Plan): Map<string, Rule> {
  const rules = new Map<string, Rule>()
  const add = (rule: Rule) => {
    for (let n = 1; ; n++) {
      const id = `${rule.column ?? ''}/${rule.rule}/${n}`
      if (rules.has(id)) continue
      rules.set(id, rule)
      return
    }
  }
  const shared = new Map(other.columns.map((column) => [column.name, column]))
  for (const column of plan.columns) {
    const twin = shared.get(column.name)
    if (!twin) continue
    const { name } = column
    if (column.required)
      add({ column: name, rule: 'required', severity: 'error', message: 'must not be empty', sql: '' })
    // A type that changed is a change of its own.
    if (twin.sqlType === column.sqlType) add(typeRuleOf(column))
    for (const { rule, severity, message, ok } of column.checks)
      add({ column: name, rule, severity, message, sql: ok('v', 't') })
  }
  for (const { rule, columns, severity, message } of plan.keys)
    if (rule !== 'primaryKey') add({ rule: `${rule}(${columns.join(', ')})`, severity, message, sql: '' })
  for (const { rule, column, severity, message, sql } of plan.fileRules)
    add({ ...(column === undefined ? {} : { column }), rule: `file:${rule}`, severity, message, sql })
  return rules
}

function typeRuleOf(column: PlanColumn): Rule {
  const { rule, message } = column.typeRule
  const sql = `${column.fromText('t')} ${column.textOk?.('v', 't') ?? ''}`
  return {
    column: column.name,
    rule: `type:${rule}`,
    severity: 'error',
    message: `${message} (${column.typeInWords})`,
    sql,
  }
}

function comparedRules(before: Map<string, Rule>, after: Map<string, Rule>): Change[] {
  const changes: Change[] = []
  const say = (kind: Change['kind'], { column, rule }: Rule, message: string) =>
    changes.push({ kind, impact: 'note', ...(column === undefined ? {} : { column }), rule: plain(rule), message })
  for (const [id, rule] of after) {
    const was = before.get(id)
    if (!was) {
      if (rule.severity === 'error')
        say('rule_tightened', rule, `${place(rule)}${rule.message}: new, so what breaks it is rejected from now on`)
      else say('rule_changed', rule, `${place(rule)}${rule.message}: new, and only counted (${rule.severity})`)
    } else if (!isDeepStrictEqual(was, rule)) {
      const kind = directionOf(was, rule)
      say(
        kind,
        rule,
        `${place(rule)}${rule.message}${withSeverity(was, rule)}; before: ${was.message}${withSeverity(rule, was)}`,
      )
    }
  }
  for (const [id, rule] of before)
    if (!after.has(id)) say('rule_loosened', rule, `${place(rule)}${rule.message}: no longer asked for`)
  return changes
}

const plain = (rule: string): string => rule.replace(/^(file|type):/, '')
const place = ({ column }: Rule): string => (column === undefined ? '' : `${column} `)
const withSeverity = (other: Rule, rule: Rule): string =>
  other.severity === rule.severity ? '' : ` (${rule.severity})`

const MORE_IS_TIGHTER = /^(exclusiveMinimum|minimum|min[A-Z]\w*)$/
const LESS_IS_TIGHTER = /^(exclusiveMaximum|maximum|max[A-Z]\w*)$/

function directionOf(was: Rule, rule: Rule): Change['kind'] {
  if (was.severity !== rule.severity) return rule.severity === 'error' ? 'rule_tightened' : 'rule_loosened'
  const [a, b] = [numberIn(was.message), numberIn(rule.message)]
  if (a === undefined || b === undefined || a === b) return 'rule_changed'
  if (MORE_IS_TIGHTER.test(rule.rule)) return b > a ? 'rule_tightened' : 'rule_loosened'
  if (LESS_IS_TIGHTER.test(rule.rule)) return b < a ? 'rule_tightened' : 'rule_loosened'
  return 'rule_changed'
}

/** The one number of a message such as "must be at least 1". */
function numberIn(message: string): number | undefined {
  const found = message.match(/-?\d+(?:\.\d+)?/g) ?? []
  return found.length === 1 ? Number(found[0]) : undefined
}

/** How files are read: what changes here may make files that were read well unreadable, or other values. */
function readingChanges(before: Plan, after: Plan): Change[] {
  const changes: Change[] = []
  const [a, b] = [before.settings.file, after.settings.file]
  for (const key of new Set([...Object.keys(a), ...Object.keys(b)]) as Set<keyof typeof a>) {
    if (isDeepStrictEqual(a[key], b[key])) continue
    changes.push({
      kind: 'reading_changed',
      impact: 'note',
      rule: key,
      message: `file.${key} is ${said(b[key])}, before: ${said(a[key])}; files that are written the old way may be rejected`,
    })
  }
  const order = (plan: Plan, other: Plan) =>
    plan.columns.map(({ name }) => name).filter((name) => other.columns.some((column) => column.name === name))
  if (after.settings.file.header === false && !isDeepStrictEqual(order(before, after), order(after, before))) {
    changes.push({
      kind: 'reading_changed',
      impact: 'note',
      message: 'the columns come in another order, and the files have no header to tell them by',
    })
  }
  for (const column of after.columns) {
    const was = before.columns.find(({ name }) => name === column.name)
    const gone = was?.aliases.filter((alias) => !column.aliases.includes(alias)) ?? []
    if (gone.length === 0) continue
    changes.push({
      kind: 'reading_changed',
      impact: 'note',
      column: column.name,
      message: `${column.name} is no longer found under the header ${gone.join(', ')}`,
    })
  }
  return changes
}

function settingChanges(before: Plan, after: Plan): Change[] {
  const changes: Change[] = []
  const [a, b] = [before.settings, after.settings]
  if (a.match !== b.match) {
    const kind = b.match === undefined ? 'rule_loosened' : 'rule_tightened'
    changes.push({
      kind,
      impact: 'note',
      rule: 'match',
      message: `match is ${said(b.match)}, before: ${said(a.match)}${b.match === undefined ? '' : '; files whose names do not fit are refused'}`,
    })
  }
  if (a.maxRejected !== b.maxRejected) {
    const kind = (b.maxRejected ?? 1) < (a.maxRejected ?? 1) ? 'rule_tightened' : 'rule_loosened'
    changes.push({
      kind,
      impact: 'note',
      rule: 'maxRejected',
      message: `maxRejected is ${share(b.maxRejected)}, before: ${share(a.maxRejected)}`,
    })
  }
  if (a.extraColumns !== b.extraColumns && (a.extraColumns === 'refuse' || b.extraColumns === 'refuse')) {
    changes.push({
      kind: b.extraColumns === 'refuse' ? 'rule_tightened' : 'rule_loosened',
      impact: 'note',
      rule: 'extraColumns',
      message: `extraColumns is ${b.extraColumns}, before: ${a.extraColumns}`,
    })
  }
  for (const key of ['redrop', 'onDelete'] as const) {
    if (a[key] === b[key]) continue
    const message = `${key} is ${b[key]}, before: ${a[key]}`
    changes.push({ kind: 'setting_changed', impact: 'note', rule: key, message })
  }
  for (const column of after.columns) {
    const was = before.columns.find(({ name }) => name === column.name)
    if (!was || was.classification === column.classification) continue
    const shown =
      was.sensitive === column.sensitive ? '' : `, so receipts ${column.sensitive ? 'no longer ' : ''}show its values`
    changes.push({
      kind: 'setting_changed',
      impact: 'note',
      column: column.name,
      rule: 'classification',
      message: `${column.name} is ${column.classification ?? 'not classified'}, before: ${was.classification ?? 'not classified'}${shown}`,
    })
  }
  return changes
}

const said = (value: unknown): string => (value === undefined ? 'not set' : JSON.stringify(value))
const share = (value: number | undefined): string =>
  value === undefined ? 'not set' : `${+(value * 100).toFixed(4)} %`
