// One run of one curated table: look → begin → stage → audit → publish → note → tell. Level-triggered: it does what the inputs
// ask for now, whatever called it. Every step may be killed and done again by anybody; two that work at the same time end with
// one of them, since the state moves by compare-and-set.

import { randomUUID } from 'node:crypto'
import { PreconditionFailed, QueryError, type SchemaChangeRefused, TableLost } from '../../lake/errors.ts'
import type { RanStatement, StagedTable, TableRunOptions, TableVersion } from '../../lake/ports.ts'
import { RUN_FORMAT, type Run, runId, writeRun } from '../../lake/runs.ts'
import { readTableState, type StoredTableState, type TableState, writeTableState } from '../../lake/table-state.ts'
import { WEIR_VERSION } from '../../version.ts'
import { ensureTable, messageOf } from '../project.ts'
import { type Audit, audit } from './audit.ts'
import { type CurateContext, type Curated, curatedNamed, dependentsOf, KEPT_VERSIONS } from './context.ts'
import { NAMED_UPLOADS } from './entity.ts'
import { cleanUploads, type Uploads, uploadOf } from './inputs.ts'
import { definitionOf, type PlanOptions, partitionsOf, planTable, type Step, withTests } from './plan.ts'

export interface CurateOptions extends PlanOptions {
  signal?: AbortSignal
  /** Nothing is waited for beyond this moment: StillRunning is thrown, and the next run goes on. */
  deadline?: Date
}

export interface CurateResult {
  table: string
  /**
   * `nothing`: it is as its inputs are. `waiting`: a table that it reads is not there yet. `failed_tests`, `failed`: readers
   * keep the version before.
   */
  outcome: 'nothing' | 'published' | 'failed_tests' | 'failed' | 'waiting'
  why: string
  /** The run; with `nothing`, the failed one where the table is behind because of it. */
  run?: Run
  /** Tables to be curated next: those that follow what was published, and those that it waits for. */
  dependents: string[]
}

/** Noted of a run whose tests have passed, with them: from now on its rows may be before readers. */
const AUDITED = 'audited'
/** Uploads that a run's record names. */
const NAMED_IN_RUN = 20

/**
 * Brings one curated table up to its inputs. Throws StillRunning at the deadline, and whatever keeps the lake from being read
 * or written; what is wrong with a model or a contract is a result.
 *
 * @example
 * const { outcome } = await curateTable(context, 'orders')
 */
export async function curateTable(
  context: CurateContext,
  name: string,
  options: CurateOptions = {},
): Promise<CurateResult> {
  const curated = curatedNamed(context, name)
  const { ops } = context.lake.zones
  // Its new columns are about to be read.
  if (curated.kind === 'entity') await ensureTable(context, curated.plan)
  let finished: CurateResult | undefined
  // What was published on the way has followers, however it goes on.
  const also = (result: CurateResult): CurateResult => ({
    ...result,
    dependents: [...new Set([...result.dependents, ...(finished?.dependents ?? [])])],
  })
  for (;;) {
    options.signal?.throwIfAborted()
    const stored = await readTableState(ops, curated.name)
    // The record of the run before, should its worker have died before it wrote it.
    if (stored?.state.lastRun) await tell(context, stored.state.lastRun)
    try {
      const pending = context.lake.tables.resumes ? stored?.state.pending : undefined
      if (stored && pending) {
        const step = pending.step as Step
        if (isOutdated(curated, step, pending.journal)) {
          await writeTableState(ops, stored, { ...stored.state, pending: null }, context.now())
          continue
        }
        // What was begun may be half done: it is finished as it was begun, and only then is looked at what is new.
        finished = await perform(context, curated, stored, step, options)
        if (finished.outcome !== 'published') return finished
        continue
      }
      const planned = await planTable(context, curated, stored?.state, finished ? { ...options, full: false } : options)
      switch (planned.todo) {
        case 'nothing': {
          if (finished) return finished
          const run = planned.failing ? (stored?.state.lastRun ?? undefined) : undefined
          return { table: curated.name, outcome: 'nothing', why: planned.why, ...(run ? { run } : {}), dependents: [] }
        }
        case 'wait':
          return also({ table: curated.name, outcome: 'waiting', why: planned.why, dependents: planned.missing })
        case 'refuse':
          return also(await refuse(context, curated, stored, planned))
        case 'run':
          return also({ ...(await perform(context, curated, stored, planned.step, options)), why: planned.why })
      }
    } catch (error) {
      // Somebody else moved the state meanwhile: look again.
      if (!(error instanceof PreconditionFailed)) throw error
    }
  }
}

/**
 * Begun of a model that a deployment has changed since: today's tests are not for what it gave then. As long as it has not passed any,
 * nothing of it is before readers, and it is begun anew. A run of an entity table is always ended: its rows may be in the table.
 */
const isOutdated = (curated: Curated, { job, definition }: Step, journal: Record<string, string>): boolean =>
  job.kind !== 'entity' && journal[AUDITED] === undefined && definition !== definitionOf(curated)

/** Does a step, and notes how it ended. Throws PreconditionFailed when another worker was faster. */
async function perform(
  context: CurateContext,
  curated: Curated,
  stored: StoredTableState | undefined,
  step: Step,
  options: CurateOptions,
): Promise<CurateResult> {
  const { lake, now } = context
  const startedAt = now().toISOString()
  const begun = await begin(context, curated, stored, step, startedAt)
  const run: TableRunOptions = {
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.deadline ? { deadline: options.deadline } : {}),
    journal: begun.journal,
  }
  const facts = { table: curated.name, step, startedAt: begun.startedAt }
  let staged: StagedTable | undefined
  try {
    staged = await lake.tables.stage(step.job, run)
    const { tests, failed } = await auditOnce(context, curated, staged, step, run)
    if (failed.length > 0) {
      await lake.tables.discard(staged)
      const record = recordOf(facts, now(), 'failed_tests', staged.statements, {
        tests,
        staged,
        reason: testsFailed(curated, failed),
      })
      return await note(context, begun.at(), failedState(begun.at()?.state, curated, step, record), record)
    }
    const { version, statements, anew = false } = await lake.tables.publish(staged, run)
    // Only now: on AWS it is publishing that reads clean.
    const doubts = await movedMeanwhile(context, curated, step)
    const record = recordOf(facts, now(), 'published', [...staged.statements, ...statements], {
      tests,
      staged,
      version,
    })
    const state = publishedState(
      context,
      begun.at()?.state,
      curated,
      step,
      { ...version, change: step.change },
      anew,
      doubts,
      record,
    )
    const result = await note(context, begun.at(), state, record)
    await tidy(context, begun.at()?.state, state)
    return result
  } catch (error) {
    if (error instanceof PreconditionFailed && staged) await lake.tables.discard(staged)
    if (!(error instanceof QueryError)) throw error
    if (staged) await lake.tables.discard(staged)
    const record = recordOf(facts, now(), 'failed', staged?.statements ?? [], { reason: cannotRun(curated, error) })
    const state = failedState(begun.at()?.state, curated, step, record)
    return await note(context, begun.at(), error instanceof TableLost ? lostState(curated, state) : state, record)
  }
}

/**
 * Tests that have passed are not asked again by whoever goes on: what they let through may be before readers by now, and a test that
 * looks at other tables may have another answer.
 */
async function auditOnce(
  context: CurateContext,
  curated: Curated,
  staged: StagedTable,
  step: Step,
  run: TableRunOptions,
): Promise<Audit> {
  if (step.job.kind === 'entity') return { tests: [], failed: [] }
  const noted = run.journal.get(AUDITED)
  if (noted !== undefined) return { tests: JSON.parse(noted) as Run['tests'], failed: [] }
  const found = await audit(context, curated, staged, step.inputs, run)
  if (found.failed.length === 0) await run.journal.set(AUDITED, JSON.stringify(found.tests))
  return found
}

/** Where a job goes on without us, what is begun is noted first: with it, whoever comes after us can finish it. */
async function begin(
  { lake, now }: CurateContext,
  curated: Curated,
  stored: StoredTableState | undefined,
  step: Step,
  startedAt: string,
) {
  let at = stored
  const resumed = stored?.state.pending?.run === step.job.run ? stored.state.pending : undefined
  const journal: Record<string, string> = { ...resumed?.journal }
  const write = async (): Promise<void> => {
    const pending = { run: step.job.run, startedAt: resumed?.startedAt ?? startedAt, step, journal: { ...journal } }
    at = await writeTableState(lake.zones.ops, at, { ...(at?.state ?? blankState(curated)), pending }, now())
  }
  if (lake.tables.resumes && !resumed) await write()
  return {
    at: () => at,
    startedAt: resumed?.startedAt ?? startedAt,
    journal: {
      get: (name: string) => journal[name],
      async set(name: string, value: string) {
        journal[name] = value
        if (lake.tables.resumes) await write()
      },
    },
  }
}

type NextState = Omit<TableState, 'sequence' | 'updatedAt' | 'format'>

/** Before anything was published. */
const blankState = (curated: Curated): NextState => ({
  table: curated.name,
  kind: curated.kind,
  columns: curated.table.columns,
  key: [],
  partitionBy: [],
  definition: '',
  major: null,
  query: null,
  version: null,
  history: [],
  inputs: {},
  uploads: {},
  suspects: [],
  pending: null,
  failed: null,
  lastRun: null,
})

function publishedState(
  { keepVersions = KEPT_VERSIONS }: CurateContext,
  before: TableState | undefined,
  curated: Curated,
  step: Step,
  version: NonNullable<TableState['version']>,
  anew: boolean,
  { uploads, suspects }: Doubts,
  lastRun: Run,
): NextState {
  const { job } = step
  const { description } = job.table
  const history = before?.version && !anew ? [before.version, ...before.history] : []
  return {
    ...blankState(curated),
    ...(description === undefined ? {} : { description }),
    kind: job.kind,
    columns: job.table.columns,
    key: job.key,
    partitionBy: partitionsOf(job.partitionBy),
    definition: step.definition,
    major: step.major,
    query: job.change.kind === 'view' ? job.change.query : null,
    version,
    history: history.slice(0, keepVersions),
    inputs: step.inputs,
    uploads,
    suspects,
    lastRun,
  }
}

/** As it was; with what this run may have left in the table, although it failed. */
function failedState(before: TableState | undefined, curated: Curated, step: Step, lastRun: Run): NextState {
  const state = before ?? blankState(curated)
  const doubts = before?.pending ? differing(state.uploads, step.uploads) : { uploads: state.uploads, suspects: [] }
  return {
    ...state,
    pending: null,
    uploads: doubts.uploads,
    suspects: [...new Set([...state.suspects, ...doubts.suspects])],
    failed: {
      run: step.job.run,
      definition: withTests(curated, step.definition),
      inputs: { ...step.inputs, ...step.tested },
    },
    lastRun,
  }
}

/** Nothing is left of what was published: whatever the contract or the model says next, the table is made from the beginning. */
const lostState = (curated: Curated, { failed, lastRun }: NextState): NextState => ({
  ...blankState(curated),
  failed,
  lastRun,
})

async function refuse(
  context: CurateContext,
  curated: Curated,
  stored: StoredTableState | undefined,
  { error, definition, inputs }: { error: SchemaChangeRefused; definition: string; inputs: Record<string, string> },
): Promise<CurateResult> {
  const at = context.now()
  const run = runId(curated.name, at, randomUUID())
  const record: Run = {
    ...emptyRecord(curated.name, curated.kind, run, at.toISOString()),
    outcome: 'failed',
    scope: 'change',
    finishedAt: at.toISOString(),
    inputs,
    reason: {
      code: 'schema_change',
      message: error.message,
      advice: error.advice,
    },
  }
  const state = { ...(stored?.state ?? blankState(curated)), failed: { run, definition, inputs }, lastRun: record }
  return await note(context, stored, state, record)
}

/** Writes the state, and what follows from it. */
async function note(
  context: CurateContext,
  stored: StoredTableState | undefined,
  state: NextState,
  record: Run,
): Promise<CurateResult> {
  await writeTableState(context.lake.zones.ops, stored, state, context.now())
  await tell(context, record)
  const dependents = record.outcome === 'published' ? dependentsOf(context, [`curated.${record.table}`]) : []
  return { table: record.table, outcome: record.outcome, why: '', run: record, dependents }
}

/** Writes a run into the ledger, once. */
export async function tell({ lake, log, onRun }: CurateContext, run: Run): Promise<void> {
  if (!(await writeRun(lake.zones.ops, run))) return
  log({ event: 'run', table: run.table, run: run.run, outcome: run.outcome, scope: run.scope, ...run.rows })
  onRun?.(run)
}

/** What is known of a table, and the uploads of which it is not known whether their rows are in it. */
type Doubts = Pick<TableState, 'uploads' | 'suspects'>

/**
 * A statement that could not name all uploads may have read what clean showed before it moved, or after: both are in doubt, and
 * partitions that have come meanwhile are too.
 */
async function movedMeanwhile({ lake }: CurateContext, curated: Curated, step: Step): Promise<Doubts> {
  if (curated.kind !== 'entity' || Object.keys(step.uploads).length <= NAMED_UPLOADS)
    return { uploads: step.uploads, suspects: [] }
  return differing(step.uploads, await cleanUploads(lake, curated.name))
}

/** Where two looks at a clean table agree, and the uploads of either where they do not. */
function differing(before: Uploads, after: Uploads): Doubts {
  const places = new Set(
    [...Object.keys(before), ...Object.keys(after)]
      .filter((partition) => before[partition] !== after[partition])
      .flatMap((partition) => [before[partition], after[partition]])
      .filter((place) => place !== undefined),
  )
  return {
    uploads: Object.fromEntries(Object.entries(before).filter(([partition, place]) => after[partition] === place)),
    suspects: [...new Set([...places].map(uploadOf))].sort(),
  }
}

/** Versions that are no longer kept make room. What fails here fails again, or not, with the next run. */
async function tidy({ lake, log }: CurateContext, before: TableState | undefined, state: NextState): Promise<void> {
  const kept = [...(state.version ? [state.version] : []), ...state.history]
  const went = before?.history.some(({ id }) => !kept.some((one) => one.id === id))
  if (!went || lake.tables.resumes) return
  try {
    await lake.tables.maintain(state.table, kept)
  } catch (error) {
    log({ event: 'maintenance_failed', table: state.table, error: messageOf(error) })
  }
}

const emptyRecord = (table: string, kind: Run['kind'], run: string, startedAt: string) => ({
  format: RUN_FORMAT as typeof RUN_FORMAT,
  run,
  table,
  kind,
  startedAt,
  version: null,
  rows: { written: null, removed: null, total: null },
  uploads: { came: 0, left: 0, names: [] },
  statements: [],
  bytesScanned: null,
  cost: null,
  tests: [],
  reason: null,
  weir: WEIR_VERSION,
})

function recordOf(
  { table, step, startedAt }: { table: string; step: Step; startedAt: string },
  finishedAt: Date,
  outcome: Run['outcome'],
  statements: RanStatement[],
  rest: { tests?: Run['tests']; staged?: StagedTable; version?: TableVersion; reason?: Run['reason'] },
): Run {
  const sum = (values: (number | undefined)[]) =>
    values.some((value) => value !== undefined) ? values.reduce<number>((all, value) => all + (value ?? 0), 0) : null
  return {
    ...emptyRecord(table, step.job.kind, step.job.run, startedAt),
    outcome,
    scope: step.scope,
    finishedAt: finishedAt.toISOString(),
    version: rest.version?.id ?? null,
    // Where the statement did not count them, its version may have.
    ...(rest.staged
      ? { rows: { ...rest.staged.rows, total: rest.staged.rows.total ?? rest.version?.rows ?? null } }
      : {}),
    uploads: {
      came: step.came.length,
      left: step.left.length,
      names: [...step.came, ...step.left].slice(0, NAMED_IN_RUN),
    },
    inputs: step.inputs,
    statements,
    bytesScanned: sum(statements.map(({ bytesScanned }) => bytesScanned)),
    cost: sum(statements.map(({ cost }) => cost)),
    tests: rest.tests ?? [],
    reason: rest.reason ?? null,
  }
}

function testsFailed(curated: Curated, failed: Run['tests']): NonNullable<Run['reason']> {
  const named = failed.map(
    ({ test, column, failures }) => `${test}${column === undefined ? '' : ` of ${column}`} (${failures})`,
  )
  return {
    code: 'failed_tests',
    message: `${failed.length === 1 ? 'A test' : `${failed.length} tests`} of curated.${curated.name} failed: ${named.join(', ')}. Readers keep the version before.`,
    advice: `Look at the rows in the samples, mend the data or ${curated.kind === 'entity' ? 'the contract' : curated.model.file}, and run "weir curate --table ${curated.name}".`,
  }
}

function cannotRun(curated: Curated, error: QueryError): NonNullable<Run['reason']> {
  const readers =
    error instanceof TableLost
      ? 'It had to be taken away first, so readers find no rows until it is made.'
      : 'Readers keep the version before.'
  return {
    code: 'query_failed',
    message: `curated.${curated.name} could not be made: ${error.message}`,
    advice:
      curated.kind === 'entity'
        ? `${readers} When it is mended: weir curate --table ${curated.name}`
        : `Mend ${curated.model.file}. ${readers}`,
  }
}
