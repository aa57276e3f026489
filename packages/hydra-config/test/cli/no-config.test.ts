import { runCommandLine } from '@loadbearing/hydra-config/app'
import { expect, test } from 'vitest'
import { memoryPlatform } from '../conformance/memory-platform.ts'

// As hydra-core 1.3.8 does with `@hydra.main(version_base=None)`.
test('an app without a config has Hydra’s own in its defaults list and no other', async () => {
  const platform = memoryPlatform('/app', {})
  const app = {
    name: 'my_app',
    program: 'my_app.py',
    command: 'python my_app.py',
    config: undefined,
    source: undefined,
    home: '/app',
    task: () => undefined,
    launchers: [],
    callbacks: {},
    resolve: {},
  }
  expect(await runCommandLine(app, ['--info', 'defaults'], platform)).toBe(0)
  const rows = platform.stdout.split('\n').filter((line) => line.startsWith('| '))
  expect(rows.slice(-2)).toEqual([
    '| hydra/env/default           | hydra.env           | False  | hydra/config |',
    '| hydra/config                | hydra               | True   | <root>       |',
  ])
})
