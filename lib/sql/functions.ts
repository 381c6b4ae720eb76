// The functions of Athena's SQL that the embedded lake knows: this is the allow-list. Each says what DuckDB must be asked so that
// the answer is Athena's, and has a case in test/sql. Any other function is refused by name.

import type { Call } from './ast.ts'
import { exactText } from './casts.ts'
import { fromDateFormat, toDateFormat } from './date-format.ts'
import { as, type Expressions, quotient, raise, type Typed } from './expressions.ts'
import { checkedPattern, checkedReplacement } from './pattern.ts'
import { text } from './quote.ts'
import * as t from './types.ts'
import { athenaName, type Type } from './types.ts'

export interface Use {
  args: Typed[]
  call: Call
  at: number
  name: string
  on: Expressions
  /** The call of an aggregate or window function, with DISTINCT, ORDER BY, FILTER and OVER. */
  wrap(fn: string, ...sqls: string[]): string
  /** The lambda that is an argument, for values of these types. */
  lambda(index: number, types: Type[]): Typed
}

type Made = Pick<Typed, 'sql' | 'type' | 'asNumber'>

export interface Known {
  kind: 'scalar' | 'aggregate' | 'window'
  takes: [number, number]
  lambdas?: number[]
  make(use: Use): Made
}

/** Functions of Athena that differ here or are not there, and of DuckDB that Athena has not: what to write instead. */
export const REFUSED_FUNCTIONS: Readonly<Record<string, string>> = {
  string_agg: "Write listagg(x, ',') WITHIN GROUP (ORDER BY x).",
  group_concat: "Write listagg(x, ',') WITHIN GROUP (ORDER BY x).",
  list: 'Write array_agg(x).',
  list_value: 'Write ARRAY[…].',
  len: 'Write length(text) or cardinality(array).',
  array_length: 'Write cardinality(array).',
  list_contains: 'Write contains(array, x).',
  ifnull: 'Write coalesce(x, y).',
  nvl: 'Write coalesce(x, y).',
  median: 'Write approx_percentile(x, 0.5).',
  quantile_cont: 'Write approx_percentile(x, 0.5).',
  first: 'Write min_by(x, y), or arbitrary(x).',
  last: 'Write max_by(x, y).',
  mode: 'Count in a subquery and take max_by(x, n).',
  arg_max: 'Write max_by(x, y).',
  arg_min: 'Write min_by(x, y).',
  strftime: "Write date_format(x, '%Y-%m-%d').",
  strptime: "Write date_parse(text, '%Y-%m-%d').",
  regexp_matches: 'Write regexp_like(text, pattern).',
  contains_text: 'Write strpos(text, part) > 0.',
  left: 'Write substr(text, 1, n).',
  right: 'Write substr(text, -n).',
  instr: 'Write strpos(text, part).',
  ends_with: "Write text LIKE '%part'.",
  string_split: 'Write split(text, separator).',
  str_split: 'Write split(text, separator).',
  range: 'Write sequence(first, last), which includes the last.',
  generate_series: 'Write sequence(first, last).',
  unnest: 'Write CROSS JOIN UNNEST(array) AS t(x).',
  list_transform: 'Write transform(array, x -> …).',
  list_filter: 'Write filter(array, x -> …).',
  struct_pack: 'Write CAST(ROW(…) AS ROW(name type, …)).',
  typeof: 'DESCRIBE a table says its types.',
  epoch: 'Write to_unixtime(x).',
  date_part: 'Write extract(year FROM x), or year(x).',
  datediff: "Write date_diff('day', from, to).",
  dateadd: "Write date_add('day', n, x).",
  to_char: "Write date_format(x, '%Y-%m-%d').",
  to_date: "Write date_parse(text, '%Y-%m-%d').",
  to_timestamp: 'Write from_unixtime(x).',
  json_extract_string: 'Write json_extract_scalar(json, path).',
  at_timezone: "Timestamps of the lake are UTC; add the difference: x + INTERVAL '1' HOUR.",
  with_timezone: 'Timestamps of the lake are UTC.',
  parse_datetime: "Write date_parse(text, '%Y-%m-%d').",
  format_datetime: "Write date_format(x, '%Y-%m-%d').",
  format: 'Write x || y, with CAST(x AS varchar) around numbers.',
  typeof_json: 'Write json_extract_scalar(json, path).',
  json_format: 'Write json_extract_scalar(json, path); of a list: json_format(CAST(list AS JSON)).',
  json_query: 'Write json_extract(json, path).',
  json_value: 'Write json_extract_scalar(json, path).',
  json_exists: 'Write json_extract(json, path) IS NOT NULL.',
  array_sum: 'Write reduce(array, 0, (s, x) -> s + x, s -> s).',
  array_except: 'Write filter(a, x -> NOT contains(b, x)).',
  array_intersect: 'Write filter(a, x -> contains(b, x)).',
  array_union: 'Write array_distinct(a || b).',
  multimap_agg: 'Group by the key and use array_agg.',
  map_filter: 'Use CROSS JOIN UNNEST(map) AS t(key, value).',
  transform_values: 'Use CROSS JOIN UNNEST(map) AS t(key, value).',
  transform_keys: 'Use CROSS JOIN UNNEST(map) AS t(key, value).',
  zip: 'Use CROSS JOIN UNNEST(a, b) AS t(x, y).',
  approx_most_frequent: 'Group, sort by count(*) and LIMIT.',
  numeric_histogram: 'Group by floor(x / width).',
  levenshtein_distance: 'There is nothing like it here.',
  cbrt: 'Write power(x, 1e0 / 3).',
  soundex: 'There is nothing like it here.',
  normalize: 'There is nothing like it here.',
  regexp_split: 'Write split(text, separator).',
  regexp_position: 'Write strpos(text, part).',
  bitwise_and: 'There is nothing like it here.',
  bitwise_or: 'There is nothing like it here.',
  uuid: 'An answer should be the same each time.',
  rand: 'An answer should be the same each time.',
  random: 'An answer should be the same each time.',
  shuffle: 'An answer should be the same each time.',
  current_timezone: 'It is UTC.',
  human_readable_seconds: 'There is nothing like it here.',
  read_csv: "A query reads the lake's own tables and nothing else.",
  read_parquet: "A query reads the lake's own tables and nothing else.",
  read_text: "A query reads the lake's own tables and nothing else.",
}

export function functionNamed(name: string): { found: Known } | { found: undefined; advice: string } {
  const found = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined
  if (found) return { found }
  const advice = Object.hasOwn(REFUSED_FUNCTIONS, name) ? REFUSED_FUNCTIONS[name] : undefined
  const close = Object.keys(FUNCTIONS).filter(
    (known) => known.includes(name) || (known.length > 3 && name.includes(known)),
  )
  return {
    found: undefined,
    advice:
      advice ??
      `${close.length > 0 ? `There is ${close.slice(0, 3).join(', ')}. ` : ''}Which functions there are says docs/athena-sql.md.`,
  }
}

// --- how arguments are taken ---

const bad = ({ on, name }: Use, arg: Typed | undefined, wanted: string) =>
  on.wrong(arg?.at ?? 0, `${name} takes ${wanted} here, and this is ${athenaName(arg?.type ?? t.UNKNOWN)}.`)

function arg({ args, on, name, at }: Use, index: number): Typed {
  const found = args[index]
  if (!found) throw on.wrong(at, `${name} lacks an argument.`)
  return found
}
const typed = (use: Use, index: number, type: Type): string =>
  use.on.taken(arg(use, index), type, `what ${use.name} takes here`)
const string = (use: Use, index: number): string => typed(use, index, t.VARCHAR)
const double = (use: Use, index: number): string => typed(use, index, t.DOUBLE)
const whole = (use: Use, index: number): string => typed(use, index, t.BIGINT)

function number(use: Use, index: number): Typed {
  const found = arg(use, index)
  if (found.type.of === 'unknown') return { ...found, sql: 'CAST(NULL AS INTEGER)', type: t.INTEGER }
  if (!t.isNumber(found.type)) throw bad(use, found, 'a number')
  return found
}
function day(use: Use, index: number): Typed {
  const found = arg(use, index)
  if (found.type.of === 'unknown') return { ...found, sql: 'CAST(NULL AS TIMESTAMP)', type: t.TIMESTAMP }
  if (!['date', 'timestamp', 'instant'].includes(found.type.of)) throw bad(use, found, 'a date or a timestamp')
  return found
}
function array(use: Use, index: number): { sql: string; item: Type } {
  const { sql, type, at } = arg(use, index)
  if (type.of !== 'array') throw bad(use, { sql, type, at }, 'an array')
  return { sql, item: type.item }
}
function literal(use: Use, index: number, what: string): string {
  const found = arg(use, index)
  if (found.literal === undefined || found.type.of !== 'varchar')
    throw use.on.refuse(found.at, `A computed ${what} in ${use.name}`, "Write it as a text: '…'.")
  return found.literal
}
function json(use: Use, index: number): string {
  const found = arg(use, index)
  if (found.type.of !== 'json' && found.type.of !== 'varchar' && found.type.of !== 'unknown')
    throw bad(use, found, 'JSON or a text')
  return found.type.of === 'unknown' ? 'CAST(NULL AS VARCHAR)' : `CAST(${found.sql} AS VARCHAR)`
}
/** A path as `$.a.b[0]`, with plain names. */
function jsonPath(use: Use, index: number): string {
  const path = literal(use, index, 'path')
  if (!/^\$(\.[A-Za-z_]\w*|\[\d+\]|\["[^"\\*]+"\])*$/.test(path))
    throw use.on.refuse(arg(use, index).at, `The path ${path}`, "Write '$.name', '$[0]' or '$[\"name\"]'.")
  return text(path.replaceAll(/\["([^"]+)"\]/g, '."$1"'))
}

const unitOf = (use: Use): string => literal(use, 0, 'unit').toLowerCase()
const DAYS = ['day', 'week', 'month', 'quarter', 'year']
const TIMES = ['millisecond', 'second', 'minute', 'hour']
function checkUnit(use: Use, unit: string, day: Type): void {
  const known = day.of === 'date' ? DAYS : [...TIMES, ...DAYS]
  if (!known.includes(unit))
    throw use.on.wrong(
      arg(use, 0).at,
      `'${unit}' is no unit of a ${athenaName(day)}. The units are ${known.join(', ')}.`,
    )
}

/** Stops where [0] meets an object: Athena looks for a field "0" there. */
function onlyArrays(use: Use, of: string, type: Type): string {
  const path = arg(use, 1).literal ?? ''
  const stop = raise(`${use.name}: ${path} asks for a place in an array, and there is an object.`, type)
  return [...path.matchAll(/\[\d+\]/g)]
    .map(({ index }) => path.slice(0, index).replaceAll(/\["([^"]+)"\]/g, '."$1"'))
    .map((before) => ` WHEN json_type(${of}, ${text(before)}) = 'OBJECT' THEN ${stop}`)
    .join('')
}

/** Stops at a text that is no JSON as a whole, but begins like some: Athena finds in it what comes before the fault. */
const wholeJson = (use: Use, of: string, type: Type): string => {
  const stop = raise(
    `${use.name} found a text that begins like JSON and is none as a whole. Athena reads up to the fault, so that its answer may be anything: leave such texts out, or take TRY(${use.name}(…)) for NULL.`,
    type,
  )
  return `WHEN NOT json_valid(${of}) THEN (CASE WHEN regexp_matches(${of}, '^\\s*[\\[{"0-9-]') THEN ${stop} END)`
}

const anyNull = (sqls: string[], sql: string): string =>
  `(CASE WHEN ${sqls.map((one) => `${one} IS NULL`).join(' OR ')} THEN NULL ELSE ${sql} END)`

// --- kinds of functions ---

const scalar = (takes: [number, number], make: Known['make'], lambdas?: number[]): Known => ({
  kind: 'scalar',
  takes,
  make,
  ...(lambdas ? { lambdas } : {}),
})
const aggregate = (takes: [number, number], make: Known['make']): Known => ({ kind: 'aggregate', takes, make })
const windowed = (takes: [number, number], make: Known['make']): Known => ({ kind: 'window', takes, make })

/** A function of one double. */
const ofDouble = (fn: string): Known => scalar([1, 1], (use) => ({ sql: `${fn}(${double(use, 0)})`, type: t.DOUBLE }))
/** A function of one text. */
const ofText = (fn: string, type: Type = t.VARCHAR): Known =>
  scalar([1, 1], (use) => ({ sql: `${fn}(${string(use, 0)})`, type }))
/** A number out of a date. */
const dayPart = (fn: string): Known => scalar([1, 1], (use) => ({ sql: `${fn}(${day(use, 0).sql})`, type: t.BIGINT }))
const timePart = (fn: string): Known =>
  scalar([1, 1], (use) => {
    const of = day(use, 0)
    if (of.type.of === 'date') throw bad(use, of, 'a timestamp')
    return { sql: fn.replace('?', of.sql), type: t.BIGINT }
  })
/** An aggregate of doubles. */
const statistic = (fn: string): Known =>
  aggregate([1, 1], (use) => ({ sql: use.wrap(fn, double(use, 0)), type: t.DOUBLE }))
/** An aggregate of pairs: of reals, also where both are whole numbers or decimals. What has no result is NULL. */
const ofPairs = (fn: string): Known =>
  aggregate([2, 2], (use) => {
    const isDouble = use.args.some((one) => one.type.of === 'double')
    const type: Type = isDouble ? t.DOUBLE : { of: 'real' }
    const args = use.args.map((_, index) =>
      isDouble ? double(use, index) : `CAST(${typed(use, index, type)} AS DOUBLE)`,
    )
    const sql = use.wrap(fn, ...args)
    return { sql: `(CASE WHEN isfinite(${sql}) THEN CAST(${sql} AS ${t.duckdbName(type)}) END)`, type }
  })
const rounding = (fn: string): Known =>
  scalar([1, 1], (use) => {
    const { sql, type } = number(use, 0)
    if (t.isInteger(type)) return { sql, type }
    if (type.of !== 'decimal') return { sql: `CAST(${fn}(${sql}) AS ${t.duckdbName(type)})`, type }
    const result = t.decimal(type.precision - type.scale + Math.min(type.scale, 1), 0)
    return { sql: `CAST(${fn}(${sql}) AS ${t.duckdbName(result)})`, type: result }
  })
const extreme = (fn: string): Known =>
  scalar([1, Infinity], (use) => {
    const type = use.on.together(use.args, use.name)
    use.on.needOrder({ ...arg(use, 0), type })
    const sqls = use.args.map((one) => as(one, type))
    return { sql: anyNull(sqls, `${fn}(${sqls.join(', ')})`), type }
  })
const ranking = (fn: string): Known => windowed([0, 0], (use) => ({ sql: use.wrap(fn), type: t.BIGINT }))
const share = (fn: string): Known => windowed([0, 0], (use) => ({ sql: use.wrap(fn), type: t.DOUBLE }))
/** How many rows away; Athena stops where it is NULL or too small. */
function distance(use: Use, least: number): string {
  const sql = whole(use, 1)
  const stop = raise(`${use.name} takes a number of rows of ${least} or more.`, t.BIGINT)
  return `(CASE WHEN ${sql} >= ${least} THEN ${sql} ELSE ${stop} END)`
}
const neighbour = (fn: string): Known =>
  windowed([1, 3], (use) => {
    const of = arg(use, 0)
    const other = use.args[2]
    const type = other ? use.on.together([of, other], use.name) : of.type
    const sqls = [as(of, type)]
    if (use.args[1]) sqls.push(distance(use, 0))
    if (other) sqls.push(as(other, type))
    return { sql: use.wrap(fn, ...sqls), type }
  })
const atFrame = (fn: string, takes: 1 | 2 = 1): Known =>
  windowed([takes, takes], (use) => ({
    sql: use.wrap(fn, arg(use, 0).sql, ...(takes === 2 ? [distance(use, 1)] : [])),
    type: arg(use, 0).type,
  }))
const byOther = (fn: string): Known =>
  aggregate([2, 2], (use) => {
    use.on.needOrder(arg(use, 1))
    return { sql: use.wrap(fn, arg(use, 0).sql, arg(use, 1).sql), type: arg(use, 0).type }
  })
const ofBooleans = (fn: string): Known =>
  aggregate([1, 1], (use) => ({ sql: use.wrap(fn, typed(use, 0, t.BOOLEAN)), type: t.BOOLEAN }))
const extremeOfAll = (fn: string): Known =>
  aggregate([1, 1], (use) => {
    use.on.needOrder(arg(use, 0))
    return { sql: use.wrap(fn, arg(use, 0).sql), type: arg(use, 0).type }
  })

/** White space as Athena's trim sees it. */
const SPACES = `'${String.fromCodePoint(
  ...[9, 10, 11, 12, 13, 28, 29, 30, 31, 32, 0x1680, 0x2000, 0x2001, 0x2002, 0x2003, 0x2004, 0x2005, 0x2006, 0x2008],
  ...[0x2009, 0x200a, 0x2028, 0x2029, 0x205f, 0x3000],
)}'`
const trimming = (fn: string): Known =>
  scalar([1, 1], (use) => ({ sql: `${fn}(${string(use, 0)}, ${SPACES})`, type: t.VARCHAR }))
const padding = (fn: string): Known =>
  scalar([3, 3], (use) => {
    const pad = literal(use, 2, 'filling')
    if (pad === '') throw use.on.wrong(arg(use, 2).at, `the filling of ${use.name} must not be empty.`)
    const size = whole(use, 1)
    const stop = raise(`${use.name} takes a length of 0 or more.`, t.VARCHAR)
    return {
      sql: `(CASE WHEN ${size} < 0 THEN ${stop} ELSE ${fn}(${string(use, 0)}, CAST(${size} AS INTEGER), ${text(pad)}) END)`,
      type: t.VARCHAR,
    }
  })

/** substr counts from 1, or from the end below 0; beyond the text, and at 0, there is nothing. */
const SUBSTR = scalar([2, 3], (use) => {
  const [of, start] = [string(use, 0), whole(use, 1)]
  const numbers = use.args.slice(1).map((one) => Number(one.literal ?? 0))
  if (numbers.every((number) => number > 0)) return { sql: `substr(${[of, ...numbers].join(', ')})`, type: t.VARCHAR }
  const rest = use.args[2] ? [whole(use, 2)] : []
  const sqls = [of, start, ...rest]
  const nothing = [`${start} = 0`, `abs(${start}) > length(${of})`, ...rest.map((one) => `${one} <= 0`)].join(' OR ')
  return {
    sql: `(CASE WHEN ${sqls.map((one) => `${one} IS NULL`).join(' OR ')} THEN NULL WHEN ${nothing} THEN '' ELSE substr(${sqls.join(', ')}) END)`,
    type: t.VARCHAR,
  }
})
const STRPOS = scalar([2, 2], (use) => ({ sql: `strpos(${string(use, 0)}, ${string(use, 1)})`, type: t.BIGINT }))

const CONCAT = scalar([2, Infinity], (use) => {
  const type = use.on.together(use.args, 'concat')
  const [first] = use.args
  if (type.of === 'array')
    return {
      sql: anyNull(
        use.args.map((one) => one.sql),
        use.args.slice(1).reduce((sql, one) => `list_concat(${sql}, ${as(one, type)})`, first ? as(first, type) : ''),
      ),
      type,
    }
  if (use.args.some((one) => one.type.of === 'unknown')) return { sql: 'CAST(NULL AS VARCHAR)', type: t.VARCHAR }
  return { sql: `(${use.args.map((_, index) => string(use, index)).join(' || ')})`, type: t.VARCHAR }
})

const ROUND = scalar([1, 2], (use) => {
  const { sql, type } = number(use, 0)
  const places = use.args[1]
  if (!places) {
    if (type.of !== 'decimal')
      return { sql: t.isInteger(type) ? sql : `CAST(round(${sql}) AS ${t.duckdbName(type)})`, type }
    const result = t.decimal(type.precision - type.scale + Math.min(type.scale, 1), 0)
    return { sql: `CAST(round(${sql}, 0) AS ${t.duckdbName(result)})`, type: result }
  }
  if (places.literal === undefined || !t.isInteger(places.type))
    throw use.on.refuse(places.at, 'round to a computed number of digits', 'Write the number.')
  const count = Number(places.literal)
  if (count < 0) throw use.on.refuse(places.at, 'round before the point', 'Write round(x / 100) * 100.')
  if (t.isInteger(type)) return { sql, type }
  if (type.of !== 'decimal') return { sql: `CAST(round(${sql}, ${count}) AS ${t.duckdbName(type)})`, type }
  const result = t.decimal(type.precision + 1, type.scale)
  const rounded = count >= type.scale ? sql : `round(${sql}, ${count})`
  return { sql: `CAST(${rounded} AS ${t.duckdbName(result)})`, type: result }
})

const SUM = aggregate([1, 1], (use) => {
  const { sql, type } = number(use, 0)
  if (t.isInteger(type)) return { sql: `CAST(${use.wrap('sum', sql)} AS BIGINT)`, type: t.BIGINT }
  if (type.of === 'decimal') {
    const result = t.decimal(38, type.scale)
    return { sql: `CAST(${use.wrap('sum', sql)} AS ${t.duckdbName(result)})`, type: result }
  }
  return { sql: `CAST(${use.wrap('sum', sql)} AS ${t.duckdbName(type)})`, type }
})
/** The mean of decimals is a decimal of the same type, rounded half up; of whole numbers a double. */
const AVG = aggregate([1, 1], (use) => {
  const { sql, type } = number(use, 0)
  if (type.of !== 'decimal') {
    const result: Type = type.of === 'real' ? type : t.DOUBLE
    return { sql: `CAST(${use.wrap('avg', sql)} AS ${t.duckdbName(result)})`, type: result }
  }
  const sum = `CAST(${use.wrap('sum', sql)} AS DECIMAL(38,${type.scale}))`
  const count = `CAST(${use.wrap('count', sql)} AS DECIMAL(19,0))`
  return { sql: `(CASE WHEN ${count} > 0 THEN ${quotient(sum, type.scale, count, 0, type)} END)`, type }
})
const COUNT = aggregate([0, 1], (use) => ({
  sql: use.args[0] ? use.wrap('count', use.args[0].sql) : use.wrap('count', '*'),
  type: t.BIGINT,
}))

const PERCENTILE = aggregate([2, 2], (use) => {
  const of = number(use, 0)
  const share = arg(use, 1)
  const value = share.literal
  if (
    value === undefined ||
    !['decimal', 'double'].includes(share.type.of) ||
    !(Number(value) >= 0 && Number(value) <= 1)
  )
    throw use.on.refuse(share.at, 'approx_percentile with other than one number from 0.0 to 1.0', 'Write one, as 0.5.')
  if (use.call.distinct) throw use.on.refuse(use.at, 'approx_percentile(DISTINCT …)', 'Leave DISTINCT out.')
  // Athena knows it of bigint, real and double, and takes a decimal for a real. It gives the value that floor(share × count) others
  // are not above; DuckDB's is the one before, where that is a whole number.
  const type: Type = t.isInteger(of.type) ? t.BIGINT : of.type.of === 'double' ? t.DOUBLE : { of: 'real' }
  const above = Math.min(1, Number(value) + 1e-12).toFixed(12)
  return { sql: use.wrap('quantile_disc', as(of, type), above), type }
})

const DATE_DIFF = scalar([3, 3], (use) => {
  const unit = unitOf(use)
  const [from, to] = [day(use, 1), day(use, 2)]
  const type = use.on.together([from, to], 'date_diff')
  checkUnit(use, unit, type)
  const [a, b] = [as(from, t.TIMESTAMP), as(to, t.TIMESTAMP)]
  const months: Record<string, number> = { month: 1, quarter: 3, year: 12 }
  const per = months[unit]
  if (per === undefined) return { sql: `date_sub(${text(unit)}, ${a}, ${b})`, type: t.BIGINT }
  return {
    sql: `(CASE WHEN ${a} <= ${b} THEN ${wholeMonths(a, b)} ELSE -${wholeMonths(b, a)} END // ${per})`,
    type: t.BIGINT,
  }
})
/**
 * Whole months from a to a later b. On the last day of a month, a day that this month has not counts as reached: from
 * January 31 to February 28 is a month.
 */
function wholeMonths(a: string, b: string): string {
  const months = `((year(${b}) - year(${a})) * 12 + month(${b}) - month(${a}))`
  const sinceFirst = (x: string) => `(${x} - date_trunc('month', ${x}))`
  const clipped = `(CASE WHEN day(${b}) = day(last_day(${b})) AND day(${a}) > day(${b}) THEN ${sinceFirst(a)} - to_days(CAST(day(${a}) - day(${b}) AS INTEGER)) ELSE ${sinceFirst(a)} END)`
  return `(${months} - CASE WHEN ${sinceFirst(b)} < ${clipped} THEN 1 ELSE 0 END)`
}

const ADDERS: Readonly<Record<string, (n: string) => string>> = {
  millisecond: (n) => `to_milliseconds(${n})`,
  second: (n) => `to_seconds(${n})`,
  minute: (n) => `to_minutes(${n})`,
  hour: (n) => `to_hours(${n})`,
  day: (n) => `to_days(CAST(${n} AS INTEGER))`,
  week: (n) => `to_days(CAST(${n} * 7 AS INTEGER))`,
  month: (n) => `to_months(CAST(${n} AS INTEGER))`,
  quarter: (n) => `to_months(CAST(${n} * 3 AS INTEGER))`,
  year: (n) => `to_months(CAST(${n} * 12 AS INTEGER))`,
}
const DATE_ADD = scalar([3, 3], (use) => {
  const unit = unitOf(use)
  const of = day(use, 2)
  checkUnit(use, unit, of.type)
  if (unit === 'millisecond' && of.type.of === 'timestamp' && (of.type.digits ?? 3) < 3)
    throw use.on.refuse(
      of.at,
      'date_add of milliseconds to a timestamp without them',
      'Write its three digits: 12:30:00.000.',
    )
  const added = ADDERS[unit]?.(whole(use, 1)) ?? ''
  return { sql: `CAST(${of.sql} + ${added} AS ${t.duckdbName(of.type)})`, type: of.type }
})
const DATE_TRUNC = scalar([2, 2], (use) => {
  const unit = unitOf(use)
  const of = day(use, 1)
  checkUnit(use, unit, of.type)
  return { sql: `CAST(date_trunc(${text(unit)}, ${of.sql}) AS ${t.duckdbName(of.type)})`, type: of.type }
})

const pattern = (use: Use): string => {
  const found = arg(use, 1)
  return checkedPattern(literal(use, 1, 'pattern'), (construct, advice) => use.on.refuse(found.at, construct, advice))
}
const group = (use: Use): number => {
  const found = use.args[2]
  if (!found) return 0
  if (found.literal === undefined || !t.isInteger(found.type))
    throw use.on.refuse(found.at, 'A computed group of a pattern', 'Write its number.')
  const source = literal(use, 1, 'pattern')
  const groups = new RegExp(`${source.replaceAll(/\(\?[imsU]+\)/g, '')}|`, 'u').exec('')?.length ?? 1
  if (Number(found.literal) >= groups) throw use.on.wrong(found.at, `the pattern has ${groups - 1} groups.`)
  if (Number(found.literal) > 0 && /\||\)([?*]|\{0)/.test(source))
    throw use.on.refuse(
      found.at,
      'A group that may have no part in the match',
      'Take the whole match, and a second pattern on that.',
    )
  return Number(found.literal)
}

const JSON_SCALAR = scalar([2, 2], (use) => {
  const [of, path] = [json(use, 0), jsonPath(use, 1)]
  const isText = use.args[0]?.type.of === 'varchar'
  const plain = `json_extract_string(${of}, ${path})`
  const valid = isText ? wholeJson(use, of, t.VARCHAR) : ''
  const stop = raise(
    'A JSON number with a point or an exponent is read here without how it was written. Write CAST(json_extract_scalar(…) AS double).',
    t.VARCHAR,
  )
  return {
    sql: `(CASE ${valid}${onlyArrays(use, of, t.VARCHAR)} WHEN json_type(${of}, ${path}) IN ('OBJECT', 'ARRAY', 'NULL') THEN NULL WHEN json_type(${of}, ${path}) = 'DOUBLE' THEN ${stop} ELSE ${plain} END)`,
    type: t.VARCHAR,
    asNumber: `(CASE ${valid} WHEN json_type(${of}, ${path}) NOT IN ('OBJECT', 'ARRAY', 'NULL') THEN ${plain} END)`,
  }
})
const JSON_EXTRACT = scalar([2, 2], (use) => {
  const [of, path] = [json(use, 0), jsonPath(use, 1)]
  const type: Type = { of: 'json' }
  return {
    sql: `(CASE ${wholeJson(use, of, type)}${onlyArrays(use, of, type)} ELSE json_extract(${of}, ${path}) END)`,
    type,
  }
})

const CONTAINS = scalar([2, 2], (use) => {
  const { sql, item } = array(use, 0)
  const type = use.on.together([{ ...arg(use, 0), type: item }, arg(use, 1)], 'contains')
  const [list, value] = [t.same(type, item) ? sql : `CAST(${sql} AS ${t.duckdbName(type)}[])`, as(arg(use, 1), type)]
  return {
    sql: `(CASE WHEN ${list} IS NULL OR ${value} IS NULL THEN NULL WHEN list_contains(${list}, ${value}) THEN true WHEN ${hasNull(list)} THEN NULL ELSE false END)`,
    type: t.BOOLEAN,
  }
})
const hasNull = (list: string): string => `len(list_filter(${list}, lambda e: e IS NULL)) > 0`
const ELEMENT_AT = scalar([2, 2], (use) => {
  const of = arg(use, 0)
  if (of.type.of === 'map')
    return { sql: `map_extract_value(${of.sql}, ${typed(use, 1, of.type.key)})`, type: of.type.value }
  const { sql, item } = array(use, 0)
  const place = whole(use, 1)
  const stop = raise('element_at counts from 1, or from the end below 0.', item)
  return { sql: `(CASE WHEN ${place} = 0 THEN ${stop} ELSE ${sql}[${place}] END)`, type: item }
})
const matching = (all: 'any' | 'all' | 'none'): Known =>
  scalar(
    [2, 2],
    (use) => {
      const { sql, item } = array(use, 0)
      const body = use.lambda(1, [item])
      if (body.type.of !== 'boolean') throw bad(use, body, 'a lambda that gives true or false')
      const found = `list_transform(${sql}, ${body.sql})`
      const decides = all === 'all' ? 'false' : 'true'
      const [yes, no] = all === 'any' ? ['true', 'false'] : ['false', 'true']
      return {
        sql: `(CASE WHEN ${sql} IS NULL THEN NULL WHEN list_contains(${found}, ${decides}) THEN ${yes} WHEN ${hasNull(found)} THEN NULL ELSE ${no} END)`,
        type: t.BOOLEAN,
      }
    },
    [1],
  )
const extremeOfArray = (fn: string): Known =>
  scalar([1, 1], (use) => {
    const { sql, item } = array(use, 0)
    use.on.needOrder({ ...arg(use, 0), type: item })
    return { sql: `(CASE WHEN ${hasNull(sql)} THEN NULL ELSE ${fn}(${sql}) END)`, type: item }
  })

export const FUNCTIONS: Readonly<Record<string, Known>> = {
  // Numbers
  abs: scalar([1, 1], (use) => {
    const { sql, type } = number(use, 0)
    return { sql: `CAST(abs(${sql}) AS ${t.duckdbName(type)})`, type }
  }),
  ceil: rounding('ceil'),
  ceiling: rounding('ceil'),
  floor: rounding('floor'),
  round: ROUND,
  truncate: scalar([1, 1], (use) => {
    if (arg(use, 0).type.of === 'decimal')
      throw use.on.refuse(use.at, 'truncate of a decimal', 'Write floor(x), or CAST(x AS double) in it.')
    const type: Type = arg(use, 0).type.of === 'real' ? { of: 'real' } : t.DOUBLE
    return { sql: `CAST(trunc(${double(use, 0)}) AS ${t.duckdbName(type)})`, type }
  }),
  sign: scalar([1, 1], (use) => {
    const { sql, type } = number(use, 0)
    const result = type.of === 'decimal' ? t.decimal(1, 0) : type
    return { sql: `CAST(sign(${sql}) AS ${t.duckdbName(result)})`, type: result }
  }),
  mod: scalar([2, 2], (use) => use.on.arithmetic('%', number(use, 0), number(use, 1), use.at)),
  sqrt: ofDouble('sqrt'),
  exp: ofDouble('exp'),
  ln: ofDouble('ln'),
  log10: ofDouble('log10'),
  log2: ofDouble('log2'),
  sin: ofDouble('sin'),
  cos: ofDouble('cos'),
  tan: ofDouble('tan'),
  asin: ofDouble('asin'),
  acos: ofDouble('acos'),
  atan: ofDouble('atan'),
  radians: ofDouble('radians'),
  degrees: ofDouble('degrees'),
  atan2: scalar([2, 2], (use) => ({ sql: `atan2(${double(use, 0)}, ${double(use, 1)})`, type: t.DOUBLE })),
  power: scalar([2, 2], (use) => ({ sql: `power(${double(use, 0)}, ${double(use, 1)})`, type: t.DOUBLE })),
  pow: scalar([2, 2], (use) => ({ sql: `power(${double(use, 0)}, ${double(use, 1)})`, type: t.DOUBLE })),
  pi: scalar([0, 0], () => ({ sql: 'pi()', type: t.DOUBLE })),
  e: scalar([0, 0], () => ({ sql: 'exp(CAST(1 AS DOUBLE))', type: t.DOUBLE })),
  is_nan: scalar([1, 1], (use) => ({ sql: `isnan(${double(use, 0)})`, type: t.BOOLEAN })),
  is_finite: scalar([1, 1], (use) => ({ sql: `isfinite(${double(use, 0)})`, type: t.BOOLEAN })),
  is_infinite: scalar([1, 1], (use) => ({ sql: `isinf(${double(use, 0)})`, type: t.BOOLEAN })),
  greatest: extreme('greatest'),
  least: extreme('least'),

  // NULL
  coalesce: scalar([2, Infinity], (use) => {
    const type = use.on.together(use.args, 'coalesce')
    return { sql: `coalesce(${use.args.map((one) => as(one, type)).join(', ')})`, type }
  }),
  nullif: scalar([2, 2], (use) => {
    const [a, b] = [arg(use, 0), arg(use, 1)]
    return { sql: `(CASE WHEN ${use.on.compare('=', a, b, use.at)} THEN NULL ELSE ${a.sql} END)`, type: a.type }
  }),
  if: scalar([2, 3], (use) => {
    const rest = use.args.slice(1)
    const type = use.on.together(rest, 'if')
    const [yes, no] = rest.map((one) => as(one, type))
    return {
      sql: `(CASE WHEN ${typed(use, 0, t.BOOLEAN)} THEN ${yes}${no === undefined ? '' : ` ELSE ${no}`} END)`,
      type,
    }
  }),
  try: scalar([1, 1], (use) => ({ sql: `TRY(${arg(use, 0).sql})`, type: arg(use, 0).type })),

  // Texts
  length: scalar([1, 1], (use) =>
    arg(use, 0).type.of === 'varbinary'
      ? { sql: `octet_length(${arg(use, 0).sql})`, type: t.BIGINT }
      : { sql: `length(${string(use, 0)})`, type: t.BIGINT },
  ),
  lower: ofText('lower'),
  // Athena has no capital for ß.
  upper: scalar([1, 1], (use) => {
    const sql = string(use, 0)
    const parts = `list_transform(string_split(${sql}, 'ß'), lambda p: upper(p))`
    return {
      sql: `(CASE WHEN contains(${sql}, 'ß') THEN array_to_string(${parts}, 'ß') ELSE upper(${sql}) END)`,
      type: t.VARCHAR,
    }
  }),
  trim: trimming('trim'),
  ltrim: trimming('ltrim'),
  rtrim: trimming('rtrim'),
  lpad: padding('lpad'),
  rpad: padding('rpad'),
  concat: CONCAT,
  concat_ws: scalar([2, Infinity], (use) => ({
    sql: `concat_ws(${use.args.map((_, index) => string(use, index)).join(', ')})`,
    type: t.VARCHAR,
  })),
  substr: SUBSTR,
  substring: SUBSTR,
  strpos: STRPOS,
  position: STRPOS,
  replace: scalar([2, 3], (use) => {
    if (literal(use, 1, 'part') === '') throw use.on.refuse(arg(use, 1).at, "replace of ''", 'Name what to replace.')
    return {
      sql: `replace(${string(use, 0)}, ${string(use, 1)}, ${use.args[2] ? string(use, 2) : "''"})`,
      type: t.VARCHAR,
    }
  }),
  reverse: scalar([1, 1], (use) => {
    const of = arg(use, 0)
    if (of.type.of === 'array') return { sql: `list_reverse(${of.sql})`, type: of.type }
    const sql = string(use, 0)
    return {
      sql: anyNull([sql], `array_to_string(list_reverse(regexp_extract_all(${sql}, '(?s).')), '')`),
      type: t.VARCHAR,
    }
  }),
  split: scalar([2, 2], (use) => {
    if (literal(use, 1, 'separator') === '')
      throw use.on.wrong(arg(use, 1).at, 'the separator of split must not be empty.')
    return { sql: `string_split(${string(use, 0)}, ${string(use, 1)})`, type: { of: 'array', item: t.VARCHAR } }
  }),
  split_part: scalar([3, 3], (use) => {
    if (literal(use, 1, 'separator') === '')
      throw use.on.refuse(arg(use, 1).at, "split_part at ''", 'Write substr(text, n, 1).')
    const place = whole(use, 2)
    const stop = raise('split_part counts from 1.', t.VARCHAR)
    return {
      sql: `(CASE WHEN ${place} < 1 THEN ${stop} ELSE string_split(${string(use, 0)}, ${string(use, 1)})[${place}] END)`,
      type: t.VARCHAR,
    }
  }),
  starts_with: scalar([2, 2], (use) => ({ sql: `starts_with(${string(use, 0)}, ${string(use, 1)})`, type: t.BOOLEAN })),
  chr: scalar([1, 1], (use) => ({ sql: `chr(CAST(${whole(use, 0)} AS INTEGER))`, type: t.VARCHAR })),
  codepoint: scalar([1, 1], (use) => {
    const sql = string(use, 0)
    const stop = raise('codepoint takes one character.', t.INTEGER)
    return {
      sql: `(CASE WHEN length(${sql}) <> 1 THEN ${stop} ELSE CAST(unicode(${sql}) AS INTEGER) END)`,
      type: t.INTEGER,
    }
  }),
  regexp_like: scalar([2, 2], (use) => ({
    sql: `regexp_matches(${string(use, 0)}, ${text(pattern(use))})`,
    type: t.BOOLEAN,
  })),
  regexp_extract: scalar([2, 3], (use) => {
    const [of, like, n] = [string(use, 0), text(pattern(use)), group(use)]
    return {
      sql: `(CASE WHEN regexp_matches(${of}, ${like}) THEN regexp_extract(${of}, ${like}, ${n}) END)`,
      type: t.VARCHAR,
    }
  }),
  regexp_extract_all: scalar([2, 3], (use) => ({
    sql: `regexp_extract_all(${string(use, 0)}, ${text(pattern(use))}, ${group(use)})`,
    type: { of: 'array', item: t.VARCHAR },
  })),
  regexp_count: scalar([2, 2], (use) => ({
    sql: `len(regexp_extract_all(${string(use, 0)}, ${text(pattern(use))}))`,
    type: t.BIGINT,
  })),
  regexp_replace: scalar([2, 3], (use) => {
    const found = pattern(use)
    if (new RegExp(`^(?:${found.replace(/^\(\?i\)/, '')})$`).test(''))
      throw use.on.refuse(
        arg(use, 1).at,
        'A pattern that also matches nothing, in regexp_replace',
        'The engines put the replacement into different places. Write + for *, and leave ? out.',
      )
    const at = arg(use, 1).at
    const refuse = (construct: string, advice: string) => use.on.refuse(at, construct, advice)
    const by = use.args[2] ? checkedReplacement(literal(use, 2, 'replacement'), refuse) : ''
    return { sql: `regexp_replace(${string(use, 0)}, ${text(found)}, ${text(by)}, 'g')`, type: t.VARCHAR }
  }),

  // Bytes
  to_utf8: ofText('encode', t.VARBINARY),
  from_utf8: scalar([1, 1], (use) => ({ sql: `decode(${typed(use, 0, t.VARBINARY)})`, type: t.VARCHAR })),
  to_hex: scalar([1, 1], (use) => ({ sql: `upper(hex(${typed(use, 0, t.VARBINARY)}))`, type: t.VARCHAR })),
  from_hex: ofText('unhex', t.VARBINARY),
  to_base64: scalar([1, 1], (use) => ({ sql: `to_base64(${typed(use, 0, t.VARBINARY)})`, type: t.VARCHAR })),
  md5: scalar([1, 1], (use) => ({ sql: `unhex(md5(${typed(use, 0, t.VARBINARY)}))`, type: t.VARBINARY })),
  sha1: scalar([1, 1], (use) => ({ sql: `unhex(sha1(${typed(use, 0, t.VARBINARY)}))`, type: t.VARBINARY })),
  sha256: scalar([1, 1], (use) => ({ sql: `unhex(sha256(${typed(use, 0, t.VARBINARY)}))`, type: t.VARBINARY })),

  // Dates
  current_date: scalar([0, 0], () => ({ sql: "CAST(timezone('UTC', now()) AS DATE)", type: t.DATE })),
  current_timestamp: scalar([0, 0], () => ({ sql: NOW, type: { of: 'instant' } })),
  now: scalar([0, 0], () => ({ sql: NOW, type: { of: 'instant' } })),
  localtimestamp: scalar([0, 0], () => ({ sql: NOW, type: t.TIMESTAMP })),
  date: scalar([1, 1], (use) => {
    const of = arg(use, 0)
    if (of.type.of === 'varchar') throw use.on.refuse(of.at, 'date(text)', 'Write CAST(text AS date).')
    return { sql: `CAST(${day(use, 0).sql} AS DATE)`, type: t.DATE }
  }),
  date_trunc: DATE_TRUNC,
  date_add: DATE_ADD,
  date_diff: DATE_DIFF,
  date_format: scalar([2, 2], (use) => {
    const found = arg(use, 1)
    const format = toDateFormat(literal(use, 1, 'format'), (construct, advice) =>
      use.on.refuse(found.at, construct, advice),
    )
    return { sql: `strftime(${day(use, 0).sql}, ${text(format)})`, type: t.VARCHAR }
  }),
  date_parse: scalar([2, 2], (use) => {
    const found = arg(use, 1)
    const { format, shape } = fromDateFormat(literal(use, 1, 'format'), (construct, advice) =>
      use.on.refuse(found.at, construct, advice),
    )
    const sql = string(use, 0)
    const stop = raise(
      `A text does not have the form of date_parse: ${found.literal}. Use try(date_parse(…)) to get NULL instead.`,
      t.TIMESTAMP,
    )
    return {
      sql: `(CASE WHEN NOT regexp_full_match(${sql}, ${text(shape)}) THEN ${stop} ELSE date_trunc('millisecond', strptime(${sql}, ${text(format)})) END)`,
      type: t.TIMESTAMP,
    }
  }),
  from_unixtime: scalar([1, 1], (use) => ({
    sql: `make_timestamp(CAST(round(${double(use, 0)} * 1000) AS BIGINT) * 1000)`,
    type: { of: 'instant' },
  })),
  to_unixtime: scalar([1, 1], (use) => ({ sql: `epoch(${as(day(use, 0), t.TIMESTAMP)})`, type: t.DOUBLE })),
  from_iso8601_date: scalar([1, 1], (use) => {
    const sql = string(use, 0)
    const stop = raise("A text is no date: it must look like '2026-01-31'.", t.DATE)
    return {
      sql: `(CASE WHEN NOT regexp_full_match(${sql}, '[0-9]{4}-[0-9]{2}-[0-9]{2}') THEN ${stop} ELSE CAST(${sql} AS DATE) END)`,
      type: t.DATE,
    }
  }),
  from_iso8601_timestamp: scalar([1, 1], (use) => {
    const sql = string(use, 0)
    const type: Type = { of: 'instant' }
    const stop = raise(
      "A text is no moment in UTC: it must look like '2026-01-31T12:30:00Z'. One with another zone keeps that in Athena, which no timestamp does here.",
      type,
    )
    const shape =
      '[0-9]{4}-[0-9]{2}-[0-9]{2}(T([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,6})?)?(Z|[+]00:00)?)?'
    const plain = `regexp_replace(regexp_replace(replace(${sql}, 'T', ' '), '(Z|[+]00:00)$', ''), '^([0-9-]+ [0-9]+:[0-9]+)$', '\\1:00')`
    return {
      sql: `(CASE WHEN NOT regexp_full_match(${sql}, ${text(shape)}) THEN ${stop} ELSE date_trunc('millisecond', CAST(${plain} AS TIMESTAMP)) END)`,
      type,
    }
  }),
  to_iso8601: scalar([1, 1], (use) => {
    const { sql, type } = day(use, 0)
    if (type.of === 'date') return { sql: `CAST(${sql} AS VARCHAR)`, type: t.VARCHAR }
    const digits = type.of === 'timestamp' ? (type.digits ?? 3) : 3
    const full = `strftime(${sql}, '%Y-%m-%dT%H:%M:%S.%g')`
    const cut = digits === 3 ? full : `left(${full}, ${digits === 0 ? 19 : 20 + digits})`
    return { sql: type.of === 'instant' ? `(${cut} || 'Z')` : cut, type: t.VARCHAR }
  }),
  last_day_of_month: scalar([1, 1], (use) => ({ sql: `last_day(${day(use, 0).sql})`, type: t.DATE })),
  year: dayPart('year'),
  quarter: dayPart('quarter'),
  month: dayPart('month'),
  week: dayPart('week'),
  week_of_year: dayPart('week'),
  day: dayPart('day'),
  day_of_month: dayPart('day'),
  day_of_week: dayPart('isodow'),
  dow: dayPart('isodow'),
  day_of_year: dayPart('dayofyear'),
  doy: dayPart('dayofyear'),
  year_of_week: dayPart('isoyear'),
  yow: dayPart('isoyear'),
  hour: timePart('hour(?)'),
  minute: timePart('minute(?)'),
  second: timePart('second(?)'),
  millisecond: timePart('(millisecond(?) % 1000)'),

  // Aggregates
  count: COUNT,
  count_if: aggregate([1, 1], (use) => ({
    // Of nothing, and of NULL only, it is 0.
    sql: `CAST(coalesce(${use.wrap('count_if', typed(use, 0, t.BOOLEAN))}, 0) AS BIGINT)`,
    type: t.BIGINT,
  })),
  approx_distinct: aggregate([1, 1], (use) => {
    if (use.call.over) throw use.on.refuse(use.at, 'approx_distinct(…) OVER', 'Count in a subquery.')
    use.on.needOrder(arg(use, 0))
    return { sql: use.wrap('count', `DISTINCT ${arg(use, 0).sql}`), type: t.BIGINT }
  }),
  sum: SUM,
  avg: AVG,
  min: extremeOfAll('min'),
  max: extremeOfAll('max'),
  min_by: byOther('arg_min_null'),
  max_by: byOther('arg_max_null'),
  arbitrary: aggregate([1, 1], (use) => ({ sql: use.wrap('any_value', arg(use, 0).sql), type: arg(use, 0).type })),
  any_value: aggregate([1, 1], (use) => ({ sql: use.wrap('any_value', arg(use, 0).sql), type: arg(use, 0).type })),
  bool_and: ofBooleans('bool_and'),
  every: ofBooleans('bool_and'),
  bool_or: ofBooleans('bool_or'),
  array_agg: aggregate([1, 1], (use) => ({
    sql: use.wrap('list', arg(use, 0).sql),
    type: { of: 'array', item: arg(use, 0).type },
  })),
  listagg: aggregate([1, 2], (use) => {
    if (use.call.orderBy.length === 0) throw use.on.wrong(use.at, 'listagg needs WITHIN GROUP (ORDER BY …).')
    return {
      sql: use.wrap('string_agg', string(use, 0), use.args[1] ? text(literal(use, 1, 'separator')) : "''"),
      type: t.VARCHAR,
    }
  }),
  map_agg: aggregate([2, 2], (use) => {
    const [key, value] = [arg(use, 0), arg(use, 1)]
    const entries = use.wrap('list', `{'key': ${key.sql}, 'value': ${value.sql}}`)
    return { sql: `map_from_entries(${entries})`, type: { of: 'map', key: key.type, value: value.type } }
  }),
  histogram: aggregate([1, 1], (use) => ({
    sql: `CAST(${use.wrap('histogram', arg(use, 0).sql)} AS MAP(${t.duckdbName(arg(use, 0).type)}, BIGINT))`,
    type: { of: 'map', key: arg(use, 0).type, value: t.BIGINT },
  })),
  approx_percentile: PERCENTILE,
  stddev: statistic('stddev_samp'),
  stddev_samp: statistic('stddev_samp'),
  stddev_pop: statistic('stddev_pop'),
  variance: statistic('var_samp'),
  var_samp: statistic('var_samp'),
  var_pop: statistic('var_pop'),
  corr: ofPairs('corr'),
  covar_samp: ofPairs('covar_samp'),
  covar_pop: ofPairs('covar_pop'),
  regr_slope: ofPairs('regr_slope'),
  regr_intercept: ofPairs('regr_intercept'),
  grouping: scalar([1, 31], (use) => ({
    sql: `CAST(grouping(${use.args.map((one) => one.sql).join(', ')}) AS INTEGER)`,
    type: t.INTEGER,
  })),

  // Windows
  row_number: ranking('row_number'),
  rank: ranking('rank'),
  dense_rank: ranking('dense_rank'),
  percent_rank: share('percent_rank'),
  cume_dist: share('cume_dist'),
  ntile: windowed([1, 1], (use) => ({ sql: use.wrap('ntile', whole(use, 0)), type: t.BIGINT })),
  lag: neighbour('lag'),
  lead: neighbour('lead'),
  first_value: atFrame('first_value'),
  last_value: atFrame('last_value'),
  nth_value: atFrame('nth_value', 2),

  // Arrays and maps
  cardinality: scalar([1, 1], (use) => {
    const of = arg(use, 0)
    if (of.type.of === 'map') return { sql: `CAST(cardinality(${of.sql}) AS BIGINT)`, type: t.BIGINT }
    return { sql: `len(${array(use, 0).sql})`, type: t.BIGINT }
  }),
  element_at: ELEMENT_AT,
  contains: CONTAINS,
  array_join: scalar([2, 3], (use) => {
    const { sql, item } = array(use, 0)
    if (!t.isExact(item) && !['varchar', 'boolean', 'date', 'unknown'].includes(item.of))
      throw use.on.refuse(
        arg(use, 0).at,
        `array_join of ${athenaName(item)}`,
        'Cast its parts to varchar with transform first.',
      )
    const texts =
      item.of === 'decimal' ? `list_transform(${sql}, lambda d: ${exactText('d', item)})` : `CAST(${sql} AS VARCHAR[])`
    const filled = use.args[2] ? `list_transform(${texts}, lambda e: coalesce(e, ${string(use, 2)}))` : texts
    return { sql: anyNull([sql], `array_to_string(${filled}, ${string(use, 1)})`), type: t.VARCHAR }
  }),
  array_sort: scalar([1, 1], (use) => {
    const { sql, item } = array(use, 0)
    use.on.needOrder({ ...arg(use, 0), type: item })
    return { sql: `list_sort(${sql}, 'ASC', 'NULLS LAST')`, type: { of: 'array', item } }
  }),
  array_distinct: scalar([1, 1], (use) => {
    const { sql, item } = array(use, 0)
    use.on.needOrder({ ...arg(use, 0), type: item })
    return { sql: `list_filter(${sql}, lambda e, i: list_position(${sql}, e) = i)`, type: { of: 'array', item } }
  }),
  array_max: extremeOfArray('list_max'),
  array_min: extremeOfArray('list_min'),
  array_position: scalar([2, 2], (use) => {
    const { sql, item } = array(use, 0)
    const value = typed(use, 1, item)
    return {
      sql: anyNull([sql, value], `coalesce(CAST(list_position(${sql}, ${value}) AS BIGINT), 0)`),
      type: t.BIGINT,
    }
  }),
  flatten: scalar([1, 1], (use) => {
    const { sql, item } = array(use, 0)
    if (item.of !== 'array') throw bad(use, arg(use, 0), 'an array of arrays')
    return { sql: `flatten(${sql})`, type: item }
  }),
  slice: scalar([3, 3], (use) => {
    const { sql, item } = array(use, 0)
    const [start, size] = [whole(use, 1), whole(use, 2)]
    const stop = raise('slice counts from 1, or from the end below 0, and takes a length of 0 or more.', {
      of: 'array',
      item,
    })
    const type = t.duckdbName({ of: 'array', item })
    return {
      sql: `(CASE WHEN ${start} = 0 OR ${size} < 0 THEN ${stop} WHEN ${size} = 0 OR abs(${start}) > len(${sql}) THEN CAST([] AS ${type}) WHEN ${start} < 0 THEN list_slice(${sql}, len(${sql}) + ${start} + 1, len(${sql}) + ${start} + ${size}) ELSE list_slice(${sql}, ${start}, ${start} + ${size} - 1) END)`,
      type: { of: 'array', item },
    }
  }),
  sequence: scalar([2, 3], (use) => {
    const [first, last] = [arg(use, 0), arg(use, 1)]
    if (!t.isInteger(first.type) || !t.isInteger(last.type))
      throw use.on.refuse(
        use.at,
        'sequence of other than whole numbers',
        "Add to a first day: date_add('day', n, DATE '2026-01-01').",
      )
    const [from, to, step] = [whole(use, 0), whole(use, 1), use.args[2] ? whole(use, 2) : undefined]
    const by = step ?? `(CASE WHEN ${from} <= ${to} THEN 1 ELSE -1 END)`
    const tooLong = raise('sequence gives at most 10000 numbers, in the direction of its step.', {
      of: 'array',
      item: t.BIGINT,
    })
    return {
      sql: `(CASE WHEN ${by} = 0 OR (${to} - ${from}) * sign(${by}) < 0 OR abs((${to} - ${from}) // ${by}) >= 10000 THEN ${tooLong} ELSE generate_series(${from}, ${to}, ${by}) END)`,
      type: { of: 'array', item: t.BIGINT },
    }
  }),
  transform: scalar(
    [2, 2],
    (use) => {
      const { sql, item } = array(use, 0)
      const body = use.lambda(1, [item])
      return { sql: `list_transform(${sql}, ${body.sql})`, type: { of: 'array', item: body.type } }
    },
    [1],
  ),
  filter: scalar(
    [2, 2],
    (use) => {
      const { sql, item } = array(use, 0)
      const body = use.lambda(1, [item])
      if (body.type.of !== 'boolean') throw bad(use, body, 'a lambda that gives true or false')
      return { sql: `list_filter(${sql}, ${body.sql})`, type: { of: 'array', item } }
    },
    [1],
  ),
  reduce: scalar(
    [4, 4],
    (use) => {
      const { sql, item } = array(use, 0)
      const start = arg(use, 1)
      const step = use.lambda(2, [start.type, item])
      if (!t.same(step.type, start.type))
        throw use.on.wrong(
          step.at,
          `reduce starts with ${athenaName(start.type)} and each step gives ${athenaName(step.type)}. Write CAST(… AS ${athenaName(step.type)}) around the start.`,
        )
      const end = use.lambda(3, [start.type])
      const reduced = `list_reduce(${sql}, ${step.sql}, ${start.sql})`
      return { sql: anyNull([sql], `list_transform([${reduced}], ${end.sql})[1]`), type: end.type }
    },
    [2, 3],
  ),
  any_match: matching('any'),
  all_match: matching('all'),
  none_match: matching('none'),
  map: scalar([0, 2], (use) => {
    if (use.args.length !== 2) throw use.on.refuse(use.at, 'map() without values', 'Write map(ARRAY[…], ARRAY[…]).')
    const [keys, values] = [array(use, 0), array(use, 1)]
    return { sql: `map(${keys.sql}, ${values.sql})`, type: { of: 'map', key: keys.item, value: values.item } }
  }),
  map_keys: scalar([1, 1], (use) => {
    const { sql, type } = arg(use, 0)
    if (type.of !== 'map') throw bad(use, arg(use, 0), 'a map')
    return { sql: `map_keys(${sql})`, type: { of: 'array', item: type.key } }
  }),
  map_values: scalar([1, 1], (use) => {
    const { sql, type } = arg(use, 0)
    if (type.of !== 'map') throw bad(use, arg(use, 0), 'a map')
    return { sql: `map_values(${sql})`, type: { of: 'array', item: type.value } }
  }),

  // JSON
  json_parse: scalar([1, 1], (use) => ({ sql: `CAST(${string(use, 0)} AS JSON)`, type: { of: 'json' } })),
  json_extract: JSON_EXTRACT,
  json_extract_scalar: JSON_SCALAR,
  json_array_length: scalar([1, 1], (use) => {
    const of = json(use, 0)
    return {
      sql: `(CASE ${wholeJson(use, of, t.BIGINT)} WHEN json_type(${of}) = 'ARRAY' THEN CAST(json_array_length(${of}) AS BIGINT) END)`,
      type: t.BIGINT,
    }
  }),
  json_format: scalar([1, 1], (use) => {
    const of = use.call.args[0]
    if (of?.kind !== 'cast') throw use.on.refuse(use.at, 'json_format of JSON', REFUSED_FUNCTIONS.json_format ?? '')
    return { sql: `CAST(${typed(use, 0, { of: 'json' })} AS VARCHAR)`, type: t.VARCHAR }
  }),
}

/** To the millisecond, as Athena's. */
const NOW = "date_trunc('millisecond', timezone('UTC', now()))"
