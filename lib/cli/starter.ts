// The files of a new lake. The sample has two bad rows on purpose: so one learns on the first day what rejects are.

const CONFIG = `# The settings of this lake. All of them have defaults, so this file may stay as it is; it marks the folder as a lake.

# memory: 1GB          # memory that the engine may use, whatever the size of a file
# threads: 2           # default: the cores of this machine
# contracts: contracts # folder of the contracts
# models: models       # folder of the SQL models
# curate: auto         # curated tables follow what is dropped; manual: only "weir curate" makes them
`

const README = `# A Weir lake

- \`contracts/\` says what a row of each dataset must be (Open Data Contract Standard). Check them: \`weir lint\`
- \`landing/<dataset>/\` holds the files as they were dropped. They are never changed.
- \`clean/<dataset>/\` holds the accepted rows as Parquet. Query them: \`weir query "select * from clean.orders"\`
- \`curated/\` holds what is made from them: \`curated.orders\`, each order once, as its newest file has it; and one table for each
  SQL file in \`models/\`. Query it as of yesterday: \`weir query "select * from curated.orders" --as-of 1d\`
- \`ops/\` holds the receipts, the rejected rows, and what each source contributes.

Drop a file: \`weir drop samples/orders.csv\`. Two of its rows are bad, and its receipt says which and why.
Mend them: \`weir rejects orders --out mend.csv\`, correct the cells, then \`weir drop mend.csv --dataset orders\`.
Your own data: \`weir infer yours.csv > contracts/yours.yaml\`, read the draft, \`weir lint\`, \`weir drop yours.csv\`.
`

const CONTRACT = `# One row per order. Change it and run "weir lint"; "weir check <file>" tries a file without publishing it.
apiVersion: v3.1.0
kind: DataContract
id: orders
name: Orders
version: 1.0.0
status: active
schema:
  - name: orders
    description: One row per order of the web shop.
    properties:
      - name: order_id
        logicalType: string
        required: true
        primaryKey: true
        primaryKeyPosition: 1
        logicalTypeOptions: { pattern: "^A-[0-9]{4}$" }
      - name: order_date
        logicalType: date
        required: true
      - name: customer_email
        logicalType: string
        classification: confidential # values of this column are never shown on receipts
      - name: country
        logicalType: string
        required: true
        quality:
          - metric: invalidValues
            arguments: { validValues: [DE, FR, IT, NL] }
            mustBe: 0
      - name: quantity
        logicalType: integer
        required: true
        logicalTypeOptions: { minimum: 1 }
      - name: unit_price
        logicalType: number
        physicalType: decimal(10,2) # exact, never through a binary fraction
        required: true
    customProperties:
      - property: weir
        value:
          file: { format: csv, delimiter: ",", header: true }
          match: "*orders*.csv"
`

const MODEL = `/*---
description: What each country ordered, day by day.
materialized: table
columns:
  revenue: In the currency of the prices.
tests:
  - unique: [country, order_date]
  - sql: SELECT * FROM curated.orders_by_country WHERE revenue < 0
---*/
-- One SELECT in Athena's SQL makes the table curated.orders_by_country. It is made anew whenever curated.orders has changed, and
-- readers see it once its tests have passed. "weir lint" checks it, "weir curate --dry-run" shows what would run.
SELECT
  country,
  order_date,
  count(*) AS orders,
  sum(quantity) AS pieces,
  sum(quantity * unit_price) AS revenue
FROM curated.orders
GROUP BY country, order_date
`

const SAMPLE = `order_id,order_date,customer_email,country,quantity,unit_price
A-1001,2026-10-01,ada@example.com,DE,2,19.90
A-1002,2026-10-01,ben@example.com,FR,1,249.00
A-1003,2026-10-02,,NL,5,3.50
A-1004,2026-10-02,dora@example.com,DE,0,19.90
A-1005,2026-10-03,emil@example.com,IT,3,12.25
A-1006,2026-10-05,fay@example.com,FR,1,99.00
A-1007,5 October,gus@example.com,XX,1,19.90
A-1008,2026-10-06,hal@example.com,DE,4,7.75
A-1009,2026-10-07,ida@example.com,NL,2,249.00
A-1010,2026-10-07,jon@example.com,IT,1,19.90
`

/** Path in the lake → content. */
export const STARTER_FILES: Record<string, string> = {
  'weir.yaml': CONFIG,
  'README.md': README,
  'contracts/orders.yaml': CONTRACT,
  'models/orders_by_country.sql': MODEL,
  'samples/orders.csv': SAMPLE,
}
