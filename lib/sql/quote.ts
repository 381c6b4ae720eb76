// Names, texts and lists of texts as a statement in Athena's SQL has them; DuckDB reads them alike.

/** `Airport "Name"` → `"Airport ""Name"""`. */
export const name = (written: string): string => `"${written.replaceAll('"', '""')}"`

/** `it's` → `'it''s'`. */
export const text = (value: string): string => `'${value.replaceAll("'", "''")}'`

/**
 * Whether an expression is one of these texts; of none it is not, whatever it is.
 *
 * @example
 * among('_upload', ['a', 'b']) // _upload IN ('a', 'b')
 */
export const among = (expression: string, values: readonly string[]): string =>
  values.length === 0 ? 'false' : `${expression} IN (${values.map(text).join(', ')})`
