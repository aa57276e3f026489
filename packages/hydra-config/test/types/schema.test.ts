import {
  type Composition,
  compose,
  dictOf,
  enumOf,
  float,
  fromMemory,
  int,
  listOf,
  optional,
  str,
  structured,
  union,
} from '@loadbearing/hydra-config'
import { type } from 'arktype'
import * as v from 'valibot'
import { describe, expectTypeOf, test } from 'vitest'
import { z } from 'zod'

const source = fromMemory({
  'config.yaml': 'db: {driver: pg, port: 5432, tags: [a]}\n',
})

describe('the schema gives the configuration its type, deeply readonly', () => {
  interface App {
    readonly db: {
      readonly driver: 'pg' | 'mysql'
      readonly port: number
      readonly tags: readonly string[]
    }
  }

  test('zod', async () => {
    const schema = z.object({
      db: z.object({ driver: z.enum(['pg', 'mysql']), port: z.number(), tags: z.array(z.string()) }),
    })
    const cfg = await compose({ source, config: 'config', schema })
    expectTypeOf(cfg).toEqualTypeOf<Composition<App>>()
    expectTypeOf(cfg.value.db.port).toEqualTypeOf<number>()
    // @ts-expect-error -- what is composed never changes
    const change = (): void => void (cfg.value.db.port = 1)
    // @ts-expect-error -- nor does what is in it
    const push = (): void => void cfg.value.db.tags.push('x')
    // @ts-expect-error -- there is no such path
    const misspelt = (): unknown => cfg.explain('db.prot')
    expectTypeOf([change, push, misspelt]).toBeArray()
    cfg.explain('db.port')
  })

  test('valibot', async () => {
    const schema = v.object({
      db: v.object({ driver: v.picklist(['pg', 'mysql']), port: v.number(), tags: v.array(v.string()) }),
    })
    expectTypeOf((await compose({ source, config: 'config', schema })).value).toEqualTypeOf<App>()
  })

  test('arktype', async () => {
    const schema = type({ db: { driver: "'pg' | 'mysql'", port: 'number', tags: 'string[]' } })
    expectTypeOf((await compose({ source, config: 'config', schema })).value).toEqualTypeOf<App>()
  })

  test('a structured config', async () => {
    const db = structured('DB', {
      driver: enumOf('Driver', { pg: 1, mysql: 2 }),
      port: int(5432),
      tags: listOf(str(), []),
    })
    const schema = structured('App', { db })
    expectTypeOf((await compose({ source, config: 'config', schema })).value).toEqualTypeOf<App>()
    const rest = structured('Rest', {
      note: optional(str(), null),
      limits: dictOf(str(), float(), {}),
      mode: union([int(), str()], 1),
    })
    expectTypeOf<NonNullable<(typeof rest)['~standard']['types']>['output']>().toEqualTypeOf<{
      note: string | null
      limits: Record<string, number>
      mode: number | string
    }>()
  })
})

test('without a schema a value is unknown', async () => {
  expectTypeOf((await compose({ source, config: 'config' })).value).toBeUnknown()
})
