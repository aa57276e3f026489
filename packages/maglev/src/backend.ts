import { MaglevError, shown } from './errors.ts'

/**
 * Where a backend stands. `healthy` and `degraded` ones own slots; the others own none until they come back, and in the
 * modes `stable` and `go-maglev` only slots whose base owner is away have another one meanwhile.
 */
export type Health = 'healthy' | 'degraded' | 'unhealthy' | 'draining' | 'ejected' | 'disabled'

/** One node that keys can go to. */
export interface Backend<T = unknown> {
  /** Unique; hashed as its UTF-8 bytes. Well-formed, at most 65,536 bytes; may be empty. */
  readonly id: string
  /**
   * Share of the keys relative to the others; default 1, 0 owns nothing. Fractions are welcome in `stable`, `classic` and
   * `envoy`; `cilium` and `katran` want integers as their peers do; `go-maglev` knows only 1. The sum is at most 2^32 - 1.
   */
  readonly weight?: number
  /**
   * Part of its slots that a backend has for now, above 0 and up to 1, the default: for a slow start. In mode `stable` the rest
   * goes to others as if it were down, and nobody else's slot moves; `classic` and `envoy` multiply its weight by it; the other
   * modes know no such thing.
   */
  readonly ramp?: number
  /** Zone (Envoy's locality). Counts only where the option `zones` gives the zones' weights. */
  readonly zone?: string
  /**
   * Read by pools: backends of a higher number get keys only as far as those of lower ones cannot take them. Whole, 0 to 127,
   * default 0. A Maglev by itself spreads keys over all of them.
   */
  readonly priority?: number
  /** Read by pools and proxies: where to reach it, `host:port` or `[v6]:port`. Default: its id. */
  readonly address?: string
  /** The endpoint's own 64-bit hash: needed in the Katran modes, where it stands in for the id; refused elsewhere. */
  readonly hash?: bigint
  /** Default `healthy`. */
  readonly health?: Health
  /** Carried along untouched for the caller: an address, a client, a pool. */
  readonly data?: T
}

/** A backend with its defaults filled in. */
export interface ConfiguredBackend<T = unknown> extends Backend<T> {
  readonly weight: number
  readonly ramp: number
  readonly priority: number
  readonly health: Health
}

export const totalWeightMax: number = 2 ** 32 - 1
const idBytesMax = 65_536
const priorityMax = 127

const healths: readonly string[] = [
  'healthy',
  'degraded',
  'unhealthy',
  'draining',
  'ejected',
  'disabled',
] satisfies Health[]

/** Whether new keys may go to a backend in that state. */
export function takesKeys(health: Health): boolean {
  return health === 'healthy' || health === 'degraded'
}

/** Checks one backend as it was given; a bare string is its id. */
export function configureBackend<T>(given: string | Backend<T>): ConfiguredBackend<T> {
  const backend: Backend<T> = typeof given === 'string' ? { id: given } : given
  if (backend === null || typeof backend !== 'object') {
    throw new MaglevError(
      'INVALID_BACKEND',
      `A backend is an id or an object with an id, not ${shown(backend)}`,
    )
  }
  const { id, zone, hash } = backend
  checkId(id)
  if (zone !== undefined && (typeof zone !== 'string' || !zone.isWellFormed())) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: zone must be a well-formed string, not ${shown(zone)}`,
    )
  }
  if (hash !== undefined && (typeof hash !== 'bigint' || BigInt.asUintN(64, hash) !== hash)) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: hash must be a bigint below 2^64, not ${shown(hash)}`,
    )
  }
  const weight = checkWeight(backend.weight ?? 1, id)
  const health = checkHealth(backend.health ?? 'healthy', id)
  const ramp = checkRamp(backend.ramp ?? 1, id)
  const priority = backend.priority ?? 0
  if (!Number.isInteger(priority) || priority < 0 || priority > priorityMax) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: priority must be a whole number from 0 to ${priorityMax}, not ${shown(priority)}`,
    )
  }
  if (backend.address !== undefined && typeof backend.address !== 'string') {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: address must be a string like host:port, not ${shown(backend.address)}`,
    )
  }
  return Object.freeze({ ...backend, weight, ramp, priority, health })
}

export function checkWeight(weight: unknown, id: string): number {
  if (typeof weight !== 'number' || !Number.isFinite(weight) || weight < 0) {
    throw new MaglevError(
      'INVALID_WEIGHT',
      `Backend ${shown(id)}: weight must be a finite number, 0 or more, not ${shown(weight)}`,
    )
  }
  return weight
}

export function checkRamp(ramp: unknown, id: string): number {
  if (typeof ramp !== 'number' || !(ramp > 0 && ramp <= 1)) {
    throw new MaglevError(
      'INVALID_WEIGHT',
      `Backend ${shown(id)}: ramp must be a number above 0 and up to 1, not ${shown(ramp)}`,
    )
  }
  return ramp
}

export function checkHealth(health: unknown, id: string): Health {
  if (!isHealth(health)) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: health must be one of ${healths.join(', ')}, not ${shown(health)}`,
    )
  }
  return health
}

function isHealth(health: unknown): health is Health {
  return typeof health === 'string' && healths.includes(health)
}

function checkId(id: unknown): void {
  if (typeof id !== 'string') {
    throw new MaglevError('INVALID_BACKEND', `A backend's id must be a string, not ${shown(id)}`)
  }
  if (!id.isWellFormed()) {
    throw new MaglevError(
      'INVALID_BACKEND',
      `Backend ${shown(id)}: a lone surrogate in an id has no UTF-8 bytes`,
    )
  }
  if (id.length > idBytesMax || (id.length * 3 > idBytesMax && Buffer.byteLength(id) > idBytesMax)) {
    throw new MaglevError('INVALID_BACKEND', `Backend ${shown(id)}: an id has at most ${idBytesMax} bytes`)
  }
}
