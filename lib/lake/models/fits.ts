// Which types a table can hold, and which values a column of a type can have: what is in the way, in words.

import { exact, plainText } from '../../contract/exact.ts'
import { athenaName, isNumber, type Type } from '../../sql/types.ts'
import type { AcceptedValue } from './model.ts'

/** What is in the way of keeping values of a type in an Iceberg table; undefined: nothing. */
export function unstorable(type: Type): string | undefined {
  switch (type.of) {
    case 'tinyint':
    case 'smallint':
      return 'Iceberg has no such type: write CAST(x AS integer).'
    case 'unknown':
      return 'NULL alone has no type: write CAST(NULL AS varchar), or the type that is meant.'
    case 'instant':
      return 'Tables hold timestamps without a time zone, in UTC: write CAST(x AS timestamp).'
    case 'json':
      return 'Take values out with json_extract_scalar(json, path), or write json_format(…).'
    case 'months':
    case 'span':
      return 'A table cannot hold it: count days or hours with date_diff.'
    case 'foreign':
      return 'A table cannot hold it: cast it to a type of Athena.'
    case 'array':
      return unstorable(type.item)
    case 'map':
      return unstorable(type.key) ?? unstorable(type.value)
    case 'row': {
      if (type.fields.some(({ name }) => name === undefined || !/^[a-z_][a-z0-9_]*$/.test(name)))
        return 'Its fields need names in small letters: write CAST(ROW(…) AS ROW(name type, …)).'
      return type.fields.map((field) => unstorable(field.type)).find((wrong) => wrong !== undefined)
    }
    default:
      return undefined
  }
}

/** Why a column of that type can have no such value, the type first; undefined: it may, as far as can be seen here. */
export function misfit(value: AcceptedValue, type: Type): string | undefined {
  const isText = typeof value === 'string'
  const name = athenaName(type)
  if (typeof value === 'boolean')
    return type.of === 'boolean'
      ? undefined
      : `${name}, and ${value} is none${type.of === 'varchar' ? `: write "${value}", in quotes` : ''}`
  if (type.of === 'varchar') return undefined
  if (type.of === 'boolean') return `${name}: its values are true and false, without quotes`
  if (type.of === 'date' || type.of === 'timestamp')
    return isText
      ? undefined
      : `${name}, and ${value.number} is a number: write "2026-01-31${type.of === 'date' ? '' : ' 12:30:00'}"`
  if (!isNumber(type)) return `${name}, whose values cannot be listed: write a test with sql`
  if (isText) return `${name}, and ${JSON.stringify(value)} is a text: write numbers, without quotes`
  const number = exact(value.number)
  if (type.of === 'double' || type.of === 'real' || !number) return undefined
  const digits = plainText(number).replace(/^-?0?\.?|\./g, '').length
  return digits > 38 ? `${name}, and ${value.number} has more than 38 digits` : undefined
}
