// The tables of a lake as plain definitions, the same for every catalog: a dataset's clean table from its contract, and
// the ops tables over receipts and rejects. Types are DuckDB's; aws/types.ts says what they are called in Glue.

import type { Plan } from '../contract/plan.ts'
import type { TableDefinition } from './ports.ts'

export const tableName = (dataset: string): string => `clean.${dataset}`

/** The clean table of a dataset: the contract's columns, then what Weir adds. */
export function tableOf(plan: Pick<Plan, 'dataset' | 'description' | 'columns' | 'settings'>): TableDefinition {
  const columns = plan.columns.map(({ name, sqlType, description }) => ({
    name,
    type: sqlType,
    ...(description === undefined ? {} : { comment: description }),
  }))
  columns.push({ name: '_upload', type: 'VARCHAR', comment: 'The upload that the row came with: see its receipt.' })
  if (plan.settings.extraColumns === 'keep')
    columns.push({ name: '_extra', type: 'VARCHAR', comment: 'Columns that the contract does not know, as JSON.' })
  return {
    name: tableName(plan.dataset),
    ...(plan.description === undefined ? {} : { description: plan.description }),
    columns,
    partitionKeys: [
      { name: 'ingest_date', type: 'VARCHAR', comment: 'The day (UTC) on which the source first came.' },
      { name: 'source', type: 'VARCHAR', comment: 'The source: the end of its landing key, and a hash of it.' },
    ],
  }
}

/**
 * The entity table of a dataset, `curated.<dataset>`: what the clean table has, without its partitions; undefined where the
 * contract wants none.
 */
export function curatedTableOf(
  plan: Pick<Plan, 'dataset' | 'description' | 'columns' | 'settings'>,
): TableDefinition | undefined {
  if (plan.settings.curated.mode === 'none') return undefined
  return { ...tableOf(plan), name: `curated.${plan.dataset}`, partitionKeys: [] }
}

/** Columns of ops.receipts: the fields of a receipt (docs/receipt.md), with their names. */
export const RECEIPT_COLUMNS: Readonly<Record<string, string>> = {
  upload: 'VARCHAR',
  dataset: 'VARCHAR',
  source: 'VARCHAR',
  version: 'VARCHAR',
  size: 'BIGINT',
  sha256: 'VARCHAR',
  droppedAt: 'TIMESTAMP',
  outcome: 'VARCHAR',
  reason: 'STRUCT(code VARCHAR, message VARCHAR, advice VARCHAR)',
  rows: 'STRUCT("read" BIGINT, accepted BIGINT, rejected BIGINT)',
  violations:
    'STRUCT("rule" VARCHAR, "column" VARCHAR, severity VARCHAR, message VARCHAR, count BIGINT, ' +
    'samples STRUCT("row" BIGINT, "value" VARCHAR, message VARCHAR)[])[]',
  warnings: 'VARCHAR[]',
  contract: 'STRUCT(id VARCHAR, version VARCHAR, hash VARCHAR)',
  clean: 'STRUCT(location VARCHAR, files VARCHAR[], bytes BIGINT)',
  rejects: 'STRUCT(parquet VARCHAR, csv VARCHAR)',
  repairs: 'STRUCT(upload VARCHAR, "rows" BIGINT)[]',
  duplicateOf: 'STRUCT(source VARCHAR, upload VARCHAR)',
  replayOf: 'VARCHAR',
  timings: 'MAP(VARCHAR, DOUBLE)',
  finishedAt: 'TIMESTAMP',
  weir: 'VARCHAR',
}

/** Columns of ops.runs: the fields of a run (runs.ts), with their names. */
export const RUN_COLUMNS: Readonly<Record<string, string>> = {
  run: 'VARCHAR',
  table: 'VARCHAR',
  kind: 'VARCHAR',
  outcome: 'VARCHAR',
  scope: 'VARCHAR',
  startedAt: 'TIMESTAMP',
  finishedAt: 'TIMESTAMP',
  version: 'VARCHAR',
  rows: 'STRUCT(written BIGINT, removed BIGINT, total BIGINT)',
  uploads: 'STRUCT(came BIGINT, "left" BIGINT, names VARCHAR[])',
  inputs: 'MAP(VARCHAR, VARCHAR)',
  statements: 'STRUCT("sql" VARCHAR, milliseconds DOUBLE, bytesScanned BIGINT, cost DOUBLE, executionId VARCHAR)[]',
  bytesScanned: 'BIGINT',
  cost: 'DOUBLE',
  tests:
    'STRUCT(test VARCHAR, "column" VARCHAR, severity VARCHAR, passed BOOLEAN, failures BIGINT, samples VARCHAR[])[]',
  reason: 'STRUCT(code VARCHAR, message VARCHAR, advice VARCHAR)',
  weir: 'VARCHAR',
}

/** Columns of ops.rejects; its rows also say their dataset. */
export const REJECT_COLUMNS: Readonly<Record<string, string>> = {
  _row: 'BIGINT',
  _upload: 'VARCHAR',
  _raw: 'VARCHAR',
  cells: 'VARCHAR',
  violations: 'VARCHAR',
}
