// Checks a file as ingest would, and publishes nothing: the answer has the shape of the receipt that a drop would give.

import { mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context, RunOptions } from './context.ts'
import { fitsMatch } from './datasets.ts'
import { REASONS, receiptOf } from './receipts.ts'

/** The upload id of a preview: there is no upload. */
export const PREVIEW = 'preview'

export interface CheckFile {
  path: string
  /** The file as the user named it, for messages and as the receipt's source. */
  shownAs?: string
  plan: Plan
  /** The landing key that it would have: held against the contract's `match`, as ingest does. Without it any name will do. */
  key?: string
  /** It repairs an upload of the dataset, so it may have any name. */
  isRepair?: boolean
}

/**
 * What the receipt would be. Rules that need the lake (duplicates, redrop, superseded) are not looked at: the same bytes may be
 * there already.
 */
export async function checkFile(
  { check, now }: Pick<Context, 'check' | 'now'>,
  { path, shownAs = path, plan, key, isRepair = false }: CheckFile,
  options: RunOptions = {},
): Promise<Receipt> {
  const outDir = await mkdtemp(join(tmpdir(), 'weir-check-'))
  const started = performance.now()
  try {
    const { mtime, size } = await stat(path)
    if (key !== undefined && !isRepair && !fitsMatch(plan, key)) {
      return receiptOf({
        plan,
        key: shownAs,
        info: { key: shownAs, size, etag: PREVIEW, version: PREVIEW, modified: mtime },
        upload: PREVIEW,
        outcome: 'refused',
        reason: REASONS.noMatch(plan, key),
        at: now(),
        timings: { total: Math.round(performance.now() - started) },
      })
    }
    const result = await check({
      path,
      fileName: basename(path),
      plan,
      upload: PREVIEW,
      outDir,
      onProgress: options.onProgress,
      signal: options.signal,
    })
    const { read, rejected } = result.rows
    return receiptOf({
      plan,
      key: shownAs,
      info: { key: shownAs, size: result.size, etag: PREVIEW, version: PREVIEW, modified: mtime },
      upload: PREVIEW,
      outcome: result.outcome,
      at: now(),
      timings: { total: Math.round(performance.now() - started) },
      result,
      ...(result.outcome === 'accepted_with_rejects'
        ? {
            reason: {
              code: 'rows_rejected',
              message: `${rejected} of ${read} rows break a rule of the contract and would be set aside.`,
            },
          }
        : {}),
      repairs: result.repairs.map(({ upload, rows }) => ({ upload, rows: new Set(rows).size })),
    })
  } finally {
    await rm(outDir, { recursive: true, force: true })
  }
}
