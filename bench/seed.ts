// Fills a lake with the history of many earlier uploads, cheaply but validly: the real pipeline publishes each of them (head,
// receipt, partition, content index), only the engine is stood in for by one that writes the single row of each file itself.

import { createHash } from 'node:crypto'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { parquetWriteFile } from 'hyparquet-writer'
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
      const key = `orders/history/${String(number).padStart(6, '0')}.csv`
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

/** The answer of the engine for a file of `row(…)`, without an engine. */
async function oneRow(request: CheckRequest): Promise<CheckResult> {
  const bytes = await readFile(request.path)
  const [id = ''] = bytes.toString().slice(HEADER.length).split(',')
  const text = { type: 'STRING' } as const
  const path = join(request.outDir, 'part-0.parquet')
  await mkdir(request.outDir, { recursive: true })
  parquetWriteFile({
    filename: path,
    columnData: [
      { name: 'order_id', data: [BigInt(id)], type: 'INT64' },
      { name: 'customer_id', data: ['C000001'], ...text },
      { name: 'customer_name', data: ['Ana'], ...text },
      { name: 'email', data: ['a@example.com'], ...text },
      { name: 'order_date', data: [new Date('2024-01-01')] },
      { name: 'created_at', data: [new Date('2024-01-01')] },
      { name: 'status', data: ['new'], ...text },
      { name: 'quantity', data: [1n], type: 'INT64' },
      { name: 'unit_price', data: [1] },
      { name: 'discount', data: [0], type: 'DOUBLE' },
      { name: 'gift', data: [false], type: 'BOOLEAN' },
      { name: 'comment', data: [''], ...text },
      { name: '_upload', data: [request.upload], ...text },
    ],
    schema: [
      { name: 'root', num_children: 13 },
      { name: 'order_id', type: 'INT64' },
      ...utf8('customer_id', 'customer_name', 'email'),
      { name: 'order_date', type: 'INT32', converted_type: 'DATE' },
      { name: 'created_at', type: 'INT64', converted_type: 'TIMESTAMP_MILLIS' },
      ...utf8('status'),
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
      ...utf8('comment', '_upload'),
    ],
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

function utf8(...names: string[]) {
  return names.map((name) => ({ name, type: 'BYTE_ARRAY', converted_type: 'UTF8' }) as const)
}
