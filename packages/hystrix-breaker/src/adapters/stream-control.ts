import { createHash, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage, RequestListener } from 'node:http'
import { InvalidOptionError, shown } from '../errors.ts'
import { checkNames } from '../option-checks.ts'
import type { Registry } from '../registry.ts'
import { admit, answerText } from './stream-access.ts'
import { checkRegistry } from './stream-frames.ts'

export interface ControlOptions {
  /** What a request carries as `Authorization: Bearer …`; 16 printable ASCII characters or more, no spaces. */
  readonly token: string
}

/**
 * Opens, closes and resets circuits from outside: a listener for `node:http` on every path. A request is
 * `POST …?action=open|close|reset&key=NAME` with the token, and is answered `{"name","state"}`: `open` and `close` force
 * until `reset`. 401 without the token, 404 where no breaker has the name, 400 for what it does not understand.
 *
 * @throws InvalidOptionError
 */
export function controlEndpoint(registry: Registry, options: ControlOptions): RequestListener {
  checkRegistry(registry)
  checkNames('options', options, ['token'])
  const { token } = options
  // Not shown: it may be the right one with a slip.
  if (typeof token !== 'string' || !/^[\x21-\x7E]{16,}$/.test(token))
    throw new InvalidOptionError(
      'token must be a text of 16 printable ASCII characters or more, without spaces',
    )
  const expected = digest(`Bearer ${token}`)
  const authorize = ({ headers }: IncomingMessage): boolean =>
    timingSafeEqual(digest(headers.authorization ?? ''), expected)
  return (request, response) => {
    // What it carries is not looked at, and must not fill the connection.
    request.resume()
    admit(request, response, { methods: ['POST'], authorize }, () => {
      const query = new URLSearchParams(/\?(.*)$/s.exec(request.url ?? '')?.[1])
      const [action, key] = [query.get('action'), query.get('key')]
      if ((action !== 'open' && action !== 'close' && action !== 'reset') || key === null) {
        answerText(response, 400, 'action must be open, close or reset, and key the name of a breaker')
        return
      }
      const breaker = registry.get(key)
      if (breaker === undefined) {
        answerText(response, 404, `There is no breaker ${shown(key)}`)
        return
      }
      if (action === 'reset') breaker.reset()
      else breaker.force(action === 'open' ? 'forced-open' : 'forced-closed')
      answerText(response, 200, JSON.stringify({ name: breaker.name, state: breaker.state }), {
        'Content-Type': 'application/json',
      })
    })
  }
}

// Of equal length, so that the comparison takes the same time for every text.
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
