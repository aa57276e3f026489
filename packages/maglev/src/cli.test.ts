import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'

function maglev(...args: string[]): { stdout: string; stderr: string; status: number | null } {
  const file = join(import.meta.dirname, 'cli.ts')
  return spawnSync(process.execPath, ['--conditions=@loadbearing/source', file, ...args], {
    encoding: 'utf8',
  })
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

test('help is on standard output', () => {
  for (const args of [['--help'], ['table', '--help'], ['plan', '-h']]) {
    const { stdout, status } = maglev(...args)
    expect(stdout).toMatch(/^(maglev: |Usage: maglev )/)
    expect(status).toBe(0)
  }
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
])('wrong use, as of %j, is one line on standard error and status 2', (args) => {
  const { stdout, stderr, status } = maglev(...args)
  expect(stderr).toMatch(/^maglev: [^\n]+\n$/)
  expect(stdout).toBe('')
  expect(status).toBe(2)
})
