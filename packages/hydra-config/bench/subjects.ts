import type { Prepared } from '@loadbearing/harness/bench'
import { parseOverride } from '@loadbearing/hydra-config'

/** What a parse costs apart from the reading: the shapes of Hydra's own documentation. */
const overrides = [
  'db=mysql',
  'db.port=3306',
  '+db.user=root',
  '~db.password',
  'lr=choice(1e-3,1e-4)',
  'schedule=[{epochs:10,lr:0.1},{epochs:5,lr:0.01}]',
  "title='Hello, world'",
  'seed=range(0,10,2)',
]

export function ours(): Prepared<number> {
  return { call: () => overrides.reduce((sum, text) => sum + parseOverride(text).key.length, 0) }
}

/** The floor: every character is read once, nothing is made of it. */
export function scan(): Prepared<number> {
  return {
    call: () =>
      overrides.reduce((sum, text) => {
        const key = /^[~+]*([^=]*)/.exec(text)?.[1] ?? ''
        return sum + key.length
      }, 0),
  }
}
