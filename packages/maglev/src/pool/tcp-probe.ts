import { connect } from 'node:net'
import { addressOf } from './address.ts'
import type { Prober } from './probe.ts'

export interface TcpProbeOptions {
  /** Port to connect to instead of the backend's own. */
  readonly port?: number
}

/** A prober that passes a backend which accepts a connection. */
export function tcpProbe(options: TcpProbeOptions): Prober {
  return (backend, signal) => {
    const { host, port } = addressOf(backend)
    const { promise, resolve, reject } = Promise.withResolvers<'healthy'>()
    const socket = connect({ host, port: options.port ?? port, signal })
    let failure: unknown
    let accepted = false
    socket.on('error', (error) => {
      failure = error
    })
    socket.on('connect', () => {
      accepted = true
      socket.destroy()
    })
    socket.on('close', () => {
      if (accepted) resolve('healthy')
      else reject(failure)
    })
    return promise
  }
}
