import type { Sink, Work } from '../call.ts'
import type { CallScope } from '../call-scope.ts'
import type { Emitter } from '../emitter.ts'
import type { RetryBudget } from '../retry-budget.ts'
import type { PipelineEvents } from './pipeline-events.ts'

/**
 * A part of a compiled pipeline. It answers `sink` once, and soon after `scope` was aborted with that reason; it never
 * throws. `Added` is what it may answer beside the value of the work.
 */
export type Step<Added> = <T>(scope: CallScope, work: Work<T>, sink: Sink<T | Added>) => void

/** What the policies of a pipeline have in common. */
export interface PipelineParts {
  readonly name: string
  /** For retries and hedges that were given none of their own; undefined for no limit. */
  readonly budget: RetryBudget | undefined
  readonly emitter: Emitter<PipelineEvents>
}

/**
 * A layer of a pipeline. It may hold state: given to two pipelines it is shared by both, and ends with the first of them
 * that is disposed of.
 */
export interface Policy<Added = never> {
  /** Always empty: its type is what the policy may answer beside the value of the work. */
  readonly added: readonly Added[]
  /** @internal */
  compile<Inner>(next: Step<Inner>, parts: PipelineParts): Step<Inner | Added>
  /** @internal Frees what the policy made, after the runs of the pipeline have ended. */
  dispose?(): void | Promise<void>
}
