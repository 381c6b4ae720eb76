// Opens what a command needs of a lake, when it first needs it: the folder or the deployment, the contracts' plans, the ports,
// the engine. One session per command; closing it closes all that was opened. DuckDB and the AWS SDK are loaded only where
// they are used: each takes a moment.

import { mkdir, mkdtemp, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { type Contracts, readContracts } from '../contract/read.ts'
import type { Engine } from '../engine/engine.ts'
import type { EngineSettings } from '../engine/result.ts'
import { type Deployed, ENVIRONMENT } from '../lake/aws/deployed.ts'
import { CONFIG_FILE, findLake, type LakeConfig, parseLakeConfig, readLakeConfig } from '../lake/config.ts'
import { ModelError } from '../lake/models/issues.ts'
import type { Model, ModelSource } from '../lake/models/model.ts'
import type { Lake } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context } from '../pipeline/context.ts'
import type { CurateContext } from '../pipeline/curate/context.ts'
import { UsageError } from './errors.ts'
import type { Io } from './io.ts'

export type Log = Context['log']

/**
 * `publish`: works inside the lake. `preview`: with the lake's settings, and where the lake cannot be written to in the
 * system's folder for temporary files, for it changes nothing. `apart`: without a lake.
 */
export type EngineUse = 'publish' | 'preview' | 'apart'

export interface ModelFile {
  name: string
  text: string
}

export interface Session {
  /** The folder of a lake in a folder. Throws UsageError where there is none, and for a deployed lake. */
  root(): Promise<string>
  /** The deployed lake that is meant; undefined for one in a folder. */
  deployed(): Promise<Deployed | undefined>
  /** The settings; for a deployed lake those of the folder around, if its weir.yaml is about that lake, else the defaults. */
  config(): Promise<LakeConfig>
  /** The contracts that hold: of the folder, or those that are deployed. */
  contracts(): Promise<Contracts & { version?: string; models?: readonly ModelFile[] }>
  /** The folder of contracts that people write, also beside a deployed lake. Throws UsageError where there is none. */
  contractsFolder(): Promise<string>
  lake(): Promise<Lake>
  engine(use?: EngineUse): Promise<Engine>
  context(): Promise<Context>
  /** What the use cases of curated tables get. Where models are wrong it has the others, and `problem` says what is wrong. */
  curating(): Promise<{ context: CurateContext; problem?: ModelError }>
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

  const place = once(() => findPlace(io, options.lake))
  const root = once(async () => {
    const { folder, environment } = await place()
    if (environment !== undefined || folder === undefined)
      throw new UsageError(`aws:${environment} is a deployed lake; this works on a lake in a folder only.`)
    return folder
  })
  const config = once(async () => (await place()).config)
  const deployed = once(async () => {
    const { environment, config } = await place()
    if (environment === undefined) return undefined
    const { readDeployed } = await import('../lake/aws/read-deployed.ts')
    return readDeployed(environment, config.aws.region === undefined ? {} : { region: config.aws.region })
  })
  const contractsFolder = once(async () => {
    const { folder, environment, config } = await place()
    if (folder !== undefined) return config.contracts
    // As for a deployment: a folder may do without a weir.yaml, and then all defaults hold.
    const here = await stat(config.contracts).catch(() => undefined)
    if (here?.isDirectory()) return config.contracts
    throw new UsageError(
      `The contracts that people write lie in a folder, and ${io.cwd} has neither a ${CONFIG_FILE}, here or above, nor contracts. Go to the folder that aws:${environment} is deployed from.`,
    )
  })
  const contracts = once(async (): Promise<Contracts & { version?: string; models?: readonly ModelFile[] }> => {
    const names = await deployed()
    if (names) return (await import('./deployed.ts')).readDeployedContracts(names)
    const folder = await contractsFolder()
    const read = await readContracts(folder)
    if (read.plans.size === 0) {
      throw new UsageError(
        `There is no contract in ${folder}, so no dataset. Draft one from a sample file: weir infer <file> > ${join(folder, 'my_dataset.yaml')}`,
      )
    }
    return read
  })
  const lake = once(async () => {
    const names = await deployed()
    const opened = names ? await openDeployed(names) : await openFolder()
    closers.push(() => opened.close())
    return opened
  })
  const openFolder = async (): Promise<Lake> => {
    const { memoryBytes, threads, durable, landing } = await config()
    const { openLocalLake } = await import('../lake/local/lake.ts')
    return openLocalLake(await root(), {
      memoryBytes,
      threads,
      durable,
      keepVersions: landing.keepVersions,
      log,
      onNotify: (receipt) => session.onReceipt?.(receipt),
    })
  }
  const openDeployed = async (names: Deployed): Promise<Lake> => {
    const { openAwsLake } = await import('../lake/aws/lake.ts')
    const opened = await openAwsLake(names, { log })
    const { notifier } = opened
    const notify: Lake['notifier']['notify'] = (receipt, dataset) => {
      session.onReceipt?.(receipt)
      return notifier.notify(receipt, dataset)
    }
    return Object.create(opened, { notifier: { value: { notify } } }) as Lake
  }

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

  /** The models that hold, as their files say: of the folder, or those that are deployed. */
  const modelSources = async (): Promise<{ models: ModelSource[]; errors: ModelError['issues'] }> => {
    const { parseModels, readModels } = await import('../lake/models/read.ts')
    if (await deployed()) return parseModels((await contracts()).models ?? [])
    return readModels((await config()).models)
  }
  const models = once(async (): Promise<Models> => {
    const [{ plans }, sources] = [await contracts(), await modelSources()]
    if (sources.models.length + sources.errors.length === 0) return { models: [] }
    const { checkModels } = await import('../lake/models/check.ts')
    const { tablesOfLake } = await import('../lake/models/known.ts')
    const tables = tablesOfLake(plans.values())
    const checked = checkModels(sources.models, tables)
    const errors = [...sources.errors, ...checked.errors]
    if (errors.length === 0) return { models: checked.models }
    // A file whose front matter is wrong is no model, and nothing can follow it.
    const wrong = new Set(sources.errors.map(({ file }) => file))
    const whole = sources.models.filter(({ file }) => !wrong.has(file))
    const made = checkModels(whole, tables).models
    const { leftOutOf } = await import('../pipeline/curate/left-out.ts')
    const modelsUnread = errors.some(({ file }) => !/\.sql$/i.test(file))
    return {
      models: made,
      problem: new ModelError(errors),
      broken: { leftOut: leftOutOf(sources.models, made, errors), modelsUnread },
    }
  })

  const session: Session = {
    root,
    deployed,
    config,
    contracts,
    contractsFolder,
    lake,
    engine: getEngine,
    log,
    context: once(async () => {
      const { plans } = await contracts()
      const ports = await lake()
      const { maxObjectBytes } = (await config()).limits
      return {
        lake: ports,
        ...(maxObjectBytes === undefined ? {} : { limits: { maxObjectBytes } }),
        plans,
        // Opened with the first file: a command that finds nothing to do does not wait for the engine.
        check: async (request) => (await getEngine()).check(request),
        now: () => new Date(),
        log,
      }
    }),
    curating: async () => {
      const found = await models()
      const { plans } = await contracts()
      const context: CurateContext = {
        lake: await lake(),
        plans,
        models: found.models,
        ...found.broken,
        now: () => new Date(),
        log,
        keepVersions: (await config()).curated.keepVersions,
      }
      return found.problem ? { context, problem: found.problem } : { context }
    },
    async close() {
      for (const closer of closers.reverse()) await closer()
      closers.length = 0
    },
  }
  return session
}

function engineSettings({ memoryBytes, threads, limits }: LakeConfig): Partial<EngineSettings> {
  const { maxObjectBytes: _whole, ...engine } = limits
  return { memoryBytes, threads, ...engine }
}

/** The models that can be made, and what is known of the others. */
interface Models {
  models: Model[]
  problem?: ModelError
  broken?: Pick<CurateContext, 'leftOut' | 'modelsUnread'>
}

/** What `--lake` and the folders around mean: a folder, a deployed lake, or a folder whose weir.yaml names a deployed lake. */
interface Place {
  /** The folder with the weir.yaml, where there is one. */
  folder?: string
  /** Of a deployed lake. */
  environment?: string
  config: LakeConfig
}

async function findPlace(io: Io, given: string | undefined): Promise<Place> {
  if (given?.startsWith('aws:')) return deployedPlace(io, given.slice('aws:'.length))
  const folder = await lakeFolder(io, given)
  const config = await readLakeConfig(folder)
  return { folder, config, ...(config.target === 'aws' ? { environment: config.environment } : {}) }
}

async function deployedPlace(io: Io, environment: string): Promise<Place> {
  if (!ENVIRONMENT.test(environment)) {
    throw new UsageError(
      `--lake aws:${environment} names no environment. Give the one of the deployment, like aws:weir; for a folder of that name: --lake ./aws:${environment}`,
    )
  }
  const folder = await findLake(io.cwd)
  const config = folder === undefined ? undefined : await readLakeConfig(folder)
  if (folder !== undefined && config?.environment === environment) return { folder, environment, config }
  // The settings of another lake (its region above all) do not hold here; its contracts may still be what is to be deployed.
  const defaults = parseLakeConfig('', join(io.cwd, CONFIG_FILE))
  if (folder === undefined || config === undefined) return { environment, config: defaults }
  return { folder, environment, config: { ...defaults, contracts: config.contracts, models: config.models } }
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
