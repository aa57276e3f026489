import { writeFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import { parseArgs } from 'node:util'
import { type Command, plain, UsageError } from './arguments.ts'
import { scenarioUsage } from './scenario.ts'
import { scenarioFrom } from './scenario-file.ts'
import { simulated, simulationJson, simulationText } from './simulation.ts'
import { stateChart } from './state-chart.ts'

const usage = `Usage: hystrix-breaker simulate SCENARIO [options]

Runs a scenario in virtual time and prints what happened; the same scenario gives the same trace. The states of the
circuits are drawn into an SVG named after the scenario, in the current folder. SCENARIO - is standard input.

  --svg FILE    where the SVG goes; - is standard output, instead of the trace
  --no-svg      draw none
  --json        the trace as lines of JSON
  --seed N      another seed than the scenario's

${scenarioUsage}`

export const simulate: Command = {
  summary: 'run a scenario in virtual time: a trace, and an SVG of the states',
  usage,
  async run(args) {
    const { values, positionals } = parseArgs({
      args,
      allowPositionals: true,
      options: {
        svg: { type: 'string' },
        'no-svg': { type: 'boolean' },
        json: { type: 'boolean' },
        seed: { type: 'string' },
      },
    })
    const [file, ...more] = positionals
    if (file === undefined || more.length > 0) throw new UsageError('name one scenario')
    const title = file === '-' ? 'scenario' : basename(file, extname(file))
    const { seed } = values
    if (seed !== undefined && !/^\d{1,10}$/.test(seed))
      throw new UsageError(`--seed must be a whole number, not ${plain(seed)}`)
    const scenario = await scenarioFrom(file, seed === undefined ? undefined : Number(seed))
    const simulation = await simulated(scenario)
    if (values.svg === '-') return stateChart(title, simulation)
    if (values['no-svg'] !== true) {
      const target = values.svg ?? `${title}.svg`
      try {
        writeFileSync(target, stateChart(title, simulation))
      } catch (error) {
        throw new UsageError(`--svg: ${error instanceof Error ? error.message : String(error)}`)
      }
      process.stderr.write(`The states are drawn in ${target}\n`)
    }
    return values.json === true ? simulationJson(simulation) : simulationText(simulation)
  },
}
