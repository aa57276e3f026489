import type { Breaker } from '../breaker.ts'
import type { Emitter } from '../emitter.ts'
import { ResilienceError } from '../errors.ts'
import type { Clock } from '../ports.ts'
import type { RedisPort } from './redis-client.ts'
import type { RedisSharedEvents } from './redis-events.ts'
import type { CircuitKeys } from './redis-key.ts'
import { type Exchange, FleetMember, type FleetRecord, leaseUse } from './redis-member.ts'
import { exchangeArguments, readAnswer } from './redis-script.ts'

/** What all circuits of one {@link RedisShared} have in common. */
export interface LinkSettings {
  readonly port: RedisPort
  readonly clock: Clock
  readonly channel: string
  readonly member: string
  readonly quorum: number
  readonly syncEvery: number
  readonly timeout: number
  readonly emitter: Emitter<RedisSharedEvents>
}

/** How long a lease is renewed for where the circuit gives its probes no end. */
const endlessProbe = 60_000

/**
 * Carries the exchanges of one circuit, one at a time: while Redis owes an answer nothing more is sent, so a client
 * that queues commands holds at most one for each circuit.
 */
export class RedisLink {
  readonly keys: CircuitKeys
  readonly #breaker: Breaker
  readonly #settings: LinkSettings
  readonly #member: FleetMember
  readonly #stopListening: () => void
  #contact: 'never' | 'linked' | 'lost' = 'never'
  #wasLinked = false
  /** While exchanges go on. */
  #pumping: Promise<void> | undefined
  #left = false
  /** Redis time less the breaker's monotonic time, in milliseconds. */
  #offset: number | undefined

  constructor(breaker: Breaker, keys: CircuitKeys, settings: LinkSettings) {
    const { emitter, quorum, syncEvery } = settings
    const { name } = breaker
    this.keys = keys
    this.#breaker = breaker
    this.#settings = settings
    const change = ({ generation, waitLeft }: FleetRecord) => ({ name, generation, wait: waitLeft })
    this.#member = new FleetMember(
      breaker.circuit,
      { circuit: breaker.settings.circuit, quorum, syncEvery },
      {
        opened: (record) => emitter.emit('openedByFleet', () => change(record)),
        closed: (record) => emitter.emit('closedByFleet', () => change(record)),
        // Not at once: a call may be asking the circuit right now.
        wake: () => queueMicrotask(() => this.#pump()),
      },
    )
    this.#stopListening = breaker.on('stateChange', (transition) => this.#member.changed(transition))
  }

  sync(): void {
    this.#member.sync()
  }

  heard(record: FleetRecord): void {
    if (!this.#left) this.#member.heard(record, this.#now())
  }

  /** Takes vote and lease back, where Redis answers in time. The circuit decides alone from now on. */
  async leave(): Promise<void> {
    if (this.#left) return
    this.#left = true
    this.#stopListening()
    const last = this.#member.leave(this.#now())
    if (this.#contact !== 'linked') return
    const { clock, timeout } = this.#settings
    let timer: unknown
    const late = new Promise<void>((resolve) => {
      timer = clock.setTimeout(resolve, timeout)
    })
    const told = (this.#pumping ?? Promise.resolve()).then(() => this.#send(last, this.#now()))
    // Nothing is lost without it: what is left behind in Redis ends by itself.
    await Promise.race([told.catch(() => {}), late])
    clock.clearTimeout(timer)
  }

  #pump(): void {
    this.#pumping ??= this.#exchangeAll().finally(() => {
      this.#pumping = undefined
    })
  }

  async #exchangeAll(): Promise<void> {
    while (this.#member.due && !this.#left) await this.#exchange()
  }

  async #exchange(): Promise<void> {
    const { clock, timeout } = this.#settings
    const sentAt = this.#now()
    const asked = this.#member.exchange(sentAt)
    const timer = clock.setTimeout(() => this.#lost(this.#timeoutError()), timeout)
    try {
      const answer = readAnswer(await this.#send(asked, sentAt))
      if (this.#left) return
      if (answer === undefined) throw new TypeError('Redis answered what the script cannot have answered')
      const now = this.#now()
      this.#offset = answer.at - now
      this.#member.answered(asked, sentAt, answer, now)
      this.#linked(answer.record)
      // It did not come late by our clock: that of Redis was set.
      if (!answer.judged && now - sentAt < timeout) this.#member.sync()
    } catch (error) {
      this.#lost(error)
    } finally {
      clock.clearTimeout(timer)
    }
  }

  #send(exchange: Exchange, sentAt: number): Promise<unknown> {
    const { port, channel, member, quorum, syncEvery, timeout } = this.#settings
    const { probeTimeout } = this.#breaker.settings.circuit
    const args = exchangeArguments(exchange, {
      member,
      channel,
      tag: this.keys.tag,
      quorum,
      leaseTtl: Math.ceil(
        leaseUse({ syncEvery }) + (Number.isFinite(probeTimeout) ? probeTimeout : endlessProbe),
      ),
      reportTtl: Math.ceil(4 * syncEvery),
      deadline: this.#offset === undefined ? 0 : Math.ceil(this.#offset + sentAt + timeout),
    })
    return port.exchange([...this.keys.keys], args)
  }

  #linked({ state, generation }: FleetRecord): void {
    const before = this.#contact
    this.#contact = 'linked'
    if (before === 'linked') return
    const event = this.#wasLinked ? 'recovered' : 'joined'
    this.#wasLinked = true
    this.#settings.emitter.emit(event, () => ({ name: this.#breaker.name, state, generation }))
  }

  #lost(error: unknown): void {
    if (this.#left || this.#contact === 'lost') return
    this.#contact = 'lost'
    this.#member.lost()
    this.#settings.emitter.emit('lost', () => ({ name: this.#breaker.name, error }))
  }

  #timeoutError(): ResilienceError {
    const { name } = this.#breaker
    return new ResilienceError(
      'TIMEOUT',
      `${name}: Redis did not answer within ${this.#settings.timeout} ms; the circuit decides alone until it does`,
    )
  }

  #now(): number {
    return this.#breaker.settings.clock.monotonic()
  }
}
