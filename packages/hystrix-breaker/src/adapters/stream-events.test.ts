import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { EventStreamReader, type StreamEvent } from './stream-events.ts'

function read(...pieces: string[]): StreamEvent[] {
  const reader = new EventStreamReader(1000)
  return pieces.flatMap((piece) => reader.read(piece))
}

const data = (text: string): StreamEvent => ({ kind: 'data', text })
const ping: StreamEvent = { kind: 'ping' }

describe('an event stream', () => {
  test.each([
    ['data: a\n\n', [data('a')]],
    ['data:a\n\ndata:  b\n\n', [data('a'), data(' b')]],
    ['data: a\ndata: b\ndata\n\n', [data('a\nb\n')]],
    ['ping: \n\nping\n\n', [ping, ping]],
    [': comment\nid: 1\nevent: x\nretry: 5\ndata: a\n\n', [data('a')]],
    ['data: a\r\n\r\ndata: b\r\rdata: c\n\n', [data('a'), data('b'), data('c')]],
    ['\uFEFFdata: a\n\n', [data('a')]],
    ['data: a', []],
    ['data: a\n', []],
    ['\n\n\n', []],
    ['database: a\n\n', []],
  ])('%j', (text, events) => {
    expect(read(text)).toEqual(events)
  })

  test('is the same however it is cut', () => {
    const line = fc.constantFrom('data: a', 'data:b', 'ping: ', ':c', 'id: 1', '', '', 'data: é🚀')
    const text = fc.array(fc.tuple(line, fc.constantFrom('\n', '\r\n', '\r')), { maxLength: 20, size: 'max' })
    fc.assert(
      fc.property(text, fc.array(fc.nat(200), { maxLength: 10 }), (lines, cuts) => {
        const whole = `${lines.map((each) => each.join('')).join('')}data: end\n\n`
        const places = [0, ...cuts.map((cut) => cut % whole.length).toSorted((a, b) => a - b), whole.length]
        const pieces = places.slice(1).map((end, index) => whole.slice(places[index], end))
        expect(read(...pieces)).toEqual(read(whole))
      }),
    )
  })

  test('has a longest event, in one line or in many', () => {
    expect(read(`data: ${'x'.repeat(900)}\n\n`)).toHaveLength(1)
    expect(() => read(`data: ${'x'.repeat(1001)}`)).toThrow(RangeError)
    expect(() => read('data: 123456789\n'.repeat(101))).toThrow(/longer than 1000/)
    expect(() => read('data\n'.repeat(1001))).toThrow(RangeError)
    // It does not add up over events.
    expect(read('data: 123456789\n\n'.repeat(500))).toHaveLength(500)
  })
})
