// The patterns of date_format and date_parse, which are MySQL's, as DuckDB's. A pattern in letters that mean something else in
// DuckDB (%M, %c, %i, …) must never be passed on as it is.

type Refuse = (construct: string, advice: string) => Error

const WRITTEN: Readonly<Record<string, string>> = {
  Y: '%Y',
  y: '%y',
  m: '%m',
  c: '%-m',
  d: '%d',
  e: '%-d',
  j: '%j',
  H: '%H',
  k: '%-H',
  h: '%I',
  I: '%I',
  l: '%-I',
  i: '%M',
  s: '%S',
  S: '%S',
  f: '%f',
  p: '%p',
  T: '%H:%M:%S',
  r: '%I:%M:%S %p',
  M: '%B',
  b: '%b',
  W: '%A',
  a: '%a',
  v: '%V',
  x: '%G',
  '%': '%%',
}
const MONTHS = 'January February March April May June July August September October November December'.split(' ')
/** What can be read again, with the texts that are read. */
const READ: Readonly<Record<string, readonly [string, string]>> = {
  Y: ['%Y', '[0-9]{4}'],
  m: ['%m', '[0-9]{1,2}'],
  c: ['%m', '[0-9]{1,2}'],
  d: ['%d', '[0-9]{1,2}'],
  e: ['%d', '[0-9]{1,2}'],
  H: ['%H', '[0-9]{1,2}'],
  k: ['%H', '[0-9]{1,2}'],
  i: ['%M', '[0-9]{1,2}'],
  s: ['%S', '[0-9]{1,2}'],
  S: ['%S', '[0-9]{1,2}'],
  T: ['%H:%M:%S', '[0-9]{1,2}:[0-9]{1,2}:[0-9]{1,2}'],
  h: ['%I', '(0?[1-9]|1[0-2])'],
  I: ['%I', '(0?[1-9]|1[0-2])'],
  l: ['%I', '(0?[1-9]|1[0-2])'],
  p: ['%p', '[AaPp][Mm]'],
  f: ['%f', '[0-9]{1,6}'],
  b: ['%b', `(?i:${MONTHS.map((name) => name.slice(0, 3)).join('|')})`],
  M: ['%B', `(?i:${MONTHS.join('|')})`],
  '%': ['%%', '%'],
}

/** A pattern of date_format for DuckDB's strftime. */
export function toDateFormat(format: string, refuse: Refuse): string {
  return pieces(format)
    .map((piece) => {
      if (!piece.startsWith('%')) return piece
      const found = WRITTEN[piece.slice(1)]
      if (found === undefined) throw refuse(`The pattern ${piece}`, `date_format knows ${known(WRITTEN)}.`)
      return found
    })
    .join('')
}

/** A pattern of date_parse for DuckDB's strptime, and how the text must look. */
export function fromDateFormat(format: string, refuse: Refuse): { format: string; shape: string } {
  const read = pieces(format).map((piece): readonly [string, string] => {
    if (!piece.startsWith('%')) return [piece, piece.replaceAll(/[\\^$.*+?()[\]{}|]/g, '\\$&')]
    const found = READ[piece.slice(1)]
    if (!found) throw refuse(`The pattern ${piece} in date_parse`, `date_parse knows ${known(READ)}.`)
    return found
  })
  const has = (...all: string[]) => all.some((one) => pieces(format).includes(`%${one}`))
  if (!has('Y') || (has('d', 'e') && !has('m', 'c', 'b', 'M')))
    throw refuse(`The pattern ${format} in date_parse`, 'It must have a year (%Y), and a month (%m) with a day (%d).')
  if (has('h', 'I', 'l') !== has('p'))
    throw refuse(`The pattern ${format} in date_parse`, 'Hours up to 12 (%h) stand with AM or PM (%p), others are %H.')
  return { format: read.map(([one]) => one).join(''), shape: read.map(([, one]) => one).join('') }
}

const pieces = (format: string): string[] => format.match(/%[\s\S]?|[^%]+/g) ?? []
const known = (table: object): string =>
  Object.keys(table)
    .map((letter) => `%${letter}`)
    .join(' ')
