import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { sourceEntries } from '../manifest.ts'
import { umbrellaFiles } from '../umbrella.ts'
import { packages, root } from '../workspace.ts'
import { filesBelow } from './sources.ts'

const all = packages()
const published = all.filter((each) => !each.private)
const patterns = all.filter((each) => each.pattern)

describe('packages', () => {
  test('the umbrella is one re-export file for each pattern and a root of namespaces', () => {
    const umbrella = join(root, 'packages/loadbearing')
    const expected = umbrellaFiles(patterns.map(({ folder }) => folder))
    const found = Object.fromEntries(
      filesBelow(join(umbrella, 'src')).map((path) => [
        path.slice(umbrella.length + 1),
        readFileSync(path, 'utf8'),
      ]),
    )
    expect(found).toEqual(expected.sources)
    const manifest: unknown = JSON.parse(readFileSync(join(umbrella, 'package.json'), 'utf8'))
    expect(manifest).toMatchObject({ exports: expected.exports, dependencies: expected.dependencies })
  })

  test.each(published.map((each) => [each.folder, each] as const))(
    '%s has the manifest of the house',
    (_, { manifest, folder, home }) => {
      expect(manifest).toMatchObject({
        name: folder === 'loadbearing' ? 'loadbearing' : `@loadbearing/${folder}`,
        license: 'MIT',
        type: 'module',
        sideEffects: false,
        engines: { node: '>=22.13' },
        files: ['dist'],
        publishConfig: { access: 'public' },
        scripts: { build: 'tsup && tsc -p tsconfig.json && node ../../tooling/prune-declarations.ts' },
      })
      expect(String(manifest['description']).length).toBeGreaterThan(20)
      const missing = sourceEntries(manifest).filter(({ source }) => !existsSync(join(home, source)))
      expect(missing).toEqual([])
    },
  )

  test.each(patterns.map((each) => [each.folder, each] as const))(
    '%s has every part of a package',
    (_, { home }) => {
      const parts = [
        'README.md',
        'tsconfig.json',
        'tsup.config.ts',
        'api/index.api.md',
        'src/index.ts',
        'src/errors.ts',
        'test/conformance/port.ts',
        'test/conformance/README.md',
        'bench/main.ts',
      ]
      expect(parts.filter((part) => !existsSync(join(home, part)))).toEqual([])
      expect(existsSync(join(home, 'test/types')) && readdirSync(join(home, 'test/types')).length > 0).toBe(
        true,
      )
    },
  )

  test('every package has the same tsconfig.json and tsup.config.ts', () => {
    for (const file of ['tsconfig.json', 'tsup.config.ts']) {
      const texts = new Set(published.map(({ home }) => readFileSync(join(home, file), 'utf8')))
      expect([...texts], file).toHaveLength(1)
    }
  })

  test('changesets name packages that there are', () => {
    const names = new Set(published.map(({ name }) => name))
    const unknown = readdirSync(join(root, '.changeset'))
      .filter((file) => file.endsWith('.md') && file !== 'README.md')
      .flatMap((file) => {
        const front =
          /^---\n([\s\S]*?)\n---\n/.exec(readFileSync(join(root, '.changeset', file), 'utf8'))?.[1] ?? ''
        const named = [...front.matchAll(/^['"]?([^'":]+(?:\/[^'":]+)?)['"]?: (?:patch|minor|major)$/gm)].map(
          (match) => match[1] ?? '',
        )
        return named.length === 0
          ? [`${file}: names no package`]
          : named.filter((name) => !names.has(name)).map((name) => `${file}: ${name}`)
      })
    expect(unknown).toEqual([])
  })

  test('the README lists every pattern', () => {
    const readme = readFileSync(join(root, 'README.md'), 'utf8')
    expect(
      patterns.filter(({ folder }) => !readme.includes(`(packages/${folder})`)).map(({ folder }) => folder),
    ).toEqual([])
  })
})
