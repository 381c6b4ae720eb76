// The tables' part of a lake for one test on the emulator: Glue databases, an Athena workgroup, and the ports on them.

import { AthenaClient, CreateWorkGroupCommand } from '@aws-sdk/client-athena'
import { CreateDatabaseCommand, GlueClient } from '@aws-sdk/client-glue'
import { openGlueCatalog } from '../../lib/lake/aws/catalog.ts'
import { clientSettings, openS3 } from '../../lib/lake/aws/clients.ts'
import type { Deployed } from '../../lib/lake/aws/deployed.ts'
import { openBucketStore } from '../../lib/lake/aws/store.ts'
import type { Catalog, ObjectStore } from '../../lib/lake/ports.ts'
import { makeBuckets, newNames, temporary } from './lake.ts'

/** Databases and workgroups, as the stacks make them. */
export async function makeDatabases({ databases, workgroups, buckets, region }: Deployed): Promise<void> {
  const glue = new GlueClient(clientSettings({ region }))
  for (const Name of Object.values(databases)) await glue.send(new CreateDatabaseCommand({ DatabaseInput: { Name } }))
  glue.destroy()
  const athena = new AthenaClient(clientSettings({ region }))
  const OutputLocation = `s3://${buckets.ops}/athena-results/`
  for (const Name of Object.values(workgroups))
    await athena.send(new CreateWorkGroupCommand({ Name, Configuration: { ResultConfiguration: { OutputLocation } } }))
  athena.destroy()
}

export interface TablesLake {
  names: Deployed
  catalog: Catalog
  /** Another process's view of the same catalog. */
  openCatalog: () => Catalog
  glue: GlueClient
  clean: ObjectStore
  ops: ObjectStore
  scratch: string
  close(): Promise<void>
}

/** A new, empty lake as far as tables go. */
export async function openTables(): Promise<TablesLake> {
  const names = newNames()
  await makeBuckets(names)
  await makeDatabases(names)
  const { folder, remove } = await temporary()
  const client = openS3({ region: names.region })
  const glue = new GlueClient(clientSettings({ region: names.region }))
  const open = (zone: 'clean' | 'ops') =>
    openBucketStore({ bucket: names.buckets[zone], client, versioned: false, scratch: folder })
  const ops = open('ops')
  const openCatalog = () => openGlueCatalog({ glue, databases: names.databases, buckets: names.buckets, ops })
  return {
    names,
    catalog: openCatalog(),
    openCatalog,
    glue,
    clean: open('clean'),
    ops,
    scratch: folder,
    async close() {
      client.destroy()
      glue.destroy()
      await remove()
    },
  }
}
