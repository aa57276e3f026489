import type { Socket } from 'node:net'

/** How two joined connections ended. */
export interface SpliceEnd {
  readonly outcome: 'finished' | 'client-reset' | 'backend-reset' | 'idle'
  /** What the socket that broke said. */
  readonly error: Error | undefined
}

/**
 * Joins two connections until both are closed: bytes flow both ways no faster than their reader takes them, the end of one
 * direction is passed on while the other goes on, and whatever breaks one side resets the other, so that nobody takes a
 * broken stream for a finished one. After `idleTimeout` ms without a byte on either side both are reset.
 */
export function splice(client: Socket, backend: Socket, idleTimeout: number): Promise<SpliceEnd> {
  return new Promise((resolve) => {
    let end: SpliceEnd = { outcome: 'finished', error: undefined }
    let open = 2
    const abort = (outcome: SpliceEnd['outcome'], error?: Error): void => {
      if (end.outcome === 'finished') end = { outcome, error }
      reset(client)
      reset(backend)
    }
    const watch = (socket: Socket, other: Socket, outcome: SpliceEnd['outcome']): void => {
      let movedAtTimeout = -1
      const moved = (one: Socket): number => one.bytesRead + one.bytesWritten
      socket.on('error', (error) => abort(outcome, error))
      socket.once('close', () => {
        if (!(socket.readableEnded && socket.writableFinished)) abort(outcome)
        if (--open === 0) resolve(end)
      })
      socket.setTimeout(idleTimeout, () => {
        movedAtTimeout = moved(socket)
        if (other.destroyed || idle.get(other)?.() === true) abort('idle')
      })
      // Silent since its own timer fired, which starts anew with every byte.
      idle.set(socket, () => movedAtTimeout === moved(socket))
    }
    const idle = new Map<Socket, () => boolean>()
    watch(client, backend, 'client-reset')
    watch(backend, client, 'backend-reset')
    client.pipe(backend)
    backend.pipe(client)
    if (client.destroyed || backend.destroyed) abort(client.destroyed ? 'client-reset' : 'backend-reset')
  })
}

function reset(socket: Socket): void {
  if (!socket.destroyed) socket.resetAndDestroy()
}
