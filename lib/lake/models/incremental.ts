// The SQL of a run of an incremental model: the keys that the changed rows of its driver have or had, and the model's rows of
// just those keys. A key for which the model has no row any more comes out as gone. So the table always equals one that is
// made anew from what is there now.

import { among, name, text } from '../../sql/quote.ts'
import { relationOf, replaceTables } from '../../sql/refs.ts'
import type { Incremental, Model } from './model.ts'
import type { TestQuery } from './tests.ts'

export interface DriverChange {
  /** Primary key of the entity table; empty for one to which rows are only added. */
  driverKey: readonly string[]
  /** The version of the driver that the model's table was made from. */
  before: string | undefined
  /** The version to follow up to. Without it whatever is there when the query runs: only where nothing writes meanwhile. */
  now?: string
  /** Uploads that came to the driver and left it since `before`. */
  came: readonly string[]
  left: readonly string[]
}

export interface SqlOptions {
  /** A version of a table as a relation. */
  version?: (table: string, version: string) => string
}

const versionOf = (table: string, version: string): string => `${relationOf(table)} FOR VERSION AS OF ${text(version)}`

const AFFECTED = '_weir_affected'
const CAME = '_weir_came'
const LEFT = '_weir_left'
const keyName = (index: number): string => `_weir_k${index + 1}`

function incrementalOf(model: Model): Incremental {
  if (model.incremental) return model.incremental
  throw new Error(`The model ${model.name} is not incremental.`)
}

/**
 * A query in Athena's SQL that gives the columns of the model in their order, and `_gone`, for every key that may differ from
 * the table that was made from the version `before`: at most one row for each key, where the key is unique.
 */
export function incrementalQuery(model: Model, change: DriverChange, { version = versionOf }: SqlOptions = {}): string {
  const { driver, alias, keyExpressions } = incrementalOf(model)
  const d = name(alias)
  const now = change.now === undefined ? relationOf(driver) : version(driver, change.now)
  const before = change.before === undefined ? undefined : version(driver, change.before)
  const keys = keyExpressions.map((expression, index) => `${expression} AS ${keyName(index)}`).join(', ')
  const names = keyExpressions.map((_, index) => keyName(index))

  const withs: string[] = []
  const came = (what: string) => `SELECT ${what} FROM ${now} AS ${d} WHERE ${among(`${d}._upload`, change.came)}`
  const left = (what: string) => `SELECT ${what} FROM ${before} AS ${d} WHERE ${among(`${d}._upload`, change.left)}`
  const changed = [came(keys)]
  const hasLeft = before !== undefined && change.left.length > 0
  if (hasLeft) changed.push(left(keys))
  // A row that came may stand where another row of its key has been; and where a row left, another one may stand now.
  const key = change.driverKey.map((column, index) => `${d}.${name(column)} AS _weir_p${index + 1}`).join(', ')
  if (key !== '' && before !== undefined) {
    withs.push(`${CAME} AS (${came(key)})`)
    changed.push(`SELECT ${keys} FROM ${before} AS ${d} ${ofKeys(d, change.driverKey, CAME)}`)
  }
  if (key !== '' && hasLeft) {
    withs.push(`${LEFT} AS (${left(key)})`)
    changed.push(`SELECT ${keys} FROM ${now} AS ${d} ${ofKeys(d, change.driverKey, LEFT)}`)
  }
  const known = names.map((key) => `${key} IS NOT NULL`).join(' AND ')
  withs.push(
    `${AFFECTED} AS (SELECT DISTINCT ${names.join(', ')} FROM (${changed.join(' UNION ALL ')}) AS k WHERE ${known})`,
  )

  const match = keyExpressions.map((expression, index) => `${expression} = a.${keyName(index)}`).join(' AND ')
  const rows = restricted(model, `(SELECT ${d}.* FROM ${now} AS ${d} JOIN ${AFFECTED} AS a ON ${match})`)
  const place = new Map(model.uniqueKey.map((column, index) => [column.toLowerCase(), keyName(index)]))
  const columns = model.table.columns.map((column) => {
    const key = place.get(column.name.toLowerCase())
    return `${key === undefined ? `m.${name(column.name)}` : `a.${key}`} AS ${name(column.name)}`
  })
  const on = model.uniqueKey.map((column, index) => `a.${keyName(index)} = m.${name(column)}`).join(' AND ')
  return (
    `WITH ${withs.join(',\n')}\nSELECT ${columns.join(', ')}, m.${name(model.uniqueKey[0] ?? '')} IS NULL AS _gone\n` +
    `FROM ${AFFECTED} AS a LEFT JOIN (\n${rows}\n) AS m ON ${on}`
  )
}

/**
 * Only rows with one of some keys. By IN where that can be said: whoever runs it then holds the few changed keys and passes the
 * many rows by, and needs no estimate to see that it should.
 */
function ofKeys(d: string, key: readonly string[], keys: string): string {
  const [only, more] = key
  if (only !== undefined && more === undefined) return `WHERE ${d}.${name(only)} IN (SELECT _weir_p1 FROM ${keys})`
  return `JOIN ${keys} AS c ON ${key.map((column, index) => `${d}.${name(column)} = c._weir_p${index + 1}`).join(' AND ')}`
}

/**
 * The whole model over one version of its driver. It must be named: a later run follows the driver from just there, and what
 * a driver that moved on had given in between would stay.
 */
export const pinnedQuery = (model: Model, now: string, { version = versionOf }: SqlOptions = {}): string =>
  restricted(model, version(incrementalOf(model).driver, now))

/** The model over another relation in the place of its driver. */
function restricted(model: Model, relation: string): string {
  const driver = incrementalOf(model).driver.toLowerCase()
  return replaceTables(model.sql, (ref) => (ref.name === driver ? relation : undefined))
}

/**
 * Asks whether the model gives rows that have no key: an incremental run would not see them. Undefined where the driver's
 * columns cannot give such rows.
 */
export function nullKeyQuery(
  model: Model,
  { now, version = versionOf }: SqlOptions & { now?: string } = {},
): TestQuery | undefined {
  const { driver, alias, keyExpressions, nullable } = incrementalOf(model)
  if (!nullable) return undefined
  const d = name(alias)
  const relation = now === undefined ? relationOf(driver) : version(driver, now)
  const without = keyExpressions.map((expression) => `(${expression}) IS NULL`).join(' OR ')
  const rows = restricted(model, `(SELECT ${d}.* FROM ${relation} AS ${d} WHERE ${without})`)
  const from = `FROM (\n${rows}\n) AS m WHERE ${model.uniqueKey.map((column) => `m.${name(column)} IS NULL`).join(' OR ')}`
  return {
    test: 'not_null',
    column: model.uniqueKey.join(', '),
    severity: 'error',
    sql: `SELECT count(*) AS failures ${from}`,
    samples: `SELECT m.* ${from} LIMIT 5`,
  }
}
