import { HydraConfigError } from '../errors.ts'
import { configPath, type DefaultItem, finalPackage, groupPath } from './default-item.ts'

/** How often one config may stand on a branch, each time in another package. */
const repetitionsMax = 100
/** How many configs may stand on a branch. */
const depthMax = 20_000
/** How many configs of each end of a long cycle its error names. */
const shownEnds = 10

interface Step {
  readonly path: string
  /** What its defaults list is read by, apart from the choices. */
  readonly state: string
  /** The choices decided when `state` was last entered before; undefined for never. */
  readonly before: number | undefined
}

/** The configs from the root of a defaults tree to the one that is expanded; an endless branch is refused. */
export class Branch {
  readonly #steps: Step[] = []
  readonly #decidedAt = new Map<string, number>()
  readonly #repetitions = new Map<string, number>()

  /**
   * @param decided the number of choices that were registered or met: a config that is entered again in the same
   * package, nothing decided since, would be entered again and again
   * @throws {HydraConfigError} `COMPOSITION`, which names the cycle
   */
  enter(item: DefaultItem, interpolated: boolean, decided: number): void {
    const path = configPath(item)
    const state = `${path}\n${groupPath(item)}\n${finalPackage(item)}\n${String(interpolated)}`
    const before = this.#decidedAt.get(state)
    const repetitions = this.#repetitions.get(path) ?? 0
    if (before === decided || repetitions >= repetitionsMax) this.#refuseCycle(path)
    if (this.#steps.length >= depthMax) {
      refuse(`configs include each other more than ${depthMax} deep, down to '${path}'`)
    }
    this.#steps.push({ path, state, before })
    this.#decidedAt.set(state, decided)
    this.#repetitions.set(path, repetitions + 1)
  }

  leave(): void {
    const step = this.#steps.pop()
    if (step === undefined) return
    if (step.before === undefined) this.#decidedAt.delete(step.state)
    else this.#decidedAt.set(step.state, step.before)
    this.#repetitions.set(step.path, (this.#repetitions.get(step.path) ?? 1) - 1)
  }

  #refuseCycle(path: string): never {
    const from = this.#steps.findLastIndex((step) => step.path === path)
    const cycle = [...this.#steps.slice(from).map((step) => step.path), path]
    const left = cycle.length - 2 * shownEnds
    const shown =
      left > 0 ? [...cycle.slice(0, shownEnds), `(${left} more)`, ...cycle.slice(-shownEnds)] : cycle
    refuse(`defaults lists include each other: ${shown.join(' -> ')}`)
  }
}

function refuse(message: string): never {
  throw new HydraConfigError('COMPOSITION', message, { class: 'RecursionError' })
}
