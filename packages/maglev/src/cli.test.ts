import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

function maglev(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const file = join(import.meta.dirname, 'cli.ts')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', file, ...args],
    // `proxy` would take the default signal for a wish to drain.
    { encoding: 'utf8', timeout: 20_000, killSignal: 'SIGKILL' },
  )
  return { stdout, stderr, status }
}

const hosts = [90, 91, 92, 93, 94, 95].map((port) => `127.0.0.1:${port}`)

test('table prints the owner of each slot', () => {
  expect(maglev('table', '--mode', 'envoy', '--size', '7', ...hosts).stdout).toBe('2 4 0 1 5 0 3\n')
})

test('table takes weights, zones, hashes and what is down', () => {
  const weighted = maglev('table', '--mode', 'envoy', '--size', '17', '127.0.0.1:90', '127.0.0.1:91,w=2')
  expect(weighted.stdout).toBe('1 0 0 1 0 1 1 0 1 1 1 1 1 0 1 0 1\n')
  const zones = maglev(
    'table',
    '--mode',
    'envoy',
    '--size',
    '17',
    '--zone',
    'a=8',
    '--zone',
    'b=2',
    '127.0.0.1:90,zone=a',
    '127.0.0.1:91,w=2,zone=b',
  )
  expect(zones.stdout).toBe('1 0 0 0 0 0 1 0 0 1 0 1 0 0 0 0 0\n')
  expect(maglev('table', '--mode', 'katran-v1', '--size', '7', 'a,hash=1000,w=2', 'b,hash=2000').stdout).toBe(
    '1 1 0 1 0 0 0\n',
  )
  expect(
    maglev('table', '--size', '31', '--counts', 'a', 'b,w=2', '[x:1/TCP,State:active],down').stdout,
  ).toBe('10 a\n21 b\n0 [x:1/TCP,State:active]\n')
})

test('plan shows what a change moves, and which keys', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-'))
  try {
    const keys = join(folder, 'keys')
    writeFileSync(keys, 'user:1\nuser:2\nuser:3\n')
    const { stdout, status } = maglev(
      'plan',
      'a:80',
      'b:80',
      'c:80',
      '!a:80',
      '--keys',
      keys,
      '--size',
      '1009',
    )
    expect(stdout).toMatch(
      /^changed {5}337 of 1009 \(33\.40 %\)\nideal {7}337 .*\ncollateral {2}0 of 1009 \(0\.00 %\)\n/,
    )
    expect(stdout).toMatch(/keys {8}\d of 3 move\n$/)
    expect(status).toBe(0)
  } finally {
    rmSync(folder, { recursive: true })
  }
  expect(maglev('plan', 'a', 'b', '+c,w=2', '-a', '=b,w=3').stdout).toMatch(/^a: \d+ -> 0 slots/m)
})

test('bench measures the given backends', () => {
  const { stdout, status } = maglev('bench', '--rounds', '3', '--size', '1021', 'a:80', 'b:80,w=2')
  expect(stdout).toMatch(/^2 backends, 1021 slots, mode stable, hash xxh32\nNode \d+/)
  expect(stdout).toMatch(
    /^build +\d+\.\d{3} ms\none backend fails +\d+\.\d{3} ms\nlook up a string +\d+\.\d ns\n/m,
  )
  expect(status).toBe(0)
})

test('plot writes a figure to a file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'maglev-'))
  try {
    const file = join(folder, 'figure.svg')
    const args = ['--backends', '10', '--size', '1021', '--failures', '0,10', '--runs', '1', '-o', file]
    expect(maglev('plot', 'share', ...args)).toEqual({ stdout: '', stderr: '', status: 0 })
    expect(readFileSync(file, 'utf8')).toMatch(
      /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n$/,
    )
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test.each([
  [['--help']],
  [['plan', '-h']],
  [['--listen', ':0', '--help']],
  ...['proxy', 'table', 'plan', 'bench', 'plot'].map((command) => [[command, '--help']]),
])('help is on standard output: %j', (args) => {
  const { stdout, status } = maglev(...args)
  expect(stdout).toMatch(/^(maglev: |Usage: maglev )/)
  expect(status).toBe(0)
})

test.each([
  [[]],
  [['fly']],
  [['table']],
  [['table', '--size', '8', 'a']],
  [['table', '--size', 'x', 'a']],
  [['table', '--mode', 'x', 'a']],
  [['table', '--zork', 'a']],
  [['table', '--zone', 'a', 'b']],
  [['table', 'a', 'a']],
  [['table', 'a,w=-1']],
  [['table', 'a,hash=x']],
  [['plan', 'a']],
  [['plan', 'a', '-x']],
  [['plan', 'a', '=a']],
  [['plan', 'a', '+b', '--keys', '/nowhere/keys']],
  [['bench', '--rounds', '0']],
  [['bench', '--backends', '3', 'a']],
  [['plot', 'pie']],
  [['plot', '--failures', '1,100']],
  [['plot', '--failures', '1']],
  [['plot', '--size', '8']],
  [['plot', '--size', '251', '-o', '/nowhere/figure.svg']],
  [['proxy']],
  [['--zork']],
  [['--listen', '127.0.0.1:0', '--backend', 'a:1', '--panic', '2']],
  [['proxy', '--listen', '127.0.0.1:0', '--backend', 'a:1', '--bounded-load', '0.5']],
  [['proxy', '--listen', '127.0.0.1:0', '--backend', 'a:1', '--health', 'no path']],
  [['proxy', '--listen', '127.0.0.1:0', '--backend', 'a:1', '--health', '/', '--health-interval', 'soon']],
  [['proxy', '--listen', '127.0.0.1:0', '--backend', 'a:1', '--panic', '2']],
])('wrong use, as of %j, is one line on standard error and status 2', (args) => {
  const { stdout, stderr, status } = maglev(...args)
  expect(stderr).toMatch(/^maglev: [^\n]+\n$/)
  expect(stdout).toBe('')
  expect(status).toBe(2)
})
