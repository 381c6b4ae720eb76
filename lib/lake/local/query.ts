// SQL over a local lake, by DuckDB in process.

import { QueryError } from '../errors.ts'
import type { Catalog, QueryEngine } from '../ports.ts'

export interface LocalQuerySettings {
  folders: { clean: string; curated: string; ops: string }
  catalog: Catalog
  memoryBytes: number
  threads: number
  scratch: () => string
}

export function openLocalQueries(_settings: LocalQuerySettings): QueryEngine & { close(): Promise<void> } {
  return {
    query: async () => {
      throw new QueryError('Queries follow in the next commit.')
    },
    close: async () => {},
  }
}
