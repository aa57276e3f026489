// Starts a heartbeat with the harness, says its process id and waits to be killed.
import { startChild } from '../../../src/faults/index.ts'

const child = await startChild(new URL('heartbeat.ts', import.meta.url), { ready: 'ready' })
console.log('started', child.pid, (await child.line('beat')).trim())
