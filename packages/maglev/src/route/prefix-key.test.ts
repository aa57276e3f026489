import fc from 'fast-check'
import { expect, test } from 'vitest'
import xxhash from 'xxhash-wasm'
import { isMaglevError } from '../errors.ts'
import { Maglev } from '../maglev.ts'
import { prefixKey } from './prefix-key.ts'

const { h64, h64Raw } = await xxhash()
const tokens = fc.array(fc.integer({ min: 0, max: 2 ** 32 - 1 }), { maxLength: 40 })
const blocks = fc.integer({ min: 1, max: 30 })

test('is the XXH64 of the first block: text as UTF-8, tokens as uint32, little-endian', () => {
  expect(prefixKey('You are a helpful assistant.', 7)).toBe(h64('You are'))
  expect(prefixKey('zoë', 10)).toBe(h64('zoë'))
  expect(prefixKey([1, 2 ** 32 - 1, 3], 2)).toBe(h64Raw(Uint8Array.of(1, 0, 0, 0, 255, 255, 255, 255)))
  expect(prefixKey([], 2)).toBe(h64(''))
})

test('prompts that begin alike have one key, whatever follows', () => {
  fc.assert(
    fc.property(tokens, tokens, tokens, blocks, (begin, one, other, blockSize) => {
      fc.pre(begin.length >= blockSize)
      expect(prefixKey([...begin, ...one], blockSize)).toBe(prefixKey([...begin, ...other], blockSize))
    }),
  )
  fc.assert(
    fc.property(fc.string({ minLength: 30 }), fc.string(), blocks, (begin, rest, blockSize) => {
      expect(prefixKey(begin + rest, blockSize)).toBe(prefixKey(begin, blockSize))
    }),
  )
})

test('prompts that differ within the block have different keys', () => {
  fc.assert(
    fc.property(tokens, tokens, blocks, (one, other, blockSize) => {
      const same = one.slice(0, blockSize).join() === other.slice(0, blockSize).join()
      expect(prefixKey(one, blockSize) === prefixKey(other, blockSize)).toBe(same)
    }),
  )
})

test('tokens may come in any kind of array', () => {
  const list = [7, 8, 9]
  expect(prefixKey(Uint32Array.from(list), 2)).toBe(prefixKey(list, 2))
  expect(prefixKey(Int32Array.from(list), 2)).toBe(prefixKey(list, 2))
  expect(prefixKey({ length: 2, 0: 7, 1: 8 }, 5)).toBe(prefixKey([7, 8], 2))
})

test('a conversation stays with its server as it grows', () => {
  const lb = new Maglev(['gpu-1', 'gpu-2', 'gpu-3'])
  let prompt = 'System: you answer in verse. User: hello.'
  const server = lb.lookup(prefixKey(prompt, 32))
  for (let turn = 0; turn < 50; turn++) {
    prompt += ` Assistant: answer ${turn}. User: question ${turn}?`
    expect(lb.lookup(prefixKey(prompt, 32))).toBe(server)
  }
})

test.each<[string, unknown, unknown]>([
  ['INVALID_OPTION', 'a', 0],
  ['INVALID_OPTION', 'a', 1.5],
  ['INVALID_OPTION', 'a', Number.POSITIVE_INFINITY],
  ['INVALID_OPTION', [1], '16'],
  ['INVALID_KEY', null, 16],
  ['INVALID_KEY', 7, 16],
  ['INVALID_KEY', { length: -1 }, 16],
  ['INVALID_KEY', [1, -1], 16],
  ['INVALID_KEY', [1, 2.5], 16],
  ['INVALID_KEY', ['1'], 16],
  ['INVALID_KEY', { length: 2 ** 40 }, 16],
])('%s for %o in blocks of %s', (code, prompt, blockSize) => {
  try {
    Reflect.apply(prefixKey, undefined, [prompt, blockSize])
    expect.unreachable()
  } catch (error) {
    expect(isMaglevError(error) && error.code).toBe(code)
  }
})
