// The stateful stack: what must outlive any change of the code. Buckets, key, catalog and topics.

import { Stack, type StackProps } from 'aws-cdk-lib'
import type { Key } from 'aws-cdk-lib/aws-kms'
import type { Construct } from 'constructs'
import { Buckets } from './buckets.ts'
import { Encryption } from './encryption.ts'
import { type LakeToDeploy, mayDelete } from './lake.ts'
import { namesOf } from './names.ts'
import { Tables } from './tables.ts'
import { Topics } from './topics.ts'

export interface DataStackProps extends StackProps {
  lake: LakeToDeploy
}

export class DataStack extends Stack {
  /** The lake's own key, when it has one. */
  readonly key: Key | undefined

  constructor(scope: Construct, id: string, { lake, ...props }: DataStackProps) {
    const { config, plans } = lake
    const { environment, aws } = config
    super(scope, id, {
      description: `Weir lake ${environment}: buckets, catalog and topics`,
      terminationProtection: !mayDelete(config),
      ...props,
    })
    const deletable = { environment, mayDelete: mayDelete(config) }
    this.key = aws.encryption === 'kms' ? new Encryption(this, 'Encryption', deletable).key : undefined
    const encrypted = this.key ? { key: this.key } : {}
    new Buckets(this, 'Buckets', { ...deletable, ...encrypted, retention: aws.retention, accessLogs: aws.accessLogs })
    new Tables(this, 'Tables', { names: namesOf(environment), plans })
    new Topics(this, 'Topics', { environment, plans, ...encrypted })
  }
}
