// What must come out of the demo, worked out from the source files without Weir: csv-parse, JSON.parse, and DuckDB on the Parquet
// file as it is. If Weir and this file disagree, the demo fails.

import { readFile } from 'node:fs/promises'
import { DuckDBInstance } from '@duckdb/node-api'
import { parse } from 'csv-parse/sync'

export type Row = Record<string, string>

export interface Counts {
  read: number
  accepted: number
  rejected: number
}

const counts = (read: number, rejected: number): Counts => ({ read, accepted: read - rejected, rejected })

export async function csvRows(path: string): Promise<Row[]> {
  return parse(await readFile(path), { columns: true, bom: true }) as Row[]
}

async function jsonRows(path: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await readFile(path, 'utf8')) as Record<string, unknown>[]
}

/** Answers of one SELECT with plain DuckDB. */
export async function plainSql(sql: string): Promise<unknown[][]> {
  const instance = await DuckDBInstance.create(':memory:')
  const connection = await instance.connect()
  try {
    return (await connection.runAndReadAll(sql)).getRowsJson()
  } finally {
    connection.closeSync()
    instance.closeSync()
  }
}

const DAMAGE = new Set(['None', 'Minor', 'Medium', 'Substantial'])

/** The rules of contracts/movies.odcs.yaml that real rows break, said once more in plain code. */
function movieIsRejected(movie: Record<string, unknown>): boolean {
  const year = Number(/\d{4}$/.exec(String(movie['Release Date']))?.[0])
  return movie.Title === null || year > 2011 || movie['MPAA Rating'] === 'Open'
}

/** How many rows of each source file must be read, accepted and rejected. */
export async function truth(file: (name: string) => string): Promise<Record<string, Counts>> {
  const birds = await csvRows(file('birdstrikes.csv'))
  const movies = await jsonRows(file('movies.json'))
  const delays = await jsonRows(file('flights-200k.json'))
  const [flights] = await plainSql(
    `SELECT count(*), count(*) FILTER (delay NOT BETWEEN -120 AND 2880) FROM '${file('flights-3m.parquet').replaceAll("'", "''")}'`,
  )
  return {
    'zipcodes.csv': counts((await csvRows(file('zipcodes.csv'))).length, 0),
    'airports.csv': counts((await csvRows(file('airports.csv'))).length, 0),
    'birdstrikes.csv': counts(
      birds.length,
      birds.filter((bird) => !DAMAGE.has(bird['Effect Amount of damage'] ?? '')).length,
    ),
    'seattle-weather.csv': counts((await csvRows(file('seattle-weather.csv'))).length, 0),
    'flights-200k.json': counts(delays.length, delays.filter((flight) => Number(flight.delay) < -120).length),
    'movies.json': counts(movies.length, movies.filter(movieIsRejected).length),
    'flights-3m.parquet': counts(Number(flights?.[0]), Number(flights?.[1])),
  }
}
