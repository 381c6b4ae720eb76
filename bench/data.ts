// Makes the benchmark's orders: the same bytes on every machine, from a seed. Nothing here knows Weir.

import { once } from 'node:events'
import { createWriteStream } from 'node:fs'
import { mkdir, rename, stat } from 'node:fs/promises'
import { dirname } from 'node:path'

export interface OrdersFile {
  rows: number
  /** Share of rows that break one of the six rules; 0 for none. */
  damaged: number
  seed?: number
  /** Number of the first order; other files of the same dataset start elsewhere. */
  firstId?: number
}

export const HEADER =
  'order_id,customer_id,customer_name,email,order_date,created_at,status,quantity,unit_price,discount,gift,comment\n'

/** Small, fast and good enough: mulberry32. */
export function randomFrom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let t = state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296
  }
}

const FIRST =
  'Zoë,José,Łukasz,Anaïs,Jürgen,Søren,Chloé,Ivan,Marta,Éloïse,Bjørn,Ana,Noah,Mia,François,İpek,Åsa,Ömer,山田,Дарья'
const LAST =
  'Müller,Nuñez,O’Brien,Dvořák,García,Smith,Lindström,Kowalski,Ferreira,Nguyễn,Þórsson,Papadopoulos,Rossi,Çelik,太郎'
const WORDS =
  'please leave the parcel with neighbours at number nine ring twice blue wrapping thanks for quick delivery last time gift card inside'
const STATUS = ['new', 'paid', 'paid', 'shipped', 'shipped', 'shipped', 'returned', 'cancelled']

const first = FIRST.split(',')
const last = LAST.split(',')
const words = WORDS.split(' ')
const two = (n: number) => (n < 10 ? `0${n}` : String(n))

function pick<T>(list: readonly T[], random: () => number): T {
  return list[Math.floor(random() * list.length)] as T
}

/** Writes the rows as CSV text in pieces of about half a megabyte. */
export function* orders(file: OrdersFile): Generator<string> {
  const random = randomFrom(file.seed ?? 20241122)
  // One row in `every` is damaged, at a random place of its stretch; the kinds take turns, so their counts are known.
  const every = stretchOf(file)
  const damagedAt = new Set<number>()
  let stretch = 0
  let kind = 0
  const nextDamaged = () =>
    every > 0 && stretch + every <= file.rows ? stretch + 1 + Math.floor(random() * (every - 1)) : -1
  let next = nextDamaged()
  const firstId = file.firstId ?? 1
  let text = HEADER
  for (let i = 0; i < file.rows; i++) {
    let id = String(firstId + i)
    const customer = Math.floor(random() * 400_000)
    const name = `${first[customer % first.length]} ${last[Math.floor(customer / 7) % last.length]}`
    let email = `customer.${customer.toString(36)}@mail${customer % 97}.example.com`
    const day = Math.floor(random() * 336)
    const month = Math.floor(day / 28) + 1
    let date = `2024-${two(month)}-${two((day % 28) + 1)}`
    const second = Math.floor(random() * 86_400)
    const created = `${date} ${two(Math.floor(second / 3600))}:${two(Math.floor(second / 60) % 60)}:${two(second % 60)}`
    let status = pick(STATUS, random)
    let quantity = String(1 + Math.floor(random() * random() * 40))
    const cents = 99 + Math.floor(random() * random() * 90_000)
    let price = `${Math.floor(cents / 100)}.${two(cents % 100)}`
    const discount = random() < 0.7 ? '0' : (Math.floor(random() * 400) / 1000).toString()
    const gift = random() < 0.1 ? 'true' : 'false'
    let comment = ''
    if (random() < 0.66) {
      const at = Math.floor(random() * (words.length - 9))
      const some = words.slice(at, at + 4 + Math.floor(random() * 6)).join(' ')
      const kindOf = random()
      comment = kindOf < 0.1 ? `"${some}, ""really"""` : kindOf < 0.3 ? `"${some}, thanks"` : some
    }
    if (i === next) {
      switch (kind) {
        case 0: {
          // The key of an earlier row that is itself in order.
          let earlier = Math.floor(random() * i)
          while (damagedAt.has(earlier)) earlier = Math.floor(random() * i)
          id = String(firstId + earlier)
          break
        }
        case 1:
          email = ''
          break
        case 2:
          status = 'unknown'
          break
        case 3:
          quantity = '0'
          break
        case 4:
          price = 'n/a'
          break
        default:
          date = `${date.slice(8)}.${date.slice(5, 7)}.2024`
      }
      kind = (kind + 1) % 6
      damagedAt.add(i)
      stretch += every
      next = nextDamaged()
    }
    text += `${id},C${String(customer).padStart(6, '0')},${name},${email},${date},${created},${status},${quantity},${price},${discount},${gift},${comment}\n`
    if (text.length > 500_000) {
      yield text
      text = ''
    }
  }
  yield text
}

/** Rows of which exactly one is damaged; 0 for none. */
function stretchOf(file: OrdersFile): number {
  return file.damaged > 0 ? Math.max(2, Math.round(1 / file.damaged)) : 0
}

/** How many rows of `orders(file)` are damaged. */
export function damagedRows(file: OrdersFile): number {
  const every = stretchOf(file)
  return every > 0 ? Math.floor(file.rows / every) : 0
}

/** Writes the file unless it is there already; returns its size in bytes. */
export async function makeOrders(path: string, file: OrdersFile): Promise<number> {
  try {
    return (await stat(path)).size
  } catch {
    // Made below.
  }
  await mkdir(dirname(path), { recursive: true })
  const partial = `${path}.partial`
  const out = createWriteStream(partial)
  for (const piece of orders(file)) {
    if (!out.write(piece)) await once(out, 'drain')
  }
  await new Promise<void>((done, failed) => {
    out.on('error', failed)
    out.end(() => done())
  })
  await rename(partial, path)
  return (await stat(path)).size
}
