// Where engines that look alike give different answers. As in cases.ts, what is expected follows from Trino's documentation and rules,
// and never from DuckDB; a comment says the rule where it is not the title.

import { type Case, many, one } from './cases.ts'

export const TRAPS: readonly [rule: string, cases: Case[]][] = [
  // Numbers
  one(
    'signs of / and %: towards zero, and as the dividend',
    ['-7 / 2, 7 / -2, -7 % 2, 7 % -2, mod(-7, 3), mod(7, -3)', [-3, -3, -1, 1, -1, 1]],
    ['-7.5 % 2, 5 % 2.5e0, -5.5e0 % 2', ['-1.5', 0, -1.5]],
  ),
  one(
    'scales of decimals: * adds them, / keeps the larger',
    ['1.10 * 2.200, 1.1 / 3.33, 10.00 / 3', ['2.42000', '0.33', '3.33']],
    ['1 / 3.0, 2 / 3.000, 1.0 - 0.9999', ['0.3', '0.667', '0.0001']],
  ),
  one('a decimal below 1 is written with its 0', [
    "CAST(0.50 AS varchar), CAST(-0.5 AS varchar), CAST(CAST(0.25 AS decimal(2,2)) AS varchar), array_join(ARRAY[0.5, 0.25], '-'), CAST(NULL AS decimal(2,2))",
    ['0.50', '-0.5', '0.25', '0.50-0.25', null],
  ]),
  one('a real is shown as short as it can be told apart by', [
    'CAST(0.1 AS real), CAST(2.345 AS real), ARRAY[CAST(0.1 AS real)], map(ARRAY[1], ARRAY[CAST(0.3 AS real)]), CAST(ROW(0.7) AS ROW(x real))',
    [0.1, 2.345, [0.1], [{ key: 1, value: 0.3 }], { x: 0.7 }],
  ]),
  one(
    'whole numbers are rounded from doubles half away from zero, and NULL where they do not fit',
    ['CAST(1.9e0 AS integer), CAST(-1.5e0 AS bigint), CAST(0.5e0 AS integer)', [2, '-2', 1]],
    ['TRY_CAST(300 AS tinyint), TRY_CAST(3e10 AS integer), TRY_CAST(0e0/0 AS integer)', [null, null, null]],
    // Small whole numbers stay small until they overflow.
    ['CAST(100 AS tinyint) * 2, CAST(1 AS smallint) + CAST(1 AS tinyint)', [200, 2], ['INTEGER', 'SMALLINT']],
  ),
  one('doubles by what they say in decimal digits', [
    'round(2.345e0, 2), round(-0.5e0), CAST(0.125e0 AS decimal(5,2)), 0.1 + 0.2 = 0.3, 0.1e0 + 0.2e0 = 0.3e0',
    [2.35, -1, '0.13', true, false],
  ]),

  // Aggregates
  many(
    'count_if is 0 of nothing and of NULL only',
    ['SELECT count_if(units > 2) FROM clean.sales WHERE id > 9', [['0']]],
    ['SELECT count_if(units > 2) FROM clean.sales WHERE units IS NULL', [['0']]],
    [
      'SELECT shop, count_if(units > 3) FROM clean.sales GROUP BY shop ORDER BY 1',
      [
        ['Bern', '0'],
        ['Genf', '1'],
        [null, '0'],
      ],
    ],
    ['SELECT count_if(units > 2) OVER (ORDER BY id) FROM clean.sales WHERE id = 2', [['0']]],
  ),
  many(
    // They exist of reals and doubles; what is neither is taken for a real, which has seven digits.
    'corr, covar_… and regr_… of whole numbers and decimals are reals',
    [
      'SELECT regr_slope(x, y), covar_pop(x, y) FROM (VALUES (1, 2), (3, 5)) AS t(x, y)',
      [[0.6666667, 1.5]],
      ['FLOAT', 'FLOAT'],
    ],
    ['SELECT corr(x, y) FROM (VALUES (1, 2e0), (3, 5e0)) AS t(x, y)', [[1]], ['DOUBLE']],
  ),
  many(
    'what has no slope has none: NULL, not NaN',
    [
      'SELECT corr(x, y), regr_slope(x, y), regr_intercept(x, y) FROM (VALUES (1e0, 2e0)) AS t(x, y)',
      [[null, null, null]],
    ],
    ['SELECT corr(y, x), regr_slope(y, x) FROM (VALUES (1e0, 2e0), (3e0, 2e0)) AS t(y, x)', [[null, null]]],
    ['SELECT stddev(x), variance(x), var_pop(x) FROM (VALUES 1) AS t(x)', [[null, null, 0]]],
  ),
  many(
    // So the middle of four is the third.
    'approx_percentile: the value that floor(share × count) others are not above',
    [
      'SELECT approx_percentile(id, 0.5), approx_percentile(id, 0.25), approx_percentile(id, 0.0), approx_percentile(id, 1.0) FROM clean.sales',
      [['3', '2', '1', '4']],
    ],
    [
      'SELECT approx_percentile(x, 0.9), approx_percentile(x, 0.995) FROM UNNEST(sequence(1, 100)) AS t(x)',
      [['91', '100']],
    ],
    ['SELECT approx_percentile(CAST(x AS double), 0.3) FROM UNNEST(sequence(1, 10)) AS t(x)', [[4]]],
    ['SELECT approx_percentile(x, 0.5) FROM (VALUES 5, NULL, 1, 9) AS t(x)', [['5']]],
    ['SELECT approx_percentile(amount, 0.5) FROM clean.sales', [[5.25]], ['FLOAT']],
  ),
  many('grouping() of up to 31 columns is an integer: a bit for each, the last the lowest', [
    'SELECT shop, units, grouping(shop, units) FROM clean.sales WHERE id = 1 GROUP BY CUBE (shop, units) ORDER BY 3',
    [
      ['Bern', 3, 0],
      ['Bern', null, 1],
      [null, 3, 2],
      [null, null, 3],
    ],
    ['VARCHAR', 'INTEGER', 'INTEGER'],
  ]),
  many(
    'grouping sets: of nothing the empty one has a row, and a set that is there twice counts twice',
    ['SELECT count(*) FROM clean.sales WHERE id > 9 GROUP BY ROLLUP (shop)', [['0']]],
    [
      'SELECT shop, count(*) FROM clean.sales WHERE id = 1 GROUP BY GROUPING SETS ((shop), (shop), ()) ORDER BY 1',
      [
        ['Bern', '1'],
        ['Bern', '1'],
        [null, '1'],
      ],
    ],
    [
      'SELECT shop, units, count(*) FROM clean.sales WHERE id = 1 GROUP BY shop, ROLLUP (units) ORDER BY 2',
      [
        ['Bern', 3, '1'],
        ['Bern', null, '1'],
      ],
    ],
  ),
  many(
    'aggregates and NULL: array_agg keeps it, listagg, histogram and DISTINCT counts do not',
    [
      'SELECT cardinality(array_agg(shop)), count(DISTINCT shop), cardinality(histogram(shop)) FROM clean.sales',
      [['4', '2', '2']],
    ],
    ["SELECT listagg(DISTINCT shop, ',') WITHIN GROUP (ORDER BY shop) FROM clean.sales", [['Bern,Genf']]],
    ["SELECT listagg(shop, ',') WITHIN GROUP (ORDER BY id) FROM clean.sales WHERE id > 9", [[null]]],
    [
      'SELECT max_by(id, units), min_by(units, shop), max_by(shop, units) FROM clean.sales WHERE id < 3',
      [[1, 3, 'Bern']],
    ],
    ['SELECT max_by(shop, units) FROM clean.sales WHERE units IS NULL', [[null]]],
  ),

  // Windows
  many(
    'frames of rows, of equals, and of groups of equals',
    [
      'SELECT sum(units) OVER (ORDER BY id ROWS 2 PRECEDING) FROM clean.sales ORDER BY id',
      [['3'], ['3'], ['7'], ['5']],
    ],
    [
      'SELECT sum(id) OVER (ORDER BY id ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING) FROM clean.sales ORDER BY id',
      [['5'], ['7'], ['4'], [null]],
    ],
    [
      'SELECT sum(id) OVER (ORDER BY shop GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM clean.sales ORDER BY id',
      [['3'], ['3'], ['6'], ['7']],
    ],
    ['SELECT last_value(id) OVER (ORDER BY shop) FROM clean.sales WHERE id IN (1, 3, 4) ORDER BY id', [[1], [3], [4]]],
    ['SELECT lag(units) IGNORE NULLS OVER (ORDER BY id) FROM clean.sales ORDER BY id', [[null], [3], [3], [4]]],
    [
      'SELECT rank() OVER (ORDER BY shop DESC), dense_rank() OVER (ORDER BY shop NULLS FIRST) FROM clean.sales ORDER BY id',
      [
        ['2', '2'],
        ['2', '2'],
        ['1', '3'],
        ['4', '1'],
      ],
    ],
  ),

  // Texts
  one('regexp_count counts what does not overlap', [
    "regexp_count('abcabc', 'b'), regexp_count('aaa', 'a+'), regexp_count('x', 'y')",
    ['2', '1', '0'],
  ]),
  one('letters: ß has no capital, and signs beyond 16 bits count once', [
    "upper('straße'), upper('ß'), upper('ẞß'), length('a😀'), reverse('a😀b'), substr('a😀b', 2, 1), strpos('a😀b', 'b')",
    ['STRAßE', 'ß', 'ẞß', '2', 'b😀a', '😀', '3'],
  ]),
  one('places in texts, from either end', [
    "substr('hello', 0), substr('hello', -3, 10), substr('hello', 2, -1), substr('hello', -10, 8), strpos('abc', ''), split_part('abc', 'abc', 2), split_part('a-b', '-', 5), split('', ',')",
    ['', 'llo', '', '', '1', '', null, ['']],
  ]),
  one('texts are compared by their code points, to the last space', [
    "'Z' < 'a', 'a' < 'ä', 'a' = 'a ', '' < 'a', '1' = '1.0'",
    [true, true, false, true, false],
  ]),
  one('ESCAPE stands before %, _ and itself', [
    "'a%c' LIKE 'a#%c' ESCAPE '#', '100%' LIKE '100!%' ESCAPE '!', 'a#b' LIKE 'a##b' ESCAPE '#', 'abc' LIKE 'a#_c' ESCAPE '#', 'a%c' LIKE concat('a', '#%c') ESCAPE '#'",
    [true, true, true, false, true],
  ]),
  one(
    'in a pattern \\w is of ASCII, and \\s has the vertical tab',
    [
      "regexp_like('ä', '\\w'), regexp_like('_', '[\\w]'), regexp_extract('über alles', '\\w+'), regexp_replace('Ünï 1', '\\W', '-')",
      [false, true, 'ber', '-n--1'],
    ],
    [
      "regexp_like(chr(11), '\\s'), regexp_like(chr(11), '[\\s]'), regexp_like(chr(11), '\\S'), regexp_replace('a b  c', '\\s+', ' '), regexp_like(chr(160), '\\s')",
      [true, true, false, 'a b c', false],
    ],
    [
      "regexp_replace('2026-01-05', '(\\d{4})-(\\d\\d)-(\\d\\d)', '$3.$2.$1'), regexp_extract('key=value', '(\\w+)=(\\w+)', 2), regexp_like('a@b.ch', '^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$')",
      ['05.01.2026', 'value', true],
    ],
  ),

  // Casts of texts
  one(
    'to doubles: with white space around, and as Java writes them',
    [
      "TRY_CAST(' 1.5' AS double), TRY_CAST('12 ' AS double), TRY_CAST(chr(9) || '1' AS real), TRY_CAST('1d' AS double), TRY_CAST('1.5F' AS double), TRY_CAST('-.5e1' AS double)",
      [1.5, 12, 1, 1, 1.5, -5],
    ],
    [
      "TRY_CAST('1,5' AS double), TRY_CAST('inf' AS double), TRY_CAST('nan' AS double), TRY_CAST('1e' AS double), TRY_CAST('.' AS double), TRY_CAST('1_000' AS double)",
      [null, null, null, null, null, null],
    ],
  ),
  one('to whole numbers and decimals: without', [
    "TRY_CAST(' 1' AS integer), TRY_CAST('+5' AS integer), TRY_CAST(' 1.5' AS decimal(3,1)), TRY_CAST('1e2' AS decimal(10,2)), TRY_CAST('99.95' AS decimal(3,1)), TRY_CAST('-1.25' AS decimal(3,1))",
    [null, 5, null, '100.00', null, '-1.3'],
  ]),
  one('to dates: with white space, and without leading zeros', [
    "TRY_CAST('2026-1-5' AS date), TRY_CAST(' 2026-01-05 ' AS date), TRY_CAST('+2026-01-05' AS date), TRY_CAST('31-12-26' AS date), TRY_CAST('2026-02-30' AS date), TRY_CAST('2026/01/05' AS date), TRY_CAST('20260105' AS date), TRY_CAST('2026-01-05 10:00' AS date)",
    ['2026-01-05', '2026-01-05', '2026-01-05', '0031-12-26', null, null, null, null],
  ]),
  one(
    'to timestamps: likewise, rounded to the millisecond; there is no 24:00',
    [
      "TRY_CAST('2026-1-5 1:2:3' AS timestamp), TRY_CAST('2026-01-05 10:0' AS timestamp), TRY_CAST('2026-1-5' AS timestamp), TRY_CAST('2026-01-05 24:00' AS timestamp), TRY_CAST('2026-01-05T10:00:00Z' AS timestamp)",
      ['2026-01-05 01:02:03', '2026-01-05 10:00:00', '2026-01-05 00:00:00', null, null],
    ],
    [
      "TRY_CAST('2026-01-05 10:00:00.1234567' AS timestamp), TRY_CAST('2026-01-05 10:00:00.9996' AS timestamp), TRY_CAST('2026-01-05 10:00:00.00049999' AS timestamp)",
      ['2026-01-05 10:00:00.123', '2026-01-05 10:00:01', '2026-01-05 10:00:00'],
    ],
  ),
  one(
    // With an interval of days, and in tables, it has three.
    'a TIMESTAMP has the digits of a second that are written',
    [
      "CAST(TIMESTAMP '2026-01-05 10:00:00' AS varchar), CAST(TIMESTAMP '2026-01-05 10:00:00.5' AS varchar), CAST(date_trunc('day', TIMESTAMP '2026-01-05 10:00') AS varchar)",
      ['2026-01-05 10:00:00', '2026-01-05 10:00:00.5', '2026-01-05 00:00:00'],
    ],
    [
      "CAST(TIMESTAMP '2026-01-05 10:00:00' + INTERVAL '1' DAY AS varchar), CAST(CAST('2026-01-05 10:00' AS timestamp) AS varchar), CAST(if(true, TIMESTAMP '2026-01-05 10:00', TIMESTAMP '2026-01-05 10:00:00.1') AS varchar)",
      ['2026-01-06 10:00:00.000', '2026-01-05 10:00:00.000', '2026-01-05 10:00:00.0'],
    ],
  ),

  // Dates
  one('date_diff over the ends of months', [
    "date_diff('month', DATE '2026-03-31', DATE '2026-02-28'), date_diff('month', DATE '2026-02-28', DATE '2026-03-31'), date_diff('month', DATE '2026-03-30', DATE '2026-02-28'), date_diff('year', DATE '2024-02-29', DATE '2025-02-28'), date_diff('month', TIMESTAMP '2026-01-31 10:00:00', TIMESTAMP '2026-02-28 09:00:00')",
    ['-1', '1', '-1', '1', '0'],
  ]),
  one('before 1970', [
    "date_trunc('week', DATE '1969-12-31'), hour(TIMESTAMP '1969-12-31 23:30:00'), millisecond(TIMESTAMP '1969-12-31 23:59:59.999'), second(TIMESTAMP '1969-12-31 23:59:59.500'), from_unixtime(-1)",
    ['1969-12-29', '23', '999', '59', '1969-12-31 23:59:59.000 UTC'],
  ]),
  one('steps of months do not remember the day they came from', [
    "DATE '2026-01-31' + INTERVAL '1' MONTH + INTERVAL '1' MONTH, date_add('year', 1, DATE '2024-02-29'), date_add('quarter', -1, DATE '2026-05-31')",
    ['2026-03-28', '2025-02-28', '2026-02-28'],
  ]),
  one(
    'date_parse: names of months in any case, hours with AM and PM, seconds cut off to the millisecond; what is not said is 1',
    [
      "date_parse('5 jan 2026', '%e %b %Y'), date_parse('JANUARY 5, 2026', '%M %e, %Y'), date_parse('2026-02', '%Y-%m'), date_parse('2026', '%Y')",
      ['2026-01-05 00:00:00', '2026-01-05 00:00:00', '2026-02-01 00:00:00', '2026-01-01 00:00:00'],
    ],
    [
      "date_parse('12:11 AM 2026-01-05', '%h:%i %p %Y-%m-%d'), date_parse('10:11 pm 2026-01-05', '%h:%i %p %Y-%m-%d'), date_parse('2026-01-05 10:11:12.1239', '%Y-%m-%d %H:%i:%s.%f'), date_parse('2026-01-05 10:11:12.5', '%Y-%m-%d %H:%i:%s.%f')",
      ['2026-01-05 00:11:00', '2026-01-05 22:11:00', '2026-01-05 10:11:12.123', '2026-01-05 10:11:12.5'],
    ],
  ),
  one(
    'ISO 8601, in UTC',
    [
      "from_iso8601_timestamp('2026-01-05T10:00:00.1239Z'), from_iso8601_timestamp('2026-01-05T10:00'), from_iso8601_timestamp('2026-01-05'), from_iso8601_timestamp('2026-01-05T10:00:00+00:00'), date(from_iso8601_timestamp('2026-01-05T23:00:00Z'))",
      [
        '2026-01-05 10:00:00.123 UTC',
        '2026-01-05 10:00:00.000 UTC',
        '2026-01-05 00:00:00.000 UTC',
        '2026-01-05 10:00:00.000 UTC',
        '2026-01-05',
      ],
    ],
    [
      "to_iso8601(DATE '2026-01-05'), to_iso8601(TIMESTAMP '2026-01-05 10:00:00.5'), to_iso8601(CAST('2026-01-05' AS timestamp)), to_iso8601(from_unixtime(0))",
      ['2026-01-05', '2026-01-05T10:00:00.5', '2026-01-05T00:00:00.000', '1970-01-01T00:00:00.000Z'],
    ],
  ),
  one('years of weeks', [
    "week(DATE '2023-01-01'), year_of_week(DATE '2023-01-01'), date_format(DATE '2026-01-04', '%v %x'), date_format(TIMESTAMP '2026-01-05 00:30:00', '%h %l %p')",
    ['52', '2022', '01 2026', '12 12 AM'],
  ]),

  // Arrays, maps, JSON
  one('arrays and NULL', [
    'array_distinct(ARRAY[1, NULL, 1, NULL]), contains(ARRAY[], 1), slice(ARRAY[1, 2, 3], -2, 5), flatten(ARRAY[ARRAY[1], NULL, ARRAY[2]]), reduce(ARRAY[1, NULL], 0, (s, x) -> s + x, s -> s), element_at(ARRAY[1], -4)',
    [[1, null], false, [2, 3], [1, 2], null, null],
  ]),
  one('JSON: keys are told apart by case, the first of two counts, escapes are read', [
    `json_extract_scalar('{"A":1}', '$.a'), json_extract_scalar('{"a":"\\u00e4"}', '$.a'), json_extract_scalar('{"a":12345678901234567890}', '$.a'), json_extract_scalar('5', '$'), json_extract_scalar('no', '$.a'), json_extract_scalar('', '$.a')`,
    [null, 'ä', '12345678901234567890', '5', null, null],
  ]),

  // Queries
  many(
    'ALL keeps as many as there are on both sides, or are left',
    ['SELECT x FROM (VALUES 1, 1, 2) AS t(x) INTERSECT ALL SELECT x FROM (VALUES 1, 1, 1) AS s(x)', [[1], [1]]],
    [
      'SELECT x FROM (VALUES 1, 1, 1, NULL, NULL) AS t(x) EXCEPT ALL SELECT x FROM (VALUES 1, NULL) AS s(x) ORDER BY x',
      [[1], [1], [null]],
    ],
    ['SELECT x FROM (VALUES 1, 1, NULL) AS t(x) EXCEPT SELECT x FROM (VALUES NULL) AS s(x)', [[1]]],
  ),
  many(
    'NOT IN and ALL with NULL and with nothing',
    ['SELECT id FROM clean.sales WHERE id NOT IN (SELECT units FROM clean.sales)', []],
    ['SELECT count(*) FROM clean.sales WHERE units > ALL (SELECT units FROM clean.sales WHERE id = 99)', [['4']]],
    ['SELECT id FROM clean.sales WHERE units >= ALL (SELECT units FROM clean.sales)', []],
  ),
  many(
    'UNNEST with more than one, and of nothing',
    [
      'SELECT k, v, w, n FROM UNNEST(map(ARRAY[1], ARRAY[2]), ARRAY[5, 6]) WITH ORDINALITY AS t(k, v, w, n) ORDER BY n',
      [
        [1, 2, 5, '1'],
        [null, null, 6, '2'],
      ],
    ],
    [
      'SELECT id, x, n FROM clean.tags LEFT JOIN UNNEST(tags) WITH ORDINALITY AS t(x, n) ON true ORDER BY id, n',
      [
        [1, 'a', '1'],
        [1, 'b', '2'],
        [2, null, null],
        [3, null, null],
      ],
    ],
    ['SELECT count(*) FROM clean.tags, UNNEST(tags) AS t(x), UNNEST(map_keys(prices)) AS s(y)', [['4']]],
  ),
  many('SELECT DISTINCT is sorted by what it shows', [
    'SELECT DISTINCT upper(shop) AS s, units FROM clean.sales ORDER BY units DESC, upper(shop) LIMIT 1',
    [['GENF', 4]],
  ]),
]

export const TRAPS_REFUSED: readonly [sql: string, message: RegExp][] = [
  ['SELECT 1 < 2 = true', /cannot be read: line 1:14: there is = where/],
  ['SELECT shop IS NULL IS NULL FROM clean.sales', /cannot be read: line 1:21/],
  ['SELECT lag(id, -1) OVER (ORDER BY id) FROM clean.sales', /lag takes a number of rows of 0 or more/],
  ['SELECT nth_value(id, 0) OVER (ORDER BY id) FROM clean.sales', /nth_value takes a number of rows of 1 or more/],
  ["SELECT from_iso8601_timestamp('2026-01-05T10:00:00+01:00')", /no moment in UTC.*keeps that in Athena/],
  ["SELECT date_parse('10:11 2026-01-05', '%h:%i %Y-%m-%d')", /stand with AM or PM/],
  ["SELECT 'abc' LIKE 'abc#' ESCAPE '#'", /line 1:19: In a pattern of LIKE, the character # of ESCAPE stands before/],
  [
    "SELECT shop LIKE concat('a', '#b') ESCAPE '#' FROM clean.sales",
    /the character # of ESCAPE stands before %, _ or itself/,
  ],
  ['SELECT count(*) FILTER (WHERE id > 1) OVER () FROM clean.sales', /count over a window cannot have FILTER/],
  ['SELECT count(*) FROM clean.sales GROUP BY ROLLUP (1)', /ROLLUP takes columns in Athena/],
  ['SELECT count(*) FROM clean.sales GROUP BY CUBE (upper(shop))', /CUBE takes columns in Athena.*subquery/],
  ['SELECT DISTINCT shop FROM clean.sales ORDER BY id', /with SELECT DISTINCT, ORDER BY takes columns that are shown/],
  ["SELECT regexp_replace('abc', 'b*', 'X')", /A pattern that also matches nothing, in regexp_replace/],
  ["SELECT regexp_like('a', '[\\S]')", /\\S inside \[ \] in a pattern/],
  [`SELECT json_extract_scalar('{"a":1', '$.a')`, /begins like JSON and is none as a whole.*TRY\(json_extract_scalar/],
  [`SELECT json_array_length('[1,2] x')`, /begins like JSON and is none as a whole/],
  [`SELECT json_extract_scalar('{"0":"z"}', '$[0]')`, /asks for a place in an array, and there is an object/],
  ["SELECT TRY_CAST('-2026-01-05' AS date)", /read by Athena, in its own way/],
  ["SELECT TRY_CAST('2026-01-05 10:00:00 +01:00' AS timestamp)", /read by Athena, in its own way/],
  ["SELECT date_add('millisecond', 5, TIMESTAMP '2026-01-05 10:00:00')", /milliseconds to a timestamp without them/],
]
