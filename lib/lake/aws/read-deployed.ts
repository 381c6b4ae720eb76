// Finds a deployed lake by its name: what `cdk deploy` wrote into one SSM parameter.

import { GetParameterCommand, SSMClient } from '@aws-sdk/client-ssm'
import { type ClientOptions, clientSettings } from './clients.ts'
import { type Deployed, deployedParameter, deployedSchema, ENVIRONMENT } from './deployed.ts'
import { codeOf, guarded, LakeNotDeployed } from './errors.ts'

/**
 * The names that a deployed lake consists of. Throws LakeNotDeployed, CredentialsError, AccessDenied.
 *
 * @example
 * const deployed = await readDeployed('weir-dev')
 */
export async function readDeployed(environment: string, options: ClientOptions = {}): Promise<Deployed> {
  if (!ENVIRONMENT.test(environment)) {
    throw new LakeNotDeployed(
      `${JSON.stringify(environment)} is no name of a lake: small letters, digits and dashes, 2 to 20, a letter first.`,
    )
  }
  const name = deployedParameter(environment)
  const client = new SSMClient(clientSettings(options))
  try {
    return await guarded(`look up the lake ${environment} (SSM parameter ${name})`, async () => {
      const region = await client.config.region()
      const value = await client.send(new GetParameterCommand({ Name: name })).then(
        (found) => found.Parameter?.Value,
        (error: unknown) => {
          if (codeOf(error) === 'ParameterNotFound') return undefined
          throw error
        },
      )
      if (value === undefined) throw notDeployed(environment, region, await accountOf(client))
      return parseDeployed(value, name)
    })
  } finally {
    client.destroy()
  }
}

/** Reads what a deployment wrote: the parameter, or WEIR_DEPLOYED in a function. */
export function parseDeployed(text: string, where: string): Deployed {
  let json: unknown
  try {
    json = JSON.parse(text)
  } catch {
    json = undefined
  }
  const parsed = deployedSchema.safeParse(json)
  if (parsed.success) return parsed.data
  const what = parsed.error.issues.map((issue) => `${issue.path.join('.') || 'value'}: ${issue.message}`).join('; ')
  throw new LakeNotDeployed(
    `${where} was written by another version of Weir, or by hand (${what}). Deploy again with this version: npx cdk deploy --all`,
  )
}

function notDeployed(environment: string, region: string, account: string | undefined): LakeNotDeployed {
  const where = account === undefined ? region : `account ${account}, region ${region}`
  return new LakeNotDeployed(
    `No lake ${environment} is deployed in ${where}. Deploy it with "npx cdk deploy --all", choose another account or region (AWS_PROFILE, AWS_REGION), or name another lake with --lake aws:<environment>.`,
  )
}

/** Most credentials know their account; where they do not, the message does without. */
async function accountOf(client: SSMClient): Promise<string | undefined> {
  const credentials = await client.config.credentials().catch(() => undefined)
  return credentials?.accountId
}
