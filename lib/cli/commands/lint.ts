// `weir lint`: all contracts of the lake; errors, warnings, and the clauses that Weir does not enforce.

import { relative } from 'node:path'
import type { Command } from 'commander'
import { issueText } from '../../contract/errors.ts'
import type { Plan } from '../../contract/plan.ts'
import { readContractFile } from '../../contract/read.ts'
import { formatRows, visible } from '../../lake/render/format.ts'
import { existingFile } from '../files.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'

interface Options extends GlobalOptions {
  contract?: string
}

export function lintCommand(cli: Cli): Command {
  return defineCommand('lint', 'check all contracts: errors, warnings, and clauses that are not enforced', [
    'weir lint',
    'weir lint --contract draft.yaml',
  ])
    .option('--contract <file>', 'check this contract only; needs no lake')
    .action(
      act<[], Options>(cli, async (run, options) => {
        const read =
          options.contract === undefined
            ? await run.session.contracts()
            : await readContractFile(await existingFile(run.io, options.contract))
        const plans = [...read.plans.values()]
        for (const plan of plans) describe(plan, run.say, run.io.cwd)
        if (read.warnings.length > 0) {
          run.say('')
          run.say(run.paint('mixed', formatRows(read.warnings.length, 'warning')))
          for (const warning of read.warnings) run.say(`  ${visible(issueText(warning))}`)
        }
        run.say('')
        run.say(
          `${run.paint('good', '✓')} ${formatRows(plans.length, 'dataset')} in ${formatRows(read.files.length, 'file')}: no errors`,
        )
        return {
          exit: 0,
          json: {
            files: read.files,
            datasets: plans.map((plan) => ({
              dataset: plan.dataset,
              contract: plan.contract,
              columns: plan.columns.map(({ name, sqlType, required }) => ({ name, type: sqlType, required })),
              primaryKey: plan.primaryKey,
              notEnforced: plan.notEnforced,
            })),
            warnings: read.warnings,
          },
        }
      }),
    )
}

function describe(plan: Plan, say: (line: string) => void, cwd: string): void {
  const { contract, dataset, columns, notEnforced } = plan
  say(
    `${visible(dataset)}  ${formatRows(columns.length, 'column')}, contract ${visible(contract.id)} version ${visible(contract.version)}  (${relative(cwd, contract.file) || contract.file})`,
  )
  for (const clause of notEnforced) say(`  not enforced  ${visible(clause.path)}: ${visible(clause.reason)}`)
}
