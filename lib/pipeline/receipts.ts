// Drafts receipts: from what was decided about an upload to the document that the uploader gets.

import type { Plan } from '../contract/plan.ts'
import type { CheckResult, Reason } from '../engine/result.ts'
import type { Head } from '../lake/heads.ts'
import { retractionId } from '../lake/keys.ts'
import type { ObjectInfo } from '../lake/ports.ts'
import { type Outcome, RECEIPT_FORMAT, type Receipt } from '../lake/receipt.ts'
import { formatBytes, formatCount } from '../lake/render/format.ts'
import { WEIR_VERSION } from '../version.ts'
import { hintsOf } from './hints.ts'

export interface Facts {
  plan: Plan
  key: string
  info: ObjectInfo
  upload: string
  outcome: Outcome
  at: Date
  timings: Record<string, number>
  reason?: Reason
  sha256?: string
  /** What the engine found; absent when the file was not read, or its rows do not matter. */
  result?: CheckResult
  clean?: Receipt['clean']
  rejects?: Receipt['rejects']
  repairs?: Receipt['repairs']
  warnings?: string[]
  duplicateOf?: Receipt['duplicateOf']
  replayOf?: Receipt['replayOf']
}

const NO_ROWS = { read: 0, accepted: 0, rejected: 0 }

export function receiptOf(facts: Facts): Receipt {
  const { plan, result, info } = facts
  const reason = facts.reason ?? result?.reason ?? rejectsReason(facts)
  const sha256 = facts.sha256 ?? result?.sha256
  return {
    format: RECEIPT_FORMAT,
    upload: facts.upload,
    dataset: plan.dataset,
    source: facts.key,
    version: info.version,
    size: info.size,
    ...(sha256 === undefined ? {} : { sha256 }),
    droppedAt: info.modified.toISOString(),
    contract: { id: plan.contract.id, version: plan.contract.version, hash: plan.hash },
    outcome: facts.outcome,
    ...(reason ? { reason } : {}),
    rows: result ? { ...result.rows } : NO_ROWS,
    violations: result?.violations ?? [],
    warnings: [...(result?.warnings ?? []), ...(result ? hintsOf(plan, result) : []), ...(facts.warnings ?? [])],
    ...(result?.reading ? { reading: result.reading } : {}),
    notEnforced: plan.notEnforced.map(({ path, clause, reason: why }) => ({ path, clause, reason: why })),
    ...(facts.clean ? { clean: facts.clean } : {}),
    ...(facts.rejects ? { rejects: facts.rejects } : {}),
    repairs: facts.repairs ?? [],
    ...(facts.duplicateOf ? { duplicateOf: facts.duplicateOf } : {}),
    ...(facts.replayOf === undefined ? {} : { replayOf: facts.replayOf }),
    timings: { ...result?.timings, ...facts.timings },
    finishedAt: facts.at.toISOString(),
    weir: WEIR_VERSION,
  }
}

/** The receipt of taking a source out of the lake. */
export function retractionReceipt(plan: Plan, head: Head, at: Date, reason: Reason): Receipt {
  const last = head.contributions.at(-1)
  const info = { key: head.source, size: last?.size ?? 0, etag: '', version: head.version ?? '', modified: at }
  const upload = retractionId(head.source, head.sequence, at)
  const facts = { plan, key: head.source, info, upload, outcome: 'retracted' as const, at, timings: {}, reason }
  return receiptOf(last ? { ...facts, sha256: last.sha256 } : facts)
}

/** Plain figures: what is wrong with the rows is in the violations. */
function rejectsReason({ outcome, result }: Facts): Reason | undefined {
  if (outcome !== 'accepted_with_rejects' || !result) return undefined
  const { read, rejected } = result.rows
  return {
    code: 'rows_rejected',
    message: `${rejected} of ${read} rows break a rule of the contract and were set aside; the others are in the lake.`,
    advice: 'Mend the rows in the repair file and drop it.',
  }
}

/** Exact, because a file may be larger than a limit that looks the same when rounded. */
const sizeInWords = (bytes: number): string =>
  bytes < 1000 ? formatBytes(bytes) : `${formatBytes(bytes)} (${formatCount(bytes)} bytes)`

export const REASONS = {
  noMatch: (plan: Plan, key: string): Reason => ({
    code: 'no_match',
    message: `The name ${key.slice(key.indexOf('/') + 1)} does not fit ${plan.settings.match}, which the contract of ${plan.dataset} asks for.`,
    advice: `Rename the file so that it fits ${plan.settings.match}, or move it to the dataset that it belongs to.`,
  }),
  tooLarge: (key: string, size: number, limit: number): Reason => ({
    code: 'too_large',
    message: `${key} has ${sizeInWords(size)}; this lake takes files of up to ${sizeInWords(limit)}. It was not read, and stays in landing.`,
    advice: `Compress it (gzip, zstd) or split it into several files and drop those. Or have the limit raised (limits.maxObjectBytes in weir.yaml, or aws.maxObjectSize for a deployed lake) and the file replayed: weir replay --source ${key}`,
  }),
  redropRefused: (key: string, upload: string): Reason => ({
    code: 'redrop_refused',
    message: `${key} is already in the lake (upload ${upload}) and its contract takes no other version of a file (redrop: refuse).`,
    advice: 'Drop the new data under another name, or retract the file first.',
  }),
  repairedUploadReplayed: (repaired: string, by: string, hasRejects: boolean): Reason => ({
    code: 'repaired_upload_replayed',
    message: `It repairs rows of upload ${repaired}, whose file was checked again: upload ${by} gives its rows now, and repaired ones might count twice. Nothing of it was taken in.`,
    advice: hasRejects
      ? `Mend the rows that upload ${by} still rejects, and drop those: weir rejects ${by} --out repair.csv`
      : `Nothing to do: upload ${by} rejects no row.`,
  }),
  sameBytes: (key: string, holder: { source: string; upload: string }): Reason => ({
    code: 'same_bytes',
    message:
      holder.source === key
        ? `These very bytes are already in the lake from upload ${holder.upload} of the same file; nothing changed.`
        : `These very bytes are already in the lake from ${holder.source} (upload ${holder.upload}); their rows are not counted twice.`,
    advice: 'Nothing to do, unless this was meant to be another file.',
  }),
  superseded: (key: string, by: string): Reason => ({
    code: 'newer_version',
    message: `A newer version of ${key} came before this one was published (upload ${by}).`,
    advice: 'See the receipt of the newer version.',
  }),
  gone: (key: string): Reason => ({
    code: 'gone',
    message: `${key} was deleted from landing before it was published.`,
    advice: 'Drop it again if that was not intended.',
  }),
  retractedByHand: (key: string): Reason => ({
    code: 'retracted',
    message: `${key} was taken out of the lake on request; its rows are no longer in the clean table.`,
    advice: 'Drop a new version to bring it back.',
  }),
  deleted: (key: string): Reason => ({
    code: 'deleted',
    message: `${key} was deleted from landing, and its contract says onDelete: retract; its rows are no longer in the clean table.`,
    advice: 'Drop it again if that was not intended.',
  }),
} as const
