// The seven contracts are examples that people learn from: they must read without a warning, and describe everything.
// That they fit the real files, row by row, is what `npm run demo` checks.

import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, expect, it } from 'vitest'
import { readContracts } from '../../lib/contract/read.ts'
import { datasetFor } from '../../lib/pipeline/datasets.ts'

const root = resolve(import.meta.dirname, '../..')
const data = join(root, 'node_modules', 'vega-datasets', 'data')

const FILES: Record<string, string> = {
  'airports.csv': 'airports',
  'birdstrikes.csv': 'birdstrikes',
  'flights-200k.json': 'flight_delays',
  'flights-3m.parquet': 'flights',
  'movies.json': 'movies',
  'seattle-weather.csv': 'seattle_weather',
  'zipcodes.csv': 'zipcodes',
}

describe('the example contracts', async () => {
  const { plans, warnings, files } = await readContracts(join(root, 'contracts'))

  it('are all read, without a warning', () => {
    expect(files).toHaveLength(readdirSync(join(root, 'contracts')).length)
    expect([...plans.keys()].sort()).toEqual(Object.values(FILES).sort())
    expect(warnings).toEqual([])
  })

  it.each(Object.entries(FILES))('%s goes to %s by its name', (file, dataset) => {
    expect(existsSync(join(data, file))).toBe(true)
    expect(datasetFor(plans, file).dataset).toBe(dataset)
  })

  it.each([...plans.values()].map((plan) => [plan.dataset, plan] as const))(
    '%s describes itself and every column, for the catalog',
    (_name, plan) => {
      expect(plan.description).toBeTruthy()
      expect(plan.columns.filter((column) => !column.description).map((column) => column.name)).toEqual([])
    },
  )

  it('say what is not enforced only where an example is meant to', () => {
    const clauses = [...plans.values()].flatMap((plan) =>
      plan.notEnforced.map(({ clause }) => `${plan.dataset}: ${clause}`),
    )
    expect(clauses).toEqual(['seattle_weather: frequency'])
  })

  it('keep a column private that is not public', () => {
    const sensitive = [...plans.values()].flatMap((plan) => plan.columns.filter((column) => column.sensitive))
    expect(sensitive.map((column) => column.name)).toEqual(['operator'])
  })
})
