// What only a lake in a folder must withstand: people's hands in landing/, several processes, kill -9, lost and damaged files.

import { execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, renameSync, writeFileSync } from 'node:fs'
import {
  appendFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rename,
  rm,
  symlink,
  unlink,
  utimes,
  writeFile,
} from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { InvalidKey, ObjectGone, StorageError } from '../../lib/lake/errors.ts'
import { storageError } from '../../lib/lake/local/faults.ts'
import { createLocalLake, openLocalLake } from '../../lib/lake/local/lake.ts'
import { checkKey, compareKeys, namesOf } from '../../lib/lake/local/paths.ts'
import type { Lake } from '../../lib/lake/ports.ts'

const WORKER = fileURLToPath(new URL('./worker.ts', import.meta.url))

let root: string
let lake: Lake
let events: { event: string; [field: string]: unknown }[]

const openAgain = () => openLocalLake(root, { log: (event) => events.push(event) })

beforeEach(async () => {
  events = []
  root = await mkdtemp(join(tmpdir(), 'weir-local-'))
  await createLocalLake(root)
  lake = await openAgain()
})
afterEach(async () => {
  await lake.close()
  await rm(root, { recursive: true, force: true })
})

async function keysOf(prefix = '', zone: 'landing' | 'ops' = 'landing'): Promise<string[]> {
  const keys: string[] = []
  for await (const { key } of lake.zones[zone].list(prefix)) keys.push(key)
  return keys
}

async function headOf(key: string) {
  const info = await lake.zones.landing.head(key)
  if (!info) throw new Error(`${key} is not there.`)
  return info
}

async function fetchText(key: string, version: string): Promise<string> {
  const fetched = await lake.zones.landing.fetch(key, version)
  const text = await readFile(fetched.path, 'utf8')
  await fetched.verify()
  await fetched.release()
  return text
}

/** A file put into landing by hand. */
async function dropByHand(name: string, text: string): Promise<string> {
  const path = join(root, 'landing', name)
  await mkdir(join(path, '..'), { recursive: true })
  await writeFile(path, text)
  return path
}

describe('a lake folder', () => {
  test('has what people look for, at the place where they look', async () => {
    expect((await readdir(root)).sort()).toEqual(['.weir', 'clean', 'contracts', 'curated', 'landing', 'ops'])
    await lake.zones.landing.put('orders/a.csv', '1')
    expect(await readFile(join(root, 'landing/orders/a.csv'), 'utf8')).toBe('1')
    expect(lake.locate('landing', 'orders/a.csv')).toBe(join(root, 'landing/orders/a.csv'))
  })

  test('that is not there is said to be so', async () => {
    await expect(openLocalLake(join(root, 'nowhere'))).rejects.toThrow(/Could not open the lake in .*nowhere.*ENOENT/)
  })

  test('creating it again changes nothing', async () => {
    await lake.zones.ops.put('a', '1')
    await createLocalLake(root)
    expect(await keysOf('', 'ops')).toEqual(['a'])
  })
})

describe('landing, where people put files by hand', () => {
  test('a file copied, changed and removed by hand is an object with versions', async () => {
    const path = await dropByHand('orders/a.csv', 'one')
    const one = await headOf('orders/a.csv')
    expect(await fetchText('orders/a.csv', one.version)).toBe('one')
    await writeFile(path, 'two')
    const two = await headOf('orders/a.csv')
    expect(two.version).not.toBe(one.version)
    expect(await fetchText('orders/a.csv', one.version)).toBe('one')
    expect(await fetchText('orders/a.csv', two.version)).toBe('two')
    await unlink(path)
    expect(await lake.zones.landing.head('orders/a.csv')).toBeUndefined()
    expect(await fetchText('orders/a.csv', two.version)).toBe('two')
  })

  test('two changes in quick succession have two versions', async () => {
    const path = await dropByHand('orders/quick.csv', '0')
    const versions = new Set<string>()
    for (let i = 1; i <= 20; i++) {
      writeFileSync(path, String(i % 10))
      versions.add((await headOf('orders/quick.csv')).version)
    }
    expect(versions.size).toBe(20)
  })

  test.each(['written over', 'appended to', 'replaced', 'removed'])(
    'verify says so when the file is %s while it is read',
    async (how) => {
      const path = await dropByHand('orders/a.csv', 'before')
      const { version } = await headOf('orders/a.csv')
      const fetched = await lake.zones.landing.fetch('orders/a.csv', version)
      if (how === 'written over') await writeFile(path, 'after!')
      if (how === 'appended to') await appendFile(path, 'x')
      if (how === 'removed') await unlink(path)
      if (how === 'replaced') {
        await writeFile(`${path}.new`, 'after!')
        await rename(`${path}.new`, path)
      }
      await expect(fetched.verify()).rejects.toThrow(ObjectGone)
      await fetched.release()
      await expect(lake.zones.landing.fetch('orders/a.csv', version)).rejects.toThrow(ObjectGone)
    },
  )

  test('a put that lost its race leaves nothing that a change by hand could spoil', async () => {
    const path = await dropByHand('orders/a.csv', 'one')
    const { version } = await headOf('orders/a.csv')
    await expect(lake.zones.landing.put('orders/a.csv', 'x', { ifMatch: 'another' })).rejects.toThrow(/first/)
    const fetched = await lake.zones.landing.fetch('orders/a.csv', version)
    await fetched.verify()
    await fetched.release()
    await appendFile(path, ' and more')
    expect(await fetchText('orders/a.csv', version)).toBe('one')
    const { version: second } = await headOf('orders/a.csv')
    await expect(lake.zones.landing.put('orders/a.csv', 'x', { ifMatch: 'another' })).rejects.toThrow(/first/)
    const spoilt = await lake.zones.landing.fetch('orders/a.csv', second)
    await appendFile(path, '!')
    await expect(spoilt.verify()).rejects.toThrow(ObjectGone)
    await spoilt.release()
    await expect(lake.zones.landing.fetch('orders/a.csv', second)).rejects.toThrow(ObjectGone)
  })

  test('an old file moved in keeps its time, one stored by Weir has the time of the put', async () => {
    const path = await dropByHand('orders/old.csv', 'x')
    await utimes(path, new Date('2001-02-03'), new Date('2001-02-03'))
    expect((await headOf('orders/old.csv')).modified).toEqual(new Date('2001-02-03'))
    const other = join(root, 'other.csv')
    await writeFile(other, 'x')
    await utimes(other, new Date('2001-02-03'), new Date('2001-02-03'))
    const info = await lake.zones.landing.putFile('orders/new.csv', other)
    expect(info.modified.getFullYear()).toBeGreaterThan(2001)
  })

  test('putFile leaves a symbolic link and its target alone, and gives a file back that it could not store', async () => {
    const target = join(root, 'target.csv')
    await writeFile(target, 'mine')
    await symlink(target, join(root, 'link.csv'))
    await lake.zones.landing.putFile('orders/a.csv', join(root, 'link.csv'))
    expect(await readFile(join(root, 'link.csv'), 'utf8')).toBe('mine')
    await expect(lake.zones.landing.putFile('orders/a.csv', target, { ifNoneMatch: '*' })).rejects.toThrow(/first/)
    expect(await readFile(target, 'utf8')).toBe('mine')
  })

  test('linked files and folders are read, and circles do not catch the listing', async () => {
    const elsewhere = join(root, 'elsewhere')
    await mkdir(elsewhere)
    await writeFile(join(elsewhere, 'a.csv'), 'linked')
    await symlink(elsewhere, join(root, 'landing/orders'))
    await symlink(join(root, 'landing'), join(elsewhere, 'circle'))
    expect(await keysOf()).toEqual(['orders/a.csv'])
    const { version } = await headOf('orders/a.csv')
    expect(await fetchText('orders/a.csv', version)).toBe('linked')
  })

  test('an older version can be found without Weir', async () => {
    const { version } = await lake.zones.landing.put('orders/a b.csv', 'one')
    await lake.zones.landing.put('orders/a b.csv', 'two')
    const [folder = ''] = readdirSync(join(root, '.weir/versions'))
    expect(await readFile(join(root, '.weir/versions', folder, 'key.txt'), 'utf8')).toBe('orders/a b.csv')
    expect(await readFile(join(root, '.weir/versions', folder, version), 'utf8')).toBe('one')
  })

  test('keepVersions: false keeps no copies', async () => {
    await lake.close()
    lake = await openLocalLake(root, { keepVersions: false })
    const { version } = await lake.zones.landing.put('orders/a.csv', 'one')
    expect(await fetchText('orders/a.csv', version)).toBe('one')
    await lake.zones.landing.put('orders/a.csv', 'two')
    await expect(lake.zones.landing.fetch('orders/a.csv', version)).rejects.toThrow(ObjectGone)
    expect(existsSync(join(root, '.weir/versions'))).toBe(false)
  })

  test('a file whose name is not UTF-8 is told of, not listed and not in the way', async () => {
    if (process.platform !== 'linux') return
    await dropByHand('orders/good.csv', 'x')
    writeFileSync(
      Buffer.concat([Buffer.from(join(root, 'landing/orders/')), Buffer.from([0xe4]), Buffer.from('.csv')]),
      'x',
    )
    expect(await keysOf()).toEqual(['orders/good.csv'])
    expect(events).toMatchObject([{ event: 'file_ignored', path: expect.stringContaining('orders') }])
  })
})

describe('keys on a folder', () => {
  test('one key cannot be an object and the beginning of others: said clearly, and nothing is lost', async () => {
    for (const zone of [lake.zones.ops, lake.zones.landing]) {
      await zone.put('a', 'file')
      await expect(zone.put('a/b', 'x')).rejects.toThrow(InvalidKey)
      await expect(zone.put('a/b', 'x')).rejects.toThrow(/both an object and the beginning of other keys/)
      await zone.put('c/d', 'file')
      for (const condition of [{}, { ifNoneMatch: '*' as const }])
        await expect(zone.put('c', 'x', condition)).rejects.toThrow(InvalidKey)
      expect((await zone.get('a'))?.body.toString()).toBe('file')
      await zone.delete('c/d')
      await zone.put('c', 'now a file', { ifNoneMatch: '*' })
      expect((await zone.get('c'))?.body.toString()).toBe('now a file')
    }
  })

  test('deleting leaves no empty folders in the zones that Weir fills', async () => {
    await lake.zones.ops.put('x/y/z', '1')
    await lake.zones.ops.delete('x/y/z')
    expect(await readdir(join(root, 'ops'))).toEqual([])
  })

  test('Windows names are refused on Windows only', () => {
    expect(() => checkKey('a/CON.csv', 'win32')).toThrow(/Windows reserves the name "CON.csv"/)
    expect(() => checkKey('a/b:c.csv', 'win32')).toThrow(/leave out < > :/)
    expect(() => checkKey('a/b.', 'win32')).toThrow(/ends in a dot/)
    expect(checkKey('a/CON.csv', 'linux')).toEqual(['a', 'CON.csv'])
  })

  test('long segments are cut into names that every file system holds', () => {
    for (const segment of [
      'x'.repeat(1024),
      '📈'.repeat(256),
      `${'x'.repeat(240)}..`,
      'y~weir+',
      `${'.'.repeat(600)}`,
    ]) {
      const names = namesOf(segment)
      for (const name of names) {
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(['', '.', '..']).not.toContain(name)
      }
      expect(names.at(-1)).not.toMatch(/~weir\+$/)
      expect(names.map((name) => name.replace(/~weir\+$/, '')).join('')).toBe(segment)
    }
    expect(['\ufb01', '📈', 'a', 'ab', 'é'].toSorted(compareKeys)).toEqual(['a', 'ab', 'é', '\ufb01', '📈'])
  })

  test('10,000 objects in one folder are all listed, in order', async () => {
    const folder = join(root, 'ops/many')
    await mkdir(folder)
    for (let i = 0; i < 10_000; i++) writeFileSync(join(folder, `${String(i).padStart(5, '0')}.json`), '{}')
    const keys = await keysOf('many/', 'ops')
    expect(keys).toHaveLength(10_000)
    expect(keys).toEqual(keys.toSorted())
  })
})

test('a file where a folder of the lake should be: said when the lake is opened, and when something is written', async () => {
  const said = /ops should be a folder of the lake, and a file stands in its place. Move that file away/
  await rm(join(root, 'ops'), { recursive: true })
  await writeFile(join(root, 'ops'), 'mine')
  const failure = await lake.zones.ops.put('heads/orders/a.json', '{}').catch((error: unknown) => error)
  expect(failure).toBeInstanceOf(StorageError)
  expect(String(failure)).toMatch(said)
  await expect(openAgain()).rejects.toThrow(said)
  expect(await readFile(join(root, 'ops'), 'utf8')).toBe('mine')
})

describe('the catalog file', () => {
  const partition = { values: ['2026-03-01', 'a'], location: 'orders/a/' }
  const file = () => join(root, '.weir/catalog.sqlite')

  test('a missing one is started anew, under an open lake too, and told', async () => {
    await lake.zones.ops.put('heads/a.json', '{}')
    await lake.catalog.putPartition('clean.orders', partition)
    for (const suffix of ['', '-wal', '-shm']) await rm(file() + suffix, { force: true })
    expect(await lake.catalog.getPartition('clean.orders', partition.values)).toBeUndefined()
    expect(events).toMatchObject([{ event: 'catalog_started_anew', advice: expect.stringContaining('weir reconcile') }])
    await lake.catalog.putPartition('clean.orders', partition)
    const other = await openAgain()
    expect(await other.catalog.getPartition('clean.orders', partition.values)).toEqual(partition)
    await other.close()
  })

  test('a damaged one is set aside, not lost, and told', async () => {
    await lake.catalog.putPartition('clean.orders', partition)
    await lake.close()
    await writeFile(file(), 'This is no database, and long enough to be taken for a header of one.'.repeat(100))
    lake = await openAgain()
    expect(await lake.catalog.getPartition('clean.orders', partition.values)).toBeUndefined()
    await lake.catalog.putPartition('clean.orders', partition)
    expect(await lake.catalog.getPartition('clean.orders', partition.values)).toEqual(partition)
    expect(events).toMatchObject([{ event: 'catalog_started_anew', why: expect.stringContaining('damaged') }])
    expect((await readdir(join(root, '.weir'))).some((name) => name.startsWith('catalog.sqlite.damaged-'))).toBe(true)
  })

  test('one made anew beside heads is incomplete, and no query answers from it until it is marked as complete', async () => {
    expect(await lake.catalog.state()).toMatchObject({ complete: true })
    await lake.zones.ops.put('heads/orders/a.json', '{}')
    await lake.close()
    for (const suffix of ['', '-wal', '-shm']) await rm(file() + suffix, { force: true })
    lake = await openAgain()
    await lake.catalog.putTable({
      name: 'clean.orders',
      columns: [{ name: 'id', type: 'BIGINT' }],
      partitionKeys: [],
    })
    const { generation, complete } = await lake.catalog.state()
    expect(complete).toBe(false)
    for (const sql of [
      'SELECT * FROM clean.orders',
      'SELECT 1 FROM "clean".nothing',
      'SHOW TABLES',
      'DESCRIBE clean.orders',
    ])
      await expect(lake.queries.query(sql)).rejects.toThrow(
        'The catalog was lost and has been started anew, so rows may be missing from its tables. Run "weir reconcile"',
      )
    expect((await lake.queries.query('SELECT count(*) FROM ops.receipts')).rows).toEqual([['0']])
    await lake.catalog.markComplete('another')
    expect((await lake.catalog.state()).complete).toBe(false)
    await lake.catalog.markComplete(generation)
    expect((await lake.queries.query('SELECT * FROM clean.orders')).rows).toEqual([])
  })

  test('a change that was made while the file was replaced is made in the new one', async () => {
    await lake.zones.ops.put('heads/orders/a.json', '{}')
    const other = await openAgain()
    // Another process moves the file after it was looked at, right before the change.
    const prepare = DatabaseSync.prototype.prepare
    let moved = false
    DatabaseSync.prototype.prepare = function (this: DatabaseSync, ...args) {
      if (!moved && args[0].includes('INSERT INTO partitions')) {
        moved = true
        for (const suffix of ['', '-wal', '-shm']) renameSync(file() + suffix, `${file()}.moved${suffix}`)
      }
      return prepare.apply(this, args)
    }
    try {
      await lake.catalog.putPartition('clean.orders', partition)
    } finally {
      DatabaseSync.prototype.prepare = prepare
    }
    expect(moved).toBe(true)
    expect(await other.catalog.getPartition('clean.orders', partition.values)).toEqual(partition)
    expect((await other.catalog.state()).complete).toBe(false)
    await other.close()
  })

  test('a busy one is waited for, and never taken for damaged', async () => {
    await lake.catalog.putPartition('clean.orders', partition)
    await lake.close()
    const holder = new DatabaseSync(file())
    holder.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE')
    // Damage as SQLite reports it, while nobody can look whether it is so: not enough to set the file aside.
    const exec = DatabaseSync.prototype.exec
    let reported = 0
    DatabaseSync.prototype.exec = function (this: DatabaseSync, sql) {
      if (sql.includes('journal_mode = WAL') && reported++ === 0)
        throw Object.assign(new Error('database disk image is malformed'), { code: 'ERR_SQLITE_ERROR', errcode: 11 })
      return exec.call(this, sql)
    }
    try {
      const opening = openAgain()
      while (reported < 3) await new Promise((resolve) => setTimeout(resolve, 10))
      holder.exec('COMMIT')
      holder.close()
      lake = await opening
    } finally {
      DatabaseSync.prototype.exec = exec
    }
    expect(await lake.catalog.getPartition('clean.orders', partition.values)).toEqual(partition)
    expect(events).toEqual([])
    expect((await readdir(join(root, '.weir'))).filter((name) => name.includes('damaged'))).toEqual([])
  })
})

describe('several processes', () => {
  function start(...args: string[]) {
    const child = spawn(process.execPath, [WORKER, root, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
    const ended = new Promise<number | null>((resolve) => child.on('exit', resolve))
    return { child, ended }
  }

  test('three processes raise a counter by compare-and-set and lose nothing', async () => {
    await lake.zones.ops.put('counter', '0')
    const codes = await Promise.all([1, 2, 3].map(() => start('count', '50').ended))
    expect(codes).toEqual([0, 0, 0])
    expect((await lake.zones.ops.get('counter'))?.body.toString()).toBe('150')
  }, 60_000)

  test('processes that open and close the lake all the time lose no partition and start no catalog anew', async () => {
    await lake.zones.ops.put('heads/orders/a.json', '{}')
    const names = ['a', 'b', 'c']
    const told = Promise.all(
      names.map(async (name) => {
        const { child, ended } = start('point', name)
        let said = ''
        child.stdout?.on('data', (data) => {
          said += data
        })
        expect(await ended).toBe(0)
        return said
      }),
    )
    for (let i = 0; i < 100; i++) await lake.catalog.putPartition('clean.orders', { values: [`${i}`], location: 'x/' })
    await lake.close()
    expect(await told).toEqual(names.map(() => '[]'))
    lake = await openAgain()
    let found = 0
    for await (const { location } of lake.catalog.listPartitions('clean.orders')) if (location === 'x/') found++
    expect(found).toBe(100 + names.length * 15 * 3)
    expect(events).toEqual([])
  }, 60_000)

  test('kill -9 in the middle of puts leaves no torn object, no stuck lock and no litter', async () => {
    for (const delay of [0, 13, 29, 41]) {
      const { child, ended } = start('put')
      await new Promise((resolve) => child.stdout?.once('data', resolve))
      await new Promise((resolve) => setTimeout(resolve, delay))
      child.kill('SIGKILL')
      await ended
      for (const [zone, key] of [
        ['ops', 'torn'],
        ['landing', 'orders/torn.csv'],
      ] as const) {
        const got = await lake.zones[zone].get(key)
        expect(got?.info.size).toBe(300_000)
        const text = got?.body.toString() ?? ''
        expect(text).toBe((text[0] ?? '').repeat(300_000))
        await lake.zones[zone].put(key, 'after', { ifMatch: got?.info.etag })
        expect((await lake.zones[zone].get(key))?.body.toString()).toBe('after')
      }
      expect((await lake.catalog.getPartition('clean.orders', ['v']))?.location).toMatch(/^orders\/\d+\/$/)
    }
    await lake.close()
    lake = await openAgain()
    await lake.zones.ops.put('one-more', 'x')
    // Only this process's own folder and lock are left: those of the killed were swept.
    expect((await readdir(join(root, '.weir/tmp'))).map((name) => name.replace(/.*\./, '.'))).toHaveLength(2)
  }, 60_000)

  test('the temporary files of a process that lives are not swept', async () => {
    const path = join(lake.scratch, 'mine')
    await writeFile(path, 'x')
    const other = await openAgain()
    await other.zones.ops.put('x', 'y')
    await other.close()
    expect(await readFile(path, 'utf8')).toBe('x')
  })

  test('a write that the system refuses half-way is a StorageError, and the state is as before', async () => {
    if (process.platform === 'win32') return
    const limited = spawn('sh', [
      '-c',
      `ulimit -f 600; exec "$0" "$@"`,
      process.execPath,
      WORKER,
      root,
      'fill',
      '2000000',
    ])
    let said = ''
    limited.stdout.on('data', (data) => {
      said += data
    })
    await new Promise((resolve) => limited.on('exit', resolve))
    expect(said).toMatch(
      /^StorageError: Could not write landing\/orders\/big\.csv: .*\(EFBIG\) Nothing was changed\.\nundefined\n$/,
    )
    expect(await keysOf()).toEqual([])
  })
})

// Root may write everywhere, whatever the mode says.
describe.skipIf(process.platform === 'win32' || process.getuid?.() === 0)('a read-only lake', () => {
  test('can be read and queried; every write says what is wrong, and changes nothing', async () => {
    await lake.zones.ops.put('a.json', '{}')
    await lake.catalog.putPartition('clean.orders', { values: ['v'], location: 'x/' })
    await lake.close()
    execFileSync('chmod', ['-R', 'a-w', root])
    try {
      lake = await openAgain()
      expect((await lake.zones.ops.get('a.json'))?.body.toString()).toBe('{}')
      expect(await keysOf('', 'ops')).toEqual(['a.json'])
      expect((await lake.catalog.getPartition('clean.orders', ['v']))?.location).toBe('x/')
      expect((await lake.queries.query('SELECT count(*) FROM ops.receipts')).rows).toEqual([['0']])
      for (const write of [
        () => lake.zones.ops.put('b.json', 'x'),
        () => lake.zones.ops.delete('a.json'),
        () => lake.catalog.putPartition('clean.orders', { values: ['v'], location: 'y/' }),
      ]) {
        await expect(write()).rejects.toThrow(StorageError)
        await expect(write()).rejects.toThrow(/Could not .*(Permission is missing|read-only).*Nothing was changed/)
      }
      expect((await lake.catalog.getPartition('clean.orders', ['v']))?.location).toBe('x/')
    } finally {
      execFileSync('chmod', ['-R', 'u+w', root])
    }
  })

  test('does not answer from a catalog whose last changes only a writer can read', async () => {
    const file = join(root, '.weir/catalog.sqlite')
    await lake.catalog.putPartition('clean.orders', { values: ['v'], location: 'x/' })
    // As a process leaves it that is killed: changes in the write-ahead log, and nobody to share its memory with.
    const left = await Promise.all(['', '-wal'].map(async (suffix) => [suffix, await readFile(file + suffix)] as const))
    await lake.close()
    for (const [suffix, bytes] of left) await writeFile(file + suffix, bytes)
    execFileSync('chmod', ['-R', 'a-w', root])
    try {
      lake = await openAgain()
      await expect(lake.catalog.getPartition('clean.orders', ['v'])).rejects.toThrow(
        'it has changes that only a user who may write to the lake can read',
      )
    } finally {
      execFileSync('chmod', ['-R', 'u+w', root])
    }
    expect((await lake.catalog.getPartition('clean.orders', ['v']))?.location).toBe('x/')
  })
})

describe('what the system says', () => {
  test.each([
    ['ENOSPC', /disk is full. Free some space and run the command again/],
    ['EROFS', /read-only for this user/],
    ['EACCES', /Permission is missing/],
    ['EMFILE', /too many files open.*ulimit -n/],
    ['ELOOP', /too many links/],
  ])('%s comes with advice', (code, message) => {
    const error = storageError(Object.assign(new Error('too many links'), { code }), 'write landing/a')
    expect(error).toBeInstanceOf(StorageError)
    expect(String(error)).toMatch(/Could not write landing\/a: /)
    expect(String(error)).toMatch(message)
  })

  test('other errors stay what they are', () => {
    const error = new TypeError('A bug.')
    expect(storageError(error, 'x')).toBe(error)
  })
})
