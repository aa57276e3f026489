import { Place } from '../value/place.ts'
import { checkInterpolation } from './check.ts'
import { compile } from './compile.ts'
import { unresolved } from './errors.ts'
import { Frame } from './frame.ts'
import type { Machine } from './machine.ts'
import { ocResolvers } from './oc-resolvers.ts'
import { filled, holdSecret, take, unsettled } from './operands.ts'
import type { BuiltInAnswer, ResolverCalls } from './options.ts'
import type { CallStep } from './program.ts'
import { parsePath } from './split-key.ts'

/** All calls: of the resolvers that OmegaConf brings, and of those that a user gives where these can be called. */
export const resolverCalls: ResolverCalls = { compile, call, check: checkInterpolation }

function call(frame: Frame, step: CallStep, machine: Machine): boolean {
  const args = take(frame, step.sources.length)
  const parts = take(frame, step.name.gaps)
  if (args === undefined || parts === undefined || frame.node === undefined) {
    machine.give(frame, unsettled)
    return false
  }
  const name = filled(step.name, parts)
  const { node, parent, reads } = frame
  const { calls, options } = machine.parts
  if (calls?.has(name)) {
    const at = `${frame.scope}${frame.next}`
    const called = { name, node, at, sources: step.sources, secret: holdSecret(parts) }
    machine.give(frame, calls.ask(called, parent, args, machine))
    return false
  }
  const builtIn = ocResolvers.get(name)
  if (builtIn === undefined) {
    throw unresolved('UnsupportedInterpolationType', `Unsupported interpolation type ${name}`)
  }
  const readEnvironment = (variable: string): string | undefined => {
    reads?.push({ environment: variable })
    return options.environment?.(variable)
  }
  const answer = builtIn(args, { node, parent, options, readEnvironment })
  // What comes of a default or a message carries its own secrets.
  return proceed(machine, frame, answer, holdSecret([...args.slice(0, 1), ...parts]))
}

function proceed(machine: Machine, frame: Frame, answer: BuiltInAnswer, isSecret: boolean): boolean {
  if (answer instanceof Place || (answer.kind !== 'search' && answer.kind !== 'evaluation')) {
    machine.give(frame, machine.answered(answer, isSecret))
    return false
  }
  if (answer.kind === 'search') {
    machine.startWalk(frame, parsePath(answer.path), answer.throwOnMissing, isSecret, answer.receive)
    return false
  }
  const { node, parent, reads } = frame
  const inner = new Frame(node, parent, answer.program, isSecret)
  inner.reads = reads
  inner.scope = `${frame.scope}${frame.next} ${answer.text} `
  machine.push(inner)
  frame.awaits = true
  return true
}
