// string and boolean columns.

import type { DatasetReport } from '../errors.ts'
import { STRING_FORMATS } from '../formats.ts'
import { PatternError, readPattern } from '../pattern.ts'
import type { ColumnCheck } from '../plan.ts'
import { literal } from '../sql.ts'
import { type ColumnType, check, type Place, type TypeOptions } from './type.ts'

const characters = (n: number): string => `${n} character${n === 1 ? '' : 's'}`

/** SQL for "the text matches the pattern somewhere", or undefined after reporting why the pattern cannot be used. */
export const patternSql = (
  pattern: string,
  path: Place['path'],
  report: DatasetReport,
): ((value: string) => string) | undefined => {
  try {
    const { re2, anchored } = readPattern(pattern)
    if (!anchored) {
      report.warn(
        path,
        'The pattern is not anchored, so it may match anywhere in the text. Write ^…$ to match the whole text.',
        {
          found: pattern,
        },
      )
    }
    return (value) => `regexp_matches(${value}, ${literal(re2)})`
  } catch (cause) {
    if (!(cause instanceof PatternError)) throw cause
    report.error(path, `The pattern cannot be used: ${cause.message}.`, { found: pattern })
    return undefined
  }
}

export const stringType = (
  options: TypeOptions,
  at: Place,
  report: DatasetReport,
  physicalLength?: number,
): ColumnType => {
  const { minLength, maxLength, pattern, format } = options as {
    minLength?: number
    maxLength?: number
    pattern?: string
    format?: string
  }
  const checks: ColumnCheck[] = []
  const most = maxLength === undefined ? physicalLength : Math.min(maxLength, physicalLength ?? maxLength)
  if (minLength !== undefined && most !== undefined && minLength > most) {
    report.error([...at.options, 'minLength'], `minLength is larger than maxLength (${most}); no text can be both.`, {
      found: minLength,
      allowed: `0 to ${most}`,
    })
  }
  if (minLength !== undefined && minLength > 0) {
    checks.push(
      check('minLength', `must have at least ${characters(minLength)}`, (v) => `length(${v}) >= ${minLength}`),
    )
  }
  if (most !== undefined)
    checks.push(check('maxLength', `must have at most ${characters(most)}`, (v) => `length(${v}) <= ${most}`))
  if (pattern !== undefined) {
    const matches = patternSql(pattern, [...at.options, 'pattern'], report)
    if (matches) checks.push(check('pattern', `must match the pattern ${pattern}`, matches))
  }
  if (format !== undefined) {
    const known = Object.hasOwn(STRING_FORMATS, format) ? STRING_FORMATS[format] : undefined
    if (known) checks.push(check('format', known.message, known.ok))
    else {
      report.warn([...at.options, 'format'], 'This string format is not enforced.', {
        found: format,
        allowed: Object.keys(STRING_FORMATS).join(', '),
      })
      report.skip(
        [...at.options, 'format'],
        `format: ${format}`,
        `no check for this string format; enforced are ${Object.keys(STRING_FORMATS).join(', ')}`,
      )
    }
  }
  return {
    sqlType: 'VARCHAR',
    typeInWords: 'text',
    nested: false,
    fromText: (text) => text,
    typeRule: { rule: 'type', message: 'must be text' },
    checks,
    constant: (value) =>
      typeof value === 'string'
        ? literal(value)
        : typeof value === 'number' || typeof value === 'boolean'
          ? literal(String(value))
          : undefined,
    comparable: true,
  }
}

export const booleanType = (): ColumnType => ({
  sqlType: 'BOOLEAN',
  typeInWords: 'yes or no',
  nested: false,
  // The cast takes true/false, t/f, yes/no, y/n, 1/0 in any case and nothing else; a test holds it to that.
  fromText: (text) => `coalesce(TRY_CAST(${text} AS BOOLEAN), TRY_CAST(trim(${text}) AS BOOLEAN))`,
  typeRule: { rule: 'type', message: 'must be true or false (also t/f, yes/no, y/n, 1/0)' },
  checks: [],
  constant: (value) => {
    if (typeof value === 'boolean') return value ? 'true' : 'false'
    const text = String(value).toLowerCase()
    if (/^(?:true|t|yes|y|1)$/.test(text)) return 'true'
    return /^(?:false|f|no|n|0)$/.test(text) ? 'false' : undefined
  },
  comparable: true,
})
