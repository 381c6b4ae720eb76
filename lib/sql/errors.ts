// The errors of SQL that people write, each with a name that callers can test for.

/** A statement is wrong, or asks for what it may not do. */
export class QueryError extends Error {
  override name = 'QueryError'
}

/** SQL of Athena's, or of another database, that the embedded lake does not run: refused by name, since it might answer otherwise. */
export class UnsupportedSql extends QueryError {
  override name = 'UnsupportedSql'
  /** The function or clause. */
  readonly construct: string
  /** Where it stands, both from 1. */
  readonly line: number
  readonly column: number
  constructor(construct: string, { line, column }: { line: number; column: number }, advice: string) {
    super(`${construct} at line ${line}:${column} is not supported. ${advice}`)
    this.construct = construct
    this.line = line
    this.column = column
  }
}
