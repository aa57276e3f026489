import {
  any,
  type ComposeOptions,
  compose,
  configStore,
  fromMemory,
  instantiate,
  int,
  isHydraConfigError,
  listOf,
  optional,
  registry,
  structured,
} from '@loadbearing/hydra-config'
import fc, { type Arbitrary } from 'fast-check'
import type { Answer } from './answers.ts'

/** A config that is instantiated with arguments; `path` leads to the part of it that is. */
export interface InstantiateCase {
  readonly text: string
  readonly path: string
  readonly args: readonly number[]
  readonly kwargs: Readonly<Record<string, unknown>>
  /** What is merged last, where a structured config stands at `part.s`. */
  readonly typed?: string
}

const flag = fc.constantFrom('true', 'false', 'true', 'false', 'true', 'false', 'true', 'false', '1', '"???"')
const special = fc.oneof(
  flag.map((value) => ['_recursive_', value] as const),
  flag.map((value) => ['_partial_', value] as const),
  fc.constantFrom('none', 'partial', 'object', 'all').map((value) => ['_convert_', value] as const),
)
const scalar = fc.constantFrom(
  '1',
  'x',
  'true',
  'null',
  '2',
  'y',
  'z',
  '3',
  '"${v}"',
  '"${w.k}"',
  '"${.a}"',
  '"???"',
)

const { node, map } = fc.letrec<{ node: string; map: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: 'small' },
    { arbitrary: scalar, weight: 3 },
    { arbitrary: fc.array(tie('node'), { maxLength: 2 }).map((items) => `[${items.join(', ')}]`), weight: 1 },
    { arbitrary: tie('map'), weight: 4 },
  ),
  map: fc
    .tuple(
      fc.oneof(
        { arbitrary: fc.constantFrom('recorder.rec', 'recorder.other', undefined), weight: 9 },
        { arbitrary: fc.constantFrom('"???"', '5'), weight: 1 },
      ),
      fc.array(special, { maxLength: 2 }),
      fc.option(
        fc.oneof(
          fc.array(tie('node'), { maxLength: 2 }).map((items) => `[${items.join(', ')}]`),
          fc.constantFrom('7', '[]', '[1]', '[x]'),
        ),
        {
          nil: undefined,
          freq: 2,
        },
      ),
      fc.dictionary(fc.constantFrom('k', 'a', 'b'), tie('node'), { maxKeys: 2 }),
    )
    .map(([target, specials, args, entries]) => {
      const all = new Map<string, string>([
        ...(target === undefined ? [] : ([['_target_', target]] as const)),
        ...specials,
        ...(args === undefined || target === undefined ? [] : ([['_args_', args]] as const)),
        ...Object.entries(entries),
      ])
      return `{${[...all].map(([key, value]) => `${key}: ${value}`).join(', ')}}`
    }),
}))

export const instantiateCase: Arbitrary<InstantiateCase> = fc
  .tuple(
    fc.oneof(
      { arbitrary: map, weight: 8 },
      fc.array(node, { maxLength: 2 }).map((items) => `[${items.join(', ')}]`),
    ),
    fc.boolean(),
    fc.array(fc.integer({ min: 0, max: 9 }), { maxLength: 2 }),
    fc.dictionary(fc.constantFrom('k', 'a', 'c'), fc.constantFrom<unknown>(3, 'y', [1], { d: 2 }, '${v}'), {
      maxKeys: 2,
    }),
    fc.option(
      node.map((value) => `part: {s: {inner: {t: ${value}}}}\n`),
      { nil: undefined, freq: 2 },
    ),
  )
  .map(([part, named, args, kwargs, typed]) => ({
    text: `part: ${part}\nv: 5\nw: {k: z}\n`,
    path: 'part',
    args,
    kwargs: named ? kwargs : {},
    ...(typed === undefined || !part.startsWith('{') ? {} : { typed }),
  }))

const inner = structured(
  'Inner',
  { n: int(1), l: listOf(int(), [4]), t: any(null) },
  { toObject: (fields) => new Instance('Inner', fields) },
)
const outer = structured(
  'Outer',
  { inner, x: optional(int(2)) },
  { toObject: (fields) => new Instance('Outer', fields) },
)
const store = configStore({ base: outer })

/** What a structured config becomes with `_convert_: object`. */
class Instance {
  readonly name: string
  readonly fields: object

  constructor(name: string, fields: object) {
    this.name = name
    this.fields = fields
  }
}

/** How a target was called. */
class Called {
  readonly name: string
  readonly args: readonly unknown[]

  constructor(name: string, args: readonly unknown[]) {
    this.name = name
    this.args = args
  }
}

const targets = registry({
  'recorder.rec': (...args: readonly unknown[]) => new Called('rec', args),
  'recorder.other': (...args: readonly unknown[]) => new Called('other', args),
})

/** Our answer, as instantiate-oracle.py gives its own. */
export async function ourInstantiate({ text, path, args, kwargs, typed }: InstantiateCase): Promise<Answer> {
  try {
    const { tree } = await compose(sourcesOf(text, typed))
    return { ok: { made: told(instantiate(tree.at(path), targets, { args, kwargs })) } }
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return { error: { class: error.class } }
  }
}

function sourcesOf(text: string, typed: string | undefined): ComposeOptions {
  if (typed === undefined) return { source: fromMemory({ 'config.yaml': text }), config: 'config' }
  const files = {
    'config.yaml': 'defaults: [base@part.s, text, typed]\n',
    'text.yaml': text,
    'typed.yaml': typed,
  }
  return { source: [fromMemory(files), store], config: 'config' }
}

function told(value: unknown): unknown {
  if (value instanceof Instance) {
    const fields = Object.entries(value.fields).map(([key, each]) => [key, told(each)])
    return { object: value.name, fields }
  }
  if (value instanceof Called)
    return { call: value.name, args: value.args.map((each, at) => argument(each, at, value.args)) }
  if (typeof value === 'function') return { partial: told(value()) }
  if (typeof value !== 'object' || value === null) return value
  const made = Array.isArray(value)
    ? value.map((each) => told(each))
    : { map: Object.entries(value).map(([key, each]) => [key, told(each)]) }
  return { [Object.isFrozen(value) ? 'config' : 'plain']: made }
}

/** The object of the named arguments is the one that was made for the call. */
function argument(value: unknown, at: number, all: readonly unknown[]): unknown {
  const isLast = at === all.length - 1
  if (isLast && isNamed(value)) {
    return { named: Object.entries(value).map(([key, each]) => [key, told(each)]) }
  }
  return told(value)
}

function isNamed(value: unknown): value is object {
  const isPlain = typeof value === 'object' && value !== null && !Array.isArray(value)
  return isPlain && !(value instanceof Called) && !(value instanceof Instance) && !Object.isFrozen(value)
}
