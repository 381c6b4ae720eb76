// Opens what a command needs of a lake, when it first needs it: the folder, the contracts' plans, the ports, the engine. One
// session per command; closing it closes all that was opened. DuckDB is loaded only where it is used: it takes a moment.

import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { ContractIssue } from '../contract/errors.ts'
import type { Plan } from '../contract/plan.ts'
import { readContracts } from '../contract/read.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineSettings } from '../engine/result.ts'
import { findLake, type LakeConfig, readLakeConfig } from '../lake/config.ts'
import type { Lake } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context } from '../pipeline/context.ts'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'

export type Log = Context['log']

/**
 * `publish`: works inside the lake. `preview`: with the lake's settings, and where the lake cannot be written to in the
 * system's folder for temporary files, for it changes nothing. `apart`: without a lake.
 */
export type EngineUse = 'publish' | 'preview' | 'apart'

export interface Session {
  /** The lake's folder. Throws UsageError where there is none. */
  root(): Promise<string>
  config(): Promise<LakeConfig>
  contracts(): Promise<{ plans: Map<string, Plan>; warnings: ContractIssue[]; files: string[] }>
  lake(): Promise<Lake>
  engine(use?: EngineUse): Promise<Engine>
  context(): Promise<Context>
  /** Called once for each receipt that this process writes. Set it before the lake is opened. */
  onReceipt?: (receipt: Receipt) => void
  log: Log
  close(): Promise<void>
}

export function openSession(io: Io, options: { lake?: string }, log: Log): Session {
  const closers: (() => Promise<void>)[] = []
  const once = <T>(make: () => Promise<T>): (() => Promise<T>) => {
    let made: Promise<T> | undefined
    return () => {
      made ??= make()
      return made
    }
  }

  const root = once(() => lakeFolder(io, options.lake))
  const config = once(async () => readLakeConfig(await root()))
  const contracts = once(async () => {
    const folder = (await config()).contracts
    const read = await readContracts(folder)
    if (read.plans.size === 0) {
      throw new UsageError(
        `There is no contract in ${folder}, so no dataset. Draft one from a sample file: weir infer <file> > ${join(folder, 'my_dataset.yaml')}`,
      )
    }
    return read
  })
  const lake = once(async () => {
    const { memoryBytes, threads, durable, landing } = await config()
    const { openLocalLake } = await import('../lake/local/lake.ts')
    const opened = await openLocalLake(await root(), {
      memoryBytes,
      threads,
      durable,
      keepVersions: landing.keepVersions,
      log,
      onNotify: (receipt) => session.onReceipt?.(receipt),
    })
    closers.push(() => opened.close())
    return opened
  })

  let engine: Promise<Engine> | undefined
  const lakeScratch = async (use: EngineUse): Promise<string | undefined> => {
    if (use === 'apart') return undefined
    try {
      const { scratch } = await lake()
      await mkdir(scratch, { recursive: true })
      return scratch
    } catch (error) {
      if (use === 'publish') throw error
      return undefined
    }
  }
  const makeEngine = async (use: EngineUse): Promise<Engine> => {
    let scratch = await lakeScratch(use)
    if (scratch === undefined) {
      const folder = await mkdtemp(join(tmpdir(), 'weir-'))
      closers.push(() => rm(folder, { recursive: true, force: true }))
      scratch = folder
    }
    const { createEngine } = await import('../engine/engine.ts')
    const made = await createEngine({ ...(use === 'apart' ? {} : engineSettings(await config())), scratch })
    closers.push(() => made.close())
    return made
  }
  const getEngine = (use: EngineUse = 'publish'): Promise<Engine> => {
    engine ??= makeEngine(use)
    return engine
  }

  const session: Session = {
    root,
    config,
    contracts,
    lake,
    engine: getEngine,
    log,
    context: once(async () => {
      const { plans } = await contracts()
      const ports = await lake()
      return {
        lake: ports,
        plans,
        // Opened with the first file: a command that finds nothing to do does not wait for the engine.
        check: async (request) => (await getEngine()).check(request),
        now: () => new Date(),
        log,
      }
    }),
    async close() {
      for (const closer of closers.reverse()) await closer()
      closers.length = 0
    },
  }
  return session
}

function engineSettings({ memoryBytes, threads, limits }: LakeConfig): Partial<EngineSettings> {
  return { memoryBytes, threads, ...limits }
}

async function lakeFolder(io: Io, given: string | undefined): Promise<string> {
  if (given !== undefined) {
    const folder = resolve(io.cwd, given)
    const found = await stat(join(folder, 'weir.yaml')).catch(() => undefined)
    if (!found) {
      throw new UsageError(`${folder} is not a lake: it has no weir.yaml. To make one there: weir init ${given}`)
    }
    return folder
  }
  const found = await findLake(io.cwd)
  if (found === undefined) {
    throw new UsageError(
      `No lake here: neither ${io.cwd} nor a folder above it has a weir.yaml. Make one with "weir init my-lake", or name one with --lake <dir>.`,
    )
  }
  return found
}
