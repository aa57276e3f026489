import { type Child, startChild } from '@loadbearing/harness/faults'

export interface RunningBackend {
  readonly id: string
  readonly process: Child
}

/** Backends and a proxy before them, each a process of its own. */
export interface Stand extends AsyncDisposable {
  readonly backends: readonly RunningBackend[]
  readonly proxy: Child
  readonly port: number
}

const program = (name: string): URL => new URL(`./programs/${name}.ts`, import.meta.url)
const node = { execArgv: ['--conditions=@loadbearing/source'], ready: /^listening / }

/** Where a child said that it listens. */
function listeningAt({ output }: Child): string {
  return /^listening (\S+)$/m.exec(output.stdout)?.[1] ?? ''
}

export async function startBackend(kind: 'tcp' | 'http'): Promise<RunningBackend> {
  const process = await startChild(program('backend'), { ...node, args: [kind] })
  return { id: listeningAt(process), process }
}

export async function startStand(kind: 'tcp' | 'http', count: number): Promise<Stand> {
  await using stack = new AsyncDisposableStack()
  const backends = await Promise.all(
    Array.from({ length: count }, async () => {
      const backend = await startBackend(kind)
      stack.use(backend.process)
      return backend
    }),
  )
  const ids = backends.map(({ id }) => id)
  const proxy = stack.use(await startChild(program('proxy'), { ...node, args: [kind, ...ids] }))
  const owned = stack.move()
  return {
    backends,
    proxy,
    port: Number(listeningAt(proxy)),
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  }
}
