import {
  dumpYaml,
  isHydraConfigError,
  merge,
  parseOverride,
  parseYaml,
  resolveAll,
} from '@loadbearing/hydra-config'

/** Pieces of overrides and of YAML that mean something to their parsers, and characters that may break them. */
const pieces = [
  ...Array.from('abz019_.:=,/\\+-~@$%*?|#&!^<>`;()[]{}\'"\n\r\t \0é😀\u2028\uFEFF\uD800\x85'),
  '${',
  '}',
  '${a}',
  '${oc.env:',
  '${..',
  'null',
  'true',
  '1e9',
  '0x',
  '---\n',
  '...',
  '- ',
  ': ',
  '\n  ',
  '\n    ',
  '? ',
  '<<: *a',
  '&a ',
  '*a',
  '!!int ',
  '!!binary ',
  '!!set ',
  '!!omap ',
  '| \n',
  '>-\n',
  'a: ',
  'b: ',
  '- - ',
  '"\\x',
  '\\u',
  "''",
  'int(',
  'choice(',
  'range(',
  'sort(',
  'tag(',
  'glob(',
  'append(',
  'zip(',
  '__proto__',
  'constructor',
  'defaults:',
  '???',
]

/**
 * Puts `runs` random texts to the parser of overrides and to that of YAML; what YAML reads is merged, resolved and
 * written again. Whatever is thrown must be a HydraConfigError with the class of Hydra's exception.
 * @returns rows of what was put, how many texts, how many were read; undefined where something else was thrown
 */
export function fuzz(seed: number, runs: number): string[][] | undefined {
  console.log(`fuzz, seed ${seed}, ${runs} texts to each parser`)
  const random = generator(seed)
  const read = { overrides: 0, yaml: 0 }
  let slowest = { ms: 0, text: '' }
  for (let run = 0; run < runs; run++) {
    const text = randomText(random)
    for (const [what, put] of [
      ['overrides', putOverride],
      ['yaml', putYaml],
    ] as const) {
      const given = what === 'overrides' && random(4) > 0 ? `a=${text}` : text
      const start = performance.now()
      const isRead = typed(() => put(given))
      if (isRead instanceof Error) return fail(seed, run, what, given, isRead)
      const ms = performance.now() - start
      if (ms > slowest.ms) slowest = { ms, text: given }
      if (isRead) read[what]++
    }
    if ((run + 1) % 500_000 === 0) console.log(`${run + 1} …`)
  }
  console.log(`read: ${read.overrides} overrides, ${read.yaml} of YAML; of all others only typed errors`)
  console.log(`the slowest took ${slowest.ms.toFixed(1)} ms: ${JSON.stringify(slowest.text)}`)
  return [
    ['The parser of overrides, by the rules of both semantics', String(runs), String(read.overrides), '0'],
    [
      'That of YAML; what it reads is written, read again, merged and resolved',
      String(runs),
      String(read.yaml),
      '0',
    ],
  ]
}

function putOverride(text: string): void {
  parseOverride(text, { semantics: text.length % 2 === 0 ? 'strict' : 'hydra-1.3' })
}

function putYaml(text: string): void {
  const value = parseYaml(text, { source: 'memory://', config: 'fuzz' })
  const written = dumpYaml(value)
  const again = dumpYaml(parseYaml(written))
  if (again !== written) throw new TypeError(`written twice it differs: ${JSON.stringify([written, again])}`)
  typed(() => merge(value, value))
  typed(() => resolveAll(value))
}

/** Whether `run` came through; the error where it threw one without type. */
function typed(run: () => void): boolean | Error {
  try {
    run()
    return true
  } catch (error) {
    if (isHydraConfigError(error) && error.class !== undefined) return false
    return error instanceof Error ? error : new TypeError(`thrown: ${String(error)}`)
  }
}

function fail(seed: number, run: number, what: string, text: string, error: Error): undefined {
  console.log(
    `NOT TYPED, seed ${seed}, text ${run} of ${what}: ${JSON.stringify(text)}\n${error.stack ?? error.message}`,
  )
  process.exitCode = 1
  return undefined
}

function randomText(random: (below: number) => number): string {
  let text = ''
  for (let left = 1 + random(12); left > 0; left--) {
    const piece = pieces[random(pieces.length)] ?? ''
    text += random(40) === 0 ? piece.repeat(1 + random(30)) : piece
  }
  return text
}

/** Integers from 0 up to, not including, `below`: an xorshift of 32 bits. */
function generator(seed: number): (below: number) => number {
  let state = seed | 0 || 1
  return (below) => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) % below
  }
}
