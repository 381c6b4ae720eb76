// Where an emulator answers otherwise than AWS, and a test has to know: all of it is here.
// What differs at run time is in lib/lake/aws/emulator.ts, what differs in the stacks hangs on their parameter `Emulator`.

import type { EngineWords } from '../conformance/query.ts'

/** True on MiniStack; false on AWS itself and on other emulators, which are then taken at AWS's word. */
export async function isMiniStack(): Promise<boolean> {
  const health = new URL('/_ministack/health', process.env.AWS_ENDPOINT_URL)
  return fetch(health).then(
    (answer) => answer.ok,
    () => false,
  )
}

/** MiniStack says DECIMAL(38,0) of every decimal, whatever its values have behind the point. */
export async function athenaWords(): Promise<EngineWords> {
  return { decimal: (await isMiniStack()) ? 'DECIMAL(38,0)' : 'DECIMAL(18,4)', nested: 'text' }
}

/** What a function has logged, line by line. Emulators take requests that nobody signed; so no client of CloudWatch is needed. */
export async function logLines(logGroupName: string): Promise<string[]> {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL ?? '', {
    method: 'POST',
    headers: {
      'content-type': 'application/x-amz-json-1.1',
      'x-amz-target': 'Logs_20140328.FilterLogEvents',
      authorization: `AWS4-HMAC-SHA256 Credential=test/20260101/${process.env.AWS_REGION ?? 'us-east-1'}/logs/aws4_request, SignedHeaders=host, Signature=none`,
    },
    body: JSON.stringify({ logGroupName, limit: 10_000 }),
  })
  const { events = [] } = (await answer.json()) as { events?: { message: string }[] }
  return events.flatMap(({ message }) => message.split('\n')).filter((line) => line !== '')
}
