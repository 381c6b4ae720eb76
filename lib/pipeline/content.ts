// Who holds which bytes in a dataset, so that the same file under two names gives its rows once.
//
// The register has one small object for each content: the source that claimed it. It is only a pointer; whether the
// owner's rows are in the lake is what the owner's head says. Three rules keep it right without locks:
//  - A source claims a content after it has read its own head and before it moves it. Who takes a claim over from a
//    source that seems to have left bumps that source's head: a worker of it that still carries the old claim then
//    fails its compare-and-set, looks again, and finds the claim gone. If the head turns out to hold the content after
//    all, the claim is given back. So two heads never hold the same content.
//  - A source that finds the content taken first leaves a mark below waiting/ and only then looks whether the owner is
//    really there. An owner moves its head away first and looks for marks afterwards. So one of the two sees the other.
//  - What a crash leaves behind is seen by whoever asks next: an owner counts only while its head holds the content, or
//    while landing still shows the version that claimed it and that version is undecided (it will be delivered again).

import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import type { Plan } from '../contract/plan.ts'
import { PreconditionFailed } from '../lake/errors.ts'
import { contributionOf, newHead, readHead, writeHead } from '../lake/heads.ts'
import { type Content, contentKey, dateOfUpload, uploadId, waitingKey, waitingPrefix } from '../lake/keys.ts'
import type { Context } from './context.ts'

/** Times that a claim may be lost before whoever loses it waits a moment. */
const PATIENCE = 3
const LONGEST_PAUSE_MS = 1000

export interface Holder {
  source: string
  upload: string
}

const holderSchema = z.object({ source: z.string(), upload: z.string() })
const entrySchema = z.object({
  owner: holderSchema,
  /** Sources that the claim was taken from and whose heads have not been bumped since. */
  fence: z.array(holderSchema),
  /** Counts the claims, so that no two entries are the same bytes. */
  claim: z.int(),
})
type Entry = z.infer<typeof entrySchema>

const waiterSchema = z.object({ source: z.string() })

export type Claim = { held: 'by us' } | { held: 'by nobody' } | { held: 'by another'; holder: Holder }

/** Whether another source gives these bytes to the dataset. Leaves a mark if so. Claims nothing. */
export function findHolder(context: Context, plan: Plan, us: Holder, content: Content): Promise<Claim> {
  return contend(context, plan, us, content, false)
}

/** Claims a content for our source, unless another source holds it. Call it between reading our head and moving it. */
export function claim(context: Context, plan: Plan, us: Holder, content: Content): Promise<Claim> {
  return contend(context, plan, us, content, true)
}

/** Sources that found the content taken, in key order. Some may have moved on since. */
export async function* waiting({ lake }: Context, dataset: string, content: Content): AsyncIterable<string> {
  for await (const { key } of lake.zones.ops.list(waitingPrefix(dataset, content))) {
    const object = await lake.zones.ops.get(key)
    if (object) yield waiterSchema.parse(JSON.parse(object.body.toString())).source
  }
}

async function contend(context: Context, plan: Plan, us: Holder, content: Content, take: boolean): Promise<Claim> {
  const { ops } = context.lake.zones
  const key = contentKey(plan.dataset, content)
  for (let lost = 0; ; ) {
    const stored = await ops.get(key)
    const entry = stored && entrySchema.parse(JSON.parse(stored.body.toString()))
    try {
      if (!stored || !entry) {
        if (!take) return { held: 'by nobody' }
        await ops.put(key, textOf({ owner: us, fence: [], claim: 1 }), { ifNoneMatch: '*' })
        return { held: 'by us' }
      }
      if (entry.owner.source !== us.source) {
        const holder = await standing(context, plan, us, entry.owner, content)
        if (holder) return { held: 'by another', holder }
      }
      if (!take) return { held: 'by nobody' }
      const left = entry.owner.source === us.source ? entry.fence : [...entry.fence, entry.owner]
      const fence = left.filter((one) => one.source !== us.source)
      const next = { owner: us, fence, claim: entry.claim + 1 }
      const info = await ops.put(key, textOf(next), { ifMatch: stored.info.etag })
      if (fence.length === 0) return { held: 'by us' }
      const holder = await bumpAll(context, plan, fence, content)
      const after: Entry = holder
        ? { owner: holder, fence: [...fence.filter((one) => one.source !== holder.source), us], claim: next.claim + 1 }
        : { owner: us, fence: [], claim: next.claim + 1 }
      await ops.put(key, textOf(after), { ifMatch: info.etag })
      if (!holder) return { held: 'by us' }
    } catch (error) {
      // Somebody else changed the entry: begin again with what it says now.
      if (!(error instanceof PreconditionFailed)) throw error
      // Two that wait for the same bytes, and take the claim from each other in step, would do so for ever.
      if (++lost > PATIENCE) await sleep(Math.random() * Math.min(LONGEST_PAUSE_MS, 2 ** lost))
    }
  }
}

/** The owner, if it is really there: looked at once more after our mark is left, so that it cannot leave unseen. */
async function standing(
  context: Context,
  plan: Plan,
  us: Holder,
  owner: Holder,
  content: Content,
): Promise<Holder | undefined> {
  if (!(await isStanding(context, plan, owner, content))) return undefined
  const mark = JSON.stringify({ source: us.source })
  await context.lake.zones.ops.put(waitingKey(plan.dataset, content, us.source), `${mark}\n`)
  return isStanding(context, plan, owner, content)
}

async function isStanding({ lake }: Context, plan: Plan, owner: Holder, content: Content): Promise<Holder | undefined> {
  const stored = await readHead(lake.zones.ops, plan.dataset, owner.source)
  const contribution = contributionOf(stored?.head, content.sha256)
  if (contribution) return { source: owner.source, upload: contribution.upload }
  // In flight: that version is still in landing and undecided, so its event, or reconcile, will bring it to an end.
  const info = await lake.zones.landing.head(owner.source)
  if (!info || info.version === stored?.head.version) return undefined
  return uploadId(owner.source, info) === owner.upload ? owner : undefined
}

/** Makes every claim that these sources' workers still carry worthless. Gives the one that holds the content after all. */
async function bumpAll(context: Context, plan: Plan, sources: Holder[], content: Content): Promise<Holder | undefined> {
  for (const { source, upload } of sources) {
    const holder = await bump(context, plan, source, upload, content)
    if (holder) return holder
  }
  return undefined
}

async function bump(
  { lake, now }: Context,
  plan: Plan,
  source: string,
  upload: string,
  content: Content,
): Promise<Holder | undefined> {
  const { ops } = lake.zones
  for (;;) {
    const stored = await readHead(ops, plan.dataset, source)
    const contribution = contributionOf(stored?.head, content.sha256)
    if (contribution) return { source, upload: contribution.upload }
    try {
      await writeHead(ops, stored, stored?.head ?? newHead(plan.dataset, source, dateOfUpload(upload)), now())
      return undefined
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error
    }
  }
}

const textOf = (entry: Entry): string => `${JSON.stringify(entry)}\n`
