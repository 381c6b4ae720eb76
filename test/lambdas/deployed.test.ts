// What a function finds out about itself: its lake, its contracts, and how much of the machine the engine may use.

import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deployedFromEnvironment, engineSettings, once } from '../../lambdas/common/deployed.ts'
import { makeHandler } from '../../lambdas/contracts/handler.ts'
import { parseContracts, readContracts } from '../../lib/contract/read.ts'
import type { Deployed } from '../../lib/lake/aws/deployed.ts'
import { parseLakeConfig } from '../../lib/lake/config.ts'
import { WEIR_VERSION } from '../../lib/version.ts'

const GB = 1024 ** 3
const MB = 1024 ** 2

const deployed: Deployed = {
  format: 'weir.deployed/1',
  environment: 'weir',
  partition: 'aws',
  region: 'eu-central-1',
  account: '111122223333',
  buckets: { landing: 'l', clean: 'c', curated: 'u', ops: 'o' },
  databases: { clean: 'weir_clean', curated: 'weir_curated', ops: 'weir_ops' },
  workgroups: { analysts: 'weir-analysts', pipeline: 'weir-pipeline' },
  queues: { ingest: 'https://example.com/ingest', deadLetters: 'https://example.com/dlq' },
  functions: { ingest: 'weir-ingest', reconcile: 'weir-reconcile', contracts: 'weir-contracts' },
  eventBus: 'weir-events',
  maxObjectBytes: 1000,
}

describe('the lake of a function', () => {
  it('is named by its environment', () => {
    expect(deployedFromEnvironment({ WEIR_DEPLOYED: JSON.stringify(deployed) })).toEqual(deployed)
    expect(() => deployedFromEnvironment({})).toThrow(/WEIR_DEPLOYED is not set: the stacks set it. Deploy again/)
    expect(() => deployedFromEnvironment({ WEIR_DEPLOYED: '{}' })).toThrow(/does not name a lake/)
    expect(() => deployedFromEnvironment({ WEIR_DEPLOYED: 'nonsense' })).toThrow(/does not name a lake/)
  })

  it('gives the engine the memory beside Node, the CPUs that come with it, and half of /tmp', () => {
    const config = parseLakeConfig('aws: { lambda: { ephemeralStorageMB: 8192 } }', 'weir.yaml')
    expect(engineSettings(config, { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '3008' })).toMatchObject({
      memoryBytes: (3008 - 448) * MB,
      threads: 2,
      maxExpandedBytes: 4 * GB,
    })
    expect(engineSettings(config, { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '10240' }).threads).toBe(6)
    const small = engineSettings(config, { AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512' })
    expect(small.memoryBytes).toBeGreaterThan(150 * MB)
    expect(small.memoryBytes).toBeLessThan(512 * MB)
    expect(engineSettings(config, {}).memoryBytes).toBe(config.memoryBytes)
  })

  it('is opened once, and again after it could not be', async () => {
    let calls = 0
    const open = once(async () => {
      if (++calls === 1) throw new Error('not yet')
      return calls
    })
    await expect(open()).rejects.toThrow('not yet')
    expect(await Promise.all([open(), open()])).toEqual([2, 2])
    expect(await open()).toBe(2)
  })
})

describe('the contracts function', () => {
  it('answers with the very files that it was deployed with', async () => {
    const folder = join(import.meta.dirname, '../../contracts')
    const { files, version } = await makeHandler(folder)()
    expect(version).toBe(WEIR_VERSION)
    expect(files.length).toBeGreaterThan(3)
    for (const { name, text } of files) expect(text).toBe(await readFile(join(folder, name), 'utf8'))
    const hashes = (plans: ReadonlyMap<string, { hash: string }>) => [...plans].map(([name, { hash }]) => [name, hash])
    expect(hashes(parseContracts(files).plans)).toEqual(hashes((await readContracts(folder)).plans))
  })
})
