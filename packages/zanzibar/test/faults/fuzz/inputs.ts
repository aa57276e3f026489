import { hostileRequests, wholeRequests } from '../../wire/hostile-bodies.ts'

/** Random choices of one campaign. */
export class Chance {
  readonly #random: () => number

  constructor(random: () => number) {
    this.#random = random
  }

  /** An integer from 0 up to, not including, `end`. */
  below(end: number): number {
    return Math.floor(this.#random() * end)
  }

  oneOf<Item>(items: readonly Item[]): Item {
    const item = items[this.below(items.length)]
    if (item === undefined) throw new RangeError('nothing to choose from')
    return item
  }
}

const characters = Array.from(
  'ab1:#*@.-_/ \t\n\0\u0007\u0085\u2028\u00a0\ufeffé😀\ud800\udc00\u0301{}[]()<>,"\'\\`|&^$%+=;?~',
)
const words = [
  'user',
  'group',
  'doc',
  'member',
  'viewer',
  'parent',
  '__proto__',
  'constructor',
  'self',
  'this',
  '1.1',
]
const identifiers = ['user:a', 'user:*', 'group:g', 'group:g#member', 'doc:d', 'member', 'viewer', 'parent']

/** A user, a relation and an object: as the model has them, with ids of any kind, or like it. */
export function randomTriple(chance: Chance): {
  readonly user: string
  readonly relation: string
  readonly object: string
} {
  if (chance.below(2) === 0) {
    const [user, relation, object] = [
      randomIdentifier(chance),
      randomIdentifier(chance),
      randomIdentifier(chance),
    ]
    return { user, relation, object }
  }
  const id = (): string => (chance.below(2) === 0 ? 'd' : randomText(chance))
  const users = [`user:${id()}`, 'user:*', `group:${id()}#member`, 'user:a']
  return { user: chance.oneOf(users), relation: 'viewer', object: `doc:${id()}` }
}

/** Something like an identifier: one, one changed, or pieces of some. */
export function randomIdentifier(chance: Chance): string {
  const kind = chance.below(4)
  if (kind === 0) return chance.oneOf(identifiers)
  return kind === 1 ? mutated(chance, chance.oneOf(identifiers), characters) : randomText(chance)
}

function randomText(chance: Chance): string {
  let text = ''
  for (let left = chance.below(8); left > 0; left--)
    text += chance.oneOf(chance.below(3) === 0 ? words : characters).repeat(chance.below(30) === 0 ? 200 : 1)
  return text
}

const dsl = `model
  schema 1.1
type user
type group
  relations
    define member: [user, user:*, group#member, user with fits]
type doc
  relations
    define parent: [doc]
    define blocked: [user] or blocked from parent
    define viewer: ([user, group#member] and member2) but not blocked # who
    define member2: [group#member with fits, user]
condition fits(x: int, l: list<string>, m: map<string>, t: timestamp, d: duration, i: ipaddress) {
  x < 1 && "a" in l || m.a.startsWith("b") && t < timestamp("2024-01-01T00:00:00Z") + d && i.in_cidr("10.0.0.0/8")
}
`
const modules = `module core
type user
extend type doc
  relations
    define editor: [user]
`
const dslPieces = [
  [
    'model',
    'schema',
    '1.2',
    'type',
    'relations',
    'define',
    'condition',
    'module',
    'extend',
    'or',
    'and',
    'but not',
  ],
  [
    'from',
    'with',
    '[user]',
    '[user:*]',
    '[group#member]',
    '(',
    ')',
    ': ',
    '\n',
    '\n  ',
    '\n    ',
    '# x\n',
    '{',
    '}',
  ],
  [
    '<',
    '>',
    '&&',
    '||',
    '!',
    '?',
    ' : ',
    '""',
    "r'\\d'",
    '0x',
    '1u',
    '1e9',
    '.matches("(a+)+$")',
    '[1, 2]',
    '{"a": 1}',
  ],
  [
    'x',
    'in',
    'has(m.a)',
    'l.all(e, e == "a")',
    '.size()',
    'timestamp(x)',
    'duration("1h")',
    '-',
    '/',
    '%',
    '9'.repeat(30),
  ],
].flat()

/** A model in the DSL that was changed here and there, or pieces of one. */
export function randomDsl(chance: Chance): string {
  const pieces = [...dslPieces, ...words, ...characters]
  if (chance.below(4) > 0) return mutated(chance, chance.below(4) === 0 ? modules : dsl, pieces)
  let text = chance.below(2) === 0 ? 'model\n  schema 1.1\ntype user\n' : ''
  for (let left = chance.below(40); left > 0; left--) text += chance.oneOf(pieces)
  return text
}

const rpcs = Object.keys(wholeRequests)
const hostile = [...hostileRequests()].filter(({ body }) => body.length < 5000)

/** A request's body: of a hostile collection, or a whole one that was changed. */
export function randomBody(chance: Chance): { readonly rpc: string; readonly body: string } {
  if (chance.below(3) === 0) return chance.oneOf(hostile)
  const rpc = chance.oneOf(rpcs)
  const pieces = [
    ...characters,
    ...words,
    'null',
    '1e400',
    '{}',
    '[]',
    '":{"',
    '\\ud800',
    '['.repeat(60),
    '"a":',
  ]
  return { rpc, body: mutated(chance, JSON.stringify(wholeRequests[rpc]), pieces) }
}

/** A text with a few places replaced, left out or doubled. */
export function mutated(chance: Chance, text: string, pieces: readonly string[]): string {
  let changed = text
  for (let left = 1 + chance.below(chance.below(2) * 3 + 1); left > 0; left--) {
    const at = chance.below(changed.length + 1)
    const end = Math.min(changed.length, at + chance.below(chance.below(4) === 0 ? 40 : 3))
    const kind = chance.below(4)
    const middle = kind === 0 ? '' : kind === 1 ? changed.slice(at, end).repeat(2) : chance.oneOf(pieces)
    changed = changed.slice(0, at) + middle + changed.slice(kind === 3 ? at : end)
  }
  return changed
}
