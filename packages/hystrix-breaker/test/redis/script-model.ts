/** The script of the shared circuit by its rules, on plain data and a clock that is given. */
export class ScriptModel {
  readonly #micros: () => number
  readonly #publish: (channel: string, message: string) => void
  #circuits = new Map<string, CircuitModel>()

  /** `micros` is the time of the server in whole microseconds since 1970. */
  constructor(micros: () => number, publish: (channel: string, message: string) => void) {
    this.#micros = micros
    this.#publish = publish
  }

  /** All data are gone, as of a server that comes back without its disk. */
  wipe(): void {
    this.#circuits = new Map()
  }

  record(key: string): { readonly generation: number; readonly state: string } {
    return this.#circuits.get(key)?.record ?? empty
  }

  run([key = '']: readonly string[], args: readonly string[]): string[] {
    const circuit = this.#circuits.get(key) ?? new CircuitModel()
    this.#circuits.set(key, circuit)
    const micros = this.#micros()
    const messages: string[] = []
    const answer = circuit.run(readArguments(args), micros, messages)
    for (const message of messages) this.#publish(args[1] ?? '', `${args[2]} ${message}`)
    return answer
  }
}

interface Arguments {
  readonly id: string
  readonly quorum: number
  readonly leaseTtl: number
  readonly reportTtl: number
  readonly deadline: number
  readonly known: { generation: number; state: string; wait: number; attempt: number }
  readonly open: boolean
  readonly bad: boolean
  readonly counts: { total: number; failures: number; slow: number }
  readonly proposal: string
  readonly holds: boolean
  readonly wait: number
}

interface Report {
  readonly at: number
  readonly open: boolean
  readonly bad: boolean
  readonly counts: Arguments['counts']
}

const empty = { generation: 0, state: 'closed', openedAt: 0, wait: 0, attempt: 0 }

class CircuitModel {
  record = empty
  #wanted = false
  #handovers = 0
  #reports = new Map<string, Report>()
  #lease: { readonly holder: string; readonly until: number } | undefined

  run(asked: Arguments, micros: number, messages: string[]): string[] {
    const now = Math.floor(micros / 1000)
    if (this.#lease !== undefined && this.#lease.until <= now) this.#lease = undefined
    let sum = { bad: 0, total: 0, failures: 0, slow: 0 }
    const judged = asked.deadline === 0 || now <= asked.deadline
    if (judged) {
      const { known, leaseTtl } = asked
      if (known.generation > this.record.generation) {
        this.#enter({ ...known, openedAt: now }, now, messages)
        if (known.state === 'open') this.#lease ??= { holder: 'restored', until: now + leaseTtl }
      }
      if (known.generation === this.record.generation) {
        if (this.record.state === 'closed') sum = this.#whileClosed(asked, micros, messages)
        else this.#whileOpen(asked, micros, messages)
      }
    }
    const { generation, state, attempt } = this.record
    const numbers = [generation, state, this.#waitLeft(now), attempt]
    const flags = [judged, this.#lease?.holder === asked.id, this.#wanted].map((each) => (each ? 1 : 0))
    const sums = [sum.bad, sum.total, sum.failures, sum.slow]
    return [now, ...flags, this.#handovers, ...numbers, ...sums].map(String)
  }

  #whileClosed(asked: Arguments, micros: number, messages: string[]): { bad: number } & Arguments['counts'] {
    const now = Math.floor(micros / 1000)
    const { id, open, bad, counts, reportTtl, quorum, proposal, wait } = asked
    if (!open && counts.total === 0) this.#reports.delete(id)
    else this.#reports.set(id, { at: now, open, bad, counts })
    const sum = { bad: 0, total: 0, failures: 0, slow: 0 }
    let opened = 0
    if (open || bad) {
      const fresh = [...this.#reports.values()].filter(({ at }) => now - at <= reportTtl)
      opened = fresh.filter((each) => each.open).length
      sum.bad = fresh.filter((each) => each.open || each.bad).length
      for (const each of fresh) {
        sum.total += each.counts.total
        sum.failures += each.counts.failures
        sum.slow += each.counts.slow
      }
    }
    if (opened >= quorum || proposal === 'open') this.#begin('open', wait, 1, micros, messages)
    return sum
  }

  #whileOpen({ id, proposal, holds, leaseTtl, wait }: Arguments, micros: number, messages: string[]): void {
    const now = Math.floor(micros / 1000)
    const holder = this.#lease?.holder
    const mayEnd = holder === undefined || holder === id || holder === 'restored'
    const grant = (): void => {
      this.#lease = { holder: id, until: now + leaseTtl }
    }
    if (proposal === 'reset' || (proposal === 'closed' && mayEnd))
      this.#begin('closed', 0, 0, micros, messages)
    else if (proposal === 'reopen' && mayEnd)
      this.#begin('open', wait, this.record.attempt + 1, micros, messages)
    else if (proposal === 'lease') {
      if (holder === id || (holder === 'restored' && holds)) grant()
      else if (this.#waitLeft(now) === 0 && holder === undefined) grant()
      else if (this.#waitLeft(now) === 0) this.#wanted = true
    } else if (holder === id && (proposal === 'release' || proposal === 'leave')) {
      this.#lease = undefined
      this.#wanted = false
      this.#handovers++
      this.#tell(now, messages)
    }
  }

  #begin(state: string, wait: number, attempt: number, micros: number, messages: string[]): void {
    const now = Math.floor(micros / 1000)
    this.#lease = undefined
    const generation = Math.max(micros, this.record.generation + 1)
    this.#enter({ generation, state, openedAt: now, wait, attempt }, now, messages)
  }

  #enter(record: CircuitModel['record'], now: number, messages: string[]): void {
    this.record = record
    this.#wanted = false
    this.#handovers = 0
    this.#reports = new Map()
    this.#tell(now, messages)
  }

  #tell(now: number, messages: string[]): void {
    const { generation, state, attempt } = this.record
    messages.push(`${generation} ${state} ${this.#waitLeft(now)} ${attempt}`)
  }

  #waitLeft(now: number): number {
    const { state, openedAt, wait } = this.record
    return state === 'open' ? Math.max(0, Math.min(wait, openedAt + wait - now)) : 0
  }
}

function readArguments(args: readonly string[]): Arguments {
  const number = (at: number): number => Number(args[at])
  return {
    id: args[0] ?? '',
    quorum: number(3),
    leaseTtl: number(4),
    reportTtl: number(5),
    deadline: number(6),
    known: { generation: number(7), state: args[8] ?? '', wait: number(9), attempt: number(10) },
    open: args[11] === '1',
    bad: args[12] === '1',
    counts: { total: number(13), failures: number(14), slow: number(15) },
    proposal: args[16] ?? '',
    holds: args[17] === '1',
    wait: number(18),
  }
}
