import { expect, test } from 'vitest'
import { codeBlocks } from './readme-blocks.ts'

test('finds each block with its language and line', () => {
  expect(codeBlocks('# a\n```ts\nconst x = 1\n```\ntext\n~~~~sh extra\nls\n```\n~~~~\n')).toEqual([
    { language: 'ts', line: 2, code: 'const x = 1\n' },
    { language: 'sh', line: 6, code: 'ls\n```\n' },
  ])
})

test('an inner fence that is shorter, or has words behind it, is part of the block', () => {
  expect(codeBlocks('````md\n```ts\n```\n```` no\n````\n')).toEqual([
    { language: 'md', line: 1, code: '```ts\n```\n```` no\n' },
  ])
})

test('a block that is never closed is an error, not a block that is never run', () => {
  expect(() => codeBlocks('```ts\nconst x = 1\n')).toThrow('line 1')
})
