// What analysts write, and what Athena answers. The answers are worked out from Trino's documentation and its rules, by hand, and
// never by asking DuckDB; each case says the rule. `types` are checked where the rule is about them.

export interface Case {
  sql: string
  rows: unknown[][]
  types?: string[]
}

/** Cases of one rule: a SELECT list and the one row that it gives. */
export const one = (rule: string, ...cases: [list: string, row: unknown[], types?: string[]][]): [string, Case[]] => [
  rule,
  cases.map(([list, row, types]) => ({ sql: `SELECT ${list}`, rows: [row], ...(types ? { types } : {}) })),
]
export const many = (
  rule: string,
  ...cases: [sql: string, rows: unknown[][], types?: string[]][]
): [string, Case[]] => [rule, cases.map(([sql, rows, types]) => ({ sql, rows, ...(types ? { types } : {}) }))]

// The tables of the cases:
// clean.sales: id integer, shop varchar, amount decimal(10,2), units integer, day date, at timestamp, note varchar
//   1 Bern   10.00 3    2026-01-31 2026-01-31 23:30:00 NULL
//   2 Bern    5.25 NULL 2026-02-01 2026-02-01 00:15:00 'a,b'
//   3 Genf    2.50 4    2026-02-28 2026-02-28 12:00:00 'x'
//   4 NULL    1.00 1    2026-03-01 2026-03-01 08:30:45 ''
// clean.tags: id integer, tags varchar[], prices map(varchar, integer), place row(city varchar, zip varchar)
//   1 ['a','b'] {x: 1, y: 2} (Bern, 03000)
//   2 []        {}           (Genf, 01200)
//   3 NULL      NULL         NULL

export const CASES: readonly [rule: string, cases: Case[]][] = [
  one('between integers / gives an integer, cut off towards zero; % has the sign of the dividend', [
    '7 / 2, -7 / 2, 7 % 3, -7 % 3, mod(7, 3)',
    [3, -3, 1, -1, 1],
    ['INTEGER', 'INTEGER', 'INTEGER', 'INTEGER', 'INTEGER'],
  ]),
  one('double arithmetic when one side is a double; division by zero is Infinity or NaN there', [
    '7e0 / 2, 1e0 / 0, 0e0 / 0, 3 / 2e0',
    [3.5, 'Infinity', 'NaN', 1.5],
    ['DOUBLE', 'DOUBLE', 'DOUBLE', 'DOUBLE'],
  ]),
  one(
    'a number with a point is a decimal; + - have the larger scale and one digit more',
    ['1.5 + 2.25', ['3.75'], ['DECIMAL(4,2)']],
    ['1.50 - 0.5', ['1.00'], ['DECIMAL(4,2)']],
  ),
  one('* of decimals adds the digits and the scales', ['1.5 * 2.25', ['3.375'], ['DECIMAL(5,3)']]),
  one(
    '/ of decimals: scale max(s1, s2), precision p1 + s2 + max(s2 - s1, 0), rounded half up',
    ['1.0 / 3', ['0.3'], ['DECIMAL(2,1)']],
    ['2.00 / 3.0', ['0.67'], ['DECIMAL(4,2)']],
    ['7 / 2.0', ['3.5'], ['DECIMAL(12,1)']],
    ['-1.0 / 4.0', ['-0.3']],
  ),
  one('% of decimals', ['7.5 % 2, mod(7.5, 2)', ['1.5', '1.5'], ['DECIMAL(2,1)', 'DECIMAL(2,1)']]),
  one('integer literals beyond 2147483647 are bigint', [
    '2147483647, 2147483648, -2147483648',
    [2147483647, '2147483648', -2147483648],
    ['INTEGER', 'BIGINT', 'INTEGER'],
  ]),
  many('sum of integers is bigint, avg double; of decimals decimal(38,s) and decimal(p,s), rounded half up', [
    'SELECT sum(units), avg(units), sum(amount), avg(amount), avg(CAST(units AS decimal(5,1))) FROM clean.sales',
    [['8', 8 / 3, '18.75', '4.69', '2.7']],
    ['BIGINT', 'DOUBLE', 'DECIMAL(38,2)', 'DECIMAL(10,2)', 'DECIMAL(5,1)'],
  ]),
  many('aggregates ignore NULL, and give NULL of nothing, but count 0', [
    'SELECT count(*), count(units), count(DISTINCT shop), sum(units), min(units), avg(amount), array_agg(id), max_by(id, units) FROM clean.sales WHERE id > 9',
    [['0', '0', '0', null, null, null, null, null]],
  ]),
  many(
    'count, min, max, count_if, FILTER, bool_and, bool_or, every',
    [
      'SELECT count(*), count(shop), count(DISTINCT shop), min(day), max(amount), count_if(units > 2), count(*) FILTER (WHERE units > 2), bool_and(units > 2), bool_or(units > 2), every(amount > 0) FROM clean.sales',
      [['4', '3', '2', '2026-01-31', '10.00', '2', '2', false, true, true]],
    ],
    [
      'SELECT approx_distinct(shop), approx_percentile(id, 0.5) FROM clean.sales WHERE id < 4',
      [['2', '2']],
      ['BIGINT', 'BIGINT'],
    ],
  ),
  many('min_by and max_by give the first where the second is smallest or largest, NULL included', [
    'SELECT min_by(shop, amount), max_by(shop, amount), max_by(units, id) FROM clean.sales',
    [[null, 'Bern', 1]],
  ]),
  many('arbitrary gives a value that is not NULL if there is one', [
    'SELECT arbitrary(note), any_value(note) FROM clean.sales WHERE id IN (1, 3)',
    [['x', 'x']],
  ]),
  many('array_agg keeps NULL; listagg leaves it out', [
    "SELECT array_agg(units ORDER BY id), listagg(shop, '-') WITHIN GROUP (ORDER BY id DESC) FROM clean.sales",
    [[[3, null, 4, 1], 'Genf-Bern-Bern']],
    ['ARRAY(INTEGER)', 'VARCHAR'],
  ]),
  many('map_agg and histogram', [
    "SELECT element_at(map_agg(id, shop), 3), histogram(shop)['Bern'] FROM clean.sales",
    [['Genf', '2']],
  ]),
  many('deviations: stddev and variance are those of a sample', [
    'SELECT variance(x), var_samp(x), var_pop(x), stddev(x), stddev_samp(x), stddev_pop(x) FROM (VALUES 1, 2, 3, 4, 5) AS t(x)',
    [[2.5, 2.5, 2, Math.sqrt(2.5), Math.sqrt(2.5), Math.SQRT2]],
  ]),
  many('two columns of doubles: y = 2x + 1', [
    'SELECT corr(y, x), covar_pop(y, x), covar_samp(y, x), regr_slope(y, x), regr_intercept(y, x) FROM (VALUES (1, 3e0), (2, 5e0), (3, 7e0)) AS t(x, y)',
    [[1, 4 / 3, 2, 2, 1]],
  ]),
  one(
    'rounding is half away from zero; round of a decimal has no digits behind the point, with n digits keeps its scale',
    [
      'round(2.5), round(-2.5), round(2.5e0), round(-2.5e0), round(2.675, 2), round(7), round(1.005e0, 1)',
      ['3', '-3', 3, -3, '2.680', 7, 1],
      ['DECIMAL(2,0)', 'DECIMAL(2,0)', 'DOUBLE', 'DOUBLE', 'DECIMAL(5,3)', 'INTEGER', 'DOUBLE'],
    ],
  ),
  one('ceil and floor keep the type, decimals without a scale', [
    'ceil(1.2), ceiling(-1.2), floor(-1.2), floor(1.7e0), ceil(3), truncate(-1.7e0), abs(-3), abs(-1.5), sign(-3), sign(-2.5e0)',
    ['2', '-1', '-2', 1, 3, -1, 3, '1.5', -1, -1],
    [
      'DECIMAL(2,0)',
      'DECIMAL(2,0)',
      'DECIMAL(2,0)',
      'DOUBLE',
      'INTEGER',
      'DOUBLE',
      'INTEGER',
      'DECIMAL(2,1)',
      'INTEGER',
      'DOUBLE',
    ],
  ]),
  one('functions of doubles', [
    'sqrt(16), power(2, 10), pow(2, 3), exp(0), ln(1), log10(1000), log2(8), pi() > 3.14159, e() > 2.71828',
    [4, 1024, 8, 1, 0, 3, 3, true, true],
  ]),
  one('angles', [
    'sin(0), cos(0), tan(0), asin(0), acos(1), atan(0), atan2(0, 1), degrees(0), radians(0)',
    [0, 1, 0, 0, 0, 0, 0, 0, 0],
  ]),
  one('tests of doubles', ['is_nan(0e0 / 0), is_finite(1e0), is_infinite(1e0 / 0)', [true, true, true]]),
  one('greatest and least are NULL when one argument is', [
    'greatest(1, 3, 2), least(1, 3), greatest(1, NULL), least(NULL, 1), greatest(1, 2.5)',
    [3, 1, null, null, '2.5'],
  ]),
  one('conditions', [
    "if(1 > 2, 'a', 'b'), if(1 > 2, 'a'), nullif(1, 1), nullif(2, 1), coalesce(NULL, 2, 3), CASE WHEN 1 > 2 THEN 'x' END, CASE 2 WHEN 1 THEN 'one' WHEN 2 THEN 'two' ELSE 'more' END",
    ['b', null, null, 2, 2, null, 'two'],
  ]),
  one('the results of CASE and IF get one type', [
    'CASE WHEN true THEN 1 ELSE 2.5 END, if(true, 1, 2e0)',
    ['1.0', 1],
    ['DECIMAL(11,1)', 'DOUBLE'],
  ]),
  one('AND and OR with NULL', ['NULL AND false, NULL OR true, NULL AND true, NOT NULL', [false, true, null, null]]),
  one('comparisons with NULL are NULL, IS DISTINCT FROM is not', [
    'NULL = NULL, 1 <> NULL, NULL IS DISTINCT FROM 1, NULL IS NOT DISTINCT FROM NULL, NULL IS NULL, 1 IN (2, NULL), 1 NOT IN (2, NULL)',
    [null, null, true, true, true, null, null],
  ]),
  one('between takes both ends', ['2 BETWEEN 2 AND 3, 2 NOT BETWEEN 3 AND 4, 1.5 BETWEEN 1 AND 2', [true, true, true]]),
  one('numbers of several types are compared as numbers', [
    '1 = 1.0, 1 = 1e0, 2 > 1.5, 10 IN (10.0, 11)',
    [true, true, true, true],
  ]),
  one('text: || and concat give NULL with NULL; concat_ws leaves it out', [
    "'a' || 'b', 'a' || NULL, concat('a', 'b', 'c'), concat('a', NULL), concat_ws('-', 'a', NULL, 'b')",
    ['ab', null, 'abc', null, 'a-b'],
  ]),
  one('substr counts from 1, below 0 from the end; at 0 and beyond the text it is empty', [
    "substr('hello', 2, 3), substring('hello', 4), substr('hello', -3, 2), substr('hello', 0, 2), substr('hello', -9), substr('hello', 9), substr('hello', 2, 0)",
    ['ell', 'lo', 'll', '', '', '', ''],
  ]),
  one('length counts characters; strpos and position are 0 when not found', [
    "length('Zürich'), strpos('abc', 'c'), strpos('abc', 'x'), position('b' IN 'abc'), length(to_utf8('ü'))",
    ['6', '3', '0', '2', '2'],
    ['BIGINT', 'BIGINT', 'BIGINT', 'BIGINT', 'BIGINT'],
  ]),
  one('case, reverse, replace', [
    "lower('ÄB'), upper('äb'), reverse('äb'), replace('abcb', 'b', 'x'), replace('abcb', 'b'), starts_with('abc', 'ab'), chr(65), codepoint('A')",
    ['äb', 'ÄB', 'bä', 'axcx', 'ac', true, 'A', 65],
  ]),
  one('trim takes white space of all kinds', [
    "trim('  a '), ltrim('  a'), rtrim('a  '), trim(chr(9) || 'a' || chr(10))",
    ['a', 'a', 'a', 'a'],
  ]),
  one('lpad and rpad fill, and cut what is too long', [
    "lpad('7', 3, '0'), rpad('abc', 2, 'x'), lpad('a', 4, 'xy')",
    ['007', 'ab', 'xyxa'],
  ]),
  one('split_part beyond the last part is NULL', [
    "split_part('a,b', ',', 2), split_part('a,b', ',', 3), split('a,,b', ',')",
    ['b', null, ['a', '', 'b']],
  ]),
  one('LIKE has no escape character unless it is named; % matches everything', [
    `'a_b' LIKE 'a\\_b', 'a_b' LIKE 'a\\_b' ESCAPE '\\', 'axb' LIKE 'a_b', 'abc' LIKE 'a%', 'abc' NOT LIKE '%d%', 'ABC' LIKE 'abc'`,
    [false, true, true, true, true, false],
  ]),
  one('regexp_like finds a part; regexp_extract is NULL without a match; groups in a replacement are $1', [
    `regexp_like('abc123', '\\d+'), regexp_like('abc', '^b'), regexp_extract('a12b', '\\d+'), regexp_extract('abc', '\\d'), regexp_extract('a12', '([a-z])(\\d+)', 2)`,
    [true, false, '12', null, '12'],
  ]),
  one('regexp_replace replaces all matches, and takes them away without a replacement', [
    `regexp_replace('a1b22', '\\d+', '#'), regexp_replace('a1b22', '\\d+'), regexp_replace('ab', '(a)(b)', '$2$1'), regexp_extract_all('a1b22', '\\d+'), regexp_like('ABC', '(?i)abc')`,
    ['a#b#', 'ab', 'ba', ['1', '22'], true],
  ]),
  one('md5 and its kin take and give bytes; to_hex is in capitals', [
    "to_hex(md5(to_utf8('a'))), to_hex(sha1(to_utf8('a'))), substr(to_hex(sha256(to_utf8('a'))), 1, 8), to_base64(to_utf8('a')), from_utf8(from_hex('41'))",
    ['0CC175B9C0F1B6A831C399E269772661', '86F7E437FAA5A7FCE15D1DDCB9EAEAEA377667B8', 'CA978112', 'YQ==', 'A'],
  ]),
  one('a text is cast to a number only when it is one', [
    "CAST('12' AS integer), CAST('-1.256' AS decimal(10,2)), CAST('1e3' AS double), TRY_CAST('1.5' AS integer), TRY_CAST(' 1' AS bigint), TRY_CAST('' AS double)",
    [12, '-1.26', 1000, null, null, null],
  ]),
  one('numbers are rounded half up when cast to integers', [
    'CAST(1.5 AS integer), CAST(2.5 AS bigint), CAST(2.5e0 AS integer), CAST(-2.5 AS integer), CAST(1.005e0 AS decimal(10,2)), CAST(1.25 AS decimal(3,1))',
    [2, '3', 3, -3, '1.01', '1.3'],
  ]),
  one('other casts', [
    "CAST(true AS varchar), CAST(1.50 AS varchar), CAST(DATE '2026-01-31' AS varchar), CAST(TIMESTAMP '2026-01-31 12:00:00.000' AS varchar), CAST('hello' AS varchar(2)), CAST(true AS integer), CAST(0 AS boolean), CAST('T' AS boolean)",
    ['true', '1.50', '2026-01-31', '2026-01-31 12:00:00.000', 'he', 1, false, true],
  ]),
  one('texts to dates and timestamps', [
    "CAST('2026-01-31' AS date), CAST('2026-01-31 12:30' AS timestamp), CAST('2026-01-31' AS timestamp), TRY_CAST('2026-02-30' AS date), TRY_CAST('2026-01-31T12:00:00' AS timestamp), from_iso8601_date('2026-01-31')",
    ['2026-01-31', '2026-01-31 12:30:00', '2026-01-31 00:00:00', null, null, '2026-01-31'],
  ]),
  one('TRY makes NULL of an error', [
    "TRY(1 / 0), TRY(CAST('x' AS integer)), TRY(ARRAY[1][2]), TRY(coalesce(1 / 0, 5))",
    [null, null, null, null],
  ]),
  one('date + interval of days and months is a date; a month is cut to its last day', [
    "DATE '2026-01-31' + INTERVAL '1' DAY, DATE '2026-01-31' + INTERVAL '1' MONTH, DATE '2024-02-29' - INTERVAL '1' YEAR, TIMESTAMP '2026-01-31 23:30:00' + INTERVAL '1' HOUR, DATE '2026-01-31' - INTERVAL '-1' DAY",
    ['2026-02-01', '2026-02-28', '2023-02-28', '2026-02-01 00:30:00', '2026-02-01'],
    ['DATE', 'DATE', 'DATE', 'TIMESTAMP', 'DATE'],
  ]),
  one('date_add keeps the type', [
    "date_add('day', -1, DATE '2026-03-01'), date_add('month', 1, DATE '2026-01-31'), date_add('week', 1, DATE '2026-01-31'), date_add('quarter', 1, DATE '2026-01-31'), date_add('hour', 2, TIMESTAMP '2026-01-31 23:00:00'), date_add('millisecond', 5, TIMESTAMP '2026-01-31 23:00:00.000')",
    ['2026-02-28', '2026-02-28', '2026-02-07', '2026-04-30', '2026-02-01 01:00:00', '2026-01-31 23:00:00.005'],
    ['DATE', 'DATE', 'DATE', 'DATE', 'TIMESTAMP', 'TIMESTAMP'],
  ]),
  one('date_diff counts whole units, from the first to the second', [
    "date_diff('day', TIMESTAMP '2026-01-01 23:00:00', TIMESTAMP '2026-01-02 01:00:00'), date_diff('hour', TIMESTAMP '2026-01-01 23:30:00', TIMESTAMP '2026-01-02 01:00:00'), date_diff('day', DATE '2026-03-01', DATE '2026-02-28'), date_diff('year', DATE '2025-06-30', DATE '2026-06-29')",
    ['0', '1', '-1', '0'],
    ['BIGINT', 'BIGINT', 'BIGINT', 'BIGINT'],
  ]),
  one(
    'date_diff in months: the last day of a month reaches a day that it has not; backwards it is the same with the other sign',
    [
      "date_diff('month', DATE '2026-01-31', DATE '2026-02-28'), date_diff('month', DATE '2026-01-31', DATE '2026-03-30'), date_diff('month', DATE '2026-02-28', DATE '2026-01-31'), date_diff('quarter', DATE '2026-01-01', DATE '2026-12-31'), date_diff('week', DATE '2026-01-01', DATE '2026-01-14')",
      ['1', '1', '-1', '3', '1'],
    ],
  ),
  one('date_trunc keeps the type; weeks begin on Monday', [
    "date_trunc('month', DATE '2026-02-14'), date_trunc('week', DATE '2026-02-01'), date_trunc('quarter', DATE '2026-02-14'), date_trunc('hour', TIMESTAMP '2026-02-01 12:34:56'), date_trunc('year', TIMESTAMP '2026-02-01 12:34:56')",
    ['2026-02-01', '2026-01-26', '2026-01-01', '2026-02-01 12:00:00', '2026-01-01 00:00:00'],
    ['DATE', 'DATE', 'DATE', 'TIMESTAMP', 'TIMESTAMP'],
  ]),
  one('date_format has the patterns of MySQL: %i are minutes, %M the name of the month, %c its number', [
    "date_format(TIMESTAMP '2026-02-03 04:05:06', '%Y-%m-%d %H:%i:%s'), date_format(DATE '2026-02-03', '%M %c %e %b %y %W %a %j'), date_format(TIMESTAMP '2026-02-03 16:05:06', '%h:%i %p | %T | %k %l | %r'), date_format(DATE '2026-02-03', '%x-%v 100%%'), date_format(TIMESTAMP '2026-02-03 04:05:06.5', '%f %S %I')",
    [
      '2026-02-03 04:05:06',
      'February 2 3 Feb 26 Tuesday Tue 034',
      '04:05 PM | 16:05:06 | 16 4 | 04:05:06 PM',
      '2026-06 100%',
      '500000 06 04',
    ],
  ]),
  one('date_parse gives a timestamp', [
    "date_parse('2026-02-03', '%Y-%m-%d'), date_parse('3.2.2026 4:05', '%e.%c.%Y %k:%i'), TRY(date_parse('x', '%Y-%m-%d')), date_parse('2026-02-03 04:05:06', '%Y-%m-%d %T')",
    ['2026-02-03 00:00:00', '2026-02-03 04:05:00', null, '2026-02-03 04:05:06'],
  ]),
  one('parts of a date; the week and its year are of ISO 8601, Sunday is 7', [
    "year(DATE '2026-02-01'), quarter(DATE '2026-05-01'), month(DATE '2026-02-01'), week(DATE '2027-01-01'), week_of_year(DATE '2026-01-05'), year_of_week(DATE '2027-01-01'), yow(DATE '2026-01-05'), day(DATE '2026-02-03'), day_of_month(DATE '2026-02-03'), day_of_week(DATE '2026-02-01'), dow(DATE '2026-02-02'), day_of_year(DATE '2026-02-01'), doy(DATE '2026-02-01')",
    ['2026', '2', '2', '53', '2', '2026', '2026', '3', '3', '7', '1', '32', '32'],
  ]),
  one('parts of a time, and EXTRACT', [
    "hour(TIMESTAMP '2026-02-01 12:34:56.789'), minute(TIMESTAMP '2026-02-01 12:34:56.789'), second(TIMESTAMP '2026-02-01 12:34:56.789'), millisecond(TIMESTAMP '2026-02-01 12:34:56.789'), EXTRACT(YEAR FROM DATE '2026-02-01'), EXTRACT(DOW FROM DATE '2026-02-01')",
    ['12', '34', '56', '789', '2026', '7'],
  ]),
  one('unix time is of UTC; from_unixtime gives a timestamp with a time zone', [
    "from_unixtime(1577836800), to_unixtime(TIMESTAMP '2020-01-01 00:00:00'), CAST(from_unixtime(1577836800.5) AS timestamp), date(from_unixtime(0))",
    ['2020-01-01 00:00:00.000 UTC', 1577836800, '2020-01-01 00:00:00.5', '1970-01-01'],
    ['TIMESTAMP WITH TIME ZONE', 'DOUBLE', 'TIMESTAMP', 'DATE'],
  ]),
  one('now', [
    "current_date > DATE '2020-01-01', current_timestamp > TIMESTAMP '2020-01-01 00:00:00', now() = current_timestamp, localtimestamp > DATE '2020-01-01', date(now()) = current_date",
    [true, true, true, true, true],
  ]),
  one('dates compare with timestamps as their midnight', [
    "DATE '2026-01-31' = TIMESTAMP '2026-01-31 00:00:00', DATE '2026-01-31' < TIMESTAMP '2026-01-31 00:00:01', date(TIMESTAMP '2026-01-31 23:59:59'), last_day_of_month(DATE '2024-02-10')",
    [true, true, '2026-01-31', '2024-02-29'],
  ]),
  one('arrays count from 1; element_at beyond the end is NULL, from the end below 0', [
    'ARRAY[1, 2, 3][2], element_at(ARRAY[1, 2], 3), element_at(ARRAY[1, 2], -1), cardinality(ARRAY[1, 2]), ARRAY[1] || ARRAY[2], concat(ARRAY[1], ARRAY[2])',
    [2, null, 2, '2', [1, 2], [1, 2]],
  ]),
  one('contains is NULL when it might be among the NULLs', [
    'contains(ARRAY[1, 2], 2), contains(ARRAY[1, 2], 3), contains(ARRAY[1, NULL], 3), array_position(ARRAY[5, 6], 6), array_position(ARRAY[5], 6)',
    [true, false, null, '2', '0'],
  ]),
  one('array_join leaves NULL out, unless there is a text for it', [
    "array_join(ARRAY[1, NULL, 2], ','), array_join(ARRAY[1, NULL, 2], ',', '?'), array_join(ARRAY['a', 'b'], '')",
    ['1,2', '1,?,2', 'ab'],
  ]),
  one('array functions; NULL comes last, and array_max with NULL is NULL', [
    'array_sort(ARRAY[3, NULL, 1]), array_distinct(ARRAY[3, 1, 3]), array_max(ARRAY[1, 2]), array_max(ARRAY[1, NULL]), array_min(ARRAY[2, 1]), flatten(ARRAY[ARRAY[1], ARRAY[2, 3]]), slice(ARRAY[1, 2, 3, 4], 2, 2), slice(ARRAY[1, 2, 3, 4], -2, 2), reverse(ARRAY[1, 2])',
    [[1, 3, null], [3, 1], 2, null, 1, [1, 2, 3], [2, 3], [3, 4], [2, 1]],
  ]),
  one('sequence includes its last, and counts down where that is below', [
    'sequence(1, 3), sequence(3, 1), sequence(1, 6, 2)',
    [
      ['1', '2', '3'],
      ['3', '2', '1'],
      ['1', '3', '5'],
    ],
  ]),
  one('lambdas', [
    "transform(ARRAY[1, 2], x -> x * 2), filter(ARRAY[1, 2, 3], x -> x > 1), reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s), reduce(ARRAY[2, 3], 1, (s, x) -> s * x, s -> s + 0.5), transform(ARRAY['a'], (x) -> x || '!')",
    [[2, 4], [2, 3], 6, '6.5', ['a!']],
  ]),
  one('any_match, all_match and none_match know NULL', [
    'any_match(ARRAY[1, 2], x -> x > 1), any_match(ARRAY[1, NULL], x -> x > 1), all_match(ARRAY[1, 2], x -> x > 0), all_match(ARRAY[1, NULL], x -> x > 1), none_match(ARRAY[1, 2], x -> x > 2), none_match(ARRAY[1, NULL], x -> x > 1)',
    [true, null, true, false, true, null],
  ]),
  one('maps', [
    "map(ARRAY['a', 'b'], ARRAY[1, 2])['b'], element_at(map(ARRAY['a'], ARRAY[1]), 'x'), map_keys(map(ARRAY['a'], ARRAY[1])), map_values(map(ARRAY['a'], ARRAY[1])), cardinality(map(ARRAY['a'], ARRAY[1]))",
    [2, null, ['a'], [1], '1'],
  ]),
  one('json_extract_scalar is NULL for what is no scalar, not there, or no JSON', [
    `json_extract_scalar('{"a": {"b": [1, "x"]}}', '$.a.b[1]'), json_extract_scalar('{"a": [1]}', '$.a'), json_extract_scalar('{"a": 1}', '$.b'), json_extract_scalar('no', '$.a'), json_extract_scalar('{"a": true}', '$.a'), json_extract_scalar('{"a b": 2}', '$["a b"]')`,
    ['x', null, null, null, 'true', '2'],
  ]),
  one('numbers in JSON', [
    `CAST(json_extract_scalar('{"a": 1.50}', '$.a') AS double), CAST(json_extract_scalar('{"a": 1.50}', '$.a') AS decimal(10,2)), CAST(json_extract_scalar('{"a": 7}', '$.a') AS integer)`,
    [1.5, '1.50', 7],
  ]),
  one('JSON', [
    `json_extract_scalar(json_extract('{"a": {"b": 1}}', '$.a'), '$.b'), json_array_length('[1, 2]'), json_array_length('{}'), json_extract_scalar(json_parse('[5]'), '$[0]'), json_format(CAST(ARRAY['a', 'b'] AS JSON))`,
    ['1', '2', null, '5', '["a","b"]'],
  ]),
  many('rows: fields by their names', [
    "SELECT place.city, t.place.zip, CAST(ROW(1, 'a') AS ROW(x integer, y varchar)).y FROM clean.tags AS t WHERE id = 1",
    [['Bern', '03000', 'a']],
  ]),
  many(
    'NULL comes last, ascending and descending, unless said otherwise',
    ['SELECT units FROM clean.sales ORDER BY units', [[1], [3], [4], [null]]],
    ['SELECT units FROM clean.sales ORDER BY units DESC', [[4], [3], [1], [null]]],
    ['SELECT units FROM clean.sales ORDER BY units NULLS FIRST LIMIT 2', [[null], [1]]],
  ),
  many(
    'ORDER BY sees the names of the result, places, and the columns of FROM',
    ['SELECT id, -id AS id2 FROM clean.sales ORDER BY id2 LIMIT 1', [[4, -4]]],
    [
      'SELECT shop, count(*) FROM clean.sales GROUP BY shop ORDER BY 2 DESC, shop',
      [
        ['Bern', '2'],
        ['Genf', '1'],
        [null, '1'],
      ],
    ],
    ['SELECT shop FROM clean.sales ORDER BY amount LIMIT 1', [[null]]],
    ['SELECT -id AS id FROM clean.sales ORDER BY id LIMIT 1', [[-4]]],
  ),
  many(
    'OFFSET comes before LIMIT; FETCH FIRST is LIMIT',
    ['SELECT id FROM clean.sales ORDER BY id OFFSET 1 LIMIT 2', [[2], [3]]],
    ['SELECT id FROM clean.sales ORDER BY id OFFSET 2 ROWS FETCH FIRST 1 ROW ONLY', [[3]]],
    ['SELECT id FROM clean.sales ORDER BY id FETCH NEXT 2 ROWS ONLY', [[1], [2]]],
  ),
  many(
    'grouping',
    [
      'SELECT shop, sum(amount) AS total FROM clean.sales WHERE shop IS NOT NULL GROUP BY 1 HAVING sum(amount) > 3 ORDER BY total',
      [['Bern', '15.25']],
    ],
    [
      'SELECT upper(shop), count(*) FROM clean.sales GROUP BY upper(shop) ORDER BY 1',
      [
        ['BERN', '2'],
        ['GENF', '1'],
        [null, '1'],
      ],
    ],
    [
      'SELECT shop, grouping(shop), count(*) FROM clean.sales WHERE shop IS NOT NULL GROUP BY ROLLUP (shop) ORDER BY 2, 1',
      [
        ['Bern', 0, '2'],
        ['Genf', 0, '1'],
        [null, 1, '3'],
      ],
    ],
    [
      "SELECT shop, m, count(*) FROM (SELECT shop, month(day) AS m FROM clean.sales WHERE shop = 'Bern') AS t GROUP BY GROUPING SETS ((shop), (m), ()) ORDER BY 1, 2",
      [
        ['Bern', null, '2'],
        [null, '1', '1'],
        [null, '2', '1'],
        [null, null, '2'],
      ],
    ],
    [
      "SELECT count(*) FROM (SELECT shop, units FROM clean.sales WHERE shop = 'Bern' GROUP BY CUBE (shop, units)) AS t",
      [['6']],
    ],
    ['SELECT DISTINCT shop FROM clean.sales ORDER BY shop', [['Bern'], ['Genf'], [null]]],
  ),
  many(
    'windows: with ORDER BY the frame ends at the current row and its equals',
    [
      'SELECT id, row_number() OVER (ORDER BY id DESC), sum(id) OVER (ORDER BY id), sum(id) OVER () FROM clean.sales ORDER BY id',
      [
        [1, '4', '1', '10'],
        [2, '3', '3', '10'],
        [3, '2', '6', '10'],
        [4, '1', '10', '10'],
      ],
      ['INTEGER', 'BIGINT', 'BIGINT', 'BIGINT'],
    ],
    [
      'SELECT x, rank() OVER (ORDER BY x), dense_rank() OVER (ORDER BY x), sum(x) OVER (ORDER BY x), percent_rank() OVER (ORDER BY x), cume_dist() OVER (ORDER BY x) FROM (VALUES 1, 1, 2) AS t(x) ORDER BY x',
      [
        [1, '1', '1', '2', 0, 2 / 3],
        [1, '1', '1', '2', 0, 2 / 3],
        [2, '3', '2', '4', 1, 1],
      ],
    ],
    [
      'SELECT id, lag(id) OVER (ORDER BY id), lead(id, 2, 0) OVER (ORDER BY id), first_value(id) OVER (ORDER BY id DESC), last_value(id) OVER (ORDER BY id), nth_value(id, 2) OVER (ORDER BY id), ntile(2) OVER (ORDER BY id) FROM clean.sales ORDER BY id',
      [
        [1, null, 3, 4, 1, null, '1'],
        [2, 1, 4, 4, 2, 2, '1'],
        [3, 2, 0, 4, 3, 2, '2'],
        [4, 3, 0, 4, 4, 2, '2'],
      ],
    ],
    [
      'SELECT id, avg(amount) OVER (PARTITION BY shop ORDER BY id ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM clean.sales WHERE shop IS NOT NULL ORDER BY id',
      [
        [1, '10.00'],
        [2, '7.63'],
        [3, '2.50'],
      ],
    ],
    ['SELECT last_value(units) IGNORE NULLS OVER (ORDER BY id) FROM clean.sales ORDER BY id', [[3], [3], [4], [1]]],
  ),
  many(
    'joins',
    [
      'SELECT s.id, t.id FROM clean.sales AS s LEFT JOIN clean.tags AS t ON s.id = t.id ORDER BY s.id',
      [
        [1, 1],
        [2, 2],
        [3, 3],
        [4, null],
      ],
    ],
    [
      'SELECT id, city FROM clean.sales JOIN (SELECT id, place.city FROM clean.tags) AS p USING (id) ORDER BY id',
      [
        [1, 'Bern'],
        [2, 'Genf'],
        [3, null],
      ],
    ],
    [
      'SELECT id FROM (VALUES 1, 2) AS a(id) FULL OUTER JOIN (VALUES 2, 3) AS b(id) USING (id) ORDER BY id',
      [[1], [2], [3]],
    ],
    ['SELECT count(*) FROM clean.sales CROSS JOIN clean.tags', [['12']]],
    ['SELECT count(*) FROM clean.sales s, clean.tags t WHERE s.id = t.id', [['3']]],
    ['SELECT b.x FROM (VALUES 1) AS a(x) RIGHT JOIN (VALUES 1, 2) AS b(x) ON a.x = b.x ORDER BY 1', [[1], [2]]],
  ),
  many(
    'UNNEST',
    [
      'SELECT id, tag FROM clean.tags CROSS JOIN UNNEST(tags) AS u(tag) ORDER BY id, tag',
      [
        [1, 'a'],
        [1, 'b'],
      ],
    ],
    [
      'SELECT tag, n FROM clean.tags CROSS JOIN UNNEST(tags) WITH ORDINALITY AS u(tag, n) ORDER BY n',
      [
        ['a', '1'],
        ['b', '2'],
      ],
      ['VARCHAR', 'BIGINT'],
    ],
    [
      'SELECT k, v FROM clean.tags CROSS JOIN UNNEST(prices) AS u(k, v) ORDER BY k',
      [
        ['x', 1],
        ['y', 2],
      ],
    ],
    [
      'SELECT id, tag FROM clean.tags LEFT JOIN UNNEST(tags) AS u(tag) ON TRUE ORDER BY id, tag',
      [
        [1, 'a'],
        [1, 'b'],
        [2, null],
        [3, null],
      ],
    ],
    [
      "SELECT a, b FROM UNNEST(ARRAY[1, 2], ARRAY['x']) AS t(a, b) ORDER BY a",
      [
        [1, 'x'],
        [2, null],
      ],
    ],
    ["SELECT x, y FROM UNNEST(ARRAY[CAST(ROW(1, 'a') AS ROW(p integer, q varchar))]) AS t(x, y)", [[1, 'a']]],
    [
      "SELECT s.id, part FROM clean.sales AS s CROSS JOIN UNNEST(split(note, ',')) AS u(part) WHERE s.id = 2 ORDER BY part",
      [
        [2, 'a'],
        [2, 'b'],
      ],
    ],
  ),
  many(
    'sets: UNION gives each row once, columns get one type',
    ['SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 ORDER BY 1', [[1], [2]]],
    ['SELECT 1 AS x UNION ALL SELECT 2.5 ORDER BY x', [['1.0'], ['2.5']], ['DECIMAL(11,1)']],
    ["SELECT shop FROM clean.sales EXCEPT SELECT 'Bern' ORDER BY 1", [['Genf'], [null]]],
    ['SELECT id FROM clean.sales INTERSECT SELECT id FROM clean.tags ORDER BY id DESC LIMIT 1', [[3]]],
    ['SELECT 1 UNION SELECT 2 INTERSECT SELECT 3', [[1]]],
    ["SELECT NULL AS x UNION ALL SELECT 'a' ORDER BY x", [['a'], [null]]],
  ),
  many(
    'subqueries',
    [
      'SELECT id FROM clean.sales WHERE id IN (SELECT id FROM clean.tags WHERE tags IS NOT NULL) ORDER BY 1',
      [[1], [2]],
    ],
    [
      'SELECT id FROM clean.sales AS s WHERE EXISTS (SELECT 1 FROM clean.tags AS t WHERE t.id = s.id AND cardinality(t.tags) > 0)',
      [[1]],
    ],
    ['SELECT id FROM clean.sales WHERE amount = (SELECT max(amount) FROM clean.sales)', [[1]]],
    [
      'SELECT id, (SELECT count(*) FROM clean.sales AS b WHERE b.shop = a.shop) FROM clean.sales AS a ORDER BY id',
      [
        [1, '2'],
        [2, '2'],
        [3, '1'],
        [4, '0'],
      ],
    ],
    ['SELECT id FROM clean.sales WHERE id > ALL (SELECT id FROM clean.tags)', [[4]]],
    [
      'SELECT id FROM clean.sales WHERE id = ANY (SELECT 2) OR id NOT IN (SELECT id FROM clean.tags) ORDER BY id',
      [[2], [4]],
    ],
  ),
  many(
    'WITH',
    [
      'WITH a AS (SELECT id FROM clean.sales WHERE id < 3), b (n) AS (SELECT id + 10 FROM a) SELECT n FROM b ORDER BY n DESC',
      [[12], [11]],
    ],
    ['WITH sales AS (SELECT 1 AS x) SELECT sales.x FROM sales', [[1]]],
  ),
  many(
    'VALUES and TABLE',
    [
      "VALUES (1, 'a'), (2, 'b')",
      [
        [1, 'a'],
        [2, 'b'],
      ],
    ],
    ['VALUES 1, 2.5', [['1.0'], ['2.5']]],
    ["SELECT b FROM (VALUES (1, 'x')) AS t(a, b)", [['x']]],
    [
      'TABLE clean.tags LIMIT 1',
      [
        [
          1,
          ['a', 'b'],
          [
            { key: 'x', value: 1 },
            { key: 'y', value: 2 },
          ],
          { city: 'Bern', zip: '03000' },
        ],
      ],
    ],
  ),
  many(
    'names: case does not count, quotes take other characters, keywords may be names in quotes',
    ['SELECT ID, "Shop", S.AMOUNT FROM clean.SALES AS s WHERE "id" = 1', [[1, 'Bern', '10.00']]],
    ['SELECT "select" FROM (SELECT 1 AS "select") AS "a b"', [[1]]],
    ['SELECT clean.sales.id, sales.shop FROM clean.sales WHERE clean.sales.id = 3', [[3, 'Genf']]],
  ),
  many(
    'texts and comments',
    ["SELECT 'it''s', 'a -- b', '/* c */' -- the end", [["it's", 'a -- b', '/* c */']]],
    ["/* before */ SELECT 'a\\b' /* after */;", [['a\\b']]],
  ),
  many(
    'questions about dates in tables',
    [
      "SELECT date_trunc('month', day) AS month, count(*), sum(amount) FROM clean.sales GROUP BY date_trunc('month', day) ORDER BY month",
      [
        ['2026-01-01', '1', '10.00'],
        ['2026-02-01', '2', '7.75'],
        ['2026-03-01', '1', '1.00'],
      ],
      ['DATE', 'BIGINT', 'DECIMAL(38,2)'],
    ],
    [
      "SELECT id FROM clean.sales WHERE day >= DATE '2026-02-01' AND at < TIMESTAMP '2026-03-01 00:00:00' ORDER BY id",
      [[2], [3]],
    ],
    [
      "SELECT id, date_diff('day', day, DATE '2026-03-01') FROM clean.sales ORDER BY id",
      [
        [1, '29'],
        [2, '28'],
        [3, '1'],
        [4, '0'],
      ],
    ],
  ),
  many('"$path" is the file of a row', [
    `SELECT DISTINCT regexp_like("$path", 'clean/sales/.*\\.parquet$') FROM clean.sales`,
    [[true]],
  ]),
  many('shares: decimals times 100.0', [
    'SELECT shop, round(100.0 * sum(amount) / sum(sum(amount)) OVER (), 1) AS share FROM clean.sales WHERE shop IS NOT NULL GROUP BY shop ORDER BY shop',
    [
      ['Bern', '85.900'],
      ['Genf', '14.100'],
    ],
  ]),
]

/** What Athena refuses as well, or answers otherwise than could be answered here: each is an error that names it. */
export const REFUSED: readonly [sql: string, message: RegExp][] = [
  ['SELECT 1 / 0', /Division by zero/],
  ['SELECT 1 % 0', /Division by zero/],
  ['SELECT 1.5 / 0', /Division by zero/],
  ['SELECT units / (id - 1) FROM clean.sales', /Division by zero.*nullif/],
  ['SELECT 2147483647 + 1', /too large for its type/],
  ['SELECT ARRAY[1, 2][3]', /beyond its end.*element_at/],
  ['SELECT ARRAY[1, 2][0]', /below 1/],
  ["SELECT map(ARRAY['a'], ARRAY[1])['b']", /not in the map.*element_at/],
  ["SELECT CAST('1.5' AS integer)", /cannot be cast to integer.*try_cast/],
  ["SELECT CAST('31.1.2026' AS date)", /cannot be cast to date.*2026-01-31/],
  ['SELECT id FROM clean.sales WHERE shop = 1', /line 1:.*varchar and integer have no type in common/],
  ["SELECT day = '2026-01-31' FROM clean.sales", /date and varchar have no type in common/],
  ["SELECT 1 + 'a'", /\+ cannot be put between integer and varchar/],
  ["SELECT 1 || 'a'", /\|\| joins texts.*integer and varchar/],
  ["SELECT if(true, 1, 'a')", /integer and varchar have no type in common/],
  ["SELECT 1 UNION SELECT 'a'", /column 1 of UNION is integer here and varchar there/],
  ['SELECT 1 UNION SELECT 1, 2', /the same number of columns/],
  ['SELECT shop, id FROM clean.sales GROUP BY shop', /id is neither grouped nor in an aggregate/],
  ['SELECT upper(shop) AS u FROM clean.sales GROUP BY u', /there is no column u/],
  ['SELECT id AS x FROM clean.sales WHERE x = 1', /line 1:.*there is no column x.*id, shop/],
  ['SELECT id FROM clean.sales JOIN clean.tags ON sales.id = tags.id', /id could mean several columns/],
  ["SELECT DATE '2026-02-30'", /'2026-02-30' is no date/],
  ["SELECT DATE '2026-01-31' + INTERVAL '1' HOUR", /cannot be added to a date/],
  ["SELECT date_trunc('hour', DATE '2026-01-31')", /'hour' is no unit of a date/],
  ["SELECT DATE '2026-01-31' - DATE '2026-01-01'", /date - date at line 1:26 is not supported.*date_diff/],
  ['SELECT sum(shop) FROM clean.sales', /sum takes a number here, and this is varchar/],
  ['SELECT length(id) FROM clean.sales', /must be varchar, and this is integer/],
  ['SELECT id FROM clean.sales WHERE id', /a condition must be boolean, and this is integer/],
  ['SELECT row_number() FROM clean.sales', /row_number needs OVER/],
  ['SELECT substr(shop) FROM clean.sales', /substr takes 2 to 3 arguments, and has 1/],
  ['SELECT (SELECT id, shop FROM clean.sales)', /must give one column, and gives 2/],
  // Words of DuckDB and of others.
  ['SELECT id::varchar FROM clean.sales', /The cast :: at line 1:10 is not supported.*CAST/],
  ['SELECT * EXCLUDE (id) FROM clean.sales', /\* EXCLUDE at line 1:10/],
  ['SELECT shop, count(*) FROM clean.sales GROUP BY ALL', /GROUP BY ALL at line 1:49/],
  ['SELECT * FROM clean.sales ORDER BY ALL', /ORDER BY ALL/],
  ['SELECT * FROM clean.sales QUALIFY row_number() OVER () = 1', /QUALIFY at line 1:27/],
  ['SELECT id FROM clean.sales LIMIT 1 OFFSET 2', /LIMIT before OFFSET at line 1:36/],
  ['FROM clean.sales', /begins with FROM at line 1:1/],
  ["SELECT string_agg(shop, ',') FROM clean.sales", /The function string_agg at line 1:8 is not supported.*listagg/],
  ["SELECT shop ILIKE 'b%' FROM clean.sales", /ILIKE at line 1:13.*lower/],
  ['SELECT [1, 2]', /A list in brackets at line 1:8.*ARRAY/],
  ['SELECT DISTINCT ON (shop) shop FROM clean.sales', /DISTINCT ON/],
  ['SELECT `id` FROM clean.sales', /A name in backquotes at line 1:8/],
  ['SELECT 7 // 2', /The sign \/\/ at line 1:10/],
  ['SELECT a.id FROM clean.sales AS a SEMI JOIN clean.tags AS b ON a.id = b.id', /SEMI at line 1:35/],
  ['PIVOT clean.sales ON shop USING sum(id)', /PIVOT at line 1:1/],
  ['SUMMARIZE clean.sales', /SUMMARIZE at line 1:1/],
  ['SELECT CAST(1 AS hugeint)', /The type HUGEINT at line 1:18/],
  ['SELECT median(id) FROM clean.sales', /function median.*approx_percentile/],
  // Athena has it; an answer here might differ.
  ['SELECT CAST(1.5e0 AS varchar)', /from double to varchar at line 1:22.*1\.5E0.*decimal/],
  ["SELECT at AT TIME ZONE 'Europe/Zurich' FROM clean.sales", /AT TIME ZONE at line 1:11/],
  ["SELECT TIMESTAMP '2026-01-31 12:00:00 Europe/Zurich'", /TIMESTAMP with a time zone/],
  ['SELECT * FROM clean.sales TABLESAMPLE BERNOULLI (10)', /TABLESAMPLE at line 1:27/],
  ['WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t', /WITH RECURSIVE/],
  ['SELECT random()', /The function random at line 1:8/],
  ["SELECT regexp_like('a', '\\bb')", /\\b in a pattern/],
  ["SELECT regexp_like('a', '(?<=a)b')", /\(\?< in a pattern/],
  ["SELECT date_format(DATE '2026-01-31', '%U')", /The pattern %U/],
  ['SELECT id, shop, (id, shop) FROM clean.sales', /A row without names at line 1:18/],
  ["SELECT json_extract('{}', '$')", /is of the type json.*json_extract_scalar/],
  ["SELECT json_extract_scalar('{\"a\": 1.50}', '$.a')", /CAST\(json_extract_scalar/],
  [
    'SELECT sum(id) OVER (ORDER BY id RANGE BETWEEN 1 PRECEDING AND CURRENT ROW) FROM clean.sales',
    /RANGE with a distance/,
  ],
  ['SELECT * FROM clean.sales NATURAL JOIN clean.tags', /NATURAL JOIN at line 1:27/],
  ['SELECT nosuch(1)', /The function nosuch at line 1:8 is not supported.*docs\/athena-sql\.md/],
  // What cannot be read.
  ['SELECT FROM clean.sales', /line 1:8: FROM is a word of the language|there is FROM/],
  ["SELECT 'open", /line 1:8: a quote or comment is not closed/],
  ['SELECT\n  id,\n  (1 + \nFROM clean.sales', /line 4:1/],
  ['SELECT id FROM sales', /The table sales needs its zone \(line 1:16\)/],
  ['SELECT id FROM elsewhere.sales', /There is no zone elsewhere/],
  ['SELECT nope.* FROM clean.sales', /there is no table nope in FROM/],
]
