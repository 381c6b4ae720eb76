// Names and texts that a statement is put together from.

import { expect, it } from 'vitest'
import { among, name, text } from '../../lib/sql/quote.ts'

it('signs that end a name or a text are doubled', () => {
  expect(name('the "big" one')).toBe('"the ""big"" one"')
  expect(text("it's")).toBe("'it''s'")
})

it('nothing is among no texts, and so everything is outside of them', () => {
  expect(among('_upload', ['a', "b'"])).toBe("_upload IN ('a', 'b''')")
  expect(among('_upload', [])).toBe('false')
  expect(`NOT (${among('_upload', [])})`).toBe('NOT (false)')
})
