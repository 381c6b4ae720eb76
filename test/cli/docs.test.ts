// docs/cli.md and the program say the same: every command, argument and option is in both.

import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { describe, expect, test } from 'vitest'
import { buildProgram } from '../../lib/cli/program.ts'
import { OUTCOMES } from '../../lib/lake/receipt.ts'

const page = await readFile(new URL('../../docs/cli.md', import.meta.url), 'utf8')
const program = buildProgram({
  io: { stdout: process.stdout, stderr: process.stderr, cwd: '.', env: {}, signal: new AbortController().signal },
  exit: 0,
})

function section(heading: string): string {
  return page.split(/^## /m).find((part) => part.startsWith(`${heading}\n`)) ?? ''
}

/** Flags in the first column of a section's option table, as written: `--out <file>`. */
function documentedOptions(text: string): string[] {
  return [...text.matchAll(/^\| `(--[^`]+)` \|/gm)].map((match) => match[1] ?? '').sort()
}

const EVERYWHERE = documentedOptions(section('For every command'))

function options(command: Command): string[] {
  return command.options.map((option) => option.flags).sort()
}

test('what every command has', () => {
  expect(EVERYWHERE).toEqual(['--help', '--json', '--lake <lake>'])
  expect(options(program)).toEqual(['--json', '--lake <lake>', '--version'])
  expect(section('For every command')).toContain('`weir --version`')
})

test('every command is documented, and no other', () => {
  const documented = [...page.matchAll(/^## weir (\S+)$/gm)].map((match) => match[1])
  expect(documented).toEqual(program.commands.map((command) => command.name()))
})

describe.each(program.commands.map((command) => [command.name(), command] as const))('weir %s', (name, command) => {
  const text = section(`weir ${name}`)

  test('options', () => {
    const own = options(command).filter((flags) => !EVERYWHERE.includes(flags))
    expect(documentedOptions(text)).toEqual(own)
    for (const flags of EVERYWHERE) if (flags !== '--help') expect(options(command)).toContain(flags)
  })

  test('use, example and JSON', () => {
    const use = command
      .usage()
      .replace(/^\[options\] ?/, '')
      .trim()
    expect(text).toContain(`\`weir ${name}${use ? ` ${use}` : ''}\``)
    expect(text).toMatch(new RegExp(`\`\`\`sh\\nweir ${name}`))
    expect(text).toMatch(/JSON[:,]/)
    let help = ''
    command
      .configureOutput({
        writeOut: (chunk) => {
          help += chunk
        },
      })
      .outputHelp()
    expect(help).toMatch(new RegExp(`Examples?:\\n {2}\\$ weir ${name}`))
  })
})

test('the outcomes that --outcome takes are those of receipts', () => {
  for (const outcome of OUTCOMES) expect(section('weir receipts')).toContain(`\`${outcome}\``)
})
