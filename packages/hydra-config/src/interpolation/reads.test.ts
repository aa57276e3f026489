import { describe, expect, test } from 'vitest'
import { Place, placePath } from '../value/place.ts'
import { parseYaml } from '../yaml/parse-yaml.ts'
import { readsOf } from './reads.ts'
import { Resolution } from './resolve.ts'
import { withWholeResolution } from './whole.ts'

describe('what an interpolation reads', () => {
  test.each([
    ['${a}', ['a']],
    ['x ${a} ${b.c} ${a}', ['a', 'b.c', 'a']],
    ['${link.c}', ['link', 'b.c']],
    ['${${name}}', ['name', 'a']],
    ['${b.l[1]}', ['b.l[1]']],
    ['${oc.select:none,${a}}', ['a']],
    ['${oc.select:link.c}', ['link', 'b.c']],
    ['${oc.env:HOME}', ['env HOME']],
    ["${oc.env:${name},'${a}'}", ['name', 'a', 'env a']],
    ["${oc.decode:'[\\${a}, ${b.c}]'}", ['b.c', 'a']],
    ['${oc.dict.keys:b}', ['b']],
    ['${a} ${none} ${b.c}', ['a']],
    ['${a} ${missing} ${b.c}', ['a']],
    ['plain', []],
  ])('%s', (text, reads) => {
    const root = new Place(
      parseYaml(
        `it: ${JSON.stringify(text)}\na: 1\nb: {c: 2, l: [1, "\${a}"]}\nlink: \${b}\nname: a\nmissing: ???\n`,
      ),
    )
    const resolution = new Resolution(withWholeResolution({ environment: (name) => `<${name}>` }))
    const it = root.child('it')
    if (it === undefined) throw new TypeError('no place')
    const told = (): string[] =>
      readsOf(resolution, it).map((read) =>
        'place' in read ? placePath(read.place) : `env ${read.environment}`,
      )
    expect(told()).toEqual(reads)
    // Also when the values are known already.
    expect(told()).toEqual(reads)
  })
})
