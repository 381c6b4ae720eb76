// Repair files under any name, with the real engine and through the real commands: their rows say where they belong.

import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gzipSync, zstdCompressSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { repairedUpload } from '../../lib/pipeline/repair-file.ts'
import { freshLake, tempFolder, weir, weirJson } from '../cli/weir.ts'

const contract = (dataset: string, match: string) => `apiVersion: v3.1.0
kind: DataContract
id: ${dataset}
version: 1.0.0
status: active
schema:
  - name: ${dataset}
    properties:
      - { name: title, logicalType: string, required: true }
      - { name: year, logicalType: integer, required: true }
    customProperties:
      - property: weir
        value: { match: "${match}" }
`

/** A lake with a file whose second row is rejected, and the text of its repair file, mended. */
async function lakeWithMovies() {
  const lake = await freshLake()
  await writeFile(join(lake, 'contracts/movies.yaml'), contract('movies', 'movies*.json'))
  await writeFile(join(lake, 'contracts/books.yaml'), contract('books', '*.csv'))
  await writeFile(
    join(lake, 'movies1.json'),
    JSON.stringify([
      { title: 'Metropolis', year: 1927 },
      { title: 'M', year: 'soon' },
    ]),
  )
  const { document } = await weirJson(lake, ['drop', 'movies1.json'])
  const [receipt] = document.receipts
  expect(receipt).toMatchObject({
    dataset: 'movies',
    outcome: 'accepted_with_rejects',
    rows: { accepted: 1, rejected: 1 },
  })
  const mended = (await readFile(join(lake, 'ops', receipt.rejects.csv), 'utf8')).replace('soon', '1931')
  return { lake, upload: String(receipt.upload), mended }
}

describe('a repair file', () => {
  it('is taken in by drop without --dataset, whatever its name and whatever other matches it fits', async () => {
    const { lake, upload, mended } = await lakeWithMovies()
    await writeFile(join(lake, 'movies1.repair.csv'), mended)
    const { document } = await weirJson(lake, ['drop', 'movies1.repair.csv'])
    expect(document.receipts).toMatchObject([
      { dataset: 'movies', outcome: 'accepted', rows: { accepted: 1 }, repairs: [{ upload, rows: 1 }] },
    ])
    const { out } = await weir(lake, ['query', 'select title, year from clean.movies order by year', '--csv'])
    expect(out.trim().split(/\r?\n/)).toEqual(['title,year', 'Metropolis,1927', 'M,1931'])
  })

  it('is taken in from its dataset’s folder too, and one of another dataset is not', async () => {
    const { lake, mended } = await lakeWithMovies()
    await mkdir(join(lake, 'landing/movies/mended'), { recursive: true })
    await writeFile(join(lake, 'landing/movies/mended/any name.csv'), mended)
    const stranger = mended.replace(/\d{8}T\d{9}Z-[0-9a-f]{12}/, '20260102T030405678Z-0123456789ab')
    await writeFile(join(lake, 'landing/movies/stranger.csv'), stranger)
    await writeFile(join(lake, 'landing/movies/plain.csv'), 'title,year\nM,1931\n')
    await weir(lake, ['reconcile'])
    const { document } = await weirJson(lake, ['receipts'])
    const ended = Object.fromEntries(
      document.receipts.map(
        ({ source, outcome, reason }: { source: string; outcome: string; reason?: { code: string } }) => [
          source,
          reason?.code ?? outcome,
        ],
      ),
    )
    expect(ended).toEqual({
      'movies/movies1.json': 'rows_rejected',
      'movies/mended/any name.csv': 'accepted',
      'movies/stranger.csv': 'no_match',
      'movies/plain.csv': 'no_match',
    })
  })

  it('is known by its beginning, and its upload by the first row', async () => {
    const folder = await tempFolder()
    const look = async (text: string) => {
      await writeFile(join(folder, 'x.csv'), text)
      return repairedUpload(join(folder, 'x.csv'))
    }
    const id = '20260102T030405678Z-0123456789ab'
    expect(await look(`_upload,_row,a\n${id},2,x\n`)).toBe(id)
    expect(await look(`\ufeff"_upload";"_row";"a\nb ""c"""\r\n"${id}";"2";x\r\n`)).toBe(id)
    expect(await look(`_upload,_row,a\n`)).toBeUndefined()
    expect(await look(`_upload,_row,a\n../../x,2,x\n`)).toBeUndefined()
    expect(await look(`a,_upload,_row\n${id},2,x\n`)).toBeUndefined()
    expect(await look('')).toBeUndefined()
  })

  it('is known through its compression and encoding, and only its beginning is unpacked', async () => {
    const path = join(await tempFolder(), 'x')
    const look = async (bytes: Buffer) => {
      await writeFile(path, bytes)
      return repairedUpload(path)
    }
    const id = '20260102T030405678Z-0123456789ab'
    const text = `\ufeff_upload,_row,a\n${id},2,x\n`
    const long = text + `${id},3,${'x'.repeat(1000)}\n`.repeat(5000)
    for (const pack of [gzipSync, zstdCompressSync]) {
      expect(await look(pack(text))).toBe(id)
      expect(await look(pack(long))).toBe(id)
      expect(await look(pack(Buffer.from(text, 'utf16le')))).toBe(id)
      expect(await look(pack('a,b\n1,2\n'))).toBeUndefined()
      expect(await look(pack(''))).toBeUndefined()
      // Damaged ones are refused by the engine, not by a fault of ours.
      expect(await look(pack(text).subarray(0, 12))).toBeUndefined()
      const damaged = pack(text)
      damaged.fill(0xff, 6)
      expect(await look(damaged)).toBeUndefined()
    }
    expect(await look(Buffer.from(text, 'utf16le'))).toBe(id)
    expect(await look(Buffer.from(text, 'utf16le').swap16())).toBe(id)
  })

  it('is taken in when it is compressed and its name fits nothing', async () => {
    const { lake, upload, mended } = await lakeWithMovies()
    await mkdir(join(lake, 'landing/movies'), { recursive: true })
    await writeFile(join(lake, 'landing/movies/mended.gz'), gzipSync(mended))
    await weir(lake, ['reconcile'])
    const { document } = await weirJson(lake, ['receipts', '--outcome', 'accepted'])
    expect(document.receipts).toMatchObject([
      { source: 'movies/mended.gz', rows: { accepted: 1 }, repairs: [{ upload, rows: 1 }] },
    ])
  })
})
