import { once } from 'node:events'
import {
  Agent,
  type ClientRequest,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type RequestListener,
  type Server,
} from 'node:http'
import { connect, type Socket } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import {
  createHttpProxy,
  type HttpEndEvent,
  type HttpProxy,
  type HttpProxyOptions,
} from '../../src/adapters/http-proxy.ts'
import { formatProxyHeader } from '../../src/adapters/tcp-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { closedAddress, DeafBackend, portOf, RecordingBalancer, TestBackend } from './backends.ts'

class HttpBackend implements AsyncDisposable {
  readonly id: string
  readonly server: Server

  private constructor(server: Server) {
    this.server = server
    this.id = `127.0.0.1:${portOf(server)}`
  }

  static async start(serve: RequestListener): Promise<HttpBackend> {
    const server = createServer(serve)
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new HttpBackend(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => this.server.close(resolve))
    this.server.closeAllConnections()
    await closed
  }
}

interface Running extends AsyncDisposable {
  readonly proxy: HttpProxy
  readonly port: number
  readonly balancer: RecordingBalancer
  readonly ends: HttpEndEvent[]
}

async function running(ids: readonly string[], options: HttpProxyOptions = {}): Promise<Running> {
  const balancer = new RecordingBalancer(new Maglev(ids))
  const proxy = createHttpProxy(balancer, { drainTimeout: '1s', ...options })
  const ends: HttpEndEvent[] = []
  proxy.on('end', (event) => ends.push(event))
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  return { proxy, port, balancer, ends, [Symbol.asyncDispose]: () => proxy.close() }
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: IncomingMessage['headersDistinct']
  readonly trailers: IncomingMessage['trailers']
}

async function bodyOf(message: IncomingMessage): Promise<string> {
  let body = ''
  for await (const chunk of message.setEncoding('latin1')) body += String(chunk)
  return body
}

async function responseTo(request: ClientRequest): Promise<IncomingMessage> {
  const [response]: IncomingMessage[] = await once(request, 'response')
  if (response === undefined) throw new Error('no response')
  // A connection that breaks is an error of the request as well as of the response.
  request.on('error', () => {})
  return response
}

interface Ask {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string | string[]>
  readonly body?: string
  readonly agent?: Agent
}

async function ask(port: number, { method, path, headers, body, agent }: Ask = {}): Promise<Answer> {
  const request = httpRequest({
    host: '127.0.0.1',
    port,
    ...(method !== undefined && { method }),
    ...(path !== undefined && { path }),
    ...(headers !== undefined && { headers }),
    agent: agent ?? false,
  })
  // As bytes: node:http would write the head in the encoding of a string.
  request.end(Buffer.from(body ?? ''))
  const response = await responseTo(request)
  const text = await bodyOf(response)
  return {
    status: response.statusCode ?? 0,
    body: text,
    headers: response.headersDistinct,
    trailers: response.trailers,
  }
}

/** Sends bytes as they are and gives all that comes back until the connection ends, one way or another. */
function raw(port: number, bytes: string | Buffer, end: 'half-close' | 'stay' = 'stay'): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true })
    let all = ''
    socket.on('data', (chunk) => {
      all += chunk.toString('latin1')
    })
    socket.on('error', () => {})
    socket.once('end', () => socket.end())
    socket.once('close', () => resolve(all))
    if (end === 'half-close') socket.end(bytes)
    else socket.write(bytes)
  })
}

/** Answers with what it was asked. */
const mirror: RequestListener = (request, response) => {
  void bodyOf(request).then((body) => {
    const { method, url, rawHeaders, rawTrailers } = request
    return response.end(JSON.stringify({ method, url, rawHeaders, rawTrailers, body }))
  })
}

interface Mirrored {
  method: string
  url: string
  rawHeaders: string[]
  rawTrailers: string[]
  body: string
}

const mirrored = (answer: { body: string }): Mirrored =>
  JSON.parse(Buffer.from(answer.body, 'latin1').toString())
const fields = ({ rawHeaders }: Mirrored): [string, string][] =>
  Array.from({ length: rawHeaders.length / 2 }, (_, n) => [
    rawHeaders[2 * n]?.toLowerCase() ?? '',
    rawHeaders[2 * n + 1] ?? '',
  ])
const field = (seen: Mirrored, name: string): string[] =>
  fields(seen).flatMap(([one, value]) => (one === name ? [value] : []))

describe('routing', () => {
  test('by header, by function and by source address, each request to the owner of its key', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using three = await HttpBackend.start(tell)
    const ids = [one.id, two.id, three.id]
    const maglev = new Maglev(ids)
    await using byFunction = await running(ids, { key: ({ path }) => path })
    await using byHeader = await running(ids, { key: [{ header: 'x-user' }] })
    await using bySource = await running(ids)
    const agent = new Agent({ keepAlive: true })
    const users = new Map<string, string>()
    for (let n = 0; n < 20; n++) {
      const path = `/${n}`
      expect((await ask(byFunction.port, { path, agent })).body).toBe(maglev.lookup(path))
      const user = `user ${n % 5}`
      const { body } = await ask(byHeader.port, { path, headers: { 'X-User': user }, agent })
      expect(body).toBe(users.get(user) ?? body)
      users.set(user, body)
      expect((await ask(bySource.port, { path, agent })).body).toBe(maglev.lookup('127.0.0.1'))
    }
    agent.destroy()
    expect(byFunction.proxy.stats()).toMatchObject({ accepted: 1, ended: { finished: 20 } })
    expect(byFunction.balancer).toMatchObject({ active: 0 })
    expect(byFunction.balancer.reports.every(([, result]) => result === 200)).toBe(true)
  })

  test('a cookie policy gives the client a cookie that leads back to the same backend', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using proxied = await running([one.id, two.id], { key: [{ cookie: 'session', ttl: '1h' }] })
    const first = await ask(proxied.port)
    const [cookie = ''] = first.headers['set-cookie'] ?? []
    expect(cookie).toMatch(/^session="?[0-9a-f]+"?;/)
    for (let n = 0; n < 5; n++) {
      const again = await ask(proxied.port, { headers: { Cookie: cookie.split(';')[0] ?? '' } })
      expect(again.headers['set-cookie']).toBeUndefined()
      expect(again.body).toBe(first.body)
    }
  })

  test('without a key requests spread', async () => {
    const tell: RequestListener = (request, response) => {
      response.end(`127.0.0.1:${request.socket.localPort}`)
    }
    await using one = await HttpBackend.start(tell)
    await using two = await HttpBackend.start(tell)
    await using proxied = await running([one.id, two.id], { key: [{ header: 'x-user' }] })
    const seen = new Set<string>()
    await eventually(async () => seen.add((await ask(proxied.port)).body).size === 2)
    expect(seen).toEqual(new Set([one.id, two.id]))
  })
})

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
      request.resume().once('end', () => setTimeout(() => response.end('late'), 150))
    })
    await using proxied = await running([backend.id], { timeout: 50 })
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

describe('fields of one hop and of the way here', () => {
  test('hop-by-hop fields and those that Connection names do not pass, either way', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      response.writeHead(200, {
        Connection: 'X-Hop-Out',
        'X-Hop-Out': '1',
        'Proxy-Authenticate': 'Basic',
        'X-Stays': '1',
      })
      response.end(JSON.stringify({ rawHeaders: request.rawHeaders }))
    })
    await using proxied = await running([backend.id])
    const answer = await raw(
      proxied.port,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: close, X-Hop-In,host , Content-Length\r\nX-Hop-In: 1\r\nKeep-Alive: 5\r\n' +
        'Proxy: http://evil\r\nProxy-Connection: x\r\nProxy-Authorization: x\r\nTE: gzip\r\nX-Stays: 1\r\n\r\n',
    )
    const [head = '', body = ''] = answer.split('\r\n\r\n')
    const seen = fields(mirrored({ body: body.slice(body.indexOf('{'), body.lastIndexOf('}') + 1) }))
    expect(seen).toEqual([
      ['host', 'a'],
      ['x-stays', '1'],
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'a'],
      ['connection', 'keep-alive'],
    ])
    expect(head).toMatch(/X-Stays: 1/)
    expect(head).not.toMatch(/X-Hop-Out|Proxy-Authenticate/i)
  })

  const claims = {
    Host: 'public.example:8080',
    'X-Forwarded-For': '6.6.6.6',
    x_forwarded_for: '6.6.6.6',
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-Host': 'evil.example',
    'X-Forwarded-Prefix': '/x',
    'X-Real-IP': '6.6.6.6',
    Forwarded: 'for=6.6.6.6',
  }

  test('what an untrusted client claims is replaced by what is known', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const seen = fields(mirrored(await ask(proxied.port, { headers: claims })))
    expect(seen.filter(([name]) => /forwarded|real/.test(name))).toEqual([
      ['x-forwarded-for', '127.0.0.1'],
      ['x-forwarded-proto', 'http'],
      ['x-forwarded-host', 'public.example:8080'],
    ])
  })

  test('what a trusted proxy says is continued, and the client it names is the key', async () => {
    await using backend = await HttpBackend.start(mirror)
    const keys: unknown[] = []
    await using proxied = await running([backend.id], {
      trustForwarded: ['127.0.0.0/8', '10.0.0.0/8'],
      key: ({ remote }) => {
        keys.push(remote?.address)
        return 1
      },
    })
    const chain = '6.6.6.6, 203.0.113.9, 10.0.0.2'
    const seen = mirrored(await ask(proxied.port, { headers: { ...claims, 'X-Forwarded-For': chain } }))
    expect(field(seen, 'x-forwarded-for')).toEqual([`${chain}, 127.0.0.1`])
    expect(field(seen, 'x-forwarded-proto')).toEqual(['https'])
    expect(field(seen, 'x-forwarded-host')).toEqual(['evil.example'])
    expect(keys).toEqual(['203.0.113.9'])
  })

  test('RFC 7239 and Via where asked for', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], { forwarded: 'forwarded', via: 'edge' })
    const answer = await ask(proxied.port, { headers: { ...claims, Via: '1.0 other' } })
    const seen = mirrored(answer)
    expect(field(seen, 'forwarded')).toEqual(['for=127.0.0.1;host="public.example:8080";proto=http'])
    expect(field(seen, 'x-forwarded-for')).toEqual([])
    expect(field(seen, 'via')).toEqual(['1.0 other', '1.1 edge'])
    expect(answer.headers['via']).toEqual(['1.1 edge'])
  })

  test('a PROXY protocol header names the client', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], { acceptProxyProtocol: true })
    const source = { address: '2001:db8::7', port: 1 }
    const answer = await raw(
      proxied.port,
      Buffer.concat([
        formatProxyHeader(2, source, source),
        Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n'),
      ]),
    )
    expect(answer).toContain('"X-Forwarded-For","2001:db8::7"')
    expect(await raw(proxied.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n')).toBe('')
  })
})

describe('request targets', () => {
  test.each([
    ['GET http://other.example/x?y HTTP/1.1\r\nHost: a', { method: 'GET', url: '/x?y' }, 'other.example'],
    ['GET http://other.example:81 HTTP/1.1\r\nHost: a', { method: 'GET', url: '/' }, 'other.example:81'],
    ['GET http://other.example?q HTTP/1.1\r\nHost: a', { method: 'GET', url: '/?q' }, 'other.example'],
    ['OPTIONS * HTTP/1.1\r\nHost: a', { method: 'OPTIONS', url: '*' }, 'a'],
    ['OPTIONS http://b HTTP/1.1\r\nHost: a', { method: 'OPTIONS', url: '*' }, 'b'],
    ['GET //double HTTP/1.1\r\nHost: a', { method: 'GET', url: '//double' }, 'a'],
  ])('%j', async (start, expected, host) => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const answer = await raw(proxied.port, `${start}\r\nConnection: close\r\n\r\n`)
    const seen = mirrored({ body: answer.slice(answer.indexOf('{'), answer.lastIndexOf('}') + 1) })
    expect(seen).toMatchObject(expected)
    expect(field(seen, 'host')).toEqual([host])
    expect(field(seen, 'x-forwarded-host')).toEqual([host])
  })

  test('Max-Forwards counts down, and ends here at 0', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const one = await ask(proxied.port, { method: 'OPTIONS', headers: { 'Max-Forwards': '1' } })
    expect(field(mirrored(one), 'max-forwards')).toEqual(['0'])
    const none = await ask(proxied.port, { method: 'OPTIONS', headers: { 'Max-Forwards': '0' } })
    expect(none).toMatchObject({ status: 200, body: '200 OK\n' })
  })
})

describe('what is refused, and reaches no backend', () => {
  const cases: [what: string, status: number, bytes: string][] = [
    [
      'both lengths',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'both, the other way',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n',
    ],
    [
      'two lengths that differ',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab',
    ],
    [
      'two equal lengths',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na',
    ],
    ['a list of lengths', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\na'],
    ['a signed length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\na'],
    ['a negative length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n'],
    ['a hexadecimal length', 400, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\na'],
    ['a huge length', 400, `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1${'0'.repeat(30)}\r\n\r\na`],
    [
      'an unknown coding',
      501,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunked twice',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
    ],
    [
      'chunked not last',
      400,
      'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n',
    ],
    ['an obscured coding', 501, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n'],
    ['chunks in HTTP/1.0', 400, 'POST / HTTP/1.0\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['a folded field', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n c\r\n\r\n'],
    ['a folded coding', 400, 'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n'],
    ['a bare LF', 400, 'GET / HTTP/1.1\nHost: a\n\n'],
    ['a bare LF after a field', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\nX-B: c\r\n\r\n'],
    ['a bare CR in a field', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\rX-B: c\r\n\r\n'],
    ['NUL in a field', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\0c\r\n\r\n'],
    ['a control character in a field', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A: b\x01c\r\n\r\n'],
    ['a space before a colon', 400, 'GET / HTTP/1.1\r\nHost: a\r\nX-A : b\r\n\r\n'],
    ['a space before the first field', 400, 'GET / HTTP/1.1\r\n Host: a\r\n\r\n'],
    ['no host', 400, 'GET / HTTP/1.1\r\n\r\n'],
    ['two hosts', 400, 'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n'],
    ['a host with more in it', 400, 'GET / HTTP/1.1\r\nHost: a, b\r\n\r\n'],
    ['a host with a user', 400, 'GET / HTTP/1.1\r\nHost: u@a\r\n\r\n'],
    ['a target with a user', 400, 'GET http://u@a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['another scheme', 400, 'GET ftp://a/ HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a target without a slash', 400, 'GET x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['* for GET', 400, 'GET * HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['a fragment', 400, 'GET /#x HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown method', 400, 'SMUGGLE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    ['an unknown version', 400, 'GET / HTTP/3.7\r\nHost: a\r\n\r\n'],
    ['CONNECT', 501, 'CONNECT a:443 HTTP/1.1\r\nHost: a:443\r\n\r\n'],
    ['TRACE', 501, 'TRACE / HTTP/1.1\r\nHost: a\r\n\r\n'],
    [
      'an unknown expectation',
      417,
      'GET / HTTP/1.1\r\nHost: a\r\nExpect: the-best\r\nConnection: close\r\n\r\n',
    ],
    ['a head that is too long', 431, `GET / HTTP/1.1\r\nHost: a\r\nX-A: ${'x'.repeat(20_000)}\r\n\r\n`],
    [
      'a handshake with a body',
      400,
      'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 5\r\n\r\nGET /',
    ],
    ['no HTTP at all', 400, '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03'],
  ]

  test('each with its status, and the connection is closed', async () => {
    let served = 0
    await using backend = await HttpBackend.start((_, response) => {
      served++
      response.end('served')
    })
    await using proxied = await running([backend.id])
    const followed = 'GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n'
    const got: [string, string][] = []
    for (const [what, , bytes] of cases) {
      const answer = await raw(proxied.port, Buffer.from(bytes + followed, 'latin1'))
      got.push([what, answer.slice(0, 'HTTP/1.1 xxx'.length)])
      expect(answer.match(/HTTP\/1\.1 \d/g), what).toHaveLength(1)
      expect(proxied.balancer.acquired, what).toEqual([])
    }
    expect(got).toEqual(cases.map(([what, status]) => [what, `HTTP/1.1 ${status}`]))
    expect(served).toBe(0)
    expect(proxied.balancer.acquired).toEqual([])
  })

  test.each([
    ['a size that is none', '3\r\nabc\r\nZZ\r\n'],
    ['a size with a prefix', '0x3\r\nabc\r\n0\r\n\r\n'],
    ['a chunk that is longer than its size', '3\r\nabcd\r\n0\r\n\r\n'],
    ['a size that overflows', `${'f'.repeat(17)}\r\nabc\r\n`],
    ['a bare line feed', '3\nabc\n0\n\n'],
  ])('broken chunks, %s: 400, and no backend sees the end of a request', async (_, chunks) => {
    const heard: string[] = []
    let complete = false
    await using backend = await HttpBackend.start((request) => {
      heard.push(request.url ?? '')
      request.on('end', () => {
        complete = true
      })
      request.on('error', () => {})
      request.resume()
    })
    await using proxied = await running([backend.id])
    const answer = await raw(
      proxied.port,
      `POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n${chunks}GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n`,
    )
    expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
    expect(answer).toMatch(/\r\nConnection: close\r\n/)
    expect(answer.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'refused', status: 400 }])
    expect(heard).not.toContain('/smuggled')
    expect(complete).toBe(false)
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test('broken chunks under a response that has begun break both off', async () => {
    let aborted = false
    await using backend = await HttpBackend.start((request, response) => {
      request.on('error', () => {})
      request.once('close', () => {
        aborted = !request.complete
      })
      response.write('begun')
      request.resume()
    })
    await using proxied = await running([backend.id])
    const socket = connect(proxied.port, '127.0.0.1').on('error', () => {})
    let heard = ''
    socket.on('data', (chunk) => {
      heard += String(chunk)
    })
    socket.write('POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n')
    await eventually(() => heard.includes('begun'))
    socket.write('ZZ\r\n')
    await once(socket, 'close')
    expect(heard.match(/HTTP\/1\.1 \d/g)).toHaveLength(1)
    await eventually(() => aborted && proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', status: 200 }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test.each([
    ['no HTTP', '\x16\x03\x01\r\n\r\n'],
    [
      'a body in broken chunks',
      'POST /2 HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nZZ\r\n',
    ],
  ])('what comes after a request, %s, is answered in its turn', async (_, rest) => {
    const heard: string[] = []
    await using backend = await HttpBackend.start((request, response) => {
      heard.push(request.url ?? '')
      setImmediate(() => response.end('first'))
    })
    await using proxied = await running([backend.id])
    const answer = await raw(proxied.port, Buffer.from(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${rest}`, 'latin1'))
    expect(answer.match(/HTTP\/1\.1 \d+/g)).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400'])
    expect(answer).toContain('first')
    expect(heard).toEqual(['/1'])
  })

  test('a head that comes too slowly is 408', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], { headersTimeout: 100 })
    expect(await raw(proxied.port, 'GET / HTTP/1.1\r\nHost')).toMatch(/^HTTP\/1\.1 408 /)
  })

  test('requests piled up on one connection end it', async () => {
    await using backend = await HttpBackend.start(() => {})
    await using proxied = await running([backend.id])
    expect(await raw(proxied.port, 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(100))).toBe('')
    await eventually(() => proxied.balancer.active === 0)
    expect(proxied.balancer.acquired).toHaveLength(1)
  })
})

describe('backends that fail', () => {
  test('none there is 503, none reachable 502, none that answers in time 504', async () => {
    await using empty = await running([])
    expect(await ask(empty.port)).toMatchObject({ status: 503, body: '503 Service Unavailable\n' })
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', error: { code: 'NO_BACKEND' } }])

    await using down = await running([await closedAddress(), await closedAddress()])
    expect(await ask(down.port, { method: 'POST', body: 'x' })).toMatchObject({
      status: 502,
      body: '502 Bad Gateway\n',
    })
    expect(down.ends).toMatchObject([{ outcome: 'unreachable', error: { code: 'BACKEND_UNREACHABLE' } }])
    expect(down.balancer.reports.map(([, result]) => result)).toEqual(['gateway-failure', 'gateway-failure'])

    await using deaf = await DeafBackend.start()
    await using hanging = await running([deaf.id], { connectTimeout: 50 })
    expect(await ask(hanging.port)).toMatchObject({ status: 504, body: '504 Gateway Timeout\n' })

    await using silent = await HttpBackend.start(() => {})
    await using waiting = await running([silent.id], { timeout: 50 })
    expect(await ask(waiting.port)).toMatchObject({ status: 504 })
    expect(waiting.ends).toMatchObject([{ outcome: 'timed-out', error: { code: 'TIMED_OUT' } }])
    expect(waiting.balancer).toMatchObject({ active: 0, reports: [[silent.id, 'gateway-failure']] })
  })

  test('a request that was not sent goes to the next distinct owner, body and all', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([await closedAddress(), await closedAddress(), backend.id])
    for (const method of ['GET', 'POST']) {
      const answer = await ask(proxied.port, { method, body: method === 'POST' ? 'the body' : '' })
      expect(mirrored(answer)).toMatchObject({ method, body: method === 'POST' ? 'the body' : '' })
    }
    const { acquired } = proxied.balancer
    expect(proxied.proxy.stats().retries).toBe(acquired.length - 2)
    const half = acquired.slice(0, acquired.length / 2)
    expect(new Set(half).size).toBe(half.length)
    expect(half.at(-1)).toBe(backend.id)
  })

  /** Two backends; the first that is asked resets after the head of the request, the other one answers. */
  async function resetting(): Promise<{ ids: string[]; asked: string[] } & AsyncDisposable> {
    const asked: string[] = []
    const serve = (socket: Socket, id: string): void => {
      socket.once('data', () => {
        asked.push(id)
        if (asked.length === 1) socket.resetAndDestroy()
        else socket.end('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
      })
    }
    const one = await TestBackend.start(serve)
    const two = await TestBackend.start(serve)
    return {
      ids: [one.id, two.id],
      asked,
      [Symbol.asyncDispose]: async () => {
        await one[Symbol.asyncDispose]()
        await two[Symbol.asyncDispose]()
      },
    }
  }

  test('one that was sent is repeated only where that is harmless', async () => {
    for (const [ask1, status] of [
      [{ method: 'GET' }, 200],
      [{ method: 'PUT' }, 200],
      [{ method: 'POST' }, 502],
      [{ method: 'PUT', body: 'read' }, 502],
    ] as const) {
      await using pair = await resetting()
      await using proxied = await running(pair.ids)
      expect((await ask(proxied.port, ask1)).status).toBe(status)
      expect(new Set(pair.asked).size).toBe(status === 200 ? 2 : 1)
    }
  })

  test('a kept-alive connection that died meanwhile is not held against its backend', async () => {
    let connections = 0
    await using backend = await TestBackend.start((socket) => {
      connections++
      let requests = 0
      socket.on('data', () => {
        if (requests++ === 0) socket.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok')
        else socket.resetAndDestroy()
      })
    })
    await using proxied = await running([backend.id])
    for (let n = 0; n < 3; n++) expect(await ask(proxied.port)).toMatchObject({ status: 200, body: 'ok' })
    expect(connections).toBe(3)
    expect(proxied.balancer.reports).toEqual(Array.from({ length: 3 }, () => [backend.id, 200]))
    expect(proxied.proxy.stats().retries).toBe(0)
  })

  test.each([
    ['Content-Length', 'Content-Length: 10\r\n\r\nhalf', ''],
    ['chunks', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', ''],
    ['chunks, broken', 'Transfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', 'ZZ'],
  ])('a response that breaks off (%s) is never a whole one for the client', async (_, start, end) => {
    let breakOff = (): void => {}
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () => socket.write(`HTTP/1.1 200 OK\r\n${start}`))
      breakOff = () => socket.end(end)
    })
    await using proxied = await running([backend.id])
    for (const version of ['1.1', '1.0']) {
      const socket = connect(proxied.port, '127.0.0.1')
      let heard = ''
      socket.on('data', (chunk) => {
        heard += String(chunk)
      })
      socket.write(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`)
      // A reset that overtakes what was sent before it would be the kernel's doing.
      await eventually(() => heard.includes('half'))
      breakOff()
      const [error]: NodeJS.ErrnoException[] = await once(socket, 'end').then(
        () => [],
        (thrown) => [thrown],
      )
      expect(error?.code).toBe('ECONNRESET')
    }
    await eventually(() => proxied.ends.length === 2)
    expect(proxied.ends).toMatchObject([
      { outcome: 'backend-abort', status: 200 },
      { outcome: 'backend-abort' },
    ])
    expect(proxied.balancer).toMatchObject({
      active: 0,
      reports: [
        [backend.id, 'failure'],
        [backend.id, 'failure'],
      ],
    })
  })

  test('a response body that stalls breaks off after the idle time', async () => {
    await using backend = await HttpBackend.start((_, response) => void response.write('half'))
    await using proxied = await running([backend.id], { idleTimeout: 50 })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const response = await responseTo(request)
    await expect(bodyOf(response)).rejects.toMatchObject({ code: 'ECONNRESET' })
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'backend-abort', error: { code: 'TIMED_OUT' } }])
  })

  test.each([
    ['a part', 64 * 2 ** 20],
    ['all but the last of what is', 8 * 2 ** 20],
  ])('a client that takes only %s sent is dropped after the idle time, without blame', async (_, size) => {
    await using backend = await HttpBackend.start((_request, response) => response.end(Buffer.alloc(size)))
    await using proxied = await running([backend.id], { idleTimeout: 100 })
    const socket = connect(proxied.port, '127.0.0.1').pause()
    socket.on('error', () => {})
    socket.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', error: { code: 'TIMED_OUT' } }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
    socket.destroy()
  })

  test('a client that stops sending is dropped after the idle time, without blame', async () => {
    let aborted = false
    await using backend = await HttpBackend.start((request) => {
      request.resume().once('close', () => {
        aborted = !request.complete
      })
    })
    await using proxied = await running([backend.id], { idleTimeout: 50 })
    await raw(proxied.port, 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhalf')
    await eventually(() => aborted && proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort', status: undefined }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })

  test('a backend that stops taking the request is 504', async () => {
    await using backend = await HttpBackend.start(() => {})
    await using proxied = await running([backend.id], { idleTimeout: 100 })
    const answer = await ask(proxied.port, { method: 'POST', body: 'x'.repeat(64 * 2 ** 20) })
    expect(answer.status).toBe(504)
    expect(proxied.balancer.reports).toEqual([[backend.id, 'gateway-failure']])
  })

  test.each([
    ['both lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n'],
    ['two lengths', 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\nabc'],
    ['no HTTP', 'SSH-2.0-OpenSSH_9.2\r\n'],
    ['nothing', ''],
    [
      'a switch of protocols',
      'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    ],
    ['too long a head', `HTTP/1.1 200 OK\r\nX-A: ${'x'.repeat(100_000)}\r\n\r\n`],
  ])('a response that is none (%s) is 502', async (_, bytes) => {
    await using backend = await TestBackend.start((socket) => {
      socket.once('data', () => socket.end(bytes))
    })
    await using proxied = await running([backend.id])
    expect((await ask(proxied.port, { method: 'POST' })).status).toBe(502)
    expect(proxied.balancer.active).toBe(0)
    expect(proxied.balancer.reports).toHaveLength(1)
    expect(proxied.balancer.reports[0]?.[1]).not.toBe(101)
  })

  test('statuses are reported as they are', async () => {
    await using backend = await HttpBackend.start((request, response) => {
      response.writeHead(Number(request.url?.slice(1)))
      response.end()
    })
    await using proxied = await running([backend.id])
    for (const status of [500, 503, 404]) await ask(proxied.port, { path: `/${status}` })
    expect(proxied.balancer.reports).toEqual([
      [backend.id, 500],
      [backend.id, 503],
      [backend.id, 404],
    ])
    expect(proxied.proxy.stats().statuses).toEqual(
      new Map([
        [500, 1],
        [503, 1],
        [404, 1],
      ]),
    )
  })

  test('a client that leaves in the middle takes its request along', async () => {
    let aborted = false
    await using backend = await HttpBackend.start((request, response) => {
      response.write('half')
      request.socket.once('close', () => {
        aborted = true
      })
    })
    await using proxied = await running([backend.id])
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    request.on('error', () => {})
    await once(request, 'response')
    request.destroy()
    await eventually(() => aborted)
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'client-abort' }])
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [] })
  })
})

describe('WebSockets', () => {
  const handshake =
    'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n'

  /** Accepts a handshake, echoes what follows it. */
  async function chatBackend(): Promise<HttpBackend> {
    const backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (request, socket, head) => {
      socket.on('error', () => {})
      socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: x\r\n\r\n${request.url} `,
      )
      socket.write(head)
      socket.pipe(socket)
    })
    return backend
  }

  test('the handshake is passed on, then bytes both ways, early ones included', async () => {
    await using backend = await chatBackend()
    await using proxied = await running([backend.id])
    const socket = connect(proxied.port, '127.0.0.1')
    let heard = ''
    socket.on('data', (chunk) => {
      heard += String(chunk)
    })
    socket.write(`${handshake}early `)
    await eventually(() => heard.endsWith('/chat early '))
    expect(heard).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(heard).toMatch(/\r\nSec-WebSocket-Accept: x\r\n/)
    expect(heard.match(/\r\nUpgrade: websocket\r\n/g)).toHaveLength(1)
    expect(proxied.proxy.stats()).toMatchObject({ tunnels: 1, active: 1 })
    expect(proxied.balancer.active).toBe(1)
    socket.write('late')
    await eventually(() => heard.endsWith('early late'))
    socket.end()
    await once(socket, 'close')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'finished', status: 101, backend: backend.id }])
    expect(proxied.proxy.stats()).toMatchObject({ tunnels: 0, active: 0 })
    expect(proxied.balancer).toMatchObject({ active: 0, reports: [[backend.id, 101]] })
  })

  test("Node's own WebSocket talks through it", async () => {
    await using backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (request, socket) => {
      void (async () => {
        const { createHash } = await import('node:crypto')
        const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`
        const accept = createHash('sha1').update(key).digest('base64')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
        )
        socket.write(Buffer.from([0x81, 2, 0x68, 0x69]))
        // Answers whatever comes, which is the closing frame, with one.
        socket.once('data', () => socket.end(Buffer.from([0x88, 2, 0x03, 0xe8])))
      })()
    })
    await using proxied = await running([backend.id])
    const client = new WebSocket(`ws://127.0.0.1:${proxied.port}/`)
    const [message] = await once(client, 'message')
    expect(message.data).toBe('hi')
    client.close(1000)
    await once(client, 'close')
    await eventually(() => proxied.proxy.stats().tunnels === 0)
  })

  test('a backend that declines answers as to any request', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id])
    const answer = await raw(proxied.port, handshake)
    expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
    expect(answer).toMatch(/\r\nConnection: close\r\n/)
    expect(answer).toContain('"url":"/chat"')
    expect(proxied.ends).toMatchObject([{ outcome: 'finished', status: 200 }])
  })

  test('where no backend is, a handshake is answered like a request', async () => {
    await using down = await running([await closedAddress()])
    expect(await raw(down.port, handshake)).toMatch(/^HTTP\/1\.1 502 /)
    await using empty = await running([])
    expect(await raw(empty.port, handshake)).toMatch(/^HTTP\/1\.1 503 /)
    expect(empty.ends).toMatchObject([{ outcome: 'no-backend', status: 503 }])
  })

  test('an offer of another protocol is passed over and the request served, its body included', async () => {
    await using backend = await chatBackend()
    await using proxied = await running([backend.id])
    const agent = new Agent({ keepAlive: true })
    for (const body of ['body', '']) {
      const headers = {
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: 'h2c',
        'HTTP2-Settings': 'AAMAAABkAAQAAP__',
      }
      const method = body === '' ? 'GET' : 'POST'
      const seen = mirrored(await ask(proxied.port, { method, headers, body, agent }))
      expect(seen).toMatchObject({ method, body })
      expect(fields(seen).map(([name]) => name)).not.toContain('upgrade')
      expect(fields(seen).map(([name]) => name)).not.toContain('http2-settings')
      expect(mirrored(await ask(proxied.port, { agent }))).toMatchObject({ method: 'GET', body: '' })
    }
    expect(proxied.proxy.stats()).toMatchObject({ ended: { finished: 4 } })
    agent.destroy()
  })

  test('what breaks one side resets the other', async () => {
    const sockets: Socket[] = []
    await using backend = await HttpBackend.start(mirror)
    backend.server.on('upgrade', (_, socket) => {
      sockets.push(socket as Socket)
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n')
    })
    await using proxied = await running([backend.id])
    const client = connect(proxied.port, '127.0.0.1')
    client.write(handshake)
    await once(client, 'data')
    const broken = once(client, 'end').catch((error) => error.code)
    sockets[0]?.resetAndDestroy()
    expect(await broken).toBe('ECONNRESET')
    await eventually(() => proxied.ends.length === 1)
    expect(proxied.ends).toMatchObject([{ outcome: 'backend-abort' }])
  })
})

describe('limits and the end', () => {
  test('close lets a response finish, and its connection ends with it', async () => {
    let finish = (): void => {}
    await using backend = await HttpBackend.start((_, response) => {
      response.write('first ')
      finish = () => response.end('last')
    })
    await using proxied = await running([backend.id])
    const agent = new Agent({ keepAlive: true })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent }).end()
    const response = await responseTo(request)
    const closed = proxied.proxy.close()
    await expect(ask(proxied.port)).rejects.toMatchObject({ code: 'ECONNREFUSED' })
    finish()
    expect(await bodyOf(response)).toBe('first last')
    await closed
    agent.destroy()
    await expect(proxied.proxy.listen({ port: 0 })).rejects.toMatchObject({ code: 'PROXY_CLOSED' })
  })

  test('close resets what does not finish in time', async () => {
    await using backend = await HttpBackend.start((_, response) => void response.write('first'))
    await using proxied = await running([backend.id], { drainTimeout: 50 })
    const request = httpRequest({ port: proxied.port, host: '127.0.0.1', agent: false }).end()
    const response = await responseTo(request)
    const broken = bodyOf(response).catch((error: unknown) => error)
    await proxied.proxy.close()
    expect(await broken).toMatchObject({ code: 'ECONNRESET' })
    expect(proxied.balancer.active).toBe(0)
  })

  test('connections beyond the limit are dropped', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], { maxConnections: 1 })
    const agent = new Agent({ keepAlive: true })
    await ask(proxied.port, { agent })
    await expect(ask(proxied.port)).rejects.toMatchObject({ code: 'ECONNRESET' })
    expect(proxied.proxy.stats()).toMatchObject({ open: 1, dropped: 1 })
    agent.destroy()
  })

  test('a key function that throws is 500 for that request alone', async () => {
    await using backend = await HttpBackend.start(mirror)
    await using proxied = await running([backend.id], {
      key: ({ path }) => {
        if (path === '/bad') throw new Error('no key for that')
        return path
      },
    })
    expect((await ask(proxied.port, { path: '/bad' })).status).toBe(500)
    expect((await ask(proxied.port, { path: '/good' })).status).toBe(200)
    expect(proxied.ends[0]).toMatchObject({ outcome: 'refused', error: { message: 'no key for that' } })
  })

  test.each<[string, HttpProxyOptions]>([
    ['timeout', { timeout: 0 }],
    ['headersTimeout', { headersTimeout: 'x' }],
    ['retries', { retries: 1.5 }],
    ['via', { via: 'a b' }],
    ['trustForwarded', { trustForwarded: ['everyone'] }],
    ['policies', { key: [] }],
  ])('a wrong %s is refused when given', (name, options) => {
    expect(() => createHttpProxy(new Maglev(['a:1']), options)).toThrowError(
      expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
    )
  })
})
