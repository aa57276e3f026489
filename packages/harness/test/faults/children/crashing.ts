// Passes two crash points in turn, as often as its argument says, and tells each on standard output.
import { writeSync } from 'node:fs'
import { crashPoint } from '../../../src/faults/index.ts'

const rounds = Number(process.argv[2])
process.on('exit', () => writeSync(1, 'exit handler ran\n'))
for (let round = 1; round <= rounds; round++) {
  crashPoint('before-write')
  writeSync(1, `wrote ${round}\n`)
  crashPoint('after-write')
}
