import type { ServerResponse } from 'node:http'
import type { Exchange, HandlerContext } from '../http/exchange.ts'
import type { HeaderLines, ReceivedRequest } from '../http/message.ts'
import { withFront } from './front-headers.ts'
import { CapturedResponse, goneOf, headersOf, sendNode } from './node-response.ts'

/** A request to answer by a response of Node. */
export interface NodeExchange {
  readonly received: ReceivedRequest
  readonly scope: unknown
  readonly response: ServerResponse
  /** What stands on it, where the framework has put some of that elsewhere. Default: its own headers. */
  readonly front?: HeaderLines
}

/**
 * Answers by what the framework writes to the response when it is told to go on, or by what was kept.
 *
 * @throws where there is no answer, and nothing was written: then the framework is to answer
 */
export async function answerNode(
  exchange: Exchange,
  { received, scope, response, front = headersOf(response) }: NodeExchange,
  goOn: (execution: HandlerContext) => void,
): Promise<void> {
  const gone = goneOf(response)
  let captured: CapturedResponse | undefined
  try {
    const exchanged = await exchange.answer(
      received,
      scope,
      (execution) => {
        captured = new CapturedResponse(response, gone)
        goOn(execution)
        return captured.response(exchange.settings.maxResponseBytes)
      },
      gone.signal,
    )
    const answer = withFront(exchanged, front)
    const { body } = answer
    if (captured !== undefined) await captured.send(answer)
    else if (body instanceof Uint8Array) await sendNode(response, { ...answer, body })
  } catch (error) {
    if (captured === undefined) throw error
    captured.release()
    response.destroy()
  }
}
