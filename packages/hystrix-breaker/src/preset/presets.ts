import { envoyOutlier } from './envoy-outlier.ts'
import { hystrix } from './hystrix.ts'
import { opossum } from './opossum.ts'
import { polly } from './polly.ts'
import { resilience4j } from './resilience4j.ts'

/** Circuits that go by another breaker's options, defaults and operators, under its names. */
export const presets: {
  readonly hystrix: typeof hystrix
  readonly resilience4j: typeof resilience4j
  readonly polly: typeof polly
  readonly opossum: typeof opossum
  readonly envoyOutlier: typeof envoyOutlier
} = { hystrix, resilience4j, polly, opossum, envoyOutlier }
