/** Python's `strftime` of a local time. Patterns that Python's own list does not have stay as they are written. */
export function strftime(pattern: string, epoch: number): string {
  const time = new Date(epoch)
  return pattern.replace(/%([a-zA-Z%])/g, (written: string, letter: string) => field(letter, time) ?? written)
}

/** `2026-11-21 08:25:22,068`: how Python's logging writes a time, and with a pattern as `strftime`. */
export function logTime(epoch: number, pattern: string | undefined): string {
  if (pattern !== undefined) return strftime(pattern, epoch)
  return `${strftime('%Y-%m-%d %H:%M:%S', epoch)},${digits(new Date(epoch).getMilliseconds(), 3)}`
}

const days = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday']
const months = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
]

function field(letter: string, time: Date): string | undefined {
  const day = days[time.getDay()] ?? ''
  const month = months[time.getMonth()] ?? ''
  const hour = time.getHours()
  switch (letter) {
    case '%':
      return '%'
    case 'a':
      return day.slice(0, 3)
    case 'A':
      return day
    case 'b':
    case 'h':
      return month.slice(0, 3)
    case 'B':
      return month
    case 'c':
      return strftime('%a %b %e %H:%M:%S %Y', time.getTime())
    case 'C':
      return digits(Math.trunc(time.getFullYear() / 100), 2)
    case 'd':
      return digits(time.getDate(), 2)
    case 'D':
    case 'x':
      return strftime('%m/%d/%y', time.getTime())
    case 'e':
      return String(time.getDate()).padStart(2, ' ')
    case 'f':
      return digits(time.getMilliseconds() * 1000, 6)
    case 'F':
      return strftime('%Y-%m-%d', time.getTime())
    case 'g':
      return digits(isoWeek(time).year % 100, 2)
    case 'G':
      return String(isoWeek(time).year)
    case 'H':
      return digits(hour, 2)
    case 'I':
      return digits(hour % 12 || 12, 2)
    case 'j':
      return digits(dayOfYear(time), 3)
    case 'k':
      return String(hour).padStart(2, ' ')
    case 'l':
      return String(hour % 12 || 12).padStart(2, ' ')
    case 'm':
      return digits(time.getMonth() + 1, 2)
    case 'M':
      return digits(time.getMinutes(), 2)
    case 'n':
      return '\n'
    case 'p':
      return hour < 12 ? 'AM' : 'PM'
    case 'P':
      return hour < 12 ? 'am' : 'pm'
    case 'r':
      return strftime('%I:%M:%S %p', time.getTime())
    case 'R':
      return strftime('%H:%M', time.getTime())
    case 's':
      return String(Math.floor(time.getTime() / 1000))
    case 'S':
      return digits(time.getSeconds(), 2)
    case 't':
      return '\t'
    case 'T':
    case 'X':
      return strftime('%H:%M:%S', time.getTime())
    case 'u':
      return String(time.getDay() || 7)
    case 'U':
      return digits(Math.trunc((dayOfYear(time) + 6 - time.getDay()) / 7), 2)
    case 'V':
      return digits(isoWeek(time).week, 2)
    case 'w':
      return String(time.getDay())
    case 'W':
      return digits(Math.trunc((dayOfYear(time) + 6 - ((time.getDay() + 6) % 7)) / 7), 2)
    case 'y':
      return digits(time.getFullYear() % 100, 2)
    case 'Y':
      return String(time.getFullYear())
    // Of a time that knows no zone both are empty, and Hydra's is such a one.
    case 'z':
    case 'Z':
      return ''
    default:
      return undefined
  }
}

function digits(value: number, width: number): string {
  return String(value).padStart(width, '0')
}

function dayOfYear(time: Date): number {
  return Math.round((noon(time, time.getMonth(), time.getDate()) - noon(time, 0, 1)) / 86_400_000) + 1
}

/** Without the hour that daylight saving takes and gives. */
function noon(time: Date, month: number, date: number): number {
  return Date.UTC(time.getFullYear(), month, date, 12)
}

/** The week of ISO 8601, which belongs to the year of its Thursday. */
function isoWeek(time: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(noon(time, time.getMonth(), time.getDate() + 4 - (time.getDay() || 7)))
  const year = thursday.getUTCFullYear()
  const week = Math.floor((thursday.getTime() - Date.UTC(year, 0, 1)) / (7 * 86_400_000)) + 1
  return { year, week }
}
