// The errors of SQL that people write, each with a name that callers can test for.

/** Where something stands in a statement, both from 1. */
export interface Place {
  line: number
  column: number
}

/** A statement is wrong, or asks for what it may not do. */
export class QueryError extends Error {
  override name = 'QueryError'
  /** Where, as far as that is known; the message says it too. */
  readonly place?: Place
  constructor(message: string, { place, ...options }: ErrorOptions & { place?: Place } = {}) {
    super(message, options)
    if (place) this.place = place
  }
}

/** SQL of Athena's, or of another database, that the embedded lake does not run: refused by name, since it might answer otherwise. */
export class UnsupportedSql extends QueryError {
  override name = 'UnsupportedSql'
  /** The function or clause. */
  readonly construct: string
  /** Where it stands, both from 1. */
  readonly line: number
  readonly column: number
  constructor(construct: string, { line, column }: Place, advice: string) {
    super(`${construct} at line ${line}:${column} is not supported. ${advice}`, { place: { line, column } })
    this.construct = construct
    this.line = line
    this.column = column
  }
}

/** The message of an error without its place, for those who say the place in their own way. */
export function withoutPlace({ message, place }: QueryError): string {
  if (!place) return message
  const words = `line ${place.line}:${place.column}`
  const without = message.replace(` at ${words}`, '').replace(` (${words})`, '').replace(`${words}: `, '')
  return `${without.charAt(0).toUpperCase()}${without.slice(1)}`
}
