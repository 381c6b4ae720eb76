// YAML to plain data, with the line of every path. Refuses what would not end: cycles, and aliases that multiply.

import { isScalar, LineCounter, parseDocument } from 'yaml'
import { ContractError, type ContractIssue, type Path, type Place, type Places } from './errors.ts'

const MAX_BYTES = 5_000_000
const MAX_DEPTH = 100
const MAX_NODES = 500_000
const MAX_SYNTAX_ERRORS = 10

export interface YamlData {
  data: unknown
  places: Places
}

/** Parses one YAML document. Throws a ContractError with all syntax problems and their lines. */
export const parseYaml = (text: string, file: string): YamlData => {
  const fail = (message: string, extra: Partial<ContractIssue> = {}): never => {
    throw new ContractError([{ file, path: '', message, ...extra }])
  }
  if (Buffer.byteLength(text) > MAX_BYTES) {
    fail(`The file is larger than ${MAX_BYTES / 1_000_000} MB, which no contract needs. Is it a data file?`)
  }
  const lines = new LineCounter()
  // Integers stay exact (64-bit bounds do not fit a JavaScript number); small ones become numbers below.
  const document = parseDocument(text, { merge: true, intAsBigInt: true, lineCounter: lines, prettyErrors: false })
  if (document.errors.length > 0) {
    if (document.errors.some((error) => /call stack/i.test(error.message)))
      fail('The YAML is nested too deeply to be read.')
    throw new ContractError(
      // One mistake can make hundreds of errors; the first ones tell.
      document.errors.slice(0, MAX_SYNTAX_ERRORS).map((error) => {
        const at = lines.linePos(error.pos[0])
        const message =
          error.code === 'MULTIPLE_DOCS'
            ? 'The file holds several YAML documents (`---`); put each contract into a file of its own.'
            : `Not valid YAML: ${error.message}`
        return { file, path: '', message, line: at.line }
      }),
    )
  }
  let data: unknown
  try {
    data = document.toJS({ maxAliasCount: 1000 })
  } catch (cause) {
    fail(`The YAML aliases cannot be resolved: ${cause instanceof Error ? cause.message : String(cause)}.`)
  }
  let nodes = 0
  const open = new Set<object>()
  const plain = (value: unknown): unknown => {
    if (++nodes > MAX_NODES) fail('The YAML aliases expand to more than half a million values. Write them out.')
    if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
    if (typeof value !== 'object' || value === null) return value
    if (open.has(value)) fail('A YAML alias refers to a part that contains itself (a cycle). Write that part out.')
    if (open.size >= MAX_DEPTH) fail(`The YAML is nested deeper than ${MAX_DEPTH} levels.`)
    open.add(value)
    const copy = Array.isArray(value)
      ? value.map(plain)
      : Object.fromEntries(Object.entries(value).map(([key, v]) => [key, plain(v)]))
    open.delete(value)
    return copy
  }
  const lineOf = (path: Path): number | undefined => {
    // A key that is missing, or came through a merge, has no place of its own: its parent's is the best answer.
    for (let length = path.length; length >= 0; length--) {
      try {
        const node: unknown = document.getIn(path.slice(0, length), true)
        const range = (node as { range?: [number, number, number] } | undefined)?.range
        if (range) return lines.linePos(range[0]).line
      } catch {
        // getIn throws where the path leads through a scalar; go on with the parent.
      }
    }
    return undefined
  }
  const placeIn = (path: Path, offset: number): Place | undefined => {
    let node: unknown
    try {
      node = document.getIn(path, true)
    } catch {
      return undefined
    }
    if (!isScalar(node) || typeof node.value !== 'string' || !node.range) return undefined
    const [start, end] = node.range
    const found = offsetInSource(text.slice(start, end), node.value, offset)
    if (found === undefined) return undefined
    const { line } = lines.linePos(start + found)
    const before = text.slice(lines.lineStarts[line - 1] ?? 0, start + found)
    return { line, column: [...before].length + 1 }
  }
  return { data: plain(data), places: { lineOf, placeIn } }
}

/**
 * Where a character of a text stands in the YAML that writes it. YAML folds lines and takes indents away, so the two are
 * followed side by side by all that is no white space; undefined where they do not agree, as with escapes.
 */
const offsetInSource = (source: string, value: string, offset: number): number | undefined => {
  const isSpace = (character: string | undefined): boolean => character !== undefined && /\s/.test(character)
  const quote = /^["']/.exec(source)?.[0]
  // The first line of a block says its style: |, > and the like.
  let at = quote === undefined ? (/^[|>][^\n]*\n/.exec(source)?.[0].length ?? 0) : 1
  let last = at
  for (let i = 0; i < value.length; i++) {
    if (isSpace(value[i])) {
      if (i === offset) return last
      continue
    }
    while (isSpace(source[at])) at++
    if (source[at] !== value[i]) {
      if (quote !== '"' || source[at] !== '\\' || source[at + 1] !== value[i]) return undefined
      at++
    } else if (quote === "'" && value[i] === "'") at++
    if (i === offset) return at
    at++
    last = at
  }
  return last
}
