import type { ConfiguredBackend, Health } from '../backend.ts'
import type { Change } from '../configuration.ts'
import type { RebuildEvent } from '../events.ts'
import type { Maglev } from '../maglev.ts'
import type { Rebuild } from '../options.ts'
import type { Clock } from '../ports.ts'
import { healthInTable, type Member } from './member.ts'

/** Changes are gathered so long between two rebuilds. */
const gatherMs = 50

/** A table and the members that are to be in it. */
export interface TableContent<T> {
  readonly table: Maglev<T>
  readonly members: ReadonlyMap<string, Member<T>>
}

/** Keeps tables as the members' states want them: soon after a quiet time, else every 50 ms, built in slices. */
export class Tables<T> {
  readonly #clock: Clock
  readonly #contents: () => readonly TableContent<T>[]
  readonly #watched = new Map<Maglev<T>, () => void>()
  /** Tables that have been told of a change and wait for the rebuild. */
  readonly #held = new Set<Maglev<T>>()
  #timer: unknown
  #gathering = false
  /** When a table was last asked for or came into force. */
  #lastRebuild: number = Number.NEGATIVE_INFINITY

  /** `contents` says what is to be in which table, whenever the tables are brought up to date. */
  constructor(clock: Clock, contents: () => readonly TableContent<T>[]) {
    this.#clock = clock
    this.#contents = contents
  }

  watch(table: Maglev<T>, rebuilt: (event: RebuildEvent) => void): void {
    const stop = table.on('rebuild', (event) => {
      this.#lastRebuild = this.#clock.monotonic()
      rebuilt(event)
    })
    this.#watched.set(table, stop)
  }

  unwatch(table: Maglev<T>): void {
    this.#watched.get(table)?.()
    this.#watched.delete(table)
  }

  /** Notes that a table holds a change, to be built with the next ones. */
  hold(table: Maglev<T>): void {
    this.#held.add(table)
  }

  /** Has the tables brought up to date soon. */
  request(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#pushLater()
  }

  /** Brings every table up to date now. */
  push(rebuild: Rebuild): void {
    this.#clock.clearTimeout(this.#timer)
    this.#gathering = false
    for (const content of this.#contents()) {
      const held = this.#held.delete(content.table)
      const change = difference(content) ?? (held ? {} : undefined)
      if (change === undefined) continue
      this.#lastRebuild = this.#clock.monotonic()
      content.table.update(change, rebuild)
    }
  }

  /** Gathers no longer; resolves when the tables in force are up to date. */
  async settled(): Promise<void> {
    do {
      if (this.#gathering) this.push('sliced')
      await Promise.all([...this.#watched.keys()].map((table) => table.settled()))
    } while (this.#gathering)
  }

  /** A change that is held is built all the same: it is the table's, whoever made it. */
  close(): void {
    this.#clock.clearTimeout(this.#timer)
    this.#gathering = false
    for (const table of this.#held) table.update({}, 'sliced')
    this.#held.clear()
    for (const table of this.#watched.keys()) this.unwatch(table)
  }

  /** Not even after a quiet time within the call: comparing a thousand members takes a good part of a slice. */
  #pushLater(): void {
    this.#timer = this.#clock.setTimeout(
      () => {
        // A build may take long where the event loop has other work.
        if (this.#wait() > 0) this.#pushLater()
        else this.push('sliced')
      },
      Math.max(0, Math.ceil(this.#wait())),
    )
  }

  #wait(): number {
    return this.#lastRebuild + gatherMs - this.#clock.monotonic()
  }
}

/** What has to change in a table; undefined for nothing. */
function difference<T>({ table, members }: TableContent<T>): Change<T> | undefined {
  const add: ConfiguredBackend<T>[] = []
  const weights: [string, number][] = []
  const ramps: [string, number][] = []
  const healths: [string, Health][] = []
  for (const member of members.values()) {
    const { id, backend, ramp } = member
    const health = healthInTable(member)
    const now = table.configured.get(id)
    if (now === undefined) {
      add.push({ ...backend, health, ramp })
      continue
    }
    if (now.weight !== backend.weight) weights.push([id, backend.weight])
    if (now.health !== health) healths.push([id, health])
    // While it owns nothing its ramp does not matter, and telling would cost a rebuild.
    if (now.ramp !== ramp && member.standing !== 'out') ramps.push([id, ramp])
  }
  const kept = members.size - add.length
  const remove =
    kept === table.configured.size ? [] : [...table.configured.keys()].filter((id) => !members.has(id))
  if (add.length + weights.length + healths.length + ramps.length + remove.length === 0) return undefined
  return {
    add,
    remove,
    weight: Object.fromEntries(weights),
    ramp: Object.fromEntries(ramps),
    health: Object.fromEntries(healths),
  }
}
