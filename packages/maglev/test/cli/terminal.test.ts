import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { eventually } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'

// util-linux's gives a process a terminal; that of BSD takes other options.
const found = /util-linux/.test(spawnSync('script', ['--version'], { encoding: 'utf8' }).stdout ?? '')
if (!found) process.stderr.write('skipped: the live view in a terminal: there is no `script` of util-linux\n')

test.skipIf(!found)('in a terminal the backends are shown live, and Ctrl-C ends it', async () => {
  const cli = join(import.meta.dirname, '../../src/cli.ts')
  const backends = ['127.0.0.1:1', '127.0.0.1:2'].map((id) => `--backend ${id}`).join(' ')
  const command = `"${process.execPath}" --conditions=@loadbearing/source "${cli}" proxy --listen 127.0.0.1:0 ${backends} --health tcp --health-interval 100ms`
  const child = spawn('script', ['-qefc', `stty cols 120 rows 40; exec ${command}`, '/dev/null'], {
    stdio: 'pipe',
  })
  let output = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  const shows = async (text: RegExp): Promise<void> => {
    // Where it does not, what it shows is told.
    await eventually(() => text.test(stripVTControlCharacters(output))).catch(() => {})
    expect(stripVTControlCharacters(output)).toMatch(text)
  }
  try {
    await shows(/from=healthy to=unhealthy/)
    await shows(/127\.0\.0\.1:2 +unhealthy/)
    const shown = stripVTControlCharacters(output)
    expect(shown).toMatch(/maglev http on 127\.0\.0\.1:\d+, mode stable, 65537 slots/)
    expect(shown).toMatch(/BACKEND +STATE +ACTIVE +SLOTS +SHARE +MOVED/)
    child.stdin.write('\u0003')
    const [code] = await once(child, 'close')
    expect(code).toBe(0)
    expect(stripVTControlCharacters(output)).toContain('draining signal=SIGINT')
  } finally {
    child.kill('SIGKILL')
  }
})
