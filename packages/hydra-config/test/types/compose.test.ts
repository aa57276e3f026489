import {
  type Composition,
  compose,
  type Element,
  type Override,
  parseOverride,
  sweep,
} from '@loadbearing/hydra-config'
import { expectTypeOf, test } from 'vitest'

test('types of the public surface', () => {
  expectTypeOf(compose).returns.toEqualTypeOf<Promise<Composition>>()
  expectTypeOf(parseOverride).returns.toEqualTypeOf<Override>()
  expectTypeOf(sweep).returns.toEqualTypeOf<Promise<readonly (readonly string[])[]>>()
  expectTypeOf<Override['value']>().toEqualTypeOf<Element>()
})
