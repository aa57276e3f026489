import { expect, test } from 'vitest'
import { specifiers, withoutComments } from './sources.ts'

test('imports of every form are seen', () => {
  const text = [
    "import a from 'one'",
    "import type { B } from 'two'",
    'import {',
    '  c,',
    "} from 'three'",
    "import 'four'",
    "export { d } from './five.ts'",
    "export * from 'six'",
    "const e = await import('seven')",
    "// import f from 'not-this'",
  ].join('\n')
  expect(specifiers(text)).toEqual(['one', 'two', 'three', 'four', './five.ts', 'six', 'seven'])
})

test('comments are blanked, lines and addresses kept', () => {
  const text = "a /* Date.now()\n */ b // Math.random\nconst u = 'http://x'"
  expect(
    withoutComments(text)
      .split('\n')
      .map((line) => line.trimEnd()),
  ).toEqual(['a', '    b', "const u = 'http://x'"])
})
