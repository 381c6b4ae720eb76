// `weir lint`: all contracts of the lake; errors, warnings, and the clauses that Weir does not enforce.

import { relative } from 'node:path'
import type { Command } from 'commander'
import { type ContractIssue, issueText } from '../../contract/errors.ts'
import { type LintResult, lintContracts } from '../../contract/lint.ts'
import { readContracts } from '../../contract/read.ts'
import { athenaProblems } from '../../lake/aws/types.ts'
import { formatRows, visible } from '../../lake/render/format.ts'
import type { Ink } from '../../lake/render/paint.ts'
import { tableOf } from '../../lake/tables.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

export function lintCommand(cli: Cli): Command {
  return defineCommand('lint', 'check all contracts: errors, warnings, and clauses that are not enforced', [
    'weir lint',
  ]).action(
    act<[], GlobalOptions>(cli, async (run) => {
      const folder = await run.session.contractsFolder()
      const found = await lintContracts(folder)
      if (found.errors.length === 0) found.notes.push(...(await notesOnAthena(folder)))
      say(run, found, relative(run.io.cwd, folder) || folder)
      return { exit: found.errors.length > 0 ? 3 : 0, json: found }
    }),
  )
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

function say(run: Run, found: LintResult, folder: string): void {
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
  const what = `${formatRows(found.datasets.length, 'dataset')} in ${formatRows(found.files.length, 'file')} of ${folder}`
  if (found.errors.length > 0) run.say(`${run.paint('bad', '✗')} ${formatRows(found.errors.length, 'error')}: ${what}`)
  else run.say(`${run.paint('good', '✓')} ${what}, no errors`)
}

function issues(run: Run, ink: Ink, noun: string, list: ContractIssue[]): void {
  if (list.length === 0) return
  run.say(run.paint(ink, formatRows(list.length, noun)))
  for (const issue of list) run.say(`  ${visible(issueText(issue))}`)
}
