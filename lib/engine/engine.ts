// The engine: one file and one plan in; good rows as Parquet, rejects, and the facts of a receipt out. It publishes nothing.

import { randomUUID } from 'node:crypto'
import { copyFile, link, mkdir, rm, stat, symlink } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Plan } from '../contract/plan.ts'
import { type Duck, openDuck, type Session } from './duck.ts'
import { Cancelled, EngineFault, Refusal } from './errors.ts'
import { type Look, lookAt } from './look.ts'
import { type Opened, openSource } from './open.ts'
import { explain } from './rejects.ts'
import type { CheckRequest, CheckResult, EngineSettings, Reason } from './result.ts'
import { applyFileRules } from './rules.ts'
import { csvAsIs, csvNumbered, jsonNumbered, type Prepared, parquet, readCsvHead } from './sources.ts'
import { type CountLines, keepParts, type PassContext, type Split, splitAsIs, splitNumbered } from './split.ts'
import { endIdleThreads } from './tasks.ts'

export interface Engine {
  /** Checks one file. A file that cannot be taken is a result; throws EngineFault or Cancelled only. */
  check(request: CheckRequest): Promise<CheckResult>
  close(): Promise<void>
}

export const ENGINE_DEFAULTS: Omit<EngineSettings, 'scratch'> = {
  memoryBytes: 1e9,
  threads: availableParallelism(),
  maxExpandedBytes: 50e9,
  maxExpansion: 200,
  maxRecordBytes: 16 << 20,
  maxRuleSeconds: 300,
}

/** Files up to this size are looked at before DuckDB reads them, instead of beside it. */
const LOOK_FIRST_BYTES = 4 << 20

/** Opens the engine; several files may be checked at the same time. Close it to free DuckDB's memory. */
export async function createEngine(options: Partial<EngineSettings> & { scratch: string }): Promise<Engine> {
  const settings: EngineSettings = { ...ENGINE_DEFAULTS, ...options }
  await mkdir(settings.scratch, { recursive: true })
  const duck = await openDuck(settings)
  return {
    check: (request) => check(duck, settings, request),
    async close() {
      duck.close()
      endIdleThreads()
    },
  }
}

async function check(duck: Duck, settings: EngineSettings, request: CheckRequest): Promise<CheckResult> {
  const work = join(settings.scratch, `check-${randomUUID()}`)
  const watch = stopwatch()
  let size: number
  try {
    size = (await stat(request.path)).size
    await mkdir(work, { recursive: true })
    await mkdir(request.outDir, { recursive: true })
  } catch (error) {
    throw new EngineFault(`The file cannot be reached: ${(error as Error).message}.`, { cause: error })
  }
  // Started at once and read when it is needed; a failure is taken up there.
  const look = lookAt(request.path, size, request.signal)
  const base = { notEnforced: request.plan.notEnforced, size, repairs: [], clean: [], violations: [], warnings: [] }
  try {
    const answer = await checkFile(duck, settings, request, work, look, watch)
    return { ...base, ...answer, sha256: await look.sha256(), timings: watch.timings() }
  } catch (error) {
    if (error instanceof Refusal) {
      const rows = { read: 0, accepted: 0, rejected: 0 }
      return {
        ...base,
        outcome: 'refused',
        reason: error.reason,
        rows,
        sha256: await look.sha256(),
        timings: watch.timings(),
      }
    }
    if (error instanceof Cancelled || error instanceof EngineFault) throw error
    throw new EngineFault((error as Error).message, { cause: error })
  } finally {
    // What was started ends before the file may change.
    await look.sha256().catch(() => {})
    await rm(work, { recursive: true, force: true })
  }
}

type Answer = Omit<CheckResult, 'sha256' | 'size' | 'timings' | 'notEnforced'>

async function checkFile(
  duck: Duck,
  settings: EngineSettings,
  request: CheckRequest,
  work: string,
  look: Look,
  watch: Stopwatch,
): Promise<Answer> {
  const { plan, upload, outDir, signal } = request
  const opened = await openSource(request.path, request.fileName, plan.settings.file, settings, work, signal)
  watch.lap('open')
  const session = await duck.connect(signal)
  let ticking: NodeJS.Timeout | undefined
  if (request.onProgress !== undefined) {
    // Without these DuckDB does not count how far it is; it prints nothing itself.
    await session.run(
      'SET enable_progress_bar = true; SET enable_progress_bar_print = false; SET progress_bar_time = 0',
    )
    ticking = tick(request.onProgress, session, opened.size)
  }
  try {
    const context: PassContext =
      signal === undefined ? { plan, session, upload, outDir } : { plan, session, upload, outDir, signal }
    const { prepared, split } = await readAndSplit(context, opened, settings, work, look)
    watch.lap('read')
    const read = split.good + split.aside
    if (read === 0) {
      throw new Refusal(
        'no_rows',
        'The file has no rows.',
        'Check the export: there is a header or an empty list, and nothing else.',
      )
    }
    const explained = await explain(context, prepared, split, prepared.reading.delimiter ?? ',')
    watch.lap('explain')
    const answer = await conclude(context, settings, prepared, split, explained)
    watch.lap('rules')
    return answer
  } finally {
    clearInterval(ticking)
    session.close()
  }
}

async function readAndSplit(
  context: PassContext,
  opened: Opened,
  settings: EngineSettings,
  work: string,
  look: Look,
): Promise<{ prepared: Prepared; split: Split }> {
  const { plan, signal } = context
  const isText = opened.format === 'csv' || opened.format === 'tsv'
  if (!isText || !opened.original) look.sha256()
  if (opened.format === 'parquet') {
    const prepared = await parquet(plan, opened, context.session, await plainName(opened.path, work, 'in.parquet'))
    return { prepared, split: await splitNumbered(context, prepared, opened.size) }
  }
  if (opened.format === 'json' || opened.format === 'ndjson') {
    const prepared = await jsonNumbered(plan, opened, settings, work, signal)
    return { prepared, split: await splitNumbered(context, prepared, opened.size) }
  }
  const head = readCsvHead(plan, opened, settings)
  const { delimiter, quote, header } = head.dialect
  const census = (hurry: boolean) => look.census(opened.path, { delimiter, quote, header }, opened.size, hurry)
  const mayBeSimple = await looksSimple(opened, census, head.dialect.first.length, head.dialect.newline, plan)
  if (mayBeSimple) {
    const prepared = csvAsIs(plan, opened, head, await plainName(opened.path, work, 'in.csv'))
    const split = await splitAsIs(context, prepared, opened.path, opened.size, census)
    if (split !== undefined) return { prepared, split }
  }
  const prepared = await csvNumbered(plan, opened, head, await census(true), settings, work, signal)
  return { prepared, split: await splitNumbered(context, prepared, opened.size) }
}

/** Whether it is worth reading a CSV file as it is. Large files are tried at once, and the census is held against the result. */
async function looksSimple(
  opened: Opened,
  counting: CountLines,
  columns: number,
  newline: number,
  plan: Plan,
): Promise<boolean> {
  // One column: a blank line and an empty value look the same to DuckDB. A byte order mark: part of the first value.
  if (opened.repair || columns === 1 || newline !== 10 || plan.settings.file.header === false) return false
  if (opened.size > LOOK_FIRST_BYTES) return true
  const census = await counting(false)
  return !census.nul && census.validUtf8 && (census.cr === 0 || (census.cr === census.lf && census.crlf === census.lf))
}

/** DuckDB takes `*`, `?` and `[` in names as patterns, so it reads the file under a name of ours. */
async function plainName(path: string, work: string, name: string): Promise<string> {
  const target = join(work, name)
  try {
    await symlink(path, target)
  } catch {
    // Windows without the right to make links, or a file system that has none.
    await link(path, target).catch(() => copyFile(path, target))
  }
  return target
}

async function conclude(
  context: PassContext,
  settings: EngineSettings,
  prepared: Prepared,
  split: Split,
  explained: Awaited<ReturnType<typeof explain>>,
): Promise<Answer> {
  const { plan, outDir, signal } = context
  const read = split.good + split.aside
  const { rejected } = explained
  const common = {
    reading: prepared.reading,
    warnings: prepared.warnings,
    ...(explained.files === undefined ? {} : { rejects: explained.files }),
  }
  const refuse = async (reason: Reason, violations: CheckResult['violations']): Promise<Answer> => {
    for (const n of [0, 1]) await rm(join(outDir, `part-${n}.parquet`), { force: true })
    return {
      ...common,
      outcome: 'refused',
      reason,
      rows: { read, accepted: 0, rejected: read },
      violations,
      clean: [],
      repairs: [],
    }
  }
  // A repair file holds only rows that were wrong once: some may still be, and the share says nothing of its source.
  const limit = prepared.repair === undefined ? plan.settings.maxRejected : undefined
  if (limit !== undefined && rejected / read > limit) {
    return refuse(
      {
        code: 'too_many_rejects',
        message: `${rejected.toLocaleString('en')} of ${read.toLocaleString('en')} rows (${percent(rejected / read)}) break a rule; the contract allows ${percent(limit)}. The whole file was set aside.`,
        advice: 'Mend the file at its source and drop it again.',
      },
      explained.violations,
    )
  }
  const clean = await keepParts(outDir, [split.good, explained.readmitted])
  const findings = await applyFileRules(
    plan,
    split.binding,
    clean.map((part) => part.path),
    settings,
    signal,
  )
  const violations = [...explained.violations, ...findings.violations]
  if (findings.failed !== undefined) {
    const { failed } = findings
    return refuse(
      {
        code: 'rule_failed',
        message: `The rule ${failed.rule} does not hold: ${failed.message} (${failed.samples[0]?.message ?? `${failed.count} rows`}).`,
        advice: 'The rule is about the file as a whole, so the whole file was set aside. Mend it and drop it again.',
      },
      violations,
    )
  }
  return {
    ...common,
    outcome: rejected === 0 ? 'accepted' : 'accepted_with_rejects',
    rows: { read, accepted: read - rejected, rejected },
    violations,
    clean,
    repairs: await repairedRows(context, prepared, rejected),
  }
}

function percent(share: number): string {
  return share.toLocaleString('en', { style: 'percent', maximumFractionDigits: 2 })
}

/** The rows of earlier uploads that the accepted rows of a repair file stand for. */
async function repairedRows(
  context: PassContext,
  prepared: Prepared,
  rejected: number,
): Promise<CheckResult['repairs']> {
  if (prepared.repair === undefined) return []
  const { upload, row } = prepared.repair
  const without = rejected === 0 ? '' : 'AND _row NOT IN (SELECT _row FROM viol)'
  const found = await context.session.rows<[string, string]>(
    `SELECT ${upload}, to_json(list_sort(list(DISTINCT TRY_CAST(${row} AS BIGINT)))) FROM ${prepared.source.from}
     WHERE ${upload} IS NOT NULL AND TRY_CAST(${row} AS BIGINT) IS NOT NULL ${without} GROUP BY 1 ORDER BY 1`,
  )
  return found.map(([name, rows]) => ({ upload: name, rows: JSON.parse(rows) as number[] }))
}

interface Stopwatch {
  lap(phase: string): void
  timings(): Record<string, number>
}

function stopwatch(): Stopwatch {
  const start = performance.now()
  let last = start
  const laps: Record<string, number> = {}
  return {
    lap(phase) {
      const now = performance.now()
      laps[phase] = Math.round(now - last)
      last = now
    },
    timings: () => ({ ...laps, check: Math.round(performance.now() - start) }),
  }
}

/** Tells every 200 ms how far the work is; never back. */
function tick(onProgress: NonNullable<CheckRequest['onProgress']>, session: Session, total: number): NodeJS.Timeout {
  let furthest = 0
  return setInterval(() => {
    const [from, to] = session.stage
    const share = Math.max(0, Math.min(100, session.connection.progress.percentage)) / 100
    furthest = Math.max(furthest, from + (to - from) * share)
    onProgress({ bytes: Math.round(total * furthest), total, phase: 'check' })
  }, 200)
}
