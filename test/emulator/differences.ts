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
