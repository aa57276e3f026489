import { createHash } from 'node:crypto'

/** How a service fares: it answers, refuses, does not answer, or answers late. */
export type Weather = 'fair' | 'refuses' | 'hangs' | 'slow'

export type Scenario = 'calm' | 'storm'

/** What the desk has written on a command line. Without a word there is no weather. */
export function scenarioOf(word: string | undefined): Scenario {
  return word === 'storm' ? 'storm' : 'calm'
}

const troubles = ['refuses', 'hangs', 'slow'] as const

export type Service = 'records' | 'bank'

/** Milliseconds, the shortest and the longest, of a fair spell and of trouble. The bank is the better kept of the two. */
const spellMs = {
  records: { fair: [50, 200], trouble: [400, 900] },
  bank: { fair: [200, 500], trouble: [50, 150] },
} as const

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
export function weatherOf(scenario: Scenario, service: Service, seed: number): (ms: number) => Weather {
  if (scenario === 'calm') return () => 'fair'
  let place = 0
  let spell = spellOf(service, seed, place, 0)
  return (ms) => {
    while (ms >= spell.until) spell = spellOf(service, seed, ++place, spell.until)
    return spell.weather
  }
}

function spellOf(service: Service, seed: number, place: number, since: number): Spell {
  const drawn = createHash('sha256').update(`${service} ${seed} ${place}`).digest()
  const fair = place % 2 === 0
  const [shortest, longest] = spellMs[service][fair ? 'fair' : 'trouble']
  return {
    weather: fair ? 'fair' : (troubles[drawn.readUInt32BE(4) % troubles.length] ?? 'refuses'),
    until: since + shortest + (drawn.readUInt32BE(0) % (longest - shortest + 1)),
  }
}
