// The AWS adapters, held to the same conformance suites as the local ones (test/conformance/local.test.ts).

import { expect } from 'vitest'
import { openAwsLake } from '../../lib/lake/aws/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { catalogConformance, notifierConformance } from '../conformance/catalog.ts'
import { queryEngineConformance } from '../conformance/query.ts'
import { objectStoreConformance } from '../conformance/store.ts'
import { curatedTablesConformance } from '../conformance/tables.ts'
import { athenaWords, isMiniStack } from './differences.ts'
import { makeDatabases } from './glue.ts'
import { listen } from './hearing.ts'
import { makeBuckets, newNames } from './lake.ts'

async function open(): Promise<Lake> {
  const names = newNames()
  await makeBuckets(names)
  await makeDatabases(names)
  return openAwsLake(names)
}

objectStoreConformance('S3', open)
catalogConformance('Glue', open)
queryEngineConformance('Athena', open, await athenaWords())
// MiniStack has no Iceberg: what takes its place there (lib/lake/aws/emulator.ts) does what the port says all the same.
if (await isMiniStack()) curatedTablesConformance('Parquet in the buckets of an emulator', open)

notifierConformance('SNS and EventBridge', async () => {
  const names = newNames()
  const ears = await listen(names, 'orders')
  const heard = async () => {
    const events = await ears.bus(2)
    expect(await ears.topic(2)).toHaveLength(events.length)
    // Queues keep no order; the ids of these uploads are in the order in which they were told.
    return events.map(({ detail }) => detail.upload).sort()
  }
  return { lake: await openAwsLake(names), heard }
})
