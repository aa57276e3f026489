import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import { Breaker, Registry, type RegistryEvents } from '@loadbearing/hystrix-breaker'
import {
  type Authorize,
  controlEndpoint,
  dashboardPage,
  hystrixStream,
  type StreamEndpoint,
  type TurbineEndpoint,
  turbineStream,
} from '@loadbearing/hystrix-breaker/stream'
import { expectTypeOf, test } from 'vitest'

test('the endpoints are listeners of node:http', () => {
  expectTypeOf(hystrixStream).returns.toEqualTypeOf<StreamEndpoint>()
  expectTypeOf(turbineStream).returns.toEqualTypeOf<TurbineEndpoint>()
  expectTypeOf<StreamEndpoint>().toExtend<RequestListener>()
  expectTypeOf<TurbineEndpoint>().toExtend<StreamEndpoint>()
  expectTypeOf(dashboardPage).returns.toEqualTypeOf<RequestListener>()
  expectTypeOf(controlEndpoint).parameter(1).toEqualTypeOf<{ readonly token: string }>()
  expectTypeOf<StreamEndpoint>().parameters.toEqualTypeOf<
    [request: IncomingMessage, response: ServerResponse]
  >()
  expectTypeOf<Authorize>().toBeCallableWith({} as IncomingMessage)
})

test('a registry is a collection of breakers with events', () => {
  const registry = new Registry()
  expectTypeOf(registry.get('a')).toEqualTypeOf<Breaker | undefined>()
  expectTypeOf(registry.getOrCreate('a', (name) => new Breaker({ name }))).toEqualTypeOf<Breaker>()
  expectTypeOf([...registry]).toEqualTypeOf<Breaker[]>()
  expectTypeOf(registry.on<'duplicate'>)
    .parameter(1)
    .toEqualTypeOf<(event: RegistryEvents['duplicate']) => void>()
})
