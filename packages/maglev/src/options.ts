import type { ModeName } from './mode/mode.ts'
import type { Scheduler } from './ports.ts'

/** How keys are hashed. */
export type KeyHashName = 'xxh32' | 'xxh64' | 'siphash'

/** Whether a change builds its table at once or in slices between other work. */
export type Rebuild = 'sync' | 'sliced'

export interface MaglevOptions {
  /**
   * Slots. A prime of 2 to 5,000,011 (`cilium`: one of its ten sizes; `go-maglev`: any size from 2 on). Default 65,537,
   * for `cilium` 16,381. Take 100 times the number of backends or more for a difference of at most 1 % between them.
   */
  readonly tableSize?: number
  /** Default `stable`. */
  readonly mode?: ModeName
  /**
   * Public seed of table and key hash. `stable` and `classic`: uint64 as a bigint or a decimal string, default 0. `cilium`:
   * base64 of 12 bytes, default its own `JLfvgnHc2kaSUFaI`. The others have none.
   */
  readonly seed?: bigint | string
  /**
   * Hash of string and byte keys. `auto`, the default: `siphash` with a `secret`, else `xxh32` in `stable` and `classic`,
   * `xxh64` in the other modes (what Envoy's hash policies use).
   */
  readonly hash?: 'auto' | KeyHashName
  /**
   * Key of `siphash`: 16 bytes, or 32 hex digits. With it nobody can choose keys that meet at one backend without knowing
   * it; numbers are then hashed too. It is never part of a snapshot, a handle, an event or a message.
   */
  readonly secret?: Uint8Array | string
  /** Weight of each zone by name. With it every backend needs a `zone` that is named here; weight 0 takes a zone out. */
  readonly zones?: Readonly<Record<string, number>>
  /** Accept more backends than slots, so that some own none. Default false: error `TABLE_TOO_SMALL`. */
  readonly allowStarved?: boolean
  /**
   * `sync`, the default: a change is in force when the call returns. `sliced`: the table is built in slices of about half a
   * millisecond between other work, lookups see the old one meanwhile, newer changes replace a build under way, and
   * `settled()` tells when it is done. The first table is always built at once.
   */
  readonly rebuild?: Rebuild
  /** Also publish each table to shared memory, for worker threads; see `share()`. Default false. */
  readonly shared?: boolean
  /** Clock and queue of sliced building; default real. */
  readonly scheduler?: Scheduler
}
