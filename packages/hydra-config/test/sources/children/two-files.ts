import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'

/** Replaces a.yaml and then b.yaml, each at once, with ever higher numbers, until it is killed or left alone. */
const [, , folder = ''] = process.argv
process.on('disconnect', () => process.exit())
for (let number = 0; ; number += 1) {
  for (const name of ['a.yaml', 'b.yaml']) {
    writeFileSync(join(folder, 'next'), `n: ${number}\n`)
    renameSync(join(folder, 'next'), join(folder, name))
  }
  if (number === 0) process.send?.('begun')
  await setTimeout(Math.random() < 0.9 ? 0 : 3)
}
