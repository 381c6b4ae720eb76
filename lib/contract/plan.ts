// The plan: what a contract's schema object compiles to, and all that the engine knows of a contract.
// Plain data, and small functions that turn an SQL expression into another one. Nothing here touches a file.

import type { PartitionField } from './partition.ts'

/** How bad a broken rule is. `error` sets rows aside or refuses the file; the others are only counted on the receipt. */
export type Severity = 'error' | 'warning' | 'info'

/** A check on one column's value. `ok` gives SQL that is true or NULL when the row is fine; NULL values always pass. */
export interface ColumnCheck {
  /** Rule name on receipts: `minimum`, `pattern`, `validValues`, `format`, `maxLength` … */
  rule: string
  severity: Severity
  /** Plain words after the column's name: "must be at least 0". */
  message: string
  /** SQL boolean over the typed value and the original text (text is NULL for values that came typed). */
  ok: (value: string, text: string) => string
}

/** One column of a dataset, ready to be read from text. */
export interface PlanColumn {
  /** The contract's name, also the name in the clean table. */
  name: string
  /** Other names accepted in a file's header. */
  aliases: string[]
  /** Type in the clean table, one that Parquet and Athena share: BIGINT, DOUBLE, DECIMAL(10,2), VARCHAR, DATE, STRUCT(…) … */
  sqlType: string
  /** In words for people: "whole number", "date as dd/MM/yyyy". */
  typeInWords: string
  /** True for object and array: the text is JSON. */
  nested: boolean
  required: boolean
  description?: string
  /** True when the contract's classification is anything but public: values never appear on receipts or in messages. */
  sensitive: boolean
  classification?: string
  /** SQL of the typed value from the original text; NULL when the text cannot be read. Never raises. `text` is NULL for nulls. */
  fromText: (text: string) => string
  /**
   * SQL boolean: the text really means that typed value, without loss (scale, shape, strict format); undefined when
   * `fromText(…) IS NOT NULL` says it all. Evaluated only for non-null text.
   */
  textOk?: (value: string, text: string) => string
  /**
   * Use these instead for values that were not text in the file: columns of Parquet with a type of their own (their text
   * is what DuckDB's cast to VARCHAR gives) and numbers of JSON. The file's number style and date format do not apply
   * to them. Undefined: fromText and textOk do for both.
   */
  typed?: { fromText: (text: string) => string; textOk?: (value: string, text: string) => string }
  /** Rule name and words used when the text cannot be read as the type. */
  typeRule: { rule: string; message: string }
  checks: ColumnCheck[]
}

/** Rows must differ in these columns, among the accepted rows of one file. NULL in any of them: not compared. */
export interface KeyRule {
  rule: 'primaryKey' | 'unique' | 'duplicateValues'
  columns: string[]
  /** Plain words: "order_id must be unique in a file". */
  message: string
  severity: Severity
}

/** A rule about the accepted rows as a whole: an SQL quality rule, a library metric with a threshold, a row count. */
export interface FileRule {
  /** Rule name on receipts: the rule's own name, or the metric. */
  rule: string
  column?: string
  severity: Severity
  /** In plain words what must hold: "at most 5 % of email may be empty". */
  message: string
  /** One SELECT of DuckDB's giving one value; `{table}` stands for the accepted rows. */
  sql: string
  /** True when the rule comes from a contract's own SQL and so runs without access to files or network. */
  foreign: boolean
  /** True when the value can only be a number of rows, and so tells nothing that is in them. */
  onlyCounts?: boolean
  /** Whether the value found satisfies the rule; gets what DuckDB gave, as number, string, boolean or null. */
  holds: (value: number | string | boolean | null) => boolean
}

/** A clause of the contract that Weir does not enforce, by its path and why. */
export interface NotEnforced {
  path: string
  clause: string
  reason: string
}

export type FileFormat = 'csv' | 'tsv' | 'ndjson' | 'json' | 'parquet'
export type Encoding = 'utf-8' | 'utf-16' | 'utf-16le' | 'utf-16be' | 'latin-1'

/** What the contract says of the file; what it leaves out is detected. */
export interface FileSettings {
  format?: FileFormat
  delimiter?: string
  quote?: string
  escape?: string
  encoding?: Encoding
  header?: boolean
  /** Texts that mean "no value". Default: the empty text only. */
  nullValues: string[]
  /** Default ".". */
  decimalSeparator: '.' | ','
  /** Removed from numbers before they are read, e.g. "." in 1.234,50. */
  thousandsSeparator?: string
}

export type ExtraColumns = 'warn' | 'refuse' | 'keep'

/** The typed `weir` custom property of the design, with its defaults filled in. */
export interface WeirSettings {
  file: FileSettings
  /** Glob below landing/<dataset>/; undefined: everything. */
  match?: string
  redrop: 'replace' | 'append' | 'refuse'
  onDelete: 'keep' | 'retract'
  /** Share of rows, 0 to 1; undefined: no limit. Above it the whole upload is refused. */
  maxRejected?: number
  extraColumns: ExtraColumns
  curated: { mode: 'merge' | 'append' | 'none'; partitionBy: PartitionField[] }
}

/** One dataset: what one schema object of one contract compiles to. */
export interface Plan {
  dataset: string
  description?: string
  contract: { id: string; version: string; file: string; name?: string }
  columns: PlanColumn[]
  primaryKey: string[]
  keys: KeyRule[]
  fileRules: FileRule[]
  settings: WeirSettings
  notEnforced: NotEnforced[]
  /** The contract's support channels, as written. */
  support: { channel: string; url?: string; tool?: string }[]
  /** Changes whenever anything that decides about rows changes: same hash, same answer for the same bytes. */
  hash: string
}
