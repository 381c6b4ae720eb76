// weir.yaml: the settings of a lake, and how a lake is found. Every setting has a default; an empty file is fine.

import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { ConfigError } from './errors.ts'

export const CONFIG_FILE = 'weir.yaml'

const UNITS: Record<string, number> = { '': 1, b: 1, kb: 1024, mb: 1024 ** 2, gb: 1024 ** 3, tb: 1024 ** 4 }

/** Bytes of "1GB", "512 MB", "1.5 GiB" or a plain number; units count in 1,024s. Undefined when it is none of these. */
export function bytesOf(text: string | number): number | undefined {
  const [, number, unit] = /^\s*(\d+(?:\.\d+)?)\s*([kmgt]?i?b)?\s*$/i.exec(String(text)) ?? []
  if (number === undefined) return undefined
  return Math.round(Number(number) * (UNITS[(unit ?? '').toLowerCase().replace('i', '')] ?? 1))
}

const bytes = (least: number) =>
  z.union([z.string(), z.number()]).transform((value, context) => {
    const found = bytesOf(value)
    if (found !== undefined && found >= least) return found
    context.addIssue({
      code: 'custom',
      message: `must be a size of at least ${least} bytes, like 512MB, 1GB or 1073741824`,
    })
    return z.NEVER
  })

const folder = z
  .string()
  .min(1)
  .refine((path) => !path.includes('\0'), 'must be a path')

/** What weir.yaml may say. Unknown keys are mistakes: a setting that does nothing must not look as if it did. */
const fileSchema = z.strictObject({
  /** Name of the lake in messages. Default: the name of its folder. */
  name: z.string().min(1).optional(),
  /** What the lake is for: dev, test, prod … Free text, shown in messages. Default: local. */
  environment: z.string().min(1).default('local'),
  /** Where the lake lives. Only `local`, this folder, for now. */
  target: z.literal('local').default('local'),
  /** Folder of the contracts, from the lake's folder. Default: contracts. */
  contracts: folder.default('contracts'),
  /** Memory that the engine, or a query, may use: "512MB", "2GB". Default: 1GB. */
  memory: bytes(64 * 1024 ** 2).default(1024 ** 3),
  /** Threads of the engine. Default: as many as the machine has cores. */
  threads: z.int().min(1).max(1024).optional(),
  /** Flush objects to the disk before they get their names, so that a power cut tears none. Default: true. */
  durable: z.boolean().default(true),
  limits: z
    .strictObject({
      /** A compressed file may expand to at most this. Default: 50GB. */
      maxExpandedBytes: bytes(1).default(50 * 1024 ** 3),
      /** … and to at most this many times its size (checked above 64 MB expanded). Default: 200. */
      maxExpansion: z.number().min(1).default(200),
      /** The longest record of a file. A longer one means that the file is not what it says. Default: 16MB. */
      maxRecordBytes: bytes(1).default(16 * 1024 ** 2),
      /** Seconds that one SQL rule of a contract may run. Default: 300. */
      maxRuleSeconds: z.number().positive().default(300),
    })
    .prefault({}),
  landing: z
    .strictObject({
      /**
       * Keep every version of every landing file in .weir/versions, so that what was dropped is never lost, however
       * the file in landing/ changes later. It costs the disk space of one copy of each ingested version (nothing
       * where the file system shares blocks: APFS, Btrfs, XFS). `false` keeps only what landing/ holds now. Default: true.
       */
      keepVersions: z.boolean().default(true),
    })
    .prefault({}),
})

/** The settings of a lake, with every default filled in. */
export interface LakeConfig {
  /** Folder of the lake. */
  root: string
  name: string
  environment: string
  target: 'local'
  /** Absolute path of the contracts' folder. */
  contracts: string
  memoryBytes: number
  threads: number
  durable: boolean
  limits: { maxExpandedBytes: number; maxExpansion: number; maxRecordBytes: number; maxRuleSeconds: number }
  landing: { keepVersions: boolean }
}

/** The nearest folder upward that holds a weir.yaml; undefined when there is none. */
export async function findLake(from: string): Promise<string | undefined> {
  for (let at = resolve(from); ; at = dirname(at)) {
    const found = await stat(join(at, CONFIG_FILE)).catch(() => undefined)
    if (found?.isFile()) return at
    if (dirname(at) === at) return undefined
  }
}

/** Reads weir.yaml of the lake in a folder. Throws ConfigError, naming every mistake. */
export async function readLakeConfig(root: string): Promise<LakeConfig> {
  const home = resolve(root)
  const file = join(home, CONFIG_FILE)
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error)
    throw new ConfigError(file, [`It cannot be read: ${why}. Run "weir init" to make a lake, or give --lake <folder>.`])
  }
  return parseLakeConfig(text, file)
}

/** As readLakeConfig, for a text; the lake is the folder of `file`. */
export function parseLakeConfig(text: string, file: string): LakeConfig {
  const document = parseDocument(text, { prettyErrors: true })
  if (document.errors.length > 0)
    throw new ConfigError(
      file,
      document.errors.map((error) => error.message.trim()),
    )
  const home = dirname(resolve(file))
  const parsed = fileSchema.safeParse(document.toJS() ?? {}, { reportInput: true })
  if (!parsed.success) throw new ConfigError(file, parsed.error.issues.flatMap(wordsOf))
  const { memory, contracts, threads, name, ...rest } = parsed.data
  return {
    ...rest,
    root: home,
    name: name ?? basename(home),
    contracts: resolve(home, contracts),
    memoryBytes: memory,
    threads: threads ?? availableParallelism(),
  }
}

function wordsOf(issue: z.core.$ZodIssue): string[] {
  const at = issue.path.join('.')
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path).join(', ')
    const where = at === '' ? 'weir.yaml' : at
    return issue.keys.map((key) => `${key}: ${where} has no such setting; it knows: ${known}.`)
  }
  const found = issue.input === undefined ? '' : ` Found ${JSON.stringify(issue.input)}.`
  return [`${at === '' ? 'weir.yaml' : at}: ${issue.message.replace(/\.?$/, '.')}${found}`]
}

function knownKeys(path: readonly PropertyKey[]): string[] {
  if (path[0] === 'limits') return Object.keys(fileSchema.shape.limits.unwrap().shape)
  if (path[0] === 'landing') return Object.keys(fileSchema.shape.landing.unwrap().shape)
  return Object.keys(fileSchema.shape)
}
