// A model: one SELECT that makes one curated table, and how it is made. Plain data.

import type { PartitionField } from '../../contract/partition.ts'
import type { TableDefinition } from '../../sql/tables.ts'

export type Materialized = 'view' | 'table' | 'incremental'

/** A number as it is written, `1.10` or `1e-7`: a JavaScript number would not have all its digits. */
export type AcceptedValue = string | boolean | { number: string }

/** What must hold for the rows of a model before readers see them. A warning is told and holds nothing back. */
export type ModelTest = {
  /** What receipts of runs call it. Default: its kind. */
  name?: string
  severity: 'error' | 'warning'
} & (
  | { kind: 'not_null' | 'unique'; columns: string[] }
  | { kind: 'accepted_values'; column: string; values: AcceptedValue[] }
  | { kind: 'relationships'; column: string; to: { table: string; column: string } }
  /** Must give no row. */
  | { kind: 'sql'; sql: string }
)

/** What the front matter of a model says, with defaults. */
export interface ModelSettings {
  description?: string
  materialized: Materialized
  uniqueKey: string[]
  partitionBy: PartitionField[]
  /** `rate(1 day)`, `cron(0 6 * * ? *)`; undefined: whenever what it reads has changed. */
  schedule?: string
  /** What columns mean, by name. */
  columns: Record<string, string>
  tests: ModelTest[]
}

/** A path in the front matter: `['tests', 0, 'column']`. */
export type SettingPath = readonly (string | number)[]

/** A model as its file says, not yet held against the tables that it reads. */
export interface ModelSource {
  /** Of its file, without .sql. */
  name: string
  /** Name in the folder of models. */
  file: string
  /** The whole file: places in its SQL are places in the file. */
  text: string
  settings: ModelSettings
  /** Where its SQL begins cannot be told. */
  isBroken: boolean
  /** Where a setting stands in the file. */
  placeOf(path: SettingPath): { line: number; column: number }
}

/** How an incremental model follows one entity table, its driver. */
export interface Incremental {
  /** `curated.orders` */
  driver: string
  /** What the model calls it: `o`. */
  alias: string
  /** For each column of the unique key: Athena's SQL over the driver under that alias, of the type of the column. */
  keyExpressions: string[]
  /** False where no row of the driver can give NULL in a key. */
  nullable: boolean
}

export interface Model {
  name: string
  file: string
  description?: string
  materialized: Materialized
  uniqueKey: string[]
  partitionBy: PartitionField[]
  schedule?: string
  /** The query in Athena's SQL, without the front matter. */
  sql: string
  /** Tables that its rows depend on, as the catalog calls them; of a view that it reads also those that the view reads. */
  reads: string[]
  /** Tables that only its tests look at: they decide about no row, and about whether a version that failed is worth another try. */
  testReads: string[]
  /** `curated.<name>` */
  table: TableDefinition
  tests: ModelTest[]
  /** Differs when anything differs that decides about the rows and how they lie. */
  hash: string
  incremental?: Incremental
}
