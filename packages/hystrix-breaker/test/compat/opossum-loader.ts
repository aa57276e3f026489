// Preloaded before a file of opossum's suite: what that requires of its own repository is the subject of OPOSSUM_SUBJECT.
import { createRequire, registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

const ours: Readonly<Record<string, string>> = {
  '..': '../../src/compat/opossum.ts',
  'lib/circuit': '../../src/compat/opossum.ts',
  'lib/cache': 'opossum-lib/cache.ts',
  'lib/semaphore': 'opossum-lib/semaphore.ts',
  'lib/status': 'opossum-lib/status.ts',
}

const suite = pathToFileURL(join(process.env['OPOSSUM_SUITE'] ?? '', 'test', '/')).href
const original = createRequire(import.meta.url).resolve('opossum')

registerHooks({
  resolve(specifier, context, next) {
    if (context.parentURL?.startsWith(suite) !== true || !specifier.startsWith('..'))
      return next(specifier, context)
    const wanted = specifier.replace(/^\.\.\//, '').replace(/\.js$/, '') || '..'
    if (process.env['OPOSSUM_SUBJECT'] === 'original') {
      const file = wanted === '..' ? original : join(original, '..', `${wanted}.js`)
      return { url: pathToFileURL(file).href, format: 'commonjs', shortCircuit: true }
    }
    const file = ours[wanted]
    if (file === undefined) throw new Error(`the suite requires ${specifier}, which has no counterpart here`)
    return {
      url: new URL(file, import.meta.url).href,
      format: 'module-typescript',
      shortCircuit: true,
    }
  },
})
