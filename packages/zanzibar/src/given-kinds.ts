import { ZanzibarError } from './errors.ts'
import type { TupleKey } from './tuple/tuple.ts'
import type { QueryOptions, WatchFrom, ZanzibarWrite } from './zanzibar.ts'

// What callers without types give is looked at where it comes in, so that what is of another kind is told by its name, and
// not by where it would break.

/** @throws ZanzibarError `invalid_option` for what is no text */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw unfit(name, 'a text', value)
}

/** @throws ZanzibarError `invalid_option` */
export function checkWhole(name: string, value: unknown, what: string, least: number): void {
  if (Number.isSafeInteger(value) && Number(value) >= least) return
  throw unfit(name, `a whole number of ${what}, ${least} or more`, value)
}

/** @throws ZanzibarError `invalid_option` for what is given and no number of 0 or more */
export function checkCount(name: string, value: unknown): void {
  if (value === undefined || (typeof value === 'number' && value >= 0)) return
  throw unfit(name, 'a number, 0 or more', value)
}

/** @throws ZanzibarError `invalid_option` for an object that lacks one of these */
export function checkMethods(name: string, value: unknown, methods: readonly string[]): void {
  // A proxy, or of a class that has a name of its own.
  if (typeof value !== 'object' || value === null) throw unfit(name, 'an object', value)
  const parts = new Map(methods.map((each) => [each, Reflect.get(value, each)]))
  for (const [each, part] of parts) {
    if (typeof part !== 'function') throw unfit(`${name}.${each}`, 'a function', part)
  }
}

/** Whether a model looks like one; what is in it, `validateModel` tells. @throws ZanzibarError `invalid_option` */
export function checkModel(name: string, model: unknown): void {
  checkRecord(name, model)
  const given: { readonly schema_version?: unknown; readonly type_definitions?: unknown } = model
  checkText(`${name}.schema_version`, given.schema_version)
  checkList(`${name}.type_definitions`, given.type_definitions)
}

/** @throws ZanzibarError `invalid_option` */
export function checkClock(clock: unknown): void {
  checkMethods('clock', clock, ['now', 'monotonic', 'setTimeout', 'clearTimeout'])
}

/** What is asked of OpenFGA's model and of ours alike. @throws ZanzibarError `invalid_option` */
export function checkServing(options: {
  readonly limits?: unknown
  readonly semantics?: unknown
  readonly onEvent?: unknown
  readonly clock?: unknown
  readonly closureIndex?: unknown
}): void {
  const { limits, semantics, onEvent, clock, closureIndex } = options
  if (limits !== undefined) {
    checkRecord('limits', limits)
    for (const [name, value] of Object.entries(limits)) checkCount(`limits.${name}`, value)
  }
  checkOneOf('semantics', semantics, ['openfga-v1', 'openfga-v2'])
  checkFunction('onEvent', onEvent)
  if (clock !== undefined) checkClock(clock)
  if (closureIndex !== undefined && typeof closureIndex !== 'boolean')
    checkRecord('closureIndex', closureIndex)
}

/** Of every question, so without a name made for what is good. @throws ZanzibarError `invalid_option` */
export function checkKey({ user, relation, object }: TupleKey): void {
  if (typeof user === 'string' && typeof relation === 'string' && typeof object === 'string') return
  checkTexts({ user, relation, object })
}

/** @param within what they are parts of, with a dot. @throws ZanzibarError `invalid_option` for the first that is no text */
export function checkTexts(given: Readonly<Record<string, unknown>>, within = ''): void {
  for (const [name, value] of Object.entries(given)) checkText(within + name, value)
}

/** @throws ZanzibarError `invalid_option` for what is no list */
export function checkList(name: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) throw unfit(name, 'a list', value)
}

/** @throws ZanzibarError `invalid_option` for what is no object with names */
export function checkRecord(name: string, value: unknown): asserts value is object {
  if (!isRecord(value)) throw unfit(name, 'an object', value)
}

/** @throws ZanzibarError `invalid_option` for what is given and none of these */
function checkOneOf(name: string, value: unknown, known: readonly unknown[]): void {
  if (value === undefined || known.includes(value)) return
  throw unfit(name, known.map(shown).join(' or '), value)
}

function checkFunction(name: string, value: unknown): void {
  if (value !== undefined && typeof value !== 'function') throw unfit(name, 'a function', value)
}

/** @throws ZanzibarError `invalid_option` */
export function checkQuery(options: QueryOptions): void {
  checkRecord('options', options)
  const { context, contextualTuples, signal } = options
  if (context !== undefined) checkContext('context', context)
  if (contextualTuples !== undefined) checkTuples('contextualTuples', contextualTuples)
  if (signal !== undefined) checkSignal(signal)
}

/** @throws ZanzibarError `invalid_option` */
export function checkWatch(options: WatchFrom): void {
  checkRecord('options', options)
  const { after, types, signal } = options
  if (after !== undefined && typeof after !== 'number') throw unfit('after', 'a position', after)
  if (types !== undefined) {
    checkList('types', types)
    for (const [at, type] of types.entries()) checkText(`types[${at}]`, type)
  }
  if (signal !== undefined) checkSignal(signal)
}

/** @throws ZanzibarError `invalid_option` */
export function checkChanges(changes: ZanzibarWrite): void {
  checkRecord('changes', changes)
  const { add, remove, removeWhere, if: preconditions, onDuplicate, onMissing } = changes
  if (add !== undefined) checkTuples('add', add)
  if (remove !== undefined) checkTuples('remove', remove)
  if (removeWhere !== undefined) {
    checkList('removeWhere', removeWhere)
    for (const [at, filter] of removeWhere.entries()) checkFilter(`removeWhere[${at}]`, filter)
  }
  if (preconditions !== undefined) {
    checkList('if', preconditions)
    for (const [at, each] of preconditions.entries()) {
      checkRecord(`if[${at}]`, each)
      checkFilter(`if[${at}].filter`, each.filter)
      if (typeof each.exists !== 'boolean') throw unfit(`if[${at}].exists`, 'true or false', each.exists)
    }
  }
  checkOneOf('onDuplicate', onDuplicate, ['error', 'ignore'])
  checkOneOf('onMissing', onMissing, ['error', 'ignore'])
}

/** @throws ZanzibarError `invalid_option` */
export function checkFilter(name: string, filter: unknown): void {
  checkRecord(name, filter)
  const { object, relation, user }: { object?: unknown; relation?: unknown; user?: unknown } = filter
  for (const [part, value] of Object.entries({ object, relation, user })) {
    if (value !== undefined) checkText(`${name}.${part}`, value)
  }
}

/** @throws ZanzibarError `invalid_option` for what is no `[user, relation, object]` */
export function checkTriple(name: string, value: unknown): void {
  checkList(name, value)
  const [user, relation, object] = value
  checkTexts({ user, relation, object }, `${name}.`)
}

interface TupleParts {
  readonly user?: unknown
  readonly relation?: unknown
  readonly object?: unknown
  readonly condition?: unknown
  readonly expiresAt?: unknown
}

function checkTuples(name: string, tuples: unknown): void {
  checkList(name, tuples)
  for (let at = 0; at < tuples.length; at++) checkTuple(name, at, tuples[at])
}

function checkTuple(list: string, at: number, given: unknown): void {
  // Of a good one no name is made: there may be very many.
  if (Array.isArray(given)) {
    if (given.some((each) => typeof each !== 'string') || given.length < 3)
      checkTriple(`${list}[${at}]`, given)
    return
  }
  if (!isRecord(given)) throw unfit(`${list}[${at}]`, 'a tuple', given)
  const { user, relation, object, condition, expiresAt }: TupleParts = given
  if (typeof user !== 'string' || typeof relation !== 'string' || typeof object !== 'string') {
    checkTexts({ user, relation, object }, `${list}[${at}].`)
  }
  if (condition !== undefined) checkCondition(`${list}[${at}].condition`, condition)
  if (expiresAt !== undefined && typeof expiresAt !== 'number') {
    throw unfit(`${list}[${at}].expiresAt`, 'a whole number of milliseconds', expiresAt)
  }
}

function checkCondition(name: string, condition: unknown): void {
  checkRecord(name, condition)
  const given: { readonly name?: unknown; readonly context?: unknown } = condition
  checkText(`${name}.name`, given.name)
  if (given.context !== undefined) checkContext(`${name}.context`, given.context)
}

function checkContext(name: string, context: unknown): void {
  checkRecord(name, context)
  for (const [key, item] of Object.entries(context)) {
    // As in JSON, what is undefined is not given.
    const flaw = item === undefined ? undefined : flawIn(item, [context])
    if (flaw !== undefined)
      throw unfit([name, key, ...flaw.path.slice(0, 19)].join('.'), flaw.wanted, flaw.value)
  }
}

/** Where in a context what is no JSON stands. */
interface Flaw {
  readonly path: readonly string[]
  readonly wanted: string
  readonly value: unknown
}

/** @param within what it is in */
function flawIn(value: unknown, within: readonly unknown[]): Flaw | undefined {
  if (value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return undefined
  if (!Array.isArray(value) && !isRecord(value)) return { path: [], wanted: 'JSON', value }
  if (within.includes(value)) return { path: [], wanted: 'JSON, which holds nothing that holds it', value }
  if (within.length === maxDepth) return { path: [], wanted: `JSON of ${maxDepth} levels`, value }
  const around = [...within, value]
  for (const [key, item] of Object.entries(value)) {
    const flaw = flawIn(item, around)
    if (flaw !== undefined) return { ...flaw, path: [key, ...flaw.path] }
  }
  return undefined
}

const maxDepth = 1000

function checkSignal(signal: unknown): void {
  // Not by its class: that of another realm is one too.
  const isSignal = typeof signal === 'object' && signal !== null && 'aborted' in signal
  if (!isSignal || !('addEventListener' in signal)) throw unfit('signal', 'an AbortSignal', signal)
}

/** Not a list, a date, a map or the like. */
function isRecord(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}

function unfit(name: string, wanted: string, value: unknown): ZanzibarError {
  return new ZanzibarError('invalid_option', `${name} must be ${wanted}, not ${shown(value)}`)
}

/** What a value is, in a few characters. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.length > 40 ? `${value.slice(0, 40)}…` : value)
  if (typeof value === 'function') return 'a function'
  if (Array.isArray(value)) return `a list of ${value.length}`
  if (typeof value !== 'object' || value === null) return String(value)
  return isRecord(value) ? 'an object' : Object.prototype.toString.call(value).slice('[object '.length, -1)
}
