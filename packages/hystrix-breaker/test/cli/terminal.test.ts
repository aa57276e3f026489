import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { expect, test } from 'vitest'
import { hystrixStream } from '../../src/adapters/stream.ts'
import { Breaker, Registry } from '../../src/index.ts'
import { served } from '../stream/served.ts'

// util-linux's gives a process a terminal; that of BSD takes other options.
const found = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '')
if (!found) process.stderr.write('skipped: top in a terminal: there is no `script` of util-linux\n')

test.skipIf(!found)('in a terminal top is drawn live over itself, and Ctrl-C ends it', async () => {
  const registry = new Registry()
  const users = new Breaker({ name: 'users' })
  registry.add(users)
  registry.add(new Breaker({ name: '\u001b]0;owned\u0007' }))
  for (let n = 0; n < 60; n++) registry.add(new Breaker({ name: `other ${n}` }))
  await using server = await served(hystrixStream(registry, { delay: 50 }))
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const command = `"${process.execPath}" --conditions=@loadbearing/source "${cli}" top ${server.url}/hystrix.stream`
  // Where CI or NO_COLOR is set, Node colours nothing.
  const { CI: _ci, NO_COLOR: _noColor, ...env } = process.env
  const child = spawn('script', ['-qefc', `stty cols 100 rows 30; exec ${command}`, '/dev/null'], {
    stdio: 'pipe',
    env: { ...env, TERM: 'xterm-256color' },
  })
  let output = ''
  const changed = new Set<() => void>()
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
    for (const resolve of changed) resolve()
    changed.clear()
  })
  const until = async (seen: (text: string) => boolean): Promise<void> => {
    while (!seen(stripVTControlCharacters(output)))
      await new Promise<void>((resolve) => {
        changed.add(resolve)
      })
  }
  try {
    await until((text) => /other 0 +CLOSED/.test(text))
    users.force('forced-open')
    // What is open comes first, below the head.
    await until((text) => /NAME +STATE[^\n]*\n[^\n]*users +FORCED OPEN/.test(text))
    expect(output).toContain('\u001b[31m')
    expect(output).not.toContain('\u001b]0;')
    const picture = output.split('\u001b[H').at(-2) ?? ''
    const lines = stripVTControlCharacters(picture).split('\r\n')
    expect(lines.length).toBeLessThanOrEqual(30)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(100)
    expect(lines.at(-2)).toMatch(/^… and \d+ more/)
    child.stdin.write('\u0003')
    await once(child, 'exit')
  } finally {
    child.kill('SIGKILL')
  }
})
