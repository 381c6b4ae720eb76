// What is wrong with a contract: the error that stops, and the collector through which every module here reports.

import type { NotEnforced } from './plan.ts'

/** One thing to mend or to know: where it is, what is there, what is allowed. */
export interface ContractIssue {
  file: string
  /** Path in the contract, e.g. `schema[0].properties[3].logicalType`; empty for the file as a whole. */
  path: string
  message: string
  /** What is there, as the contract has it. */
  found?: string
  /** What would be allowed in its place. */
  allowed?: string
  /** Line in the file, from 1. */
  line?: number
  /** Character of that line, from 1, where the place inside of a text is known: in SQL. */
  column?: number
}

/** One issue as one line: `orders.yaml:12 schema[0].name: … (found …; allowed: …)`. */
export const issueText = (issue: ContractIssue): string => {
  const where = `${issue.file}${issue.line === undefined ? '' : `:${issue.line}`}${issue.column === undefined ? '' : `:${issue.column}`}${issue.path ? ` ${issue.path}` : ''}`
  const details = [
    issue.found === undefined ? '' : `found ${issue.found}`,
    issue.allowed === undefined ? '' : `allowed: ${issue.allowed}`,
  ].filter(Boolean)
  return `${where}: ${issue.message}${details.length > 0 ? ` (${details.join('; ')})` : ''}`
}

/** A contract cannot be used. Carries every problem found, not only the first. */
export class ContractError extends Error {
  override name = 'ContractError'
  readonly issues: ContractIssue[]
  constructor(issues: ContractIssue[]) {
    const many = issues.length === 1 ? 'One problem' : `${issues.length} problems`
    super(
      `${many} in the contracts; mend the lines below and run \`weir lint\`.\n${issues.map((i) => `  ${issueText(i)}`).join('\n')}`,
    )
    this.issues = issues
  }
}

export type Path = readonly (string | number)[]

/** Writes a path the way messages show it. */
export const pathText = (path: Path): string =>
  path.map((part, i) => (typeof part === 'number' ? `[${part}]` : `${i === 0 ? '' : '.'}${part}`)).join('')

/** Shows a value of the contract in a message: JSON, shortened. */
export const shown = (value: unknown): string => {
  if (value === undefined) return 'nothing'
  if (typeof value === 'number') return String(value)
  const text = JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? v.toString() : v)) ?? String(value)
  return text.length > 120 ? `${text.slice(0, 117)}…` : text
}

/** A place in the contract's file, both from 1. */
export interface Place {
  line: number
  column: number
}

interface Details {
  found?: unknown
  allowed?: string
  /** A place inside of what the path names. */
  place?: Place
}

/** Finds places in a contract's file, as far as its YAML tells them. */
export interface Places {
  lineOf(path: Path): number | undefined
  /** The place of a character of a text. */
  placeIn(path: Path, offset: number): Place | undefined
}

/** Collects what is found in one file. Errors do not throw at once, so that one run reports them all. */
export interface Report {
  readonly file: string
  readonly errors: ContractIssue[]
  readonly warnings: ContractIssue[]
  error(path: Path, message: string, details?: Details): void
  warn(path: Path, message: string, details?: Details): void
  /** The place of a character of the text that the path names; undefined where the YAML does not tell it. */
  placeIn(path: Path, offset: number): Place | undefined
}

export const createReport = (file: string, { lineOf, placeIn }: Places): Report => {
  const errors: ContractIssue[] = []
  const warnings: ContractIssue[] = []
  const issue = (path: Path, message: string, details: Details = {}): ContractIssue => {
    const line = details.place?.line ?? lineOf(path)
    return {
      file,
      path: pathText(path),
      message,
      ...('found' in details ? { found: shown(details.found) } : {}),
      ...(details.allowed === undefined ? {} : { allowed: details.allowed }),
      ...(line === undefined ? {} : { line }),
      ...(details.place ? { column: details.place.column } : {}),
    }
  }
  return {
    file,
    errors,
    warnings,
    error: (path, message, details) => void errors.push(issue(path, message, details)),
    warn: (path, message, details) => void warnings.push(issue(path, message, details)),
    placeIn,
  }
}

/** The report of one schema object adds the clauses that Weir does not enforce, and notes for `weir lint`. */
export interface DatasetReport extends Report {
  readonly notEnforced: NotEnforced[]
  readonly notes: string[]
  skip(path: Path, clause: string, reason: string): void
  note(text: string): void
}

export const forDataset = (report: Report): DatasetReport => {
  const notEnforced: NotEnforced[] = []
  const notes: string[] = []
  return {
    ...report,
    notEnforced,
    notes,
    skip: (path, clause, reason) => void notEnforced.push({ path: pathText(path), clause, reason }),
    note: (text) => {
      if (!notes.includes(text)) notes.push(text)
    },
  }
}
