// Receipts for the tests of the renderers: whole and valid, with what a test changes.

import { RECEIPT_FORMAT, type Receipt, receiptSchema } from '../../lib/lake/receipt.ts'

export function makeReceipt(change: Partial<Receipt> = {}): Receipt {
  return receiptSchema.parse({
    format: RECEIPT_FORMAT,
    upload: '20261122T120102Z-0123456789ab',
    dataset: 'orders',
    source: 'orders/orders_2026-10.csv',
    version: 'v1',
    size: 48_213,
    sha256: 'a'.repeat(64),
    droppedAt: '2026-11-22T12:01:02.000Z',
    contract: { id: 'shop-orders', version: '1.2.0', hash: 'b'.repeat(64) },
    outcome: 'accepted',
    rows: { read: 1204, accepted: 1204, rejected: 0 },
    violations: [],
    warnings: [],
    reading: {
      format: 'csv',
      compression: 'none',
      encoding: 'utf-8',
      delimiter: ';',
      quote: '"',
      header: true,
      detected: ['delimiter'],
      extraColumns: [],
      missingColumns: [],
    },
    notEnforced: [],
    repairs: [],
    timings: { check: 250, total: 300 },
    finishedAt: '2026-11-22T12:01:03.000Z',
    weir: '0.1.0',
    ...change,
  })
}

/** 1,200 of 1,204 rows accepted; row 17 breaks two rules. */
export function withRejects(change: Partial<Receipt> = {}): Receipt {
  return makeReceipt({
    outcome: 'accepted_with_rejects',
    reason: { code: 'rows_rejected', message: '4 of 1204 rows break a rule.' },
    rows: { read: 1204, accepted: 1200, rejected: 4 },
    violations: [
      {
        rule: 'minimum',
        column: 'quantity',
        severity: 'error',
        message: 'quantity must be at least 1',
        count: 3,
        samples: [
          { row: 17, value: '0' },
          { row: 44, value: '-1' },
          { row: 1001, value: '-7' },
        ],
      },
      {
        rule: 'type',
        column: 'order_date',
        severity: 'error',
        message: 'order_date must be a date as dd/MM/yyyy',
        count: 2,
        samples: [
          { row: 17, value: '2026-13-01' },
          { row: 90, value: '' },
        ],
      },
    ],
    rejects: { parquet: 'rejects/x/rejects.parquet', csv: 'rejects/x/repair.csv' },
    ...change,
  })
}
