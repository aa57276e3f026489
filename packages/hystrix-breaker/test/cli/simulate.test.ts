import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { JSDOM } from 'jsdom'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { command } from './command.ts'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'hystrix-simulate-'))
})
afterEach(() => {
  rmSync(folder, { recursive: true })
})

function file(name: string, content: unknown): string {
  writeFileSync(join(folder, name), typeof content === 'string' ? content : JSON.stringify(content))
  return name
}

const simulate = (...args: string[]): ReturnType<typeof command> =>
  command(['simulate', ...args], { cwd: folder })

// Ten calls in a second that all fail: the 20th, of 1.9 s, ends 50 ms later and opens. The wait is over at 6.95 s, so
// that the call of 7 s is the probe, and fails; the next one is that of 12.1 s, succeeds, and closes.
const hard = {
  duration: '15s',
  breakers: {
    payments: {
      options: { sleepWindow: '5s' },
      fallback: true,
      steps: [
        { at: 0, rate: 10, takes: '50ms', fails: 1 },
        { at: '10s', fails: 0 },
      ],
    },
  },
}

describe('simulate', () => {
  test('prints what must happen', () => {
    const { stdout, stderr, status } = simulate(file('hard.json', hard))
    expect(stdout.split('\n')).toEqual([
      '   0.000 s  payments  step: rate 10/s, takes 50 ms, fails 1',
      '   1.950 s  payments  closed -> open (failure-rate)',
      '   7.000 s  payments  open -> half-open (wait-over)',
      '   7.050 s  payments  half-open -> open (probes-failed)',
      '  10.000 s  payments  step: fails 0',
      '  12.100 s  payments  open -> half-open (wait-over)',
      '  12.150 s  payments  half-open -> closed (probes-succeeded)',
      '',
      'NAME      CALLS  SUCCESS  FAILURE  TIMEOUT  REJECTED  SHORT-CIRCUITED  FALLBACK  OPENED  OPEN',
      // 20 fail and one probe, one probe succeeds and the calls of 12.2 to 14.9 s; the rest is refused.
      'payments    150       29       21        0         0              100       121       2  67.3 %',
      '',
    ])
    expect(stderr).toBe('The states are drawn in hard.svg\n')
    expect(status).toBe(0)
  })

  test('prints the same twice, and draws the same (item 30)', () => {
    const name = file('drawn.json', {
      seed: 7,
      breakers: {
        a: {
          options: {
            sleepWindow: { initial: '500ms', factor: 2, jitter: 'full' },
            bulkhead: { max: 5, queue: 5 },
            timeout: '200ms',
          },
          steps: [
            { at: 0, rate: 40, takes: [5, 250], fails: 0.1, hangs: 0.05 },
            { at: '4s', fails: 0.9 },
            { at: '8s', fails: 0 },
          ],
        },
        b: {
          preset: {
            resilience4j: { slidingWindowSize: 20, minimumNumberOfCalls: 10, waitDurationInOpenState: '2s' },
          },
          steps: [{ at: 0, rate: 20, takes: [1, 20], fails: 0.5 }],
        },
      },
    })
    const first = simulate(name)
    const drawn = readFileSync(join(folder, 'drawn.svg'), 'utf8')
    const second = simulate(name)
    expect(second).toEqual(first)
    expect(readFileSync(join(folder, 'drawn.svg'), 'utf8')).toBe(drawn)
    expect(first.stdout.match(/ -> open /g)?.length).toBeGreaterThan(3)
    const json = simulate(name, '--json', '--no-svg')
    expect(simulate(name, '--json', '--no-svg').stdout).toBe(json.stdout)
    // Another seed is another trace, in the file or beside it.
    const text = readFileSync(join(folder, name), 'utf8').replace('"seed":7', '"seed":8')
    const other = simulate(file('other.json', text), '--no-svg').stdout
    expect(other).not.toBe(first.stdout)
    expect(simulate(name, '--seed=8', '--no-svg').stdout).toBe(other)
  })

  test('takes YAML, standard input, and says the same in JSON', () => {
    const yaml = `
duration: 15s
breakers:
  payments:
    options: { sleepWindow: 5s }
    fallback: true
    steps:
      - { at: 0s, rate: 10, takes: 50ms, fails: 1 }
      - at: 10s
        fails: 0
`
    const expected = simulate(file('hard.json', hard)).stdout
    expect(simulate(file('hard.yaml', yaml), '--no-svg')).toEqual({ stdout: expected, stderr: '', status: 0 })
    for (const input of [yaml, JSON.stringify(hard)]) {
      const { stdout } = command(['simulate', '-', '--no-svg'], { input, cwd: folder })
      expect(stdout).toBe(expected)
    }
    const lines = simulate('hard.yaml', '--json', '--no-svg').stdout.trim().split('\n')
    const entries = lines.map((line): unknown => JSON.parse(line))
    expect(entries[1]).toEqual({
      at: 1950,
      name: 'payments',
      from: 'closed',
      to: 'open',
      reason: 'failure-rate',
    })
    expect(entries.at(-1)).toMatchObject({
      name: 'payments',
      calls: 150,
      events: { SUCCESS: 29, FAILURE: 21, SHORT_CIRCUITED: 100, FALLBACK_SUCCESS: 121 },
    })
    expect(readdirSync(folder).toSorted()).toEqual(['hard.json', 'hard.svg', 'hard.yaml'])
  })

  test('takes the scenario of its own help', () => {
    const scenario = /^ {2}duration: [^]+?(?=\n\n)/m.exec(command(['simulate', '--help']).stdout)?.[0] ?? ''
    const { stdout, stderr, status } = command(['simulate', '-', '--no-svg'], {
      cwd: folder,
      input: scenario,
    })
    expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
    expect(stdout).toMatch(/ payments {2}closed -> open \(failure-rate\)\n/)
  })

  test('forces and resets as the steps say', () => {
    const steps = [
      { at: 0, rate: 1 },
      { at: 1000, do: 'force-open' },
      { at: 2000, do: 'disable' },
      { at: 3000, do: 'metrics-only' },
      { at: 4000, do: 'force-closed' },
      { at: 5000, do: 'reset' },
    ]
    const { stdout } = simulate(
      file('forced.json', { duration: '6s', breakers: { a: { steps } } }),
      '--no-svg',
    )
    expect(stdout.match(/\S+ -> \S+/g)).toEqual([
      'closed -> forced-open',
      'forced-open -> disabled',
      'disabled -> metrics-only',
      'metrics-only -> forced-closed',
      'forced-closed -> closed',
    ])
  })

  test('draws an SVG that is well-formed, with the states and hostile names as text', () => {
    const name = '</text><script>alert(1)</script>\u0000\u001b[31m"&'
    const breakers = { [name]: hard.breakers.payments, __proto__x: hard.breakers.payments }
    const svg = simulate(file('x<y.json', { ...hard, breakers }), '--svg', '-').stdout
    const { document } = new JSDOM(svg, { contentType: 'image/svg+xml' }).window
    expect(document.querySelector('parsererror, script')).toBeNull()
    const texts = [...document.querySelectorAll('text.name')].map(({ textContent }) => textContent)
    expect(texts[0]).toBe('</text><script>alert(1)</script>\uFFFD\uFFFD[31m"&')
    const bands = [...document.querySelectorAll('rect > title')].map(({ textContent }) => textContent)
    expect(bands.slice(0, bands.length / 2)).toEqual([
      'closed, 0 s to 1.95 s',
      'open, 1.95 s to 7 s',
      'half-open, 7 s to 7.05 s',
      'open, 7.05 s to 12.1 s',
      'half-open, 12.1 s to 12.15 s',
      'closed, 12.15 s to 15 s',
    ])
  })

  test('prints hostile names quoted', () => {
    const name = 'a\u001b]0;owned\u0007\u001b[2J\n\u202e"'
    const { stdout } = simulate(
      file('a.json', { ...hard, breakers: { [name]: hard.breakers.payments } }),
      '--no-svg',
    )
    expect(stdout).not.toMatch(/(?!\n)[\p{Cc}\p{Cf}]/u)
    expect(stdout).toContain(String.raw`"a\u001b]0;owned\u0007\u001b[2J\n\u202e\""  closed -> open`)
  })

  test('without the package yaml says what to do', () => {
    const hook = `data:text/javascript,${encodeURIComponent(
      `import { registerHooks } from 'node:module'
       registerHooks({ resolve: (name, context, next) => {
         if (name === 'yaml') throw Object.assign(new Error('none'), { code: 'ERR_MODULE_NOT_FOUND' })
         return next(name, context)
       } })`,
    )}`
    const options = { cwd: folder, nodeArgs: ['--import', hook] }
    expect(command(['simulate', file('a.yaml', 'breakers: {}')], options)).toEqual({
      stdout: '',
      stderr: 'hystrix-breaker: YAML needs the package yaml: npm i yaml, or write the scenario as JSON\n',
      status: 1,
    })
    expect(command(['simulate', file('hard.json', hard), '--no-svg'], options).status).toBe(0)
  })

  test('refuses a scenario that is none in one line', () => {
    const name = file('bad.json', { breakers: { a: { steps: [{ at: 0, do: 'explode' }] } } })
    expect(simulate(name)).toEqual({
      stdout: '',
      stderr:
        'hystrix-breaker: breakers.a.steps[0].do must be one of force-open, force-closed, disable, metrics-only, reset, not "explode" (--help shows how)\n',
      status: 2,
    })
    expect(readdirSync(folder)).toEqual(['bad.json'])
  })
})
