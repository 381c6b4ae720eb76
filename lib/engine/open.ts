// From the file as dropped to plain UTF-8 bytes on disk: looks at the first bytes, unpacks, converts the encoding.
// Everything that shows that the file is not what it should be is a Refusal with its own code.

import { once } from 'node:events'
import { createReadStream, createWriteStream } from 'node:fs'
import { open as openFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createGunzip, createZstdDecompress } from 'node:zlib'
import type { FileFormat, FileSettings } from '../contract/plan.ts'
import { Cancelled, EngineFault, Refusal } from './errors.ts'
import type { EngineSettings, Reading } from './result.ts'

export interface Opened {
  /** Plain bytes: the original file, or a copy in the work folder. */
  path: string
  size: number
  format: FileFormat
  compression: Reading['compression']
  encoding?: string
  /** Names of what was found out rather than told. */
  detected: string[]
  /** True when `path` has the same bytes as the file dropped. */
  original: boolean
  /** A file that Weir wrote for repair: comma, semicolon or tab, whatever the contract says of other files. */
  repair: boolean
}

/** How a repair file begins, whatever a spreadsheet made of its delimiter and quotes. */
export const REPAIR_BEGINNING = /^\ufeff?"?_upload"?[,;\t]"?_row"?[,;\t]/

type Limits = Pick<EngineSettings, 'maxExpandedBytes' | 'maxExpansion'>

const HEAD = 64 * 1024

const MAGIC: [string, string][] = [
  ['504b0304', 'a ZIP archive or an Excel workbook'],
  ['d0cf11e0', 'an old Excel or Word file'],
  ['25504446', 'a PDF'],
  ['89504e47', 'a PNG picture'],
  ['ffd8ff', 'a JPEG picture'],
  ['47494638', 'a GIF picture'],
  ['425a68', 'a bzip2 archive'],
  ['fd377a585a00', 'an xz archive'],
  ['377abcaf271c', 'a 7-Zip archive'],
  ['4f424a01', 'an Avro file'],
  ['4f5243', 'an ORC file'],
  ['7f454c46', 'a program'],
  ['4d5a9000', 'a Windows program'],
]

const EXTENSIONS: Record<string, FileFormat> = {
  csv: 'csv',
  txt: 'csv',
  tsv: 'tsv',
  tab: 'tsv',
  json: 'json',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  parquet: 'parquet',
  pq: 'parquet',
}

/** Opens a file; `work` is a folder for copies that the caller removes. Throws Refusal, Cancelled, EngineFault. */
export async function openSource(
  path: string,
  fileName: string,
  settings: FileSettings,
  limits: Limits,
  work: string,
  signal?: AbortSignal,
): Promise<Opened> {
  const detected: string[] = []
  let current = path
  let original = true
  let size = (await stat(path)).size
  if (size === 0) throw emptyFile()
  let head = await readHead(path)
  let compression: Opened['compression'] = 'none'
  const magic = head.toString('hex', 0, 4)
  if (magic.startsWith('1f8b')) compression = 'gzip'
  else if (magic === '28b52ffd') compression = 'zstd'
  if (compression !== 'none') {
    detected.push('compression')
    current = join(work, 'unpacked')
    original = false
    size = await unpack(path, current, compression, size, limits, signal)
    if (size === 0) throw emptyFile()
    head = await readHead(current)
  }
  const format = decideFormat(head, fileName, settings, detected)
  if (format === 'parquet') return { path: current, size, format, compression, detected, original, repair: false }
  const encoding = decideEncoding(head, settings, detected)
  if (encoding !== 'utf-8') {
    const converted = join(work, 'utf-8')
    size = await convert(current, converted, encoding, signal)
    current = converted
    original = false
    head = await readHead(current)
  }
  const repair = REPAIR_BEGINNING.test(head.toString('utf8', 0, 100))
  return {
    path: current,
    size,
    format: repair ? 'csv' : format,
    compression,
    encoding,
    detected,
    original,
    repair,
  }
}

const emptyFile = (): Refusal =>
  new Refusal('empty_file', 'The file is empty.', 'Export it again and check its size before you drop it.')

async function readHead(path: string): Promise<Buffer> {
  const file = await openFile(path)
  try {
    const buffer = Buffer.alloc(HEAD)
    const { bytesRead } = await file.read(buffer, 0, HEAD, 0)
    return buffer.subarray(0, bytesRead)
  } finally {
    await file.close()
  }
}

async function unpack(
  from: string,
  to: string,
  compression: 'gzip' | 'zstd',
  packed: number,
  limits: Limits,
  signal?: AbortSignal,
): Promise<number> {
  let size = 0
  const guard = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      size += chunk.length
      const bomb = size > limits.maxExpandedBytes || (size > 64 << 20 && size > packed * limits.maxExpansion)
      if (!bomb) return done(null, chunk)
      done(
        new Refusal(
          'expands_too_much',
          `The compressed file (${packed.toLocaleString('en')} bytes) unpacks to more than ${size.toLocaleString('en')} bytes, which is beyond the limit.`,
          `If the file is genuine, drop it uncompressed or in parts, or raise limits.maxExpansion (${limits.maxExpansion}) or limits.maxExpandedBytes.`,
        ),
      )
    },
  })
  try {
    const packedBytes = createReadStream(from)
    const target = createWriteStream(to)
    if (compression === 'gzip') await pipeline(packedBytes, createGunzip(), guard, target, { signal })
    else await pipeline(packedBytes, unpackFrames, guard, target, { signal })
  } catch (error) {
    if (error instanceof Refusal) throw error
    const { name, code, message } = error as NodeJS.ErrnoException
    if (name === 'AbortError') throw new Cancelled()
    if (isStorage(code)) throw new EngineFault(`Could not unpack the file: ${message}.`, { cause: error })
    throw new Refusal(
      'broken_archive',
      code === 'Z_BUF_ERROR' || /end|trunc|incomplete/i.test(message)
        ? `The ${compression} file is cut off: it ends before its data does.`
        : `The ${compression} file is damaged and cannot be unpacked (${message}).`,
      'Send the file again; a transfer that broke off often looks like this.',
    )
  }
  return size
}

/**
 * All frames of a zstd file: parallel compressors write many, and files that were put together have several. Node's stream
 * stops at the end of the first one and says nothing of the rest, so each frame gets a stream of its own.
 */
async function* unpackFrames(packed: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  const chunks = packed[Symbol.asyncIterator]()
  let rest = (await chunks.next()).value as Buffer | undefined
  while (rest !== undefined && rest.length > 0) {
    const frame = createZstdDecompress()
    const feeding = feedFrame(frame, rest, chunks)
    feeding.catch(() => {}) // what breaks the frame is thrown by reading it
    yield* frame as AsyncIterable<Buffer>
    rest = await feeding
  }
}

/** Writes into one frame's stream until the frame, or the file, ends; gives the bytes that follow the frame. */
async function feedFrame(
  frame: ReturnType<typeof createZstdDecompress>,
  first: Buffer,
  chunks: AsyncIterator<Buffer>,
): Promise<Buffer | undefined> {
  for (let chunk = first; ; ) {
    const before = frame.bytesWritten
    await new Promise<void>((done, fail) => frame.write(chunk, (error) => (error ? fail(error) : done())))
    const used = frame.bytesWritten - before
    const next = used < chunk.length ? undefined : await chunks.next()
    if (next === undefined || next.done) {
      frame.end()
      return next === undefined ? chunk.subarray(used) : undefined
    }
    chunk = next.value
  }
}

function isStorage(code: string | undefined): boolean {
  return code !== undefined && /^(ENOSPC|EACCES|EROFS|EMFILE|ENFILE|EIO|EDQUOT|EPERM|ENOENT)$/.test(code)
}

function decideFormat(head: Buffer, fileName: string, settings: FileSettings, detected: string[]): FileFormat {
  const hex = head.toString('hex', 0, 8)
  const parquet = hex.startsWith('50415231')
  const extensions = fileName.toLowerCase().split('.').slice(1).reverse()
  const byName = EXTENSIONS[extensions.find((e) => e !== 'gz' && e !== 'zst' && e !== 'gzip' && e !== 'zstd') ?? '']
  const told = settings.format
  if (told === undefined) detected.push('format')
  const wanted = told ?? (parquet ? 'parquet' : byName)
  if (wanted === 'parquet' || parquet) {
    if (!parquet) {
      throw new Refusal(
        'not_parquet',
        'The file is not Parquet: it does not begin as a Parquet file does.',
        'Check that the right file was dropped.',
      )
    }
    if (wanted !== 'parquet') {
      throw new Refusal(
        'wrong_format',
        `The file is Parquet, and the contract expects ${wanted}.`,
        'Drop the file in the format of the contract.',
      )
    }
    return 'parquet'
  }
  const what = MAGIC.find(([magic]) => hex.startsWith(magic))?.[1]
  if (what !== undefined || looksBinary(head)) {
    throw new Refusal(
      'binary_file',
      `The file is ${what ?? 'binary data'}, not text.`,
      what?.includes('Excel')
        ? 'In Excel, use "Save as" and choose CSV UTF-8.'
        : 'Export it as CSV, JSON or Parquet and drop that.',
    )
  }
  if (wanted !== undefined) return wanted
  const first = head
    .toString('utf8')
    .replace(/^\ufeff/, '')
    .trimStart()[0]
  return first === '[' ? 'json' : first === '{' ? 'ndjson' : 'csv'
}

/** Control characters that no text holds; UTF-16 is full of NULs and is told apart by where they stand. */
function looksBinary(head: Buffer): boolean {
  if (utf16(head) !== undefined) return false
  let control = 0
  for (const byte of head)
    if (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13 && byte !== 12 && byte !== 27) control++
  return control > head.length / 20
}

function utf16(head: Buffer): 'utf-16le' | 'utf-16be' | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  let even = 0
  let odd = 0
  const length = Math.min(head.length, 1000) & ~1
  for (let i = 0; i < length; i += 2) {
    if (head[i] === 0) even++
    if (head[i + 1] === 0) odd++
  }
  if (odd > length * 0.3 && even < length * 0.05) return 'utf-16le'
  if (even > length * 0.3 && odd < length * 0.05) return 'utf-16be'
  return undefined
}

type TextEncoding = 'utf-8' | 'utf-16le' | 'utf-16be' | 'windows-1252'

function decideEncoding(head: Buffer, settings: FileSettings, detected: string[]): TextEncoding {
  const told = settings.encoding
  const found = utf16(head)
  if (told === undefined) {
    detected.push('encoding')
    return found ?? 'utf-8'
  }
  if (told === 'latin-1') return 'windows-1252' // as browsers do: a superset of ISO 8859-1 where that has only control codes
  if (told === 'utf-16') return found ?? 'utf-16le'
  if (told === 'utf-8' && found !== undefined) {
    throw new Refusal(
      'wrong_encoding',
      `The file is ${found.toUpperCase()}, and the contract expects UTF-8.`,
      'Save the file as UTF-8.',
    )
  }
  return told
}

async function convert(
  from: string,
  to: string,
  encoding: Exclude<TextEncoding, 'utf-8'>,
  signal?: AbortSignal,
): Promise<number> {
  const decoder = new TextDecoder(encoding, { fatal: true })
  const out = createWriteStream(to)
  let size = 0
  const write = async (text: string): Promise<void> => {
    const bytes = Buffer.from(text, 'utf8')
    size += bytes.length
    if (!out.write(bytes)) await once(out, 'drain')
  }
  try {
    for await (const chunk of createReadStream(from, { highWaterMark: 1 << 20 })) {
      if (signal?.aborted) throw new Cancelled()
      await write(decoder.decode(chunk as Buffer, { stream: true }))
    }
    await write(decoder.decode())
    out.end()
    await once(out, 'finish')
    return size
  } catch (error) {
    out.destroy()
    if (error instanceof TypeError) {
      throw new Refusal(
        'wrong_encoding',
        `The file is not valid ${encoding.toUpperCase()}.`,
        'Save the file as UTF-8 and drop it again.',
      )
    }
    throw error
  }
}
