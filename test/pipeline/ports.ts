// Puts something before and after every port call of a real lake: a turn to wait for, a crash, a broken protocol. The
// calls themselves all go to the lake underneath.

import type { Catalog, Lake, ObjectStore, Zone } from '../../lib/lake/ports.ts'

export type AroundCall = <T>(name: string, key: string, call: () => Promise<T>) => Promise<T>

export function surround(lake: Lake, around: AroundCall): Lake {
  const zones = Object.fromEntries(
    (Object.keys(lake.zones) as Zone[]).map((zone) => [zone, surroundStore(zone, lake.zones[zone], around)]),
  ) as Record<Zone, ObjectStore>
  const { queries, tables, notifier, scratch } = lake
  return {
    zones,
    catalog: surroundCatalog(lake.catalog, around),
    queries,
    tables,
    notifier: {
      notify: (receipt, dataset) => around('notify', receipt.upload, () => notifier.notify(receipt, dataset)),
    },
    locate: lake.locate,
    scratch,
    close: async () => {},
  }
}

function surroundStore(zone: Zone, store: ObjectStore, around: AroundCall): ObjectStore {
  return {
    head: (key, version) => around(`${zone}.head`, key, () => store.head(key, version)),
    get: (key) => around(`${zone}.get`, key, () => store.get(key)),
    fetch: async (key, version) => {
      const fetched = await around(`${zone}.fetch`, key, () => store.fetch(key, version))
      return { ...fetched, verify: () => around(`${zone}.verify`, key, fetched.verify) }
    },
    put: (key, body, condition) => around(`${zone}.put`, key, () => store.put(key, body, condition)),
    putFile: (key, path, condition) => around(`${zone}.put`, key, () => store.putFile(key, path, condition)),
    async *list(prefix, options) {
      await around(`${zone}.list`, prefix, async () => {})
      yield* store.list(prefix, options)
    },
    delete: (key) => around(`${zone}.delete`, key, () => store.delete(key)),
  }
}

function surroundCatalog(catalog: Catalog, around: AroundCall): Catalog {
  return {
    putTable: (table) => around('catalog.putTable', table.name, () => catalog.putTable(table)),
    getTable: (name) => around('catalog.getTable', name, () => catalog.getTable(name)),
    listTables: () => around('catalog.listTables', '', () => catalog.listTables()),
    getPartition: (table, values) => around('catalog.getPartition', table, () => catalog.getPartition(table, values)),
    putPartition: (table, partition) =>
      around('catalog.putPartition', table, () => catalog.putPartition(table, partition)),
    deletePartition: (table, values) =>
      around('catalog.deletePartition', table, () => catalog.deletePartition(table, values)),
    async *listPartitions(table) {
      await around('catalog.listPartitions', table, async () => {})
      yield* catalog.listPartitions(table)
    },
    async *listMistyped(table) {
      await around('catalog.listMistyped', table, async () => {})
      yield* catalog.listMistyped(table)
    },
    state: () => catalog.state(),
    markComplete: (generation) => catalog.markComplete(generation),
  }
}
