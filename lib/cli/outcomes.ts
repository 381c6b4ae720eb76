// From receipts to exit codes.

import type { Receipt } from '../lake/receipt.ts'
import type { ExitCode } from './errors.ts'

export function exitOf(receipt: Receipt): ExitCode {
  if (receipt.outcome === 'refused') return 2
  return receipt.outcome === 'accepted_with_rejects' ? 1 : 0
}

/** Of several: the worst. */
export function worst(codes: ExitCode[]): ExitCode {
  return codes.toSorted((a, b) => b - a)[0] ?? 0
}
