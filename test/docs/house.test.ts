// Rules of the house that no compiler knows: who may import whom, what no tracked file may hold, and one version everywhere.

import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { describe, expect, it } from 'vitest'
import { WEIR_VERSION } from '../../lib/version.ts'

const root = resolve(import.meta.dirname, '../..')
const read = (path: string) => readFileSync(join(root, path), 'utf8')

/** What each layer may import besides itself; the files directly in lib/ belong to nobody and may be read by all. */
const MAY_IMPORT: Record<string, string[]> = {
  sql: [],
  contract: ['sql'],
  engine: ['contract', 'sql'],
  lake: ['contract', 'sql'],
  pipeline: ['contract', 'sql', 'engine', 'lake'],
  cli: ['contract', 'sql', 'engine', 'lake', 'pipeline'],
  infra: ['contract', 'sql', 'lake'],
}

/** Lines of a source file that import against the rule, in words. */
function badImports(file: string, text: string): string[] {
  const layer = file.split('/')[1] ?? ''
  const allowed = MAY_IMPORT[layer]
  if (!file.startsWith('lib/') || allowed === undefined) return []
  const found: string[] = []
  for (const [, target] of text.matchAll(/(?:\bfrom|\bimport|\bimport\()\s*['"](\.[^'"]+)['"]/g)) {
    const to = relative(root, resolve(root, dirname(file), target ?? ''))
      .split(sep)
      .join('/')
    const [top, other] = to.split('/')
    if (top !== 'lib') {
      found.push(`${file} imports ${to}, which lies above lib/`)
    } else if (other && !other.endsWith('.ts') && other !== layer && !allowed.includes(other)) {
      found.push(`${file} imports ${to}, but ${layer} may import ${allowed.join(', ') || 'nothing of ours'}`)
    } else if (layer === 'pipeline' && /^lib\/lake\/(local|aws)\//.test(to)) {
      found.push(`${file} imports ${to}, but the pipeline knows the ports, never an adapter`)
    }
  }
  return found
}

describe('imports run downward only', () => {
  const files = globSync('lib/**/*.ts', { cwd: root }).map((file) => file.split(sep).join('/'))

  it('holds for every file of lib', () => {
    expect(files.length).toBeGreaterThan(10)
    expect(files.flatMap((file) => badImports(file, read(file)))).toEqual([])
  })

  it('lets nothing that runs import the stacks: only the CDK app does', () => {
    const running = globSync('{lambdas,bin,lib}/**/*.ts', { cwd: root }).map((file) => file.split(sep).join('/'))
    const importing = running.filter((file) => /from\s*['"][^'"]*\/infra\/|aws-cdk-lib/.test(read(file)))
    expect(importing.filter((file) => file !== 'bin/app.ts' && !file.startsWith('lib/infra/'))).toEqual([])
    expect(importing).toContain('bin/app.ts')
  })

  it('is a rule that sees a violation', () => {
    expect(badImports('lib/contract/types/x.ts', "import { a } from '../../engine/engine.ts'")).toEqual([
      'lib/contract/types/x.ts imports lib/engine/engine.ts, but contract may import sql',
    ])
    expect(badImports('lib/engine/x.ts', "const a = await import('../lake/ports.ts')")).toHaveLength(1)
    expect(badImports('lib/lake/local/x.ts', "import type { A } from '../../pipeline/context.ts'")).toHaveLength(1)
    expect(badImports('lib/pipeline/x.ts', "export { a } from '../lake/local/lake.ts'")).toEqual([
      'lib/pipeline/x.ts imports lib/lake/local/lake.ts, but the pipeline knows the ports, never an adapter',
    ])
    expect(badImports('lib/pipeline/x.ts', "import '../../bin/weir.ts'")).toHaveLength(1)
    expect(badImports('lib/pipeline/x.ts', "import type { Lake } from '../lake/ports.ts'")).toEqual([])
  })

  // The linter says it earlier, in the editor; here, that its rules really bite.
  it.each([
    ['lib/contract/planted.ts', '../engine/engine.ts', 'lib/contract is the ground floor'],
    ['lib/sql/planted.ts', '../lake/ports.ts', 'lib/sql is the ground floor'],
    ['lib/engine/planted.ts', '../lake/ports.ts', 'lib/engine may import lib/contract and lib/sql only'],
    ['lib/lake/planted.ts', '../pipeline/context.ts', 'lib/lake may import lib/contract and lib/sql only'],
    ['lib/pipeline/planted.ts', '../lake/local/lake.ts', 'lib/pipeline knows the ports'],
  ])('is enforced by the linter for %s', (file, target, message) => {
    const house = mkdtempSync(join(tmpdir(), 'weir-house-'))
    const rules = JSON.parse(read('biome.json')) as object
    writeFileSync(join(house, 'biome.json'), JSON.stringify({ ...rules, vcs: { enabled: false } }))
    mkdirSync(join(house, dirname(file)), { recursive: true })
    writeFileSync(join(house, file), `import { a } from '${target}'\n\nconsole.log(a)\n`)
    const biome = join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome')
    const run = spawnSync(process.execPath, [biome, 'lint', '--colors=off', '.'], { cwd: house, encoding: 'utf8' })
    rmSync(house, { recursive: true })
    expect(run.status).not.toBe(0)
    expect(run.stdout + run.stderr).toContain(message)
  })
})

describe('what no tracked file may hold', () => {
  const inGit = existsSync(join(root, '.git'))
  const tracked = inGit
    ? execFileSync('git', ['ls-files', '-z'], { cwd: root, encoding: 'utf8' })
        .split('\0')
        .filter((file) => existsSync(join(root, file)) && file !== '')
    : globSync('**/*', { cwd: root, exclude: (name) => name === 'node_modules' || name.startsWith('.') })

  // Made-up homes for examples: /home/me, /home/you.
  const FORBIDDEN: [string, RegExp][] = [
    ['the host of a package registry', /https?:\/\/[\w.-]*(?:registry|npmjs|artifactory|nexus|verdaccio|pypi)[\w.-]*/i],
    ['a path of somebody’s machine', /(?<![\w.~-])\/(?:home|Users|root|work)\/(?!me\b|you\b)[\w.-]+/],
  ]

  it.each(FORBIDDEN)('is %s', (_what, pattern) => {
    const found: string[] = []
    for (const file of tracked) {
      if (file === 'test/docs/house.test.ts' || /\.(png|jpg|parquet|gz|zst)$/.test(file)) continue
      const hit = pattern.exec(read(file))
      if (hit) found.push(`${file}: ${hit[0]}`)
    }
    expect(tracked.length).toBeGreaterThan(20)
    expect(found).toEqual([])
  })

  it('is recognised when it is there', () => {
    const [registry, home] = FORBIDDEN
    expect(registry?.[1].test('"resolved": "https://registry.npmjs.org/zod"')).toBe(true)
    expect(home?.[1].test('see /home/ada/weir')).toBe(true)
    expect(home?.[1].test('docs/home/page')).toBe(false)
    expect(home?.[1].test('/home/me/lake')).toBe(false)
  })
})

describe('one version', () => {
  it('is the same in package.json, its lock file, bin/package.json and lib/version.ts', () => {
    const version = (path: string) => (JSON.parse(read(path)) as { version: string }).version
    expect(version('package.json')).toBe(WEIR_VERSION)
    expect(version('package-lock.json')).toBe(WEIR_VERSION)
    expect(version('bin/package.json')).toBe(WEIR_VERSION)
  })

  it('has an entry in the change log', () => {
    expect(read('CHANGELOG.md')).toMatch(new RegExp(`^## \\[${WEIR_VERSION.replaceAll('.', '\\.')}\\]`, 'm'))
  })
})

describe('package-lock.json', () => {
  it('knows the packages of every platform, or npm ci refuses a clean checkout', () => {
    const lock = JSON.parse(read('package-lock.json')) as {
      packages: Record<
        string,
        { optionalDependencies?: Record<string, string>; resolved?: string; link?: boolean; inBundle?: boolean }
      >
    }
    // What a package brings inside itself is not for npm to install.
    const installed = Object.values(lock.packages).filter((entry) => !entry.inBundle)
    const wanted = installed.flatMap((entry) => Object.keys(entry.optionalDependencies ?? {}))
    expect(wanted.length).toBeGreaterThan(20)
    expect(wanted.filter((name) => !(`node_modules/${name}` in lock.packages))).toEqual([])
    const resolved = Object.values(lock.packages).filter((entry) => entry.resolved !== undefined && !entry.link)
    expect(resolved).toEqual([])
  })
})

describe('.ci/run', () => {
  it('can be executed, and calls what the README tells people to call', () => {
    const script = read('.ci/run')
    for (const command of ['npm ci', 'npm test', 'run --silent demo', 'run --silent lint', 'run --silent types']) {
      expect(script).toContain(command)
    }
    expect(spawnSync('test', ['-x', join(root, '.ci/run')]).status).toBe(0)
    expect(spawnSync('bash', ['-n', join(root, '.ci/run')]).status).toBe(0)
  })
})
