import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { buffer } from 'node:stream/consumers'
import { reasonOf } from './errors.ts'
import { holdOnToDesk, tellDesk } from './lifeline.ts'
import {
  type Batch,
  decodeBatch,
  encode,
  isFromDesk,
  noPayments,
  type PaymentTally,
  type Report,
  type Start,
} from './messages.ts'

const MOST_BYTES = 1_000_000

/**
 * Does what a batch asks of a worker.
 *
 * @param halt tells the desk that the worker stands where the batch wants it; resolves when it may go on, perhaps never
 */
export type Settle = (batch: Batch, halt: () => Promise<void>) => Promise<Report>

/** Makes this process a worker of the desk: GET /health answers 200, POST /batches settles one batch after the other. */
export function serveDesk(begin: (start: Start) => Settle | Promise<Settle>): void {
  let work: Promise<unknown> = Promise.resolve()
  let halted: PromiseWithResolvers<void> | undefined
  let payments: PaymentTally = noPayments

  // All of what a worker does at the same time may halt; the desk is told once.
  const halt = (): Promise<void> => {
    if (halted === undefined) {
      halted = Promise.withResolvers<void>()
      tellDesk({ kind: 'halted' })
    }
    return halted.promise
  }
  // Nobody asks how it fares before it has begun.
  const open = async (start: Start): Promise<void> => {
    const settle = await begin(start)
    const server = createServer((request, response) => {
      answer(request, response, (batch) => {
        const settled = work.then(async () => {
          const report = await settle(batch, halt)
          payments = report.payments
          return report
        })
        work = settled.catch(() => {})
        return settled
      }).catch((error: unknown) => {
        reply(response, 500, reasonOf(error))
      })
    })
    // The desk decides how long its connections live.
    server.keepAliveTimeout = 0
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      if (typeof address === 'object') tellDesk({ kind: 'ready', port: address?.port })
    })
  }

  holdOnToDesk()
  process.on('message', (message: unknown) => {
    if (!isFromDesk(message)) return
    if (message.kind === 'start') {
      void open(message)
      return
    }
    halted?.resolve()
    // What came in while the process stood still is read first.
    setImmediate(() => void work.then(() => tellDesk({ kind: 'caught-up', payments })))
  })
}

async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  settle: (batch: Batch) => Promise<Report>,
): Promise<void> {
  const call = `${request.method} ${request.url}`
  if (call === 'GET /health') return reply(response, 200, 'well')
  if (call !== 'POST /batches') return reply(response, 404, `no ${call}`)
  if (!(Number(request.headers['content-length']) <= MOST_BYTES)) {
    return reply(response, 413, `more than ${MOST_BYTES} bytes, or no content-length`)
  }
  const report = await settle(decodeBatch(await buffer(request)))
  reply(response, 200, encode(report))
}

function reply(response: ServerResponse, status: number, body: string | Buffer): void {
  response.writeHead(status).end(body)
}
