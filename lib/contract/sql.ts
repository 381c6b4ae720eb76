// Quoting for SQL that is put together here and in the engine. Nothing else may write a name or a text into SQL.

/** A table or column name, quoted: `Airport Name` → `"Airport Name"`. */
export { name as identifier } from '../sql/quote.ts'

/** A text literal. NUL cannot stand in a DuckDB literal, so it goes through chr(0). */
export const literal = (text: string): string =>
  text
    .split('\0')
    .map((part) => `'${part.replaceAll("'", "''")}'`)
    .join(' || chr(0) || ')

/** A list of expressions for IN (…). */
export const inList = (expressions: readonly string[]): string => `(${expressions.join(', ')})`
