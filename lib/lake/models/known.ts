// The tables that models can read besides each other: what the contracts make, and the operations tables.

import type { Plan } from '../../contract/plan.ts'
import type { TableDefinition } from '../../sql/tables.ts'
import { curatedTableOf, RECEIPT_COLUMNS, REJECT_COLUMNS, RUN_COLUMNS, tableOf } from '../tables.ts'

export interface KnownTable extends TableDefinition {
  /** Of entity tables: which columns tell rows apart (none: rows add up), and which are NULL in no row. */
  entity?: { key: string[]; filled: string[] }
}

const opsTable = (name: string, columns: Readonly<Record<string, string>>): KnownTable => ({
  name: `ops.${name}`,
  columns: Object.entries(columns).map(([name, type]) => ({ name, type })),
  partitionKeys: [],
})

/** The tables of a lake with these contracts, without its models. */
export function tablesOfLake(plans: Iterable<Plan>): KnownTable[] {
  const found: KnownTable[] = []
  for (const plan of plans) {
    found.push(tableOf(plan))
    const entity = curatedTableOf(plan)
    if (!entity) continue
    const key = plan.settings.curated.mode === 'merge' ? plan.primaryKey : []
    // Not what the contract requires: that binds the files of today, and rows of older ones stay or come back.
    found.push({ ...entity, entity: { key, filled: [...key, '_upload'] } })
  }
  return [
    ...found,
    opsTable('receipts', RECEIPT_COLUMNS),
    opsTable('rejects', { dataset: 'VARCHAR', ...REJECT_COLUMNS }),
    opsTable('runs', RUN_COLUMNS),
  ]
}
