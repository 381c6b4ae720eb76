// What is wrong with models, with its place in the file; and the error that stops.

import { type QueryError, UnsupportedSql } from '../../sql/errors.ts'

/** One thing to mend or to know. */
export interface ModelIssue {
  /** Name in the folder of models: `orders_per_day.sql`. */
  file: string
  /** Both from 1, as people count. */
  line?: number
  column?: number
  message: string
}

/** One issue as one line: `orders_per_day.sql:12:8: there is no column amout.` */
export const modelIssueText = ({ file, line, column, message }: ModelIssue): string =>
  `${file}${line === undefined ? '' : `:${line}${column === undefined ? '' : `:${column}`}`}: ${message}`

/** The models cannot be used. Carries every problem found, not only the first. */
export class ModelError extends Error {
  override name = 'ModelError'
  readonly issues: ModelIssue[]
  constructor(issues: ModelIssue[]) {
    const many = issues.length === 1 ? 'One problem' : `${issues.length} problems`
    super(
      `${many} in the models; mend the lines below and run \`weir lint\`.\n${issues.map((issue) => `  ${modelIssueText(issue)}`).join('\n')}`,
    )
    this.issues = issues
  }
}

/** What a statement's error says, and where; the place is taken out of the words. */
export function saidBy(error: QueryError): { line?: number; column?: number; message: string } {
  if (error instanceof UnsupportedSql) {
    const { line, column } = error
    return { line, column, message: error.message.replace(` at line ${line}:${column}`, '') }
  }
  const found = /(?:^| \(|: )line (\d+):(\d+)(?:\)|: )/.exec(error.message)
  if (!found) return { message: error.message }
  const between = found[0].startsWith(': ') ? ': ' : ''
  const rest = error.message.slice(found.index + found[0].length)
  const message = `${error.message.slice(0, found.index)}${between}${rest}`
  return {
    line: Number(found[1]),
    column: Number(found[2]),
    message: `${message.charAt(0).toUpperCase()}${message.slice(1)}`,
  }
}
