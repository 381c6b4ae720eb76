// The ingest function: events of the landing bucket come by the queue, and each key is brought to its decision.

import middy from '@middy/core'
import { once, openDeployed } from '../common/deployed.ts'
import { observe } from '../common/observe.ts'
import { makeHandler } from './batch.ts'

const observer = observe()

export const handler = middy(makeHandler(once(openDeployed), observer)).use(observer.middleware)
