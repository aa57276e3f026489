import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Token } from '../../src/consistency/token.ts'
import type { Zanzibar, ZanzibarWrite } from '../../src/index.ts'

/** Relations by groups of groups, so that an index of them is on the way where there is one. */
export const enemyModel = `
model
  schema 1.1
type user
type group
  relations
    define member: [user, group#member]
type folder
  relations
    define viewer: [user, group#member]
type space
  relations
    define editor: [user]
type doc
  relations
    define parent: [folder]
    define viewer: [user, group#member] or viewer from parent`

/** Who takes part, each by a connection of its own. */
export interface Cast {
  /** Changes who may see what. */
  acl(write: ZanzibarWrite): Promise<Token>
  /** Moves documents, and asks whether they may be changed. */
  readonly content: Zanzibar
  /** Who asks whether a document may be seen: one with an index of how groups nest, one without. */
  readonly readers: readonly [Zanzibar, Zanzibar]
  revisionOf(token: Token): number
}

/** What a campaign came to. */
export interface Enemies {
  readonly rounds: number
  /** How often Bob asked with the token of new content: each is another interleaving. */
  readonly late: number
  /** How many of these were checks, which answer without their moment. */
  readonly checks: number
  /** How often he was let through, before. */
  readonly allowed: number
  /** By how many revisions an answer without a token was behind what was answered before it was asked, at most. */
  readonly staleness: number
  readonly violations: readonly string[]
}

/** A document as its store of content has it: the token is kept beside it. */
interface Content {
  readonly isNew: boolean
  readonly token: Token
}

interface Tally {
  rounds: number
  late: number
  checks: number
  allowed: number
  staleness: number
  readonly violations: string[]
  /** The last revision that anybody was answered. */
  known: number
}

/**
 * Both of the paper's new enemies (section 2.2), again and again, in lanes that interleave, until
 * Bob has asked `late` times too late. Bob loses his way to a document;
 * then, caused by that, (A) Charlie moves a new document to where Bob could see, or (B) gives the document new content. Bob
 * asks all the while, with the token that is kept beside the content that he finds.
 */
export async function newEnemies(
  cast: Cast,
  { late, lanes, random }: { readonly late: number; readonly lanes: number; readonly random: () => number },
): Promise<Enemies> {
  const tally: Tally = { rounds: 0, late: 0, checks: 0, allowed: 0, staleness: 0, violations: [], known: 0 }
  await cast.acl({ add: [['user:charlie', 'editor', 'space:all']], onDuplicate: 'ignore' })
  const lane = async (_: unknown, index: number): Promise<void> => {
    let round = new Round(cast, tally, `${index}-0`, random)
    round.note(await cast.acl({ add: round.setup }))
    for (let each = 1; tally.late < late && tally.violations.length === 0; each++) {
      const next = new Round(cast, tally, `${index}-${each}`, random)
      await round.play(next)
      round = next
    }
  }
  await Promise.all(Array.from({ length: lanes }, lane))
  return tally
}

/** How often Bob asks of each new content, each time at another moment of what goes on beside. */
const asksAfter = 6

type Triple = readonly [user: string, relation: string, object: string]

class Round {
  /** All that leads Bob to where the document is, or will be. */
  readonly setup: readonly Triple[]
  readonly #cast: Cast
  readonly #tally: Tally
  readonly #doc: string
  readonly #folder: string
  readonly #isMoved: boolean
  readonly #random: () => number
  #content: Content | undefined

  constructor(cast: Cast, tally: Tally, name: string, random: () => number) {
    this.#cast = cast
    this.#tally = tally
    this.#random = random
    this.#isMoved = random() < 0.5
    this.#doc = `doc:${name}`
    this.#folder = `folder:${name}`
    this.setup = [
      ['user:bob', 'member', `group:team-${name}`],
      [`group:team-${name}#member`, 'member', `group:${name}`],
      [`group:${name}#member`, 'viewer', this.#isMoved ? this.#folder : this.#doc],
    ]
  }

  /** What was answered with a token is known from now on; the content of a document that is not new has the first one. */
  note(token: Token): void {
    this.#tally.known = Math.max(this.#tally.known, this.#cast.revisionOf(token))
    if (!this.#isMoved) this.#content ??= { isNew: false, token }
  }

  async play(next: Round): Promise<void> {
    this.#tally.rounds++
    const asking = [this.#ask(), this.#ask(), this.#askWithoutToken()]
    await this.#pause()
    const lost = this.setup[Math.floor(this.#random() * this.setup.length)] ?? this.setup[0]
    const lostAt = await this.#cast.acl({ remove: lost === undefined ? [] : [lost], add: next.setup })
    this.note(lostAt)
    next.note(lostAt)
    asking.push(this.#ask(), this.#askWithoutToken())
    await this.#pause()
    const token = await this.#change()
    this.#content = { isNew: true, token }
    this.note(token)
    for (let left = asksAfter; left > 0; left--) asking.push(this.#ask())
    await Promise.all(asking)
  }

  async #change(): Promise<Token> {
    const { content } = this.#cast
    if (this.#isMoved) return (await content.write({ add: [[this.#folder, 'parent', this.#doc]] })).token
    const { outcome, token } = await content.evaluate('user:charlie', 'editor', 'space:all')
    if (outcome !== 'allowed') this.#tally.violations.push(`Charlie may not change ${this.#doc}`)
    return token
  }

  async #ask(): Promise<void> {
    await this.#pause()
    const content = this.#content
    if (content === undefined) return
    const byCheck = this.#random() < 0.5
    const isAllowed = byCheck ? await this.#check(content.token) : await this.#evaluate(content.token)
    if (isAllowed) this.#tally.allowed++
    if (!content.isNew) return
    this.#tally.late++
    if (byCheck) this.#tally.checks++
    if (isAllowed)
      this.#tally.violations.push(
        `Bob sees the new ${this.#doc}, by ${byCheck ? 'check' : 'evaluate'}: asked for ${this.#cast.revisionOf(content.token)}`,
      )
  }

  /** Where the store can, one statement for the moment and what is read at it. */
  async #check(atLeast: Token): Promise<boolean> {
    return await this.#reader().check('user:bob', 'viewer', this.#doc, { atLeast })
  }

  async #evaluate(atLeast: Token): Promise<boolean> {
    const { revisionOf } = this.#cast
    const { outcome, token } = await this.#reader().evaluate('user:bob', 'viewer', this.#doc, { atLeast })
    const [asked, answered] = [revisionOf(atLeast), revisionOf(token)]
    if (answered < asked) this.#tally.violations.push(`asked for ${asked}, answered of ${answered}`)
    return outcome === 'allowed'
  }

  async #askWithoutToken(): Promise<void> {
    await this.#pause()
    const { known } = this.#tally
    const { token } = await this.#reader().evaluate('user:bob', 'viewer', this.#doc)
    this.#tally.staleness = Math.max(this.#tally.staleness, known - this.#cast.revisionOf(token))
  }

  #reader(): Zanzibar {
    return this.#cast.readers[this.#random() < 0.5 ? 0 : 1]
  }

  async #pause(): Promise<void> {
    for (let left = Math.floor(this.#random() * 6); left > 0; left--) await nextTurn()
  }
}
