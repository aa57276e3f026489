import { once } from 'node:events'
import { Agent, request as httpRequest, type IncomingMessage } from 'node:http'
import { connect } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { TestBackend } from './backends.ts'
import { ask, bodyOf, field, HttpBackend, mirror, mirrored, raw, responseTo, running } from './http-stand.ts'

describe('messages pass through', () => {
  test('method, path, repeated and odd fields, body', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const answer = await ask(proxied.port, {
      method: 'PUT',
      path: '/a%20b/../c?x=1&x=2',
      headers: { Host: 'service.example', 'X-Odd': 'caf\xe9 "quoted"', 'X-Twice': ['1', '2'], cookie: 'a=b' },
      body: 'x'.repeat(100_000),
    })
    const seen = mirrored(answer)
    expect(seen).toMatchObject({ method: 'PUT', url: '/a%20b/../c?x=1&x=2', body: 'x'.repeat(100_000) })
    expect(field(seen, 'host')).toEqual(['service.example'])
    expect(field(seen, 'x-odd')).toEqual(['caf\xe9 "quoted"'])
    expect(field(seen, 'x-twice')).toEqual(['1', '2'])
    expect(field(seen, 'content-length')).toEqual(['100000'])
  })

  test.each(['GET', 'POST', 'PUT'])('a length of 0 stays one field, for %s', async (method) => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const answer = await ask(proxied.port, { method, headers: { 'Content-Length': '0' } })
    expect(answer.status).toBe(200)
    expect(field(mirrored(answer), 'content-length')).toEqual(['0'])
  })

  test('a response that announces trailers where none can follow passes without the announcement', async () => {
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () =>
        socket.end('HTTP/1.1 200 OK\r\nTrailer: X-Sum\r\nContent-Length: 2\r\n\r\nok'),
      )
    })
    await using proxied = await running([backend.id])
    const answer = await ask(proxied.port)
    expect(answer).toMatchObject({ status: 200, body: 'ok' })
    expect(answer.headers['trailer']).toBeUndefined()
  })

  test('chunks stay chunks, with trailers both ways; forbidden trailers do not pass', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      void bodyOf(request).then((body) => {
        response.writeHead(200, { Trailer: 'X-Sum' })
        response.write(`${body} ${JSON.stringify(request.trailers)} ${String(request.headers['te'])}`)
        response.addTrailers({ 'X-Sum': '42' })
        return response.end()
      })
    })
    await using proxied = await running([backend.id])
    const answer = await raw(
      proxied.port,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTE: gzip, trailers\r\nConnection: close, te\r\nTrailer: X-T\r\n\r\n' +
        '3\r\nabc\r\n2;ext=1\r\nde\r\n0\r\nX-T: yes\r\nContent-Type: x\r\n\r\n',
    )
    expect(answer).toContain('abcde {"x-t":"yes"} trailers')
    expect(answer).toMatch(/\r\nTrailer: X-Sum\r\n/)
    expect(answer).toMatch(/\r\n0\r\nX-Sum: 42\r\n\r\n$/)
  })

  test('responses without a body: HEAD keeps its length, 204 and 304 have none', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      if (request.method === 'HEAD') response.writeHead(200, { 'Content-Length': '1000' })
      else response.writeHead(Number(request.url?.slice(1)), { ETag: '"x"' })
      response.end()
    })
    await using proxied = await running([backend.id])
    const agent = new Agent({ keepAlive: true, maxSockets: 1 })
    const head = await ask(proxied.port, { method: 'HEAD', agent })
    expect(head).toMatchObject({ status: 200, body: '', headers: { 'content-length': ['1000'] } })
    for (const status of [204, 304, 204]) {
      const answer = await ask(proxied.port, { path: `/${status}`, agent })
      expect(answer).toMatchObject({ status, body: '', headers: { etag: ['"x"'] } })
      expect(answer.headers['content-length']).toBeUndefined()
      expect(answer.headers['transfer-encoding']).toBeUndefined()
    }
    expect(proxied.proxy.stats().accepted).toBe(1)
    agent.destroy()
  })

  test('interim responses: 103 with its links, 100 only when the backend says so', async () => {
    let release = (): void => {}
    await using backend = await HttpBackend.start((_, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload; as=style', 'x-hint': '1' }, () =>
        response.end('done'),
      )
    })
    backend.server.on('checkContinue', (request, response) => {
      release = () => {
        response.writeContinue()
        mirror(request, response)
      }
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const hints: unknown[] = []
    request.on('information', ({ statusCode, headers }) =>
      hints.push([statusCode, headers['link'], headers['x-hint']]),
    )
    const response = await responseTo(request)
    expect(await bodyOf(response)).toBe('done')
    expect(hints).toEqual([[103, '</a.css>; rel=preload; as=style', '1']])

    const socket = connect(proxied.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk) => {
      heard += String(chunk)
    })
    let asked = false
    backend.server.once('checkContinue', () => {
      asked = true
    })
    socket.write(
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n',
    )
    await eventually(() => asked)
    expect(heard).toBe('')
    release()
    await eventually(() => heard === 'HTTP/1.1 100 Continue\r\n\r\n')
    socket.write('body')
    await once(socket, 'close')
    expect(heard).toContain('"body":"body"')
  })

  test('a client that is told no instead of 100 is told to hang up', async () => {
    await using backend = await HttpBackend.start(mirror)
    backend.server.on('checkContinue', (_, response) => {
      response.writeHead(413, { Connection: 'close' })
      response.end('too big')
    })
    await using proxied = await running([backend.id])
    const answer = await raw(
      proxied.port,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nExpect: 100-continue\r\n\r\n',
    )
    expect(answer).toMatch(/^HTTP\/1\.1 413 /)
    expect(answer).toMatch(/\r\nConnection: close\r\n/)
    expect(answer).toContain('too big')
  })

  test('HTTP/1.0 clients get neither chunks nor interim responses', async () => {
    await using backend = await HttpBackend.start((_, response) => {
      response.writeEarlyHints({ link: '</a.css>; rel=preload' })
      response.write('no length ')
      response.end('known')
    })
    await using proxied = await running([backend.id])
    const answer = await raw(proxied.port, 'GET / HTTP/1.0\r\n\r\n')
    expect(answer).toMatch(/^HTTP\/1\.1 200 /)
    expect(answer).not.toMatch(/transfer-encoding/i)
    expect(answer.split('\r\n\r\n').at(-1)).toBe('no length known')
  })

  test('pipelined requests are carried in order, one at a time', async () => {
    let active = 0
    let most = 0
    await using backend = await HttpBackend.start((request, response) => {
      most = Math.max(most, ++active)
      setImmediate(() => {
        active--
        response.end(`<${request.url}>`)
      })
    })
    await using proxied = await running([backend.id])
    const requests = Array.from(
      { length: 8 },
      (_, n) => `GET /${n} HTTP/1.1\r\nHost: a\r\n${n === 7 ? 'Connection: close\r\n' : ''}\r\n`,
    )
    const answer = await raw(proxied.port, requests.join(''))
    expect(answer.match(/<\/\d>/g)).toEqual(['</0>', '</1>', '</2>', '</3>', '</4>', '</5>', '</6>', '</7>'])
    expect(most).toBe(1)
  })

  test('a stream flows while it lasts, both ways', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      response.flushHeaders()
      request.pipe(response)
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', method: 'POST', agent: false })
    request.write('one')
    const response = await responseTo(request)
    const seen: string[] = []
    response.on('data', (chunk) => seen.push(String(chunk)))
    await eventually(() => seen.join('') === 'one')
    request.write('two')
    await eventually(() => seen.join('') === 'onetwo')
    request.end('end')
    await eventually(() => seen.join('') === 'onetwoend' && response.complete)
    expect(proxied.proxy.stats().ended['client-abort']).toBe(0)
  })

  test('the response time ends with the head, also where that came before the end of the request', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      response.flushHeaders()
      request.resume().once('end', () => setTimeout(() => response.end('late'), 1000))
    })
    await using proxied = await running([backend.id], { timeout: 900 })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', method: 'POST', agent: false })
    request.write('start')
    const response = await responseTo(request)
    request.end('end')
    expect(await bodyOf(response)).toBe('late')
  })

  test('a client that does not read holds the backend back', async () => {
    const total = 64 * 2 ** 20
    let written = 0
    await using backend = await HttpBackend.start((_, response) => {
      const chunk = Buffer.alloc(2 ** 16, 'x')
      const write = (): void => {
        while (written < total) {
          written += chunk.length
          if (!response.write(chunk)) return
        }
        response.end()
      }
      response.on('drain', write)
      write()
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const response = await responseTo(request)
    let last = -1
    let still = 0
    await eventually(() => {
      still = written > 0 && written === last ? still + 1 : 0
      last = written
      return still === 20
    })
    expect(written).toBeLessThan(24 * 2 ** 20)
    expect((await bodyOf(response)).length).toBe(total)
  })

  test('a backend that does not read holds the client back', async () => {
    let stalled: IncomingMessage | undefined
    await using backend = await HttpBackend.start((request) => {
      stalled = request
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', method: 'POST', agent: false })
    request.on('error', () => {})
    const chunk = Buffer.alloc(2 ** 16)
    let written = 0
    const write = (): void => {
      while (written < 64 * 2 ** 20) {
        written += chunk.length
        if (!request.write(chunk)) return
      }
    }
    request.on('drain', write)
    write()
    let last = -1
    let still = 0
    await eventually(() => {
      still = stalled !== undefined && written === last ? still + 1 : 0
      last = written
      return still === 20
    })
    expect(written).toBeLessThan(24 * 2 ** 20)
    request.destroy()
    // A paused socket does not hear of it before it reads on.
    await eventually(() => stalled?.resume().destroyed)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', status: undefined }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })
})
