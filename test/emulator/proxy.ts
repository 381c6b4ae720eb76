// Stands between a client and the emulator and does what networks and busy services do: loses answers, gives others.

import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'

/** What to do with a request: pass it on, pass it on and lose the answer or half of it, or answer in the service's place. */
export type Fault = 'pass' | 'lose the answer' | 'lose half the answer' | { status: number; body: string }

export interface Proxy {
  endpoint: string
  close(): Promise<void>
}

/** A proxy in front of AWS_ENDPOINT_URL. `decide` sees each request before it is passed on. */
export async function startProxy(decide: (request: IncomingMessage) => Fault): Promise<Proxy> {
  const upstream = new URL(process.env.AWS_ENDPOINT_URL ?? '')
  const server = createServer((incoming: IncomingMessage, outgoing: ServerResponse) => {
    const fault = decide(incoming)
    if (typeof fault === 'object') {
      incoming.resume().once('end', () => {
        outgoing.writeHead(fault.status, { 'content-type': 'application/xml' }).end(fault.body)
      })
      return
    }
    const { method, url: path, headers } = incoming
    const onward = request({ host: upstream.hostname, port: upstream.port, method, path, headers }, (answer) => {
      if (fault === 'lose the answer') {
        answer.resume().once('end', () => outgoing.destroy())
        return
      }
      outgoing.writeHead(answer.statusCode ?? 500, answer.headers)
      if (fault === 'lose half the answer') {
        const half = Number(answer.headers['content-length']) / 2
        let sent = 0
        answer.on('data', (chunk: Buffer) => {
          if (sent < half) outgoing.write(chunk.subarray(0, half - sent), () => sent >= half && outgoing.destroy())
          sent += chunk.length
        })
        return
      }
      answer.pipe(outgoing)
    })
    onward.once('error', () => outgoing.destroy())
    incoming.pipe(onward)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.')
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
}

/** An error as S3 words it. */
export const s3Error = (status: number, code: string): Fault => ({
  status,
  body: `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${code}, says the test.</Message></Error>`,
})
