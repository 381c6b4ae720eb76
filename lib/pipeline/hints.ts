// Hints: what the pattern of a file's rejects says about the contract rather than about its rows. They are warnings of the
// receipt; they decide nothing.

import type { Plan } from '../contract/plan.ts'
import type { CheckResult } from '../engine/result.ts'

/** 12,50 and 1.234,50: a decimal comma. Whole numbers with a comma for thousands have three digits behind it. */
const DECIMAL_COMMA = /^\s*[+-]?(?:\d+|\d{1,3}(?:\.\d{3})+),(?:\d{1,2}|\d{4,})\s*$/
const NUMERIC = /^(DECIMAL|DOUBLE|FLOAT)/

/** Sentences to add to the warnings. */
export function hintsOf(plan: Plan, result: Pick<CheckResult, 'violations' | 'reading'>): string[] {
  const { decimalSeparator } = plan.settings.file
  if (decimalSeparator !== '.' || result.reading?.delimiter !== ';') return []
  const columns: string[] = []
  let example: string | undefined
  for (const { rule, column, samples } of result.violations) {
    const planned = plan.columns.find(({ name }) => name === column)
    if (!planned || rule !== planned.typeRule.rule || !NUMERIC.test(planned.sqlType)) continue
    const sample = samples.find(({ value }) => value !== undefined && DECIMAL_COMMA.test(value))
    if (!sample?.value) continue
    columns.push(planned.name)
    example ??= sample.value.trim()
  }
  if (example === undefined) return []
  const thousands = example.includes('.') ? ', thousandsSeparator: "."' : ''
  return [
    `Numbers such as ${example} (in ${columns.join(', ')}) have a decimal comma. If they are meant so, let the contract say it, in its weir property: file: { decimalSeparator: ","${thousands} }`,
  ]
}
