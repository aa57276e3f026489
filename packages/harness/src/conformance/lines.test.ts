import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { type Line, readLines } from './lines.ts'

async function lines(chunks: Uint8Array[], maxBytes = 1000): Promise<Line[]> {
  async function* source(): AsyncGenerator<Uint8Array> {
    yield* chunks
  }
  return collect(readLines(source(), maxBytes))
}

async function collect(found: AsyncIterable<Line>): Promise<Line[]> {
  const all: Line[] = []
  for await (const line of found) all.push(line)
  return all
}

const texts = fc.array(fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n\u{feff}]/u.test(text)))

test('finds the same lines wherever the stream is cut, with either line ending', async () => {
  await fc.assert(
    fc.asyncProperty(
      texts,
      fc.constantFrom('\n', '\r\n'),
      fc.array(fc.nat({ max: 200 })),
      async (wanted, end, cuts) => {
        const bytes = Buffer.from(wanted.map((text) => text + end).join(''))
        const places = [
          0,
          ...cuts.map((cut) => Math.min(cut, bytes.length)).toSorted((a, b) => a - b),
          bytes.length,
        ]
        const chunks = places.slice(1).map((place, index) => bytes.subarray(places[index], place))
        expect(await lines(chunks)).toEqual(wanted.map((text) => ({ text })))
      },
    ),
  )
})

test('a last line needs no line feed', async () => {
  expect(await lines([Buffer.from('a\nb')])).toEqual([{ text: 'a' }, { text: 'b' }])
  expect(await lines([Buffer.from('a\n')])).toEqual([{ text: 'a' }])
})

test('a line that is too long, or not UTF-8, is told and the next one is read', async () => {
  const found = await lines(
    [Buffer.from('1234\n12345\n'), Buffer.of(0xc3, 0x28, 0x0a), Buffer.from('\u{feff}ok')],
    4,
  )
  expect(found).toEqual([
    { text: '1234' },
    { fault: 'the line is longer than 4 bytes' },
    { fault: 'the line is not UTF-8' },
    { fault: 'the line is longer than 4 bytes' },
  ])
  expect(await lines([Buffer.from('\u{feff}ok')])).toEqual([{ text: 'ok' }])
})

test('a line without end is not held in memory', async () => {
  const chunk = Buffer.alloc(1 << 20, 'x')
  let most = 0
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (let n = 0; n < 2000; n++) {
      most = Math.max(most, process.memoryUsage().arrayBuffers)
      yield Buffer.from(chunk)
    }
  }
  const before = process.memoryUsage().arrayBuffers
  expect(await collect(readLines(endless(), 1 << 20))).toEqual([
    { fault: 'the line is longer than 1048576 bytes' },
  ])
  // 2 GB went through; garbage that waits for its collection is all there may be.
  expect(most - before).toBeLessThan(1e9)
})
