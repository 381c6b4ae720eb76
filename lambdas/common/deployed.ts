// Opens the lake that a function was deployed with: its names from the environment, its settings and contracts from the
// files beside the bundle. All of it once per process, when the first event comes; clients and engine are kept for the
// next one. What reads files (DuckDB) is loaded with the first file.

import type { Plan } from '../../lib/contract/plan.ts'
import type { Engine } from '../../lib/engine/engine.ts'
import type { EngineSettings } from '../../lib/engine/result.ts'
import { type Deployed, deployedSchema } from '../../lib/lake/aws/deployed.ts'
import type { AwsLakeOptions } from '../../lib/lake/aws/lake.ts'
import type { LakeConfig } from '../../lib/lake/config.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import { scratchFolder } from './scratch.ts'

const MB = 1024 ** 2
/** What Node, its buffers and the SDK need beside the engine. */
const HEADROOM = 448 * MB
/** Lambda gives one CPU for each of these MB. */
const MB_PER_CPU = 1769

/** The function's environment is not that of a deployed lake. */
export class NotDeployed extends Error {
  override name = 'NotDeployed'
}

/** The names of the lake that this function belongs to. Throws NotDeployed. */
export function deployedFromEnvironment(env: NodeJS.ProcessEnv = process.env): Deployed {
  const text = env.WEIR_DEPLOYED
  if (text === undefined)
    throw new NotDeployed('WEIR_DEPLOYED is not set: the stacks set it. Deploy again: npx cdk deploy --all')
  try {
    return deployedSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw new NotDeployed('WEIR_DEPLOYED does not name a lake that this version knows. Deploy again.', { cause })
  }
}

/** What the engine may use of the function: its memory but for our own, the CPUs that come with it, and /tmp. */
export function engineSettings(
  config: Pick<LakeConfig, 'memoryBytes' | 'limits' | 'aws'>,
  env: NodeJS.ProcessEnv = process.env,
): Omit<EngineSettings, 'scratch'> {
  const megabytes = Number(env.AWS_LAMBDA_FUNCTION_MEMORY_SIZE)
  const known = Number.isFinite(megabytes) && megabytes > 0
  const { maxExpandedBytes, maxExpansion, maxRecordBytes, maxRuleSeconds } = config.limits
  return {
    memoryBytes: known ? Math.max(megabytes * MB - HEADROOM, (megabytes * MB) / 3) : config.memoryBytes,
    threads: known ? Math.max(1, Math.ceil(megabytes / MB_PER_CPU)) : 1,
    // The file as dropped and its Parquet lie there too. A file beyond it is refused with this limit, and fills no disk.
    maxExpandedBytes: Math.min(maxExpandedBytes, (config.aws.lambda.ephemeralStorageMB * MB) / 2),
    maxExpansion,
    maxRecordBytes,
    maxRuleSeconds,
  }
}

/** Everything but what watches it: the handlers add the log. */
export type Opened = Omit<Context, 'log' | 'onReceipt'> & { deployed: Deployed }

/** Opens the lake of this function; `folder` holds weir.yaml and contracts/. */
export async function openDeployed(
  folder: string = import.meta.dirname,
  { workgroup }: Pick<AwsLakeOptions, 'workgroup'> = {},
): Promise<Opened> {
  const deployed = deployedFromEnvironment()
  const scratch = await scratchFolder(deployed.environment)
  const options = { scratch, ...(workgroup ? { workgroup } : {}) }
  const [config, lake] = await Promise.all([readConfig(folder), openLake(deployed, options)])
  const plans = await readPlans(config.contracts)
  let engine: Promise<Engine> | undefined
  const open = async (): Promise<Engine> => {
    const { createEngine } = await import('../../lib/engine/engine.ts')
    return createEngine({ ...engineSettings(config), scratch })
  }
  return {
    deployed,
    lake,
    plans,
    check: async (request) => {
      engine ??= open()
      // Should it not open this time, the next file tries again.
      engine.catch(() => {
        engine = undefined
      })
      return (await engine).check(request)
    },
    now: () => new Date(),
    limits: { maxObjectBytes: deployed.maxObjectBytes },
    pages: true,
  }
}

export async function readConfig(folder: string): Promise<LakeConfig> {
  const { readLakeConfig } = await import('../../lib/lake/config.ts')
  return readLakeConfig(folder)
}

async function readPlans(folder: string): Promise<ReadonlyMap<string, Plan>> {
  const { openPlans } = await import('./plans.ts')
  return openPlans(folder)
}

async function openLake(deployed: Deployed, options: AwsLakeOptions): Promise<Lake> {
  const { openAwsLake } = await import('../../lib/lake/aws/lake.ts')
  return openAwsLake(deployed, options)
}

/** Runs once, and again only after it failed. */
export function once<T>(run: () => Promise<T>): () => Promise<T> {
  let running: Promise<T> | undefined
  return () => {
    running ??= run().catch((error: unknown) => {
      running = undefined
      throw error
    })
    return running
  }
}
