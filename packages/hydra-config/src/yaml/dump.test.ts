import { assert, dictionary, property, string } from 'fast-check'
import { expect, test } from 'vitest'
import { map, scalar } from '../value/value.ts'
import { dumpYaml } from './dump.ts'
import { parseYaml } from './parse-yaml.ts'

test('what was written is read as it was', () => {
  const text = string({ unit: 'grapheme', maxLength: 200 }).filter((each) => !each.includes('${'))
  assert(
    property(dictionary(text, text, { noNullPrototype: true }), (texts) => {
      const root = map(Object.entries(texts).map(([key, value]) => [key, scalar(value)] as const))
      expect(parseYaml(dumpYaml(root))).toEqual(root)
    }),
  )
})
