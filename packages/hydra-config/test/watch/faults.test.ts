import { eventually } from '@loadbearing/harness/faults'
import { type Service, skipWithout } from '@loadbearing/harness/services'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type Clock, createHydra, type HydraEvent, type LiveConfig } from '../../src/index.ts'
import {
  ioredisStore,
  natsStore,
  nodeRedisStore,
  postgresStore,
  type Stand,
  type Store,
} from '../sources/stands.ts'

const sliceMs = 100

/** Its timers count the time in which this process runs: where the machine stands still, nothing takes too long. */
const awake: Clock = {
  monotonic: () => performance.now(),
  setTimeout(callback, delay) {
    const timer: { handle?: NodeJS.Timeout } = {}
    const wait = (left: number): void => {
      const next = left > sliceMs ? () => wait(left - sliceMs) : callback
      timer.handle = setTimeout(next, Math.min(left, sliceMs))
    }
    wait(delay)
    return timer
  },
  clearTimeout: (timer) => clearTimeout((timer as { handle?: NodeJS.Timeout }).handle),
}

/** A server of its own, which may be killed. */
const options = { name: 'hydra-config-faults' }

const stores: readonly [string, string | false, () => Promise<Store>][] = [
  ['PostgreSQL by a Pool of pg', skipWithout('postgres'), () => postgresStore('Pool', options)],
  ['PostgreSQL by postgres', skipWithout('postgres'), () => postgresStore('postgres', options)],
  ['Redis by ioredis', skipWithout('redis'), () => ioredisStore(6, options)],
  ['Redis by ioredis 5', skipWithout('redis'), () => ioredisStore(5, options)],
  ['Redis by node-redis', skipWithout('redis'), () => nodeRedisStore(6, options)],
  ['Redis by node-redis 5', skipWithout('redis'), () => nodeRedisStore(5, options)],
  ['NATS KV', skipWithout('nats'), () => natsStore(options)],
]

describe.each(stores)('%s', (_, skipped, open) => {
  describe.skipIf(skipped)('under watch', () => {
    let store: Store
    let stand: Stand
    let service: Service
    let events: HydraEvent[]

    beforeAll(async () => {
      store = await open()
      if (store.service === undefined) throw new Error('there is no server')
      service = store.service
      stand = await store.stand()
    })

    afterAll(async () => {
      await stand[Symbol.asyncDispose]()
      await store[Symbol.asyncDispose]()
    })

    beforeEach(() => {
      events = []
    })

    async function watching(name: string): Promise<LiveConfig<unknown>> {
      await stand.publish(name, new Map([['config.yaml', 'revision: 1\n']]))
      const hydra = createHydra({
        sources: [stand.source(name)],
        clock: awake,
        onEvent: (event) => events.push(event),
      })
      return await hydra.watch({ config: 'config', pollEvery: 100, timeout: 2000 })
    }

    async function publishes(name: string, revision: number): Promise<void> {
      await eventually(
        async () => {
          // Until the clients, and the server, are as before.
          await stand.publish(name, new Map([['config.yaml', `revision: ${revision}\n`]]))
          return true
        },
        { within: '20s' },
      )
    }

    async function shows(live: LiveConfig<unknown>, revision: number): Promise<void> {
      await eventually(() => JSON.stringify(live.current.value) === `{"revision":${revision}}`, {
        within: '20s',
        what: `revision ${revision}`,
      })
    }

    function reloads(): string[] {
      return events.map(({ type }) => type).filter((type) => type.startsWith('reload'))
    }

    test('the server is killed: the old configuration stays, one error is told, and it goes on', async () => {
      await using live = await watching('killed')
      await service.kill()
      await eventually(() => reloads().includes('reload.error'), { within: '20s' })
      expect(live.current.value).toEqual({ revision: 1 })
      await service.restart()
      await eventually(() => reloads().includes('reload.recovered'), { within: '25s' })
      expect(reloads()).toEqual(['reload.error', 'reload.recovered'])
      await publishes('killed', 2)
      await shows(live, 2)
      await publishes('killed', 3)
      await shows(live, 3)
      expect(reloads().filter((type) => type === 'reload.error')).toHaveLength(1)
    }, 60_000)

    test('the server does not answer for a while: the same', async () => {
      await using live = await watching('paused')
      await service.pause()
      try {
        await eventually(() => reloads().includes('reload.error'), { within: '20s' })
        expect(live.current.value).toEqual({ revision: 1 })
      } finally {
        await service.resume()
      }
      await eventually(() => reloads().includes('reload.recovered'), { within: '25s' })
      expect(reloads()).toEqual(['reload.error', 'reload.recovered'])
      await publishes('paused', 2)
      await shows(live, 2)
    }, 60_000)

    test('to dispose while the server does not answer', async () => {
      const live = await watching('disposed')
      await service.pause()
      try {
        await eventually(() => reloads().includes('reload.error'), { within: '20s' })
        await expect(live[Symbol.asyncDispose]()).resolves.toBeUndefined()
      } finally {
        await service.resume()
      }
    }, 60_000)
  })
})
