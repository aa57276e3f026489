import type { Relation } from '../model/type-system.ts'
import type { Downward } from '../store/snapshot.ts'
import { typeOf } from '../tuple/object.ts'
import type { Plan, Plans } from './plan.ts'
import { maxAssigned } from './user-side.ts'

/** How many steps are told at most: where a model has more, a check is told level by level. */
const maxSteps = 256

/** A list that a relation of an object is walked along, and the relations that its users lead to. */
interface List {
  readonly kind: 'users' | 'usersets'
  readonly type: string
  readonly relation: string
  readonly leads: readonly (readonly [user: string, relation: Relation])[]
}

/** What is asked of a relation of an object: its lists, and what may have been assigned. */
interface Asked {
  readonly lists: List[]
  readonly assigned: { readonly relation: Relation; readonly isEveryone: boolean }[]
}

/** {@link Downward} for every user of a form. */
interface Ways extends Pick<Downward, 'lists' | 'steps'> {
  readonly assigned: Asked['assigned']
}

const waysOf = new WeakMap<Plans, (Ways | 'none')[]>()

/** Where a check of a relation leads on to from list to list; undefined where one list is all. */
export function downwardOf(plans: Plans, relation: Relation, user: string): Downward | undefined {
  let known = waysOf.get(plans)
  if (known === undefined) {
    known = []
    waysOf.set(plans, known)
  }
  const ways = (known[relation.id] ??= findWays(plans, relation))
  if (ways === 'none') return undefined
  const everyone = `${typeOf(user)}:*`
  const ends = ways.assigned.map(({ relation: { type, name }, isEveryone }) => ({
    kind: 'objects' as const,
    type,
    relation: name,
    user: isEveryone ? everyone : user,
    limit: maxAssigned,
  }))
  return { way: 'down', lists: ways.lists, steps: ways.steps, ends }
}

function findWays(plans: Plans, root: Relation): Ways | 'none' {
  const asked = new Map<Relation, Asked>()
  const open = [root]
  for (let relation = open.pop(); relation !== undefined; relation = open.pop()) {
    if (asked.has(relation)) continue
    const of = askedOf(plans, relation)
    asked.set(relation, of)
    for (const { leads } of of.lists) for (const [, to] of leads) open.push(to)
  }
  const lists: List[] = []
  const steps: Downward['steps'][number][] = []
  const ledTo = new Set<Relation>()
  for (const each of asked.values()) lists.push(...each.lists)
  const places = new Map(lists.map((list, place) => [list, place]))
  for (const [from, { leads }] of lists.entries()) {
    for (const [user, relation] of leads) {
      ledTo.add(relation)
      for (const list of asked.get(relation)?.lists ?? []) {
        steps.push({ from, user, to: places.get(list) ?? 0 })
        if (steps.length > maxSteps) return 'none'
      }
    }
  }
  const assigned = new Map<number, Asked['assigned'][number]>()
  for (const relation of ledTo) {
    for (const each of asked.get(relation)?.assigned ?? [])
      assigned.set(2 * each.relation.id + Number(each.isEveryone), each)
  }
  return steps.length === 0 ? 'none' : { lists, steps, assigned: [...assigned.values()] }
}

/** What is asked of one object, whatever its rewrite makes of the answers. */
function askedOf(plans: Plans, relation: Relation): Asked {
  const asked: Asked = { lists: [], assigned: [] }
  const seen = new Set<Relation>()
  const open: Plan[] = [{ kind: 'computed', relation }]
  for (let plan = open.pop(); plan !== undefined; plan = open.pop()) {
    if (plan.kind === 'computed') {
      if (!seen.has(plan.relation)) open.push(plans.of(plan.relation))
      seen.add(plan.relation)
    } else if (plan.kind === 'direct') {
      const { type, name } = plan.relation
      if (plan.exact) asked.assigned.push({ relation: plan.relation, isEveryone: false })
      if (plan.wildcard) asked.assigned.push({ relation: plan.relation, isEveryone: true })
      const usersets = plan.groups.flatMap((group) => (group.isNeeded ? group.usersets : []))
      const leads = usersets.map((to) => [`${to.type}#${to.name}`, to] as const)
      if (leads.length > 0) asked.lists.push({ kind: 'usersets', type, relation: name, leads })
    } else if (plan.kind === 'from') {
      const { type, name } = plan.tupleset
      const leads = [...plan.computed].filter(([, to]) => plans.of(to).kind !== 'never')
      if (leads.length > 0) asked.lists.push({ kind: 'users', type, relation: name, leads })
    } else if (plan.kind === 'exclusion') open.push(plan.base, plan.subtract)
    else if ('children' in plan) open.push(...plan.children)
  }
  return asked
}
