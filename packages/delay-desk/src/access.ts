import { readFile } from 'node:fs/promises'
import { openZanzibar, type Token, type Zanzibar, type ZanzibarWrite } from '@loadbearing/zanzibar'
import { keyOf } from './assignment.ts'
import { type Action, DecisionLog, type Decisions } from './decisions.ts'
import { inTurn, momentOf, type Roster } from './roster.ts'

const TUPLES_A_WRITE = 5_000
/** An auditor looks into each of so many claims. */
const AUDITED = 100

/** Who may do what, by zanzibar, in the process of a worker. Each answer is written down. */
export class Access implements AsyncDisposable {
  readonly #zanzibar: Zanzibar
  readonly #roster: Roster
  readonly #log: DecisionLog = new DecisionLog()
  readonly #seenBy = new Map<number, number>()
  /** The last write that an answer must know of. */
  #token: Token

  private constructor(zanzibar: Zanzibar, roster: Roster, token: Token) {
    this.#zanzibar = zanzibar
    this.#roster = roster
    this.#token = token
  }

  static async open(roster: Roster): Promise<Access> {
    const zanzibar = await openZanzibar({ model: await accessModel() })
    let token = ''
    for (let from = 0; from < roster.tuples.length; from += TUPLES_A_WRITE) {
      const add = roster.tuples.slice(from, from + TUPLES_A_WRITE)
      token = (await zanzibar.write({ add })).token
    }
    return new Access(zanzibar, roster, token)
  }

  /**
   * Files claims at the airports where their flights began, and gives each to somebody who may see it.
   *
   * @throws where nobody may
   */
  async see(claims: Uint32Array, origins: Uint16Array): Promise<void> {
    const { supervisors, auditors, airports, day } = this.#roster
    // What a batch has left that failed.
    this.#log.take()
    this.#seenBy.clear()
    const filed = [...claims].flatMap((claim, at) => {
      const airport = airports.get(origins[at] ?? 0)
      return airport === undefined ? [] : [{ claim, ...airport }]
    })
    await this.#write(filed.map(({ claim, object }) => [object, 'airport', keyOf(claim)] as const))
    for (const { claim, agents } of filed) {
      const asked = [...inTurn(agents, day, claim), ...inTurn(supervisors, day, claim)]
      this.#seenBy.set(claim, this.#firstWhoMay('see', claim, asked))
      if (claim % AUDITED === 0 && auditors.length > 0) this.#firstWhoMay('see', claim, auditors)
    }
  }

  /**
   * Has each award approved by who has seen the claim, or else by a supervisor, and then given to somebody else to pay.
   *
   * @throws where nobody may
   */
  async approve(awards: readonly { readonly claim: number; readonly amount: number }[]): Promise<void> {
    const { people, supervisors, clerks, day } = this.#roster
    const approved = awards.map(({ claim, amount }) => {
      const first = this.#seenBy.get(claim)
      const others = inTurn(supervisors, day, claim).filter((person) => person !== first)
      const asked = first === undefined ? others : [first, ...others]
      return [
        people[this.#firstWhoMay('approve', claim, asked, amount)] ?? '',
        'approved_by',
        keyOf(claim),
      ] as const
    })
    await this.#write(approved)
    for (const { claim } of awards) this.#firstWhoMay('pay', claim, inTurn(clerks, day, claim))
  }

  /** All decisions of the batch. */
  takeDecisions(): Decisions {
    return this.#log.take()
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#zanzibar[Symbol.asyncDispose]()
  }

  /** A claim may come again, where its report was lost. */
  async #write(add: NonNullable<ZanzibarWrite['add']>): Promise<void> {
    if (add.length === 0) return
    this.#token = (await this.#zanzibar.write({ add, onDuplicate: 'ignore' })).token
  }

  #firstWhoMay(action: Action, claim: number, asked: readonly number[], amount?: number): number {
    const { people, day } = this.#roster
    const now = momentOf(day, claim)
    const options = { context: amount === undefined ? { now } : { now, amount }, atLeast: this.#token }
    for (const person of asked) {
      const begun = performance.now()
      const allowed = this.#zanzibar.checkSync(people[person] ?? '', `can_${action}`, keyOf(claim), options)
      this.#log.add(claim, person, action, allowed, (performance.now() - begun) * 1000)
      if (allowed) return person
    }
    throw new Error(`nobody may ${action} claim ${claim} at ${now}: all ${asked.length} were denied`)
  }
}

/** In the DSL. */
export function accessModel(): Promise<string> {
  return readFile(new URL('access.fga', import.meta.url), 'utf8')
}
