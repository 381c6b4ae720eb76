// Synthesises lakes for the tests of lib/infra. The functions' code is left out where a test is about templates: see bundle.test.ts.

import { cp, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { App } from 'aws-cdk-lib'
import { buildStacks, newApp } from '../../lib/infra/app.ts'
import { readLakeToDeploy } from '../../lib/infra/lake.ts'

export const ROOT = resolve(import.meta.dirname, '../..')

export interface Resource {
  Type: string
  Condition?: string
  DeletionPolicy?: string
  DependsOn?: string[]
  // biome-ignore lint/suspicious/noExplicitAny: properties of a template have as many shapes as there are resources
  Properties: Record<string, any>
}

export interface Template {
  Resources: Record<string, Resource>
  Parameters?: Record<string, unknown>
  Outputs?: Record<string, unknown>
}

export interface Stacks {
  app: App
  data: Template
  pipeline: Template
  protected: boolean
  /** What any check said of the templates: cdk-nag, and CloudFormation's own rules. */
  findings: string[]
}

interface Report {
  pluginReports: { violations: { description: string }[] }[]
}

const folders: string[] = []

/** A folder of a lake: this repository's contracts, some more, a weir.yaml, and models. */
export async function lakeFolder(
  settings?: string,
  contracts: Record<string, string> = {},
  models: Record<string, string> = {},
): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-infra-'))
  folders.push(folder)
  await cp(join(ROOT, 'contracts'), join(folder, 'contracts'), { recursive: true })
  for (const [name, text] of Object.entries(contracts)) await writeFile(join(folder, 'contracts', name), text)
  await mkdir(join(folder, 'models'))
  for (const [name, text] of Object.entries(models)) await writeFile(join(folder, 'models', name), text)
  if (settings !== undefined) await writeFile(join(folder, 'weir.yaml'), settings)
  return folder
}

export async function removeFolders(): Promise<void> {
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true })
}

/** The stacks of a lake with these settings. */
export async function stacksOf(
  settings?: string,
  contracts: Record<string, string> = {},
  models: Record<string, string> = {},
): Promise<Stacks> {
  const folder = await lakeFolder(settings, contracts, models)
  const lake = await readLakeToDeploy(folder)
  const code = join(folder, 'code')
  await mkdir(code)
  await writeFile(join(code, 'index.mjs'), '')
  const app = newApp({ outdir: join(folder, 'out') })
  const { data, pipeline } = buildStacks(app, lake, { workers: code, answers: code })
  const assembly = app.synth()
  const report = JSON.parse(await readFile(join(folder, 'out', 'validation-report.json'), 'utf8')) as Report
  return {
    app,
    data: assembly.getStackByName(data.stackName).template as Template,
    pipeline: assembly.getStackByName(pipeline.stackName).template as Template,
    findings: report.pluginReports.flatMap(({ violations }) => violations.map((one) => one.description)),
    protected: assembly.getStackByName(data.stackName).terminationProtection === true,
  }
}

/** Resources of a type, by logical id. */
export const ofType = (template: Template, type: string): Resource[] =>
  Object.values(template.Resources).filter((resource) => resource.Type === type)

export const ACCOUNT = '111122223333'
export const REGION = 'eu-central-1'
const PSEUDO: Record<string, string> = {
  'AWS::AccountId': ACCOUNT,
  'AWS::Region': REGION,
  'AWS::Partition': 'aws',
  'AWS::URLSuffix': 'amazonaws.com',
}

/** A template's value as it is when deployed to one account; references to resources are `<id>` or `<id.attribute>`. */
export function deployed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(deployed)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value)
  const [name, inner] = entries[0] ?? ['', undefined]
  if (entries.length === 1) {
    if (name === 'Ref') return PSEUDO[String(inner)] ?? `<${String(inner)}>`
    if (name === 'Fn::GetAtt') return `<${(inner as string[]).join('.')}>`
    if (name === 'Fn::Join') {
      const [separator, parts] = inner as [string, unknown[]]
      return parts.map(deployed).join(separator)
    }
    if (name.startsWith('Fn::')) throw new Error(`The tests do not know ${name}.`)
  }
  return Object.fromEntries(entries.map(([key, one]) => [key, deployed(one)]))
}
