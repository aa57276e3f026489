import { expect, test } from 'vitest'
import { readRequestHead } from './http-head.ts'

// node:http refuses these itself, by default: this reader must not rely on that.
test.each([
  ['Content-Length', '3', 'Transfer-Encoding', 'chunked'],
  ['Transfer-Encoding', 'chunked', 'Content-Length', '0'],
  ['Content-Length', '3', 'Content-Length', '4'],
  ['Content-Length', '3', 'content-length', '3'],
  ['Content-Length', '+3'],
  ['Content-Length', '3, 3'],
])('a body of two lengths, or of none that is one, is refused: %s %s', (...fields) => {
  const head = readRequestHead({
    method: 'POST',
    url: '/',
    httpVersion: '1.1',
    rawHeaders: ['Host', 'a', ...fields],
  })
  expect(head).toMatchObject({ status: 400 })
})
