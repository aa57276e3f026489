import { writeSync } from 'node:fs'
import { fromDir } from '../../../src/adapters/node.ts'
import { createHydra } from '../../../src/index.ts'

/** Watches a directory, and either does nothing more or waits for one reload. */
const [, , mode, folder = ''] = process.argv
const live = await createHydra({ sources: [fromDir(folder)] }).watch({ config: 'config' })
writeSync(1, 'watching\n')
if (mode === 'waiting') {
  for await (const { value } of live) {
    writeSync(1, `reloaded ${JSON.stringify(value)}\n`)
    break
  }
}
