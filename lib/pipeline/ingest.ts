// Ingest: brings one landing key to its decision. An event is only a hint; what counts is what landing holds now.
//
//   look at landing → read exactly that version → read the head → look again → move the head by compare-and-set
//   → catalog follows → receipt → word to the uploader
//
// Every step may be killed and done again, by anybody, at the same time. The head decides: whatever was decided about
// an upload (also that it was superseded) was decided by one successful compare-and-set, and the receipt is in the head.

import type { Plan } from '../contract/plan.ts'
import type { CheckResult, Reason } from '../engine/result.ts'
import { ObjectGone, PreconditionFailed } from '../lake/errors.ts'
import { contributionOf, type Head, newHead, readHead, type StoredHead, writeHead } from '../lake/heads.ts'
import { type Content, contentsOfSizePrefix, dateOfUpload, replayId, uploadId } from '../lake/keys.ts'
import { readReceipt } from '../lake/ledger.ts'
import type { ObjectInfo } from '../lake/ports.ts'
import type { Outcome, Receipt } from '../lake/receipt.ts'
import { claim, findHolder, type Holder, waiting } from './content.ts'
import type { Context, RunOptions } from './context.ts'
import { fitsMatch, planFor } from './datasets.ts'
import { guarded } from './errors.ts'
import { ensureTable, messageOf, type Settled, settle, tell } from './project.ts'
import { REASONS, receiptOf } from './receipts.ts'
import { withdraw } from './withdraw.ts'
import { type Outputs, startWork, type Work } from './work.ts'

/** Files up to this size are hashed before the engine sees them: it costs next to nothing, and duplicates cost no more. */
const HASH_FIRST_BYTES = 16 * 1024 * 1024
/** Times that a version that landing still shows may be gone when it is read. */
const GONE_ATTEMPTS = 5

/**
 * Brings a landing key to its decision. Gives the receipt that this call wrote; undefined when there was nothing new,
 * or when another worker wrote it.
 *
 * @example
 * const receipt = await ingest(context, 'orders/monday.csv')
 */
export function ingest(context: Context, key: string, options: RunOptions = {}): Promise<Receipt | undefined> {
  return guarded(key, options.signal, async () => {
    const plan = planFor(context.plans, key)
    await ensureTable(context, plan)
    const info = await context.lake.zones.landing.head(key)
    const settled = info ? await ingestVersion(context, plan, key, info, options) : await gone(context, plan, key)
    return settled?.won ? settled.receipt : undefined
  })
}

interface VersionOptions extends RunOptions {
  /** The version may be an older one: see what landing shows before it is read. */
  lookFirst?: boolean
}

/** Brings one version to its decision: afterwards it has its receipt, whoever wrote it. */
export async function ingestVersion(
  context: Context,
  plan: Plan,
  key: string,
  info: ObjectInfo,
  options: VersionOptions,
): Promise<Settled> {
  let upload = uploadId(key, info)
  for (;;) {
    const work = startWork(context, plan, { key, info, upload }, options)
    const start = performance.now()
    try {
      const decided = await decide(context, plan, work, options, start)
      if (!('knownAs' in decided)) return decided
      upload = decided.knownAs
    } finally {
      await work.close()
    }
  }
}

/** How an upload would end if the head were moved now. */
export type Decision =
  | { kind: 'superseded'; by: ObjectInfo | undefined }
  | { kind: 'refused'; reason?: Reason; content?: Content; result?: CheckResult }
  | { kind: 'duplicate'; holder: Holder; content: Content }
  | { kind: 'accepted'; content: Content; result: CheckResult; outputs: Outputs }

/** `knownAs`: the version was replayed meanwhile, or came back, and what becomes of it belongs to that upload. */
async function decide(
  context: Context,
  plan: Plan,
  work: Work,
  options: VersionOptions,
  start: number,
): Promise<Settled | { knownAs: string }> {
  const { key, info, upload } = work
  const { landing, ops } = context.lake.zones
  let attempts = 0
  let claimed: Content | undefined
  let lookFirst = options.lookFirst ?? false
  let base = await readHead(ops, plan.dataset, key)
  for (;;) {
    options.signal?.throwIfAborted()
    const head = base?.head
    const decided = head?.version === info.version
    if (base && decided && head.state !== 'duplicate') return settle(context, base)
    if (decided && head.upload !== null && head.upload !== upload) return { knownAs: head.upload }

    let decision: Decision
    try {
      // After a refused write look at landing first: two workers whose versions have both gone must not go on taking
      // the claim to the same bytes from each other.
      const now = lookFirst ? await landing.head(key) : info
      decision =
        now?.version !== info.version
          ? { kind: 'superseded', by: now }
          : ((decided ? undefined : tooLarge(context, work)) ?? (await evaluate(context, plan, work, head)))
    } catch (error) {
      if (!(error instanceof ObjectGone)) throw error
      const now = await landing.head(key)
      if (now?.version === info.version) {
        if (++attempts > GONE_ATTEMPTS) throw error
        continue
      }
      decision = { kind: 'superseded', by: now }
    }
    if (decision.kind === 'accepted') claimed = decision.content
    // A duplicate that stands, stands: nothing to write, however often it is delivered.
    if (base && decided && decision.kind === 'duplicate') return settle(context, base)

    const now = await landing.head(key)
    if (now?.version !== info.version) decision = { kind: 'superseded', by: now }
    if (decision.kind === 'superseded') {
      // A decision that a later one has replaced left its receipt: it was written before the head moved on.
      if (decided || head?.decision?.upload === upload) return settleIfAny(context, base)
      const receipt = await readReceipt(ops, plan.dataset, upload)
      if (receipt) return { receipt, won: false, mended: [] }
    }

    // The receipt of the decision before ours, should its worker have died before it wrote it.
    if (head?.decision) await tell(context, head.decision)
    if (base && !decided && decision.kind !== 'superseded' && (await readReceipt(ops, plan.dataset, upload))) {
      const again = await readHead(ops, plan.dataset, key)
      if (again?.head.sequence === base.head.sequence) {
        // It was decided before what the head shows, and landing shows it again: whoever removed what came after it (a
        // newer version, the mark of a deletion) brought it back. What becomes of it now is a decision of its own.
        context.log({ event: 'version_came_back', upload, source: key })
        return { knownAs: replayId(key, info, base.head.sequence) }
      }
      base = again
      lookFirst = true
      continue
    }
    const blank = head ?? newHead(plan.dataset, key, dateOfUpload(upload))
    // A duplicate that takes the place of its holder has its receipt already; its rows come without a second one.
    const receipt = decided ? blank.decision : await draft(context, plan, work, decision, start)
    const next = successor(blank, plan, work, decision, receipt)
    let moved: StoredHead
    try {
      moved = await writeHead(ops, base, next, context.now())
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error
      base = await readHead(ops, plan.dataset, key)
      lookFirst = true
      continue
    }
    if (decided) context.log({ event: 'duplicate_promoted', upload, source: key, state: moved.head.state })
    const settled = await settle(context, moved, sameContributions(blank, next) ? undefined : blank)
    if (claimed && decision.kind !== 'accepted') await promote(context, plan, key, claimed, options)
    await promoteLeft(context, plan, blank, next, options)
    return settled
  }
}

const settleIfAny = async (context: Context, base: StoredHead | undefined): Promise<Settled> =>
  base ? settle(context, base) : { receipt: undefined, won: false, mended: [] }

/** A file beyond what this place can take is refused by its size alone. */
export function tooLarge({ limits }: Context, { key, info }: Work): Decision | undefined {
  const limit = limits?.maxObjectBytes
  if (limit === undefined || info.size <= limit) return undefined
  return { kind: 'refused', reason: REASONS.tooLarge(key, info.size, limit) }
}

export async function evaluate(context: Context, plan: Plan, work: Work, head: Head | undefined): Promise<Decision> {
  const { key, info, upload } = work
  const us = { source: key, upload }
  // A repair file may have any name: its rows say where they belong.
  if (!fitsMatch(plan, key) && !(await work.isRepair())) return { kind: 'refused', reason: REASONS.noMatch(plan, key) }

  if (await isWorthHashing(context, plan, info, head)) {
    const decision = await fromContent(context, plan, us, head, await work.content())
    if (decision) return decision
  }
  const result = await work.check()
  const content = { size: result.size, sha256: result.sha256 }
  const decision = await fromContent(context, plan, us, head, content, true)
  if (decision) return decision
  if (result.outcome === 'refused') return { kind: 'refused', content, result }
  // The other order, a replay after the repair, is held up in recheck.ts.
  const replayed = await work.replayedRepair()
  if (replayed) return { kind: 'refused', reason: await repairReplayed(context, plan, replayed), content }
  // Between reading the head and moving it: so a claim that is taken from us while we work shows as a moved head.
  const claimed = await claim(context, plan, us, content)
  if (claimed.held === 'by another') return { kind: 'duplicate', holder: claimed.holder, content }
  const index = plan.settings.redrop === 'append' ? (head?.contributions.length ?? 0) : 0
  const outputs = await work.storeParts(head?.ingestDate ?? dateOfUpload(upload), index)
  await work.storeRejects()
  await work.storeRepairs()
  return { kind: 'accepted', content, result, outputs }
}

async function repairReplayed(
  { lake }: Context,
  plan: Plan,
  { repaired, by }: { repaired: string; by: string },
): Promise<Reason> {
  const receipt = await readReceipt(lake.zones.ops, plan.dataset, by)
  return REASONS.repairedUploadReplayed(repaired, by, receipt === undefined || receipt.rejects !== undefined)
}

/** What the bytes alone decide, whatever is in them. */
async function fromContent(
  context: Context,
  plan: Plan,
  us: Holder,
  head: Head | undefined,
  content: Content,
  checked = false,
): Promise<Decision | undefined> {
  const own = contributionOf(head, content.sha256)
  if (own) return { kind: 'duplicate', holder: { source: us.source, upload: own.upload }, content }
  // Only what is in the lake binds: after a refused or retracted version the source may come with other bytes.
  const last = head?.contributions.at(-1)
  if (plan.settings.redrop === 'refuse' && last)
    return { kind: 'refused', reason: REASONS.redropRefused(us.source, last.upload), content }
  if (checked) return undefined
  const found = await findHolder(context, plan, us, content)
  return found.held === 'by another' ? { kind: 'duplicate', holder: found.holder, content } : undefined
}

/** Large files only when their size has been seen, or when their bytes decide: reading them twice would cost. */
async function isWorthHashing(
  { lake }: Context,
  plan: Plan,
  info: ObjectInfo,
  head: Head | undefined,
): Promise<boolean> {
  if (info.size <= HASH_FIRST_BYTES || head?.state === 'duplicate') return true
  if (head && head.contributions.length > 0 && plan.settings.redrop === 'refuse') return true
  if (head?.contributions.some((one) => one.size === info.size)) return true
  for await (const _ of lake.zones.ops.list(contentsOfSizePrefix(plan.dataset, info.size))) return true
  return false
}

/** The head after a decision. */
function successor(head: Head, plan: Plan, { info, upload }: Work, decision: Decision, receipt: Receipt | null): Head {
  const next = { ...head, decision: receipt }
  if (decision.kind === 'superseded') return next
  const decided = { ...next, version: info.version, upload, content: decision.content ?? null }
  if (decision.kind === 'refused') return { ...decided, state: 'refused' }
  if (decision.kind === 'duplicate') {
    // The same bytes of the same source: everything stays. Of another: the newest bytes are in the lake through it, so
    // what this source gave before must go, unless its versions add up.
    if (contributionOf(head, decision.content.sha256)) return { ...decided, state: 'published' }
    const kept = plan.settings.redrop === 'append' ? head.contributions : []
    return { ...decided, state: 'duplicate', contributions: kept }
  }
  const { contribution } = decision.outputs
  const contributions = plan.settings.redrop === 'append' ? [...head.contributions, contribution] : [contribution]
  return { ...decided, state: 'published', contributions, width: Math.max(head.width, contributions.length) }
}

export async function draft(
  context: Context,
  plan: Plan,
  work: Work,
  decision: Decision,
  start: number,
): Promise<Receipt> {
  const { key, info, upload } = work
  const at = context.now()
  const timings = { ...work.timings, total: Math.round(performance.now() - start) }
  const first = uploadId(key, info)
  const facts = { plan, key, info, upload, at, timings, ...(upload === first ? {} : { replayOf: first }) }
  switch (decision.kind) {
    case 'superseded': {
      const { by } = decision
      const reason = by ? REASONS.superseded(key, uploadId(key, by)) : REASONS.gone(key)
      return receiptOf({ ...facts, outcome: 'superseded', reason })
    }
    case 'duplicate': {
      const { holder, content } = decision
      const reason = REASONS.sameBytes(key, holder)
      return receiptOf({ ...facts, outcome: 'duplicate', reason, sha256: content.sha256, duplicateOf: holder })
    }
    case 'refused': {
      const { reason, content, result } = decision
      const rejects = result && (await work.storeRejects())
      return receiptOf({ ...facts, outcome: 'refused', reason, sha256: content?.sha256, result, rejects })
    }
    case 'accepted': {
      const { result, outputs } = decision
      const outcome: Outcome = result.outcome
      const rejects = await work.storeRejects()
      return receiptOf({ ...facts, outcome, result, clean: outputs.clean, rejects, ...(await work.storeRepairs()) })
    }
  }
}

/** Sources that wait for what this one has just left take its place. */
export async function promoteLeft(
  context: Context,
  plan: Plan,
  before: Head,
  after: Pick<Head, 'contributions' | 'source'>,
  options: RunOptions,
): Promise<void> {
  for (const { sha256, size } of before.contributions)
    if (!after.contributions.some((one) => one.sha256 === sha256))
      await promote(context, plan, before.source, { sha256, size }, options)
}

/**
 * Lets those who wait for a content come again, until one of them holds it. What fails here fails for them, not for the
 * source that left: their receipts are written, and reconcile does the same once more.
 */
export async function promote(
  context: Context,
  plan: Plan,
  left: string,
  content: Content,
  { signal }: RunOptions,
): Promise<void> {
  const { landing, ops } = context.lake.zones
  try {
    for await (const source of waiting(context, plan.dataset, content)) {
      if (source === left) continue
      const info = await landing.head(source)
      if (!info) continue
      await ingestVersion(context, plan, source, info, { signal })
      const now = await readHead(ops, plan.dataset, source)
      if (contributionOf(now?.head, content.sha256)) return
    }
  } catch (error) {
    if (signal?.aborted) throw error
    context.log({
      event: 'promotion_failed',
      source: left,
      error: messageOf(error),
      advice: 'Files with the same bytes wait to take the place of this one: run "weir reconcile".',
    })
  }
}

/** Nothing in landing now: with onDelete: retract the source leaves the lake, otherwise what it gave stays. */
async function gone(context: Context, plan: Plan, key: string): Promise<Settled | undefined> {
  if (plan.settings.onDelete === 'keep') {
    const head = await readHead(context.lake.zones.ops, plan.dataset, key)
    return head && settle(context, head)
  }
  return takeOut(context, plan, key, 'deleted')
}

/** Takes a source out of the lake, and lets those who wait for its bytes take its place. */
export async function takeOut(
  context: Context,
  plan: Plan,
  key: string,
  why: 'deleted' | 'by hand',
  options: RunOptions = {},
): Promise<Settled | undefined> {
  const withdrawn = await withdraw(context, plan, key, why)
  if (!withdrawn) return undefined
  if (withdrawn.back) return ingestVersion(context, plan, key, withdrawn.back, options)
  if (withdrawn.before) await promoteLeft(context, plan, withdrawn.before, withdrawn.after, options)
  return withdrawn.settled
}

export function sameContributions(a: Head, b: Head): boolean {
  return (
    a.contributions.length === b.contributions.length &&
    a.contributions.every((one, index) => one.location === b.contributions[index]?.location)
  )
}
