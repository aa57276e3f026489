import { appendFileSync } from 'node:fs'
import { threadId } from 'node:worker_threads'
import { defineApp } from '@loadbearing/hydra-config/app'

/** An app for the tests of real processes: what it does is told by its configuration. */
export default defineApp(
  {
    config: 'config',
    configPath: 'conf',
    callbacks: {
      'shop.Told': ({ name }) => {
        const tell = (event: string) => () => console.log(`${String(name)}: ${event}`)
        return {
          onRunStart: tell('run start'),
          onRunEnd: tell('run end'),
          onMultirunStart: tell('multirun start'),
          onMultirunEnd: tell('multirun end'),
          onJobStart: tell('job start'),
          onJobEnd: (_, job) =>
            console.log(`${String(name)}: job end ${job.status} ${String(job.returnValue)}`),
        }
      },
      'shop.Broken': () => ({
        onJobStart: () => {
          throw new Error('no luck')
        },
      }),
    },
  },
  async (config, job) => {
    const { name, told, fail, wait } = config as {
      readonly name: string
      readonly told: string | null
      readonly fail: boolean
      readonly wait: boolean
    }
    if (wait) await new Promise(() => setInterval(() => undefined, 1_000))
    if (fail) throw new RangeError(`no ${name}`)
    job.log.info(`selling ${name}`)
    const report = {
      name,
      job: job.name,
      num: job.num ?? null,
      outputDir: job.outputDir,
      overrides: job.overrides,
      cwd: process.cwd(),
      color: process.env['COLOR'] ?? null,
      hydraColor: job.hydra.select('job.env_set') !== undefined,
      digest: job.config.digest(),
      thread: threadId,
      pid: process.pid,
    }
    if (told === null) console.log(JSON.stringify(report))
    else appendFileSync(told, `${JSON.stringify(report)}\n`)
    return name
  },
)
