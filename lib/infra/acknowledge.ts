// Findings of cdk-nag that are right as they are, each on the one construct that has it and with its reason.

import { Stack, Validations } from 'aws-cdk-lib'
import type { IConstruct } from 'constructs'

/**
 * Acknowledges findings on one construct.
 *
 * @example
 * acknowledge(bucket, 'Access logs are an option: aws.accessLogs.', 'AwsSolutions-S1')
 */
export function acknowledge(construct: IConstruct, reason: string, ...ids: string[]): void {
  for (const id of ids) Validations.of(construct).acknowledge({ id, reason })
}

/** The id of the finding that a statement's resource has a wildcard, as cdk-nag writes resources. */
export const wildcard = (construct: IConstruct, resource: string): string =>
  `AwsSolutions-IAM5[Resource::${flat(Stack.of(construct).resolve(resource))}]`

/** Intrinsic functions as cdk-nag flattens them: names in angle brackets. */
function flat(value: unknown): string {
  if (typeof value === 'string') return value
  const [[name, inner] = ['', '']] = Object.entries(value as Record<string, unknown>)
  if (name === 'Ref') return `<${String(inner)}>`
  if (name === 'Fn::GetAtt') return `<${(inner as string[]).join('.')}>`
  if (name === 'Fn::Join') return (inner as [string, unknown[]])[1].map(flat).join((inner as [string, unknown[]])[0])
  return JSON.stringify(value)
}
