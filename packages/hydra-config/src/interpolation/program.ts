import { scalar, type Value } from '../value/value.ts'
import type { Expression, Interpolation } from './expression.ts'
import { parseElement, parseInterpolation } from './parse.ts'
import { type KeyPath, parsePath } from './split-key.ts'

/** A text with gaps for what the steps before leave on the stack. */
export interface Template {
  /** Undefined for a gap. */
  readonly parts: readonly (string | undefined)[]
  readonly gaps: number
}

/** One step of a compiled expression: it takes its operands from a stack and leaves its result there. */
export type Step =
  | { readonly op: 'literal'; readonly value: Value }
  /** Follows a path. */
  | { readonly op: 'node'; readonly path: KeyPath }
  /** Follows a path that is known only when its parts are. */
  | { readonly op: 'joined node'; readonly template: Template }
  /** Refuses what is no text on top of the stack, for it is to be a key or a part of a resolver's name. */
  | { readonly op: 'text only' }
  | Combination
  | CallStep

/** Makes one value of the last operands. */
export type Combination =
  | { readonly op: 'text'; readonly template: Template; readonly count: number }
  | { readonly op: 'list'; readonly count: number }
  /** Of keys and values in turn. */
  | { readonly op: 'dict'; readonly count: number }

/** Calls a resolver. */
export interface CallStep {
  readonly op: 'call'
  readonly name: Template
  /** The arguments as they are written. */
  readonly sources: readonly string[]
}

/** An expression as steps in the order of evaluation, so that evaluating needs no recursion. */
export type Program = readonly Step[]

// What needs no parser: most interpolations are `${a.b}` or `${oc.env:NAME}`.
const simplePath = /^\$\{([\w-]+(?:\.[\w-]+)*)\}$/
const id = '[A-Za-z_][A-Za-z0-9_-]*'
const simpleCall = new RegExp(
  `^\\$\\{(${id}(?:\\.${id})*):((?!(?:true|false|null|inf|nan)\\})${id})\\}$`,
  'i',
)

function simpleProgram(text: string): Program | undefined {
  const written = simplePath.exec(text)?.[1]
  if (written !== undefined) {
    return [{ op: 'node', path: { written, above: undefined, keys: written.split('.') } }]
  }
  const [, name, argument] = simpleCall.exec(text) ?? []
  if (name === undefined || argument === undefined) return undefined
  return [
    { op: 'literal', value: scalar(argument) },
    { op: 'call', name: { parts: [name], gaps: 0 }, sources: [argument] },
  ]
}

/**
 * Compiles a string with interpolations. The programs of short texts are kept, up to a limit, if `keeps` says so: what
 * is kept outlives the configuration.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function compile(text: string, keeps: boolean): Program {
  const simple = simpleProgram(text)
  if (simple !== undefined) return simple
  if (!keeps || text.length > keptLengthMax) return programOf(parseInterpolation(text))
  const known = young.get(text) ?? old.get(text)
  if (known !== undefined) return known
  const program = programOf(parseInterpolation(text))
  if (young.size >= keptMax) {
    old = young
    young = new Map()
  }
  young.set(text, program)
  return program
}

const keptMax = 5_000
const keptLengthMax = 1_000
// Two generations, for the oldest entry of a large Map is slow to find.
let young = new Map<string, Program>()
let old: ReadonlyMap<string, Program> = new Map()

/**
 * Compiles one element, for `oc.decode`.
 * @throws HydraConfigError `INTERPOLATION_PARSE`
 */
export function compileElement(text: string): Program {
  return programOf(parseElement(text))
}

function programOf(expression: Expression): Program {
  const steps: Step[] = []
  append(steps, expression)
  return steps
}

// The depth of expressions is bounded by the parser.
function append(steps: Step[], expression: Expression): void {
  switch (expression.kind) {
    case 'literal':
      steps.push({ op: 'literal', value: scalar(expression.value) })
      break
    case 'node':
      appendNode(steps, expression.parts)
      break
    case 'resolver':
      appendKeys(steps, expression.name)
      for (const { value } of expression.arguments) append(steps, value)
      steps.push({
        op: 'call',
        name: templateOf(expression.name, '.'),
        sources: expression.arguments.map(({ source }) => source),
      })
      break
    case 'text':
      for (const part of expression.parts) if (typeof part !== 'string') append(steps, part)
      appendText(steps, templateOf(expression.parts))
      break
    case 'list':
      for (const item of expression.items) append(steps, item)
      steps.push({ op: 'list', count: expression.items.length })
      break
    case 'dict':
    default:
      for (const [key, value] of expression.pairs) {
        append(steps, key)
        append(steps, value)
      }
      steps.push({ op: 'dict', count: 2 * expression.pairs.length })
  }
}

function appendNode(steps: Step[], parts: readonly (string | Interpolation)[]): void {
  appendKeys(steps, parts)
  const template = templateOf(parts)
  steps.push(
    template.gaps > 0
      ? { op: 'joined node', template }
      : { op: 'node', path: parsePath(template.parts.join('')) },
  )
}

function appendKeys(steps: Step[], parts: readonly (string | Interpolation)[]): void {
  for (const part of parts) {
    if (typeof part === 'string') continue
    append(steps, part)
    steps.push({ op: 'text only' })
  }
}

function appendText(steps: Step[], template: Template): void {
  steps.push({ op: 'text', template, count: template.gaps })
}

function templateOf(parts: readonly (string | Interpolation)[], separator: string = ''): Template {
  const texts = parts.map((part) => (typeof part === 'string' ? part : undefined))
  return {
    parts:
      separator === '' ? texts : texts.flatMap((text, index) => (index === 0 ? [text] : [separator, text])),
    gaps: texts.filter((text) => text === undefined).length,
  }
}
