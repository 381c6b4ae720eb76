// Diff: what changed contracts would do to the tables of a lake, before anybody deploys them. Reads are by column name, so what
// is added is compatible; what is taken away, renamed or given another meaning breaks somebody's query, and asks for a new
// major version of the contract. Rules are for the files to come: they break no table, but may reject what passes today.

import { partitionText } from '../contract/partition.ts'
import type { Plan, PlanColumn } from '../contract/plan.ts'
import type { TableDefinition } from '../lake/ports.ts'
import { tableOf } from '../lake/tables.ts'
import { ruleChanges } from './diff-rules.ts'
import { widens } from './diff-types.ts'

/** `breaking`: queries or files stop working. `compatible`: tables change, and nobody notices. `note`: to know. */
export type Impact = 'breaking' | 'compatible' | 'note'

export interface Change {
  kind:
    | 'dataset_added'
    | 'dataset_dropped'
    | 'dataset_renamed'
    | 'column_added'
    | 'column_removed'
    | 'column_renamed'
    | 'type_widened'
    | 'type_changed'
    | 'key_changed'
    | 'partitioning_changed'
    | 'rule_tightened'
    | 'rule_loosened'
    | 'rule_changed'
    | 'reading_changed'
    | 'setting_changed'
    | 'contract_changed'
    | 'table_differs'
  impact: Impact
  column?: string
  rule?: string
  /** In words, one line. */
  message: string
}

export interface DatasetDiff {
  dataset: string
  /** Its name before, where it was renamed. */
  from?: string
  state: 'new' | 'dropped' | 'renamed' | 'changed' | 'same'
  /** Versions of the contract; null where there is none, or none is known. */
  version: { deployed: string | null; local: string | null }
  changes: Change[]
  breaking: boolean
  /** Why this may not be deployed as it is, and what to do; absent where it may. */
  problem?: string
}

export interface Diff {
  datasets: DatasetDiff[]
  /** False when a breaking change comes without a new major version. */
  ok: boolean
}

/** What is known of a dataset as it is deployed. A lake in a folder keeps no contracts, only their versions and hashes. */
export interface DeployedDataset {
  plan?: Plan
  table?: TableDefinition
  contract?: { id: string; version: string; hash: string }
}

export interface DiffOptions {
  /** Datasets that are meant to go. */
  dropped?: readonly string[]
}

/**
 * Compares what is deployed with what would be.
 *
 * @example
 * const { ok, datasets } = diffContracts(deployed, plans)
 */
export function diffContracts(
  deployed: ReadonlyMap<string, DeployedDataset>,
  local: ReadonlyMap<string, Plan>,
  { dropped = [] }: DiffOptions = {},
): Diff {
  const gone = [...deployed.keys()].filter((name) => !local.has(name))
  const added = [...local.values()].filter(({ dataset }) => !deployed.has(dataset))
  const renamed = new Map<string, string>()
  for (const plan of added) {
    const from = gone.find((name) => ![...renamed.values()].includes(name) && isSameDataset(deployed.get(name), plan))
    if (from !== undefined) renamed.set(plan.dataset, from)
  }
  const datasets: DatasetDiff[] = []
  for (const plan of local.values()) {
    const from = renamed.get(plan.dataset)
    const before = deployed.get(from ?? plan.dataset)
    datasets.push(before ? diffOne(plan, before, from) : newOne(plan))
  }
  for (const name of gone) {
    if ([...renamed.values()].includes(name)) continue
    datasets.push(droppedOne(name, deployed.get(name) ?? {}, dropped.includes(name)))
  }
  datasets.sort((a, b) => (a.dataset < b.dataset ? -1 : 1))
  return { datasets, ok: datasets.every(({ problem }) => problem === undefined) }
}

/** One contract, most columns alike: a dataset that got another name. */
function isSameDataset(before: DeployedDataset | undefined, plan: Plan): boolean {
  if (!before || idOf(before) !== plan.contract.id) return false
  const names = new Set(columnsOf(before).map(({ name }) => name))
  const shared = plan.columns.filter(({ name }) => names.has(name)).length
  return shared * 2 > Math.max(names.size, plan.columns.length)
}

function newOne(plan: Plan): DatasetDiff {
  const columns = plan.columns.length
  return {
    dataset: plan.dataset,
    state: 'new',
    version: { deployed: null, local: plan.contract.version },
    changes: [
      {
        kind: 'dataset_added',
        impact: 'compatible',
        message: `a new table clean.${plan.dataset} with ${columns} column${columns === 1 ? '' : 's'}`,
      },
    ],
    breaking: false,
  }
}

function droppedOne(dataset: string, before: DeployedDataset, meant: boolean): DatasetDiff {
  return {
    dataset,
    state: 'dropped',
    version: { deployed: versionOf(before), local: null },
    changes: [
      {
        kind: 'dataset_dropped',
        impact: 'breaking',
        message: `no contract describes ${dataset} any more: files below landing/${dataset}/ are no longer taken in; its data stays`,
      },
    ],
    breaking: true,
    ...(meant
      ? {}
      : { problem: `If ${dataset} is meant to go, say so: --dropped ${dataset}. Otherwise bring its contract back.` }),
  }
}

function diffOne(plan: Plan, before: DeployedDataset, from: string | undefined): DatasetDiff {
  const changes: Change[] = []
  if (from !== undefined) {
    changes.push({
      kind: 'dataset_renamed',
      impact: 'breaking',
      message: `${from} is called ${plan.dataset} now: queries of clean.${from} get no new rows, and files go to landing/${plan.dataset}/`,
    })
  }
  changes.push(...columnChanges(before, plan))
  if (before.plan) {
    changes.push(...keyChanges(before.plan, plan), ...ruleChanges(before.plan, plan), ...tableChanges(before))
  }
  const hash = before.plan?.hash ?? before.contract?.hash
  if (hash !== undefined && hash !== plan.hash && !changes.some(({ kind }) => kind !== 'table_differs')) {
    changes.push({
      kind: 'contract_changed',
      impact: 'note',
      message: before.plan
        ? 'the rules are worked out in another way; what they say in words is the same'
        : 'its rules are not those that the newest upload was checked by: files that passed may be rejected',
    })
  }
  const version = { deployed: versionOf(before), local: plan.contract.version }
  const breaking = changes.some(({ impact }) => impact === 'breaking')
  const problem = breaking ? problemOf(version) : undefined
  if (!breaking && version.deployed === version.local && changes.some(({ kind }) => kind !== 'table_differs')) {
    changes.push({
      kind: 'contract_changed',
      impact: 'note',
      message: `the contract still says version ${version.local}: raise it, so that receipts tell the two apart`,
    })
  }
  return {
    dataset: plan.dataset,
    ...(from === undefined ? {} : { from }),
    state: from !== undefined ? 'renamed' : changes.length > 0 ? 'changed' : 'same',
    version,
    changes,
    breaking,
    ...(problem === undefined ? {} : { problem }),
  }
}

/** A breaking change needs a new major version: that is how those who read the table are told. */
function problemOf({ deployed, local }: { deployed: string | null; local: string }): string | undefined {
  const [before, after] = [deployed === null ? undefined : majorOf(deployed), majorOf(local)]
  if (before !== undefined && after !== undefined && after > before) return undefined
  const next = before === undefined ? 'a new major version, such as 2.0.0' : `version ${before + 1}.0.0`
  const is =
    deployed === local ? `still says ${local}` : `says ${local}, and ${deployed ?? 'an unknown version'} is deployed`
  return `A breaking change needs a new major version of the contract, which ${is}. Give it ${next}, or make the change compatible: keep the old columns and add new ones beside them.`
}

function majorOf(version: string): number | undefined {
  const [, major] = /^v?(\d+)(?:\.\d+)*(?:[-+].*)?$/.exec(version.trim()) ?? []
  return major === undefined ? undefined : Number(major)
}

interface Column {
  name: string
  type: string
}

const idOf = ({ plan, contract }: DeployedDataset): string | undefined => plan?.contract.id ?? contract?.id
const versionOf = ({ plan, contract }: DeployedDataset): string | null =>
  plan?.contract.version ?? contract?.version ?? null

/** The columns of a deployed dataset: as its contract says, or its table where that is all there is. */
function columnsOf({ plan, table }: DeployedDataset): Column[] {
  return plan ? tableOf(plan).columns : (table?.columns ?? [])
}

function columnChanges(before: DeployedDataset, plan: Plan): Change[] {
  const changes: Change[] = []
  const were = columnsOf(before)
  const are: Column[] = tableOf(plan).columns
  const same = (a: Column) => (b: Column) => a.name === b.name
  const removed = were.filter((column) => !are.some(same(column)))
  const added = are.filter((column) => !were.some(same(column)))
  const planned = new Map(plan.columns.map((column) => [column.name, column]))
  const renamed = renames(removed, added, planned)

  for (const { name, type } of are) {
    const was = were.find((column) => column.name === name)
    if (was && was.type !== type) changes.push(typeChange(name, was.type, type))
  }
  for (const [old, now] of renamed) {
    const onlyCase = old.name.toLowerCase() === now.name.toLowerCase()
    changes.push({
      kind: 'column_renamed',
      impact: onlyCase ? 'compatible' : 'breaking',
      column: now.name,
      message: onlyCase
        ? `${old.name} is written ${now.name} now; tables do not tell the two apart`
        : `${old.name} is called ${now.name} now: queries that name ${old.name} fail, and earlier rows have nothing in ${now.name}`,
    })
    if (old.type !== now.type) changes.push(typeChange(now.name, old.type, now.type))
  }
  for (const column of removed) {
    if (renamed.has(column)) continue
    changes.push({
      kind: 'column_removed',
      impact: 'breaking',
      column: column.name,
      message: `${column.name} (${column.type}) is gone: queries that name it fail`,
    })
  }
  const newNames = new Set([...renamed.values()].map(({ name }) => name))
  for (const { name, type } of added) {
    if (newNames.has(name)) continue
    const required = planned.get(name)?.required === true
    changes.push({
      kind: 'column_added',
      impact: required ? 'breaking' : 'compatible',
      column: name,
      message: required
        ? `${name} (${type}) is new and required: every row of a file without it is rejected, and earlier rows have nothing in it. Leave it optional, and it is compatible`
        : `${name} (${type}) is new and optional: earlier rows have nothing in it`,
    })
  }
  return changes
}

function typeChange(column: string, from: string, to: string): Change {
  const wider = widens(from, to)
  return {
    kind: wider ? 'type_widened' : 'type_changed',
    impact: wider ? 'compatible' : 'breaking',
    column,
    message: wider
      ? `${column} grows from ${from} to ${to}; earlier files are read as ${to}`
      : `${column} changes from ${from} to ${to}, and the files that are there hold ${from}`,
  }
}

/** Pairs of old and new: where the contract says so by an alias, or where names differ in case only. */
function renames(removed: Column[], added: Column[], planned: Map<string, PlanColumn>): Map<Column, Column> {
  const pairs = new Map<Column, Column>()
  for (const now of added) {
    const others = (planned.get(now.name)?.aliases ?? []).map((alias) => alias.toLowerCase())
    const old = removed.find(
      ({ name }) => name.toLowerCase() === now.name.toLowerCase() || others.includes(name.toLowerCase()),
    )
    if (old && !pairs.has(old)) pairs.set(old, now)
  }
  return pairs
}

function keyChanges(before: Plan, after: Plan): Change[] {
  const changes: Change[] = []
  const list = (names: string[]) => (names.length === 0 ? 'none' : names.join(', '))
  if (list(before.primaryKey) !== list(after.primaryKey)) {
    changes.push({
      kind: 'key_changed',
      impact: 'breaking',
      message: `the primary key is ${list(after.primaryKey)}, before: ${list(before.primaryKey)}; it decides which rows are one and the same`,
    })
  }
  const [a, b] = [before.settings.curated, after.settings.curated]
  const [laidOut, layout] = [list(a.partitionBy.map(partitionText)), list(b.partitionBy.map(partitionText))]
  if (laidOut !== layout) {
    changes.push({
      kind: 'partitioning_changed',
      impact: 'breaking',
      message: `the curated table is partitioned by ${layout}, before: ${laidOut}`,
    })
  }
  if (a.mode !== b.mode) {
    changes.push({
      kind: 'key_changed',
      impact: 'breaking',
      rule: 'curated.mode',
      message: `the curated table is made by ${b.mode}, before: ${a.mode}`,
    })
  }
  return changes
}

/** A deployed table that is not as its own contract says: changed by hand, or not deployed to the end. */
function tableChanges({ plan, table }: DeployedDataset): Change[] {
  if (!plan) return []
  const again = 'deploying mends it'
  if (!table) {
    return [
      { kind: 'table_differs', impact: 'note', message: `the catalog has no table clean.${plan.dataset}; ${again}` },
    ]
  }
  const names = (columns: Column[]) =>
    columns
      .map(({ name }) => name.toLowerCase())
      .sort()
      .join(', ')
  const [is, should] = [names(table.columns), names(tableOf(plan).columns)]
  if (is === should) return []
  const message = `the table in the catalog has the columns ${is}, and its deployed contract says ${should}; ${again}`
  return [{ kind: 'table_differs', impact: 'note', message }]
}
