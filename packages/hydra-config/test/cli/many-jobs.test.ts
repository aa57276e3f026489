import { setImmediate } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { type AppDefinition, runCommandLine } from '@loadbearing/hydra-config/app'
import { expect, test } from 'vitest'
import type { Launcher } from '../../src/job/launcher.ts'
import { memoryPlatform } from '../conformance/memory-platform.ts'

setFlagsFromString('--expose-gc')
const collectGarbage: unknown = runInNewContext('gc')

/** How many of the objects are still there. */
async function countAlive(refs: readonly WeakRef<object>[]): Promise<number> {
  // What was looked at in this turn is kept to its end.
  await setImmediate()
  if (typeof collectGarbage !== 'function') throw new TypeError('there is no gc')
  collectGarbage()
  return refs.filter((each) => each.deref() !== undefined).length
}

function appOf(parts: Pick<AppDefinition, 'task' | 'launchers'>): [AppDefinition, typeof platform] {
  const platform = memoryPlatform('/app', { 'config.yaml': 'a: 1\n' })
  const app = {
    name: 'my_app',
    program: 'my_app',
    command: 'my_app',
    config: 'config',
    home: '/app',
    source: platform.open('file:///app'),
    callbacks: {},
    resolve: {},
    ...parts,
  }
  return [app, platform]
}

const jobs = 200

test('of the jobs of a multirun that are done, nothing is kept', async () => {
  const refs: WeakRef<object>[] = []
  let alive = 0
  const [app, platform] = appOf({
    launchers: [],
    async task({ config }) {
      refs.push(new WeakRef(config))
      if (refs.length === jobs) alive = await countAlive(refs)
    },
  })
  expect(await runCommandLine(app, ['-m', `+k=range(${jobs})`], platform)).toBe(0)
  expect(refs).toHaveLength(jobs)
  expect(alive).toBeGreaterThan(0)
  expect(alive).toBeLessThan(5)
})

test('a job that waits to be launched is composed when it is', async () => {
  let alive = Number.NaN
  const values: unknown[] = []
  const counting: Launcher = {
    name: 'counting',
    target: 'test.Counting',
    config: '_target_: test.Counting\n',
    where: 'nowhere',
    async launch(planned) {
      const refs = planned.map((job) => {
        const config = job.compose()
        values.push(Object(config.task.value).k)
        return new WeakRef(config)
      })
      alive = await countAlive(refs)
      return planned.map(({ overrides }) => ({ status: 'COMPLETED', returnValue: undefined, overrides }))
    },
  }
  const [app, platform] = appOf({ task: () => undefined, launchers: [counting] })
  const argv = ['-m', `+k=range(${jobs})`, 'hydra/launcher=counting']
  expect(await runCommandLine(app, argv, platform)).toBe(0)
  expect(values).toEqual(Array.from({ length: jobs }, (_, at) => at))
  expect(alive).toBeLessThan(5)
})

test('that every job can be composed is seen before the first one runs', async () => {
  let ran = 0
  const [app, platform] = appOf({ launchers: [], task: () => ran++ })
  expect(await runCommandLine(app, ['-m', '++a=1,{x: 1}'], platform)).toBe(0)
  expect(ran).toBe(2)
  // Where `a` is a map there is something at `a.x` already.
  expect(await runCommandLine(app, ['-m', '++a=1,{x: 1}', '+a.x=2'], platform)).toBe(1)
  expect(platform.stderr).toContain("An item is already at 'a.x'")
  expect(ran).toBe(2)
})
