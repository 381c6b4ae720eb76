// `npm run demo`: the main job on real files. A new lake in an empty folder, seven files of the npm package vega-datasets,
// everything that can happen to a file on its way in, and what is made of them then (scripts/demo-curated.ts). The expectations come from scripts/truth.ts, which does not know Weir;
// if one does not hold, the exit code says so.
//   npm run demo                     the lake is made in .demo/, which is emptied first
//   npm run demo -- --keep my-lake   … or in a folder of your own, which must be new or empty

import { cp, mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { basename, join, relative, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { parseArgs } from 'node:util'
import { SingleBar } from 'cli-progress'
import Table from 'cli-table3'
import { parse } from 'csv-parse/sync'
import { type Io, paintFor } from '../lib/cli/io.ts'
import { openSession } from '../lib/cli/session.ts'
import { listReceipts, repairsOf } from '../lib/lake/ledger.ts'
import { createLocalLake } from '../lib/lake/local/lake.ts'
import type { QueryOptions } from '../lib/lake/ports.ts'
import type { Receipt } from '../lib/lake/receipt.ts'
import { formatCount, formatDuration } from '../lib/lake/render/format.ts'
import { writeReceiptPage } from '../lib/lake/render/page.ts'
import { renderLine } from '../lib/lake/render/text.ts'
import { datasetFor } from '../lib/pipeline/datasets.ts'
import { drop } from '../lib/pipeline/drop.ts'
import { curatedDemo } from './demo-curated.ts'
import { csvRows, plainSql, type Row, truth } from './truth.ts'

const root = resolve(import.meta.dirname, '..')
const source = (name: string) => join(root, 'node_modules', 'vega-datasets', 'data', name)
const stop = new AbortController()
process.once('SIGINT', () => stop.abort())
const { stdout, stderr, env } = process
const io: Io = { stdout, stderr, env, cwd: process.cwd(), signal: stop.signal }
const paint = paintFor(io)
const began = performance.now()
const near = (path: string) => relative(process.cwd(), path) || '.'

// --- A new lake ------------------------------------------------------------------------------------------------------

const { values: options } = parseArgs({ options: { keep: { type: 'string' } } })
const home = options.keep === undefined ? join(root, '.demo') : resolve(options.keep)
if (options.keep === undefined) await rm(home, { recursive: true, force: true })
await mkdir(home, { recursive: true })
if ((await readdir(home)).length > 0) {
  console.error(`${home} is not empty. Give --keep the name of a new folder.`)
  process.exit(3)
}
await createLocalLake(home)
await writeFile(
  join(home, 'weir.yaml'),
  '# The lake of `npm run demo`. Its contracts and models lie beside this file, in contracts/ and models/.\n',
)
await cp(join(root, 'contracts'), join(home, 'contracts'), { recursive: true })
await cp(join(root, 'models'), join(home, 'models'), { recursive: true })

// From here on everything is as on the command line: one session opens the contracts, the ports and the engine.
const session = openSession(io, { lake: home }, () => {})
const context = await session.context()
const { plans, lake } = context

// --- Small helpers ---------------------------------------------------------------------------------------------------

const failures: string[] = []
let held = 0

/** Compares what Weir says with what the source files say. */
function expectSame(what: string, found: unknown, expected: unknown): void {
  if (JSON.stringify(found) === JSON.stringify(expected)) held++
  else failures.push(`${what}: ${difference(found, expected)}`)
}

/** Of long lists only the first place where they part. */
function difference(found: unknown, expected: unknown): string {
  if (Array.isArray(found) && Array.isArray(expected) && Math.max(found.length, expected.length) > 10) {
    const at = expected.findIndex((one, index) => JSON.stringify(one) !== JSON.stringify(found[index]))
    const place = at < 0 ? expected.length : at
    return `${expected.length} rows expected, ${found.length} found; row ${place + 1}: ${difference(found[place], expected[place])}`
  }
  return `expected ${JSON.stringify(expected)}, found ${JSON.stringify(found)}`
}

const title = (text: string) => console.log(`\n${paint('bold', text)}`)
const pages: string[] = []
const receipts: Receipt[] = []

/** Drops one file as `weir drop` does: its line on the screen, its receipt in the lake, and the receipt's page beside it. */
async function dropFile(path: string): Promise<Receipt> {
  const name = basename(path)
  const bar = new SingleBar({ format: `  {bar} {percentage} %  ${name}`, clearOnComplete: true, hideCursor: true })
  let shown = false
  const receipt = await drop(
    context,
    { dataset: datasetFor(plans, name).dataset, path },
    {
      signal: stop.signal,
      onProgress: ({ bytes, total }) => {
        if (!stdout.isTTY || total === 0) return
        if (!shown) bar.start(total, 0)
        shown = true
        bar.update(bytes)
      },
    },
  )
  if (shown) bar.stop()
  console.log(renderLine(receipt, paint, { lake: near(home) }))
  receipts.push(receipt)
  pages.push(await writeReceiptPage(lake, receipt))
  return receipt
}

const csvCell = (text: string) => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
const csvText = (rows: string[][]) => `${rows.map((row) => row.map(csvCell).join(',')).join('\n')}\n`

const incoming = join(home, 'incoming')
await mkdir(incoming)

// --- Seven real files ------------------------------------------------------------------------------------------------

title('Seven real files, each against its contract')
const expected = await truth(source)
for (const [name, rows] of Object.entries(expected)) {
  const receipt = await dropFile(source(name))
  expectSame(`rows of ${name}`, receipt.rows, rows)
  expectSame(`outcome of ${name}`, receipt.outcome, rows.rejected > 0 ? 'accepted_with_rejects' : 'accepted')
}

const films = JSON.parse(await readFile(source('movies.json'), 'utf8')) as { Title: unknown }[]
await lakeHas(
  'films whose titles are numbers',
  `SELECT title FROM clean.movies WHERE regexp_like(title, '^[0-9]+$') ORDER BY title`,
  films
    .filter(({ Title }) => typeof Title === 'number' || (typeof Title === 'string' && /^[0-9]+$/.test(Title)))
    .map(({ Title }) => [String(Title)])
    .sort(),
)

// --- A damaged file, and its repair ----------------------------------------------------------------------------------

title('A copy that was damaged on the way: five rows are hurt in five ways, the rest is fine')
const pristine = await csvRows(source('seattle-weather.csv'))
const lines = (await readFile(source('seattle-weather.csv'), 'utf8')).trimEnd().split('\n')
/** Row numbers as a spreadsheet shows them (the header is row 1), and what happens to the cells. */
const damage: Record<number, (cells: string[]) => string[]> = {
  6: ([date = '', rain = '', , min = '', wind = '', word = '']) => [date, rain, 'warm', min, wind, word], // a wrong type
  30: ([date = '', , max = '', min = '', wind = '', word = '']) => [date, '', max, min, wind, word], // a missing value
  77: (cells) => [...cells.slice(0, 5), 'sunny'], // a value that is not allowed
  365: (cells) => ['2012-02-30', ...cells.slice(1)], // a day that does not exist
  500: (cells) => cells.slice(0, 4), // a ragged row
}
for (const [row, hurt] of Object.entries(damage)) {
  const at = Number(row) - 1
  lines[at] = hurt((lines[at] ?? '').split(',')).join(',')
}
const damagedFile = join(incoming, 'seattle-weather-damaged.csv')
await writeFile(damagedFile, `${lines.join('\n')}\n`)
const damagedRows = Object.keys(damage).map(Number)
const damaged = await dropFile(damagedFile)
expectSame('rows of the damaged file', damaged.rows, {
  read: pristine.length,
  accepted: pristine.length - damagedRows.length,
  rejected: damagedRows.length,
})

title('Its rejected rows, mended in the repair file and dropped again')
const repairCsv = damaged.rejects ? await lake.zones.ops.get(damaged.rejects.csv) : undefined
const rejected = parse(repairCsv?.body ?? '', { columns: true, bom: true }) as Row[]
expectSame(
  'rows in the repair file',
  rejected.map((row) => Number(row._row)).sort((a, b) => a - b),
  damagedRows,
)
for (const row of rejected) console.log(paint('dim', `    row ${row._row}: ${row._errors}`))
// What a person does in a spreadsheet: look at _errors, correct the cells, and leave _upload and _row alone.
const mended = rejected.map((row) => ({ ...row, ...pristine[Number(row._row) - 2] }))
const header = Object.keys(rejected[0] ?? {})
const mendedFile = join(incoming, 'seattle-weather-mended.csv')
await writeFile(mendedFile, csvText([header, ...mended.map((row: Row) => header.map((name) => row[name] ?? ''))]))
const repair = await dropFile(mendedFile)
expectSame('outcome of the repair', repair.outcome, 'accepted')
expectSame('rows of the repair', repair.rows.accepted, damagedRows.length)
expectSame('what the repair repairs', repair.repairs, [{ upload: damaged.upload, rows: damagedRows.length }])
expectSame('repaired rows on the first receipt', (await repairsOf(lake, damaged)).rows.length, damagedRows.length)
await lakeHas(
  'days after the repair',
  `SELECT count(*), count(DISTINCT date), sum(precipitation) FROM clean.seattle_weather
   WHERE _upload IN ('${damaged.upload}', '${repair.upload}')`,
  await plainSql(
    `SELECT count(*), count(DISTINCT date), sum(precipitation::DECIMAL(5,1))
     FROM read_csv('${source('seattle-weather.csv')}', all_varchar = true)`,
  ),
)

// --- The same again, a correction, and a refusal ---------------------------------------------------------------------

title('The same file a second time')
const again = await dropFile(source('zipcodes.csv'))
expectSame('outcome of the second drop', again.outcome, 'duplicate')

title('A corrected version: the old code CQ of the Northern Marianas becomes MP')
const airports = await readFile(source('airports.csv'), 'utf8')
const correctedFile = join(incoming, 'airports.csv')
await writeFile(correctedFile, airports.replaceAll(',CQ,', ',MP,'))
const marianas = (await csvRows(source('airports.csv'))).filter((airport) => airport.state === 'CQ').length
const corrected = await dropFile(correctedFile)
expectSame('rows of the corrected file', corrected.rows, expected['airports.csv'])
await lakeHas(
  'airports after the correction',
  `SELECT count(*), count(*) FILTER (WHERE state = 'CQ'), count(*) FILTER (WHERE state = 'MP') FROM clean.airports`,
  [[expected['airports.csv']?.read, 0, marianas]],
)

title('A file that nobody should believe: the same weather, exported with American dates')
const [head = '', ...days] = (await readFile(source('seattle-weather.csv'), 'utf8')).trimEnd().split('\n')
const american = days.map((day) => day.replace(/^(\d{4})-(\d\d)-(\d\d)/, '$2/$3/$1'))
const americanFile = join(incoming, 'seattle-weather-export.csv')
await writeFile(americanFile, `${[head, ...american].join('\n')}\n`)
const refused = await dropFile(americanFile)
expectSame('outcome of the American file', refused.outcome, 'refused')
expectSame('rows of the American file', refused.rows, { read: days.length, accepted: 0, rejected: days.length })

// --- Three questions -------------------------------------------------------------------------------------------------

/** Asks the lake, and compares the answer cell by cell (as text, so that 1n and 1 are the same). */
async function lakeHas(what: string, sql: string, answer: unknown[][], options: QueryOptions = {}): Promise<void> {
  const { rows } = await lake.queries.query(sql, options)
  const text = (table: unknown[][]) => table.map((row) => row.map((cell) => String(cell)))
  expectSame(what, text(rows), text(answer))
}

async function show(sql: string, options: QueryOptions = {}): Promise<void> {
  const { columns, rows } = await lake.queries.query(sql, options)
  const table = new Table({
    head: columns.map(({ name }) => name),
    style: { head: [], border: [], compact: true },
    colAligns: columns.map(({ type }) => (type === 'BIGINT' ? 'right' : 'left')),
  })
  const isCount = columns.map(({ type }) => type === 'BIGINT')
  for (const row of rows) {
    table.push(row.map((cell, at) => (isCount[at] ? formatCount(Number(cell)) : String(cell))))
  }
  console.log(table.toString())
}

async function ask(question: string, sql: string, check: string): Promise<void> {
  title(question)
  console.log(paint('dim', sql))
  await show(sql)
  await lakeHas(question, sql, await plainSql(check))
}

const zips = `read_csv('${source('zipcodes.csv')}', all_varchar = true)`
const ports = `read_csv('${source('airports.csv')}', all_varchar = true)`
const birds = `read_csv('${source('birdstrikes.csv')}', all_varchar = true)`

await ask(
  'Which states would have lost their leading zeros?',
  `SELECT state, count(*) AS codes, min(zip_code) AS first, max(zip_code) AS last
FROM clean.zipcodes WHERE zip_code LIKE '0%' GROUP BY state ORDER BY codes DESC LIMIT 5`,
  `SELECT state, count(*) AS codes, min(zip_code), max(zip_code) FROM ${zips} WHERE zip_code LIKE '0%'
   GROUP BY state ORDER BY codes DESC LIMIT 5`,
)
await ask(
  'Where do flights arrive late? (3 million flights joined to their airports)',
  `SELECT f.destination, a.city, count(*) AS flights, CAST(avg(f.delay) AS decimal(10,1)) AS minutes_late
FROM clean.flights f JOIN clean.airports a ON a.iata = f.destination
GROUP BY f.destination, a.city HAVING count(*) > 20000 ORDER BY avg(f.delay) DESC, f.destination LIMIT 5`,
  `SELECT f.destination, a.city, count(*), round(avg(f.delay), 1)::VARCHAR
   FROM '${source('flights-3m.parquet')}' f JOIN ${ports} a ON a.iata = f.destination WHERE f.delay BETWEEN -120 AND 2880
   GROUP BY ALL HAVING count(*) > 20000 ORDER BY avg(f.delay) DESC, f.destination LIMIT 5`,
)
await ask(
  'What do birds cost, and in which phase of a flight?',
  `SELECT phase_of_flight, count(*) AS strikes, CAST(sum(cost_total) AS bigint) AS dollars
FROM clean.birdstrikes GROUP BY phase_of_flight ORDER BY dollars DESC LIMIT 4`,
  `SELECT "Phase of flight", count(*), sum("Cost Total $"::BIGINT)::BIGINT AS dollars FROM ${birds}
   WHERE "Effect Amount of damage" IN ('None', 'Minor', 'Medium', 'Substantial')
   GROUP BY 1 ORDER BY dollars DESC LIMIT 4`,
)

// --- Curated tables --------------------------------------------------------------------------------------------------

const { context: curating } = await session.curating()
await curatedDemo({ context: curating, paint, title, source, incoming, dropFile, show, expectSame, lakeHas })

// --- Every upload has one receipt, and no row is missing -------------------------------------------------------------

let inLedger = 0
for await (const receipt of listReceipts(lake)) {
  inLedger++
  expectSame(
    `read = accepted + rejected (${receipt.source})`,
    receipt.rows.read,
    receipt.rows.accepted + receipt.rows.rejected,
  )
}
expectSame('receipts in the ledger', inLedger, receipts.length)

// --- Where everything is ---------------------------------------------------------------------------------------------

await session.close()

const shown = receipts.map((receipt, at) => {
  const page = relative(home, pages[at] ?? '')
    .split('\\')
    .join('/')
  return `<li><a href="${page}">${receipt.source}</a>: ${receipt.outcome.replaceAll('_', ' ')}</li>`
})
const index = join(home, 'receipts.html')
await writeFile(index, `<!doctype html><meta charset="utf-8"><title>Receipts</title><ol>${shown.join('')}</ol>\n`)

title('Where it all is')
console.log(`  the lake        ${near(home)}`)
console.log(`  the receipts    ${pathToFileURL(index)}`)
console.log(`  the ledger      npx weir receipts --lake ${near(home)}`)
console.log(`  the runs        npx weir runs --lake ${near(home)}`)
console.log(`  ask it more     npx weir query --lake ${near(home)} "SELECT * FROM clean.movies LIMIT 5"`)

const rows = receipts.reduce((sum, receipt) => sum + receipt.rows.read, 0)
console.log(
  `\n${formatCount(receipts.length)} uploads, ${formatCount(rows)} rows read, in ${formatDuration(performance.now() - began)}`,
)
if (failures.length > 0) {
  console.error(`\n${failures.length} expectations do not hold (${held} do):`)
  for (const failure of failures) console.error(`  ${failure}`)
  process.exitCode = 1
} else {
  console.log(paint('good', `${held} expectations, worked out from the source files without Weir: all hold`))
}
