import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { plainView } from './plain.ts'
import { secret } from './secret.ts'
import { list, map, scalar } from './value.ts'

test('maps, lists and scalars are what JavaScript calls so, and frozen', () => {
  const view = plainView(parseYaml('{a: [1, 1.5, x, null, true], b: {1: x, 2.0: y}, c: 9007199254740993}'))
  expect(view).toStrictEqual({
    a: [1, 1.5, 'x', null, true],
    b: { '1': 'x', '2.0': 'y' },
    c: 9007199254740993n,
  })
  expect(() => Object.assign(Object(view).b, { z: 1 })).toThrow(TypeError)
})

test('__proto__ is a key, and bytes are a copy', () => {
  const bytes = scalar(Uint8Array.of(1))
  const view = Object(plainView(map([['__proto__', map([['x', bytes]])]])))
  expect(Object.getPrototypeOf(view)).toBe(Object.prototype)
  expect(Object.keys(view)).toEqual(['__proto__'])
  expect(Reflect.get({}, 'x')).toBeUndefined()
  expect(Object.getOwnPropertyDescriptor(view, '__proto__')?.value.x).not.toBe(bytes.value)
})

test('keys that are one as text are refused', () => {
  expect(() => plainView(parseYaml('{1: a, "1": b}'))).toThrow(
    expect.objectContaining({ code: 'CONFIG_INVALID', message: expect.stringContaining("'1'") }),
  )
})

test('secrets are there, and not shown', () => {
  const tree = map([['db', map([['passwords', list([secret('hunter2'), scalar('open')])]])]])
  const view = Object(plainView(tree))
  expect(view.db.passwords[0]).toBe('hunter2')
  for (const part of [view, view.db, view.db.passwords]) {
    expect(JSON.stringify(part)).not.toContain('hunter2')
    expect(inspect(part, { showHidden: true, getters: true, depth: null })).not.toContain('hunter2')
  }
  expect(JSON.parse(JSON.stringify(view))).toEqual({ db: { passwords: ['***', 'open'] } })
})
