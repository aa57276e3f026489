import { CircuitState } from './circuit-state.ts'
import { isCount, isTime, savedField } from './saved-state.ts'

/** The state of a circuit as it is saved, of cockatiel's shape. */
export type OwnState =
  | { readonly value: CircuitState.Closed }
  | {
      readonly value: CircuitState.Open
      /** Wall-clock milliseconds. */
      readonly openedAt: number
      /** How often in a row it has opened. */
      readonly attemptNo: number
    }
  | { readonly value: CircuitState.Isolated; readonly counters: number }

/** @throws ResilienceError `INVALID_SNAPSHOT` */
export function readOwnState(initialState: unknown): OwnState {
  const own = savedField(initialState, 'ownState', 'an object', (value) => typeof value === 'object')
  const value = savedField(own, 'value', '0 (closed), 1 (open) or 3 (isolated)', isSavedState)
  if (value === CircuitState.Closed) return { value }
  if (value === CircuitState.Isolated)
    return { value, counters: savedField(own, 'counters', 'a whole number', isCount) }
  return {
    value,
    openedAt: savedField(own, 'openedAt', 'a time in milliseconds', isTime),
    attemptNo: savedField(own, 'attemptNo', 'a whole number, 1 or more', isAttempt),
  }
}

/** What {@link IBreaker.state} was. */
export function savedBreakerState(initialState: unknown): unknown {
  return savedField(initialState, 'breakerState', 'there', (value): value is unknown => value !== undefined)
}

function isSavedState(value: unknown): value is OwnState['value'] {
  return value === CircuitState.Closed || value === CircuitState.Open || value === CircuitState.Isolated
}

function isAttempt(value: unknown): value is number {
  return isCount(value) && value >= 1
}
