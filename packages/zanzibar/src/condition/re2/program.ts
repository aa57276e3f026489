import { type Assertion, type Matcher, type Node, PatternFault } from './syntax.ts'

/** A step of the automaton; numbers are indices of the step that follows. */
type Instruction =
  | { readonly kind: 'set'; readonly matches: Matcher; readonly next: number }
  | { readonly kind: 'assertion'; readonly assertion: Assertion; readonly next: number }
  | { readonly kind: 'fork'; readonly next: number; other: number }
  | { readonly kind: 'match' }

export interface Program {
  readonly instructions: readonly Instruction[]
  readonly start: number
}

/** Repetitions are written out, so a short pattern can be large. */
const maxInstructions = 100_000

/** Builds from the end: every part is given the step that follows it. */
export function compileProgram(node: Node, pattern: string): Program {
  const instructions: Instruction[] = [{ kind: 'match' }]
  const add = (instruction: Instruction): number => {
    if (instructions.length >= maxInstructions) throw new PatternFault('expression too large', pattern)
    return instructions.push(instruction) - 1
  }
  const build = (part: Node, next: number): number => {
    switch (part.kind) {
      case 'empty':
        return next
      case 'set':
        return add({ kind: 'set', matches: part.matches, next })
      case 'assertion':
        return add({ kind: 'assertion', assertion: part.assertion, next })
      case 'sequence':
        return part.nodes.reduceRight((after, each) => build(each, after), next)
      case 'alternatives':
        return part.nodes
          .map((each) => build(each, next))
          .reduceRight((other, each) => add({ kind: 'fork', next: each, other }))
      case 'repetition':
    }
    return repeat(part.node, part.least, part.most, next)
  }
  const repeat = (part: Node, least: number, most: number, next: number): number => {
    let start = next
    if (most === Number.POSITIVE_INFINITY) {
      const loop: Instruction = { kind: 'fork', next, other: 0 }
      start = add(loop)
      loop.other = build(part, start)
    } else
      for (let count = least; count < most; count++)
        start = add({ kind: 'fork', next, other: build(part, start) })
    for (let count = 0; count < least; count++) start = build(part, start)
    return start
  }
  return { start: build(node, 0), instructions }
}
