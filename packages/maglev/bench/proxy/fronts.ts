import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { freePort, startChild } from '@loadbearing/harness/faults'

export type Kind = 'tcp' | 'http'
/** By what connections or requests are spread: the client's address, or, for a load of one client, its port or the path. */
export type By = 'source' | 'any'

/** A proxy that runs, a process of its own. */
export interface Front extends AsyncDisposable {
  readonly port: number
  readonly pid: number
}

export interface FrontMaker {
  readonly name: string
  readonly version: string
  readonly kinds: readonly Kind[]
  start(kind: Kind, by: By, backends: readonly string[]): Promise<Front>
}

export const barePipe = 'bare net.createServer pipe'
export const bareHttp = 'bare node:http proxy'
export const library = 'maglev, in a program'
export const command = 'maglev proxy, the command'

const streamModule = '/usr/lib/nginx/modules/ngx_stream_module.so'

/** `program` is started with the conditions of this workspace, and says where it listens. */
async function startNode(program: string, args: readonly string[], listening: RegExp): Promise<Front> {
  const child = await startChild(new URL(program, import.meta.url), {
    execArgv: ['--conditions=@loadbearing/source'],
    args,
    ready: listening,
  })
  const port = Number(listening.exec(child.output.stdout)?.[1])
  return { port, pid: child.pid, [Symbol.asyncDispose]: () => child[Symbol.asyncDispose]() }
}

/** The command, as it is started from a shell, and with health checks as the others have them. */
function startCommand(kind: Kind, by: By, backends: readonly string[]): Promise<Front> {
  const checks = ['--health', 'tcp', '--health-interval', '200ms']
  // With --tcp it goes by the source address and nothing else.
  const key = kind === 'http' && by === 'any' ? ['--hash', 'header::path'] : []
  const listed = backends.flatMap((address) => ['--backend', address])
  return startNode(
    '../../src/cli.ts',
    ['proxy', '--listen', '127.0.0.1:0', `--${kind}`, ...key, ...checks, '--log', 'json', ...listed],
    /"event":"listening","address":"[^"]*:(\d+)"/,
  )
}

/** Those that this machine has and that start; what is missing is told to `absent`. Each works on one thread, as Node does. */
export async function frontMakers(absent: (what: string) => void): Promise<FrontMaker[]> {
  const listening = /^listening (\d+)/
  const makers: FrontMaker[] = [
    {
      name: barePipe,
      version: process.version,
      kinds: ['tcp'],
      start: (_kind, _by, backends) => startNode('./bare-pipe.ts', backends, listening),
    },
    {
      name: bareHttp,
      version: process.version,
      kinds: ['http'],
      start: (_kind, _by, backends) => startNode('./bare-http.ts', backends, listening),
    },
    {
      name: library,
      version: 'this commit',
      kinds: ['tcp', 'http'],
      start: (kind, by, backends) => startNode('./maglev-proxy.ts', [kind, by, ...backends], listening),
    },
    { name: command, version: 'this commit', kinds: ['tcp', 'http'], start: startCommand },
  ]
  const haproxy = versionOf('haproxy', ['-v'])
  if (haproxy === undefined) absent('no haproxy on PATH')
  else makers.push({ name: 'HAProxy', version: haproxy, kinds: ['tcp', 'http'], start: startHaproxy })
  const nginx = versionOf('nginx', ['-v'])
  if (nginx === undefined) absent('no nginx on PATH')
  else {
    const hasStream = existsSync(streamModule)
    if (!hasStream) absent('nginx has no stream module')
    makers.push({
      name: 'nginx',
      version: nginx,
      kinds: hasStream ? ['tcp', 'http'] : ['http'],
      start: startNginx,
    })
  }
  const ready = await Promise.all(
    makers.map(async (maker) => {
      try {
        for (const kind of maker.kinds)
          await (await maker.start(kind, 'any', ['127.0.0.1:9']))[Symbol.asyncDispose]()
        return true
      } catch (error) {
        absent(`${maker.name} ${maker.version}: ${error instanceof Error ? error.message : String(error)}`)
        return false
      }
    }),
  )
  return makers.filter((_, at) => ready[at])
}

function versionOf(program: string, args: readonly string[]): string | undefined {
  try {
    // nginx says it on standard error.
    const said = execFileSync('sh', ['-c', '"$0" "$@" 2>&1', program, ...args], { encoding: 'utf8' })
    return /\d+\.\d+\.\d+/.exec(said)?.[0]
  } catch {
    return undefined
  }
}

async function startHaproxy(kind: Kind, by: By, backends: readonly string[]): Promise<Front> {
  const port = await freePort()
  const expression = by === 'source' ? 'src' : kind === 'tcp' ? 'src_port' : 'path'
  const servers = backends.map((address, n) => `  server s${n} ${address} check inter 200ms fall 3 rise 2`)
  return startFront(
    'haproxy',
    port,
    `global
  nbthread 1
  maxconn 4000
defaults
  mode ${kind}
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  retries 3
  option redispatch 1
frontend front
  bind 127.0.0.1:${port} backlog 4096
  default_backend back
backend back
  balance hash ${expression}
  hash-type consistent
${servers.join('\n')}
`,
    (config) => ['-db', '-f', config],
  )
}

async function startNginx(kind: Kind, by: By, backends: readonly string[]): Promise<Front> {
  const port = await freePort()
  const key = by === 'source' ? '$remote_addr' : kind === 'tcp' ? '$remote_addr:$remote_port' : '$request_uri'
  const servers = backends.map((address) => `    server ${address};`).join('\n')
  const upstream = `  upstream back {\n    hash ${key} consistent;\n${servers}\n`
  const site =
    kind === 'tcp'
      ? `load_module ${streamModule};\nstream {\n${upstream}  }\n  server { listen 127.0.0.1:${port} backlog=4096; proxy_pass back; }\n}`
      : `http {\n  access_log off;\n${upstream}    keepalive 64;\n  }
  server {
    listen 127.0.0.1:${port} backlog=4096;
    keepalive_requests 1000000000;
    location / { proxy_pass http://back; proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header X-Forwarded-For $remote_addr; }
  }\n}`
  const [module = '', ...rest] = kind === 'tcp' ? site.split('\n') : ['', site]
  return startFront(
    'nginx',
    port,
    `${module}\ndaemon off;\nmaster_process off;\nuser root;\npid nginx.pid;\nerror_log stderr crit;
events { worker_connections 8000; }\n${rest.join('\n')}\n`,
    (config, folder) => ['-p', folder, '-c', config],
  )
}

async function startFront(
  program: string,
  port: number,
  config: string,
  args: (config: string, folder: string) => string[],
): Promise<Front> {
  const folder = mkdtempSync(join(tmpdir(), `maglev-bench-${program}-`))
  const file = join(folder, `${program}.conf`)
  writeFileSync(file, config)
  const child = spawn(program, args(file, folder), { stdio: ['ignore', 'ignore', 'pipe'] })
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-2000)))
  const onExit = (): void => void child.kill('SIGKILL')
  process.once('exit', onExit)
  const stop = async (): Promise<void> => {
    process.off('exit', onExit)
    await end(child)
    rmSync(folder, { recursive: true, force: true })
  }
  for (let tries = 0; tries < 200; tries++) {
    if (child.exitCode !== null || child.pid === undefined) break
    if (await answers(port)) return { port, pid: child.pid, [Symbol.asyncDispose]: stop }
    await sleep(20)
  }
  await stop()
  throw new Error(`${program} did not start: ${said.trim()}`)
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
}

async function answers(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  const connected = await once(socket, 'connect').then(
    () => true,
    () => false,
  )
  socket.destroy()
  return connected
}
