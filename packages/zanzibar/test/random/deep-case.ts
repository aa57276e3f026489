import fc from 'fast-check'
import { parseModel } from '../../src/dsl/parse-model.ts'
import type { Tuple, TupleKey } from '../../src/tuple/tuple.ts'
import type { RandomCase } from './random-model.ts'

// `member` and `viewer` lead to themselves alone, by usersets and by parents; `crew` leads to itself and to another recursion;
// `a` and `b` lead to each other, so that the steps of each way are counted until they come to one of the others.
const model = parseModel(`model
  schema 1.1
type user
type robot
  relations
    define owner: [robot]
type group
  relations
    define member: [user, user:*, user with holds, group#member, group#member with fails, robot#owner]
type shelf
  relations
    define viewer: [robot]
type folder
  relations
    define parent: [folder, folder with holds, folder with fails, shelf]
    define boss: [robot]
    define blocked: [user]
    define editor: [user, robot#owner]
    define viewer: [user] or (editor but not blocked) or viewer from parent or owner from boss
type org
  relations
    define crew: [user, group#member, org#crew]
type doc
  relations
    define inside: [folder]
    define team: [group#member, org#crew]
    define read: viewer from inside
    define both: read and team
    define some: read or team
    define less: team but not read
    define least: read but not team
type step
  relations
    define a: [step#b, group#member, folder#viewer, doc#both, doc#less]
    define b: [step#a, group#member, folder#viewer, doc#some, doc#least]
condition holds(x: string) {
  x != ''
}
condition fails(x: string) {
  x == ''
}`)

const users = ['user:1', 'user:2', 'user:3', 'user:*', 'group:2#member'] as const

/** Chains of about as many groups, folders and steps as the limit of depth allows, with ways across and back. */
export function deepCase(
  limit: number,
): fc.Arbitrary<RandomCase & { readonly questions: readonly TupleKey[] }> {
  const length = fc.integer({ min: Math.max(1, limit - 3), max: limit + 2 })
  return fc
    .record({ groups: length, folders: length, orgs: fc.integer({ min: 1, max: 3 }), steps: fc.nat(limit) })
    .chain((lengths) =>
      fc.tuple(
        fc.constant(lengths),
        chained(lengths.groups, (from, to) => tuple(`group:${from}`, 'member', `group:${to}#member`)),
        chained(lengths.folders, (from, to) => tuple(`folder:${from}`, 'parent', `folder:${to}`)),
        ends(lengths),
        stepsTo(lengths, limit),
        fc.boolean(),
        // Without `x` none of the conditions can be told.
        fc.constantFrom({ x: 'x' }, { x: 'x' }, {}),
      ),
    )
    .map(([{ groups, folders, orgs }, ofGroups, ofFolders, atEnds, steps, isContextual, context]) => {
      const tuples = unique([...ofGroups, ...ofFolders, ...atEnds, ...steps])
      const objects = [
        'group:0',
        'folder:0',
        'doc:0',
        'org:0',
        'step:0',
        `group:${groups}`,
        `folder:${folders}`,
      ]
      const apart = isContextual ? tuples.filter((_, at) => at % 7 === orgs) : []
      return {
        model,
        tuples: tuples.filter((each) => !apart.includes(each)),
        contextualTuples: apart,
        context,
        questions: objects.flatMap((object) =>
          users.flatMap((user) => relationsOf(object).map((relation) => ({ user, relation, object }))),
        ),
      }
    })
}

function relationsOf(object: string): readonly string[] {
  const type = object.slice(0, object.indexOf(':'))
  const named = { group: ['member'], folder: ['viewer'], org: ['crew'], step: ['a', 'b'] }
  return (
    Object.entries(named).find(([name]) => name === type)?.[1] ?? [
      'read',
      'team',
      'both',
      'some',
      'less',
      'least',
    ]
  )
}

function tuple(object: string, relation: string, user: string, condition?: 'holds' | 'fails'): Tuple {
  return { object, relation, user, ...(condition && { condition: { name: condition } }) }
}

/** One way through all of them, sometimes broken off, and a few others. */
function chained(length: number, link: (from: number, to: number) => Tuple): fc.Arbitrary<readonly Tuple[]> {
  const across = fc.tuple(fc.nat(length), fc.nat(length)).map(([from, to]) => link(from, to))
  return fc
    .tuple(fc.array(across, { maxLength: 4 }), fc.option(fc.nat(length), { freq: 4 }))
    .map(([others, broken]) => [
      ...Array.from({ length }, (_, at) => link(at, at + 1)).filter((_, at) => at !== broken),
      ...others,
    ])
}

/** Who was assigned, mostly far away, and what leads nowhere. */
function ends({
  groups,
  folders,
  orgs,
}: {
  groups: number
  folders: number
  orgs: number
}): fc.Arbitrary<readonly Tuple[]> {
  const far = (of: number): fc.Arbitrary<number> =>
    fc.oneof(fc.integer({ min: Math.max(0, of - 3), max: of }), fc.nat(of))
  const group = far(groups).map((at) => `group:${at}`)
  const folder = far(folders).map((at) => `folder:${at}`)
  const user = fc.constantFrom('user:1', 'user:2')
  const one = fc.oneof(
    fc
      .tuple(fc.oneof(group, fc.constant('group:none')), user, fc.constantFrom(undefined, 'holds' as const))
      .map(([on, who, condition]) => tuple(on, 'member', who, condition)),
    fc
      .tuple(
        fc.oneof(folder, fc.constant('folder:none')),
        fc.constantFrom('viewer', 'editor', 'blocked'),
        user,
      )
      .map(([on, relation, who]) => tuple(on, relation, who)),
    group.map((on) => tuple(on, 'member', 'user:*')),
    group.map((on) => tuple(on, 'member', 'robot:1#owner')),
    fc
      .tuple(
        folder,
        fc.constantFrom('folder:none', 'folder:1'),
        fc.constantFrom('holds' as const, 'fails' as const),
      )
      .map(([on, to, condition]) => tuple(on, 'parent', to, condition)),
    folder.map((on) => tuple(on, 'parent', 'shelf:1')),
    folder.map((on) => tuple(on, 'boss', 'robot:1')),
    folder.map((on) => tuple(on, 'editor', 'robot:1#owner')),
    fc.tuple(fc.nat(orgs), group).map(([at, on]) => tuple(`org:${at}`, 'crew', `${on}#member`)),
  )
  const below = [
    tuple('doc:0', 'inside', 'folder:0'),
    tuple('doc:0', 'team', 'group:0#member'),
    tuple('doc:0', 'team', 'org:0#crew'),
    ...Array.from({ length: orgs }, (_, at) => tuple(`org:${at}`, 'crew', `org:${at + 1}#crew`)),
    tuple(`org:${orgs}`, 'crew', 'group:0#member'),
  ]
  return fc
    .tuple(fc.subarray(below), fc.array(one, { minLength: 1, maxLength: 8 }))
    .map((both) => both.flat())
}

/** As many steps as were drawn, to where what is left is about the limit. */
function stepsTo(
  { groups, folders, steps }: { groups: number; folders: number; steps: number },
  limit: number,
): fc.Arbitrary<readonly Tuple[]> {
  const at = (length: number): fc.Arbitrary<number> =>
    fc
      .integer({ min: -2, max: 2 })
      .map((more) => Math.min(length, Math.max(0, length - (limit - steps) + more)))
  const last = steps % 2 === 0 ? 'a' : 'b'
  const to = fc.oneof(
    at(groups).map((each) => `group:${each}#member`),
    at(folders).map((each) => `folder:${each}#viewer`),
    fc.constantFrom(...(last === 'a' ? ['doc:0#both', 'doc:0#less'] : ['doc:0#some', 'doc:0#least'])),
  )
  const nameOf = (step: number): string => (step % 2 === 0 ? 'a' : 'b')
  const way = Array.from({ length: steps }, (_, step) =>
    tuple(`step:${step}`, nameOf(step), `step:${step + 1}#${nameOf(step + 1)}`),
  )
  return fc
    .uniqueArray(to, { minLength: 1, maxLength: 2 })
    .map((all) => [...way, ...all.map((each) => tuple(`step:${steps}`, last, each))])
}

/** Each once; what says nothing cannot be written. */
function unique(all: readonly Tuple[]): readonly Tuple[] {
  const tuples = all.filter(({ object, relation, user }) => user !== `${object}#${relation}`)
  return [...new Map(tuples.map((each) => [`${each.object}#${each.relation}@${each.user}`, each])).values()]
}
