// The contracts of a deployed lake: its contracts function hands out the very files that its other functions work by.

import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda'
import { z } from 'zod'
import { type Contracts, parseContracts } from '../contract/read.ts'
import { clientSettings } from '../lake/aws/clients.ts'
import type { Deployed } from '../lake/aws/deployed.ts'
import { guarded } from '../lake/aws/errors.ts'

/** The contracts function answered, and not with contracts. */
export class ContractsUnavailable extends Error {
  override name = 'ContractsUnavailable'
}

const answerSchema = z.object({
  files: z.array(z.object({ name: z.string(), text: z.string() })),
  version: z.string(),
  /** Deployments of a version without models hand out none. */
  models: z.array(z.object({ name: z.string(), text: z.string() })).default([]),
})

/** What is deployed: contracts, compiled, and models, as their files say. */
export type DeployedContracts = Contracts & { version: string; models: { name: string; text: string }[] }

/** The contracts that are deployed, compiled, and the version of Weir that is deployed with them. */
export async function readDeployedContracts(deployed: Deployed): Promise<DeployedContracts> {
  const client = new LambdaClient(clientSettings({ region: deployed.region }))
  try {
    const { contracts } = deployed.functions
    const answer = await guarded(`ask the function ${contracts} for the contracts`, () =>
      client.send(new InvokeCommand({ FunctionName: contracts })),
    )
    const text = answer.Payload?.transformToString() ?? ''
    return contractsOfAnswer(text, answer.FunctionError, deployed)
  } finally {
    client.destroy()
  }
}

/** What the function's answer holds. Throws ContractsUnavailable, and ContractError where this version cannot read them. */
export function contractsOfAnswer(
  text: string,
  failed: string | undefined,
  deployed: Pick<Deployed, 'functions' | 'environment'>,
): DeployedContracts {
  const parsed = failed === undefined ? answerSchema.safeParse(jsonOf(text)) : undefined
  if (!parsed?.success) {
    const why = failed === undefined ? 'its answer is no list of contracts' : `it failed: ${messageIn(text)}`
    throw new ContractsUnavailable(
      `The contracts of aws:${deployed.environment} cannot be had from the function ${deployed.functions.contracts}: ${why}. Look into its log, or deploy again: npx cdk deploy --all`,
    )
  }
  const { files, version, models } = parsed.data
  return { ...parseContracts(files), version, models }
}

function messageIn(text: string): string {
  const found = z.object({ errorMessage: z.string() }).safeParse(jsonOf(text))
  return found.success ? found.data.errorMessage : text.slice(0, 200) || 'without a word'
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
