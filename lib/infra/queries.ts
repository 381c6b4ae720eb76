// The saved queries that a newcomer finds in Athena's console. `"date"` limits what is read: a day is a folder.

import { glueName } from '../lake/aws/types.ts'
import type { Names } from './names.ts'

export interface NamedQuery {
  name: string
  description: string
  sql: string
}

/** Athena takes no longer names. */
const MOST_NAME = 128

const LAST_WEEK = `"date" >= date_format(current_date - interval '7' day, '%Y-%m-%d')`

export function namedQueries({ databases }: Pick<Names, 'databases'>, datasets: string[]): NamedQuery[] {
  const { clean, ops } = databases
  const queries: NamedQuery[] = [
    {
      name: 'Refused uploads of the last week',
      description: 'Which files were refused as a whole, why, and what to do about it.',
      sql: `SELECT droppedat, dataset, source, reason.message, reason.advice
FROM ${ops}.receipts
WHERE outcome = 'refused' AND ${LAST_WEEK}
ORDER BY droppedat DESC`,
    },
    {
      name: 'Uploads and rows by day',
      description: 'What came into each dataset in the last week, and how much of it was set aside.',
      sql: `SELECT "date", dataset, count(*) AS uploads, sum("rows"."read") AS rows_read,
  sum("rows".accepted) AS rows_accepted, sum("rows".rejected) AS rows_rejected
FROM ${ops}.receipts
WHERE ${LAST_WEEK}
GROUP BY "date", dataset
ORDER BY "date" DESC, dataset`,
    },
    {
      name: 'Freshness of each dataset',
      description: 'When each dataset last got rows.',
      sql: `SELECT dataset, max(finishedat) AS last_rows, max_by(source, finishedat) AS last_source
FROM ${ops}.receipts
WHERE outcome IN ('accepted', 'accepted_with_rejects')
GROUP BY dataset
ORDER BY last_rows DESC`,
    },
    {
      name: 'Broken rules of the last week',
      description: 'Which rules set aside most rows.',
      // UNNEST gives each field of a row as a column of its own, in the order of the type.
      sql: `SELECT dataset, broken."rule", broken."column", sum(broken.times) AS times
FROM ${ops}.receipts CROSS JOIN UNNEST(violations) AS broken("rule", "column", severity, message, times, samples)
WHERE ${LAST_WEEK} AND broken.severity = 'error'
GROUP BY dataset, broken."rule", broken."column"
ORDER BY times DESC`,
    },
    {
      name: 'Rejected rows of one upload',
      description: 'Every row that was set aside, with its text and its reasons. Put in the upload of a receipt.',
      sql: `SELECT _row, cells, violations
FROM ${ops}.rejects
WHERE dataset = '${datasets[0] ?? 'orders'}' AND _upload = '20260101T000000000Z-000000000000'
ORDER BY _row`,
    },
    {
      name: 'Runs of curated tables of the last week',
      description: 'What each run did, what it scanned, and why it failed where it did.',
      sql: `SELECT startedat, "table", outcome, scope, "rows".written, "rows".removed, "rows".total, bytesscanned, cost, reason.message
FROM ${ops}.runs
WHERE ${LAST_WEEK}
ORDER BY startedat DESC`,
    },
  ]
  for (const dataset of datasets)
    queries.push({
      name: `Newest rows of ${dataset}`.slice(0, MOST_NAME),
      description: `A look into ${dataset}: rows of the newest day, with the upload that each came with.`,
      sql: `SELECT *
FROM ${clean}."${glueName(dataset)}"
WHERE ingest_date = (SELECT max(ingest_date) FROM ${clean}."${glueName(dataset)}$partitions")
LIMIT 100`,
    })
  return queries
}
