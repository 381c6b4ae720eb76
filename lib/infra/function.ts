// One function: a role of its own, a log group with an end, and what every function of a lake gets.

import { Duration, RemovalPolicy, Size } from 'aws-cdk-lib'
import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam'
import { Architecture, Code, Function as LambdaFunction, LoggingFormat, Runtime, Tracing } from 'aws-cdk-lib/aws-lambda'
import { LogGroup, type RetentionDays } from 'aws-cdk-lib/aws-logs'
import { Construct } from 'constructs'
import { METRIC_NAMESPACE } from '../lake/aws/metrics.ts'
import type { AwsSettings } from '../lake/config.ts'
import { arn } from './names.ts'
import { give, type Permission, trace } from './permissions.ts'

export interface WeirFunctionProps {
  environment: string
  functionName: string
  description: string
  /** The folder of the code and the handler in it, as bundle.ts makes them. */
  code: string
  handler: string
  /** The JSON that names the lake; see lib/lake/aws/deployed.ts. */
  deployed: string
  aws: AwsSettings
  memoryMB: number
  timeoutSeconds: number
  ephemeralStorageMB?: number
  permissions: Permission[]
}

export class WeirFunction extends Construct {
  readonly function: LambdaFunction

  constructor(scope: Construct, id: string, props: WeirFunctionProps) {
    super(scope, id)
    const logGroupName = `/aws/lambda/${props.functionName}`
    const logGroup = new LogGroup(this, 'Logs', {
      logGroupName,
      // The setting takes only what CloudWatch knows, and the enumeration's values are the days.
      retention: props.aws.retention.logDays as RetentionDays,
      // Logs tell of data and are none; the receipts are kept.
      removalPolicy: RemovalPolicy.DESTROY,
    })
    const role = new Role(this, 'Role', {
      roleName: `${props.functionName}-function`,
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: `What ${props.functionName} may do`,
    })
    give(role, [
      ...props.permissions,
      {
        why: 'A function names its own log streams, below its own log group.',
        actions: ['logs:CreateLogStream', 'logs:PutLogEvents'],
        resources: [arn('logs', `log-group:${logGroupName}:*`)],
      },
      trace,
    ])
    this.function = new LambdaFunction(this, 'Function', {
      functionName: props.functionName,
      description: props.description,
      role: role.withoutPolicyUpdates(),
      logGroup,
      loggingFormat: LoggingFormat.JSON,
      runtime: Runtime.NODEJS_24_X,
      architecture: props.aws.lambda.architecture === 'arm64' ? Architecture.ARM_64 : Architecture.X86_64,
      handler: props.handler,
      code: Code.fromAsset(props.code),
      memorySize: props.memoryMB,
      timeout: Duration.seconds(props.timeoutSeconds),
      ...(props.ephemeralStorageMB ? { ephemeralStorageSize: Size.mebibytes(props.ephemeralStorageMB) } : {}),
      tracing: Tracing.ACTIVE,
      environment: {
        WEIR_DEPLOYED: props.deployed,
        POWERTOOLS_SERVICE_NAME: props.environment,
        POWERTOOLS_METRICS_NAMESPACE: METRIC_NAMESPACE,
      },
    })
    // Without its rights a function may start too early, and fail.
    this.function.node.addDependency(role)
  }
}
