import { CelError } from './cel-error.ts'
import { isDigits } from './integer.ts'
import { quote } from './quote.ts'
import type { Timestamp } from './timestamp.ts'

/** Names come from tuples and questions, so only so many are remembered. */
const maxZones = 64
const zones = new Map<string, Intl.DateTimeFormat>()

/** How many seconds local time is ahead of UTC at an instant, in `+05:30` or a zone of the IANA database. */
export function offsetIn(zone: string, timestamp: Timestamp): number | CelError {
  if (zone === '' || zone === 'UTC') return 0
  const colon = zone.indexOf(':')
  return colon < 0 ? offsetOfName(zone, timestamp) : fixedOffset(zone, colon)
}

function fixedOffset(zone: string, colon: number): number | CelError {
  const [hours, minutes] = [atoi(zone.slice(0, colon)), atoi(zone.slice(colon + 1))]
  if (hours instanceof CelError) return hours
  if (minutes instanceof CelError) return minutes
  if (hours < -23 || hours > 23) return new CelError(`timezone offset hours out of range [-23, 23]: ${zone}`)
  if (minutes < 0 || minutes > 59)
    return new CelError(`timezone offset minutes out of range [0, 59]: ${zone}`)
  return (hours * 60 + (zone[0] === '-' ? -minutes : minutes)) * 60
}

/** As Go's `strconv.Atoi`. */
function atoi(text: string): number | CelError {
  const digits = text[0] === '-' || text[0] === '+' ? text.slice(1) : text
  const problem =
    digits === '' || !isDigits(digits) ? 'invalid syntax' : digits.length > 18 ? 'value out of range' : ''
  return problem === '' ? Number(text) : new CelError(`strconv.Atoi: parsing ${quote(text)}: ${problem}`)
}

function offsetOfName(name: string, { seconds }: Timestamp): number | CelError {
  // What Go takes for no name before it looks for it.
  if (name.includes('..') || /^[/\\]/.test(name)) return new CelError('time: invalid location name')
  const format = zoneFormat(name)
  if (format === undefined) return new CelError(`unknown time zone ${name}`)
  const parts = new Map(format.formatToParts(seconds * 1000).map(({ type, value }) => [type, value]))
  const part = (type: Intl.DateTimeFormatPartTypes): number => Number(parts.get(type))
  const year = parts.get('era')?.startsWith('B') === true ? 1 - part('year') : part('year')
  const local = new Date(0)
  local.setUTCFullYear(year, part('month') - 1, part('day'))
  local.setUTCHours(part('hour') % 24, part('minute'), part('second'))
  return local.getTime() / 1000 - seconds
}

function zoneFormat(name: string): Intl.DateTimeFormat | undefined {
  const known = zones.get(name)
  if (known !== undefined) return known
  // Intl also takes offsets and lower case, which the files of the IANA database do not.
  if (!/^[A-Z][A-Za-z0-9_+-]*(?:\/[A-Z][A-Za-z0-9_+-]*)*$/.test(name)) return undefined
  try {
    const format = new Intl.DateTimeFormat('en-US', {
      timeZone: name,
      calendar: 'gregory',
      numberingSystem: 'latn',
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    })
    if (zones.size >= maxZones) zones.clear()
    zones.set(name, format)
    return format
  } catch {
    return undefined
  }
}
