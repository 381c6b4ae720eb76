// The commands of the README about AWS, on the emulator: the lake of this checkout, under a name that nobody else has.

import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { clientEnv } from '../../scripts/emulator.ts'
import { deployLocally } from '../../scripts/local-deploy.ts'
import { blocksOf, commandsOf, missingLine } from '../docs/pages.ts'
import { makeShell, type Shell } from '../docs/shell.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const ENVIRONMENT = `pages-${Date.now().toString(36)}`

let folder: string
let shell: Shell

beforeAll(async () => {
  shell = makeShell()
  folder = await mkdtemp(join(tmpdir(), 'weir-pages-'))
  const contracts = JSON.stringify(join(ROOT, 'contracts'))
  await writeFile(join(folder, 'weir.yaml'), `environment: ${ENVIRONMENT}\ncontracts: ${contracts}\n`)
  const env = { ...clientEnv(process.env.AWS_ENDPOINT_URL ?? ''), ...fromHere() }
  const said: string[] = []
  await deployLocally({
    lake: folder,
    env,
    work: join(folder, 'deploy'),
    log: (text) => said.push(text),
  }).catch((error: unknown) => {
    throw new Error(`${error instanceof Error ? error.message : error}\n${said.join('').slice(-4000)}`)
  })
})

afterAll(async () => {
  shell?.remove()
  await rm(folder, { recursive: true, force: true })
})

function fromHere(): Record<string, string> {
  const names = ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_REGION', 'AWS_DEFAULT_REGION']
  return Object.fromEntries(names.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])))
}

it('work from the top to the end, as the README shows them', async () => {
  const blocks = blocksOf('README.md', await readFile(join(ROOT, 'README.md'), 'utf8')).filter(({ onAws }) => onAws)
  const commands = blocks.flatMap((block) => commandsOf(block).map((one) => ({ ...one, exits: block.exits })))
  // Installing is a step of .ci/run; bootstrap and deploy have just been run, with what an emulator needs.
  const ours = commands.filter(({ command }) => command.startsWith('npx weir '))
  expect(ours.length).toBeGreaterThan(1)
  expect(commands.filter((one) => !ours.includes(one)).map(({ command }) => command)).toEqual([
    'npm ci',
    'npx cdk bootstrap',
    'npx cdk deploy --all',
  ])
  for (const { command, output, exits } of ours) {
    expect(command).toContain('aws:weir')
    const ran = await shell.run(command.replaceAll('aws:weir', `aws:${ENVIRONMENT}`), { now: ROOT })
    expect(exits, `${command}\n${ran.output}`).toContain(ran.code)
    expect(missingLine(output, ran.output), `${command}\n${ran.output}`).toBeUndefined()
  }
})
