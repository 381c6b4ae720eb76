// Runs every command and snippet of README.md and docs/: a page is executed from its top to its end, in a folder of its own.

import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseDocument } from 'yaml'
import { parseContract } from '../../lib/contract/read.ts'
import { anchorsOf, type Block, blocksOf, commandsOf, missingLine } from './pages.ts'
import { makeShell, type Ran, type Shell } from './shell.ts'

const root = resolve(import.meta.dirname, '../..')
const pages = ['README.md', ...globSync('docs/*.md', { cwd: root })].sort()
const read = (page: string) => readFileSync(join(root, page), 'utf8')
const blocks = new Map(pages.map((page) => [page, blocksOf(page, read(page))]))
const shells = new Set(['sh', 'bash', 'console'])

let shell: Shell

beforeAll(() => {
  shell = makeShell()
})

afterAll(() => shell.remove())

/** What the reader of a reference page has before it begins: a lake with the sample, and files of the names in its examples. */
const SETUP: Record<string, string[]> = {
  'docs/cli.md': [
    'weir init . && mkdir exports',
    'cp samples/orders.csv orders.csv && cp samples/orders.csv exports/2026-10.csv && cp contracts/orders.yaml draft.yaml',
  ],
  'docs/receipt.md': ['weir init . && weir drop samples/orders.csv || test $? = 1'],
}
/** In those examples an upload's id stands for any upload: the newest of the lake. */
const UPLOAD_ID = /\b20\d{6}T\d{2,9}(?:Z(?:-[0-9a-f]{12})?)?\b/g

function newestUpload(folder: string): string | undefined {
  return globSync('ops/receipts/**/*.json', { cwd: folder })
    .map((path) => basename(path, '.json'))
    .sort()
    .at(-1)
}

async function runBlock(block: Block, folder: { now: string }): Promise<string[]> {
  const problems: string[] = []
  for (const { command, output } of commandsOf(block)) {
    const where = `${block.page}:${block.line}: ${command}`
    // Installing, testing and the demo are steps of their own in .ci/run.
    if (/^npm /.test(command)) continue
    const line = command.replace(UPLOAD_ID, (id) => newestUpload(folder.now) ?? id)
    const ran = await shell.run(
      line,
      folder,
      block.background ?? (/^(npx )?weir watch$/.test(line) ? 'landing' : undefined),
    )
    const exits = block.page in SETUP ? [0, 1] : block.exits
    if (!exits.includes(ran.code ?? -1)) {
      problems.push(`${where}\n  ended with ${ran.code}, not ${exits.join(' or ')}:\n${ran.output}`)
    }
    const missing = missingLine(output, ran.output)
    if (missing !== undefined) problems.push(`${where}\n  did not print ${JSON.stringify(missing)}:\n${ran.output}`)
  }
  return problems
}

async function runPage(page: string): Promise<string[]> {
  const problems: string[] = []
  const folder = { now: shell.newFolder() }
  for (const command of SETUP[page] ?? []) {
    const { code, output } = await shell.run(command, folder)
    if (code !== 0) problems.push(`${page}: its setup ended with ${code}:\n${output}`)
  }
  for (const block of blocks.get(page) ?? []) {
    if (block.fresh) folder.now = shell.newFolder()
    if (block.file !== undefined) {
      const path = join(folder.now, block.file)
      mkdirSync(dirname(path), { recursive: true })
      writeFileSync(path, block.text)
    }
    if (shells.has(block.language) && !block.onAws) problems.push(...(await runBlock(block, folder)))
    if (block.language === 'sql') {
      const command = { ...block, language: 'sh', text: `weir query "$(cat query.sql)"` }
      writeFileSync(join(folder.now, 'query.sql'), block.text)
      problems.push(...(await runBlock(command, folder)))
    }
  }
  return problems
}

describe('every command of a page works, from its top to its end', () => {
  it.concurrent.each(pages)(
    '%s',
    async (page) => {
      expect((await runPage(page)).join('\n\n')).toBe('')
    },
    300_000,
  )
})

describe('snippets', () => {
  const of = (language: string) => [...blocks.values()].flat().filter((block) => block.language === language)
  const named = (list: Block[]) => list.map((block) => [`${block.page}:${block.line}`, block] as const)

  it('are of a kind that is tested', () => {
    const kinds = [...shells, 'sql', 'yaml', 'json', 'csv', 'mermaid', 'text']
    const other = [...blocks.values()].flat().filter((block) => !kinds.includes(block.language))
    expect(other.map((block) => `${block.page}:${block.line} ${block.language}`)).toEqual([])
  })

  it.each(named(of('yaml')))('%s is YAML, and a contract if it says so', (_where, block) => {
    const document = parseDocument(block.text)
    expect(document.errors).toEqual([])
    // A contract that is wrong on purpose is given to the linter by its page.
    if (document.has('apiVersion') && document.get('id') !== 'wrong') {
      expect(parseContract(block.text, block.page).plans.size).toBeGreaterThan(0)
    }
  })

  it.each(named(of('json')))('%s is JSON', (_where, block) => {
    expect(() => JSON.parse(block.text)).not.toThrow()
  })
})

describe('what the pages name exists', () => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: Record<string, string> }).scripts)

  it.each(pages)('npm scripts in %s', (page) => {
    const wanted = [...read(page).matchAll(/\bnpm (?:run )?([a-z][\w:-]*)/g)].map(([, name = '']) => name)
    const builtIn = ['ci', 'run', 'install', 'test', 'package', 'packages', 'and', 'are', 'brings', 'does', 'exec']
    expect(wanted.filter((name) => !builtIn.includes(name) && !scripts.includes(name))).toEqual([])
  })

  it('the two commands of the first screen', () => {
    const first = read('README.md').split('\n## ')[0] ?? ''
    expect(first).toMatch(/^ {4}npm ci && npm run demo\b/m)
    expect(first).toMatch(/^ {4}npm ci && npm test\b/m)
    expect(scripts).toEqual(expect.arrayContaining(['demo', 'test']))
    expect(existsSync(join(root, 'package-lock.json'))).toBe(true)
  })

  it.each(pages)('links in %s, to the heading', (page) => {
    const links = [...read(page).matchAll(/\]\(([^)\s]+)[^)]*\)/g)].map(([, link = '']) => link)
    const dead = links.filter((link) => {
      if (/^[a-z]+:/.test(link)) return false
      const [path = '', anchor] = link.split('#')
      const target = path === '' ? join(root, page) : resolve(root, dirname(page), path)
      if (!existsSync(target)) return true
      return anchor !== undefined && !anchorsOf(readFileSync(target, 'utf8')).includes(anchor)
    })
    expect(dead).toEqual([])
  })

  it('every page of docs/, in its index', () => {
    const index = read('docs/README.md')
    const missing = globSync('*', { cwd: join(root, 'docs') }).filter((file) => !index.includes(`](${file})`))
    expect(missing).toEqual(['README.md'])
  })

  it('paths in README.md', () => {
    const named = [...read('README.md').matchAll(/`((?:lib|test|bench|scripts|docs|\.ci)\/[^`\s*]*)`/g)]
    expect(named.length).toBeGreaterThan(2)
    expect(named.map(([, path = '']) => path).filter((path) => !existsSync(join(root, path)))).toEqual([])
  })
})

describe('npx weir', () => {
  it('is found from a folder inside the checkout, as the tutorial has it', async () => {
    const ran = await new Promise<Ran>((done) => {
      const child = spawn('npx', ['--no-install', 'weir', '--version'], {
        cwd: join(root, 'docs'),
        stdio: ['ignore', 'pipe', 'pipe'],
      })
      let output = ''
      child.stdout.on('data', (piece) => {
        output += piece
      })
      child.on('close', (code) => done({ code, output }))
    })
    expect(ran).toEqual({ code: 0, output: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) })
  })
})

describe('the reader of pages', () => {
  it('finds blocks, notes, commands and expected output', () => {
    const page = '# Page\n\n<!-- exit: 1 -->\n```console\n$ weir x\na…b\n```\n\n<!-- file: a.csv -->\n```csv\n1\n```\n'
    const [first, second] = blocksOf('p.md', page)
    expect(first).toMatchObject({ line: 4, language: 'console', exits: [1] })
    expect(first && commandsOf(first)).toEqual([{ command: 'weir x', output: ['a…b'] }])
    expect(second).toMatchObject({ file: 'a.csv', text: '1\n', exits: [0] })
  })

  it('makes anchors of headings', () => {
    expect(anchorsOf('# On AWS\n\n```sh\n# no heading\n```\n## `weir drop`: what, why?\n')).toEqual([
      'on-aws',
      'weir-drop-what-why',
    ])
  })

  it('compares line by line, in order, with … for anything', () => {
    expect(missingLine(['a…c', '…z'], 'a b c\nx\nyz')).toBeUndefined()
    expect(missingLine(['…z', 'a…c'], 'a b c\nyz')).toBe('a…c')
    expect(missingLine(['a…c'], 'xa b c')).toBe('a…c')
    expect(missingLine(['a…c'], 'a b cd')).toBe('a…c')
  })
})
