// Runs one command: opens its session, prints its answer as text or as the one JSON document, turns errors into exit codes, and
// closes what was opened, whatever happened.

import { Command } from 'commander'
import { visible } from '../lake/render/format.ts'
import { type Paint, plain } from '../lake/render/paint.ts'
import { describeError, type ExitCode, exitCodeOf, Interrupted } from './errors.ts'
import { type Io, paintFor } from './io.ts'
import { type Log, openSession, type Session } from './session.ts'

/** What a command ends with. `json` is printed with --json and only then. */
export interface Answer {
  exit: ExitCode
  json: unknown
}

/** What a command works with. */
export interface Run {
  io: Io
  session: Session
  json: boolean
  paint: Paint
  signal: AbortSignal
  /** A line for people on stdout; nothing with --json. */
  say(text: string): void
  /** Text for stdout as it is (a file's content). */
  write(text: string): void
  /** A line for people on stderr; nothing with --json. */
  note(text: string): void
}

export interface GlobalOptions {
  lake?: string
  json?: boolean
}

/** One command line being run. The exit code ends up here. */
export interface Cli {
  io: Io
  exit: ExitCode
  /** Takes help and version, where they are to be part of a document. */
  out?: { write(text: string): unknown }
}

export const LAKE_OPTION =
  'the lake to work on: a folder, or aws:<environment> (default: the nearest folder upward with a weir.yaml)'

/** A command with what every command has: --lake, --json, and help with an example. */
export function defineCommand(name: string, summary: string, examples: string[]): Command {
  return new Command(name)
    .description(summary)
    .option('--lake <lake>', LAKE_OPTION)
    .option('--json', 'one JSON document on stdout, for machines; logs on stderr')
    .addHelpText(
      'after',
      `\nExample${examples.length > 1 ? 's' : ''}:\n${examples.map((line) => `  $ ${line}`).join('\n')}`,
    )
}

/** Wraps a command's work for commander's `action`. */
export function act<A extends unknown[], O extends GlobalOptions>(
  cli: Cli,
  work: (run: Run, options: O, ...args: A) => Promise<Answer>,
): (...args: unknown[]) => Promise<void> {
  return async (...args) => {
    const command = args.at(-1) as Command
    const options = command.optsWithGlobals<O>()
    const positional = args.slice(0, -2) as A
    cli.exit = await runWork(cli.io, options, (run) => work(run, options, ...positional))
  }
}

async function runWork(io: Io, options: GlobalOptions, work: (run: Run) => Promise<Answer>): Promise<ExitCode> {
  const json = options.json === true
  const session = openSession(io, options, makeLog(io, json))
  const run: Run = {
    io,
    session,
    json,
    paint: json ? plain : paintFor(io),
    signal: io.signal,
    say: (text) => void (json || io.stdout.write(`${text}\n`)),
    write: (text) => void io.stdout.write(text),
    note: (text) => void (json || io.stderr.write(`${text}\n`)),
  }
  let answer: Answer
  try {
    answer = await work(run)
  } catch (error) {
    answer = failed(io, json, error)
  }
  try {
    await session.close()
  } catch (error) {
    if (answer.exit < 4) answer = failed(io, json, error)
  }
  if (json) io.stdout.write(`${JSON.stringify(answer.json, replaceBigInt, 2)}\n`)
  return answer.exit
}

function failed(io: Io, json: boolean, error: unknown): Answer {
  if (io.signal.aborted) {
    const message =
      error instanceof Interrupted
        ? error.message
        : 'Stopped. The lake is safe: the next "weir drop" or "weir watch" goes on where this one stopped, and "weir reconcile" mends what was left half done.'
    if (!json) io.stderr.write(`${message}\n`)
    return { exit: 130, json: { error: { name: 'Interrupted', message, exitCode: 130 } } }
  }
  const document = describeError(error, io.env)
  if (!json) printError(io, document.error)
  return { exit: exitCodeOf(error), json: document }
}

/** An error in words on stderr; also for usage errors that commander finds. */
export function printError(io: Io, error: { message: string; advice?: string; stack?: string }): void {
  // Messages may quote a file; line breaks are the message's own, other controls are not.
  const lines = error.message.split('\n').map((line) => visible(line))
  io.stderr.write(`weir: ${lines.join('\n')}\n`)
  if (error.advice) io.stderr.write(`${error.advice}\n`)
  if (error.stack) io.stderr.write(`${error.stack}\n`)
}

/** JSON lines on stderr for machines; people see them when they ask with WEIR_LOG=1. */
function makeLog(io: Io, json: boolean): Log {
  if (!json && !io.env.WEIR_LOG) return () => {}
  return (event) =>
    void io.stderr.write(`${JSON.stringify({ at: new Date().toISOString(), ...event }, replaceBigInt)}\n`)
}

function replaceBigInt(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value
}
