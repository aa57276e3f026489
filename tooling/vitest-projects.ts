import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProjectInlineConfiguration } from 'vitest/config'

/** One vitest project for each package (and one for the tooling), named as its folder. */
export function projects(root: string): TestProjectInlineConfiguration[] {
  const packages = readdirSync(join(root, 'packages'), { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => ({ name: entry.name, home: join(root, 'packages', entry.name) }))
  return [...packages, { name: 'tooling', home: join(root, 'tooling') }].map(({ name, home }) => ({
    extends: true,
    root: home,
    test: {
      name,
      include: name === 'tooling' ? ['**/*.test.ts'] : ['src/**/*.test.ts', 'test/**/*.test.ts'],
      exclude: ['template/**', '**/node_modules/**'],
    },
  }))
}
