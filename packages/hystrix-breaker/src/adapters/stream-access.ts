import type { IncomingMessage, ServerResponse } from 'node:http'

/** Whether a request may go on. What it throws answers 500 and is a warning of the process. */
export type Authorize = (request: IncomingMessage) => boolean | PromiseLike<boolean>

/**
 * Calls `proceed` where the method is one of `methods` and `authorize` lets it; otherwise answers 405, 401 or 500.
 * GET means HEAD too.
 */
export function admit(
  request: IncomingMessage,
  response: ServerResponse,
  { methods, authorize }: { readonly methods: readonly string[]; readonly authorize: Authorize | undefined },
  proceed: () => void,
): void {
  if (!methods.includes(request.method ?? '')) {
    answerText(response, 405, `${methods.join(' and ')} only`, { Allow: methods.join(', ') })
    return
  }
  if (authorize === undefined) {
    proceed()
    return
  }
  void decide(request, response, authorize, proceed)
}

async function decide(
  request: IncomingMessage,
  response: ServerResponse,
  authorize: Authorize,
  proceed: () => void,
): Promise<void> {
  let allowed: boolean
  try {
    allowed = await authorize(request)
  } catch (error) {
    process.emitWarning(error instanceof Error ? error : new Error(String(error)))
    answerText(response, 500, 'Internal Server Error')
    return
  }
  if (allowed) proceed()
  else answerText(response, 401, 'Unauthorized')
}

export function answerText(
  response: ServerResponse,
  status: number,
  text: string,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, {
    'Content-Type': 'text/plain;charset=UTF-8',
    'Content-Length': Buffer.byteLength(text),
    'Cache-Control': 'no-store',
    ...headers,
  })
  response.end(text)
}
