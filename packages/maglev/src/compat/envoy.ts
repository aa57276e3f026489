export { toEnvoyCluster } from './envoy-export.ts'
export type { EnvoyHealthCheck } from './envoy-health-check.ts'
export { type EnvoyCluster, type EnvoyHost, type EnvoyPoolOptions, fromEnvoyCluster } from './envoy-import.ts'
