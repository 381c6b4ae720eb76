// What Athena sees: the databases of the zones, one clean table per dataset, and the ops tables over receipts and rejects.
// Partitions of clean tables come and go with uploads; those of the ops tables are projected. So there is no crawler. Curated
// tables are made by the runs that fill them.

import { Aws, CfnResource } from 'aws-cdk-lib'
import { CfnDatabase } from 'aws-cdk-lib/aws-glue'
import { Construct } from 'constructs'
import type { Plan } from '../contract/plan.ts'
import { versionsDatabase } from '../lake/aws/names.ts'
import { athenaType, glueName, glueTableInput, PARQUET } from '../lake/aws/types.ts'
import { receiptsPrefix, runsPrefix } from '../lake/keys.ts'
import { RECEIPT_COLUMNS, REJECT_COLUMNS, RUN_COLUMNS, tableOf } from '../lake/tables.ts'
import { bucketName, type Names, TABLE_ZONES } from './names.ts'

export interface TablesProps {
  names: Names
  plans: Plan[]
  /** Names of the curated tables. */
  curated: string[]
}

/** No receipt is older: Weir did not exist. */
const FIRST_DAY = '2026-01-01'

const JSON_LINES = {
  InputFormat: 'org.apache.hadoop.mapred.TextInputFormat',
  OutputFormat: 'org.apache.hadoop.hive.ql.io.HiveIgnoreKeyTextOutputFormat',
  SerdeInfo: {
    SerializationLibrary: 'org.openx.data.jsonserde.JsonSerDe',
    // A receipt that cannot be read fails the query: it must not be missing in silence.
    Parameters: { 'case.insensitive': 'TRUE', 'ignore.malformed.json': 'FALSE' },
  },
}

export class Tables extends Construct {
  constructor(scope: Construct, id: string, { names, plans, curated }: TablesProps) {
    super(scope, id)
    const databases = new Map<string, CfnDatabase>()
    for (const zone of TABLE_ZONES) {
      databases.set(
        zone,
        new CfnDatabase(this, `${zone}-database`, {
          catalogId: Aws.ACCOUNT_ID,
          databaseInput: { name: names.databases[zone], description: `Zone ${zone} of the lake ${names.environment}` },
        }),
      )
    }
    new CfnDatabase(this, 'versions-database', {
      catalogId: Aws.ACCOUNT_ID,
      databaseInput: {
        name: versionsDatabase(names.databases),
        description: `Tables that the views of models in the lake ${names.environment} show. Query the views.`,
      },
    })
    const table = (id: string, zone: 'clean' | 'ops', input: object) => {
      const made = new CfnResource(this, id, {
        type: 'AWS::Glue::Table',
        properties: { CatalogId: Aws.ACCOUNT_ID, DatabaseName: names.databases[zone], TableInput: input },
      })
      const database = databases.get(zone)
      if (database) made.addResourceDependency(database)
    }
    const at = (zone: 'clean' | 'ops', prefix: string) => `s3://${bucketName(names.environment, zone)}/${prefix}`

    for (const plan of plans)
      table(`clean-${plan.dataset}`, 'clean', glueTableInput(tableOf(plan), at('clean', `${plan.dataset}/`)))
    const datasets = plans.map((plan) => plan.dataset)
    table('ops-receipts', 'ops', receiptsTable(at('ops', receiptsPrefix()), datasets))
    table('ops-rejects', 'ops', rejectsTable(at('ops', 'rejects/'), datasets))
    table('ops-runs', 'ops', runsTable(at('ops', runsPrefix()), curated))
  }
}

const columnsOf = (columns: Readonly<Record<string, string>>, without: string) =>
  Object.entries(columns)
    .filter(([name]) => name !== without)
    .map(([name, type]) => ({ Name: glueName(name), Type: athenaType(type) }))

/** Folders by dataset, or by table. An enumeration has a value at least, or Athena refuses the table. */
const byName = (column: 'dataset' | 'table', names: string[]) => ({
  EXTERNAL: 'TRUE',
  'projection.enabled': 'true',
  [`projection.${column}.type`]: 'enum',
  [`projection.${column}.values`]: names.join(',') || '-',
})

/** Folders by day. A clock that runs ahead of ours must not hide what it wrote. */
const BY_DAY = {
  'projection.date.type': 'date',
  'projection.date.format': 'yyyy-MM-dd',
  'projection.date.range': `${FIRST_DAY},NOW+1DAYS`,
  'projection.date.interval': '1',
  'projection.date.interval.unit': 'DAYS',
}

/** One row per receipt: what lies below receipts/, by dataset and day. */
function receiptsTable(location: string, datasets: string[]) {
  return {
    Name: 'receipts',
    Description: 'One row per upload: its outcome, and why. See docs/receipt.md.',
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...byName('dataset', datasets),
      ...BY_DAY,
      classification: 'json',
      'storage.location.template': `${location}dataset=\${dataset}/date=\${date}/`,
    },
    PartitionKeys: [
      { Name: 'dataset', Type: 'string', Comment: 'The dataset.' },
      { Name: 'date', Type: 'string', Comment: 'The day (UTC) of the upload: ask for it, and less is read.' },
    ],
    StorageDescriptor: { ...JSON_LINES, Columns: columnsOf(RECEIPT_COLUMNS, 'dataset'), Location: location },
  }
}

/** One row per run of a curated table: what lies below runs/, by table and day. */
function runsTable(location: string, tables: string[]) {
  return {
    Name: 'runs',
    Description: 'One row per run of a curated table: what it did, from what, and why it failed. See docs/curated.md.',
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...byName('table', tables),
      ...BY_DAY,
      classification: 'json',
      'storage.location.template': `${location}table=\${table}/date=\${date}/`,
    },
    PartitionKeys: [
      { Name: 'table', Type: 'string', Comment: 'The table, below curated.' },
      { Name: 'date', Type: 'string', Comment: 'The day (UTC) on which the run began: ask for it, and less is read.' },
    ],
    StorageDescriptor: { ...JSON_LINES, Columns: columnsOf(RUN_COLUMNS, 'table'), Location: location },
  }
}

/** One row per rejected row. The folders of the uploads below a dataset's are read through; `_upload` says which. */
function rejectsTable(location: string, datasets: string[]) {
  return {
    Name: 'rejects',
    Description: 'One row per row that was set aside, with its text and every rule that it broke.',
    TableType: 'EXTERNAL_TABLE',
    Parameters: {
      ...byName('dataset', datasets),
      classification: 'parquet',
      'storage.location.template': `${location}dataset=\${dataset}/`,
    },
    PartitionKeys: [{ Name: 'dataset', Type: 'string', Comment: 'The dataset.' }],
    StorageDescriptor: { ...PARQUET, Columns: columnsOf(REJECT_COLUMNS, 'dataset'), Location: location },
  }
}
