import { once } from 'node:events'
import { connect } from 'node:net'
import { eventually } from '@loadbearing/harness/faults'
import { describe, expect, test } from 'vitest'
import { HttpBackend, mirror, raw, running } from './http-stand.ts'

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
