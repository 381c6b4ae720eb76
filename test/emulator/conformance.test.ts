// The AWS adapters, held to the same conformance suites as the local ones (test/conformance/local.test.ts).

import { openAwsLake } from '../../lib/lake/aws/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { catalogConformance } from '../conformance/catalog.ts'
import { queryEngineConformance } from '../conformance/query.ts'
import { objectStoreConformance } from '../conformance/store.ts'
import { athenaWords } from './differences.ts'
import { makeDatabases } from './glue.ts'
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
