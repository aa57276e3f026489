import type { ZanzibarError } from '../errors.ts'

/** Objects that were found. None is in both. */
export interface Candidates {
  readonly certain: ReadonlySet<string>
  /** Found by passing an intersection or an exclusion that was not looked at. */
  readonly open: ReadonlySet<string>
}

/** The objects that a rewrite gives, and what went wrong on the way to it. */
export class Found {
  error: ZanzibarError | undefined
  #objects = new Growing()
  #fresh: Growing | undefined
  #certain: string[] | undefined

  get objects(): Candidates {
    return this.#objects
  }

  put(object: string, isCertain: boolean): void {
    if (!this.#objects.put(object, isCertain)) return
    this.#fresh?.put(object, isCertain)
    if (isCertain) this.#certain?.push(object)
  }

  /** All of these, which may be many: into what is empty they are copied as a whole. */
  putAll({ certain, open }: Candidates): void {
    const isFirst = this.#objects.certain.size + this.#objects.open.size === 0
    if (isFirst && this.#fresh === undefined && this.#certain === undefined) {
      this.#objects = new Growing(certain, open)
      return
    }
    for (const object of certain) this.put(object, true)
    for (const object of open) this.put(object, false)
  }

  /** The certain ones since it was last asked; from the first time on that is known. */
  takeCertain(): readonly string[] {
    const taken = this.#certain ?? []
    this.#certain = []
    return taken
  }

  /** From now on it keeps what is put, and begins with what it has. */
  keepFresh(): void {
    this.#fresh = new Growing(this.#objects.certain, this.#objects.open)
  }

  /** What was put since it was last asked. */
  takeFresh(): Candidates {
    const fresh = this.#fresh ?? new Growing()
    this.#fresh = new Growing()
    return fresh
  }
}

class Growing implements Candidates {
  readonly certain: Set<string>
  readonly open: Set<string>

  constructor(certain?: ReadonlySet<string>, open?: ReadonlySet<string>) {
    this.certain = new Set(certain)
    this.open = new Set(open)
  }

  /** Whether that was not known. */
  put(object: string, isCertain: boolean): boolean {
    const { certain, open } = this
    if (!isCertain) {
      const before = open.size
      return !certain.has(object) && open.add(object).size > before
    }
    const before = certain.size
    if (certain.add(object).size === before) return false
    if (open.size > 0) open.delete(object)
    return true
  }
}

const none: ReadonlySet<string> = new Set()

export function sizeOf({ certain, open }: Candidates): number {
  return certain.size + open.size
}

/** Adds what was found; with `isOpen`, as what is to be looked at. */
export function unite(all: Found, { objects, error }: Found, isOpen: boolean = false): void {
  all.putAll(isOpen ? uncertain(objects) : objects)
  all.error ??= error
}

/** What has nothing, and nothing went wrong with it, decides. */
export function isEmpty({ objects, error }: Found): boolean {
  return sizeOf(objects) === 0 && error === undefined
}

export function intersection(all: Found, other: Found): Found {
  const both = kept(all, (object) => has(other, object))
  both.error = isEmpty(other) ? undefined : (all.error ?? other.error)
  return both
}

export function difference(base: Found, other: Found): Found {
  const rest = sizeOf(other.objects) === 0 ? base : kept(base, (object) => !has(other, object))
  rest.error = base.error ?? other.error
  return rest
}

/** The same, each of which is to be looked at. */
export function uncertain({ certain, open }: Candidates): Candidates {
  return { certain: none, open: certain.size === 0 ? open : new Set([...certain, ...open]) }
}

function kept({ objects }: Found, stays: (object: string) => boolean): Found {
  const found = new Found()
  for (const object of objects.certain) if (stays(object)) found.put(object, true)
  for (const object of objects.open) if (stays(object)) found.put(object, false)
  return found
}

function has({ objects: { certain, open } }: Found, object: string): boolean {
  return certain.has(object) || open.has(object)
}
