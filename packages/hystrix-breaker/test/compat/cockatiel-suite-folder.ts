import { resolve } from 'node:path'

/** The folder with cockatiel's own tests in src/ and what they need installed in node_modules/. */
export function suiteFolder(): string {
  const named = process.env['COCKATIEL_SUITE']
  if (named === undefined || named === '') throw new Error('COCKATIEL_SUITE is not set')
  return resolve(named)
}
