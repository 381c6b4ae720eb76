// What `weir diff` says of each kind of change, case by case, from real contracts.

import { describe, expect, test } from 'vitest'
import type { Plan } from '../../lib/contract/plan.ts'
import { parseContract } from '../../lib/contract/read.ts'
import { tableOf } from '../../lib/lake/tables.ts'
import { type DeployedDataset, diffContracts } from '../../lib/pipeline/diff.ts'
import { widens } from '../../lib/pipeline/diff-types.ts'

interface Written {
  version?: string
  id?: string
  dataset?: string
  properties?: string
  weir?: string
  quality?: string
}

const PROPERTIES = `
      - { name: order_id, logicalType: string, required: true, primaryKey: true, primaryKeyPosition: 1 }
      - { name: amount, logicalType: number, physicalType: "decimal(10,2)" }
      - { name: quantity, logicalType: integer, physicalType: int, logicalTypeOptions: { minimum: 1, maximum: 99 } }
      - { name: note, logicalType: string }`

function contract({
  version = '1.2.0',
  id = 'orders',
  dataset = 'orders',
  properties = PROPERTIES,
  weir = '{}',
  quality = '',
}: Written = {}): Plan {
  const text = `apiVersion: v3.1.0
kind: DataContract
id: ${id}
version: ${version}
status: active
schema:
  - name: ${dataset}
    properties:${properties}
${quality}
    customProperties:
      - property: weir
        value: ${weir}
`
  const [plan] = parseContract(text).plans.values()
  if (!plan) throw new Error('The contract of a test has no dataset.')
  return plan
}

const changed = (from: string, to: string): string => {
  if (!PROPERTIES.includes(from)) throw new Error(`The contract of the tests does not say ${from}.`)
  return PROPERTIES.replace(from, to)
}

const deployed = (...plans: Plan[]): Map<string, DeployedDataset> =>
  new Map(plans.map((plan) => [plan.dataset, { plan, table: tableOf(plan) }]))
const local = (...plans: Plan[]): Map<string, Plan> => new Map(plans.map((plan) => [plan.dataset, plan]))

/** The one dataset's kinds of change by impact, without the reminder to raise the version. */
function changesOf(before: Written, after: Written): string[] {
  const { datasets } = diffContracts(deployed(contract(before)), local(contract(after)))
  return datasets.flatMap(({ changes }) =>
    changes
      .filter(({ kind, message }) => kind !== 'contract_changed' || !message.includes('raise it'))
      .map(({ kind, impact, column, rule }) => [impact, kind, column ?? rule].filter(Boolean).join(' ')),
  )
}

describe('one change, and what it means', () => {
  const uniqueNote = '{ name: note, logicalType: string, unique: true }'
  test.each<[string, Written, Written, string[]]>([
    ['nothing', {}, {}, []],
    ['a description', {}, { properties: changed('{ name: note,', '{ name: note, description: Free text,') }, []],
    [
      'a new optional column',
      {},
      { properties: `${PROPERTIES}\n      - { name: channel, logicalType: string }` },
      ['compatible column_added channel'],
    ],
    [
      'a new required column',
      {},
      { properties: `${PROPERTIES}\n      - { name: channel, logicalType: string, required: true }` },
      ['breaking column_added channel'],
    ],
    [
      'a column taken away',
      {},
      { properties: changed('\n      - { name: note, logicalType: string }', '') },
      ['breaking column_removed note'],
    ],
    [
      'a column renamed, its old header kept as an alias',
      {},
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: remark, logicalType: string, customProperties: [{ property: weir, value: { aliases: [note] } }] }',
        ),
      },
      ['breaking column_renamed remark'],
    ],
    [
      'a column renamed without a word of it: one goes, one comes',
      {},
      { properties: changed('{ name: note,', '{ name: remark,') },
      ['breaking column_removed note', 'compatible column_added remark'],
    ],
    ['another case', {}, { properties: changed('{ name: note,', '{ name: Note,') }, ['compatible column_renamed Note']],
    [
      'an integer that grows',
      {},
      { properties: changed('physicalType: int,', 'physicalType: bigint,') },
      ['compatible type_widened quantity'],
    ],
    [
      'an integer that shrinks',
      {},
      { properties: changed('physicalType: int,', 'physicalType: smallint,') },
      ['breaking type_changed quantity'],
    ],
    [
      'a decimal of more digits',
      {},
      { properties: changed('decimal(10,2)', 'decimal(18,2)') },
      ['compatible type_widened amount'],
    ],
    [
      'a decimal of another scale',
      {},
      { properties: changed('decimal(10,2)', 'decimal(12,4)') },
      ['breaking type_changed amount'],
    ],
    [
      'text that becomes a date',
      {},
      { properties: changed('{ name: note, logicalType: string }', '{ name: note, logicalType: date }') },
      ['breaking type_changed note'],
    ],
    [
      'another key',
      {},
      { properties: changed(', primaryKey: true, primaryKeyPosition: 1', '') },
      ['breaking key_changed', 'breaking key_changed curated.mode'],
    ],
    [
      'other partitions of the curated table',
      {},
      { weir: '{ curated: { partitionBy: [note] } }' },
      ['breaking partitioning_changed'],
    ],
    [
      'a column that must be there from now on',
      {},
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: string, required: true }',
        ),
      },
      ['note rule_tightened note'],
    ],
    [
      'one that may be empty from now on',
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: string, required: true }',
        ),
      },
      {},
      ['note rule_loosened note'],
    ],
    ['a higher minimum', {}, { properties: changed('minimum: 1,', 'minimum: 5,') }, ['note rule_tightened quantity']],
    ['a lower minimum', {}, { properties: changed('minimum: 1,', 'minimum: 0,') }, ['note rule_loosened quantity']],
    ['a higher maximum', {}, { properties: changed('maximum: 99', 'maximum: 500') }, ['note rule_loosened quantity']],
    ['no maximum', {}, { properties: changed(', maximum: 99', '') }, ['note rule_loosened quantity']],
    [
      'a pattern',
      {},
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: string, logicalTypeOptions: { pattern: "^[a-z]+$" } }',
        ),
      },
      ['note rule_tightened note'],
    ],
    [
      'another pattern',
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: string, logicalTypeOptions: { pattern: "^[a-z]+$" } }',
        ),
      },
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: string, logicalTypeOptions: { pattern: "^[a-y]+$" } }',
        ),
      },
      ['note rule_changed note'],
    ],
    [
      'values that must be unique',
      {},
      { properties: changed('{ name: note, logicalType: string }', uniqueNote) },
      ['note rule_tightened unique(note)'],
    ],
    [
      'a date in another format',
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: date, logicalTypeOptions: { format: yyyy-MM-dd } }',
        ),
      },
      {
        properties: changed(
          '{ name: note, logicalType: string }',
          '{ name: note, logicalType: date, logicalTypeOptions: { format: dd/MM/yyyy } }',
        ),
      },
      ['note rule_changed note'],
    ],
    [
      'a rule about the rows as a whole',
      {},
      { quality: '    quality:\n      - { metric: rowCount, mustBeGreaterThan: 5 }' },
      ['note rule_tightened rowCount'],
    ],
    [
      'fewer rejects allowed',
      { weir: '{ maxRejected: 10% }' },
      { weir: '{ maxRejected: 5% }' },
      ['note rule_tightened maxRejected'],
    ],
    ['any share of rejects', { weir: '{ maxRejected: 10% }' }, {}, ['note rule_loosened maxRejected']],
    ['only some names', {}, { weir: '{ match: "o*.csv" }' }, ['note rule_tightened match']],
    ['extra columns refused', {}, { weir: '{ extraColumns: refuse }' }, ['note rule_tightened extraColumns']],
    ['extra columns kept', {}, { weir: '{ extraColumns: keep }' }, ['compatible column_added _extra']],
    ['… and no longer', { weir: '{ extraColumns: keep }' }, {}, ['breaking column_removed _extra']],
    [
      'another decimal separator',
      {},
      { weir: '{ file: { decimalSeparator: "," } }' },
      ['note rule_changed amount', 'note reading_changed decimalSeparator'],
    ],
    ['what a new version does', {}, { weir: '{ redrop: append }' }, ['note setting_changed redrop']],
    [
      'a column that is no longer public',
      {},
      { properties: changed('{ name: note,', '{ name: note, classification: confidential,') },
      ['note setting_changed note'],
    ],
  ])('%s', (_what, before, after, wanted) => {
    const found = changesOf(before, after)
    // A separator concerns every column of numbers.
    expect([...new Set(found.filter((line) => wanted.length < 2 || !/rule_changed quantity/.test(line)))]).toEqual(
      wanted,
    )
  })
})

describe('types that Parquet and Athena widen', () => {
  test.each([
    ['INTEGER', 'BIGINT', true],
    ['BIGINT', 'INTEGER', false],
    ['INTEGER', 'DOUBLE', false],
    ['FLOAT', 'DOUBLE', true],
    ['DECIMAL(10,2)', 'DECIMAL(38,2)', true],
    ['DECIMAL(10,2)', 'DECIMAL(9,2)', false],
    ['DATE', 'TIMESTAMP', false],
    ['INTEGER[]', 'BIGINT[]', true],
    ['STRUCT(a INTEGER, "b c" VARCHAR)', 'STRUCT(a BIGINT, "b c" VARCHAR, d DATE)', true],
    ['STRUCT(a INTEGER, b VARCHAR)', 'STRUCT(a INTEGER)', false],
    ['STRUCT("a, b" STRUCT(x DECIMAL(4,1)))[]', 'STRUCT("a, b" STRUCT(x DECIMAL(5,1), y DATE))[]', true],
    ['STRUCT(a STRUCT(x DATE))', 'STRUCT(a STRUCT(x VARCHAR))', false],
  ])('%s → %s: %s', (from, to, wanted) => expect(widens(from, to)).toBe(wanted))
})

describe('versions', () => {
  const without = { properties: changed('\n      - { name: note, logicalType: string }', '') }
  const with1 = { properties: `${PROPERTIES}\n      - { name: channel, logicalType: string }` }
  test.each([
    ['a breaking change under the same version', '1.2.0', '1.2.0', without, false],
    ['… under a new minor version', '1.2.0', '1.3.0', without, false],
    ['… under a new major version', '1.2.0', '2.0.0', without, true],
    ['… with a v', 'v1', 'v2', without, true],
    ['… under a lower one', '2.0.0', '1.0.0', without, false],
    ['… under one that has no number', 'spring', 'summer', without, false],
    ['a compatible change under the same version', '1.2.0', '1.2.0', with1, true],
  ])('%s: %s → %s', (_what, from, to, after, ok) => {
    const diff = diffContracts(deployed(contract({ version: from })), local(contract({ ...after, version: to })))
    expect(diff.ok).toBe(ok)
    const [{ problem } = {}] = diff.datasets
    if (ok) expect(problem).toBeUndefined()
    else expect(problem).toContain('needs a new major version of the contract')
  })

  test('says which version to give, and reminds of one for changes that break nothing', () => {
    const broken = diffContracts(deployed(contract()), local(contract(without)))
    expect(broken.datasets[0]?.problem).toContain('still says 1.2.0. Give it version 2.0.0')
    const more = diffContracts(deployed(contract()), local(contract(with1)))
    expect(more.datasets[0]?.changes.at(-1)?.message).toContain('still says version 1.2.0: raise it')
    const raised = diffContracts(deployed(contract()), local(contract({ ...with1, version: '1.3.0' })))
    expect(raised.datasets[0]?.changes).toHaveLength(1)
  })
})

describe('datasets that come, go, and are renamed', () => {
  test('a new one', () => {
    const diff = diffContracts(deployed(), local(contract()))
    expect(diff).toMatchObject({
      ok: true,
      datasets: [{ dataset: 'orders', state: 'new', version: { deployed: null, local: '1.2.0' } }],
    })
  })

  test('one that is gone must be meant to go', () => {
    const plans = deployed(contract())
    expect(diffContracts(plans, local())).toMatchObject({
      ok: false,
      datasets: [{ state: 'dropped', breaking: true, problem: expect.stringContaining('--dropped orders') }],
    })
    expect(diffContracts(plans, local(), { dropped: ['orders'] })).toMatchObject({
      ok: true,
      datasets: [{ breaking: true }],
    })
  })

  test('one contract with another name of its dataset', () => {
    const plan = contract({ dataset: 'sales', version: '2.0.0' })
    const diff = diffContracts(deployed(contract()), local(plan))
    expect(diff).toMatchObject({
      ok: true,
      datasets: [{ dataset: 'sales', from: 'orders', state: 'renamed', breaking: true }],
    })
    const other = diffContracts(deployed(contract()), local(contract({ dataset: 'sales', id: 'sales' })))
    expect(other.datasets.map(({ state }) => state)).toEqual(['dropped', 'new'])
  })
})

describe('where only the table is known, as in a folder', () => {
  const before = contract()
  const known: DeployedDataset = {
    table: tableOf(before),
    contract: before.contract && { id: 'orders', version: '1.2.0', hash: before.hash },
  }

  test('columns are compared, and a rule that changed shows by its hash', () => {
    expect(diffContracts(new Map([['orders', known]]), local(before)).datasets[0]?.state).toBe('same')
    const tighter = contract({ properties: changed('minimum: 1,', 'minimum: 5,'), version: '1.3.0' })
    expect(diffContracts(new Map([['orders', known]]), local(tighter)).datasets[0]?.changes).toEqual([
      { kind: 'contract_changed', impact: 'note', message: expect.stringContaining('newest upload was checked by') },
    ])
    const less = contract({ properties: changed('\n      - { name: note, logicalType: string }', '') })
    expect(diffContracts(new Map([['orders', known]]), local(less))).toMatchObject({
      ok: false,
      datasets: [{ changes: [{ kind: 'column_removed', column: 'note' }] }],
    })
  })
})

test('a table that is not as its deployed contract says is told of', () => {
  const plan = contract()
  const table = tableOf(plan)
  const without = { ...table, columns: table.columns.slice(1) }
  const [found] = diffContracts(new Map([['orders', { plan, table: without }]]), local(plan)).datasets
  expect(found?.changes).toEqual([
    { kind: 'table_differs', impact: 'note', message: expect.stringContaining('deploying mends it') },
  ])
  const [missing] = diffContracts(new Map([['orders', { plan }]]), local(plan)).datasets
  expect(missing?.changes[0]?.message).toContain('has no table clean.orders')
})
