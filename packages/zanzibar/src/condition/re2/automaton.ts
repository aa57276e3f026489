import type { Program } from './program.ts'
import type { Assertion } from './syntax.ts'

/** What stands on one side of a place in a text. */
type Side = 'edge' | 'newline' | 'word' | 'other'

/** Where all ways through a program can be at once, and what was read last. */
interface State {
  readonly places: readonly number[]
  readonly before: Side
  readonly next: Map<number, State | 'match'>
  atEnd: boolean | undefined
}

/** States are forgotten when they are too many, and built again when they are needed. */
const maxStates = 500
/** A state of more places is not kept: to find it again would cost more than to build it. */
const maxPlaces = 100

/**
 * Whether a program matches anywhere in a text. All ways are followed at once, and what was found out is kept,
 * so the time grows with the text and the program only.
 */
export class Automaton {
  readonly #program: Program
  readonly #states = new Map<string, State>()
  readonly #seen: Uint32Array
  #round = 0

  constructor(program: Program) {
    this.#program = program
    this.#seen = new Uint32Array(program.instructions.length)
  }

  matches(text: string): boolean {
    let state = this.#state([this.#program.start], 'edge')
    for (let at = 0; at < text.length; at++) {
      const codePoint = text.codePointAt(at) ?? 0
      if (codePoint > 0xffff) at += 1
      const next = state.next.get(codePoint) ?? this.#advance(state, codePoint)
      if (next === 'match') return true
      state = next
    }
    state.atEnd ??= this.#closure(state, 'edge') === 'match'
    return state.atEnd
  }

  #advance(state: State, codePoint: number): State | 'match' {
    const after = sideOf(codePoint)
    const reached = this.#closure(state, after)
    if (reached === 'match') {
      state.next.set(codePoint, 'match')
      return 'match'
    }
    // A match may begin behind every character.
    const places = new Set([this.#program.start])
    for (const place of reached) {
      const instruction = this.#program.instructions[place]
      if (instruction?.kind === 'set' && instruction.matches(codePoint)) places.add(instruction.next)
    }
    if (places.size > maxPlaces) return newState(Array.from(places), after)
    const next = this.#state(Array.from(places), after)
    state.next.set(codePoint, next)
    return next
  }

  #state(places: readonly number[], before: Side): State {
    const key = `${before}:${places.toSorted((one, other) => one - other).join()}`
    const known = this.#states.get(key)
    if (known !== undefined) return known
    if (this.#states.size >= maxStates) {
      for (const { next } of this.#states.values()) next.clear()
      this.#states.clear()
    }
    const state = newState(places, before)
    this.#states.set(key, state)
    return state
  }

  /** The sets that can be read next. */
  #closure({ places, before }: State, after: Side): readonly number[] | 'match' {
    this.#round += 1
    const reached: number[] = []
    const open = [...places]
    for (let place = open.pop(); place !== undefined; place = open.pop()) {
      if (this.#seen[place] === this.#round) continue
      this.#seen[place] = this.#round
      const instruction = this.#program.instructions[place]
      if (instruction?.kind === 'match') return 'match'
      if (instruction?.kind === 'set') reached.push(place)
      else if (instruction?.kind === 'fork') open.push(instruction.other, instruction.next)
      else if (instruction !== undefined && holds(instruction.assertion, before, after))
        open.push(instruction.next)
    }
    return reached
  }
}

function newState(places: readonly number[], before: Side): State {
  return { places, before, next: new Map(), atEnd: undefined }
}

function sideOf(codePoint: number): Side {
  if (codePoint === 10) return 'newline'
  const isWord =
    (codePoint >= 48 && codePoint <= 57) ||
    (codePoint >= 65 && codePoint <= 90) ||
    codePoint === 95 ||
    (codePoint >= 97 && codePoint <= 122)
  return isWord ? 'word' : 'other'
}

function holds(assertion: Assertion, before: Side, after: Side): boolean {
  switch (assertion) {
    case 'textStart':
      return before === 'edge'
    case 'textEnd':
      return after === 'edge'
    case 'lineStart':
      return before === 'edge' || before === 'newline'
    case 'lineEnd':
      return after === 'edge' || after === 'newline'
    case 'wordBoundary':
      return (before === 'word') !== (after === 'word')
    case 'noWordBoundary':
  }
  return (before === 'word') === (after === 'word')
}
