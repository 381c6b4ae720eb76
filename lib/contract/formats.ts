// The string formats that are enforced, as SQL over a text.

import { literal } from './sql.ts'

interface StringFormat {
  /** Plain words after the column's name. */
  message: string
  ok: (value: string) => string
}

const full = (value: string, re2: string): string => `regexp_full_match(${value}, ${literal(re2)})`

const OCTET = '(?:25[0-5]|2[0-4][0-9]|1[0-9]{2}|[1-9]?[0-9])'
const IPV4 = `(?:${OCTET}\\.){3}${OCTET}`
const H = '[0-9A-Fa-f]{1,4}'
const LAST32 = `(?:${H}:${H}|${IPV4})`
// RFC 4291: eight groups, one run of zero groups may be `::`, the last two groups may be an IPv4 address.
const IPV6 = [
  `(?:${H}:){6}${LAST32}`,
  `::(?:${H}:){5}${LAST32}`,
  `(?:${H})?::(?:${H}:){4}${LAST32}`,
  `(?:(?:${H}:){0,1}${H})?::(?:${H}:){3}${LAST32}`,
  `(?:(?:${H}:){0,2}${H})?::(?:${H}:){2}${LAST32}`,
  `(?:(?:${H}:){0,3}${H})?::${H}:${LAST32}`,
  `(?:(?:${H}:){0,4}${H})?::${LAST32}`,
  `(?:(?:${H}:){0,5}${H})?::${H}`,
  `(?:(?:${H}:){0,6}${H})?::`,
].join('|')
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?'
const HOST = `${LABEL}(?:\\.${LABEL})*`
const ATOM = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~\\x{80}-\\x{10ffff}-]+"
const DATE_TIME =
  '[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt](?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\\.[0-9]+)?(?:[Zz]|[+-](?:[01][0-9]|2[0-3]):[0-5][0-9])'

export const STRING_FORMATS: Readonly<Record<string, StringFormat>> = {
  email: {
    message: 'must be an e-mail address such as name@example.org',
    ok: (v) => `(length(${v}) <= 254 AND ${full(v, `${ATOM}(?:\\.${ATOM})*@${LABEL}(?:\\.${LABEL})+`)})`,
  },
  uuid: {
    message: 'must be a UUID such as 123e4567-e89b-12d3-a456-426614174000',
    ok: (v) => full(v, '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}'),
  },
  uri: {
    message: 'must be a URI with a scheme, such as https://example.org/page',
    ok: (v) => full(v, "[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9._~:/?#\\[\\]@!$&'()*+,;=-]|%[0-9A-Fa-f]{2})+"),
  },
  ipv4: { message: 'must be an IPv4 address such as 192.0.2.1', ok: (v) => full(v, IPV4) },
  ipv6: { message: 'must be an IPv6 address such as 2001:db8::1', ok: (v) => full(v, IPV6) },
  hostname: {
    message: 'must be a host name such as www.example.org',
    ok: (v) => `(length(${v}) <= 253 AND ${full(v, HOST)})`,
  },
  'date-time': {
    message: 'must be a date and time with offset, such as 2026-01-31T09:30:00Z',
    // The date must exist; the cast knows the calendar, the shape knows the rest.
    ok: (v) => `(${full(v, DATE_TIME)} AND TRY_CAST(left(${v}, 10) AS DATE) IS NOT NULL)`,
  },
}
