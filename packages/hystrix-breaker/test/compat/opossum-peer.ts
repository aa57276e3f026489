import { createRequire } from 'node:module'
import type { CircuitBreaker } from '@loadbearing/hystrix-breaker/opossum'

/** opossum 10 itself, which has no types of its own: our face has its API. */
export const Opossum: typeof CircuitBreaker = createRequire(import.meta.url)('opossum')
