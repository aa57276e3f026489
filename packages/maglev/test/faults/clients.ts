import { once } from 'node:events'
import { type IncomingMessage, request } from 'node:http'
import { connect } from 'node:net'

/** A connection or a request that stays open. */
export interface Lasting {
  /** Of the backend that serves it. */
  readonly id: string
  readonly broken: () => boolean
  /** Whether it still carries bytes both ways; then ends it. */
  readonly finishes: () => Promise<boolean>
}

/** How clients of a stand behave. */
export interface Client {
  /** One connection from `localAddress`; the id of the backend that served it, or undefined where it broke or was refused. */
  brief(port: number, localAddress: string): Promise<string | undefined>
  lasting(port: number, localAddress: string): Promise<Lasting>
}

/** What nothing happens on for so long counts as broken. */
const patienceMs = 10_000

export const tcpClient: Client = {
  /** Asks for the backend's id and one echo. */
  async brief(port, localAddress) {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    const { promise, resolve } = Promise.withResolvers<string | undefined>()
    socket.setTimeout(patienceMs, () => socket.destroy())
    let said = ''
    socket.on('data', (data) => {
      said += String(data)
      const [, echo] = said.split('\n')
      if (echo === '') socket.write('ping')
      if (echo === 'ping') socket.end()
    })
    socket.on('error', () => resolve(undefined))
    socket.on('close', () => {
      const [id, echo] = said.split('\n')
      resolve(echo === 'ping' ? id : undefined)
    })
    return promise
  },

  async lasting(port, localAddress) {
    const socket = connect({ port, host: '127.0.0.1', localAddress, noDelay: true })
    let broken = false
    socket.on('error', () => {})
    socket.on('close', () => {
      broken = true
    })
    const [line] = await once(socket, 'data')
    return {
      id: String(line).trim(),
      broken: () => broken,
      async finishes() {
        if (broken) return false
        const heard = Promise.withResolvers<boolean>()
        socket.once('data', (data) => heard.resolve(String(data) === 'still there'))
        socket.once('close', () => heard.resolve(false))
        socket.setTimeout(patienceMs, () => heard.resolve(false))
        socket.write('still there')
        const good = await heard.promise
        socket.destroy()
        return good
      },
    }
  },
}

export const httpClient: Client = {
  /** A GET on a connection of its own: whatever is not 200 and whole is broken. */
  async brief(port, localAddress) {
    const asked = request({ port, host: '127.0.0.1', localAddress, agent: false, timeout: patienceMs })
    asked.on('timeout', () => asked.destroy())
    const answer = await answered(asked.end())
    const body = answer && (await bodyOf(answer))
    return answer?.statusCode === 200 ? body : undefined
  },

  /** A POST whose answer is its own body, so that its end is the client's to choose; no proxy may send it twice. */
  async lasting(port, localAddress) {
    const asked = request({
      port,
      host: '127.0.0.1',
      localAddress,
      agent: false,
      method: 'POST',
      path: '/echo',
    })
    const answering = answered(asked)
    asked.write('begun')
    const answer = await answering
    if (answer?.statusCode !== 200) throw new Error(`/echo was answered with ${answer?.statusCode}`)
    let [broken, received] = [false, '']
    asked.on('error', () => {})
    answer.on('data', (data) => {
      received += String(data)
    })
    answer.on('error', () => {})
    answer.on('close', () => {
      broken = !answer.complete
    })
    return {
      id: String(answer.headers['x-backend']),
      broken: () => broken,
      async finishes() {
        if (broken) return false
        const over = Promise.withResolvers<void>()
        answer.once('close', over.resolve)
        asked.setTimeout(patienceMs, () => asked.destroy())
        asked.end(', still there')
        await over.promise
        return answer.complete && received === 'begun, still there'
      },
    }
  },
}

async function answered(asked: ReturnType<typeof request>): Promise<IncomingMessage | undefined> {
  const { promise, resolve } = Promise.withResolvers<IncomingMessage | undefined>()
  asked.on('response', resolve)
  asked.on('error', () => resolve(undefined))
  return promise
}

/** Undefined where it breaks off. */
async function bodyOf(answer: IncomingMessage): Promise<string | undefined> {
  try {
    return (await answer.setEncoding('utf8').toArray()).join('')
  } catch {
    return undefined
  }
}
