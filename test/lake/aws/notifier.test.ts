// What a message and an event say of an upload, and what they must never say.

import { describe, expect, test } from 'vitest'
import { consoleLink, uploadFinished, uploadFinishedSchema } from '../../../lib/lake/aws/notifier.ts'
import type { Receipt } from '../../../lib/lake/receipt.ts'
import { renderMessage } from '../../../lib/lake/render/message.ts'
import { receiptFor } from '../../conformance/query.ts'

const UPLOAD = '20260301T080000Z-0123456789ab'
const deployed = {
  partition: 'aws',
  region: 'eu-central-1',
  account: '123456789012',
  environment: 'weir-dev',
  buckets: { landing: 'l', clean: 'c', curated: 'u', ops: 'weir-dev-ops' },
  eventBus: 'weir-dev-events',
}
const message = (more: Partial<Receipt> = {}) =>
  renderMessage(receiptFor(UPLOAD, more), { lake: 'aws:weir-dev' }, 'https://x/')
const group = (n: number): Receipt['violations'][number] => ({
  rule: `rule${n}`,
  column: 'amount',
  severity: 'error',
  message: 'must be at least 0',
  count: n,
  samples: [{ row: 3, value: 'VALUE', message: 'SAMPLE' }],
})

describe('the message', () => {
  test('says in a few lines what happened, why, and what to do', () => {
    const [above, below] = message().text.split('What to do next:\n')
    expect(above?.split('\n')).toEqual([
      '2 rows are in, 1 row needs mending.',
      '',
      'File:     orders/monday.csv',
      'Dataset:  orders',
      'Rows:     3 read = 2 accepted + 1 rejected',
      'Dropped:  1 Mar 2026, 08:00 UTC',
      `Upload:   ${UPLOAD}`,
      '',
      'What was found:',
      '- 1 × minimum in amount: m (first in row 3)',
      '',
      '',
    ])
    expect(below).toMatch(/^- \w/)
    expect(message().text).toContain(`weir rejects ${UPLOAD} `)
    expect(message().text).toContain(' --lake aws:weir-dev')
    expect(message().text).toMatch(/\n\nThe receipt: https:\/\/x\/\n$/)
  })

  test('says why a file was refused', () => {
    const { subject, text } = message({
      outcome: 'refused',
      rows: { read: 0, accepted: 0, rejected: 0 },
      violations: [],
      reason: { code: 'empty', message: 'The file is empty.', advice: 'Export it again.' },
    })
    expect(subject).toBe('orders: refused: monday.csv')
    expect(text).toMatch(/^The file was refused: none of it is in\.\nThe file is empty\.\n/)
    expect(text).toContain('- Export it again.')
    expect(text).not.toContain('Rows:')
  })

  test('names a few kinds of violations, and never a value of the file', () => {
    const { text } = message({ violations: Array.from({ length: 9 }, (_, n) => group(n + 1)) })
    expect(text).toContain(
      '- 5 × rule5 in amount: must be at least 0 (first in row 3)\n- and 4 more kinds, on the receipt',
    )
    expect(text).not.toMatch(/VALUE|SAMPLE|rule6/)
  })

  test('has a subject of fewer than 100 ASCII characters on one line', () => {
    expect(message().subject).toBe('orders: accepted, with rejects (1 of 3 rows): monday.csv')
    expect(message({ source: 'orders/Büro 📈\n.csv', outcome: 'accepted' }).subject).toBe(
      'orders: accepted: Buro ??.csv',
    )
    for (const source of [`orders/${'x'.repeat(1000)}`, `orders/${'📈'.repeat(250)}`])
      expect(message({ source }).subject).toMatch(/^orders: [ -~]{88}\.\.\.$/)
  })

  test('stays small, whatever the file is called and however much is wrong', () => {
    const long = '\u200b'.repeat(5000)
    const { text } = message({
      source: `orders/${'\u200b'.repeat(330)}`,
      violations: Array.from({ length: 500 }, (_, n) => ({ ...group(n), message: long })),
      reason: { code: 'x', message: long, advice: long },
      outcome: 'refused',
    })
    expect(Buffer.byteLength(text)).toBeLessThan(128 * 1024)
  })
})

describe('the event', () => {
  test('has the figures, and where the receipt is', () => {
    const detail = uploadFinished(receiptFor(UPLOAD), deployed)
    expect(uploadFinishedSchema.parse(JSON.parse(JSON.stringify(detail)))).toEqual({
      environment: 'weir-dev',
      upload: UPLOAD,
      dataset: 'orders',
      source: 'orders/monday.csv',
      outcome: 'accepted_with_rejects',
      rows: { read: 3, accepted: 2, rejected: 1 },
      size: 10,
      contract: { id: 'orders', version: '1.0.0' },
      receipt: { bucket: 'weir-dev-ops', key: `receipts/dataset=orders/date=2026-03-01/${UPLOAD}.json` },
      droppedAt: '2026-03-01T08:00:00Z',
      finishedAt: '2026-03-01T08:00:01Z',
    })
    const refused = receiptFor(UPLOAD, { outcome: 'refused', reason: { code: 'empty', message: 'It is empty.' } })
    expect(uploadFinished(refused, deployed).reason).toBe('empty')
  })
})

test('the console is the one of the region and the partition', () => {
  expect(consoleLink(deployed, 'pages/a b+c.html')).toBe(
    'https://eu-central-1.console.aws.amazon.com/s3/object/weir-dev-ops?region=eu-central-1&prefix=pages%2Fa%20b%2Bc.html',
  )
  expect(consoleLink({ ...deployed, partition: 'aws-cn', region: 'cn-north-1' }, 'x')).toBe(
    'https://console.amazonaws.cn/s3/object/weir-dev-ops?region=cn-north-1&prefix=x',
  )
})
