// The floor: what plain DuckDB needs for the same file when somebody has typed every column by hand and nothing is checked or explained.

import { DuckDBInstance } from '@duckdb/node-api'

const TYPES = {
  order_id: 'BIGINT',
  customer_id: 'VARCHAR',
  customer_name: 'VARCHAR',
  email: 'VARCHAR',
  order_date: 'DATE',
  created_at: 'TIMESTAMP',
  status: 'VARCHAR',
  quantity: 'BIGINT',
  unit_price: 'DECIMAL(10,2)',
  discount: 'DOUBLE',
  gift: 'BOOLEAN',
  comment: 'VARCHAR',
}

const quote = (text: string) => `'${text.replaceAll("'", "''")}'`

/**
 * Copies a CSV file to Parquet, typed, and returns the number of rows. The file with damaged rows needs ignore_errors to get
 * through at all: rows that do not cast are gone without a word, which is what the floor may do and Weir may not.
 */
export async function floor(csv: string, parquet: string, damaged: boolean): Promise<number> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    const columns = Object.entries(TYPES).map(([name, type]) => `${quote(name)}: ${quote(type)}`)
    const lenient = damaged ? ', ignore_errors = true' : ''
    await connection.run(
      `COPY (SELECT * FROM read_csv(${quote(csv)}, columns = {${columns.join(', ')}}, header = true, auto_detect = false, delim = ',', quote = '"', escape = '"'${lenient}))
       TO ${quote(parquet)} (FORMAT parquet, COMPRESSION zstd)`,
    )
    const counted = await connection.runAndReadAll(`SELECT count(*)::INTEGER FROM ${quote(parquet)}`)
    return Number(counted.getRows()[0]?.[0])
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}
