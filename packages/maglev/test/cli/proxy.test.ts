import { once } from 'node:events'
import { createServer } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import { type Child, eventually, startChild } from '@loadbearing/harness/faults'
import { expect, test } from 'vitest'

const execArgv = ['--conditions=@loadbearing/source']

interface Backend {
  readonly child: Child
  readonly id: string
  readonly port: string
}

async function startBackend(kind: 'http' | 'tcp'): Promise<Backend> {
  const child = await startChild(join(import.meta.dirname, 'backend.ts'), { args: [kind], execArgv })
  const port = (await child.line(/^port /)).slice(5)
  return { child, id: `127.0.0.1:${port}`, port }
}

/** A running `maglev proxy` and where it listens. */
async function startProxy(...args: string[]): Promise<{ child: Child; url: string }> {
  const child = await startChild(join(import.meta.dirname, '../../src/cli.ts'), {
    args: ['proxy', '--listen', '127.0.0.1:0', ...args],
    execArgv,
  })
  const line = await child.line('listening')
  return { child, url: `http://${/address=(\S+)/.exec(line)?.[1]}` }
}

async function ownerOf(url: string, user: string): Promise<string> {
  const response = await fetch(url, { headers: { 'x-user': user } })
  return response.text()
}

const users = Array.from({ length: 30 }, (_, n) => `user-${n}`)

function metric(text: string, name: string): number {
  const found = text.split('\n').find((line) => line.startsWith(`${name} `))
  return Number(found?.slice(name.length + 1))
}

test('requests follow the header, a killed backend loses its keys and no others, and metrics tell', async () => {
  const backends = await Promise.all([startBackend('http'), startBackend('http'), startBackend('http')])
  const words = backends.flatMap(({ id }) => ['--backend', id])
  const options = ['--hash', 'header:x-user', '--health', '/', '--health-interval', '50ms']
  const { child, url } = await startProxy(...words, ...options, '--metrics', '127.0.0.1:0')
  const metricsUrl = /url=(\S+)/.exec(await child.line('metrics'))?.[1] ?? ''
  try {
    const before = new Map<string, string>()
    for (const user of users) before.set(user, await ownerOf(url, user))
    expect(new Set(before.values())).toEqual(new Set(backends.map(({ port }) => port)))
    for (const user of users) expect(await ownerOf(url, user)).toBe(before.get(user))

    const [dead] = backends
    await dead?.child.kill()
    await child.line(new RegExp(`state backend=${dead?.id} from=healthy to=unhealthy`))
    await child.line('rebuild')
    for (const user of users) {
      const owner = await ownerOf(url, user)
      if (before.get(user) === dead?.port) expect(owner).not.toBe(dead?.port)
      else expect(owner).toBe(before.get(user))
    }

    const response = await fetch(metricsUrl)
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8')
    const text = await response.text()
    expect(metric(text, `maglev_backend_state{pool="proxy",backend="${dead?.id}",state="unhealthy"}`)).toBe(1)
    expect(metric(text, `maglev_backend_slots{pool="proxy",backend="${dead?.id}"}`)).toBe(0)
    expect(metric(text, 'maglev_proxy_responses_total{status="200"}')).toBe(3 * users.length)
    expect((await fetch(new URL('/other', metricsUrl))).status).toBe(404)
  } finally {
    await Promise.all([child.kill(), ...backends.map((backend) => backend.child.kill())])
  }
})

test('SIGTERM lets the open request finish, refuses new connections, and ends with 0', async () => {
  const backend = await startBackend('http')
  const { child, url } = await startProxy('--backend', backend.id)
  try {
    const held = fetch(`${url}/hold`)
    await backend.child.line('holding')
    process.kill(child.pid, 'SIGTERM')
    await child.line(/draining signal=SIGTERM open=1/)
    await expect(fetch(url)).rejects.toThrow('fetch failed')
    expect(child.ended).toBe(false)
    await fetch(`http://${backend.id}/release`)
    expect(await (await held).text()).toBe(backend.port)
    expect(await child.exit).toMatchObject({ code: 0, signal: null })
    expect(child.output.stderr).toBe('')
  } finally {
    await Promise.all([child.kill(), backend.child.kill()])
  }
})

test('a second signal ends it at once', async () => {
  const backend = await startBackend('http')
  const { child, url } = await startProxy('--backend', backend.id)
  try {
    const held = fetch(`${url}/hold`).catch((error: unknown) => error)
    await backend.child.line('holding')
    process.kill(child.pid, 'SIGINT')
    await child.line('draining')
    process.kill(child.pid, 'SIGTERM')
    expect(await child.exit).toMatchObject({ code: 143 })
    expect(await held).toBeInstanceOf(TypeError)
  } finally {
    await Promise.all([child.kill(), backend.child.kill()])
  }
})

test('TCP connections go to the backend of their source, which is told by the PROXY protocol where asked for', async () => {
  const backend = await startBackend('tcp')
  const { child, url } = await startProxy(
    '--tcp',
    '--backend',
    backend.id,
    '--send-proxy-protocol',
    '1',
    '--log',
    'plain',
  )
  try {
    const { port } = new URL(url)
    const socket = connect(Number(port), '127.0.0.1')
    let received = ''
    socket.on('data', (data) => {
      received += String(data)
    })
    await once(socket, 'connect')
    socket.write('hello\n')
    await eventually(() => received.endsWith('hello\n'))
    // The backend greets and echoes, so the header comes back first.
    expect(received).toBe(
      `${backend.port}\nPROXY TCP4 127.0.0.1 127.0.0.1 ${socket.localPort} ${port}\r\nhello\n`,
    )
    socket.end()
    await once(socket, 'close')
  } finally {
    await Promise.all([child.kill(), backend.child.kill()])
  }
})

test('a secret from the environment decides where keys go, and is shown nowhere', async () => {
  const backends = await Promise.all([startBackend('http'), startBackend('http')])
  const secrets = ['00112233445566778899aabbccddeeff', 'ffeeddccbbaa99887766554433221100']
  const proxies = await Promise.all(
    secrets.map((secret) =>
      startChild(join(import.meta.dirname, '../../src/cli.ts'), {
        args: [
          'proxy',
          '--listen=127.0.0.1:0',
          '--secret=env:PROXY_SECRET',
          '--hash=header:x-user',
          ...backends.flatMap(({ id }) => ['--backend', id]),
        ],
        execArgv,
        env: { PROXY_SECRET: secret },
      }),
    ),
  )
  try {
    const owners = await Promise.all(
      proxies.map(async (child) => {
        const url = `http://${/address=(\S+)/.exec(await child.line('listening'))?.[1]}`
        return Promise.all(users.map((user) => ownerOf(url, user)))
      }),
    )
    expect(owners[0]).not.toEqual(owners[1])
    for (const { output } of proxies)
      for (const secret of secrets) expect(output.stdout).not.toContain(secret)
  } finally {
    await Promise.all([...proxies, ...backends.map(({ child }) => child)].map((child) => child.kill()))
  }
})

test('events are lines of JSON with --log json', async () => {
  const backend = await startBackend('http')
  const child = await startChild(join(import.meta.dirname, '../../src/cli.ts'), {
    args: [
      'proxy',
      '--listen',
      '127.0.0.1:0',
      '--backend',
      backend.id,
      '--log',
      'json',
      '--health',
      'tcp',
      '--health-interval',
      '50ms',
    ],
    execArgv,
  })
  try {
    expect(JSON.parse(await child.line('listening'))).toMatchObject({ event: 'listening', type: 'http' })
    await backend.child.kill()
    expect(JSON.parse(await child.line('"state"'))).toMatchObject({
      event: 'state',
      backend: backend.id,
      from: 'healthy',
      to: 'unhealthy',
    })
  } finally {
    await Promise.all([child.kill(), backend.child.kill()])
  }
})

test('a port that is taken is one line on standard error and status 1', async () => {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const taken = `127.0.0.1:${(server.address() as AddressInfo).port}`
  for (const where of [
    ['--listen', taken],
    ['--listen', '127.0.0.1:0', '--metrics', taken],
  ]) {
    const child = await startChild(join(import.meta.dirname, '../../src/cli.ts'), {
      args: ['proxy', '--backend', '127.0.0.1:1', ...where],
      execArgv,
    })
    expect(await child.exit).toMatchObject({ code: 1 })
    expect(child.output.stderr).toMatch(/^maglev: listen EADDRINUSE[^\n]+\n$/)
  }
  server.close()
})
