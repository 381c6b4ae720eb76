// A small evaluator of IAM policies, for what our templates use: identity policies with Allow and Deny, wildcards and string
// conditions. It throws for what it does not know, so that a test never passes for want of understanding.

import { deployed, type Template } from './stacks.ts'

interface Statement {
  Effect: 'Allow' | 'Deny'
  Action: string[]
  Resource: string[]
  Condition?: Record<string, Record<string, string | string[]>>
}

export interface Request {
  action: string
  resource: string
  context?: Record<string, string>
}

const KNOWN = new Set(['Effect', 'Action', 'Resource', 'Condition', 'Sid'])
const list = <T>(value: T | T[]): T[] => (Array.isArray(value) ? value : [value])

/** All statements of a role: inline, attached, and split off by the CDK. */
export function statementsOf(template: Template, roleName: string): Statement[] {
  const [id] =
    Object.entries(template.Resources).find(
      ([, { Type, Properties }]) => Type === 'AWS::IAM::Role' && Properties.RoleName === roleName,
    ) ?? []
  if (id === undefined) throw new Error(`The template has no role ${roleName}.`)
  const role = template.Resources[id]?.Properties ?? {}
  if (role.ManagedPolicyArns?.some((arn: object) => !('Ref' in arn)))
    throw new Error(`${roleName} has a managed policy of AWS, which the tests cannot see.`)
  const documents = (role.Policies ?? []).map((policy: { PolicyDocument: object }) => policy.PolicyDocument)
  for (const { Type, Properties } of Object.values(template.Resources))
    if (Type === 'AWS::IAM::Policy' || Type === 'AWS::IAM::ManagedPolicy')
      if (Properties.Roles?.some((one: { Ref: string }) => one.Ref === id)) documents.push(Properties.PolicyDocument)
  return documents.flatMap((document: object) =>
    list((deployed(document) as { Statement: object[] }).Statement).map(read),
  )
}

function read(statement: object): Statement {
  for (const key of Object.keys(statement))
    if (!KNOWN.has(key)) throw new Error(`A statement has ${key}, which the tests do not know.`)
  const { Effect, Action, Resource, Condition } = statement as Statement
  return { Effect, Action: list(Action), Resource: list(Resource), ...(Condition ? { Condition } : {}) }
}

/** `*` is any text, `?` one character. Actions ignore case. */
function fits(pattern: string, text: string, flags = ''): boolean {
  const source = pattern
    .replaceAll(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '[^]*')
    .replaceAll('?', '[^]')
  return new RegExp(`^${source}$`, flags).test(text)
}

function holds(condition: Statement['Condition'], context: Record<string, string>): boolean {
  return Object.entries(condition ?? {}).every(([operator, keys]) =>
    Object.entries(keys).every(([key, wanted]) => {
      const found = context[key]
      // A key that the request does not have fails every operator without IfExists.
      if (found === undefined) return false
      if (operator === 'StringLike') return list(wanted).some((pattern) => fits(pattern, found))
      if (operator === 'StringEquals') return list(wanted).includes(found)
      throw new Error(`The tests do not know the condition ${operator}.`)
    }),
  )
}

/** What IAM answers: a Deny wins, and what nothing allows is denied. */
export function isAllowed(statements: Statement[], { action, resource, context = {} }: Request): boolean {
  const speaks = statements.filter(
    (statement) =>
      statement.Action.some((pattern) => fits(pattern, action, 'i')) &&
      statement.Resource.some((pattern) => fits(pattern, resource)) &&
      holds(statement.Condition, context),
  )
  return speaks.some(({ Effect }) => Effect === 'Allow') && !speaks.some(({ Effect }) => Effect === 'Deny')
}
