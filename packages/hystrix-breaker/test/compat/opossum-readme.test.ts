import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { promisify } from 'node:util'
import { createContext, Script } from 'node:vm'
import { CircuitBreaker } from '@loadbearing/hystrix-breaker/opossum'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Opossum } from './opossum-peer.ts'

const readme = readFileSync(createRequire(import.meta.url).resolve('opossum/README.md'), 'utf8')

const examples = [...readme.matchAll(/^```(?:javascript|js)\n([^]*?)^```/gm)]
  .map(([, code = '']) => code)
  .filter((code) => code.includes('CircuitBreaker('))
  // One of them has a parenthesis too many.
  .filter(parses)

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

test('there are examples', () => {
  expect(examples.length).toBeGreaterThanOrEqual(7)
})

test.each(examples)('an example of its README goes as with opossum: %s', async (code) => {
  const ours = await play(code, CircuitBreaker)
  expect(ours).toEqual(await play(code, Opossum))
})

test('they print something', async () => {
  const printed = await Promise.all(examples.map((code) => play(code, CircuitBreaker)))
  expect(printed).toContainEqual(['log foo'])
  expect(printed).toContainEqual(['log {}'])
  expect(printed).toContainEqual(['error Error: Timed out after 3000ms'])
  expect(printed).toContainEqual(['signal aborted', 'error Error: Timed out after 3000ms'])
})

function parses(code: string): boolean {
  try {
    return new Script(code) instanceof Script
  } catch {
    return false
  }
}

/** Runs an example with what it takes for granted, and a minute more. */
async function play(code: string, Breaker: typeof CircuitBreaker): Promise<string[]> {
  const printed: string[] = []
  const hangs = (): Promise<never> => new Promise(() => {})
  const modules: Readonly<Record<string, unknown>> = {
    opossum: Breaker,
    http: {
      get: (_url: string, { signal }: { readonly signal: AbortSignal }) =>
        signal.addEventListener('abort', () => printed.push('signal aborted')),
    },
    fs: {
      readFile: (_path: string, _encoding: string, done: (error: null, text: string) => void) =>
        done(null, '{}'),
    },
    util: { promisify },
  }
  const context = createContext({
    AbortController,
    CircuitBreaker: Breaker,
    console: {
      log: (text: unknown) => printed.push(`log ${String(text)}`),
      error: (text: unknown) => printed.push(`error ${String(text)}`),
    },
    require: (name: string) => modules[name],
    asyncFunctionThatCouldFail: hangs,
    $: Object.assign(() => ({ append: () => {}, click: () => {} }), { get: hangs }),
    x: 1,
    y: 2,
    options: {},
    circuitBreakerOptions: {},
    route: 'route',
    element: 'element',
    makeNode: (text: string) => printed.push(text),
    reportFallbackEvent: () => {},
  })
  new Script(code).runInContext(context)
  await vi.advanceTimersByTimeAsync(60_000)
  return printed
}
