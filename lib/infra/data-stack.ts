// The stateful stack: what must outlive any change of the code. Buckets, key, catalog and topics.

import { Stack, type StackProps } from 'aws-cdk-lib'
import { StringParameter } from 'aws-cdk-lib/aws-ssm'
import type { Construct } from 'constructs'
import { Buckets } from './buckets.ts'
import { Encryption } from './encryption.ts'
import { type LakeToDeploy, mayDelete } from './lake.ts'
import { keyParameter, namesOf } from './names.ts'
import { Tables } from './tables.ts'
import { Topics } from './topics.ts'

export interface DataStackProps extends StackProps {
  lake: LakeToDeploy
}

export class DataStack extends Stack {
  constructor(scope: Construct, id: string, { lake, ...props }: DataStackProps) {
    const { config, plans } = lake
    const { environment, aws } = config
    super(scope, id, {
      description: `Weir lake ${environment}: buckets, catalog and topics`,
      terminationProtection: !mayDelete(config),
      ...props,
    })
    const deletable = { environment, mayDelete: mayDelete(config) }
    const key = aws.encryption === 'kms' ? new Encryption(this, 'Encryption', deletable).key : undefined
    const encrypted = key ? { key } : {}
    // Told by a parameter, not by an export of the stack: with that, encryption could never go back to S3's keys.
    if (key)
      new StringParameter(this, 'KeyName', {
        parameterName: keyParameter(environment),
        stringValue: key.keyArn,
        description: `The key of the lake ${environment}`,
      })
    new Buckets(this, 'Buckets', { ...deletable, ...encrypted, retention: aws.retention, accessLogs: aws.accessLogs })
    new Tables(this, 'Tables', { names: namesOf(environment), plans, curated: lake.curated.map(({ table }) => table) })
    new Topics(this, 'Topics', { environment, plans, ...encrypted })
  }
}
