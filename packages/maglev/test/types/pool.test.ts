import {
  type BackendStatus,
  createPool,
  type Health,
  type Lease,
  Maglev,
  type Pool,
  type Prober,
} from '@loadbearing/maglev'
import { expect, expectTypeOf, test } from 'vitest'

interface Data {
  readonly port: number
}

test('the type of the data goes from the table through the pool to leases, states and probers', async () => {
  const lb = new Maglev<Data>([{ id: 'a', data: { port: 80 } }])
  await using pool = createPool(lb, {
    active: {
      probe: (backend, signal) => {
        expectTypeOf(backend.data).toEqualTypeOf<Data | undefined>()
        expectTypeOf(signal).toEqualTypeOf<AbortSignal>()
        return Promise.resolve('healthy')
      },
    },
  })
  expectTypeOf(pool).toEqualTypeOf<Pool<Data>>()
  using lease = pool.acquire('key')
  expectTypeOf(lease).toEqualTypeOf<Lease<Data>>()
  expectTypeOf(lease.backend.data).toEqualTypeOf<Data | undefined>()
  expectTypeOf(pool.states()).toEqualTypeOf<Map<string, BackendStatus<Data>>>()
  // What takes any pool takes this one.
  expectTypeOf(pool).toExtend<Pool>()
})

test('events and reports are closed sets', async () => {
  await using pool = createPool(new Maglev(['a']))
  pool.on('state', ({ from, to }) => {
    expectTypeOf(from).toEqualTypeOf<Health>()
    expectTypeOf(to).toEqualTypeOf<Health>()
  })
  // @ts-expect-error: no such event
  expect(() => pool.on('health', () => undefined)).toThrow('There is no event')
  using lease = pool.acquire('a')
  // @ts-expect-error: no such result
  expectTypeOf(lease.report).toBeCallableWith('fine')
  // @ts-expect-error: a prober answers healthy or degraded
  expectTypeOf<() => Promise<'up'>>().toExtend<Prober>()
})
