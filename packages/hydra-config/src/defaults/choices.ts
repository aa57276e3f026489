import { refuse } from '../compose/refuse.ts'
import { placed } from '../errors.ts'
import { type Element, isDict, isList, isSwept, type Override } from '../override/override.ts'
import { overrideOrigin } from '../override/places.ts'
import { typeName } from '../override/refuse.ts'
import { stringRepr } from '../value/python-string.ts'
import type { Origin } from '../value/value.ts'
import type { ConfigRepository } from './config-repository.ts'
import {
  configPath,
  type DefaultItem,
  type GroupDefault,
  groupDefault,
  nameOf,
  overrideKey,
} from './default-item.ts'

interface Choice {
  readonly value: GroupDefault['value']
  /** The config whose defaults list has it; undefined for the command line. */
  readonly from: string | undefined
  readonly origin: Origin | undefined
  /** What is wrong with the value, which Hydra says when a group takes it. */
  readonly fault?: string | undefined
  used: boolean
}

interface Deletion {
  /** The option that has to be chosen for it; any where undefined. */
  readonly name: string | undefined
  readonly origin: Origin
  used: boolean
}

/** What the command line and the defaults lists choose for the config groups, while the lists are expanded. */
export class Choices {
  /** Items of `+group=option`, for the end of the primary list. */
  readonly appended: readonly GroupDefault[]
  /** Overrides that are of no group, for the composed config. */
  readonly configOverrides: readonly { readonly override: Override; readonly index: number }[]
  /** Option by override key, in the order in which the groups were met. */
  readonly known: Map<string, string | null> = new Map()
  readonly #chosen = new Map<string, Choice>()
  readonly #deletions = new Map<string, Deletion>()
  #reach = 0
  readonly #strict: boolean
  readonly #hasOwn: boolean

  /** @throws {HydraConfigError} `COMPOSITION` for an override that no group takes */
  constructor(repository: ConfigRepository, overrides: readonly Override[]) {
    this.#strict = repository.strict !== undefined
    this.#hasOwn = repository.hasOwn
    const appended: GroupDefault[] = []
    const configOverrides: { override: Override; index: number }[] = []
    for (const [index, override] of overrides.entries()) {
      const origin = overrideOrigin(override, index)
      const group = placed({ origin }, () => this.#take(repository, override, origin))
      if (group === 'no group') configOverrides.push({ override, index })
      else if (group !== undefined) appended.push(group)
    }
    this.appended = appended
    this.configOverrides = configOverrides
  }

  /** What is to be appended, if anything is. */
  #take(
    repository: ConfigRepository,
    override: Override,
    origin: Origin,
  ): GroupDefault | 'no group' | undefined {
    const { key, value, type } = override
    if (!isList(value) && isSwept(value)) return undefined
    const isGroup = repository.hasGroup(key)
    const whole = override.package === undefined ? key : `${key}@${override.package}`
    this.#reach = Math.max(this.#reach, whole.length)
    if (!isGroup && repository.strict?.deletesConfig(override, (path) => repository.has(path))) {
      this.#deletions.set(whole, { name: undefined, origin, used: false })
      return undefined
    }
    if (override.edit !== undefined || (isDict(value) && !(this.#strict && type === 'DEL')) || !isGroup) {
      return 'no group'
    }
    if (type === 'FORCE_ADD') refuse(`force-add of config groups is not supported: '${override.text}'`)
    if (type === 'ADD') {
      const { package: ofPackage } = override
      const options = { package: ofPackage, appended: true, fromRoot: this.#strict, chosenBy: origin }
      const { value: chosen, fault } = chosenBy(override)
      return { ...groupDefault(key, chosen, options), fault }
    }
    if (type === 'DEL') this.#deletions.set(whole, { name: deletedName(override), origin, used: false })
    else this.#chosen.set(whole, { ...chosenBy(override), from: undefined, origin, used: false })
    return undefined
  }

  /** Grows with every choice that is registered or met: between two equal numbers nothing was decided. */
  get decided(): number {
    return this.#chosen.size + this.known.size
  }

  get registeredCount(): number {
    return this.#chosen.size
  }

  /** How long the longest key is that a choice or a deletion is registered for. */
  get reach(): number {
    return this.#reach
  }

  /** The keys that a choice is registered for. */
  registered(): ReadonlySet<string> {
    return new Set(this.#chosen.keys())
  }

  /** Registers `override group: option` of a defaults list; what was registered before it wins. */
  add(from: string, item: GroupDefault): void {
    const key = overrideKey(item)
    // Where Hydra's own configs are not composed, nobody asks what they are to be.
    if (!this.#hasOwn && key.startsWith('hydra/')) return
    if (this.#chosen.has(key)) return
    this.#chosen.set(key, { value: item.value, from, origin: item.chosenBy, used: false })
    this.#reach = Math.max(this.#reach, key.length)
  }

  /** Gives the item the option that is registered for it; where `among` is given, for one of these keys. */
  apply(item: DefaultItem, among?: ReadonlySet<string>): void {
    if (item.kind !== 'group') return
    if (this.#chosen.size === 0) return refuseFault(item)
    const key = overrideKey(item)
    const choice = this.#chosen.get(key)
    if (choice === undefined || among?.has(key) === false) return refuseFault(item)
    item.value = choice.value
    item.fault = choice.fault
    refuseFault(item)
    item.chosenBy = choice.origin
    choice.used = true
  }

  /** @throws {HydraConfigError} `COMPOSITION` for a second option of one group */
  meet(item: DefaultItem): void {
    if (item.kind !== 'group') return
    const key = overrideKey(item)
    const name = nameOf(item)
    const known = this.known.get(key)
    if (known === undefined) this.known.set(key, name)
    else if (known !== name) {
      refuse(`Multiple values for ${key}. To override a value use 'override ${key}: ${known ?? 'None'}'`)
    }
  }

  /** The keys that were met, or have a choice or a deletion registered. */
  keys(): readonly string[] {
    return [this.known, this.#chosen, this.#deletions].flatMap((byKey) => [...byKey.keys()])
  }

  /** Whether `~group` takes the item away. */
  delete(item: DefaultItem): boolean {
    if (this.#deletions.size === 0 || (item.kind === 'config' && !this.#strict)) return false
    const deletion = this.#deletions.get(item.kind === 'group' ? overrideKey(item) : configPath(item))
    if (deletion === undefined) return false
    if (deletion.name !== undefined && deletion.name !== nameOf(item)) return false
    deletion.used = true
    return true
  }

  /** @throws {HydraConfigError} `COMPOSITION` for an override or a deletion that met no item */
  ensureUsed(): void {
    for (const [key, { used, from, value, origin }] of this.#chosen) {
      if (!used) placed({ origin }, () => this.#refuseUnused(key, from, value))
    }
    for (const [key, { used, name, origin }] of this.#deletions) {
      const shown = name === undefined ? key : `${key}=${name}`
      if (!used)
        placed({ origin }, () => refuse(`Could not delete '${shown}'. No match in the defaults list`))
    }
  }

  #refuseUnused(key: string, from: string | undefined, value: GroupDefault['value']): never {
    const group = groupOf(key)
    const keys = [...this.known.keys()].filter((each) => groupOf(each) === group).toSorted()
    const advice =
      keys.length === 0
        ? ' No match in the defaults list.'
        : `\nDid you mean to override ${keys.length > 1 ? 'one of ' : ''}${keys.join(', ')}?`
    const where = from === undefined ? '' : `In '${from}': `
    const append =
      from === undefined ? `\nTo append to your default list use +${key}=${optionText(value)}` : ''
    return refuse(`${where}Could not override '${key}'.${advice}${append}`)
  }
}

/** Of an override key. */
function groupOf(key: string): string {
  return key.split('@', 1)[0] ?? ''
}

/** As Python prints it. */
function optionText(value: GroupDefault['value']): string {
  return value === null || typeof value === 'string'
    ? (value ?? 'None')
    : `[${value.map(stringRepr).join(', ')}]`
}

function deletedName({ value, text }: Override): string | undefined {
  const name = textOf(value)
  if (value === null) return undefined
  return name ?? refuse(`Config group override deletion value must be a string : ${text}`, 'ValueError')
}

function chosenBy(override: Override): { value: string | readonly string[]; fault?: string } {
  const { value, text } = override
  if (!isList(value)) {
    const name = textOf(value)
    if (name !== undefined) return { value: name }
    return refuse(`Config group override must be a string or a list. Got ${typeName(value)}`, 'ValueError')
  }
  const names = value.map(textOf).filter((name) => name !== undefined)
  if (names.length === value.length) return { value: names }
  return { value: names, fault: `Config group override must be a string or a list of strings. Got ${text}` }
}

function refuseFault({ fault }: GroupDefault): void {
  if (fault !== undefined) refuse(fault, 'TypeError')
}

function textOf(value: Element): string | undefined {
  if (typeof value === 'string') return value
  return typeof value === 'object' && value !== null && !isList(value) && value.kind === 'quoted'
    ? value.text
    : undefined
}
