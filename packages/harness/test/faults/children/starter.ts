// Starts another child with the harness, says the process ids and waits to be killed.
import { startChild } from '../../../src/faults/index.ts'

const child = await startChild(new URL('silent.ts', import.meta.url))
console.log('started', child.pid, /\d+/.exec(await child.line('ready'))?.[0])
