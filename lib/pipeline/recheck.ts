// Checks a version again that was decided before, under today's contract: what `weir replay` does to one source.
//
// The new decision is an upload of its own (replayId), with its own receipt that names the one it replaces: so every
// upload keeps exactly one receipt that never changes, and the uploader hears of the new decision once. It moves the
// head by compare-and-set like any other, in place of what the version gave before: a reader sees the old rows or the
// new ones. A version that is refused now and was accepted then leaves what it gave in the lake: rows that were
// published are taken out by `weir retract`, never by the way.

import type { Plan } from '../contract/plan.ts'
import { ObjectGone, PreconditionFailed } from '../lake/errors.ts'
import { type Contribution, contributionOf, type Head, readHead, type StoredHead, writeHead } from '../lake/heads.ts'
import { replayId } from '../lake/keys.ts'
import { readReceipt, repairsOf } from '../lake/ledger.ts'
import type { ObjectInfo } from '../lake/ports.ts'
import type { Receipt } from '../lake/receipt.ts'
import type { Context, RunOptions } from './context.ts'
import { type Decision, draft, evaluate, promoteLeft, sameContributions, tooLarge } from './ingest.ts'
import { settle, tell } from './project.ts'
import { startWork, type Work } from './work.ts'

export type Rechecked =
  /** There is a new decision. The receipt is this call's, if it wrote it. */
  | { kind: 'checked again'; receipt: Receipt | undefined }
  | { kind: 'unchanged'; detail: string }
  | { kind: 'skipped'; detail: string }
  /** Not decided, or waiting for bytes that another source gives: that is for ingest. */
  | { kind: 'undecided' }
  /** Landing shows another version by now. */
  | { kind: 'moved' }

export interface RecheckOptions extends RunOptions {
  /** Also what was decided under today's contract. */
  again?: boolean
}

/** Brings the version that landing shows to a new decision, if there is a reason for one. */
export async function recheck(
  context: Context,
  plan: Plan,
  key: string,
  info: ObjectInfo,
  options: RecheckOptions = {},
): Promise<Rechecked> {
  const { landing, ops } = context.lake.zones
  for (;;) {
    options.signal?.throwIfAborted()
    const base = await readHead(ops, plan.dataset, key)
    if (base?.head.version !== info.version || base.head.state === 'duplicate') return { kind: 'undecided' }
    const { head } = base
    const own = contributionOf(head, head.content?.sha256 ?? '')
    const before = await decisionsAbout(context, head)
    const obstacle = await obstacleTo(context, plan, head, own, before, options)
    if (obstacle) return obstacle

    const upload = replayId(key, info, head.sequence, own?.upload)
    const work = startWork(context, plan, { key, info, upload }, options)
    const start = performance.now()
    try {
      // As if this version had not been decided: its own rows do not make it a duplicate of itself.
      const without = { ...head, contributions: head.contributions.filter((one) => one !== own) }
      const decision = tooLarge(context, work) ?? (await evaluate(context, plan, work, without))
      if ((await landing.head(key))?.version !== info.version) return { kind: 'moved' }
      const [last] = before
      if (decision.kind === 'refused' && head.state === 'refused' && !options.again && isSameReason(decision, last))
        return { kind: 'unchanged', detail: `refused again for the same reason: ${last?.reason?.message}` }

      if (head.decision) await tell(context, head.decision)
      const receipt = await receiptAgain(context, plan, work, decision, { start, head, own })
      const next = successorAgain(head, plan, work, decision, own, receipt)
      const moved = await writeHead(ops, base, next, context.now())
      const settled = await settle(context, moved, sameContributions(head, next) ? undefined : head)
      await promoteLeft(context, plan, head, next, options)
      return { kind: 'checked again', receipt: settled.won ? settled.receipt : undefined }
    } catch (error) {
      if (error instanceof PreconditionFailed) continue
      if (!(error instanceof ObjectGone)) throw error
      if ((await landing.head(key))?.version !== info.version) return { kind: 'moved' }
      throw error
    } finally {
      await work.close()
    }
  }
}

/** The receipts of the head's version, the last first: each replay names the one before. */
async function decisionsAbout({ lake }: Context, head: Head): Promise<Receipt[]> {
  const found: Receipt[] = []
  for (let upload = head.upload ?? undefined; upload !== undefined; ) {
    const receipt: Receipt | undefined =
      head.decision?.upload === upload ? head.decision : await readReceipt(lake.zones.ops, head.dataset, upload)
    if (receipt) found.push(receipt)
    upload = receipt?.replayOf
  }
  return found
}

/** Why the version is not to be checked again. */
async function obstacleTo(
  { lake }: Context,
  plan: Plan,
  head: Head,
  own: Contribution | undefined,
  before: Receipt[],
  { again }: RecheckOptions,
): Promise<Rechecked | undefined> {
  if (head.state === 'retracted')
    return { kind: 'skipped', detail: 'It was taken out of the lake. Drop a new version to bring it back.' }
  const contract = own?.contract ?? before[0]?.contract.hash
  if (head.state === 'published' && contract === plan.hash && !again)
    return { kind: 'unchanged', detail: `checked under today's contract already (upload ${head.upload})` }
  for (const { upload, rejects } of before) {
    const { uploads } = rejects ? await repairsOf(lake, { upload }) : { uploads: [] }
    if (uploads.length > 0)
      return {
        kind: 'skipped',
        detail: `Rows that upload ${upload} set aside were repaired by ${uploads.join(', ')}; they would count twice. Retract the repair files first.`,
      }
  }
  return undefined
}

function isSameReason(decision: Extract<Decision, { kind: 'refused' }>, last: Receipt | undefined): boolean {
  const reason = decision.reason ?? decision.result?.reason
  return reason?.code === last?.reason?.code && reason?.message === last?.reason?.message
}

async function receiptAgain(
  context: Context,
  plan: Plan,
  work: Work,
  decision: Decision,
  { start, head, own }: { start: number; head: Head; own: Contribution | undefined },
): Promise<Receipt> {
  const receipt = await draft(context, plan, work, decision, start)
  const stays =
    own && decision.kind === 'refused'
      ? [
          `It was accepted before (upload ${own.upload}): those ${own.rows} rows stay in the lake. To take them out: weir retract ${work.key}`,
        ]
      : []
  return {
    ...receipt,
    warnings: [...receipt.warnings, ...stays],
    ...(head.upload === null ? {} : { replayOf: head.upload }),
  }
}

/** The head after a new decision about the version that it was decided about. */
function successorAgain(
  head: StoredHead['head'],
  plan: Plan,
  { upload }: Work,
  decision: Decision,
  own: Contribution | undefined,
  receipt: Receipt,
): Head {
  const decided = { ...head, upload, decision: receipt }
  if (decision.kind === 'superseded') return decided
  const next = { ...decided, content: decision.content ?? head.content }
  if (decision.kind === 'refused') return { ...next, state: 'refused' }
  const adds = plan.settings.redrop === 'append'
  if (decision.kind === 'duplicate')
    return { ...next, state: 'duplicate', contributions: adds ? head.contributions : [] }
  const { contribution } = decision.outputs
  // In its own place: a partition's number keeps its meaning while any reader could see it.
  const at = own ? head.contributions.indexOf(own) : head.contributions.length
  const contributions = adds ? head.contributions.toSpliced(at, 1, contribution) : [contribution]
  return { ...next, state: 'published', contributions, width: Math.max(head.width, contributions.length) }
}
