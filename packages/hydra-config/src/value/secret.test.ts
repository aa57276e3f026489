import { inspect } from 'node:util'
import { expect, test } from 'vitest'
import { dumpYaml } from '../yaml/dump.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { hasSecret, joinText, redact, secret, shownText, withOrigin } from './secret.ts'
import { list, map, scalar } from './value.ts'

test('a secret keeps its value, and no way of showing the tree finds it', () => {
  const tree = map([['password', secret('hunter2')]])
  const [password] = tree.entries.values()
  expect(password).toMatchObject({ kind: 'scalar', secret: true })
  expect(password?.kind === 'scalar' && password.value).toBe('hunter2')
  const shown = [
    inspect(tree, { depth: Infinity, showHidden: true, getters: true }),
    JSON.stringify(password),
    JSON.stringify([...tree.entries]),
    inspect(structuredClone(JSON.parse(JSON.stringify(password)))),
    dumpYaml(redact(tree)),
    shownText(tree),
  ]
  for (const text of shown) expect(text).not.toContain('hunter2')
})

test('a container is marked with all its values, and a mark is found wherever it is', () => {
  const marked = secret(parseYaml('{a: [1, {b: x}], c: 2.0}'))
  expect(dumpYaml(redact(marked))).toBe("a:\n- '***'\n- b: '***'\nc: '***'\n")
  expect(hasSecret(list([map([['a', marked]])]))).toBe(true)
  expect(hasSecret(parseYaml('{a: [1]}'))).toBe(false)
})

test('a text that is put together of a secret is one, shown with what is not secret', () => {
  const url = joinText(['postgres://u:', secret('hunter2'), '@h:', scalar(5432n)])
  expect(url.value).toBe('postgres://u:hunter2@h:5432')
  expect(shownText(url)).toBe('postgres://u:***@h:5432')
  expect(joinText(['a', scalar(true)])).toEqual(scalar('aTrue'))
})

test('another origin takes nothing from a secret', () => {
  const url = joinText(['u:', secret('hunter2')])
  const moved = withOrigin(url, { kind: 'code' })
  expect([moved.value, moved.secret, moved.shown, moved.origin?.kind]).toEqual([
    'u:hunter2',
    true,
    'u:***',
    'code',
  ])
})
