import diagnostics from 'node:diagnostics_channel'
import { DatabaseSync } from 'node:sqlite'
import {
  createIdempotency,
  type Idempotency,
  type LeaseLostEvent,
  memoryStore,
  type OutcomeEvent,
  type RunRequest,
} from '@loadbearing/stripe-idempotency'
import { sqliteStore } from '@loadbearing/stripe-idempotency/sqlite'
import { afterEach, describe, expect, test, vi } from 'vitest'

afterEach(() => {
  vi.restoreAllMocks()
})

const request: RunRequest = { scope: 'secret-scope', key: 'secret-key', input: { card: 'secret-card' } }

/** Processes on one store, whose clock is moved by hand. */
function world(): { process: () => Idempotency; pass: (ms: number) => void } {
  let now = 0
  const at = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} }
  const store = memoryStore({ clock: { ...at, monotonic: () => now } })
  return {
    process: () => createIdempotency({ store, clock: { ...at, monotonic: () => now } }),
    pass: (ms) => (now += ms),
  }
}

/** What the listeners and the channels were told while `body` ran. */
async function told(
  idempotency: Pick<Idempotency, 'on'>,
  body: () => Promise<unknown>,
): Promise<{ heard: OutcomeEvent[]; lost: LeaseLostEvent[]; published: unknown[] }> {
  const heard: OutcomeEvent[] = []
  const lost: LeaseLostEvent[] = []
  const published: unknown[] = []
  const publish = (event: unknown): void => void published.push(event)
  const names = ['outcome', 'lease-lost'].map((name) => `loadbearing:stripe-idempotency:${name}`)
  const ends = [
    idempotency.on('outcome', (event) => heard.push(event)),
    idempotency.on('lease-lost', (event) => lost.push(event)),
  ]
  for (const name of names) diagnostics.subscribe(name, publish)
  try {
    await body()
  } finally {
    for (const name of names) diagnostics.unsubscribe(name, publish)
    for (const end of ends) end()
  }
  return { heard, lost, published }
}

describe('outcomes', () => {
  test('are told of each request, with how long it took', async () => {
    const { process, pass } = world()
    const own = process()
    const { heard, published } = await told(own, async () => {
      await own.run(request, async () => {
        pass(70)
        await expect(own.run(request, async () => 2)).rejects.toThrow('at work')
      })
      await own.run(request, async () => 3)
      await expect(own.run({ ...request, input: 1 }, async () => 4)).rejects.toThrow('another input')
      const failing = own.run({ ...request, key: 'other' }, () => Promise.reject(new Error('no')))
      await expect(failing).rejects.toThrow('no')
    })
    expect(heard.map(({ outcome, duration }) => [outcome, duration])).toEqual([
      ['conflict', 0],
      ['executed', 70],
      ['replayed', 0],
      ['mismatch', 0],
      ['released', 0],
    ])
    expect(published).toEqual(heard)
    expect(new Set(heard.slice(0, 4).map(({ keyHash }) => keyHash)).size).toBe(1)
  })

  test('of a store that fails has the code of the error, and of an abandoned key it is uncertain', async () => {
    const { process, pass } = world()
    const broken = createIdempotency({
      store: Object.assign(memoryStore(), { claim: () => Promise.reject(new Error('down')) }),
    })
    const failed = await told(broken, () => broken.run(request, async () => 1).catch(() => null))
    expect(failed.heard).toMatchObject([{ outcome: 'failed', code: 'store_unavailable', recordId: null }])
    const own = process()
    void own.run(request, () => new Promise(() => {}))
    await expect(own.run(request, async () => 1)).rejects.toThrow('at work')
    pass(60_000)
    const lost = await told(own, () => own.run(request, async () => 1).catch(() => null))
    expect(lost.heard).toMatchObject([{ outcome: 'uncertain', code: null }])
  })

  test('tell no key, scope or body', async () => {
    const { process } = world()
    const own = process()
    const { published } = await told(own, async () => {
      await own.run(request, async () => 'secret-answer')
      await own.run(request, async () => 'secret-answer')
    })
    expect(published).toHaveLength(2)
    expect(JSON.stringify(published)).not.toContain('secret')
  })

  test('of a transaction are told once, whatever its tries', async () => {
    using database = new DatabaseSync(':memory:')
    const store = sqliteStore({ database })
    const own = createIdempotency<DatabaseSync>({ store })
    const busy = Object.assign(new Error('database is locked'), { code: 'ERR_SQLITE_ERROR', errcode: 5 })
    let tries = 0
    const { heard } = await told(own, async () => {
      await own.transaction(request, async () => {
        if (++tries === 1) throw busy
        return 1
      })
      await own.transaction(request, async () => 2)
      await expect(own.transaction({ ...request, input: 1 }, async () => 3)).rejects.toThrow('another input')
      const failing = own.transaction({ ...request, key: 'other' }, () => Promise.reject(new Error('no')))
      await expect(failing).rejects.toThrow('no')
    })
    expect(tries).toBe(2)
    expect(heard.map(({ outcome }) => outcome)).toEqual(['executed', 'replayed', 'mismatch', 'released'])
  })

  test('over HTTP are told as well', async () => {
    const { process } = world()
    const own = process()
    const exchange = own.http({ mode: 'stripe-v1' })
    const asked = {
      method: 'POST',
      path: '/v1/charges',
      query: '',
      headers: [['idempotency-key', 'k']] as const,
      body: new Uint8Array(),
    }
    const handler = async (): Promise<{ status: number; headers: []; body: Uint8Array }> => ({
      status: 200,
      headers: [],
      body: new Uint8Array(),
    })
    const { heard } = await told(own, async () => {
      await exchange.answer(asked, 'acct_1', handler)
      await exchange.answer(asked, 'acct_1', handler)
    })
    expect(heard.map(({ outcome }) => outcome)).toEqual(['executed', 'replayed'])
  })
})

test('a lease that was lost is told by the holder that lost it', async () => {
  const { process, pass } = world()
  const [slow, other] = [process(), process()]
  const awake = Promise.withResolvers<string>()
  const safe = { ...request, rerun: 'safe' } as const
  const { lost, heard } = await told(slow, async () => {
    const late = slow.run(safe, () => awake.promise)
    // The claim is there once another one is told so.
    await expect(other.run(safe, async () => 'early')).rejects.toThrow('at work')
    pass(60_000)
    await other.run(safe, async () => 'B')
    awake.resolve('A')
    expect(await late).toMatchObject({ value: 'B', replayed: true })
  })
  expect(lost).toEqual([{ keyHash: heard[0]?.keyHash, recordId: heard[0]?.recordId, fence: 1 }])
  expect(heard).toMatchObject([{ outcome: 'replayed', duration: 60_000 }])
})

test('a listener that throws changes nothing, and the others hear', async () => {
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
  const own = createIdempotency({ store: memoryStore() })
  const heard: string[] = []
  own.on('outcome', () => {
    throw new Error('no')
  })
  own.on('outcome', ({ outcome }) => heard.push(outcome))
  expect(await own.run(request, async () => 1)).toMatchObject({ value: 1, replayed: false })
  expect(await own.run(request, async () => 2)).toMatchObject({ value: 1, replayed: true })
  expect(heard).toEqual(['executed', 'replayed'])
  expect(warned).toHaveBeenCalledTimes(2)
})

test('who has ended its listening hears no more, and one function may listen twice', async () => {
  const own = createIdempotency({ store: memoryStore() })
  let heard = 0
  const listener = (): void => void heard++
  const ends = [own.on('outcome', listener), own.on('outcome', listener)]
  await own.run(request, async () => 1)
  expect(heard).toBe(2)
  ends[0]?.()
  ends[0]?.()
  await own.run(request, async () => 1)
  expect(heard).toBe(3)
  ends[1]?.()
  await own.run(request, async () => 1)
  expect(heard).toBe(3)
})
