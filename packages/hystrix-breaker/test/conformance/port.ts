import { type Field, field, servePort } from '@loadbearing/harness/conformance'
import { Circuit, type CircuitSettings, circuitSettings, Permit, presets } from '@loadbearing/hystrix-breaker'

const presetNames = ['hystrix', 'resilience4j', 'polly', 'opossum', 'envoyOutlier'] as const
const actions = [
  'acquire',
  'success',
  'failure',
  'ignore',
  'force-open',
  'force-closed',
  'disable',
  'reset',
] as const

await servePort({ trace })

function trace(command: object): object {
  const circuit = new Circuit(settingsOf(command))
  const calls = new Map<string, Permit>()
  // Acquires without a name, which settle in their order.
  const unnamed: Permit[] = []
  let latest = 0
  const step = (event: Field): object => {
    const at = event.field('at').integer({ min: latest })
    latest = at
    const action = event.field('do').oneOf(actions)
    switch (action) {
      case 'acquire': {
        const answer = circuit.acquire(at)
        const call = event.field('call').optional(nameOf)
        if (call !== undefined) calls.delete(call)
        if (answer instanceof Permit) {
          if (call === undefined) unnamed.push(answer)
          else calls.set(call, answer)
        }
        return { state: circuit.state(at), permitted: answer instanceof Permit }
      }
      case 'force-open':
        circuit.force('forced-open', at)
        break
      case 'force-closed':
        circuit.force('forced-closed', at)
        break
      case 'disable':
        circuit.force('disabled', at)
        break
      case 'reset':
        circuit.reset(at)
        break
      default: {
        const call = event.field('call').optional(nameOf)
        const permit = call === undefined ? unnamed.shift() : calls.get(call)
        const duration = event.field('duration').optional((ms) => ms.integer({ min: 0 }))
        if (permit !== undefined) circuit.settle(permit, action, at, duration)
      }
    }
    return { state: circuit.state(at) }
  }
  return { steps: field(command, 'events').list(step) }
}

function settingsOf(command: object): CircuitSettings {
  const preset = field(command, 'preset').optional((name) => name.oneOf(presetNames))
  const options = field(command, 'options').optional((given) => given.record((option) => option.value)) ?? {}
  return preset === undefined ? circuitSettings(options) : presets[preset](options)
}

function nameOf(call: Field): string {
  return String(typeof call.value === 'number' ? call.integer() : call.string())
}
