// The outside world of the command line: streams, folder, environment. Tests pass their own.

import type { Writable } from 'node:stream'
import { colours, type Paint, plain } from '../lake/render/paint.ts'

export interface Io {
  stdout: Writable & { isTTY?: boolean; columns?: number }
  stderr: Writable & { isTTY?: boolean }
  cwd: string
  env: Record<string, string | undefined>
  /** Aborted by Ctrl-C. */
  signal: AbortSignal
}

/** Colour only on a terminal that wants it (https://no-color.org), or where FORCE_COLOR asks for it. */
export function paintFor(io: Io): Paint {
  const { NO_COLOR, FORCE_COLOR, TERM } = io.env
  if (FORCE_COLOR !== undefined) return FORCE_COLOR === '0' || FORCE_COLOR === 'false' ? plain : colours
  return io.stdout.isTTY && !NO_COLOR && TERM !== 'dumb' ? colours : plain
}
