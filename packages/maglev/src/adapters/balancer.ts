import type { ConfiguredBackend } from '../backend.ts'
import { MaglevError } from '../errors.ts'
import type { Key } from '../key-hash.ts'
import { Maglev } from '../maglev.ts'
import type { HashedTable } from '../route/value-hash.ts'

/** A backend chosen for one connection or request, until disposed. */
export interface BackendLease<T = unknown> extends Disposable {
  readonly id: string
  readonly backend: ConfiguredBackend<T>
  /** How it went; a number is an HTTP status. The first call counts. */
  report(result: 'ok' | 'gateway-failure' | 'failure' | Error | number): void
}

/** What a proxy asks for backends. A `Pool` is one. */
export interface Balancer<T = unknown> {
  /** The table that decides: with a `secret` there, hash policies are keyed with it. Without, they hash as Envoy does. */
  readonly maglev?: HashedTable
  /** @throws MaglevError `NO_BACKEND` where none is left outside `exclude`. */
  acquire(
    key: Key,
    options?: { readonly signal?: AbortSignal; readonly exclude?: ReadonlySet<string> },
  ): BackendLease<T>
}

/** A bare table is a balancer that counts and judges nothing. */
export function toBalancer<T>(target: Maglev<T> | Balancer<T>): Balancer<T> {
  if (target instanceof Maglev) {
    return { maglev: target, acquire: (key, options) => pick(target, key, options?.exclude) }
  }
  if (typeof target?.acquire === 'function') return target
  throw new MaglevError('INVALID_OPTION', 'A proxy needs a Pool or a Maglev to ask for backends')
}

function pick<T>(maglev: Maglev<T>, key: Key, exclude: ReadonlySet<string> = new Set()): BackendLease<T> {
  const backend = exclude.size === 0 ? maglev.pick(key) : next(maglev, key, exclude)
  return { id: backend.id, backend, report: () => {}, [Symbol.dispose]: () => {} }
}

function next<T>(maglev: Maglev<T>, key: Key, exclude: ReadonlySet<string>): ConfiguredBackend<T> {
  const id = maglev.replicas(key, exclude.size + 1).find((one) => !exclude.has(one))
  const backend = maglev.backends.find((one) => one.id === id)
  if (backend) return backend
  throw new MaglevError('NO_BACKEND', `No backend is available besides the ${exclude.size} tried`)
}
