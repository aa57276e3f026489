import { describe, expect, test } from 'vitest'
import { formatProxyHeader } from '../../src/adapters/tcp-proxy.ts'
import { ask, field, fields, HttpBackend, mirror, mirrored, raw, running } from './http-stand.ts'

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
