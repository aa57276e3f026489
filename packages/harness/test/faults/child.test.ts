import { existsSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { eventually, startChild } from '../../src/faults/index.ts'

const heartbeat = new URL('children/heartbeat.ts', import.meta.url)

function isAlive(pid: number): boolean {
  if (process.platform === 'linux' && existsSync(`/proc/${pid}/stat`)) {
    return !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'))
  }
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function pidIn(line: string): number {
  return Number(/\d+/.exec(line)?.[0])
}

test('waits until the child is ready, and captures its output', async () => {
  await using child = await startChild(heartbeat, { ready: /^ready \d+$/ })
  expect(isAlive(child.pid)).toBe(true)
  await child.line('beat 3')
  expect(child.output.stdout).toContain('ready')
  expect(child.ended).toBe(false)
})

test('a paused child and those below it stop beating, and go on after resume', async () => {
  await using child = await startChild(heartbeat, { ready: 'ready' })
  await using clock = await startChild(heartbeat, { ready: 'ready' })
  // From now on: what is read in turns of the loop in which what the other wrote is read as well.
  const beats = async (n: number): Promise<void> => {
    const before = clock.output.stdout.length
    await eventually(() => clock.output.stdout.slice(before).split('beat').length > n)
  }
  await child.line('below')
  await child.line('beat')
  await child.pause()
  // What was written before the stop may still be in the pipe.
  await beats(10)
  const silent = child.output.stdout
  await beats(40)
  expect(child.output.stdout).toBe(silent)
  child.resume()
  await eventually(() => /beat.*below|below.*beat/s.test(child.output.stdout.slice(silent.length)))
})

test('kill is SIGKILL to the child and to the processes below it', async () => {
  const child = await startChild(heartbeat)
  const below = pidIn(await child.line('ready'))
  expect(isAlive(below)).toBe(true)
  expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL' })
  expect([isAlive(child.pid), isAlive(below)]).toEqual([false, false])
  expect(await child.kill(), 'killing twice does no harm').toEqual({ code: null, signal: 'SIGKILL' })
})

test('a paused child can be killed', async () => {
  const child = await startChild(heartbeat, { ready: 'ready' })
  await child.pause()
  expect(await child.kill()).toEqual({ code: null, signal: 'SIGKILL' })
})

test('disposal leaves no process', async () => {
  let pids: number[] = []
  {
    await using child = await startChild(heartbeat)
    pids = [child.pid, pidIn(await child.line('ready'))]
    expect(pids.map(isAlive)).toEqual([true, true])
  }
  expect(pids.map(isAlive)).toEqual([false, false])
})

test('what a child started ends with it, also when the child ends by itself', async () => {
  await using child = await startChild(heartbeat)
  const below = pidIn(await child.line('ready'))
  process.kill(child.pid, 'SIGKILL')
  expect(await child.exit).toEqual({ code: null, signal: 'SIGKILL' })
  await eventually(() => !isAlive(below))
})

test('a daemon that holds the output open does not hold up the exit', async () => {
  await using child = await startChild(new URL('children/daemon.ts', import.meta.url))
  const daemon = pidIn(await child.line('daemon'))
  try {
    expect(await child.exit).toEqual({ code: 0, signal: null })
    expect(isAlive(daemon)).toBe(true)
  } finally {
    process.kill(daemon, 'SIGKILL')
  }
})

test('terminate asks by SIGTERM first', async () => {
  await using child = await startChild(heartbeat, { ready: 'ready' })
  expect(await child.terminate()).toEqual({ code: null, signal: 'SIGTERM' })
})

test('terminate kills a child that takes no notice', async () => {
  await using child = await startChild(heartbeat, { args: ['ignoring-sigterm'], ready: 'ready' })
  expect(await child.terminate({ within: 100 })).toEqual({ code: null, signal: 'SIGKILL' })
  expect(child.output.stdout).toContain('SIGTERM ignored')
})

test('terminate ends a paused child', async () => {
  await using child = await startChild(heartbeat, { ready: 'ready' })
  await child.pause()
  expect(await child.terminate()).toEqual({ code: null, signal: 'SIGTERM' })
})

test('messages go both ways', async () => {
  await using child = await startChild(heartbeat, { ready: 'ready' })
  await child.send({ n: 1 })
  await child.send({ n: 2 })
  expect(await child.message((value) => JSON.stringify(value).includes('2'))).toEqual({ echo: { n: 2 } })
  await child.kill()
  await expect(child.send('late')).rejects.toMatchObject({ code: 'PROCESS_ENDED' })
  await expect(child.message()).rejects.toMatchObject({ code: 'PROCESS_ENDED' })
})

test('when the starting process is killed, its children and theirs end too', async () => {
  await using starter = await startChild(new URL('children/starter.ts', import.meta.url))
  const line = await starter.line('started')
  const pids = (line.match(/\d+/g) ?? []).map(Number)
  expect(pids.map(isAlive)).toEqual([true, true])
  // Not the whole tree, as kill() would: only the process itself.
  process.kill(starter.pid, 'SIGKILL')
  await eventually(() => !pids.some(isAlive))
})

test('a child that does not get ready is killed, and its error says why', async () => {
  const never = startChild(heartbeat, { ready: 'never said', readyWithin: 300 })
  await expect(never).rejects.toMatchObject({ code: 'TIMED_OUT' })
  const broken = startChild(new URL('children/missing-argument.ts', import.meta.url), { ready: 'x' })
  await expect(broken).rejects.toMatchObject({ code: 'BAD_OPTION' })
  const ended = startChild(heartbeat, { execArgv: ['--no-such-option'], ready: 'ready' })
  await expect(ended).rejects.toMatchObject({ code: 'PROCESS_ENDED', message: /--no-such-option/ })
  const nowhere = startChild(heartbeat, { cwd: '/no/such/folder' })
  await expect(nowhere).rejects.toMatchObject({ code: 'PROCESS_ENDED', message: /could not be started/ })
})

test('output is kept up to its limit', async () => {
  await using child = await startChild(heartbeat, { ready: 'ready', outputLimit: 100 })
  await child.line('beat 30')
  expect(child.output.stdout.length).toBeLessThanOrEqual(100)
  expect(child.output.stdout).not.toContain('ready')
})

test.each([
  { options: { outputLimit: 0 }, names: 'outputLimit' },
  { options: { crashAt: 'nowhere' }, names: 'CRASH_AT' },
  { options: { ready: 'ready', readyWithin: -1 }, names: 'readyWithin' },
])('a bad option is refused by name: $names', async ({ options, names }) => {
  await expect(startChild(heartbeat, options)).rejects.toMatchObject({
    code: 'BAD_OPTION',
    message: expect.stringContaining(names),
  })
})
