import { channel } from 'node:diagnostics_channel'
import { expect, test } from 'vitest'
import { Emitter } from './emitter.ts'
import { Maglev } from './maglev.ts'
import { createPool } from './pool/pool.ts'

test('an event that there is not, or a listener that is no function, is refused by name', async () => {
  const maglev = new Maglev(['a'])
  await using pool = createPool(maglev)
  for (const name of ['nope', '__proto__', 'toString', undefined, Symbol('state')]) {
    for (const on of [
      () => maglev.on(name as 'rebuild', () => {}),
      () => pool.on(name as 'rebuild', () => {}),
    ]) {
      expect(on).toThrow(
        expect.objectContaining({
          code: 'INVALID_OPTION',
          message: expect.stringMatching(/^There is no event .+; there are .*rebuild/),
        }),
      )
    }
  }
  expect(() => maglev.on('rebuild', undefined as never)).toThrow(
    expect.objectContaining({ code: 'INVALID_OPTION' }),
  )
})

test('an event is made only where somebody hears it, on the channel as well', () => {
  const said = channel('loadbearing:maglev:emitter-test')
  const emitter = new Emitter<{ said: number }>({ said })
  const heard: unknown[] = []
  emitter.emit('said', () => expect.unreachable())
  const stop = emitter.on('said', (event) => heard.push(event))
  emitter.emit('said', () => 1)
  stop()
  emitter.emit('said', () => expect.unreachable())
  const listen = (event: unknown): void => void heard.push(event)
  said.subscribe(listen)
  emitter.emit('said', () => 2)
  said.unsubscribe(listen)
  expect(heard).toEqual([1, 2])
})
