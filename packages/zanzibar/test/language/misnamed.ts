import fc from 'fast-check'

const names =
  'user group viewer owner member parent doc self this type relation relations define model module schema extend condition self this a-b a.b/c c'
const more = [
  ...names.split(' '),
  'a'.repeat(51),
  'b'.repeat(255),
  '1.0',
  '1.3',
  'user:*',
  'group#member',
  'user with c',
]
const words = /[\w./-]+/g

/** Puts another word at a place (of 1000): one of the text itself, or one of {@link more}. */
const rename = fc.record({
  at: fc.nat(999),
  to: fc.oneof({ weight: 2, arbitrary: fc.nat(999) }, { weight: 1, arbitrary: fc.constantFrom(...more) }),
})
/** Repeats, removes or swaps lines, or ends one otherwise. */
const move = fc.record({
  at: fc.nat(999),
  with: fc.nat(999),
  how: fc.constantFrom('repeat', 'remove', 'swap', ' ', ' # c', '\r'),
})

/** Texts of the DSL in which most is spelled right, and names another thing or stands in another place. */
export function misnamed(texts: readonly string[]): fc.Arbitrary<string> {
  return fc
    .record({
      text: fc.constantFrom(...texts),
      renames: fc.array(rename, { maxLength: 3 }),
      moves: fc.array(move, { maxLength: 2 }),
    })
    .map(({ text, renames, moves }) =>
      moves.reduce(
        moved,
        renames.reduce((now, { at, to }) => renamed(now, at, to), text),
      ),
    )
}

function renamed(text: string, at: number, to: number | string): string {
  const found = [...text.matchAll(words)]
  const old = found[place(found, at)]
  const put = typeof to === 'string' ? to : found[place(found, to)]?.[0]
  if (old === undefined || put === undefined) return text
  return text.slice(0, old.index) + put + text.slice(old.index + old[0].length)
}

function moved(
  text: string,
  { at, with: other, how }: typeof move extends fc.Arbitrary<infer M> ? M : never,
) {
  const lines = text.split('\n')
  const [a, b] = [place(lines, at), place(lines, other)]
  const [one = '', two = ''] = [lines[a], lines[b]]
  if (how === 'repeat') lines.splice(b, 0, one)
  else if (how === 'remove') lines.splice(a, 1)
  else if (how === 'swap') [lines[a], lines[b]] = [two, one]
  else lines[a] = one + how
  return lines.join('\n')
}

function place({ length }: { readonly length: number }, thousandths: number): number {
  return Math.floor((length * thousandths) / 1000)
}
