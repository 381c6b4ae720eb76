// Date and time formats as ODCS writes them (patterns of the JDK's DateTimeFormatter), read strictly: a strptime
// format that gives the value, and a shape that refuses what strptime would take beyond the pattern (1/2/20 for dd/MM/yyyy).

/** A format that cannot be used, and why. */
export class DateFormatError extends Error {
  override name = 'DateFormatError'
}

/** Calendar fields of a text, for bounds given in the column's own format. */
export interface DateFields {
  year: number
  month: number
  day: number
  hour: number
  minute: number
  second: number
  micros: number
  /** Minutes east of UTC; undefined when the text has no offset. */
  offset?: number
}

export interface DateFormat {
  pattern: string
  hasDate: boolean
  hasTime: boolean
  /** `yes`, `no`, or `optional` where an optional section holds it. */
  offset: 'yes' | 'no' | 'optional'
  twoDigitYear: boolean
  /** strptime formats of texts with an offset, and of texts without. */
  withOffset: string[]
  withoutOffset: string[]
  /** RE2 for a full match. */
  shape: string
  /** The text may end in Z instead of an offset; strptime wants +00:00 there. */
  zulu: boolean
  /** Reads one text the same way in TypeScript; undefined when it does not fit. */
  read: (text: string) => DateFields | undefined
}

const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]
const SHORT_MONTHS = MONTHS.map((m) => m.slice(0, 3))
const ALLOWED =
  'yyyy, yy, MM, M, MMM, MMMM, dd, d, HH, H, hh, h, a, mm, ss, S to SSSSSS, X, XX, XXX, x, xx, xxx, Z, quoted text, [optional sections]'

interface Token {
  field:
    | 'year'
    | 'yy'
    | 'month'
    | 'monthName'
    | 'day'
    | 'hour'
    | 'hour12'
    | 'half'
    | 'minute'
    | 'second'
    | 'fraction'
    | 'offset'
    | 'text'
  strptime: string
  shape: string
  /** Digits may vary, so no number may follow at once. */
  open?: boolean
  zulu?: boolean
}

const two = (low: string, single: boolean): string => (single ? `(?:${low.replace('0[', '0?[')})` : `(?:${low})`)

const fieldToken = (letters: string): Token | undefined => {
  const n = letters.length
  const pair = (field: Token['field'], strptime: string, low: string): Token | undefined =>
    n <= 2 ? { field, strptime, shape: two(low, n === 1), open: n === 1 } : undefined
  switch (letters[0]) {
    case 'y':
    case 'u':
      if (n === 4) return { field: 'year', strptime: '%Y', shape: '[0-9]{4}' }
      return n === 2 ? { field: 'yy', strptime: '%y', shape: '[0-9]{2}' } : undefined
    case 'M':
    case 'L':
      if (n === 3) return { field: 'monthName', strptime: '%b', shape: `(?i:${SHORT_MONTHS.join('|')})` }
      if (n === 4) return { field: 'monthName', strptime: '%B', shape: `(?i:${MONTHS.join('|')})` }
      return pair('month', '%m', '0[1-9]|1[0-2]')
    case 'd':
      return pair('day', '%d', '0[1-9]|[12][0-9]|3[01]')
    case 'H':
      return pair('hour', '%H', '0[0-9]|1[0-9]|2[0-3]')
    case 'h':
      return pair('hour12', '%I', '0[1-9]|1[0-2]')
    case 'm':
      return pair('minute', '%M', '0[0-9]|[1-5][0-9]')
    case 's':
      return pair('second', '%S', '0[0-9]|[1-5][0-9]')
    case 'S':
      return n <= 6 ? { field: 'fraction', strptime: '%f', shape: `[0-9]{${n}}` } : undefined
    case 'a':
      return n === 1 ? { field: 'half', strptime: '%p', shape: '(?i:AM|PM)' } : undefined
    case 'X':
    case 'x': {
      const hours = '[+-](?:0[0-9]|1[0-8])'
      const shape = [`${hours}(?:[0-5][0-9])?`, `${hours}[0-5][0-9]`, `${hours}:[0-5][0-9]`][n - 1]
      if (shape === undefined) return undefined
      const zulu = letters[0] === 'X'
      return { field: 'offset', strptime: '%z', shape: zulu ? `(?:Z|${shape})` : `(?:${shape})`, zulu }
    }
    case 'Z':
      return n <= 3 ? { field: 'offset', strptime: '%z', shape: '[+-](?:0[0-9]|1[0-8])[0-5][0-9]' } : undefined
    default:
      return undefined
  }
}

const textToken = (text: string): Token => ({
  field: 'text',
  strptime: text.replaceAll('%', '%%'),
  shape: text.replace(/[^A-Za-z0-9_ ]/gu, (c) => `\\x{${(c.codePointAt(0) ?? 0).toString(16)}}`),
})

/** All ways to read the pattern, one per choice of optional sections. */
const variants = (pattern: string): Token[][] => {
  let lists: Token[][] = [[]]
  const opened: Token[][][] = []
  let i = 0
  while (i < pattern.length) {
    const c = pattern.charAt(i)
    if (c === '[') {
      opened.push(lists.map((list) => [...list]))
      i++
    } else if (c === ']') {
      const without = opened.pop()
      if (!without)
        throw new DateFormatError(
          `the format ${JSON.stringify(pattern)} closes an optional section that was never opened`,
        )
      lists = [...lists, ...without]
      if (lists.length > 16)
        throw new DateFormatError(
          `the format ${JSON.stringify(pattern)} has too many optional sections (16 readings at most)`,
        )
      i++
    } else {
      let token: Token
      if (c === "'") {
        let text = ''
        let end = i + 1
        if (pattern[end] === "'") {
          text = "'"
        } else {
          while (end < pattern.length && !(pattern[end] === "'" && pattern[end + 1] !== "'")) {
            text += pattern.charAt(end)
            end += pattern[end] === "'" ? 2 : 1
          }
          if (end >= pattern.length)
            throw new DateFormatError(`the format ${JSON.stringify(pattern)} has a quote that is not closed`)
        }
        token = textToken(text)
        i = end + 1
      } else if (/[A-Za-z]/.test(c)) {
        let end = i
        while (pattern[end] === c) end++
        const letters = pattern.slice(i, end)
        const field = fieldToken(letters)
        if (!field) {
          throw new DateFormatError(
            `the letters ${JSON.stringify(letters)} of the format ${JSON.stringify(pattern)} are not supported; allowed: ${ALLOWED}`,
          )
        }
        token = field
        i = end
      } else {
        if ('{}#'.includes(c))
          throw new DateFormatError(`the character ${JSON.stringify(c)} is reserved in formats; put it in quotes`)
        token = textToken(c)
        i++
      }
      for (const list of lists) list.push(token)
    }
  }
  if (opened.length > 0)
    throw new DateFormatError(`the format ${JSON.stringify(pattern)} has an optional section that is not closed`)
  return lists
}

const check = (pattern: string, tokens: Token[]): void => {
  const fields: Token['field'][] = tokens.map((t) => t.field).filter((f) => f !== 'text')
  const has = (...names: Token['field'][]): boolean => names.some((n) => fields.includes(n))
  const fail = (why: string): never => {
    throw new DateFormatError(`the format ${JSON.stringify(pattern)} ${why}`)
  }
  const kinds = fields.map((f) => ({ yy: 'year', monthName: 'month', hour12: 'hour' })[f as string] ?? f)
  for (const kind of kinds) if (kinds.indexOf(kind) !== kinds.lastIndexOf(kind)) fail(`has the ${kind} twice`)
  const date = [has('year', 'yy'), has('month', 'monthName'), has('day')]
  if (date.some(Boolean) && !date.every(Boolean)) fail('must have year, month and day together')
  if (has('minute') && !has('hour', 'hour12')) fail('has minutes without hours')
  if (has('second') && !has('minute')) fail('has seconds without minutes')
  if (has('fraction') && !has('second')) fail('has a fraction without seconds')
  if (has('hour12') !== has('half'))
    fail(has('half') ? 'has a (AM/PM) without hh' : 'has hh without a (AM/PM); use HH for 0 to 23')
  if (fields.length === 0) fail('has no field at all')
  if (has('offset') && tokens.at(-1)?.field !== 'offset') fail('must have the offset at its end')
  if (has('offset') && !has('hour', 'hour12')) fail('has an offset without a time')
  tokens.forEach((token, i) => {
    const next = tokens[i + 1]
    if (token.open && next && next.field !== 'text' && /^(?:\[0-9|\(\?:)/.test(next.shape))
      fail('has two numbers next to each other of which the first may have one or two digits')
  })
}

const reader = (tokens: Token[]): ((text: string) => DateFields | undefined) => {
  const source = tokens
    .map((t) => {
      const shape = t.shape.replaceAll('\\x{', '\\u{')
      return t.field === 'text' ? shape : `(?<${t.field}>${shape})`
    })
    .join('')
  const regexp = new RegExp(`^${source}$`, 'u')
  return (text) => {
    const g = regexp.exec(text)?.groups
    if (!g) return undefined
    const number = (name: string, fallback: number): number => (g[name] === undefined ? fallback : Number(g[name]))
    const month =
      g.monthName === undefined
        ? number('month', 1)
        : SHORT_MONTHS.findIndex((m) => m.toLowerCase() === g.monthName?.slice(0, 3).toLowerCase()) + 1
    const hour =
      g.hour12 === undefined
        ? number('hour', 0)
        : (number('hour12', 0) % 12) + (g.half?.toLowerCase() === 'pm' ? 12 : 0)
    const offset = g.offset
    const digits = offset?.replace(/[^0-9]/g, '').padEnd(4, '0')
    return {
      year: g.yy === undefined ? number('year', 1900) : 2000 + number('yy', 0),
      month,
      day: number('day', 1),
      hour,
      minute: number('minute', 0),
      second: number('second', 0),
      micros: Number((g.fraction ?? '').padEnd(6, '0')),
      ...(offset === undefined || digits === undefined
        ? {}
        : {
            offset:
              offset === 'Z'
                ? 0
                : (offset.startsWith('-') ? -1 : 1) * (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4))),
          }),
    }
  }
}

/** Reads a JDK pattern. Throws a DateFormatError that names what is not possible. */
export const readDateFormat = (pattern: string): DateFormat => {
  if (pattern.length > 200) throw new DateFormatError('the format is longer than 200 characters')
  // `ISO_LOCAL_DATE` and the like are names of constants, not patterns.
  if (/^[A-Z]+_[A-Z_]+$/.test(pattern))
    throw new DateFormatError(
      `the format ${JSON.stringify(pattern)} is not a pattern; leave it out for ISO 8601, or write e.g. yyyy-MM-dd`,
    )
  const all = variants(pattern)
  for (const tokens of all) check(pattern, tokens)
  const has = (tokens: Token[], ...fields: Token['field'][]): boolean => tokens.some((t) => fields.includes(t.field))
  const withDate = all.filter((t) => has(t, 'day'))
  if (withDate.length !== 0 && withDate.length !== all.length)
    throw new DateFormatError(`the format ${JSON.stringify(pattern)} has the date in an optional section`)
  const offsets = all.filter((t) => has(t, 'offset'))
  const strptime = (list: Token[][]): string[] => [
    ...new Set(list.map((tokens) => tokens.map((t) => t.strptime).join(''))),
  ]
  const readers = all.map(reader)
  return {
    pattern,
    hasDate: withDate.length > 0,
    hasTime: all.some((t) => has(t, 'hour', 'hour12')),
    offset: offsets.length === 0 ? 'no' : offsets.length === all.length ? 'yes' : 'optional',
    twoDigitYear: all.some((t) => has(t, 'yy')),
    withOffset: strptime(offsets),
    withoutOffset: strptime(all.filter((t) => !offsets.includes(t))),
    shape:
      all.length === 1
        ? all.map((tokens) => tokens.map((t) => t.shape).join('')).join('')
        : `(?:${all.map((tokens) => tokens.map((t) => t.shape).join('')).join('|')})`,
    zulu: all.some((tokens) => tokens.some((t) => t.zulu)),
    read: (text) => {
      for (const read of readers) {
        const fields = read(text)
        if (fields && isRealDate(fields)) return fields
      }
      return undefined
    },
  }
}

/** Whether the day exists in the calendar (years 1 to 9999). */
export const isRealDate = ({ year, month, day }: DateFields): boolean => {
  if (year < 1 || year > 9999 || month < 1 || month > 12 || day < 1) return false
  const leap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0)
  return day <= ([31, leap ? 29 : 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31][month - 1] ?? 0)
}
