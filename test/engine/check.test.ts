// The engine as an uploader meets it: what is accepted, what is set aside and why, and what is refused with which words.

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { beforeAll, describe, expect, it } from 'vitest'
import type { Engine } from '../../lib/engine/engine.ts'
import { checkFile, contract, engineWith, rowsOf, scratchFolder } from './helpers.ts'

let engine: Engine
beforeAll(async () => {
  engine = await engineWith()
})

const ITEMS = `
      - { name: id, logicalType: integer, required: true, primaryKey: true }
      - { name: name, logicalType: string, required: true }
      - { name: price, logicalType: number, physicalType: "decimal(8,2)", logicalTypeOptions: { minimum: 0 } }
      - { name: day, logicalType: date }`
const plan = contract(ITEMS)
const HEADER = 'id,name,price,day\n'

describe('rows', () => {
  it('accepts good rows with their types and the upload', async () => {
    const result = await checkFile(engine, plan, 'a.csv', `${HEADER}1,007,1.50,2024-02-29\n2,"a ""b"", c",,\n`)
    expect(result).toMatchObject({ outcome: 'accepted', rows: { read: 2, accepted: 2, rejected: 0 }, violations: [] })
    expect(await result.cleanRows('*')).toEqual([
      ['1', '007', '1.50', '2024-02-29', 'u1'],
      ['2', 'a "b", c', null, null, 'u1'],
    ])
    expect(result.reading).toMatchObject({ format: 'csv', delimiter: ',', encoding: 'utf-8', header: true })
    expect(result.reading?.detected).toContain('delimiter')
  })

  it('sets rows aside with every violation, the row of a spreadsheet and the original text', async () => {
    const result = await checkFile(
      engine,
      plan,
      'a.csv',
      `${HEADER}1,a,1.50,2024-01-01\nx,,1.505,2024-02-30\n3,c,-1,\n1,again,2,2024-01-01\n`,
    )
    expect(result.rows).toEqual({ read: 4, accepted: 1, rejected: 3 })
    expect(await result.rejectRows()).toEqual([
      {
        row: 3,
        raw: null,
        cells: { id: 'x', name: null, price: '1.505', day: '2024-02-30' },
        rules: ['id:type', 'name:required', 'price:type', 'day:type'],
      },
      { row: 4, raw: null, cells: { id: '3', name: 'c', price: '-1', day: null }, rules: ['price:minimum'] },
      { row: 5, raw: null, cells: { id: '1', name: 'again', price: '2', day: '2024-01-01' }, rules: ['id:primaryKey'] },
    ])
    expect(result.violations.find((v) => v.rule === 'primaryKey')?.samples).toEqual([
      { row: 5, value: '1', message: 'has the same id as row 2' },
    ])
    expect(result.violations.find((v) => v.rule === 'minimum')).toMatchObject({
      column: 'price',
      count: 1,
      samples: [{ row: 4, value: '-1' }],
    })
  })

  it('keeps ragged and unparsable records with their text, and goes on after them', async () => {
    const text = `${HEADER}1,a,1,2024-01-01\n2,b\n3,c,1,2024-01-01,extra\n4,"broken"quote,1,\n\n5,"two\nlines",1,\n6,"never closed,1,\n7,g,1,\n`
    const result = await checkFile(engine, plan, 'a.csv', text)
    expect(result.rows).toEqual({ read: 7, accepted: 3, rejected: 4 })
    expect((await result.rejectRows()).map((r) => [r.row, r.raw, r.rules])).toEqual([
      [3, '2,b', [':ragged']],
      [4, '3,c,1,2024-01-01,extra', [':ragged']],
      [5, '4,"broken"quote,1,', [':unparsable']],
      [8, '6,"never closed,1,', [':unparsable']],
    ])
    expect((await result.cleanRows('id, name')).map((r) => r[1])).toEqual(['a', 'two\nlines', 'g'])
  })

  it('judges uniqueness among rows that are otherwise good: the first good one stays', async () => {
    const result = await checkFile(engine, plan, 'a.csv', `${HEADER}1,,1,\n1,kept,1,\n1,late,1,\n2,b,1,\n`)
    expect(await result.cleanRows('id, name')).toEqual([
      ['1', 'kept'],
      ['2', 'b'],
    ])
    expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
      [2, ['name:required']],
      [4, ['id:primaryKey']],
    ])
  })

  it('applies composite keys and several unique columns, and never compares nulls', async () => {
    const two = contract(`
      - { name: a, logicalType: integer, primaryKey: true, primaryKeyPosition: 1 }
      - { name: b, logicalType: string, primaryKey: true, primaryKeyPosition: 2 }
      - { name: mail, logicalType: string, unique: true }`)
    const result = await checkFile(engine, two, 'a.csv', 'a,b,mail\n1,x,\n1,y,\n1,x,\n2,x,m\n3,x,m\n2,x,n\n')
    expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
      [4, ['a, b:primaryKey']],
      [6, ['mail:unique']],
      [7, ['a, b:primaryKey']],
    ])
  })

  it('never shows values of columns that are not public, but keeps them for the repair', async () => {
    const secret = contract(`
      - { name: id, logicalType: integer }
      - { name: iban, logicalType: string, classification: restricted, unique: true, logicalTypeOptions: { maxLength: 4 } }`)
    const result = await checkFile(engine, secret, 'a.csv', 'id,iban\n1,SECRET1\n2,ok\n3,ok\n')
    expect(JSON.stringify(result.violations)).not.toMatch(/SECRET|"ok"/)
    expect(result.violations.map((v) => [v.rule, v.samples[0]?.row])).toEqual([
      ['maxLength', 2],
      ['unique', 4],
    ])
    const [row] = await rowsOf(`SELECT violations, cells FROM '${result.rejects?.parquet}'`)
    expect(row?.[0]).not.toContain('SECRET')
    expect(row?.[1]).toContain('SECRET1')
  })

  it('counts warnings and does not reject for them', async () => {
    const warn = contract(`
      - name: id
        logicalType: integer
        quality:
          - { name: small, metric: invalidValues, arguments: { validValues: [1, 2] }, mustBe: 0, severity: warning }`)
    const result = await checkFile(engine, warn, 'a.csv', 'id\n1\n2\n3\n')
    expect(result).toMatchObject({ outcome: 'accepted', rows: { accepted: 3 } })
    expect(result.violations).toMatchObject([{ severity: 'warning', column: 'id', count: 1 }])
  })
})

describe('columns', () => {
  it('matches names without regard to order, case and space, and by alias', async () => {
    const aliased = contract(`
      - { name: id, logicalType: integer }
      - name: name
        logicalType: string
        customProperties: [{ property: weir, value: { aliases: [title] } }]`)
    const result = await checkFile(engine, aliased, 'a.csv', ' TITLE ;"Id "\nx;1\n')
    expect(await result.cleanRows()).toEqual([['1', 'x']])
    expect(result.reading?.delimiter).toBe(';')
  })

  it('refuses a file without a required column and says which columns it has', async () => {
    const result = await checkFile(engine, plan, 'a.csv', 'id,nmae\n1,a\n')
    expect(result).toMatchObject({ outcome: 'refused', reason: { code: 'missing_column' }, rows: { read: 0 } })
    expect(result.reason?.message).toBe('The file has no column name. Columns that the contract does not know: "nmae".')
  })

  it('reads a missing optional column as null and says so', async () => {
    const result = await checkFile(engine, plan, 'a.csv', 'id,name\n1,a\n')
    expect(result.reading?.missingColumns).toEqual(['price', 'day'])
    expect(await result.cleanRows()).toEqual([['1', 'a', null, null]])
  })

  it.each([
    ['warn', 'accepted'],
    ['refuse', 'refused'],
    ['keep', 'accepted'],
  ])('extra columns: %s', async (mode, outcome) => {
    const extra = contract('      - { name: id, logicalType: integer }', `{ extraColumns: ${mode} }`)
    const result = await checkFile(engine, extra, 'a.csv', 'id,colour,size\n1,red,\n')
    expect(result.outcome).toBe(outcome)
    if (mode === 'warn')
      expect(result.warnings).toEqual(['Not taken in, because the contract does not know them: "colour", "size".'])
    if (mode === 'refuse') expect(result.reason?.message).toContain('"colour", "size"')
    if (mode === 'keep') {
      const [row] = await result.cleanRows()
      expect(JSON.parse(row?.[1] as string)).toEqual({ colour: 'red', size: null })
    }
  })

  it('refuses a column that is there twice', async () => {
    const result = await checkFile(engine, plan, 'a.csv', 'id,name,ID\n1,a,2\n')
    expect(result.reason?.message).toBe('The column id is in the file twice: as column 1 ("id") and column 3 ("ID").')
  })

  it('reads files without a header by position and counts from row 1', async () => {
    const bare = contract(ITEMS, '{ file: { header: false } }')
    const result = await checkFile(engine, bare, 'a.csv', '1,a,1,2024-01-01\nx,b,1,\n')
    expect(result.rows).toEqual({ read: 2, accepted: 1, rejected: 1 })
    expect((await result.rejectRows())[0]?.row).toBe(2)
    const wrong = await checkFile(engine, bare, 'a.csv', '1,a\n2,b\n')
    expect(wrong.reason?.code).toBe('unknown_dialect')
  })
})

describe('formats and encodings', () => {
  const rows = [
    ['1', 'Müller', '1.50', '2024-01-01'],
    ['2', 'Ölaf €', '2.00', null],
  ]
  const csv = `${HEADER}1,Müller,1.5,2024-01-01\n2,Ölaf €,2,\n`
  const json = [
    { id: 1, name: 'Müller', price: 1.5, day: '2024-01-01' },
    { id: 2, name: 'Ölaf €', price: 2, day: null },
  ]
  const utf16be = Buffer.from(`\ufeff${csv}`, 'utf16le').swap16()
  const cases: [string, string | Buffer][] = [
    ['plain.csv', csv],
    ['bom.csv', `\ufeff${csv}`],
    ['crlf.csv', csv.replaceAll('\n', '\r\n')],
    ['mixed.csv', csv.replace('\n', '\r\n')],
    ['cr.csv', csv.replaceAll('\n', '\r')],
    ['noend.csv', csv.trimEnd()],
    ['blank.csv', csv.replace('\n2', '\n\n2')],
    ['tabs.tsv', csv.replaceAll(',', '\t')],
    ['semicolons.csv', csv.replaceAll(',', ';')],
    ['bars.txt', csv.replaceAll(',', '|')],
    ['utf16.csv', Buffer.from(`\ufeff${csv}`, 'utf16le')],
    ['utf16be.csv', utf16be],
    ['utf16-no-mark.csv', Buffer.from(csv, 'utf16le')],
    ['packed.csv.gz', gzipSync(csv)],
    ['packed.csv.zst', zstdCompressSync(Buffer.from(csv))],
    [
      'frames.csv.zst',
      Buffer.concat([csv.slice(0, 20), csv.slice(20)].map((part) => zstdCompressSync(Buffer.from(part)))),
    ],
    ['list.json', JSON.stringify(json)],
    ['pretty.json', JSON.stringify(json, null, 2)],
    ['lines.ndjson', json.map((r) => JSON.stringify(r)).join('\n')],
    ['lines.jsonl.gz', gzipSync(json.map((r) => JSON.stringify(r)).join('\n'))],
    ['stream.json', json.map((r) => JSON.stringify(r, null, 1)).join('\n')],
  ]
  it.each(cases)('%s gives the same rows', async (name, content) => {
    const result = await checkFile(engine, plan, name, content)
    expect(result.reason).toBeUndefined()
    expect(await result.cleanRows()).toEqual(rows)
  })

  it('reads latin-1 when the contract says so, and rejects such rows when it does not', async () => {
    const latin = Buffer.from('id,name,price,day\n1,M\u00fcller,1,\n2,plain,1,\n', 'latin1')
    const told = await checkFile(engine, contract(ITEMS, '{ file: { encoding: latin-1 } }'), 'a.csv', latin)
    expect((await told.cleanRows('name')).map((r) => r[0])).toEqual(['Müller', 'plain'])
    const untold = await checkFile(engine, plan, 'a.csv', latin)
    expect(untold.rows).toEqual({ read: 2, accepted: 1, rejected: 1 })
    expect((await untold.rejectRows())[0]).toMatchObject({ row: 2, raw: '1,Müller,1,', rules: [':encoding'] })
  })

  it('keeps every digit of JSON numbers and reads 5.0 and 1e3 as whole numbers', async () => {
    const exact = contract(`
      - { name: id, logicalType: integer }
      - { name: amount, logicalType: number, physicalType: "decimal(30,15)" }`)
    const text =
      '[{"id":5.0,"amount":0.123456789012345},{"id":1e3,"amount":123456789012345.123456789012345},{"id":9007199254740993,"amount":1}]'
    const result = await checkFile(engine, exact, 'a.json', text)
    expect(await result.cleanRows()).toEqual([
      ['5', '0.123456789012345'],
      ['1000', '123456789012345.123456789012345'],
      ['9007199254740993', '1.000000000000000'],
    ])
  })

  it('rejects JSON lines one by one and refuses a list that is cut off', async () => {
    const lines = '{"id":1,"name":"a"}\n{"id":2,"name":\n[1]\n{"id":4,"name":{"first":"x"}}\n\n{"id":6,"name":"f"}\n'
    const result = await checkFile(engine, plan, 'a.ndjson', lines)
    expect((await result.rejectRows()).map((r) => [r.row, r.rules[0]])).toEqual([
      [2, ':unparsable'],
      [3, ':unparsable'],
      [4, ':unparsable'],
    ])
    expect(result.rows).toEqual({ read: 5, accepted: 2, rejected: 3 })
    const cut = await checkFile(engine, plan, 'a.json', '[{"id":1,"name":"a"},{"id":2,"na')
    expect(cut.reason).toMatchObject({ code: 'broken_json' })
    expect(cut.reason?.message).toContain('the file ends inside a record after record 1')
  })

  it('rejects a JSON record that gives a key twice, at any depth', async () => {
    const nested = contract(`
      - { name: id, logicalType: integer }
      - { name: tag, logicalType: object, properties: [{ name: a, logicalType: string }] }`)
    const text = '[{"id":1,"id":2},{"id":3,"tag":{"a":"x:\\"y","a":"z"}},{"id":4,"tag":{"a":"b: \\"c\\" "}}]'
    const result = await checkFile(engine, nested, 'a.json', text)
    expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
      [1, [':unparsable']],
      [2, [':unparsable']],
    ])
    expect(await result.cleanRows('id')).toEqual([['4']])
  })

  it('refuses Parquet whose column holds lists where the contract says text', async () => {
    const path = `${scratchFolder}-list.parquet`
    await rowsOf(`COPY (SELECT 1 AS id, ['a', 'b'] AS name) TO '${path}' (FORMAT parquet)`)
    const result = await checkFile(engine, plan, 'a.parquet', readFileSync(path))
    expect(result.reason).toMatchObject({
      code: 'wrong_type',
      message: 'The column name is VARCHAR[] in the file, and the contract says text.',
    })
  })

  it('refuses a file of which more than a million records cannot be split', async () => {
    const result = await checkFile(engine, plan, 'a.csv', `${HEADER}${'x\n'.repeat(1_000_001)}`)
    expect(result.reason?.code).toBe('too_many_problems')
    expect(result.reason?.message).toContain('More than 1,000,000 records')
  })

  it('reads Parquet by its own types and numbers its rows from 1', async () => {
    const path = `${scratchFolder}-in.parquet`
    await rowsOf(
      `COPY (SELECT * FROM (VALUES (1::INTEGER, 'a', 1.5::DECIMAL(8,2), TIMESTAMP '2024-01-01'), (2, 'b', -1, TIMESTAMP '2024-01-01 10:00:00'), (3, NULL, 1, NULL)) t(id, name, price, day)) TO '${path}' (FORMAT parquet)`,
    )
    const result = await checkFile(engine, plan, 'a.parquet', readFileSync(path))
    expect(await result.cleanRows()).toEqual([['1', 'a', '1.50', '2024-01-01']])
    expect((await result.rejectRows()).map((r) => [r.row, r.rules])).toEqual([
      [2, ['price:minimum', 'day:type']],
      [3, ['name:required']],
    ])
    const cut = await checkFile(engine, plan, 'a.parquet', readFileSync(path).subarray(0, 400))
    expect(cut.reason?.code).toBe('broken_parquet')
  })
})

describe('files that are refused', () => {
  const nested = contract(ITEMS, '{ maxRejected: 10% }')
  it.each([
    ['empty.csv', '', 'empty_file', 'The file is empty.'],
    ['blank.csv', '\n\n', 'empty_file', 'The file holds no rows, only blank lines.'],
    ['header.csv', HEADER, 'no_rows', 'The file has no rows.'],
    ['list.json', '[]', 'no_rows', 'The file has no rows.'],
    [
      'book.csv',
      Buffer.from('PK\u0003\u0004aaaaaaaaaa', 'latin1'),
      'binary_file',
      'a ZIP archive or an Excel workbook',
    ],
    ['noise.csv', Buffer.from(Array.from({ length: 4000 }, (_, i) => (i * 7919) % 251)), 'binary_file', 'binary data'],
    ['cut.csv.gz', gzipSync(`${HEADER}1,a,1,\n`.repeat(500)).subarray(0, 60), 'broken_archive', 'cut off'],
    [
      'cut.csv.zst',
      zstdCompressSync(Buffer.from(`${HEADER}1,a,1,\n`.repeat(500))).subarray(0, 30),
      'broken_archive',
      'cut off',
    ],
    [
      'cut-in-second-frame.csv.zst',
      Buffer.concat([zstdCompressSync(Buffer.from(HEADER)), zstdCompressSync(Buffer.from('1,a,1,\n')).subarray(0, 9)]),
      'broken_archive',
      'cut off',
    ],
    [
      'with-a-tail.csv.zst',
      Buffer.concat([zstdCompressSync(Buffer.from(`${HEADER}1,a,1,\n`)), Buffer.from('2,b,2,\n')]),
      'broken_archive',
      'damaged',
    ],
    ['bad.json', '[{"id":1,"name":"a"} {"id":2}]', 'broken_json', 'a comma is missing after record 1'],
    ['not.parquet', 'id,name\n1,a\n', 'not_parquet', 'The file is not Parquet'],
  ])('%s', async (name, content, code, words) => {
    const result = await checkFile(engine, plan, name, content)
    expect(result).toMatchObject({ outcome: 'refused', reason: { code }, rows: { accepted: 0 }, clean: [] })
    expect(result.reason?.message).toContain(words)
    expect(result.sha256).toMatch(/^[0-9a-f]{64}$/)
  })

  it('refuses a gzip bomb without filling the disk', async () => {
    const small = await engineWith({ maxExpansion: 50, maxExpandedBytes: 100e6 })
    const result = await checkFile(small, plan, 'bomb.csv.gz', gzipSync(Buffer.alloc(120e6, 65)))
    expect(result.reason?.code).toBe('expands_too_much')
    expect(result.reason?.advice).toContain('limits.maxExpansion')
  })

  it('refuses a line of 50 MB and names the row', async () => {
    const result = await checkFile(engine, plan, 'long.csv', `${HEADER}1,${'x'.repeat(50e6)},1,\n`)
    expect(result.reason?.code).toBe('record_too_long')
    expect(result.reason?.message).toContain('Row 2')
  })

  it('refuses rather than guesses when two dialects fit', async () => {
    const bare = contract(
      '      - { name: a, logicalType: string }\n      - { name: b, logicalType: string }',
      '{ file: { header: false } }',
    )
    const result = await checkFile(engine, bare, 'a.csv', '1,5;2\n3,1;4\n')
    expect(result.reason?.code).toBe('ambiguous_dialect')
    expect(result.reason?.message).toBe(
      'The file can be read in more than one way: 2 columns by comma, 2 columns by semicolon.',
    )
  })

  it('refuses the whole file above maxRejected and still says what is wrong', async () => {
    const result = await checkFile(engine, nested, 'a.csv', `${HEADER}1,a,1,\nx,b,1,\n`)
    expect(result).toMatchObject({
      outcome: 'refused',
      reason: { code: 'too_many_rejects' },
      rows: { read: 2, accepted: 0, rejected: 2 },
      clean: [],
    })
    expect(result.reason?.message).toContain('1 of 2 rows (50%) break a rule; the contract allows 10%')
    expect(await result.rejectRows()).toHaveLength(1)
    expect(readdirSync(result.outDir).filter((f) => f.startsWith('part-'))).toEqual([])
  })

  it('refuses for a rule about the whole file, and shields files from its SQL', async () => {
    const rule = (query: string) =>
      contract(
        ITEMS,
        '{}',
        `    quality:\n      - { name: enough, type: sql, query: ${JSON.stringify(query)}, mustBeGreaterThan: 1 }`,
      )
    const few = await checkFile(engine, rule('SELECT count(*) FROM {object}'), 'a.csv', `${HEADER}1,a,1,\n`)
    expect(few.reason).toMatchObject({ code: 'rule_failed' })
    expect(few.reason?.message).toContain('enough')
    const enough = await checkFile(engine, rule('SELECT count(*) FROM {object}'), 'a.csv', `${HEADER}1,a,1,\n2,b,1,\n`)
    expect(enough.outcome).toBe('accepted')
    // No contract can say this in Athena's SQL; the engine does not count on that.
    const counting = rule('SELECT count(*) FROM {object}')
    const [first] = counting.fileRules
    if (!first) throw new Error('there is no rule')
    for (const sql of ["SELECT count(*) FROM read_text('/etc/hostname')", 'DROP VIEW accepted']) {
      const thief = { ...counting, fileRules: [{ ...first, sql }] }
      expect((await checkFile(engine, thief, 'a.csv', `${HEADER}1,a,1,\n`)).reason?.code).toBe('rule_cannot_run')
    }
  })

  it.each([
    // Of 3 rows with the ids 1, 2 and 4 and the names a, ab and b.
    ['SELECT sum(id) / 2 FROM {object}', 3],
    ["SELECT count(*) FROM {object} WHERE regexp_like(name, '^a')", 2],
    ["SELECT date_diff('month', DATE '2020-01-15', DATE '2020-02-14') FROM {object} LIMIT 1", 0],
    ['SELECT max(7 / 2) FROM things', 3],
  ])('answers a rule as Athena does: %s', async (query, mustBe) => {
    const asAthena = contract(
      ITEMS,
      '{}',
      `    quality:\n      - { name: same, type: sql, query: ${JSON.stringify(query)}, mustBe: ${mustBe} }`,
    )
    const result = await checkFile(engine, asAthena, 'a.csv', `${HEADER}1,a,1,\n2,ab,1,\n4,b,1,\n`)
    expect(result.reason).toBeUndefined()
    expect(result.outcome).toBe('accepted')
  })

  it('says in plain words what stops a rule', async () => {
    const broken = (query: string) =>
      contract(ITEMS, '{}', `    quality:\n      - { name: b, type: sql, query: ${JSON.stringify(query)}, mustBe: 1 }`)
    const message = async (query: string) =>
      (await checkFile(engine, broken(query), 'a.csv', `${HEADER}1,a,1,\n`)).reason?.message
    expect(await message('SELECT 1 / (count(*) - 1) FROM {object}')).toBe(
      "The contract's rule b cannot be evaluated: Division by zero. Use x / nullif(y, 0) to get NULL instead.",
    )
    // What is not seen before: a subquery that names a column of the query around it.
    expect(
      await message(
        'SELECT max((SELECT count(*) FROM {object} AS b WHERE b.id = a.id)) + (SELECT a.id) FROM {object} AS a',
      ),
    ).toMatch(/^The contract's rule b cannot be evaluated: A column is neither grouped nor in an aggregate/)
  })

  it('stops a rule that takes too long', async () => {
    const endless = contract(
      ITEMS,
      '{}',
      `    quality:
      - name: endless
        type: sql
        query: SELECT count_if(a * b * c < d) FROM UNNEST(sequence(1, 9999), sequence(1, 9999)) t(a, d) CROSS JOIN UNNEST(sequence(1, 9999)) u(b) CROSS JOIN UNNEST(sequence(1, 9999)) v(c)
        mustBeGreaterThan: 1`,
    )
    const patient = await engineWith({ maxRuleSeconds: 0.3 })
    const result = await checkFile(patient, endless, 'a.csv', `${HEADER}1,a,1,\n`)
    expect(result).toMatchObject({ outcome: 'refused', reason: { code: 'rule_cannot_run' }, clean: [] })
    expect(result.reason?.message).toContain('endless was stopped: it took longer than 0.3 seconds')
  })

  it.each([
    'SELECT min(email) FROM {object}',
    'SELECT count(*) FROM {object} UNION ALL SELECT length(email) FROM {object} LIMIT 1',
    'SELECT count(*) FROM {object} WHERE length(email) * 9223372036854775807 > 1',
    'SELECT count(*) FROM {object} CROSS JOIN UNNEST(sequence(1, length(email))) t(n)',
    'WITH o AS (SELECT email FROM {object} CROSS JOIN UNNEST(sequence(1, length(email))) t(n)) SELECT count(*) FROM o',
    'SELECT max(length(email)) FROM {object}',
  ])('does not show what a rule finds in columns that are not public: %s', async (query) => {
    const secret = contract(
      '      - { name: email, logicalType: string, classification: restricted }',
      '{}',
      `    quality:\n      - { name: peeps, type: sql, query: ${JSON.stringify(query)}, mustBe: 99 }`,
    )
    const result = await checkFile(engine, secret, 'a.csv', 'email\nsecret@example.com\n')
    expect(result.outcome).toBe('refused')
    const { cleanRows, rejectRows, outDir, ...receipt } = result
    expect(JSON.stringify(receipt)).not.toContain('secret')
    expect(result.reason?.message).toMatch(/not shown, because the dataset has columns that are not public/)
  })

  it('says what is wrong with a value that is not public without the value', async () => {
    const query = "SELECT count(*) FROM {object} WHERE CAST(email AS integer) = 1 OR email = 'weir:it'"
    const secret = contract(
      '      - { name: email, logicalType: string, classification: restricted }',
      '{}',
      `    quality:\n      - { name: peeps, type: sql, query: ${JSON.stringify(query)}, mustBe: 99 }`,
    )
    const result = await checkFile(engine, secret, 'a.csv', 'email\nweir:secret@example.com\n')
    expect(result.reason?.message).toBe(
      "The contract's rule peeps cannot be evaluated: A text cannot be cast to integer: it must look like '12'. Use try_cast(x AS integer) to get NULL instead.",
    )
  })

  it('shows a count also where columns are not public', async () => {
    const secret = contract(
      '      - { name: email, logicalType: string, classification: restricted }',
      '{}',
      '    quality:\n      - { name: many, type: sql, query: "SELECT count(*) FROM {object} WHERE length(email) > 3", mustBe: 99 }',
    )
    const result = await checkFile(engine, secret, 'a.csv', 'email\nsecret@example.com\n')
    expect(result.reason?.message).toContain('found 1)')
  })

  it('refuses a file of another dataset also where no column is required, and says what came', async () => {
    const loose = '      - { name: a, logicalType: string }\n      - { name: b, logicalType: string'
    const other = await checkFile(engine, contract(`${loose} }`), 'a.csv', 'x,y\n1,2\n')
    expect(other.reason).toEqual({
      code: 'missing_column',
      message: "None of the contract's columns is in the file, which begins with: x, y.",
      advice: 'Check that the file belongs to this dataset, and that its columns are named (a, b).',
    })
    const secret = await checkFile(engine, contract(`${loose}, classification: restricted }`), 'a.csv', 'Ann,Lee\n')
    expect(secret.reason?.message).toBe("None of the contract's columns is in the file.")
    const excel = await checkFile(engine, contract(`${loose} }`), 'a.csv', 'sep=;\na;b\n1;2\n')
    expect(excel.reason?.message).toContain('begins with the line "sep=')
    expect(excel.reason?.advice).toContain('Remove that line')
    const records = await checkFile(engine, contract(`${loose} }`), 'a.ndjson', '{"x":1}\n{}\n')
    expect(records.reason?.code).toBe('missing_column')
  })

  it('names no path of its own for a Parquet file that was cut off', async () => {
    const cut = await checkFile(engine, plan, 'cut.parquet', Buffer.from(`PAR1${'x'.repeat(200)}`))
    expect(cut.reason).toMatchObject({ code: 'broken_parquet' })
    expect(cut.reason?.message).toBe('The Parquet file cannot be read: No magic bytes found at end.')
  })

  it('does not quote a broken JSON record in its reason', async () => {
    const lines = [
      '{"id":1,"name":SECRET}',
      '{"id":1 SECRET}',
      '{"name":"SECRET',
      '{"name":"a"} SECRET',
      '{"name":"\\q"}',
    ]
    const result = await checkFile(engine, plan, 'a.ndjson', [...lines, '{"id":1,"name":"ok"}'].join('\n'))
    expect(result.rows).toEqual({ read: 6, accepted: 1, rejected: 5 })
    expect(result.violations[0]?.samples.map((sample) => sample.message)).toEqual([
      'Is not valid JSON: Something stands where a value, a name or a closing bracket is expected.',
      "Is not valid JSON: Expected ',' or '}' after property value, at character 9.",
      'Is not valid JSON: Unterminated string, at character 16.',
      'Is not valid JSON: Unexpected non-whitespace character after its end, at character 14.',
      'Is not valid JSON: Bad escaped character, at character 11.',
    ])
  })

  it('rejects rows with NUL characters', async () => {
    const result = await checkFile(engine, plan, 'a.csv', `${HEADER}1,a\0b,1,\n2,b,1,\n`)
    expect((await result.rejectRows())[0]).toMatchObject({ row: 2, raw: '1,a␀b,1,', rules: [':unparsable'] })
    expect(result.rows.accepted).toBe(1)
  })
})

describe('the repair loop', () => {
  it('writes a repair file that is harmless in a spreadsheet and comes back as it was', async () => {
    const texts = contract(`
      - { name: id, logicalType: integer, required: true }
      - { name: note, logicalType: string }`)
    const notes = ['=1+1', '+49 30 1', '-5', '@me', "'=quoted", 'plain', '-', '<b>x</b>']
    const lines = notes.map((note) => `,"${note}"`).join('\n')
    const first = await checkFile(engine, texts, 'a.csv', `id,note\n${lines}\n9,ok\n`, 'first')
    const repair = readFileSync(first.rejects?.csv ?? '', 'utf8')
    expect(repair.split('\n').slice(0, 3)).toEqual([
      '\ufeff_upload,_row,_errors,id,note',
      "first,2,id must not be empty,,'=1+1",
      "first,3,id must not be empty,,'+49 30 1",
    ])
    expect(repair).toContain(',-5\n')
    expect(repair).toContain("''=quoted")
    let id = 100
    const mended = repair.replaceAll('id must not be empty,,', () => `,${id++},`)
    for (const text of [mended, mended.replaceAll(',', ';')]) {
      const second = await checkFile(engine, texts, 'a.repair.csv', text, 'second')
      expect(second.reason).toBeUndefined()
      expect((await second.cleanRows('note')).map((r) => r[0]).toSorted()).toEqual(notes.toSorted())
      expect(second.repairs).toEqual([{ upload: 'first', rows: [2, 3, 4, 5, 6, 7, 8, 9] }])
      expect(second.warnings).toEqual([])
    }
  })

  it('links only the rows that are good now', async () => {
    const first = await checkFile(engine, plan, 'a.csv', `${HEADER}x,a,1,\ny,b,1,\n1,c,1,\n`, 'first')
    const mended = readFileSync(first.rejects?.csv ?? '', 'utf8').replace(',x,a', ',7,a')
    const second = await checkFile(engine, plan, 'b.csv', mended, 'second')
    expect(second.rows).toEqual({ read: 2, accepted: 1, rejected: 1 })
    expect(second.repairs).toEqual([{ upload: 'first', rows: [2] }])
  })

  it('does not judge a repair file by maxRejected', async () => {
    const strict = contract(
      `
      - { name: id, logicalType: integer, required: true }
      - { name: note, logicalType: string }`,
      '{ maxRejected: 10% }',
    )
    const rows = Array.from({ length: 30 }, (_, i) => `${i + 1},ok`).join('\n')
    const first = await checkFile(engine, strict, 'a.csv', `id,note\n${rows}\nx,a\ny,b\n`, 'first')
    expect(first.rows).toEqual({ read: 32, accepted: 30, rejected: 2 })
    const mended = readFileSync(first.rejects?.csv ?? '', 'utf8').replace(',x,a', ',31,a')
    const second = await checkFile(engine, strict, 'b.csv', mended, 'second')
    expect(second.reason).toBeUndefined()
    expect(second.rows).toEqual({ read: 2, accepted: 1, rejected: 1 })
  })
})

it('leaves nothing in its scratch folder', () => {
  expect(existsSync(scratchFolder) ? readdirSync(scratchFolder).filter((f) => f.startsWith('check-')) : []).toEqual([])
})
