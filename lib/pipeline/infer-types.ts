// What a sample of texts says about a column's type. Conservative on purpose: a guess that is wrong damages data or rejects good
// rows, a string never does. Every guess comes with the evidence in words. Pure: knows neither files nor contracts.

export interface InferredColumn {
  name: string
  logicalType: 'string' | 'integer' | 'number' | 'boolean' | 'date' | 'timestamp' | 'time' | 'object' | 'array'
  /** JDK pattern for dates and timestamps that are not ISO. */
  format?: string
  /** `decimal(p,s)` where every value has the same number of decimals. */
  physicalType?: string
  required: boolean
  /** What was seen, in a sentence. */
  evidence: string
  /** What to consider: a key, a classification, an ambiguity. */
  hints: string[]
}

export interface InferSettings {
  /** Whether the texts are all of the file, or only its first rows. */
  complete: boolean
  decimalSeparator: '.' | ','
}

const count = new Intl.NumberFormat('en-US')
const INTEGER = /^-?(0|[1-9]\d*)$/
const DECIMAL = /^-?(0|[1-9]\d*)\.\d+$/
const DOUBLE = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/
const BOOLEAN = /^(true|false)$/i
const EMAIL = /^[^@\s,;]+@[^@\s,;]+\.[^@\s,;.]{2,}$/
const CODE_NAME =
  /(^|[_\s-])(zip|zipcode|postcode|postal|plz|phone|telephone|mobile|fax|iban|bic|isbn|issn|ean|upc|gtin|sku|fips|ssn|vat)($|[_\s-])/i
const MAX_BIGINT = 9_223_372_036_854_775_807n

/** Column by column, from rows of texts (null: no value). */
export function inferColumns(columns: string[], rows: (string | null)[][], settings: InferSettings): InferredColumn[] {
  return columns.map((name, index) => {
    const texts = rows.map((row) => row[index] ?? null)
    return inferColumn(name, texts, settings)
  })
}

/** One column, from its texts. */
export function inferColumn(name: string, texts: (string | null)[], settings: InferSettings): InferredColumn {
  const values = texts.filter((text): text is string => text !== null && text.trim() !== '')
  const empty = texts.length - values.length
  const guess = values.length === 0 ? nothing() : guessType(name, values, settings)
  const hints = [...(guess.hints ?? [])]
  const distinct = new Set(values)
  const seen = settings.complete ? '' : ` in the first ${count.format(texts.length)} rows`
  if (values.length > 0) {
    if (empty === 0 && values.length > 1 && distinct.size === values.length && guess.logicalType !== 'number') {
      hints.push(
        `every value${seen} is different: primaryKey: true (with primaryKeyPosition: 1) if it identifies a row`,
      )
    }
    if (guess.logicalType === 'string' && distinct.size <= 12 && values.length >= 20 * distinct.size) {
      const list = [...distinct].slice(0, 12).map((value) => show(value))
      hints.push(
        `only ${plural(distinct.size, 'different value')}: ${list.join(', ')}; a quality rule invalidValues with validValues would hold it to them`,
      )
    }
    const emails = values.filter((value) => EMAIL.test(value)).length
    if (emails >= values.length * 0.9) {
      hints.push(
        'looks like e-mail addresses: consider classification: confidential (values then stay off receipts), and logicalTypeOptions: { format: email }',
      )
    }
  }
  const blanks = empty === 0 ? 'none empty' : `${count.format(empty)} empty`
  const { hints: _, evidence, ...type } = guess
  return {
    name,
    ...type,
    required: settings.complete && empty === 0 && values.length > 0,
    evidence: `${plural(values.length, 'value')}, ${blanks}${seen}${evidence ? `: ${evidence}` : ''}`,
    hints,
  }
}

interface Guess {
  logicalType: InferredColumn['logicalType']
  format?: string
  physicalType?: string
  evidence: string
  hints?: string[]
}

function nothing(): Guess {
  return { logicalType: 'string', evidence: '', hints: ['nothing to learn a type from, so a string'] }
}

function guessType(name: string, values: string[], settings: InferSettings): Guess {
  return (
    guessBoolean(values) ??
    guessNumber(name, values, settings) ??
    guessMoment(values) ??
    guessNested(values) ??
    guessString(values)
  )
}

function guessBoolean(values: string[]): Guess | undefined {
  return values.every((value) => BOOLEAN.test(value))
    ? { logicalType: 'boolean', evidence: 'all true or false' }
    : undefined
}

function guessNumber(name: string, values: string[], settings: InferSettings): Guess | undefined {
  if (values.every((value) => /^-?\d+$/.test(value))) return guessInteger(name, values)
  const texts =
    settings.decimalSeparator === ','
      ? values.map((value) => (value.includes('.') ? 'mixed' : value.replace(',', '.')))
      : values
  if (!texts.every((text) => DOUBLE.test(text) || /^-?\.\d+$/.test(text))) return undefined
  if (texts.some((text) => !Number.isFinite(Number(text)))) return undefined
  const range = between(texts, (a, b) => Number(a) - Number(b))
  const decimals = texts.map((text) => text.split('.')[1]?.length ?? 0)
  const scale = decimals[0] ?? 0
  if (texts.every((text) => DECIMAL.test(text)) && decimals.every((n) => n === scale) && scale >= 2 && scale <= 4) {
    // Head room: this file's longest number is seldom the longest there will be.
    const whole = Math.max(...texts.map((text) => (text.split('.')[0] ?? '').replace('-', '').length))
    return {
      logicalType: 'number',
      physicalType: `decimal(${Math.min(38, Math.max(18, whole + scale + 4))},${scale})`,
      evidence: `all numbers with ${scale} decimals, ${range}; kept exactly`,
    }
  }
  return { logicalType: 'number', evidence: `all numbers, ${range}` }
}

function guessInteger(name: string, values: string[]): Guess {
  const zeros = values.find((value) => !INTEGER.test(value) || value === '-0')
  if (zeros !== undefined) {
    return {
      logicalType: 'string',
      evidence: 'all digits',
      hints: [`leading zeros (${show(zeros)}) would be lost in a number, so a string`],
    }
  }
  const range = between(values, (a, b) => (BigInt(a) < BigInt(b) ? -1 : 1))
  if (values.some((value) => value.length > 20 || BigInt(value) > MAX_BIGINT || BigInt(value) < -MAX_BIGINT)) {
    return {
      logicalType: 'string',
      evidence: `all whole numbers, ${range}`,
      hints: ['too long for a 64-bit number, so a string'],
    }
  }
  if (CODE_NAME.test(name)) {
    return {
      logicalType: 'string',
      evidence: `all whole numbers, ${range}`,
      hints: ['the name says that these are codes, whose leading zeros a number would lose, so a string'],
    }
  }
  return { logicalType: 'integer', evidence: `all whole numbers ${range}` }
}

interface MomentForm {
  kind: 'date' | 'timestamp' | 'time'
  /** Undefined: the contract's default, ISO. */
  format?: string
  pattern: RegExp
  words: string
}

const CLOCK = '(?<h>\\d{2}):(?<min>\\d{2})(?::(?<s>\\d{2})(?:\\.\\d{1,6})?)?'
const FULL_CLOCK = '(?<h>\\d{2}):(?<min>\\d{2}):(?<s>\\d{2})'

// Two-digit years are left out: nobody can tell their century.
const DATES: Omit<MomentForm, 'kind'>[] = [
  { pattern: /^(?<y>\d{4})-(?<m>\d{2})-(?<d>\d{2})$/, words: 'yyyy-MM-dd' },
  { format: 'yyyy/MM/dd', pattern: /^(?<y>\d{4})\/(?<m>\d{2})\/(?<d>\d{2})$/, words: 'yyyy/MM/dd' },
  { format: 'dd.MM.yyyy', pattern: /^(?<d>\d{2})\.(?<m>\d{2})\.(?<y>\d{4})$/, words: 'dd.MM.yyyy' },
  { format: 'dd/MM/yyyy', pattern: /^(?<d>\d{2})\/(?<m>\d{2})\/(?<y>\d{4})$/, words: 'dd/MM/yyyy' },
  { format: 'MM/dd/yyyy', pattern: /^(?<m>\d{2})\/(?<d>\d{2})\/(?<y>\d{4})$/, words: 'MM/dd/yyyy' },
  { format: 'dd-MM-yyyy', pattern: /^(?<d>\d{2})-(?<m>\d{2})-(?<y>\d{4})$/, words: 'dd-MM-yyyy' },
  { format: 'MM-dd-yyyy', pattern: /^(?<m>\d{2})-(?<d>\d{2})-(?<y>\d{4})$/, words: 'MM-dd-yyyy' },
]

const FORMS: MomentForm[] = [
  ...DATES.map((form) => ({ ...form, kind: 'date' as const })),
  {
    kind: 'timestamp',
    pattern: new RegExp(`^(?<y>\\d{4})-(?<m>\\d{2})-(?<d>\\d{2})[T ]${CLOCK}(?:Z|[+-]\\d{2}:?\\d{2})?$`),
    words: 'ISO 8601',
  },
  ...DATES.slice(1).map((form) => ({
    kind: 'timestamp' as const,
    format: `${form.format} HH:mm:ss`,
    pattern: new RegExp(`${form.pattern.source.slice(0, -1)} ${FULL_CLOCK}$`),
    words: `${form.words} HH:mm:ss`,
  })),
  { kind: 'time', pattern: new RegExp(`^${CLOCK}$`), words: 'HH:mm:ss' },
]

function guessMoment(values: string[]): Guess | undefined {
  const fits = FORMS.filter((form) => values.every((value) => isMoment(value, form.pattern)))
  const [first, second] = fits
  if (!first) return undefined
  if (second) {
    const names = fits.map((form) => form.words).join(' and ')
    return {
      logicalType: 'string',
      evidence: `all dates (${show(values[0] ?? '')})`,
      hints: [
        `every value fits ${names}, and the sample cannot decide, so a string; choose: logicalType: ${first.kind}, logicalTypeOptions: { format: ${first.format} }`,
      ],
    }
  }
  return {
    logicalType: first.kind,
    ...(first.format ? { format: first.format } : {}),
    evidence: `all ${first.kind === 'timestamp' ? 'timestamps' : `${first.kind}s`} as ${first.words}, ${between(values, (a, b) => (order(a, first.pattern) < order(b, first.pattern) ? -1 : 1))}`,
  }
}

function isMoment(text: string, pattern: RegExp): boolean {
  const parts = pattern.exec(text)?.groups
  if (!parts) return false
  if (Number(parts.h ?? 0) > 23 || Number(parts.min ?? 0) > 59 || Number(parts.s ?? 0) > 59) return false
  if (parts.y === undefined) return true
  const date = new Date(Date.UTC(2000, Number(parts.m) - 1, Number(parts.d)))
  date.setUTCFullYear(Number(parts.y), Number(parts.m) - 1, Number(parts.d))
  return Number(parts.y) > 0 && date.getUTCMonth() === Number(parts.m) - 1 && date.getUTCDate() === Number(parts.d)
}

function order(text: string, pattern: RegExp): string {
  const parts = pattern.exec(text)?.groups
  return [parts?.y, parts?.m, parts?.d, parts?.h, parts?.min, parts?.s].join(' ')
}

function guessNested(values: string[]): Guess | undefined {
  const shapes = new Set(values.map(shapeOf))
  const [shape] = shapes
  if (shapes.size !== 1 || shape === undefined) return undefined
  return { logicalType: shape, evidence: `all JSON ${shape}s` }
}

function shapeOf(text: string): 'object' | 'array' | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined
  try {
    const value: unknown = JSON.parse(text)
    return Array.isArray(value) ? 'array' : typeof value === 'object' && value !== null ? 'object' : undefined
  } catch {
    return undefined
  }
}

function guessString(values: string[]): Guess {
  const numbers = values.filter((value) => DOUBLE.test(value)).length
  const longest = values.reduce((most, value) => Math.max(most, value.length), 0)
  const hints: string[] = []
  if (numbers >= values.length * 0.5 && numbers < values.length) {
    const odd = [...new Set(values.filter((value) => !DOUBLE.test(value)))]
    hints.push(
      `${count.format(numbers)} look like numbers and ${count.format(values.length - numbers)} do not (${odd.slice(0, 3).map(show).join(', ')}), so a string; if those mean "no value", add them to nullValues`,
    )
  }
  return { logicalType: 'string', evidence: `text of up to ${plural(longest, 'character')}`, hints }
}

/**
 * "," when numbers in the sample are written with a decimal comma beyond doubt: some value has other than three digits after
 * it (1,234 alone could be a thousand), and no column has a decimal point.
 */
export function inferDecimalSeparator(columns: string[], rows: (string | null)[][]): '.' | ',' {
  let comma = false
  for (let index = 0; index < columns.length; index += 1) {
    const values = rows.flatMap((row) => (row[index] ? [row[index] as string] : []))
    if (values.length === 0) continue
    if (values.every((value) => DOUBLE.test(value)) && values.some((value) => value.includes('.'))) return '.'
    if (
      values.every((value) => /^-?(0|[1-9]\d*)(,\d+)?$/.test(value)) &&
      values.some((value) => /,(\d{1,2}|\d{4,})$/.test(value) || /^-?0,/.test(value))
    ) {
      comma = true
    }
  }
  return comma ? ',' : '.'
}

function between(values: string[], compare: (a: string, b: string) => number): string {
  let least = values[0] ?? ''
  let most = least
  for (const value of values) {
    if (compare(value, least) < 0) least = value
    if (compare(value, most) > 0) most = value
  }
  return least === most ? `always ${show(least)}` : `between ${show(least)} and ${show(most)}`
}

function plural(n: number, noun: string): string {
  return `${count.format(n)} ${noun}${n === 1 ? '' : 's'}`
}

/** For a comment: one line, short, no control characters. */
function show(value: string): string {
  const clean = value.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '?')
  const short = clean.length > 40 ? `${Array.from(clean).slice(0, 37).join('')}…` : clean
  return /^[\w.:/+-]+$/.test(short) ? short : JSON.stringify(short)
}
