import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { siphash24 } from '../hash/siphash.ts'
import { encoded, encodeKey } from '../hash/utf8.ts'
import { word64 } from '../hash/word64.ts'
import type { Key } from '../key-hash.ts'
import { FlowTracker } from './tracker.ts'

const secret = Uint8Array.from({ length: 16 }, (_, index) => index * 7)
const always = (): boolean => true

function tracker(capacity: number, ttl = 1000): FlowTracker {
  return new FlowTracker({ capacity, ttl }, secret)
}

test('a flow stays with its backend, and its time begins anew with each use', () => {
  const flows = tracker(4)
  expect(flows.find('f', 0, always)).toBeUndefined()
  expect(flows.track('f', 'a', 0)).toBe(true)
  expect(flows.find('f', 999, always)).toBe('a')
  expect(flows.find('f', 1998, always)).toBe('a')
  expect(flows.find('f', 2998, always)).toBeUndefined()
  expect(flows.size).toBe(0)
})

test('a flow whose backend is not usable is forgotten', () => {
  const flows = tracker(4)
  flows.track('f', 'a', 0)
  flows.track('g', 'draining', 0)
  const usable = (id: string): boolean => id === 'draining'
  expect(flows.find('g', 1, usable)).toBe('draining')
  expect(flows.find('f', 1, usable)).toBeUndefined()
  expect(flows.find('f', 1, always)).toBeUndefined()
  expect([flows.flowsOf('a'), flows.flowsOf('draining')]).toEqual([0, 1])
})

test('when full, new flows are refused and the known ones stay, until one expires', () => {
  const flows = tracker(3)
  for (const [index, flow] of ['f', 'g', 'h'].entries()) expect(flows.track(flow, 'a', index)).toBe(true)
  expect(flows.track('i', 'b', 900)).toBe(false)
  expect(flows.find('f', 900, always)).toBe('a')
  expect(flows.track('g', 'b', 901)).toBe(true)
  expect(flows.find('g', 902, always)).toBe('b')
  // h was last used at 2.
  expect(flows.track('i', 'b', 1001)).toBe(false)
  expect(flows.track('i', 'b', 1002)).toBe(true)
  expect(['f', 'g', 'h', 'i'].map((flow) => flows.find(flow, 1003, always))).toEqual([
    'a',
    'b',
    undefined,
    'b',
  ])
})

test('a capacity of one', () => {
  const flows = tracker(1)
  expect([flows.track('f', 'a', 0), flows.track('g', 'a', 0)]).toEqual([true, false])
  expect(flows.forget('f')).toBe(true)
  expect(flows.forget('f')).toBe(false)
  expect(flows.track('g', 'b', 0)).toBe(true)
  expect(flows.find('g', 0, always)).toBe('b')
})

test('a string is the same flow as its bytes, a number as its bigint; an integer is no text', () => {
  const flows = tracker(8)
  flows.track('né', 'a', 0)
  expect(flows.find(new TextEncoder().encode('né'), 0, always)).toBe('a')
  flows.track(10, 'b', 0)
  expect(flows.find(10n, 0, always)).toBe('b')
  expect(flows.find(Uint8Array.of(10, 0, 0, 0, 0, 0, 0, 0), 0, always)).toBeUndefined()
  flows.track('', 'c', 0)
  expect(flows.find(new Uint8Array(), 0, always)).toBe('c')
})

test('flows of more than 128 bytes are not remembered, those of 128 are', () => {
  const flows = tracker(4)
  expect(flows.track('x'.repeat(128), 'a', 0)).toBe(true)
  expect(flows.track('x'.repeat(129), 'b', 0)).toBe(false)
  expect(flows.track(new Uint8Array(70_000), 'b', 0)).toBe(false)
  expect(flows.find('x'.repeat(128), 0, always)).toBe('a')
  expect(flows.find('x'.repeat(129), 0, always)).toBeUndefined()
  expect(flows.forget('x'.repeat(5000))).toBe(false)
})

test.each([-1, 1.5, Number.NaN, -1n, 2n ** 64n, null, {}])('refuses the flow %s', (flow) => {
  const flows = tracker(1)
  expect(() => Reflect.apply(flows.find, flows, [flow, 0, always])).toThrow(/A flow is/)
  expect(() => Reflect.apply(flows.track, flows, [flow, 'a', 0])).toThrow(/A flow is/)
})

interface Known {
  readonly id: string
  readonly until: number
}

test('agrees with a map, whatever is done', () => {
  const keys = fc.oneof(
    fc.nat(30).map((n): Key => n),
    fc.nat(30).map((n): Key => `flow ${n}`),
    fc.constantFrom<Key>('', 'x'.repeat(200), '__proto__', 'é', 12n),
  )
  const step = fc.record({
    action: fc.constantFrom('find', 'find', 'track', 'track', 'track', 'forget', 'expire'),
    flow: keys,
    id: fc.constantFrom('a', 'b', '__proto__'),
    wait: fc.constantFrom(0, 0, 0, 1, 30, 300),
    down: fc.constantFrom('', '', 'a'),
  })
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), fc.integer({ min: 1, max: 12 }), (steps, capacity) => {
      const flows = tracker(capacity, 100)
      const model = new Map<string, Known>()
      let now = 0
      for (const { action, flow, id, wait, down } of steps) {
        now += wait
        const name = typeof flow === 'string' ? `text ${flow}` : `integer ${String(flow)}`
        const known = model.get(name)
        if (action === 'find') {
          const usable = known !== undefined && known.until > now && known.id !== down
          expect(flows.find(flow, now, (at) => at !== down)).toBe(usable ? known.id : undefined)
          // The map is in the order of last use, in which those of one moment expire.
          model.delete(name)
          if (usable) model.set(name, { id: known.id, until: now + 100 })
        } else if (action === 'track') {
          const fits = typeof flow !== 'string' || flow.length <= 128
          if (known === undefined && fits && model.size === capacity) {
            // The one that expires first makes room when it has.
            const [first] = [...model].toSorted(([, a], [, b]) => a.until - b.until)
            if (first !== undefined && first[1].until <= now) model.delete(first[0])
          }
          const room = known !== undefined || (fits && model.size < capacity)
          expect(flows.track(flow, id, now)).toBe(room)
          if (room) {
            model.delete(name)
            model.set(name, { id, until: now + 100 })
          }
        } else if (action === 'forget') {
          expect(flows.forget(flow)).toBe(model.delete(name))
        } else {
          const expired = [...model].filter(([, { until }]) => until <= now)
          expect(flows.expire(now)).toBe(expired.length)
          for (const [each] of expired) model.delete(each)
        }
        expect(flows.size).toBe(model.size)
        for (const backend of ['a', 'b', '__proto__']) {
          expect(flows.flowsOf(backend)).toBe(
            [...model.values()].filter((each) => each.id === backend).length,
          )
        }
      }
    }),
    { numRuns: 300 },
  )
})

test('a million spoofed flows take no memory and displace nobody', () => {
  setFlagsFromString('--expose-gc')
  const collect: () => void = runInNewContext('gc')
  const capacity = 4096
  const flows = tracker(capacity, 60_000)
  for (let i = 0; i < capacity / 2; i++) flows.track(`198.51.100.7:${i} > 203.0.113.1:443`, `b${i % 10}`, 0)
  const spoof = (from: number, to: number): void => {
    for (let i = from; i < to; i++)
      flows.track(`10.${i >> 16}.${(i >> 8) & 255}.${i & 255}:${i & 0xffff}`, 'b0', 1)
  }
  spoof(0, 100_000)
  collect()
  const before = process.memoryUsage()
  spoof(100_000, 1_000_000)
  collect()
  const after = process.memoryUsage()
  expect(flows.size).toBe(capacity)
  expect(after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers).toBeLessThan(200_000)
  for (let i = 0; i < capacity / 2; i++) {
    expect(flows.find(`198.51.100.7:${i} > 203.0.113.1:443`, 2, always)).toBe(`b${i % 10}`)
  }
})

test('flows of one hash and length are told apart by their own bytes', () => {
  const secretWords = new Uint32Array(secret.buffer)
  const word = word64()
  const seen = new Map<number, string>()
  const flows = tracker(200)
  let pairs = 0
  for (let i = 0; pairs < 5; i++) {
    const flow = `flow ${String(i).padStart(8, '0')}`
    const length = encodeKey(flow)
    siphash24(encoded, length, secretWords, word)
    const hash = word[0] ?? 0
    const twin = seen.get(hash)
    seen.set(hash, flow)
    if (twin === undefined) continue
    pairs++
    flows.track(flow, flow, 0)
    expect(flows.find(twin, 0, always)).toBeUndefined()
    flows.track(twin, twin, 0)
    expect([flows.find(flow, 0, always), flows.find(twin, 0, always)]).toEqual([flow, twin])
  }
})

test('flows chosen to collide by who knows the secret are still told apart', () => {
  const capacity = 256
  const secretWords = new Uint32Array(secret.buffer)
  const word = word64()
  const colliding: string[] = []
  for (let i = 0; colliding.length < capacity; i++) {
    const flow = `flow ${i}`
    const length = encodeKey(flow)
    siphash24(encoded, length, secretWords, word)
    if (((word[0] ?? 0) & (2 * capacity - 1)) === 2 * capacity - 3) colliding.push(flow)
  }
  const flows = tracker(capacity)
  for (const [index, flow] of colliding.entries()) expect(flows.track(flow, `b${index}`, 0)).toBe(true)
  for (const [index, flow] of colliding.entries()) if (index % 3 === 0) expect(flows.forget(flow)).toBe(true)
  for (const [index, flow] of colliding.entries()) {
    expect(flows.find(flow, 0, always)).toBe(index % 3 === 0 ? undefined : `b${index}`)
  }
})
