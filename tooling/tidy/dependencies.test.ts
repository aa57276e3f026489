import { join, normalize } from 'node:path'
import { describe, expect, test } from 'vitest'
import { packages } from '../workspace.ts'
import { sourceFiles } from './sources.ts'

const files = sourceFiles()
const names = new Map(packages().map((each) => [each.name, each]))

/** The package that a specifier names, without its subpath. */
function packageOf(specifier: string): string {
  return specifier.startsWith('@')
    ? specifier.split('/').slice(0, 2).join('/')
    : (specifier.split('/')[0] ?? '')
}

describe('rules of dependency', () => {
  test('no package imports another one, the umbrella, the desk and test code that imports the harness apart', () => {
    const broken = files.flatMap(({ path, inside, imports, package: own }) => {
      if (own.folder === 'loadbearing' || own.folder === 'delay-desk') return []
      const testCode = !inside.startsWith('src/') || inside.endsWith('.test.ts')
      return imports
        .filter((specifier) => names.has(packageOf(specifier)) && packageOf(specifier) !== own.name)
        .filter((specifier) => !(testCode && packageOf(specifier) === '@loadbearing/harness'))
        .map((specifier) => `${path} imports ${specifier}`)
    })
    expect(broken).toEqual([])
  })

  test('relative imports stay inside their package', () => {
    const broken = files.flatMap(({ path, inside, imports }) =>
      imports
        .filter(
          (specifier) =>
            specifier.startsWith('.') && normalize(join(inside, '..', specifier)).startsWith('..'),
        )
        .map((specifier) => `${path} imports ${specifier}: name the package instead`),
    )
    expect(broken).toEqual([])
  })

  test('adapters and compat import the core, never the reverse', () => {
    const outer = /^src\/(?:adapters|compat)\//
    const broken = files.flatMap(({ path, inside, imports }) => {
      if (
        !inside.startsWith('src/') ||
        outer.test(inside) ||
        /^src\/cli(?:\.ts$|\/)/.test(inside) ||
        inside.endsWith('.test.ts')
      )
        return []
      return imports
        .filter((specifier) => specifier.startsWith('.') && outer.test(join(inside, '..', specifier)))
        .map((specifier) => `${path} imports ${specifier}`)
    })
    expect(broken).toEqual([])
  })

  test('published code reaches the tooling nowhere', () => {
    const broken = files.flatMap(({ path, inside, imports, package: own }) =>
      own.private || !inside.startsWith('src/')
        ? []
        : imports
            .filter((specifier) => specifier.startsWith('@loadbearing/tooling'))
            .map((specifier) => `${path} imports ${specifier}`),
    )
    expect(broken).toEqual([])
  })
})
