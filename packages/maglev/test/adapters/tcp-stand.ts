import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import {
  createTcpProxy,
  type TcpEndEvent,
  type TcpProxy,
  type TcpProxyOptions,
} from '../../src/adapters/tcp-proxy.ts'
import { Maglev } from '../../src/index.ts'
import { RecordingBalancer } from './backends.ts'

export interface Running extends AsyncDisposable {
  readonly proxy: TcpProxy
  readonly port: number
  readonly balancer: RecordingBalancer
  readonly ends: TcpEndEvent[]
  dial(): Socket
}

export async function running(ids: readonly string[], options: TcpProxyOptions = {}): Promise<Running> {
  const balancer = new RecordingBalancer(new Maglev(ids))
  const proxy = createTcpProxy(balancer, { drainTimeout: '1s', ...options })
  const ends: TcpEndEvent[] = []
  proxy.on('end', (event) => ends.push(event))
  const { port } = await proxy.listen({ port: 0, host: '127.0.0.1' })
  return {
    proxy,
    port,
    balancer,
    ends,
    dial: () => connect({ port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {}),
    [Symbol.asyncDispose]: () => proxy.close(),
  }
}

export const lineOf = async (socket: Socket): Promise<string> =>
  String((await once(socket, 'data'))[0]).trimEnd()
/** All bytes up to the end; the consumers of node:stream would destroy a socket whose other half is still open. */
export const text = (socket: Socket): Promise<string> =>
  new Promise((resolve) => {
    let all = ''
    socket.on('data', (chunk) => {
      all += String(chunk)
    })
    socket.once('end', () => resolve(all))
  })
export const errorOf = async (socket: Socket): Promise<string | undefined> => {
  const [error]: (NodeJS.ErrnoException | undefined)[] = await once(socket, 'error').catch((thrown) => [
    thrown,
  ])
  return error?.code
}
