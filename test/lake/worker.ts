// A second process on a lake, for local.test.ts: node worker.ts <root> count <times> | put | fill | point <name>.

import { PreconditionFailed } from '../../lib/lake/errors.ts'
import { openLocalLake } from '../../lib/lake/local/lake.ts'

const [root = '', job, argument] = process.argv.slice(2)
const lake = await openLocalLake(root)
const { ops, landing } = lake.zones

if (job === 'count') {
  for (let done = 0; done < Number(argument); ) {
    const now = await ops.get('counter')
    try {
      await ops.put('counter', String(Number(now?.body) + 1), { ifMatch: now?.info.etag })
      done++
    } catch (error) {
      if (!(error instanceof PreconditionFailed)) throw error
    }
  }
  await lake.close()
}

if (job === 'put') {
  // Puts whole objects until it is killed; each is one letter, 300,000 times, so that a torn one shows.
  for (let i = 0; ; i++) {
    const body = String.fromCharCode(97 + (i % 26)).repeat(300_000)
    await ops.put('torn', body)
    await landing.put('orders/torn.csv', body)
    await lake.catalog.putPartition('clean.orders', { values: ['v'], location: `orders/${i}/` })
    if (i === 0) process.stdout.write('started\n')
  }
}

if (job === 'fill') {
  await landing.put('orders/big.csv', 'x'.repeat(Number(argument))).then(
    () => process.stdout.write('stored'),
    (error: unknown) => process.stdout.write(String(error)),
  )
  process.stdout.write(`\n${(await landing.head('orders/big.csv'))?.size}\n`)
  await lake.close()
}

if (job === 'point') {
  // Opens and closes the lake for every few changes: the last to close tidies the database up, and others are just opening it.
  await lake.close()
  const told: string[] = []
  for (let turn = 0; turn < 15; turn++) {
    const again = await openLocalLake(root, { log: ({ event }) => told.push(event) })
    for (let i = 0; i < 3; i++)
      await again.catalog.putPartition('clean.orders', { values: [`${argument} ${turn} ${i}`], location: 'x/' })
    await again.close()
  }
  process.stdout.write(JSON.stringify(told))
}
