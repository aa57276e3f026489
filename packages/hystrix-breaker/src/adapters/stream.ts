import { checkNames } from '../option-checks.ts'
import { realClock } from '../ports.ts'
import type { Registry } from '../registry.ts'
import {
  type StreamEndpoint,
  type StreamOptions,
  streamEndpoint,
  streamOptionNames,
} from './stream-connections.ts'
import { checkRegistry, registryData } from './stream-frames.ts'

export type { Authorize } from './stream-access.ts'
export type { StreamEndpoint, StreamOptions } from './stream-connections.ts'
export { type ControlOptions, controlEndpoint } from './stream-control.ts'
export { type DashboardOptions, dashboardPage } from './stream-dashboard.ts'
export {
  type TurbineEndpoint,
  type TurbineEvents,
  type TurbineOptions,
  type TurbinePeer,
  type TurbineSource,
  turbineStream,
} from './stream-turbine.ts'

/**
 * `hystrix.stream` of what is in the registry, for the Hystrix dashboard, Turbine and the page of this package: a
 * listener for `node:http` that answers GET on every path. Headers, frames and refusals are those of Hystrix's
 * HystrixSampleSseServlet.
 *
 * A frame of each command, pool and collapser at once and then each `delay`, with a `ping`; what leaves the registry is
 * told by `deleteData`. A client that does not read misses frames. Without clients there is no timer.
 *
 * ```ts
 * createServer(hystrixStream(registry)).listen(8080, '127.0.0.1')
 * ```
 *
 * @throws InvalidOptionError naming the option.
 */
export function hystrixStream(registry: Registry, options: StreamOptions = {}): StreamEndpoint {
  checkRegistry(registry)
  checkNames('options', options, streamOptionNames)
  const { clock = realClock } = options
  return streamEndpoint({ data: () => registryData(registry, clock.now()) }, options)
}
