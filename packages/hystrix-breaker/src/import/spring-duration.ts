const units: ReadonlyMap<string, number> = new Map([
  ['ns', 1e-6],
  ['us', 1e-3],
  ['ms', 1],
  ['s', 1000],
  ['m', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
])

/** Milliseconds of a duration as Spring Boot reads them: `10s`, ISO 8601 `PT1M30S`, or a number. Undefined for no such. */
export function springDuration(value: unknown): number | undefined {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0 ? value : undefined
  if (typeof value !== 'string') return undefined
  const [, number, unit = 'ms'] = /^\+?(\d{1,16}) ?(ns|us|ms|s|m|h|d)?$/i.exec(value) ?? []
  if (number !== undefined) return Number(number) * (units.get(unit.toLowerCase()) ?? 1)
  const iso =
    /^P(?=\d|T\d)(?:(\d{1,9})D)?(?:T(?:(\d{1,9})H)?(?:(\d{1,12})M)?(?:(\d{1,15}(?:[.,]\d{1,9})?)S)?)?$/i.exec(
      value,
    )
  if (iso === null) return undefined
  const [days, hours, minutes, seconds] = iso.slice(1).map((part) => Number((part ?? '0').replace(',', '.')))
  return (
    (((days ?? 0) * 24 + (hours ?? 0)) * 60 + (minutes ?? 0)) * 60_000 +
    Math.round((seconds ?? 0) * 1e9) / 1e6
  )
}
