export { type Child, type ChildExit, type ChildOptions, type LineMatch, startChild } from './child.ts'
export { type CrashSite, crashPoint } from './crash-point.ts'
export type { Duration } from './duration.ts'
export { type EventuallyOptions, eventually } from './eventually.ts'
export { freePort, type RefusedPort, refusedPort } from './loopback-port.ts'
export {
  type Direction,
  type DirectionStats,
  type TcpProxy,
  type TcpProxyOptions,
  type TcpProxyStats,
  tcpProxy,
} from './tcp-proxy.ts'
