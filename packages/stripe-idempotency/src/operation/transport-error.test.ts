import { expect, test } from 'vitest'
import { isTransportError } from './transport-error.ts'

const coded = (code: string): Error => Object.assign(new Error('it failed'), { code })

test.each([
  ['a connection that was reset', coded('ECONNRESET')],
  ['a connection of undici', coded('UND_ERR_SOCKET')],
  ['a stream of HTTP/2', coded('ERR_HTTP2_STREAM_CANCEL')],
  ['an answer that ends too early', coded('ERR_STREAM_PREMATURE_CLOSE')],
  ['an answer that is none', coded('HPE_INVALID_CONSTANT')],
  ['a timeout', new DOMException('too long', 'TimeoutError')],
  ['the cause of a cause', new Error('a', { cause: new Error('b', { cause: coded('EPIPE') }) })],
])('%s is one', (_, error) => {
  expect(isTransportError(error)).toBe(true)
})

test.each([
  ['an error of the program', new TypeError('x is not a function')],
  ['an answer', Object.assign(new Error('no'), { type: 'StripeCardError', code: 'card_declined' })],
  ['a text', 'ECONNRESET'],
  ['nothing', null],
])('%s is none', (_, error) => {
  expect(isTransportError(error)).toBe(false)
})

test('an error that is its own cause is looked at and left', () => {
  const error = new Error('it failed')
  error.cause = error
  expect(isTransportError(error)).toBe(false)
})
