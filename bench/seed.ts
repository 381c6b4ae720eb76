// Fills a lake with the history of many earlier uploads, cheaply but validly: the real pipeline publishes each of them (head,
// receipt, partition, content index), only the engine is stood in for by one that writes the single row of each file itself.

import { createHash } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetWriteFile, type SchemaElement } from 'hyparquet-writer'
import type { CheckRequest, CheckResult } from '../lib/engine/result.ts'
import type { Context } from '../lib/pipeline/context.ts'
import { ingest } from '../lib/pipeline/ingest.ts'
import { HEADER } from './data.ts'

const AT_ONCE = 8

/** Publishes `count` uploads of one row each. */
export async function seedReceipts(context: Context, count: number): Promise<void> {
  const seeding: Context = { ...context, check: oneRow }
  let next = 0
  const worker = async () => {
    while (next < count) {
      const number = next++
      const key = `orders/orders-history-${String(number).padStart(6, '0')}.csv`
      await seeding.lake.zones.landing.put(key, `${HEADER}${row(number).join(',')}\n`)
      const receipt = await ingest(seeding, key)
      if (receipt?.outcome !== 'accepted') throw new Error(`Seeding ended with ${JSON.stringify(receipt)}`)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

function row(number: number): string[] {
  const id = 900_000_000 + number
  return [
    `${id}`,
    'C000001',
    'Ana',
    'a@example.com',
    '2024-01-01',
    '2024-01-01 00:00:00',
    'new',
    '1',
    '1.00',
    '0',
    'false',
    '',
  ]
}

const utf8 = { type: 'BYTE_ARRAY', converted_type: 'UTF8' } as const
const COLUMNS: SchemaElement[] = [
  { name: 'order_id', type: 'INT64' },
  { name: 'customer_id', ...utf8 },
  { name: 'customer_name', ...utf8 },
  { name: 'email', ...utf8 },
  { name: 'order_date', type: 'INT32', converted_type: 'DATE' },
  { name: 'created_at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
  { name: 'status', ...utf8 },
  { name: 'quantity', type: 'INT64' },
  {
    name: 'unit_price',
    type: 'FIXED_LEN_BYTE_ARRAY',
    type_length: 5,
    converted_type: 'DECIMAL',
    precision: 10,
    scale: 2,
  },
  { name: 'discount', type: 'DOUBLE' },
  { name: 'gift', type: 'BOOLEAN' },
  { name: 'comment', ...utf8 },
  { name: '_upload', ...utf8 },
]
const DAY = new Date('2024-01-01')
/** All columns between the key and the upload, as row() writes them. */
const VALUES = ['C000001', 'Ana', 'a@example.com', DAY, DAY, 'new', 1n, 1, 0, false, '']

/** The answer of the engine for a file of `row(…)`, without an engine. */
async function oneRow(request: CheckRequest): Promise<CheckResult> {
  const bytes = await readFile(request.path)
  const [id = ''] = bytes.toString().slice(HEADER.length).split(',')
  const path = join(request.outDir, 'part-0.parquet')
  await mkdir(request.outDir, { recursive: true })
  const values = [BigInt(id), ...VALUES, request.upload]
  parquetWriteFile({
    filename: path,
    schema: [{ name: 'root', num_children: COLUMNS.length }, ...COLUMNS],
    columnData: COLUMNS.map(({ name }, index) => ({ name, data: [values[index]] })),
  })
  return {
    outcome: 'accepted',
    rows: { read: 1, accepted: 1, rejected: 0 },
    violations: [],
    notEnforced: [],
    warnings: [],
    sha256: createHash('sha256').update(bytes).digest('hex'),
    size: bytes.length,
    clean: [{ path, rows: 1, bytes: (await stat(path)).size }],
    repairs: [],
    timings: {},
  }
}
