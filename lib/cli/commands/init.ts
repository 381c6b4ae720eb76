// `weir init [dir]`: a new lake folder with a contract to learn from and a sample file to drop.

import { mkdir, stat, writeFile } from 'node:fs/promises'
import { dirname, join, relative, resolve } from 'node:path'
import type { Command } from 'commander'
import { shellWord } from '../../lake/render/format.ts'
import { UsageError } from '../errors.ts'
import { act, type Cli, defineCommand, type GlobalOptions } from '../run.ts'
import { STARTER_FILES } from '../starter.ts'

export function initCommand(cli: Cli): Command {
  return defineCommand('init', 'make a new lake in a folder', ['weir init my-lake'])
    .argument('[dir]', 'the folder (default: this one)')
    .action(
      act<[string | undefined], GlobalOptions>(cli, async (run, options, dir) => {
        if (dir === undefined && options.lake?.startsWith('aws:'))
          throw new UsageError(
            `A lake on AWS is made by deploying one: npx cdk deploy --all. For a lake in a folder: weir init my-lake`,
          )
        const given = dir ?? options.lake ?? '.'
        const root = resolve(run.io.cwd, given)
        await refuseWhatIsThere(root)
        const { createLocalLake } = await import('../../lake/local/lake.ts')
        await createLocalLake(root)
        const files = Object.keys(STARTER_FILES)
        for (const [name, content] of Object.entries(STARTER_FILES)) {
          await mkdir(dirname(join(root, name)), { recursive: true })
          // wx: whatever came to be in between is not overwritten.
          await writeFile(join(root, name), content, { flag: 'wx' })
        }
        const here = relative(run.io.cwd, root)
        run.say(`${run.paint('good', '✓')} A new lake in ${root}`)
        run.say('')
        run.say('Try it:')
        if (here !== '') run.say(`  cd ${shellWord(here)}`)
        run.say('  weir drop samples/orders.csv')
        run.say('  weir query "select country, count(*) as orders from clean.orders group by country order by country"')
        run.say('  weir query "select * from curated.orders_by_country order by revenue desc"')
        return { exit: 0, json: { lake: root, files } }
      }),
    )
}

async function refuseWhatIsThere(root: string): Promise<void> {
  const there = async (name: string) => (await stat(join(root, name)).catch(() => undefined)) !== undefined
  const folder = await stat(root).catch(() => undefined)
  if (folder && !folder.isDirectory()) throw new UsageError(`${root} is a file. Name a folder.`)
  if (await there('weir.yaml')) {
    throw new UsageError(
      `${root} is a lake already; nothing was changed. To see what it holds: weir receipts --lake ${shellWord(root)}`,
    )
  }
  const taken: string[] = []
  for (const name of Object.keys(STARTER_FILES)) if (await there(name)) taken.push(name)
  if (taken.length > 0) {
    throw new UsageError(
      `${root} already has ${taken.join(', ')}; nothing was changed. Make the lake in a folder of its own: weir init my-lake`,
    )
  }
}
