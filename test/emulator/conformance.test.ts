// The AWS adapters, held to the same conformance suites as the local ones (test/conformance/local.test.ts).

import { openS3 } from '../../lib/lake/aws/clients.ts'
import { openBucketStore } from '../../lib/lake/aws/store.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import { objectStoreConformance } from '../conformance/store.ts'
import { makeBuckets, newNames, temporary } from './lake.ts'

async function openStores(): Promise<Lake> {
  const names = newNames()
  await makeBuckets(names)
  const { folder, remove } = await temporary()
  const client = openS3({ region: names.region })
  const open = (zone: 'landing' | 'clean' | 'curated' | 'ops') =>
    openBucketStore({ bucket: names.buckets[zone], client, versioned: zone === 'landing', scratch: folder })
  const zones = { landing: open('landing'), clean: open('clean'), curated: open('curated'), ops: open('ops') }
  return {
    zones,
    scratch: folder,
    close: async () => {
      client.destroy()
      await remove()
    },
  } as unknown as Lake
}

objectStoreConformance('S3', openStores)
