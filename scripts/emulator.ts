// Starts and stops MiniStack, an emulator of AWS that needs neither Docker nor an account: `npm run local:up`, `local:down`,
// and what the emulator tests run on. It lives in .emulator/, is installed from PyPI once, and listens on this machine only.
//
//   node scripts/emulator.ts up [--port 4566]     exit 0: it runs · 1: it failed · 77: it cannot run here (no Python, no PyPI)
//   node scripts/emulator.ts down [--port 4566]

import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs, promisify } from 'node:util'

/** What is installed. DuckDB answers the Athena queries (with pytz, times with a zone); the emulator's KMS needs cryptography. */
export const PACKAGES = ['ministack==1.5.33', 'duckdb==1.5.6', 'cryptography==46.0.3', 'pytz==2025.2']
export const DEFAULT_PORT = 4566
export const REGION = 'us-east-1'

/** Exit codes of the commands below, so that a caller can tell "broken" from "not here". */
export const EXIT = { ok: 0, failed: 1, cannotRunHere: 77 } as const

const MINIMUM = [3, 10] as const
const START_SECONDS = 90
const STOP_SECONDS = 15
const HOME = fileURLToPath(new URL('../.emulator/', import.meta.url))
const run = promisify(execFile)

/** This machine lacks what the emulator needs: Python, or a way to PyPI. */
export class EmulatorUnavailable extends Error {
  override name = 'EmulatorUnavailable'
}

/** The emulator is installed and did not start, or did not stop. */
export class EmulatorFailed extends Error {
  override name = 'EmulatorFailed'
}

export interface Emulator {
  endpoint: string
  /** What a client needs in its environment: endpoint, region and the emulator's credentials. */
  env: Record<string, string>
  /** False for one that was running before: then stop() leaves it alone. */
  ours: boolean
  stop(): Promise<void>
}

export interface EmulatorOptions {
  /** Default: a free one. */
  port?: number
  /** Called with a line about each thing that takes a while. */
  log?: (line: string) => void
  /** More variables for the emulator's own process. */
  env?: Record<string, string>
}

/** The environment of a client of an emulator at this endpoint. */
export function clientEnv(endpoint: string): Record<string, string> {
  return {
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_REGION: REGION,
    AWS_DEFAULT_REGION: REGION,
    AWS_EC2_METADATA_DISABLED: 'true',
  }
}

/**
 * The emulator that AWS_ENDPOINT_URL points at, or else one of our own that ends with this process.
 *
 * @example
 * const emulator = await startEmulator()
 * Object.assign(process.env, emulator.env)
 * await emulator.stop()
 */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const running = process.env.AWS_ENDPOINT_URL
  if (running) return useRunning(running)
  const port = options.port ?? (await freePort())
  await launch(port, options)
  const endWithUs = () => killGroup(port, 'SIGKILL')
  process.once('exit', endWithUs)
  return {
    endpoint: endpointOf(port),
    env: clientEnv(endpointOf(port)),
    ours: true,
    async stop() {
      process.off('exit', endWithUs)
      await stopEmulator(port)
    },
  }
}

async function useRunning(endpoint: string): Promise<Emulator> {
  const answered = await fetch(endpoint, { signal: AbortSignal.timeout(10_000) }).then(
    () => true,
    () => false,
  )
  if (!answered) {
    throw new EmulatorFailed(
      `Nothing answers at AWS_ENDPOINT_URL=${endpoint}. Start that emulator, or unset the variable to have one started.`,
    )
  }
  const set = (name: string) => (process.env[name] ? { [name]: process.env[name] } : {})
  const kept = Object.assign({}, ...Object.keys(clientEnv(endpoint)).map(set)) as Record<string, string>
  return { endpoint, env: { ...clientEnv(endpoint), ...kept }, ours: false, stop: async () => {} }
}

/** Starts the emulator and leaves it running. Throws EmulatorFailed when something else has the port. */
export async function launch(port: number, options: EmulatorOptions = {}): Promise<void> {
  const log = options.log ?? (() => {})
  if (await isHealthy(port)) {
    throw new EmulatorFailed(
      `An emulator runs on port ${port} already. Stop it with "npm run local:down", or use it: export AWS_ENDPOINT_URL=${endpointOf(port)}`,
    )
  }
  if (await isTaken(port)) {
    throw new EmulatorFailed(`Another program has port ${port}. End it, or choose another port with --port.`)
  }
  const python = await install(log)
  const at = placesOf(port)
  await rm(at.folder, { recursive: true, force: true })
  await mkdir(at.tmp, { recursive: true })
  // The functions are unpacked there: what this project's own package.json says must not hold for them.
  await writeFile(join(at.folder, 'package.json'), '{ "type": "commonjs" }\n')
  const output = await open(at.log, 'w')
  log(`Starting MiniStack on ${endpointOf(port)} …`)
  const child = spawn(python, ['-c', 'from ministack.app import main; main()'], {
    cwd: at.folder,
    env: { ...serverEnv(port, at), ...options.env },
    detached: true,
    stdio: ['ignore', output.fd, output.fd],
  })
  await output.close()
  let ended: string | undefined
  child.once('error', (error) => {
    ended = error.message
  })
  child.once('exit', (code, signal) => {
    ended = `it ended at once (${signal ?? `exit code ${code}`})`
  })
  if (child.pid !== undefined) {
    started.set(port, child.pid)
    await writeFile(at.pid, String(child.pid))
  }
  child.unref()
  for (let waited = 0; waited < START_SECONDS * 10; waited++) {
    if (await isHealthy(port)) return
    if (ended) break
    await sleep(100)
  }
  const tail = (await readFile(at.log, 'utf8').catch(() => '')).trimEnd().split('\n').slice(-15).join('\n')
  if (!ended) await stopEmulator(port)
  throw new EmulatorFailed(
    `MiniStack did not start on port ${port}: ${ended ?? `no answer within ${START_SECONDS} s`}. The end of ${at.log}:\n${tail}`,
  )
}

/** Ends the emulator that launch() started on this port, and its functions. False when there is none. */
export async function stopEmulator(port: number): Promise<boolean> {
  const at = placesOf(port)
  const pid = await pidOf(port)
  if (pid === undefined) return false
  if (isAlive(pid)) {
    killGroup(port, 'SIGTERM', pid)
    for (let waited = 0; isAlive(pid) && waited < STOP_SECONDS * 10; waited++) await sleep(100)
    // Also what its functions left behind: they are in the same process group.
    killGroup(port, 'SIGKILL', pid)
    for (let waited = 0; isAlive(pid) && waited < 50; waited++) await sleep(100)
    if (isAlive(pid)) throw new EmulatorFailed(`MiniStack (process ${pid}) does not end. Its log: ${at.log}`)
  }
  await rm(at.folder, { recursive: true, force: true, maxRetries: 3 })
  return true
}

const endpointOf = (port: number): string => `http://127.0.0.1:${port}`

interface Places {
  folder: string
  tmp: string
  data: string
  log: string
  pid: string
}

function placesOf(port: number): Places {
  const folder = join(HOME, `port-${port}`)
  return {
    folder,
    tmp: join(folder, 'tmp'),
    data: join(folder, 's3'),
    log: join(folder, 'ministack.log'),
    pid: join(folder, 'pid'),
  }
}

/** Nothing of the caller's AWS settings gets in: the functions would otherwise run with somebody's real credentials. */
function serverEnv(port: number, at: Places): Record<string, string> {
  const passed = ['HOME', 'LANG', 'LC_ALL', 'USERPROFILE', 'SYSTEMROOT', 'COMSPEC', 'PATHEXT', 'LOG_LEVEL']
  const own = Object.fromEntries(passed.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
  return {
    ...own,
    // The functions run on whatever `node` comes first: the one that runs us.
    PATH: [dirname(process.execPath), process.env.PATH ?? ''].join(delimiter),
    TMPDIR: at.tmp,
    TEMP: at.tmp,
    TMP: at.tmp,
    BIND_HOST: '127.0.0.1',
    MINISTACK_HOST: '127.0.0.1',
    GATEWAY_PORT: String(port),
    MINISTACK_REGION: REGION,
    IOT_MTLS_ENABLED: '0',
    SFTP_ENABLED: '0',
    LAMBDA_EXECUTOR: 'local',
    // On the disk, because Athena's DuckDB reads objects from there.
    S3_PERSIST: '1',
    S3_DATA_DIR: at.data,
    ATHENA_ENGINE: 'duckdb',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    AWS_EC2_METADATA_DISABLED: 'true',
    // A function's code carries DuckDB for Linux; elsewhere it finds this project's.
    ...(process.platform === 'linux' ? {} : { NODE_PATH: fileURLToPath(new URL('../node_modules', import.meta.url)) }),
  }
}

/** The Python of the emulator's own environment, made and filled when it is not there or holds something else. */
async function install(log: (line: string) => void): Promise<string> {
  await mkdir(HOME, { recursive: true })
  const venv = join(HOME, 'venv')
  const python = process.platform === 'win32' ? join(venv, 'Scripts', 'python.exe') : join(venv, 'bin', 'python')
  const mark = join(venv, 'installed.txt')
  const wanted = PACKAGES.join('\n')
  const installed = async () => existsSync(python) && (await readFile(mark, 'utf8').catch(() => '')) === wanted
  if (await installed()) return python
  return alone('install', async () => {
    if (await installed()) return python
    const base = await findPython()
    log(`Installing ${PACKAGES[0]} into .emulator/venv (once) …`)
    await rm(venv, { recursive: true, force: true })
    await run(base, ['-m', 'venv', venv]).catch((error) => {
      throw new EmulatorUnavailable(
        `${base} cannot make a virtual environment. On Debian and Ubuntu: apt install python3-venv. It said: ${lastLines(error)}`,
      )
    })
    const pip = ['-m', 'pip', 'install', '--disable-pip-version-check', '--quiet', ...PACKAGES]
    await run(python, pip, { maxBuffer: 1 << 24 }).catch((error) => {
      throw new EmulatorUnavailable(
        `MiniStack could not be installed from PyPI. Check the network (and PIP_INDEX_URL), or point AWS_ENDPOINT_URL at a running emulator. pip said: ${lastLines(error)}`,
      )
    })
    await writeFile(mark, wanted)
    return python
  })
}

/** One process at a time: to install, to bootstrap. */
export async function alone<T>(what: 'install' | 'bootstrap', action: () => Promise<T>): Promise<T> {
  await mkdir(HOME, { recursive: true })
  const lock = join(HOME, `${what}.lock`)
  for (;;) {
    const made = await writeFile(lock, String(process.pid), { flag: 'wx' }).then(
      () => true,
      () => false,
    )
    if (made) break
    const holder = Number(await readFile(lock, 'utf8').catch(() => ''))
    if (holder > 0 && !isAlive(holder)) await rm(lock, { force: true })
    await sleep(200)
  }
  try {
    return await action()
  } finally {
    await rm(lock, { force: true })
  }
}

async function findPython(): Promise<string> {
  const named = process.env.PYTHON ? [process.env.PYTHON] : []
  const candidates = [...named, 'python3', 'python', ...[14, 13, 12, 11, 10].map((minor) => `python3.${minor}`)]
  const seen: string[] = []
  for (const candidate of candidates) {
    const found = await run(candidate, ['-c', 'import sys; print(*sys.version_info[:2])']).catch(() => undefined)
    if (!found) continue
    const version = found.stdout.trim().split(' ').map(Number)
    if (isRecentEnough(version)) return candidate
    seen.push(`${candidate} is ${version.join('.')}`)
  }
  throw new EmulatorUnavailable(
    `The emulator needs Python ${MINIMUM.join('.')} or later, and ${seen.length > 0 ? seen.join(', ') : 'there is none here'}. Install it, name one in PYTHON, or point AWS_ENDPOINT_URL at a running emulator.`,
  )
}

/** Whether a Python of this version (major, minor) can run the emulator. */
export function isRecentEnough([major = 0, minor = 0]: number[]): boolean {
  return major > MINIMUM[0] || (major === MINIMUM[0] && minor >= MINIMUM[1])
}

function lastLines(error: unknown): string {
  const said = (error as { stderr?: string }).stderr?.trim() || String(error)
  return said.split('\n').slice(-3).join(' ')
}

async function isHealthy(port: number): Promise<boolean> {
  try {
    return (await fetch(`${endpointOf(port)}/_ministack/health`, { signal: AbortSignal.timeout(2000) })).ok
  } catch {
    return false
  }
}

/** A port that nobody listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  if (address === null || typeof address === 'string') throw new EmulatorFailed('This machine gave no free port.')
  return address.port
}

function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(true))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(false)))
  })
}

/** The process that launch() started on this port, if the number still is that process. */
async function pidOf(port: number): Promise<number | undefined> {
  const pid = Number(await readFile(placesOf(port).pid, 'utf8').catch(() => ''))
  if (!(pid > 0)) return undefined
  if (!isAlive(pid) || process.platform === 'win32') return pid
  // Process numbers are used again: end nobody else's.
  const { stdout } = await run('ps', ['-p', String(pid), '-o', 'args=']).catch(() => ({ stdout: 'ministack' }))
  if (stdout.includes('ministack')) return pid
  await rm(placesOf(port).folder, { recursive: true, force: true })
  return undefined
}

const started = new Map<number, number>()

function killGroup(port: number, signal: NodeJS.Signals, known?: number): void {
  const pid = known ?? started.get(port)
  if (pid === undefined) return
  try {
    process.kill(process.platform === 'win32' ? pid : -pid, signal)
  } catch {
    // It has ended.
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Runs an action of a script; says what went wrong and gives the exit code that tells why. */
export async function exitCodeOf(action: () => Promise<void>): Promise<number> {
  try {
    await action()
    return EXIT.ok
  } catch (error) {
    // A fault of ours shows where it is; an error with a name of its own says all in its message.
    if (!(error instanceof Error) || /^(Error|TypeError|RangeError|ReferenceError|SyntaxError)$/.test(error.name))
      throw error
    process.stderr.write(`${error.message}\n`)
    return error instanceof EmulatorUnavailable ? EXIT.cannotRunHere : EXIT.failed
  }
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string', default: String(DEFAULT_PORT) } },
  })
  const port = Number(values.port)
  const say = (line: string) => process.stdout.write(`${line}\n`)
  if (!Number.isInteger(port) || port < 1 || port > 65_535) throw new EmulatorFailed(`${values.port} is no port.`)
  switch (positionals[0]) {
    case 'up': {
      await launch(port, { log: say })
      const exports = Object.entries(clientEnv(endpointOf(port))).map(([name, value]) => `${name}=${value}`)
      say(`MiniStack runs on ${endpointOf(port)}. It forgets everything when it is stopped: npm run local:down`)
      say(`For your shell:\n\n  export ${exports.join(' ')}\n`)
      say('Deploy the lake onto it: npm run local:deploy')
      return
    }
    case 'down':
      say((await stopEmulator(port)) ? `Stopped MiniStack on port ${port}.` : `No MiniStack of ours on port ${port}.`)
      return
    default:
      throw new EmulatorFailed('Usage: node scripts/emulator.ts up|down [--port 4566]')
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = await exitCodeOf(main)
