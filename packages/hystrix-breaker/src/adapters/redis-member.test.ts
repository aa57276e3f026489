import { describe, expect, test } from 'vitest'
import { Circuit } from '../circuit.ts'
import { type CircuitOptions, circuitSettings } from '../circuit-options.ts'
import { Permit } from '../permit.ts'
import { type Answer, type Exchange, FleetMember, type FleetRecord } from './redis-member.ts'

const closed: FleetRecord = { generation: 0, state: 'closed', waitLeft: 0, attempt: 0 }
const open: FleetRecord = { generation: 10, state: 'open', waitLeft: 100, attempt: 1 }

/** A member, its circuit and its time; exchanges are answered by hand. */
class Bench {
  now = 0
  woken = 0
  readonly told: string[] = []
  readonly circuit: Circuit
  readonly member: FleetMember

  constructor(options: CircuitOptions = {}, quorum = 2) {
    const circuit = circuitSettings({ volumeThreshold: 1, sleepWindow: 100, probeTimeout: 80, ...options })
    this.circuit = new Circuit(circuit, { transition: (each) => this.member.changed(each) })
    this.member = new FleetMember(
      this.circuit,
      { circuit, quorum, syncEvery: 50 },
      {
        opened: ({ generation }) => this.told.push(`opened ${generation}`),
        closed: ({ generation }) => this.told.push(`closed ${generation}`),
        wake: () => this.woken++,
      },
    )
  }

  get state(): string {
    return this.circuit.state(this.now)
  }

  exchange(answer: Partial<Answer> = {}, took = 0): Exchange {
    const sentAt = this.now
    const sent = this.member.exchange(sentAt)
    this.now += took
    this.answer(sent, sentAt, answer)
    return sent
  }

  answer(sent: Exchange, sentAt: number, answer: Partial<Answer> = {}): void {
    const sum = { bad: 0, total: 0, failures: 0, slow: 0 }
    const nothing = { record: closed, judged: true, lease: false, wanted: false, handovers: 0, sum }
    this.member.answered(sent, sentAt, { ...nothing, ...answer }, this.now)
  }

  acquire(): Permit | undefined {
    const answer = this.circuit.acquire(this.now)
    return answer instanceof Permit ? answer : undefined
  }

  call(outcome: 'success' | 'failure' | 'ignore'): void {
    const permit = this.acquire()
    if (permit === undefined) throw new Error('refused')
    this.circuit.settle(permit, outcome, this.now)
  }

  /** Open with its fleet, the wait over, and the lease granted. */
  static leased(): Bench {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.now = 100
    bench.acquire()
    bench.exchange({ record: { ...open, waitLeft: 0 }, lease: true })
    return bench
  }
}

const over: FleetRecord = { ...open, waitLeft: 0 }

describe('a vote', () => {
  test('goes out when the circuit opens, with the wait that its opening would have', () => {
    const bench = new Bench({ sleepWindow: (attempt) => attempt * 70.2 })
    bench.exchange()
    bench.call('failure')
    expect([bench.woken, bench.member.due]).toEqual([1, true])
    expect(bench.member.exchange(0)).toMatchObject({ proposal: 'none', report: { open: true }, wait: 71 })
  })

  test('without an answer yet the circuit does not probe; with one it may, alone', () => {
    const bench = new Bench()
    bench.exchange()
    bench.call('failure')
    bench.now = 100
    expect(bench.acquire()).toBe(undefined)
    bench.exchange()
    expect(bench.acquire()?.kind).toBe('probe')
  })

  test('of a window, while closed: rates alone make it bad, not the volume', () => {
    const bench = new Bench({ volumeThreshold: 20 })
    bench.call('failure')
    bench.call('success')
    expect(bench.member.exchange(0).report).toEqual({
      open: false,
      bad: true,
      total: 2,
      failures: 1,
      slow: 0,
    })
  })

  test.each(['forced-open', 'forced-closed', 'disabled'] as const)(
    'of a circuit that is %s: none',
    (state) => {
      const bench = new Bench()
      bench.circuit.force(state, 0)
      expect(bench.member.exchange(0).report).toMatchObject({ open: false, total: 0 })
    },
  )
})

describe('the sum of the windows', () => {
  const reached = { bad: 2, total: 20, failures: 10, slow: 0 }
  test.each([
    ['reaches volume and rate, a quorum its rate', reached, 'open'],
    ['is too small', { ...reached, total: 19 }, 'none'],
    ['has too few failures', { ...reached, failures: 9 }, 'none'],
    ['is of one bad member', { ...reached, bad: 1 }, 'none'],
  ])('%s', (_, sum, proposal) => {
    const bench = new Bench({ volumeThreshold: 20 })
    bench.call('failure')
    bench.exchange({ sum })
    expect(bench.member.exchange(0)).toMatchObject({ proposal, wait: proposal === 'open' ? 100 : 0 })
  })
})

describe('a record', () => {
  test('later than what is known is followed, the same and an older one are not', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    expect(bench.state).toBe('open')
    bench.member.heard({ ...open, generation: 9, state: 'closed' }, 0)
    bench.member.heard(open, 50)
    expect(bench.circuit.acquire(99)).toEqual({ state: 'open', retryAfter: 1 })
    bench.member.heard({ ...closed, generation: 11 }, 60)
    expect(bench.state).toBe('closed')
    expect(bench.told).toEqual(['opened 10', 'closed 11'])
  })

  test('that Redis has forgotten is brought along, with the wait that is left', () => {
    const bench = new Bench()
    bench.member.heard(open, 0)
    expect(bench.member.exchange(30).known).toEqual({ ...open, waitLeft: 70 })
    expect(bench.member.exchange(300).known).toEqual({ ...open, waitLeft: 0 })
  })
})

describe('the lease', () => {
  test('is asked for by the first call after the wait, which is refused; then one probe goes', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.now = 99
    bench.acquire()
    expect(bench.member.exchange(99).proposal).toBe('none')
    bench.now = 100
    expect(bench.acquire()).toBe(undefined)
    expect(bench.exchange({ record: over, lease: true }).proposal).toBe('lease')
    expect(bench.acquire()?.kind).toBe('probe')
    expect(bench.acquire()).toBe(undefined)
  })

  test('of another one: asked for again with the next regular exchange, or when something is heard', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.now = 100
    bench.acquire()
    bench.exchange({ record: over })
    bench.acquire()
    expect(bench.member.due).toBe(false)
    bench.member.heard(over, 100)
    expect(bench.member.exchange(100).proposal).toBe('lease')
  })

  test('that Redis still has in its name, but that it did not ask for again, is not used', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.now = 100
    bench.exchange({ record: over, lease: true })
    expect(bench.acquire()).toBe(undefined)
  })

  test('may be used for four exchanges after the sending, however late its answer', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.now = 100
    bench.acquire()
    bench.exchange({ record: over, lease: true }, 150)
    bench.now = 299
    const probe = bench.acquire()
    expect(probe?.kind).toBe('probe')
    if (probe !== undefined) bench.circuit.settle(probe, 'ignore', 299)
    bench.now = 300
    expect(bench.acquire()).toBe(undefined)
  })

  // Else two would probe where Redis forgot the lease of the one that has it by now.
  test('that could not be made longer in time is not said to be its own', () => {
    const bench = Bench.leased()
    expect(bench.member.exchange(299).holds).toBe(true)
    expect(bench.member.exchange(300).holds).toBe(false)
  })

  test('is kept up while unused, and given back before it is told', () => {
    const bench = Bench.leased()
    bench.now = 150
    bench.member.sync()
    expect(bench.exchange({ record: over, lease: true, wanted: true }).proposal).toBe('lease')
    bench.member.sync()
    expect(bench.member.exchange(150)).toMatchObject({ proposal: 'release', holds: true })
    expect(bench.acquire()).toBe(undefined)
  })

  test('is not given back while its probe is out', () => {
    const bench = Bench.leased()
    bench.now = 150
    bench.exchange({ record: over, lease: true, wanted: true })
    bench.acquire()
    expect(bench.member.exchange(150).proposal).toBe('lease')
  })

  test.each([
    [0, 50],
    [1, 100],
    [3, 400],
  ])('that went on unused %i times is kept for %i ms', (handovers, held) => {
    const bench = Bench.leased()
    const proposals: string[] = []
    for (const after of [held - 1, held]) {
      bench.now = 100 + after
      bench.exchange({ record: over, lease: true, wanted: true, handovers })
      proposals.push(bench.member.exchange(bench.now).proposal)
    }
    expect(proposals).toEqual(['lease', 'release'])
  })
})

describe('a probe', () => {
  test('that succeeds closes the fleet', () => {
    const bench = Bench.leased()
    bench.call('success')
    expect(bench.exchange({ record: { ...closed, generation: 11 } }).proposal).toBe('closed')
    expect([bench.state, bench.told.at(-1)]).toEqual(['closed', 'closed 11'])
  })

  test('that succeeds while another one has the lease by now does not', () => {
    const bench = Bench.leased()
    bench.call('success')
    bench.exchange({ record: over })
    expect(bench.state).toBe('open')
  })

  test('that fails reopens the fleet for the next wait, and no other one goes meanwhile', () => {
    const bench = Bench.leased()
    bench.call('failure')
    bench.now = 290
    expect(bench.acquire()).toBe(undefined)
    expect(bench.exchange({ record: { ...open, generation: 11, attempt: 2 } })).toMatchObject({
      proposal: 'reopen',
      wait: 100,
    })
    expect(bench.circuit.acquire(389)).toEqual({ state: 'open', retryAfter: 1 })
  })

  test('that ends while an exchange is out goes before its answer', () => {
    const bench = Bench.leased()
    const probe = bench.acquire()
    const sent = bench.member.exchange(100)
    if (probe !== undefined) bench.circuit.settle(probe, 'success', 100)
    bench.answer(sent, 100, { record: over, lease: true })
    expect(bench.state).toBe('closed')
    expect(bench.member.exchange(100).proposal).toBe('closed')
  })
})

describe('without Redis', () => {
  test('the circuit probes alone, and closes the fleet with what it found', () => {
    const bench = new Bench()
    bench.exchange()
    bench.member.heard(open, 0)
    bench.member.lost()
    bench.now = 100
    bench.call('success')
    expect(bench.state).toBe('closed')
    expect(bench.exchange({ record: { ...closed, generation: 11 } }).proposal).toBe('closed')
  })

  test('an answer that was too late for Redis changes nothing here', () => {
    const bench = new Bench()
    bench.member.heard(open, 0)
    bench.now = 100
    bench.circuit.reset(100)
    bench.exchange({ record: over, judged: false })
    expect(bench.state).toBe('closed')
    expect(bench.member.exchange(100).proposal).toBe('reset')
  })

  test('one that leaves takes all back and is asked no more', () => {
    const bench = Bench.leased()
    expect(bench.member.leave(100)).toMatchObject({ proposal: 'leave', report: { open: false }, holds: true })
    bench.now = 1000
    expect(bench.acquire()?.kind).toBe('probe')
  })
})

test('a circuit restored as closed has found nothing out: it opens again with its fleet', () => {
  const bench = new Bench()
  const snapshot = bench.circuit.snapshot(0)
  bench.member.heard(open, 0)
  bench.circuit.restore(snapshot, 10)
  expect(bench.exchange({ record: open }).proposal).toBe('none')
  expect(bench.state).toBe('open')
})
