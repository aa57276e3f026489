import { type Child, startChild } from '@loadbearing/harness/faults'
import { hashPolicies, type Key, Maglev } from '../../src/index.ts'

export interface RunningBackend {
  readonly id: string
  readonly process: Child
}

/** Backends and a proxy before them, each a process of its own. */
export interface Stand extends AsyncDisposable {
  readonly kind: 'tcp' | 'http'
  readonly backends: readonly RunningBackend[]
  readonly proxy: Child
  readonly port: number
  /** Which backend should serve clients of an address, by a table of our own. */
  ownerOf(source: string): string | undefined
  /** When the proxy says that a backend is out, on the wall clock. */
  outAt(id: string): Promise<number>
}

const program = (name: string): URL => new URL(`./programs/${name}.ts`, import.meta.url)
const node = { execArgv: ['--conditions=@loadbearing/source'] }

/** Where a child said that it listens. */
function listeningAt({ output }: Child): string {
  return /^listening (\S+)$/m.exec(output.stdout)?.[1] ?? ''
}

export async function startBackend(kind: 'tcp' | 'http'): Promise<RunningBackend> {
  const process = await startChild(program('backend'), { ...node, args: [kind], ready: /^listening / })
  return { id: listeningAt(process), process }
}

/** A proxy of the library's, of `programs/proxy.ts`. */
export async function startStand(kind: 'tcp' | 'http', count: number): Promise<Stand> {
  return start(kind, count, async (ids) => {
    const proxy = await startChild(program('proxy'), { ...node, args: [kind, ...ids], ready: /^listening / })
    const table = new Maglev(ids)
    return {
      proxy,
      port: Number(listeningAt(proxy)),
      ownerOf: (source) => table.lookup(source),
      outAt: async (id) => Number(field(await proxy.message((value) => isOut(value, 'id', id)), 'at')),
    }
  })
}

/** The command `maglev proxy`, as a user starts it. */
export async function startCommand(kind: 'tcp' | 'http', count: number): Promise<Stand> {
  return start(kind, count, async (ids) => {
    const args = [
      'proxy',
      `--${kind}`,
      '--listen=127.0.0.1:0',
      '--log=json',
      '--health=tcp',
      '--health-interval=200ms',
      '--health-timeout=500ms',
      ...ids.flatMap((id) => ['--backend', id]),
    ]
    const cli = new URL('../../src/cli.ts', import.meta.url)
    const proxy = await startChild(cli, { ...node, args, ready: '"listening"' })
    const [, address = ''] = /"address":"([^"]+)"/.exec(proxy.output.stdout) ?? []
    const table = new Maglev(ids)
    // Of HTTP it takes Envoy's policies, which hash by themselves.
    const policy = hashPolicies([{ sourceAddress: true }])
    const hashOf = (source: string): Key =>
      policy({ headers: {}, path: '/', remote: { address: source, port: 0 } }).key ?? source
    return {
      proxy,
      port: Number(address.split(':').at(-1)),
      ownerOf: (source) => table.lookup(kind === 'http' ? hashOf(source) : source),
      async outAt(id) {
        const line = await proxy.line(
          (text) => text.includes('"state"') && isOut(JSON.parse(text), 'backend', id),
        )
        return Date.parse(String(field(JSON.parse(line), 'time')))
      },
    }
  })
}

async function start(
  kind: 'tcp' | 'http',
  count: number,
  startProxy: (
    ids: readonly string[],
  ) => Promise<Omit<Stand, 'kind' | 'backends' | typeof Symbol.asyncDispose>>,
): Promise<Stand> {
  await using stack = new AsyncDisposableStack()
  const backends = await Promise.all(
    Array.from({ length: count }, async () => {
      const backend = await startBackend(kind)
      stack.use(backend.process)
      return backend
    }),
  )
  const running = await startProxy(backends.map(({ id }) => id))
  stack.use(running.proxy)
  const owned = stack.move()
  return { kind, backends, ...running, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

function isOut(value: unknown, name: string, id: string): boolean {
  const to = field(value, 'to')
  return field(value, name) === id && (to === 'ejected' || to === 'unhealthy')
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
