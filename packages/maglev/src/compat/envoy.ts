export { toEnvoyCluster } from './envoy-export.ts'
export { type EnvoyCluster, type EnvoyHost, type EnvoyPoolOptions, fromEnvoyCluster } from './envoy-import.ts'
