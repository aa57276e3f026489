import { type Field, field, servePort } from '@loadbearing/harness/conformance'
import {
  AimdLimit,
  Circuit,
  type CircuitSettings,
  type ConcurrencyLimit,
  circuitSettings,
  Gradient2Limit,
  Permit,
  percentile,
  presets,
  RetryBudget,
  Throttle,
  VegasLimit,
} from '@loadbearing/hystrix-breaker'
import { commandCalls } from './command-port.ts'

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

// The middle of the jitter, so that the same samples give the same limits.
const middle = { next: () => 0.5 }

await servePort({ trace, command: commandCalls, percentile: percentiles, throttle, budget, limit })

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
      case 'success':
      case 'failure':
      case 'ignore': {
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
  const options = optionsOf(command)
  return preset === undefined ? circuitSettings(options) : presets[preset](options)
}

function nameOf(call: Field): string {
  return String(typeof call.value === 'number' ? call.integer() : call.string())
}

function optionsOf(command: object): Record<string, unknown> {
  return field(command, 'options').optional((options) => options.record((option) => option.value)) ?? {}
}

function percentiles(command: object): object {
  const sorted = field(command, 'values')
    .list((value) => value.integer())
    .toSorted((a, b) => a - b)
  return { values: field(command, 'of').list((percent) => percentile(sorted, percent.number())) }
}

// Operations in the order of time, each put to `apply`.
function inOrder<T>(command: object, name: string, apply: (operation: Field, at: number) => T): T[] {
  let latest = 0
  return field(command, name).list((operation) => {
    latest = operation.field('at').integer({ min: latest })
    return apply(operation, latest)
  })
}

function throttle(command: object): object {
  const one = new Throttle(fieldsOf(command, ['k', 'window']))
  const p = inOrder(command, 'ops', (operation, at) => {
    if (operation.field('do').oneOf(['request', 'accept']) === 'request') one.request(at)
    else one.accept(at)
    return one.rejection(at)
  })
  return { p }
}

function budget(command: object): object {
  const one = new RetryBudget(fieldsOf(command, ['ttl', 'min', 'ratio']))
  const granted: boolean[] = []
  inOrder(command, 'ops', (operation, at) => {
    if (operation.field('do').oneOf(['deposit', 'withdraw']) === 'deposit') one.deposit(at)
    else granted.push(one.withdraw(at))
  })
  return { granted }
}

function fieldsOf(command: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(
    names.map((name) => [name, field(command, name).value]).filter(([, value]) => value !== undefined),
  )
}

function limit(command: object): object {
  const one = limitOf(field(command, 'kind').oneOf(['gradient2', 'vegas', 'aimd']), optionsOf(command))
  const limits = inOrder(command, 'samples', (sample) =>
    one.sample({
      rtt: sample.field('rtt').integer(),
      inflight: sample.field('inflight').integer({ min: 0 }),
      dropped: sample.field('dropped').optional((dropped) => dropped.boolean()) ?? false,
    }),
  )
  return { limits }
}

function limitOf(kind: 'gradient2' | 'vegas' | 'aimd', options: Record<string, unknown>): ConcurrencyLimit {
  if (kind === 'vegas') return new VegasLimit(options, middle)
  return kind === 'aimd' ? new AimdLimit(options) : new Gradient2Limit(options)
}
