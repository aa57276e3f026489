import { execFileSync } from 'node:child_process'
import { expect, test } from 'vitest'
import { toldError } from './told-error.ts'

test('an optional peer that is not installed is told with the way to have it', () => {
  // As Node says it: not by the loader of the tests.
  const program = `import('zanzibar-has-no-such-peer').catch((error) => process.stdout.write(error.message))`
  const message = execFileSync(process.execPath, ['--eval', program], { encoding: 'utf8' })
  expect(toldError(new Error(message))).toBe(
    "this takes the package 'zanzibar-has-no-such-peer', which is not installed: npm i zanzibar-has-no-such-peer",
  )
  expect(toldError(new Error('--port must be a number'))).toBe('--port must be a number')
  expect(toldError('thrown')).toBe('thrown')
})
