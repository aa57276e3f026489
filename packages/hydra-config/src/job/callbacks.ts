import { plainView } from '../value/plain.ts'
import { scalarString } from '../value/python-string.ts'
import type { Value } from '../value/value.ts'
import type { JobReturn } from './job-return.ts'
import type { RunConfig } from './run-config.ts'

/** Hydra's experimental callbacks: what an app does before and after its runs. Each may answer with a promise. */
export interface Callback {
  onRunStart?(config: RunConfig): unknown
  onRunEnd?(config: RunConfig, job: JobReturn): unknown
  onMultirunStart?(config: RunConfig): unknown
  onMultirunEnd?(config: RunConfig): unknown
  onJobStart?(config: RunConfig): unknown
  onJobEnd?(config: RunConfig, job: JobReturn): unknown
}

/** Makes a callback of its configuration, `_target_` left out. */
export type CallbackFactory = (params: Readonly<Record<string, unknown>>) => Callback

/** By the `_target_` of its configuration. */
export type CallbackFactories = Readonly<Record<string, CallbackFactory>>

const hydraNames = {
  onRunStart: 'on_run_start',
  onRunEnd: 'on_run_end',
  onMultirunStart: 'on_multirun_start',
  onMultirunEnd: 'on_multirun_end',
  onJobStart: 'on_job_start',
  onJobEnd: 'on_job_end',
} as const

interface NamedCallback {
  readonly name: string
  readonly callback: Callback
}

/** The callbacks of one run: started in order, ended in reverse; what one throws becomes a warning. */
export class Callbacks {
  readonly #callbacks: readonly NamedCallback[]
  readonly #warn: (message: string) => void

  /** @param config `hydra.callbacks`, resolved; a `_target_` that is not registered is warned of and left out */
  constructor(config: Value | undefined, factories: CallbackFactories, warn: (message: string) => void) {
    this.#warn = warn
    const made: NamedCallback[] = []
    for (const params of config?.kind === 'map' ? config.entries.values() : []) {
      const target = params.kind === 'map' ? params.entries.get('_target_') : undefined
      const name = target?.kind === 'scalar' ? scalarString(target.value) : ''
      const factory = Object.hasOwn(factories, name) ? factories[name] : undefined
      if (factory === undefined) {
        warn(`The callback '${name}' is not registered in this app and is left out`)
        continue
      }
      const plain = Object.entries(Object(plainView(params))).filter(([key]) => key !== '_target_')
      made.push({ name, callback: factory(Object.fromEntries(plain)) })
    }
    this.#callbacks = made
  }

  runStart(config: RunConfig): Promise<void> {
    return this.#notify('onRunStart', (callback) => callback.onRunStart?.(config))
  }

  runEnd(config: RunConfig, job: JobReturn): Promise<void> {
    return this.#notify('onRunEnd', (callback) => callback.onRunEnd?.(config, job))
  }

  multirunStart(config: RunConfig): Promise<void> {
    return this.#notify('onMultirunStart', (callback) => callback.onMultirunStart?.(config))
  }

  multirunEnd(config: RunConfig): Promise<void> {
    return this.#notify('onMultirunEnd', (callback) => callback.onMultirunEnd?.(config))
  }

  jobStart(config: RunConfig): Promise<void> {
    return this.#notify('onJobStart', (callback) => callback.onJobStart?.(config))
  }

  jobEnd(config: RunConfig, job: JobReturn): Promise<void> {
    return this.#notify('onJobEnd', (callback) => callback.onJobEnd?.(config, job))
  }

  async #notify(event: keyof typeof hydraNames, call: (callback: Callback) => unknown): Promise<void> {
    const ending = event.endsWith('End')
    for (const { name, callback } of ending ? this.#callbacks.toReversed() : this.#callbacks) {
      try {
        await call(callback)
      } catch (error) {
        const what = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
        this.#warn(`Callback ${name}.${hydraNames[event]} raised ${what}`)
      }
    }
  }
}
