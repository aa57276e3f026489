/** Envoy's locality, as the name of a zone: the zone alone where there is nothing else, else the three parts between slashes. */
export function zoneName({
  region,
  zone,
  subZone,
}: {
  region: string
  zone: string
  subZone: string
}): string {
  if (region === '' && subZone === '' && !/[/%]/.test(zone)) return zone
  return [region, zone, subZone].map(escapePart).join('/')
}

/** The locality that `zoneName` named so; any other name is a zone alone. */
export function localityOf(name: string): { region: string; zone: string; subZone: string } {
  const parts = name.split('/')
  if (parts.length !== 3) return { region: '', zone: name, subZone: '' }
  const [region = '', zone = '', subZone = ''] = parts.map(unescapePart)
  return { region, zone, subZone }
}

function escapePart(part: string): string {
  return part.replaceAll('%', '%25').replaceAll('/', '%2F')
}

function unescapePart(part: string): string {
  return part.replaceAll('%2F', '/').replaceAll('%25', '%')
}
