import type { RebuildEvent } from '../events.ts'
import { type Word64, word64 } from '../hash/word64.ts'
import type { Key } from '../key-hash.ts'
import type { Maglev } from '../maglev.ts'
import { type Choice, Level } from './level.ts'
import type { Member } from './member.ts'
import type { PoolSettings } from './pool-options.ts'
import { choosePriority, type PriorityLoad, priorityLoad } from './priority.ts'
import type { LevelStats } from './status.ts'
import { type TableContent, Tables } from './tables.ts'

/** What the levels need from their pool. */
export interface LevelsOwner<T> {
  readonly members: ReadonlyMap<string, Member<T>>
  /** Takes over what was done to the table; whether that was anything. */
  reconcile(): boolean
  panicked(priority: number, panic: boolean): void
  rebuilt(event: RebuildEvent, priority: number): void
}

type Standing = 'healthy' | 'degraded'

/**
 * The levels of priority, a table each: the pool's own table where there is one level, else siblings of it, while it goes on
 * holding all backends.
 */
export class Levels<T> {
  readonly #maglev: Maglev<T>
  readonly #settings: PoolSettings<T>
  readonly #owner: LevelsOwner<T>
  readonly #tables: Tables<T>
  readonly #siblings = new Map<number, Maglev<T>>()
  /** Most preferred first. */
  #levels: Level<T>[] = []
  #load: PriorityLoad = { healthy: [100], degraded: [0], panic: [false] }
  /** All keys go to the healthy ones of the first level, so that nothing is to be chosen. */
  #simple = true
  /** Something has changed since the levels were arranged. */
  #stale = true
  /** Members have come, gone or changed since they were sorted into levels. */
  #ungrouped = true
  rebuilds = 0

  constructor(maglev: Maglev<T>, settings: PoolSettings<T>, owner: LevelsOwner<T>) {
    this.#maglev = maglev
    this.#settings = settings
    this.#owner = owner
    this.#tables = new Tables(settings.clock, () => this.#contents())
  }

  begin(): void {
    this.#tables.watch(this.#maglev, (event) => {
      if (this.#levels.length <= 1) this.#rebuilt(event, this.#levels[0]?.priority ?? 0)
      // By hand, perhaps.
      this.refresh()
    })
    this.#tables.push('sync')
  }

  /** To be called after states, weights or members have changed: has the tables follow. */
  refresh(): void {
    this.#stale = true
    this.#tables.request()
  }

  /** To be called after a change of the table that its maker has held. */
  changed(): void {
    this.#tables.hold(this.#maglev)
    this.refresh()
  }

  /** Draws the consequences of what has changed, when they are needed: many changes at once cost no more than one. */
  arrange(): void {
    if (!this.#stale) return
    this.#reconcile()
    this.#stale = false
    if (this.#ungrouped) this.#group()
    const counts = this.#levels.map((level) => level.counts())
    this.#load = priorityLoad(counts, {
      ...this.#settings.priority,
      // Envoy's code rounds down.
      rounding: this.#maglev.mode === 'envoy' ? 'down' : 'nearest',
    })
    this.#simple = this.#load.healthy[0] === 100
    const before = this.#levels.map((level) => level.panic)
    for (const [index, level] of this.#levels.entries()) level.arrange(this.#load.panic[index] ?? false)
    // Only now, since listeners may acquire.
    for (const [index, { priority, panic }] of this.#levels.entries()) {
      if (panic !== before[index]) this.#owner.panicked(priority, panic)
    }
  }

  count(member: Member<T>, change: 1 | -1): void {
    const level = this.#levels.find(({ priority }) => priority === member.backend.priority)
    if (level === undefined) member.active += change
    else level.count(member, change)
  }

  choose(key: Key, attempt: number, exclude: ReadonlySet<string> | undefined): Choice<T> | undefined {
    const [first] = this.#levels
    if (this.#simple && first !== undefined) {
      const choice = first.choose({ key, attempt, exclude, standing: 'healthy' })
      if (choice !== undefined) return choice
    }
    const { priority, availability } = choosePriority(this.#load, this.#hashOf(key))
    const chosen = this.#levels[priority]
    const choice = chosen?.choose({ key, attempt, exclude, standing: availability })
    if (choice !== undefined) return choice
    // Only what was excluded, or a level without anyone, leads past the level that the loads give.
    for (const standing of ['healthy', 'degraded'] satisfies Standing[]) {
      for (const level of this.#levels) {
        const other = level.choose({ key, attempt: 0, exclude, standing })
        if (other !== undefined) return other
      }
    }
    return undefined
  }

  stats(): LevelStats[] {
    this.arrange()
    return this.#levels.map((level, index) => ({
      priority: level.priority,
      load: (this.#load.healthy[index] ?? 0) + (this.#load.degraded[index] ?? 0),
      panic: level.panic,
      ...level.counts(),
    }))
  }

  settled(): Promise<void> {
    return this.#tables.settled()
  }

  close(): void {
    this.#tables.close()
  }

  #reconcile(): void {
    if (!this.#owner.reconcile()) return
    this.#stale = true
    this.#ungrouped = true
  }

  /** Sorts the members into levels by their priority. */
  #group(): void {
    this.#ungrouped = false
    const groups = Map.groupBy(this.#owner.members.values(), ({ backend }) => backend.priority)
    const priorities = [...groups.keys()].toSorted((a, b) => a - b)
    const single = priorities.length <= 1
    for (const [priority, table] of this.#siblings) {
      if (!single && groups.has(priority)) continue
      this.#tables.unwatch(table)
      this.#siblings.delete(priority)
    }
    this.#levels = (single ? [priorities[0] ?? 0] : priorities).map((priority) => {
      const table = single ? this.#maglev : (this.#siblings.get(priority) ?? this.#sibling(priority))
      const known = this.#levels.find((level) => level.priority === priority && level.table === table)
      const level =
        known ?? new Level(priority, table, this.#settings.boundedLoad, (key) => this.#hashOf(key))
      level.setMembers(groups.get(priority) ?? [])
      return level
    })
  }

  #sibling(priority: number): Maglev<T> {
    const table = this.#maglev.sibling([])
    this.#siblings.set(priority, table)
    this.#tables.watch(table, (event) => this.#rebuilt(event, priority))
    return table
  }

  #contents(): TableContent<T>[] {
    this.#reconcile()
    this.arrange()
    const all = { table: this.#maglev, members: this.#owner.members }
    if (this.#siblings.size === 0) return [all]
    return [all, ...this.#levels.map(({ table, members }) => ({ table, members }))]
  }

  #rebuilt(event: RebuildEvent, priority: number): void {
    this.rebuilds++
    this.#owner.rebuilt(event, priority)
  }

  #hashOf(key: Key): Word64 {
    return word64(this.#maglev.hashOf(key))
  }
}
