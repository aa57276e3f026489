import { PassThrough } from 'node:stream'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { Progress } from './progress.ts'

test('outside a terminal writes a line at each tenth', async () => {
  const out = new PassThrough()
  const progress = new Progress(out)
  for (let done = 1; done <= 1000; done++) progress.show('claims', done, 1000)
  progress.line('done')
  out.end()
  const lines = (await text(out)).split('\n')
  expect(lines).toHaveLength(12)
  expect(lines[0]).toBe('  claims   10 %  100 of 1,000')
  expect(lines[9]).toBe('  claims  100 %  1,000 of 1,000')
})

test('in a terminal redraws one line, and lines that stay stand alone', async () => {
  const out = Object.assign(new PassThrough(), { isTTY: true, columns: 30 })
  const progress = new Progress(out)
  progress.show('claims', 1, 1000, ', 123,456,789 paid')
  progress.line('killed')
  progress.show('claims', 1000, 1000)
  out.end()
  const shown = await text(out)
  expect(shown).toBe(
    '\r  claims    0 %  1 of 1,000, \u001B[K\r\u001B[Kkilled\n\r  claims  100 %  1,000 of 1,0\u001B[K\n',
  )
})
