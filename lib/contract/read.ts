// From files to plans: reads every contract of a folder, reports all problems of all files at once.

import { readdir, readFile, stat } from 'node:fs/promises'
import { basename, join, relative, sep } from 'node:path'
import { type Compiled, compileContract } from './compile.ts'
import { ContractError, type ContractIssue, createReport, type Path, type Report } from './errors.ts'
import { nearest } from './names.ts'
import { type Contract, contractShape } from './odcs.ts'
import type { Plan } from './plan.ts'
import { parseYaml } from './yaml.ts'

export { ContractError, type ContractIssue } from './errors.ts'

/** Everything that a folder of contracts says. */
export interface Contracts {
  /** By dataset name. */
  plans: Map<string, Plan>
  warnings: ContractIssue[]
  /** The contract files read, as named in messages. */
  files: string[]
}

/** What reading gives before anything is thrown; `weir lint` shows it all. */
export interface Draft {
  file: string
  errors: ContractIssue[]
  warnings: ContractIssue[]
  objects: Compiled[]
}

const at = (data: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (value, key) =>
      typeof value === 'object' && value !== null ? (value as Record<string | number, unknown>)[key] : undefined,
    data,
  )

interface ZodIssue {
  code?: string | undefined
  path: PropertyKey[]
  message: string
  keys?: string[]
  values?: unknown[]
  expected?: string
}

/** Keys of the standard, for the hint beside an unknown one. */
const KNOWN =
  'version apiVersion kind id name tenant tags status servers description domain schema support price team roles slaProperties authoritativeDefinitions customProperties contractCreatedTs physicalName physicalType businessName dataGranularityDescription properties relationships quality logicalType logicalTypeOptions required unique primaryKey primaryKeyPosition partitioned partitionKeyPosition classification encryptedName criticalDataElement examples transformSourceObjects transformLogic transformDescription items metric arguments dimension severity unit query engine implementation mustBe mustNotBe mustBeGreaterThan mustBeGreaterOrEqualTo mustBeLessThan mustBeLessOrEqualTo mustBeBetween mustNotBeBetween schedule scheduler channel url value property'.split(
    ' ',
  )

const drop = (data: unknown, path: Path, key: string): void => {
  const owner = at(data, path)
  if (typeof owner === 'object' && owner !== null) delete (owner as Record<string, unknown>)[key]
}

const words = (issue: ZodIssue, found: unknown, key: string | number | undefined): string => {
  if (found === undefined) return `${key === undefined ? 'The contract' : String(key)} is missing.`
  if (issue.code === 'invalid_type') {
    const hint = issue.expected === 'string' && typeof found !== 'object' ? ' Quote it.' : ''
    return `This must be ${issue.expected === 'array' ? 'a list' : issue.expected === 'object' || issue.expected === 'record' ? 'a map of keys' : `a ${issue.expected}`}.${hint}`
  }
  if (issue.code === 'invalid_value') return 'This is not one of the allowed values.'
  return `This is not valid: ${issue.message}.`
}

/** Holds the data against the standard: unknown keys become warnings, all else errors. */
const readShape = (data: unknown, report: Report): Contract | undefined => {
  const result = contractShape.safeParse(data)
  if (result.success) return result.data
  let unknown = false
  let wrong = false
  for (const issue of result.error.issues as ZodIssue[]) {
    const path = issue.path.filter((p): p is string | number => typeof p !== 'symbol')
    if (issue.code === 'unrecognized_keys') {
      for (const key of issue.keys ?? []) {
        const near = nearest(key, KNOWN)
        report.warn(
          [...path, key],
          `The standard has no key ${key} here; it is ignored${near && near !== key ? `. Did you mean ${near}?` : '.'}`,
        )
        drop(data, path, key)
        unknown = true
      }
      continue
    }
    wrong = true
    const found = at(data, path)
    report.error(path, words(issue, found, path.at(-1)), {
      ...(found === undefined ? {} : { found }),
      ...(issue.values ? { allowed: issue.values.map(String).join(', ') } : {}),
    })
  }
  if (wrong || !unknown) return undefined
  return readShape(data, report)
}

/** Reads one contract's text without throwing for what is wrong in it. */
export const draftContract = (text: string, file: string): Draft => {
  let yaml: ReturnType<typeof parseYaml>
  try {
    yaml = parseYaml(text, file)
  } catch (cause) {
    if (!(cause instanceof ContractError)) throw cause
    return { file, errors: cause.issues, warnings: [], objects: [] }
  }
  const { data, places } = yaml
  const report = createReport(file, places)
  const done = (objects: Compiled[] = []): Draft => ({
    file,
    errors: report.errors,
    warnings: report.warnings,
    objects,
  })
  if (typeof data !== 'object' || data === null || Array.isArray(data)) {
    report.error(
      [],
      data === null || data === undefined
        ? 'The file is empty.'
        : 'The file is not a map of keys, so it is no contract.',
      {
        allowed: 'a data contract: apiVersion, kind, id, version, status, schema',
      },
    )
    return done()
  }
  const { kind, apiVersion } = data as Record<string, unknown>
  if (kind !== undefined && kind !== 'DataContract') {
    report.error(['kind'], 'This is not a data contract.', { found: kind, allowed: 'DataContract' })
    return done()
  }
  if (typeof apiVersion === 'string' && !/^v?3\.\d+(?:\.\d+)?$/.test(apiVersion.trim())) {
    report.error(['apiVersion'], 'Weir reads version 3 of the Open Data Contract Standard.', {
      found: apiVersion,
      allowed: 'v3.1.0, or any other 3.x',
    })
    return done()
  }
  const contract = readShape(data, report)
  return done(contract ? compileContract(contract, report) : [])
}

const isContractFile = (name: string): boolean => /\.ya?ml$/i.test(name)

/** All contract files below a folder, sorted, so that messages and duplicates come in one order everywhere. */
export const contractFiles = async (dir: string): Promise<string[]> => {
  let entries: string[]
  try {
    entries = await readdir(dir, { recursive: true })
  } catch (cause) {
    const reason =
      (cause as NodeJS.ErrnoException).code === 'ENOENT'
        ? 'The folder of contracts is not there.'
        : `The folder of contracts cannot be read: ${(cause as Error).message}.`
    throw new ContractError([
      {
        file: dir,
        path: '',
        message: reason,
        allowed: 'a folder with one YAML file per contract; `weir init` makes one',
      },
    ])
  }
  const hidden = (path: string): boolean => path.split(sep).some((part) => part.startsWith('.'))
  return entries
    .filter((name) => isContractFile(name) && !hidden(name))
    .sort()
    .map((name) => join(dir, name))
}

const draftFile = async (path: string, name: string): Promise<Draft> => {
  try {
    if ((await stat(path)).isDirectory()) return { file: name, errors: [], warnings: [], objects: [] }
    const bytes = await readFile(path)
    return draftContract(new TextDecoder('utf-8', { fatal: true }).decode(bytes), name)
  } catch (cause) {
    const message =
      cause instanceof TypeError
        ? 'The file is not UTF-8 text.'
        : `The file cannot be read: ${(cause as Error).message}.`
    return { file: name, errors: [{ file: name, path: '', message }], warnings: [], objects: [] }
  }
}

/** Reads all contracts of a folder, problems included; a dataset in two files is an error in the second. */
export const draftContracts = async (dir: string): Promise<Draft[]> => {
  const drafts: Draft[] = []
  for (const path of await contractFiles(dir))
    drafts.push(await draftFile(path, relative(dir, path).split(sep).join('/')))
  markDuplicates(drafts)
  return drafts
}

const markDuplicates = (drafts: Draft[]): void => {
  const first = new Map<string, { file: string; name: string }>()
  for (const draft of drafts) {
    for (const { dataset, path } of draft.objects) {
      const key = dataset.toLowerCase()
      const other = first.get(key)
      if (!other) first.set(key, { file: draft.file, name: dataset })
      else {
        draft.errors.push({
          file: draft.file,
          path: `schema[${String(path[1])}].name`,
          message: `The dataset ${dataset} is described twice: in ${other.file} and in ${draft.file}${other.name === dataset ? '' : ` (names differ in more than case, and ${other.name} does not)`}.`,
          found: dataset,
          allowed: 'one contract object per dataset; rename or remove one',
        })
      }
    }
  }
}

const contractsOf = (drafts: Draft[]): Contracts => {
  const errors = drafts.flatMap((d) => d.errors)
  if (errors.length > 0) throw new ContractError(errors)
  const plans = new Map<string, Plan>()
  for (const { plan } of drafts.flatMap((d) => d.objects)) if (plan) plans.set(plan.dataset, plan)
  return { plans, warnings: drafts.flatMap((d) => d.warnings), files: drafts.map((d) => d.file) }
}

/** Reads every contract below a folder. Throws one ContractError with all problems of all files. */
export const readContracts = async (dir: string): Promise<Contracts> => contractsOf(await draftContracts(dir))

/** Reads one contract file. */
export const readContractFile = async (file: string): Promise<Contracts> => {
  const draft = await draftFile(file, basename(file))
  markDuplicates([draft])
  return contractsOf([draft])
}

/** Reads a contract from its text; `file` is only its name in messages. */
export const parseContract = (text: string, file = 'contract.yaml'): Contracts => {
  const draft = draftContract(text, file)
  markDuplicates([draft])
  return contractsOf([draft])
}

/** Beside the folder of contracts of a deployment: the file of each dataset, as JSON. */
export const contractsIndex = (folder: string): string => `${folder}.index.json`

/** The file of each dataset. What cannot be read is left out: whoever deploys has read it all before. */
export const indexContracts = (files: readonly { name: string; text: string }[]): Record<string, string> =>
  Object.fromEntries(
    files.flatMap(({ name, text }) => draftContract(text, name).objects.map(({ dataset }) => [dataset, name])),
  )

/** Reads contracts from their texts, as a deployed lake hands them out. Throws one ContractError with all problems of all files. */
export const parseContracts = (files: readonly { name: string; text: string }[]): Contracts => {
  const drafts = files.map(({ name, text }) => draftContract(text, name))
  markDuplicates(drafts)
  return contractsOf(drafts)
}
