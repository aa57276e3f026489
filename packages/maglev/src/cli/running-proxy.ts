import type { AddressInfo } from 'node:net'
import type { ListenOptions } from '../adapters/tcp-proxy.ts'

/** What both proxies have in common. */
export interface RunningProxy {
  listen(options: ListenOptions): Promise<AddressInfo>
  close(): Promise<void>
  stats(): {
    readonly open: number
    readonly accepted: number
    readonly dropped: number
    readonly retries: number
    readonly received: number
    readonly sent: number
    readonly ended: Readonly<Record<string, number>>
    /** Of HTTP. */
    readonly statuses?: ReadonlyMap<number, number>
  }
}
