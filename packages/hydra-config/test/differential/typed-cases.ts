import fc, { type Arbitrary } from 'fast-check'
import type {
  Tagged,
  TypedCase,
  TypedField,
  TypedHint,
  TypedStep,
  TypedStruct,
  TypedType,
} from './typed-case.ts'

const color: TypedType = {
  t: 'enum',
  name: 'Color',
  members: [
    ['RED', { i: '1' }],
    ['GREEN', { i: '2' }],
    ['CRIMSON', { i: '1' }],
  ],
}
const size: TypedType = {
  t: 'enum',
  name: 'Size',
  members: [
    ['S', 'small'],
    ['L', 'large'],
  ],
}
const scalarType = fc.constantFrom<TypedType>(
  { t: 'int' },
  { t: 'float' },
  { t: 'bool' },
  { t: 'str' },
  { t: 'bytes' },
  { t: 'path' },
  { t: 'any' },
  color,
  size,
)
const unionType = fc
  .uniqueArray(fc.constantFrom('int', 'float', 'bool', 'str', 'bytes', 'path'), {
    minLength: 2,
    maxLength: 3,
  })
  .chain((kinds) =>
    fc.constantFrom([], [color]).map((more) => [...kinds.map((t): TypedType => ({ t })), ...more]),
  )
  .map((of): TypedType => ({ t: 'union', of }))
const keyType = fc.constantFrom<TypedType>({ t: 'str' }, { t: 'int' }, { t: 'bool' }, { t: 'float' }, color, {
  t: 'any',
})

/** Of the structs that are there already. */
function typeOf(structs: readonly string[], depth: number): Arbitrary<TypedType> {
  const scalars = [
    { arbitrary: scalarType, weight: 6 },
    { arbitrary: unionType, weight: 1 },
  ]
  const ofStruct =
    structs.length === 0
      ? []
      : [
          {
            arbitrary: fc.constantFrom(...structs).map((name): TypedType => ({ t: 'struct', name })),
            weight: 3,
          },
        ]
  if (depth === 0) return fc.oneof(...scalars, ...ofStruct)
  const inner = hintOf(structs, depth - 1)
  return fc.oneof(
    ...scalars,
    ...ofStruct,
    { arbitrary: inner.map((of): TypedType => ({ t: 'list', of })), weight: 2 },
    {
      arbitrary: fc.tuple(keyType, inner).map(([key, of]): TypedType => ({ t: 'dict', key, of })),
      weight: 2,
    },
  )
}

function hintOf(structs: readonly string[], depth: number): Arbitrary<TypedHint> {
  return fc
    .tuple(typeOf(structs, depth), fc.boolean())
    .map(([type, optional]) => ({ type, optional: optional && type.t !== 'any' }))
}

const scalarOf: Readonly<Record<string, Arbitrary<Tagged>>> = {
  int: fc.constantFrom<Tagged>({ i: '1' }, { i: '-5' }, '7'),
  float: fc.constantFrom<Tagged>({ f: '1.5' }, { i: '2' }, '1e3'),
  bool: fc.constantFrom<Tagged>(true, false, 'yes'),
  str: fc.constantFrom<Tagged>('a', 'b c', { i: '3' }, ''),
  bytes: fc.constantFrom<Tagged>({ b: '00ff' }),
  path: fc.constantFrom<Tagged>('a//b/./c', '/x', '', '//y/'),
  any: fc.constantFrom<Tagged>('a', { i: '1' }, { f: '1.5' }, true, null, [{ i: '1' }], {
    m: [['k', { i: '1' }]],
  }),
  Color: fc.constantFrom<Tagged>('RED', 'Color.GREEN', { i: '2' }, 'CRIMSON'),
  Size: fc.constantFrom<Tagged>('S', 'Size.L'),
}

function valueOf({ type, optional }: TypedHint): Arbitrary<Tagged> {
  const nulls = optional ? [{ arbitrary: fc.constant<Tagged>(null), weight: 1 }] : []
  const special = { arbitrary: fc.constantFrom<Tagged>('???', '${a}', '${b.a}', '${.c}'), weight: 1 }
  const odd = { arbitrary: fc.constantFrom<Tagged>('x', { i: '1' }, null, { f: '0.5' }), weight: 1 }
  return fc.oneof({ arbitrary: fitting(type), weight: 60 }, ...nulls, special, odd)
}

function fitting(type: TypedType): Arbitrary<Tagged> {
  if (type.t === 'enum') return scalarOf[type.name] ?? fc.constant(null)
  if (type.t === 'union') return fc.oneof(...type.of.map(exact))
  if (type.t === 'list') return fc.array(valueOf(type.of), { maxLength: 2 })
  if (type.t === 'dict') {
    const pair = fc.tuple(exact(type.key), valueOf(type.of))
    const pairs = fc.uniqueArray(pair, { maxLength: 2, selector: ([each]) => JSON.stringify(each) })
    return pairs.map((m) => ({ m }))
  }
  return type.t === 'struct' ? fc.constant(null) : (scalarOf[type.t] ?? fc.constant(null))
}

/** A value that needs no conversion, mostly: a union makes none, nor does the type of a key. */
function exact(type: TypedType): Arbitrary<Tagged> {
  const values: Readonly<Record<string, Tagged>> = {
    int: { i: '3' },
    float: { f: '1.5' },
    bool: true,
    str: 'k',
    bytes: { b: '00ff' },
    any: 'a',
    enum: 'GREEN',
  }
  const value = values[type.t] ?? 'x'
  return fc.constantFrom(value, value, value, value, value, value, value, 'RED')
}

const fieldNames = ['a', 'b', 'c', 'd']

function fieldOf(name: string, structs: readonly string[]): Arbitrary<TypedField> {
  return hintOf(structs, 2).chain((hint) => {
    const missing = fc.constant<TypedField['default']>({ missing: true })
    const given =
      hint.type.t === 'struct'
        ? fc.constant<TypedField['default']>({ struct: hint.type.name })
        : valueOf(hint).map((value): TypedField['default'] => ({ value }))
    const nothing = fc.constant<TypedField['default']>({ value: null })
    return fc
      .oneof(
        { arbitrary: given, weight: 8 },
        { arbitrary: missing, weight: 2 },
        { arbitrary: nothing, weight: hint.optional ? 2 : 0 },
      )
      .map((initial) => ({ name, hint, default: initial }))
  })
}

/** One more struct, with fields and a base of those that are there; of a frozen one Python lets none inherit. */
function structOf(name: string, before: readonly TypedStruct[]): Arbitrary<TypedStruct> {
  const names = before.map((each) => each.name)
  const open = before.filter(({ frozen }) => frozen !== true).map((each) => each.name)
  const base = fc.option(fc.constantFrom(...open, ...(open.length === 0 ? [undefined] : [])), {
    nil: undefined,
    freq: 4,
  })
  const fields = fc
    .subarray(fieldNames, { minLength: 1, maxLength: 3 })
    .chain((chosen) => fc.tuple(...chosen.map((each) => fieldOf(each, names))))
  return fc.tuple(fields, base, fc.integer({ min: 0, max: 12 })).map(([ofStruct, ofBase, chance]) => ({
    name,
    fields: ofStruct,
    ...(chance === 0 ? { frozen: true } : ofBase === undefined ? {} : { base: ofBase }),
  }))
}

const word = fc.constantFrom(
  '1',
  '-5',
  '1.5',
  '1.0',
  '"7"',
  '" 7 "',
  'x',
  'yes',
  '"yes"',
  '"off"',
  'true',
  'null',
  '"???"',
  'RED',
  'Color.GREEN',
  'S',
  '"1"',
  '2',
  '0',
  '!!binary AP8=',
  '"a//b/."',
  '"${a}"',
  '"${b.a}"',
  '"${.c}"',
  '"${zz}"',
  '"x${a}"',
  '[]',
  '{}',
)
const key = fc.constantFrom('a', 'b', 'c', 'd', 'RED', '1', 'true', '1.5', 'k')
export const { value: yamlValue } = fc.letrec<{ value: string }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: word, weight: 3 },
    {
      arbitrary: fc.array(tie('value'), { maxLength: 3 }).map((items) => `[${items.join(', ')}]`),
      weight: 1,
    },
    { arbitrary: fc.dictionary(key, tie('value'), { maxKeys: 3 }).map(flowMap), weight: 2 },
  ),
}))

export function flowMap(entries: Readonly<Record<string, string>>): string {
  return `{${Object.entries(entries)
    .map(([name, value]) => `${name}: ${value}`)
    .join(', ')}}`
}

/** A text that fits the type, mostly. */
function yamlFor(
  hint: TypedHint,
  structs: ReadonlyMap<string, TypedStruct>,
  depth: number,
): Arbitrary<string> {
  const { type } = hint
  const any = { arbitrary: yamlValue, weight: 1 }
  if (type.t === 'struct')
    return fc.oneof({ arbitrary: yamlOfStruct(type.name, structs, depth), weight: 40 }, any)
  if (type.t === 'list') {
    const items = fc.array(yamlFor(type.of, structs, depth), { maxLength: 2 })
    return fc.oneof({ arbitrary: items.map((each) => `[${each.join(', ')}]`), weight: 30 }, any)
  }
  if (type.t === 'dict') {
    const names = fc.oneof({ arbitrary: exact(type.key).map(textOf), weight: 9 }, key)
    const entries = fc.dictionary(names, yamlFor(type.of, structs, depth), { maxKeys: 2 })
    return fc.oneof({ arbitrary: entries.map(flowMap), weight: 30 }, any)
  }
  return fc.oneof({ arbitrary: fitting(type).map(textOf), weight: 20 }, { arbitrary: word, weight: 2 }, any)
}

function textOf(value: Tagged): string {
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(textOf).join(', ')}]`
  if ('i' in value) return value.i
  if ('f' in value) return value.f
  if ('b' in value) return `!!binary ${Buffer.from(value.b, 'hex').toString('base64')}`
  return 'm' in value
    ? `{${value.m.map(([name, item]) => `${textOf(name)}: ${textOf(item)}`).join(', ')}}`
    : 'null'
}

export function yamlOfStruct(
  name: string,
  structs: ReadonlyMap<string, TypedStruct>,
  depth: number,
): Arbitrary<string> {
  const fields = depth === 0 ? [] : fieldsOf(name, structs)
  return fc
    .subarray(fields, { maxLength: Math.min(3, fields.length) })
    .chain((chosen) =>
      fc
        .tuple(...chosen.map(({ hint }) => yamlFor(hint, structs, depth - 1)))
        .map(
          (texts) => `{${chosen.map((each, index) => `${each.name}: ${texts[index] ?? 'null'}`).join(', ')}}`,
        ),
    )
}

export function fieldsOf(name: string, structs: ReadonlyMap<string, TypedStruct>): TypedField[] {
  const struct = structs.get(name)
  if (struct === undefined) return []
  const inherited = struct.base === undefined ? [] : fieldsOf(struct.base, structs)
  const own = new Set(struct.fields.map(({ name: each }) => each))
  return [...inherited.filter(({ name: each }) => !own.has(each)), ...struct.fields]
}

const path = fc.constantFrom(
  'a',
  'b',
  'c',
  'd',
  'a.b',
  'b.a',
  'a.c',
  'c.k',
  'a[0]',
  'b.0.a',
  'a.b.c',
  'c.RED',
  'b[zz]',
  'zz',
)

function stepOf(root: string, structs: ReadonlyMap<string, TypedStruct>): Arbitrary<TypedStep> {
  return fc.oneof(
    {
      arbitrary: yamlOfStruct(root, structs, 3).map((text): TypedStep => ({ op: 'merge', text })),
      weight: 8,
    },
    {
      arbitrary: fc.dictionary(key, yamlValue, { maxKeys: 2 }).map(
        (entries): TypedStep => ({
          op: 'merge',
          text: flowMap(entries),
        }),
      ),
      weight: 2,
    },
    {
      arbitrary: yamlOfStruct(root, structs, 2).map((text): TypedStep => ({ op: 'under', text })),
      weight: 1,
    },
    {
      arbitrary: fc
        .constantFrom(root, root, root, ...structs.keys())
        .map((name): TypedStep => ({ op: 'mergeStruct', name })),
      weight: 1,
    },
    {
      arbitrary: fc
        .tuple(path, yamlValue, fc.boolean(), fc.boolean())
        .map(([at, text, merge, forceAdd]): TypedStep => ({ op: 'update', key: at, text, merge, forceAdd })),
      weight: 4,
    },
    {
      arbitrary: fc
        .tuple(
          fc.constantFrom('', 'a', 'b', 'a.b'),
          fc.constantFrom<'struct' | 'readonly'>('struct', 'readonly'),
          fc.boolean(),
        )
        .map(([at, flag, value]): TypedStep => ({ op: 'flag', key: at, flag, value })),
      weight: 2,
    },
  )
}

/** Three structs, of which the later ones have the earlier ones as bases and fields. */
export const threeStructs: Arbitrary<readonly TypedStruct[]> = structOf('One', []).chain((one) =>
  structOf('Two', [one]).chain((two) => structOf('Three', [one, two]).map((three) => [one, two, three])),
)

export const typedCase: Arbitrary<TypedCase> = threeStructs.chain((structs) => {
  const root = 'Three'
  const byName = new Map(structs.map((each) => [each.name, each]))
  return fc
    .tuple(
      fc.array(stepOf(root, byName), { minLength: 1, maxLength: 3 }),
      fc.array(path, { minLength: 1, maxLength: 3 }),
    )
    .map(([steps, select]) => ({ structs, root, steps, select }))
})
