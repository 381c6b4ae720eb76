// The Open Data Contract Standard, version 3: which keys there are and what may stand there. Closed objects of the
// standard are strict here; the reader turns unknown keys into warnings and everything else into errors.

import { z } from 'zod'

/** A number as YAML had it; integers beyond 2^53 stay exact. */
const numeric = z.union([z.number(), z.bigint()], 'must be a number')
const count = z.int('must be a whole number').min(0, 'must not be negative')
const stableId = z.string().regex(/^[A-Za-z0-9_-]+$/, 'must consist of letters, digits, - and _')
const tags = z.array(z.string())
const anything = z.unknown().refine((v) => v !== undefined, 'is missing')

const customProperty = z.strictObject({
  id: stableId.optional(),
  property: z.string(),
  value: anything,
  description: z.string().optional(),
})
const customProperties = z.array(customProperty, 'must be a list of {property, value}')
const definitions = z.array(
  z.strictObject({ id: stableId.optional(), url: z.string(), type: z.string(), description: z.string().optional() }),
)

const operators = {
  mustBe: anything.optional(),
  mustNotBe: anything.optional(),
  mustBeGreaterThan: numeric.optional(),
  mustBeGreaterOrEqualTo: numeric.optional(),
  mustBeLessThan: numeric.optional(),
  mustBeLessOrEqualTo: numeric.optional(),
  mustBeBetween: z.tuple([numeric, numeric], 'must be a list of two numbers').optional(),
  mustNotBeBetween: z.tuple([numeric, numeric], 'must be a list of two numbers').optional(),
}
export const OPERATORS = Object.keys(operators) as (keyof typeof operators)[]

const quality = z.strictObject({
  id: stableId.optional(),
  name: z.string().optional(),
  description: z.string().optional(),
  type: z.enum(['library', 'text', 'sql', 'custom']).optional(),
  dimension: z
    .enum(['accuracy', 'completeness', 'conformity', 'consistency', 'coverage', 'timeliness', 'uniqueness'])
    .optional(),
  severity: z.string().optional(),
  businessImpact: z.string().optional(),
  method: z.string().optional(),
  unit: z.string().optional(),
  schedule: z.string().optional(),
  scheduler: z.string().optional(),
  tags: tags.optional(),
  authoritativeDefinitions: definitions.optional(),
  customProperties: customProperties.optional(),
  metric: z.enum(['nullValues', 'missingValues', 'invalidValues', 'duplicateValues', 'rowCount']).optional(),
  /** Deprecated spelling of metric. */
  rule: z.string().optional(),
  /** Belongs to the older `rule: validValues`; since v3.1 under arguments. */
  validValues: z.array(z.unknown()).optional(),
  arguments: z.record(z.string(), z.unknown()).optional(),
  query: z.string().optional(),
  engine: z.string().optional(),
  implementation: z.unknown().optional(),
  ...operators,
})
export type Quality = z.infer<typeof quality>

const columns = z.union([z.string(), z.array(z.string())], 'must be a column, or a list of columns')
/** At a property the property itself is where the relationship starts, so `from` does not belong there. */
const propertyRelationship = z.strictObject({
  type: z.enum(['foreignKey']).optional(),
  to: columns,
  customProperties: customProperties.optional(),
})
const objectRelationship = propertyRelationship
  .extend({ from: columns })
  .refine(
    ({ from, to }) => Array.isArray(from) === Array.isArray(to),
    'from and to must both be one column, or both be lists',
  )

const elementKeys = {
  id: stableId.optional(),
  physicalName: z.string().optional(),
  physicalType: z.string().optional(),
  description: z.string().optional(),
  businessName: z.string().optional(),
  tags: tags.optional(),
  authoritativeDefinitions: definitions.optional(),
  customProperties: customProperties.optional(),
  quality: z.array(quality).optional(),
}

export const LOGICAL_TYPES = [
  'string',
  'date',
  'timestamp',
  'time',
  'number',
  'integer',
  'object',
  'array',
  'boolean',
] as const
export type LogicalType = (typeof LOGICAL_TYPES)[number]

const propertyKeys = {
  ...elementKeys,
  relationships: z.array(propertyRelationship).optional(),
  logicalType: z.enum(LOGICAL_TYPES).optional(),
  /** Checked per type by `optionsOf`. */
  logicalTypeOptions: z.record(z.string(), z.unknown()).optional(),
  required: z.boolean().optional(),
  unique: z.boolean().optional(),
  primaryKey: z.boolean().optional(),
  primaryKeyPosition: z.int('must be a whole number').optional(),
  partitioned: z.boolean().optional(),
  partitionKeyPosition: z.int('must be a whole number').optional(),
  classification: z.string().optional(),
  encryptedName: z.string().optional(),
  criticalDataElement: z.boolean().optional(),
  examples: z.array(z.unknown()).optional(),
  transformSourceObjects: z.array(z.string()).optional(),
  transformLogic: z.string().optional(),
  transformDescription: z.string().optional(),
}

export interface Property extends z.infer<z.ZodObject<typeof propertyKeys>> {
  name?: string | undefined
  properties?: (Property & { name: string })[] | undefined
  items?: Property | undefined
}

const property: z.ZodType<Property & { name: string }> = z.strictObject({
  name: z.string(),
  ...propertyKeys,
  get properties() {
    return z.array(property).optional()
  },
  get items() {
    return itemProperty.optional()
  },
})
const itemProperty: z.ZodType<Property> = z.strictObject({
  name: z.string().optional(),
  ...propertyKeys,
  get properties() {
    return z.array(property).optional()
  },
  get items() {
    return itemProperty.optional()
  },
})

const schemaObject = z.strictObject({
  name: z.string(),
  ...elementKeys,
  relationships: z.array(objectRelationship).optional(),
  logicalType: z.literal('object').optional(),
  dataGranularityDescription: z.string().optional(),
  properties: z.array(property).optional(),
})
export type SchemaObject = z.infer<typeof schemaObject>

const role = z.strictObject({
  id: stableId.optional(),
  role: z.string(),
  description: z.string().optional(),
  access: z.string().optional(),
  firstLevelApprovers: z.string().optional(),
  secondLevelApprovers: z.string().optional(),
  customProperties: customProperties.optional(),
})

const SERVER_TYPES =
  'api athena azure bigquery clickhouse databricks denodo dremio duckdb glue cloudsql db2 hive impala informix kafka kinesis local mysql oracle postgresql postgres presto pubsub redshift s3 sftp snowflake sqlserver synapse trino vertica zen custom'.split(
    ' ',
  )
/** Keys that the standard demands per server type. */
const SERVER_REQUIRES: Record<string, string[]> = {
  api: ['location'],
  athena: ['stagingDir', 'schema'],
  azure: ['location', 'format'],
  bigquery: ['project', 'dataset'],
  databricks: ['catalog', 'schema'],
  duckdb: ['database'],
  glue: ['account', 'database'],
  kafka: ['host'],
  local: ['path', 'format'],
  postgres: ['host', 'port', 'database', 'schema'],
  postgresql: ['host', 'port', 'database', 'schema'],
  redshift: ['database', 'schema'],
  s3: ['location'],
  sftp: ['location'],
  snowflake: ['account', 'database', 'schema'],
}
const text = z.string().optional()
const server = z
  .strictObject({
    id: stableId.optional(),
    server: z.string(),
    type: z.enum(SERVER_TYPES),
    description: text,
    environment: text,
    roles: z.array(role).optional(),
    customProperties: customProperties.optional(),
    account: text,
    catalog: text,
    database: text,
    dataset: text,
    delimiter: text,
    encoding: text,
    endpointUrl: text,
    format: text,
    host: text,
    location: text,
    path: text,
    port: z.union([numeric, z.string()]).optional(),
    project: text,
    region: text,
    regionName: text,
    schema: text,
    serviceName: text,
    stagingDir: text,
    stream: text,
    warehouse: text,
  })
  .superRefine((value, context) => {
    for (const key of SERVER_REQUIRES[value.type] ?? []) {
      if ((value as Record<string, unknown>)[key] === undefined) {
        context.addIssue({ code: 'custom', path: [key], message: `is missing: a server of type ${value.type} has it` })
      }
    }
  })

const member = z.strictObject({
  id: stableId.optional(),
  username: z.string(),
  name: text,
  description: text,
  role: text,
  dateIn: text,
  dateOut: text,
  replacedByUsername: text,
  tags: tags.optional(),
  customProperties: customProperties.optional(),
  authoritativeDefinitions: definitions.optional(),
})
const team = z.strictObject({
  id: stableId.optional(),
  name: text,
  description: text,
  members: z.array(member).optional(),
  tags: tags.optional(),
  customProperties: customProperties.optional(),
  authoritativeDefinitions: definitions.optional(),
})
/** An object since v3.1.0, a plain list before. Dispatched by hand, so that messages name the key and not the union. */
const teamOrMembers = z.unknown().superRefine((value, context) => {
  const result = (Array.isArray(value) ? z.array(member) : team).safeParse(value)
  for (const issue of result.error?.issues ?? [])
    context.addIssue({ ...issue } as Parameters<typeof context.addIssue>[0] & object)
})

export const contractShape = z.strictObject({
  version: z.string(),
  apiVersion: z.string(),
  kind: z.literal('DataContract'),
  id: z.string().min(1, 'must not be empty'),
  status: z.string(),
  name: text,
  tenant: text,
  domain: text,
  tags: tags.optional(),
  contractCreatedTs: text,
  description: z
    .looseObject({
      usage: text,
      purpose: text,
      limitations: text,
      authoritativeDefinitions: definitions.optional(),
      customProperties: customProperties.optional(),
    })
    .optional(),
  schema: z.array(schemaObject).optional(),
  servers: z.array(server).optional(),
  team: teamOrMembers.optional(),
  roles: z.array(role).optional(),
  support: z
    .array(
      z.strictObject({
        id: stableId.optional(),
        channel: z.string(),
        url: text,
        description: text,
        tool: text,
        scope: text,
        invitationUrl: text,
        customProperties: customProperties.optional(),
      }),
    )
    .optional(),
  price: z
    .strictObject({ id: stableId.optional(), priceAmount: numeric.optional(), priceCurrency: text, priceUnit: text })
    .optional(),
  slaProperties: z
    .array(
      z.strictObject({
        id: stableId.optional(),
        property: z.string(),
        value: anything,
        valueExt: z.unknown().optional(),
        unit: text,
        element: text,
        driver: text,
        description: text,
        scheduler: text,
        schedule: text,
      }),
    )
    .optional(),
  authoritativeDefinitions: definitions.optional(),
  customProperties: customProperties.optional(),
  dataProduct: text,
  slaDefaultElement: text,
})
export type Contract = z.infer<typeof contractShape>

const dateOptions = { format: text, minimum: text, maximum: text, exclusiveMinimum: text, exclusiveMaximum: text }
const zoneOptions = { ...dateOptions, timezone: z.boolean().optional(), defaultTimezone: text }
const numberOptions = {
  multipleOf: numeric.refine((n) => n > 0, 'must be more than 0').optional(),
  minimum: numeric.optional(),
  maximum: numeric.optional(),
  exclusiveMinimum: numeric.optional(),
  exclusiveMaximum: numeric.optional(),
}

/** logicalTypeOptions per type; closed, an option of another type is an error. */
export const optionsOf: Record<LogicalType, z.ZodType<Record<string, unknown>>> = {
  string: z.strictObject({ minLength: count.optional(), maxLength: count.optional(), pattern: text, format: text }),
  date: z.strictObject(dateOptions),
  timestamp: z.strictObject(zoneOptions),
  time: z.strictObject(zoneOptions),
  integer: z.strictObject({
    ...numberOptions,
    format: z.enum(['i8', 'i16', 'i32', 'i64', 'i128', 'u8', 'u16', 'u32', 'u64', 'u128']).optional(),
  }),
  number: z.strictObject({ ...numberOptions, format: z.enum(['f32', 'f64']).optional() }),
  object: z.strictObject({
    minProperties: count.optional(),
    maxProperties: count.optional(),
    required: z.array(z.string()).min(1).optional(),
  }),
  array: z.strictObject({
    minItems: count.optional(),
    maxItems: count.optional(),
    uniqueItems: z.boolean().optional(),
  }),
  boolean: z.strictObject({}),
}
export const OPTION_NAMES: Record<LogicalType, string[]> = {
  string: ['minLength', 'maxLength', 'pattern', 'format'],
  date: Object.keys(dateOptions),
  timestamp: Object.keys(zoneOptions),
  time: Object.keys(zoneOptions),
  integer: [...Object.keys(numberOptions), 'format'],
  number: [...Object.keys(numberOptions), 'format'],
  object: ['minProperties', 'maxProperties', 'required'],
  array: ['minItems', 'maxItems', 'uniqueItems'],
  boolean: [],
}
