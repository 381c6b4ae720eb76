// Brings a plan's columns and a file's columns together, as SQL: what each value is, and what may be wrong with it.

import type { ColumnCheck, Plan, PlanColumn, Severity } from '../contract/plan.ts'
import { identifier, literal } from '../contract/sql.ts'

/** A relation that can be read: its SQL, and where each of the plan's columns stands in it. */
export interface Source {
  /** FROM clause; gives the columns named below. */
  from: string
  /** SQL of the row number, when the relation knows it. */
  row?: string
  /** By the plan's columns: SQL of the original text, or of the value if it came typed; undefined when the file lacks it. */
  inputs: (Input | undefined)[]
  /** SQL of a JSON object with what the contract does not know, for extraColumns: keep. */
  extra?: string
  /** All of the file's columns as text, for rejects and captures. */
  texts: { name: string; sql: string }[]
}

export interface Input {
  /** Original text, NULL for nulls. */
  text: string
  /** Set when the file itself gave the value in the right type (Parquet). */
  typed?: string
  /** True when the file gave a value, not text, and `text` is how DuckDB or JSON writes it: the file's own number and date styles do not apply. */
  written?: boolean
}

export interface Rule {
  rule: string
  column?: string
  severity: Severity
  message: string
  sensitive: boolean
  /** SQL boolean: true when the row breaks it. NULL counts as fine. */
  bad: string
  /** The same, but may also be true for a row that breaks another rule anyway; cheaper, for the streaming scan. */
  quick: string
  /** SQL of the original text shown with it. */
  text: string
}

export interface Binding {
  /** SELECT with every column of the source, and v0 … vn, the typed values. */
  select: string
  /** Rules of severity error, which decide about rows. */
  rules: Rule[]
  /** Checks that are only counted, over the clean rows. */
  counted: { rule: Rule; check: ColumnCheck; column: PlanColumn }[]
  /** SELECT list of the clean table, over `select`. */
  clean: string
  /** SQL of the typed value of a column of the plan. */
  value: (column: string) => string
}

/** The names that the engine itself uses beside c0 …: texts t0 …, values v0 …. */
export function bind(plan: Plan, source: Source, upload: string): Binding {
  const rules: Rule[] = []
  const counted: Binding['counted'] = []
  const texts: string[] = []
  const values: string[] = []
  const outputs: string[] = []
  plan.columns.forEach((column, i) => {
    const input = source.inputs[i]
    const text = `t${i}`
    const value = `v${i}`
    const typed = input?.typed
    texts.push(`${input === undefined ? 'CAST(NULL AS VARCHAR)' : input.text} AS ${text}`)
    const reader = input?.written ? (column.typed ?? column) : column
    const read = reader.fromText(text)
    values.push(`${input === undefined ? `CAST(NULL AS ${column.sqlType})` : (typed ?? read)} AS ${value}`)
    outputs.push(`${value} AS ${identifier(column.name)}`)
    const about = { column: column.name, sensitive: column.sensitive, text }
    if (input === undefined) return
    const present = typed === undefined ? `${text} IS NOT NULL` : `${value} IS NOT NULL`
    if (column.required) {
      rules.push({
        ...about,
        rule: 'required',
        severity: 'error',
        message: 'must not be empty',
        bad: `NOT (${present})`,
        quick: `NOT (${present})`,
      })
    }
    let readable = present
    if (typed === undefined) {
      const exact = reader.textOk?.(value, text)
      const wrong = exact === undefined ? `${value} IS NULL` : `(${value} IS NULL OR NOT (${exact}))`
      // Text as it stands is always text: nothing to check.
      if (!(exact === undefined && read === text)) {
        const bad = `${text} IS NOT NULL AND ${wrong}`
        rules.push({ ...about, ...column.typeRule, severity: 'error', bad, quick: column.required ? wrong : bad })
        // A required column without text has no value either: the rule just added sees that too.
        const required = column.required ? rules.at(-2) : undefined
        if (required) required.quick = 'false'
        readable = `${text} IS NOT NULL AND NOT coalesce(${wrong}, false)`
      }
    }
    for (const check of column.checks) {
      const shown = typed === undefined ? text : `CAST(${value} AS VARCHAR)`
      const rule: Rule = {
        ...about,
        rule: check.rule,
        severity: check.severity,
        message: check.message,
        bad: `${readable} AND NOT (${check.ok(value, shown)})`,
        quick: `NOT (${check.ok(value, shown)})`,
      }
      if (check.severity === 'error') rules.push(rule)
      else counted.push({ rule, check, column })
    }
  })
  outputs.push(`${literal(upload)} AS _upload`)
  if (plan.settings.extraColumns === 'keep') outputs.push(`${source.extra ?? 'CAST(NULL AS VARCHAR)'} AS _extra`)
  const inner = `SELECT *, ${texts.join(', ')} FROM ${source.from}`
  return {
    select: `SELECT *, ${values.join(', ')} FROM (${inner})`,
    rules,
    counted,
    clean: outputs.join(', '),
    value: (name) => `v${plan.columns.findIndex((c) => c.name === name)}`,
  }
}

/** SQL integer: how many of the rules a row breaks; 0 is a good row. */
export function countBroken(all: string[]): string {
  const conditions = all.filter((bad) => bad !== 'false')
  return conditions.length === 0 ? '0' : conditions.map((bad) => `CASE WHEN ${bad} THEN 1 ELSE 0 END`).join(' + ')
}
