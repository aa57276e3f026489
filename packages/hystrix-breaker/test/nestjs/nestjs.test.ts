import type { AddressInfo } from 'node:net'
import { InvalidOptionError, type Registry } from '@loadbearing/hystrix-breaker'
import { CircuitBreaker, currentCall } from '@loadbearing/hystrix-breaker/nestjs'
import type { INestApplication, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ask } from '../stream/served.ts'
import { type Compiled, compiled } from './compiled.ts'

describe('decorators of the standard', () => {
  interface Users {
    down: boolean
    contexts: { signal: AbortSignal }[]
    find(id: string): Promise<string>
    cached(id: string): Promise<string>
  }
  interface Program {
    registry: Registry
    Users: (new () => Users) & { count(): Promise<number> }
  }
  let program: Compiled
  beforeAll(() => {
    program = compiled('users.standard')
  })
  afterAll(() => program[Symbol.dispose]())

  test('are typed, and guard a method for all instances', async () => {
    expect(program.complaints).toBe('')
    const { Users, registry }: Program = await import(program.url)
    const [one, two] = [new Users(), new Users()]
    expect(await one.find('a')).toBe('hello a')
    expect(one.contexts[0]?.signal.aborted).toBe(false)
    expect(currentCall()).toBe(undefined)
    for (const each of [one, two]) each.down = true
    for (const each of [one, two]) await expect(each.find('b')).rejects.toThrow('down')
    await expect(one.find('b')).rejects.toMatchObject({ code: 'CIRCUIT_OPEN' })
    expect(await one.cached('c')).toBe('hello c, no answer')
    expect(await Users.count()).toBe(2)
    expect([...registry].map(({ name, state }) => [name, state])).toEqual([
      ['Users.find', 'open'],
      ['cached users', 'closed'],
      ['Users.count', 'closed'],
    ])
  })
})

describe.each([
  ['Express', () => undefined],
  ['Fastify', () => new FastifyAdapter()],
])('an application of NestJS on %s', (_platform, adapter) => {
  interface Program {
    registry: Registry
    upstream: { answer(id: string, signal?: AbortSignal): Promise<string> }
    UsersModule: Type
  }
  let program: Compiled
  let it: Program
  let app: INestApplication
  let url: string
  beforeAll(async () => {
    program = compiled('users.legacy', ['--experimentalDecorators', '--emitDecoratorMetadata'])
    it = await import(program.url)
    const platform = adapter()
    app =
      platform === undefined
        ? await NestFactory.create(it.UsersModule, { logger: false })
        : await NestFactory.create(it.UsersModule, platform, { logger: false })
    await app.listen(0, '127.0.0.1')
    url = `http://127.0.0.1:${(app.getHttpServer().address() as AddressInfo).port}/users`
  })
  afterAll(async () => {
    await app?.close()
    program[Symbol.dispose]()
  })
  const well = async (id: string): Promise<string> => `user ${id}`

  test('is typed', () => {
    expect(program.complaints).toBe('')
  })

  test('a refusal is 503 with Retry-After; what the handlers say otherwise stays', async () => {
    it.upstream.answer = well
    expect(await ask(`${url}/42`)).toMatchObject({ status: 200, text: 'hello, user 42' })
    expect(await ask(`${url}/nobody`)).toMatchObject({ status: 404 })
    it.upstream.answer = async () => {
      throw new Error('down')
    }
    expect(await ask(`${url}/42`)).toMatchObject({ status: 500 })
    const refused = await ask(`${url}/42`)
    expect(refused).toMatchObject({ status: 503, headers: { 'retry-after': '3' } })
    expect(JSON.parse(refused.text)).toEqual({ message: 'Service Unavailable', statusCode: 503 })
    const breaker = it.registry.get('Users.find')
    expect(breaker?.state).toBe('open')
    breaker?.force('forced-open')
    expect((await ask(`${url}/42`)).headers).not.toHaveProperty('retry-after')
    breaker?.reset()
    expect(await ask(`${url}/cached/7`)).toMatchObject({ status: 200, text: '7 of yesterday' })
  })

  test('a time limit is 504, and the signal of the call is aborted', async () => {
    const aborted = Promise.withResolvers<unknown>()
    it.upstream.answer = (_, signal) =>
      new Promise(() => signal?.addEventListener('abort', () => aborted.resolve(signal.reason)))
    expect(await ask(`${url}/42`)).toMatchObject({ status: 504 })
    expect(await aborted.promise).toMatchObject({ code: 'TIMEOUT' })
  })

  test.each(['above', 'below'])('%s the decorators of Nest, both work', async (where) => {
    it.upstream.answer = well
    expect(await ask(`${url}/${where}/1`)).toMatchObject({
      status: 200,
      text: 'user 1',
      headers: { [`x-${where}`]: 'yes' },
    })
    it.registry.get(`UsersController.${where}`)?.force('forced-open')
    expect(await ask(`${url}/${where}/1`)).toMatchObject({ status: 503 })
  })
})

test.each([
  [{ timeout: -1 }, /timeout must be a duration/],
  [{ fallback: 'cached' }, /fallback must be a function, not "cached"/],
  [{ registry: [] }, /registry must be a Registry/],
  [{ strange: 1 }, /there is no "strange"/],
])('%j is refused', (options, message) => {
  const decorate = (): unknown => CircuitBreaker(options as never)
  expect(decorate).toThrow(InvalidOptionError)
  expect(decorate).toThrow(message)
})

test('it stands before methods', () => {
  const decorate = CircuitBreaker() as unknown as (...args: unknown[]) => unknown
  expect(() => decorate({}, 'field')).toThrow(/stands before a method, not undefined/)
  expect(() => decorate(undefined, { kind: 'field', name: 'field' })).toThrow(/stands before a method/)
})
