// One random schedule of the publishing protocol, made from one number: users drop, change, delete, retract and replay files;
// events are lost, doubled, reordered, and name the version that came or not; two to four workers ingest at the same time, interleaved at every port call, and
// crash at some of them; a reader polls. Then the dust settles, and I1 to I4 are checked from the outside: on what a
// reader of the catalog finds, on the receipts, on the notifications, and on the bytes in landing.
// With WEIR_STORY=1 in the environment the story of a schedule names every port call.

import { readFile, utimes } from 'node:fs/promises'
import type { Plan } from '../../lib/contract/plan.ts'
import { type Head, readHeadAt, slugOfPartition } from '../../lib/lake/heads.ts'
import { replayId, sourceSlug, uploadId } from '../../lib/lake/keys.ts'
import { listReceipts } from '../../lib/lake/ledger.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'
import type { Lake } from '../../lib/lake/ports.ts'
import type { Receipt } from '../../lib/lake/receipt.ts'
import type { Context } from '../../lib/pipeline/context.ts'
import { ingest } from '../../lib/pipeline/ingest.ts'
import { reconcile } from '../../lib/pipeline/reconcile.ts'
import { replayOne } from '../../lib/pipeline/replay.ts'
import { retract } from '../../lib/pipeline/retract.ts'
import { settleVersion } from '../../lib/pipeline/settle-version.ts'
import { type AroundCall, surround } from './ports.ts'
import { judge, type StandInRow, standInCheck, standInPlan } from './standin.ts'
import { Endless, interleave, type Random, randomFrom, type Turn } from './turns.ts'

/** A few contents, so that the same bytes often come twice; two of them differ only in their bytes, not in their size. */
const CONTENTS = [
  'a1\na2\na3\n',
  'b1\nb2\nb3\n',
  'c1\nbad c2\nc3\nc4\nc5\n',
  'refuse d1\nd2\n',
  'refuse e1\n',
  'bad f1\nbad f2\n',
  'g1\n',
]
const DATASET = 'files'

/** An ordinary schedule takes some hundred turns, a long one some thousand. */
const MOST_TURNS = 50_000

/** No head of a schedule moves more often. */
const MOST_SEQUENCE = 200

/** Calls before which workers of a schedule stand still for long, since that is where the protocol could break. */
const HOLDS = [
  'nowhere',
  'nowhere',
  'ops.put heads/',
  'ops.put content/',
  'catalog.putPartition',
  'landing.head',
  'ops.get heads/',
]

/** Breaks the protocol on its way to the ports, to see that the checks find it. */
export type Sabotage = (lake: Lake) => Lake

export interface ScheduleResult {
  seed: number
  /** What is wrong; empty when all invariants hold. */
  problems: string[]
  calls: number
  crashes: number
  uploads: number
  /** Versions that were checked again. */
  replays: number
  /** What happened, for whoever has to find out why. */
  story: string[]
}

class Crash extends Error {
  override name = 'Crash'
}

interface Version {
  key: string
  version: string
  upload: string
  text: string
}

interface World {
  random: Random
  lake: Lake
  plan: Plan
  keys: string[]
  versions: Version[]
  /** What was dropped, by its upload and by those that replaying it can make. */
  uploads: Map<string, Version>
  queue: string[]
  /**
   * How many events name the version that came. `all`: each version has such an event, which comes again after a crash, as
   * a queue sees to it.
   */
  named: 'none' | 'some' | 'all'
  /** Chooses what came into schedules later, so that the rest of a schedule stays as its seed made it. */
  later: Random
  notified: Map<string, Receipt[]>
  /** Receipts as they were first written. */
  written: Map<string, string[]>
  /** Newest version (by its place among all versions) that each head has shown. */
  reached: Map<string, number>
  seen: Set<string>
  ended: boolean
  calls: number
  crashes: number
  problems: string[]
  story: string[]
  replays: number
  clock: number
  sabotage: Sabotage
  hold: string
}

/** Between the key and the number of the version in an event that names both. */
const AT = '@'

/** Runs one schedule in an empty folder. The same seed gives the same schedule. */
export async function runSchedule(
  seed: number,
  folder: string,
  sabotage: Sabotage = (lake) => lake,
): Promise<ScheduleResult> {
  const random = randomFrom(seed)
  const notified = new Map<string, Receipt[]>()
  const lake = await openLocalLake(folder, {
    durable: false,
    log: () => {},
    onNotify: (receipt) => {
      notified.set(receipt.upload, [...(notified.get(receipt.upload) ?? []), receipt])
    },
  })
  const sources = 1 + random.below(4)
  const world: World = {
    random,
    lake,
    plan: standInPlan(DATASET, {
      redrop: random.pick(['replace', 'replace', 'replace', 'append', 'refuse']),
      onDelete: random.pick(['keep', 'retract']),
    }),
    keys: Array.from({ length: sources }, (_, index) => `${DATASET}/${'xyzw'[index]}.txt`),
    versions: [],
    uploads: new Map(),
    queue: [],
    named: 'none',
    later: randomFrom(seed ^ 0x1a7e),
    notified,
    written: new Map(),
    reached: new Map(),
    seen: new Set(),
    ended: false,
    calls: 0,
    crashes: 0,
    replays: 0,
    problems: [],
    story: [],
    clock: Date.UTC(2026, 0, 1, 22),
    sabotage,
    hold: random.pick(HOLDS),
  }
  world.named = world.later.pick(['none', 'some', 'all'])
  const { redrop, onDelete } = world.plan.settings
  world.story.push(
    `redrop ${redrop}, onDelete ${onDelete}, ${sources} source(s), events name ${world.named} version(s)`,
  )
  try {
    const crashShare = random.pick([0, 0.01, 0.03, 0.08])
    const workers = 2 + random.below(3)
    await interleave(
      random,
      [
        (turn) => users(world, turn),
        (turn) => reader(world, turn),
        ...Array.from({ length: workers }, (_, index) => (turn: Turn) => worker(world, `w${index}`, turn, crashShare)),
      ],
      MOST_TURNS,
    )
    if (world.crashes === 0) await checkCatalog(world)
    await settleDust(world)
    await check(world)
  } catch (error) {
    world.problems.push(`unexpected: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`)
  } finally {
    await lake.close()
  }
  const { problems, calls, crashes, replays, story } = world
  return { seed, problems, calls, crashes, replays, uploads: world.versions.length, story }
}

/** Drops, changes, deletes and retracts. Whatever happens makes an event, or two, or none. */
async function users(world: World, turn: Turn): Promise<void> {
  const { random, lake } = world
  const actions = 3 + random.below(8)
  for (let action = 0; action < actions; action++) {
    // Let the workers get somewhere in between, sometimes.
    for (let pause = random.pick([0, 2, 10, 30, 60]); pause > 0; pause--) await turn()
    const key = random.pick(world.keys)
    const what = random.below(10)
    const text = random.chance(0.4) ? (world.versions.at(-1)?.text ?? CONTENTS[0] ?? '') : random.pick(CONTENTS)
    if (what < 8) await dropVersion(world, key, text)
    if (what < 2) {
      // Twins: the same bytes under two names at the same time.
      const twin = random.pick(world.keys)
      if (twin !== key) await dropVersion(world, twin, text)
      world.queue.push(twin)
    }
    if (what >= 8) {
      await lake.zones.landing.delete(key)
      world.story.push(`users: delete ${key}`)
    }
    const events = random.pick([0, 1, 1, 1, 2])
    for (let event = 0; event < events; event++) world.queue.push(key)
    if (random.chance(0.1)) world.queue.push(random.pick(['retract', 'reconcile', 'reconcile']))
    if (random.chance(0.5)) world.queue.push('replay')
    if (random.chance(0.1)) world.queue.push(random.pick(world.keys))
  }
  world.ended = true
}

async function dropVersion(world: World, key: string, text: string): Promise<void> {
  const { lake } = world
  await lake.zones.landing.put(key, text)
  // Its own minute, long ago: a version's time is then certain, and nobody waits for the file system's clock to tick.
  world.clock += 60_000 * (1 + world.random.below(90))
  const time = new Date(world.clock)
  await utimes(lake.locate('landing', key), time, time)
  const info = await lake.zones.landing.head(key)
  if (!info) throw new Error(`${key} is not there although it was dropped`)
  const version = { key, version: info.version, upload: uploadId(key, info), text }
  world.versions.push(version)
  world.uploads.set(version.upload, version)
  // The same bytes may be in the lake by an earlier version: looking at them again then stays at that one's place.
  const same = world.versions.filter((one) => one.key === key && one.text === text)
  for (const { upload } of same)
    for (let sequence = 1; sequence <= MOST_SEQUENCE; sequence++)
      world.uploads.set(replayId(key, info, sequence, upload), version)
  const isNamed = world.named === 'all' || (world.named === 'some' && world.later.chance(0.5))
  if (isNamed) world.queue.push(`${key}${AT}${world.versions.length - 1}`)
  world.story.push(`users: drop ${key} = ${JSON.stringify(text)} as ${uploadId(key, info)}`)
}

/** Takes events from anywhere in the queue. After a crash another process takes its place. */
async function worker(world: World, name: string, turn: Turn, crashShare: number): Promise<void> {
  const { random, queue } = world
  let incarnation = processOf(world, name, turn, crashShare)
  while (!world.ended || queue.length > 0) {
    await turn()
    if (queue.length === 0) continue
    const [event = ''] = queue.splice(random.below(queue.length), 1)
    world.story.push(`${name}: ${event}`)
    try {
      if (event === 'reconcile') await reconcile(incarnation.context, { concurrency: 1 })
      else if (event === 'replay')
        await replayOne(incarnation.context, random.pick(world.keys), { again: random.chance(0.7) })
      else if (event === 'retract') await retract(incarnation.context, random.pick(world.keys)).catch(unknownIsFine)
      else {
        const [key = '', number] = event.split(AT)
        const version = number === undefined ? undefined : world.versions[Number(number)]?.version
        const receipt = await ingest(incarnation.context, key)
        if (version !== undefined && receipt?.version !== version)
          await settleVersion(incarnation.context, key, version)
      }
    } catch (error) {
      if (!incarnation.isDead()) throw error
    }
    if (!incarnation.isDead()) continue
    world.story.push(`${name}: crashed in ${event}`)
    if (random.chance(0.5) || (world.named === 'all' && event.includes(AT))) queue.push(event)
    incarnation = processOf(world, name, turn, crashShare)
  }
}

function unknownIsFine(error: unknown): void {
  if (!(error instanceof Error && error.name === 'UnknownSource')) throw error
}

/** A process: its own view of the ports, with a turn before every call; dead after a crash. */
function processOf(
  world: World,
  name: string,
  turn: Turn,
  crashShare: number,
): { context: Context; isDead: () => boolean } {
  const { random } = world
  let dead = false
  const die = (where: string): never => {
    dead = true
    world.crashes++
    world.story.push(`${name}: dies ${where}`)
    throw new Crash(where)
  }
  const around: AroundCall = async (call, key, run) => {
    if (dead) throw new Crash('dead')
    await turn()
    if (`${call} ${key}`.startsWith(world.hold) && random.chance(0.3))
      for (let still = 20 + random.below(80); still > 0; still--) await turn()
    world.calls++
    const fate = random.chance(crashShare) ? random.pick(['before', 'after']) : 'lives'
    if (fate === 'before') die(`before ${call} ${key}`)
    if (process.env.WEIR_STORY) world.story.push(`${name}:   ${call} ${key}`)
    const answer = await run()
    if (call === 'ops.put') await notePut(world, key)
    if (fate === 'after') die(`after ${call} ${key}`)
    return answer
  }
  const lake = surround(world.sabotage(world.lake), around)
  return { context: contextOf(world, lake, around), isDead: () => dead }
}

function contextOf(world: World, lake: Lake, around: AroundCall): Context {
  return {
    lake,
    plans: new Map([[DATASET, world.plan]]),
    check: (request) => around('engine', request.upload, () => standInCheck(request)),
    now: () => new Date(world.clock),
    log: ({ event, ...fields }) => {
      // On a folder nobody takes the mark of a deletion away.
      if (event === 'version_came_back') world.problems.push(`I3: ${JSON.stringify(fields)} is said to have come back`)
      if (process.env.WEIR_STORY) world.story.push(`  log ${event} ${JSON.stringify(fields)}`)
    },
  }
}

/** Receipts as they are written, and heads as they move: back to an older version they must never go. */
async function notePut(world: World, key: string): Promise<void> {
  const isReceipt = key.startsWith('receipts/')
  if (!isReceipt && !key.startsWith('heads/')) return
  const body = (await world.lake.zones.ops.get(key))?.body.toString() ?? '{}'
  if (isReceipt) {
    world.written.set(key, [...(world.written.get(key) ?? []), body])
    return
  }
  const { version, source } = JSON.parse(body)
  const index = world.versions.findIndex((one) => one.version === version && one.key === source)
  const before = world.reached.get(key) ?? -1
  if (index < before) world.problems.push(`I1: the head of ${source} went back from version ${before} to ${index}`)
  world.reached.set(key, index)
  const held = new Map<string, string>()
  for (const { source: holder, contributions } of await headsOf(world.lake))
    for (const { sha256, upload } of contributions) {
      if (held.has(sha256))
        world.problems.push(`I1: the heads of ${held.get(sha256)} and ${holder} hold the same bytes`)
      if (!world.uploads.has(upload)) world.problems.push(`I1: ${holder} holds ${upload}`)
      held.set(sha256, holder)
    }
}

/** Without a crash nothing waits for reconcile: the catalog shows what the heads say. */
async function checkCatalog(world: World): Promise<void> {
  const shown = (await partitionsOf(world)).map(({ location }) => location)
  const heads = await headsOf(world.lake)
  const meant = heads.flatMap((head) =>
    head.contributions.filter(({ rows }) => rows > 0).map(({ location }) => location),
  )
  if (meant.sort().join() !== shown.sort().join())
    world.problems.push(`I1: no crash, but the catalog shows ${shown.join()} where the heads say ${meant.join()}`)
}

/** Looks at the table again and again: what it finds must be whole uploads, and of one source never two versions (I2). */
async function reader(world: World, turn: Turn): Promise<void> {
  while (!world.ended || world.queue.length > 0) {
    await turn()
    if (!world.random.chance(0.15)) continue
    const partitions = await partitionsOf(world)
    // The files are read later than the list, as a query does.
    await turn()
    const visible = await readPartitions(world, partitions)
    world.problems.push(...checkVisible(world, visible))
    for (const { upload } of visible) world.seen.add(upload)
  }
}

interface Visible {
  slug: string
  upload: string
  rows: string[]
}

interface Pointer {
  values: string[]
  location: string
}

async function partitionsOf({ lake }: World): Promise<Pointer[]> {
  const found: Pointer[] = []
  for await (const partition of lake.catalog.listPartitions(`clean.${DATASET}`)) found.push(partition)
  return found
}

async function readPartitions({ lake }: World, partitions: Pointer[]): Promise<Visible[]> {
  const visible: Visible[] = []
  for (const { values, location } of partitions) {
    const rows: StandInRow[] = []
    for await (const { key } of lake.zones.clean.list(location)) {
      // Only files directly below the location are the partition.
      if (key.slice(location.length).includes('/')) continue
      const text = (await lake.zones.clean.get(key))?.body.toString() ?? ''
      for (const line of text.split('\n')) if (line) rows.push(JSON.parse(line))
    }
    const slug = slugOfPartition(values[1] ?? '')
    for (const upload of new Set(rows.map((row) => row._upload)))
      visible.push({ slug, upload, rows: rows.filter((row) => row._upload === upload).map((row) => row.text) })
    if (rows.length === 0) visible.push({ slug, upload: 'none', rows: [] })
  }
  return visible
}

function checkVisible(world: World, visible: Visible[]): string[] {
  const problems: string[] = []
  const seen = new Map<string, string>()
  for (const { slug, upload, rows } of visible) {
    const version = world.uploads.get(upload)
    if (!version) problems.push(`I2: ${slug} shows rows of ${upload}, which nobody dropped`)
    else if (sourceSlug(version.key) !== slug) problems.push(`I2: ${slug} shows rows of ${version.key}`)
    else if (!sameRows(rows, judge(version.text).accepted))
      problems.push(`I2: of ${upload} ${JSON.stringify(rows)} can be seen, not exactly its accepted rows`)
    if (world.plan.settings.redrop !== 'append' && seen.has(slug))
      problems.push(`I2: ${slug} shows ${seen.get(slug)} and ${upload} together`)
    seen.set(slug, upload)
  }
  return problems
}

function sameRows(a: string[], b: string[]): boolean {
  return [...a].sort().join('\n') === [...b].sort().join('\n')
}

/** Events are delivered again or not: reconcile alone must do. A second one must find nothing. */
async function settleDust(world: World): Promise<void> {
  const { random } = world
  const around: AroundCall = async (call, key, run) => {
    if (++world.calls > MOST_TURNS) throw new Endless(MOST_TURNS)
    if (process.env.WEIR_STORY) world.story.push(`dust:   ${call} ${key}`)
    const answer = await run()
    if (call === 'ops.put') await notePut(world, key)
    return answer
  }
  const context = contextOf(world, surround(world.sabotage(world.lake), around), around)
  if (random.chance(0.5)) {
    world.story.push('dust: redelivery')
    for (const key of [...world.keys].sort(() => random.next() - 0.5)) await ingest(context, key)
  }
  world.story.push('dust: reconcile')
  const first = await reconcile(context, { concurrency: random.pick([1, 4]) })
  for (const fault of first.faults) world.problems.push(`reconcile could not: ${JSON.stringify(fault)}`)
  const second = await reconcile(context, { concurrency: 1 })
  if (second.mended.length > 0) world.problems.push(`a second reconcile mended ${JSON.stringify(second.mended)}`)
}

async function check(world: World): Promise<void> {
  const { lake, problems, versions, keys } = world
  const receipts = new Map<string, Receipt>()
  for await (const receipt of listReceipts(lake)) {
    receipts.set(receipt.upload, receipt)
    if (receipt.replayOf !== undefined) world.replays++
  }
  const visible = await readPartitions(world, await partitionsOf(world))
  problems.push(...checkVisible(world, visible))
  for (const { upload } of visible) world.seen.add(upload)
  checkReceipts(world, receipts)
  if (world.named === 'all')
    for (const { upload, version } of versions)
      if (!receipts.has(upload)) problems.push(`I3: ${upload} has no receipt, though an event named version ${version}`)
  checkContents(world, visible)
  for (const key of keys) await checkSource(world, key, visible, receipts)
  for (const { key, version, text } of versions) {
    const fetched = await lake.zones.landing.fetch(key, version).catch(() => undefined)
    const bytes = fetched && (await readFile(fetched.path, 'utf8'))
    if (bytes !== text) problems.push(`I4: the bytes of ${key} version ${version} are ${JSON.stringify(bytes)}`)
    await fetched?.release()
  }
  await checkRejects(world, receipts)
}

/** I3: one receipt for each upload that counts, never changed; at most one notification; figures that add up. */
function checkReceipts(
  { problems, uploads, written, notified, seen, crashes }: World,
  receipts: Map<string, Receipt>,
): void {
  for (const [key, texts] of written)
    if (texts.length > 1) problems.push(`I3: ${key} was written ${texts.length} times`)
  for (const [upload, sent] of notified) {
    if (sent.length > 1) problems.push(`I3: ${sent.length} notifications of ${upload}`)
    if (sent[0]?.outcome !== receipts.get(upload)?.outcome) problems.push(`I3: ${upload} was told something else`)
  }
  for (const [upload, receipt] of receipts) {
    const { read, accepted, rejected } = receipt.rows
    if (read !== accepted + rejected) problems.push(`I3: the rows of ${upload} do not add up`)
    if (crashes === 0 && !notified.has(upload)) problems.push(`I3: nobody was told of ${upload}`)
    if (receipt.outcome === 'retracted') continue
    const version = uploads.get(upload)
    if (!version) {
      problems.push(`I3: a receipt of ${upload}, which nobody dropped`)
      continue
    }
    const truth = judge(version.text)
    if (receipt.outcome === 'accepted' || receipt.outcome === 'accepted_with_rejects') {
      if (truth.refused || accepted !== truth.accepted.length || rejected !== truth.rejected.length)
        problems.push(`I3: the receipt of ${upload} says ${JSON.stringify(receipt.rows)}`)
    } else if (accepted !== 0) problems.push(`I3: ${upload} is ${receipt.outcome} and has ${accepted} rows accepted`)
  }
  for (const upload of seen) {
    const outcome = receipts.get(upload)?.outcome
    if (!outcome || !['accepted', 'accepted_with_rejects', 'duplicate'].includes(outcome))
      problems.push(`I3: rows of ${upload} were seen, but its receipt says ${outcome}`)
  }
}

/** The same bytes give their rows once in a dataset. */
function checkContents({ problems, uploads }: World, visible: Visible[]): void {
  const found = new Map<string, string>()
  for (const { upload } of visible) {
    const text = uploads.get(upload)?.text ?? ''
    if (found.has(text)) problems.push(`I1: ${found.get(text)} and ${upload} give the same bytes`)
    found.set(text, upload)
  }
}

/** I1: each source gives exactly the accepted rows of its newest acceptable version, once. */
async function checkSource(
  world: World,
  key: string,
  visible: Visible[],
  receipts: Map<string, Receipt>,
): Promise<void> {
  const { lake, plan, problems } = world
  const info = await lake.zones.landing.head(key)
  const mine = world.versions.filter((one) => one.key === key)
  const current = mine.find((one) => one.version === info?.version)
  const textOf = (upload: string) => world.uploads.get(upload)?.text ?? ''
  const shown = visible.filter(({ slug }) => slug === sourceSlug(key)).map(({ upload }) => textOf(upload))
  const everywhere = visible.map(({ upload }) => textOf(upload))
  const retractions = [...receipts.values()].filter((one) => one.source === key && one.outcome === 'retracted')
  const hasRows = (text: string) => judge(text).accepted.length > 0
  const outcomeOf = (version: Version) => lastReceipt(version, receipts)?.outcome
  const where = `${key} (${plan.settings.redrop}, onDelete ${plan.settings.onDelete}) shows ${JSON.stringify(shown)}`

  if (current) {
    const outcome = outcomeOf(current)
    if (!outcome) problems.push(`I3: ${current.upload} is in landing and has no receipt`)
    if (outcome === 'superseded') problems.push(`I3: ${current.upload} is the newest and said to be superseded`)
  } else if (plan.settings.onDelete === 'retract') {
    if (shown.length > 0) problems.push(`I1: ${where}, but its file is deleted`)
    return
  }

  // What was decided last, as its receipts say; retractions come right after the version they name.
  const story = mine.flatMap((version) => [
    { kind: outcomeOf(version), text: version.text },
    ...retractions
      .filter((one) => one.version === version.version)
      .map(() => ({ kind: 'retracted' as const, text: '' })),
  ])
  const acceptable = ['accepted', 'accepted_with_rejects', 'duplicate', 'retracted']
  const last = story.findLast(({ kind }) => kind && acceptable.includes(kind))
  const isCurrent = current !== undefined && last?.text === current.text && story.at(-1) === last

  if (!last || last.kind === 'retracted') {
    if (shown.length > 0) problems.push(`I1: ${where}, but nothing of it was accepted, or it was retracted`)
    return
  }
  if (plan.settings.redrop === 'refuse' && !isCurrent) return
  if (last.kind !== 'duplicate') {
    if (hasRows(last.text) && !shown.includes(last.text))
      problems.push(`I1: ${where}, not ${JSON.stringify(last.text)}`)
  } else if (isCurrent && hasRows(last.text) && !everywhere.includes(last.text))
    problems.push(`I1: ${where}, and nobody shows its bytes ${JSON.stringify(last.text)}, which are in landing`)
  if (plan.settings.redrop === 'append') {
    const since = story.slice(story.findLastIndex(({ kind }) => kind === 'retracted') + 1)
    for (const { kind, text } of since)
      if ((kind === 'accepted' || kind === 'accepted_with_rejects') && hasRows(text) && !shown.includes(text))
        problems.push(`I1: ${where}, without ${JSON.stringify(text)}`)
    return
  }
  for (const text of shown)
    if (text !== last.text)
      problems.push(`I1: ${where}, but ${JSON.stringify(last.text)} is its newest acceptable version`)
}

/** The newest decision about a version: each replay names the upload before it. */
function lastReceipt(version: Version, receipts: Map<string, Receipt>): Receipt | undefined {
  let last = receipts.get(version.upload)
  for (;;) {
    const next = [...receipts.values()].find(({ replayOf }) => last && replayOf === last.upload)
    if (!next) return last
    last = next
  }
}

/** I4: every rejected row is kept with its text. */
async function checkRejects({ lake, uploads, problems }: World, receipts: Map<string, Receipt>): Promise<void> {
  for (const [upload, receipt] of receipts) {
    const { text } = uploads.get(upload) ?? {}
    if (text === undefined || receipt.rows.rejected === 0) continue
    const kept = receipt.rejects && (await lake.zones.ops.get(receipt.rejects.parquet))
    if (kept?.body.toString() !== JSON.stringify(judge(text).rejected))
      problems.push(`I4: the rejects of ${upload} are ${kept?.body}`)
  }
}

/** All heads, for tests that look inside. */
export async function headsOf(lake: Lake): Promise<Head[]> {
  const heads: Head[] = []
  for await (const { key } of lake.zones.ops.list('heads/')) {
    const stored = await readHeadAt(lake.zones.ops, key)
    if (stored) heads.push(stored.head)
  }
  return heads
}
