// `weir lint`: everything there is to say about a folder of contracts, without stopping at the first problem.

import { ContractError, type ContractIssue } from './errors.ts'
import type { NotEnforced } from './plan.ts'
import { type Draft, draftContracts } from './read.ts'

export interface LintResult {
  errors: ContractIssue[]
  warnings: ContractIssue[]
  /** Per dataset, the clauses of its contract that Weir does not enforce. */
  notEnforced: { dataset: string; file: string; clauses: NotEnforced[] }[]
  /** Per dataset, what to know about how clauses are enforced. */
  notes: { dataset: string; file: string; note: string }[]
  files: string[]
  datasets: string[]
}

/** Checks all contracts below a folder. Never throws for what the contracts say. */
export const lintContracts = async (dir: string): Promise<LintResult> => {
  let drafts: Draft[]
  try {
    drafts = await draftContracts(dir)
  } catch (cause) {
    if (!(cause instanceof ContractError)) throw cause
    return { errors: cause.issues, warnings: [], notEnforced: [], notes: [], files: [], datasets: [] }
  }
  const objects = drafts.flatMap((d) => d.objects.map((object) => ({ file: d.file, ...object })))
  return {
    errors: drafts.flatMap((d) => d.errors),
    warnings: drafts.flatMap((d) => d.warnings),
    notEnforced: objects
      .map(({ dataset, file, notEnforced }) => ({ dataset, file, clauses: notEnforced }))
      .filter((d) => d.clauses.length > 0),
    notes: objects.flatMap(({ dataset, file, notes }) => notes.map((note) => ({ dataset, file, note }))),
    files: drafts.map((d) => d.file),
    datasets: objects.map((o) => o.dataset),
  }
}
