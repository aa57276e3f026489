import { inspect } from 'node:util'
import { expect, expectTypeOf, test } from 'vitest'
import { compose } from '../compose/compose.ts'
import { configStore } from '../source/config-store.ts'
import { fromMemory } from '../source/memory.ts'
import { dictOf, int, listOf, str } from '../structured/field.ts'
import { structured } from '../structured/structured.ts'
import { secret } from '../value/secret.ts'
import { type InstantiateSource, instantiate } from './instantiate.ts'
import { registry } from './registry.ts'

class Model {
  readonly options: { readonly layers: number; readonly optimizer?: unknown }

  constructor(options: { readonly layers: number; readonly optimizer?: unknown }) {
    this.options = options
  }
}

class Optimizer {
  readonly rate: number
  readonly betas: readonly number[]

  constructor({ rate, betas }: { readonly rate: number; readonly betas: readonly number[] }) {
    this.rate = rate
    this.betas = betas
  }
}

const targets = registry({
  'app.Model': Model,
  'app.sgd': (rate: number, options: { readonly momentum?: number }) => ({ rate, ...options }),
  'app.fail': () => {
    throw new Error('out of memory')
  },
})

async function nodeOf(
  text: string,
  path: string,
  overrides: readonly string[] = [],
): Promise<InstantiateSource> {
  const { tree } = await compose({ source: fromMemory({ 'config.yaml': text }), config: 'config', overrides })
  return tree.at(path)
}

test('classes are constructed and functions called, from the inside out', async () => {
  const node = await nodeOf(
    'rate: 0.1\nmodel: {_target_: app.Model, layers: 3, optimizer: {_target_: app.sgd, _args_: ["${rate}"], momentum: 0.9}}\n',
    'model',
  )
  const model = instantiate(node, targets, { target: 'app.Model' })
  expectTypeOf(model).toEqualTypeOf<Model>()
  expect(model).toBeInstanceOf(Model)
  expect(model.options).toEqual({ layers: 3, optimizer: { rate: 0.1, momentum: 0.9 } })
})

test('arguments of the call go before those of the config, and what interpolations read with them', async () => {
  const node = await nodeOf('m: {_target_: app.sgd, _args_: [1], a: "${.b}", b: 2}\n', 'm')
  expect(instantiate(node, targets, { args: [5], kwargs: { b: 7, momentum: 0.5 } })).toEqual({
    rate: 5,
    a: 7,
    b: 7,
    momentum: 0.5,
  })
  const log = (): void => undefined
  expect(instantiate(node, targets, { kwargs: { log } })).toMatchObject({ log })
})

test('a partial is a function of what is left', async () => {
  const node = await nodeOf('m: {_target_: app.sgd, _partial_: true, momentum: 0.9, later: "???"}\n', 'm')
  const make = instantiate(node, targets)
  expect(typeof make === 'function' && make(3, { momentum: 0.5 })).toEqual({ rate: 3, momentum: 0.5 })
})

test('a target that is not registered is refused at its place, and nothing is looked up', async () => {
  for (const name of ['node:child_process.execSync', 'app.Modle', '__proto__', 'constructor', 'toString']) {
    const node = await nodeOf(`db: pg\nmodel:\n  _target_: ${name}\n  command: ls\n`, 'model')
    expect(() => instantiate(node, targets)).toThrow(
      expect.objectContaining({
        code: 'UNREGISTERED_TARGET',
        path: 'model._target_',
        origin: expect.objectContaining({ kind: 'file', config: 'config', line: 3, column: 13 }),
        message: expect.stringContaining(name),
      }),
    )
  }
  const overridden = await nodeOf('model: {_target_: app.Model, layers: 1}\n', 'model', [
    'model._target_=app.Modle',
  ])
  expect(() => instantiate(overridden, targets)).toThrow(
    expect.objectContaining({
      origin: expect.objectContaining({ kind: 'override', text: 'model._target_=app.Modle' }),
      message: expect.stringMatching(/did you mean 'app\.Model'.*app\.Model, app\.sgd/s),
    }),
  )
})

test.each([
  ['m: {_target_: app.sgd, _recursive_: 1}\n', 'INSTANTIATE', 'm._recursive_'],
  ['m: {_target_: app.sgd, _convert_: most}\n', 'INSTANTIATE', 'm._convert_'],
  ['m: {_target_: app.sgd, _args_: 5}\n', 'INSTANTIATE', 'm._args_'],
  ['m: {_target_: 5}\n', 'INSTANTIATE', 'm._target_'],
  ['m: {_target_: app.fail}\n', 'INSTANTIATE', 'm'],
  ['m: {_target_: app.sgd, a: {b: "???"}}\n', 'MISSING_VALUE', 'm.a.b'],
])('%s is refused', async (text, code, path) => {
  const node = await nodeOf(text, 'm')
  expect(() => instantiate(node, targets)).toThrow(
    expect.objectContaining({ code, path, origin: expect.objectContaining({ line: 1 }) }),
  )
})

test('a target gets a secret as it is, and its failure does not tell it', async () => {
  const { tree } = await compose({
    source: fromMemory({ 'config.yaml': 'm: {_target_: connect, password: "${vault:db}"}\n' }),
    config: 'config',
    resolvers: { vault: () => secret('hunter2') },
  })
  const seen: unknown[] = []
  const connecting = registry({
    connect: (options: { readonly password: string }) => {
      seen.push(options.password, JSON.stringify(options), inspect(options))
      throw new Error(`cannot connect as ${options.password}`)
    },
  })
  let failure: unknown
  try {
    instantiate(tree.at('m'), connecting)
  } catch (error) {
    failure = error
  }
  expect(seen).toEqual([
    'hunter2',
    expect.not.stringContaining('hunter2'),
    expect.not.stringContaining('hunter2'),
  ])
  expect(inspect(failure, { depth: null })).toContain('cannot connect as ***')
  expect(inspect(failure, { depth: null })).not.toContain('hunter2')
})

test('what is no function is no target', () => {
  const wrong: object = { a: 5 }
  expect(() => registry(Object(wrong))).toThrow(expect.objectContaining({ code: 'INVALID_OPTION' }))
})

test.each([
  ['none', ['config', 'config', 'config', Object]],
  ['partial', ['plain', 'config', 'config', Object]],
  ['object', ['plain', 'plain', 'plain', Optimizer]],
  ['all', ['plain', 'plain', 'plain', Object]],
] as const)('with _convert_: %s', async (convert, told) => {
  const store = configStore({
    optimizer: structured(
      'Optimizer',
      { rate: int(1), betas: listOf(int(), [1]) },
      { toObject: (fields) => new Optimizer(fields) },
    ),
  })
  const files = fromMemory({
    'config.yaml': `defaults: [optimizer@m.optimizer, _self_]\nm: {_target_: app.all, _convert_: ${convert}, plain: {a: 1}}\n`,
  })
  const { tree } = await compose({ source: [files, store], config: 'config' })
  const all = registry({ 'app.all': (options: { plain: object; optimizer: Optimizer }) => options })
  const { plain, optimizer } = instantiate(tree.at('m'), all, { target: 'app.all' })
  const kind = (value: object): string => (Object.isFrozen(value) ? 'config' : 'plain')
  expect([kind(plain), kind(optimizer), kind(optimizer.betas), optimizer.constructor]).toEqual(told)
})

test('in what becomes an object of its own nothing may be missing, however deep', async () => {
  const store = configStore({
    optimizer: structured('Optimizer', { betas: listOf(int(), [1]), tags: dictOf(str(), str(), {}) }),
  })
  const made = async (convert: string, body: string): Promise<unknown> => {
    const files = fromMemory({
      'config.yaml': `defaults: [optimizer@m.optimizer, _self_]\nm: {_target_: app.all, _recursive_: false, _convert_: ${convert}, ${body}}\n`,
    })
    const { tree } = await compose({ source: [files, store], config: 'config' })
    return instantiate(tree.at('m'), registry({ 'app.all': (options: object) => options }))
  }
  const missing = "optimizer: {tags: {a: '???'}}"
  await expect(made('object', missing)).rejects.toMatchObject({
    code: 'MISSING_VALUE',
    class: 'MissingMandatoryValue',
    path: 'm.optimizer.tags.a',
  })
  expect(await made('all', missing)).toEqual({ optimizer: { betas: [1], tags: { a: '???' } } })
  expect(await made('object', "plain: {a: ['???']}")).toMatchObject({ plain: { a: ['???'] } })
})
