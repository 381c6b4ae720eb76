// The tests of a model as queries over what a run has made, before readers see it.

import { exact, plainText } from '../../contract/exact.ts'
import { name, text } from '../../sql/quote.ts'
import { relationOf, replaceTables } from '../../sql/refs.ts'
import { type Type, typeOfColumn } from '../../sql/types.ts'
import type { AcceptedValue, Model, ModelTest } from './model.ts'

/** Asks how many rows break a test, and shows some. */
export interface TestQuery {
  test: string
  /** Columns that it is about. */
  column?: string
  severity: 'error' | 'warning'
  /** One bigint: rows that break it. */
  sql: string
  /** Up to five of them. */
  samples: string
}

const SAMPLES = 5

/**
 * The tests of a model, those of its unique key among them. `preview`: a relation that shows the table as it would be.
 *
 * @example
 * testQueries(model, "curated.orders_per_day FOR VERSION AS OF '…'")
 */
export function testQueries(model: Pick<Model, 'table' | 'uniqueKey' | 'tests'>, preview: string): TestQuery[] {
  return testsOf(model).map((test) => {
    const { rows, column } = breaking(model, test, preview)
    return {
      test: test.name ?? (test.kind === 'sql' ? 'sql' : test.kind),
      ...(column === undefined ? {} : { column }),
      severity: test.severity,
      sql: `SELECT ${test.kind === 'unique' ? 'coalesce(sum(_rows), 0)' : 'count(*)'} AS failures FROM (${rows}\n) AS broken`,
      samples: `SELECT * FROM (${rows}\n) AS broken LIMIT ${SAMPLES}`,
    }
  })
}

/** What the file says, and that the unique key is there and unique. */
export function testsOf({ uniqueKey, tests }: Pick<Model, 'uniqueKey' | 'tests'>): ModelTest[] {
  if (uniqueKey.length === 0) return tests
  const implied: ModelTest[] = [
    { kind: 'not_null', columns: uniqueKey, severity: 'error' },
    { kind: 'unique', columns: uniqueKey, severity: 'error' },
  ]
  const isSaid = (one: ModelTest): boolean =>
    tests.some(
      (test) =>
        test.kind === one.kind &&
        test.severity === 'error' &&
        'columns' in test &&
        'columns' in one &&
        sameSet(test.columns, one.columns),
    )
  return [...implied.filter((one) => !isSaid(one)), ...tests]
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  [...a].sort().join().toLowerCase() === [...b].sort().join().toLowerCase()

function breaking(
  { table }: Pick<Model, 'table'>,
  test: ModelTest,
  preview: string,
): { rows: string; column?: string } {
  const m = `${preview} AS m`
  switch (test.kind) {
    case 'not_null': {
      const missing = test.columns.map((column) => `m.${name(column)} IS NULL`).join(' OR ')
      return { rows: `SELECT m.* FROM ${m} WHERE ${missing}`, column: test.columns.join(', ') }
    }
    case 'unique': {
      // As in contracts: rows without a value in one of the columns are not compared.
      const columns = test.columns.map((column) => `m.${name(column)}`)
      const there = columns.map((column) => `${column} IS NOT NULL`).join(' AND ')
      return {
        rows: `SELECT ${columns.join(', ')}, count(*) AS _rows FROM ${m} WHERE ${there} GROUP BY ${columns.join(', ')} HAVING count(*) > 1`,
        column: test.columns.join(', '),
      }
    }
    case 'accepted_values': {
      const column = table.columns.find((one) => one.name.toLowerCase() === test.column.toLowerCase())
      const type = typeOfColumn(column?.type ?? 'VARCHAR')
      const list = test.values.map((value) => literalOf(value, type)).join(', ')
      return { rows: `SELECT m.* FROM ${m} WHERE m.${name(test.column)} NOT IN (${list})`, column: test.column }
    }
    case 'relationships': {
      const [from, to] = [`m.${name(test.column)}`, name(test.to.column)]
      return {
        rows:
          `SELECT m.* FROM ${m} LEFT JOIN (SELECT DISTINCT ${to} AS _weir_to FROM ${relationOf(test.to.table)}) AS r ` +
          `ON ${from} = r._weir_to WHERE ${from} IS NOT NULL AND r._weir_to IS NULL`,
        column: test.column,
      }
    }
    case 'sql':
      return {
        rows: `\n${replaceTables(withoutEnd(test.sql), (ref) => (ref.name === table.name ? preview : undefined))}`,
      }
  }
}

const withoutEnd = (sql: string): string => sql.replace(/[;\s]+$/, '')

/** A value of the front matter as one of that type; what does not fit is found when the query is checked. */
function literalOf(value: AcceptedValue, type: Type): string {
  if (typeof value === 'boolean') return String(value)
  if (typeof value === 'object') return type.of === 'varchar' ? text(value.number) : numberOf(value.number, type)
  if (type.of === 'date' || type.of === 'timestamp') return `${type.of.toUpperCase()} ${text(value)}`
  return text(value)
}

/** With an exponent a literal is a double, and so it has none where the column is not: 1e-7 is not just what it says. */
function numberOf(written: string, type: Type): string {
  if (type.of === 'double') return Number(written).toExponential()
  if (type.of === 'real') return `CAST(${Number(written).toExponential()} AS real)`
  const number = exact(written)
  if (!number) return written
  const plain = plainText(number)
  return number.scale > 0 || BigInt.asIntN(64, number.units) === number.units
    ? plain
    : `CAST(${text(plain)} AS decimal(38,0))`
}
