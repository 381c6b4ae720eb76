// Catches what a function writes to its log, as CloudWatch gets it: structured lines, metrics among them.

import { vi } from 'vitest'
import { type Observer, observe } from '../../lambdas/common/observe.ts'

export interface Observed {
  observer: Observer
  lines: Record<string, unknown>[]
  /** Lines of one event. */
  logged(message: string): Record<string, unknown>[]
  /** Metrics in CloudWatch's embedded format. */
  metrics(): Record<string, unknown>[]
}

export function catchLog(): Observed {
  vi.stubEnv('POWERTOOLS_DEV', 'true')
  vi.stubEnv('POWERTOOLS_METRICS_DISABLED', 'false')
  const lines: Record<string, unknown>[] = []
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const)
    vi.spyOn(console, level).mockImplementation((text: string) => {
      lines.push(JSON.parse(text))
    })
  return {
    observer: observe('weir-test'),
    lines,
    logged: (message) => lines.filter((line) => line.message === message),
    metrics: () => lines.filter((line) => '_aws' in line),
  }
}

export function letLogGo(): void {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
}
