// The CDK app: `npx cdk deploy --all`. It deploys the lake of the folder it is called in; see docs/deploy.md.

import { ContractError } from '../lib/contract/errors.ts'
import { synthesise } from '../lib/infra/app.ts'
import { BinaryMissing, BundleFailed, CannotDeploy } from '../lib/infra/errors.ts'
import { ConfigError } from '../lib/lake/errors.ts'

try {
  await synthesise()
} catch (error) {
  const told = [ConfigError, ContractError, CannotDeploy, BundleFailed, BinaryMissing]
  if (!told.some((kind) => error instanceof kind)) throw error
  console.error((error as Error).message)
  process.exitCode = 1
}
