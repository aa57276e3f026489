import { expect, test } from 'vitest'
import { inheritedArgs } from './inherited-args.ts'

test.each([
  [
    ['--import', 'tsx'],
    ['--import', 'tsx'],
  ],
  [
    ['--conditions=@loadbearing/source', '-C', 'dev'],
    ['--conditions=@loadbearing/source', '-C', 'dev'],
  ],
  [
    ['--experimental-strip-types', '--loader=./l.mjs', '-r', './r.cjs'],
    ['--experimental-strip-types', '--loader=./l.mjs', '-r', './r.cjs'],
  ],
  [['--inspect', '--eval', '1', '--test', '--import'], []],
])('of %j a subject gets %j', (execArgv, inherited) => {
  expect(inheritedArgs(execArgv)).toEqual(inherited)
})
