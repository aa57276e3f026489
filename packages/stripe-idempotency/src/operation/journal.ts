import { Buffer } from 'node:buffer'
import { textOf } from '../input.ts'
import type { Phase } from './phase.ts'

/** How far an operation has come. */
export type Progress =
  | { readonly known: true; readonly done: ReadonlyMap<string, unknown>; readonly intent: Intent | undefined }
  /** The journal is not one of these phases: they were changed while it was under way. */
  | { readonly known: false; readonly why: string }

/** A call, or a phase that no transaction covers, may have been made. */
export interface Intent {
  /** Milliseconds of the store's clock. Null: it was found out since that none took effect. */
  readonly firstAttemptAt: number | null
}

/** Under what name the intent of a phase is journaled: one that no phase can have. */
export function intentName(phase: string): string {
  return `${phase}:intent`
}

/** @throws IdempotencyError `value_invalid` */
export function written(value: unknown): Buffer {
  return Buffer.from(textOf(value))
}

/** What `written` has written. */
export function read(bytes: Uint8Array): unknown {
  const { value }: { readonly value: unknown } = JSON.parse(Buffer.from(bytes).toString())
  return value
}

/** Reads a journal against the phases there are: outputs of the first of them, and at most the intent of the next. */
export function progressOf(
  phases: readonly Pick<Phase, 'name'>[],
  journal: ReadonlyMap<string, Uint8Array>,
  recoveryPoint: string | null,
): Progress {
  if (recoveryPoint !== null && !journal.has(recoveryPoint)) {
    return { known: false, why: `what the phase ${recoveryPoint} left was erased` }
  }
  const done = new Map<string, unknown>()
  const seen = new Set<string>()
  let intent: Intent | undefined
  for (const { name } of phases) {
    const begun = journal.get(intentName(name))
    const output = journal.get(name)
    if (begun !== undefined) seen.add(intentName(name))
    if (output === undefined) {
      if (begun !== undefined) intent = readIntent(begun)
      break
    }
    seen.add(name)
    done.set(name, read(output))
  }
  const stranger = journal.keys().find((name) => !seen.has(name))
  return stranger === undefined
    ? { known: true, done, intent }
    : { known: false, why: `its recovery point ${stranger} is none of the operation as it is now` }
}

function readIntent(bytes: Uint8Array): Intent {
  const value = read(bytes)
  const at =
    typeof value === 'object' && value !== null && 'firstAttemptAt' in value ? value.firstAttemptAt : null
  return { firstAttemptAt: typeof at === 'number' ? at : null }
}
