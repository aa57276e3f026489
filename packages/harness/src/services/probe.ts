import { connect } from 'node:net'

const patienceMs = 2_000
const replyLimit = 65_536

/**
 * Connects, says `question` and gives what comes back to `judge` until that knows. False where nobody listens, the
 * connection ends, or 2 s pass.
 */
export function ask(
  host: string,
  port: number,
  question: string | Buffer,
  judge: (reply: Buffer) => boolean | undefined,
): Promise<boolean> {
  return new Promise((resolve) => {
    let reply = Buffer.alloc(0)
    const socket = connect({ host, port, timeout: patienceMs })
    const conclude = (answer: boolean): void => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('connect', () => socket.write(question))
    socket.on('data', (data: Buffer) => {
      reply = Buffer.concat([reply, data])
      const verdict = judge(reply)
      if (verdict !== undefined) conclude(verdict)
      else if (reply.length > replyLimit) conclude(false)
    })
    socket.on('timeout', () => conclude(false))
    socket.on('error', () => conclude(false))
    socket.on('close', () => conclude(false))
  })
}
