import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { eventually } from '@loadbearing/harness/faults'
import { redis, type Service, skipWithout } from '@loadbearing/harness/services'
import { isHydraConfigError } from '@loadbearing/hydra-config'
import { Queue } from 'bullmq'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import app from './queue-app.ts'

const conditions = '--conditions=@loadbearing/source'
const hydraDir = ['hydra.sweep.dir=out', 'hydra/job_logging=none', 'hydra/hydra_logging=none']

interface Told {
  readonly name: string
  readonly num: number
  readonly overrides: readonly string[]
  readonly outputDir: string
  readonly pid: number
}

describe.skipIf(skipWithout('redis'))('a launcher over BullMQ', () => {
  let server: Service
  let port = ''
  let folder = ''
  let queue = ''
  let queues = 0
  const children: ChildProcess[] = []

  beforeAll(async () => {
    server = await redis({ name: 'hydra-bullmq' })
    ;({ port } = new URL(server.url))
  })
  afterAll(() => server[Symbol.asyncDispose]())

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'hydra-bullmq-'))
    queue = `sales-${++queues}`
    writeFileSync(join(folder, 'told'), '')
  })
  afterEach(async () => {
    await Promise.all(
      children.splice(0).map(async (child) => {
        if (child.exitCode !== null || child.signalCode !== null) return
        child.kill('SIGKILL')
        await once(child, 'exit')
      }),
    )
    rmSync(folder, { recursive: true, force: true })
  })

  function start(program: string, argv: readonly string[]): ChildProcess {
    const file = join(import.meta.dirname, program)
    const child = spawn(process.execPath, [conditions, file, ...argv], { cwd: folder })
    children.push(child)
    return child
  }

  async function startWorker(): Promise<ChildProcess> {
    const worker = start('queue-worker.ts', [queue, port])
    const [ready] = await once(worker.stdout ?? worker, 'data')
    expect(String(ready)).toBe('ready\n')
    return worker
  }

  /** A multirun; its workers are others. */
  async function launch(...argv: string[]): Promise<{ readonly status: number; readonly stderr: string }> {
    const toQueue = ['hydra/launcher=bullmq', `hydra.launcher.queue=${queue}`]
    const polled = [`hydra.launcher.redis.port=${port}`, 'hydra.launcher.wait_polling=0.05']
    const launcher = start('queue-app.ts', [
      '-m',
      ...toQueue,
      ...polled,
      ...hydraDir,
      `told=${join(folder, 'told')}`,
      ...argv,
    ])
    let stderr = ''
    launcher.stderr?.on('data', (text) => {
      stderr += String(text)
    })
    const [status] = await once(launcher, 'exit')
    return { status: Number(status), stderr }
  }

  /** Whether a job is in the queue that nobody has taken. */
  async function waiting(): Promise<boolean> {
    const seen = new Queue(queue, { connection: { host: '127.0.0.1', port: Number(port) } })
    try {
      return (await seen.getWaitingCount()) === 1
    } finally {
      await seen.close()
    }
  }

  function told(): readonly Told[] {
    const lines = readFileSync(join(folder, 'told'), 'utf8').split('\n')
    return lines.filter((line) => line !== '').map((line): Told => JSON.parse(line))
  }

  test('jobs are done by workers, each once, as the multirun composed them', async () => {
    const workers = await Promise.all([startWorker(), startWorker()])
    expect(await launch('name=tea,salt,rice')).toEqual({ status: 0, stderr: '' })
    const done = told().toSorted((a, b) => a.num - b.num)
    expect(done.map(({ name, num }) => [name, num])).toEqual([
      ['tea', 0],
      ['salt', 1],
      ['rice', 2],
    ])
    const pids = workers.map(({ pid }) => pid)
    for (const { pid, outputDir, num, overrides } of done) {
      expect(pids).toContain(pid)
      expect(outputDir).toMatch(new RegExp(`/out/${num}$`))
      expect(existsSync(join(outputDir, '.hydra', 'config.yaml'))).toBe(true)
      expect(overrides[1]).toBe(`name=${['tea', 'salt', 'rice'][num]}`)
    }
  })

  test('a job whose worker is killed in the middle is done by another one', async () => {
    const doomed = await startWorker()
    const launched = launch('name=tea', 'wait=true')
    await eventually(() => told().length === 1, { what: 'the job under way' })
    doomed.kill('SIGKILL')
    const heir = await startWorker()
    expect(await launched).toEqual({ status: 0, stderr: '' })
    expect(told().map(({ pid }) => pid)).toEqual([doomed.pid, heir.pid])
  })

  test('a job that throws has failed with what it threw; the others are done', async () => {
    await startWorker()
    const { status, stderr } = await launch('name=tea,salt', 'fail=true')
    expect(status).toBe(1)
    expect(stderr).toContain('no tea')
    expect(told().map(({ name }) => name)).toEqual(['tea', 'salt'])
  })

  test('it is tried as often as enqueue.attempts says', async () => {
    await startWorker()
    const { status } = await launch('name=tea', 'fail=true', 'hydra.launcher.enqueue.attempts=3')
    expect(status).toBe(1)
    expect(told()).toHaveLength(3)
  })

  test('stop_after_enqueue leaves the jobs to workers that come later', async () => {
    expect(await launch('name=tea,salt', 'hydra.launcher.stop_after_enqueue=true')).toEqual({
      status: 0,
      stderr: '',
    })
    expect(told()).toEqual([])
    await startWorker()
    await eventually(() => told().length === 2, { what: 'both jobs' })
  })

  test('a job that is taken off the queue is lost, and said to be', async () => {
    const launched = launch('name=tea')
    const connection = { host: '127.0.0.1', port: Number(port) }
    const seen = new Queue(queue, { connection })
    await eventually(async () => (await seen.getWaitingCount()) === 1, { what: 'the job' })
    await seen.obliterate({ force: true })
    await seen.close()
    const { status, stderr } = await launched
    expect(status).toBe(1)
    expect(stderr).toContain('job 0 was removed from the queue before it told what came of it')
  })

  test('a job that is removed at its end is waited for, and removed', async () => {
    await startWorker()
    expect(await launch('name=tea,salt', '++hydra.launcher.enqueue.removeOnComplete=true')).toEqual({
      status: 0,
      stderr: '',
    })
    const failing = ['fail=true', '++hydra.launcher.enqueue.removeOnFail=true']
    const { status, stderr } = await launch('name=rice', ...failing)
    expect(status).toBe(1)
    expect(stderr).toContain('no rice')
    const seen = new Queue(queue, { connection: { host: '127.0.0.1', port: Number(port) } })
    expect(await seen.getJobCounts('completed', 'failed', 'waiting')).toEqual({
      completed: 0,
      failed: 0,
      waiting: 0,
    })
    await seen.close()
  })

  test.each(['jobId=x', 'deduplication={id: x}', 'repeat={every: 10}'])(
    'enqueue.%s, which would make of the jobs one or many, is refused',
    async (option) => {
      const { status, stderr } = await launch('name=tea,salt', `++hydra.launcher.enqueue.${option}`)
      expect(status).toBe(1)
      const [key] = option.split('=')
      expect(stderr).toContain(`hydra.launcher.enqueue.${key} would not put each job into the queue once`)
    },
  )

  test('Redis that is restarted in the middle of a batch loses nothing', async () => {
    const worker = await startWorker()
    const launched = launch('name=tea,salt', `gate=${join(folder, 'gate')}`)
    await eventually(() => told().length === 1, { what: 'the first job under way' })
    let faults = ''
    worker.stderr?.on('data', (text) => {
      faults += String(text)
    })
    await server.kill()
    await eventually(() => faults.includes('ECONNREFUSED'), { what: 'a connection that is refused' })
    await server.restart()
    writeFileSync(join(folder, 'gate'), '')
    expect(await launched).toEqual({ status: 0, stderr: '' })
    expect(new Set(told().map(({ name }) => name))).toEqual(new Set(['tea', 'salt']))
  })

  test('Redis that does not come again is told of, and the launcher ends', async () => {
    const launched = launch('name=tea')
    await eventually(waiting, { what: 'the job' })
    await server.kill()
    try {
      const { status, stderr } = await launched
      expect(status).toBe(1)
      expect(stderr).toContain(`the queue '${queue}' failed: connect ECONNREFUSED`)
    } finally {
      await server.restart()
    }
  })

  test('a worker that cannot compose the job says why', async () => {
    const own = join(folder, 'own')
    mkdirSync(own)
    const launched = launch('name=tea', `--config-dir=${own}`)
    await eventually(waiting, { what: 'the job' })
    rmSync(own, { recursive: true })
    await startWorker()
    const { status, stderr } = await launched
    expect(status).toBe(1)
    expect(stderr).toContain(`Additional config directory '${own}' not found`)
  })

  test('what a job throws that is no error fails it', async () => {
    await startWorker()
    const { status, stderr } = await launch('name=tea', "fail='null'")
    expect(status).toBe(1)
    expect(stderr).toContain('Error: null')
  })

  test('a queue that cannot be reached is told of', async () => {
    const { status, stderr } = await launch('name=tea', 'hydra.launcher.redis.port=1')
    expect(status).toBe(1)
    expect(stderr).toContain(`the queue '${queue}' failed: connect ECONNREFUSED 127.0.0.1:1`)
    expect(told()).toEqual([])
  })

  test.each([
    'null',
    '"job"',
    '[]',
    '{"num":0}',
    '{"flags":[],"num":-1,"overrides":[],"times":[]}',
    '{"flags":[],"num":0.5,"overrides":[],"times":[]}',
    '{"flags":"--help","num":0,"overrides":[],"times":[]}',
    '{"flags":["--version"],"num":0,"overrides":[],"times":[]}',
    '{"flags":["--nothing"],"num":0,"overrides":[],"times":[]}',
    '{"flags":[],"num":0,"overrides":[1],"times":[]}',
    '{"flags":[],"num":0,"overrides":{"length":0},"times":[]}',
    '{"flags":[],"num":0,"overrides":[],"times":[["now"]]}',
    '{"flags":[],"num":0,"overrides":[],"times":7}',
  ])('%s is no job of a launcher, and refused', async (text) => {
    const refused = await app.runJob(JSON.parse(text)).catch((error: unknown) => error)
    expect(isHydraConfigError(refused) && refused.code).toBe('INVALID_OPTION')
  })
})
