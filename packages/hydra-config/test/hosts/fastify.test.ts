import { createRequire } from 'node:module'
import { eventually } from '@loadbearing/harness/faults'
import { hydraConfig } from '@loadbearing/hydra-config/fastify'
import { fastify } from 'fastify'
import { describe, expect, test } from 'vitest'
import { z } from 'zod'
import { HandSource } from '../watch/hand-source.ts'

declare module '@loadbearing/hydra-config/fastify' {
  interface Configuration {
    readonly value: { readonly greeting: string }
  }
}

const schema = z.object({ greeting: z.string() })
const require = createRequire(import.meta.url)
const fastify4: typeof import('fastify') = require('fastify4')

describe.each([
  ['4', fastify4.fastify],
  ['5', fastify],
])('Fastify %s', (_, make) => {
  test('the configuration is there for plugins and routes, follows its source, and ends with the instance', async () => {
    const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
    const app = make()
    await app.register(hydraConfig, { source, config: 'config', schema })
    await app.register(async (inner) => {
      inner.get('/', () => inner.config.current.value.greeting.toUpperCase())
    })
    expect((await app.inject('/')).body).toBe('HELLO')
    source.set({ 'config.yaml': 'greeting: good day\n' })
    await eventually(async () => (await app.inject('/')).body === 'GOOD DAY', { what: 'the new greeting' })
    expect(source.watchers).toBe(1)
    await app.close()
    expect(source.watchers).toBe(0)
  })

  test('what cannot be composed keeps the instance from starting', async () => {
    const app = make()
    const source = new HandSource({ 'config.yaml': 'greeting: 1\n' })
    const registered = Promise.resolve(app.register(hydraConfig, { source, config: 'config', schema }))
    await expect(registered).rejects.toMatchObject({ code: 'CONFIG_INVALID', path: 'greeting' })
    await app.close().catch(() => undefined)
  })

  test('a second one on the same instance is refused, and its watch ends too', async () => {
    const app = make()
    const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
    const second = new HandSource({ 'config.yaml': 'greeting: bye\n' })
    await app.register(hydraConfig, { source, config: 'config', schema })
    app.register(hydraConfig, { source: second, config: 'config', schema })
    await expect(app.ready()).rejects.toMatchObject({ code: 'FST_ERR_DEC_ALREADY_PRESENT' })
    await app.close().catch(() => undefined)
    expect([source.watchers, second.watchers]).toEqual([0, 0])
  })

  test('a plugin can have one of its own', async () => {
    const app = make()
    const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
    const second = new HandSource({ 'config.yaml': 'greeting: bye\n' })
    await app.register(hydraConfig, { source, config: 'config', schema })
    app.get('/', () => app.config.current.value.greeting)
    await app.register(async (inner) => {
      await inner.register(hydraConfig, { source: second, config: 'config', schema })
      inner.get('/inner', () => inner.config.current.value.greeting)
    })
    expect([(await app.inject('/')).body, (await app.inject('/inner')).body]).toEqual(['hello', 'bye'])
    await app.close()
    expect([source.watchers, second.watchers]).toEqual([0, 0])
  })

  test('where another plugin fails, the watch ends with the instance', async () => {
    const app = make()
    const source = new HandSource({ 'config.yaml': 'greeting: hello\n' })
    await app.register(hydraConfig, { source, config: 'config', schema })
    app.register(async () => {
      throw new RangeError('no database')
    })
    await expect(app.ready()).rejects.toThrow('no database')
    await app.close().catch(() => undefined)
    expect(source.watchers).toBe(0)
  })
})
