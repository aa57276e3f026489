import { expect, test } from 'vitest'
import { addressOf } from './address.ts'

test.each([
  ['10.0.0.1:80', '10.0.0.1', 80],
  ['example.org:65535', 'example.org', 65_535],
  ['[::1]:443', '::1', 443],
  ['[fe80::1%eth0]:1', 'fe80::1%eth0', 1],
  ['[::ffff:10.0.0.1]:80', '::ffff:10.0.0.1', 80],
])('%s', (id, host, port) => {
  expect(addressOf({ id })).toEqual({ host, port })
})

test('an address goes before the id', () => {
  expect(addressOf({ id: 'a', address: '127.0.0.1:90' })).toEqual({ host: '127.0.0.1', port: 90 })
})

test.each([
  '',
  'host',
  'host:',
  ':80',
  'host:0',
  'host:65536',
  'host:1e3',
  '::1:80',
  '[::1]',
  '[nope]:80',
  'http://host:80',
  'user@host:80',
  'host:80 ',
  'ho st:80',
  '__proto__',
  'a\0b:80\r\n',
])('%j is no address', (id) => {
  expect(() => addressOf({ id })).toThrow(expect.objectContaining({ code: 'INVALID_BACKEND' }))
})
