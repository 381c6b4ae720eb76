// How a file was read, for its receipt: what the contract said of it and what was found out.

import type { FoundDialect } from './dialect.ts'
import type { Opened } from './open.ts'
import type { Reading } from './result.ts'

/** What is known of the columns; nothing where no contract was asked. */
export interface ColumnsRead {
  extra: readonly { name: string }[]
  missing: string[]
}

/** The reading of an opened file; `dialect` for CSV and TSV. */
export function readingOf(opened: Opened, columns?: ColumnsRead, dialect?: FoundDialect): Reading {
  return {
    format: opened.format,
    compression: opened.compression,
    ...(opened.format === 'parquet' ? {} : { encoding: opened.encoding ?? 'utf-8' }),
    ...(dialect && {
      delimiter: dialect.delimiter,
      quote: dialect.quote,
      escape: dialect.escape,
      header: dialect.header,
    }),
    detected: [...opened.detected, ...(dialect?.detected ?? [])],
    extraColumns: columns?.extra.map(({ name }) => name) ?? [],
    missingColumns: columns?.missing ?? [],
  }
}
