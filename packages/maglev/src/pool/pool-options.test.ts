import { expect, test } from 'vitest'
import { Maglev } from '../maglev.ts'
import { createPool } from './pool.ts'
import { checkPoolOptions } from './pool-options.ts'

test.each<[string, unknown]>([
  ['options', null],
  ['options', 'fast'],
  ['active', 'http'],
  ['active', null],
  ['active.type', { type: 'icmp' }],
  ['active.probe', { probe: 'http' }],
  ['active.interval', { interval: 0 }],
  ['active.interval', { interval: 'soon' }],
  ['active.jitter', { jitter: -1 }],
  ['active.timeout', { timeout: '30d' }],
  ['active.healthyThreshold', { healthyThreshold: 0 }],
  ['active.unhealthyThreshold', { unhealthyThreshold: 1.5 }],
  ['active.port', { type: 'tcp', port: 65_536 }],
  ['active.path', { path: 'healthz' }],
  ['active.path', { path: '/a HTTP/1.1\r\nx: y' }],
  ['active.path', { path: 7 }],
  ['active.host', { host: 'a\r\nb' }],
  ['active.host', { host: '' }],
  ['active.tls', { tls: 'yes' }],
  ['active.statuses', { statuses: [] }],
  ['active.statuses', { statuses: [200, '201'] }],
  ['active', []],
  ['active', { intervall: '2s' }],
  ['active', { type: 'tcp', path: '/' }],
  ['active', { probe: () => Promise.resolve('healthy'), path: '/' }],
  ['active.interval', { interval: null }],
])('%s is refused by name: %j', (name, active) => {
  const given: unknown = name === 'options' ? active : { active }
  // @ts-expect-error: wrong on purpose
  expect(() => createPool(new Maglev(['a']), given)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
  )
})

test.each<[string, unknown]>([
  ['clock', { now: () => 0 }],
  ['clock', 'system'],
  ['clock', null],
  ['panicTreshold', 0],
  ['outlier', [5]],
  ['random', Math.random],
  ['outlier', 'on'],
  ['panicThreshold', 50],
  ['panicThreshold', Number.NaN],
  ['overProvisioning', 0.9],
  ['boundedLoad', 0.5],
  ['boundedLoad', '1.25'],
  ['boundedLoad', Number.POSITIVE_INFINITY],
  ['slowStart', 'soon'],
  ['slowStart', { window: 0 }],
  ['slowStart', { window: '10s', agression: 2 }],
  ['slowStart', null],
  ['tracking', true],
  ['tracking', null],
  ['tracking', { capacity: 0 }],
  ['tracking', { capacity: 2 ** 40 }],
  ['tracking', { ttl: '0s' }],
  ['tracking', { size: 5 }],
])('%s: %j is refused by name', (name, value) => {
  expect(() => createPool(new Maglev(['a']), { [name]: value })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining(name) }),
  )
})

test('slow start needs a mode that takes fractions', () => {
  const lb = new Maglev(['a'], { mode: 'cilium', tableSize: 251 })
  expect(() => createPool(lb, { slowStart: '30s' })).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION', message: expect.stringContaining('cilium') }),
  )
})

test('defaults', () => {
  const { checks, outlier, priority, boundedLoad, slowStart, tracking } = checkPoolOptions(
    { active: {}, tracking: {} },
    'stable',
  )
  expect(checks).toMatchObject({
    interval: 5000,
    jitter: 500,
    timeout: 1000,
    thresholds: { healthy: 2, unhealthy: 3 },
  })
  expect(priority).toMatchObject({ panicThreshold: 0.5, overProvisioning: 1.4 })
  expect(tracking).toEqual({ capacity: 65_536, ttl: 60_000 })
  expect([outlier, boundedLoad, slowStart]).toEqual([undefined, undefined, undefined])
})
