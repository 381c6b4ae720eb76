// The four zones as buckets, and one for access logs where they are wanted.

import { Duration, RemovalPolicy } from 'aws-cdk-lib'
import type { Key } from 'aws-cdk-lib/aws-kms'
import {
  BlockPublicAccess,
  Bucket,
  BucketEncryption,
  type CfnBucket,
  type LifecycleRule,
  ObjectOwnership,
  StorageClass,
} from 'aws-cdk-lib/aws-s3'
import { Construct } from 'constructs'
import type { AwsSettings } from '../lake/config.ts'
import type { Zone } from '../lake/ports.ts'
import { acknowledge } from './acknowledge.ts'
import { bucketName, RESULTS_PREFIX, ZONES } from './names.ts'

export interface BucketsProps {
  environment: string
  retention: AwsSettings['retention']
  accessLogs: boolean
  /** Encrypts with this key; else with those of S3. */
  key?: Key
  mayDelete: boolean
}

/** Buckets by zone. */
export class Buckets extends Construct {
  readonly zones: Record<Zone, Bucket>

  constructor(scope: Construct, id: string, props: BucketsProps) {
    super(scope, id)
    const logs = props.accessLogs ? this.#logs(props) : undefined
    const make = (zone: Zone) => this.#zone(zone, props, logs)
    const [landing, clean, curated, ops] = ZONES.map(make) as [Bucket, Bucket, Bucket, Bucket]
    this.zones = { landing, clean, curated, ops }
  }

  #zone(zone: Zone, props: BucketsProps, logs: Bucket | undefined): Bucket {
    const bucket = new Bucket(this, zone[0]?.toUpperCase() + zone.slice(1), {
      ...common(props),
      bucketName: bucketName(props.environment, zone),
      ...(props.key
        ? { encryption: BucketEncryption.KMS, encryptionKey: props.key, bucketKeyEnabled: true }
        : { encryption: BucketEncryption.S3_MANAGED }),
      // What was dropped is never lost: not by a second drop, nor by a delete.
      versioned: zone === 'landing',
      lifecycleRules: [abortUploads, ...(RULES[zone]?.(props.retention) ?? [])],
      ...(logs ? { serverAccessLogsBucket: logs, serverAccessLogsPrefix: `${zone}/` } : {}),
    })
    if (zone === 'landing') {
      // Said on the resource itself: `eventBridgeEnabled` would add a function that sets it after deployment.
      const resource = bucket.node.defaultChild as CfnBucket
      resource.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } }
    }
    if (!logs)
      acknowledge(
        bucket,
        'Access logs cost storage and requests, so they are an option: aws.accessLogs in weir.yaml.',
        'AwsSolutions-S1',
      )
    return bucket
  }

  #logs(props: BucketsProps): Bucket {
    const bucket = new Bucket(this, 'Logs', {
      ...common(props),
      bucketName: bucketName(props.environment, 'logs'),
      encryption: BucketEncryption.S3_MANAGED,
      lifecycleRules: [abortUploads, { id: 'expire-logs', expiration: Duration.days(props.retention.accessLogDays) }],
    })
    acknowledge(
      bucket,
      'This bucket holds the access logs; logging its own accesses would never end.',
      'AwsSolutions-S1',
    )
    return bucket
  }
}

const common = (props: BucketsProps) => ({
  blockPublicAccess: BlockPublicAccess.BLOCK_ALL,
  objectOwnership: ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  // Kept, unless the very deployment that made it fails: under its fixed name it would be in the way of the next try.
  removalPolicy: props.mayDelete ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
})

const abortUploads: LifecycleRule = {
  id: 'abort-unfinished-uploads',
  abortIncompleteMultipartUploadAfter: Duration.days(7),
}

const RULES: Partial<Record<Zone, (days: AwsSettings['retention']) => LifecycleRule[]>> = {
  landing: (days) => [
    {
      id: 'tier-what-was-dropped',
      transitions: [
        { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(days.tierLandingDays) },
        {
          storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
          transitionAfter: Duration.days(days.archiveLandingDays),
        },
      ],
      noncurrentVersionTransitions: [
        { storageClass: StorageClass.INFREQUENT_ACCESS, transitionAfter: Duration.days(days.tierLandingDays) },
        {
          storageClass: StorageClass.GLACIER_INSTANT_RETRIEVAL,
          transitionAfter: Duration.days(days.archiveLandingDays),
        },
      ],
    },
  ],
  ops: (days) => [
    { id: 'expire-query-results', prefix: RESULTS_PREFIX, expiration: Duration.days(days.athenaResultsDays) },
  ],
}
