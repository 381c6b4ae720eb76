// The benchmark: `npm run bench`. One run, ratios wherever a ratio says it, and a bar for each figure.
//   npm run bench                      all cases; about 300 MB of data, 5 GB for a while, kept below .bench/
//   npm run bench -- --only many       one case (repeat the option for several)
//   npm run bench -- --json            one JSON document on stdout
//   npm run bench -- --quick           tiny sizes, to see that everything runs; no figure is judged

import { mkdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import Table from 'cli-table3'
import { WEIR_VERSION } from '../lib/version.ts'
import { CASES, type Figure, FULL, QUICK } from './cases.ts'

const { values: options } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    folder: { type: 'string' },
  },
})

const known = Object.keys(CASES)
const names = options.only ?? known
const unknown = names.filter((name) => !known.includes(name))
if (unknown.length > 0) {
  console.error(`No such case: ${unknown.join(', ')}. There are ${known.join(', ')}.`)
  process.exit(3)
}

const folder = options.folder ?? fileURLToPath(new URL('../.bench', import.meta.url))
await mkdir(folder, { recursive: true })

interface CaseResult {
  name: string
  figures: (Figure & { pass: boolean })[]
  /** Set when the case could not be measured. */
  error?: string
}

const results: CaseResult[] = []
for (const name of names) {
  const run = CASES[name]
  if (!run) continue
  console.error(`# ${name}`)
  try {
    const sizes = options.quick ? QUICK : FULL
    const figures = await run({ folder, sizes, say: (text) => console.error(`  ${text}`) })
    const judged = figures.map((figure) => ({
      ...figure,
      pass: figure.kind === 'max' ? figure.value <= figure.bar : figure.value >= figure.bar,
    }))
    results.push({ name, figures: judged })
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    console.error(`  ${message}`)
    results.push({ name, figures: [], error: message })
  }
}

const missed = results.flatMap((result) => result.figures).filter((figure) => !figure.pass)
const broken = results.filter((result) => result.error !== undefined)
const ok = broken.length === 0 && (options.quick || missed.length === 0)

if (options.json) {
  const machine = {
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cores: availableParallelism(),
  }
  console.log(
    JSON.stringify(
      { format: 'weir.bench/1', weir: WEIR_VERSION, machine, quick: options.quick, ok, cases: results },
      null,
      2,
    ),
  )
} else {
  const number = (figure: Figure, value: number) =>
    `${value >= 100 ? Math.round(value).toLocaleString('en') : Number(value.toFixed(2))} ${figure.unit}`
  const table = new Table({
    head: ['case', 'what', 'bar', 'figure', ''],
    style: { head: [], border: [] },
    wordWrap: true,
    colWidths: [10, 56, 14, 14, 8],
  })
  for (const { name, figures, error } of results) {
    if (error !== undefined) table.push([name, error.split('\n')[0] ?? '', '', '', 'broke'])
    for (const figure of figures) {
      const bar = `${figure.kind === 'max' ? '≤' : '≥'} ${number(figure, figure.bar)}`
      table.push([
        name,
        figure.what,
        bar,
        number(figure, figure.value),
        options.quick ? '–' : figure.pass ? 'pass' : 'MISSED',
      ])
    }
  }
  console.log(table.toString())
  for (const { name, figures } of results) for (const { detail } of figures) console.log(`${name}: ${detail}`)
  if (options.quick)
    console.log('Quick run: sizes are tiny, so the figures say nothing about speed and are not judged.')
}
process.exitCode = ok ? 0 : 1
