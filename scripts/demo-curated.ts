// The second half of `npm run demo`: what analysts query. Entity tables and models over the files that the first half dropped, a
// correction that comes late, an incremental run, a test that holds a new version back, and a look into the past. What must
// come out is worked out from the source files by scripts/truth.ts.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { resultLines } from '../lib/cli/curated.ts'
import type { paintFor } from '../lib/cli/io.ts'
import type { QueryOptions } from '../lib/lake/ports.ts'
import type { Receipt } from '../lib/lake/receipt.ts'
import { formatCount } from '../lib/lake/render/format.ts'
import type { Run } from '../lib/lake/runs.ts'
import type { CurateContext } from '../lib/pipeline/curate/context.ts'
import { curate } from '../lib/pipeline/curate/curate.ts'
import {
  airportDelays,
  airportRows,
  correctedAirports,
  csvRows,
  distinctFilms,
  flightsPerDay,
  moveFlights,
  type Row,
  weatherMonths,
} from './truth.ts'

export interface CuratedDemo {
  context: CurateContext
  paint: ReturnType<typeof paintFor>
  title: (text: string) => void
  /** Where a file of vega-datasets lies. */
  source: (name: string) => string
  /** Folder of the files that the demo writes. */
  incoming: string
  dropFile: (path: string) => Promise<Receipt>
  /** Prints the answer of the lake as a table. */
  show: (sql: string, options?: QueryOptions) => Promise<void>
  expectSame: (what: string, found: unknown, expected: unknown) => void
  lakeHas: (what: string, sql: string, answer: unknown[][], options?: QueryOptions) => Promise<void>
}

const MONTHS =
  'SELECT month, days, rainy_days, sunny_days, rain, warmest, coldest FROM curated.weather_months ORDER BY month'
const DAYS =
  'SELECT day, airport, flights, late_flights, minutes_late, miles FROM curated.flights_per_day ORDER BY day, airport'
const AIRPORTS = `SELECT airport, airport_name, city, state, flights, worst_delay, late_percent
FROM curated.airport_delays ORDER BY airport`

export async function curatedDemo(demo: CuratedDemo): Promise<void> {
  const { context, paint, title, source, incoming, dropFile, show, expectSame, lakeHas } = demo

  /** Brings the tables up to date as `weir curate` does; the runs, by table. */
  async function curated(datasets?: string[]): Promise<Map<string, Run>> {
    const runs = new Map<string, Run>()
    await curate(context, {
      ...(datasets ? { datasets } : {}),
      onResult: (result) => {
        for (const line of resultLines({ paint }, result)) console.log(line)
        if (result.run) runs.set(result.table, result.run)
      },
    })
    return runs
  }

  // --- Entity tables and models ----------------------------------------------------------------------------------------

  title('Curated: one row for each key, and three models over them')
  const first = await curated()
  expectSame(
    'outcomes of the first runs',
    [...first.values()].map(({ table, outcome }) => [table, outcome]).sort(),
    ['airport_delays', 'flights_per_day', 'weather_months', ...context.plans.keys()]
      .sort()
      .map((table) => [table, 'published']),
  )
  const weather = await csvRows(source('seattle-weather.csv'))
  const airports = correctedAirports(await csvRows(source('airports.csv')))
  const flights = source('flights-3m.parquet')
  const daysOf = (rows: Row[]): string[][] =>
    rows.map((row) =>
      ['date', 'precipitation', 'temp_max', 'temp_min', 'wind', 'weather'].map((name) => row[name] ?? ''),
    )
  // Three files hold these days: the first one, the damaged one, and the repair of it.
  await lakeHas(
    'one row for each day, from three files',
    'SELECT date, precipitation, temp_max, temp_min, wind, weather FROM curated.seattle_weather ORDER BY date',
    daysOf(weather),
  )
  await lakeHas(
    'one row for each airport, as corrected',
    'SELECT iata, name, city, state FROM curated.airports ORDER BY iata',
    airportRows(airports),
  )
  await lakeHas('films', 'SELECT count(*), count(DISTINCT title) FROM curated.movies', [
    await distinctFilms(source('movies.json')),
  ])
  await lakeHas('months', MONTHS, weatherMonths(weather))
  await lakeHas('airports and their delays', AIRPORTS, await airportDelays([flights], airports))
  await lakeHas('days and airports', DAYS, await flightsPerDay([flights]))

  // --- A late correction -----------------------------------------------------------------------------------------------

  title('A late correction: the rain gauge was blocked in July 2013, so that it saw no rain')
  const july = `SELECT date, precipitation, weather FROM curated.seattle_weather
WHERE date BETWEEN DATE '2013-07-16' AND DATE '2013-07-19' ORDER BY date`
  const month = `SELECT month, rainy_days, sunny_days, rain FROM curated.weather_months WHERE month = DATE '2013-07-01'`
  console.log(paint('dim', 'before'))
  await show(july)
  await show(month)
  const measured: Row = { '2013-07-17': '12.7', '2013-07-18': '4.1' }
  const mended = weather.map((row): Row => {
    const rain = measured[row.date ?? '']
    return rain === undefined ? row : { ...row, precipitation: rain, weather: 'rain' }
  })
  const gaugeFile = join(incoming, 'seattle-weather.csv')
  await writeFile(
    gaugeFile,
    `${[Object.keys(weather[0] ?? {}), ...daysOf(mended)].map((cells) => cells.join(',')).join('\n')}\n`,
  )
  await dropFile(gaugeFile)
  const corrected = await curated(['seattle_weather'])
  console.log(paint('dim', 'after'))
  await show(july)
  await show(month)
  await lakeHas(
    'days after the correction',
    'SELECT date, precipitation, temp_max, temp_min, wind, weather FROM curated.seattle_weather ORDER BY date',
    daysOf(mended),
  )
  await lakeHas('months after the correction', MONTHS, weatherMonths(mended))
  expectSame('tables that followed the correction', [...corrected.keys()], ['seattle_weather', 'weather_months'])

  // --- An incremental run ----------------------------------------------------------------------------------------------

  title('The flights of one more day: the model of three million flights makes that day, and no other')
  const day = '2001-07-01'
  const lateFile = join(incoming, `flights-${day}.parquet`)
  const moved = await moveFlights(flights, '2001-06-30', day, lateFile)
  const late = await dropFile(lateFile)
  expectSame('flights of the day', late.rows.accepted, moved)
  const grown = await curated(['flights'])
  const days = await flightsPerDay([flights, lateFile])
  await lakeHas('days and airports after it', DAYS, days)
  const delays = await airportDelays([flights, lateFile], airports)
  await lakeHas('delays after it', AIRPORTS, delays)
  const { scope, rows } = grown.get('flights_per_day') ?? {}
  expectSame(
    'how the model followed',
    [scope, rows?.written, rows?.removed, rows?.total],
    ['change', days.filter(([of]) => of === day).length, 0, days.length],
  )

  // --- A test that holds a version back --------------------------------------------------------------------------------

  title(
    'A file that somebody cut: its contract finds nothing wrong with the airports that are left, a test of the model does',
  )
  const fixed = (await readFile(join(incoming, 'airports.csv'), 'utf8')).split('\n')
  const cutFile = join(incoming, 'airports-cut', 'airports.csv')
  await writeAt(cutFile, fixed.filter((line) => !line.includes(',TX,')).join('\n'))
  await dropFile(cutFile)
  const held = await curated(['airports'])
  expectSame('outcome of the model', held.get('airport_delays')?.outcome, 'failed_tests')
  expectSame(
    'tests that fail',
    held
      .get('airport_delays')
      ?.tests.filter(({ passed, severity }) => !passed && severity === 'error')
      .map(({ test }) => test),
    ['not_null', 'relationships'],
  )
  const texas = airports.filter(({ state }) => state === 'TX').length
  await lakeHas('airports of the cut file', 'SELECT count(*) FROM curated.airports', [[airports.length - texas]])
  await lakeHas('readers keep the last good table', AIRPORTS, delays)

  title('The whole file again, and all is well')
  await dropFile(join(incoming, 'airports.csv'))
  const well = await curated(['airports'])
  expectSame('outcome of the model, mended', well.get('airport_delays')?.outcome, 'published')
  await lakeHas(
    'airports, mended',
    'SELECT iata, name, city, state FROM curated.airports ORDER BY iata',
    airportRows(airports),
  )
  await lakeHas('delays, mended', AIRPORTS, delays)

  // --- Back in time ----------------------------------------------------------------------------------------------------

  const before = first.get('weather_months')?.run ?? ''
  const then = { asOf: { run: before } }
  title('What did the report of July 2013 say before the correction?')
  console.log(paint('dim', `weir query --as-of ${before} "…"`))
  await show(month, then)
  await lakeHas('months as they were', MONTHS, weatherMonths(weather), then)

  const changed = `SELECT now.month, was.rain AS rain_then, now.rain, was.sunny_days AS sunny_then, now.sunny_days
FROM curated.weather_months AS now
JOIN curated.weather_months FOR VERSION AS OF '${before}' AS was ON was.month = now.month
WHERE was.rain <> now.rain`
  title('Which months read otherwise since then?')
  console.log(paint('dim', changed))
  await show(changed)
  const [was, is] = [weatherMonths(weather), weatherMonths(mended)]
  await lakeHas(
    'months that changed',
    changed,
    is.flatMap((now, at) => {
      const old = was[at] ?? []
      return old[4] === now[4] ? [] : [[now[0], old[4], now[4], old[3], now[3]]]
    }),
  )
  const runs = [...first.values(), ...corrected.values(), ...grown.values(), ...held.values(), ...well.values()]
  await lakeHas(
    'runs in the ledger',
    'SELECT outcome, count(*) FROM ops.runs GROUP BY outcome ORDER BY outcome',
    [...Map.groupBy(runs, ({ outcome }) => outcome)].map(([outcome, all]) => [outcome, all.length]).sort(),
  )
  console.log(paint('dim', `${formatCount(runs.length)} runs are in ops.runs`))
}

async function writeAt(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true })
  await writeFile(path, text)
}
