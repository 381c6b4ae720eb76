// A lake in a local folder: the four ports on plain files, SQLite and DuckDB, for one machine and several processes.
//
//   weir.yaml  contracts/                    what people write
//   landing/  clean/  curated/  ops/         the zones: every object a plain file at its key
//   .weir/                                   versions of landing files, catalog, locks, temporary files, notifications

import { readdirSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join, resolve } from 'node:path'
import type { Lake, Zone } from '../ports.ts'
import { openLocalCatalog } from './catalog.ts'
import { guarded, notFolder, storageError } from './faults.ts'
import { openKeyLocks } from './locks.ts'
import { type OnNotify, openLocalNotifier } from './notifier.ts'
import { pathOf } from './paths.ts'
import { openLocalQueries } from './query.ts'
import { openSession, type Session } from './session.ts'
import { isAbsent } from './stat.ts'
import { openFolderStore } from './store.ts'
import { openParquetTables } from './tables.ts'
import { filesBelow, type TableSource } from './tables-view.ts'
import { openVersions } from './versions.ts'

export const ZONES: readonly Zone[] = ['landing', 'clean', 'curated', 'ops']

export interface LocalLakeOptions {
  /** Called for every notification, after its line was written. */
  onNotify?: OnNotify
  /** Keep every version of landing files. Default true: what was dropped is never lost. */
  keepVersions?: boolean
  /** Bytes that a query may use. Default 1 GB. */
  memoryBytes?: number
  /** Threads of a query. Default: the cores of the machine. */
  threads?: number
  /** Flush objects to the disk before they get their names, so that a power cut leaves no torn object. Default true. */
  durable?: boolean
  /** One line per event worth an operator's eye. Default: JSON on stderr. */
  log?: (event: { event: string; [field: string]: unknown }) => void
}

/** Makes the folders of a lake; a lake that is there already stays as it is. */
export async function createLocalLake(root: string): Promise<void> {
  await guarded(`make a lake in ${root}`, async () => {
    for (const folder of ['contracts', ...ZONES, '.weir']) await mkdir(join(root, folder), { recursive: true })
  })
}

/**
 * Opens the lake in a folder. Close it when done, or its temporary files stay until the next one opens it.
 *
 * @example
 * const lake = await openLocalLake('my-lake')
 * await lake.zones.landing.put('orders/monday.csv', 'order_id,amount\n1,9.90\n')
 * await lake.close()
 */
export async function openLocalLake(root: string, options: LocalLakeOptions = {}): Promise<Lake> {
  const home = resolve(root)
  const hidden = join(home, '.weir')
  const log = options.log ?? ((event) => process.stderr.write(`${JSON.stringify(event)}\n`))
  await guarded(`open the lake in ${home}`, async () => {
    await readdir(home)
    // A zone that is a file would look like an empty one to whoever only reads.
    for (const folder of [...ZONES, '.weir']) {
      const error = notFolder(join(home, folder))
      if (error) throw error
    }
  })
  const locks = openKeyLocks(join(hidden, 'locks'))

  // Made when first needed, so that a read-only lake can still be looked at.
  let session: Session | undefined
  const getSession = (): Session => {
    try {
      session ??= openSession(join(hidden, 'tmp'))
      return session
    } catch (error) {
      throw storageError(error, `make a temporary folder in ${hidden}`)
    }
  }

  const versions = options.keepVersions === false ? undefined : openVersions(join(hidden, 'versions'))
  const openZone = (zone: Zone) =>
    openFolderStore({
      zone,
      folder: join(home, zone),
      locks,
      tmp: () => getSession().tmp,
      landing: zone === 'landing',
      versions: zone === 'landing' ? versions : undefined,
      durable: options.durable ?? true,
      onUnreadable: (path) =>
        log({ event: 'file_ignored', path, reason: 'Its name is not valid UTF-8, or is reserved. Rename it.' }),
    })
  const zones = {
    landing: openZone('landing'),
    clean: openZone('clean'),
    curated: openZone('curated'),
    ops: openZone('ops'),
  }

  const catalog = openLocalCatalog({
    file: join(hidden, 'catalog.sqlite'),
    locks,
    hasHeads: () => !isEmpty(join(home, 'ops', 'heads')),
    durable: options.durable ?? true,
    onStartedAnew: (why) =>
      log({ event: 'catalog_started_anew', why, advice: 'Run "weir reconcile" to fill it again.' }),
  })

  // Now, while the lake is still empty, so that a missing catalog later means that it was lost. Should it fail (a
  // read-only disk, say), whoever uses the catalog is told; the zones can be read all the same.
  await catalog.listTables().catch(() => undefined)

  const source: TableSource = {
    zones,
    catalog,
    pathOf: (zone, key) => pathOf(join(home, zone), key),
    filesBelow: (zone, prefix, deep) => filesBelow(join(home, zone, prefix), deep),
  }
  const engine = {
    source,
    memoryBytes: options.memoryBytes ?? 1024 ** 3,
    threads: options.threads ?? availableParallelism(),
    scratch: () => getSession().scratch,
  }
  const queries = openLocalQueries({
    ...engine,
    folders: [join(home, 'clean'), join(home, 'curated'), join(home, 'ops')],
  })

  return {
    zones,
    catalog,
    queries,
    tables: openParquetTables(engine),
    notifier: openLocalNotifier(join(hidden, 'notifications.ndjson'), options.onNotify),
    locate: (zone, key) => pathOf(join(home, zone), key),
    get scratch() {
      return getSession().scratch
    },
    async close() {
      await queries.close()
      catalog.close()
      locks.close()
      session?.close()
      session = undefined
    },
  }
}

function isEmpty(folder: string): boolean {
  try {
    return readdirSync(folder).length === 0
  } catch (error) {
    if (isAbsent(error)) return true
    throw error
  }
}
