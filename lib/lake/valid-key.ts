// Which keys a lake can hold, and the order in which S3 lists them: the same on every adapter.

import { InvalidKey } from './errors.ts'

const MAX_KEY_BYTES = 1024

/** Throws InvalidKey, saying why, when no zone of any lake can hold the key. Gives its segments. */
export function checkKey(key: string): string[] {
  if (key === '') throw new InvalidKey(key, 'it is empty.')
  if (key.startsWith('/')) throw new InvalidKey(key, 'it starts with "/"; keys are relative to their zone.')
  if (key.endsWith('/')) throw new InvalidKey(key, 'it ends in "/", which names a folder; add a file name.')
  if (key.includes('\0')) throw new InvalidKey(key, 'it holds a NUL character.')
  if (!key.isWellFormed()) throw new InvalidKey(key, 'it is not valid Unicode (half of a surrogate pair).')
  const bytes = Buffer.byteLength(key)
  if (bytes > MAX_KEY_BYTES) throw new InvalidKey(key, `it is ${bytes} bytes long; ${MAX_KEY_BYTES} is the most.`)
  const segments = key.split('/')
  for (const segment of segments) {
    if (segment === '') throw new InvalidKey(key, 'it has an empty segment ("//").')
    if (segment === '.' || segment === '..') throw new InvalidKey(key, `it has a segment ${JSON.stringify(segment)}.`)
  }
  return segments
}

/** Compares as S3 lists: by UTF-8 bytes. (UTF-16 order differs: surrogates sort below U+E000 to U+FFFF there.) */
export function compareKeys(a: string, b: string): number {
  const end = Math.min(a.length, b.length)
  for (let i = 0; i < end; i++) {
    const x = a.charCodeAt(i)
    const y = b.charCodeAt(i)
    if (x !== y) return rank(x) - rank(y)
  }
  return a.length - b.length
}

const rank = (unit: number): number => (unit < 0xd800 ? unit : unit < 0xe000 ? unit + 0x2000 : unit - 0x800)
