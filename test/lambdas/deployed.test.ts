// What a function finds out about itself: its lake, its contracts, and how much of the machine the engine may use.

import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { deployedFromEnvironment, engineSettings, once } from '../../lambdas/common/deployed.ts'
import { openPlans } from '../../lambdas/common/plans.ts'
import { makeHandler } from '../../lambdas/contracts/handler.ts'
import { contractsIndex, indexContracts, parseContracts, readContracts } from '../../lib/contract/read.ts'
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
  queues: {
    ingest: 'https://example.com/ingest',
    deadLetters: 'https://example.com/dlq',
    curate: 'https://example.com/curate.fifo',
    curateDeadLetters: 'https://example.com/curate-dlq.fifo',
  },
  functions: {
    ingest: 'weir-ingest',
    reconcile: 'weir-reconcile',
    contracts: 'weir-contracts',
    curate: 'weir-curate',
  },
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

  it('that an older version deployed gets the names that its curated zone would have', () => {
    const { curate: _queue, curateDeadLetters: _dead, ...queues } = deployed.queues
    const { curate: _function, ...functions } = deployed.functions
    const old = { ...deployed, queues, functions }
    expect(deployedFromEnvironment({ WEIR_DEPLOYED: JSON.stringify(old) })).toEqual({
      ...deployed,
      queues: {
        ...queues,
        curate: 'https://example.com/weir-curate.fifo',
        curateDeadLetters: 'https://example.com/weir-curate-dlq.fifo',
      },
    })
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

describe('the plans of a function', () => {
  it('are those of the contracts, each compiled when it is asked for', async () => {
    const folder = join(await mkdtemp(join(tmpdir(), 'weir-plans-')), 'contracts')
    const source = join(import.meta.dirname, '../../contracts')
    await cp(source, folder, { recursive: true })
    const { files } = await makeHandler(source, folder)()
    await writeFile(contractsIndex(folder), JSON.stringify({ ...indexContracts(files), broken: 'broken.yaml' }))
    await writeFile(join(folder, 'broken.yaml'), 'nonsense: [')
    const expected = (await readContracts(source)).plans
    const plans = await openPlans(folder)
    expect([...plans.keys()].sort()).toEqual([...expected.keys(), 'broken'].sort())
    expect(plans.size).toBe(expected.size + 1)
    expect([...expected.keys()].map((name) => plans.get(name)?.hash)).toEqual(
      [...expected.values()].map((plan) => plan.hash),
    )
    expect(plans.get('movies')).toBe(plans.get('movies'))
    expect(plans.get('nobody')).toBeUndefined()
    expect([plans.has('movies'), plans.has('nobody')]).toEqual([true, false])
    // The others are fine as long as nobody needs it; then it is an error, and no missing dataset.
    expect(() => plans.get('broken')).toThrow(/broken.yaml/)
    expect(() => [...plans.values()]).toThrow(/broken.yaml/)
    await writeFile(contractsIndex(folder), JSON.stringify(indexContracts(files)))
    const whole = await openPlans(folder)
    expect([...whole].map(([name, plan]) => `${name} ${plan.hash}`).sort()).toEqual(
      [...expected].map(([name, plan]) => `${name} ${plan.hash}`).sort(),
    )
    await rm(dirname(folder), { recursive: true })
  })
})

describe('the contracts function', () => {
  it('answers with the very files that it was deployed with', async () => {
    const folder = join(import.meta.dirname, '../../contracts')
    const models = await mkdtemp(join(tmpdir(), 'weir-models-'))
    await writeFile(join(models, 'days.sql'), 'SELECT 1 AS one\n')
    await writeFile(join(models, 'notes.txt'), 'no model')
    const { files, version, ...rest } = await makeHandler(folder, models)()
    expect(rest).toEqual({ models: [{ name: 'days.sql', text: 'SELECT 1 AS one\n' }] })
    expect((await makeHandler(folder, join(models, 'none'))()).models).toEqual([])
    await rm(models, { recursive: true })
    expect(version).toBe(WEIR_VERSION)
    expect(files.length).toBeGreaterThan(3)
    for (const { name, text } of files) expect(text).toBe(await readFile(join(folder, name), 'utf8'))
    const hashes = (plans: ReadonlyMap<string, { hash: string }>) => [...plans].map(([name, { hash }]) => [name, hash])
    expect(hashes(parseContracts(files).plans)).toEqual(hashes((await readContracts(folder)).plans))
  })
})
