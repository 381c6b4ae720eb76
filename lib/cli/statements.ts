// The statements of a job as text, for `weir curate --dry-run`: those that Athena would run, or the query that DuckDB would run
// and what becomes of its rows. Nothing runs, so neither AWS nor the table has to be there.

import { partitionText } from '../contract/partition.ts'
import { type Deployed, databaseName } from '../lake/aws/deployed.ts'
import type { TableChange, TableJob } from '../lake/ports.ts'
import type { CurateContext } from '../pipeline/curate/context.ts'

export type Dialect = 'athena' | 'duckdb'

export interface StatementFacts {
  context: CurateContext
  /** Whose names to write; without one, those of the environment. */
  deployed: Deployed | undefined
  environment: string
}

export async function statementsOf(job: TableJob, dialect: Dialect, facts: StatementFacts): Promise<string[]> {
  return dialect === 'athena' ? athena(job, facts) : duckdb(job, facts)
}

async function duckdb(job: TableJob, { context }: StatementFacts): Promise<string[]> {
  const { translateSelect } = await import('../lake/statement.ts')
  const { tablesOfLake } = await import('../lake/models/known.ts')
  const tables = [...tablesOfLake(context.plans.values()), ...context.models.map(({ table }) => table)]
  const { sql } = translateSelect(job.change.query, tables, (name, asOf) => {
    const table = tables.find((one) => one.name === name)
    return table && asOf
      ? { ...table, name: `${name}@${asOf.of === 'version' ? asOf.version : asOf.time.toISOString()}` }
      : undefined
  })
  return [`-- ${job.table.name}: ${whatBecomes(job)}\n${sql};`]
}

/** What the lake does with the rows of the query; it has no statement for that, for it writes files. */
function whatBecomes({ change, key }: TableJob): string {
  const known: Record<TableChange['kind'], string> = {
    replace: 'the rows of this query are the table from now on',
    merge: `each row takes the place of the one with its ${key.join(', ')}, or is new; where _gone is true, that one leaves`,
    append: 'these rows come; those of uploads that left leave with the same version',
    view: 'the query that readers run',
  }
  return known[change.kind]
}

/** A version that is no snapshot of Iceberg: one that a run would make, or one of a lake in a folder. */
const RUN_VERSION = /FOR VERSION AS OF '(\d{8}T\d{6,9}Z)-[0-9a-f]{12}'/g

/** Puts numbers for such versions into the query, as Athena takes them, and says what they stand for. */
function withSnapshots(job: TableJob): { job: TableJob; notes: string[] } {
  const notes = new Set<string>()
  const query = job.change.query.replace(RUN_VERSION, (version, time: string) => {
    const snapshot = time.replaceAll(/\D/g, '')
    const run = version.slice(version.indexOf("'") + 1, -1)
    notes.add(`-- ${snapshot} stands for the snapshot that run ${run} makes on AWS.`)
    return `FOR VERSION AS OF ${snapshot}`
  })
  return { job: { ...job, change: { ...job.change, query } }, notes: [...notes] }
}

async function athena(given: TableJob, facts: StatementFacts): Promise<string[]> {
  const { job, notes } = withSnapshots(given)
  const statements = await athenaTexts(job, facts)
  return statements.map((sql, index) => [...(index === 0 ? notes : []), `${sql};`].join('\n'))
}

async function athenaTexts(job: TableJob, { deployed, environment }: StatementFacts): Promise<string[]> {
  const { athenaStatements, icebergType } = await import('../lake/aws/tables-sql.ts')
  const { glueName } = await import('../lake/aws/types.ts')
  if (deployed) {
    const { databases, buckets } = deployed
    return await athenaStatements(job, { databases, location: `s3://${buckets.curated}/` })
  }
  // A lake in a folder, as if it were deployed: the table is there as far as it is there in the folder.
  const databases = {
    clean: databaseName(environment, 'clean'),
    curated: databaseName(environment, 'curated'),
    ops: databaseName(environment, 'ops'),
  }
  const stored = job.kind === 'entity' || job.kind === 'incremental'
  const columns = (job.baseColumns ?? []).map(({ name, type }) => [glueName(name), icebergType(type)])
  return await athenaStatements(
    job,
    { databases, location: `s3://${environment}-curated/` },
    {
      found: {
        there: !job.base ? 'nothing' : stored ? 'table' : 'view',
        columns: Object.fromEntries(columns),
        key: job.key,
        partitionBy: job.partitionBy.map(partitionText),
      },
    },
  )
}
