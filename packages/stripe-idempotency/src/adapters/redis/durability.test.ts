import { describe, expect, test } from 'vitest'
import type { Port } from './client.ts'
import { awaitDurability, durabilityOf, requireDurability } from './durability.ts'

/** A server that answers one command, and tells of itself. */
function server(answer: unknown, info: Readonly<Record<string, string>> = {}): Port & { asked: string[][] } {
  const asked: string[][] = []
  return {
    asked,
    run: () => Promise.reject(new Error('nothing is run here')),
    putNew: () => Promise.reject(new Error('nothing is put here')),
    putInPlaceOf: () => Promise.reject(new Error('nothing is put here')),
    info: async () =>
      Object.entries(info)
        .map(([name, value]) => `${name}:${value}\r\n`)
        .join(''),
    command: async (words) => {
      asked.push([...words])
      return answer
    },
    async *scan() {},
    listen: () => Promise.reject(new Error('nothing is listened for here')),
  }
}

describe('what must have a write', () => {
  test.each([
    [{ waitReplicas: 2 }, 2, ['WAIT', '2', '1000'], 'kept'],
    [{ waitReplicas: 2, waitTimeout: '0.5s' }, 1, ['WAIT', '2', '500'], '1 replicas had'],
    [{ waitAof: true }, [1, 0], ['WAITAOF', '1', '0', '3000'], 'kept'],
    [{ waitAof: true }, [0, 0], ['WAITAOF', '1', '0', '3000'], 'not on disk'],
    [{ waitAof: true, waitReplicas: 1 }, [1, 1], ['WAITAOF', '1', '1', '3000'], 'kept'],
    [{ waitAof: true, waitReplicas: 1 }, [1, 0], ['WAITAOF', '1', '1', '3000'], '0 replicas had'],
    [{ waitReplicas: 1 }, 'what?', ['WAIT', '1', '1000'], 'replicas had'],
  ])('%j, where %j is answered', async (options, answered, asked, said) => {
    const port = server(answered)
    const durability = durabilityOf(options)
    if (durability === undefined) throw new Error('nothing is waited for')
    const waited = awaitDurability(port, durability).then(
      () => 'kept',
      (error: unknown) => String(error),
    )
    expect(await waited).toContain(said)
    expect(port.asked).toEqual([asked])
  })

  test('is nothing where nothing is asked for', () => {
    expect(durabilityOf({})).toBeUndefined()
    expect(durabilityOf({ waitReplicas: 0, waitAof: false })).toBeUndefined()
  })

  test.each([{ waitReplicas: -1 }, { waitReplicas: 1.5 }, { waitTimeout: 0 }])('is no %j', (options) => {
    expect(() => durabilityOf(options)).toThrow(
      expect.objectContaining({
        code: 'invalid_option',
        message: expect.stringContaining(Object.keys(options)[0] ?? ''),
      }),
    )
  })

  test.each([
    [{ redis_version: '7.0.15', aof_enabled: '1' }, '7.0.15'],
    [{ redis_version: '7.2.4', aof_enabled: '0' }, 'appendonly'],
    [{ redis_version: '7.2.4', aof_enabled: '1' }, 'kept'],
    [{ redis_version: '8.0.1', aof_enabled: '1' }, 'kept'],
    [{}, '7.2'],
  ])('asks for an append-only file of what can wait for it: %j', async (info, said) => {
    const checked = requireDurability(server(0, info), { replicas: 0, aof: true, timeout: 1 }).then(
      () => 'kept',
      (error: unknown) => String(error),
    )
    expect(await checked).toContain(said)
  })
})
