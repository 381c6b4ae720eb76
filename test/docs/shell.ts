// A shell as the reader of a page has it: `weir` and `npx weir` are those of this checkout.

import { spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const root = resolve(import.meta.dirname, '../..')

export interface Ran {
  code: number | null
  output: string
}

export interface Shell {
  /** An empty folder that goes with the shell. */
  newFolder(): string
  /**
   * Runs one command; the folder that it leaves the shell in is where the next one starts. With `background` it goes on
   * running until it has printed these words, and is stopped with Ctrl-C then.
   */
  run(command: string, folder: { now: string }, background?: string): Promise<Ran>
  remove(): void
}

export function makeShell(): Shell {
  const home = mkdtempSync(join(tmpdir(), 'weir-docs-'))
  const bin = join(home, 'bin')
  mkdirSync(bin)
  // What a reader's npx does, without its second of thinking: it finds the command of the checkout.
  const weir = `exec '${process.execPath}' '${join(root, 'bin', 'weir.ts')}' "$@"\n`
  writeFileSync(join(bin, 'weir'), `#!/bin/sh\n${weir}`)
  writeFileSync(
    join(bin, 'npx'),
    `#!/bin/sh\n[ "$1" = weir ] || { echo "The pages may call npx weir only, not npx $1" >&2; exit 97; }\nshift\n${weir}`,
  )
  chmodSync(join(bin, 'weir'), 0o755)
  chmodSync(join(bin, 'npx'), 0o755)
  return {
    newFolder: () => mkdtempSync(join(home, 'page-')),
    run: (command, folder, background) => run(home, bin, command, folder, background),
    remove: () => rmSync(home, { recursive: true, force: true }),
  }
}

function run(home: string, bin: string, command: string, folder: { now: string }, background?: string): Promise<Ran> {
  const state = join(mkdtempSync(join(home, 'shell-')), 'pwd')
  const script =
    background === undefined
      ? `${command}\ncode=$?\npwd > '${state}'\nexit $code`
      : `exec ${command.replace(/^npx /, '')}`
  const child = spawn('bash', ['-c', script], {
    cwd: folder.now,
    env: { ...process.env, PATH: `${bin}:${process.env.PATH}`, NO_COLOR: '1', TZ: 'UTC', COLUMNS: '200' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return new Promise((done, failed) => {
    let output = ''
    let stopped = false
    const take = (piece: Buffer) => {
      output += piece
      if (background !== undefined && !stopped && output.includes(background)) {
        stopped = true
        child.kill('SIGINT')
      }
    }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', failed)
    child.on('close', (code) => {
      if (background === undefined && existsSync(state)) folder.now = readFileSync(state, 'utf8').trim()
      if (background !== undefined && !stopped) output += `\n(ended before it printed ${JSON.stringify(background)})`
      done({ code, output })
    })
  })
}
