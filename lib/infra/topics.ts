// Who hears of uploads: one topic per dataset, subscribed from the support channels of its contract.

import type { Key } from 'aws-cdk-lib/aws-kms'
import { CfnSubscription, Topic } from 'aws-cdk-lib/aws-sns'
import { Construct } from 'constructs'
import type { Plan } from '../contract/plan.ts'
import { topicName } from '../lake/aws/deployed.ts'

export interface TopicsProps {
  environment: string
  plans: Plan[]
  key?: Key
}

export class Topics extends Construct {
  constructor(scope: Construct, id: string, { environment, plans, key }: TopicsProps) {
    super(scope, id)
    for (const plan of plans) {
      const topic = new Topic(this, plan.dataset, {
        topicName: topicName(environment, plan.dataset),
        displayName: `Weir: ${plan.dataset}`.slice(0, 100),
        enforceSSL: true,
        ...(key ? { masterKey: key } : {}),
      })
      for (const [index, { protocol, endpoint }] of subscriptionsOf(plan).entries())
        new CfnSubscription(topic, `Channel${index + 1}`, { topicArn: topic.topicArn, protocol, endpoint })
    }
  }
}

export interface Subscription {
  protocol: 'email' | 'https'
  endpoint: string
}

/** Tools whose https: addresses are pages for people: these are what the standard recommends to say, email aside. */
const FOR_PEOPLE = new Set(['slack', 'teams', 'discord', 'googlechat', 'ticket'])

/** The support channels that SNS can reach: mailto: and https. Others (a chat room) are for people. */
export function subscriptionsOf(plan: Pick<Plan, 'support'>): Subscription[] {
  const found = plan.support.flatMap(({ url, tool }): Subscription[] => {
    if (url === undefined) return []
    const address = /^mailto:([^?]+)/i.exec(url)?.[1]
    if (address !== undefined)
      return address.split(',').map((one) => ({ protocol: 'email', endpoint: decodeURIComponent(one.trim()) }))
    return /^https:\/\//i.test(url) && !FOR_PEOPLE.has(tool?.toLowerCase() ?? '')
      ? [{ protocol: 'https', endpoint: url }]
      : []
  })
  return found.filter((one, index) => found.findIndex((other) => other.endpoint === one.endpoint) === index)
}
