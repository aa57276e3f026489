// OpenFGA's grammar (`openfga/language:OpenFGAParser.g4`) as an automaton of the shape that ANTLR gives it: only so do its predictions,
// its recoveries and with them its messages come out the same.
import { lazy } from '../lazy.ts'
import { type Kind, kindOf, lastKind } from './tokens.ts'

export type RuleName =
  | 'main'
  | 'modelHeader'
  | 'moduleHeader'
  | 'types'
  | 'type'
  | 'relation'
  | 'relationName'
  | 'definition'
  | 'definitionWithoutDirect'
  | 'operators'
  | 'operand'
  | 'group'
  | 'groupWithoutDirect'
  | 'direct'
  | 'rewrite'
  | 'restriction'
  | 'restrictionBase'
  | 'conditions'
  | 'condition'
  | 'conditionName'
  | 'parameter'
  | 'parameterName'
  | 'parameterType'
  | 'comment'
  | 'plainIdentifier'
  | 'identifier'
  | 'expression'

/** How ANTLR's generated code acts at a state. */
type StateKind = 'plain' | 'stop' | 'block' | 'starEntry' | 'starBack' | 'plusEntry' | 'plusBack'

export interface State {
  readonly id: number
  readonly rule: RuleName
  kind: StateKind
  readonly edges: Edge[]
  /** Of a `starBack`, where its loop is entered. */
  entry?: State
  /** Of a `block`, whether its last edge goes around it. */
  optional?: boolean
}

export type Edge =
  | { readonly on: 'nothing'; readonly to: State }
  | { readonly on: 'tokens'; readonly to: State; readonly kinds: ReadonlySet<Kind>; readonly single: boolean }
  | { readonly on: 'rule'; readonly to: State; readonly rule: RuleName; readonly follow: State }

export interface Grammar {
  readonly states: readonly State[]
  readonly start: Readonly<Record<RuleName, State>>
}

/** Adds the states that lead to `to`, and answers where they begin. */
type Part = (build: Builder, to: State) => State

interface Builder {
  readonly add: (kind?: StateKind) => State
  readonly call: (from: State, rule: RuleName, follow: State) => void
}

const join = (from: State, to: State): void => void from.edges.push({ on: 'nothing', to })

const token =
  (kinds: ReadonlySet<Kind>, single: boolean): Part =>
  (build, to) => {
    const at = build.add()
    at.edges.push({ on: 'tokens', to, kinds, single })
    return at
  }
const t = (name: string): Part => token(new Set([kindOf(name)]), true)
const anyOf = (names: readonly string[]): Part => token(new Set(names.map(kindOf)), false)
const noneOf = (...names: readonly string[]): Part => {
  const excluded = new Set(names.map(kindOf))
  return token(
    new Set(Array.from({ length: lastKind }, (_, i) => i + 1).filter((kind) => !excluded.has(kind))),
    false,
  )
}

const ruleOf =
  (name: RuleName): Part =>
  (build, to) => {
    const at = build.add()
    build.call(at, name, to)
    return at
  }

const sequence =
  (...parts: readonly Part[]): Part =>
  (build, to) =>
    parts.reduceRight((next, part) => part(build, next), to)

const block =
  (alternatives: readonly Part[], optional: boolean): Part =>
  (build, to) => {
    const start = build.add('block')
    const end = build.add()
    join(end, to)
    for (const alternative of alternatives) join(start, alternative(build, end))
    if (optional) join(start, end)
    start.optional = optional
    return start
  }
const oneOf = (...alternatives: readonly Part[]): Part => block(alternatives, false)
const optional = (...alternatives: readonly Part[]): Part => block(alternatives, true)

const anyTimes =
  (part: Part): Part =>
  (build, to) => {
    const entry = build.add('starEntry')
    const back = build.add('starBack')
    back.entry = entry
    join(entry, part(build, back))
    join(entry, to)
    join(back, entry)
    return entry
  }

const oneOrMore =
  (part: Part): Part =>
  (build, to) => {
    const entry = build.add('plusEntry')
    const back = build.add('plusBack')
    const head = part(build, back)
    join(entry, head)
    join(back, head)
    join(back, to)
    return entry
  }

const space = t('WHITESPACE')
const maybeSpace = optional(space)
const newline = t('NEWLINE')
const maybeNewline = optional(newline)
const commentAbove = optional(sequence(newline, ruleOf('comment')))
const operandOf = (operator: string): Part =>
  sequence(space, t(operator), space, oneOf(ruleOf('operand'), ruleOf('groupWithoutDirect')))
const listOf = (item: RuleName): Part =>
  sequence(
    maybeSpace,
    ruleOf(item),
    maybeSpace,
    anyTimes(sequence(t("','"), maybeSpace, ruleOf(item), maybeSpace)),
  )
const groupOf = (inner: RuleName): Part =>
  sequence(
    t("'('"),
    anyTimes(space),
    oneOf(ruleOf(inner), ruleOf('groupWithoutDirect')),
    anyTimes(space),
    t("')'"),
  )

const notCel = (
  "':'|','|RBRACKET|'#'|'and'|'or'|'but not'|'from'|'module'|'model'|'schema'|SCHEMA_VERSION|'extend'|'type'|'condition'" +
  "|'relations'|'relation'|'define'|'with'|EXTENDED_IDENTIFIER|CONDITION_PARAM_CONTAINER|CONDITION_PARAM_TYPE"
).split('|')

const rules: Readonly<Record<RuleName, Part>> = {
  main: sequence(
    maybeSpace,
    maybeNewline,
    oneOf(ruleOf('modelHeader'), ruleOf('moduleHeader')),
    maybeNewline,
    ruleOf('types'),
    maybeNewline,
    ruleOf('conditions'),
    maybeNewline,
    t('EOF'),
  ),
  modelHeader: sequence(
    optional(sequence(ruleOf('comment'), newline)),
    t("'model'"),
    newline,
    t("'schema'"),
    space,
    t('SCHEMA_VERSION'),
    maybeSpace,
  ),
  moduleHeader: sequence(
    optional(sequence(ruleOf('comment'), newline)),
    t("'module'"),
    space,
    ruleOf('plainIdentifier'),
    maybeSpace,
  ),
  types: anyTimes(ruleOf('type')),
  type: sequence(
    commentAbove,
    newline,
    optional(sequence(t("'extend'"), space)),
    t("'type'"),
    space,
    ruleOf('identifier'),
    optional(sequence(newline, t("'relations'"), oneOrMore(ruleOf('relation')))),
  ),
  relation: sequence(
    commentAbove,
    newline,
    t("'define'"),
    space,
    ruleOf('relationName'),
    maybeSpace,
    t("':'"),
    maybeSpace,
    ruleOf('definition'),
  ),
  relationName: ruleOf('identifier'),
  definition: sequence(
    oneOf(ruleOf('direct'), ruleOf('operand'), ruleOf('group')),
    optional(ruleOf('operators')),
  ),
  definitionWithoutDirect: sequence(
    oneOf(ruleOf('operand'), ruleOf('groupWithoutDirect')),
    optional(ruleOf('operators')),
  ),
  operators: oneOf(oneOrMore(operandOf("'or'")), oneOrMore(operandOf("'and'")), operandOf("'but not'")),
  operand: ruleOf('rewrite'),
  group: groupOf('definition'),
  groupWithoutDirect: groupOf('definitionWithoutDirect'),
  direct: sequence(t("'['"), listOf('restriction'), t("']'")),
  rewrite: sequence(
    ruleOf('identifier'),
    optional(sequence(space, t("'from'"), space, ruleOf('identifier'))),
  ),
  restriction: sequence(
    maybeNewline,
    oneOf(
      ruleOf('restrictionBase'),
      sequence(ruleOf('restrictionBase'), space, t("'with'"), space, ruleOf('conditionName')),
    ),
    maybeNewline,
  ),
  restrictionBase: sequence(
    ruleOf('identifier'),
    optional(sequence(t("':'"), t("'*'")), sequence(t("'#'"), ruleOf('identifier'))),
  ),
  conditions: anyTimes(ruleOf('condition')),
  condition: sequence(
    commentAbove,
    newline,
    t("'condition'"),
    space,
    ruleOf('conditionName'),
    maybeSpace,
    t("'('"),
    listOf('parameter'),
    maybeNewline,
    t("')'"),
    maybeSpace,
    t("'{'"),
    maybeNewline,
    maybeSpace,
    ruleOf('expression'),
    maybeNewline,
    t("'}'"),
  ),
  conditionName: t('IDENTIFIER'),
  parameter: sequence(
    maybeNewline,
    ruleOf('parameterName'),
    maybeSpace,
    t("':'"),
    maybeSpace,
    ruleOf('parameterType'),
  ),
  parameterName: t('IDENTIFIER'),
  parameterType: oneOf(
    t('CONDITION_PARAM_TYPE'),
    sequence(t('CONDITION_PARAM_CONTAINER'), t("'<'"), t('CONDITION_PARAM_TYPE'), t("'>'")),
  ),
  comment: sequence(t("'#'"), anyTimes(noneOf('NEWLINE')), optional(sequence(newline, ruleOf('comment')))),
  plainIdentifier: anyOf([
    'IDENTIFIER',
    "'module'",
    "'model'",
    "'schema'",
    "'extend'",
    "'type'",
    "'relation'",
  ]),
  identifier: oneOf(ruleOf('plainIdentifier'), t('EXTENDED_IDENTIFIER')),
  // The grammar lists CEL's tokens and, as a second way, all but the brace.
  expression: anyTimes(oneOf(noneOf("'}'", ...notCel), noneOf("'}'"))),
}

const isRuleName = (name: string): name is RuleName => Object.hasOwn(rules, name)

function buildGrammar(): Grammar {
  const states: State[] = []
  const adder =
    (rule: RuleName) =>
    (kind: StateKind = 'plain') => {
      const state: State = { id: states.length, rule, kind, edges: [] }
      states.push(state)
      return state
    }
  const names = Object.keys(rules).filter(isRuleName)
  const start = Object.fromEntries(names.map((name) => [name, adder(name)()])) as Record<RuleName, State>
  const stop = Object.fromEntries(names.map((name) => [name, adder(name)('stop')])) as Record<RuleName, State>
  for (const name of names) {
    const build: Builder = {
      add: adder(name),
      call(from, rule, follow) {
        from.edges.push({ on: 'rule', to: start[rule], rule, follow })
        // What may follow the rule, wherever it is used.
        join(stop[rule], follow)
      },
    }
    join(start[name], rules[name](build, stop[name]))
  }
  return { states, start }
}

export const grammar: () => Grammar = lazy(buildGrammar)
