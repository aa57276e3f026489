import {
  type AttachedMaglev,
  attach,
  type Backend,
  isMaglevError,
  type Key,
  Maglev,
  type MaglevErrorCode,
} from '@loadbearing/maglev'
import { restore, toBytes } from '@loadbearing/maglev/snapshot'
import { expectTypeOf, test } from 'vitest'

test('the data of backends keeps its type', () => {
  const lb = new Maglev([{ id: 'a', data: { port: 80 } }])
  expectTypeOf(lb).toEqualTypeOf<Maglev<{ port: number }>>()
  expectTypeOf(lb.pick('key').data).toEqualTypeOf<{ port: number } | undefined>()
  expectTypeOf(lb.update)
    .parameter(0)
    .toHaveProperty('add')
    .toEqualTypeOf<readonly (string | Backend<{ port: number }>)[] | undefined>()
  // @ts-expect-error another kind of data
  lb.add({ id: 'b', data: 'text' })
})

test('a lookup may find nothing', () => {
  const lb = new Maglev(['a', 'b'])
  expectTypeOf(lb.lookup('key')).toEqualTypeOf<string | undefined>()
  expectTypeOf(lb.replicas('key', 2)).toEqualTypeOf<string[]>()
  expectTypeOf<Key>().toEqualTypeOf<string | Uint8Array | number | bigint>()
  expectTypeOf(lb.lookupMany).toBeCallableWith(Uint32Array.of(1))
  // @ts-expect-error null is no key
  expectTypeOf(lb.lookup).toBeCallableWith(null)
})

test('options and health are closed sets', () => {
  // @ts-expect-error no such mode
  expectTypeOf(Maglev).toBeConstructibleWith(['a'], { mode: 'ketama' })
  // @ts-expect-error no such health
  expectTypeOf(new Maglev(['a']).setHealth).toBeCallableWith('a', 'sick')
  // @ts-expect-error undefined is not a size
  expectTypeOf(Maglev).toBeConstructibleWith(['a'], { tableSize: undefined })
})

test('events are typed by name', () => {
  const lb = new Maglev(['a'])
  const stop = lb.on('rebuild', (event) => expectTypeOf(event.changed).toBeNumber())
  expectTypeOf(stop).toEqualTypeOf<() => void>()
  lb.on('health', (event) => expectTypeOf(event.from).toEqualTypeOf<NonNullable<Backend['health']>>())
})

test('the guard narrows to the closed set of codes', () => {
  const codeOf = (error: unknown): MaglevErrorCode | undefined =>
    isMaglevError(error) ? error.code : undefined
  expectTypeOf(codeOf).returns.toEqualTypeOf<MaglevErrorCode | undefined>()
})

test('a table of any data can be shared and kept', () => {
  const lb = new Maglev([{ id: 'a', data: 1 }], { shared: true })
  expectTypeOf(attach(lb.share())).toEqualTypeOf<AttachedMaglev>()
  expectTypeOf(restore(toBytes(lb))).toEqualTypeOf<Maglev>()
})
