import { afterEach, beforeEach, expect, type MockInstance, test, vi } from 'vitest'
import { redis, type ServiceKind, skipWithout } from '../../src/services/index.ts'

let stderr: MockInstance<typeof process.stderr.write>

beforeEach(() => {
  vi.stubEnv('CI', undefined)
  vi.stubEnv('LOADBEARING_REDIS_URL', undefined)
  vi.stubEnv('PATH', '/nonexistent')
  stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true)
})
afterEach(() => {
  vi.restoreAllMocks()
  vi.unstubAllEnvs()
})

test('says in one line why tests are skipped', () => {
  const reason = skipWithout('redis')
  expect(reason).toMatch(/^no redis-server on PATH .*, and LOADBEARING_REDIS_URL is not set$/)
  expect(stderr.mock.calls).toEqual([[`loadbearing: skipping tests with redis: ${String(reason)}\n`]])
})

test.each(['1', 'true', 'yes'])('fails instead where CI is %j', (value) => {
  vi.stubEnv('CI', value)
  expect(() => skipWithout('redis')).toThrow(expect.objectContaining({ code: 'SERVICE_NOT_FOUND' }))
  expect(stderr).not.toHaveBeenCalled()
})

test('of Valkey CI says why it goes without', () => {
  vi.stubEnv('CI', 'true')
  vi.stubEnv('LOADBEARING_VALKEY_URL', undefined)
  expect(skipWithout('valkey')).toMatch(
    /^no valkey-server on PATH .*, and LOADBEARING_VALKEY_URL is not set$/,
  )
  expect(stderr).toHaveBeenCalledOnce()
})

test.each(['', '0', 'false'])('CI=%j is no CI', (value) => {
  vi.stubEnv('CI', value)
  expect(skipWithout('redis')).toMatch(/^no redis-server/)
})

test('an address is enough', () => {
  vi.stubEnv('LOADBEARING_REDIS_URL', 'redis://127.0.0.1:1')
  expect(skipWithout('redis')).toBe(false)
  expect(stderr).not.toHaveBeenCalled()
})

test('starting a service that cannot be had says the same', async () => {
  await expect(redis({ name: 'missing' })).rejects.toMatchObject({
    code: 'SERVICE_NOT_FOUND',
    message: expect.stringContaining('LOADBEARING_REDIS_URL is not set'),
  })
})

test.each(['mysql', '__proto__', 'constructor'])('an unknown kind is refused: %s', (kind) => {
  expect(() => skipWithout(kind as ServiceKind)).toThrow(
    /kind must be one of postgres, redis, valkey, nats, kafka/,
  )
})
