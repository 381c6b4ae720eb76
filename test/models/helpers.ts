// Tables and models for the tests of models, and how a check's findings read.

import { checkModels } from '../../lib/lake/models/check.ts'
import { modelIssueText } from '../../lib/lake/models/issues.ts'
import type { KnownTable } from '../../lib/lake/models/known.ts'
import type { Model } from '../../lib/lake/models/model.ts'
import { parseModels } from '../../lib/lake/models/read.ts'

const COLUMNS: KnownTable['columns'] = [
  { name: 'id', type: 'INTEGER' },
  { name: 'shop', type: 'VARCHAR' },
  { name: 'day', type: 'DATE' },
  { name: 'amount', type: 'DECIMAL(10,2)' },
  { name: 'units', type: 'INTEGER' },
  { name: '_upload', type: 'VARCHAR' },
]
const table = (name: string, entity?: KnownTable['entity'], columns = COLUMNS): KnownTable => ({
  name,
  columns,
  partitionKeys: [],
  ...(entity ? { entity } : {}),
})

const SHOPS: KnownTable['columns'] = [
  { name: 'shop', type: 'VARCHAR' },
  { name: 'city', type: 'VARCHAR' },
  { name: 'size', type: 'SMALLINT' },
  { name: 'rate', type: 'DOUBLE' },
  { name: '_upload', type: 'VARCHAR' },
]

export const TABLES: KnownTable[] = [
  {
    ...table('clean.orders'),
    partitionKeys: [
      { name: 'ingest_date', type: 'VARCHAR' },
      { name: 'source', type: 'VARCHAR' },
    ],
  },
  table('clean.returns'),
  table('curated.orders', { key: ['id'], filled: ['id', 'day', '_upload'] }),
  table('curated.events', { key: [], filled: ['id', 'day', '_upload'] }),
  table('curated.shops', { key: ['shop'], filled: ['shop', '_upload'] }, SHOPS),
  table('ops.receipts', undefined, [{ name: 'upload', type: 'VARCHAR' }]),
]

/** Checks models by name and text; issues come as lines, front matter's first. */
export function check(files: Record<string, string>, tables = TABLES) {
  const read = parseModels(Object.entries(files).map(([name, text]) => ({ name: `${name}.sql`, text })))
  const checked = checkModels(read.models, tables)
  return {
    models: checked.models,
    errors: [...read.errors, ...checked.errors].map(modelIssueText),
    warnings: checked.warnings.map(modelIssueText),
  }
}

/** A file with that front matter, one setting a line, and that SQL. */
export const file = (settings: string, sql: string): string => `/*---\ndescription: A test.\n${settings}\n---*/\n${sql}`

/** The only model, which has to be without errors. */
export function modelOf(settings: string, sql: string, name = 'm'): Model {
  const { models, errors } = check({ [name]: file(settings, sql) })
  const [model] = models
  if (!model || errors.length > 0) throw new Error(`The model is refused:\n${errors.join('\n')}`)
  return model
}
