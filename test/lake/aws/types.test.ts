// What a plan's types and names are in Glue, and what is said of those that cannot be there.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { readContracts } from '../../../lib/contract/read.ts'
import {
  athenaProblems,
  athenaType,
  DEFINITION,
  definitionOf,
  glueTableInput,
  readsAs,
} from '../../../lib/lake/aws/types.ts'
import { UnknownType } from '../../../lib/lake/errors.ts'
import type { TableDefinition } from '../../../lib/lake/ports.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS, tableOf } from '../../../lib/lake/tables.ts'

describe('types', () => {
  test.each([
    ['decimal(9,4)', 'decimal(9,4)', true],
    ['decimal(9,4)', 'decimal(18,4)', true],
    ['decimal(9,4)', 'decimal(8,4)', false],
    ['decimal(9,2)', 'decimal(18,4)', false],
    ['int', 'bigint', true],
    ['smallint', 'int', true],
    ['bigint', 'int', false],
    ['int', 'decimal(10,2)', false],
    ['float', 'double', true],
    ['double', 'float', false],
    ['string', 'int', false],
    ['int', 'string', false],
    ['date', 'timestamp', false],
    ['struct<a:int>', 'struct<a:int,b:int>', true],
    ['struct<a:int>', 'string', false],
  ])('files with %s are read as %s: %s', (file, table, reads) => {
    expect(readsAs(file, table)).toBe(reads)
  })

  test.each([
    ['BIGINT', 'bigint'],
    ['INTEGER', 'int'],
    ['SMALLINT', 'smallint'],
    ['DOUBLE', 'double'],
    ['FLOAT', 'float'],
    ['DECIMAL(38,10)', 'decimal(38,10)'],
    ['DECIMAL(20, 0)', 'decimal(20,0)'],
    ['VARCHAR', 'string'],
    ['BOOLEAN', 'boolean'],
    ['DATE', 'date'],
    ['TIMESTAMP', 'timestamp'],
    ['VARCHAR[]', 'array<string>'],
    ['BIGINT[][]', 'array<array<bigint>>'],
    ['STRUCT(a BIGINT)', 'struct<a:bigint>'],
    ['STRUCT("a" BIGINT, "zipCode" DECIMAL(9,2))', 'struct<a:bigint,zipcode:decimal(9,2)>'],
    ['STRUCT(s STRUCT("t" VARCHAR[], u DATE)[])[]', 'array<struct<s:array<struct<t:array<string>,u:date>>>>'],
    ['MAP(VARCHAR, DOUBLE)', 'map<string,double>'],
  ])('%s is %s', (sql, glue) => expect(athenaType(sql)).toBe(glue))

  test.each([
    ['HUGEINT', /HUGEINT cannot be read in Athena: HUGEINT is none of BOOLEAN, /],
    ['UBIGINT', /UBIGINT/],
    ['TIMESTAMP WITH TIME ZONE', /"WITH TIME ZONE" is left over/],
    ['DECIMAL', /the digits of DECIMAL is missing/],
    ['STRUCT(a BIGINT', /"\)" is missing/],
    ['STRUCT("a b" BIGINT)', /the inner name "a b" has characters other than/],
    ['STRUCT("a:b" BIGINT)', /"a:b"/],
    ['STRUCT(a BIGINT, A DATE)', /"A" is there twice/],
    ['', /a type is missing/],
  ])('%s has no type in Athena, and the error says which', (sql, message) => {
    expect(() => athenaType(sql)).toThrow(UnknownType)
    expect(() => athenaType(sql)).toThrow(message)
  })

  test('every column of the contracts of this repository, and of the ops tables, has one', async () => {
    const { plans } = await readContracts(join(import.meta.dirname, '../../../contracts'))
    expect(plans.size).toBeGreaterThan(0)
    for (const plan of plans.values()) expect(athenaProblems(tableOf(plan))).toEqual([])
    for (const type of [...Object.values(RECEIPT_COLUMNS), ...Object.values(REJECT_COLUMNS)])
      expect(athenaType(type)).toMatch(/^[a-z]/)
    expect(athenaType(RECEIPT_COLUMNS.violations ?? '')).toBe(
      'array<struct<rule:string,column:string,severity:string,message:string,count:bigint,samples:array<struct<row:bigint,value:string,message:string>>>>',
    )
  })
})

const ORDERS: TableDefinition = {
  name: 'clean.Orders',
  description: 'Orders of all shops',
  columns: [
    { name: 'orderId', type: 'BIGINT', comment: 'First line.\nSecond line.' },
    { name: 'note', type: 'VARCHAR', comment: 'x'.repeat(300) },
  ],
  partitionKeys: [{ name: 'ingest_date', type: 'VARCHAR' }],
}

describe('tables', () => {
  const input = glueTableInput(ORDERS, 's3://bucket/Orders/')

  test('names are in lower case, comments one short line', () => {
    expect(input.Name).toBe('orders')
    expect(input.StorageDescriptor).toMatchObject({
      Location: 's3://bucket/Orders/',
      Columns: [
        { Name: 'orderid', Type: 'bigint', Comment: 'First line. Second line.' },
        { Name: 'note', Type: 'string', Comment: `${'x'.repeat(254)}…` },
      ],
    })
  })

  test('a definition comes back as it was', () => {
    expect(definitionOf('clean', { ...input, Name: 'orders' })).toEqual(ORDERS)
  })

  test('columns that somebody else changed show, and so does a definition that is not ours', () => {
    const changed = { ...input.StorageDescriptor, Columns: [{ Name: 'orderid', Type: 'string' }] }
    expect(definitionOf('clean', { ...input, Name: 'orders', StorageDescriptor: changed })).toEqual({
      name: 'clean.orders',
      description: 'Orders of all shops',
      columns: [{ name: 'orderid', type: 'string' }],
      partitionKeys: [{ name: 'ingest_date', type: 'string' }],
    })
    for (const text of ['{', '{}', '{"name":"clean.other","columns":[],"partitionKeys":[]}'])
      expect(definitionOf('clean', { ...input, Name: 'orders', Parameters: { [DEFINITION]: text } }).name).toBe(
        'clean.orders',
      )
  })
})

describe('what cannot be a table in Athena is named', () => {
  const problems = (...columns: { name: string; type: string }[]) =>
    athenaProblems({ ...ORDERS, columns }).map(({ severity, message }) => `${severity}: ${message}`)

  test('names in mixed case are fine', () => {
    expect(problems({ name: 'orderId', type: 'BIGINT' }, { name: 'Straße', type: 'VARCHAR' })).toEqual([])
  })

  test('two that differ in case only are not', () => {
    expect(problems({ name: 'orderId', type: 'BIGINT' }, { name: 'OrderID', type: 'BIGINT' })).toEqual([
      'error: Column "OrderID" of clean.Orders: differs from "orderId" in case only, and Athena ignores case. Rename one of them.',
    ])
  })

  test('a table that says more than Glue keeps is not', () => {
    const columns = Array.from({ length: 600 }, (_, n) => ({ name: `c${n}`, type: 'BIGINT', comment: 'x'.repeat(900) }))
    expect(problems(...columns)).toEqual([
      expect.stringMatching(/^error: The columns of clean\.Orders .* take \d{6} bytes/),
    ])
  })

  test('inner names, types and special characters', () => {
    expect(
      problems(
        { name: 'place', type: 'STRUCT("zip code" VARCHAR)' },
        { name: 'big', type: 'HUGEINT' },
        { name: 'unit price', type: 'DOUBLE' },
        { name: 'ü'.repeat(128), type: 'DOUBLE' },
      ),
    ).toEqual([
      expect.stringMatching(/^error: Column "place" .*the inner name "zip code"/),
      expect.stringMatching(/^error: Column "big" .*HUGEINT/),
      expect.stringMatching(/^warning: Column "unit price" .*double quotes only/),
      expect.stringMatching(/^error: Column "ü+" .*at most 255 bytes/),
    ])
  })
})
