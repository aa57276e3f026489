import { createHash } from 'node:crypto'

/** How a service fares: it answers, refuses, does not answer, or answers late. */
export type Weather = 'fair' | 'refuses' | 'hangs' | 'slow'

/** The shortest and the longest. */
type Milliseconds = readonly [shortest: number, longest: number]

/** What fills the script of a service. */
export interface Fortune {
  readonly fair: Milliseconds
  readonly trouble: Milliseconds
}

const troubles = ['refuses', 'hangs', 'slow'] as const

export type Service = 'records' | 'bank'

/** A spell of weather, and when it ends, in milliseconds from the start of the script. */
interface Spell {
  readonly weather: Weather
  readonly until: number
}

/**
 * A script of a service's fortunes: fair spells and troubles by turns, the same for the same seed and service.
 *
 * @returns the weather so many milliseconds from the start; to be asked in the order of time
 */
export function weatherOf(fortune: Fortune | null, service: Service, seed: number): (ms: number) => Weather {
  if (fortune === null) return () => 'fair'
  let place = 0
  let spell = spellOf(fortune, service, seed, place, 0)
  return (ms) => {
    while (ms >= spell.until) spell = spellOf(fortune, service, seed, ++place, spell.until)
    return spell.weather
  }
}

function spellOf(fortune: Fortune, service: Service, seed: number, place: number, since: number): Spell {
  const drawn = createHash('sha256').update(`${service} ${seed} ${place}`).digest()
  const fair = place % 2 === 0
  const [shortest, longest] = fortune[fair ? 'fair' : 'trouble']
  return {
    weather: fair ? 'fair' : (troubles[drawn.readUInt32BE(4) % troubles.length] ?? 'refuses'),
    until: since + shortest + (drawn.readUInt32BE(0) % (longest - shortest + 1)),
  }
}
