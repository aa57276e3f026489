import { Aborted, type Value } from './value.ts'

/** An evaluation under way. */
export interface Frame {
  /** In the order of the declaration. */
  readonly parameters: readonly Value[]
  /** Variables of macros. */
  readonly locals: Value[]
  /** Grows until it passes `maxCost`, which ends the evaluation. */
  cost: number
  readonly maxCost: number
}

export type Step = (frame: Frame) => Value

export function charge(frame: Frame, cost: number): void {
  frame.cost += cost
  if (frame.cost > frame.maxCost) throw new Aborted('operation cancelled: actual cost limit exceeded')
}

/** A part of an expression, planned. Fields and elements are added to an attribute before it is made a step. */
export type Plan =
  | { readonly kind: 'constant'; readonly value: Value }
  | { readonly kind: 'attribute'; readonly attribute: Attribute }
  | { readonly kind: 'step'; readonly step: Step }

/** A value and the way into it (`google/cel-go:interpreter/attributes.go`), which decides what the way costs. */
export type Attribute =
  | {
      readonly kind: 'path'
      readonly root: Step
      readonly isParameter: boolean
      readonly qualifiers: readonly Qualifier[]
    }
  | {
      readonly kind: 'conditional'
      readonly condition: Step
      readonly whenTrue: Attribute
      readonly whenFalse: Attribute
    }

/** One step of the way. */
export interface Qualifier {
  readonly key: Step
  readonly isConstant: boolean
  /** Asks whether something is there, as `has()` does. */
  readonly testOnly: boolean
}
