// The command line as a function: arguments and streams in, exit code out. bin/weir.ts and the tests call it.

import { CommanderError } from 'commander'
import { describeError, type ExitCode, UsageError } from './errors.ts'
import type { Io } from './io.ts'
import { buildProgram } from './program.ts'
import { type Cli, printError } from './run.ts'

/** Runs one command line. `args` are the words after `weir`. */
export async function main(args: string[], io: Io): Promise<ExitCode> {
  const end = args.indexOf('--')
  const json = args.slice(0, end < 0 ? undefined : end).includes('--json')
  let shown = ''
  const out = {
    write(text: string) {
      shown += text
    },
  }
  const cli: Cli = { io, exit: 0, ...(json ? { out } : {}) }
  const print = (document: unknown) => void io.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  try {
    await buildProgram(cli).parseAsync(args, { from: 'user' })
    return cli.exit
  } catch (error) {
    // Help and version also end this way, with code 0.
    if (error instanceof CommanderError && error.exitCode === 0) {
      if (json) print(error.code === 'commander.version' ? { version: shown.trim() } : { help: shown })
      return 0
    }
    const bare = error instanceof CommanderError && error.code === 'commander.help'
    const document = describeError(
      bare
        ? new UsageError('Which command? "weir help" lists them, and "weir help <command>" shows how one is used.')
        : error,
      io.env,
    )
    if (json) print(document)
    else if (bare) {
      return 3 // `weir` alone: commander has printed the help already.
    } else {
      printError(io, { ...document.error, advice: document.error.advice ?? 'To see how it is used: weir help' })
    }
    return document.error.exitCode
  }
}
