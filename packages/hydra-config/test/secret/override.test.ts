import { inspect } from 'node:util'
import { compose, fromMemory } from '@loadbearing/hydra-config'
import { expect, test } from 'vitest'

const text = 'hunter2swordfish'

test.each([
  ['hydra-1.3', '~db.password=guess'],
  ['hydra-1.3', `~db.url=${text}`],
  ['strict', '~db.password=guess'],
  ['strict', `~db.nothing=${text}`],
  ['strict', 'db.password=append(guess)'],
] as const)(
  'by %s %s tells nothing of the value that is there, nor of the guess',
  async (semantics, override) => {
    const source = fromMemory({ 'config.yaml': `db: {password: ${text}, url: u, nothing: n}\n` })
    const secrets = { paths: ['db.*'] }
    const error = await compose({
      source,
      config: 'config',
      overrides: [override],
      semantics,
      secrets,
    }).catch((reason: unknown) => reason)
    expect(error).toBeInstanceOf(Error)
    expect(inspect(error, { depth: 10 })).not.toContain(text)
  },
)
