// What every use case gets: the lake's ports, the plans of its contracts, and the engine. No adapter is named here.

import type { Plan } from '../contract/plan.ts'
import type { CheckRequest, CheckResult } from '../engine/result.ts'
import type { Lake } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'

export interface Context {
  lake: Lake
  /** Plans by dataset name. */
  plans: ReadonlyMap<string, Plan>
  /** The engine; `createEngine(settings).check` outside tests. */
  check: (request: CheckRequest) => Promise<CheckResult>
  now: () => Date
  /** What this place can take; anything larger is refused unread, with a receipt. */
  limits?: { maxObjectBytes?: number }
  /** Store the page of each receipt beside it, for whoever follows a link. The command line writes its own. */
  pages?: boolean
  /** Called for each receipt that this process wrote, once, after everybody was told. It must not throw. */
  onReceipt?: (receipt: Receipt) => void
  /** One structured line per event worth an operator's eye; stderr on the command line. */
  log: (event: { event: string; [field: string]: unknown }) => void
}

/** How a caller watches and stops one use case. */
export interface RunOptions {
  signal?: AbortSignal
  onProgress?: CheckRequest['onProgress']
}
