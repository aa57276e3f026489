import type { ZanzibarError } from '../errors.ts'

/**
 * Users of one type: some by name, and perhaps everyone but some (after `authzed/spicedb:internal/datasets`). Who is named
 * is never among those that everyone leaves out.
 */
export interface SubjectSet {
  readonly named: ReadonlySet<string>
  readonly everyone: boolean
  /** Whom `everyone` leaves out. */
  readonly except: ReadonlySet<string>
  /** Who was named and taken away again, as far as OpenFGA remembers it: up to the next union or intersection. */
  readonly denied: ReadonlySet<string>
  /** The first thing that went wrong on the way. */
  readonly error: ZanzibarError | undefined
  /** Whether it leads back to itself through nothing but assignments and computed relations: only there OpenFGA sees it. */
  readonly isCyclic: boolean
  /** Whether some of what it is made of was not looked at: it has at least these. */
  readonly isOpen: boolean
}

const none: ReadonlySet<string> = new Set()

export const emptySet: SubjectSet = {
  named: none,
  everyone: false,
  except: none,
  denied: none,
  error: undefined,
  isCyclic: false,
  isOpen: false,
}

/** Nothing yet. */
export const openSet: SubjectSet = { ...emptySet, isOpen: true }

/** Named users; the wildcard `type:*` among them is everyone. */
export function setOf(users: readonly string[], wildcard: string): SubjectSet {
  const named = new Set(users)
  return { ...emptySet, everyone: named.delete(wildcard), named }
}

function has(set: SubjectSet, user: string): boolean {
  return set.named.has(user) || (set.everyone && !set.except.has(user))
}

/** All of them together. `denied` stays, as where sets are only passed on. */
export function gather(sets: readonly SubjectSet[]): SubjectSet {
  const [only] = sets
  if (only !== undefined && sets.length === 1) return only
  const named = new Set(sets.flatMap((set) => [...set.named]))
  const wide = sets.filter(({ everyone }) => everyone)
  const [first] = wide
  const except =
    first === undefined ? [] : [...first.except].filter((user) => !sets.some((set) => has(set, user)))
  return {
    named,
    everyone: wide.length > 0,
    except: new Set(except),
    denied: new Set(sets.flatMap((set) => [...set.denied]).filter((user) => !named.has(user))),
    error: firstError(sets),
    isCyclic: sets.some((set) => set.isCyclic),
    isOpen: isAnyOpen(sets),
  }
}

export function union(sets: readonly SubjectSet[]): SubjectSet {
  return { ...gather(sets), denied: none, isCyclic: false }
}

export function intersection(sets: readonly SubjectSet[]): SubjectSet {
  const everyone = sets.every((set) => set.everyone)
  const named = sets.flatMap((set) => [...set.named]).filter((user) => sets.every((set) => has(set, user)))
  return {
    named: new Set(named),
    everyone,
    except: everyone ? new Set(sets.flatMap((set) => [...set.except])) : none,
    denied: none,
    error: firstError(sets),
    isCyclic: false,
    isOpen: isAnyOpen(sets),
  }
}

export function exclusion(base: SubjectSet, subtract: SubjectSet): SubjectSet {
  if (subtract.isOpen) return openSet
  const named = [...base.named].filter((user) => !has(subtract, user))
  // Everyone but some, less everyone but others, is those others.
  if (base.everyone && subtract.everyone) {
    named.push(...[...subtract.except].filter((user) => has(base, user)))
  }
  const everyone = base.everyone && !subtract.everyone
  return {
    named: new Set(named),
    everyone,
    except: everyone ? new Set([...base.except, ...subtract.named]) : none,
    denied: none,
    error: firstError([base, subtract]),
    isCyclic: false,
    isOpen: base.isOpen,
  }
}

/**
 * The same as OpenFGA's ListUsers does it (`pkg/server/commands/listusers/list_users_rpc.go` expandExclusion): of whom the
 * subtracted side leaves out it knows only who was `denied` there, and it names these where the base is everyone. What
 * leads back to itself leaves nothing, not even errors.
 */
export function openFgaExclusion(base: SubjectSet, subtract: SubjectSet): SubjectSet {
  if (subtract.isOpen) return openSet
  if (subtract.isCyclic) return emptySet
  const isSubtracted = (user: string): boolean =>
    subtract.named.has(user) || (subtract.everyone && !subtract.denied.has(user))
  const kept = [...base.named].filter((user) => !isSubtracted(user))
  const everyone = base.everyone && !subtract.everyone
  const named = new Set(base.everyone ? [...kept, ...subtract.denied] : kept)
  const denied = [...base.named, ...base.denied, ...(base.everyone ? subtract.named : [])]
  return {
    named,
    everyone,
    except: everyone ? new Set([...base.except, ...subtract.named].filter((user) => !named.has(user))) : none,
    denied: new Set(denied.filter((user) => !named.has(user))),
    error: firstError([base, subtract]),
    isCyclic: false,
    isOpen: base.isOpen,
  }
}

function isAnyOpen(sets: readonly SubjectSet[]): boolean {
  return sets.some(({ isOpen }) => isOpen)
}

function firstError(sets: readonly SubjectSet[]): ZanzibarError | undefined {
  return sets.find(({ error }) => error !== undefined)?.error
}
