// weir.yaml: the settings of a lake, and how a lake is found. Every setting has a default; an empty file is fine.

import { readFile, stat } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { basename, dirname, join, resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import { ENVIRONMENT } from './aws/deployed.ts'
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

const DAY = z.int().min(1).max(3650)
const MB = 1024 ** 2
/** Room that one object may need below /tmp, as a multiple of its size: the copy, its Parquet and its rejects. */
const ROOM = 3

const principals = z.array(
  z
    .string()
    .regex(/^(arn:[\w-]+:(iam|sts)::\d{12}:\S+|\d{12})$/, 'must be the ARN of a user or role, or an account id'),
)

/** A schedule of EventBridge. */
export const SCHEDULE = /^(rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)|cron\([^()]+\))$/

const schedule = z.string().regex(SCHEDULE, 'must be like rate(1 hour), rate(2 hours) or cron(0 6 * * ? *)')

const awsSchema = z
  .strictObject({
    /** Region to deploy to. Default: that of the AWS profile in use. */
    region: z
      .string()
      .regex(/^[a-z]{2,4}(-[a-z]+)+-\d$/, 'must be a region, like eu-central-1')
      .optional(),
    /** What happens to the data when the stacks are removed; `destroy` needs deleteData too. Default: retain. */
    removalPolicy: z.enum(['retain', 'destroy']).default('retain'),
    /** The second key for deleting data: the environment's name, spelled out. Default: none. */
    deleteData: z.string().optional(),
    /** Keys of S3, or one KMS key of the lake's own (rotated every year; about $1 a month and $0.03 per 10,000 requests). Default: s3. */
    encryption: z.enum(['s3', 'kms']).default('s3'),
    /** Write S3's access logs into a bucket of their own. Default: false. */
    accessLogs: z.boolean().default(false),
    /** Largest object that the ingest function takes; larger ones are refused, with a receipt. Default: 2GB. */
    maxObjectSize: bytes(1).default(2 * 1024 ** 3),
    /** What the functions get. */
    lambda: z
      .strictObject({
        /** Memory of the ingest function in MB; CPUs come with it. Default: 3008, the most that a new account allows. */
        memoryMB: z.int().min(512).max(10_240).default(3008),
        /** arm64 costs a fifth less. Default: arm64. */
        architecture: z.enum(['arm64', 'x64']).default('arm64'),
        /** Seconds that one batch may take. Default: 900, the most that there is. */
        timeoutSeconds: z.int().min(30).max(900).default(900),
        /** Room below /tmp in MB: at least three times maxObjectSize. Default: 10240. */
        ephemeralStorageMB: z.int().min(512).max(10_240).default(10_240),
        /**
         * Uploads that are worked on at the same time. The others wait in the queue. Below what the account allows, with room
         * for the other functions: a new one allows 10 runs, and events that find none left count as failed. Default: 6.
         */
        maximumConcurrency: z.int().min(2).max(1000).default(6),
        /** Uploads that one run takes from the queue; it works on two at a time. Default: 1. */
        batchSize: z.int().min(1).max(10).default(1),
      })
      .prefault({}),
    /** How long things are kept, in days. */
    retention: z
      .strictObject({
        /** Results of Athena queries. Default: 30. */
        athenaResultsDays: DAY.default(30),
        /** Logs of the functions; one of the periods that CloudWatch knows. Default: 90. */
        logDays: z
          .literal([
            1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
          ])
          .default(90),
        /** Landing objects move to S3 Standard-IA after this; at least 30. Default: 90. */
        tierLandingDays: z.int().min(30).max(3650).default(90),
        /** … and to Glacier Instant Retrieval after this; at least 30 more. Default: 365. */
        archiveLandingDays: z.int().min(60).max(3650).default(365),
        /** S3 access logs, where there are any. Default: 90. */
        accessLogDays: DAY.default(90),
      })
      .prefault({})
      .refine((days) => days.archiveLandingDays >= days.tierLandingDays + 30, {
        path: ['archiveLandingDays'],
        message: 'must be at least 30 days more than tierLandingDays',
      }),
    /** Who hears of alarms. Default: nobody; the alarm topic is there to subscribe to. */
    alarmEmail: z.email().optional(),
    /** How often the function looks for what no event told of; an EventBridge schedule. Default: rate(1 hour). */
    reconcile: schedule.default('rate(1 hour)'),
    /** How curated tables follow what came. */
    curate: z
      .strictObject({
        /**
         * Seconds that a table waits after an upload for more to come: what comes meanwhile is merged by one statement.
         * Default: 30.
         */
        delaySeconds: z.int().min(0).max(900).default(30),
        /** Memory of the curate function in MB: Athena does the work. Default: 1024. */
        memoryMB: z.int().min(512).max(10_240).default(1024),
        /** Runs of the curate function at the same time; one of them works on up to ten tables. Default: 2, the least that there is. */
        maximumConcurrency: z.int().min(2).max(1000).default(2),
        /** How often tables are tidied: small files put together, old versions removed. Default: rate(1 day). */
        maintenance: schedule.default('rate(1 day)'),
      })
      .prefault({}),
    /** Bytes that one Athena query may scan before it is cut off ($5 per TB). Default: 100GB. */
    scanLimit: bytes(10 * MB).default(100 * 1024 ** 3),
    /** What the messages to uploaders hold. */
    notifications: z
      .strictObject({
        /**
         * Link to the receipt: into the AWS console, one that anybody can open until the credentials of the function that
         * made it end (some hours), or none. Default: console.
         */
        receiptLink: z.enum(['console', 'presigned', 'none']).default('console'),
      })
      .prefault({}),
    /**
     * Uploaders, by name, and the datasets whose landing prefixes each may write: one role each. `{datasets, principals}`
     * instead of a list says also who may take on that role, and nobody else. Default: none.
     */
    uploaders: z
      .record(
        z.string().regex(/^[a-z][a-z0-9-]{0,29}$/, 'must be short and lower case, like shop-1'),
        z.union([
          z.array(z.string()).min(1),
          z.strictObject({ datasets: z.array(z.string()).min(1), principals: principals.min(1) }),
        ]),
      )
      .default({}),
    /** Who may take on the roles: ARNs of users and roles, or account ids. Default: the account itself, whose IAM policies then decide. */
    principals: z
      .strictObject({
        /** Of the uploader roles that do not name their own. */
        uploaders: principals.default([]),
        /** Of the analyst role. */
        analysts: principals.default([]),
        /** Of the engineer role. */
        engineers: principals.default([]),
      })
      .prefault({}),
  })
  .prefault({})
  .refine((aws) => aws.maxObjectSize * ROOM <= aws.lambda.ephemeralStorageMB * MB, {
    path: ['maxObjectSize'],
    message: 'must be at most a third of lambda.ephemeralStorageMB: the function works on a copy below /tmp',
  })

/** What a deployment is made with. */
export type AwsSettings = z.output<typeof awsSchema>

/** What weir.yaml may say. Unknown keys are mistakes: a setting that does nothing must not look as if it did. */
const fileSchema = z.strictObject({
  /** Name of the lake in messages. Default: the name of its folder. */
  name: z.string().min(1).optional(),
  /** Name of the deployment, before whatever it names on AWS: weir, weir-test, shop-prod. Default: weir. */
  environment: z
    .string()
    .regex(
      ENVIRONMENT,
      'must be 2 to 20 of a-z, 0-9 and "-", beginning with a letter (but not with xn--, sthree- or amzn-, which S3 keeps for itself) and not ending with "-"',
    )
    .default('weir'),
  /** Where commands find the lake: `local` in this folder, or `aws`, the deployment of this environment. Default: local. */
  target: z.enum(['local', 'aws']).default('local'),
  /** Folder of the contracts, from the lake's folder. Default: contracts. */
  contracts: folder.default('contracts'),
  /** Folder of the SQL models, from the lake's folder; it need not be there. Default: models. */
  models: folder.default('models'),
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
      /** A larger file is refused unread, with a receipt; a deployed lake has aws.maxObjectSize. Default: no limit. */
      maxObjectBytes: bytes(1).optional(),
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
  /**
   * Whether commands that change what curated tables are made from bring those up to date at once, or leave it to `weir curate`.
   * A deployed lake does it by itself. Default: auto.
   */
  curate: z.enum(['auto', 'manual']).default('auto'),
  curated: z
    .strictObject({
      /** Versions of a curated table that can still be read, besides the newest. Default: 10. */
      keepVersions: z.int().min(1).max(1000).default(10),
    })
    .prefault({}),
  /** The deployment on AWS: docs/deploy.md. A lake in a folder does not look at it. */
  aws: awsSchema,
})

/** The settings of a lake, with every default filled in. */
export interface LakeConfig {
  /** Folder of the lake. */
  root: string
  name: string
  environment: string
  target: 'local' | 'aws'
  /** Absolute path of the contracts' folder. */
  contracts: string
  /** Absolute path of the models' folder. */
  models: string
  memoryBytes: number
  threads: number
  durable: boolean
  limits: {
    maxExpandedBytes: number
    maxExpansion: number
    maxRecordBytes: number
    maxRuleSeconds: number
    maxObjectBytes?: number | undefined
  }
  landing: { keepVersions: boolean }
  curate: 'auto' | 'manual'
  curated: { keepVersions: number }
  aws: AwsSettings
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
  const { memory, contracts, models, threads, name, ...rest } = parsed.data
  return {
    ...rest,
    root: home,
    name: name ?? basename(home),
    contracts: resolve(home, contracts),
    models: resolve(home, models),
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

/** The settings known at a place of weir.yaml. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let at: z.core.$ZodType = fileSchema
  for (const key of path) at = insideOf(at, key) ?? at
  const object = unwrapped(at)
  return object instanceof z.ZodObject ? Object.keys(object.shape) : []
}

function insideOf(schema: z.core.$ZodType, key: PropertyKey): z.core.$ZodType | undefined {
  const object = unwrapped(schema)
  return object instanceof z.ZodObject ? (object.shape[String(key)] as z.core.$ZodType | undefined) : undefined
}

function unwrapped(schema: z.core.$ZodType): z.core.$ZodType {
  return schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault || schema instanceof z.ZodOptional
    ? unwrapped(schema.unwrap())
    : schema
}

/** Every setting below `aws:`, as a path, with its default where it has one. For the table in docs/deploy.md. */
export function awsSettings(): { path: string; default: unknown }[] {
  const defaults = fileSchema.parse({}).aws
  const found: { path: string; default: unknown }[] = []
  const walk = (schema: z.core.$ZodType, path: string[], value: unknown): void => {
    const object = unwrapped(schema)
    if (!(object instanceof z.ZodObject)) found.push({ path: path.join('.'), default: value })
    else
      for (const [key, inner] of Object.entries(object.shape))
        walk(inner as z.core.$ZodType, [...path, key], (value as Record<string, unknown> | undefined)?.[key])
  }
  walk(awsSchema, [], defaults)
  return found
}
