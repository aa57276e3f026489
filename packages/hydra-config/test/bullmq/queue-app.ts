import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { eventually } from '@loadbearing/harness/faults'
import { defineApp } from '@loadbearing/hydra-config/app'
import { bullmqLauncher } from '@loadbearing/hydra-config/bullmq'

/** An app whose jobs go to a queue: what they do is told by their configuration, what they did by the file `told`. */
export default defineApp(
  { config: 'config', configPath: 'conf', launchers: [bullmqLauncher()] },
  async (config, { num, overrides, outputDir }) => {
    const { name, told, gate, wait, fail } = config as Readonly<Record<'name' | 'told' | 'gate', string>> & {
      readonly wait: boolean
      readonly fail: boolean | 'null'
    }
    const before = readFileSync(told, 'utf8')
    appendFileSync(told, `${JSON.stringify({ name, num, overrides, outputDir, pid: process.pid })}\n`)
    // The first worker that takes it never comes to an end.
    if (wait && !before.includes(`"name":"${name}"`))
      await new Promise(() => setInterval(() => undefined, 1000))
    if (gate !== '') await eventually(() => existsSync(gate), { what: 'the gate' })
    if (fail === 'null') throw null // oxlint-disable-line no-throw-literal -- what a task may do
    if (fail) throw new RangeError(`no ${name}`)
    return `sold ${name}`
  },
)
