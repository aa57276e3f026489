/** As an enum would be: names to numbers, and back. */
export const CircuitState: {
  readonly Closed: 0
  readonly Open: 1
  readonly HalfOpen: 2
  readonly Isolated: 3
  readonly 0: 'Closed'
  readonly 1: 'Open'
  readonly 2: 'HalfOpen'
  readonly 3: 'Isolated'
} = {
  Closed: 0,
  Open: 1,
  HalfOpen: 2,
  Isolated: 3,
  0: 'Closed',
  1: 'Open',
  2: 'HalfOpen',
  3: 'Isolated',
}

/** `Closed`: calls go; `Open`: none; `HalfOpen`: some, to see; `Isolated`: held open by hand. */
export type CircuitState = 0 | 1 | 2 | 3

export declare namespace CircuitState {
  type Closed = 0
  type Open = 1
  type HalfOpen = 2
  type Isolated = 3
}
