// What every type of a contract compiles to, scalar or nested, before it becomes a column of the plan.

import type { Path } from '../errors.ts'
import type { ColumnCheck, PlanColumn, Severity } from '../plan.ts'

export interface ColumnType
  extends Pick<PlanColumn, 'sqlType' | 'typeInWords' | 'nested' | 'fromText' | 'textOk' | 'typed' | 'typeRule'> {
  checks: ColumnCheck[]
  /** SQL constant for a value of the contract (validValues); undefined when it is no value of this type. */
  constant: (value: unknown) => string | undefined
  /** Whether rows can be compared by it: keys and duplicates. */
  comparable: boolean
}

/** How numbers are written in the dataset's files. */
export interface NumberStyle {
  decimalSeparator: '.' | ','
  thousandsSeparator?: string
}

export const PLAIN_NUMBERS: NumberStyle = { decimalSeparator: '.' }

export type TypeOptions = Record<string, unknown>

export const check = (
  rule: string,
  message: string,
  ok: ColumnCheck['ok'],
  severity: Severity = 'error',
): ColumnCheck => ({
  rule,
  severity,
  message,
  ok,
})

/** Where a type stands in the contract, for messages. */
export interface Place {
  path: Path
  /** Path of logicalTypeOptions. */
  options: Path
}

export const place = (path: Path): Place => ({ path, options: [...path, 'logicalTypeOptions'] })
