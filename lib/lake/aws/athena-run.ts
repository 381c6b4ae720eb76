// Running one statement in Athena: started at most once for each token, waited for, its cost told. What queries (athena.ts) and
// the writing of curated tables (tables.ts) share.

import { setTimeout as sleep } from 'node:timers/promises'
import {
  type AthenaClient,
  GetQueryExecutionCommand,
  type QueryExecution,
  StartQueryExecutionCommand,
} from '@aws-sdk/client-athena'
import { QueryError, StillRunning } from '../errors.ts'
import { AccessDenied, awsError, codeOf, LakeNotDeployed } from './errors.ts'
import type { Databases, Statement } from './names.ts'

/** List price: dollars for each TB scanned, by the megabyte, and never less than ten of them. */
export const DOLLARS_PER_TB = 5
const TB = 1024 ** 4
const MB = 1024 ** 2
const LEAST_MB = 10

const FIRST_WAIT_MS = 100
const LONGEST_WAIT_MS = 2000
const SLOWER = 1.5

export interface Workgroup {
  athena: AthenaClient
  workgroup: string
  databases: Databases
}

/** The workgroup's limit of bytes scanned was reached before the query had ended. */
export class ScanLimitReached extends QueryError {
  override name = 'ScanLimitReached'
}

/**
 * Starts a statement and gives the id of its execution. The same token and text give the same execution, however often they
 * are sent.
 *
 * @param inWords what Athena says of the statement, for whoever wrote it
 */
export async function startExecution(
  { athena, workgroup, databases }: Workgroup,
  sql: string,
  token: string,
  inWords: (said: string) => string,
): Promise<string> {
  try {
    const { QueryExecutionId } = await athena.send(
      new StartQueryExecutionCommand({
        QueryString: sql,
        WorkGroup: workgroup,
        QueryExecutionContext: { Catalog: 'AwsDataCatalog', Database: databases.clean },
        ClientRequestToken: token,
      }),
    )
    if (QueryExecutionId === undefined)
      throw new QueryError('Athena started the query and did not say which. Ask again.')
    return QueryExecutionId
  } catch (error) {
    if (!(error instanceof Error) || codeOf(error) !== 'InvalidRequestException')
      throw awsError(error, 'start the query in Athena')
    const said = error.message
    const cause = { cause: error }
    if (/workgroup\b.*\bnot found/i.test(said))
      throw new LakeNotDeployed(
        `There is no Athena workgroup ${workgroup} in this account and region. Check AWS_REGION and AWS_PROFILE, or deploy it: npx cdk deploy --all`,
        cause,
      )
    if (/workgroup\b.*\bdisabled/i.test(said))
      throw new QueryError(`The Athena workgroup ${workgroup} is switched off. Ask whoever runs the lake.`, cause)
    if (/output location|output bucket/i.test(said))
      throw new QueryError(
        `Athena has nowhere to put the result: check the result location of the workgroup ${workgroup}. (${said})`,
        cause,
      )
    throw new QueryError(inWords(said), cause)
  }
}

/**
 * Waits until an execution is over, looking often at first and then less so. Throws StillRunning at the deadline; the
 * execution goes on then.
 */
export async function ended(
  athena: AthenaClient,
  id: string,
  { signal, deadline }: { signal?: AbortSignal | undefined; deadline?: Date | undefined } = {},
): Promise<QueryExecution> {
  for (let wait = FIRST_WAIT_MS; ; wait = Math.min(wait * SLOWER, LONGEST_WAIT_MS)) {
    const { QueryExecution } = await athena.send(new GetQueryExecutionCommand({ QueryExecutionId: id }), {
      ...(signal ? { abortSignal: signal } : {}),
    })
    const state = QueryExecution?.Status?.State
    if (QueryExecution && (state === 'SUCCEEDED' || state === 'FAILED' || state === 'CANCELLED')) return QueryExecution
    await pause(wait, { signal, deadline }, `The statement ${id} is still running in Athena.`)
  }
}

/** Waits. Throws StillRunning when the deadline would come first. */
export async function pause(
  milliseconds: number,
  { signal, deadline }: { signal?: AbortSignal | undefined; deadline?: Date | undefined },
  why: string,
): Promise<void> {
  if (deadline && Date.now() + milliseconds > deadline.getTime())
    throw new StillRunning(`${why} Whoever asks for the same again goes on from there.`)
  await sleep(milliseconds, undefined, { ...(signal ? { signal } : {}) })
}

/**
 * Bytes scanned, and what they cost by the list. Statements about tables (SHOW, DESCRIBE) and plain EXPLAIN read nothing
 * and cost nothing. What we read out of the statement counts as well as what Athena calls it: on an emulator the SELECT is
 * the last of several statements, and goes by the name of the first.
 */
export function scanned(
  { Statistics, StatementType }: Pick<QueryExecution, 'Statistics' | 'StatementType'>,
  { kind }: Pick<Statement, 'kind'>,
): { bytesScanned?: number; cost?: number } {
  const bytes = Statistics?.DataScannedInBytes
  if (bytes === undefined) return {}
  const bills = kind === 'select' || StatementType === 'DML' || bytes > 0
  const billed = bills ? Math.max(Math.ceil(bytes / MB), LEAST_MB) * MB : 0
  return { bytesScanned: bytes, cost: (billed / TB) * DOLLARS_PER_TB }
}

/** Why an execution failed, as Athena says it. */
export const saidOf = ({ Status }: QueryExecution): string =>
  Status?.StateChangeReason || Status?.AthenaError?.ErrorMessage || 'no reason given'

/** Stopped by a person or a worker that gave up, not by a limit. */
export const wasStopped = (execution: QueryExecution): boolean =>
  execution.Status?.State === 'CANCELLED' && !/limit/i.test(saidOf(execution))

/** Failures that say the same of every statement; undefined for the others. */
export function commonFailure(execution: QueryExecution, workgroup: string): Error | undefined {
  const said = saidOf(execution)
  if (/bytes scanned limit/i.test(said))
    return new ScanLimitReached(
      `The query was stopped: it scanned more than the workgroup ${workgroup} allows. Select fewer columns, or fewer days with WHERE ingest_date >= …, or ask whoever runs the lake to raise the limit. (${said})`,
    )
  if (/access ?denied|not authorized|insufficient permissions/i.test(said))
    return new AccessDenied(
      `Athena may not read what the query needs. Ask whoever runs the lake for a role that may. (${said})`,
    )
  if (execution.Status?.State === 'CANCELLED') return new QueryError(`The query was cancelled: ${said}`)
  return undefined
}

/** Athena's reason with places as in what the user wrote, and tables by their zones. */
export function inOurWords(said: string, { origin }: Pick<Statement, 'origin'>, databases: Databases): string {
  let text = said.replaceAll(/\bline (\d+):(\d+)(: )?/g, (_, line, column, colon = '') => {
    const at = origin(Number(line), Number(column))
    return at ? `line ${at.line}:${at.column}${colon}` : ''
  })
  for (const [zone, database] of Object.entries(databases))
    text = text.replaceAll(new RegExp(`(?:\\bawsdatacatalog\\.)?\\b${database}\\.`, 'gi'), `${zone}.`)
  return text
}
