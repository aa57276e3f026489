import { once } from 'node:events'
import { createServer } from 'node:http'
import { freePort } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { controlEndpoint, hystrixStream } from '../../src/adapters/stream.ts'
import { readData } from '../../src/adapters/stream-data.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { ask, StreamListener, served } from '../stream/served.ts'
import { commandBeside, RunningCommand } from './command.ts'

const token = 'a-token-of-the-tests'
const env = { HYSTRIX_BREAKER_TOKEN: token }
const address = /listening on (http:\/\/127\.0\.0\.1:\d+\/)\n/

describe('serve, top and the control of circuits, as processes', () => {
  test('a demo is shown, forced and reset, and ends with a signal', async () => {
    await using demo = new RunningCommand(
      ['serve', '--demo', '--listen', '127.0.0.1:0', '--delay', '100ms'],
      { env },
    )
    const url = await demo.printed(address)
    const page = await ask(url)
    expect(page.headers['content-type']).toBe('text/html;charset=UTF-8')
    expect(page.text).toContain('data-stream="/hystrix.stream"')
    expect(await ask(`${url}elsewhere`)).toMatchObject({ status: 404 })
    using client = await StreamListener.open(`${url}hystrix.stream`)
    await client.until(({ frames }) =>
      frames.find(({ name, requestCount }) => name === 'SearchInventory' && Number(requestCount) > 0),
    )
    const control = `${url}control`
    expect(await commandBeside(['open', 'SendMail', '--url', control], { env })).toEqual({
      stdout: 'SendMail is forced-open\n',
      stderr: '',
      status: 0,
    })
    const forced = await client.next('SendMail')
    expect(forced['propertyValue_circuitBreakerForceOpen']).toBe(true)
    const { stdout, status } = await commandBeside(['top', `${url}hystrix.stream`, '--once'])
    const [head, first] = stdout.split('\n')
    expect(head).toMatch(/^NAME +STATE +HOSTS +REQ\/S +ERROR % +SUCCESS /)
    expect(first).toMatch(/^SendMail +FORCED OPEN +1 /)
    expect(status).toBe(0)
    expect((await commandBeside(['close', 'SendMail', '--url', control], { env })).stdout).toBe(
      'SendMail is forced-closed\n',
    )
    expect((await commandBeside(['reset', 'SendMail', '--url', control, '--token', token])).stdout).toBe(
      'SendMail is closed\n',
    )
    demo.kill('SIGTERM')
    expect(await demo.ended).toBe(0)
    await client.until(({ ended }) => ended)
    expect(demo.stdout).toMatch(/stopped\n$/)
  })

  test('sources are shown as one, also those that come later', async () => {
    const registries = [new Registry(), new Registry()]
    for (const registry of registries) registry.add(new Breaker({ name: 'users' }))
    const [one, two] = registries.map((registry) => hystrixStream(registry, { delay: 50 }))
    await using first = await served(one ?? expect.unreachable())
    const later = await freePort()
    await using fleet = new RunningCommand([
      'serve',
      '--listen=:0',
      '--delay=100ms',
      '--header=X-Reader: fleet',
      `--source=${first.url}`,
      `--source=http://127.0.0.1:${later}`,
    ])
    const url = await fleet.printed(address)
    expect((await ask(url)).text).toContain('data-stream="/turbine.stream"')
    using client = await StreamListener.open(`${url}turbine.stream`)
    await client.until(({ frames }) => frames.find((frame) => frame['reportingHosts'] === 1))
    await fleet.printed(/lost http:\/\/127\.0\.0\.1:\d+\/: connect ECONNREFUSED .*; again in \d+ s\n/)
    const heard = createServer((request, response) => {
      expect(request.headers['x-reader']).toBe('fleet')
      two?.(request, response)
    }).listen(later, '127.0.0.1')
    await once(heard, 'listening')
    await client.until(({ frames }) => frames.find((frame) => frame['reportingHosts'] === 2))
    const { stdout } = await commandBeside(['top', `${url}turbine.stream`, '--once', '--json'])
    const frames: unknown = JSON.parse(stdout)
    expect(frames).toMatchObject([{ type: 'HystrixCommand', name: 'users' }])
    fleet.kill('SIGINT')
    expect(await fleet.ended).toBe(0)
    heard.closeAllConnections()
    heard.close()
  })

  test('a port that is taken is a refusal in one line', async () => {
    await using taken = await served(() => {})
    const { stderr, status } = await commandBeside(['serve', '--demo', '--listen', `:${taken.port}`])
    expect(stderr).toMatch(/^hystrix-breaker: listen EADDRINUSE[^\n]*\n$/)
    expect(status).toBe(1)
  })

  test('top says what is not there, and prints no name that acts', async () => {
    const registry = new Registry()
    registry.add(new Breaker({ name: '\u001b[2Jcleared\u0007' }))
    const listener = hystrixStream(registry, {
      delay: 50,
      authorize: ({ headers }) => headers.authorization === 'Bearer reader',
    })
    await using server = await served(listener)
    const refused = await commandBeside(['top', server.url, '--once'])
    expect(refused).toEqual({
      stdout: '',
      stderr: `hystrix-breaker: ${server.url}: it answered 401\n`,
      status: 1,
    })
    const { stdout } = await commandBeside([
      'top',
      server.url,
      '--once',
      '--header',
      'Authorization: Bearer reader',
    ])
    expect(stdout).toMatch(/^"\\u001b\[2Jcleared\\u0007" +CLOSED/m)
    expect(stdout).not.toMatch(/(?!\n)\p{Cc}/u)
    await using html = await served((_, response) =>
      response.setHeader('content-type', 'text/html').end('<p>'),
    )
    const wrong = await commandBeside(['top', html.url, '--once'])
    expect(wrong.stderr).toBe(`hystrix-breaker: ${html.url}: it is no event stream, but text/html\n`)
    await using empty = await served(hystrixStream(new Registry(), { delay: 20 }))
    const nothing = await commandBeside(['top', empty.url, '--once', '--json'])
    expect(nothing).toEqual({ stdout: '[]\n', stderr: '', status: 0 })
  })

  test('top goes on while its stream breaks off and comes back', async () => {
    const registry = new Registry()
    registry.add(new Breaker({ name: 'users' }))
    const server = await served(hystrixStream(registry, { delay: 50 }))
    await using top = new RunningCommand(['top', server.url, '--json'])
    const first = await top.printed(/^(\[.*\])\n/)
    expect((JSON.parse(first) as unknown[]).map((frame) => readData(JSON.stringify(frame))?.name)).toEqual([
      'users',
    ])
    await server[Symbol.asyncDispose]()
    registry.add(new Breaker({ name: 'orders' }))
    await using again = await served(hystrixStream(registry, { delay: 50 }), server.port)
    await top.printed(/"name":"orders"/)
    expect(top.stderr).toMatch(/; again in 1 s\n/)
    expect(again.port).toBe(server.port)
  })

  test('control commands say why not', async () => {
    const registry = new Registry()
    const name = 'a&b=c "ü" \u001b/../'
    registry.add(new Breaker({ name }))
    await using server = await served(controlEndpoint(registry, { token }))
    const run = (...args: string[]): ReturnType<typeof commandBeside> => commandBeside(args)
    expect(await run('open', name, '--url', server.url, '--token', token)).toMatchObject({
      stdout: String.raw`"a&b=c \"ü\" \u001b/../" is forced-open` + '\n',
      status: 0,
    })
    expect(registry.get(name)?.state).toBe('forced-open')
    expect(await run('open', 'nobody', '--url', server.url, '--token', token)).toMatchObject({
      stderr: `hystrix-breaker: ${server.url} answered 404: "There is no breaker \\"nobody\\""\n`,
      status: 1,
    })
    expect(await run('open', name, '--url', server.url, '--token', `${token}x`)).toMatchObject({
      stderr: `hystrix-breaker: ${server.url} does not know the token\n`,
      status: 1,
    })
    await server[Symbol.asyncDispose]()
    const { stderr, status } = await run('reset', name, '--url', server.url, '--token', token)
    expect(stderr).toMatch(/^hystrix-breaker: http:\S+ did not answer: [^\n]+\n$/)
    expect(status).toBe(1)
  })
})
