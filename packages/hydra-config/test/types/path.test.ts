import { type Composition, compose, fromMemory, type Path } from '@loadbearing/hydra-config'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'

interface App {
  readonly db: { readonly driver: 'pg' | 'mysql'; readonly port: number; readonly tags?: readonly string[] }
  readonly servers: readonly { readonly host: string }[]
  readonly labels: Readonly<Record<string, string>>
  readonly anything: unknown
}

interface Tree {
  readonly name: string
  readonly children: readonly Tree[]
}

function explains<T>(composition: Composition<T>): Composition<T>['explain'] {
  return composition.explain
}

test('explain takes the paths of the configuration and no others', () => {
  const check = (app: Composition<App>, tree: Composition<Tree>, any: Composition): void => {
    app.explain('')
    app.explain('db')
    app.explain('db.port')
    app.explain('db.tags[0]')
    app.explain('db.tags.0')
    app.explain('servers[12].host')
    app.explain('labels.a')
    app.explain('labels[a.b/c]')
    app.explain('anything.at.all')
    tree.explain('children[0].children[1].name')
    any.explain('whatever.there[0].is')
    // @ts-expect-error there is no db.prot
    app.explain('db.prot')
    // @ts-expect-error a number has no parts
    app.explain('db.port.x')
    // @ts-expect-error a list has no names
    app.explain('servers.host')
    // @ts-expect-error there is no 'nmae'
    tree.explain('children[0].nmae')
  }
  expectTypeOf(check).toBeFunction()
  expectTypeOf(explains<App>).returns.toEqualTypeOf<Composition<App>['explain']>()
  expectTypeOf<Path<unknown>>().toEqualTypeOf<string>()
  expectTypeOf<Composition<App>['value']['db']['port']>().toEqualTypeOf<number>()
})

test('a schema gives the value its type and explain its paths', () => {
  const schema = z.object({
    db: z.object({
      driver: z.enum(['pg', 'mysql']),
      port: z.coerce.number().int(),
      tags: z.array(z.string()),
    }),
  })
  const composed = async (): Promise<void> => {
    const composition = await compose({ source: fromMemory({}), config: 'config', schema })
    expectTypeOf(composition.value.db.port).toEqualTypeOf<number>()
    expectTypeOf(composition.value.db.driver).toEqualTypeOf<'pg' | 'mysql'>()
    composition.explain('db.tags[0]')
    // @ts-expect-error there is no db.prot
    composition.explain('db.prot')
    // @ts-expect-error a composition never changes
    composition.value.db.port = 1
  }
  expectTypeOf(composed).toBeFunction()
})
