// Two Athena workgroups, whose settings nobody can leave: where results go, encrypted, and how much a query may scan.

import { type CfnCondition, CfnDynamicReference, CfnDynamicReferenceService } from 'aws-cdk-lib'
import { CfnNamedQuery, CfnWorkGroup } from 'aws-cdk-lib/aws-athena'
import { Construct } from 'constructs'
import type { AwsSettings } from '../lake/config.ts'
import { bucketName, keyParameter, type Names, RESULTS_PREFIX } from './names.ts'
import { namedQueries } from './queries.ts'

export interface AthenaProps {
  names: Names
  aws: AwsSettings
  datasets: string[]
  /** Emulators know no AWS::Athena types: there the workgroups are made by other means. */
  onlyIf: CfnCondition
  mayDelete: boolean
}

export class Athena extends Construct {
  constructor(scope: Construct, id: string, { names, aws, datasets, onlyIf, mayDelete }: AthenaProps) {
    super(scope, id)
    const keyArn = new CfnDynamicReference(CfnDynamicReferenceService.SSM, keyParameter(names.environment)).toString()
    for (const [who, workgroup] of Object.entries(names.workgroups)) {
      const made = new CfnWorkGroup(this, `${who}-workgroup`, {
        name: workgroup,
        description: who === 'analysts' ? 'For people who query the lake' : 'For what the lake itself queries',
        // Queries that were run are no data of the lake.
        recursiveDeleteOption: mayDelete,
        workGroupConfiguration: {
          enforceWorkGroupConfiguration: true,
          publishCloudWatchMetricsEnabled: true,
          requesterPaysEnabled: false,
          bytesScannedCutoffPerQuery: aws.scanLimit,
          engineVersion: { selectedEngineVersion: 'Athena engine version 3' },
          resultConfiguration: {
            outputLocation: `s3://${bucketName(names.environment, 'ops')}/${RESULTS_PREFIX}${workgroup}/`,
            encryptionConfiguration:
              aws.encryption === 'kms'
                ? { encryptionOption: 'SSE_KMS', kmsKey: keyArn }
                : { encryptionOption: 'SSE_S3' },
          },
        },
      })
      made.cfnOptions.condition = onlyIf
      if (who !== 'analysts') continue
      for (const [index, query] of namedQueries(names, datasets).entries()) {
        const named = new CfnNamedQuery(this, `Query${index + 1}`, {
          database: names.databases.ops,
          name: query.name,
          description: query.description,
          queryString: query.sql,
          workGroup: workgroup,
        })
        named.cfnOptions.condition = onlyIf
        named.addResourceDependency(made)
      }
    }
  }
}
