// DuckDB in process: one instance for the engine, one connection for each file, and the function by which a streaming scan
// hands over the rows that break a rule.

import {
  BOOLEAN,
  type DuckDBConnection,
  DuckDBInstance,
  DuckDBScalarFunction,
  INTEGER,
  VARCHAR,
} from '@duckdb/node-api'
import { Cancelled, EngineFault } from './errors.ts'
import type { EngineSettings } from './result.ts'

/** Rows that a scan set aside: the JSON array of each row's texts. */
export interface Capture {
  slot: number
  rows: string[]
  bytes: number
  /** Set when there are too many to hold; then the scan was stopped. */
  overflow: boolean
}

export interface Duck {
  connect(signal?: AbortSignal): Promise<Session>
  close(): void
}

/** One connection; temporary tables live and end with it. */
export interface Session {
  connection: DuckDBConnection
  /** Runs a statement; gives the number of rows that it wrote, if it is one that writes. Throws EngineFault or Cancelled. */
  run(sql: string): Promise<number>
  /** Rows as JSON knows them: big integers are strings. */
  rows<Row extends unknown[]>(sql: string): Promise<Row[]>
  capture(maxRows: number, maxBytes: number): Capture
  /** Share of the whole work, 0 to 1, at which the statements that follow begin and end; for progress. */
  stage: [from: number, to: number]
  close(): void
}

/** SQL name of the function that takes a row out of the stream: (slot, JSON text) → false. */
export const CAPTURE = 'weir_capture'

export async function openDuck(settings: EngineSettings): Promise<Duck> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: String(settings.threads),
    memory_limit: `${Math.max(64, Math.floor((settings.memoryBytes * 0.7) / 1e6))}MB`,
    temp_directory: settings.scratch,
    // Rows of a table have no order; not keeping the file's saves memory and a fifth of the time.
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
  })
  const slots = new Map<number, { capture: Capture; maxRows: number; maxBytes: number; stop: () => void }>()
  let nextSlot = 1
  const registering = await instance.connect()
  registering.registerScalarFunction(
    DuckDBScalarFunction.create({
      name: CAPTURE,
      parameterTypes: [INTEGER, VARCHAR],
      returnType: BOOLEAN,
      volatile: true,
      specialHandling: true,
      mainFunction: (_info, input, output) => {
        const slotVector = input.getColumnVector(0)
        const texts = input.getColumnVector(1)
        for (let i = 0; i < input.rowCount; i++) {
          output.setItem(i, false)
          const slot = slots.get(slotVector.getItem(i) as number)
          if (slot === undefined || slot.capture.overflow) continue
          const text = texts.getItem(i) as string
          slot.capture.rows.push(text)
          slot.capture.bytes += text.length
          if (slot.capture.rows.length > slot.maxRows || slot.capture.bytes > slot.maxBytes) {
            slot.capture.overflow = true
            slot.stop()
          }
        }
        output.flush()
      },
    }),
  )
  registering.closeSync()

  return {
    async connect(signal) {
      const connection = await instance.connect()
      const mine: number[] = []
      const stop = (): void => connection.interrupt()
      signal?.addEventListener('abort', stop)
      const guarded = async <T>(sql: string, work: () => Promise<T>): Promise<T> => {
        if (signal?.aborted) throw new Cancelled()
        try {
          return await work()
        } catch (error) {
          if (signal?.aborted) throw new Cancelled()
          throw new SqlFault((error as Error).message, sql)
        }
      }
      return {
        connection,
        stage: [0, 1],
        run: (sql) =>
          guarded(sql, async () => {
            const result = await connection.run(sql)
            return result.rowsChanged
          }),
        rows: (sql) =>
          guarded(sql, async () => {
            const reader = await connection.runAndReadAll(sql)
            return reader.getRowsJson() as never
          }),
        capture(maxRows, maxBytes) {
          const capture: Capture = { slot: nextSlot++, rows: [], bytes: 0, overflow: false }
          slots.set(capture.slot, { capture, maxRows, maxBytes, stop })
          mine.push(capture.slot)
          return capture
        },
        close() {
          signal?.removeEventListener('abort', stop)
          for (const slot of mine) slots.delete(slot)
          connection.closeSync()
        },
      }
    },
    close() {
      instance.closeSync()
    },
  }
}

/** DuckDB refused a statement. What kind it is tells whether the file or the machine is to blame. */
export class SqlFault extends EngineFault {
  override name = 'SqlFault'
  readonly sql: string
  /** `data`: the input cannot be read this way; `resource`: memory or disk; `other`: a bug of ours. */
  readonly kind: 'data' | 'resource' | 'other'
  constructor(message: string, sql: string) {
    const kind =
      /out of memory|could not allocate|No space left|Could not write|failed to offload|max_temp_directory_size/i.test(
        message,
      )
        ? 'resource'
        : /^(Invalid Input|Conversion|Invalid|IO|Serialization|TProtocol|Corrupt|Out of Range|Data Corruption|CSV)/i.test(
              message,
            ) || /parquet|thrift|snappy|zstd/i.test(message)
          ? 'data'
          : 'other'
    super(
      kind === 'resource'
        ? `Not enough memory or disk to check the file (${firstLine(message)}). Free space, or raise the memory setting, and run the same command again.`
        : firstLine(message),
    )
    this.kind = kind
    this.sql = sql
  }
}

function firstLine(message: string): string {
  return message.split('\n')[0] ?? message
}
