import { HydraConfigError } from '../errors.ts'
import { configPath, type DefaultItem, finalPackage, groupPath } from './default-item.ts'

/** How often one config may stand on a branch, each time in another package. */
const repetitionsMax = 100
/** How many configs may stand on a branch. */
const depthMax = 20_000
/** How many configs a whole tree may have: where each includes the next one twice, it doubles with every level. */
const configsMax = 100_000
/** How many configs of each end of a long cycle its error names. */
const shownEnds = 10

interface Step {
  readonly path: string
  readonly item: DefaultItem
  readonly interpolated: boolean
  readonly decided: number
  /** The last step above of the same config. */
  readonly before: Step | undefined
  /** How many steps of the same config there are above. */
  readonly repetitions: number
}

/** The configs from the root of a defaults tree to the one that is expanded; an endless branch is refused. */
export class Branch {
  readonly #steps: Step[] = []
  readonly #last = new Map<string, Step | undefined>()
  #entered = 0

  /**
   * @param decided the number of choices that were registered or met: a config that is entered again in the same
   * package, nothing decided since, would be entered again and again
   * @throws {HydraConfigError} `COMPOSITION`, which names the cycle
   */
  enter(item: DefaultItem, interpolated: boolean, decided: number): void {
    const path = configPath(item)
    const before = this.#last.get(path)
    const step: Step = {
      path,
      item,
      interpolated,
      decided,
      before,
      repetitions: before === undefined ? 0 : before.repetitions + 1,
    }
    if (before !== undefined && (step.repetitions >= repetitionsMax || isEndless(step))) {
      this.#refuseCycle(path)
    }
    if (this.#steps.length >= depthMax) {
      refuse(`configs include each other more than ${depthMax} deep, down to '${path}'`)
    }
    this.#entered += 1
    if (this.#entered > configsMax) {
      refuse(`the defaults lists make a tree of more than ${configsMax} configs; the last one is '${path}'`)
    }
    this.#steps.push(step)
    this.#last.set(path, step)
  }

  leave(): void {
    const step = this.#steps.pop()
    if (step !== undefined) this.#last.set(step.path, step.before)
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

/** Whether the config stands above in the same place, and nothing was decided since. */
function isEndless(step: Step): boolean {
  for (let above = step.before; above !== undefined; above = above.before) {
    if (
      above.decided === step.decided &&
      above.interpolated === step.interpolated &&
      groupPath(above.item) === groupPath(step.item) &&
      finalPackage(above.item) === finalPackage(step.item)
    ) {
      return true
    }
  }
  return false
}

function refuse(message: string): never {
  throw new HydraConfigError('COMPOSITION', message, { class: 'RecursionError' })
}
