// Answers that Athena gives and no emulator does, what becomes of them.

import { AthenaClient } from '@aws-sdk/client-athena'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openAthena } from '../../../lib/lake/aws/athena.ts'
import { ScanLimitReached } from '../../../lib/lake/aws/athena-run.ts'
import { AccessDenied, LakeNotDeployed } from '../../../lib/lake/aws/errors.ts'
import { QueryError, StillRunning } from '../../../lib/lake/errors.ts'
import { ORDERS } from '../../conformance/query.ts'
import { type Answer, type AnswerServer, refusal, startAnswers } from './answers.ts'

let server: AnswerServer
let athena: AthenaClient

beforeAll(async () => {
  server = await startAnswers()
  athena = new AthenaClient(server.client)
})
afterAll(async () => {
  athena.destroy()
  await server.close()
})
beforeEach(() => {
  server.asked = []
  server.answers = {
    StartQueryExecution: [{ body: { QueryExecutionId: 'q1' } }],
    GetQueryExecution: [succeeded()],
    StopQueryExecution: [{ body: {} }],
  }
})

const succeeded = (more = {}): Answer => ({
  body: { QueryExecution: { Status: { State: 'SUCCEEDED' }, StatementType: 'DML', ...more } },
})
const failed = (StateChangeReason: string, State = 'FAILED'): Answer => ({
  body: { QueryExecution: { Status: { State, StateChangeReason } } },
})
const invalid = (message: string) => refusal(message, 'InvalidRequestException')
const page = (columns: [string, string][], rows: string[][], NextToken?: string): Answer => ({
  body: {
    ResultSet: {
      ResultSetMetadata: { ColumnInfo: columns.map(([Name, Type]) => ({ Name, Type })) },
      Rows: rows.map((row) => ({ Data: row.map((VarCharValue) => ({ VarCharValue })) })),
    },
    ...(NextToken ? { NextToken } : {}),
  },
})

const databases = { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' }
const catalog = { state: async () => ({ generation: 'x', complete: true }), listTables: async () => [ORDERS] }
const ask = (sql: string, signal?: AbortSignal) =>
  openAthena({ athena, workgroup: 'weir-analysts', databases, catalog }).query(sql, { signal })
const actions = () => server.asked.map(({ action }) => action)

test('a query is started once with a token of its own, also when the first answer was lost', async () => {
  server.answers.StartQueryExecution = [{ status: 500, body: {} }, { body: { QueryExecutionId: 'q1' } }]
  server.answers.GetQueryResults = [page([['a', 'integer']], [['a'], ['1']])]
  await ask('SELECT order_id AS a FROM clean.orders')
  const [first, second] = server.asked.filter(({ action }) => action === 'StartQueryExecution').map(({ body }) => body)
  expect(first).toMatchObject({
    QueryString: 'SELECT order_id AS a FROM weir_clean.orders',
    WorkGroup: 'weir-analysts',
    ClientRequestToken: expect.stringMatching(/^.{32,128}$/),
  })
  expect(first).not.toHaveProperty('ResultReuseConfiguration')
  expect(second?.ClientRequestToken).toBe(first?.ClientRequestToken)
  await ask('SELECT order_id AS a FROM clean.orders')
  expect(
    server.asked.filter(({ action }) => action === 'StartQueryExecution').at(-1)?.body.ClientRequestToken,
  ).not.toBe(first?.ClientRequestToken)
})

test('it is waited for, and its pages are read, of which the first begins with the header', async () => {
  const state = (State: string) => ({ body: { QueryExecution: { Status: { State } } } })
  server.answers.GetQueryExecution = [
    state('QUEUED'),
    state('RUNNING'),
    succeeded({ Statistics: { DataScannedInBytes: 1 } }),
  ]
  const columns: [string, string][] = [['name', 'varchar']]
  // A row that looks like the header is a row where no header is due.
  server.answers.GetQueryResults = [
    page(columns, [['name'], ['name'], ['a']], 'more'),
    page(columns, [['name'], ['b']]),
  ]
  const { rows, stats } = await ask('SELECT name FROM clean.orders')
  expect(rows).toEqual([['name'], ['a'], ['name'], ['b']])
  expect(stats?.bytesScanned).toBe(1)
  expect(actions()).toEqual([
    'StartQueryExecution',
    ...Array(3).fill('GetQueryExecution'),
    ...Array(2).fill('GetQueryResults'),
  ])
})

test('DESCRIBE has no header, and its columns come in one text', async () => {
  server.answers.GetQueryExecution = [succeeded({ StatementType: 'DDL', Statistics: { DataScannedInBytes: 0 } })]
  const columns: [string, string][] = ['col_name', 'data_type', 'comment'].map((name) => [name, 'string'])
  server.answers.GetQueryResults = [
    page(columns, [['order_id            \tbigint              \t                    ']]),
  ]
  const { rows, stats } = await ask('DESCRIBE clean.orders')
  expect(rows).toEqual([['order_id', 'bigint', '']])
  expect(stats?.cost).toBe(0)
})

test('who stops waiting stops the query', async () => {
  server.answers.GetQueryExecution = [{ body: { QueryExecution: { Status: { State: 'RUNNING' } } } }]
  const controller = new AbortController()
  const endless = ask('SELECT 1', controller.signal)
  setTimeout(() => controller.abort(new Error('Enough.')), 150)
  await expect(endless).rejects.toThrow('Enough.')
  expect(server.asked.at(-1)).toEqual({ action: 'StopQueryExecution', body: { QueryExecutionId: 'q1' } })
})

test('who asks with the note of another waits for the same query; one that was stopped is asked again', async () => {
  server.answers.GetQueryResults = [page([['a', 'integer']], [['a'], ['1']])]
  const notes = ['q7']
  const note = { get: () => notes.at(-1), set: async (value: string) => void notes.push(value) }
  const lake = openAthena({ athena, workgroup: 'weir-analysts', databases, catalog })
  await lake.query('SELECT 1 AS a', { note })
  expect(actions()).toEqual(['GetQueryExecution', 'GetQueryResults'])
  expect(server.asked[0]?.body).toEqual({ QueryExecutionId: 'q7' })
  server.answers.GetQueryExecution = [failed('Query cancelled by user', 'CANCELLED'), succeeded()]
  await lake.query('SELECT 1 AS a', { note })
  expect(notes).toEqual(['q7', 'q1'])
  expect(server.asked.at(-1)).toMatchObject({ action: 'GetQueryResults', body: { QueryExecutionId: 'q1' } })
})

test('what still runs at the deadline goes on', async () => {
  server.answers.GetQueryExecution = [{ body: { QueryExecution: { Status: { State: 'RUNNING' } } } }]
  const lake = openAthena({ athena, workgroup: 'weir-analysts', databases, catalog })
  await expect(lake.query('SELECT 1', { deadline: new Date() })).rejects.toThrow(StillRunning)
  expect(actions()).not.toContain('StopQueryExecution')
})

test.each([
  [
    failed('Bytes scanned limit was exceeded', 'CANCELLED'),
    ScanLimitReached,
    /scanned more than the workgroup weir-analysts allows.*ingest_date/,
  ],
  [failed('Query exhausted resources at this scale factor'), QueryError, /exhausted resources/],
  [failed('Query cancelled by user', 'CANCELLED'), QueryError, /The query was cancelled: Query cancelled by user/],
  [
    failed('INVALID_ARGUMENTS: No version history table "weir_curated"."orders" at or before 2026-01-01T00:00:00Z'),
    QueryError,
    /^A table that the query reads has no version of then: it was made later, or made anew by a new major version/,
  ],
  [
    failed("COLUMN_NOT_FOUND: line 1:47: Column 'nope' cannot be resolved"),
    QueryError,
    /^COLUMN_NOT_FOUND: line 1:42: Column 'nope' cannot be resolved$/,
  ],
  [
    failed('PERMISSION_DENIED: Access Denied (Service: Amazon S3; Status Code: 403)'),
    AccessDenied,
    /Ask whoever runs the lake for a role that may\. \(PERMISSION_DENIED/,
  ],
])('what ends badly is told with its reason: %#', async (answer, kind, message) => {
  server.answers.GetQueryExecution = [answer]
  const error = await ask('SELECT order_id FROM clean.orders WHERE  nope = 1').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toMatch(message)
  expect(actions()).not.toContain('StopQueryExecution')
})

test('a table that is not there is named by its zone, with those that are', async () => {
  server.answers.GetQueryExecution = [
    failed("TABLE_NOT_FOUND: line 1:15: Table 'awsdatacatalog.weir_clean.nope' does not exist"),
  ]
  await expect(ask('SELECT * FROM clean.nope')).rejects.toThrow(
    "There is no table clean.nope. The tables are: clean.orders, ops.receipts, ops.rejects, ops.runs. (TABLE_NOT_FOUND: line 1:15: Table 'clean.nope' does not exist)",
  )
})

test.each([
  [invalid('WorkGroup weir-analysts is not found.'), LakeNotDeployed, /There is no Athena workgroup weir-analysts/],
  [invalid('WorkGroup weir-analysts is disabled.'), QueryError, /is switched off/],
  [invalid('No output location provided.'), QueryError, /nowhere to put the result.*weir-analysts/],
  [
    invalid("line 1:49: mismatched input 'x'. Expecting: <EOF>"),
    QueryError,
    /^line 1:44: mismatched input 'x'\. Expecting: <EOF>$/,
  ],
  [
    refusal(
      'User: arn:x is not authorized to perform: athena:StartQueryExecution on resource: y',
      'AccessDeniedException',
    ),
    AccessDenied,
    /arn:x may not athena:StartQueryExecution on y/,
  ],
])('what Athena does not even start is told with its reason: %#', async (answer, kind, message) => {
  server.answers.StartQueryExecution = [answer]
  const error = await ask('SELECT order_id FROM clean.orders WHERE   x = 1').catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(kind)
  expect((error as Error).message).toMatch(message)
  expect(actions()).toEqual(['StartQueryExecution'])
})

test('what only reads goes out, and nothing else', async () => {
  await expect(ask('DROP TABLE clean.orders')).rejects.toThrow(/DROP is not allowed/)
  expect(server.asked).toEqual([])
})
