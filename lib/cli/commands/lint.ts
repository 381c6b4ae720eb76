// `weir lint`: all contracts and models of the lake; errors, warnings, and the clauses that Weir does not enforce.

import { existsSync } from 'node:fs'
import { join, relative } from 'node:path'
import type { Command } from 'commander'
import { type ContractIssue, issueText } from '../../contract/errors.ts'
import { type LintResult, lintContracts } from '../../contract/lint.ts'
import { readContracts } from '../../contract/read.ts'
import { athenaProblems } from '../../lake/aws/types.ts'
import { checkModels } from '../../lake/models/check.ts'
import { type ModelIssue, modelIssueText } from '../../lake/models/issues.ts'
import { tablesOfLake } from '../../lake/models/known.ts'
import type { Materialized } from '../../lake/models/model.ts'
import { readModels } from '../../lake/models/read.ts'
import { formatRows, visible } from '../../lake/render/format.ts'
import type { Ink } from '../../lake/render/paint.ts'
import { tableOf } from '../../lake/tables.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

/** What there is to say of contracts and models together. */
interface Found extends Omit<LintResult, 'errors' | 'warnings'> {
  errors: (ContractIssue | ModelIssue)[]
  warnings: (ContractIssue | ModelIssue)[]
  /** In the order in which they are made. */
  models: { name: string; file: string; materialized: Materialized; reads: string[] }[]
}

/** … and what the last lines say of the models. */
interface Looked extends Found {
  modelFiles: number
  /** Those whose SQL was not looked at. */
  unchecked: number
}

export function lintCommand(cli: Cli): Command {
  return defineCommand('lint', 'check all contracts and models: errors, warnings, and clauses that are not enforced', [
    'weir lint',
  ]).action(
    act<[], GlobalOptions>(cli, async (run) => {
      const folder = await run.session.contractsFolder()
      const contracts = await lintContracts(folder)
      if (contracts.errors.length === 0) contracts.notes.push(...(await notesOnAthena(folder)))
      const { root, models } = await run.session.config()
      const found = await withModels(contracts, folder, models)
      if (models !== join(root, 'models') && !existsSync(models))
        found.errors.push({
          file: models,
          message: 'weir.yaml says that models lie in this folder, and it is not there.',
        })
      say(run, found, relative(run.io.cwd, folder) || folder)
      const { modelFiles: _, unchecked: __, ...json } = found
      return { exit: found.errors.length > 0 ? 3 : 0, json }
    }),
  )
}

/** The models, held against the tables that the contracts make. Those of wrong contracts would only be missed. */
async function withModels(contracts: LintResult, contractsFolder: string, folder: string): Promise<Looked> {
  const read = await readModels(folder)
  const isSound = contracts.errors.length === 0
  const checked =
    isSound && read.models.length > 0
      ? checkModels(read.models, tablesOfLake((await readContracts(contractsFolder)).plans.values()))
      : { models: [], errors: [], warnings: [] }
  return {
    ...contracts,
    errors: [...contracts.errors, ...read.errors, ...checked.errors],
    warnings: [...contracts.warnings, ...checked.warnings],
    models: checked.models.map(({ name, file, materialized, reads }) => ({ name, file, materialized, reads })),
    modelFiles: read.models.length,
    unchecked: isSound ? 0 : read.models.length,
  }
}

/** What these contracts could not be deployed with: a lake may begin in a folder and move to AWS later. */
async function notesOnAthena(folder: string): Promise<LintResult['notes']> {
  const { plans } = await readContracts(folder)
  return [...plans.values()].flatMap((plan) =>
    athenaProblems(tableOf(plan))
      .filter(({ severity }) => severity === 'error')
      .map(({ message }) => ({
        dataset: plan.dataset,
        file: plan.contract.file,
        note: `This cannot be deployed to AWS. ${message}`,
      })),
  )
}

function say(run: Run, found: Looked, folder: string): void {
  issues(run, 'bad', 'error', found.errors)
  issues(run, 'mixed', 'warning', found.warnings)
  if (found.notEnforced.length > 0) {
    run.say(run.paint('bold', 'Not enforced'))
    for (const { dataset, clauses } of found.notEnforced) {
      for (const clause of clauses) run.say(`  ${visible(dataset)}  ${visible(clause.path)}: ${visible(clause.reason)}`)
    }
  }
  if (found.notes.length > 0) {
    run.say(run.paint('bold', 'Worth knowing'))
    for (const { dataset, note } of found.notes) run.say(`  ${visible(dataset)}  ${visible(note)}`)
  }
  if (found.unchecked > 0)
    run.say(`The SQL of ${formatRows(found.unchecked, 'model')} is checked once the contracts have no errors.`)
  const contracts = `${formatRows(found.datasets.length, 'dataset')} in ${formatRows(found.files.length, 'file')} of ${folder}`
  const what = found.modelFiles > 0 ? `${contracts}, ${formatRows(found.modelFiles, 'model')}` : contracts
  if (found.errors.length > 0) run.say(`${run.paint('bad', '✗')} ${formatRows(found.errors.length, 'error')}: ${what}`)
  else run.say(`${run.paint('good', '✓')} ${what}, no errors`)
}

function issues(run: Run, ink: Ink, noun: string, list: (ContractIssue | ModelIssue)[]): void {
  if (list.length === 0) return
  run.say(run.paint(ink, formatRows(list.length, noun)))
  for (const issue of list) run.say(`  ${visible('path' in issue ? issueText(issue) : modelIssueText(issue))}`)
}
