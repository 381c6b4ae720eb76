// The local notifier: one JSON line per receipt in .weir/notifications.ndjson, and a callback for whoever is watching.
// A line is {at, dataset, upload, source, outcome, rows, support}; `tail -f` it, or feed it to a mail or chat program.

import { appendFile, mkdir } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Notifier } from '../ports.ts'
import type { Receipt } from '../receipt.ts'
import { guarded } from './faults.ts'

export type OnNotify = (receipt: Receipt) => void

export function openLocalNotifier(file: string, onNotify?: OnNotify): Notifier {
  return {
    notify: (receipt, { support }) =>
      guarded(`write ${file}`, async () => {
        const line = {
          at: new Date().toISOString(),
          dataset: receipt.dataset,
          upload: receipt.upload,
          source: receipt.source,
          outcome: receipt.outcome,
          reason: receipt.reason?.message,
          rows: receipt.rows,
          support,
        }
        await mkdir(dirname(file), { recursive: true })
        // One write in append mode: lines of several processes do not mix.
        await appendFile(file, `${JSON.stringify(line)}\n`)
        onNotify?.(receipt)
      }),
  }
}
