// The stateless stack: whatever can be made again. Queues, functions, workgroups, dashboard, alarms, roles, and the names of it all.

import { Aws, CfnCondition, CfnParameter, Fn, Stack, type StackProps } from 'aws-cdk-lib'
import { EventBus, Rule, RuleTargetInput, Schedule } from 'aws-cdk-lib/aws-events'
import { LambdaFunction as FunctionTarget } from 'aws-cdk-lib/aws-events-targets'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { type Deployed, deployedParameter } from '../lake/aws/deployed.ts'
import { Alarms } from './alarms.ts'
import { Athena } from './athena.ts'
import { type FunctionName, ZIPS, type ZipName } from './bundle.ts'
import { CURATE_SECONDS, CurateQueue } from './curate.ts'
import { Dashboard } from './dashboard.ts'
import { WeirFunction } from './function.ts'
import { IngestQueue } from './ingest.ts'
import { type LakeToDeploy, mayDelete, versionOf } from './lake.ts'
import { bucketName, namesOf } from './names.ts'
import { consume, curate, ingest, type Permission, send } from './permissions.ts'
import { Roles } from './roles.ts'

export interface PipelineStackProps extends StackProps {
  lake: LakeToDeploy
  /** The folders that become the functions' zips. */
  code: Record<ZipName, string>
}

/** Memory and time of the function that reads a few files and answers. */
const SMALL = { memoryMB: 256, timeoutSeconds: 30 }

export class PipelineStack extends Stack {
  constructor(scope: Construct, id: string, { lake, code, ...props }: PipelineStackProps) {
    const { config, plans } = lake
    const { environment, aws } = config
    super(scope, id, { description: `Weir lake ${environment}: ingestion, queries, roles`, ...props })
    const names = namesOf(environment)
    const datasets = plans.map(({ dataset }) => dataset)
    const emulator = new CfnParameter(this, 'Emulator', {
      type: 'String',
      allowedValues: ['true', 'false'],
      default: 'false',
      description: 'true leaves out what emulators of AWS do not know: Athena workgroups and named queries.',
    })
    const onAws = new CfnCondition(this, 'OnAws', {
      expression: Fn.conditionNot(Fn.conditionEquals(emulator.valueAsString, 'true')),
    })

    const bus = new EventBus(this, 'Events', {
      eventBusName: names.eventBus,
      description: 'weir.upload.finished and weir.run.finished, for whoever builds on them',
    })
    const incoming = new IngestQueue(this, 'Ingest', { names, aws })
    const curated = lake.curated.map(({ table }) => table)
    const wishes = new CurateQueue(this, 'Curate', { names, aws, scheduled: lake.models.scheduled })
    const deployed: Deployed = {
      format: 'weir.deployed/1',
      environment,
      partition: Aws.PARTITION,
      region: Aws.REGION,
      account: Aws.ACCOUNT_ID,
      buckets: {
        landing: bucketName(environment, 'landing'),
        clean: bucketName(environment, 'clean'),
        curated: bucketName(environment, 'curated'),
        ops: bucketName(environment, 'ops'),
      },
      databases: names.databases,
      workgroups: names.workgroups,
      queues: {
        ingest: incoming.queue.queueUrl,
        deadLetters: incoming.deadLetters.queueUrl,
        curate: wishes.queue.queueUrl,
        curateDeadLetters: wishes.deadLetters.queueUrl,
      },
      functions: names.functions,
      eventBus: bus.eventBusName,
      maxObjectBytes: aws.maxObjectSize,
      receiptLink: aws.notifications.receiptLink,
    }
    const descriptor = this.toJsonString(deployed)
    new StringParameter(this, 'Lake', {
      parameterName: deployedParameter(environment),
      stringValue: descriptor,
      description: `The names of the lake ${environment}; contracts and models ${versionOf(lake)}`,
    })

    const make = (
      name: FunctionName,
      description: string,
      size: Pick<typeof SMALL, 'memoryMB' | 'timeoutSeconds'> & { ephemeralStorageMB?: number },
      permissions: Permission[],
    ) =>
      new WeirFunction(this, `${name}-function`, {
        environment,
        functionName: names.functions[name],
        description,
        code: (ZIPS.workers as readonly FunctionName[]).includes(name) ? code.workers : code.answers,
        handler: `${name}.handler`,
        deployed: descriptor,
        aws,
        ...size,
        permissions,
      })
    const ingesting = ingest(names, datasets)
    const feeding = make('ingest', 'Brings each upload to its receipt', aws.lambda, [
      ...ingesting,
      send(names.queues.curate, 'Curated tables follow what came.'),
      consume(names.queues.ingest, 'Takes the events of landing.'),
      send(names.queues.deadLetters, 'Puts aside what no try will mend.'),
    ])
    incoming.feed(feeding, aws)
    const reconcile = make('reconcile', 'Finds what no event told of', aws.lambda, [
      ...ingesting,
      send(names.queues.ingest, 'Hands on what it found.'),
      send(names.queues.curate, 'Curated tables follow, also where nobody told them to.'),
    ])
    new Rule(this, 'Reconcile', {
      ruleName: `${environment}-reconcile`,
      description: 'Events may be lost, what landing holds is the truth; and a deployment may have brought new tables',
      schedule: Schedule.expression(aws.reconcile),
      // Once all of it is there. It has no part in the deployment, so nothing that fails here takes it back.
      eventPattern: {
        source: ['aws.cloudformation'],
        detailType: ['CloudFormation Stack Status Change'],
        detail: { 'stack-id': [this.stackId], 'status-details': { status: ['CREATE_COMPLETE', 'UPDATE_COMPLETE'] } },
      },
      targets: [new FunctionTarget(reconcile.function, { event: RuleTargetInput.fromObject({}), retryAttempts: 1 })],
    })
    const curating = make(
      'curate',
      'Brings curated tables up to date',
      { memoryMB: aws.curate.memoryMB, timeoutSeconds: CURATE_SECONDS },
      [...curate(names, curated), consume(names.queues.curate, 'Takes what is to be brought up to date.')],
    )
    wishes.feed(curating, aws)
    const contracts = make('contracts', 'Answers with the contracts that are deployed', SMALL, [])

    new Athena(this, 'Athena', {
      names,
      aws,
      datasets,
      onlyIf: onAws,
      mayDelete: mayDelete(config),
    })
    const measured = {
      queue: incoming.queue,
      deadLetters: incoming.deadLetters,
      curateQueue: wishes.queue,
      curateDeadLetters: wishes.deadLetters,
      workers: {
        ingest: feeding.function,
        reconcile: reconcile.function,
        curate: curating.function,
        contracts: contracts.function,
      },
    }
    const { names: alarms } = new Alarms(this, 'Alarms', {
      names,
      alarmEmail: aws.alarmEmail,
      onlyIf: onAws,
      ...measured,
    })
    new Dashboard(this, 'Dashboard', {
      names,
      datasets,
      memoryMB: aws.lambda.memoryMB,
      curateMemoryMB: aws.curate.memoryMB,
      alarms,
      ...measured,
    })
    new Roles(this, 'Roles', { names, aws, plans })
  }
}
