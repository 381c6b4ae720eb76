// Athena and Glue as far as curated tables need them, on a port of this machine: statements are started once for each token,
// take as many looks as a test says, and end as it says.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Outcome {
  state?: 'SUCCEEDED' | 'FAILED' | 'CANCELLED'
  reason?: string
  /** Looks that find it running before that. */
  looks?: number
  /** Rows of the answer, without the header. */
  rows?: (string | undefined)[][]
  columns?: { Name: string; Type: string }[]
  bytes?: number
  /** What Athena does with it, when it is over. */
  effect?: () => void
}

export interface Execution {
  id: string
  sql: string
  token: string
  workgroup: string
  looked: number
  stopped: boolean
  outcome: Outcome
}

export interface FakeAthena {
  client: {
    endpoint: string
    region: string
    credentials: { accessKeyId: string; secretAccessKey: string }
    maxAttempts: number
  }
  /** What becomes of a statement; `nth`: how often this text was started before. Default: it succeeds at once. */
  script: (sql: string, nth: number) => Outcome | undefined | Promise<Outcome | undefined>
  /** Every execution, in order. */
  executions: Execution[]
  /** Starts that Athena was asked for, those that gave an execution of before too. */
  starts: number
  /** The next starts are answered so; `lost`: it is started, and nobody hears of it. */
  startErrors: { status: number; type: string; lost?: boolean }[]
  /** By database and name. */
  tables: Map<string, object>
  close(): Promise<void>
}

const SUBMITTED = Date.parse('2026-01-02T03:04:05Z') / 1000

export async function startFakeAthena(): Promise<FakeAthena> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const action = String(request.headers['x-amz-target']).replace(/^.*\./, '')
      const [status, body] = await answer(action, JSON.parse(Buffer.concat(chunks).toString()))
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    })
  })

  async function answer(action: string, body: Record<string, never>): Promise<[number, object]> {
    switch (action) {
      case 'StartQueryExecution':
        return await start(body.QueryString ?? '', body.ClientRequestToken ?? '', body.WorkGroup ?? '')
      case 'GetQueryExecution':
        return [200, { QueryExecution: look(found(body.QueryExecutionId)) }]
      case 'StopQueryExecution': {
        const execution = found(body.QueryExecutionId)
        execution.stopped = true
        execution.outcome = { state: 'CANCELLED', reason: 'Query cancelled by user' }
        return [200, {}]
      }
      case 'GetQueryResults': {
        const { rows: answered = [], columns = [{ Name: 'header', Type: 'varchar' }] } = found(
          body.QueryExecutionId,
        ).outcome
        const rows = [columns.map(({ Name }) => Name), ...answered]
        const Rows = rows.map((row) => ({ Data: row.map((VarCharValue) => ({ VarCharValue })) }))
        return [200, { ResultSet: { Rows, ResultSetMetadata: { ColumnInfo: columns } } }]
      }
      case 'GetTable': {
        const table = fake.tables.get(`${body.DatabaseName}.${body.Name}`)
        return table ? [200, { Table: table }] : [400, { __type: 'EntityNotFoundException', Message: 'no such table' }]
      }
      case 'GetTables': {
        const prefix = `${body.DatabaseName}.`
        const names = [...fake.tables.keys()]
          .filter((name) => name.startsWith(prefix))
          .map((name) => name.slice(prefix.length))
        return [200, { TableList: names.map((Name) => ({ Name })) }]
      }
      default:
        return [400, { __type: 'InvalidRequestException', Message: `no action ${action}` }]
    }
  }

  async function start(sql: string, token: string, workgroup: string): Promise<[number, object]> {
    fake.starts++
    const error = fake.startErrors.shift()
    if (error && !error.lost) return [error.status, { __type: error.type, Message: error.type }]
    const known = fake.executions.find((execution) => execution.token === token)
    if (known && known.sql !== sql)
      return [400, { __type: 'InvalidRequestException', Message: 'Idempotent parameters do not match' }]
    const nth = fake.executions.filter((execution) => execution.sql === sql).length
    const execution = known ?? {
      id: `execution-${fake.executions.length + 1}`,
      sql,
      token,
      workgroup,
      looked: 0,
      stopped: false,
      outcome: (await fake.script(sql, nth)) ?? {},
    }
    if (!known) fake.executions.push(execution)
    return error
      ? [error.status, { __type: error.type, Message: error.type }]
      : [200, { QueryExecutionId: execution.id }]
  }

  function found(id: string | undefined): Execution {
    const execution = fake.executions.find((one) => one.id === id)
    if (!execution) throw new Error(`There is no execution ${id}.`)
    return execution
  }

  function look(execution: Execution): object {
    const { id, sql, outcome } = execution
    const { state = 'SUCCEEDED', reason, looks = 0, bytes = 0, effect } = outcome
    const running = execution.looked++ < looks
    if (!running) effect?.()
    return {
      QueryExecutionId: id,
      Query: sql,
      StatementType: /^(CREATE TABLE IF|CREATE OR|ALTER|DROP)/.test(sql) ? 'DDL' : 'DML',
      Status: {
        State: running ? 'RUNNING' : state,
        ...(reason && !running ? { StateChangeReason: reason } : {}),
        SubmissionDateTime: SUBMITTED,
        ...(running ? {} : { CompletionDateTime: SUBMITTED + 10 }),
      },
      Statistics: { DataScannedInBytes: bytes, TotalExecutionTimeInMillis: 10_000 },
    }
  }

  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const fake: FakeAthena = {
    client: {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
      maxAttempts: 1,
    },
    script: () => undefined,
    executions: [],
    starts: 0,
    startErrors: [],
    tables: new Map(),
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return fake
}
