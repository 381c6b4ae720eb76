// The lake that is deployed: the settings, contracts and models of one folder, read at synthesis.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import { contractFiles, readContracts } from '../contract/read.ts'
import type { CuratedIndex } from '../lake/aws/curated-index.ts'
import { athenaProblems } from '../lake/aws/types.ts'
import { type AwsSettings, CONFIG_FILE, type LakeConfig, parseLakeConfig, readLakeConfig } from '../lake/config.ts'
import { checkModels } from '../lake/models/check.ts'
import { ModelError } from '../lake/models/issues.ts'
import { tablesOfLake } from '../lake/models/known.ts'
import type { Model } from '../lake/models/model.ts'
import { readModels } from '../lake/models/read.ts'
import { curatedTableOf, tableOf } from '../lake/tables.ts'
import { CannotDeploy } from './errors.ts'

export interface LakeToDeploy {
  config: LakeConfig
  /** By dataset, in the order of their names. */
  plans: Plan[]
  /** The contract files, by their path below the folder of contracts, with `/`. */
  contracts: { name: string; text: string }[]
  models: {
    /** Their files, by name. */
    files: { name: string; text: string }[]
    /** Those that wait for their time. */
    scheduled: { table: string; schedule: string }[]
  }
  /** Every curated table: the entity tables, then the models. */
  curated: CuratedIndex
  /** The text of weir.yaml; undefined where there is none, and the defaults count. */
  settings: string | undefined
}

/** Reads what a folder deploys. Throws ConfigError, ContractError, ModelError or CannotDeploy. */
export async function readLakeToDeploy(folder: string): Promise<LakeToDeploy> {
  const root = resolve(folder)
  const file = join(root, CONFIG_FILE)
  const there = await stat(file).catch(() => undefined)
  const config = there ? await readLakeConfig(root) : parseLakeConfig('', file)
  const { plans } = await readContracts(config.contracts)
  const found = [...plans.values()].sort((a, b) => (a.dataset < b.dataset ? -1 : 1))
  const { models, files } = await readModelFiles(config.models, found)
  const curated = indexOf(found, models)
  hold(config, found, models)
  const contracts = []
  for (const path of await contractFiles(config.contracts)) {
    if (!(await stat(path)).isFile()) continue
    const name = relative(config.contracts, path).split(sep).join('/')
    contracts.push({ name, text: await readFile(path, 'utf8') })
  }
  const scheduled = models.flatMap(({ name, schedule }) => (schedule === undefined ? [] : [{ table: name, schedule }]))
  const settings = there ? await readFile(file, 'utf8') : undefined
  return { config, plans: found, contracts, models: { files, scheduled }, curated, settings }
}

/** The models of a folder, held against the contracts. Throws ModelError with all that lint would say. */
async function readModelFiles(folder: string, plans: Plan[]) {
  const read = await readModels(folder)
  const { models, errors } = checkModels(read.models, tablesOfLake(plans))
  const all = [...read.errors, ...errors]
  if (all.length > 0) throw new ModelError(all)
  const files = read.models.map(({ file, text }) => ({ name: file, text }))
  return { models, files: files.sort((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** Which curated tables there are, and what of clean each reads: as the curate use case sees it. */
function indexOf(plans: Plan[], models: readonly Model[]): CuratedIndex {
  const entities = plans.flatMap(
    (plan): CuratedIndex =>
      curatedTableOf(plan) ? [{ table: plan.dataset, kind: 'entity', datasets: [plan.dataset], scheduled: false }] : [],
  )
  const made = models.map(({ name, materialized, reads, schedule }) => ({
    table: name,
    kind: materialized,
    datasets: reads.filter((one) => one.startsWith('clean.')).map((one) => one.slice('clean.'.length)),
    scheduled: schedule !== undefined,
  }))
  return [...entities, ...made]
}

/** Names that contracts may have and a deployment cannot. */
function hold({ aws, environment, contracts }: LakeConfig, plans: Plan[], models: readonly Model[]): void {
  if (plans.length === 0)
    throw new CannotDeploy(
      `There is no contract in ${contracts}, so there is no dataset to deploy. Name the lake's folder (-c lake=<folder>), or draft a contract: weir infer <file>`,
    )
  const problems = plans.flatMap((plan) =>
    athenaProblems(tableOf(plan))
      .filter(({ severity }) => severity === 'error')
      .map(({ message }) => `${plan.contract.file}: ${message}`),
  )
  for (const { file, table } of models)
    for (const { severity, message } of athenaProblems(table))
      if (severity === 'error') problems.push(`${file}: ${message}`)
  for (const { dataset, contract } of plans) {
    if (!/^[A-Za-z0-9_-]{1,200}$/.test(dataset))
      problems.push(
        `${contract.file}: the dataset ${dataset} gets an SNS topic, whose name takes up to 200 of a-z, A-Z, 0-9, _ and -. Rename it.`,
      )
  }
  const known = new Set(plans.map(({ dataset }) => dataset))
  for (const [name, uploader] of Object.entries(aws.uploaders))
    for (const dataset of datasetsOf(uploader).filter((one) => !known.has(one)))
      problems.push(
        `${CONFIG_FILE}: aws.uploaders.${name} names ${dataset}, and no contract describes that dataset. There are: ${[...known].join(', ')}.`,
      )
  if (aws.deleteData !== undefined && aws.deleteData !== environment)
    problems.push(`${CONFIG_FILE}: aws.deleteData must be the environment's name, ${environment}, or not be there.`)
  if (problems.length > 0) throw new CannotDeploy(problems.join('\n'))
}

/** The datasets of one of aws.uploaders, written as a list or with who may take on its role. */
export const datasetsOf = (uploader: AwsSettings['uploaders'][string]): string[] =>
  Array.isArray(uploader) ? uploader : uploader.datasets

/** True when both keys are turned: the data may go with the stacks. */
export const mayDelete = ({ aws, environment }: LakeConfig): boolean =>
  aws.removalPolicy === 'destroy' && aws.deleteData === environment

/** True for a dataset with values that are not for everybody, by its contract. */
export const isClassified = (plan: Plan): boolean => plan.columns.some((column) => column.sensitive)

/** Names the contracts and models of one deployment: the same files give the same. */
export function versionOf({ contracts, models }: Pick<LakeToDeploy, 'contracts' | 'models'>): string {
  const hash = createHash('sha256')
  for (const { name, text } of [...contracts, ...models.files]) hash.update(`${name}\0${text}\0`)
  return hash.digest('hex').slice(0, 12)
}
