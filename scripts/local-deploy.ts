// `npm run local:deploy`: the real CDK app, deployed onto the emulator that `npm run local:up` started (or the one that
// AWS_ENDPOINT_URL points at). The lake is that of the folder it is called in, or of --lake <folder>; its weir.yaml is
// copied with what only an emulator needs: functions for this machine's processor, few of them at a time, and curated tables
// that wait for a second only. Its contracts and models stay where they are.
//
//   node scripts/local-deploy.ts [--lake <folder>]

import { spawn } from 'node:child_process'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AthenaClient, CreateWorkGroupCommand, GetWorkGroupCommand } from '@aws-sdk/client-athena'
import { parseDocument } from 'yaml'
import type { Deployed } from '../lib/lake/aws/deployed.ts'
import { codeOf } from '../lib/lake/aws/errors.ts'
import { readDeployed } from '../lib/lake/aws/read-deployed.ts'
import { CONFIG_FILE, parseLakeConfig } from '../lib/lake/config.ts'
import { alone, clientEnv, DEFAULT_PORT, EmulatorFailed, exitCodeOf } from './emulator.ts'

const ROOT = fileURLToPath(new URL('..', import.meta.url))
const CDK = join(ROOT, 'node_modules/aws-cdk/bin/cdk')
/** Who looks at one machine waits for what comes next, not for what might come besides. */
const CURATE = { delaySeconds: 1 }
/** What one machine can carry; and a message whose function died comes again after six times its seconds, not hours. */
const FUNCTIONS = { maximumConcurrency: 4, memoryMB: 1024, timeoutSeconds: 60 }

export interface LocalDeployOptions {
  /** The lake's folder. */
  lake: string
  /** Endpoint, region and credentials: of startEmulator(), or clientEnv(). */
  env: Record<string, string>
  /** Where the copied weir.yaml and the synthesised stacks go. Default: below .emulator/ */
  work?: string
  /** Called with what the CDK says. Default: this process's output. */
  log?: (text: string) => void
}

/**
 * Bootstraps the emulator and deploys a lake onto it; again after a change. Gives the names of what was deployed.
 *
 * @example
 * const emulator = await startEmulator()
 * const deployed = await deployLocally({ lake: '.', env: emulator.env })
 */
export async function deployLocally(options: LocalDeployOptions): Promise<Deployed> {
  const work = options.work ?? join(ROOT, '.emulator/deploy')
  const { environment } = await copyLake(resolve(options.lake), work)
  const { AWS_PROFILE: _profile, AWS_SESSION_TOKEN: _token, ...own } = process.env
  const env = { ...own, ...options.env, WEIR_LAKE: work }
  const cdk = (...args: string[]) => run([CDK, ...args], env, options.log)
  const region = options.env.AWS_REGION ?? 'us-east-1'
  // Its own: the bootstrap runs the app too, and two deployments from one checkout must not write into one folder.
  const output = ['--output', join(work, 'cdk.out')]
  // Two that do it at the same time would each find a stack that the other is about to make.
  await alone('bootstrap', () => cdk('bootstrap', `aws://000000000000/${region}`, ...output))
  const parameters = ['--parameters', `${environment}-pipeline:Emulator=true`]
  await cdk('deploy', '--all', '--require-approval', 'never', '--ci', ...output, ...parameters)
  const deployed = await withEnv(options.env, () => readDeployed(environment, { region }))
  await withEnv(options.env, () => makeWorkgroups(deployed))
  return deployed
}

/** The settings of a lake's folder, with those of an emulator. Its contracts and models stay where they are. */
async function copyLake(folder: string, work: string): Promise<{ environment: string }> {
  const file = join(folder, CONFIG_FILE)
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return ''
    throw error
  })
  const config = parseLakeConfig(text, file)
  const document = parseDocument(text)
  const architecture = process.arch === 'arm64' ? 'arm64' : 'x64'
  document.set('contracts', config.contracts)
  document.set('models', config.models)
  for (const [name, value] of Object.entries({ ...FUNCTIONS, architecture }))
    document.setIn(['aws', 'lambda', name], value)
  for (const [name, value] of Object.entries(CURATE)) document.setIn(['aws', 'curate', name], value)
  document.deleteIn(['aws', 'region'])
  // The CDK never removes what earlier runs left there.
  await rm(join(work, 'cdk.out'), { recursive: true, force: true })
  await mkdir(work, { recursive: true })
  await writeFile(join(work, CONFIG_FILE), String(document))
  return { environment: config.environment }
}

/** The stacks leave the workgroups out for emulators; see lib/infra/athena.ts. */
async function makeWorkgroups({ workgroups, buckets, region }: Deployed): Promise<void> {
  const athena = new AthenaClient({ region })
  try {
    for (const Name of Object.values(workgroups)) {
      const there = await athena.send(new GetWorkGroupCommand({ WorkGroup: Name })).then(
        () => true,
        (error: unknown) => {
          if (codeOf(error) !== 'InvalidRequestException') throw error
          return false
        },
      )
      const OutputLocation = `s3://${buckets.ops}/athena-results/${Name}/`
      const Configuration = { ResultConfiguration: { OutputLocation } }
      if (!there) await athena.send(new CreateWorkGroupCommand({ Name, Configuration }))
    }
  } finally {
    athena.destroy()
  }
}

/** The SDK reads endpoint and credentials from this process's environment. */
async function withEnv<T>(env: Record<string, string>, action: () => Promise<T>): Promise<T> {
  const before = Object.fromEntries(Object.keys(env).map((name) => [name, process.env[name]]))
  Object.assign(process.env, env)
  try {
    return await action()
  } finally {
    for (const [name, value] of Object.entries(before))
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
  }
}

function run(args: string[], env: NodeJS.ProcessEnv, log?: (text: string) => void): Promise<void> {
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let said = ''
    const hear = (chunk: Buffer) => {
      said = (said + chunk).slice(-4000)
      if (log) log(String(chunk))
      else process.stderr.write(chunk)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', hear)
    child.once('error', failed)
    child.once('close', (code) => {
      const what = `cdk ${args[1]}`
      if (code === 0) done()
      else failed(new EmulatorFailed(`${what} failed (exit code ${code}).${log ? ` It said:\n${said.trim()}` : ''}`))
    })
  })
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { lake: { type: 'string', default: process.cwd() } } })
  const endpoint = process.env.AWS_ENDPOINT_URL ?? `http://127.0.0.1:${DEFAULT_PORT}`
  await fetch(endpoint, { signal: AbortSignal.timeout(10_000) }).catch(() => {
    throw new EmulatorFailed(`No emulator answers at ${endpoint}. Start one: npm run local:up`)
  })
  const env = { ...clientEnv(endpoint), ...(process.env.AWS_REGION ? { AWS_REGION: process.env.AWS_REGION } : {}) }
  const deployed = await deployLocally({ lake: values.lake, env })
  const exports = Object.entries(env).map(([name, value]) => `${name}=${value}`)
  const at = `--lake aws:${deployed.environment}`
  process.stdout.write(
    `\nThe lake ${deployed.environment} is deployed on ${endpoint}. For your shell:\n\n  export ${exports.join(' ')}\n\n` +
      `and then, for example:\n\n  npx weir drop <file> ${at}\n  npx weir status ${at}\n\n`,
  )
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await exitCodeOf(main)
