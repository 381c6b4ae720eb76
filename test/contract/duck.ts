// Runs a plan's SQL over texts in the real DuckDB, as the engine would: the value, and what the row breaks.

import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type { Plan, PlanColumn } from '../../lib/contract/plan.ts'
import { parseContract } from '../../lib/contract/read.ts'
import { literal } from '../../lib/contract/sql.ts'

let connection: Promise<DuckDBConnection> | undefined
export const connect = (): Promise<DuckDBConnection> => {
  connection ??= DuckDBInstance.create(':memory:').then(async (instance) => {
    const c = await instance.connect()
    // Nothing may depend on the session's zone.
    await c.run("SET TimeZone = 'America/New_York'")
    return c
  })
  return connection
}

export const query = async (sql: string): Promise<unknown[][]> =>
  (await (await connect()).runAndReadAll(sql)).getRowsJson()

export interface Verdict {
  /** The value as text; null when there is none. */
  value: string | null
  /** Names of broken rules, the type rule included. */
  broken: string[]
  messages: string[]
}

/** Checks many texts against one column. */
export const judge = async (column: PlanColumn, texts: readonly string[], typed = false): Promise<Verdict[]> => {
  const { fromText, textOk } = typed && column.typed ? column.typed : column
  const typeOk = `(v IS NOT NULL${textOk ? ` AND coalesce(${textOk('v', 't')}, true)` : ''})`
  const checks = column.checks.map((c, i) => `coalesce(${c.ok('v', 't')}, true) AS c${i}`)
  const rows = texts.map((text, i) => `(${i}, ${literal(text)})`).join(', ')
  const sql = `SELECT CAST(v AS VARCHAR), ${[`${typeOk} AS ok`, ...checks].join(', ')} FROM (SELECT i, t, ${fromText('t')} AS v FROM (VALUES ${rows}) x(i, t)) ORDER BY i`
  return (await query(sql)).map(([value, ok, ...results]) => {
    const failed = column.checks.filter((_, i) => results[i] === false)
    return ok === false
      ? { value: null, broken: [column.typeRule.rule], messages: [column.typeRule.message] }
      : { value: value as string | null, broken: failed.map((c) => c.rule), messages: failed.map((c) => c.message) }
  })
}

/** A contract with one dataset `t`; `properties` is YAML, indented by two spaces at least. */
export const contractOf = (properties: string, extra = ''): string =>
  `apiVersion: v3.1.0\nkind: DataContract\nid: test\nversion: "1"\nstatus: active\nschema:\n- name: t\n${extra}  properties:\n${properties}\n`

export const planOf = (properties: string, extra = ''): Plan => {
  const plan = parseContract(contractOf(properties, extra)).plans.get('t')
  if (!plan) throw new Error('the contract has no dataset t')
  return plan
}

/** The one column of a contract with one property, given as flow YAML: `logicalType: integer`. */
export const columnOf = (keys: string, extra = ''): PlanColumn => {
  const [column] = planOf(`  - {name: c, ${keys}}`, extra).columns
  if (!column) throw new Error('no column')
  return column
}
