import {
  bulkhead,
  type Collapser,
  circuitBreaker,
  collapser,
  fallback,
  hedge,
  limit,
  type Pipeline,
  pipeline,
  retry,
  throttle,
  timeout,
} from '@loadbearing/hystrix-breaker'
import { expectTypeOf, test } from 'vitest'

interface User {
  readonly name: string
}

const users = (ids: string[]): Promise<User[]> => Promise.resolve(ids.map((name) => ({ name })))

test('a pipeline gives what the work gives, and what its fallbacks add', () => {
  const api = pipeline(
    retry(),
    throttle(),
    hedge(),
    circuitBreaker(),
    limit.vegas(),
    timeout('1s'),
    bulkhead({ max: 1 }),
  )
  expectTypeOf(api).toEqualTypeOf<Pipeline>()
  expectTypeOf(() => api.run(() => 1)).returns.toEqualTypeOf<Promise<number>>()
  expectTypeOf(() => api.run(async ({ signal }) => ({ signal }))).returns.toEqualTypeOf<
    Promise<{ signal: AbortSignal }>
  >()
  const guarded = pipeline(
    { name: 'users' },
    fallback(() => null),
    retry(),
    fallback([() => 'a', async () => 'b']),
  )
  expectTypeOf(guarded).toEqualTypeOf<Pipeline<string | null>>()
  expectTypeOf(() => guarded.run(() => 1)).returns.toEqualTypeOf<Promise<number | string | null>>()
  // @ts-expect-error -- a policy is made by a function, and is not it
  expectTypeOf(() => pipeline(retry)).toBeFunction()
})

test('a collapser knows ids and answers from load, by position, by id and by map', () => {
  const byPlace = collapser({ load: users })
  expectTypeOf(byPlace).toEqualTypeOf<Collapser<string, User>>()
  expectTypeOf(() => byPlace('a')).returns.toEqualTypeOf<Promise<User>>()
  const byId = collapser({
    load: async (ids: number[]): Promise<Map<number, User | Error>> =>
      new Map(ids.map((id) => [id, { name: String(id) }])),
  })
  expectTypeOf(byId).toEqualTypeOf<Collapser<number, User>>()
  const holes = collapser({ load: (ids: string[]): (User | undefined)[] => ids.map(() => undefined) })
  expectTypeOf(() => holes('a')).returns.toEqualTypeOf<Promise<User>>()
  const mapped = collapser<string, User, User[]>({
    load: users,
    map: (rows, requests) => {
      for (const request of requests) {
        const row = rows.find(({ name }) => name === request.id)
        if (row !== undefined) request.succeed(row)
      }
    },
  })
  expectTypeOf(mapped).toEqualTypeOf<Collapser<string, User>>()
  // @ts-expect-error -- an id of another type
  expectTypeOf(() => byPlace(1)).toBeFunction()
})
