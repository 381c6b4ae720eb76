// The CDK app of a lake: reads its folder, bundles the functions, and makes the two stacks. Offline, for any account.

import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { App, type AppProps, Validations } from 'aws-cdk-lib'
import { AwsSolutionsChecks } from 'cdk-nag'
import { bundle, type ZipName } from './bundle.ts'
import { DataStack } from './data-stack.ts'
import { type LakeToDeploy, readLakeToDeploy } from './lake.ts'
import { PipelineStack } from './pipeline-stack.ts'

/** Where the lake lies: `cdk -c lake=<folder>`, or WEIR_LAKE, or here. */
export const lakeFolder = (app: App): string =>
  String(app.node.tryGetContext('lake') ?? process.env.WEIR_LAKE ?? process.cwd())

/** The stacks of a lake, in an app. `code`: the folders that become the functions' zips. */
export function buildStacks(
  app: App,
  lake: LakeToDeploy,
  code: Record<ZipName, string>,
): { data: DataStack; pipeline: PipelineStack } {
  const { environment, aws } = lake.config
  const common = { lake, ...(aws.region ? { env: { region: aws.region } } : {}) }
  const data = new DataStack(app, `${environment}-data`, common)
  const pipeline = new PipelineStack(app, `${environment}-pipeline`, { ...common, code })
  // The functions name what the data stack makes; nothing of it is handed over, so that either can change alone.
  pipeline.addStackDependency(data, 'the functions write to its buckets and tables')
  return { data, pipeline }
}

/** Switches of aws-cdk-lib that change what is made: set here, so that the command line and the tests make the same. */
const CONTEXT = {
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/aws-iam:minimizePolicies': false,
  '@aws-cdk/core:enablePartitionLiterals': true,
  '@aws-cdk/aws-kms:applyImportedAliasPermissionsToPrincipal': true,
}

/** An app whose stacks are checked by cdk-nag when they are synthesised. */
export function newApp(props: AppProps = {}): App {
  const app = new App({ analyticsReporting: false, ...props, context: { ...CONTEXT, ...props.context } })
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app, { verbose: true }))
  return app
}

/** Makes the app and synthesises it. Throws what is wrong with the lake. */
export async function synthesise(props: AppProps & { lake?: string } = {}): Promise<App> {
  const app = newApp(props)
  const lake = await readLakeToDeploy(props.lake ?? lakeFolder(app))
  const work = await mkdtemp(join(tmpdir(), 'weir-functions-'))
  try {
    const { architecture } = lake.config.aws.lambda
    const make = (zip: ZipName) => bundle({ zip, architecture, lake, to: join(work, zip) })
    buildStacks(app, lake, { workers: await make('workers'), answers: await make('answers') })
    app.synth()
    return app
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}
