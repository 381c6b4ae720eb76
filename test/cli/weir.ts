// Runs the command line for tests: in this process, where that is faster, or as the real program.

import { spawn } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { main } from '../../lib/cli/main.ts'

export interface Ran {
  code: number | null
  out: string
  err: string
}

class Collected extends Writable {
  text = ''
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString()
    done()
  }
}

/** In this process. */
export async function weir(
  cwd: string,
  args: string[],
  options: { signal?: AbortSignal; tty?: boolean } = {},
): Promise<Ran> {
  const stdout = Object.assign(new Collected(), { isTTY: options.tty ?? false })
  const stderr = new Collected()
  const signal = options.signal ?? new AbortController().signal
  const code = await main(args, { stdout, stderr, cwd, env: {}, signal })
  return { code, out: stdout.text, err: stderr.text }
}

/** Runs with --json and gives the one document; fails where stdout holds anything else. */
// biome-ignore lint/suspicious/noExplicitAny: a document of any command; each test asserts on its shape
export async function weirJson(cwd: string, args: string[]): Promise<{ code: number | null; document: any }> {
  const { code, out } = await weir(cwd, [...args, '--json'])
  return { code, document: JSON.parse(out) }
}

export const PROGRAM = fileURLToPath(new URL('../../bin/weir.ts', import.meta.url))

/** The real program. `onStart` gets the child, to signal it or to close its pipes. */
export function program(
  cwd: string,
  args: string[],
  onStart: (child: ReturnType<typeof spawn>) => void = () => {},
): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const env = { ...process.env, NO_COLOR: undefined, FORCE_COLOR: undefined, NODE_OPTIONS: undefined }
    const child = spawn(process.execPath, [PROGRAM, ...args], { cwd, env, stdio: ['ignore', 'pipe', 'pipe'] })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    onStart(child)
  })
}

/** An empty folder that goes when the test is over. */
export async function tempFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-cli-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  return folder
}

/** A fresh lake, as `weir init` makes it. */
export async function freshLake(): Promise<string> {
  const lake = join(await tempFolder(), 'lake')
  const made = await weir(dirname(lake), ['init', 'lake'])
  if (made.code !== 0) throw new Error(made.err)
  return lake
}

export async function put(folder: string, name: string, content: string | Buffer): Promise<string> {
  const path = join(folder, name)
  await writeFile(path, content)
  return path
}
