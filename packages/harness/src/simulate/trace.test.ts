import { expect, test } from 'vitest'
import { Trace } from './trace.ts'

test('a line is a line, whatever its text', () => {
  const trace = new Trace()
  trace.add(5, 'main', 'log', 'a\nb\r\\n')
  trace.add(7, 'main', 'done', '')
  expect(trace.toString()).toBe('5 main log a\\nb\\r\\\\n\n7 main done')
})

test('the last 10,000 lines are kept, and the rest is counted', () => {
  const trace = new Trace()
  for (let at = 0; at < 25_000; at++) trace.add(at, 'main', 'step', '')
  const lines = trace.toString().split('\n')
  expect(lines).toHaveLength(10_001)
  expect(lines[0]).toBe('(15000 earlier lines are not shown)')
  expect([lines[1], lines.at(-1)]).toEqual(['15000 main step', '24999 main step'])
  expect(trace.last(2)).toBe('(24998 earlier lines are not shown)\n24998 main step\n24999 main step')
})
