// Protocols broken on purpose, on their way from the pipeline to the ports: to see that the schedules would find it.

import { receiptKey } from '../../lib/lake/keys.ts'
import type { Lake, ObjectInfo, ObjectStore } from '../../lib/lake/ports.ts'
import type { Sabotage } from './schedule.ts'

const withOps = (lake: Lake, change: (ops: ObjectStore) => Partial<ObjectStore>): Lake => ({
  ...lake,
  zones: { ...lake.zones, ops: { ...lake.zones.ops, ...change(lake.zones.ops) } },
})

const unconditional =
  (prefix: string): Sabotage =>
  (lake) =>
    withOps(lake, (ops) => ({
      put: (key, body, condition) => ops.put(key, body, key.startsWith(prefix) ? undefined : condition),
    }))

export const SABOTAGES: Record<string, Sabotage> = {
  'heads are written without a condition': unconditional('heads/'),
  'receipts are written without a condition': unconditional('receipts/'),
  'the register of contents is written without a condition': unconditional('content/'),

  'the receipt is written before the head': (lake) =>
    withOps(lake, (ops) => ({
      put: async (key, body, condition) => {
        const { decision } = key.startsWith('heads/') ? JSON.parse(String(body)) : { decision: null }
        if (decision) {
          const early = receiptKey(decision.dataset, decision.upload)
          await ops.put(early, JSON.stringify(decision), { ifNoneMatch: '*' }).catch(() => undefined)
        }
        return ops.put(key, body, condition)
      },
    })),

  'landing is not looked at again before the head moves': (lake) => {
    // Every second look at a key gives what the first one gave.
    const looks = new Map<string, { info: ObjectInfo | undefined }>()
    const { landing } = lake.zones
    const head: ObjectStore['head'] = async (key, version) => {
      if (version !== undefined) return landing.head(key, version)
      const before = looks.get(key)
      looks.delete(key)
      if (before) return before.info
      const info = await landing.head(key)
      looks.set(key, { info })
      return info
    }
    return { ...lake, zones: { ...lake.zones, landing: { ...landing, head } } }
  },

  'the catalog does not look whether the head has moved on': (lake) => {
    let last: { key: string; info: ObjectInfo; body: Buffer } | undefined
    let pointed = false
    const patched = withOps(lake, (ops) => ({
      put: async (key, body, condition) => {
        const info = await ops.put(key, body, condition)
        if (key.startsWith('heads/')) last = { key, info, body: Buffer.from(String(body)) }
        return info
      },
      get: async (key) => {
        if (pointed && last?.key === key) {
          pointed = false
          const before = last
          // Each once: told the same for ever, whoever follows a head would never end.
          last = undefined
          return before
        }
        return ops.get(key)
      },
    }))
    const { catalog } = lake
    const putPartition: typeof catalog.putPartition = async (table, partition) => {
      await catalog.putPartition(table, partition)
      pointed = true
    }
    return { ...patched, catalog: { ...catalog, putPartition } }
  },

  'a version that was replaced is not found': (lake) => {
    const { landing } = lake.zones
    const head: ObjectStore['head'] = async (key, version) => {
      const now = await landing.head(key)
      return version === undefined || now?.version === version ? now : undefined
    }
    return { ...lake, zones: { ...lake.zones, landing: { ...landing, head } } }
  },

  'a second part file is forgotten': (lake) => {
    const { clean } = lake.zones
    const putFile: typeof clean.putFile = (key, path, condition) =>
      clean.putFile(key.replace('part-1', 'lost/part-1'), path, condition)
    return { ...lake, zones: { ...lake.zones, clean: { ...clean, putFile } } }
  },
}

/** Too rare for random schedules (a worker must stand still at one point while two others go by): see claims.test.ts. */
export const withoutBump: Sabotage = (lake) =>
  withOps(lake, (ops) => ({
    put: async (key, body, condition) => {
      const { state, decision } = key.startsWith('heads/') ? JSON.parse(String(body)) : { state: '', decision: null }
      const isBump = state === 'none' && decision === null
      return isBump ? { key, size: 0, etag: '', version: '', modified: new Date() } : ops.put(key, body, condition)
    },
  }))
