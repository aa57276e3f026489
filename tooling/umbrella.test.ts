import { expect, test } from 'vitest'
import { namespace, umbrellaFiles } from './umbrella.ts'

test('namespaces are in camelCase', () => {
  expect(['maglev', 'hydra-config', 'kafka-streams-lite'].map(namespace)).toEqual([
    'maglev',
    'hydraConfig',
    'kafkaStreamsLite',
  ])
})

test('one file and one entry for each pattern, whatever the order they were found in', () => {
  const { sources, exports, dependencies } = umbrellaFiles(['zanzibar', 'hydra-config'])
  expect(sources).toEqual({
    'src/index.ts':
      "export * as hydraConfig from '@loadbearing/hydra-config'\nexport * as zanzibar from '@loadbearing/zanzibar'\n",
    'src/hydra-config.ts': "export * from '@loadbearing/hydra-config'\n",
    'src/zanzibar.ts': "export * from '@loadbearing/zanzibar'\n",
  })
  expect(Object.keys(exports)).toEqual(['.', './hydra-config', './zanzibar', './package.json'])
  expect(dependencies).toEqual({
    '@loadbearing/hydra-config': 'workspace:^',
    '@loadbearing/zanzibar': 'workspace:^',
  })
})
