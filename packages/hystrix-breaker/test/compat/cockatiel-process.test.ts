import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const face = new URL('../../src/compat/cockatiel.ts', import.meta.url).href

/** What a process prints that runs `code`, which has the face as `c`, and comes to its end. */
async function runProcess(code: string): Promise<string> {
  const program = `import * as c from ${JSON.stringify(face)}\n${code}`
  const { stdout } = await promisify(execFile)(
    process.execPath,
    ['--input-type=module', '--eval', program],
    // Of a process that would wait for a timer of ten minutes.
    { timeout: 25_000, killSignal: 'SIGKILL' },
  )
  return stdout
}

test('what a policy has done keeps no process alive', async () => {
  const code = `
    const policy = c.wrap(c.timeout(600_000, 'aggressive'), c.bulkhead(1, 1))
    await Promise.all([policy.execute(() => 1), policy.execute(() => 2)])
    const breaker = c.circuitBreaker(c.handleAll, { halfOpenAfter: 0, breaker: new c.ConsecutiveBreaker(1) })
    await breaker.execute(() => Promise.reject(new Error())).catch(() => {})
    breaker.execute(() => new Promise(() => {}))
    breaker.execute(() => 3)
    process.stdout.write('done')`
  expect(await runProcess(code)).toBe('done')
})

test('a call that waits for a timeout or a retry keeps its process alive, unless it is told not to', async () => {
  const code = `
    const failing = () => Promise.reject(new Error())
    const options = { maxAttempts: 1, backoff: new c.ConstantBackoff(50) }
    const note = (name) => () => process.stdout.write(name)
    c.retry(c.handleAll, options).execute(failing).catch(note('retry '))
    c.timeout(80, 'aggressive').execute(() => new Promise(() => {})).catch(note('timeout '))
    const long = { maxAttempts: 1, backoff: new c.ConstantBackoff(600_000) }
    c.retry(c.handleAll, long).dangerouslyUnref().execute(failing).catch(note('not this '))
    c.timeout(600_000, 'aggressive').dangerouslyUnref().execute(() => new Promise(() => {})).catch(note('nor this '))`
  expect(await runProcess(code)).toBe('retry timeout ')
})
