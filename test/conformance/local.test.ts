// The local adapters, held to the conformance suites. The folder's name has what a path may have: a space, a quote, brackets.

import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createLocalLake, type LocalLakeOptions, openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { catalogConformance, notifierConformance } from './catalog.ts'
import { embeddedConformance, queryEngineConformance } from './query.ts'
import { objectStoreConformance } from './store.ts'
import { curatedTablesConformance } from './tables.ts'

async function openTemporary(options?: LocalLakeOptions): Promise<{ lake: Lake; root: string }> {
  const root = await mkdtemp(join(tmpdir(), "weir it's [1] "))
  await createLocalLake(root)
  const opened = await openLocalLake(root, options)
  const lake: Lake = {
    ...opened,
    async close() {
      await opened.close()
      await rm(root, { recursive: true, force: true })
    },
  }
  return { lake, root }
}

const open = async () => (await openTemporary()).lake

objectStoreConformance('folder', open)
catalogConformance('SQLite in a folder', open)
queryEngineConformance('DuckDB on a folder', open)
embeddedConformance('on a folder', open)
curatedTablesConformance('Parquet in a folder', open)

notifierConformance('lines in a file', async () => {
  const { lake, root } = await openTemporary()
  const heard = async () => {
    const lines = (await readFile(join(root, '.weir', 'notifications.ndjson'), 'utf8')).trimEnd().split('\n')
    return lines.map((line) => String(JSON.parse(line).upload))
  }
  return { lake, heard }
})

notifierConformance('callback', async () => {
  const uploads: string[] = []
  const { lake } = await openTemporary({ onNotify: (receipt) => uploads.push(receipt.upload) })
  return { lake, heard: async () => uploads }
})
