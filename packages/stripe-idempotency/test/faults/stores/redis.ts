import { setTimeout as pause } from 'node:timers/promises'
import { redis } from '@loadbearing/harness/services'
import { redisStore } from '@loadbearing/stripe-idempotency/redis'
import { Redis } from 'ioredis'
import { entriesOf, type Stage } from './stage.ts'

export async function redisStage(): Promise<Stage> {
  const service = await redis({ name: 'idempotency-faults' })
  const client = new Redis(service.url)
  client.on('error', () => {})
  const store = await redisStore({ client })
  const accounts = new Set<string>()
  return {
    kind: 'redis',
    url: service.url,
    store,
    async prepare(balances) {
      await client.flushall()
      for (const [name, balance] of Object.entries({ ...balances, savings: 0 })) {
        accounts.add(name)
        await client.set(`account:${name}`, balance)
      }
    },
    async look() {
      const lines = await client.lrange('ledger', 0, -1)
      const balances = await Promise.all([...accounts].map((name) => client.get(`account:${name}`)))
      return {
        entries: entriesOf(lines.map((line): Record<string, unknown> => JSON.parse(line))),
        balance: balances.reduce((sum, each) => sum + Number(each), 0),
      }
    },
    async kill() {
      await service.kill()
      await service.restart()
    },
    async outage(ms) {
      await service.pause()
      await pause(ms)
      await service.resume()
    },
    async fenceOff(fenced, floor) {
      await client.hset('fences', fenced, floor)
    },
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]()
      client.disconnect()
      await service.stop()
    },
  }
}
