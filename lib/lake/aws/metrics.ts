// The figures that the functions give to CloudWatch, and that the dashboard and the alarms read: named once, here.

/** Namespace of every metric. */
export const METRIC_NAMESPACE = 'Weir'

/** Names of the metrics. All but `DurationMs` are counts or bytes of one upload, to be summed. */
export const METRICS = {
  /** Uploads that got their receipt. */
  uploads: 'Uploads',
  rowsRead: 'RowsRead',
  rowsAccepted: 'RowsAccepted',
  rowsRejected: 'RowsRejected',
  /** Uploads refused as a whole. */
  refused: 'Refused',
  /** From the first look at landing to the receipt. */
  durationMs: 'DurationMs',
  bytesIn: 'BytesIn',
  /** What the scheduled reconcile had to mend in one run: events that were lost, work that was interrupted. Of the lake only. */
  mended: 'Mended',
  /** … and what it could not mend, files without a contract too. */
  reconcileFaults: 'ReconcileFaults',
  /** Runs of curated tables, of the lake only: the log and ops.runs say which table. */
  curateRuns: 'CurateRuns',
  /** … of which the tests of a model failed, so that readers keep the version before … */
  modelTestsFailed: 'ModelTestsFailed',
  /** … or that could not be. */
  curateFailed: 'CurateFailed',
  /** Bytes that Athena scanned for them. */
  curateBytesScanned: 'CurateBytesScanned',
} as const

/** Dimensions of every metric: `service` is the environment's name (Powertools' service), `dataset` the dataset's. */
export const DIMENSIONS = { environment: 'service', dataset: 'dataset' } as const

/** Each metric is given twice: for its dataset, and with this instead, for the lake as a whole, which the alarms read. */
export const ALL_DATASETS = '(all)'
