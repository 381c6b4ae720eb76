// Reading contracts: what is accepted, and what the messages say of what is not.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ContractError, issueText } from '../../lib/contract/errors.ts'
import { lintContracts } from '../../lib/contract/lint.ts'
import { draftContract, parseContract, readContractFile, readContracts } from '../../lib/contract/read.ts'
import { contractOf, planOf } from './duck.ts'

const HEAD = 'apiVersion: v3.1.0\nkind: DataContract\nid: test\nversion: "1"\nstatus: active\n'
const errorsOf = (text: string): string[] => draftContract(text, 'c.yaml').errors.map(issueText)
const warningsOf = (text: string): string[] => draftContract(text, 'c.yaml').warnings.map(issueText)
const oneColumn = (keys: string): string => contractOf(`  - {name: c, ${keys}}`)
const weir = (value: string): string =>
  contractOf(
    '  - {name: a, logicalType: integer}\n  - {name: d, logicalType: date}',
    `  customProperties: [{property: weir, value: ${value}}]\n`,
  )

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'weir-contracts-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))
const lay = async (name: string, files: Record<string, string>): Promise<string> => {
  const dir = join(folder, name)
  for (const [file, text] of Object.entries(files)) {
    await mkdir(join(dir, file, '..'), { recursive: true })
    await writeFile(join(dir, file), text)
  }
  return dir
}

describe('files', () => {
  it('reads every YAML file below the folder, in order, and every schema object in it', async () => {
    const two = `${HEAD}schema:\n- {name: b, properties: [{name: x, logicalType: string}]}\n- {name: a, properties: [{name: x, logicalType: string}]}\n`
    const dir = await lay('many', {
      'z.yaml': oneColumn('logicalType: string'),
      'sub/y.yml': two,
      'notes.md': '# no',
      '.hidden/x.yaml': 'nonsense',
    })
    const { plans, files, warnings } = await readContracts(dir)
    expect(files).toEqual(['sub/y.yml', 'z.yaml'])
    expect([...plans.keys()]).toEqual(['b', 'a', 't'])
    expect(plans.get('a')?.contract).toEqual({ id: 'test', version: '1', file: 'sub/y.yml' })
    expect(warnings).toEqual([])
  })
  it('names both files of a dataset that is described twice, whatever its case', async () => {
    const dir = await lay('twice', {
      'one.yaml': oneColumn('logicalType: string'),
      'two.yaml': oneColumn('logicalType: string').replace('name: t', 'name: T'),
    })
    await expect(readContracts(dir)).rejects.toThrow(
      /two\.yaml schema\[0\]\.name: The dataset T is described twice: in one\.yaml and in two\.yaml/,
    )
  })
  it('reports the problems of all files at once', async () => {
    const dir = await lay('bad', { 'a.yaml': oneColumn('logicalType: strnig'), 'b.yaml': 'kind: [', 'c.yaml': '' })
    const error = await readContracts(dir).catch((e: unknown) => e)
    expect(error).toBeInstanceOf(ContractError)
    expect((error as ContractError).issues.map((i) => i.file)).toEqual(
      expect.arrayContaining(['a.yaml', 'b.yaml', 'c.yaml']),
    )
    expect((error as ContractError).message).toMatch(
      /problems in the contracts; mend the lines below and run `weir lint`/,
    )
  })
  it('says when the folder or file is not there, or is no text', async () => {
    await expect(readContracts(join(folder, 'none'))).rejects.toThrow(/folder of contracts is not there.*weir init/)
    await expect(readContractFile(join(folder, 'none.yaml'))).rejects.toThrow(/cannot be read: ENOENT/)
    const dir = await lay('binary', {})
    await mkdir(dir, { recursive: true })
    await writeFile(join(dir, 'x.yaml'), Buffer.from([0xff, 0xfe, 0x41]))
    await expect(readContracts(dir)).rejects.toThrow(/not UTF-8 text/)
  })
  it('reads one file', async () => {
    const dir = await lay('single', { 'o.yaml': oneColumn('logicalType: string') })
    expect([...(await readContractFile(join(dir, 'o.yaml'))).plans.keys()]).toEqual(['t'])
  })
})

describe('YAML', () => {
  it('takes anchors, merge keys, comments and texts over several lines', () => {
    const { plans } = parseContract(`${HEAD}# a comment
x-base: &base {logicalType: string, required: true}
schema:
- name: t
  description: >
    Two lines
    of text
  properties:
  - <<: *base
    name: a # here
  - &b {name: b, <<: *base, required: false}
`)
    expect(plans.get('t')?.description).toBe('Two lines of text\n')
    expect(plans.get('t')?.columns.map((c) => [c.name, c.required])).toEqual([
      ['a', true],
      ['b', false],
    ])
  })
  it('reports several syntax problems with their lines', () => {
    const errors = draftContract('kind: "a" b\nid: "c" d\n\te: f\n', 'c.yaml').errors
    expect(errors.length).toBeGreaterThan(1)
    for (const error of errors)
      expect(error).toMatchObject({ line: expect.any(Number), message: expect.stringMatching(/^Not valid YAML: /) })
  })
  it.each<[name: string, text: string, message: RegExp]>([
    ['a nest too deep to read', '['.repeat(20000), /nested too deeply/],
    ['one mistake that makes many errors', `a: [\n${'- ]\n'.repeat(500)}`, /^(One|10|\d) problems? in/],
    ['a cycle', `${HEAD}schema: &a [*a]\n`, /alias|cycle/i],
    ['a cycle through a map', `${HEAD}schema: &a {x: {y: *a}}\n`, /alias|cycle/i],
    [
      'a billion laughs',
      `a: &a [x,x,x,x,x,x,x,x,x,x]\n${'bcdefghi'
        .split('')
        .map((c, i) => `${c}: &${c} [${Array(10).fill(`*${'abcdefghi'[i]}`).join(',')}]`)
        .join('\n')}\n`,
      /alias/i,
    ],
    ['an unknown alias', 'kind: *nothing\n', /alias/i],
    ['several documents', `${HEAD}---\n${HEAD}`, /several YAML documents/],
    ['depth', `${HEAD}description: ${'['.repeat(200)}${']'.repeat(200)}\n`, /nested deeper than 100/],
    ['a large file', `#${'x'.repeat(5_000_001)}`, /larger than 5 MB/],
    ['a scalar', 'hello', /not a map of keys/],
    ['a list', '- a', /not a map of keys/],
    ['nothing', '# only a comment\n', /The file is empty/],
    ['a duplicate key', 'kind: a\nkind: b\n', /unique/],
  ])('refuses %s', (_name, text, message) => {
    expect(() => parseContract(text)).toThrow(ContractError)
    expect(() => parseContract(text)).toThrow(message)
  })
})

describe('the standard', () => {
  it.each(['v3.1.0', '3.0.2', 'v3.0.1', 'v3.2.0', 'v3.0'])('reads %s', (version) => {
    expect(errorsOf(oneColumn('logicalType: string').replace('v3.1.0', version))).toEqual([])
  })
  it.each<[name: string, text: string, error: string]>([
    [
      'version 2',
      'apiVersion: v2.2.2\nkind: DataContract\n',
      'c.yaml:1 apiVersion: Weir reads version 3 of the Open Data Contract Standard. (found "v2.2.2"; allowed: v3.1.0, or any other 3.x)',
    ],
    [
      'another kind',
      'kind: DataProduct\n',
      'c.yaml:1 kind: This is not a data contract. (found "DataProduct"; allowed: DataContract)',
    ],
    [
      'an unquoted version',
      `${HEAD.replace('"1"', '1.0')}schema: []\n`,
      'c.yaml:4 version: This must be a string. Quote it. (found 1)',
    ],
    ['a missing id', HEAD.replace('id: test\n', ''), 'c.yaml:1 id: id is missing.'],
    [
      'no schema',
      HEAD,
      'c.yaml:1 schema: The contract has no schema, so it describes no dataset. (allowed: a list with at least one object {name, properties})',
    ],
    [
      'an unknown type',
      oneColumn('logicalType: varchar'),
      'c.yaml:9 schema[0].properties[0].logicalType: This is not one of the allowed values. (found "varchar"; allowed: string, date, timestamp, time, number, integer, object, array, boolean)',
    ],
    [
      'an option of another type',
      oneColumn('logicalType: integer, logicalTypeOptions: {maxLength: 5}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.maxLength: The option maxLength does not belong to logicalType integer. (found 5; allowed: multipleOf, minimum, maximum, exclusiveMinimum, exclusiveMaximum, format)',
    ],
    [
      'lengths that contradict',
      oneColumn('logicalType: string, logicalTypeOptions: {minLength: 5, maxLength: 3}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.minLength: minLength is larger than maxLength (3); no text can be both. (found 5; allowed: 0 to 3)',
    ],
    [
      'bounds that contradict',
      oneColumn('logicalType: integer, logicalTypeOptions: {minimum: 5, maximum: 3}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.minimum: minimum and maximum leave no value between them. (found 5; allowed: a number below 3)',
    ],
    [
      'a bound that is no date',
      oneColumn('logicalType: date, logicalTypeOptions: {minimum: tomorrow}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.minimum: This bound is not a date such as 2026-01-31. (found "tomorrow"; allowed: a date such as 2026-01-31)',
    ],
    [
      'a negative length',
      oneColumn('logicalType: string, logicalTypeOptions: {minLength: -1}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.minLength: This option is not valid: must not be negative. (found -1)',
    ],
    [
      'a lookahead',
      oneColumn('logicalType: string, logicalTypeOptions: {pattern: "(?=a)b"}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.pattern: The pattern cannot be used: lookahead "(?=a)" is not supported, because it cannot be matched in one pass; split the condition: one pattern here, and a second one as a quality rule invalidValues with arguments.pattern. (found "(?=a)b")',
    ],
    [
      'types that contradict',
      oneColumn('logicalType: string, physicalType: int'),
      'c.yaml:9 schema[0].properties[0].physicalType: physicalType and logicalType contradict each other: int is no string. (found "int"; allowed: a physicalType for string, or logicalType: integer)',
    ],
    [
      'a fraction of an integer',
      oneColumn('logicalType: integer, physicalType: "decimal(10,2)"'),
      'c.yaml:9 schema[0].properties[0].physicalType: physicalType and logicalType contradict each other: decimal(10,2) has fraction digits, an integer has none. (found "decimal(10,2)"; allowed: decimal(p,0), or logicalType: number)',
    ],
    [
      'an impossible decimal',
      oneColumn('physicalType: "decimal(39,2)"'),
      'c.yaml:9 schema[0].properties[0].physicalType: This physicalType is not possible: a decimal has 1 to 38 digits in all, and 0 to that many behind the point. (found "decimal(39,2)"; allowed: e.g. decimal(10,2), varchar(20))',
    ],
    [
      'an unknown zone',
      oneColumn('logicalType: timestamp, logicalTypeOptions: {defaultTimezone: Europe/Nowhere}'),
      'c.yaml:9 schema[0].properties[0].logicalTypeOptions.defaultTimezone: This is not a time zone of the IANA database. (found "Europe/Nowhere"; allowed: e.g. Europe/Berlin, America/New_York, Etc/UTC)',
    ],
    [
      'items of a string',
      oneColumn('logicalType: string, items: {logicalType: string}'),
      'c.yaml:9 schema[0].properties[0].items: Only an array has items; this is a string. (allowed: logicalType: array)',
    ],
    [
      'a list for a map',
      `${HEAD}description: [a]\nschema: []\n`,
      'c.yaml:6 description: This must be a map of keys. (found ["a"])',
    ],
    [
      'a server without its keys',
      `${contractOf('  - {name: c, logicalType: string}')}servers: [{server: s, type: s3}]\n`,
      'c.yaml:10 servers[0].location: location is missing.',
    ],
    [
      'a member without a username',
      `${contractOf('  - {name: c, logicalType: string}')}team: [{name: s}]\n`,
      'c.yaml:10 team[0].username: username is missing.',
    ],
  ])('%s', (_name, text, error) => {
    expect(errorsOf(text)).toContain(error)
  })
  it('is not misled by words that every JavaScript object knows', () => {
    const text = oneColumn(
      'logicalType: string, physicalType: constructor, constructor: 1, logicalTypeOptions: {format: toString}, quality: [{metric: nullValues, mustBe: 0, severity: valueOf}]',
    )
    expect(errorsOf(text)).toEqual([])
    expect(warningsOf(text)).toHaveLength(3)
    expect(draftContract(text, 'c.yaml').objects[0]?.notEnforced.map((n) => n.clause)).toEqual([
      'physicalType: constructor',
      'format: toString',
    ])
  })
  it('an unknown key is a warning with a hint, and the rest still counts', () => {
    const text = `${contractOf('  - {name: c, logicalType: string, isNullable: true, requird: true}')}servers:\n- {server: s, type: local, path: p, format: csv, stray: 1}\nteam: {name: x, colour: red}\n`
    expect(errorsOf(text)).toEqual([])
    expect(warningsOf(text)).toEqual([
      'c.yaml:9 schema[0].properties[0].isNullable: The standard has no key isNullable here; it is ignored.',
      'c.yaml:9 schema[0].properties[0].requird: The standard has no key requird here; it is ignored. Did you mean required?',
      'c.yaml:11 servers[0].stray: The standard has no key stray here; it is ignored.',
      'c.yaml:12 team.colour: The standard has no key colour here; it is ignored.',
    ])
  })
  it('unknown keys and errors are reported together', () => {
    const text = oneColumn('logicalType: nope, stray: 1')
    expect([errorsOf(text).length, warningsOf(text).length]).toEqual([1, 1])
  })
  it('derives the type from physicalType, and reads text where there is neither', () => {
    const types = (keys: string): string => planOf(`  - {name: c, ${keys}}`).columns[0]?.sqlType ?? ''
    expect(
      [
        'physicalType: bigint',
        'physicalType: "numeric(12,3)"',
        'physicalType: VARCHAR(20)',
        'physicalType: timestamp with time zone',
        'physicalType: double precision',
        'physicalType: BOOLEAN',
        'physicalType: "decimal(5)"',
      ].map(types),
    ).toEqual(['BIGINT', 'DECIMAL(12,3)', 'VARCHAR', 'TIMESTAMP', 'DOUBLE', 'BOOLEAN', 'DECIMAL(5,0)'])
    expect(types('description: x')).toBe('VARCHAR')
    expect(warningsOf(oneColumn('description: x'))[0]).toMatch(
      /neither a logicalType nor a physicalType that Weir knows; it is read as text/,
    )
  })
})

describe('names', () => {
  it.each(['Airport Name', 'Cost Total $', 'Größe', 'order-id', "it's", 'a.b', 'select', '2020'])(
    'takes the column %s',
    (name) => {
      expect(planOf(`  - {name: ${JSON.stringify(name)}, logicalType: string}`).columns[0]?.name).toBe(name)
    },
  )
  it.each<[string, RegExp]>([
    ['', /cannot be the name of a column/],
    [' a', /no space at the ends/],
    ['a"b', /no quotes/],
    ['a\\b', /backslashes/],
    ['a\nb', /control characters/],
    ['a,b', /commas/],
    ['x'.repeat(129), /up to 128 characters/],
    ['_upload', /Weir itself writes a column of this name/],
    ['Source', /partitioned by a column of this name.*physicalName: Source/],
  ])('refuses the column %j', (name, message) => {
    expect(errorsOf(contractOf(`  - {name: ${JSON.stringify(name)}, logicalType: string}`)).join()).toMatch(message)
  })
  it.each(['a-b', '1a', '', 'a b', 'a/b', '..', 'é', '_a'])('refuses the dataset %j', (name) => {
    expect(
      errorsOf(oneColumn('logicalType: string').replace('name: t', `name: ${JSON.stringify(name)}`)).join(),
    ).toMatch(/cannot be the name of a table and of a folder.*letters, digits and _/)
  })
  it('finds columns twice, and header names that lead to two columns', () => {
    expect(
      errorsOf(contractOf('  - {name: a, logicalType: string}\n  - {name: A, logicalType: string}')).join(),
    ).toMatch(/properties\[1\]\.name: The column is there twice \(first as properties\[0\]; case does not count\)/)
    expect(
      errorsOf(
        contractOf('  - {name: a, logicalType: string}\n  - {name: b, physicalName: A, logicalType: string}'),
      ).join(),
    ).toMatch(/properties\[1\]\.physicalName: The header name "A" already leads to the column "a"/)
  })
  it('gathers header names from physicalName and aliases', () => {
    const plan = planOf(
      '  - {name: a, physicalName: A1, logicalType: string, customProperties: [{property: weir, value: {aliases: [Alpha, "A 2"]}}]}',
    )
    expect(plan.columns[0]?.aliases).toEqual(['A1', 'Alpha', 'A 2'])
  })
})

describe('the weir property', () => {
  it('has defaults', () => {
    expect(planOf('  - {name: a, logicalType: integer}').settings).toEqual({
      file: { nullValues: [''], decimalSeparator: '.' },
      redrop: 'replace',
      onDelete: 'keep',
      extraColumns: 'warn',
      curated: { mode: 'append', partitionBy: [] },
    })
    expect(planOf('  - {name: a, logicalType: integer, primaryKey: true}').settings.curated.mode).toBe('merge')
  })
  it.each<[string, number]>([
    ['10%', 0.1],
    ['0.1', 0.1],
    ['"0.25"', 0.25],
    ['2.5 %', 0.025],
    ['0', 0],
    ['100%', 1],
  ])('maxRejected: %s', (written, share) => {
    expect(parseContract(weir(`{maxRejected: ${written}}`)).plans.get('t')?.settings.maxRejected).toBe(share)
  })
  it('takes everything of the design', () => {
    const settings = parseContract(
      weir(
        '{file: {format: csv, delimiter: ";", encoding: UTF8, header: true, nullValues: ["", NA], decimalSeparator: ","}, match: "orders_*.csv", redrop: append, onDelete: retract, maxRejected: 10%, extraColumns: keep, curated: {mode: append, partitionBy: [month(d), a]}}',
      ),
    ).plans.get('t')?.settings
    expect(settings).toEqual({
      file: {
        format: 'csv',
        delimiter: ';',
        encoding: 'utf-8',
        header: true,
        nullValues: ['', 'NA'],
        decimalSeparator: ',',
      },
      match: 'orders_*.csv',
      redrop: 'append',
      onDelete: 'retract',
      maxRejected: 0.1,
      extraColumns: 'keep',
      curated: {
        mode: 'append',
        partitionBy: [
          { transform: 'month', column: 'd' },
          { transform: 'identity', column: 'a' },
        ],
      },
    })
  })
  it.each<[value: string, error: RegExp]>([
    [
      '{maxRejects: 5}',
      /customProperties\[0\]\.value\.maxRejects: weir has no setting maxRejects; did you mean maxRejected\?/,
    ],
    [
      '{file: {delimeter: ","}}',
      /value\.file\.delimeter: weir has no setting file\.delimeter; did you mean delimiter\?/,
    ],
    ['{redrop: overwrite}', /value\.redrop: .*found "overwrite"; allowed: replace, append, refuse/],
    ['{maxRejected: 150%}', /must be a share of the rows, from 0% to 100%/],
    ['{maxRejected: 10}', /must be a share of the rows/],
    ['{file: {delimiter: "||"}}', /exactly one character/],
    ['{file: {decimalSeparator: ",", thousandsSeparator: ","}}', /are the same character/],
    ['{file: {format: parquet, delimiter: ","}}', /A parquet file has no delimiter/],
    ['{file: {delimiter: ";", quote: ";"}}', /quote and delimiter are the same/],
    ['{match: "../x"}', /without \.\./],
    ['{curated: {mode: merge}}', /merged by primary key, and there is none/],
    ['{curated: {partitionBy: [month(x)]}}', /partitionBy\[0\]: This does not name a column.*columns: a, d/],
    [
      '{curated: {partitionBy: [a, week(d)]}}',
      /partitionBy\[1\]: Rows of a curated table cannot be laid out by this.*found "week\(d\)"; allowed: a column, or year/,
    ],
    [
      '{curated: {partitionBy: [d, hour(d)]}}',
      /partitionBy\[1\]: d is of the type DATE, and hour\(\) needs a timestamp/,
    ],
    ['nonsense', /This setting is not valid/],
  ])('%s is refused', (value, error) => {
    expect(errorsOf(weir(value)).join('\n')).toMatch(error)
  })
  it('belongs on the schema object, once', () => {
    expect(
      errorsOf(`${oneColumn('logicalType: string')}customProperties: [{property: weir, value: {}}]\n`).join(),
    ).toMatch(/belongs on the schema object/)
    expect(
      errorsOf(
        contractOf(
          '  - {name: a, logicalType: string}',
          '  customProperties: [{property: weir, value: {}}, {property: weir, value: {}}]\n',
        ),
      ).join(),
    ).toMatch(/is there twice/)
    expect(
      errorsOf(oneColumn('logicalType: string, customProperties: [{property: weir, value: {alias: [x]}}]')).join(),
    ).toMatch(/weir has no setting alias; did you mean aliases\?/)
  })
})

describe('keys, sensitivity, hash', () => {
  it('orders a composite key by position', () => {
    const plan = planOf(
      '  - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 2}\n  - {name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n  - {name: u, logicalType: string, unique: true}',
    )
    expect(plan.primaryKey).toEqual(['b', 'a'])
    expect(plan.keys.map((k) => [k.rule, k.columns, k.message])).toEqual([
      ['primaryKey', ['b', 'a'], 'b, a must be unique in a file'],
      ['unique', ['u'], 'u must be unique in a file'],
    ])
    expect(plan.columns.map((c) => c.required)).toEqual([true, true, false])
  })
  it('refuses keys that cannot be compared, and positions given twice', () => {
    expect(errorsOf(oneColumn('logicalType: array, primaryKey: true')).join()).toMatch(
      /cannot be part of a primary key/,
    )
    expect(errorsOf(oneColumn('logicalType: object, unique: true')).join()).toMatch(/cannot be compared for uniqueness/)
    expect(
      errorsOf(
        contractOf(
          '  - {name: a, logicalType: string, primaryKey: true, primaryKeyPosition: 1}\n  - {name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 1}',
        ),
      ).join(),
    ).toMatch(/same position/)
  })
  it('everything but public is sensitive, parts of objects included', () => {
    const sensitive = (keys: string): boolean | undefined => planOf(`  - {name: c, ${keys}}`).columns[0]?.sensitive
    expect(
      [
        'logicalType: string',
        'logicalType: string, classification: Public',
        'logicalType: string, classification: internal',
        'logicalType: string, classification: "5"',
        'logicalType: object, properties: [{name: a, logicalType: string, classification: pii}]',
      ].map(sensitive),
    ).toEqual([false, false, true, true, true])
  })
  it('the hash changes with what decides about rows, and only with that', () => {
    const hash = (keys: string, extra = ''): string => planOf(`  - {name: c, ${keys}}`, extra).hash
    const base = hash('logicalType: array, items: {logicalType: integer}')
    expect(hash('items: {logicalType: integer}, logicalType: array, description: words')).toBe(base)
    expect(
      hash(
        'logicalType: array, items: {logicalType: integer}',
        '  customProperties: [{property: weir, value: {match: "*.csv", redrop: append}}]\n',
      ),
    ).toBe(base)
    const others = [
      hash('logicalType: array, items: {logicalType: string}'),
      hash('logicalType: array, items: {logicalType: integer}, required: true'),
      hash(
        'logicalType: array, items: {logicalType: integer}',
        '  customProperties: [{property: weir, value: {extraColumns: keep}}]\n',
      ),
    ]
    expect(new Set([base, ...others]).size).toBe(4)
    expect(base).toMatch(/^[0-9a-f]{64}$/)
  })
})

describe('lint', () => {
  it('shows errors, warnings, clauses not enforced and notes of all files', async () => {
    const good = `${contractOf('  - {name: a, logicalType: number, unique: true, encryptedName: x, relationships: [{to: o.id}], physicalType: money}\n  - {name: p, logicalType: string, logicalTypeOptions: {pattern: "[0-9]", format: password}}')}slaProperties: [{property: latency, value: 4, unit: d}]\nservers: [{server: prod, type: s3, location: "s3://x"}]\nroles: [{role: reader}]\n`
    const dir = await lay('lint', {
      'good.yaml': good,
      'bad.yaml': oneColumn('logicalType: x').replace('name: t', 'name: other'),
    })
    const lint = await lintContracts(dir)
    expect(lint.errors.map((e) => e.path)).toEqual(['schema[0].properties[0].logicalType'])
    expect(lint.datasets).toEqual(['t'])
    expect(lint.warnings.map((w) => w.path)).toEqual([
      'schema[0].properties[1].logicalTypeOptions.pattern',
      'schema[0].properties[1].logicalTypeOptions.format',
    ])
    expect(lint.notEnforced[0]?.clauses.map((c) => c.path)).toEqual([
      'schema[0].properties[0].physicalType',
      'schema[0].properties[0].relationships[0]',
      'schema[0].properties[0].encryptedName',
      'schema[0].properties[1].logicalTypeOptions.format',
      'slaProperties[0]',
      'servers',
      'roles',
    ])
    expect(lint.notes.map((n) => n.note)).toEqual([
      expect.stringMatching(/stored as a double/),
      expect.stringMatching(/hold within one file.*curated merge decides by key/),
    ])
  })
  it('does not throw for a folder that is not there', async () => {
    expect((await lintContracts(join(folder, 'nowhere'))).errors).toHaveLength(1)
  })
})
