// The reconcile function: called by a clock and by deployments, it finds what no event told of and what was interrupted, and has
// every curated table looked at.

import middy from '@middy/core'
import { once, openDeployed } from '../common/deployed.ts'
import { openFollow } from '../common/follow.ts'
import { observe } from '../common/observe.ts'
import { makeHandler } from './sweep.ts'

const observer = observe()

export const handler = middy(makeHandler(once(openDeployed), observer, { follow: openFollow().all })).use(
  observer.middleware,
)
