import { expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import { secret } from '../value/secret.ts'
import { list, map, scalar, type Value } from '../value/value.ts'
import { argumentGrammar } from './arguments.ts'
import { parseInterpolation } from './parse.ts'
import { resolveAll, select } from './resolve-all.ts'

const length = 10_000

test('a chain of 10,000 interpolations is followed, from either end', () => {
  const texts = (next: (index: number) => number): Value =>
    mapOf(length + 1, (index) => (index === next(-1) ? 'end' : `\${k${next(index)}}`))
  const down = texts((index) => (index < 0 ? length : index + 1))
  const up = texts((index) => (index < 0 ? 0 : index - 1))
  for (const root of [down, up]) {
    const resolved = resolveAll(root)
    expect(resolved.kind === 'map' && [...new Set(resolved.entries.values().map(textOf))]).toEqual(['end'])
  }
  expect(select(down, 'k0')).toMatchObject({ value: 'end' })
})

test.each([
  ['paths', (next: string) => `\${${next}}`],
  ['texts', (next: string) => `x \${${next}}`],
  ['paths through maps', (next: string) => `\${${next}.x}`],
  ['oc.select', (next: string) => `\${oc.select:${next}}`],
  ['arguments of a resolver', (next: string) => `\${same:\${${next}}}`],
  ['nested keys', (next: string) => `\${oc.decode:"\${${next}}"}`],
])('a cycle of 10,000 %s is named, its middle left out', (_, write) => {
  const root = mapOf(length, (index) => write(`k${(index + 1) % length}`))
  for (const semantics of ['hydra-1.3', 'strict'] as const) {
    const resolvers = { same: (value: unknown) => value }
    expect(messageOf(() => resolveAll(root, { resolvers, semantics }))).toBe(
      'Recursive interpolation detected: k0 → k1 → k2 → k3 → k4 → k5 → (9988 more) → k9994 → k9995 → k9996 → k9997 → k9998 → k9999 → k0',
    )
  }
})

test('a cycle of values is named, and one through resolvers that select', () => {
  const values = map([
    ['a', map([['b', scalar('${c}')]])],
    ['c', list([scalar('${a}')])],
  ])
  expect(messageOf(() => resolveAll(values))).toBe('Recursive interpolation detected: a → c → a')
  const resolvers = {
    look: (path: string, { select: find }: { select: (at: string) => unknown }) => find(path),
  }
  const selecting = mapOf(50, (index) => `\${look:k${(index + 1) % 50}}`)
  expect(messageOf(() => resolveAll(selecting, { resolvers }))).toMatch(
    /Recursive interpolation detected: k0 → .* → k49 → k0$/,
  )
})

test('resolvers that select through too many others are told so, and the stack of JavaScript holds', () => {
  const resolvers = {
    look: (path: string, { select: find }: { select: (at: string) => unknown }) => find(path),
  }
  const root = mapOf(length, (index) => (index === length - 1 ? 'end' : `\${look:k${index + 1}}`))
  expect(messageOf(() => resolveAll(root, { resolvers }))).toMatch(
    /need each other through more than 100 levels/,
  )
})

test('10,000 maps in one another are resolved', () => {
  let deep: Value = scalar('${..x}')
  for (let level = 0; level < length; level++) {
    deep = map([
      ['a', deep],
      ['x', scalar(BigInt(level))],
    ])
  }
  let at = resolveAll(deep)
  while (at.kind === 'map') at = at.entries.get('a') ?? scalar(null)
  expect(at).toMatchObject({ value: 1n })
})

test('a value too deep to be printed or handed on is refused', () => {
  let deep: Value = scalar('x')
  for (let level = 0; level < length; level++) deep = list([deep])
  const resolvers = { same: (value: unknown) => value }
  for (const text of [
    'x ${deep}',
    '${same:${deep}}',
    '${${oc.select:name}}',
    '${oc.create:{x: ${deep}}} ${deep}',
  ]) {
    const root = map([
      ['name', secret('deep')],
      ['deep', deep],
      ['it', scalar(text)],
    ])
    expect(messageOf(() => resolveAll(root, { resolvers }))).toMatch(/nested deeper than 1000|is withheld/)
  }
})

test('what grows without end is stopped', () => {
  const doubled = (write: (before: string) => Value, first: Value): Value =>
    map(
      Array.from({ length: 60 }, (_, index) => [
        `k${index}`,
        index === 0 ? first : write(`\${k${index - 1}}`),
      ]),
    )
  const twice = (before: string): Value => list([scalar(before), scalar(before)])
  expect(messageOf(() => resolveAll(doubled((text) => scalar(text + text), scalar('xx'))))).toMatch(
    /longer than/,
  )
  expect(messageOf(() => resolveAll(doubled(twice, list([scalar('${k0}')]))))).toMatch(/to parent node/)
  expect(messageOf(() => resolveAll(doubled(twice, list([scalar('${now}')]))))).toMatch(/not found/)
  const one = map([['one', scalar('1')]])
  const grown = doubled(twice, list([scalar('${oc.create:{x: 1}}')]))
  expect(messageOf(() => resolveAll(grown))).toMatch(/more than 1000000 values/)
  const created = doubled((text) => scalar(`\${oc.create:[${text},${text}]}`), one)
  expect(messageOf(() => resolveAll(created))).toMatch(/more than 1000000 values/)
  const inItself = map([['c', map([['d', scalar('${oc.create:${oc.select:c}}')]])]])
  expect(messageOf(() => resolveAll(inItself))).toMatch(/deeper than/)
  const called = doubled((text) => scalar(`${text}${text}`), scalar('${r:}'))
  expect(messageOf(() => resolveAll(called, { resolvers: { r: () => '' } }))).toBe('')
  expect(messageOf(() => select(called, 'k59', { resolvers: { r: () => '' } }))).toMatch(/called each time/)
})

test('expressions nested too deep are refused where they stand', () => {
  for (const [open, close] of [
    ['${a', '}'],
    ['${a:', '}'],
    ['${a:[', ']}'],
    ['${a:{b:', '}}'],
    ['${a:"', '"}'],
  ] as const) {
    expect(
      messageOf(() => parseInterpolation(open.repeat(length) + close.repeat(length), argumentGrammar)),
    ).toMatch(/nested too deep|expected|cannot stand/)
  }
})

function mapOf(size: number, write: (index: number) => string): Value {
  return map(Array.from({ length: size }, (_, index) => [`k${index}`, scalar(write(index))] as const))
}

function textOf(value: Value): unknown {
  return value.kind === 'scalar' ? value.value : value.kind
}

/** The message of the typed error; '' where there is none. */
function messageOf(call: () => unknown): string {
  try {
    call()
    return ''
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return error.message
  }
}
