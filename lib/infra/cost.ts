// What a lake costs, from list prices: the arithmetic behind docs/cost.md, which a test holds against these numbers.

/** List prices in US dollars, us-east-1, autumn 2026. */
export const PRICES = {
  lambdaGbSecond: 0.0000133334,
  lambdaRequest: 0.2 / 1e6,
  s3Put: 0.005 / 1000,
  s3Get: 0.0004 / 1000,
  sqsRequest: 0.4 / 1e6,
  sqsFifoRequest: 0.5 / 1e6,
  customEvent: 1 / 1e6,
  glueRequest: 1 / 1e6,
  glueDpuHour: 0.44,
  athenaTb: 5,
} as const

/**
 * Requests that one upload makes, of a file whose rows are all good and that nobody dropped before. A test counts the calls
 * of the ports; S3 bills writing and listing as PUT, reading and looking as GET. On AWS a fetch looks before it
 * reads, and a partition is made or else moved: two requests.
 */
export const REQUESTS = { s3Put: 6, s3Get: 12, glue: 2, sqs: 3, events: 1 } as const

/** What the memory of the ingest function is by default, in GB. */
export const MEMORY_GB = 3008 / 1024

/** Seconds that the function is taken to need: not measured on AWS. See docs/cost.md. */
export const SECONDS = { perFile: 1, perGB: 30 } as const

/** The least that Athena bills for a statement, in GB. */
export const ATHENA_LEAST_GB = 10 / 1024

/**
 * One run of an entity table: the MERGE and a look at the snapshot that it made; the function waits meanwhile. Seconds and
 * requests are taken to be so: not measured on AWS. Most requests are Athena's own.
 */
export const CURATE = { statements: 2, seconds: 10, memoryGB: 1, s3Put: 10, s3Get: 40, sqs: 3, events: 1 } as const

export interface CurateCost {
  lambda: number
  athena: number
  other: number
  total: number
}

/** Dollars for so many runs of an entity table, whose MERGE reads so many GB each time. */
export function curateCost(runs: number, gbRead: number): CurateCost {
  const { statements, seconds, memoryGB, s3Put, s3Get, sqs, events } = CURATE
  const lambda = runs * (seconds * memoryGB * PRICES.lambdaGbSecond + PRICES.lambdaRequest)
  const gb = Math.max(gbRead, ATHENA_LEAST_GB) + (statements - 1) * ATHENA_LEAST_GB
  const athena = runs * (gb / 1024) * PRICES.athenaTb
  const other =
    runs * (s3Put * PRICES.s3Put + s3Get * PRICES.s3Get + sqs * PRICES.sqsFifoRequest + events * PRICES.customEvent)
  return { lambda, athena, other, total: lambda + athena + other }
}

export interface Cost {
  lambda: number
  s3: number
  other: number
  total: number
}

/** Dollars for so many files of one size, dropped once each. */
export function ingestCost(files: number, gbEach: number): Cost {
  const seconds = Math.max(SECONDS.perFile, SECONDS.perGB * gbEach)
  const lambda = files * (seconds * MEMORY_GB * PRICES.lambdaGbSecond + PRICES.lambdaRequest)
  const s3 = files * (REQUESTS.s3Put * PRICES.s3Put + REQUESTS.s3Get * PRICES.s3Get)
  const other =
    files *
    (REQUESTS.glue * PRICES.glueRequest + REQUESTS.sqs * PRICES.sqsRequest + REQUESTS.events * PRICES.customEvent)
  return { lambda, s3, other, total: lambda + s3 + other }
}

/** Dollars for the design with Glue jobs: two jobs of two workers (one DPU each) for each file, a minute at least. */
export const glueJobsCost = (files: number, minutes = 1): number => files * 2 * 2 * (minutes / 60) * PRICES.glueDpuHour
