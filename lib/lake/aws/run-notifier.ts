// Tells of the runs of curated tables: an event on the lake's bus for each, and to the alarm topic, in words, what keeps a
// table back: tests that failed, or a run that could not be. docs/notifications.md describes the event.

import { type EventBridgeClient, PutEventsCommand } from '@aws-sdk/client-eventbridge'
import { PublishCommand, type SNSClient } from '@aws-sdk/client-sns'
import { z } from 'zod'
import { runKey } from '../keys.ts'
import type { Run } from '../runs.ts'
import { ALARMS, type Deployed, topicArn } from './deployed.ts'
import { EVENT_SOURCE, NotificationFailed } from './notifier.ts'

export const RUN_EVENT_TYPE = 'weir.run.finished'

/** The `detail` of the event. Fields may be added; none changes its meaning. */
export const runFinishedSchema = z.object({
  environment: z.string(),
  run: z.string(),
  table: z.string().describe('Below curated.'),
  kind: z.enum(['entity', 'table', 'incremental', 'view']),
  outcome: z.enum(['published', 'failed_tests', 'failed']),
  reason: z.string().optional().describe('Code of the reason, where it was not published.'),
  failedTests: z.array(z.string()),
  rows: z.object({ written: z.int().nullable(), removed: z.int().nullable(), total: z.int().nullable() }),
  version: z.string().nullable(),
  record: z.object({ bucket: z.string(), key: z.string() }).describe('Where the whole record of the run is.'),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
})
export type RunFinished = z.infer<typeof runFinishedSchema>

type Names = Pick<Deployed, 'partition' | 'region' | 'account' | 'environment' | 'buckets' | 'eventBus'>

export interface RunNotifierSettings {
  sns: SNSClient
  events: EventBridgeClient
  deployed: Names
}

export interface RunNotifier {
  /** Tells of one run. Throws NotificationFailed; the record of the run is there all the same. */
  tell(run: Run): Promise<void>
}

const broken = (run: Run) => run.tests.filter(({ passed, severity }) => !passed && severity === 'error')
const testName = ({ test, column }: Run['tests'][number]): string =>
  column === undefined ? test : `${test}(${column})`
const plural = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`

/** What the event says of a run: names and figures, no values of any row. */
export function runFinished(run: Run, { environment, buckets }: Pick<Names, 'environment' | 'buckets'>): RunFinished {
  return {
    environment,
    run: run.run,
    table: run.table,
    kind: run.kind,
    outcome: run.outcome,
    ...(run.reason === null ? {} : { reason: run.reason.code }),
    failedTests: broken(run).map(testName),
    rows: run.rows,
    version: run.version,
    record: { bucket: buckets.ops, key: runKey(run.table, run.run) },
    startedAt: run.startedAt,
    finishedAt: run.finishedAt,
  }
}

/** The message to whoever looks after the lake; undefined for a run that went well. No values of rows are in it. */
export function runMessage(run: Run, environment: string): { subject: string; text: string } | undefined {
  if (run.outcome === 'published') return undefined
  const lake = `aws:${environment}`
  const failed = run.outcome === 'failed'
  const found = broken(run).map(
    (test) => `  ${testName(test)}: ${plural(test.failures, 'row')} ${test.failures === 1 ? 'breaks' : 'break'} it`,
  )
  const why = run.reason === null ? [] : [run.reason.message, run.reason.advice]
  const lines = [
    failed
      ? `curated.${run.table} could not be brought up to date.`
      : `curated.${run.table} was made anew, and its tests failed:`,
    ...(failed ? [] : ['', ...found]),
    '',
    ...why,
    'Readers keep the last good version of the table; tables made from it keep theirs.',
    '',
    `The run: ${run.run}`,
    `See it:  weir query "SELECT * FROM ops.runs WHERE run = '${run.run}'" --lake ${lake}`,
    `Again:   weir curate --table ${run.table} --lake ${lake}`,
  ]
  const what = failed ? 'could not be brought up to date' : `${plural(found.length, 'test')} failed`
  return {
    subject: subjectOf(`[${environment}] curated.${run.table}: ${what}, readers keep the last good version`),
    text: `${lines.filter((line, at) => line !== '' || lines[at - 1] !== '').join('\n')}\n`,
  }
}

/** SNS takes up to 100 characters of ASCII. */
const subjectOf = (text: string): string => {
  const ascii = text.replaceAll(/[^\x20-\x7e]/g, '?')
  return ascii.length <= 100 ? ascii : `${ascii.slice(0, 97)}...`
}

/** Tells by EventBridge, and by SNS where somebody has to look. */
export function openRunNotifier({ sns, events, deployed }: RunNotifierSettings): RunNotifier {
  const announce = async (run: Run): Promise<void> => {
    const { FailedEntryCount, Entries } = await events.send(
      new PutEventsCommand({
        Entries: [
          {
            EventBusName: deployed.eventBus,
            Source: EVENT_SOURCE,
            DetailType: RUN_EVENT_TYPE,
            Time: new Date(run.finishedAt),
            Detail: JSON.stringify(runFinished(run, deployed)),
          },
        ],
      }),
    )
    // The call succeeds also when the bus does not take the event.
    if (FailedEntryCount) throw new Error(Entries?.[0]?.ErrorMessage ?? 'no reason given')
  }
  const warn = async (run: Run): Promise<void> => {
    const message = runMessage(run, deployed.environment)
    if (!message) return
    await sns.send(
      new PublishCommand({ TopicArn: topicArn(deployed, ALARMS), Subject: message.subject, Message: message.text }),
    )
  }
  return {
    async tell(run) {
      const told = await Promise.allSettled([announce(run), warn(run)])
      const places = [`the event bus ${deployed.eventBus}`, `the topic ${topicArn(deployed, ALARMS)}`]
      const faults = told.flatMap((result, index) =>
        result.status === 'rejected' ? [`Could not tell ${places[index]}: ${messageOf(result.reason)}`] : [],
      )
      if (faults.length > 0) throw new NotificationFailed(faults.join(' And: '))
    },
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error))
