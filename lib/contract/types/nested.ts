// object and array columns: JSON text becomes STRUCT(…) and T[]. What is wrong inside is reported by inner path
// (`address.zip`, `items[].sku`); only text that is no JSON of the right kind makes the whole value unreadable.

import type { ColumnCheck, Severity } from '../plan.ts'
import { identifier, literal } from '../sql.ts'
import { type ColumnType, check, type TypeOptions } from './type.ts'

/** One property of an object. */
export interface Field {
  name: string
  type: ColumnType
  required: boolean
  /** Enumerations and other checks from its quality rules. */
  checks: ColumnCheck[]
}

/** A lambda variable that does not occur in the expression it ranges over, so that nested lambdas never shadow. */
const variable = (text: string): string => {
  let n = 1
  while (text.includes(`x${n}`)) n++
  return `x${n}`
}

/** JSON path of one key. Names with quotes or backslashes are refused when the contract is read. */
const keyPath = (name: string): string => literal(`$."${name}"`)
const isJson = (text: string, kind: 'OBJECT' | 'ARRAY'): string =>
  `CASE WHEN json_valid(${text}) THEN json_type(${text}) = '${kind}' ELSE false END`

/** Moves a check one level down: `ok` is then evaluated on the inner value. */
const inside = (path: string, inner: ColumnCheck, ok: ColumnCheck['ok']): ColumnCheck => {
  const at = /^at ([^ ]*): (.*)$/s.exec(inner.message)
  return { ...inner, message: `at ${path}${at ? `${at[1]}: ${at[2]}` : `: ${inner.message}`}`, ok }
}

/** The type's own condition, as a check: a text that is there must be readable. */
const readable = (type: ColumnType): ColumnCheck =>
  check(type.typeRule.rule, type.typeRule.message, (value, text) =>
    type.textOk
      ? `(${text} IS NULL OR (${value} IS NOT NULL AND ${type.textOk(value, text)}))`
      : `(${text} IS NULL OR ${value} IS NOT NULL)`,
  )

/**
 * DuckDB's JSON functions take numbers with a fraction through a double, which keeps 15 digits. A decimal must not: what
 * has more digits is refused unless it is a text. (From JSON files such numbers come as texts already.)
 */
const throughDouble = (type: ColumnType): boolean => {
  const [, precision = '0', scale = '0'] = /^DECIMAL\((\d+),(\d+)\)$/.exec(type.sqlType) ?? []
  return Number(precision) > 15 && Number(scale) > 0
}
const fewDigits = (text: string): string => `length(trim(regexp_replace(${text}, '[^0-9]', '', 'g'), '0')) <= 15`
const DIGITS_LOST = 'must have at most 15 digits to be exact as a JSON number; write it as a text in quotes'

/** Whether any text at all is a value of the type, so that there is nothing to check. */
const takesAll = (type: ColumnType): boolean => type.textOk === undefined && type.fromText('t') === 't'

const passes = (sql: string): string => `coalesce(${sql}, true)`

export const objectType = (options: TypeOptions, fields: Field[], extra: Severity): ColumnType => {
  const { minProperties, maxProperties } = options as { minProperties?: number; maxProperties?: number }
  const mandatory = new Set((options.required as string[] | undefined) ?? [])
  const childText = (text: string, field: Field): string => `json_extract_string(${text}, ${keyPath(field.name)})`
  const read = (text: string, field: Field): string => field.type.fromText(childText(text, field))
  const keys = (text: string): string => `len(list_distinct(json_keys(${text})))`
  const guarded = (text: string, sql: string): string => `CASE WHEN ${isJson(text, 'OBJECT')} THEN ${sql} ELSE true END`

  const checks: ColumnCheck[] = []
  if (minProperties !== undefined && minProperties > 0) {
    checks.push(
      check(
        'minProperties',
        `must have at least ${minProperties} ${minProperties === 1 ? 'property' : 'properties'}`,
        (_v, t) => guarded(t, `${keys(t)} >= ${minProperties}`),
      ),
    )
  }
  if (maxProperties !== undefined) {
    checks.push(
      check(
        'maxProperties',
        `must have at most ${maxProperties} ${maxProperties === 1 ? 'property' : 'properties'}`,
        (_v, t) => guarded(t, `${keys(t)} <= ${maxProperties}`),
      ),
    )
  }
  for (const name of mandatory) {
    // "Required to exist": null counts as there, unless the property itself is required.
    if (fields.some((f) => f.name === name && f.required)) continue
    checks.push(
      check('required', `at .${name}: must be present`, (_v, t) =>
        guarded(t, `list_contains(json_keys(${t}), ${literal(name)})`),
      ),
    )
  }
  for (const field of fields) {
    const path = `.${field.name}`
    if (field.required) {
      checks.push(
        check('required', `at ${path}: must not be empty`, (_v, t) => guarded(t, `${childText(t, field)} IS NOT NULL`)),
      )
    }
    if (throughDouble(field.type)) {
      checks.push(
        check('type', `at ${path}: ${DIGITS_LOST}`, (_v, t) =>
          guarded(
            t,
            `coalesce(json_type(${t}, ${keyPath(field.name)}) <> 'DOUBLE' OR ${fewDigits(childText(t, field))}, true)`,
          ),
        ),
      )
    }
    for (const inner of [
      ...(takesAll(field.type) ? [] : [readable(field.type)]),
      ...field.type.checks,
      ...field.checks,
    ]) {
      checks.push(inside(path, inner, (_v, t) => guarded(t, passes(inner.ok(read(t, field), childText(t, field))))))
    }
  }
  if (fields.length > 0) {
    // The STRUCT cannot hold what the contract does not name; that must not go unsaid.
    const names = fields.map((f) => literal(f.name)).join(', ')
    checks.push(
      check(
        'extraProperties',
        'has properties that the contract does not name, and they are left out',
        (_v, t) => {
          const x = variable(t)
          return guarded(t, `len(list_filter(json_keys(${t}), lambda ${x}: ${x} NOT IN (${names}))) = 0`)
        },
        extra,
      ),
    )
  }
  const struct = fields.map((f) => `${identifier(f.name)} ${f.type.sqlType}`).join(', ')
  // Without properties there is no STRUCT to build: the JSON text itself is kept.
  const whole = fields.length === 0 ? 'VARCHAR' : undefined
  return {
    sqlType: whole ?? `STRUCT(${struct})`,
    typeInWords: 'object',
    nested: true,
    fromText: (text) =>
      whole
        ? `CASE WHEN ${isJson(text, 'OBJECT')} THEN ${text} END`
        : `CASE WHEN ${isJson(text, 'OBJECT')} THEN struct_pack(${fields.map((f) => `${identifier(f.name)} := ${read(text, f)}`).join(', ')}) END`,
    typeRule: { rule: 'type', message: 'must be an object (JSON in braces)' },
    checks,
    constant: () => undefined,
    comparable: false,
  }
}

export const arrayType = (options: TypeOptions, item: Field | undefined): ColumnType => {
  const { minItems, maxItems, uniqueItems } = options as { minItems?: number; maxItems?: number; uniqueItems?: boolean }
  const guarded = (text: string, sql: string): string => `CASE WHEN ${isJson(text, 'ARRAY')} THEN ${sql} ELSE true END`
  const elements = (text: string): string => `json_extract_string(${text}, '$[*]')`
  const read = (text: string): string => {
    if (!item) return elements(text)
    const x = variable(text)
    return `list_transform(${elements(text)}, lambda ${x}: ${item.type.fromText(x)})`
  }
  const checks: ColumnCheck[] = []
  const count = (text: string): string => `json_array_length(${text})`
  if (minItems !== undefined && minItems > 0)
    checks.push(
      check('minItems', `must have at least ${minItems} ${minItems === 1 ? 'item' : 'items'}`, (_v, t) =>
        guarded(t, `${count(t)} >= ${minItems}`),
      ),
    )
  if (maxItems !== undefined)
    checks.push(
      check('maxItems', `must have at most ${maxItems} ${maxItems === 1 ? 'item' : 'items'}`, (_v, t) =>
        guarded(t, `${count(t)} <= ${maxItems}`),
      ),
    )
  if (uniqueItems) {
    // list_distinct leaves nulls out, so they are counted apart: two nulls are equal items.
    checks.push(
      check('uniqueItems', 'must not have the same item twice', (_v, t) =>
        guarded(
          t,
          `len(list_distinct(${read(t)})) + CAST(len(${read(t)}) > list_count(${read(t)}) AS INTEGER) = ${count(t)}`,
        ),
      ),
    )
  }
  if (item) {
    const each = (ok: (element: string) => string) => (_v: string, t: string) => {
      const x = variable(t)
      return guarded(t, `len(list_filter(${elements(t)}, lambda ${x}: NOT ${passes(ok(x))})) = 0`)
    }
    if (item.required)
      checks.push(
        check(
          'required',
          'at []: must not be empty',
          each((x) => `${x} IS NOT NULL`),
        ),
      )
    if (throughDouble(item.type)) {
      checks.push(
        check('type', `at []: ${DIGITS_LOST}`, (_v, t) => {
          const x = variable(t)
          const lost = `json_type(${x}) = 'DOUBLE' AND NOT (${fewDigits(`json_extract_string(${x}, '$')`)})`
          return guarded(t, `len(list_filter(json_extract(${t}, '$[*]'), lambda ${x}: ${lost})) = 0`)
        }),
      )
    }
    for (const inner of [...(takesAll(item.type) ? [] : [readable(item.type)]), ...item.type.checks, ...item.checks]) {
      checks.push(
        inside(
          '[]',
          inner,
          each((x) => inner.ok(item.type.fromText(x), x)),
        ),
      )
    }
  }
  return {
    sqlType: `${item?.type.sqlType ?? 'VARCHAR'}[]`,
    typeInWords: item ? `list of ${item.type.typeInWords}` : 'list',
    nested: true,
    fromText: (text) => `CASE WHEN ${isJson(text, 'ARRAY')} THEN ${read(text)} END`,
    typeRule: { rule: 'type', message: 'must be a list (JSON in square brackets)' },
    checks,
    constant: () => undefined,
    comparable: false,
  }
}
