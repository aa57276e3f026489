import { fromMemory } from '@loadbearing/hydra-config'
import { type App, defineApp, type Job } from '@loadbearing/hydra-config/app'
import { expectTypeOf, test } from 'vitest'
import { z } from 'zod'

const source = fromMemory({ 'config.yaml': 'port: 1\n' })

test('a schema gives the configuration of a task its type', () => {
  const schema = z.object({ port: z.number(), tags: z.array(z.string()).optional() })
  const app = defineApp({ config: 'config', source, schema }, (config, job) => {
    expectTypeOf(config).toEqualTypeOf<{
      readonly port: number
      readonly tags?: readonly string[] | undefined
    }>()
    expectTypeOf(job.config.value.port).toEqualTypeOf<number>()
    expectTypeOf(job.num).toEqualTypeOf<number | undefined>()
    // @ts-expect-error the schema has no such key
    job.config.explain('prot')
  })
  expectTypeOf(app).toEqualTypeOf<App>()
})

test('without a schema a task has to look for itself', () => {
  defineApp({ config: 'config', source }, (config, job) => {
    expectTypeOf(config).toBeUnknown()
    expectTypeOf(job).toEqualTypeOf<Job>()
  })
})
