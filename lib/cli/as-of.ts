// `--as-of`: a moment, as `--since` takes them, or a run of a curated table, by its id or as much of it as tells it apart.

import { InvalidArgumentError } from 'commander'
import { isUploadId } from '../lake/keys.ts'
import type { Lake, QueryOptions } from '../lake/ports.ts'
import { runByPrefix } from './lookup.ts'
import { parseMoment } from './since.ts'

/** As given on the command line: a run may be named by a part of its id, which only the lake can complete. */
export type AsOf = Date | { run: string }

/**
 * @example
 * parseAsOf('2026-11-22') // 2026-11-22T00:00:00.000Z
 * parseAsOf('20261122T080102345Z-0123456789ab') // { run: '20261122T080102345Z-0123456789ab' }
 */
export function parseAsOf(text: string, now = Date.now()): AsOf {
  const given = text.trim()
  // Ids have no dashes in their dates: no time looks like the beginning of one. The end of an id is 12 of 0-9 and a-f.
  if (isUploadId(given) || /^\d{8}(T\d*Z?(-[0-9a-f]*)?)?$/.test(given) || /^[0-9a-f]{12}$/.test(given))
    return { run: given }
  const moment = parseMoment(given, now)
  if (moment === undefined)
    throw new InvalidArgumentError(
      'Give a date (2026-11-22), a time (2026-11-22T08:00Z), how long ago (30m, 2h, 3d, 1w), or the id of a run (weir runs lists them).',
    )
  if (moment.getTime() > now)
    throw new InvalidArgumentError(
      `${moment.toISOString()} has not come yet. A time without a zone is UTC. Leave --as-of out for the tables as they are now.`,
    )
  return moment
}

/** What a query takes: the whole id of a run. Throws UsageError where there is no such run, or several. */
export async function resolveAsOf(lake: Lake, asOf: AsOf): Promise<NonNullable<QueryOptions['asOf']>> {
  if (asOf instanceof Date || isUploadId(asOf.run)) return asOf
  return { run: await runByPrefix(lake.zones.ops, asOf.run) }
}
