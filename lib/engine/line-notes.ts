// What the census notes of the lines of a plain CSV file while it counts them: a fingerprint of each line, by which a
// record is found again without reading the whole file, and which whole numbers at the start of the lines come twice.

/** Fingerprints of all lines, and where every BLOCK-th of them begins. */
export interface LineIndex {
  fingerprints: Uint32Array
  offsets: number[]
}

/** The first fields of all lines, as far as one must know them to find the keys that come more than once. */
export interface FirstFields {
  /** Whole numbers that come more than once. */
  repeated: number[]
  /** Texts that are no plain whole numbers: somebody else must say what they mean. */
  others: string[]
}

export interface LineNotes {
  index?: LineIndex
  first?: FirstFields
}

/** Lines between two known offsets. */
export const BLOCK = 16
/** Bytes at the start of a line that make its fingerprint. */
export const HEAD = 8
/** Bytes of a line that are enough to take its notes. */
export const NOTED_BYTES = 64

/** An index of more lines than this would take too much memory; such files are read again instead. */
const MOST_LINES = 1 << 22
const MOST_REPEATED = 100_000
const MOST_OTHERS = 1000
/** Numbers up to this many digits are exact. */
const MOST_DIGITS = 15
/** Seen numbers are bits on pages; more pages than these (64 MB) mean that the numbers lie too far apart. */
const PAGE_BITS = 1 << 16
const MOST_PAGES = 8192

const ZERO = 48

/** Fingerprint of the bytes at the start of a line. */
export function headOf(buffer: Buffer, start: number, end: number): number {
  const stop = Math.min(end, start + HEAD)
  let key = 0
  for (let i = start; i < stop; i++) key = (Math.imul(key, 31) + (buffer[i] as number)) | 0
  return key
}

export interface NoteTaker {
  /** Takes notes of the next line; `end` may be cut at NOTED_BYTES after its start. `offset`: where it begins in the file. */
  line(buffer: Buffer, start: number, end: number, offset: number): void
  notes(): LineNotes
}

/** `index`: fingerprints too, which cost time and are of use only where records must be found again. */
export function takeNotes(options: { delimiter: string; quote: string; header: boolean; index: boolean }): NoteTaker {
  const delimiter = options.delimiter.charCodeAt(0)
  const quote = options.quote.charCodeAt(0)
  let lines = 0
  let fingerprints: Uint32Array | undefined = options.index ? new Uint32Array(1 << 14) : undefined
  const offsets: number[] = []
  let unsure = 0

  let numbers = options.delimiter.length === 1
  const repeated = new Set<number>()
  const others: string[] = []
  const pages = new Map<number, Uint32Array>()
  let pageNumber = -1
  let page: Uint32Array = new Uint32Array(0)

  /** Whether the number came before. */
  const seen = (number: number): boolean => {
    const at = Math.floor(number / PAGE_BITS)
    if (at !== pageNumber) {
      pageNumber = at
      const known = pages.get(at)
      page = known ?? new Uint32Array(PAGE_BITS / 32)
      if (known === undefined) {
        pages.set(at, page)
        numbers = pages.size <= MOST_PAGES
      }
    }
    const bit = number - at * PAGE_BITS
    const word = page[bit >>> 5] as number
    const mask = 1 << (bit & 31)
    page[bit >>> 5] = word | mask
    return (word & mask) !== 0
  }

  const noteFirst = (buffer: Buffer, start: number, end: number): void => {
    let number = 0
    let i = start
    for (; i < end; i++) {
      const digit = (buffer[i] as number) - ZERO
      if (digit < 0 || digit > 9) break
      number = number * 10 + digit
    }
    const ended = i < end ? buffer[i] === delimiter : end - start < NOTED_BYTES
    if (ended && i === start) return
    if (ended && i - start <= MOST_DIGITS) {
      if (!seen(number)) return
      repeated.add(number)
      if (repeated.size > MOST_REPEATED) numbers = false
      return
    }
    const stop = buffer.subarray(start, end).indexOf(delimiter)
    if (buffer[start] === quote || others.length === MOST_OTHERS || (stop < 0 && end - start >= NOTED_BYTES)) {
      numbers = false
      return
    }
    others.push(buffer.toString('utf8', start, stop < 0 ? end : start + stop))
  }

  const roomForLine = (offset: number): boolean => {
    if (fingerprints === undefined) return false
    if (lines >= MOST_LINES) {
      fingerprints = undefined
      return false
    }
    if (lines === fingerprints.length) {
      const larger: Uint32Array = new Uint32Array(lines * 2)
      larger.set(fingerprints)
      fingerprints = larger
    }
    if (lines % BLOCK === 0) offsets.push(offset)
    return true
  }

  return {
    // This runs for every line of a file: what headOf makes, and whether there is a quote, in one loop over its beginning.
    line(buffer, start, end, offset) {
      if (roomForLine(offset)) {
        const stop = end - start < HEAD ? end : start + HEAD
        let head = 0
        let quoted = false
        for (let i = start; i < stop; i++) {
          const byte = buffer[i] as number
          if (byte === quote) quoted = true
          head = (Math.imul(head, 31) + byte) | 0
        }
        // A quoted field's text is not what stands in the line: 0 says that the line itself must be looked at.
        if (quoted) unsure++
        else (fingerprints as Uint32Array)[lines] = head
      }
      if (numbers && (lines > 0 || !options.header)) noteFirst(buffer, start, end)
      lines++
    },
    notes: () => ({
      // Where a quarter of the lines must be looked at, reading all of them is as good.
      ...(fingerprints === undefined || unsure > lines / 4
        ? {}
        : { index: { fingerprints: fingerprints.slice(0, lines), offsets } }),
      ...(numbers ? { first: { repeated: [...repeated], others } } : {}),
    }),
  }
}
