// `weir curate`: brings curated tables up to date: entity tables, and the models that follow them. A lake in a folder does it
// here; a deployed lake is asked to, and its curate function does it. --dry-run only says what would be done, on either.

import { type Command, InvalidArgumentError, Option } from 'commander'
import { ModelError, type ModelIssue, modelIssueText } from '../../lake/models/issues.ts'
import { formatCount, formatDuration, formatRows, visible } from '../../lake/render/format.ts'
import { commandFor } from '../../lake/render/words.ts'
import type { Run as RunRecord } from '../../lake/runs.ts'
import { readTableState } from '../../lake/table-state.ts'
import { type CurateContext, type Curated, curatedNamed, curatedTables } from '../../pipeline/curate/context.ts'
import type { DryRun } from '../../pipeline/curate/dry-run.ts'
import type { LeftOut } from '../../pipeline/curate/left-out.ts'
import type { CurateResult } from '../../pipeline/curate/run.ts'
import { costInWords, exitOfResult, millisecondsOf, resultLines } from '../curated.ts'
import { describeError, exitCodeOf, Interrupted, NotCuratedYet, UsageError } from '../errors.ts'
import { worst } from '../outcomes.ts'
import { startWork } from '../progress.ts'
import { type Answer, act, type Cli, defineCommand, type GlobalOptions, type Run } from '../run.ts'
import type { Dialect, StatementFacts } from '../statements.ts'

/** Seconds to wait for the runs of a deployed lake, unless --wait says otherwise. */
const PATIENCE = 300

interface Options extends GlobalOptions {
  table?: string[]
  model?: string[]
  drop?: string[]
  full?: boolean
  dryRun?: boolean
  dialect?: Dialect
  /** Seconds, or false for --no-wait. */
  wait: number | boolean
}

export function curateCommand(cli: Cli): Command {
  return defineCommand('curate', 'bring curated tables up to date: entity tables, and the models that follow them', [
    'weir curate',
    'weir curate --table orders --full',
    'weir curate --dry-run --dialect athena',
    'weir curate --drop old_report',
  ])
    .option('--table <name>', 'only this table, and what follows it; may be given several times', collect)
    .option('--model <name>', 'only this model, and what follows it; may be given several times', collect)
    .addOption(
      new Option('--drop <name>', 'take a table away that nothing makes any more; may be given several times')
        .argParser(collect)
        .conflicts(['table', 'model', 'full', 'dialect']),
    )
    .option('--full', 'make the named tables anew (without names: all), whatever has changed')
    .option('--dry-run', 'print what would run, why, and its statements; changes nothing')
    .addOption(
      new Option(
        '--dialect <dialect>',
        "with --dry-run: whose SQL to print (default: that of the lake's engine)",
      ).choices(['athena', 'duckdb']),
    )
    .addOption(
      new Option('--wait <seconds>', 'how long to wait for the runs of a deployed lake')
        .argParser(seconds)
        .default(PATIENCE),
    )
    .option('--no-wait', 'only ask a deployed lake; its runs come later')
    .action(
      act<[], Options>(cli, async (run, options) => {
        if (options.dialect !== undefined && !options.dryRun) throw new UsageError('--dialect goes with --dry-run.')
        const { context, problem } = await run.session.curating()
        if (options.drop) {
          const { dropTables } = await import('../left-over.ts')
          return dropTables(run, options, context, options.drop)
        }
        const tables = namesOf(context, options)
        // Known before the first table is made: whoever stops here has seen it.
        if (problem) for (const line of leftOutLines(run, context, problem)) run.say(line)
        const answer = options.dryRun
          ? await showPlan(run, options, context, tables)
          : (await run.session.deployed())
            ? await ask(run, options, context, tables)
            : await curateHere(run, options, context, tables)
        return problem ? withLeftOut(run, context, problem, answer) : answer
      }),
    )
}

/** Each model that is left out with what is wrong with it, where lint says it is. */
function leftOutLines({ paint }: Run, { leftOut = [] }: CurateContext, problem: ModelError): string[] {
  const told = new Set(leftOut.flatMap(({ issues }) => issues))
  return [
    ...problem.issues
      .filter((issue) => !told.has(issue))
      .map((issue) => `${paint('bad', '✗')} ${visible(modelIssueText(issue))}`),
    ...leftOut.flatMap((one) => {
      const [first = behindWords(one), ...more] = one.issues.map(modelIssueText)
      return [
        `${paint('bad', '✗')} curated.${visible(one.table)}  left out: ${visible(first)}`,
        ...more.map((text) => `    ${visible(text)}`),
      ]
    }),
  ]
}

const behindWords = ({ file, behind }: LeftOut): string =>
  `${file} reads ${behind.map((table) => `curated.${table}`).join(', ')}, which ${behind.length === 1 ? 'is' : 'are'} left out.`

/** What the tables came to, and that some were left out: 3 unless something worse happened. */
function withLeftOut(run: Run, { leftOut = [] }: CurateContext, problem: ModelError, answer: Answer): Answer {
  const models = leftOut.length === 1 ? 'one is' : `${formatCount(leftOut.length)} are`
  run.say(
    `${formatRows(problem.issues.length, 'problem')} in the models${leftOut.length === 0 ? '' : `, so ${models} left out`}: mend the lines above, and run weir lint.`,
  )
  const json = answer.json as object
  return {
    ...answer,
    exit: worst([answer.exit, 3]),
    json: {
      ...json,
      leftOut: leftOut.map(({ table, file, issues, behind }) => ({ table, file, issues, behind })),
      ...('error' in json ? {} : describeError(problem, run.io.env)),
    },
  }
}

/** The tables and models that were named, as tables; undefined for all. */
function namesOf(context: CurateContext, { table = [], model = [] }: Options): string[] | undefined {
  const names = [...table.map((name) => tableNamed(context, name)), ...model.map((name) => modelNamed(context, name))]
  return names.length === 0 ? undefined : [...new Set(names.map((one) => one.name))]
}

function tableNamed(context: CurateContext, given: string): Curated {
  const name = given.replace(/^curated\./, '')
  if (!curatedTables(context).some((one) => one.name === name)) refuseLeftOut(context, name)
  return curatedNamed(context, name)
}

function modelNamed(context: CurateContext, given: string): Curated {
  const name = given.replace(/^(?:.*\/)?(?:curated\.)?([^/]*?)(?:\.sql)?$/, '$1')
  const names = context.models.map((one) => one.name)
  if (names.includes(name)) return curatedNamed(context, name)
  refuseLeftOut(context, name)
  throw new UsageError(
    names.length === 0
      ? `There is no model ${visible(name)}: no file ends in .sql in the folder of models.`
      : `There is no model ${visible(name)}. The models are: ${names.join(', ')}.`,
  )
}

/** Throws what is wrong with a model that was named and cannot be made. */
function refuseLeftOut({ leftOut = [] }: CurateContext, name: string): void {
  const found = leftOut.find(({ table }) => table === name)
  if (!found) return
  const seen = new Set<LeftOut>()
  const issuesOf = (one: LeftOut): ModelIssue[] => {
    if (seen.has(one)) return []
    seen.add(one)
    if (one.issues.length > 0) return one.issues
    const behind = leftOut.filter(({ table }) => one.behind.includes(table))
    return [{ file: one.file, message: behindWords(one).slice(one.file.length + 1) }, ...behind.flatMap(issuesOf)]
  }
  throw new ModelError(issuesOf(found))
}

async function curateHere(
  run: Run,
  options: Options,
  context: CurateContext,
  tables: string[] | undefined,
): Promise<Answer> {
  const { curate } = await import('../../pipeline/curate/curate.ts')
  const work = startWork(run)
  let results: CurateResult[]
  try {
    results = await curate(context, {
      ...(tables ? { tables } : {}),
      full: options.full === true,
      // Somebody asks for it: what failed on the same rows is tried again.
      retryFailed: true,
      signal: run.signal,
      onBegin: (table) => work.at(`curated.${table}`),
      onResult: (result) => {
        work.clear()
        for (const line of resultLines(run, result)) run.say(line)
      },
    })
  } catch (error) {
    if (run.signal.aborted)
      throw new Interrupted('Stopped. Readers see whole versions only, and "weir curate" goes on with what is left.')
    throw error
  } finally {
    work.stop()
  }
  run.say(summary(results, context))
  return { exit: worst(results.map(exitOfResult)), json: { tables: results.map(documentOf) } }
}

const documentOf = ({ table, outcome, why, run }: CurateResult) => ({ table, outcome, why, run: run ?? null })

/** "3 tables have a new version, 1 is as before, 1 failed, in 1.2 s; 1.2 MB scanned, about $0.00005." */
function summary(results: CurateResult[], { leftOut = [] }: CurateContext): string {
  if (results.length === 0 && leftOut.length > 0) return 'There is no other curated table.'
  if (results.length === 0)
    return 'There are no curated tables: no contract has a mode in weir.curated, and there are no models.'
  const count = (...outcomes: CurateResult['outcome'][]) =>
    results.filter(({ outcome }) => outcomes.includes(outcome)).length
  const made = count('published')
  const failed = count('failed', 'failed_tests')
  const parts = [
    `${formatRows(made, 'table')} ${made === 1 ? 'has' : 'have'} a new version`,
    ...counted(count('nothing'), 'as before'),
    ...counted(count('waiting'), 'waiting'),
    ...counted(failed, 'failed'),
  ]
  const runs = results.flatMap(({ outcome, run }) => (run && outcome !== 'nothing' ? [run] : []))
  const time = runs.length === 0 ? '' : ` in ${formatDuration(runs.reduce((all, one) => all + millisecondsOf(one), 0))}`
  const cost = costInWords(total(runs))
  return `${parts.join(', ')}${time}${cost === undefined ? '' : `; ${cost}`}.`
}

const counted = (n: number, words: string): string[] => (n === 0 ? [] : [`${formatCount(n)} ${words}`])

function total(runs: RunRecord[]): Pick<RunRecord, 'bytesScanned' | 'cost'> {
  const sum = (values: (number | null)[]) =>
    values.every((value) => value === null) ? null : values.reduce<number>((all, value) => all + (value ?? 0), 0)
  return { bytesScanned: sum(runs.map((one) => one.bytesScanned)), cost: sum(runs.map((one) => one.cost)) }
}

/** What would be done. Nothing is written, neither a table nor a state. */
async function showPlan(
  run: Run,
  options: Options,
  context: CurateContext,
  tables: string[] | undefined,
): Promise<Answer> {
  const deployed = await run.session.deployed()
  const dialect = options.dialect ?? (deployed ? 'athena' : 'duckdb')
  const { dryRun } = await import('../../pipeline/curate/dry-run.ts')
  const found = await dryRun(context, {
    ...(tables ? { tables } : {}),
    full: options.full === true,
    retryFailed: true,
    signal: run.signal,
  })
  const { environment } = await run.session.config()
  const shown = []
  let refused = found.some(({ planned }) => planned.todo === 'refuse')
  for (const one of found) {
    for (const line of planLines(run, one)) run.say(line)
    const { statements, problem } = await textsOf(one, dialect, { context, deployed, environment })
    for (const statement of statements) run.say(`\n${statement}`)
    if (problem !== undefined) run.say(`\n${run.paint('bad', '✗')} ${problem}`)
    if (one.planned.todo === 'run') run.say('')
    refused ||= problem !== undefined
    shown.push({ ...planDocument(one), statements, ...(problem === undefined ? {} : { problem }) })
  }
  const todo = found.filter(({ planned }) => planned.todo === 'run').length
  run.say(
    found.length === 0
      ? summary([], context)
      : `${formatRows(todo, 'table')} would be made. This was a dry run: nothing was changed.`,
  )
  return { exit: refused ? 3 : 0, json: { dryRun: true, dialect, tables: shown } }
}

/** The statements of one table; or why this engine has none for it, which does not hide the others. */
async function textsOf(
  { planned }: DryRun,
  dialect: Dialect,
  facts: StatementFacts,
): Promise<{ statements: string[]; problem?: string }> {
  if (planned.todo !== 'run') return { statements: [] }
  const { statementsOf } = await import('../statements.ts')
  try {
    return { statements: await statementsOf(planned.step.job, dialect, facts) }
  } catch (error) {
    if (exitCodeOf(error) !== 3) throw error
    return { statements: [], problem: describeError(error, {}).error.message }
  }
}

function planLines({ paint }: Run, { table, planned, after }: DryRun): string[] {
  const name = `curated.${visible(table)}`
  switch (planned.todo) {
    case 'nothing':
      return [`${paint('dim', '=')} ${name}  ${visible(planned.why)}`]
    case 'wait':
      return [`${paint('mixed', '!')} ${name}  ${visible(planned.why)}`]
    case 'refuse':
      return [`${paint('bad', '✗')} ${name}  ${visible(planned.why)}`]
    case 'run': {
      const { job, scope, came, left } = planned.step
      const how = job.kind === 'view' ? 'the view' : scope === 'full' ? 'made anew' : 'only what changed'
      const first = after.length === 0 ? '' : ` · after ${after.join(', ')}`
      return [
        `${paint('good', '+')} ${name}  ${how}: ${visible(planned.why)}${first}`,
        ...named('came', came),
        ...named('left', left),
      ]
    }
  }
}

const NAMED = 5

function named(what: string, uploads: string[]): string[] {
  if (uploads.length === 0) return []
  const more = uploads.length > NAMED ? ` and ${formatCount(uploads.length - NAMED)} more` : ''
  return [`    ${what}: ${uploads.slice(0, NAMED).join(', ')}${more}`]
}

function planDocument({ table, planned, after }: DryRun) {
  if (planned.todo !== 'run') return { table, todo: planned.todo, why: planned.why, after }
  const { scope, came, left, inputs, job } = planned.step
  return { table, todo: planned.todo, why: planned.why, after, kind: job.kind, scope, came, left, inputs }
}

/** A deployed lake is sent a message for each table with something to do; what came of them is in its ledger. */
async function ask(run: Run, options: Options, context: CurateContext, tables: string[] | undefined): Promise<Answer> {
  const deployed = await run.session.deployed()
  if (!deployed) throw new TypeError('a lake in a folder is asked for nothing')
  // What failed on the same rows is tried again there only with --full.
  const full = options.full === true
  const { dryRun } = await import('../../pipeline/curate/dry-run.ts')
  const plan = await dryRun(context, { ...(tables ? { tables } : {}), full, signal: run.signal })
  const todo = plan
    .filter(({ planned }) => planned.todo === 'run' || planned.todo === 'refuse')
    .map(({ table }) => table)
  const idle = await Promise.all(
    plan.filter(({ table }) => !todo.includes(table)).map((one) => idleResult(context, one)),
  )
  for (const result of idle) for (const line of resultLines(run, result)) run.say(line)
  if (todo.length === 0) {
    run.say(plan.length === 0 ? summary([], context) : 'Nothing has changed, so there is nothing to ask for.')
    return { exit: worst(idle.map(exitOfResult)), json: { tables: idle.map(documentOf), pending: [] } }
  }
  const { askToCurate, awaitRuns } = await import('../deployed-runs.ts')
  const before = await askToCurate(deployed, context, todo, { full, asked: new Set(tables ?? todo) })
  if (options.wait === false) {
    run.say(`${formatRows(todo.length, 'table')} asked for. What came of it: ${commandFor('weir runs', options)}`)
    return { exit: worst(idle.map(exitOfResult)), json: { tables: idle.map(documentOf), pending: todo } }
  }
  const work = startWork(run)
  work.at(
    `Waiting for ${todo.length === 1 ? `curated.${todo[0]}` : formatRows(todo.length, 'table')} of aws:${deployed.environment}`,
  )
  const results: CurateResult[] = [...idle]
  try {
    await awaitRuns(context, before, {
      timeoutMs: Number(options.wait) * 1000,
      signal: run.signal,
      onRun: (record) => {
        work.clear()
        const result: CurateResult = {
          table: record.table,
          outcome: record.outcome,
          why: '',
          run: record,
          dependents: [],
        }
        results.push(result)
        for (const line of resultLines(run, result)) run.say(line)
      },
    })
  } catch (error) {
    if (run.signal.aborted)
      throw new Interrupted(
        'Stopped waiting. The lake goes on with what it was asked for; to see what came of it: weir runs',
      )
    throw error
  } finally {
    work.stop()
  }
  const done = new Set(results.map(({ table }) => table))
  // What follows a table that failed has nothing new to be made from.
  const stopped = results.some(({ outcome }) => outcome === 'failed' || outcome === 'failed_tests')
  const pending = stopped ? [] : todo.filter((table) => !done.has(table))
  const document = { tables: results.map(documentOf), pending }
  const exits = results.map(exitOfResult)
  run.say(summary(results, context))
  if (pending.length === 0) return { exit: worst(exits), json: document }
  const late = new NotCuratedYet(pending, Number(options.wait), options.lake)
  const { error } = describeError(late, run.io.env)
  run.note(`weir: ${error.message}`)
  if (error.advice) run.note(error.advice)
  return { exit: 4, json: { ...document, error } }
}

/** A table with nothing to do; with the run that failed, where it is behind because of it. */
async function idleResult({ lake }: CurateContext, { table, planned }: DryRun): Promise<CurateResult> {
  const failing = planned.todo === 'nothing' && planned.failing
  const last = failing ? (await readTableState(lake.zones.ops, table))?.state.lastRun : undefined
  const outcome = planned.todo === 'wait' ? 'waiting' : 'nothing'
  return { table, outcome, why: planned.why, ...(last ? { run: last } : {}), dependents: [] }
}

function collect(value: string, previous: string[] | undefined): string[] {
  return [...(previous ?? []), value]
}

function seconds(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('Give a whole number of seconds.')
  return Number(text)
}
