// The errors of lib/lake, each with a name that callers can test for.

import { QueryError } from '../sql/errors.ts'

export { QueryError, UnsupportedSql } from '../sql/errors.ts'

export class PreconditionFailed extends Error {
  override name = 'PreconditionFailed'
  readonly key: string
  constructor(key: string) {
    super(`Somebody else wrote ${key} first.`)
    this.key = key
  }
}

export class ObjectGone extends Error {
  override name = 'ObjectGone'
  readonly key: string
  readonly version: string
  constructor(key: string, version: string) {
    super(`Version ${version} of ${key} is no longer there.`)
    this.key = key
    this.version = version
  }
}

/** A key that no zone can hold: empty, `..`, absolute, too long, or with a character that cannot be stored. */
export class InvalidKey extends Error {
  override name = 'InvalidKey'
  readonly key: string
  constructor(key: string, why: string) {
    super(`The key ${JSON.stringify(key)} cannot be used: ${why}`)
    this.key = key
  }
}

/** The lake could not be read or written: disk full, read-only, no permission. The state is as before. */
export class StorageError extends Error {
  override name = 'StorageError'
}

/** A type that a catalog has no name for, so that a query would misread the files. */
export class UnknownType extends Error {
  override name = 'UnknownType'
  readonly type: string
  constructor(type: string, why: string) {
    super(`The type ${type} cannot be read in Athena: ${why}.`)
    this.type = type
  }
}

/** weir.yaml cannot be read, or says something that Weir does not know. */
export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly file: string
  /** One line per mistake: where it is, what is there, what is allowed. */
  readonly mistakes: string[]
  constructor(file: string, mistakes: string[]) {
    super(`${file} cannot be used:\n${mistakes.map((mistake) => `  ${mistake}`).join('\n')}`)
    this.file = file
    this.mistakes = mistakes
  }
}

/** A statement had not ended when the time was over. It goes on; the same job asked for again waits for it. */
export class StillRunning extends Error {
  override name = 'StillRunning'
}

/** A table cannot become what its contract says now, without a new major version or because of its rows. Nothing was touched. */
export class SchemaChangeRefused extends Error {
  override name = 'SchemaChangeRefused'
  readonly advice: string
  constructor(message: string, advice = 'Raise the major version of the contract, or take the change back.') {
    super(message)
    this.advice = advice
  }
}

/**
 * A table had to be taken away to be made anew, and could not be made: readers find nothing, or no rows, and none of its versions
 * is there any more.
 */
export class TableLost extends QueryError {
  override name = 'TableLost'
}
