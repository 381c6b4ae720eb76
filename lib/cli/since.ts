// `--since`: an ISO date or time, or how long ago: 30m, 2h, 3d, 1w.

import { InvalidArgumentError } from 'commander'

const UNITS: Record<string, number> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

export function parseSince(text: string, now = Date.now()): Date {
  const ago = /^(\d+)\s*([mhdw])$/.exec(text.trim())
  if (ago) return new Date(now - Number(ago[1]) * (UNITS[ago[2] ?? ''] ?? 0))
  const iso = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2})?)?$/.test(text.trim())
  // A date alone is UTC midnight, as receipts have it; a time without a zone would depend on the machine, so it is UTC too.
  const zoned = /T/.test(text) && !/(Z|[+-]\d{2}:?\d{2})$/.test(text.trim()) ? `${text.trim()}Z` : text.trim()
  const date = new Date(zoned)
  if (!iso || Number.isNaN(date.getTime())) {
    throw new InvalidArgumentError(
      'Give a date (2026-11-22), a time (2026-11-22T08:00Z), or how long ago (30m, 2h, 3d, 1w).',
    )
  }
  return date
}
