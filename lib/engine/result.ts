// What the engine answers about one file: the facts of a receipt, before anything is published.

import type { NotEnforced, Plan, Severity } from '../contract/plan.ts'

export interface EngineSettings {
  /** Bytes that DuckDB and the readers may use together. Default 1 GB. */
  memoryBytes: number
  threads: number
  /** Folder for temporary files; emptied by the engine after each file. */
  scratch: string
  /** A compressed file may expand to at most this many bytes … */
  maxExpandedBytes: number
  /** … and to at most this many times its compressed size (checked above 64 MB expanded). */
  maxExpansion: number
  /** Longest record in bytes; a longer one means that the file is not what it says. */
  maxRecordBytes: number
  /** Longest time that one SQL rule of a contract may take: one that recurses without end must not hold up the lake. */
  maxRuleSeconds: number
}

/** Why a whole file is refused. The code is stable and documented; the message is for people. */
export interface Reason {
  code: string
  message: string
  /** What to do next, in one sentence. */
  advice?: string
}

/** All breaches of one rule on one column. */
export interface ViolationGroup {
  rule: string
  column?: string
  severity: Severity
  message: string
  count: number
  /** Up to ten; `value` is left out for columns that are not public. */
  samples: { row?: number; value?: string; message?: string }[]
}

/** How the file was read, and whether the contract said so or the engine found out. */
export interface Reading {
  format: 'csv' | 'tsv' | 'ndjson' | 'json' | 'parquet'
  compression: 'none' | 'gzip' | 'zstd'
  encoding?: string
  delimiter?: string
  quote?: string
  escape?: string
  header?: boolean
  /** Names of the settings above that the contract left open. */
  detected: string[]
  /** Columns of the file that the contract does not know. */
  extraColumns: string[]
  /** Columns of the contract that the file does not have (not required, so read as null). */
  missingColumns: string[]
}

export interface CheckRequest {
  /** The file, on a local disk. */
  path: string
  /** Its name as dropped: extension and messages come from it. */
  fileName: string
  plan: Plan
  /** Upload id, written to `_upload` of every clean row. */
  upload: string
  /** Where part files and rejects go; the caller owns the folder and removes it. */
  outDir: string
  onProgress?: (done: { bytes: number; total: number; phase: string }) => void
  signal?: AbortSignal
}

export interface CheckResult {
  outcome: 'accepted' | 'accepted_with_rejects' | 'refused'
  reason?: Reason
  /** read = accepted + rejected. A file refused for its content: accepted 0, rejected = read. */
  rows: { read: number; accepted: number; rejected: number }
  violations: ViolationGroup[]
  reading?: Reading
  notEnforced: NotEnforced[]
  /** Things the uploader should know that broke no rule. */
  warnings: string[]
  /** SHA-256 of the file as dropped, lower-case hex. */
  sha256: string
  size: number
  /** Part files below outDir with the good rows; empty when refused. */
  clean: { path: string; rows: number; bytes: number }[]
  /** Rejected rows below outDir: Parquet to query, CSV to repair. Also for a file refused because of its rows. */
  rejects?: { parquet: string; csv: string; rows: number }
  /** Rows of earlier uploads that this file's accepted rows repair (a repair file carries `_upload` and `_row`). */
  repairs: { upload: string; rows: number[] }[]
  /** Milliseconds by phase. */
  timings: Record<string, number>
}

/** Rows of rejects.parquet: one per rejected row. */
export interface RejectRow {
  _row: number
  _upload: string
  /** Original text of the record where it could not be split into the columns. */
  _raw: string | null
  /** Original texts by column of the contract or the file. */
  cells: Record<string, string | null>
  violations: { rule: string; column: string | null; value: string | null; message: string }[]
}
