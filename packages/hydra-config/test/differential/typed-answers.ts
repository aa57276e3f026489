import {
  any,
  bool,
  bytes,
  dictOf,
  enumOf,
  type FieldLike,
  float,
  int,
  isHydraConfigError,
  listOf,
  type MapKey,
  merge,
  missingKeys,
  optional,
  parseYaml,
  path,
  pythonFloat,
  type ScalarField,
  type Structured,
  select,
  str,
  structured,
  union,
  update,
  type Value,
  withFlagsAt,
} from '@loadbearing/hydra-config'
import type { Answer } from './answers.ts'
import type { Tagged, TypedCase, TypedHint, TypedStep, TypedStruct, TypedType } from './typed-case.ts'

/** Our answer to a case of structured configs, as typed-oracle.py gives its own. */
export function ourTyped({ structs, root, steps, select: paths }: TypedCase): unknown {
  let at: number | 'structured' = 'structured'
  try {
    const made = structsOf(structs)
    let config: Value = known(made, root).value
    for (const [index, step] of steps.entries()) {
      at = index
      config = done(config, step, made)
    }
    return {
      value: tagTyped(config),
      missing: caught(() => [...missingKeys(config)].toSorted(byCodePoint)),
      selected: paths.map((each) =>
        caught(() => {
          const found = select(config, each)
          return found === undefined ? null : tagTyped(found)
        }),
      ),
    }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { error: error.class, at }
  }
}

/**
 * Their answer with nothing where ours has nothing and theirs an error of Python: so OmegaConf's select ends below a map
 * or list that is missing (`???`).
 */
export function crashesLeftOut(theirs: Answer, ours: Answer): Answer {
  const found = selectedOf(ours)
  const selected = selectedOf(theirs)
  if (!('ok' in theirs) || found === undefined || selected === undefined) return theirs
  const left = selected.map((each, index) =>
    found[index]?.value === null && /^(?:Attribute|ConfigType|Type)Error$/.test(each.class ?? '')
      ? found[index]
      : each,
  )
  return { ok: { ...Object(theirs.ok), selected: left } }
}

/** The class of the error and the step that it came from. */
export function failureOf(answer: Answer): { readonly class: string; readonly at: number } | undefined {
  const [, name, at] = /^\{"ok":\{"error":"(\w+)","at":(\d+)/.exec(JSON.stringify(answer)) ?? []
  return name === undefined ? undefined : { class: name, at: Number(at) }
}

interface Selected {
  readonly value?: unknown
  readonly class?: string
}

function selectedOf(answer: Answer): readonly Selected[] | undefined {
  return 'ok' in answer ? (answer.ok as { readonly selected?: readonly Selected[] }).selected : undefined
}

export function caught(ask: () => unknown): unknown {
  try {
    return { value: ask() }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { class: error.class }
  }
}

function done(config: Value, step: TypedStep, structs: ReadonlyMap<string, Structured<unknown>>): Value {
  switch (step.op) {
    case 'merge':
      return merge(config, parseYaml(step.text))
    case 'under':
      return merge(parseYaml(step.text), config)
    case 'mergeStruct':
      return merge(config, known(structs, step.name).value)
    case 'update':
      return update(config, step.key, yamlValue(step.text), { merge: step.merge, forceAdd: step.forceAdd })
    case 'flag':
    default: {
      const node = step.key === '' ? config : standingAt(config, step.key)
      if (node === undefined || !isContainer(node)) return config
      return withFlagsAt(config, step.key, { [step.flag]: step.value })
    }
  }
}

/** Of a map or list null or `???` may stand there, and it is one by its type. */
function isContainer({ kind, typing }: Value): boolean {
  return kind !== 'scalar' || ['list', 'dict', 'struct'].includes(typing?.type.kind ?? 'any')
}

/** What stands at a path of maps, no interpolation followed. */
function standingAt(config: Value, written: string): Value | undefined {
  let value: Value | undefined = config
  for (const key of written.split('.')) value = value?.kind === 'map' ? value.entries.get(key) : undefined
  return value
}

function yamlValue(text: string): Value {
  const list = parseYaml(`- ${text}\n`)
  const [item] = list.kind === 'list' ? list.items : []
  if (item === undefined) throw new TypeError(`no value in ${text}`)
  return item
}

/** By name. */
export function structsOf(structs: readonly TypedStruct[]): Map<string, Structured<unknown>> {
  const made = new Map<string, Structured<unknown>>()
  for (const each of structs) made.set(each.name, structOf(each, made))
  return made
}

function known(structs: ReadonlyMap<string, Structured<unknown>>, name: string): Structured<unknown> {
  const struct = structs.get(name)
  if (struct === undefined) throw new TypeError(`there is no struct ${name}`)
  return struct
}

function structOf(
  { name, base, frozen = false, fields }: TypedStruct,
  before: ReadonlyMap<string, Structured<unknown>>,
): Structured<unknown> {
  const made = fields.map((field) => [field.name, initialOf(field.hint, field.default, before)] as const)
  return structured(name, Object.fromEntries(made), {
    frozen,
    ...(base === undefined ? {} : { extends: known(before, base) }),
  })
}

function initialOf(
  hint: TypedHint,
  initial: TypedStruct['fields'][number]['default'],
  structs: ReadonlyMap<string, Structured<unknown>>,
): FieldLike<unknown> {
  const given = 'value' in initial ? plainOf(initial.value) : undefined
  const field = fieldOf(hint.type, structs, given)
  if (hint.type.t === 'struct' && 'missing' in initial) return withInitial(field, '???')
  if (hint.type.t === 'struct' && 'value' in initial) return withInitial(field, given)
  return hint.optional ? optional(field) : field

  function withInitial(inner: FieldLike<unknown>, value: unknown): FieldLike<unknown> {
    const nullable = optional(inner, value)
    return { ...nullable, hint: { ...nullable.hint, optional: hint.optional } }
  }
}

function fieldOf(
  type: TypedType,
  structs: ReadonlyMap<string, Structured<unknown>>,
  given?: unknown,
): FieldLike<unknown> {
  if (type.t === 'struct') return known(structs, type.name)
  const inner = (hint: TypedHint): FieldLike<unknown> => {
    const field = fieldOf(hint.type, structs)
    return hint.optional ? optional(field) : field
  }
  if (type.t === 'list') return withGiven(listOf(inner(type.of)), given)
  if (type.t === 'dict') return withGiven(dictOf(scalarField(type.key), inner(type.of)), given)
  if (type.t === 'union') return withGiven(union(type.of.map((each) => scalarField(each))), given)
  return withGiven(scalarField(type), given)
}

/** The types of TypeScript would refuse the wrong defaults that are to be refused here. */
function withGiven(field: FieldLike<unknown>, given: unknown): FieldLike<unknown> {
  if (given === undefined) return field
  const { initial } = optional(field, given)
  return { ...field, initial }
}

function scalarField(type: TypedType): ScalarField<unknown> {
  if (type.t === 'enum') {
    const written = JSON.stringify(type)
    const made = enums.get(written) ?? enumOf(type.name, membersOf(type))
    enums.set(written, made)
    return made
  }
  if (type.t === 'union' || type.t === 'list' || type.t === 'dict' || type.t === 'struct') {
    throw new TypeError(`${type.t} is no scalar`)
  }
  return { int, float, bool, str, bytes, path, any }[type.t]()
}

/** An enum is one class wherever it is named. */
const enums = new Map<string, ScalarField<unknown>>()

function membersOf({ members }: TypedType & { t: 'enum' }): Record<string, string | number> {
  return Object.fromEntries(members.map(([name, value]) => [name, memberValue(plainOf(value))]))
}

function memberValue(value: unknown): string | number {
  return typeof value === 'bigint' ? Number(value) : String(value)
}

function plainOf(value: Tagged): unknown {
  if (value === null || typeof value !== 'object') return value
  if (Array.isArray(value)) return value.map(plainOf)
  if ('i' in value) return BigInt(value.i)
  if ('f' in value) return Number(value.f)
  if ('b' in value) return Uint8Array.from(Buffer.from(value.b, 'hex'))
  return 'm' in value ? new Map(value.m.map(([key, item]) => [plainOf(key), plainOf(item)])) : undefined
}

export function tagTyped(value: Value): unknown {
  if (value.kind === 'list') return value.items.map(tagTyped)
  if (value.kind === 'scalar') {
    if (value.as === 'path') return { p: value.value }
    return value.as === undefined ? tagScalar(value.value) : { e: `${value.as.name}.${String(value.value)}` }
  }
  const type = value.typing?.type
  const key = type?.kind === 'dict' && type.key.kind === 'enum' ? type.key : undefined
  return {
    m: [...value.entries].map(([each, item]) => [
      key === undefined ? tagScalar(each) : { e: `${key.name}.${String(each)}` },
      tagTyped(item),
    ]),
  }
}

function tagScalar(value: MapKey): unknown {
  if (value instanceof Uint8Array) return { b: Buffer.from(value).toString('hex') }
  if (typeof value === 'bigint') return { i: String(value) }
  return typeof value === 'number' ? { f: pythonFloat(value) } : value
}

function byCodePoint(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}
