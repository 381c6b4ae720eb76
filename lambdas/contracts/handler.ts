// The contracts function: hands out the contracts and models that the lake works by, so that people check against those and no
// others. It reads the files that were deployed with it, and nothing else.

import { readdir, readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import middy from '@middy/core'
import { observe } from '../common/observe.ts'

export interface DeployedContracts {
  /** By their path below the folder of contracts, with `/`. */
  files: { name: string; text: string }[]
  /** SQL models, by their names in the folder of models. */
  models: { name: string; text: string }[]
  /** Of Weir. */
  version: string
}

/** Answers with the contracts of a folder, and the models of another, whatever is asked. */
export function makeHandler(folder: string, models: string): () => Promise<DeployedContracts> {
  return async () => {
    const { contractFiles } = await import('../../lib/contract/read.ts')
    const { WEIR_VERSION } = await import('../../lib/version.ts')
    const paths = await contractFiles(folder)
    const files = await Promise.all(
      paths.map(async (path) => ({
        name: relative(folder, path).split(sep).join('/'),
        text: await readFile(path, 'utf8'),
      })),
    )
    return { files, models: await modelFiles(models), version: WEIR_VERSION }
  }
}

/** Whoever deployed them has read them: nothing is looked into here. */
async function modelFiles(folder: string): Promise<DeployedContracts['models']> {
  const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  return Promise.all(
    names
      .filter((name) => name.endsWith('.sql'))
      .sort()
      .map(async (name) => ({ name, text: await readFile(join(folder, name), 'utf8') })),
  )
}

const { dirname: here } = import.meta

export const handler = middy(makeHandler(join(here, 'contracts'), join(here, 'models'))).use(observe().middleware)
