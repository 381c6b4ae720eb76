// `weir diff`: what the contracts in the folder would do to the tables that are deployed; nothing is changed.

import { resolve } from 'node:path'
import type { Command } from 'commander'
import { readContracts } from '../../contract/read.ts'
import type { Lake } from '../../lake/ports.ts'
import { formatRows, visible } from '../../lake/render/format.ts'
import type { Ink } from '../../lake/render/paint.ts'
import { tableOf } from '../../lake/tables.ts'
import { type DatasetDiff, type DeployedDataset, diffContracts, type Impact } from '../../pipeline/diff.ts'
import { newestReceipt } from '../../pipeline/status.ts'
import { isDenied } from '../errors.ts'
import { act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'

interface Options extends GlobalOptions {
  contracts?: string
  dropped: string[]
}

export function diffCommand(cli: Cli): Command {
  return defineCommand('diff', 'show what changed contracts would do to the tables; nothing is changed', [
    'weir diff',
    'weir diff --lake aws:weir --contracts contracts',
  ])
    .option('--contracts <dir>', "the changed contracts (default: the contracts of the lake's folder)")
    .option(
      '--dropped <dataset>',
      'a dataset that is meant to go; may be given several times',
      (name: string, names: string[]) => [...names, name],
      [] as string[],
    )
    .action(
      act<[], Options>(cli, async (run, options) => {
        const folder =
          options.contracts === undefined ? await run.session.contractsFolder() : resolve(run.io.cwd, options.contracts)
        const { plans } = await readContracts(folder)
        const diff = diffContracts(await deployedDatasets(run), plans, { dropped: options.dropped })
        for (const one of diff.datasets) if (one.state !== 'same') run.say(listOf(run, one))
        const changed = diff.datasets.filter(({ state }) => state !== 'same').length
        const problems = diff.datasets.filter(({ problem }) => problem !== undefined).length
        if (changed === 0) run.say(`${run.paint('good', '✓')} The tables are what the contracts say.`)
        else if (problems === 0) {
          run.say(
            `${run.paint('good', '✓')} ${formatRows(changed, 'dataset')} changed; nothing keeps it from being deployed.`,
          )
        } else {
          run.say(
            `${run.paint('bad', '✗')} ${formatRows(problems, 'dataset')} of ${changed} must not be deployed like this.`,
          )
        }
        return { exit: diff.ok ? 0 : 3, json: diff }
      }),
    )
}

/** On AWS the contracts that are deployed; in a folder the tables, and the contract that the newest upload was checked by. */
async function deployedDatasets(run: Run): Promise<Map<string, DeployedDataset>> {
  const lake = await run.session.lake()
  const found = new Map<string, DeployedDataset>()
  if (await run.session.deployed()) {
    const { plans } = await run.session.contracts()
    for (const plan of plans.values()) {
      // Who may not look into the catalog still learns what the contracts say.
      const table = await lake.catalog.getTable(`clean.${plan.dataset}`).catch((error: unknown) => {
        if (isDenied(error)) return tableOf(plan)
        throw error
      })
      found.set(plan.dataset, { plan, ...(table ? { table } : {}) })
    }
    return found
  }
  for (const table of await lake.catalog.listTables()) {
    const [, dataset] = /^clean\.(.+)$/.exec(table.name) ?? []
    if (dataset !== undefined) found.set(dataset, { table, ...(await checkedBy(lake, dataset)) })
  }
  return found
}

async function checkedBy(lake: Lake, dataset: string): Promise<Pick<DeployedDataset, 'contract'>> {
  const receipt = await newestReceipt(lake, dataset, new Date())
  return receipt ? { contract: receipt.contract } : {}
}

const INKS: Record<Impact, Ink> = { breaking: 'bad', compatible: 'good', note: 'neutral' }

function listOf(run: Run, { dataset, from, state, version, changes, problem }: DatasetDiff): string {
  const { deployed, local } = version
  const versions = deployed === local ? (local ?? '') : [deployed, local].filter((one) => one !== null).join(' → ')
  const name = from === undefined ? dataset : `${from} → ${dataset}`
  const lines = [
    `${run.paint('bold', visible(name))}  ${state}${versions === '' ? '' : `  ${run.paint('dim', `version ${visible(versions)}`)}`}`,
  ]
  for (const { impact, message } of changes)
    lines.push(`  ${run.paint(INKS[impact], impact.padEnd(10))}  ${visible(message)}`)
  if (problem !== undefined) lines.push(`  ${run.paint('bad', '✗')} ${visible(problem)}`)
  return lines.join('\n')
}
