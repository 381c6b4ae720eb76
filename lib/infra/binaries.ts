// DuckDB's binaries for the machines that Lambda runs on. npm installs those of this machine only, so the others are fetched
// once, at `npm ci`, into .cache/: after that synthesis needs no network.

import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, mkdtemp, readdir, readFile, rename, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { promisify } from 'node:util'
import { BinaryMissing } from './errors.ts'

export type Architecture = 'arm64' | 'x64'
export const ARCHITECTURES: readonly Architecture[] = ['arm64', 'x64']

const run = promisify(execFile)
const ROOT = resolve(import.meta.dirname, '../..')

export const packageOf = (architecture: Architecture): string => `@duckdb/node-bindings-linux-${architecture}`

interface Locked {
  version: string
  integrity?: string
}

/** What package-lock.json says of a package. */
async function locked(name: string): Promise<Locked> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, Locked | undefined>
  }
  const entry = lock.packages[`node_modules/${name}`]
  if (!entry) throw new BinaryMissing(`package-lock.json does not know ${name}. Run "npm install", then try again.`)
  return entry
}

/**
 * The folder of DuckDB's package for Linux on this architecture: the installed one, the cached one, or else a fetched one.
 * Throws BinaryMissing when it is not to be had.
 */
export async function targetBinaries(
  architecture: Architecture,
  options: { version?: string; cache?: string } = {},
): Promise<string> {
  const name = packageOf(architecture)
  const { version, integrity } = options.version
    ? { version: options.version, integrity: undefined }
    : await locked(name)
  const installed = join(ROOT, 'node_modules', name)
  if (await isVersion(installed, version)) return installed
  const cache = options.cache ?? join(ROOT, '.cache', 'target-binaries')
  const kept = join(cache, `linux-${architecture}-${version}`)
  if (await isVersion(kept, version)) return kept
  try {
    await fetchPackage({ name, version, integrity, cache, to: kept })
  } catch (cause) {
    if (cause instanceof BinaryMissing) throw cause
    throw new BinaryMissing(
      `A deployment for ${architecture} needs ${name}@${version}, which is not here and could not be fetched: ` +
        `${reasonOf(cause)} Run "npm run postinstall" where npm reaches a registry that has it, ` +
        'or set aws.lambda.architecture in weir.yaml to that of this machine.',
      { cause },
    )
  }
  return kept
}

async function isVersion(folder: string, version: string): Promise<boolean> {
  if (!existsSync(join(folder, 'duckdb.node'))) return false
  const found = JSON.parse(await readFile(join(folder, 'package.json'), 'utf8')) as { version?: string }
  return found.version === version
}

async function fetchPackage(wanted: {
  name: string
  version: string
  integrity: string | undefined
  cache: string
  to: string
}): Promise<void> {
  await mkdir(wanted.cache, { recursive: true })
  const work = await mkdtemp(join(wanted.cache, '.fetching-'))
  try {
    const shell = process.platform === 'win32'
    // npm holds what it gets against what the registry says of it; below it is held against the lock file too.
    await run(
      'npm',
      ['pack', `${wanted.name}@${wanted.version}`, '--pack-destination', work, '--ignore-scripts', '--loglevel=error'],
      { shell, cwd: work },
    )
    const archive = (await readdir(work)).find((name) => name.endsWith('.tgz'))
    if (!archive) throw new Error('npm pack wrote no file.')
    const found = `sha512-${createHash('sha512')
      .update(await readFile(join(work, archive)))
      .digest('base64')}`
    if (wanted.integrity !== undefined && found !== wanted.integrity)
      throw new BinaryMissing(
        `${wanted.name}@${wanted.version} as fetched is not what package-lock.json says (${found} instead of ${wanted.integrity}). Nothing of it is used.`,
      )
    await run('tar', ['-xzf', archive], { cwd: work })
    await rm(wanted.to, { recursive: true, force: true })
    await rename(join(work, 'package'), wanted.to).catch(async (error: unknown) => {
      // Another process was first.
      if (!(await isVersion(wanted.to, wanted.version))) throw error
    })
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

function reasonOf(error: unknown): string {
  const { stderr, message } = error as { stderr?: string; message?: string }
  const line = (stderr || message || String(error))
    .split('\n')
    .map((one) => one.replace(/^npm (error|warn) /, '').trim())
    .find((one) => one !== '' && !/^code |user config|complete log/.test(one))
  return `${line ?? 'no reason given'}${/[.!]$/.test(line ?? '') ? '' : '.'}`
}
