import { childOf, withChild } from '../compose/path-edit.ts'
import type { Repository } from '../defaults/repository.ts'
import { HydraConfigError } from '../errors.ts'
import type { Environment } from '../interpolation/resolver.ts'
import type { Override } from '../override/override.ts'
import { isKeyedCall, type KeyedCall } from '../sweep/parse-sweep.ts'
import { scalarString } from '../value/python-string.ts'
import { redact, shownAs } from '../value/secret.ts'
import { list, type MapKey, type MapValue, map, type Origin, scalar, type Value } from '../value/value.ts'

/** The version of Hydra whose behaviour this is. */
export const hydraVersion = '1.3.8'

/** What is known of a run only when it runs. */
export interface RuntimeFacts {
  /** Name of the app, which is that of its jobs where no config gives one. */
  readonly name: string
  readonly cwd: string
  readonly environment: Environment
}

const origin: Origin = { kind: 'code' }

/** Fills in what Hydra knows at run time: the overrides, `hydra.runtime` and the names of the job. */
export function fillHydra(
  root: MapValue,
  given: {
    readonly facts: RuntimeFacts
    readonly repository: Repository
    readonly config: string | undefined
    readonly entries: readonly (Override | KeyedCall)[]
    readonly choices: ReadonlyMap<string, string | null>
  },
): MapValue {
  const { facts, entries } = given
  const ofHydra = entries.filter(isOfHydra)
  const ofTask = entries.filter((entry) => !isOfHydra(entry))
  let hydra: Value = root.entries.get('hydra') ?? map([])
  const set = (path: string, value: Value): void => {
    hydra = withPath(hydra, path.split('.'), value)
  }
  const at = (path: string): Value | undefined => valueAt(hydra, path)
  set('overrides.hydra', appended(at('overrides.hydra'), ofHydra))
  set('overrides.task', appended(at('overrides.task'), ofTask))
  const choices = at('runtime.choices')
  set(
    'runtime.choices',
    map([
      ...(choices?.kind === 'map' ? choices.entries : []),
      ...given.choices.entries().map(([key, option]) => [key, scalar(option, origin)] as const),
    ]),
  )
  for (const name of textsAt(at('job.env_copy'))) {
    const value = facts.environment(name)
    if (value === undefined) {
      throw new HydraConfigError(
        'COMPOSITION',
        `hydra.job.env_copy names the variable '${name}', which is not set in the environment`,
        { class: 'KeyError' },
      )
    }
    set('job.env_set', map([...entriesOf(at('job.env_set')), [name, scalar(value, origin)]]))
  }
  set('runtime.version', scalar(hydraVersion, origin))
  set('runtime.version_base', scalar('1.3', origin))
  set('runtime.cwd', scalar(facts.cwd, origin))
  set('runtime.config_sources', list(given.repository.sources.map(sourceInfo), origin))
  if (textAt(at('job.name')) === '???') set('job.name', scalar(facts.name, origin))
  set('job.override_dirname', scalar(overrideDirname(ofTask, at), origin))
  set('job.config_name', scalar(given.config ?? null, origin))
  return { ...root, entries: new Map(root.entries).set('hydra', hydra) }
}

/** An override as it was given, its secrets too. */
export function entryText(entry: Override | KeyedCall): string {
  return isKeyedCall(entry) ? entry.text : (entry.secretText ?? entry.text)
}

/** Whether the override is of Hydra's own configuration. */
export function isOfHydra(entry: Override | KeyedCall): boolean {
  return !isKeyedCall(entry) && /^hydra[./]/.test(entry.key)
}

/** The root with a value of Hydra's node set, such as `runtime.output_dir`. */
export function withHydra(root: MapValue, path: string, value: Value): MapValue {
  const hydra = withPath(root.entries.get('hydra') ?? map([]), path.split('.'), value)
  return { ...root, entries: new Map(root.entries).set('hydra', hydra) }
}

/** What stands at a path of Hydra's node, as it was written. */
export function hydraAt(root: MapValue, path: string): Value | undefined {
  return valueAt(root.entries.get('hydra'), path)
}

/** `hydra.overrides.task` as it is shown: secrets as `***`. */
export function taskOverridesOf(root: MapValue): readonly string[] {
  const overrides = hydraAt(root, 'overrides.task')
  return textsAt(overrides && redact(overrides))
}

/** The strings of a list; none for what is no list. */
function textsAt(value: Value | undefined): readonly string[] {
  if (value?.kind !== 'list') return []
  return value.items.map((item) => (item.kind === 'scalar' ? scalarString(item.value) : ''))
}

/** The text of a scalar; undefined for null and for what is none. */
export function textAt(value: Value | undefined): string | undefined {
  return value?.kind === 'scalar' && value.value !== null ? scalarString(value.value) : undefined
}

function valueAt(from: Value | undefined, path: string): Value | undefined {
  let found = from
  for (const step of path.split('.')) found = found?.kind === 'map' ? childOf(found, step) : undefined
  return found
}

function withPath(container: Value, [step = '', ...rest]: readonly string[], value: Value): Value {
  const within = container.kind === 'map' ? container : map([])
  if (rest.length === 0) return withChild(within, step, value)
  return withChild(within, step, withPath(childOf(within, step) ?? map([]), rest, value))
}

function entriesOf(value: Value | undefined): Iterable<readonly [MapKey, Value]> {
  return value?.kind === 'map' ? value.entries : []
}

function appended(
  value: Value | undefined,
  entries: readonly { readonly text: string; readonly secretText?: string | undefined }[],
): Value {
  return list([
    ...(value?.kind === 'list' ? value.items : []),
    ...entries.map(({ text, secretText }) =>
      secretText === undefined ? scalar(text, origin) : shownAs(secretText, text, origin),
    ),
  ])
}

function sourceInfo({ path, provider }: Repository['sources'][number]): Value {
  const colon = path.indexOf('://')
  return map([
    ['path', scalar(path.slice(colon + 3), origin)],
    ['schema', scalar(path.slice(0, colon), origin)],
    ['provider', scalar(provider, origin)],
  ])
}

/** The overrides of the task as a name for a directory, sorted. */
function overrideDirname(
  entries: readonly (Override | KeyedCall)[],
  at: (path: string) => Value | undefined,
): string {
  const config = 'job.config.override_dirname'
  const excluded = textsAt(at(`${config}.exclude_keys`))
  const separator = textAt(at(`${config}.kv_sep`)) ?? '='
  return entries
    .filter((entry) => isKeyedCall(entry) || !excluded.includes(entry.key))
    .map(({ text }) => text)
    .toSorted(byCodePoint)
    .join(textAt(at(`${config}.item_sep`)) ?? ',')
    .replaceAll('=', () => separator)
}

function byCodePoint(a: string, b: string): number {
  const [left, right] = [Array.from(a), Array.from(b)]
  for (const [index, character] of left.entries()) {
    const difference = (character.codePointAt(0) ?? 0) - (right[index]?.codePointAt(0) ?? -1)
    if (difference !== 0) return difference
  }
  return left.length - right.length
}
