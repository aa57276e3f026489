/** Questions to one store: all of them yes, or a list that is not empty, but for every fourth. */
export interface Workload {
  readonly model: string
  /** The same in SpiceDB's language, where it is compared. */
  readonly spiceDbSchema?: string
  readonly tuples: readonly Triple[]
  readonly questions: readonly Triple[]
  /** The questions are lists: which objects, of the type that stands last. */
  readonly lists?: true
}

export type Triple = readonly [user: string, relation: string, object: string]

const groups = 'type group\n  relations\n    define member: [user, group#member]\n'
const head = 'model\n  schema 1.1\ntype user\n'

/** Every fourth question is asked for somebody who has nothing. */
function asked(count: number, question: (n: number) => Triple): Triple[] {
  return Array.from({ length: count }, (_, n) => {
    const [user, relation, object] = question(n)
    return n % 4 === 3 ? ['user:nobody', relation, object] : [user, relation, object]
  })
}

function documents(relations: string): string {
  return `${head}${groups}type folder\n  relations\n    define viewer: [user]\ntype document\n  relations\n${relations}`
}

const groupsOfSpiceDb = {
  model: documents('    define viewer: [user, group#member]\n    define view: viewer\n'),
  spiceDbSchema: `definition user {}
definition group {
  relation member: user | group#member
}
definition document {
  relation viewer: user | group#member
  permission view = viewer
}`,
}

// The shapes of `openfga/openfga:pkg/server/test/benchmarks/check.go`, by names of our own.
export const workloads: Readonly<Record<string, () => Workload>> = {
  'direct, 10 tuples': () => direct(10),
  'direct, 10,000 tuples': () => direct(10_000),
  'group of 1000 groups': () => ({
    model: documents('    define viewer: [user, group#member]\n'),
    tuples: Array.from({ length: 1000 }, (_, n): Triple[] => [
      [`group:${n}#member`, 'viewer', 'document:1'],
      [`user:${n}`, 'member', `group:${n}`],
    ]).flat(),
    questions: asked(200, (n) => [`user:${n * 5}`, 'viewer', 'document:1']),
  }),
  'groups nested 24 deep': () => nested(24),
  // The next three are of `authzed/spicedb:pkg/benchmarks`.
  CheckWideGroups: () => {
    const teams = Array.from({ length: 99 }, (_, n) => `group:eng-${n + 1}`)
    return {
      ...groupsOfSpiceDb,
      tuples: [
        ['group:eng#member', 'viewer', 'document:1'],
        ...teams
          .filter((_, n) => (n + 1) % 10 > 0 && n > 9)
          .map((group): Triple => [`${group}#member`, 'member', 'group:eng']),
        ...teams.map((group): Triple => [`${group}-1#member`, 'member', group]),
        ['user:tom', 'member', 'group:eng-99-1'],
      ],
      questions: asked(4, () => ['user:tom', 'view', 'document:1']),
    }
  },
  WideGroups: () => ({
    ...groupsOfSpiceDb,
    tuples: [
      ['user:tom', 'member', 'group:first'],
      ['group:first#member', 'member', 'group:second'],
      ['group:second#member', 'member', 'group:third'],
      ['group:third#member', 'viewer', 'document:1'],
      ...Array.from({ length: 100 }, (_, n): Triple[] => [
        ['group:first#member', 'member', `group:wide1-${n}`],
        [`group:wide1-${n}#member`, 'member', `group:wide2-${n}`],
        [`group:wide2-${n}#member`, 'member', `group:wide3-${n}`],
      ]).flat(),
      ['group:wide3-99#member', 'viewer', 'document:2'],
      ['user:sarah', 'viewer', 'document:3'],
    ],
    questions: asked(4, () => ['user:tom', 'view', 'document:1']),
  }),
  DeepArrow: () => ({
    model: `${head}type document
  relations
    define parent: [document]
    define view: [user]
    define viewer: view or viewer from parent
`,
    spiceDbSchema: `definition user {}
definition document {
  relation parent: document
  relation view: user
  permission viewer = view + parent->viewer
}`,
    tuples: [
      ...Array.from({ length: 31 }, (_, n): Triple => [`document:${n + 1}`, 'parent', `document:${n}`]),
      ['user:slow', 'view', 'document:29'],
    ],
    questions: asked(4, () => ['user:slow', 'viewer', 'document:0']),
  }),
  'one of 1000 parents': () => ({
    model: documents('    define parent: [folder]\n    define viewer: viewer from parent\n'),
    tuples: Array.from({ length: 1000 }, (_, n): Triple[] => [
      [`folder:${n}`, 'parent', 'document:1'],
      [`user:${n}`, 'viewer', `folder:${n}`],
    ]).flat(),
    questions: asked(200, (n) => [`user:${n * 5}`, 'viewer', 'document:1']),
  }),
  'intersection and exclusion': () => ({
    model: documents(
      '    define owner: [user]\n    define member: [user, group#member]\n    define blocked: [user]\n    define viewer: (owner and member) but not blocked\n',
    ),
    tuples: Array.from({ length: 1000 }, (_, n): Triple[] => [
      [`user:${n % 100}`, 'owner', `document:${n}`],
      ['group:all#member', 'member', `document:${n}`],
      ['user:blocked', 'blocked', `document:${n}`],
    ])
      .flat()
      .concat(Array.from({ length: 100 }, (_, n): Triple => [`user:${n}`, 'member', 'group:all'])),
    questions: asked(200, (n) => [`user:${(n * 5) % 100}`, 'viewer', `document:${n * 5}`]),
  }),
}

/** Documents of eleven groups, all of one of which are listed: OpenFGA cuts a list at a thousand. */
export const lists: Readonly<Record<string, () => Workload>> = {
  'list 910 of 10,000 objects': () => ({
    model: documents('    define viewer: [user, group#member]\n'),
    lists: true,
    tuples: [
      ...Array.from(
        { length: 10_000 },
        (_, n): Triple => [`group:${n % 11}#member`, 'viewer', `document:${n}`],
      ),
      ...Array.from({ length: 11 }, (_, n): Triple => [`user:${n}`, 'member', `group:${n}`]),
    ],
    questions: asked(4, () => ['user:0', 'viewer', 'document']),
  }),
  'list 910 objects, less those of a blocked user': () => ({
    model: documents(
      '    define viewer: [user, group#member]\n    define blocked: [user]\n    define reader: viewer but not blocked\n',
    ),
    lists: true,
    tuples: [
      ...Array.from({ length: 910 }, (_, n): Triple => ['group:0#member', 'viewer', `document:${n}`]),
      ...Array.from({ length: 91 }, (_, n): Triple => ['user:0', 'blocked', `document:${n * 10}`]),
      ['user:0', 'member', 'group:0'],
    ],
    questions: asked(4, () => ['user:0', 'reader', 'document']),
  }),
}

/** A document whose viewers are the members of a group of groups, `depth` tuples away. */
function nested(depth: number): Workload {
  const last = depth - 2
  return {
    model: documents('    define viewer: [user, group#member]\n'),
    tuples: [
      ...Array.from({ length: last }, (_, n): Triple => [`group:${n + 1}#member`, 'member', `group:${n}`]),
      ['group:0#member', 'viewer', 'document:1'],
      ['user:anne', 'member', `group:${last}`],
    ],
    questions: asked(4, () => ['user:anne', 'viewer', 'document:1']),
  }
}

function direct(count: number): Workload {
  return {
    model: documents('    define viewer: [user]\n'),
    tuples: Array.from({ length: count }, (_, n): Triple => [`user:${n % 1000}`, 'viewer', `document:${n}`]),
    questions: asked(200, (n) => {
      const at = (n * 7919) % count
      return [`user:${at % 1000}`, 'viewer', `document:${at}`]
    }),
  }
}

/** Users in roles, roles with rights to resources: what casbin can say too. */
export function roles(rules: number): Workload {
  return {
    model: `${head}type role\n  relations\n    define member: [user]\ntype resource\n  relations\n    define reader: [role#member]\n`,
    tuples: Array.from(
      { length: rules },
      (_, n): Triple => [`role:${n % 1000}#member`, 'reader', `resource:${n}`],
    ).concat(Array.from({ length: 1000 }, (_, n): Triple => [`user:${n}`, 'member', `role:${n}`])),
    // None of the first rules, of which casbin's time would say nothing.
    questions: asked(8, (n) => {
      const at = ((n + 5) * 7919) % rules
      return [`user:${at % 1000}`, 'reader', `resource:${at}`]
    }),
  }
}

export function workload(name: string): Workload {
  const rules = /^roles, ([\d,]+) rules$/.exec(name)?.[1]
  if (rules !== undefined) return roles(Number(rules.replaceAll(',', '')))
  const depth = /^groups nested (\d+) deep$/.exec(name)?.[1]
  if (depth !== undefined) return nested(Number(depth))
  const made = workloads[name] ?? lists[name]
  if (made === undefined) throw new Error(`no workload ${name}`)
  return made()
}
