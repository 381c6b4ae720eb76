// A server that speaks the JSON protocol of AWS and answers what a test wants: for what no emulator answers.

import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface Answer {
  status?: number
  body: object
}

export interface AnswerServer {
  /** Settings of a client that asks this server. */
  client: { endpoint: string; region: string; credentials: { accessKeyId: string; secretAccessKey: string } }
  /** Answers by action, in turn; the last one stays. Without one: HTTP 500. */
  answers: Record<string, Answer[]>
  asked: { action: string; body: Record<string, unknown> }[]
  close(): Promise<void>
}

export async function startAnswers(): Promise<AnswerServer> {
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const action = String(request.headers['x-amz-target']).replace(/^.*\./, '')
      started.asked.push({ action, body: JSON.parse(Buffer.concat(chunks).toString()) })
      const list = started.answers[action] ?? []
      const { status = 200, body } = (list.length > 1 ? list.shift() : list[0]) ?? { status: 500, body: {} }
      response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1' }).end(JSON.stringify(body))
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const started: AnswerServer = {
    client: {
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      region: 'us-east-1',
      credentials: { accessKeyId: 'x', secretAccessKey: 'x' },
    },
    answers: {},
    asked: [],
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections()
        server.close(() => resolve())
      }),
  }
  return started
}

/** An error as AWS answers it. */
export const refusal = (message: string, type: string): Answer => ({
  status: 400,
  body: { __type: type, Message: message },
})
