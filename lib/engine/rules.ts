// Rules about the accepted rows as a whole. They run in an instance of their own that can read the accepted rows and nothing else.

import { DuckDBInstance, StatementType } from '@duckdb/node-api'
import type { FileRule, Plan } from '../contract/plan.ts'
import { identifier, literal } from '../contract/sql.ts'
import { RAISED } from '../sql/expressions.ts'
import type { Binding } from './bind.ts'
import { Cancelled, EngineFault, Refusal } from './errors.ts'
import type { EngineSettings, ViolationGroup } from './result.ts'
import { keySql } from './split.ts'

/** What the rules found; `failed` is the first one of severity error that does not hold. */
export interface RuleFindings {
  violations: ViolationGroup[]
  failed?: ViolationGroup
}

/** Evaluates file rules, and counts the checks and keys that are only warnings. Throws a Refusal for SQL that cannot run. */
export async function applyFileRules(
  plan: Plan,
  binding: Binding,
  parts: string[],
  settings: EngineSettings,
  signal?: AbortSignal,
): Promise<RuleFindings> {
  const counted = binding.counted
  const keys = plan.keys.filter((key) => key.severity !== 'error')
  if (plan.fileRules.length === 0 && counted.length === 0 && keys.length === 0) return { violations: [] }
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(settings.threads),
    memory_limit: `${Math.max(64, Math.floor((settings.memoryBytes * 0.5) / 1e6))}MB`,
    temp_directory: settings.scratch,
    // A rule that never ends must not fill the disk before its time is up.
    max_temp_directory_size: '10GB',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const connection = await instance.connect()
  const stop = (): void => connection.interrupt()
  signal?.addEventListener('abort', stop)
  try {
    const columns = plan.columns.map((column) => `CAST(NULL AS ${column.sqlType}) AS ${identifier(column.name)}`)
    columns.push('CAST(NULL AS VARCHAR) AS _upload')
    if (plan.settings.extraColumns === 'keep') columns.push('CAST(NULL AS VARCHAR) AS _extra')
    const table =
      parts.length === 0
        ? `SELECT ${columns.join(', ')} LIMIT 0`
        : `SELECT * FROM read_parquet([${parts.map(literal).join(', ')}])`
    await connection.run(`SET allowed_paths = [${parts.map(literal).join(', ')}]`)
    // What the translation of Athena's SQL counts on, as where tables are queried.
    await connection.run("SET TimeZone = 'UTC'")
    await connection.run('SET ieee_floating_point_ops = true')
    await connection.run('SET enable_external_access = false')
    await connection.run('SET lock_configuration = true')
    await connection.run(`CREATE VIEW accepted AS ${table}`)
    const scalar = async (sql: string): Promise<number | string | boolean | null> => {
      const reader = await connection.runAndReadAll(sql)
      const value = reader.getRows()[0]?.[0]
      if (value === null || value === undefined) return null
      if (typeof value === 'number' || typeof value === 'boolean') return value
      const text = String(value)
      return /^-?\d+(\.\d+)?$/.test(text) ? Number(text) : text
    }
    const findings: RuleFindings = { violations: [] }
    const add = (group: ViolationGroup): void => {
      findings.violations.push(group)
      if (group.severity === 'error') findings.failed ??= group
    }
    for (const { rule, check, column } of counted) {
      const name = identifier(column.name)
      const ok = check.ok(name, `CAST(${name} AS VARCHAR)`)
      const count = Number(await scalar(`SELECT count(*) FROM accepted WHERE ${name} IS NOT NULL AND NOT (${ok})`))
      if (count > 0) {
        add({
          rule: rule.rule,
          column: column.name,
          severity: rule.severity,
          message: rule.message,
          count,
          samples: [],
        })
      }
    }
    for (const key of keys) {
      const sql = keySql(key, identifier)
      const count = Number(await scalar(`SELECT count(k) - count(DISTINCT k) FROM (SELECT ${sql} AS k FROM accepted)`))
      if (count > 0) {
        add({
          rule: key.rule,
          column: key.columns.join(', '),
          severity: key.severity,
          message: key.message,
          count,
          samples: [],
        })
      }
    }
    for (const rule of plan.fileRules) {
      const value = await ruleValue(rule, scalar, connection, settings.maxRuleSeconds, !hasSecrets(plan))
      if (rule.holds(value)) continue
      add({
        rule: rule.rule,
        ...(rule.column === undefined ? {} : { column: rule.column }),
        severity: rule.severity,
        message: rule.message,
        count: 1,
        samples: [{ message: `found ${foundInWords(value, mayShowValue(rule, plan))}` }],
      })
    }
    return findings
  } catch (error) {
    if (signal?.aborted) throw new Cancelled()
    if (error instanceof Refusal) throw error
    throw new EngineFault(`The file's rules could not be checked: ${(error as Error).message.split('\n')[0]}`)
  } finally {
    signal?.removeEventListener('abort', stop)
    connection.closeSync()
    instance.closeSync()
  }
}

function foundInWords(value: number | string | boolean | null, shown: boolean): string {
  if (value === null) return 'no value'
  return shown ? String(value) : 'a value that is not shown, because the dataset has columns that are not public'
}

/** A contract's own SQL may give anything of the rows. A count of rows is none of their values; all else could be one. */
function mayShowValue(rule: FileRule, plan: Plan): boolean {
  return !rule.foreign || !hasSecrets(plan) || rule.onlyCounts === true
}

const hasSecrets = (plan: Plan): boolean => plan.columns.some((column) => column.sensitive)

async function ruleValue(
  rule: FileRule,
  scalar: (sql: string) => Promise<number | string | boolean | null>,
  connection: Awaited<ReturnType<DuckDBInstance['connect']>>,
  maxSeconds: number,
  quoteErrors: boolean,
): Promise<number | string | boolean | null> {
  const sql = rule.sql.replaceAll('{table}', 'accepted')
  let late = false
  const timer = setTimeout(() => {
    late = true
    connection.interrupt()
  }, maxSeconds * 1000)
  try {
    const statements = await connection.extractStatements(sql)
    if (statements.count !== 1) throw new Error('it must be one statement')
    const prepared = await statements.prepare(0)
    if (prepared.statementType !== StatementType.SELECT) throw new Error('it must be a SELECT')
    return await scalar(sql)
  } catch (error) {
    if (late) {
      throw new Refusal(
        'rule_cannot_run',
        `The contract's rule ${rule.rule} was stopped: it took longer than ${maxSeconds} seconds.`,
        'Look for a recursion or a join without an end in the SQL of the rule, then drop the file again.',
      )
    }
    if (!rule.foreign) throw error
    throw new Refusal(
      'rule_cannot_run',
      `The contract's rule ${rule.rule} cannot be evaluated: ${faultInWords(rule, (error as Error).message, quoteErrors)}`,
      'Mend the SQL of the rule in the contract, then drop the file again.',
    )
  } finally {
    clearTimeout(timer)
  }
}

/** DuckDB quotes values in its words, such as one that it could not convert; what the translation says itself it says of none. */
function faultInWords(rule: FileRule, message: string, quote: boolean): string {
  const [, raised] = new RegExp(`'${RAISED}([\\s\\S]*?)' (?:to INT32|when|could)`).exec(message) ?? []
  if (raised !== undefined && rule.sql.includes(literal(`${RAISED}${raised}`))) return raised
  const [, ungrouped] = /column "?([^"\n]+?)"? must appear in the GROUP BY clause/.exec(message) ?? []
  if (ungrouped !== undefined)
    return 'A column is neither grouped nor in an aggregate: write min(x) or arbitrary(x) of it.'
  const words = message.split('\n')[0] ?? ''
  return quote
    ? `${words}.`
    : `${words.split(':')[0]} (the rest is not shown, because the dataset has columns that are not public).`
}
