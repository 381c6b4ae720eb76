// The receipt: the one final outcome of an upload. This schema is its definition; docs/receipt.schema.json is made from it.

import { z } from 'zod'

export const RECEIPT_FORMAT = 'weir.receipt/1'

export const OUTCOMES = [
  'accepted',
  'accepted_with_rejects',
  'refused',
  'duplicate',
  'superseded',
  'retracted',
] as const
export type Outcome = (typeof OUTCOMES)[number]

const sample = z.object({
  row: z.int().optional().describe('Row as a spreadsheet shows it: the header is row 1.'),
  value: z.string().optional().describe('Original text; left out for columns that are not public.'),
  message: z.string().optional(),
})

const violation = z.object({
  rule: z.string(),
  column: z.string().optional(),
  severity: z.enum(['error', 'warning', 'info']),
  message: z.string(),
  count: z.int().nonnegative(),
  samples: z.array(sample).max(10),
})

export const receiptSchema = z.object({
  format: z.literal(RECEIPT_FORMAT),
  upload: z.string().describe('Id of the upload: one version of one source.'),
  dataset: z.string(),
  source: z.string().describe('Landing key.'),
  version: z.string().describe('Version of the landing object.'),
  size: z.int().nonnegative().describe('Bytes as dropped.'),
  sha256: z.string().optional().describe('Of the bytes as dropped; absent when they were never read.'),
  droppedAt: z.iso.datetime(),
  contract: z.object({ id: z.string(), version: z.string(), hash: z.string() }),
  outcome: z.enum(OUTCOMES),
  reason: z
    .object({ code: z.string(), message: z.string(), advice: z.string().optional() })
    .optional()
    .describe('Why, for every outcome but accepted.'),
  rows: z.object({
    read: z.int().nonnegative(),
    accepted: z.int().nonnegative(),
    rejected: z.int().nonnegative(),
  }),
  violations: z.array(violation),
  warnings: z.array(z.string()),
  reading: z
    .object({
      format: z.enum(['csv', 'tsv', 'ndjson', 'json', 'parquet']),
      compression: z.enum(['none', 'gzip', 'zstd']),
      encoding: z.string().optional(),
      delimiter: z.string().optional(),
      quote: z.string().optional(),
      escape: z.string().optional(),
      header: z.boolean().optional(),
      detected: z.array(z.string()),
      extraColumns: z.array(z.string()),
      missingColumns: z.array(z.string()),
    })
    .optional()
    .describe('How the file was read; absent when it was not.'),
  notEnforced: z.array(z.object({ path: z.string(), clause: z.string(), reason: z.string() })),
  clean: z
    .object({ location: z.string(), files: z.array(z.string()), bytes: z.int() })
    .optional()
    .describe('Keys in the clean zone.'),
  rejects: z.object({ parquet: z.string(), csv: z.string() }).optional().describe('Keys in the ops zone.'),
  repairs: z
    .array(z.object({ upload: z.string(), rows: z.int() }))
    .describe('Earlier uploads whose rejects this one repairs.'),
  duplicateOf: z.object({ source: z.string(), upload: z.string() }).optional(),
  replayOf: z
    .string()
    .optional()
    .describe(
      'Set by weir replay, and where a version came back: the upload of the same version whose decision this receipt replaces.',
    ),
  timings: z.record(z.string(), z.number()).describe('Milliseconds by phase.'),
  finishedAt: z.iso.datetime(),
  weir: z.string().describe('Version of Weir.'),
})

export type Receipt = z.infer<typeof receiptSchema>
