// The local adapters, held to the conformance suites. The folder's name has what a path may have: a space, a quote, brackets.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { queryEngineConformance } from './query.ts'

async function openTemporary(): Promise<Lake> {
  const root = await mkdtemp(join(tmpdir(), "weir it's [1] "))
  await createLocalLake(root)
  const lake = await openLocalLake(root)
  return {
    ...lake,
    async close() {
      await lake.close()
      await rm(root, { recursive: true, force: true })
    },
  }
}

queryEngineConformance('DuckDB on a folder', openTemporary)
