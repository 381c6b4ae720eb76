// A lake for the benchmark, opened with the same functions as the command line does.

import { copyFile, mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { readContractFile } from '../lib/contract/read.ts'
import { createEngine } from '../lib/engine/engine.ts'
import type { EngineSettings } from '../lib/engine/result.ts'
import { createLocalLake, openLocalLake } from '../lib/lake/local/lake.ts'
import type { Context } from '../lib/pipeline/context.ts'

const CONTRACT = fileURLToPath(new URL('./orders.odcs.yaml', import.meta.url))

export interface OpenLake {
  root: string
  context: Context
  close(): Promise<void>
}

/** Opens the lake in a folder, or a new one there. */
export async function openBenchLake(root: string, settings: Partial<EngineSettings> = {}): Promise<OpenLake> {
  await createLocalLake(root)
  await copyFile(CONTRACT, join(root, 'contracts', 'orders.odcs.yaml'))
  const { plans } = await readContractFile(CONTRACT)
  const lake = await openLocalLake(root)
  const engine = await createEngine({ ...settings, scratch: lake.scratch })
  const context: Context = {
    lake,
    plans,
    check: (request) => engine.check(request),
    now: () => new Date(),
    log: () => {},
  }
  return {
    root,
    context,
    close: async () => {
      await engine.close()
      await lake.close()
    },
  }
}

/** A fresh, empty folder for one lake below the benchmark's own folder. */
export async function freshFolder(path: string): Promise<string> {
  await rm(path, { recursive: true, force: true })
  await mkdir(path, { recursive: true })
  return path
}
