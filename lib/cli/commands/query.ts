// `weir query "<sql>"`: read-only SQL over clean.<dataset>, curated.<table> and ops.*, as a table, JSON or CSV.

import { type Command, InvalidArgumentError, Option } from 'commander'
import type { QueryResult } from '../../lake/ports.ts'
import { formatBytes, formatCount, formatDuration, formatRows } from '../../lake/render/format.ts'
import { type AsOf, parseAsOf, resolveAsOf } from '../as-of.ts'
import { toCsv } from '../csv.ts'
import { writeOutput } from '../files.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'
import { formatTable } from '../table.ts'

/** Rows of a table on a terminal unless --limit says more. Piped output is never cut. */
const SCREENFUL = 100

interface Options extends GlobalOptions {
  asOf?: AsOf
  csv?: boolean
  limit?: number
  out?: string
}

export function queryCommand(cli: Cli): Command {
  return defineCommand('query', 'run SQL over the clean and curated tables', [
    'weir query "select country, count(*) from clean.orders group by country"',
    'weir query "select count(*) from curated.orders" --as-of 2d',
    'weir query "select * from clean.orders" --csv --out orders.csv',
  ])
    .argument('<sql>', "one read-only statement in Athena's SQL; tables are clean.<dataset> and curated.<table>")
    .option(
      '--as-of <when>',
      'curated tables as they were then: 2026-11-22, 2026-11-22T08:00Z, 2h, 3d, or as a run left them (its id)',
      (text) => parseAsOf(text),
    )
    .addOption(new Option('--csv', 'comma-separated values, all rows').conflicts('json'))
    .option('--limit <n>', `most rows to print (default: all; ${SCREENFUL} for a table on a terminal)`, wholeNumber)
    .addOption(new Option('--out <file>', 'write the CSV to a file').implies({ csv: true }).conflicts('json'))
    .action(
      act<[string], Options>(cli, async (run, options, sql) => {
        // Views exist once the catalog has tables; the contracts are not needed to read them.
        const lake = await run.session.lake()
        const asOf = options.asOf && (await resolveAsOf(lake, options.asOf))
        const result = await lake.queries.query(sql, { signal: run.signal, ...(asOf === undefined ? {} : { asOf }) })
        const limit = options.limit ?? (options.csv || run.json || !run.io.stdout.isTTY ? Infinity : SCREENFUL)
        const rows = result.rows.slice(0, limit)
        const cut = result.rows.length - rows.length
        if (options.csv) {
          const csv = toCsv([result.columns.map((column) => column.name), ...rows.map((row) => row.map(asText))])
          if (options.out === undefined) run.write(csv)
          else run.note(`${formatRows(rows.length)} written to ${await writeOutput(run.io, options.out, csv)}`)
        } else {
          run.say(table(run, { ...result, rows }))
          if (run.io.stdout.isTTY && scanned(result) === undefined) {
            run.note(run.paint('dim', `${formatRows(result.rows.length)}${took(result)}`))
          }
        }
        // What costs money is said wherever the rows go.
        const cost = scanned(result)
        if (cost !== undefined) run.note(`${formatRows(result.rows.length)}${took(result)}; ${cost}`)
        if (asOf instanceof Date) run.note(run.paint('dim', `curated tables as of ${asOf.toISOString()}`))
        if (cut > 0) {
          run.note(
            `${formatCount(cut)} of ${formatRows(result.rows.length)} not shown: --limit ${result.rows.length} shows all, --csv --out f.csv keeps them.`,
          )
        }
        return {
          exit: 0,
          json: {
            columns: result.columns,
            rows,
            rowCount: result.rows.length,
            truncated: cut > 0,
            stats: result.stats,
            ...(asOf === undefined ? {} : { asOf: asOf instanceof Date ? asOf.toISOString() : asOf.run }),
          },
        }
      }),
    )
}

const NUMERIC = /^(TINYINT|SMALLINT|INTEGER|BIGINT|HUGEINT|U?(TINY|SMALL|BIG|HUGE)?INT.*|DOUBLE|FLOAT|REAL|DECIMAL.*)$/i

function table(run: Parameters<typeof formatTable>[0], { columns, rows }: QueryResult): string {
  const right = columns.flatMap((column, index) => (NUMERIC.test(column.type) ? [index] : []))
  return formatTable(
    run,
    { head: columns.map((column) => column.name), right, cell: 60 },
    // NULL in words: it is not an empty text.
    rows.map((row) => row.map((value) => asText(value) ?? 'NULL')),
  )
}

/** Values as text: nothing grouped or rounded, for these may be copied. */
function asText(value: QueryResult['rows'][number][number]): string | null {
  if (value === null) return null
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}

function took({ stats }: QueryResult): string {
  return stats ? ` in ${formatDuration(stats.milliseconds)}` : ''
}

/** "1.2 MB scanned, about $0.00005"; undefined where nothing is scanned for money. */
function scanned({ stats }: QueryResult): string | undefined {
  if (stats?.bytesScanned === undefined) return undefined
  const { bytesScanned, cost } = stats
  return `${formatBytes(bytesScanned)} scanned${cost === undefined ? '' : `, about $${dollars(cost)}`}`
}

/** As many places as it takes to show a price that is not nothing. */
export function dollars(amount: number): string {
  if (amount === 0) return '0'
  return amount >= 0.01
    ? amount.toFixed(2)
    : amount.toFixed(Math.min(12, Math.ceil(-Math.log10(amount)) + 1)).replace(/0+$/, '')
}

function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number.')
  return Number(text)
}
