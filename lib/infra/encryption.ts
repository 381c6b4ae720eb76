// The lake's own key, for those who want one: aws.encryption: kms.

import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib'
import { AnyPrincipal, Effect, PolicyStatement } from 'aws-cdk-lib/aws-iam'
import { Key } from 'aws-cdk-lib/aws-kms'
import { Construct } from 'constructs'

export interface EncryptionProps {
  environment: string
  /** Both keys for deleting data are turned. */
  mayDelete: boolean
}

/**
 * One key, rotated every year. Who may read or write an object may use the key through S3 and SNS, and only so: rights are
 * given in one place, and no role needs a statement about the key.
 */
export class Encryption extends Construct {
  readonly key: Key

  constructor(scope: Construct, id: string, props: EncryptionProps) {
    super(scope, id)
    this.key = new Key(this, 'Key', {
      alias: `alias/${props.environment}`,
      description: `Data of the lake ${props.environment}`,
      enableKeyRotation: true,
      pendingWindow: Duration.days(30),
      removalPolicy: props.mayDelete ? RemovalPolicy.DESTROY : RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
    })
    this.key.addToResourcePolicy(
      new PolicyStatement({
        sid: 'ThroughS3AndSnsOnly',
        effect: Effect.ALLOW,
        principals: [new AnyPrincipal()],
        actions: [
          'kms:Decrypt',
          'kms:DescribeKey',
          'kms:Encrypt',
          'kms:GenerateDataKey',
          'kms:ReEncryptFrom',
          'kms:ReEncryptTo',
        ],
        resources: ['*'],
        conditions: {
          StringEquals: {
            'kms:CallerAccount': Aws.ACCOUNT_ID,
            'kms:ViaService': [`s3.${Aws.REGION}.${Aws.URL_SUFFIX}`, `sns.${Aws.REGION}.${Aws.URL_SUFFIX}`],
          },
        },
      }),
    )
  }
}
