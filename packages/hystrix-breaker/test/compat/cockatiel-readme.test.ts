import { readFileSync } from 'node:fs'
import { createRequire, stripTypeScriptTypes } from 'node:module'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { type Library, ours, theirs } from './cockatiel-libraries.ts'
import { inVirtualTime } from './cockatiel-programs.ts'

/** What an example logged, answered and threw. */
type Run = readonly string[]

type Names = Readonly<Record<string, unknown>>

const home = dirname(dirname(createRequire(import.meta.url).resolve('cockatiel')))
const examples = [...readFileSync(join(home, 'readme.md'), 'utf8').matchAll(/```(?:js|ts)\n(.*?)```/gs)]
  .map(([, text = '']) => text)
  .filter((text) => !text.startsWith('export interface'))

test('the examples of cockatiel’s README do with the face what they do with cockatiel', async () => {
  const ran: string[] = []
  for (const example of examples) {
    const run = await runExample(ours, example)
    expect({ example, run }).toEqual({ example, run: await runExample(theirs, example) })
    if (run.every((line) => !line.startsWith('threw'))) ran.push(example)
  }
  // Four are no whole programs: a decorator, a parenthesis too many, arguments left out, a listener of another example.
  expect(examples.length - ran.length).toBe(4)
  expect(ran.length).toBeGreaterThan(50)
})

function runExample(library: Library, example: string): Promise<Run> {
  return inVirtualTime(async () => {
    const run: string[] = []
    const log = (...values: unknown[]): unknown => run.push(values.map(shown).join(' '))
    try {
      const answer: unknown = await compile(example)(scopeOf(example, library, { log }))
      run.push(`answered ${shown(answer)}`)
    } catch (error) {
      run.push(`threw ${shown(error)}`)
    }
    return run
  })
}

// Imports come from the scope; a constant that an example declares after something of its own name is assigned instead.
function compile(example: string): (scope: object) => Promise<unknown> {
  const body = stripTypeScriptTypes(
    example
      .replaceAll(/^import .*?;$/gms, '')
      .replaceAll(/^export /gm, '')
      .replaceAll(/^const /gm, ''),
  )
  const text = `with (scope) { return (async () => { ${body}
    if (typeof handleRequest === 'function') return handleRequest({ params: {} }, { json() {} }) })() }`
  // oxlint-disable-next-line typescript/no-implied-eval, typescript/no-unsafe-type-assertion
  return new Function('scope', text) as (scope: object) => Promise<unknown>
}

// The README uses `retry` both for the function and for a policy that it made.
function scopeOf(example: string, library: Library, console: Names): object {
  const policies = policiesOf(library)
  const isCalled = (name: string): boolean => new RegExp(`(?<![.\\w])${name}\\(`).test(example)
  const names: Record<PropertyKey, unknown> = {
    ...library,
    ...Object.fromEntries(Object.entries(policies).filter(([name]) => !isCalled(name))),
    console,
    exports: {},
    policy: isCalled('circuitBreaker') ? library.handleAll : library.noop,
    isProduction: true,
    NetworkError: class extends Error {},
    DatabaseError: class extends Error {},
    ReturnedNetworkError: class extends Error {},
    HttpError: class extends Error {},
    HttpResult: Map,
    database: { getInfo: () => 'info' },
    getJson: () => Promise.resolve({ json: true }),
    getData: (signal: unknown) => signal instanceof AbortSignal,
    getInfoFromDatabase: () => Promise.resolve('info'),
    getStaleData: () => 'stale',
  }
  // Everything that is not of JavaScript is looked up here, and set here.
  return new Proxy(names, {
    has: (_, key) => typeof key === 'string' && (key in names || !(key in globalThis)),
  })
}

function policiesOf(library: Library): Names {
  const {
    bulkhead,
    circuitBreaker,
    ConsecutiveBreaker,
    fallback,
    handleAll,
    retry,
    timeout,
    TimeoutStrategy,
  } = library
  return {
    retry: retry(handleAll, { maxAttempts: 3 }),
    breaker: circuitBreaker(handleAll, { halfOpenAfter: 1000, breaker: new ConsecutiveBreaker(5) }),
    timeout: timeout(2000, TimeoutStrategy.Aggressive),
    bulkhead: bulkhead(12),
    fallback: fallback(handleAll, 'stale'),
  }
}

function shown(value: unknown): string {
  if (value instanceof Error) return `${value.constructor.name}: ${value.message}`
  if (value instanceof AbortSignal) return 'an AbortSignal'
  if (typeof value !== 'object' || value === null) return String(value)
  return `{${Object.entries(value)
    .map(([name, field]) => `${name}: ${shown(field)}`)
    .toSorted()
    .join(', ')}}`
}
