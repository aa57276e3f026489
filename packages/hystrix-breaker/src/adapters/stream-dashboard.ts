import type { RequestListener } from 'node:http'
export interface DashboardOptions {
  readonly stream?: string
}
export function dashboardPage(_options: DashboardOptions = {}): RequestListener {
  return () => {}
}
