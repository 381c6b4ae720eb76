// Quality rules: per row where they say "none", about the file where they set a threshold, by name where not enforced.

import { describe, expect, it } from 'vitest'
import { issueText } from '../../lib/contract/errors.ts'
import type { FileRule, Plan } from '../../lib/contract/plan.ts'
import { draftContract } from '../../lib/contract/read.ts'
import { contractOf, judge, planOf, query } from './duck.ts'

const onColumn = (rule: string, keys = 'logicalType: string'): string =>
  `  - {name: "a b", ${keys}, quality: [${rule}]}\n  - {name: n, logicalType: integer}`
const planWith = (rule: string, keys?: string): Plan => planOf(onColumn(rule, keys))
const onTable = (rule: string): Plan =>
  planOf('  - {name: "a b", logicalType: string}\n  - {name: n, logicalType: integer}', `  quality: [${rule}]\n`)
const errorsOf = (text: string): string => draftContract(text, 'c.yaml').errors.map(issueText).join('\n')
const warningsOf = (text: string): string => draftContract(text, 'c.yaml').warnings.map(issueText).join('\n')

const ROWS = `(SELECT *, 'u1' AS _upload FROM (VALUES ('x', 1), ('y', 2), ('x', 2), (NULL, NULL), ('', 5), ('N/A', 6), ('x', 7), (NULL, 8)) r("a b", n))`
const EMPTY = `(SELECT * FROM ${ROWS} WHERE false)`
const outcome = async (rule: FileRule | undefined, table = ROWS): Promise<{ value: unknown; holds: boolean }> => {
  if (!rule) throw new Error('there is no rule about the file')
  const [[value] = []] = await query(rule.sql.replaceAll('{table}', table))
  return { value: Number(value), holds: rule.holds(value as number | string) }
}

describe('per row', () => {
  it('nullValues 0 is required', () => {
    expect(planWith('{metric: nullValues, mustBe: 0}').columns[0]?.required).toBe(true)
    expect(planWith('{metric: nullValues, mustBe: 0, unit: percent}').columns[0]?.required).toBe(true)
    expect(planWith('{metric: nullValues, mustBeLessOrEqualTo: 0}').columns[0]?.required).toBe(true)
  })
  it('nullValues 0 as a warning is counted over the file', async () => {
    const plan = planWith('{metric: nullValues, mustBe: 0, severity: warning}')
    expect(plan.columns[0]?.required).toBe(false)
    expect(plan.fileRules[0]).toMatchObject({ severity: 'warning', column: 'a b', message: 'no a b may be empty' })
    expect(await outcome(plan.fileRules[0])).toEqual({ value: 2, holds: false })
  })
  it('invalidValues with validValues', async () => {
    const [column] = planWith(
      `{name: colours, metric: invalidValues, arguments: {validValues: [red, "it's", 5]}, mustBe: 0}`,
    ).columns
    if (!column) throw new Error('no column')
    expect((await judge(column, ['red', "it's", '5', 'Red', ''])).map((v) => v.broken)).toEqual([
      [],
      [],
      [],
      ['colours'],
      ['colours'],
    ])
    expect(column.checks[0]?.message).toBe('must be one of "red", "it\'s", 5')
  })
  it('validValues are compared as the type', async () => {
    const values = async (keys: string, list: string, texts: string[]): Promise<boolean[]> => {
      const [column] = planWith(`{metric: invalidValues, arguments: {validValues: ${list}}, mustBe: 0}`, keys).columns
      if (!column) throw new Error('no column')
      return (await judge(column, texts)).map((v) => v.broken.length === 0)
    }
    expect(await values('logicalType: integer', '[1, "2"]', ['1', '02', '3'])).toEqual([true, true, false])
    expect(await values('logicalType: number', '[0.1, 5]', ['0.10', '5', '0.2'])).toEqual([true, true, false])
    expect(await values('physicalType: "decimal(5,2)"', '[0.1, 1.25]', ['0.10', '1.25', '0.2'])).toEqual([
      true,
      true,
      false,
    ])
    expect(await values('logicalType: date', '[2020-01-05]', ['2020-01-05', '2020-01-06'])).toEqual([true, false])
    expect(await values('logicalType: boolean', '[true]', ['yes', 'no'])).toEqual([true, false])
  })
  it('invalidValues with a pattern, also of numbers', async () => {
    const [column] = planWith(
      '{metric: invalidValues, arguments: {pattern: "^[0-9]{2}$"}, mustBe: 0}',
      'logicalType: integer',
    ).columns
    if (!column) throw new Error('no column')
    expect((await judge(column, ['12', '123'])).map((v) => v.broken)).toEqual([[], ['pattern']])
  })
  it('missingValues 0', async () => {
    const [column] = planWith('{metric: missingValues, arguments: {missingValues: [null, "", N/A]}, mustBe: 0}').columns
    if (!column) throw new Error('no column')
    expect(column.required).toBe(true)
    expect((await judge(column, ['x', '', 'N/A'])).map((v) => v.broken)).toEqual([
      [],
      ['missingValues'],
      ['missingValues'],
    ])
  })
  it('duplicateValues 0 is a key', () => {
    expect(planWith('{metric: duplicateValues, mustBe: 0}').keys).toEqual([
      { rule: 'duplicateValues', columns: ['a b'], message: 'a b must be unique in a file', severity: 'error' },
    ])
    expect(
      onTable('{metric: duplicateValues, arguments: {properties: ["a b", n]}, mustBe: 0, severity: warning}').keys,
    ).toEqual([
      {
        rule: 'duplicateValues',
        columns: ['a b', 'n'],
        message: 'a b, n must be unique in a file',
        severity: 'warning',
      },
    ])
  })
  it('keeps the severity, and maps what others call it', () => {
    const severity = (s: string): string | undefined =>
      planWith(`{metric: invalidValues, arguments: {validValues: [x]}, mustBe: 0, severity: ${s}}`).columns[0]
        ?.checks[0]?.severity
    expect(['error', 'warning', 'info', 'Critical', 'low', 'strange'].map(severity)).toEqual([
      'error',
      'warning',
      'info',
      'error',
      'info',
      'error',
    ])
    expect(warningsOf(contractOf(onColumn('{metric: nullValues, mustBe: 0, severity: high}')))).toMatch(
      /quality\[0\]\.severity: This severity counts as error/,
    )
    expect(warningsOf(contractOf(onColumn('{metric: nullValues, mustBe: 0, severity: strange}')))).toMatch(
      /not known and counts as error/,
    )
  })
  it('works inside objects and lists', async () => {
    const [column] = planOf(
      '  - {name: c, logicalType: array, items: {logicalType: string, quality: [{metric: invalidValues, arguments: {validValues: [a]}, mustBe: 0}, {metric: nullValues, mustBe: 0}]}}',
    ).columns
    if (!column) throw new Error('no column')
    expect((await judge(column, ['["a"]', '["a","b"]', '[null]'])).map((v) => v.broken)).toEqual([
      [],
      ['validValues'],
      ['required'],
    ])
  })
})

describe('about the file', () => {
  it.each<[rule: string, value: number, holds: boolean]>([
    ['{metric: nullValues, mustBeLessThan: 2}', 2, false],
    ['{metric: nullValues, mustBeLessOrEqualTo: 2}', 2, true],
    ['{metric: nullValues, mustBeLessThan: 30, unit: percent}', 25, true],
    ['{metric: nullValues, mustBeBetween: [2, 5]}', 2, false],
    ['{metric: nullValues, mustBeBetween: [1, 5]}', 2, true],
    ['{metric: nullValues, mustNotBeBetween: [1, 5]}', 2, false],
    ['{metric: nullValues, mustNotBeBetween: [2, 5]}', 2, true],
    ['{metric: nullValues, mustBeGreaterThan: 1}', 2, true],
    ['{metric: nullValues, mustBeGreaterOrEqualTo: 3}', 2, false],
    ['{metric: nullValues, mustBe: 2}', 2, true],
    ['{metric: nullValues, mustNotBe: 2}', 2, false],
    ['{metric: missingValues, arguments: {missingValues: [null, "", N/A]}, mustBeLessThan: 5}', 4, true],
    ['{metric: missingValues, arguments: {missingValues: [N/A]}, mustBeLessThan: 1.5}', 1, true],
    ['{metric: invalidValues, arguments: {validValues: [x, y]}, mustBeLessThan: 2}', 2, false],
    ['{metric: invalidValues, arguments: {pattern: "^.$"}, mustBeLessThan: 50, unit: percent}', 25, true],
    ['{metric: duplicateValues, mustBeLessThan: 3}', 2, true],
    ['{metric: duplicateValues, mustBeLessThan: 20, unit: percent}', 25, false],
  ])('%s', async (rule, value, holds) => {
    expect(await outcome(planWith(rule).fileRules[0])).toEqual({ value, holds })
  })
  it('percent of an empty table is 0', async () => {
    for (const rule of [
      '{metric: nullValues, mustBeLessThan: 5, unit: percent}',
      '{metric: duplicateValues, mustBeLessThan: 5, unit: percent}',
    ]) {
      expect(await outcome(planWith(rule).fileRules[0], EMPTY)).toEqual({ value: 0, holds: true })
    }
  })
  it('rowCount and duplicates over several columns', async () => {
    expect(await outcome(onTable('{metric: rowCount, mustBeGreaterThan: 8}').fileRules[0])).toEqual({
      value: 8,
      holds: false,
    })
    expect(
      await outcome(
        onTable('{metric: duplicateValues, arguments: {properties: ["a b", n]}, mustBeLessThan: 5}').fileRules[0],
      ),
    ).toEqual({ value: 0, holds: true })
  })
  it('says in words what must hold', () => {
    expect(planWith('{metric: nullValues, mustBeLessThan: 5, unit: percent}').fileRules[0]?.message).toBe(
      'the percentage of rows with no value in a b must be less than 5',
    )
    expect(onTable('{metric: rowCount, mustBeBetween: [1, 10]}').fileRules[0]?.message).toBe(
      'the number of accepted rows must be between 1 and 10 (both excluded)',
    )
  })
})

describe('sql', () => {
  it.each<[query: string, value: number]>([
    ["SELECT count(*) FROM {object} WHERE {property} = 'x'", 3],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: contracts in the wild write placeholders like this
    ['SELECT count(*) FROM ${table} WHERE ${column} IS NULL;', 2],
    ['SELECT count(*) FROM "{object}" WHERE "{column}" = \'y\'', 1],
    ['WITH w AS (SELECT n FROM {table}) SELECT max(n) FROM w -- ; drop table x', 8],
    ['SELECT count(*) FROM {object} WHERE "a b" <> \'delete from x; {\'', 6],
    ['SELECT n FROM {object} ORDER BY n DESC LIMIT 1', 8],
    ['VALUES 7 / 2', 3],
    ["SELECT max({object}.n) FROM { object } WHERE _upload = 'u1'", 8],
    ['WITH w AS (SELECT max(n) AS m FROM {object}), v AS (SELECT m FROM w) SELECT v.m + w.m FROM v CROSS JOIN w', 16],
    ["SELECT date_diff('month', DATE '2020-01-15', DATE '2020-02-14') FROM {object} LIMIT 1", 0],
    ["SELECT count(*) FROM {object} WHERE regexp_like({property}, '^[x-z]$')", 4],
    ['SELECT count(*) FROM T AS a JOIN "t" AS b ON a.n = b.n', 9],
  ])('%s', async (text, value) => {
    const plan = planWith(`{type: sql, query: ${JSON.stringify(text)}, mustBe: ${value}}`)
    expect(plan.fileRules[0]).toMatchObject({ foreign: true, severity: 'error' })
    expect(await outcome(plan.fileRules[0])).toEqual({ value, holds: true })
  })
  it('a query may name the table itself', async () => {
    for (const text of [
      'SELECT count(*) FROM t WHERE n > 2',
      'WITH x AS (SELECT * FROM t) SELECT count(*) FROM x WHERE n > 2',
    ]) {
      expect(await outcome(onTable(`{type: sql, query: ${text}, mustBe: 4}`).fileRules[0])).toEqual({
        value: 4,
        holds: true,
      })
    }
  })
  it.each<[query: string, error: RegExp]>([
    ['DELETE FROM {object}', /DELETE is not allowed: a query only reads/],
    [
      'SELECT 1; DROP TABLE x',
      /c\.yaml:9:\d+ .*The query holds more than one statement\. .*allowed: one SELECT in Athena's SQL/,
    ],
    ['WITH a AS (SELECT 1) DELETE FROM {object}', /DELETE is not allowed: a query only reads/],
    ["COPY (SELECT 1) TO 'x'", /COPY is not allowed: a query only reads/],
    ['SHOW TABLES', /not a SELECT/],
    ['', /not a SELECT/],
    [' ; ', /not a SELECT/],
    ['SELECT {what} FROM {object}', /placeholder \{what\} is not known/],
    ["SELECT count(*) FROM {object} WHERE {property} = '{property}'", /\{property\} stands inside of a text/],
    // What DuckDB has and Athena has not: each says what to write.
    ["SELECT struct_extract({'k': 4}, 'k') FROM {object} LIMIT 1", /A brace is not supported\. Write ROW/],
    ['SELECT median(n) FROM {object}', /The function median is not supported\. Write approx_percentile\(x, 0\.5\)\./],
    ['SELECT count(*) FILTER (n > 2) FROM {object}', /there is n where WHERE is expected/],
    ['SELECT sum(n::double) FROM {object}', /The cast :: is not supported\. Write CAST\(x AS type\)/],
    ["SELECT count(*) FROM {object} WHERE n = '5'", /integer|bigint and varchar have no type in common\. Write CAST/],
    ['FROM {object} SELECT count(*)', /Write SELECT … FROM/],
    ['WITH RECURSIVE r AS (SELECT 1 AS x UNION ALL SELECT x FROM r) SELECT max(x) FROM r', /RECURSIVE/],
    // What it may not see.
    ['SELECT count(*) FROM clean.t', /There is no table clean\.t: a rule reads the accepted rows of its own file/],
    ['SELECT count(*) FROM other', /There is no table other: .* Write FROM \{object\}/],
    ["SELECT count(*) FROM read_csv('/etc/passwd')", /read_csv/],
    ['SELECT count(*) FROM information_schema.tables', /There is no table information_schema\.tables/],
    ['SELECT max("$path") FROM {object}', /There is no column \$path\. The columns here are: a b, n, _upload\./],
    ['SELECT max(m) FROM {object}', /There is no column m\. The columns here are: a b, n, _upload\./],
    ['SELECT max(_extra) FROM {object}', /There is no column _extra/],
    // One value.
    ['SELECT n FROM {object}', /may give more than one row/],
    ['SELECT count(*) FROM {object} GROUP BY n', /may give more than one row/],
    ['SELECT max(n) OVER () FROM {object}', /may give more than one row/],
    ['SELECT count(*) FROM {object} UNION ALL SELECT 1', /may give more than one row/],
    ['SELECT (SELECT max(n) FROM {object}) FROM {object}', /may give more than one row/],
    ['SELECT n + count(*) FROM {object}', /:\d+ .*The column n is neither grouped nor in an aggregate: write min\(x\)/],
    ['SELECT {object}.n * max({object}.n) FROM {object}', /The column n is neither grouped/],
    ['SELECT count(*) FROM (SELECT n, count(*) FROM {object} GROUP BY "a b") AS x', /The column n is neither grouped/],
    ['SELECT min(n), max(n) FROM {object}', /gives 2 columns, and a rule is about one value/],
  ])('%s is refused', (text, error) => {
    expect(errorsOf(contractOf(onColumn(`{type: sql, query: ${JSON.stringify(text)}, mustBe: 0}`)))).toMatch(error)
  })
  it('the kept columns of others can be read', () => {
    const text = contractOf(
      '  - {name: a, logicalType: string}',
      '  quality: [{type: sql, query: "SELECT count(_extra) FROM {object}", mustBe: 0}]\n  customProperties: [{property: weir, value: {extraColumns: keep}}]\n',
    )
    expect(errorsOf(text)).toBe('')
  })
  it.each<[operator: string, query: string, error: RegExp | undefined]>([
    [
      'mustBeLessThan: 5',
      'SELECT max("a b") FROM {object}',
      /mustBeLessThan: The query gives no number, but varchar, and mustBeLessThan compares numbers/,
    ],
    [
      'mustBe: 5',
      'SELECT bool_and(n > 1) FROM {object}',
      /mustBe: The query gives no number, but boolean.*allowed: true or false/,
    ],
    ['mustBe: true', 'SELECT bool_and(n > 1) FROM {object}', undefined],
    [
      'mustBe: 2026',
      "SELECT max(DATE '2026-01-31') FROM {object}",
      /gives no number, but date.*allowed: a text such as/,
    ],
    ['mustBe: true', 'SELECT count(*) FROM {object}', /which is neither true nor false/],
    ['mustBe: x', 'SELECT max("a b") FROM {object}', undefined],
    ['mustBe: x', 'SELECT array_agg("a b") FROM {object}', /which nothing is compared with/],
    ['mustBe: "2020-01-31"', "SELECT max(DATE '2020-01-31') FROM {object}", undefined],
  ])('%s: %s', (operator, query, error) => {
    const found = errorsOf(contractOf(onColumn(`{type: sql, query: ${JSON.stringify(query)}, ${operator}}`)))
    if (error) expect(found).toMatch(error)
    else expect(found).toBe('')
  })
  it('says nothing of SQL where the columns themselves are wrong', () => {
    const text = contractOf(
      '  - {name: a, logicalType: number, physicalType: nonsense(, logicalTypeOptions: {pattern: x}}\n  - {name: n, logicalType: integer, logicalTypeOptions: {minimum: x}}',
      '  quality: [{type: sql, query: "SELECT sum(a) FROM {object}", mustBe: 0}]\n',
    )
    expect(errorsOf(text)).not.toMatch(/query/)
    expect(errorsOf(text)).not.toBe('')
  })
  it('the hash follows the rule', () => {
    const hash = (query: string) => planWith(`{type: sql, query: ${JSON.stringify(query)}, mustBe: 0}`).hash
    const before = hash('SELECT count(*) FROM {object} WHERE n > 2')
    expect(hash('SELECT count(*) FROM {object} WHERE n > 3')).not.toBe(before)
    expect(hash('SELECT count(*) FROM {object} WHERE n > 2')).toBe(before)
  })
  it('knows a query that can only count rows', () => {
    const counts = (query: string) =>
      planWith(`{type: sql, query: ${JSON.stringify(query)}, mustBe: 0}`).fileRules[0]?.onlyCounts ?? false
    expect(counts('SELECT count(*) FROM {object} WHERE n > 2')).toBe(true)
    expect(counts('SELECT count_if(n > 2) FROM t AS x')).toBe(true)
    expect(counts('SELECT count(*) + 1 FROM {object}')).toBe(false)
    expect(counts('SELECT count(*) FROM {object} CROSS JOIN UNNEST(sequence(1, n)) u(x)')).toBe(false)
    expect(counts('SELECT count(*) FROM (SELECT 1 FROM {object})')).toBe(false)
    expect(counts('SELECT max(n) FROM {object}')).toBe(false)
  })
  describe('the place of a mistake', () => {
    const table = (yaml: string): string =>
      errorsOf(
        contractOf(
          '  - {name: a, logicalType: string}\n  - {name: b, logicalType: integer}',
          `  quality:\n  - type: sql\n    mustBe: 0\n    query: ${yaml}\n`,
        ),
      ).split(': ')[0] ?? ''
    // The query begins in line 11, after 11 characters.
    it.each<[style: string, yaml: string, at: string]>([
      ['plain', 'SELECT count(*) FROM {object} WHERE wrong > 1', '11:48'],
      ['plain, in lines', 'SELECT count(*)\n      FROM {object}\n      WHERE wrong > 1', '13:13'],
      ['single quotes', "'SELECT count(*) FROM {object} WHERE a = ''x'' OR wrong > 1'", '11:62'],
      ['double quotes', '"SELECT count(*) FROM {object} WHERE \\"wrong\\" > 1"', '11:50'],
      ['double quotes, in lines', '"SELECT count(*)\n      FROM {object} WHERE wrong > 1"', '12:27'],
      ['a block', "|\n      SELECT count(*) -- {what}\n\n      FROM {object} WHERE a = 'ß{' OR wrong > 1", '14:39'],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: contracts in the wild write placeholders like this
      ['a folded block', '>-\n      SELECT count(*)\n      FROM ${table}\n        WHERE\twrong > 1', '14:15'],
      ['a placeholder that is not known', '|\n      SELECT count(*)\n      FROM {object} WHERE {what} > 1', '13:27'],
      ['an end that is missing', 'SELECT count(*) FROM {object} WHERE', '11:47'],
    ])('%s', (_style, yaml, at) => expect(table(yaml)).toBe(`c.yaml:${at} schema[0].quality[0].query`))

    it('within the query, where the YAML does not tell it', () => {
      const query = '"SELECT count(*)\\n FROM {object}\\n WHERE\\x20wrong > 1"'
      expect(
        errorsOf(
          contractOf(
            '  - {name: a, logicalType: string}',
            `  quality:\n  - type: sql\n    mustBe: 0\n    query: ${query}\n`,
          ),
        ),
      ).toMatch(/^c\.yaml:11 schema\[0\]\.quality\[0\]\.query: Line 3:8 of the query: There is no column wrong\. /)
    })
  })
  it('a property placeholder needs a property', () => {
    expect(
      errorsOf(
        contractOf(
          '  - {name: a, logicalType: string}',
          '  quality: [{type: sql, query: "SELECT count({property}) FROM {object}", mustBe: 0}]\n',
        ),
      ),
    ).toMatch(/stands for the property of the rule, but the rule is on the schema object/)
  })
})

describe('rules that are wrong', () => {
  it.each<[rule: string, error: RegExp]>([
    ['{metric: nullValues}', /no operator, so nothing says when it holds.*exactly one of mustBe/],
    ['{metric: nullValues, mustBe: 0, mustBeLessThan: 5}', /more than one operator.*found "mustBe, mustBeLessThan"/],
    ['{metric: nullValues, mustBeBetween: [5, 1]}', /first number is larger/],
    ['{metric: nullValues, mustBe: [0]}', /must be a single one/],
    ['{metric: nullValues, mustBe: 0, unit: apples}', /unit: This unit is not known.*rows, percent/],
    ['{metric: rowCount, mustBe: 5}', /rowCount belongs on the schema object/],
    ['{metric: invalidValues, mustBe: 0}', /needs either validValues or a pattern/],
    ['{metric: invalidValues, arguments: {validValues: []}, mustBe: 0}', /at least one value/],
    [
      '{metric: invalidValues, arguments: {pattern: "(a)\\\\1"}, mustBe: 0}',
      /arguments\.pattern: The pattern cannot be used: the back-reference/,
    ],
    ['{metric: freshness, mustBe: 0}', /quality\[0\]\.metric: This is not one of the allowed values/],
    ['{mustBe: 0}', /needs a metric/],
    ['{type: custom, engine: soda}', /needs an implementation/],
    ['{type: sql, mustBe: 0}', /needs a query/],
  ])('%s', (rule, error) => {
    expect(errorsOf(contractOf(onColumn(rule)))).toMatch(error)
  })
  it('validValues that the column can never have', () => {
    expect(
      errorsOf(
        contractOf(
          onColumn('{metric: invalidValues, arguments: {validValues: [1, two]}, mustBe: 0}', 'logicalType: integer'),
        ),
      ),
    ).toMatch(/validValues\[1\]: This value is no whole number, so the column can never have it.*found "two"/)
  })
  it('column rules on the table, unknown properties, percent of a row count', () => {
    const onT = (rule: string): string =>
      errorsOf(contractOf('  - {name: a, logicalType: string}', `  quality: [${rule}]\n`))
    expect(onT('{metric: nullValues, mustBe: 0}')).toMatch(/belongs on a property/)
    expect(onT('{metric: duplicateValues, mustBe: 0}')).toMatch(/needs the properties to compare/)
    expect(onT('{metric: duplicateValues, arguments: {properties: [b]}, mustBe: 0}')).toMatch(
      /properties\[0\]: There is no such property.*allowed: a/,
    )
    expect(onT('{metric: rowCount, mustBe: 5, unit: percent}')).toMatch(/row count has no percentage/)
  })
})

describe('older spellings and rules that are not enforced', () => {
  it('maps rule to metric, with a warning', () => {
    expect(planWith('{rule: nullCheck}').columns[0]?.required).toBe(true)
    expect(planWith('{rule: uniqueCheck}').keys).toHaveLength(1)
    expect(planWith('{rule: duplicateCount, mustBeLessThan: 5}').fileRules).toHaveLength(1)
    expect(planWith('{rule: validValues, validValues: [a], mustBe: 0}').columns[0]?.checks[0]?.rule).toBe('validValues')
    expect(warningsOf(contractOf(onColumn('{rule: nullCheck}')))).toMatch(
      /rule is the older spelling; write metric: nullValues/,
    )
  })
  it('names what it does not do', () => {
    const plan = planWith(
      '{type: text, description: be nice}, {type: custom, engine: soda, implementation: "x: 1", schedule: "0 * * * *"}, {rule: freshnessCheck}',
    )
    expect(plan.notEnforced.map((n) => [n.path, n.clause])).toEqual([
      ['schema[0].properties[0].quality[0]', 'text rule: be nice'],
      ['schema[0].properties[0].quality[1].schedule', 'schedule of custom'],
      ['schema[0].properties[0].quality[1]', 'custom rule custom (soda)'],
      ['schema[0].properties[0].quality[2]', 'quality rule freshnessCheck'],
    ])
  })
})
