import type { Circuit } from '../circuit.ts'
import type { Transition } from '../circuit-observer.ts'
import { reached } from '../judge.ts'
import type { CircuitSettings } from '../settings.ts'

/** The state that a fleet shares. `generation` 0 is that of a fleet which never opened. */
export interface FleetRecord {
  readonly generation: number
  readonly state: 'closed' | 'open'
  /** Milliseconds that it stays open yet. */
  readonly waitLeft: number
  /** How often in a row it has opened. */
  readonly attempt: number
}

/** What a member saw itself: a vote where `open`, else its window. */
export interface Report {
  readonly open: boolean
  /** Its own rates reach a threshold, whatever the volume. */
  readonly bad: boolean
  readonly total: number
  readonly failures: number
  readonly slow: number
}

/**
 * What a member wants changed: the probe lease or its return, the circuit opened (the sum of the windows says so) or
 * opened again (its probe failed), closed (its probe succeeded) or reset, itself forgotten.
 */
export type Proposal = 'none' | 'lease' | 'release' | 'open' | 'reopen' | 'closed' | 'reset' | 'leave'

/** One question to Redis. It may be lost, and come late or twice. */
export interface Exchange {
  readonly known: FleetRecord
  readonly report: Report
  readonly proposal: Proposal
  /** Whether the lease is the member's own: one that it could not make longer in time may be another's by now. */
  readonly holds: boolean
  /** How long the circuit stays open if it opens by this, in whole milliseconds. */
  readonly wait: number
}

/** What Redis holds after an exchange. */
export interface Answer {
  readonly record: FleetRecord
  /** False where the question came too late to be acted upon. */
  readonly judged: boolean
  readonly lease: boolean
  /** Whether another member asked for the lease in vain. */
  readonly wanted: boolean
  /** How often in this generation the lease went on unused. */
  readonly handovers: number
  /** The fresh reports together, where the member's own was bad; `bad` counts the members. */
  readonly sum: {
    readonly bad: number
    readonly total: number
    readonly failures: number
    readonly slow: number
  }
}

export interface MemberSettings {
  readonly circuit: CircuitSettings
  /** Open members that open the fleet. */
  readonly quorum: number
  /** Milliseconds between two exchanges without a reason. */
  readonly syncEvery: number
}

/** Told after the local circuit has followed. */
export interface MemberObserver {
  opened?(record: FleetRecord): void
  closed?(record: FleetRecord): void
  /** There is something to tell Redis: {@link FleetMember.exchange}. */
  wake?(): void
}

interface Lease {
  readonly since: number
  /** When its last probe may begin: it lives on in Redis until that one's own lease is over. */
  readonly until: number
}

const quiet: Report = { open: false, bad: false, total: 0, failures: 0, slow: 0 }

/** Milliseconds after the sending of a request within which a lease that it got may be used. */
export function leaseUse({ syncEvery }: Pick<MemberSettings, 'syncEvery'>): number {
  return 4 * syncEvery
}

/**
 * One circuit's part in its fleet: what a shared message does to it, and what it has to tell. It knows no clock and no
 * Redis. What is to be told follows from the state as it is, not from a queue of events: an exchange that was lost is
 * made up for by the next one.
 *
 * Without a link the circuit decides alone, with its own probes.
 */
export class FleetMember {
  readonly #circuit: Circuit
  readonly #settings: MemberSettings
  readonly #observer: MemberObserver
  #generation = 0
  #state: FleetRecord['state'] = 'closed'
  #openUntil = 0
  #attempt = 0
  #linked = false
  #due = true
  #lease: Lease | undefined
  /** Redis knows that this circuit is open. */
  #voted = false
  /** A call came after the wait, and there was no lease. */
  #wantsLease = false
  /** Another one holds the lease: no use to ask before something happens. */
  #leaseTaken = false
  #yields = false
  #probeFailed = false
  #sumReached = false
  #healed: 'closed' | 'reset' | undefined

  constructor(circuit: Circuit, settings: MemberSettings, observer: MemberObserver = {}) {
    this.#circuit = circuit
    this.#settings = settings
    this.#observer = observer
    circuit.gateProbes((now) => this.#mayProbe(now))
  }

  /** Whether there is something to tell before the next regular exchange. */
  get due(): boolean {
    return this.#due
  }

  /** The time for a regular exchange has come. */
  sync(): void {
    this.#leaseTaken = false
    this.#wake()
  }

  /** The local circuit has changed its state. */
  changed({ from, to, reason }: Transition): void {
    if (to === 'closed') this.#voted = false
    if (reason === 'fleet' || to === 'half-open') return
    const known = this.#state === 'open'
    this.#probeFailed = known && from === 'half-open' && to === 'open' && this.#lease !== undefined
    this.#healed = undefined
    if (known && reason === 'reset') this.#healed = 'reset'
    else if (known && from === 'half-open' && to === 'closed') this.#healed = 'closed'
    this.#wake()
  }

  /** What to ask of Redis now. */
  exchange(now: number): Exchange {
    this.#due = false
    const proposal = this.#proposal(now)
    const holds = this.#lease !== undefined && now < this.#lease.until
    // At once: no probe may begin while it is on its way back.
    if (proposal === 'release') this.#lease = undefined
    const report = this.#report(now)
    const opens = report.open || proposal === 'open' || proposal === 'reopen'
    const attempt = this.#state === 'open' ? this.#attempt + 1 : 1
    return {
      known: {
        generation: this.#generation,
        state: this.#state,
        waitLeft: this.#state === 'open' ? Math.max(0, this.#openUntil - now) : 0,
        attempt: this.#attempt,
      },
      report,
      proposal,
      holds,
      wait: opens ? Math.ceil(this.#settings.circuit.openFor(attempt)) : 0,
    }
  }

  /** What an exchange sent at `sentAt` was answered. */
  answered(sent: Exchange, sentAt: number, answer: Answer, now: number): void {
    this.#linked = true
    this.#adopt(answer.record, now)
    const { generation, waitLeft, attempt } = answer.record
    if (generation !== this.#generation || sent.known.generation !== generation || !answer.judged) return
    if (this.#state === 'closed') this.#judge(sent, answer)
    else {
      this.#takeLease(sent, sentAt, answer, now)
      this.#follow(sent, waitLeft, attempt, now)
    }
  }

  /** A record of the fleet, in any order and any number of times. */
  heard(record: FleetRecord, now: number): void {
    if (record.generation === this.#generation) {
      // The lease was given back.
      this.#leaseTaken = false
      if (this.#wantsLease) this.#wake()
    } else this.#adopt(record, now)
  }

  /** Redis did not answer in time: from now on the circuit decides alone. */
  lost(): void {
    this.#linked = false
  }

  /** What to ask of Redis at the end. The circuit decides alone again. */
  leave(now: number): Exchange {
    this.#circuit.gateProbes(undefined)
    return { ...this.exchange(now), report: quiet, proposal: 'leave', wait: 0 }
  }

  #adopt(record: FleetRecord, now: number): void {
    if (record.generation <= this.#generation) return
    this.#generation = record.generation
    this.#state = record.state
    this.#openUntil = now + record.waitLeft
    this.#attempt = record.attempt
    this.#lease = undefined
    this.#voted = false
    this.#wantsLease = false
    this.#leaseTaken = false
    this.#yields = false
    this.#probeFailed = false
    this.#sumReached = false
    this.#healed = undefined
    if (record.state === 'open') {
      this.#circuit.openWithFleet(record.waitLeft, record.attempt, now)
      this.#observer.opened?.(record)
    } else {
      this.#circuit.closeWithFleet(now)
      this.#observer.closed?.(record)
    }
  }

  #mayProbe(now: number): boolean {
    if (!this.#linked) return true
    // Until its vote is answered, the fleet may be open already.
    if (this.#state === 'closed') return this.#voted
    if (this.#probeFailed) return false
    if (this.#lease !== undefined && now < this.#lease.until) return true
    this.#wantsLease = true
    if (!this.#leaseTaken) this.#wake()
    return false
  }

  #proposal(now: number): Proposal {
    if (this.#state === 'closed') return this.#sumReached ? 'open' : 'none'
    if (this.#healed !== undefined) return this.#healed
    const state = this.#circuit.state(now)
    if (state !== 'open' && state !== 'half-open') return this.#lease === undefined ? 'none' : 'release'
    if (this.#probeFailed) return 'reopen'
    if (this.#lease === undefined) return this.#wantsLease ? 'lease' : 'none'
    return this.#yields && this.#circuit.probesOut(now) === 0 ? 'release' : 'lease'
  }

  #report(now: number): Report {
    const state = this.#circuit.state(now)
    if (state === 'open' || state === 'half-open') return { ...quiet, open: true }
    if (state !== 'closed') return quiet
    const counts = this.#circuit.counts(now)
    return { open: false, bad: reached(this.#settings.circuit, counts, 1) !== undefined, ...counts }
  }

  #judge(sent: Exchange, { sum }: Answer): void {
    if (sent.report.open) this.#voted = true
    const { circuit, quorum } = this.#settings
    const { window, volumeThreshold } = circuit
    const volume = window?.type === 'count' ? Math.min(volumeThreshold, window.size) : volumeThreshold
    this.#sumReached =
      sent.proposal !== 'open' && sum.bad >= quorum && reached(circuit, sum, volume) !== undefined
    if (this.#sumReached) this.#wake()
  }

  #takeLease(sent: Exchange, sentAt: number, answer: Answer, now: number): void {
    if (!answer.lease) {
      this.#leaseTaken = sent.proposal === 'lease' && answer.record.waitLeft === 0
      this.#lease = undefined
      this.#yields = false
      return
    }
    // Only an exchange that asked has made it longer.
    if (sent.proposal !== 'lease') return
    const since = this.#lease?.since ?? now
    // As of the sending: Redis counts from later on, so that its lease outlives the last probe.
    this.#lease = { since, until: sentAt + leaseUse(this.#settings) }
    this.#wantsLease = false
    // Longer each time: of members that all call rarely, one has it in the end when its call comes.
    const held = this.#settings.syncEvery * 2 ** Math.min(answer.handovers, 20)
    this.#yields = answer.wanted && this.#circuit.probesOut(now) === 0 && now - since >= held
  }

  // The record did not move. What happened here since the sending goes first.
  #follow(sent: Exchange, waitLeft: number, attempt: number, now: number): void {
    if (this.#due) return
    const state = this.#circuit.state(now)
    if (
      state === 'open' ||
      (state === 'closed' && (this.#healed === undefined || sent.proposal === this.#healed))
    ) {
      this.#healed = undefined
      this.#probeFailed = false
      this.#circuit.openWithFleet(waitLeft, attempt, now)
    }
  }

  #wake(): void {
    this.#due = true
    this.#observer.wake?.()
  }
}
