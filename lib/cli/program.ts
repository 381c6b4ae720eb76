// All commands of `weir`, in the order in which a newcomer meets them. Each has its own file in commands/.

import { Command, InvalidArgumentError } from 'commander'
import { WEIR_VERSION } from '../version.ts'
import { checkCommand } from './commands/check.ts'
import { curateCommand } from './commands/curate.ts'
import { diffCommand } from './commands/diff.ts'
import { dropCommand } from './commands/drop.ts'
import { inferCommand } from './commands/infer.ts'
import { initCommand } from './commands/init.ts'
import { lintCommand } from './commands/lint.ts'
import { queryCommand } from './commands/query.ts'
import { receiptCommand } from './commands/receipt.ts'
import { receiptsCommand } from './commands/receipts.ts'
import { reconcileCommand } from './commands/reconcile.ts'
import { rejectsCommand } from './commands/rejects.ts'
import { replayCommand } from './commands/replay.ts'
import { retractCommand } from './commands/retract.ts'
import { runsCommand } from './commands/runs.ts'
import { statusCommand } from './commands/status.ts'
import { watchCommand } from './commands/watch.ts'
import { type Cli, LAKE_OPTION } from './run.ts'

const COMMANDS = [
  initCommand,
  inferCommand,
  lintCommand,
  diffCommand,
  checkCommand,
  dropCommand,
  watchCommand,
  receiptsCommand,
  receiptCommand,
  rejectsCommand,
  queryCommand,
  curateCommand,
  runsCommand,
  statusCommand,
  retractCommand,
  replayCommand,
  reconcileCommand,
]

export function buildProgram(cli: Cli): Command {
  const program = new Command('weir')
    .description('A data lake that lets the clean rows through, and says what became of each of the others.')
    .version(WEIR_VERSION, '--version', "show Weir's version")
    .option('--lake <lake>', LAKE_OPTION)
    .option('--json', 'one JSON document on stdout, for machines; logs on stderr')
    .enablePositionalOptions()
    .helpCommand('help [command]', 'show how a command is used')
    .addHelpText(
      'after',
      `
Exit codes:
  0  done, all rows accepted         3  wrong usage or contract
  1  done, with rejects              4  our fault: the state is safe, and the message says how to go on
  2  refused; tests of a model failed

Example:
  $ weir init my-lake && cd my-lake && weir drop samples/orders.csv`,
    )
  for (const make of COMMANDS) program.addCommand(make(cli))
  for (const command of [program, ...program.commands]) {
    refuseOptionsAsValues(command)
    command
      .exitOverride()
      .showSuggestionAfterError()
      .configureOutput({
        writeOut: (text) => void (cli.out ?? cli.io.stdout).write(text),
        // Errors are printed once, by main; only the help of a bare `weir` comes this way.
        writeErr: (text) => void (text.startsWith('error:') || cli.io.stderr.write(text)),
      })
  }
  return program
}

/** `drop f --name --json` forgot the name: the next option is no value. Commander would take it for one. */
function refuseOptionsAsValues(command: Command): void {
  const flags = new Set(command.options.flatMap(({ short, long }) => [short, long]))
  for (const option of command.options) {
    if (!option.required) continue
    const parseArg: ((value: string, previous: unknown) => unknown) | undefined = option.parseArg
    option.argParser((value: string, previous: unknown) => {
      if (flags.has(value) || value === '--help')
        throw new InvalidArgumentError(`It needs a value, and ${value} is an option.`)
      return parseArg ? parseArg(value, previous) : value
    })
  }
}
