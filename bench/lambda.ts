// The baseline: the Lambda that teams write today. csv-parse as a stream, a zod schema per row, a JavaScript Parquet writer,
// rejected rows with their first reason as JSON lines. Written as well as such code usually is: it streams, keeps one row group
// in memory, and handles back-pressure. It does less than Weir: no key check, no row numbers as a spreadsheet shows them, no
// exact decimals, no receipt, no publishing.

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { parse } from 'csv-parse'
import type { SchemaElement } from 'hyparquet-writer'
import { fileWriter, ParquetWriter } from 'hyparquet-writer'
import { z } from 'zod'

const order = z.object({
  order_id: z.coerce.number().int(),
  customer_id: z.string().regex(/^C[0-9]{6}$/),
  customer_name: z.string().min(1).max(80),
  email: z.string().min(1),
  order_date: z.iso.date().transform((text) => new Date(text)),
  created_at: z
    .string()
    .regex(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/)
    .transform((text) => new Date(`${text.replace(' ', 'T')}Z`)),
  status: z.enum(['new', 'paid', 'shipped', 'returned', 'cancelled']),
  quantity: z.coerce.number().int().min(1).max(1000),
  unit_price: z.coerce.number().min(0),
  discount: z.coerce.number().min(0).max(1),
  gift: z.enum(['true', 'false']).transform((text) => text === 'true'),
  comment: z.string(),
})
type Order = z.infer<typeof order>
const names = Object.keys(order.shape) as (keyof Order)[]

const utf8 = { type: 'BYTE_ARRAY', converted_type: 'UTF8', repetition_type: 'OPTIONAL' } as const
const plain = (type: SchemaElement['type']) => ({ type, repetition_type: 'OPTIONAL' }) as const
const elements: Record<keyof Order, Omit<SchemaElement, 'name'>> = {
  order_id: plain('INT32'),
  customer_id: utf8,
  customer_name: utf8,
  email: utf8,
  order_date: { type: 'INT32', converted_type: 'DATE', repetition_type: 'OPTIONAL' },
  created_at: { type: 'INT64', converted_type: 'TIMESTAMP_MILLIS', repetition_type: 'OPTIONAL' },
  status: utf8,
  quantity: plain('INT32'),
  unit_price: plain('DOUBLE'),
  discount: plain('DOUBLE'),
  gift: plain('BOOLEAN'),
  comment: utf8,
}
const schema: SchemaElement[] = [
  { name: 'root', num_children: names.length },
  ...names.map((name) => ({ name, ...elements[name] })),
]

const ROW_GROUP = 100_000

/** Ingests a CSV file as a hand-made Lambda would; returns how many rows it took and how many it set aside. */
export async function handMadeLambda(
  csv: string,
  parquet: string,
  rejects: string,
): Promise<{ accepted: number; rejected: number }> {
  const writer = new ParquetWriter({ writer: fileWriter(parquet), schema })
  const rejected = createWriteStream(rejects)
  let batch: Order[] = []
  const counts = { accepted: 0, rejected: 0 }

  const flush = async () => {
    if (batch.length === 0) return
    await writer.write({
      columnData: names.map((name) => ({ name, data: batch.map((row) => row[name]) })),
      rowGroupSize: ROW_GROUP,
    })
    batch = []
  }

  const parser = createReadStream(csv, { highWaterMark: 1024 * 1024 }).pipe(parse({ columns: true, bom: true }))
  for await (const record of parser) {
    const result = order.safeParse(record)
    if (result.success) {
      counts.accepted++
      batch.push(result.data)
      if (batch.length === ROW_GROUP) await flush()
    } else {
      counts.rejected++
      if (!rejected.write(`${JSON.stringify({ record, error: result.error.issues[0]?.message })}\n`))
        await once(rejected, 'drain')
    }
  }
  await flush()
  await writer.finish()
  rejected.end()
  await once(rejected, 'close')
  return counts
}
