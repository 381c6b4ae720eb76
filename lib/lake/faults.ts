// Faults: what could not be ingested for a reason of ours, kept in the ops zone until it is mended, so that `weir status` and
// `weir replay` can say why. On AWS a message in the dead-letter queue cannot carry its reason: it lies here under its id.

import { z } from 'zod'
import { faultKey, faultsPrefix } from './keys.ts'
import type { ObjectStore } from './ports.ts'

const FAULT_FORMAT = 'weir.fault/1'

/** Characters of a message's body that are kept: a larger one is no message of ours. */
const BODY_KEPT = 64 * 1024

const faultSchema = z.object({
  format: z.literal(FAULT_FORMAT),
  /** The message's id on AWS; on a local lake faultIdOf the source. */
  id: z.string(),
  /** Landing key, where it is known. */
  source: z.string().optional(),
  /** `poison`: the message itself cannot be read, so trying again is in vain. `fault`: something of ours failed. */
  kind: z.enum(['poison', 'fault']),
  reason: z.string(),
  /** The message as it came. */
  body: z.string().optional(),
  /** How often it was tried. */
  attempts: z.int().nonnegative(),
  at: z.iso.datetime(),
})

export type Fault = z.infer<typeof faultSchema>

/** Notes a fault, over what was noted under its id before. */
export async function writeFault(ops: ObjectStore, fault: Omit<Fault, 'format'>): Promise<void> {
  const body = fault.body === undefined ? {} : { body: fault.body.slice(0, BODY_KEPT) }
  const stored: Fault = { format: FAULT_FORMAT, ...fault, ...body }
  await ops.put(faultKey(fault.id), `${JSON.stringify(stored, null, 2)}\n`)
}

/** Undefined when there is none, or none that can be read: a reason that is lost must not keep anybody from replaying. */
export async function readFault(ops: ObjectStore, id: string): Promise<Fault | undefined> {
  return readFaultAt(ops, faultKey(id))
}

export async function deleteFault(ops: ObjectStore, id: string): Promise<void> {
  await ops.delete(faultKey(id))
}

/** All faults that have not been mended. */
export async function* listFaults(ops: ObjectStore): AsyncIterable<Fault> {
  for await (const { key } of ops.list(faultsPrefix)) {
    const fault = await readFaultAt(ops, key)
    if (fault) yield fault
  }
}

async function readFaultAt(ops: ObjectStore, key: string): Promise<Fault | undefined> {
  const object = await ops.get(key)
  if (!object) return undefined
  try {
    return faultSchema.parse(JSON.parse(object.body.toString()))
  } catch {
    return undefined
  }
}
