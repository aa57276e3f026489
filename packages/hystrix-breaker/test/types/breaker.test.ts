import {
  breaker,
  type CallContext,
  Circuit,
  circuitSettings,
  type Permit,
  type Refusal,
} from '@loadbearing/hystrix-breaker'
import { expectTypeOf, test } from 'vitest'

test('types of the public surface are inferred', () => {
  const get = breaker(async (id: string, deep: boolean, context: CallContext) => ({ id, deep, context }))
  expectTypeOf(get).parameters.toEqualTypeOf<[id: string, deep: boolean]>()
  expectTypeOf(get).returns.toEqualTypeOf<Promise<{ id: string; deep: boolean; context: CallContext }>>()
  expectTypeOf(new Circuit(circuitSettings()).acquire(0)).toEqualTypeOf<Permit | Refusal>()
})
