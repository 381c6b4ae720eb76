// weir.yaml: defaults, sizes, mistakes named with what is allowed, and finding the lake from below.

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bytesOf, findLake, parseLakeConfig, readLakeConfig } from '../../lib/lake/config.ts'
import { ConfigError } from '../../lib/lake/errors.ts'

const GB = 1024 ** 3
const file = '/lakes/shop/weir.yaml'

describe('weir.yaml', () => {
  test('an empty file gives the defaults', () => {
    const { threads, aws, ...config } = parseLakeConfig('', file)
    expect(threads).toBeGreaterThanOrEqual(1)
    expect(config).toEqual({
      root: '/lakes/shop',
      name: 'shop',
      environment: 'weir',
      target: 'local',
      contracts: '/lakes/shop/contracts',
      models: '/lakes/shop/models',
      memoryBytes: GB,
      durable: true,
      limits: { maxExpandedBytes: 50 * GB, maxExpansion: 200, maxRecordBytes: 16 * 1024 ** 2, maxRuleSeconds: 300 },
      landing: { keepVersions: true },
      curate: 'auto',
      curated: { keepVersions: 10 },
    })
    expect(aws).toEqual({
      removalPolicy: 'retain',
      encryption: 's3',
      accessLogs: false,
      maxObjectSize: 2 * GB,
      lambda: {
        memoryMB: 3008,
        architecture: 'arm64',
        timeoutSeconds: 900,
        ephemeralStorageMB: 10_240,
        maximumConcurrency: 6,
        batchSize: 1,
      },
      retention: {
        athenaResultsDays: 30,
        logDays: 90,
        tierLandingDays: 90,
        archiveLandingDays: 365,
        accessLogDays: 90,
      },
      reconcile: 'rate(1 hour)',
      curate: { delaySeconds: 30, memoryMB: 1024, maximumConcurrency: 2, maintenance: 'rate(1 day)' },
      scanLimit: 100 * GB,
      notifications: { receiptLink: 'console' },
      uploaders: {},
      principals: { uploaders: [], analysts: [], engineers: [] },
    })
  })

  test('a deployment says what differs from the defaults', () => {
    const { aws } = parseLakeConfig(
      'environment: shop-prod\ntarget: aws\naws: {lambda: {architecture: x64}, uploaders: {shop: [orders]}, maxObjectSize: 500MB}',
      file,
    )
    expect(aws).toMatchObject({
      lambda: { architecture: 'x64', memoryMB: 3008 },
      uploaders: { shop: ['orders'] },
      maxObjectSize: 500 * 1024 ** 2,
    })
  })

  test('sizes are texts or numbers', () => {
    expect([bytesOf('1GB'), bytesOf('512 MB'), bytesOf('1.5GiB'), bytesOf(100), bytesOf('7')]).toEqual([
      GB,
      512 * 1024 ** 2,
      1.5 * GB,
      100,
      7,
    ])
    expect([bytesOf('much'), bytesOf('-1GB'), bytesOf('1 GBit')]).toEqual([undefined, undefined, undefined])
    expect(parseLakeConfig('memory: 512MB\nlimits: {maxRecordBytes: 1MB}', file)).toMatchObject({
      memoryBytes: 512 * 1024 ** 2,
      limits: { maxRecordBytes: 1024 ** 2, maxExpansion: 200 },
    })
  })

  test.each([
    [
      'memori: 1GB',
      /memori: weir\.yaml has no such setting; it knows: name, environment, target, contracts, models, memory/,
    ],
    ['landing: {keepVersion: false}', /keepVersion: landing has no such setting; it knows: keepVersions\./],
    ['limits: {maxBytes: 1}', /maxBytes: limits has no such setting; it knows: maxExpandedBytes, maxExpansion/],
    ['memory: lots', /memory: must be a size of at least \d+ bytes, like 512MB.* Found "lots"/],
    ['memory: 1MB', /memory: must be a size of at least/],
    ['threads: 0', /threads: .*Found 0/],
    ['target: moon', /target: .*"local".*"aws".* Found "moon"/],
    ['environment: Shop', /environment: must be 2 to 20 of a-z.* Found "Shop"/],
    ['aws: {memory: 1}', /memory: aws has no such setting; it knows: region, removalPolicy/],
    ['aws: {lambda: {memory: 1}}', /memory: aws\.lambda has no such setting; it knows: memoryMB, architecture/],
    ['aws: {maxObjectSize: 5GB}', /aws\.maxObjectSize: must be at most a third of lambda\.ephemeralStorageMB/],
    ['aws: {reconcile: hourly}', /aws\.reconcile: must be like rate\(1 hour\)/],
    ['aws: {retention: {tierLandingDays: 350}}', /aws\.retention\.archiveLandingDays: must be at least 30 days more/],
    ['aws: {principals: {analysts: ["*"]}}', /aws\.principals\.analysts\.0: must be the ARN of a user or role/],
    ['aws: {uploaders: {Shop!: [orders]}}', /aws\.uploaders\.Shop!: .*/],
    ['a: [', /line 1/],
    ['- a', /weir\.yaml: .*expected object/i],
  ])('%s is a mistake, with what is allowed', (text, message) => {
    expect(() => parseLakeConfig(text, file)).toThrow(ConfigError)
    expect(() => parseLakeConfig(text, file)).toThrow(message)
    expect(() => parseLakeConfig(text, file)).toThrow(/^\/lakes\/shop\/weir\.yaml cannot be used:/)
  })
})

describe('finding the lake', () => {
  let root: string
  beforeAll(async () => {
    root = await mkdtemp(join(tmpdir(), 'weir-find-'))
    await mkdir(join(root, 'a/b/c'), { recursive: true })
    await writeFile(join(root, 'a', 'weir.yaml'), 'name: shop\n')
  })
  afterAll(() => rm(root, { recursive: true }))

  test('is the nearest folder upward with a weir.yaml', async () => {
    expect(await findLake(join(root, 'a/b/c'))).toBe(join(root, 'a'))
    expect(await findLake(join(root, 'a'))).toBe(join(root, 'a'))
    expect(await findLake(root)).toBeUndefined()
    expect((await readLakeConfig(join(root, 'a'))).name).toBe('shop')
  })

  test('a folder without one says what to do', async () => {
    await expect(readLakeConfig(root)).rejects.toThrow(/weir\.yaml cannot be used:\n.*Run "weir init"/)
  })
})
