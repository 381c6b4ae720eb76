// Reads the code blocks of a documentation page, and the annotations above them that only the tests see:
//   <!-- file: sales.csv -->     the block is saved under this name in the folder where the page's commands run
//   <!-- exit: 0 1 -->           exit codes that its commands may end with (default: 0)
//   <!-- background: words -->   the command goes on running; it is stopped with Ctrl-C once it has printed these words
//   <!-- lake: new -->           the page goes on in a new, empty folder
//   <!-- on: aws -->             needs a deployed lake: run on the emulator, by test/emulator/pages.test.ts
// In a console block, lines after "$ " are commands and the others their output: each must occur, in this order, and "…"
// stands for any text.

export interface Block {
  page: string
  line: number
  language: string
  text: string
  file?: string
  exits: number[]
  background?: string
  fresh: boolean
  /** Its commands need a deployed lake. */
  onAws: boolean
}

export function blocksOf(page: string, markdown: string): Block[] {
  const blocks: Block[] = []
  const lines = markdown.split('\n')
  let notes: Record<string, string> = {}
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i] ?? ''
    const note = /^<!-- (file|exit|background|lake|on): (.+) -->$/.exec(line)
    if (note?.[1] && note[2]) {
      notes[note[1]] = note[2]
      continue
    }
    const fence = /^(\s*)(`{3,})(\S*)/.exec(line)
    if (!fence) {
      // A note belongs to the block right below it.
      if (line.trim() !== '') notes = {}
      continue
    }
    const [, indent = '', ticks = '', language = ''] = fence
    const body: string[] = []
    const at = i + 1
    for (i++; i < lines.length && (lines[i] ?? '').trim() !== ticks; i++)
      body.push((lines[i] ?? '').slice(indent.length))
    if (i >= lines.length) throw new Error(`${page}:${at}: this block has no end`)
    blocks.push({
      page,
      line: at,
      language,
      text: `${body.join('\n')}\n`,
      exits: (notes.exit ?? '0').split(/[ ,]+/).map(Number),
      fresh: notes.lake === 'new',
      onAws: notes.on === 'aws',
      ...(notes.file === undefined ? {} : { file: notes.file }),
      ...(notes.background === undefined ? {} : { background: notes.background }),
    })
    notes = {}
  }
  return blocks
}

export interface Command {
  command: string
  /** Lines that its output must have, in this order. */
  output: string[]
}

/** The commands of a shell block, with the output that a console block shows for them. */
export function commandsOf(block: Block): Command[] {
  const commands: Command[] = []
  const console = block.language === 'console'
  for (const line of block.text.replaceAll('\\\n', '').split('\n')) {
    if (line.trim() === '') continue
    if (!console) {
      if (!line.trim().startsWith('#')) commands.push({ command: line, output: [] })
    } else if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: [] })
    else {
      const last = commands.at(-1)
      if (!last) throw new Error(`${block.page}:${block.line}: output before the first command`)
      last.output.push(line)
    }
  }
  return commands
}

/** The first expected line that the output does not have; undefined when it has them all in order. */
export function missingLine(expected: string[], output: string): string | undefined {
  const lines = output.split('\n')
  let from = 0
  for (const line of expected) {
    if (line.trim() === '…') continue
    const parts = line.trim().split('…')
    const fits = (candidate: string) => {
      let at = 0
      for (const [index, part] of parts.entries()) {
        const found = candidate.indexOf(part, at)
        if (found < 0 || (index === 0 && part !== '' && found !== 0)) return false
        at = found + part.length
      }
      return parts.at(-1) === '' || candidate.endsWith(parts.at(-1) ?? '')
    }
    const hit = lines.findIndex((candidate, index) => index >= from && fits(candidate.trim()))
    if (hit < 0) return line
    from = hit + 1
  }
  return undefined
}

/** The anchors of a page's headings, as they are made where the page is shown. */
export function anchorsOf(markdown: string): string[] {
  const outside = markdown.replaceAll(/^```.*?^```/gms, '')
  return [...outside.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
