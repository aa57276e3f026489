import { readFileSync } from 'node:fs'
import { OpenFgaClient } from '@openfga/sdk'
import { expect, test } from 'vitest'
import { presharedKeys, zanzibarServer } from '../../src/adapters/server.ts'
import { memoryStore } from '../../src/store/memory-store.ts'
import { sdkTour } from './sdk-tour.ts'

test('every method of @openfga/sdk is told what OpenFGA tells it', async () => {
  await using server = zanzibarServer({
    store: memoryStore(),
    authenticator: presharedKeys(['one', 'two']),
    limits: { requestTimeout: 600_000 },
  })
  const url = await server.listen({ port: 0 })
  const recorded: unknown = JSON.parse(
    readFileSync(new URL('recorded-sdk-tour.json', import.meta.url), 'utf8'),
  )
  expect(await sdkTour(url, 'two')).toEqual(recorded)
})

// Protected or private: not for who drives the client.
const within = ['constructor', 'getStoreId', 'getAuthorizationModelId', 'singleBatchCheck']

test('no method of the client is left out of the tour', async () => {
  const methods = Object.getOwnPropertyNames(OpenFgaClient.prototype).filter((name) => !within.includes(name))
  expect(methods.length).toBeGreaterThan(25)
  const called = new Set<string>()
  const spies = methods.map((name) => spyOn(name, () => called.add(name)))
  try {
    await using server = zanzibarServer({ store: memoryStore(), limits: { requestTimeout: 600_000 } })
    await sdkTour(await server.listen({ port: 0 }))
  } finally {
    for (const restore of spies) restore()
  }
  expect(methods.filter((name) => !called.has(name))).toEqual([])
})

/** Tells of calls of a method; gives what takes that back. */
function spyOn(name: string, onCall: () => void): () => void {
  const original: unknown = Reflect.get(OpenFgaClient.prototype, name)
  if (typeof original !== 'function') throw new Error(`${name} is no method`)
  Reflect.set(OpenFgaClient.prototype, name, function (this: unknown, ...args: unknown[]): unknown {
    onCall()
    return Reflect.apply(original, this, args)
  })
  return () => void Reflect.set(OpenFgaClient.prototype, name, original)
}
