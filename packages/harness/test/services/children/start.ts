// Starts the service named by its first argument, as the user of its second (an id), and says its url and process id.
import { kafka, nats, postgres, redis, type Service } from '../../../src/services/index.ts'

const [kind, user] = process.argv.slice(2)
if (user !== undefined) {
  process.setgroups?.([])
  process.setgid?.(Number(user))
  process.setuid?.(Number(user))
  process.env['HOME'] = '/nonexistent'
}
const start = { postgres, redis, nats, kafka }[String(kind)]
const service: Service | undefined = await start?.()
console.log('started', JSON.stringify({ url: service?.url, pid: service?.pid }))
process.on('message', (verb) => void obey(verb))

async function obey(verb: unknown): Promise<void> {
  if (verb === 'pause' || verb === 'kill') await service?.[verb]()
  else await service?.stop()
  console.log('done')
  if (verb === 'stop') process.disconnect?.()
}
