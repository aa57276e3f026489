import { describe, expect, test } from 'vitest'
import { isHydraConfigError } from '../errors.ts'
import type { Semantics } from '../semantics.ts'
import { fromMemory } from '../source/memory.ts'
import { compose, defaultsList } from './compose.ts'

interface Case {
  readonly files: Readonly<Record<string, string>>
  readonly config?: string
  readonly overrides?: readonly string[]
}

async function list(
  semantics: Semantics,
  { files, config = 'config', overrides = [] }: Case,
): Promise<string> {
  return answer(async () => {
    const found = await defaultsList({ source: fromMemory(files), config, overrides, semantics })
    return found.map((each) => `${each.config}@${each.package}`).join(' ')
  })
}

async function yaml(
  semantics: Semantics,
  { files, config = 'config', overrides = [] }: Case,
): Promise<string> {
  return answer(async () => {
    const composition = await compose({ source: fromMemory(files), config, overrides, semantics })
    return composition.toYAML()
  })
}

async function answer(ask: () => Promise<string>): Promise<string> {
  try {
    return await ask()
  } catch (error) {
    if (!isHydraConfigError(error)) throw error
    return `${error.code} ${error.class}: ${error.message}`
  }
}

describe('defaults lists', () => {
  test('a list that is missing is none; what is no list is refused, by the class of each', async () => {
    const files = { 'missing.yaml': 'defaults: ???\na: 1\n', 'number.yaml': 'defaults: 5\n' }
    const message =
      "Invalid defaults list in 'number', defaults must be a list (got int)\n  at memory://number.yaml:1:11"
    const classes = [
      ['hydra-1.3', 'ValueError'],
      ['strict', 'ConfigCompositionException'],
    ] as const
    for (const [semantics, ofClass] of classes) {
      expect(await list(semantics, { files, config: 'missing' })).toBe('missing@')
      expect(await yaml(semantics, { files, config: 'missing' })).toBe('a: 1\n')
      expect(await list(semantics, { files, config: 'number' })).toBe(
        `INVALID_DEFAULTS ${ofClass}: ${message}`,
      )
    }
  })

  const db = { 'db/a.yaml': 'n: a\n', 'db/b.yaml': 'n: b\n', 'db/c.yaml': 'n: c\n' }

  test('of two overrides the first one wins in Hydra 1.3, the last one in strict', async () => {
    const twice = {
      files: {
        ...db,
        'config.yaml': 'defaults:\n- db: a\n- override db: b\n',
        'experiment/x.yaml': '# @package _global_\ndefaults:\n- override /db: c\n',
      },
      overrides: ['+experiment=x'],
    }
    expect(await list('hydra-1.3', twice)).toBe('db/b@db config@ experiment/x@')
    expect(await list('strict', twice)).toBe('db/c@db config@ experiment/x@')
  })

  test('a misspelt keyword is passed over in Hydra 1.3, and refused in strict with what it may mean', async () => {
    const misspelt = { files: { ...db, 'config.yaml': 'defaults:\n- optinal db: a\n' } }
    expect(await list('hydra-1.3', misspelt)).toBe('db/a@db config@')
    expect(await list('strict', misspelt)).toMatch(
      /^INVALID_DEFAULTS ValueError: .*'optinal'.*did you mean 'optional'/,
    )
  })

  test('optional and override together are refused in strict', async () => {
    const both = { files: { ...db, 'config.yaml': 'defaults:\n- db: a\n- optional override db: b\n' } }
    expect(await list('hydra-1.3', both)).toBe('db/b@db config@')
    expect(await list('strict', both)).toMatch(/^INVALID_DEFAULTS ValueError: .*optional and override/)
  })

  test('.. and \\ are ways of the file system in Hydra 1.3, and refused in strict', async () => {
    const files = { ...db, 'x/in.yaml': 'defaults:\n- ../db: a\n', 'config.yaml': 'defaults:\n- x: in\n' }
    expect(await list('hydra-1.3', { files })).toContain('x/../db/a')
    expect(await list('strict', { files })).toMatch(
      /^COMPOSITION ConfigCompositionException: .*"\.\.\/db" has '\.\.'/,
    )
    for (const option of ["'../../etc/x'", "'..\\\\x'", "'a\\\\b'", "'/etc/x'", "'a\0b'"]) {
      const answered = await list('strict', {
        files: { ...db, 'config.yaml': 'defaults:\n- db: a\n' },
        overrides: [`db=${option}`],
      })
      expect(answered, option).toMatch(/^COMPOSITION ConfigCompositionException: in 'config': the option/)
    }
  })

  test('group: a/b is group/a: b in strict, for what b includes as well', async () => {
    const files = {
      'config.yaml': 'defaults:\n- group: sub/one\n',
      'group/sub/one.yaml': 'defaults:\n- two\n',
      'group/sub/two.yaml': 'n: 2\n',
      'group/two.yaml': 'n: 1\n',
    }
    expect(await list('hydra-1.3', { files })).toBe('group/two@group group/sub/one@group config@')
    expect(await list('strict', { files })).toBe('group/sub/two@group.sub group/sub/one@group.sub config@')
  })

  test('an interpolation of a nested list sees the choices around it in strict', async () => {
    const files = {
      'config.yaml': 'defaults:\n- late: z\n- outer: one\n',
      'outer/one.yaml': 'defaults:\n- inner: ${late}\n',
      'outer/inner/z.yaml': 'n: 1\n',
      'late/z.yaml': 'n: 2\n',
    }
    expect(await list('hydra-1.3', { files })).toMatch(
      /^COMPOSITION ConfigCompositionException: .*\$\{late\}/,
    )
    expect(await list('strict', { files })).toBe(
      'late/z@late outer/inner/z@outer.inner outer/one@outer config@',
    )
  })

  test('resolvers read the environment of a defaults list in Hydra 1.3, and are refused in strict', async () => {
    const files = { ...db, 'config.yaml': 'defaults:\n- db: ${oc.decode:a}\n' }
    expect(await list('hydra-1.3', { files })).toBe('db/a@db config@')
    expect(await list('strict', { files })).toMatch(/^COMPOSITION ConfigCompositionException: .*oc\.decode/)
  })

  test('+group is of the root in strict, though the primary config is in a group', async () => {
    const appended = {
      files: { ...db, 'app/main.yaml': 'k: 1\n' },
      config: 'app/main',
      overrides: ['+db=a'],
    }
    expect(await list('hydra-1.3', appended)).toMatch(/^MISSING_CONFIG .*app\/db\/a/)
    expect(await list('strict', appended)).toBe('app/main@app db/a@db')
  })

  test('a circle is named, in either', async () => {
    const files = {
      'config.yaml': 'defaults:\n- a\n',
      'a.yaml': 'defaults:\n- b\n',
      'b.yaml': 'defaults:\n- a\n',
    }
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await list(semantics, { files })).toMatch(
        /^COMPOSITION RecursionError: defaults lists include each other: a -> b -> a$/m,
      )
    }
  })

  test('a circle of 10,000 configs is named as well, and a branch as deep is composed', async () => {
    const files: Record<string, string> = { 'config.yaml': 'defaults:\n- c0\n' }
    for (let at = 0; at < 10_000; at++) files[`c${at}.yaml`] = `defaults:\n- c${at + 1}\n- _self_\n`
    const deep = { files: { ...files, 'c10000.yaml': 'n: 1\n' } }
    const circle = { files: { ...files, 'c10000.yaml': 'defaults:\n- c0\n' } }
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect((await list(semantics, deep)).split(' ')).toHaveLength(10_002)
      expect(await list(semantics, circle)).toMatch(
        /RecursionError: .*: c0 -> c1 -> .*\(9982 more\).* -> c10000 -> c0$/m,
      )
    }
  })

  test('a circle of groups is named though each goes into a longer package, unless an override ends it', async () => {
    const files = {
      'config.yaml': 'defaults:\n- node: branch\n',
      'node/branch.yaml': 'defaults:\n- /node@child: twig\n',
      'node/twig.yaml': 'defaults:\n- /node@child: branch\n',
      'node/leaf.yaml': 'n: 1\n',
    }
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await list(semantics, { files })).toMatch(
        /^COMPOSITION RecursionError: defaults lists include each other: node\/branch -> node\/twig -> node\/branch$/m,
      )
      const ends = 'node.child.child.child.child.child.child'
      const ended = await list(semantics, { files, overrides: [`node@${ends}=leaf`] })
      expect(ended.split(' ')).toHaveLength(8)
      expect(ended).toContain(`node/leaf@${ends} `)
      // What nothing ends in the end is named as well.
      const other = await list(semantics, { files, overrides: [`node@${ends}=branch`] })
      expect(other).toMatch(/RecursionError: defaults lists include each other: node\/twig|node\/branch -> /)
    }
  })

  test('a circle of 10,000 groups is named; in longer and longer packages, the way to where no configuration is', async () => {
    const circle = (ofPackage: string): Record<string, string> => {
      const files: Record<string, string> = { 'config.yaml': 'defaults:\n- /g0@x: c\n' }
      for (let at = 0; at < 10_000; at++)
        files[`g${at}/c.yaml`] = `defaults:\n- /g${(at + 1) % 10_000}${ofPackage}: c\n`
      return files
    }
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await list(semantics, { files: circle('@_global_.x') })).toMatch(
        /RecursionError: .*: g0\/c -> g1\/c -> .*\(9981 more\).* -> g9999\/c -> g0\/c$/m,
      )
      expect(await list(semantics, { files: circle('') })).toMatch(
        /RecursionError: .* in a package of more than 1000 keys: config -> g0\/c -> g1\/c -> .* -> g1001\/c$/m,
      )
    }
  })

  test('a tree that doubles with every level is refused', async () => {
    const files: Record<string, string> = { 'config.yaml': 'defaults:\n- g0/a\n', 'g40/a.yaml': 'n: 1\n' }
    for (let at = 0; at < 40; at++) files[`g${at}/a.yaml`] = `defaults: [/g${at + 1}/a@p, /g${at + 1}/a@q]\n`
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await list(semantics, { files })).toMatch(
        /^COMPOSITION RecursionError: the defaults lists make a tree of more than 100000 configs/m,
      )
    }
  })

  test('a config that includes itself deeper and deeper is refused', async () => {
    const files = { 'config.yaml': 'defaults:\n- a\n', 'a.yaml': 'defaults:\n- a@x\n' }
    const deferred = {
      'config.yaml': 'defaults:\n- g: one\n- h: one\n',
      'g/one.yaml': 'defaults:\n- /g@x: ${h}\n',
      'h/one.yaml': 'n: 1\n',
    }
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await list(semantics, { files })).toMatch(
        /^COMPOSITION RecursionError: defaults lists include each other: a -> a$/m,
      )
      expect(await list(semantics, { files: deferred })).toMatch(/^COMPOSITION RecursionError/)
    }
  })
})

describe('overrides of values', () => {
  const files = { 'config.yaml': 'n: null\nm: ???\nl: [1, {k: 2}, a]\nd: {x: 1}\ni: ${d}\nname: app\n' }

  test.each([
    ['~n', /'n' does not exist/, 'm: ???\n'],
    ['~m', /'m' does not exist/, "'n': null\nl:"],
    ['~l.0', /TypeError/, 'l:\n- k: 2\n- a\n'],
    ['~n=null', /'n' does not exist/, 'm: ???\n'],
  ])('%s fails in Hydra 1.3 and works in strict', async (override, refused, part) => {
    expect(await yaml('hydra-1.3', { files, overrides: [override] })).toMatch(refused)
    expect(await yaml('strict', { files, overrides: [override] })).toContain(part)
  })

  test('~d.x=null takes any value in Hydra 1.3, null alone in strict', async () => {
    expect(await yaml('hydra-1.3', { files, overrides: ['~d.x=null'] })).toContain('d: {}\n')
    expect(await yaml('strict', { files, overrides: ['~d.x=null'] })).toMatch(/he value of 'd\.x' is/)
  })

  test('below an interpolation both delete what it leads to, strict alone also sets it', async () => {
    for (const semantics of ['hydra-1.3', 'strict'] as const) {
      expect(await yaml(semantics, { files, overrides: ['~i.x'] })).toContain('d: {}\ni: ${d}\n')
    }
    expect(await yaml('hydra-1.3', { files, overrides: ['i.x=5'] })).toMatch(/ould not override 'i\.x'/)
    expect(await yaml('strict', { files, overrides: ['i.x=5'] })).toContain('d:\n  x: 5\ni: ${d}\n')
  })

  test('a key that is not there suggests the one that is meant', async () => {
    const groups = { ...files, 'db/a.yaml': 'n: 1\n' }
    expect(await yaml('strict', { files: groups, overrides: ['nmae=x'] })).toMatch(/did you mean 'name'/)
    expect(await yaml('strict', { files: groups, overrides: ['dbb=x'] })).toMatch(/did you mean 'db'/)
  })

  test.each([
    ['l=append(b,{c:1})', 'l:\n- 1\n- k: 2\n- a\n- b\n- c: 1\n'],
    ['l=extend_list(b)', 'l:\n- 1\n- k: 2\n- a\n- b\n'],
    ['l=prepend(0,b)', 'l:\n- 0\n- b\n- 1\n- k: 2\n- a\n'],
    ['l=insert(1,x,y)', "l:\n- 1\n- x\n- 'y'\n- k: 2\n- a\n"],
    ['l=insert(-1,x)', 'l:\n- 1\n- k: 2\n- x\n- a\n'],
    ['l=remove(a,{k:2})', 'l:\n- 1\n'],
    ["l=remove('a')", 'l:\n- 1\n- k: 2\n'],
    ['l=pop(0)', 'l:\n- k: 2\n- a\n'],
    ['l=pop(-1)', 'l:\n- 1\n- k: 2\n'],
    ['l=clear()', 'l: []\n'],
    ['l={_append_:[b]}', 'l:\n- 1\n- k: 2\n- a\n- b\n'],
  ])('%s edits the list in strict', async (override, part) => {
    expect(await yaml('hydra-1.3', { files, overrides: [override] })).toMatch(
      /^(?:OVERRIDE_PARSE|COMPOSITION) /,
    )
    expect(await yaml('strict', { files, overrides: [override] })).toContain(part)
  })

  test.each([
    ['name=append(b)', /'name' is no list but a scalar/],
    ['nope=append(b)', /ould not override 'nope'/],
    ['+l=append(b)', /stands without prefix and alone/],
    ['l=append(b),append(c)', /stands without prefix and alone/],
    ['l=[append(b)]', /Unknown function 'append'/],
    ['l=pop(7)', /no item 7/],
    ['l=pop(a)', /is an index/],
    ['l=remove(zz)', /no such item/],
    ['l=clear(1)', /takes no arguments/],
    ['l=append(x=b)', /no argument 'x'/],
    ['d={_append_:[b]}', /no list here|MERGE|_append_/],
  ])('%s is refused in strict', async (override, said) => {
    expect(await yaml('strict', { files, overrides: [override] })).toMatch(said)
  })
})

describe('list edits in config files', () => {
  const base = { 'db/a.yaml': 'tags: [x, y]\n' }
  const over = (body: string): Case => ({
    files: { ...base, 'config.yaml': `defaults:\n- db: a\n- _self_\n${body}` },
  })

  test('they edit what the configs before have made', async () => {
    const edits = over('db:\n  tags: {_append_: [z], _prepend_: [w], _remove_: [x]}\n')
    expect(await yaml('hydra-1.3', edits)).toMatch(/^COMPOSITION ConfigCompositionException/)
    expect(await yaml('strict', edits)).toBe("db:\n  tags:\n  - w\n  - 'y'\n  - z\n")
  })

  test.each([
    ['no list to edit', 'tags: {_append_: [z]}\n'],
    ['another key beside', 'db:\n  tags: {_append_: [z], k: 1}\n'],
    ['no list of items', 'db:\n  tags: {_append_: z}\n'],
    ['an item that is not there', 'db:\n  tags: {_remove_: [nope]}\n'],
  ])('%s is refused in strict', async (_, body) => {
    expect(await yaml('strict', over(body))).toMatch(/^COMPOSITION ConfigCompositionException: In 'config'/)
  })
})

test('other semantics are refused', async () => {
  expect(
    await answer(() => Reflect.apply(compose, undefined, [{ source: fromMemory({}), semantics: 'loose' }])),
  ).toMatch(/^INVALID_OPTION .*'hydra-1\.3' or 'strict'/)
})
