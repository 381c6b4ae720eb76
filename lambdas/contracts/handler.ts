// The contracts function: hands out the contract files that the lake works by, so that people check against those and no
// others. It reads the files that were deployed with it, and nothing else.

import { readFile } from 'node:fs/promises'
import { join, relative, sep } from 'node:path'
import middy from '@middy/core'
import { observe } from '../common/observe.ts'

export interface DeployedContracts {
  /** By their path below the folder of contracts, with `/`. */
  files: { name: string; text: string }[]
  /** Of Weir. */
  version: string
}

/** Answers with the contracts of a folder, whatever is asked. */
export function makeHandler(folder: string): () => Promise<DeployedContracts> {
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
    return { files, version: WEIR_VERSION }
  }
}

export const handler = middy(makeHandler(join(import.meta.dirname, 'contracts'))).use(observe().middleware)
