import { expect, test } from 'vitest'
import { compose } from '../compose/compose.ts'
import { fromMemory } from '../source/memory.ts'
import { secret } from '../value/secret.ts'
import { explainText } from './explain-text.ts'

const source = fromMemory({
  'config.yaml': 'defaults:\n- db: mysql\n- _self_\nurl: ${db.host}:${db.port}\nhome: ${oc.env:HOME}\n',
  'db/mysql.yaml': 'host: ${vault:db}\nport: 3306\n',
  'db/pg.yaml': 'host: pg\nport: 5432\n',
})
const resolvers = { vault: (key: string) => secret(`of-${key}`) }

test('a value, what it took the place of, and the way there', async () => {
  const composition = await compose({
    source,
    config: 'config',
    overrides: ['db=pg', 'db.port=6000'],
    resolvers,
  })
  expect(explainText(composition.explain('db.port'))).toBe(
    [
      'db.port = 6000',
      "  from override 'db.port=6000', characters 9 to 12",
      "  before that 5432 from memory://db/pg.yaml:2:7  (config > db/pg, chosen by override 'db=pg', characters 4 to 5)",
      '',
    ].join('\n'),
  )
})

test('an interpolation, what it read, and nothing of secrets', async () => {
  const composition = await compose({ source, config: 'config', resolvers, environment: () => '/root' })
  expect(explainText(composition.explain('url'))).toBe(
    [
      'url = "***:3306"',
      '  from memory://config.yaml:4:6',
      '  ${db.host}:${db.port} reads',
      '    db.host = "***"',
      '      from memory://db/mysql.yaml:1:7  (config > db/mysql, chosen by memory://config.yaml:2:7)',
      '      ${vault:db} reads',
      '    db.port = 3306',
      '      from memory://db/mysql.yaml:2:7  (config > db/mysql, chosen by memory://config.yaml:2:7)',
      '',
    ].join('\n'),
  )
  expect(explainText(composition.explain('home'))).toMatch(
    /\n {4}HOME = "\/root" {2}\(environment variable HOME\)\n$/,
  )
})

test('what was deleted', async () => {
  const composition = await compose({ source, config: 'config', overrides: ['~db.port'], resolvers })
  expect(explainText(composition.explain('db.port'))).toBe(
    [
      'db.port = nothing',
      "  deleted by override '~db.port', characters 1 to 8",
      '  before that 3306 from memory://db/mysql.yaml:2:7  (config > db/mysql, chosen by memory://config.yaml:2:7)',
      '',
    ].join('\n'),
  )
})
