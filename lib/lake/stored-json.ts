// Objects of the lake that are JSON of a known shape, as they are found.

import { z } from 'zod'

/** The value, or in words what is wrong with the text. */
export function readJson<T>(schema: z.ZodType<T>, text: string): { value: T } | { problem: string } {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    return { problem: text.trim() === '' ? 'it is empty' : 'it is no JSON' }
  }
  const parsed = schema.safeParse(json)
  return parsed.success ? { value: parsed.data } : { problem: z.prettifyError(parsed.error) }
}
