import { expect, test } from 'vitest'
import { isMaglevError } from '../errors.ts'
import { checkOutlierOptions } from './outlier-options.ts'

test("the defaults are Envoy's, but for one ejection that is always allowed", () => {
  // envoyproxy/envoy, outlier_detection.proto.
  expect(checkOutlierOptions({})).toEqual({
    consecutive5xx: 5,
    interval: 10_000,
    baseEjectionTime: 30_000,
    maxEjectionPercent: 10,
    enforcingConsecutive5xx: 100,
    enforcingSuccessRate: 100,
    successRateMinimumHosts: 5,
    successRateRequestVolume: 100,
    successRateStdevFactor: 1900,
    consecutiveGatewayFailure: 5,
    enforcingConsecutiveGatewayFailure: 0,
    splitExternalLocalOriginErrors: false,
    consecutiveLocalOriginFailure: 5,
    enforcingConsecutiveLocalOriginFailure: 100,
    enforcingLocalOriginSuccessRate: 100,
    failurePercentageThreshold: 85,
    enforcingFailurePercentage: 0,
    enforcingFailurePercentageLocalOrigin: 0,
    failurePercentageMinimumHosts: 5,
    failurePercentageRequestVolume: 50,
    maxEjectionTime: 300_000,
    maxEjectionTimeJitter: 0,
    successfulActiveHealthCheckUnejectHost: true,
    alwaysEjectOneHost: true,
  })
})

test('the longest ejection is by default 300 s, or the base where that is more', () => {
  expect(checkOutlierOptions({ baseEjectionTime: '10m' }).maxEjectionTime).toBe(600_000)
})

test.each<[string, unknown]>([
  ['interval', { interval: 0 }],
  ['baseEjectionTime', { baseEjectionTime: '0s' }],
  ['maxEjectionTime', { maxEjectionTime: 29_999 }],
  ['maxEjectionPercent', { maxEjectionPercent: 101 }],
  ['maxEjectionPercent', { maxEjectionPercent: 0.1 }],
  ['consecutive5xx', { consecutive5xx: -1 }],
  ['consecutive5xx', { consecutive5xx: '5' }],
  ['successRateStdevFactor', { successRateStdevFactor: 1.9 }],
  ['alwaysEjectOneHost', { alwaysEjectOneHost: 1 }],
  ['consecutive_5xx', { consecutive_5xx: 5 }],
])('refuses a wrong option and names it: %s', (name, options) => {
  try {
    Reflect.apply(checkOutlierOptions, undefined, [options])
    expect.unreachable()
  } catch (error) {
    expect(isMaglevError(error) && error.code).toBe('INVALID_OPTION')
    expect(String(error)).toContain(name)
  }
})
