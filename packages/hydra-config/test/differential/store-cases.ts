import {
  type ConfigSource,
  compose,
  configStore,
  fromMemory,
  isHydraConfigError,
  parseYaml,
  select,
  type Value,
} from '@loadbearing/hydra-config'
import fc, { type Arbitrary } from 'fast-check'
import type { Answer } from './answers.ts'
import { caught, structsOf, tagTyped } from './typed-answers.ts'
import type { TypedStruct } from './typed-case.ts'
import { fieldsOf, flowMap, threeStructs, yamlOfStruct, yamlValue } from './typed-cases.ts'

/** A config of the store: a struct, or plain YAML. */
export interface StoreEntry {
  readonly name: string
  readonly struct?: string
  readonly text?: string
  readonly package?: string
}

/** Files beside a store of structured configs, and a command line. */
export interface StoreCase {
  readonly structs: readonly TypedStruct[]
  readonly store: readonly StoreEntry[]
  readonly files: Readonly<Record<string, string>>
  readonly config: string
  readonly overrides: readonly string[]
  readonly select: readonly string[]
}

const plainText = fc.constantFrom('{}', '{a: 1}', '{b: x, a: [1, y]}', "{c: '${b}'}", '{b: {c: 1}}')

function entryOf(name: string, structs: readonly TypedStruct[]): Arbitrary<StoreEntry> {
  const ofPackage = fc.constantFrom(undefined, undefined, undefined, undefined, '_global_', 'p', 'db')
  const struct = fc.constantFrom(...structs).map((each) => ({ struct: each.name }))
  const text = plainText.map((each) => ({ text: each }))
  return fc
    .tuple(ofPackage, fc.oneof({ arbitrary: struct, weight: 9 }, { arbitrary: text, weight: 1 }))
    .map(([given, node]) => ({ name, ...node, ...(given === undefined ? {} : { package: given }) }))
}

/** Those that defaults lists name, and now and then one with the name of a file. */
function storeOf(structs: readonly TypedStruct[]): Arbitrary<StoreEntry[]> {
  const shadowed = fc.subarray(['config', 'db/a', 'other'], { maxLength: 1 })
  return shadowed.chain((names) =>
    fc.tuple(...['base', 'db/base', ...names].map((name) => entryOf(name, structs))),
  )
}

const item = fc.constantFrom(
  'base',
  'base@db',
  'base@p',
  'base@_global_',
  'db/base@db',
  '/db/base',
  'other',
  'db: a',
  'db: b',
  'db: base',
  'db@p: a',
  'optional db: zz',
  '/db@db: base',
)

function bodyOf(structs: readonly TypedStruct[], depth = 2): Arbitrary<string> {
  const known = new Map(structs.map((each) => [each.name, each]))
  const ofStruct = fc.constantFrom(...structs).chain((each) => yamlOfStruct(each.name, known, depth))
  const under = fc.tuple(fc.constantFrom('db', 'p', 'a'), ofStruct).map(([key, text]) => `{${key}: ${text}}`)
  return fc.oneof(
    { arbitrary: ofStruct, weight: 4 },
    { arbitrary: under, weight: 4 },
    { arbitrary: fc.constant('{}'), weight: 2 },
    {
      arbitrary: fc.dictionary(fc.constantFrom('a', 'b', 'x'), yamlValue, { maxKeys: 2 }).map(flowMap),
      weight: 1,
    },
  )
}

function fileOf(structs: readonly TypedStruct[], primary: boolean): Arbitrary<string> {
  const items = fc.uniqueArray(item, { minLength: primary ? 1 : 0, maxLength: 2 })
  return fc.tuple(items, fc.boolean(), bodyOf(structs)).map(([list, selfFirst, body]) => {
    const all = selfFirst ? ['_self_', ...list] : [...list, '_self_']
    const shown = all.map((each) => (each.includes(': ') ? `{${each}}` : each)).join(', ')
    const inner = body.slice(1, -1)
    return list.length === 0 ? `${body}\n` : `{defaults: [${shown}]${inner === '' ? '' : `, ${inner}`}}\n`
  })
}

const givenValue = fc.constantFrom(
  '1',
  '5',
  "'7'",
  'x',
  'true',
  'yes',
  'null',
  '???',
  'RED',
  '2',
  '1.5',
  '[]',
  '[1,x]',
  '{}',
  '{a:1}',
  '{zz:1}',
  "'${a}'",
  '{b:{c:1}}',
)

function overrideOf(structs: readonly TypedStruct[]): Arbitrary<string> {
  const fields = structs.flatMap((each) =>
    fieldsOf(each.name, new Map(structs.map((one) => [one.name, one]))).map((field) => field.name),
  )
  const key = fc
    .tuple(fc.constantFrom('', '', 'db.', 'p.', 'a.', 'db.a.'), fc.constantFrom(...fields, 'zz'))
    .map(([above, name]) => `${above}${name}`)
  return fc.oneof(
    {
      arbitrary: fc
        .tuple(fc.constantFrom('', '', '', '+', '++'), key, givenValue)
        .map(([sign, at, given]) => `${sign}${at}=${given}`),
      weight: 12,
    },
    { arbitrary: key.map((at) => `~${at}`), weight: 2 },
    { arbitrary: fc.constantFrom('db=a', 'db=b', '+db=base', 'db@p=b', '~db', 'db=zz'), weight: 1 },
  )
}

export const storeCase: Arbitrary<StoreCase> = threeStructs.chain((structs) =>
  fc.record({
    structs: fc.constant(structs),
    store: storeOf(structs),
    files: fc.record({
      'config.yaml': fileOf(structs, true),
      'db/a.yaml': fileOf(structs, false),
      'db/b.yaml': fileOf(structs, false),
      'other.yaml': fileOf(structs, false),
    }),
    config: fc.constantFrom('config', 'config', 'config', 'config', 'base', 'other'),
    overrides: fc.oneof(fc.constant<string[]>([]), fc.array(overrideOf(structs), { maxLength: 2 })),
    select: fc.uniqueArray(fc.constantFrom('a', 'b', 'db', 'db.a', 'p.b', 'c', 'db.c[0]', 'zz'), {
      minLength: 1,
      maxLength: 3,
    }),
  }),
)

/** What a program would give for it. */
function plainOf(value: Value): unknown {
  if (value.kind === 'list') return value.items.map(plainOf)
  if (value.kind === 'scalar') return value.value
  return new Map(value.entries.entries().map(([key, each]) => [key, plainOf(each)]))
}

/** The store of these entries. */
export function storeSource(structs: readonly TypedStruct[], store: readonly StoreEntry[]): ConfigSource {
  const made = structsOf(structs)
  const entries = store.map(({ name, struct, text, package: ofPackage }) => {
    const node = struct === undefined ? plainOf(parseYaml(text ?? '{}')) : made.get(struct)
    return [name, { node, ...(ofPackage === undefined ? {} : { package: ofPackage }) }] as const
  })
  return configStore(Object.fromEntries(entries))
}

/** Our answer, as store-oracle.py gives Hydra's. */
export async function ourStored({
  structs,
  store,
  files,
  config,
  overrides,
  select: paths,
}: StoreCase): Promise<Answer> {
  try {
    const source = [fromMemory(files), storeSource(structs, store)]
    const { raw } = (await compose({ source, config, overrides })).tree
    return {
      ok: {
        value: tagTyped(raw),
        selected: paths.map((each) =>
          caught(() => {
            const found = select(raw, each)
            return found === undefined ? null : tagTyped(found)
          }),
        ),
      },
    }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { error: { class: error.class } }
  }
}
