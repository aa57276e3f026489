import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { Worker } from 'node:worker_threads'
import { type BackendLease, type Balancer, toBalancer } from '../../src/adapters/balancer.ts'
import type { Key, Maglev } from '../../src/index.ts'

/** A server of 127.0.0.1 whose id is its address. */
export class TestBackend implements AsyncDisposable {
  readonly id: string
  readonly sockets = new Set<Socket>()
  readonly #server: Server

  private constructor(server: Server) {
    this.#server = server
    this.id = `127.0.0.1:${portOf(server)}`
    server.on('connection', (socket: Socket) => {
      this.sockets.add(socket)
      socket.once('close', () => this.sockets.delete(socket))
    })
  }

  static async start(serve: (socket: Socket, id: string) => void): Promise<TestBackend> {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => {})
      serve(socket, `127.0.0.1:${portOf(server)}`)
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    return new TestBackend(server)
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise((resolve) => this.#server.close(resolve))
  }
}

/** Tells its id, then echoes. */
export const echo = (socket: Socket, id: string): void => {
  socket.write(`${id}\n`)
  socket.pipe(socket)
}

export function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}

/** A listener that never accepts and whose queue is full: connecting to it hangs. */
export class DeafBackend implements AsyncDisposable {
  readonly id: string
  readonly #worker: Worker
  readonly #fillers: readonly Socket[]

  private constructor(id: string, worker: Worker, fillers: readonly Socket[]) {
    this.id = id
    this.#worker = worker
    this.#fillers = fillers
  }

  static async start(): Promise<DeafBackend> {
    const woken = new Int32Array(new SharedArrayBuffer(4))
    const worker = new Worker(
      `const { parentPort, workerData } = require('node:worker_threads')
       const server = require('node:net').createServer().listen(0, '127.0.0.1', 1, () => {
         parentPort.postMessage(server.address().port)
         Atomics.wait(workerData, 0, 0)
       })`,
      { eval: true, workerData: woken, execArgv: [] },
    )
    const [port] = await once(worker, 'message')
    const fillers: Socket[] = []
    for (;;) {
      const filler = connect({ port: Number(port), host: '127.0.0.1' }).on('error', () => {})
      fillers.push(filler)
      // A connection of the queue is there within a moment on loopback; the first that is not finds it full.
      await Promise.race([once(filler, 'connect'), new Promise((resolve) => setTimeout(resolve, 300))])
      // Where the process stood still, timers come before what the kernel has to tell.
      await new Promise((resolve) => setImmediate(resolve))
      if (filler.connecting) return new DeafBackend(`127.0.0.1:${port}`, worker, fillers)
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const filler of this.#fillers) filler.destroy()
    await this.#worker.terminate()
  }
}

/** Passes to a table and notes what it was told. */
export class RecordingBalancer implements Balancer {
  active = 0
  readonly acquired: string[] = []
  readonly reports: [id: string, result: unknown][] = []
  readonly #table: Balancer

  constructor(maglev: Maglev) {
    this.#table = toBalancer(maglev)
  }

  acquire(key: Key, options?: { exclude?: ReadonlySet<string> }): BackendLease {
    const { id, backend } = this.#table.acquire(key, options)
    this.active++
    this.acquired.push(id)
    let open = true
    return {
      id,
      backend,
      report: (result) => this.reports.push([id, result]),
      [Symbol.dispose]: () => {
        if (open) this.active--
        open = false
      },
    }
  }
}
