// physicalType in the words of many databases, as far as it says something about values.

export type Physical =
  | { kind: 'text'; length?: number; uuid?: boolean }
  | { kind: 'integer'; bits: 8 | 16 | 32 | 64 }
  | { kind: 'decimal'; precision?: number; scale?: number }
  | { kind: 'double' }
  | { kind: 'float' }
  | { kind: 'boolean' }
  | { kind: 'date' }
  | { kind: 'timestamp'; zone: boolean }
  | { kind: 'time' }
  | { kind: 'object'; written: boolean }
  | { kind: 'array'; written: boolean }
  | { kind: 'json' }

const NAMES = new Map<string, Physical>()
const add = (names: string, physical: Physical): void => {
  for (const name of names.split(',')) NAMES.set(name.trim(), physical)
}
add(
  'varchar, character varying, char, character, nchar, nvarchar, varchar2, nvarchar2, bpchar, string, text, clob, nclob, tinytext, mediumtext, longtext, ntext, utf8, large_utf8, enum',
  { kind: 'text' },
)
add('uuid, uniqueidentifier', { kind: 'text', uuid: true })
add('tinyint, byte', { kind: 'integer', bits: 8 })
add('smallint, int2, short, smallserial', { kind: 'integer', bits: 16 })
add('int, integer, int4, int32, serial, mediumint', { kind: 'integer', bits: 32 })
add('bigint, int8, int64, long, bigserial', { kind: 'integer', bits: 64 })
add('decimal, numeric, number, dec, bignumeric', { kind: 'decimal' })
// `float` is 32 bits in one database and 64 in the next: the wider one loses nothing.
add('double, double precision, float8, float64, float', { kind: 'double' })
add('real, float4, float32', { kind: 'float' })
add('boolean, bool', { kind: 'boolean' })
add('date', { kind: 'date' })
add('timestamp, datetime, datetime2, smalldatetime, timestamp without time zone, timestamp_ntz, timestampntz', {
  kind: 'timestamp',
  zone: false,
})
add(
  'timestamptz, timestamp with time zone, timestamp_tz, timestamp_ltz, datetimeoffset, timestamp with local time zone',
  { kind: 'timestamp', zone: true },
)
add('time, time without time zone', { kind: 'time' })
add('struct, record, row, object, map', { kind: 'object', written: false })
add('array, list', { kind: 'array', written: false })
add('json, jsonb, variant, super', { kind: 'json' })

/** Reads a physicalType; undefined when it is not known, `problem` when it is known and wrong. */
export const readPhysical = (text: string): { physical?: Physical; problem?: string } => {
  const normal = text.trim().toLowerCase().replace(/\s+/g, ' ')
  const nested = /^(struct|record|row|map|object|array|list)\s*[<(].*[>)]$/.exec(normal)
  if (nested)
    return {
      physical:
        nested[1] === 'array' || nested[1] === 'list'
          ? { kind: 'array', written: true }
          : { kind: 'object', written: true },
    }
  const match =
    /^([a-z_][a-z0-9_ ]*?)\s*(?:\(\s*(max|\d{1,9})(?: (?:char|byte))?\s*(?:,\s*(-?\d{1,4})\s*)?\))?( with(?:out)? (?:local )?time zone)?$/.exec(
      normal,
    )
  const found = match && NAMES.get(`${match[1]}${match[4] ?? ''}`)
  if (!match || !found) return {}
  const [first, second] = [match[2], match[3]]
  if (found.kind === 'text' && first !== undefined && first !== 'max') {
    return second === undefined
      ? { physical: { ...found, length: Number(first) } }
      : { problem: 'a text type has one length' }
  }
  if (found.kind === 'decimal' && first !== undefined) {
    const precision = Number(first)
    const scale = Number(second ?? 0)
    if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) {
      return { problem: 'a decimal has 1 to 38 digits in all, and 0 to that many behind the point' }
    }
    return { physical: { kind: 'decimal', precision, scale } }
  }
  return { physical: found }
}
