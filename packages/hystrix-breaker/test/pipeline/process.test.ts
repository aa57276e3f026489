import { spawnSync } from 'node:child_process'
import { expect, test } from 'vitest'

/** Runs `script` as the main module of a process of its own. */
function runAlone(script: string): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--conditions=@loadbearing/source', '--input-type=module', '--eval', script],
    { encoding: 'utf8', cwd: import.meta.dirname, timeout: 20_000 },
  )
  return { status, stdout, stderr }
}

const imports = `import { bulkhead, collapser, hedge, pipeline, retry, timeout } from '@loadbearing/hystrix-breaker'\n`

test('a process stays for what its main module waits for: the wait of a retry, the window of a batch', () => {
  const { status, stdout, stderr } = runAlone(`${imports}
    let calls = 0
    console.log(await pipeline(retry({ backoff: 20 })).run(() => { if (++calls < 3) throw new Error('no'); return calls }))
    console.log(await collapser({ window: 20, load: (ids) => ids.map((id) => id * 2) })(21))`)
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: '3\n42\n', stderr: '' })
})

test('it does not stay for time limits, queues and delays that are over, though nothing is disposed of', () => {
  const { status, stdout } = runAlone(`${imports}
    const api = pipeline(timeout('1h'), hedge({ delay: '1h' }), bulkhead({ max: 1, queue: 1, queueTimeout: '1h' }))
    console.log(await Promise.all([api.run(() => Promise.resolve(1)), api.run(() => 2)]))`)
  expect({ status, stdout }).toEqual({ status: 0, stdout: '[ 1, 2 ]\n' })
})

test('losers, late answers and departures leave no unhandled rejection', () => {
  const { status, stdout, stderr } = runAlone(`${imports}
    const api = pipeline({ budget: false }, timeout(30), hedge({ delay: 0, max: 3 }))
    const controller = new AbortController()
    const gates = []
    const late = () => {
      const gate = Promise.withResolvers()
      gates.push(gate)
      return gate.promise
    }
    // As a socket would.
    const alive = setInterval(Object, 1000)
    const runs = [
      api.run(late), api.run(late, { signal: controller.signal }), api.run(() => Promise.reject(new Error('each'))),
    ]
    controller.abort(new Error('left'))
    const ends = await Promise.allSettled(runs)
    for (const gate of gates) gate.reject(new Error('late'))
    await new Promise(setImmediate)
    clearInterval(alive)
    console.log(gates.length, ends.map(({ reason }) => reason?.code ?? reason?.message))`)
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(stdout).toBe("8 [ 'TIMEOUT', 'left', 'each' ]\n")
})
