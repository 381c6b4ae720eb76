// Numbers, sizes, times and strange characters as people read them. Shared by the text and the HTML receipt and the command line.

const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const tenth = new Intl.NumberFormat('en-US', { maximumFractionDigits: 1 })
const moment = new Intl.DateTimeFormat('en-GB', {
  dateStyle: 'medium',
  timeStyle: 'short',
  timeZone: 'UTC',
})

/** 1204 → "1,204". */
export function formatCount(n: number): string {
  return whole.format(n)
}

/** "1 row", "1,204 rows". */
export function formatRows(n: number, noun = 'row'): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`
}

/**
 * A share in percent that never rounds something to nothing or nearly all to all: one reject in a million is "under 0.1 %",
 * not "0 %", and the rest of that file is "over 99.9 %", not "100 %".
 */
export function formatShare(part: number, all: number): string {
  if (all === 0) return '–'
  const percent = (part / all) * 100
  if (part > 0 && percent < 0.1) return 'under 0.1 %'
  if (part < all && percent > 99.9) return 'over 99.9 %'
  return `${tenth.format(percent)} %`
}

/** Digits of a figure that people get to see. */
const DIGITS = 6

/**
 * Rounds the figure in "found 82.24181360201511": six digits say enough. It stays on the same side of every number that the
 * `rule` names, with more digits where it must: 80.0000001 does not hold "at most 80", and does not look as if it did.
 */
export function formatFigure(text: string, rule = text): string {
  return text.replace(/\bfound (-?\d+\.\d+(?:e[+-]?\d+)?)(?=\)|$)/gi, (found: string, figure: string) => {
    const exact = Number(figure)
    const bounds = (rule.replace(found, '').match(/-?\d+(?:\.\d+)?/g) ?? []).map(Number)
    // Nearer to a bound than numbers tell apart, or a rule without any: the figure itself is what there is to say.
    if (bounds.length === 0 || bounds.includes(exact)) return found
    const whole = Math.abs(exact) < 1 ? 0 : Math.trunc(Math.abs(exact)).toString().length
    for (let digits = Math.max(DIGITS, whole + 1); digits < 16; digits++) {
      const rounded = Number(exact.toPrecision(digits))
      if (bounds.every((bound) => Math.sign(rounded - bound) === Math.sign(exact - bound))) return `found ${rounded}`
    }
    return found
  })
}

/** Bytes in decimal units, as file managers show them: 288,000,000 → "288 MB". */
export function formatBytes(bytes: number): string {
  const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const
  let value = bytes
  let index = 0
  while (value >= 999.95 && index < units.length - 1) {
    value /= 1000
    index += 1
  }
  return new Intl.NumberFormat('en-US', {
    style: 'unit',
    unit: units[index] ?? 'byte',
    unitDisplay: index === 0 ? 'long' : 'short',
    maximumFractionDigits: value < 100 && index > 0 ? 1 : 0,
  }).format(value)
}

/** Milliseconds: "40 ms", "0.3 s", "2 min 5 s", "1 h 4 min". */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 95) return `${whole.format(milliseconds)} ms`
  if (milliseconds < 59_950) return `${tenth.format(milliseconds / 1000)} s`
  const seconds = Math.round(milliseconds / 1000)
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`
}

/** An ISO instant as "22 Nov 2026, 12:01 UTC". */
export function formatMoment(iso: string): string {
  return `${moment.format(new Date(iso))} UTC`
}

const NAMED: Record<string, string> = {
  '\u00a0': 'no-break space',
  '\u202f': 'narrow no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u200e': 'left-to-right mark',
  '\u200f': 'right-to-left mark',
  '\u202e': 'right-to-left override',
  '\ufeff': 'byte order mark',
}

// Controls, lone surrogates, bidi controls, invisible and odd spaces. Zero-width joiners stay where an emoji or a script needs them.
const STRANGE =
  /[\p{Cc}\p{Cs}\u00a0\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202f\u2060-\u2069\ufeff\ufff9-\ufffb\u{e0000}-\u{e007f}]|(?<!\p{Extended_Pictographic}|\p{M}|\p{Emoji_Modifier}|\p{Script=Arabic})[\u200c\u200d]|[\u200c\u200d](?!\p{Extended_Pictographic}|\p{L})/gu

/**
 * The text with every control, bidi and invisible character made visible, so that nothing in a cell can steer a terminal,
 * turn a line around or hide why a value was not the one allowed.
 */
export function visible(text: string): string {
  return text.replace(STRANGE, (char) => {
    const code = char.codePointAt(0) ?? 0
    if (code < 0x20) return String.fromCodePoint(0x2400 + code)
    if (code === 0x7f) return '\u2421'
    return `⟨${NAMED[char] ?? `U+${code.toString(16).toUpperCase().padStart(4, '0')}`}⟩`
  })
}

/** A cell for people: visible, and shortened in the middle where it is very long, saying how long it was. */
export function shorten(text: string, most = 120): string {
  if (text.length <= most) return visible(text)
  // Whole characters: a cut through a surrogate pair would show half a character.
  const head = Array.from(text.slice(0, most))
    .slice(0, most - 20)
    .join('')
  const tail = Array.from(text.slice(-20)).slice(-10).join('')
  return `${visible(head)} … ${visible(tail)} (${formatCount(text.length)} characters)`
}

/** Quoted for a POSIX shell, only where it must be, so that a printed command can be copied. */
export function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) && !text.startsWith('-') ? text : `'${text.replaceAll("'", `'\\''`)}'`
}
