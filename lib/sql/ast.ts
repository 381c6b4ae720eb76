// What a statement in Athena's SQL consists of, as far as a lake without Athena understands it. Every part says where it stands.

export interface At {
  at: number
}

export type Literal = At & {
  kind: 'literal'
  of: 'null' | 'boolean' | 'integer' | 'decimal' | 'double' | 'text' | 'date' | 'timestamp'
  value: string
}

export interface Call extends At {
  kind: 'call'
  name: string
  args: Expr[]
  star: boolean
  distinct: boolean
  orderBy: Order[]
  filter?: Expr
  nulls?: 'IGNORE' | 'RESPECT'
  over?: Window
}

export interface Window extends At {
  partitionBy: Expr[]
  orderBy: Order[]
  frame?: { unit: string; start: Bound; end?: Bound }
}

export type Bound = At &
  ({ bound: 'unbounded' | 'value'; side: 'PRECEDING' | 'FOLLOWING'; value?: Expr } | { bound: 'current' })

export interface Order extends At {
  by: Expr
  descending: boolean
  nullsFirst: boolean
}

export type Expr =
  | Literal
  | Call
  | (At & { kind: 'interval'; negative: boolean; value: string; unit: string })
  | (At & { kind: 'name'; name: string })
  | (At & { kind: 'dot'; of: Expr; name: string })
  | (At & { kind: 'index'; of: Expr; index: Expr })
  | (At & { kind: 'lambda'; names: string[]; body: Expr })
  | (At & { kind: 'binary'; op: string; left: Expr; right: Expr })
  | (At & { kind: 'not' | 'negative'; of: Expr })
  | (At & { kind: 'between'; of: Expr; low: Expr; high: Expr })
  | (At & { kind: 'in'; of: Expr; list: Expr[] })
  | (At & { kind: 'inQuery'; of: Expr; query: Query })
  | (At & { kind: 'like'; of: Expr; pattern: Expr; escape?: Expr })
  | (At & { kind: 'isNull'; of: Expr })
  | (At & { kind: 'distinctFrom'; left: Expr; right: Expr })
  | (At & { kind: 'quantified'; op: string; all: boolean; left: Expr; query: Query })
  | (At & { kind: 'exists' | 'subquery'; query: Query })
  | (At & { kind: 'case'; of?: Expr; whens: { when: Expr; result: Expr }[]; else?: Expr })
  | (At & { kind: 'cast'; of: Expr; to: TypeName; attempt: boolean })
  | (At & { kind: 'array' | 'row'; items: Expr[] })

export interface TypeName extends At {
  name: string
  numbers: number[]
  args: TypeName[]
  fields: { name?: string; type: TypeName }[]
}

export interface Query extends At {
  ctes: { at: number; name: string; columns?: string[]; query: Query }[]
  body: Body
  orderBy: Order[]
  offset?: string
  limit?: string
}

export type Body =
  | (At & { kind: 'set'; op: 'UNION' | 'INTERSECT' | 'EXCEPT'; all: boolean; left: Body; right: Body })
  | (At & { kind: 'values'; rows: Expr[][] })
  | (At & { kind: 'nested'; query: Query })
  | Select

export interface Select extends At {
  kind: 'select'
  distinct: boolean
  items: Item[]
  from?: Relation
  where?: Expr
  groupBy?: Grouping[]
  having?: Expr
}

/** `end`: where the expression ends, before its alias. */
export type Item = At & ({ star: true; of?: string[] } | { star: false; expr: Expr; end: number; alias?: string })

export type Grouping =
  | { kind: 'simple'; exprs: Expr[] }
  | { kind: 'ROLLUP' | 'CUBE'; exprs: Expr[] }
  | { kind: 'SETS'; sets: Expr[][] }

export type Relation = At &
  /** `end`: where it ends, before its alias. */
  (
    | { kind: 'table'; names: string[]; asOf?: AsOf; end: number; alias?: Alias }
    | { kind: 'query'; query: Query; alias?: Alias }
    | { kind: 'unnest'; of: Expr[]; ordinality: boolean; alias?: Alias }
    | {
        kind: 'join'
        type: 'INNER' | 'LEFT' | 'RIGHT' | 'FULL' | 'CROSS'
        left: Relation
        right: Relation
        on?: Expr
        using?: string[]
      }
  )

/** FOR VERSION AS OF, FOR TIMESTAMP AS OF: an earlier state of a table. */
export type AsOf = At & ({ of: 'version'; version: string } | { of: 'time'; time: Date })

export interface Alias {
  name: string
  columns?: string[]
}

export type Statement =
  | { kind: 'query'; query: Query }
  | { kind: 'explain'; query: Query; analyze: boolean }
  | { kind: 'tables'; zone?: string; like?: string; at: number }
  | { kind: 'columns' | 'describe'; names: string[]; at: number }
  | { kind: 'schemas' }
