// Every expression is anchored at the place it is tried at, and reads on without going back.
const string = /"((?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])*)"/y
const parameterName = /; *([a-z*][a-z0-9_.*-]*)/y
const bareItems: readonly RegExp[] = [
  // Decimals before integers, of which they begin.
  /-?\d{1,12}\.\d{1,3}(?![\d.])/y,
  /-?\d{1,15}(?![\d.])/y,
  /"(?:[ !\x23-\x5b\x5d-\x7e]|\\["\\])*"/y,
  /[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*/y,
  /:[A-Za-z0-9+/]*={0,2}:/y,
  /\?[01]/y,
]

/**
 * The string of a field value that is a Structured Field Item of type String (RFC 8941, sections 3.3 and 4.2.3); its
 * parameters are read and left aside.
 *
 * @returns undefined for any other value
 */
export function structuredString(value: string): string | undefined {
  const text = value.replace(/^ +/, '').replace(/ +$/, '')
  const found = read(string, text, 0)
  if (found === undefined) return undefined
  let at = found[0].length
  while (at < text.length) {
    const end = endOfParameter(text, at)
    if (end === undefined) return undefined
    at = end
  }
  return (found[1] ?? '').replaceAll(/\\(.)/g, '$1')
}

function endOfParameter(text: string, at: number): number | undefined {
  const name = read(parameterName, text, at)
  if (name === undefined) return undefined
  const end = at + name[0].length
  if (text[end] !== '=') return end
  for (const item of bareItems) {
    const found = read(item, text, end + 1)
    if (found !== undefined) return end + 1 + found[0].length
  }
  return undefined
}

function read(expression: RegExp, text: string, at: number): RegExpExecArray | undefined {
  expression.lastIndex = at
  return expression.exec(text) ?? undefined
}
