// `--since`: an ISO date or time, or how long ago: 30m, 2h, 3d, 1w.

import { InvalidArgumentError } from 'commander'

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export function parseSince(text: string, now = Date.now()): Date {
  const moment = parseMoment(text, now)
  if (moment === undefined)
    throw new InvalidArgumentError(
      'Give a date (2026-11-22), a time (2026-11-22T08:00Z), or how long ago (30m, 2h, 3d, 1w).',
    )
  return moment
}

/** The moment that a text names; undefined when it names none. */
export function parseMoment(text: string, now: number): Date | undefined {
  const given = text.trim()
  const ago = /^(\d+)\s*([mhdw])$/.exec(given)
  if (ago) return new Date(now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0))
  if (!/^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(given)) return undefined
  const iso = given.replace(' ', 'T')
  // A date alone is UTC midnight, as receipts have it; a time without a zone would depend on the machine, so it is UTC too.
  const date = new Date(iso.includes('T') && !/(Z|[+-]\d{2}:?\d{2})$/.test(iso) ? `${iso}Z` : iso)
  return Number.isNaN(date.getTime()) || !isDay(iso.slice(0, 10)) ? undefined : date
}

/** JavaScript takes 30 February for 2 March. */
const isDay = (day: string): boolean => new Date(day).toISOString().startsWith(day)
