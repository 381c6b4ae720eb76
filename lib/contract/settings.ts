// The `weir` custom property: what ODCS has no place for. It is ours, so an unknown key in it is an error.

import { z } from 'zod'
import type { WeirSettings } from './plan.ts'

const oneCharacter = z.string().refine((s) => [...s].length === 1, 'must be exactly one character')

const file = z.strictObject({
  format: z.enum(['csv', 'tsv', 'ndjson', 'json', 'parquet']).optional(),
  delimiter: oneCharacter.refine((s) => s !== '\n' && s !== '\r', 'must not be a line break').optional(),
  quote: z.union([z.literal(''), oneCharacter], 'must be one character, or empty for no quoting').optional(),
  escape: z.union([z.literal(''), oneCharacter], 'must be one character, or empty for none').optional(),
  encoding: z
    .string()
    .transform(
      (s) =>
        ({ utf8: 'utf-8', utf16: 'utf-16', latin1: 'latin-1', 'iso-8859-1': 'latin-1' })[s.toLowerCase()] ??
        s.toLowerCase(),
    )
    .pipe(z.enum(['utf-8', 'utf-16', 'utf-16le', 'utf-16be', 'latin-1']))
    .optional(),
  header: z.boolean().optional(),
  nullValues: z
    .array(z.union([z.string(), z.null()], 'must be a text; quote it'))
    .transform((list) => list.map((v) => v ?? ''))
    .default(['']),
  decimalSeparator: z.enum(['.', ',']).default('.'),
  thousandsSeparator: oneCharacter.refine((s) => !/[0-9+-]/.test(s), 'must not be a digit or a sign').optional(),
})

const share = z.union([z.number(), z.string()], 'must be a share such as 10% or 0.1').transform((value, context) => {
  const text = String(value).trim()
  const percent = /^(\d+(?:\.\d+)?) ?%$/.exec(text)
  const number = percent ? Number(percent[1]) / 100 : /^\d+(?:\.\d+)?$/.test(text) ? Number(text) : Number.NaN
  if (number >= 0 && number <= 1) return number
  context.addIssue({ code: 'custom', message: 'must be a share of the rows, from 0% to 100% (or 0 to 1)' })
  return z.NEVER
})

export const weirSettings = z.strictObject({
  file: file.prefault({}),
  match: z
    .string()
    .min(1)
    .refine(
      (s) => !s.startsWith('/') && !s.split('/').includes('..'),
      'must be a path pattern below landing/<dataset>/, without a leading / and without ..',
    )
    .optional(),
  redrop: z.enum(['replace', 'append', 'refuse']).default('replace'),
  onDelete: z.enum(['keep', 'retract']).default('keep'),
  maxRejected: share.optional(),
  extraColumns: z.enum(['warn', 'refuse', 'keep']).default('warn'),
  curated: z
    .strictObject({
      mode: z.enum(['merge', 'append', 'none']).optional(),
      partitionBy: z.array(z.string().min(1)).default([]),
    })
    .prefault({}),
}) satisfies z.ZodType<Omit<WeirSettings, 'curated'>>

/** `weir` on a property: other header names of the column. */
export const columnSettings = z.strictObject({ aliases: z.array(z.string().min(1)).default([]) })
