import { expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { UsageError } from './arguments.ts'
import { proxySettings } from './proxy-options.ts'

const listen = ['--listen', '127.0.0.1:0', '--backend', '10.0.0.1:80']

test('the whole command line is read', () => {
  const settings = proxySettings([
    '--listen=:8080',
    '--backend=10.0.0.1:80,w=2,zone=a',
    '--backend=[::1]:80,zone=b,priority=1',
    '--zone=a=1',
    '--zone=b=3',
    '--hash=header:x-user',
    '--hash=cookie:session,ttl=30m,path=/',
    '--hash=query:q',
    '--hash=source',
    '--health=/healthz',
    '--health-interval=2s',
    '--bounded-load=1.25',
    '--slow-start=30s',
    '--track=60s',
    '--track-capacity=1000',
    '--panic=0',
    '--retries=1',
    '--trust-forwarded=10.0.0.0/8',
    '--accept-proxy-protocol=all',
    '--metrics=[::1]:9901',
    '--srv=_http._tcp.example.com',
    '--dns=example.com:80',
    '--dns=example.com:80,type=AAAA',
  ])
  expect(settings).toEqual({
    listen: { host: undefined, port: 8080 },
    metrics: { host: '::1', port: 9901 },
    backends: [
      { id: '10.0.0.1:80', weight: 2, zone: 'a' },
      { id: '[::1]:80', zone: 'b', priority: 1 },
    ],
    discovery: [
      { name: 'example.com', type: 'A', port: 80 },
      { name: 'example.com', type: 'AAAA', port: 80 },
      { name: '_http._tcp.example.com', type: 'SRV' },
    ],
    table: { zones: { a: 1, b: 3 } },
    pool: {
      active: { type: 'http', path: '/healthz', interval: '2s' },
      outlier: true,
      panicThreshold: 0,
      boundedLoad: 1.25,
      slowStart: '30s',
      tracking: { ttl: '60s', capacity: 1000 },
    },
    proxy: {
      type: 'http',
      options: {
        key: [
          { header: 'x-user' },
          { cookie: 'session', ttl: '30m', path: '/' },
          { queryParameter: 'q' },
          { sourceAddress: true },
        ],
        retries: 1,
        trustForwarded: ['10.0.0.0/8'],
        acceptProxyProtocol: true,
      },
    },
    log: 'plain',
  })
})

test('without more than an address and a backend it is HTTP by source address, with outlier detection', () => {
  expect(proxySettings(listen)).toMatchObject({
    pool: { outlier: true },
    proxy: { type: 'http', options: { key: [{ sourceAddress: true }] } },
  })
  expect(proxySettings([...listen, '--tcp', '--no-outlier'])).toMatchObject({
    pool: { outlier: false },
    proxy: { type: 'tcp' },
  })
})

test.each([
  [['--listen', '127.0.0.1:0']],
  [['--listen', '8080', '--backend', 'a:1']],
  [['--listen', ':99999', '--backend', 'a:1']],
  [['--listen', '127.0.0.1:0', 'a:1']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--tcp', '--http']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--hash', 'header']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--hash', 'cookie:a,x=1']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--tcp', '--hash', 'header:x']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--health-interval', '1s']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--send-proxy-protocol', '1']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--tcp', '--send-proxy-protocol', '3']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--log', 'xml']],
  [['--listen', '127.0.0.1:0', '--backend', 'no address']],
  [['--listen', '127.0.0.1:0', '--dns', 'name']],
  [['--listen', '127.0.0.1:0', '--dns', 'name:80,type=MX']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--track-capacity', '10']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--track', '1s', '--track-capacity', '0']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--secret', '00112233445566778899aabbccddeeff']],
])('%j is wrong use', (args) => {
  let thrown: unknown
  try {
    proxySettings(args)
  } catch (error) {
    thrown = error
  }
  expect(thrown instanceof UsageError || isMaglevError(thrown)).toBe(true)
})
