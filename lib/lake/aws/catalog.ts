// The catalog of a deployed lake: Glue, where Athena looks. Tables are made by the stacks and mended here; partitions come
// and go with the heads. A partition's location is swapped by one call, so readers see the old files or the new ones.
//
// A table that was deleted and made anew (by a stack, or by hand) has lost its partitions. It shows in the time it was
// made: heads that are older were followed into the table before it. Until reconcile has gone through them all, the lake
// is not complete. What is known to be complete is kept in the ops zone, by the time each table was made.

import {
  BatchUpdatePartitionCommand,
  type Column,
  CreatePartitionCommand,
  CreateTableCommand,
  DeletePartitionCommand,
  GetPartitionCommand,
  GetTableCommand,
  type GlueClient,
  paginateGetPartitions,
  paginateGetTables,
  type Table,
  UpdateTableCommand,
} from '@aws-sdk/client-glue'
import { z } from 'zod'
import { PreconditionFailed, StorageError } from '../errors.ts'
import { catalogMarkerKey, headsPrefix } from '../keys.ts'
import type { Catalog, Mistyped, ObjectStore, Partition, TableDefinition } from '../ports.ts'
import { compareKeys } from '../valid-key.ts'
import { AccessDenied, codeOf, guarded, LakeNotDeployed } from './errors.ts'
import type { Databases } from './names.ts'
import { definitionOf, glueTableInput, PARQUET, readsAs, splitTable } from './types.ts'

export interface GlueCatalogSettings {
  glue: GlueClient
  databases: Databases
  /** Buckets of the zones whose files are tables. */
  buckets: { clean: string; curated: string; ops: string }
  /** The ops zone: heads are looked at, and what is complete is remembered there. */
  ops: ObjectStore
}

/** Times that something may come between two steps of ours before it is a fault. */
const ATTEMPTS = 10
const ZONES_WITH_TABLES = ['clean', 'curated'] as const

const markerSchema = z.object({
  format: z.literal('weir.catalog/1'),
  /** When each table was made, in seconds, for those that hold all that the heads say. */
  tables: z.record(z.string(), z.number()),
})
type Made = Readonly<Record<string, number>>

/**
 * The catalog port on Glue.
 *
 * @example
 * const catalog = openGlueCatalog({ glue, databases: deployed.databases, buckets: deployed.buckets, ops: zones.ops })
 */
export function openGlueCatalog({ glue, databases, buckets, ops }: GlueCatalogSettings): Catalog {
  /** Columns of tables that this process has seen: every partition repeats them. */
  const columns = new Map<string, Column[]>()

  function locate(name: string): { DatabaseName: string; Name: string; zone: keyof Databases } {
    const { zone, table } = splitTable(name)
    if (!isZone(zone)) throw new StorageError(`There is no table ${name}: only clean, curated and ops have tables.`)
    return { DatabaseName: databases[zone], Name: table, zone }
  }

  async function findTable(name: string): Promise<Table | undefined> {
    const { DatabaseName, Name } = locate(name)
    try {
      const { Table } = await glue.send(new GetTableCommand({ DatabaseName, Name }))
      if (Table) columns.set(name, Table.StorageDescriptor?.Columns ?? [])
      return Table
    } catch (error) {
      if (codeOf(error) === 'EntityNotFoundException') return undefined
      throw error
    }
  }

  async function columnsOf(name: string): Promise<Column[]> {
    const found = columns.get(name) ?? (await findTable(name))?.StorageDescriptor?.Columns
    if (!found) throw noTable(name)
    return found
  }

  async function putTable(table: TableDefinition): Promise<void> {
    const { DatabaseName, Name, zone } = locate(table.name)
    const TableInput = glueTableInput(table, `s3://${buckets[zone]}/${table.name.slice(zone.length + 1)}/`)
    for (let attempt = 1; ; attempt++) {
      try {
        // Old versions of the table are of no use: the contract is in version control.
        await glue.send(new UpdateTableCommand({ DatabaseName, TableInput, SkipArchive: true }))
        break
      } catch (error) {
        const code = codeOf(error)
        if (attempt >= ATTEMPTS || !['EntityNotFoundException', 'ConcurrentModificationException'].includes(code))
          throw error
        if (code === 'EntityNotFoundException' && (await made(DatabaseName, Name, TableInput))) break
      }
    }
    columns.set(table.name, TableInput.StorageDescriptor.Columns ?? [])
  }

  /** False when somebody else made it first. */
  async function made(DatabaseName: string, Name: string, input: ReturnType<typeof glueTableInput>): Promise<boolean> {
    try {
      await glue.send(new CreateTableCommand({ DatabaseName, TableInput: input }))
      return true
    } catch (error) {
      const code = codeOf(error)
      if (code === 'AlreadyExistsException') return false
      if (code !== 'EntityNotFoundException') throw error
      throw new LakeNotDeployed(
        `There is no Glue database ${DatabaseName} for the table ${Name}. Check AWS_REGION and AWS_PROFILE, or deploy it: npx cdk deploy --all`,
        { cause: error },
      )
    }
  }

  async function getPartition(name: string, values: string[]): Promise<Partition | undefined> {
    const { DatabaseName, Name, zone } = locate(name)
    try {
      const { Partition } = await glue.send(
        new GetPartitionCommand({ DatabaseName, TableName: Name, PartitionValues: values }),
      )
      return Partition && { values, location: locationOf(Partition.StorageDescriptor?.Location, buckets[zone]) }
    } catch (error) {
      if (codeOf(error) === 'EntityNotFoundException') return undefined
      throw error
    }
  }

  async function putPartition(name: string, { values, location }: Partition): Promise<void> {
    const { DatabaseName, Name, zone } = locate(name)
    if (values.length === 0)
      throw new StorageError(`The table ${name} has no partition keys, so it can have no partition.`)
    const PartitionInput = {
      Values: values,
      StorageDescriptor: { ...PARQUET, Columns: await columnsOf(name), Location: `s3://${buckets[zone]}/${location}` },
    }
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      try {
        await glue.send(new CreatePartitionCommand({ DatabaseName, TableName: Name, PartitionInput }))
        return
      } catch (error) {
        const code = codeOf(error)
        if (code === 'EntityNotFoundException') throw noTable(name, error)
        if (code !== 'AlreadyExistsException') throw error
      }
      const { Errors } = await glue.send(
        new BatchUpdatePartitionCommand({
          DatabaseName,
          TableName: Name,
          Entries: [{ PartitionValueList: values, PartitionInput }],
        }),
      )
      const [failed] = Errors ?? []
      if (!failed) return
      // Deleted since we were told that it is there, or changed by another at the same moment: once more from the start.
      const { ErrorCode = '', ErrorMessage = '' } = failed.ErrorDetail ?? {}
      if (!/EntityNotFound|ConcurrentModification/.test(ErrorCode))
        throw new StorageError(
          `Glue did not move the partition ${values.join('/')} of ${name}: ${ErrorCode}: ${ErrorMessage}`,
        )
    }
    throw new StorageError(
      `The partition ${values.join('/')} of ${name} could not be moved: others changed it ${ATTEMPTS} times meanwhile. Try again.`,
    )
  }

  async function deletePartition(name: string, values: string[]): Promise<void> {
    const { DatabaseName, Name } = locate(name)
    try {
      await glue.send(new DeletePartitionCommand({ DatabaseName, TableName: Name, PartitionValues: values }))
    } catch (error) {
      if (codeOf(error) !== 'EntityNotFoundException') throw error
    }
  }

  async function partitionsOf(name: string): Promise<Partition[]> {
    const { DatabaseName, Name, zone } = locate(name)
    const found: Partition[] = []
    try {
      const request = { DatabaseName, TableName: Name, ExcludeColumnSchema: true }
      for await (const { Partitions = [] } of paginateGetPartitions({ client: glue }, request))
        for (const { Values = [], StorageDescriptor } of Partitions)
          found.push({ values: Values, location: locationOf(StorageDescriptor?.Location, buckets[zone]) })
    } catch (error) {
      if (codeOf(error) !== 'EntityNotFoundException') throw error
    }
    return found.sort((a, b) => compareKeys(a.values.join('\0'), b.values.join('\0')))
  }

  async function mistypedIn(name: string): Promise<Mistyped[]> {
    const { DatabaseName, Name } = locate(name)
    const table = await findTable(name)
    const wanted = new Map(table?.StorageDescriptor?.Columns?.map(({ Name = '', Type = '' }) => [Name, Type]))
    const found: Mistyped[] = []
    // With all their columns, so only on demand: every partition repeats them.
    for await (const { Partitions = [] } of paginateGetPartitions({ client: glue }, { DatabaseName, TableName: Name }))
      for (const { Values = [], StorageDescriptor } of Partitions)
        for (const { Name: column = '', Type: type = '' } of StorageDescriptor?.Columns ?? []) {
          const now = wanted.get(column)
          if (now !== undefined && !readsAs(type, now)) found.push({ values: Values, column, type, wanted: now })
        }
    return found
  }

  async function tablesIn(zone: keyof Databases): Promise<Table[]> {
    const found: Table[] = []
    try {
      // Views that people make for themselves are none of ours.
      for await (const { TableList = [] } of paginateGetTables({ client: glue }, { DatabaseName: databases[zone] }))
        found.push(...TableList.filter(({ TableType }) => TableType !== 'VIRTUAL_VIEW'))
    } catch (error) {
      if (codeOf(error) !== 'EntityNotFoundException') throw error
      throw new LakeNotDeployed(
        `There is no Glue database ${databases[zone]} in this account and region. Check AWS_REGION and AWS_PROFILE, or deploy it: npx cdk deploy --all`,
        { cause: error },
      )
    }
    return found
  }

  /** When each clean table was made, by dataset. */
  async function madeAt(): Promise<Made> {
    const tables = await tablesIn('clean')
    return Object.fromEntries(
      tables.map((table) => [definitionOf('clean', table).name.slice('clean.'.length), seconds(table.CreateTime)]),
    )
  }

  async function state(): Promise<{ generation: string; complete: boolean }> {
    const tables = await madeAt()
    const known = (await readMarker())?.marker.tables ?? {}
    const born: Record<string, number> = {}
    let complete = true
    for (const [dataset, made] of Object.entries(tables)) {
      if (known[dataset] === made) continue
      if (await hasOlderHead(dataset, made)) complete = false
      else born[dataset] = made
    }
    // So that the heads need not be looked at again. Who may only read looks every time.
    if (Object.keys(born).length > 0) await remember(born, tables).catch(ignoreDenied)
    return { generation: generationOf(tables), complete }
  }

  /** True when a source was followed into a table before this one. */
  async function hasOlderHead(dataset: string, made: number): Promise<boolean> {
    for await (const { modified } of ops.list(headsPrefix(dataset))) if (seconds(modified) < made) return true
    return false
  }

  async function readMarker(): Promise<{ marker: z.infer<typeof markerSchema>; etag: string } | undefined> {
    // S3 also says "denied" for what is not there, to who may not list everything. Then the heads are looked at.
    const stored = await ops.get(catalogMarkerKey()).catch(ignoreDenied)
    if (!stored) return undefined
    try {
      return { marker: markerSchema.parse(JSON.parse(stored.body.toString())), etag: stored.info.etag }
    } catch {
      // Damaged: then nothing is known, and everything is looked at again.
      return { marker: { format: 'weir.catalog/1', tables: {} }, etag: stored.info.etag }
    }
  }

  async function remember(complete: Made, existing: Made): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const stored = await readMarker()
      const all = { ...stored?.marker.tables, ...complete }
      const tables = Object.fromEntries(Object.entries(all).filter(([dataset]) => dataset in existing))
      try {
        const body = `${JSON.stringify({ format: 'weir.catalog/1', tables } satisfies z.infer<typeof markerSchema>)}\n`
        await ops.put(catalogMarkerKey(), body, stored ? { ifMatch: stored.etag } : { ifNoneMatch: '*' })
        return
      } catch (error) {
        if (!(error instanceof PreconditionFailed) || attempt === ATTEMPTS) throw error
      }
    }
  }

  return {
    putTable: (table) => guarded(`describe table ${table.name} in Glue`, () => putTable(table)),
    getTable: (name) =>
      guarded(`read table ${name} from Glue`, async () => {
        const found = await findTable(name)
        return found && definitionOf(locate(name).zone, found)
      }),
    /** Of clean and curated. Those of ops belong to the stacks alone. */
    listTables: () =>
      guarded('list the tables in Glue', async () => {
        const found: TableDefinition[] = []
        for (const zone of ZONES_WITH_TABLES)
          for (const table of await tablesIn(zone)) found.push(definitionOf(zone, table))
        return found.sort((a, b) => compareKeys(a.name, b.name))
      }),
    getPartition: (name, values) => guarded(`read a partition of ${name} from Glue`, () => getPartition(name, values)),
    putPartition: (name, partition) =>
      guarded(`point a partition of ${name} at ${partition.location}`, () => putPartition(name, partition)),
    deletePartition: (name, values) => guarded(`remove a partition of ${name}`, () => deletePartition(name, values)),
    async *listPartitions(name) {
      yield* await guarded(`list the partitions of ${name}`, () => partitionsOf(name))
    },
    async *listMistyped(name) {
      yield* await guarded(`look at the types in the partitions of ${name}`, () => mistypedIn(name))
    },
    state: () => guarded('look whether the catalog is complete', state),
    markComplete: (generation) =>
      guarded('mark the catalog as complete', async () => {
        const then = tablesOf(generation)
        const now = await madeAt()
        // A table that was made anew since then is a later one: it stays incomplete.
        const same = Object.fromEntries(Object.entries(now).filter(([dataset, made]) => then[dataset] === made))
        if (Object.keys(same).length > 0) await remember(same, now)
      }),
  }
}

const isZone = (zone: string): zone is keyof Databases => ['clean', 'curated', 'ops'].includes(zone)

/** S3 tells times in whole seconds, and Glue nearly so. */
const seconds = (time: Date | undefined): number => Math.floor((time?.getTime() ?? 0) / 1000)

/** A catalog's name says when each of its tables was made: `glue orders@1764000000`. */
const generationOf = (tables: Made): string =>
  ['glue', ...Object.entries(tables).map(([dataset, made]) => `${dataset}@${made}`)].sort().join(' ')

function tablesOf(generation: string): Made {
  const pairs = generation.split(' ').map((part) => /^(\w+)@(\d+)$/.exec(part))
  return Object.fromEntries(pairs.flatMap((found) => (found ? [[found[1] ?? '', Number(found[2])]] : [])))
}

/** The key below the zone's bucket; a location elsewhere stays whole, so that it differs from what a head says. */
const locationOf = (uri = '', bucket: string): string =>
  uri.startsWith(`s3://${bucket}/`) ? uri.slice(`s3://${bucket}/`.length) : uri

const noTable = (name: string, cause?: unknown): StorageError =>
  new StorageError(`The table ${name} is not in Glue. Deploy it (npx cdk deploy --all), or run "weir reconcile".`, {
    cause,
  })

function ignoreDenied(error: unknown): undefined {
  if (!(error instanceof AccessDenied)) throw error
}
