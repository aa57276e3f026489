import { parentPort, Worker, workerData } from 'node:worker_threads'
import { compose, fromMemory, isHydraConfigError, type Semantics } from '@loadbearing/hydra-config'

const length = 10_000
const times = 101

/** Configurations that lead back to themselves after 10,000 steps, as texts, and how the error has to name that. */
const cycles: Readonly<
  Record<string, { files: () => Record<string, string>; config: string; named: RegExp }>
> = {
  interpolations: {
    files: () => ({ 'config.yaml': lines((at, next) => `k${at}: \${k${next}}\n`).join('') }),
    config: 'config',
    named: /k0 → k1 → .* → k9999 → k0/,
  },
  'interpolations in text': {
    files: () => ({ 'config.yaml': lines((at, next) => `k${at}: "to \${k${next}}"\n`).join('') }),
    config: 'config',
    named: /k0 → k1 → .* → k9999 → k0/,
  },
  'configs in defaults lists': {
    files: () =>
      filesOf(
        (at) => `c${at}.yaml`,
        lines((_, next) => `defaults:\n- c${next}\n- _self_\n`),
      ),
    config: 'c0',
    named: /c0 -> c1 -> .* -> c9999 -> c0/,
  },
  'groups in defaults lists': {
    files: () => ({
      ...filesOf(
        (at) => `g${at}/c.yaml`,
        lines((_, next) => `defaults:\n- /g${next}@_global_: c\n`),
      ),
      'config.yaml': 'defaults:\n- /g0@_global_: c\n',
    }),
    config: 'config',
    named: /g0\/c -> g1\/c -> .* -> g9999\/c -> g0\/c/,
  },
}

/** How long it takes from the texts to the error that names the cycle, in milliseconds. */
export interface Naming {
  readonly what: string
  readonly median: number
  /** The first time in a new thread, whose code is not compiled yet. */
  readonly first: number
}

/** Names each cycle again and again, in a thread of its own, nothing kept from one time to the next. */
export async function nameCycles(semantics: Semantics): Promise<Naming[]> {
  const namings: Naming[] = []
  for (const what of Object.keys(cycles)) namings.push(await inWorker(what, semantics))
  return namings
}

async function inWorker(what: string, semantics: Semantics): Promise<Naming> {
  const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>()
  const worker = new Worker(new URL(import.meta.url), { workerData: { what, semantics } })
  worker.once('message', resolve).once('error', reject)
  const [first = Number.NaN, ...others] = await promise
  await worker.terminate()
  return {
    what,
    first,
    median: others.toSorted((a, b) => a - b)[Math.floor(others.length / 2)] ?? Number.NaN,
  }
}

/** @throws where something else happens than the naming of the cycle */
async function timeNaming(what: string, semantics: Semantics): Promise<number> {
  const { files, config, named } = cycles[what] ?? { files: () => ({}), config: '', named: /^$/ }
  const source = fromMemory(files())
  const start = performance.now()
  try {
    const { value } = await compose({ source, config, semantics })
    throw new TypeError(`a cycle of ${what} gave ${typeof value}`)
  } catch (error) {
    const ms = performance.now() - start
    if (isHydraConfigError(error) && named.test(error.message)) return ms
    throw error
  }
}

function lines(line: (at: number, next: number) => string): string[] {
  return Array.from({ length }, (_, at) => line(at, (at + 1) % length))
}

function filesOf(name: (at: number) => string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text, at) => [name(at), text]))
}

if (parentPort !== null) {
  const { what, semantics } = workerData
  const found: number[] = []
  while (found.length <= times) found.push(await timeNaming(what, semantics))
  parentPort.postMessage(found)
}
