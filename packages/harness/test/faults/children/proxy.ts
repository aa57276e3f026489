// A proxy in a process of its own, so that its memory can be watched: sends { rss, stats } when asked.
import { tcpProxy } from '../../../src/faults/index.ts'

const proxy = await tcpProxy({ target: process.argv[2] ?? '' })
process.on('message', () => process.send?.({ rss: process.memoryUsage().rss, stats: proxy.stats() }))
console.log(`listening on ${proxy.port}`)
