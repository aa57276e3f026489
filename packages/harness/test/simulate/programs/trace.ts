// Prints the trace of a busy run whose seed is the argument.
import { simulate } from '@loadbearing/harness'
import * as fc from 'fast-check'

const { trace } = await simulate({ seed: Number(process.argv[2]), runs: 3 }, async (simulation) => {
  const { clock, random, spawn, step, log } = simulation
  clock.drift(random.integer(-500, 500))
  const workers = ['a', 'b', 'c', 'd'].map((name) =>
    spawn(name, async () => {
      for (let round = 0; round < 25; round++) {
        await step('round')
        if (random.boolean(0.3)) clock.jump(random.integer(-60_000, 60_000))
        await clock.sleep(random.integer(0, 5))
        clock.setTimeout(() => log(`timer of ${name}`), random.integer(1, 10))
        log(`${clock.now()} ${random.next()} ${random.pick([1, 2, 3])} ${random.from(fc.string())}`)
      }
    }),
  )
  await Promise.all(workers)
})
process.stdout.write(trace)
