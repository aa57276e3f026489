import { type TokenBucket, tokenBucket } from '@loadbearing/hydra-config'
import { expectTypeOf, test } from 'vitest'

test('types of the public surface', () => {
  expectTypeOf(tokenBucket).returns.toEqualTypeOf<TokenBucket>()
  expectTypeOf<TokenBucket['take']>().parameters.toEqualTypeOf<[nowMs: number]>()
})
