import { EventEmitter } from 'node:events'
import type { Simulation } from '@loadbearing/harness'
import type { IoredisClient, IoredisSubscriber } from '@loadbearing/hystrix-breaker/redis'
import { ScriptModel } from './script-model.ts'

/** What becomes of commands and messages; each a probability of 0 to 1, delays in milliseconds. */
export interface Weather {
  readonly delay: number
  /** A request, or its answer, is lost, and the connection with it. */
  readonly loss: number
  /** A request is done twice: the client sent it again after its connection was lost. */
  readonly twice: number
  /** A published message is lost. */
  readonly deaf: number
}

export const fair: Weather = { delay: 3, loss: 0, twice: 0, deaf: 0 }

/** A Redis in virtual time with the script as its only command, and a network around it. */
export class SimulatedRedis {
  readonly model: ScriptModel
  weather: Weather = fair
  /** Commands that were sent. */
  sent = 0
  readonly #simulation: Simulation
  readonly #listeners = new Map<string, Set<(message: string) => void>>()
  readonly #cutOff = new Set<string>()
  #micros = 0
  #scripts = new Set<string>()

  constructor(simulation: Simulation) {
    const { clock, random } = simulation
    this.#simulation = simulation
    const micros = (): number => {
      this.#micros = Math.max(this.#micros + 1, clock.now() * 1000)
      return this.#micros
    }
    this.model = new ScriptModel(micros, (channel, message) => {
      for (const listener of this.#listeners.get(channel) ?? []) {
        const copies = random.boolean(this.weather.deaf) ? 0 : random.boolean(this.weather.twice) ? 2 : 1
        for (let copy = 0; copy < copies; copy++) clock.setTimeout(() => listener(message), this.#delay())
      }
    })
  }

  flushScripts(): void {
    this.#scripts.clear()
  }

  /** Takes one client's network away, or gives it back. */
  cutOff(name: string, yes: boolean): void {
    if (yes) this.#cutOff.add(name)
    else this.#cutOff.delete(name)
  }

  client(name: string): IoredisClient {
    const run = async (script: string, full: boolean, rest: readonly string[]): Promise<unknown> => {
      const { clock, random } = this.#simulation
      this.sent++
      await clock.sleep(this.#delay())
      if (this.#cutOff.has(name) || random.boolean(this.weather.loss))
        throw new Error('Connection is closed.')
      if (full) this.#scripts.add('known')
      else if (!this.#scripts.has('known')) throw new Error(`NOSCRIPT No matching script ${script}`)
      const [keys, args] = [rest.slice(0, 3), rest.slice(3)]
      if (random.boolean(this.weather.twice)) this.model.run(keys, args)
      const answer = this.model.run(keys, args)
      await clock.sleep(this.#delay())
      if (random.boolean(this.weather.loss)) throw new Error('Connection is closed.')
      return answer
    }
    return {
      evalsha: (sha, _, ...rest) => run(sha, false, rest),
      eval: (script, _, ...rest) => run(script, true, rest),
      duplicate: () => this.#subscriber(name),
    }
  }

  #subscriber(name: string): IoredisSubscriber {
    const subscriber = new EventEmitter()
    const subscribe = async (channel: string): Promise<void> => {
      const listeners = this.#listeners.get(channel) ?? new Set()
      this.#listeners.set(channel, listeners)
      listeners.add((message) => {
        if (!this.#cutOff.has(name)) subscriber.emit('message', channel, message)
      })
    }
    return Object.assign(subscriber, { subscribe, disconnect: () => void subscriber.removeAllListeners() })
  }

  #delay(): number {
    return this.#simulation.random.integer(1, this.weather.delay)
  }
}
