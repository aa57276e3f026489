import fc, { type Arbitrary } from 'fast-check'

/** A folder of configs and a command line. */
export interface ConfigCase {
  readonly files: Readonly<Record<string, string>>
  readonly config: string
  readonly overrides: readonly string[]
}

const groups = ['db', 'db/engine', 'server', 'x'] as const
const options = ['a', 'b', 'c'] as const
const packages = [
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '',
  '@p',
  '@p.q',
  '@_global_',
  '@_here_',
  '@_group_',
  '@_global_.r',
  '@_group_.s',
]
const keywords = [
  ...Array<string>(12).fill(''),
  'optional ',
  'optional ',
  'override ',
  'override ',
  'optional override ',
  'overide ',
]
const packageOf = fc.constantFrom(...packages)

const groupName = fc.oneof(
  { weight: 14, arbitrary: fc.constantFrom<string>(...groups.map((group) => `/${group}`)) },
  { weight: 6, arbitrary: fc.constantFrom<string>(...groups) },
  { weight: 1, arbitrary: fc.constantFrom('engine', 'nope', 'hydra/job_logging', '/hydra/launcher') },
)
const choice = fc.oneof(
  { weight: 16, arbitrary: fc.constantFrom<string>(...options) },
  { weight: 4, arbitrary: fc.constantFrom('null', '[a, b]', '[]', '[c]', 'b${x}', '${server}') },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      '"???"',
      'nope',
      '${db}',
      'b${x}',
      '${server}',
      '5',
      'none',
      'basic',
      '${db/engine}',
      '${defaults.0.db}',
      '[a, "${db}"]',
      '_self_',
    ),
  },
)
const item = fc.oneof(
  { weight: 3, arbitrary: fc.constant('_self_') },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(
          'db/a',
          'db/engine/b',
          '/x/c',
          'other',
          '/other',
          'a',
          'engine/a',
          'x/nope',
          'db/${x}',
        ),
        packageOf,
      )
      .map((parts) => parts.join('')),
  },
  {
    weight: 12,
    arbitrary: fc
      .tuple(fc.constantFrom(...keywords), groupName, packageOf, choice)
      .map(([keyword, group, ofPackage, name]) => `${keyword}${group}${ofPackage}: ${name}`),
  },
)
const items = fc.tuple(fc.array(item, { maxLength: 4 }), fc.nat(4)).map(([list, ordered]) => {
  const unique = list.filter((each, at) => each !== '_self_' || list.indexOf(each) === at)
  return ordered === 0
    ? list
    : unique.toSorted((a, b) => Number(a.includes('override ')) - Number(b.includes('override ')))
})
const key = fc.constantFrom('k', 'v', 'w', 'db', 'x', 'p', 'one: 1\n  two')
const body = fc
  .uniqueArray(
    fc.tuple(
      key,
      fc.constantFrom('1', '2.5', 's', 'null', '"???"', '{n: 1}', '{n: 2, m: [1]}', '[1, 2]', '{}'),
    ),
    {
      maxLength: 3,
      selector: ([name]) => name,
    },
  )
  .map((pairs) =>
    pairs
      .map(([name, value]) => (name.includes('\n') ? `o:\n  ${name}: ${value}\n` : `${name}: ${value}\n`))
      .join(''),
  )
const header = fc.constantFrom(
  ...Array<string>(30).fill(''),
  '# @package q\n',
  '# @package _global_\n',
  '# @package _global_.t\n',
  '# @package _global_\n',
  '# @package p\n',
  '# plain\n# @package q\n',
  '\n#@package  r.s \n',
  '# @package\n',
)

function config(list: Arbitrary<string[]>): Arbitrary<string> {
  return fc
    .tuple(header, fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 3, arbitrary: list }), body)
    .map(([head, found, rest]) => {
      const defaults = found.length === 0 ? '' : `defaults:\n${found.map((each) => `- ${each}\n`).join('')}`
      return `${head}${defaults}${rest}`
    })
}

const tree = fc.record(
  Object.fromEntries([
    [
      'config.yaml',
      fc
        .tuple(header, items, body)
        .map(
          ([, list, rest]) =>
            `${list.length === 0 ? '' : `defaults:\n${list.map((each) => `- ${each}\n`).join('')}`}${rest}`,
        ),
    ],
    ['other.yaml', config(items)],
    ...groups.flatMap((group) =>
      options.map(
        (option) =>
          [
            `${group}/${option}.yaml`,
            fc.oneof({ weight: 3, arbitrary: body }, { weight: 1, arbitrary: config(items) }),
          ] as const,
      ),
    ),
  ]),
)

const override = fc
  .tuple(
    fc.constantFrom('', '', '', '', '+', '+', '++', '~', '~'),
    fc.constantFrom(
      'db',
      'db',
      'x',
      'server',
      'k',
      'v',
      'w',
      'db',
      'db/engine',
      'x',
      'server',
      'db@p',
      'x@p.q',
      'db/engine@_global_',
      'nope',
      'k',
      'v',
      'p.k',
      'db.k',
      'o.one',
      'db.n.m.0',
      'w.0',
      'k.l',
      'k.n',
      'hydra.run.dir',
      'hydra/launcher',
      'hydra/job_logging',
      'hydra.nope',
      'hydra.job.name',
    ),
    fc.constantFrom(
      '=a',
      '=b',
      '=c',
      '=a',
      '=b',
      '=c',
      '=a',
      '=b',
      '=c',
      '=nope',
      '=null',
      '=[a,b]',
      '={n:3}',
      '=5',
      '',
      '=1',
      '=',
      '=none',
      '={z:1}',
      "='a'",
      '=a,b',
      '=???',
      '=2.5',
      '=s',
    ),
  )
  .map((parts) => parts.join(''))

/** Trees of four groups of three options each, most with defaults lists of their own, and up to three overrides. */
export const configCase: Arbitrary<ConfigCase> = fc.record({
  files: tree,
  config: fc.oneof(
    { weight: 30, arbitrary: fc.constant('config') },
    { weight: 1, arbitrary: fc.constantFrom('nope', 'db/a') },
  ),
  overrides: fc.oneof(
    { weight: 1, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(override, { maxLength: 3 }) },
  ),
})

const swept = fc
  .tuple(
    fc.constantFrom('', '', '+', '++', '~'),
    fc.constantFrom('db', 'x', 'k', 'v', 'k.l', 'hydra.run.dir', 'w'),
    fc.constantFrom(
      '=a,b',
      '=1,2',
      '=range(3)',
      '=range(0,1,0.1)',
      '=range(1,0,-0.3)',
      '=choice(a,b)',
      "='x y',\"it's\"",
      '=glob(*)',
      '=glob([a*],b)',
      '=glob("*",exclude=c)',
      '=interval(0,1)',
      '=1',
      '=[1,{a:b}],2',
      '=a\\,b,c',
      '=true,null,1.0',
      '',
      '=sort(3,1,2)',
      '=sort(range(1,5),reverse=true)',
      "='\\\\',b",
      '=float(range(2))',
      '=nan,1e20',
      '={a:1},{b:2}',
    ),
  )
  .map((parts) => parts.join(''))

/** A small folder and a command line of sweeps. */
export const sweepCase: Arbitrary<ConfigCase> = fc.record({
  files: fc.constant({
    'config.yaml': 'defaults:\n- db: a\n- _self_\nk: 1\nv: {n: 1}\nw: [1]\n',
    'db/a.yaml': 'one: 1\n',
    'db/b.yaml': 'two: 2\n',
    'x/a.yaml': 'n: 1\n',
    'x/ab.yaml': 'n: 2\n',
  }),
  config: fc.constant('config'),
  overrides: fc.array(swept, { minLength: 1, maxLength: 3 }),
})
