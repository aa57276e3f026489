import { refuse } from '../compose/refuse.ts'
import { shownEnds } from '../shown.ts'
import type { LoadedConfig } from './loaded-config.ts'

/** How often one config may stand on a branch, each time in another package. */
const repetitionsMax = 100
/** How many configs may stand on a branch. */
const depthMax = 20_000
/** How many configs a whole tree may have: where each includes the next one twice, it doubles with every level. */
const configsMax = 100_000
/** How many keys a package may have: no configuration is deeper. */
const packageMax = 1000
/** How many configs of each end of a long cycle its error names. */
const endsMax = 10
/** What Python raises then. */
const endless = 'RecursionError'

/** A config that is expanded, and all that its expansion depends on. */
export interface Entry {
  readonly config: LoadedConfig
  /** Where its items stand. */
  readonly group: string
  readonly package: string
  readonly interpolated: boolean
  /** How many choices were registered or met. */
  readonly decided: number
  /** How many were registered. */
  readonly registered: number
  /** How long the longest key is that a choice or deletion is registered for. */
  readonly reach: number
  /** The last one above of the same config, once it is entered. */
  before?: Entry | undefined
  /** How many of the same config there are above, once it is entered. */
  repetitions?: number
}

/** The configs from the root of a defaults tree to the one that is expanded; an endless branch is refused. */
export class Branch {
  readonly #steps: Entry[] = []
  readonly #last = new Map<LoadedConfig, Entry | undefined>()
  #entered = 0

  /** @throws {HydraConfigError} `COMPOSITION`, which names the cycle */
  enter(entry: Entry): void {
    const { config } = entry
    const { path } = config
    const before = this.#last.get(config)
    if (before !== undefined) {
      const repetitions = (before.repetitions ?? 0) + 1
      entry.before = before
      entry.repetitions = repetitions
      if (repetitions >= repetitionsMax || isEndless(entry)) this.#refuseCycle(before)
    }
    if (this.#steps.length >= depthMax) {
      refuse(`configs include each other more than ${depthMax} deep, down to '${path}'`, endless)
    }
    if (isTooDeep(this.#steps.at(-1)?.package ?? '')) {
      const way = shownWay(this.#steps, entry)
      refuse(`configs include each other in a package of more than ${packageMax} keys: ${way}`, endless)
    }
    this.#entered += 1
    if (this.#entered > configsMax) {
      refuse(
        `the defaults lists make a tree of more than ${configsMax} configs; the last one is '${path}'`,
        endless,
      )
    }
    this.#steps.push(entry)
    this.#last.set(config, entry)
  }

  leave(): void {
    const entry = this.#steps.pop()
    if (entry !== undefined) this.#last.set(entry.config, entry.before)
  }

  #refuseCycle(start: Entry): never {
    const cycle = this.#steps.slice(this.#steps.lastIndexOf(start))
    refuse(`defaults lists include each other: ${shownWay(cycle, start)}`, endless)
  }
}

function shownWay(steps: readonly Entry[], last: Entry): string {
  return shownEnds([...steps, last], endsMax, ({ config }) => config.path).join(' -> ')
}

/** Whether the config stands above in the same way, so that it would be entered again and again. */
function isEndless(entry: Entry): boolean {
  for (let other = entry.before; other !== undefined; other = other.before) {
    if (other.interpolated !== entry.interpolated || other.group !== entry.group) continue
    // What was met counts for interpolations alone.
    const decided = entry.interpolated ? 'decided' : 'registered'
    if (other[decided] !== entry[decided]) continue
    if (other.package === entry.package) return true
    // No choice that could end it is for a package as long as this.
    if (entry.package.length > Math.max(entry.reach, other.package.length)) return true
  }
  return false
}

function isTooDeep(ofPackage: string): boolean {
  return ofPackage.length > packageMax && ofPackage.split('.').length > packageMax
}
