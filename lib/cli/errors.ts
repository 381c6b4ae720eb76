// The one place that turns errors into exit codes and into words on the terminal or in JSON.

import type { ContractIssue } from '../contract/errors.ts'
import type { ModelIssue } from '../lake/models/issues.ts'
import { shellWord } from '../lake/render/format.ts'

/** 0 all accepted · 1 with rejects · 2 refused: a file, or what a model made · 3 wrong usage, contract or model · 4 our fault · 130 stopped by Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 3 | 4 | 130

/** The command line was used in a way that cannot work; the message says what would. */
export class UsageError extends Error {
  override name = 'UsageError'
}

/** Ctrl-C where the usual words about it would not be right. */
export class Interrupted extends Error {
  override name = 'Interrupted'
}

/** Files lie safely in the landing zone of a deployed lake, and the time to wait for their receipts is over. */
export class NoReceiptYet extends Error {
  override name = 'NoReceiptYet'
  readonly advice: string
  constructor(
    pending: readonly { dataset: string; source: string; hash: string; replacedBy?: string | undefined }[],
    seconds: number,
    lake?: string,
  ) {
    const names = pending
      .slice(0, MOST_NAMED)
      .map(({ source, hash, replacedBy }) =>
        replacedBy === undefined
          ? `  ${source} (its upload id ends in ${hash})`
          : `  ${source} (another version came since: see weir receipt ${replacedBy})`,
      )
    if (pending.length > MOST_NAMED) names.push(`  and ${pending.length - MOST_NAMED} more`)
    super(
      `No receipt yet after ${seconds} s for ${pending.length === 1 ? 'this file, which lies' : `these ${pending.length} files, which lie`} safely in landing:\n${names.join('\n')}`,
    )
    const [first] = pending
    const where = lake === undefined ? '' : ` --lake ${shellWord(lake)}`
    this.advice = `Nothing needs to be dropped again: the lake goes on with what is in landing. To look later: weir receipt ${first?.hash ?? '<end of the id>'} --dataset ${first?.dataset ?? '<dataset>'}${where}. What the lake is doing: weir status${where}.`
  }
}

/** A deployed lake was asked for curated tables, and the time to wait for their runs is over. */
export class NotCuratedYet extends Error {
  override name = 'NotCuratedYet'
  readonly advice: string
  constructor(tables: readonly string[], seconds: number, lake?: string) {
    const names = tables.map((table) => `curated.${table}`).join(', ')
    super(`No run yet after ${seconds} s of ${names}.`)
    const where = lake === undefined ? '' : ` --lake ${shellWord(lake)}`
    this.advice = `The lake goes on with what it was asked for. What came of it: weir runs${where}. What the lake is doing: weir status${where}.`
  }
}

/** A deployed lake was asked to drop tables, and the time to wait for that is over. */
export class NotDroppedYet extends Error {
  override name = 'NotDroppedYet'
  readonly advice: string
  constructor(tables: readonly string[], seconds: number, lake?: string) {
    const names = tables.map((table) => `curated.${table}`).join(', ')
    super(`Not dropped after ${seconds} s: ${names}.`)
    const where = lake === undefined ? '' : ` --lake ${shellWord(lake)}`
    this.advice = `The lake goes on with what it was asked for. What is left over then: weir status${where}. Why: the log of the curate function. Asking again does no harm.`
  }
}

const MOST_NAMED = 10

/** Errors that the user can mend, by name: the classes live in the layers that throw them. */
const MENDABLE = new Set([
  'UsageError',
  'CommanderError',
  'InvalidArgumentError',
  'ContractError',
  'ModelError',
  'UnknownTable',
  'SchemaChangeRefused',
  'ConfigError',
  'UnknownDataset',
  'UnknownSource',
  'CannotDrop',
  'CannotDropTable',
  'CannotInfer',
  'InvalidKey',
  'QueryError',
  'UnsupportedSql',
  'CredentialsError',
  'AccessDenied',
  'LakeNotDeployed',
])

/** Of these a fault in the middle of the work says no more than they do: so they are told as they are. */
const OF_THE_ACCOUNT = new Set(['CredentialsError', 'AccessDenied', 'LakeNotDeployed', 'Unreachable', 'Throttled'])

/** The error that says what is wrong: the pipeline wraps what AWS says of login and permissions into a fault of a file. */
function innermost(error: unknown): unknown {
  for (let at = error; at instanceof Error; at = at.cause) if (OF_THE_ACCOUNT.has(at.name)) return at
  return error
}

/** Whether AWS did not allow it. */
export function isDenied(error: unknown): boolean {
  const found = innermost(error)
  return found instanceof Error && found.name === 'AccessDenied'
}

export interface ErrorDocument {
  error: {
    name: string
    message: string
    exitCode: ExitCode
    advice?: string
    issues?: (ContractIssue | ModelIssue)[]
    stack?: string
  }
}

export function exitCodeOf(given: unknown): ExitCode {
  const error = innermost(given)
  if (!(error instanceof Error)) return 4
  // A file that cannot be read at all, where there is no receipt to say so (infer).
  if (error.name === 'Refusal') return 2
  return MENDABLE.has(error.name) ? 3 : 4
}

/** What to tell: name, message, and how to go on. The stack only where WEIR_DEBUG asks for it. */
export function describeError(given: unknown, env: Record<string, string | undefined>): ErrorDocument {
  const error = innermost(given)
  const exitCode = exitCodeOf(error)
  const known = error instanceof Error ? error : new Error(String(error))
  const issues =
    'issues' in known && Array.isArray(known.issues) ? (known.issues as (ContractIssue | ModelIssue)[]) : undefined
  return {
    error: {
      name: known.name,
      message: messageOf(known),
      exitCode,
      ...adviceFor(known, exitCode, env),
      ...(issues ? { issues } : {}),
      ...(env.WEIR_DEBUG ? { stack: known.stack } : {}),
    },
  }
}

function messageOf(error: Error): string {
  // Commander says "error: unknown option …"; the word is ours to add.
  return error.message.replace(/^error: /, '').trim() || error.name
}

function adviceFor(error: Error, exitCode: ExitCode, env: Record<string, string | undefined>): { advice?: string } {
  if ('advice' in error && typeof error.advice === 'string') return { advice: error.advice }
  if (exitCode === 4) return { advice: adviceOf(error, env) }
  const reason = 'reason' in error ? (error.reason as { advice?: string } | undefined) : undefined
  return reason?.advice === undefined ? {} : { advice: reason.advice }
}

function adviceOf(error: Error, env: Record<string, string | undefined>): string {
  const { name, message } = error
  const lines: string[] = []
  if (/ENOSPC|EDQUOT|no space left/i.test(message)) lines.push('The disk is full: make room on it first.')
  else if (name === 'StorageError' && !/\bAWS\b|s3:/.test(message))
    lines.push('First make sure that the disk has room and that the lake can be written to.')
  // The lake's own errors say how to go on; saying it twice in other words would only make one wonder.
  if (!/weir reconcile|weir curate|Restore it from a backup/.test(message)) {
    lines.push(
      'The state is safe: nothing half done can be seen, and what was dropped is kept. Run the same command again, or "weir reconcile".',
    )
  }
  if (!env.WEIR_DEBUG && lines.length < 2) lines.push('If it happens again, WEIR_DEBUG=1 shows where.')
  return lines.join(' ')
}
