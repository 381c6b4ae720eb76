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

// --- Curated tables --------------------------------------------------------------------------------------------------

/** The airports as the lake has them after the correction of the demo: NA is no value, and the state CQ is called MP. */
export function correctedAirports(rows: Row[]): Record<string, string | null>[] {
  return rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, text]) => [
        name,
        text === 'NA' ? null : name === 'state' && text === 'CQ' ? 'MP' : text,
      ]),
    ),
  )
}

/** Of each airport its code, name, city and state, by code. */
export function airportRows(airports: Record<string, string | null>[]): unknown[][] {
  return airports
    .map(({ iata, name, city, state }) => [iata, name, city, state])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1))
}

/** Keys and titles of the films that are accepted. */
export async function distinctFilms(path: string): Promise<number[]> {
  const films = (await jsonRows(path)).filter((movie) => !movieIsRejected(movie))
  const keys = films.map((movie) => `${movie.Title} of ${movie['Release Date']}`)
  return [new Set(keys).size, new Set(films.map(({ Title }) => String(Title))).size]
}

const tenths = (text: string | undefined): number => Math.round(Number(text) * 10)
const fromTenths = (number: number): string => (number / 10).toFixed(1)

/** models/weather_months.sql in plain code. */
export function weatherMonths(days: Row[]): (string | number)[][] {
  const months = Map.groupBy(days, ({ date = '' }) => `${date.slice(0, 7)}-01`)
  return [...months]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([month, of]) => [
      month,
      of.length,
      of.filter(({ precipitation }) => tenths(precipitation) >= 10).length,
      of.filter(({ weather }) => weather === 'sun').length,
      fromTenths(of.reduce((sum, { precipitation }) => sum + tenths(precipitation), 0)),
      fromTenths(Math.max(...of.map(({ temp_max }) => tenths(temp_max)))),
      fromTenths(Math.min(...of.map(({ temp_min }) => tenths(temp_min)))),
    ])
}

/** The flights that the contract takes, of Parquet files as they are. */
const flightsIn = (files: string[]): string =>
  `(SELECT * FROM read_parquet([${files.map((file) => `'${file.replaceAll("'", "''")}'`).join(', ')}])
    WHERE delay BETWEEN -120 AND 2880)`

/** models/airport_delays.sql: DuckDB counts the flights, the rest is plain code. Without the mean, whose last digit may differ. */
export async function airportDelays(files: string[], airports: Record<string, string | null>[]): Promise<unknown[][]> {
  const named = new Map(airports.map((airport) => [airport.iata, airport]))
  const counted = (await plainSql(
    `SELECT origin, count(*)::INT, max(delay)::INT, count(*) FILTER (delay > 15)::INT FROM ${flightsIn(files)} GROUP BY 1 ORDER BY 1`,
  )) as [string, number, number, number][]
  return counted.map(([origin, flights, worst, late]) => {
    const { name, city, state } = named.get(origin) ?? {}
    return [origin, name, city, state, flights, worst, fromTenths(Math.round((late * 1000) / flights))]
  })
}

/** models/flights_per_day.sql, by plain DuckDB on the files. */
export async function flightsPerDay(files: string[]): Promise<unknown[][]> {
  return plainSql(
    `SELECT date::DATE::VARCHAR, origin, count(*)::INT, count(*) FILTER (delay > 15)::INT, sum(CASE WHEN delay > 0 THEN delay ELSE 0 END)::INT,
       sum(distance)::INT FROM ${flightsIn(files)} GROUP BY ALL ORDER BY 1, 2`,
  )
}

/** Writes the flights of one day as those of another, as a Parquet file; how many there are. */
export async function moveFlights(file: string, from: string, to: string, path: string): Promise<number> {
  const day = `${flightsIn([file])} WHERE date::DATE = DATE '${from}'`
  await plainSql(
    `COPY (SELECT date + (DATE '${to}' - DATE '${from}') * INTERVAL 1 DAY AS date, * EXCLUDE (date) FROM ${day}) TO '${path.replaceAll("'", "''")}' (FORMAT parquet)`,
  )
  const [[count] = []] = await plainSql(`SELECT count(*)::INT FROM ${day}`)
  return Number(count)
}
