// Tables as SQL knows them: a name, columns, and the keys of partitions.

export interface TableColumn {
  name: string
  type: string
  comment?: string
}

export interface TableDefinition {
  /** `clean.orders`, `curated.orders`, `ops.receipts`. */
  name: string
  description?: string
  columns: TableColumn[]
  partitionKeys: TableColumn[]
}
