import { memoryStore } from '@loadbearing/stripe-idempotency'
import { storeSuite } from './store-suite.ts'

storeSuite(
  'a store in memory',
  async () => {
    let now = 0
    const clock = { now: () => now, monotonic: () => now, setTimeout: () => 0, clearTimeout: () => {} }
    const store = memoryStore({ clock })
    return {
      store,
      pass: (ms) => {
        now += ms
      },
      [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
    }
  },
  0,
)
