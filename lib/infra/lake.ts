// The lake that is deployed: the settings and contracts of one folder, read at synthesis.

import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join, relative, resolve, sep } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import { contractFiles, readContracts } from '../contract/read.ts'
import { athenaProblems } from '../lake/aws/types.ts'
import { type AwsSettings, CONFIG_FILE, type LakeConfig, parseLakeConfig, readLakeConfig } from '../lake/config.ts'
import { tableOf } from '../lake/tables.ts'
import { CannotDeploy } from './errors.ts'

export interface LakeToDeploy {
  config: LakeConfig
  /** By dataset, in the order of their names. */
  plans: Plan[]
  /** The contract files, by their path below the folder of contracts, with `/`. */
  contracts: { name: string; text: string }[]
  /** The text of weir.yaml; undefined where there is none, and the defaults count. */
  settings: string | undefined
}

/** Reads what a folder deploys. Throws ConfigError, ContractError or CannotDeploy. */
export async function readLakeToDeploy(folder: string): Promise<LakeToDeploy> {
  const root = resolve(folder)
  const file = join(root, CONFIG_FILE)
  const there = await stat(file).catch(() => undefined)
  const config = there ? await readLakeConfig(root) : parseLakeConfig('', file)
  const { plans } = await readContracts(config.contracts)
  const found = [...plans.values()].sort((a, b) => (a.dataset < b.dataset ? -1 : 1))
  hold(config, found)
  const contracts = []
  for (const path of await contractFiles(config.contracts)) {
    if (!(await stat(path)).isFile()) continue
    const name = relative(config.contracts, path).split(sep).join('/')
    contracts.push({ name, text: await readFile(path, 'utf8') })
  }
  return { config, plans: found, contracts, settings: there ? await readFile(file, 'utf8') : undefined }
}

/** Names that contracts may have and a deployment cannot. */
function hold({ aws, environment, contracts }: LakeConfig, plans: Plan[]): void {
  if (plans.length === 0)
    throw new CannotDeploy(
      `There is no contract in ${contracts}, so there is no dataset to deploy. Name the lake's folder (-c lake=<folder>), or draft a contract: weir infer <file>`,
    )
  const problems = plans.flatMap((plan) =>
    athenaProblems(tableOf(plan))
      .filter(({ severity }) => severity === 'error')
      .map(({ message }) => `${plan.contract.file}: ${message}`),
  )
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

/** Names the contracts of one deployment: the same files give the same. */
export function versionOf({ contracts }: Pick<LakeToDeploy, 'contracts'>): string {
  const hash = createHash('sha256')
  for (const { name, text } of contracts) hash.update(`${name}\0${text}\0`)
  return hash.digest('hex').slice(0, 12)
}
